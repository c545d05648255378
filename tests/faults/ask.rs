//! A message of the client, as the server reads it.

use serde_json::{Value, json};

use super::wire::Head;

/// One POST.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The JSON-RPC id; `null` for a notification.
    pub id: Value,
    pub method: String,
    /// What the call is known by in the books; only the calls of the run have one, and only they meet
    /// faults of the schedule.
    pub key: Option<u64>,
    tool: Option<String>,
    pub session: Option<String>,
    pub has_version: bool,
}

impl Ask {
    /// Reads a request; `None` if it is no JSON-RPC.
    pub fn read(head: &Head, body: &[u8]) -> Option<Self> {
        let message: Value = serde_json::from_slice(body).ok()?;
        let params = &message["params"];
        let uri_key = || params["uri"].as_str()?.strip_prefix("fault:")?.parse().ok();
        let key = params["arguments"]["key"].as_u64().or_else(|| params["_meta"]["key"].as_u64());
        Some(Self {
            id: message["id"].clone(),
            method: message["method"].as_str()?.to_owned(),
            key: key.or_else(uri_key),
            tool: params["name"].as_str().map(str::to_owned),
            session: head.header("mcp-session-id").map(str::to_owned),
            has_version: head.header("mcp-protocol-version").is_some(),
        })
    }

    /// The response that it asks for.
    pub fn answer(&self) -> String {
        let result = match &*self.method {
            "tools/list" => json!({ "tools": tools() }),
            "resources/read" => {
                let uri = format!("fault:{}", self.key.unwrap_or_default());
                json!({ "contents": [{ "uri": uri, "text": "x" }], "_meta": { "key": self.key } })
            }
            _ => json!({
                "content": [{ "type": "text", "text": format!("{:?} is done", self.tool) }],
                "_meta": { "key": self.key },
            }),
        };
        json!({ "jsonrpc": "2.0", "id": self.id, "result": result }).to_string()
    }

    /// An error of the server's own.
    pub fn error(&self, code: i64, message: &str) -> String {
        let error = json!({ "code": code, "message": message, "data": { "key": self.key } });
        json!({ "jsonrpc": "2.0", "id": self.id, "error": error }).to_string()
    }

    /// The result of `initialize`.
    pub fn hello(&self) -> String {
        let result = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "tools": {}, "resources": {} },
            "serverInfo": { "name": "faults", "version": "1" },
        });
        json!({ "jsonrpc": "2.0", "id": self.id, "result": result }).to_string()
    }
}

/// One tool that must not be executed twice, and one that may be.
fn tools() -> Value {
    json!([
        { "name": "charge", "inputSchema": { "type": "object" } },
        {
            "name": "lookup",
            "inputSchema": { "type": "object" },
            "annotations": { "readOnlyHint": true },
        },
    ])
}
