//! Stampix: an Auth0 tenant signs its users in, and scopes stand in two layers.
//!
//! The tenant wants `audience`, and without it grants a token that is for nobody but itself. It knows clients that a
//! developer registered, issues JWTs, and rotates refresh tokens, which come with `offline_access` only: one that
//! is used again ends its family. A user gets of what is asked for what their role has.
//!
//! `read:mcp` gates every tool and `write:mcp` those that write (403 `insufficient_scope`); each tool also needs a
//! scope of its domain (a result that says "Missing required scopes"), without which it is not listed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Front, Record};
use crate::support::auth_server::{Answer as AuthAnswer, AuthServer, Client, Grant, Plan};
use crate::support::certificates::PrivateAuthority;
use crate::support::guarded::{METADATA, guard};
use crate::support::mcp_server::{Request, matcher};
use crate::support::{Answer, McpServer};

/// The client that a developer registered.
pub const CLIENT_ID: &str = "stampix-desktop";
/// How the tenant knows the API.
pub const AUDIENCE: &str = "https://api.stampix.example";
/// What the server says where a layer is missing.
pub const WHO_GRANTS: &str = "an admin of your organization grants it under Settings, Members";

/// The tools with the scope of their domain; the last three write.
pub const TOOLS: [(&str, &str); 20] = [
    ("list_campaigns", "read:campaigns"),
    ("get_campaign", "read:campaigns"),
    ("search_campaigns", "read:campaigns"),
    ("list_programs", "read:programs"),
    ("get_program", "read:programs"),
    ("list_cards", "read:cards"),
    ("get_card", "read:cards"),
    ("search_cards", "read:cards"),
    ("list_members", "read:members"),
    ("get_member", "read:members"),
    ("search_members", "read:members"),
    ("list_rewards", "read:rewards"),
    ("get_reward", "read:rewards"),
    ("get_statistics", "read:analytics"),
    ("compare_periods", "read:analytics"),
    ("list_locations", "read:locations"),
    ("get_organization", "manage:organization"),
    ("create_campaign", "create:campaigns"),
    ("update_campaign", "update:campaigns"),
    ("issue_reward", "create:rewards"),
];
const WRITERS: usize = 3;

/// Whether a tool writes.
fn writes(name: &str) -> bool {
    TOOLS[TOOLS.len() - WRITERS..].iter().any(|(tool, _)| *tool == name)
}

fn domain_of(name: &str) -> Option<&'static str> {
    TOOLS.iter().find(|(tool, _)| *tool == name).map(|(_, scope)| *scope)
}

/// Where an admin changes the role of whoever is at the browser; for whoever tries the product.
const SETTINGS: &str = "/settings/";

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Prepares what others write: has what a write needs in its domain, and not `write:mcp`.
    Drafter,
    /// Reads and writes.
    Editor,
    /// And manages the organization.
    Admin,
}

impl Role {
    fn has(self, scope: &str) -> bool {
        match scope {
            "openid" | "offline_access" => true,
            "manage:organization" => self == Self::Admin,
            "write:mcp" => matches!(self, Self::Editor | Self::Admin),
            _ => scope.starts_with("read:") || self != Self::Viewer,
        }
    }

    /// The names of the tools that are listed for it.
    pub fn tools(self) -> Vec<String> {
        let listed = TOOLS.iter().filter(|(_, scope)| self.has(scope));
        listed.map(|(name, _)| (*name).to_owned()).collect()
    }
}

#[derive(Default)]
struct Tenant {
    /// Who is at the browser.
    present: String,
    roles: BTreeMap<String, Role>,
    /// Whose the families of tokens are, by the state of their authorization.
    users: BTreeMap<String, String>,
}

impl Tenant {
    fn decide(&mut self, grant: &mut Grant) {
        let of = |name: &str| grant.asked.iter().find(|(asked, _)| asked == name);
        let value = |name: &str| of(name).map(|(_, value)| value.clone()).unwrap_or_default();
        let (state, audience) = (value("state"), value("audience"));
        let present = &self.present;
        let user = self.users.entry(state).or_insert_with(|| present.clone()).clone();
        if audience.is_empty() {
            grant.access_token = format!("opaque-canary-{}", grant.number);
            return;
        }
        let role = self.roles.get(&user).copied().unwrap_or(Role::Viewer);
        let granted = grant.scope.split(' ').filter(|scope| role.has(scope));
        let granted: Vec<_> = granted.map(str::to_owned).collect();
        grant.scope = granted.join(" ");
        grant.is_renewable = granted.iter().any(|scope| scope == "offline_access");
        grant.access_token = jwt(&user, &audience, grant);
    }
}

