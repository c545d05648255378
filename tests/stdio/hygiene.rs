//! stdout carries messages only, stderr nothing when all is well.

use serde_json::json;

use super::{assert_goes_on_and_ends_well, goes_on_and_ends, session};
use crate::support::mcp_server::matcher::{delete, get};
use crate::support::{Answer, Step};

const ASK: &str = r#"{"jsonrpc":"2.0","id":7,"method":"acme/do"}"#;

/// Data of events that are no messages.
const GARBAGE: [&str; 20] = [
    "hello",
    "{",
    "}",
    "[",
    "[[]]",
    "42",
    "null",
    "\"text\"",
    "{}",
    "{\"jsonrpc\":\"2.0\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":99}",
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}",
    "{\"jsonrpc\":\"2.0\",\"method\":7}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"x\"} trailing",
    "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}{\"jsonrpc\":\"2.0\",\"method\":\"y\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":98,\"result\":{}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":[\"\t\"]}",
    "[DONE]",
    "{\"jsonrpc\":\"2.0\",\"id\":97,\"error\":{\"code\":1,\"message\":\"x\"}}",
];

#[test]
fn garbage_on_a_posts_stream_is_passed_over() {
    let (server, mut bridge) = session(&[]);
    bridge.allow_invalid();
    let steps = GARBAGE.iter().map(|data| Step::event(*data));
    server.once("acme/do", Answer::stream(steps.chain([Step::result(json!("real"))])));
    bridge.send(ASK);
    assert_eq!(bridge.expect_line(), r#"{"jsonrpc":"2.0","id":7,"result":"real"}"#);
    goes_on_and_ends(bridge);
}

#[test]
fn garbage_on_the_get_stream_is_passed_over() {
    let (server, mut bridge) = session(&[]);
    for data in GARBAGE {
        server.push_raw(data);
    }
    let news = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    server.push_raw(news);
    assert_eq!(bridge.expect_line(), news);
    assert_eq!(server.count(get()), 1);
    goes_on_and_ends(bridge);
}

#[test]
fn a_broken_message_of_the_server_is_no_answer_to_the_request_with_its_id() {
    let (server, mut bridge) = session(&[]);
    bridge.allow_invalid();
    let broken = r#"{"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{]}"#;
    server.once("acme/do", Answer::stream([Step::event(broken), Step::result(json!("real"))]));
    bridge.send(ASK);
    assert_eq!(bridge.expect_line(), r#"{"jsonrpc":"2.0","id":7,"result":"real"}"#);
    goes_on_and_ends(bridge);
}

#[test]
fn a_broken_answer_is_an_error_at_once() {
    let (server, mut bridge) = session(&[]);
    for broken in [
        r#"{"jsonrpc":"2.0","id":7,"result":{"a":}}"#,
        r#"{"result":{"a":nul},"jsonrpc":"2.0","id":7}"#,
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\u{1}\"}",
    ] {
        server.once("acme/do", Answer::stream([Step::event(broken), Step::Never]));
        bridge.send(ASK);
        let error = bridge.expect_response(7);
        assert_eq!(error["error"]["data"]["kind"], "bad_answer", "{error}");
    }
    goes_on_and_ends(bridge);
}

#[test]
fn text_that_is_not_utf_8_never_reaches_stdout() {
    let (server, mut bridge) = session(&[]);
    let broken = b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\xff\xfe\"}";
    let event = [b"data: ".as_slice(), broken, b"\n\n"].concat();
    let news = b"data: {\"jsonrpc\":\"2.0\",\"method\":\"\xc3\"}\n\n".to_vec();
    for answer in
        [Answer::json(broken.to_vec()), Answer::pieces("text/event-stream", [Step::bytes(event)])]
    {
        server.once("acme/do", answer);
        bridge.send(ASK);
        let error = bridge.expect_response(7);
        assert_eq!(error["error"]["data"]["kind"], "bad_answer", "{error}");
    }
    // What is not the answer is left out, and the answer still comes.
    let result = json!({"content": []});
    let steps = [Step::bytes(news), Step::result(result.clone())];
    server.once("acme/do", Answer::pieces("text/event-stream", steps));
    bridge.send(ASK);
    assert_eq!(bridge.expect_response(7)["result"], result);
    goes_on_and_ends(bridge);
}

#[test]
fn an_error_of_another_api_is_no_message_but_gives_its_words() {
    let (server, mut bridge) = session(&[]);
    for body in [
        r#"{"error":"invalid_token"}"#,
        r#"{"error":{"code":"invalid_token","message":"invalid_token"}}"#,
        r#"{"error":{"message":"invalid_token"},"status":"x"}"#,
    ] {
        server.once("acme/do", Answer::json(body));
        bridge.send(ASK);
        // The fixture checks that what comes says `jsonrpc`; a strict client waits for ever otherwise.
        let error = bridge.expect_response(7);
        assert_eq!(error["error"]["data"]["kind"], "bad_answer", "{error}");
        assert!(
            error["error"]["message"].as_str().expect("text").contains("invalid_token"),
            "{error}"
        );
    }
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn stderr_is_silent_through_a_session_with_a_bit_of_everything() {
    let (server, mut bridge) = session(&[]);
    for method in
        ["ping", "tools/list", "resources/list", "prompts/list", "resources/templates/list"]
    {
        assert!(bridge.call(method, method, json!({}))["result"].is_object());
    }
    assert!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"].is_object());
    bridge.request(
        2,
        "tools/call",
        json!({"name": "ask", "arguments": {"method": "roots/list", "params": {}}}),
    );
    let question = bridge.expect_method("roots/list");
    bridge.respond(question["id"].clone(), json!({"roots": []}));
    assert!(bridge.expect_response(2)["result"].is_object());
    server.push_raw(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#);
    bridge.expect_method("notifications/tools/list_changed");
    assert_eq!(bridge.call(3, "acme/unknown", json!({}))["error"]["code"], -32601);
    server.once("acme/do", Answer::stall());
    bridge.send(r#"{"jsonrpc":"2.0","id":4,"method":"acme/do"}"#);
    server.wait_for("acme/do");
    bridge.notify("notifications/cancelled", json!({"requestId": 4}));
    server.wait_until_abandoned("acme/do");
    bridge.send("no JSON");
    assert_eq!(bridge.expect_message()["error"]["code"], -32700);
    assert_goes_on_and_ends_well_and_deletes(bridge, &server);
}

fn assert_goes_on_and_ends_well_and_deletes(
    bridge: crate::support::BridgeProcess,
    server: &crate::support::McpServer,
) {
    assert_goes_on_and_ends_well(bridge);
    assert_eq!(server.count(delete()), 1);
}

#[test]
fn the_version_and_the_help_are_no_session() {
    for flag in ["--version", "--help"] {
        let mut bridge = crate::support::BridgeProcess::with_args([flag]).unchecked().spawn();
        assert!(bridge.wait_exit().success());
        bridge.assert_stderr_empty();
    }
}
