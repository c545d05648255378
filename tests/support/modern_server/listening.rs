//! `subscriptions/listen`: a stream of changes, which a test commands.

use std::sync::Arc;

use serde_json::{Value, json};

use super::builder::Quirk;
use super::conduct::{Modern, complete, meta};
use crate::support::mcp_server::Answer;
use crate::support::mcp_server::request::Request;
use crate::support::mcp_server::stream_log::{StreamLog, What};

/// One stream that was acknowledged.
#[derive(Clone)]
pub struct Listen {
    /// Of the request, as it came.
    pub id: Value,
    /// What it asked for.
    pub asked: Value,
    /// What was granted.
    pub granted: Value,
    log: Arc<StreamLog>,
}

/// Which member of the filter a notification belongs to.
const KINDS: [(&str, &str); 4] = [
    ("notifications/tools/list_changed", "toolsListChanged"),
    ("notifications/prompts/list_changed", "promptsListChanged"),
    ("notifications/resources/list_changed", "resourcesListChanged"),
    ("notifications/resources/updated", "resourceSubscriptions"),
];

/// Opens a stream and acknowledges it.
pub fn listen(modern: &Modern, request: &Request) -> Answer {
    let asked = request.params()["notifications"].clone();
    let mut granted = asked.clone();
    if let (true, Some(granted)) = (modern.has(Quirk::KeepsResourcesQuiet), granted.as_object_mut())
    {
        granted.remove("resourceSubscriptions");
    }
    let id = request.json()["id"].clone();
    let listen = Listen { id, asked, granted, log: Arc::default() };
    let params = json!({"notifications": listen.granted});
    listen.tell("notifications/subscriptions/acknowledged", params);
    modern.shared.update(|shared| shared.listens.push(listen.clone()));
    Answer::fed(listen.log).header("x-accel-buffering", "no")
}

impl Listen {
    /// A notification on this stream, with its id.
    pub fn tell(&self, method: &str, mut params: Value) {
        params["_meta"][meta::SUBSCRIPTION] = self.id.clone();
        self.push(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Any message on this stream, as it is.
    pub fn push(&self, message: &Value) {
        self.log.push(None, What::Bytes(format!("data: {message}\n\n").into()));
    }

    pub(super) fn tell_if_asked(&self, method: &str, params: &Value) {
        let kind = KINDS.iter().find(|(known, _)| *known == method).map(|(_, kind)| *kind);
        let of = params["uri"].as_str().or(kind).unwrap_or_default();
        if self.is_open() && self.has(of) {
            self.tell(method, params.clone());
        }
    }

    /// Whether it was granted a member of the filter, or a resource.
    pub fn has(&self, of: &str) -> bool {
        let resources = self.granted["resourceSubscriptions"].as_array();
        let resource = resources.is_some_and(|all| all.iter().any(|uri| uri == of));
        resource || self.granted[of] == true
    }

    /// Whether neither side has ended it.
    pub fn is_open(&self) -> bool {
        !self.log.is_over()
    }

    /// Resets the connection.
    pub fn break_off(&self) {
        self.log.push(None, What::Cut);
    }

    /// Ends the stream without a word.
    pub fn hang_up(&self) {
        self.log.finish();
    }

    /// Ends the subscription in good form: with the response to the request.
    pub fn end(&self) {
        let result = complete(json!({"_meta": {meta::SUBSCRIPTION: self.id}}));
        self.push(&json!({"jsonrpc": "2.0", "id": self.id, "result": result}));
        self.log.finish();
    }

    /// Ends the subscription with `notifications/cancelled`, as the page on cancellation has it.
    pub fn cancel(&self) {
        self.tell("notifications/cancelled", json!({"requestId": self.id}));
        self.log.finish();
    }
}