fn jwt(user: &str, audience: &str, grant: &Grant) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({"alg": "RS256", "typ": "at+jwt"}));
    let claims = json!({"sub": user, "aud": audience, "scope": grant.scope, "jti": grant.number});
    format!("{header}.{}.canary-{}", part(claims), grant.number)
}

/// What stands in a token that is for this API.
fn claims(request: &Request) -> Option<Value> {
    claims_of(request.header("authorization")?.strip_prefix("Bearer ")?)
}

fn claims_of(token: &str) -> Option<Value> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    (claims["aud"] == AUDIENCE).then_some(claims)
}

fn holds(claims: &Value, scope: &str) -> bool {
    claims["scope"].as_str().is_some_and(|scopes| scopes.split(' ').any(|each| each == scope))
}

/// The running product.
pub struct Stampix {
    pub mcp: McpServer,
    pub auth: AuthServer,
    /// The port that is part of the redirect URI that a developer registered.
    pub port: u16,
    authority: Arc<PrivateAuthority>,
    tenant: Arc<Mutex<Tenant>>,
}

impl Stampix {
    pub fn run() -> Self {
        Self::with_tokens_of(24 * 3600)
    }

    /// Whose access tokens are good for so many seconds.
    pub fn with_tokens_of(lifetime: u64) -> Self {
        let authority = Arc::new(PrivateAuthority::found());
        let front = Front::reserve(&authority);
        let mcp = McpServer::legacy()
            .https_by(&authority)
            .always_with("tools/list", |request| std::future::ready(list(&request)))
            .always_with("tools/call", |request| std::future::ready(call(&request)))
            .run();
        let tenant = Arc::<Mutex<Tenant>>::default();
        let granted = Arc::clone(&tenant);
        let auth =
            guard(plan(&front, lifetime).gives(move |grant| lock(&granted).decide(grant)), &mcp);
        refuse(&mcp);
        has_settings(&mcp, &tenant);
        front.lead_to(auth.address());
        let port = port();
        let registered = Client {
            secret: None,
            redirect_uris: vec![format!("http://localhost:{port}/oauth/callback")],
            scope: None,
            method: "none".to_owned(),
        };
        auth.register(CLIENT_ID, registered);
        Self { mcp, auth, port, authority, tenant }
    }

    /// This person is at the browser from now on, and has this role.
    pub fn is_visited_by(&self, user: &str, role: Role) {
        user.clone_into(&mut lock(&self.tenant).present);
        self.makes(user, role);
    }

    /// An admin gives somebody another role, which counts from their next token on.
    pub fn makes(&self, user: &str, role: Role) {
        lock(&self.tenant).roles.insert(user.to_owned(), role);
    }

    /// The address at which an admin does this to the roles.
    pub fn setting(&self, verb: &str) -> String {
        self.mcp.url_of(&format!("{SETTINGS}{verb}"))
    }

    /// How often tokens were asked for by this grant.
    pub fn grants(&self, grant_type: &str) -> usize {
        let asked = self.auth.asked("/token");
        let of = |asked: &&_| of_type(asked, grant_type);
        asked.iter().filter(of).count()
    }

    pub fn url(&self) -> String {
        self.mcp.url()
    }

    pub fn authority(&self) -> &PrivateAuthority {
        &self.authority
    }

    /// What its two servers see; a token is shown by what it says.
    pub fn records(&self) -> [Record; 2] {
        let (mcp, auth) = (self.mcp.host(), self.auth.origin());
        [
            Record::of_mcp(&self.mcp).shown(with_claims).hide(&auth, "AUTH"),
            Record::of_auth(&self.auth, "auth").hide(&mcp, "SERVER"),
        ]
    }
}

fn of_type(asked: &crate::support::auth_server::Asked, grant_type: &str) -> bool {
    asked.field("grant_type").as_deref() == Some(grant_type)
}

fn lock(tenant: &Mutex<Tenant>) -> MutexGuard<'_, Tenant> {
    tenant.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A port that nobody is given who asks for any, and that no other story of this process has.
fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + (std::process::id() % 60) as u16 * 100;
    let free = |port: &u16| std::net::TcpListener::bind(("localhost", *port)).is_ok();
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed) % 100);
    ports.by_ref().take(100).find(free).expect("a free port")
}

