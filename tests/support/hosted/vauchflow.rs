//! Vauchflow: an API key in a header of its own, stateless POSTs, errors in an envelope of its own.
//!
//! `POST /v1/mcp` only; protocol 2024-11-05, plain JSON, no session. Some results have no `content`. A key has
//! scopes; a missing one is HTTP 403 without JSON-RPC, or an error -32004. A risky write waits for an approval.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::Record;
use crate::support::certificates::PrivateAuthority;
use crate::support::mcp_server::{Request, matcher};
use crate::support::{Answer, McpServer};

/// The tools, with the scope that each needs.
pub const TOOLS: [(&str, &str); 6] = [
    ("validate_voucher", "vouchers:read"),
    ("list_campaigns", "campaigns:read"),
    ("create_voucher", "vouchers:write"),
    ("create_campaign", "campaigns:write"),
    ("delete_campaign", "campaigns:delete"),
    ("export_customers", "customers:export"),
];

/// Exactly what stands in the answer to `validate_voucher`.
pub const VALID: &str = r#"{"valid":true,"code":"SUMMER","discountValue":20.00}"#;
/// And to `list_campaigns`.
pub const CAMPAIGNS: &str = r#"{"campaigns":[{"id":"cmp_1","budget":1000.50}],"total":1}"#;

/// How an approval stands, for whoever has a good key.
const APPROVAL: &str = "/v1/approvals/apr_1";

/// What is known of a key.
#[derive(Clone)]
struct Key {
    /// None for a secret key, which bypasses them.
    scopes: Option<Vec<&'static str>>,
    expired: bool,
}

/// The running product.
pub struct Vauchflow {
    pub mcp: McpServer,
    keys: Arc<Mutex<HashMap<String, Key>>>,
}

impl Vauchflow {
    pub fn run() -> Self {
        let keys = Arc::<Mutex<HashMap<String, Key>>>::default();
        let known = Arc::clone(&keys);
        let refused = Arc::clone(&keys);
        let mcp = McpServer::legacy()
            .https()
            .path("/v1/mcp")
            .without_sessions()
            .version("2024-11-05")
            .tools(TOOLS.iter().map(|(name, _)| tool(name)).collect())
            .always("initialize", Answer::result(initialized()))
            .always_with("tools/call", |request| std::future::ready(call(&request)))
            .always_with(matcher::when("a missing scope", move |request| lacks(&known, request)), {
                |request| std::future::ready(scope_required(&request))
            })
            .always(matcher::get(), Answer::status(405).header("allow", "POST"))
            .always(matcher::delete(), Answer::status(405).header("allow", "POST"))
            .always(matcher::path(APPROVAL), Answer::json(r#"{"id":"apr_1","status":"approved"}"#))
            .allow(matcher::path(APPROVAL))
            .always_with(
                matcher::when("no good key", {
                    let keys = Arc::clone(&refused);
                    move |request| refusal(&keys, request).is_some()
                }),
                move |request| std::future::ready(refusal(&refused, &request).expect("a refusal")),
            )
            .allow(matcher::id("\"bridge-entry\""))
            // What a command asks of a server that it does not know yet.
            .allow("server/discover")
            .run();
        Self { mcp, keys }
    }

    /// An agent's key, with these scopes.
    pub fn issues_agent_key(&self, scopes: &[&'static str]) -> String {
        self.issue("vf_ak", Some(scopes.to_vec()))
    }

    /// A secret key, which bypasses scopes.
    pub fn issues_secret_key(&self) -> String {
        self.issue("vf_sk", None)
    }

    /// A publishable key, which this endpoint refuses.
    pub fn publishable_key(&self) -> String {
        "vf_pk_canary-shown-to-all".to_owned()
    }

    fn issue(&self, kind: &str, scopes: Option<Vec<&'static str>>) -> String {
        let mut keys = lock(&self.keys);
        let key = format!("{kind}_canary-{}", keys.len() + 1);
        keys.insert(key.clone(), Key { scopes, expired: false });
        key
    }

    /// The `ttlDays` of all keys are over.
    pub fn keys_expire(&self) {
        lock(&self.keys).values_mut().for_each(|key| key.expired = true);
    }

    /// It has no sessions to forget.
    pub fn restarts(&self) {
        self.mcp.stop();
        self.mcp.start();
    }

    /// The next call of this tool is one too many, and may be repeated after a second.
    pub fn limits_the_rate_of(&self, tool: &str) {
        let body = json!({"error": {"code": "rate_limited", "message": "Too many requests"}});
        let answer = Answer::json(body.to_string()).with_status(429).retry_after(1);
        self.mcp.once(matcher::tool(tool), answer);
    }

    pub fn url(&self) -> String {
        self.mcp.url()
    }

    pub fn authority(&self) -> &PrivateAuthority {
        self.mcp.authority()
    }

    pub fn record(&self) -> Record {
        Record::of_mcp(&self.mcp)
    }
}

fn lock(keys: &Mutex<HashMap<String, Key>>) -> MutexGuard<'_, HashMap<String, Key>> {
    keys.lock().unwrap_or_else(PoisonError::into_inner)
}

fn initialized() -> Value {
    json!({
        "protocolVersion": "2024-11-05",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "vauchflow", "version": "1.9.2"},
    })
}

fn tool(name: &str) -> Value {
    json!({"name": name, "description": name.replace('_', " "), "inputSchema": {"type": "object"}})
}

/// Why a request is refused whatever it asks.
fn refusal(keys: &Mutex<HashMap<String, Key>>, request: &Request) -> Option<Answer> {
    let key = request.header("x-api-key").unwrap_or_default();
    if key.starts_with("vf_pk_") {
        return Some(envelope(403, "key_type_not_allowed", "Publishable keys can't be used here"));
    }
    match lock(keys).get(key) {
        None => Some(envelope(401, "invalid_key", "This API key is not known")),
        Some(Key { expired: true, .. }) => {
            Some(envelope(401, "key_expired", "This API key has expired"))
        }
        Some(_) => None,
    }
}

fn scope_of(tool: &str) -> Option<&'static str> {
    TOOLS.iter().find(|(name, _)| *name == tool).map(|(_, scope)| *scope)
}

