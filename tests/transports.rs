//! The older HTTP+SSE transport, and how it is told which one a server speaks.

use serde_json::json;

use crate::support::bridge_process::initialize_params;
use crate::support::mcp_server::matcher::get;
use crate::support::sse_server::SseServer;
use crate::support::{Answer, BridgeProcess, McpServer};

#[test]
fn an_older_server_is_found_by_the_refusal_of_initialize() {
    for status in [400, 404, 405, 406, 411, 415] {
        let server = SseServer::builder().refusing_posts_with(status, "no").run();
        let mut bridge = BridgeProcess::to(server.url()).spawn();
        let hello = bridge.initialize();
        assert_eq!(hello["serverInfo"]["name"], "old", "{status}");
        assert_eq!(bridge.call_tool(1, "x", json!({}))["result"]["content"][0]["text"], "done");
        assert_eq!(
            server.requests()[..3],
            ["POST /sse", "POST /sse", "GET /sse"],
            "asked once more"
        );
        assert_eq!(server.sessions(), 1, "no session was opened in vain");
        bridge.finish();
    }
}

#[test]
fn an_older_server_is_remembered_by_the_next_process() {
    let server = SseServer::builder().run();
    let mut first = BridgeProcess::to(server.url()).spawn();
    first.initialize();
    let mut second = BridgeProcess::to(server.url()).home_of(&first).spawn();
    first.finish();
    let before = server.requests().len();
    second.initialize();
    assert_eq!(server.requests()[before], "GET /sse");
    second.finish();
}

#[test]
fn the_strategy_decides_what_is_tried_first_and_what_at_all() {
    let requests = |strategy: &str| {
        let server = SseServer::builder().run();
        let mut bridge = BridgeProcess::with_args([&server.url(), "--transport", strategy]).spawn();
        let answer = bridge.call("opens", "initialize", initialize_params(json!({})));
        let seen: Vec<String> = server.requests().into_iter().take(2).collect();
        bridge.finish();
        (answer.get("result").is_some(), seen)
    };
    assert_eq!(requests("sse-only").1[0], "GET /sse");
    assert_eq!(requests("sse-first").1[0], "GET /sse");
    let (answered, seen) = requests("http-only");
    assert_eq!((answered, &*seen), (false, &["POST /sse".to_owned(), "POST /sse".to_owned()][..]));
}

#[test]
fn a_newer_server_is_found_when_the_older_transport_is_tried_first() {
    let server = McpServer::legacy().allow(get()).once(get(), Answer::status(405)).run();
    let mut bridge = BridgeProcess::with_args([&server.url(), "--transport", "sse-first"]).spawn();
    assert_eq!(bridge.initialize()["serverInfo"]["name"], "scripted");
    bridge.finish();
}

#[test]
fn where_both_transports_fail_the_first_ones_reason_is_told() {
    let server = SseServer::builder()
        .refusing_posts_with(400, "add the tenant header")
        .without_streams()
        .run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let answer = bridge.call("opens", "initialize", initialize_params(json!({})));
    let message = answer["error"]["message"].as_str().expect("an error");
    assert!(message.contains("HTTP 400") && message.contains("add the tenant header"), "{message}");
    bridge.finish();
}

#[test]
fn an_endpoint_of_another_origin_is_sent_nothing() {
    let other = SseServer::builder().run();
    let named = format!("http://{}/messages?session=1", other.host());
    let server = SseServer::builder().naming(named).run();
    let mut bridge = BridgeProcess::with_args([&server.url(), "--transport", "sse-only"]).spawn();
    let answer = bridge.call("opens", "initialize", initialize_params(json!({})));
    let message = answer["error"]["message"].as_str().expect("an error");
    assert!(message.contains(&server.host()) && message.contains(&other.host()), "{message}");
    assert_eq!(other.requests(), Vec::<String>::new());
    bridge.finish();
}

#[test]
fn a_message_that_is_sent_on_within_the_origin_goes_there() {
    let server = SseServer::builder().naming("/old").moving("/old", 307, "/new?session=1-1").run();
    let mut bridge = BridgeProcess::with_args([&server.url(), "--transport", "sse-only"]).spawn();
    bridge.initialize();
    bridge.call(1, "ping", json!({}));
    bridge.finish();
    // The endpoint itself stays what the stream named.
    assert_eq!(server.requests()[..3], ["GET /sse", "POST /old", "POST /new?session=1-1"]);
}

#[test]
fn what_comes_on_the_stream_keeps_its_order() {
    let server = SseServer::builder().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    bridge.request(7, "tools/call", json!({"name": "x", "arguments": {}}));
    for step in 1..=3 {
        assert_eq!(bridge.expect_message()["params"]["progress"], step);
    }
    assert_eq!(bridge.expect_message()["id"], 7);
    bridge.finish();
}

#[test]
fn a_lost_stream_is_a_lost_session_and_is_opened_again() {
    let server = SseServer::builder().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    bridge.call(1, "ping", json!({}));
    server.cut_streams();
    assert_eq!(bridge.call_tool(2, "x", json!({}))["result"]["content"][0]["text"], "done");
    assert_eq!((server.sessions(), server.executions()), (2, 1));
    bridge.finish();
}

#[test]
fn a_call_whose_stream_is_lost_is_not_sent_again() {
    let server = SseServer::builder().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    bridge.request(1, "tools/call", json!({"name": "never", "arguments": {}}));
    server.wait_for_executions(1);
    server.cut_streams();
    let answer = bridge.expect_response(1);
    let message = answer["error"]["message"].as_str().expect("an error");
    assert!(message.contains("the outcome is unknown"), "{message}");
    server.wait_for_sessions(2);
    assert_eq!(server.executions(), 1);
    bridge.finish();
}
