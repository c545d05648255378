//! A modern client and a legacy server that does not do what it should, or has enough to do.

use serde_json::{Value, json};

use super::{META, asked, asking, bridge, params, server, tool_got};
use crate::support::Answer;
use crate::support::mcp_server::matcher::response;
use crate::support::mcp_server::text;

#[test]
fn a_log_level_that_is_never_answered_holds_no_call_for_long() {
    let server = server();
    server.always("logging/setLevel", Answer::stall());
    let mut bridge = bridge(&server);
    let level = json!({format!("{META}/logLevel"): "warning"});
    for id in 1..=2 {
        let arguments = json!({"text": "x"});
        let call = json!({"name": "echo", "arguments": arguments, "_meta": level});
        let answer = bridge.call(id, "tools/call", params(json!({}), call));
        assert_eq!(answer["result"]["content"], text("x")["content"], "{answer}");
    }
    assert_eq!(server.count("logging/setLevel"), 1);
    bridge.finish();
}

#[test]
fn a_retry_needs_no_session_but_that_of_its_call() {
    let server = server();
    let mut bridge = bridge(&server);
    let arguments = json!({"method": "roots/list"});
    let by = |number: u32, more: Value| {
        let mut call = asking(arguments.clone(), more);
        let capabilities = json!({"roots": {}, "experimental": {format!("x{number}"): {}}});
        call["_meta"][format!("{META}/clientCapabilities")] = capabilities;
        call
    };
    let held: Vec<_> = (0..4)
        .map(|number| asked(&bridge.call(number, "tools/call", by(number, json!({})))))
        .collect();
    let busy = bridge.call(4, "tools/call", by(4, json!({})));
    assert!(busy["error"]["message"].as_str().unwrap().contains("in use"), "{busy}");
    for (number, (inputs, state)) in (5..).zip(held) {
        let key = inputs.as_object().unwrap().keys().next().unwrap();
        let answers = json!({key: {"roots": []}});
        let more = json!({"inputResponses": answers, "requestState": state});
        let answer = bridge.call(number, "tools/call", by(99, more));
        assert_eq!(tool_got(&answer)["result"], json!({"roots": []}));
    }
    assert_eq!(server.executions("ask"), 4);
    bridge.finish();
}

#[test]
fn where_the_answers_do_not_come_to_the_server_what_became_of_the_call_is_not_known() {
    let server = server();
    let mut bridge = bridge(&server);
    let arguments = json!({"method": "roots/list"});
    let (inputs, state) =
        asked(&bridge.call(1, "tools/call", asking(arguments.clone(), json!({}))));
    server.always(response(), Answer::status(400));
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let answers = json!({key: {"roots": []}});
    let retry = asking(arguments, json!({"inputResponses": answers, "requestState": state}));
    let error = bridge.call(2, "tools/call", retry)["error"].take();
    assert!(error["message"].as_str().unwrap().contains("outcome is unknown"), "{error}");
    bridge.finish();
}
