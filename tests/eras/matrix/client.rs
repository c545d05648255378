//! A scripted client of either era, which answers every question.

use serde_json::{Value, json};

use super::Era;
use crate::support::BridgeProcess;

const META: &str = "io.modelcontextprotocol/";

pub struct Client {
    pub era: Era,
    pub bridge: BridgeProcess,
    /// The questions that it was asked: method and parameters.
    pub asked: Vec<(String, Value)>,
    capabilities: Value,
    log_level: Option<&'static str>,
    next_id: u64,
}

impl Client {
    /// A client with these capabilities; a legacy one shakes hands.
    pub fn new(era: Era, capabilities: Value) -> impl FnOnce(BridgeProcess) -> Self {
        move |mut bridge| {
            if era == Era::Legacy {
                let initialized = bridge.initialize_with(capabilities.clone());
                assert_eq!(initialized["protocolVersion"], "2025-11-25");
                assert!(initialized.get("resultType").is_none(), "{initialized}");
            }
            let (asked, next_id) = (Vec::new(), 1);
            Self { era, bridge, asked, capabilities, log_level: None, next_id }
        }
    }

    /// From now on messages of this level and above are wanted.
    pub fn set_log_level(&mut self, level: &'static str) {
        match self.era {
            Era::Legacy => {
                self.call("logging/setLevel", json!({"level": level}));
            }
            Era::Modern => self.log_level = Some(level),
        }
    }

    /// Sends a request; gives its id.
    pub fn send(&mut self, method: &str, mut params: Value) -> u64 {
        if self.era == Era::Modern {
            if params["_meta"].is_null() {
                params["_meta"] = json!({});
            }
            let meta = &mut params["_meta"];
            meta[format!("{META}protocolVersion")] = json!("2026-07-28");
            meta[format!("{META}clientInfo")] = json!({"name": "scripted-client", "version": "1"});
            meta[format!("{META}clientCapabilities")] = self.capabilities.clone();
            if let Some(level) = self.log_level {
                meta[format!("{META}logLevel")] = json!(level);
            }
        }
        let id = self.next_id;
        self.next_id += 1;
        self.bridge.request(id, method, params);
        id
    }

    /// A request, all questions that come with it, and its response.
    #[track_caller]
    pub fn respond(&mut self, method: &str, params: Value) -> Value {
        let mut id = self.send(method, params.clone());
        loop {
            let message = self.bridge.next_message_where("a response or a question", |message| {
                let question = message.get("id").is_some() && message.get("method").is_some();
                question || message["id"] == id
            });
            if message.get("method").is_some() {
                let answer = self.answer(&message);
                self.bridge.respond(message["id"].clone(), answer);
            } else if message["result"]["resultType"] == "input_required" {
                let retry = self.answered(&params, &message["result"]);
                id = self.send(method, retry);
            } else {
                return message;
            }
        }
    }

    /// As `respond`; gives the result of what has to go well.
    #[track_caller]
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let mut response = self.respond(method, params);
        assert!(response["result"].is_object(), "{method}: {response}");
        let result = response["result"].take();
        let modern = ["resultType", "ttlMs", "cacheScope"];
        let left = modern.iter().filter(|name| result.get(**name).is_some());
        assert!(self.era == Era::Modern || left.count() == 0, "{method}: {result}");
        let from = &result["_meta"][format!("{META}serverInfo")];
        assert!(self.era == Era::Modern || from.is_null(), "{method}: {result}");
        result
    }

    #[track_caller]
    pub fn call_tool(&mut self, name: &str, arguments: Value) -> Value {
        self.call("tools/call", json!({"name": name, "arguments": arguments}))
    }

    /// The request once more, with an answer to each question.
    fn answered(&mut self, params: &Value, result: &Value) -> Value {
        let mut retry = params.clone();
        if let Some(state) = result.get("requestState") {
            retry["requestState"] = state.clone();
        }
        for (key, question) in result["inputRequests"].as_object().into_iter().flatten() {
            retry["inputResponses"][key] = self.answer(question);
        }
        retry
    }

    fn answer(&mut self, question: &Value) -> Value {
        let method = question["method"].as_str().expect("a method");
        self.asked.push((method.to_owned(), question["params"].clone()));
        answer_to(method, &question["params"])
    }

    /// Cancels a request.
    pub fn cancel(&mut self, id: u64) {
        self.bridge.notify("notifications/cancelled", json!({"requestId": id}));
    }

    /// Asks to be told what happens to this resource, or to the lists.
    #[track_caller]
    pub fn subscribe(&mut self, resource: Option<&str>) -> Option<u64> {
        if self.era == Era::Legacy {
            if let Some(uri) = resource {
                self.call("resources/subscribe", json!({"uri": uri}));
            }
            return None;
        }
        let wanted = match resource {
            Some(uri) => json!({"resourceSubscriptions": [uri]}),
            None => json!({
                "toolsListChanged": true,
                "promptsListChanged": true,
                "resourcesListChanged": true,
            }),
        };
        let id = self.send("subscriptions/listen", json!({"notifications": wanted}));
        let acknowledged = self.bridge.expect_method("notifications/subscriptions/acknowledged");
        assert_eq!(acknowledged["params"]["notifications"], wanted);
        assert_eq!(acknowledged["params"]["_meta"][format!("{META}subscriptionId")], id);
        Some(id)
    }

    /// The next notification with this method; on a subscription it carries its id.
    #[track_caller]
    pub fn expect(&mut self, method: &str, subscription: Option<u64>) -> Value {
        let mut message = self.bridge.expect_method(method);
        let id = &message["params"]["_meta"][format!("{META}subscriptionId")];
        assert_eq!(*id, json!(subscription), "{message}");
        message["params"].take()
    }
}

/// What the client says to each question.
pub fn answer_to(method: &str, params: &Value) -> Value {
    match method {
        "elicitation/create" if params["mode"] == "url" => json!({"action": "accept"}),
        "elicitation/create" => {
            json!({"action": "accept", "content": {"name": "\u{e9}\u{1f600} \"me\""}})
        }
        "sampling/createMessage" => json!({
            "role": "assistant",
            "model": "m",
            "stopReason": "endTurn",
            "content": {"type": "text", "text": "Paris"},
        }),
        "roots/list" => json!({"roots": [{"uri": "file:///home", "name": "home"}]}),
        _ => panic!("an odd question: {method}"),
    }
}
