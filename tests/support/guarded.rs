//! An MCP server that takes only the tokens of an authorization server, on an origin of its own.

use serde_json::json;

use super::auth_server::{AuthServer, Door, Plan};
use super::mcp_server::{Builder, Request, matcher};
use super::{Answer, BridgeProcess, McpServer, bridge_process};

/// Where the metadata of the resource lies.
pub const METADATA: &str = "/.well-known/oauth-protected-resource/mcp";

/// The two servers.
pub struct Guarded {
    pub mcp: McpServer,
    pub auth: AuthServer,
}

impl Guarded {
    pub fn run() -> Self {
        Self::with(Plan::default(), McpServer::legacy())
    }

    pub fn with(plan: Plan, mcp: Builder) -> Self {
        let mcp = mcp.run();
        Self { auth: guard(plan, &mcp), mcp }
    }

    /// A call of this tool needs this scope.
    pub fn needs_scope(&self, tool: &'static str, scope: &'static str) {
        let door = self.auth.door();
        let lacks = move |request: &Request| {
            let has = granted(&door, request);
            request.tool().as_deref() == Some(tool)
                && has.is_some_and(|has| !has.split(' ').any(|each| each == scope))
        };
        let challenge = format!(
            "Bearer error=\"insufficient_scope\", scope=\"{scope}\", resource_metadata=\"{}\"",
            self.mcp.url_of(METADATA)
        );
        let refusal = Answer::status(403).header("www-authenticate", &challenge);
        self.mcp.always(matcher::when("too few scopes", lacks), refusal);
    }

    /// The bridge before this server, with a store that needs no keychain.
    pub fn bridge(&self) -> bridge_process::Builder {
        BridgeProcess::to(self.mcp.url())
    }

    /// What a person types, for this server and this store.
    pub fn command(&self, verb: &str) -> bridge_process::Builder {
        BridgeProcess::with_args([verb.to_owned(), self.mcp.url()]).unchecked()
    }

    /// How often the authorization server was asked for this.
    pub fn asked(&self, path: &str) -> usize {
        self.auth.asked(path).len()
    }

    /// How often tokens were asked for by this grant.
    pub fn grants(&self, grant_type: &str) -> usize {
        let asked = self.auth.asked("/token");
        let of =
            asked.iter().filter(|asked| asked.field("grant_type").as_deref() == Some(grant_type));
        of.count()
    }
}

/// Lets a server take only the tokens of an authorization server of its own, and lead to that.
pub fn guard(plan: Plan, mcp: &McpServer) -> AuthServer {
    let auth = plan.run();
    auth.serves(&mcp.url());
    let mut document = json!({
        "resource": mcp.url(),
        "authorization_servers": [auth.issuer()],
        "scopes_supported": ["read"],
    });
    auth.edit_resource(&mut document);
    let door = auth.door();
    mcp.allow(matcher::when("discovery", |request| request.path.starts_with("/.well-known/")));
    mcp.always(matcher::path(METADATA), Answer::json(document.to_string()));
    let known = door.clone();
    let entry = move |request: &Request| is_entry(request) && granted(&known, request).is_some();
    mcp.always(matcher::when("a ping with a good token", entry), Answer::status(400));
    mcp.allow(matcher::when("a ping without a session", is_entry));
    let closed = move |request: &Request| is_endpoint(request) && granted(&door, request).is_none();
    let challenge = format!("Bearer resource_metadata=\"{}\"", mcp.url_of(METADATA));
    let refusal = Answer::status(401).header("www-authenticate", &challenge);
    mcp.always(matcher::when("no good token", closed), refusal);
    auth
}

fn is_endpoint(request: &Request) -> bool {
    !request.path.starts_with("/.well-known/")
}

/// What `login` asks before a sign-in and after it, which needs no session.
fn is_entry(request: &Request) -> bool {
    request.body.windows(14).any(|part| part == b"\"bridge-entry\"")
}

/// The scopes of the token that a request carries.
fn granted(door: &Door, request: &Request) -> Option<String> {
    door.scope_of(request.header("authorization")?.strip_prefix("Bearer ")?)
}
