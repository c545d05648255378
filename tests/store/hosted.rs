//! A hosted MCP server that wants a token, with its authorization server, and all the secrets that there were.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::auth_server::{Answer, Asked, AuthServer, Plan};

/// Members of a grant or a registration that are secret.
const SECRET: [&str; 5] =
    ["access_token", "refresh_token", "id_token", "client_secret", "registration_access_token"];

/// The two servers.
pub struct Hosted {
    pub auth: AuthServer,
    secrets: Arc<Mutex<Vec<String>>>,
}

impl Hosted {
    pub fn new() -> Self {
        Self::with(Plan::default())
    }

    pub fn with(plan: Plan) -> Self {
        let secrets = Arc::<Mutex<Vec<String>>>::default();
        let (granted, registered, accepted) = (secrets.clone(), secrets.clone(), secrets.clone());
        let auth = plan
            .grants(move |grant| note(&granted, grant))
            .registers(move |client| note(&registered, client))
            .rule("/mcp", move |asked| Some(mcp(asked, &accepted)))
            .run();
        Self { auth, secrets }
    }

    pub fn url(&self) -> String {
        self.auth.mcp_url()
    }

    /// Everything that nobody may find written down: tokens, client secrets, codes, verifiers.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = self.secrets.lock().unwrap().clone();
        for request in self.auth.asked("/token") {
            secrets.extend(["code", "code_verifier"].iter().filter_map(|name| request.field(name)));
        }
        assert!(secrets.iter().all(|secret| secret.len() > 8), "{secrets:?}");
        secrets
    }

    /// What only the address of a sign-in may show.
    pub fn states(&self) -> Vec<String> {
        self.auth.asked("/authorize").iter().filter_map(|request| request.param("state")).collect()
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> usize {
        self.auth.asked(path).len()
    }
}

fn note(secrets: &Mutex<Vec<String>>, answer: &Value) {
    let values = SECRET.iter().filter_map(|name| answer[*name].as_str());
    secrets.lock().unwrap().extend(values.map(str::to_owned));
}

fn mcp(asked: &Asked, accepted: &Mutex<Vec<String>>) -> Answer {
    let token = asked.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    if !token.is_some_and(|token| accepted.lock().unwrap().iter().any(|known| known == token)) {
        let host = asked.header("host").unwrap();
        let challenge = format!(
            "Bearer resource_metadata=\"http://{host}/.well-known/oauth-protected-resource/mcp\""
        );
        return Answer::http(401, &[("www-authenticate", &challenge)], "");
    }
    if asked.method != "POST" {
        return Answer::page(405, "");
    }
    let message = asked.json();
    let result = match message["method"].as_str().unwrap_or_default() {
        "initialize" => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "hosted", "version": "1"},
        }),
        "tools/list" => json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}),
        "tools/call" => json!({"content": [{"type": "text", "text": "done"}]}),
        _ => return Answer::http(202, &[], ""),
    };
    Answer::json(200, &json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
}