fn lacks(keys: &Mutex<HashMap<String, Key>>, request: &Request) -> bool {
    let Some(scope) = request.tool().as_deref().and_then(scope_of) else { return false };
    let key = request.header("x-api-key").unwrap_or_default();
    let scopes = lock(keys).get(key).and_then(|key| key.scopes.clone());
    scopes.is_some_and(|scopes| !scopes.contains(&scope))
}

/// Its gateway knows of most tools; the others find out themselves.
fn scope_required(request: &Request) -> Answer {
    let tool = request.tool().unwrap_or_default();
    let scope = scope_of(&tool).unwrap_or_default();
    let message = format!("This key lacks the scope {scope}");
    if tool == "export_customers" {
        return Answer::error(-32004, &message).not_executed();
    }
    envelope(403, "scope_required", &message)
}

fn envelope(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"error": {"code": code, "message": message, "meta": {}}});
    Answer::json(body.to_string()).with_status(status)
}

fn call(request: &Request) -> Answer {
    match request.tool().unwrap_or_default().as_str() {
        "validate_voucher" => exactly(VALID),
        "list_campaigns" => exactly(CAMPAIGNS),
        "create_voucher" => said(&json!({"id": "vch_1", "status": "created"})),
        "create_campaign" | "delete_campaign" => said(&json!({
            "status": "pending_approval",
            "approval_id": "apr_1",
            "poll_url": "https://api.vauchflow.example/v1/approvals/apr_1",
        })),
        "export_customers" => said(&json!({"rows": 3})),
        _ => Answer::error(-32601, "Method not found"),
    }
}

fn said(value: &Value) -> Answer {
    let content = json!([{"type": "text", "text": value.to_string()}]);
    Answer::result(json!({"content": content, "isError": false}))
}

/// A result in these very bytes.
fn exactly(result: &'static str) -> Answer {
    Answer::response(move |request| {
        let id = request.rpc_id().unwrap_or("null");
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
    })
}
