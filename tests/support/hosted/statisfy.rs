//! Statisfy: the authorization of the specification, and a key that lives long and can't be renewed.
//!
//! 401 leads to the metadata, registration (redirect URIs are taken exactly), PKCE, codes of five minutes. What is
//! granted is an opaque key of one user in one organization, without a refresh token. An admin sees every
//! connection and can revoke it: its key is refused from then on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{Front, Record};
use crate::support::auth_server::{AuthServer, Grant, Plan};
use crate::support::certificates::PrivateAuthority;
use crate::support::guarded::guard;
use crate::support::mcp_server::Request;
use crate::support::{Answer, McpServer};

/// Its tools change nothing.
pub const TOOLS: [&str; 5] =
    ["list_objects", "get_object", "search_objects", "semantic_search", "list_relations"];

/// How long a key is good: 90 days.
const LIFETIME: u64 = 90 * 24 * 3600;

/// What an admin sees of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    pub client_name: String,
    /// Who signed in, and for which organization.
    pub owner: String,
    pub organization: String,
    /// How often it was used.
    pub uses: usize,
    pub is_revoked: bool,
    key: String,
}

#[derive(Default)]
struct Admin {
    /// Name and id of each client that registered.
    clients: Vec<(String, String)>,
    /// What the person picks in the browser.
    organization: &'static str,
    connections: Vec<Connection>,
}

impl Admin {
    /// A key for whoever has approved.
    fn give(&mut self, grant: &mut Grant) {
        let named = self.clients.iter().find(|(id, _)| *id == grant.client_id);
        let client_name = named.map(|(_, name)| name.clone()).unwrap_or_default();
        let organization = self.organization;
        let key = format!("sf_canary-{organization}-{}", grant.number);
        grant.access_token.clone_from(&key);
        grant.is_renewable = false;
        self.connections.push(Connection {
            client_name,
            owner: "ada".to_owned(),
            organization: organization.to_owned(),
            uses: 0,
            is_revoked: false,
            key,
        });
    }

    /// The connection whose key a request carries.
    fn used_by(&mut self, request: &Request) -> Option<&mut Connection> {
        let key = request.header("authorization")?.strip_prefix("Bearer ")?;
        self.connections.iter_mut().find(|connection| connection.key == key)
    }
}

/// The running product.
pub struct Statisfy {
    pub mcp: McpServer,
    pub auth: AuthServer,
    authority: Arc<PrivateAuthority>,
    admin: Arc<Mutex<Admin>>,
}

impl Statisfy {
    pub fn run() -> Self {
        let authority = Arc::new(PrivateAuthority::found());
        let front = Front::reserve(&authority);
        let admin = Arc::<Mutex<Admin>>::default();
        let called = Arc::clone(&admin);
        let mcp = McpServer::legacy()
            .https_by(&authority)
            .tools(TOOLS.iter().map(|name| tool(name)).collect())
            .always_with("tools/call", move |request| {
                std::future::ready(call(&request, &mut lock(&called)))
            })
            .run();
        let (registered, granted) = (Arc::clone(&admin), Arc::clone(&admin));
        let plan = Plan {
            origin: Some(front.origin()),
            lifetime: LIFETIME,
            methods: vec!["none"],
            ..Plan::default()
        };
        let plan = plan
            .resource(|document| document["scopes_supported"] = json!(["objects:read"]))
            .metadata(|document| {
                document["scopes_supported"] = json!(["objects:read"]);
                let members = document.as_object_mut().expect("an object");
                members.remove("device_authorization_endpoint");
                members.remove("revocation_endpoint");
            })
            .registers(move |answer| {
                let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
                lock(&registered).clients.push((text("client_id"), text("client_name")));
            })
            .gives(move |grant| lock(&granted).give(grant));
        let auth = guard(plan, &mcp);
        front.lead_to(auth.address());
        Self { mcp, auth, authority, admin }
    }

    /// In the browser, the person acts for this organization from now on.
    pub fn picks(&self, organization: &'static str) {
        lock(&self.admin).organization = organization;
    }

    /// Five minutes pass for the codes that nobody brought yet.
    pub fn five_minutes_pass(&self) {
        self.auth.end_codes();
    }

    /// What an admin of this organization sees, the eldest first.
    pub fn connections(&self, organization: &str) -> Vec<Connection> {
        let admin = lock(&self.admin);
        let of = admin.connections.iter().filter(|each| each.organization == organization);
        of.cloned().collect()
    }

    /// An admin of this organization revokes all of its connections.
    pub fn revokes(&self, organization: &str) {
        let mut admin = lock(&self.admin);
        for connection in &mut admin.connections {
            if connection.organization == organization {
                connection.is_revoked = true;
                self.auth.revoke(&connection.key);
            }
        }
    }

    pub fn url(&self) -> String {
        self.mcp.url()
    }

    pub fn authority(&self) -> &PrivateAuthority {
        &self.authority
    }

    /// What its two servers see.
    pub fn records(&self) -> [Record; 2] {
        let (mcp, auth) = (self.mcp.host(), self.auth.origin());
        [
            Record::of_mcp(&self.mcp).hide(&auth, "AUTH"),
            Record::of_auth(&self.auth, "auth").shown(on_any_machine).hide(&mcp, "SERVER"),
        ]
    }
}

/// Whoever asks names their machine, each another.
fn on_any_machine(line: String) -> String {
    let Some((before, rest)) = line.split_once("bridge on ") else { return line };
    let (_, after) = rest.split_once('"').unwrap_or_default();
    format!("{before}bridge on MACHINE\"{after}")
}

fn lock(admin: &Mutex<Admin>) -> MutexGuard<'_, Admin> {
    admin.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tool(name: &str) -> Value {
    json!({
        "name": name,
        "description": name.replace('_', " "),
        "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": true},
    })
}

/// Each organization sees its own.
fn call(request: &Request, admin: &mut Admin) -> Answer {
    let Some(connection) = admin.used_by(request) else { return Answer::status(401) };
    connection.uses += 1;
    let text = format!("{} of {}", request.tool().unwrap_or_default(), connection.organization);
    Answer::result(json!({"content": [{"type": "text", "text": text}], "isError": false}))
}