/// The tenant.
fn plan(front: &Front, lifetime: u64) -> Plan {
    let plan = Plan {
        origin: Some(front.origin()),
        issuer_path: "/",
        metadata_at: vec!["/.well-known/openid-configuration"],
        iss: false,
        methods: vec!["none"],
        lifetime,
        // What a user may have is a matter of their role.
        scopes_are_bound: false,
        ..Plan::default()
    };
    plan.resource(|document| {
        let domains = TOOLS.map(|(_, scope)| scope);
        let mut scopes = vec!["read:mcp"];
        for scope in domains {
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        document["scopes_supported"] = json!(scopes);
    })
    .metadata(|document| document["scopes_supported"] = json!(["openid", "offline_access"]))
    .always("/register", AuthAnswer::json(403, &json!({"error": "registration is not enabled"})))
    .rule("/authorize", |asked| {
        let unknown = asked.param("audience").is_some_and(|audience| audience != AUDIENCE);
        unknown.then(|| AuthAnswer::page(400, "<h1>Service not found</h1>"))
    })
}

/// A token for something else, and what the layer of MCP refuses.
fn refuse(mcp: &McpServer) {
    let metadata = mcp.url_of(METADATA);
    let lacks = |scope: &'static str, name: &'static str| {
        matcher::when(name, move |request| {
            let tool = request.tool();
            let gated = tool.is_some_and(|tool| scope == "read:mcp" || writes(&tool));
            gated && claims(request).is_some_and(|claims| !holds(&claims, scope))
        })
    };
    let insufficient = |scope: &str| {
        let challenge = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{scope}\", \
             error_description=\"{scope}: {WHO_GRANTS}\", resource_metadata=\"{metadata}\""
        );
        Answer::status(403).header("www-authenticate", &challenge)
    };
    mcp.always(lacks("write:mcp", "no write:mcp"), insufficient("write:mcp"));
    mcp.always(lacks("read:mcp", "no read:mcp"), insufficient("read:mcp"));
    let foreign =
        |request: &Request| request.header("authorization").is_some() && claims(request).is_none();
    let challenge = format!(
        "Bearer error=\"invalid_token\", error_description=\"The token is not for {AUDIENCE}\", \
         resource_metadata=\"{metadata}\""
    );
    let refusal = Answer::status(401).header("www-authenticate", &challenge);
    mcp.always(matcher::when("a token for something else", foreign), refusal);
}

/// An admin's page, which wants no token.
fn has_settings(mcp: &McpServer, tenant: &Arc<Mutex<Tenant>>) {
    let is_of_settings = |request: &Request| request.path.starts_with(SETTINGS);
    let tenant = Arc::clone(tenant);
    let change = move |request: &Request| {
        let mut tenant = lock(&tenant);
        let (role, done) = match request.path.strip_prefix(SETTINGS).unwrap_or_default() {
            "grant" => (Role::Editor, "The user may write.\n"),
            "take-away" => (Role::Drafter, "The user may not write.\n"),
            _ => return "There is no such setting.\n".to_owned(),
        };
        let present = tenant.present.clone();
        tenant.roles.insert(present, role);
        done.to_owned()
    };
    mcp.allow(matcher::when("settings", is_of_settings));
    let answer = Answer::response(change).content_type("text/plain");
    mcp.always(matcher::when("settings", is_of_settings), answer);
}

/// What the role of the token's user has.
fn list(request: &Request) -> Answer {
    let claims = claims(request).unwrap_or_default();
    let listed = TOOLS.iter().filter(|(_, scope)| holds(&claims, scope));
    let tools: Vec<_> = listed.map(|(name, _)| tool(name)).collect();
    Answer::result(json!({"tools": tools}))
}

fn tool(name: &str) -> Value {
    json!({
        "name": name,
        "description": name.replace('_', " "),
        "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": !writes(name)},
    })
}

fn call(request: &Request) -> Answer {
    let name = request.tool().unwrap_or_default();
    let claims = claims(request).unwrap_or_default();
    let Some(domain) = domain_of(&name) else { return Answer::error(-32602, "Unknown tool") };
    let (text, is_error) = if holds(&claims, domain) {
        (format!("{name} for {}", claims["sub"].as_str().unwrap_or_default()), false)
    } else {
        (format!("Missing required scopes: {domain}"), true)
    };
    Answer::result(json!({"content": [{"type": "text", "text": text}], "isError": is_error}))
}

/// A line with what a token says in its place: who, and which layers.
fn with_claims(line: String) -> String {
    let Some((before, rest)) = line.split_once("authorization: Bearer ") else { return line };
    let (token, after) = rest.split_once(" · ").unwrap_or((rest, ""));
    let after = if after.is_empty() { String::new() } else { format!(" · {after}") };
    let Some(claims) = claims_of(token) else {
        return format!("{before}authorization: a token for something else{after}");
    };
    let layers = ["read:mcp", "write:mcp"].into_iter().filter(|layer| holds(&claims, layer));
    let layers: Vec<_> = layers.collect();
    let user = claims["sub"].as_str().unwrap_or_default();
    format!("{before}authorization: {user}, {}{after}", layers.join(" "))
}
