//! A session that the server lost is opened again, once, and the client does not notice.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::mcp_server::matcher::{get, id, response, tool};
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, Lost, McpServer, Step};

#[test]
fn every_way_to_lose_a_session_is_survived() {
    for how in Lost::ALL {
        let server = McpServer::legacy().run();
        let mut bridge = BridgeProcess::before(&server);
        assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
        server.lose_sessions(how);
        let answer = bridge.call_tool(2, "echo", json!({"text": "b"}));
        assert_eq!(answer["result"], text("b"), "{how:?}");
        assert_eq!(server.sessions(), 2, "{how:?}");
        assert_eq!(server.executions("echo"), 2, "{how:?}");
        bridge.finish();
    }
}

#[test]
fn the_new_session_is_opened_with_the_clients_own_parameters() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(json!({"elicitation": {}, "x-odd": [1, null]}));
    bridge.call(1, "ping", json!({}));
    server.lose_sessions(Lost::NotFound);
    bridge.call(2, "ping", json!({}));
    let [first, second] = &server.requests_of("initialize")[..] else { panic!("two handshakes") };
    assert_eq!(first.params(), second.params());
    assert_eq!(second.session(), None);
    assert_eq!(server.count("notifications/initialized"), 2);
    assert_eq!(
        server.requests_of("ping").last().and_then(|it| it.session()),
        Some("canary-session-2")
    );
    bridge.finish();
}

#[test]
fn requests_that_meet_the_loss_together_share_one_handshake() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.call(0, "ping", json!({}));
    server.lose_sessions(Lost::NotFound);
    for call in 1..=40 {
        bridge.request(call, "tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
    }
    for call in 1..=40 {
        assert_eq!(bridge.expect_response(call)["result"], text("x"));
    }
    assert_eq!((server.sessions(), server.executions("echo")), (2, 40));
    bridge.finish();
}

#[test]
fn subscriptions_and_the_log_level_are_restored() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    for (call, uri) in [(1, "memo:///1"), (2, "memo:///2"), (3, "memo:///3")] {
        bridge.call(call, "resources/subscribe", json!({"uri": uri}));
    }
    bridge.call(4, "resources/unsubscribe", json!({"uri": "memo:///2"}));
    bridge.call(5, "logging/setLevel", json!({"level": "info"}));
    bridge.call(6, "logging/setLevel", json!({"level": "warning"}));
    server.lose_sessions(Lost::NotFound);
    bridge.call(7, "ping", json!({}));
    server.wait_for_nth(3, "logging/setLevel");
    server.wait_for_nth(5, "resources/subscribe");
    bridge.call(8, "ping", json!({}));
    bridge.finish();
    let wanted: BTreeSet<_> = ["memo:///1".to_owned(), "memo:///3".to_owned()].into();
    assert_eq!(server.subscriptions(), wanted);
    assert_eq!(server.log_level().as_deref(), Some("warning"));
}

#[test]
fn the_get_stream_is_opened_in_the_new_session() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    server.wait_for_get_stream();
    server.lose_sessions(Lost::NotFound);
    bridge.call(1, "ping", json!({}));
    server.push(&json!({"jsonrpc": "2.0", "method": "notifications/odd", "params": {"n": 1}}));
    assert_eq!(bridge.expect_method("notifications/odd")["params"], json!({"n": 1}));
    assert_eq!(server.sessions(), 2);
    bridge.finish();
}

#[test]
fn a_loss_that_only_the_get_stream_meets_is_survived() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    server.wait_for_get_stream();
    server.lose_sessions(Lost::NotFound);
    server.wait_for_nth(2, get());
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
    assert_eq!((server.sessions(), server.executions("echo")), (2, 1));
    bridge.finish();
}

#[test]
fn a_session_that_is_lost_again_at_once_ends_the_request_with_the_error() {
    let server = McpServer::legacy()
        .always(tool("echo"), Answer::text("session not found").with_status(404).not_executed())
        .run();
    let mut bridge = BridgeProcess::before(&server);
    let response = bridge.call_tool(1, "echo", json!({}));
    assert!(response["error"]["message"].as_str().expect("an error").contains("404"), "{response}");
    assert_eq!(server.count(tool("echo")), 2);
    assert_eq!(server.sessions(), 2);
    bridge.finish();
}

