//! What comes with a call, and what a call comes to.

use serde_json::{Value, json};

use super::{META, asked, asking, bridge, params, server};
use crate::support::mcp_server::matcher::tool;
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, McpServer, Step};

#[test]
fn progress_of_a_call_is_told_by_the_token_of_its_present_attempt() {
    let told = |n: u32| {
        Step::notification("notifications/progress", json!({"progressToken": "one", "progress": n}))
    };
    let steps = [
        told(1),
        Step::ask("q", "roots/list", json!({})),
        Step::await_answer("q"),
        told(2),
        Step::result(text("done")),
    ];
    let server =
        McpServer::legacy().allow("server/discover").once(tool("ask"), Answer::stream(steps)).run();
    let mut bridge = bridge(&server);
    let call = asking(json!({}), json!({"_meta": {"progressToken": "one"}}));
    bridge.request(1, "tools/call", call);
    assert_eq!(bridge.expect_method("notifications/progress")["params"]["progressToken"], "one");
    let (inputs, state) = asked(&bridge.expect_response(1));
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let more = json!({"_meta": {"progressToken": 2}, "inputResponses": {key: {"roots": []}}, "requestState": state});
    bridge.request(2, "tools/call", asking(json!({}), more));
    let progress = bridge.expect_method("notifications/progress")["params"].take();
    assert_eq!((&progress["progressToken"], &progress["progress"]), (&json!(2), &json!(2)));
    bridge.expect_response(2);
    bridge.finish();
}

#[test]
fn log_messages_reach_only_who_asked_for_their_level() {
    let log = |level: &str| {
        Step::notification("notifications/message", json!({"level": level, "data": level}))
    };
    let steps = || Answer::stream([log("debug"), log("error"), Step::result(text("done"))]);
    let server = McpServer::legacy().allow("server/discover").always(tool("echo"), steps()).run();
    let mut bridge = bridge(&server);
    let echo = |meta: Value| params(json!({}), json!({"name": "echo", "_meta": meta}));
    bridge.call(1, "tools/call", echo(json!({})));
    assert_eq!(bridge.unread(), Vec::<String>::new());
    assert_eq!(server.log_level(), None);
    bridge.request(2, "tools/call", echo(json!({format!("{META}/logLevel"): "warning"})));
    assert_eq!(bridge.expect_method("notifications/message")["params"]["level"], "error");
    bridge.expect_response(2);
    assert_eq!(bridge.unread(), Vec::<String>::new());
    assert_eq!(server.log_level().as_deref(), Some("warning"));
    let odd = bridge.call(3, "tools/call", echo(json!({format!("{META}/logLevel"): "loud"})));
    assert_eq!(odd["error"]["code"], -32602);
    bridge.finish();
}

#[test]
fn errors_and_tasks_are_told_in_the_words_of_the_modern_era() {
    let server = McpServer::legacy()
        .allow("server/discover")
        .once("resources/read", Answer::error(-32002, "Resource not found"))
        .run();
    let mut bridge = bridge(&server);
    let answer = bridge.call(1, "resources/read", params(json!({}), json!({"uri": "memo:///9"})));
    assert_eq!(answer["error"], json!({"code": -32602, "message": "Resource not found"}));
    let task = bridge.call(2, "tasks/get", params(json!({}), json!({"taskId": "t"})));
    assert_eq!(task["error"]["code"], -32601);
    assert_eq!(server.count("tasks/get"), 0);
    let hello = bridge.call(3, "initialize", params(json!({}), json!({})));
    assert_eq!(hello["error"]["code"], -32601);
    assert_eq!(server.count("initialize"), 1, "that of the session");
    bridge.finish();
}

#[test]
fn what_a_modern_server_would_refuse_is_refused_before_a_legacy_one_too() {
    let server = server();
    let mut bridge = bridge(&server);
    assert!(bridge.call(1, "tools/list", params(json!({}), json!({})))["result"].is_object());
    let mut refused =
        |id: u32, params: Value| bridge.call(id, "tools/list", params)["error"].take();
    assert_eq!(refused(2, json!({}))["code"], -32602);
    let mut later = params(json!({}), json!({}));
    later["_meta"][format!("{META}/protocolVersion")] = json!("2031-01-01");
    let error = refused(3, later);
    assert_eq!(error["data"], json!({"supported": ["2026-07-28"], "requested": "2031-01-01"}));
    assert_eq!(server.count("tools/list"), 1);
    assert_eq!(bridge.call(4, "ping", params(json!({}), json!({})))["error"]["code"], -32601);
    bridge.finish();
}

#[test]
fn tools_are_filtered_for_a_modern_client_too() {
    let server = server();
    let mut bridge = BridgeProcess::to(server.url()).arg("--read-only").spawn();
    let note = |name: &str| params(json!({}), json!({"name": name, "arguments": {}}));
    let read = bridge.call(1, "tools/call", note("read_note"));
    assert_eq!(read["result"]["content"], text("done")["content"], "{read}");
    let written = bridge.call(2, "tools/call", note("set_note"));
    assert_eq!(written["error"]["data"]["kind"], "blocked", "{written}");
    assert_eq!((server.executions("read_note"), server.executions("set_note")), (1, 0));
    bridge.finish();
}
