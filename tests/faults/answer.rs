//! What the client is told.

use serde_json::Value;

/// The code of the server's own errors.
pub const OWN_ERROR: i64 = 4_242;

/// One line of the bridge's stdout.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A response to the request with this id.
    Answer(u64, Answer),
    /// A notification, with its `data`.
    Notification(Value),
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A result, with the key that the server put into it.
    Result(Option<u64>),
    /// The server's own error, with its key.
    OwnError(Option<u64>),
    /// An error of the bridge.
    Failure(Failure),
}

/// An error of the bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: i64,
    pub kind: String,
    /// The HTTP status that it tells of.
    pub status: Option<u64>,
    /// Whether it says that the outcome is unknown.
    pub unknown: bool,
    pub message: String,
}

/// Reads a line.
///
/// # Errors
/// It is nothing that the bridge may write in this run.
pub fn read(line: &str) -> Result<Told, String> {
    let odd = |why: &str| Err(format!("{why}: {line}"));
    let Ok(message) = serde_json::from_str::<Value>(line) else { return odd("no JSON") };
    if message["jsonrpc"] != "2.0" {
        return odd("no JSON-RPC");
    }
    if message["method"].is_string() {
        let is_request = message.get("id").is_some();
        let data = message["params"]["data"].clone();
        return if is_request { odd("nobody asks") } else { Ok(Told::Notification(data)) };
    }
    let Some(id) = message["id"].as_u64() else { return odd("an answer to nobody") };
    match (message.get("result"), message.get("error")) {
        (Some(result), None) => Ok(Told::Answer(id, Answer::Result(key(result)))),
        (None, Some(error)) => Ok(Told::Answer(id, error_answer(error))),
        _ => odd("neither result nor error"),
    }
}

fn key(result: &Value) -> Option<u64> {
    result["_meta"]["key"].as_u64()
}

fn error_answer(error: &Value) -> Answer {
    let code = error["code"].as_i64().unwrap_or_default();
    let data = &error["data"];
    if code == OWN_ERROR {
        return Answer::OwnError(data["key"].as_u64());
    }
    let message = error["message"].as_str().unwrap_or_default().to_owned();
    Answer::Failure(Failure {
        code,
        kind: data["kind"].as_str().unwrap_or_default().to_owned(),
        status: data["status"].as_u64(),
        unknown: message.contains("outcome is unknown"),
        message,
    })
}