#[test]
fn a_refused_new_session_ends_the_request_with_its_error() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.call(0, "ping", json!({}));
    server.once("initialize", Answer::error(-32050, "the house is full"));
    server.lose_sessions(Lost::NotFound);
    let response = bridge.call_tool(1, "echo", json!({}));
    assert!(
        response["error"]["message"].as_str().expect("an error").contains("the house is full"),
        "{response}"
    );
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "b"}))["result"], text("b"));
    assert_eq!(server.executions("echo"), 1);
    bridge.finish();
}

#[test]
fn an_error_of_a_tool_that_talks_of_sessions_is_no_loss() {
    let body = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown session: your shopping session expired"}}"#;
    let server = McpServer::legacy().once(tool("echo"), Answer::json(body)).run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {}}));
    assert_eq!(bridge.expect_response_line(1), body);
    assert_eq!((server.sessions(), server.executions("echo")), (1, 1));
    bridge.finish();
}

#[test]
fn a_404_from_a_server_without_sessions_is_no_loss() {
    let server =
        McpServer::legacy().without_sessions().once(tool("echo"), Answer::status(404)).run();
    let mut bridge = BridgeProcess::before(&server);
    assert_eq!(bridge.call_tool(1, "echo", json!({}))["error"]["data"]["status"], 404);
    assert_eq!(server.count("initialize"), 1);
    bridge.finish();
}

#[test]
fn a_request_id_of_the_server_that_comes_again_in_a_new_session_reaches_the_client_as_another() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(json!({"roots": {}}));
    server.ask(1, "roots/list", json!({}));
    let first = bridge.expect_method("roots/list");
    server.lose_sessions(Lost::NotFound);
    bridge.call(7, "ping", json!({}));
    let cancelled = bridge.expect_method("notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], first["id"]);
    server.ask(1, "roots/list", json!({}));
    let second = bridge.expect_method("roots/list");
    assert_ne!(first["id"], second["id"]);
    bridge.respond(first["id"].clone(), json!({"roots": [{"uri": "file:///late"}]}));
    bridge.respond(second["id"].clone(), json!({"roots": []}));
    assert_eq!(server.answer_to(1), json!({"jsonrpc": "2.0", "id": 1, "result": {"roots": []}}));
    let answers = server.requests_of(response());
    assert_eq!(answers.len(), 1, "the late answer is dropped");
    assert_eq!(answers[0].session(), Some("canary-session-2"));
    bridge.finish();
}

#[test]
fn a_stream_that_a_lost_session_ends_is_answered() {
    let server = McpServer::legacy()
        .once(tool("echo"), Answer::stream([Step::comment("working"), Step::End]))
        .run();
    let mut bridge = BridgeProcess::before(&server);
    let response = bridge.call_tool(1, "echo", json!({}));
    assert!(response["error"].is_object(), "{response}");
    bridge.finish();
}

#[test]
fn a_restart_is_survived() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.call(0, "ping", json!({}));
    for round in 1..=5 {
        server.restart();
        // Not a tool call: one that meets the broken connection may be of unknown fate.
        bridge.call(format!("ping {round}"), "ping", json!({}));
        let answer = bridge.call_tool(round, "echo", json!({"text": "up"}));
        assert_eq!(answer["result"], text("up"), "round {round}");
    }
    assert_eq!((server.sessions(), server.executions("echo")), (6, 5));
    bridge.finish();
}

#[test]
fn the_session_is_deleted_at_the_end() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.call(1, "ping", json!({}));
    bridge.finish();
    let last = server.requests().pop().expect("requests");
    assert_eq!((last.method.as_str(), last.session()), ("DELETE", Some("canary-session-1")));
}

#[test]
fn a_refused_get_stream_is_remembered() {
    let server = McpServer::legacy().always(get(), Answer::status(405)).run();
    let mut bridge = BridgeProcess::before(&server);
    server.wait_for(get());
    for call in 1..=5 {
        bridge.call(call, "ping", json!({}));
    }
    bridge.finish();
    assert_eq!(server.count(get()), 1);
    assert_eq!(server.count(id(5)), 1);
}

#[test]
fn a_session_that_is_lost_before_initialized_arrives_is_opened_again() {
    let server = McpServer::legacy().run();
    let lost = Answer::status(404).not_executed();
    server.once("notifications/initialized", lost);
    let mut bridge = BridgeProcess::before(&server);
    for call in 1..=3 {
        let answer = bridge.call_tool(call, "echo", json!({"text": "on"}));
        assert_eq!(answer["result"], text("on"), "call {call}: {answer}");
    }
    assert_eq!((server.sessions(), server.executions("echo")), (2, 3));
    bridge.finish();
}
