//! Questions in the place of results, and retries with their answers.

use serde_json::{Value, json};

use super::{Client, last_message};
use crate::support::ModernServer;
use crate::support::modern_server::questions;

#[test]
fn a_tool_asks_round_after_round_and_hears_each_answer() {
    let server = ModernServer::run();
    let can = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    let mut client = Client::that_can(&server, can);
    let both = questions::at_once([questions::url("u"), questions::roots("r")]);
    let rounds = json!([questions::form("name"), both, {}, questions::sampling("s")]);
    let params = json!({"name": "ask", "arguments": {"rounds": rounds}});
    let given = [
        json!({"name": {"action": "accept", "content": {"name": "me"}}}),
        json!({"u": {"action": "decline"}, "r": {"roots": []}}),
        json!({}),
        json!({"s": {"role": "assistant", "model": "m", "content": {"type": "text", "text": "P"}}}),
    ];
    let mut asked = client.call("tools/call", params.clone())["result"].take();
    for (round, answers) in given.iter().enumerate() {
        assert_eq!(asked["resultType"], "input_required");
        let wanted = rounds[round].clone();
        let questions = asked.get("inputRequests").cloned().unwrap_or_else(|| json!({}));
        assert_eq!(questions, wanted);
        let mut retry = params.clone();
        retry["inputResponses"] = answers.clone();
        retry["requestState"] = asked["requestState"].clone();
        asked = client.call("tools/call", retry)["result"].take();
    }
    assert_eq!(asked["resultType"], "complete");
    let heard: Value = serde_json::from_str(asked["content"][0]["text"].as_str().expect("text"))
        .expect("what was heard");
    assert_eq!(heard, json!(given));
    assert_eq!(server.executions("ask"), 1);
}

#[test]
fn prompts_and_resources_ask_too_and_a_question_need_not_have_a_state() {
    let server = ModernServer::run();
    let mut client = Client::that_can(&server, json!({"elicitation": {}}));
    let answers = json!({"name": {"action": "cancel"}});
    for (method, params) in [
        ("prompts/get", json!({"name": "ask"})),
        ("resources/read", json!({"uri": "memo:///guarded"})),
        (
            "tools/call",
            json!({"name": "ask", "arguments": {"rounds": [questions::form("name")], "stateless": true}}),
        ),
    ] {
        let asked = client.call(method, params.clone())["result"].take();
        assert_eq!(asked["inputRequests"], questions::form("name"));
        assert_eq!(asked.get("requestState").is_none(), method == "tools/call");
        let mut retry = params;
        retry["inputResponses"] = answers.clone();
        if let Some(state) = asked.get("requestState") {
            retry["requestState"] = state.clone();
        }
        assert_eq!(client.call(method, retry)["result"]["resultType"], "complete");
    }
}

#[test]
fn what_a_client_can_not_do_is_not_asked_for() {
    let server = ModernServer::run();
    let mut client = Client::that_can(&server, json!({"elicitation": {}}));
    for (round, missing) in [
        (questions::url("u"), json!({"elicitation": {"url": {}}})),
        (questions::roots("r"), json!({"roots": {}})),
        (questions::sampling("s"), json!({"sampling": {}})),
    ] {
        let error = client.call_tool("ask", json!({"rounds": [round]}))["error"].take();
        assert_eq!(
            (&error["code"], &error["data"]["requiredCapabilities"]),
            (&json!(-32021), &missing)
        );
    }
}

#[test]
fn a_retry_that_differs_is_noted() {
    let server = ModernServer::run();
    let mut client = Client::that_can(&server, json!({"elicitation": {}}));
    let rounds = json!({"rounds": [questions::form("name")]});
    let first = client.body("tools/call", json!({"name": "ask", "arguments": rounds}));
    let asked = last_message(client.post(&first, &[]))["result"].take();
    let mut same_id = first.clone();
    same_id["params"]["requestState"] = asked["requestState"].clone();
    client.post(&same_id, &[]).bytes();
    let mut other = client.body("tools/call", same_id["params"].clone());
    other["params"]["arguments"]["more"] = json!(1);
    client.post(&other, &[]).bytes();
    let mut unknown = client.body("tools/call", same_id["params"].clone());
    unknown["params"]["requestState"] = json!("1|[]|other");
    assert_eq!(last_message(client.post(&unknown, &[]))["error"]["code"], -32602);
    let noted = server.forgive();
    for fault in
        ["a retry under the same id", "a retry with other", "a requestState that was never"]
    {
        assert!(noted.iter().any(|noted| noted.starts_with(fault)), "{fault} in {noted:?}");
    }
    assert_eq!(noted.len(), 3, "{noted:?}");
}
