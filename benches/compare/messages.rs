//! The lines that a client writes, and what is read of an answer.

use serde::Deserialize;
use serde_json::value::RawValue;

pub const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#,
    "\n"
);

pub const INITIALIZED: &str =
    concat!(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "\n");

/// `tools/list`.
pub fn list(id: u64) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/list\"}}\n")
}

/// `tools/call` of a tool of the mock server.
pub fn call(id: u64, tool: &str, arguments: &str) -> String {
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\
         \"params\":{{\"name\":\"{tool}\",\"arguments\":{arguments}}}}}\n"
    )
}

/// The same of a client that opens with no handshake (MCP 2026-07-28).
pub fn modern_call(id: u64, tool: &str, arguments: &str) -> String {
    let meta = concat!(
        r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
        r#""io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"#,
        r#""io.modelcontextprotocol/clientCapabilities":{}}"#
    );
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\
         \"params\":{{\"_meta\":{meta},\"name\":\"{tool}\",\"arguments\":{arguments}}}}}\n"
    )
}

/// The call that most rows count.
pub fn echo(id: u64) -> String {
    call(id, "echo", r#"{"text":"hello"}"#)
}

/// What tells an answer from a notification.
#[derive(Deserialize)]
pub struct Answer<'line> {
    pub id: Option<u64>,
    #[serde(borrow)]
    pub result: Option<&'line RawValue>,
}
