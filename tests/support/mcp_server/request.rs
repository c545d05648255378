//! What the server received, as it came.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Instant;

use hyper::body::Bytes;
use hyper::{HeaderMap, Method, Version};
use serde_json::Value;
use serde_json::value::RawValue;

/// One HTTP request, recorded before anybody judged it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Counts from 0, in the order of arrival over all connections.
    pub order: usize,
    pub at: Instant,
    /// Counts from 1, in the order in which they were accepted.
    pub connection: usize,
    pub version: Version,
    pub method: Method,
    /// With the query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub message: Message,
}

/// The kinds of JSON-RPC message, as far as a body is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Message {
    /// A GET, a DELETE, or a body that is no JSON-RPC message.
    #[default]
    None,
    Request {
        id: String,
        method: String,
    },
    Notification {
        method: String,
    },
    Response {
        id: String,
    },
    Batch,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header that may be repeated.
    pub fn headers_named(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect()
    }

    pub fn session(&self) -> Option<&str> {
        self.header("mcp-session-id")
    }

    pub fn last_event_id(&self) -> Option<&str> {
        self.header("last-event-id")
    }

    /// The method of a JSON-RPC request or notification.
    pub fn rpc_method(&self) -> Option<&str> {
        match &self.message {
            Message::Request { method, .. } | Message::Notification { method } => Some(method),
            _ => None,
        }
    }

    /// The id of a JSON-RPC request or response, spelled as it came.
    pub fn rpc_id(&self) -> Option<&str> {
        match &self.message {
            Message::Request { id, .. } | Message::Response { id } => Some(id),
            _ => None,
        }
    }

    pub fn is_response(&self) -> bool {
        matches!(self.message, Message::Response { .. })
    }

    /// The body as a value; `Null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The parameters; `Null` if there are none.
    pub fn params(&self) -> Value {
        self.json().get("params").cloned().unwrap_or_default()
    }

    /// The name of the tool that a `tools/call` calls.
    pub fn tool(&self) -> Option<String> {
        let called = self.rpc_method() == Some("tools/call");
        called.then(|| self.params()["name"].as_str().map(str::to_owned)).flatten()
    }

    /// In one line, for a timeline.
    pub fn summary(&self) -> String {
        let session = self.session().map(|id| format!(" session={id}")).unwrap_or_default();
        let last = self.last_event_id().map(|id| format!(" last-event-id={id}"));
        let last = last.unwrap_or_default();
        let body = String::from_utf8_lossy(&self.body);
        let Self { order, connection, method, path, .. } = self;
        format!("#{order} on connection {connection}: {method} {path}{session}{last} {body}")
    }
}

impl Message {
    /// Reads the envelope only, so that odd but valid contents (numbers out of range, lone
    /// surrogates, repeated keys) do not matter.
    pub fn read(body: &[u8]) -> Self {
        if body.trim_ascii_start().starts_with(b"[") {
            return Self::Batch;
        }
        let fields: HashMap<Cow<'_, str>, &RawValue> =
            serde_json::from_slice(body).unwrap_or_default();
        let raw = |name: &str| fields.get(name).map(|value| value.get());
        let text = |name: &str| raw(name).and_then(|raw| serde_json::from_str(raw).ok());
        let id = raw("id").map(str::to_owned);
        match (id, text("method")) {
            (Some(id), Some(method)) => Self::Request { id, method },
            (None, Some(method)) => Self::Notification { method },
            (Some(id), None) if fields.contains_key("result") || fields.contains_key("error") => {
                Self::Response { id }
            }
            _ => Self::None,
        }
    }
}
