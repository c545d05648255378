//! A modern client and a legacy server: what no client asks for, a session, is there all the same.

mod calls;
mod misfortune;
mod questions;
mod sessions;
#[cfg(unix)]
mod sign_in;
mod subscriptions;

use serde_json::{Value, json};

use crate::support::{BridgeProcess, McpServer};

const META: &str = "io.modelcontextprotocol";

/// Parameters with what a modern client says of itself.
fn params(capabilities: Value, params: Value) -> Value {
    let mut params = params;
    let meta = json!({
        format!("{META}/protocolVersion"): "2026-07-28",
        format!("{META}/clientInfo"): {"name": "modern", "version": "9"},
        format!("{META}/clientCapabilities"): capabilities,
    });
    let own = params["_meta"].as_object().cloned().unwrap_or_default();
    let mut meta = meta.as_object().unwrap().clone();
    meta.extend(own);
    params["_meta"] = Value::Object(meta);
    params
}

fn everything() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}})
}

fn asking(arguments: Value, more: Value) -> Value {
    let mut call = json!({"name": "ask", "arguments": arguments});
    call.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    params(everything(), call)
}

fn server() -> McpServer {
    McpServer::legacy().allow("server/discover").run()
}

fn bridge(server: &McpServer) -> BridgeProcess {
    BridgeProcess::to(server.url()).spawn()
}

/// The questions of an answer, and the state that goes with them.
#[track_caller]
fn asked(answer: &Value) -> (Value, Value) {
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    (answer["result"]["inputRequests"].clone(), answer["result"]["requestState"].clone())
}

/// What the tool `ask` got as the answer to its question.
#[track_caller]
fn tool_got(answer: &Value) -> Value {
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    let text = answer["result"]["content"][0]["text"].as_str().expect("a text");
    serde_json::from_str(text).expect("JSON")
}
