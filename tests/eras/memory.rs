//! What was remembered of a server that has become another: nobody gets its refusal, and nothing is done twice.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, DEADLINE, ModernServer, modern_server};

/// Parameters of a modern client.
fn modern(params: Value) -> Value {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

fn echo() -> Value {
    json!({"name": "echo", "arguments": {"text": "hi"}})
}

/// A server that was modern and is a legacy one now, and a process that remembers what it was.
fn once_modern(server: modern_server::Builder) -> (BridgeProcess, ModernServer) {
    let server = server.run();
    let mut first = BridgeProcess::to(server.url()).spawn();
    first.call(1, "server/discover", modern(json!({})));
    first.call(2, "tools/list", modern(json!({})));
    wait_until_remembered(&first, "modern yes");
    let second = BridgeProcess::to(server.url()).home_of(&first);
    first.finish();
    server.turn_legacy();
    for method in ["server/discover", "tools/list", "tools/call", "subscriptions/listen"] {
        server.allow(method);
    }
    (second.spawn(), server)
}

/// A server that was a legacy one and is modern now, and a process that remembers what it was to a client that
/// did this.
fn once_legacy(
    play: impl FnOnce(&mut BridgeProcess),
    fact: &str,
    refusal: Answer,
) -> (BridgeProcess, ModernServer) {
    let server = ModernServer::builder()
        .legacy_at_first()
        .server(|server| server.with_sessions().allow("server/discover"))
        .answers_initialize(refusal)
        .run();
    let mut first = BridgeProcess::to(server.url()).spawn();
    play(&mut first);
    wait_until_remembered(&first, fact);
    let second = BridgeProcess::to(server.url()).home_of(&first);
    first.finish();
    server.turn_modern();
    (second.spawn(), server)
}

fn with_sessions() -> modern_server::Builder {
    ModernServer::builder().server(|server| server.with_sessions())
}

/// Waits until a process has written down what it learnt.
fn wait_until_remembered(bridge: &BridgeProcess, fact: &str) {
    let folder = bridge.home().join("xdg/cache_home/mcp-bridge/servers");
    let since = Instant::now();
    loop {
        let files = std::fs::read_dir(&folder).into_iter().flatten();
        let mut texts = files.filter_map(|file| std::fs::read_to_string(file.ok()?.path()).ok());
        if texts.any(|text| text.contains(fact)) {
            return;
        }
        assert!(since.elapsed() < DEADLINE, "`{fact}` is not remembered");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn refusals() -> [Answer; 3] {
    let supported = json!({"supported": ["2026-07-28"], "requested": "2025-11-25"});
    [
        Answer::error_with(-32022, "Unsupported protocol version", &supported).with_status(400),
        Answer::error(-32601, "Method not found").with_status(404),
        Answer::status(405),
    ]
}

#[test]
fn a_request_that_finds_a_legacy_server_in_place_of_a_modern_one_is_sent_in_a_session() {
    let (mut second, server) = once_modern(with_sessions());
    let answer = second.call(1, "tools/call", modern(echo()));
    assert_eq!(answer["result"]["content"], text("hi")["content"], "{answer}");
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!((server.executions("echo"), server.sessions()), (1, 1));
    let list = second.call(2, "tools/list", modern(json!({})));
    assert_eq!(list["result"]["resultType"], "complete", "{list}");
    second.finish();
}

#[test]
fn a_discovery_that_finds_a_legacy_server_in_place_of_a_modern_one_tells_to_fall_back() {
    let (mut second, server) = once_modern(with_sessions());
    let answer = second.call(1, "server/discover", modern(json!({})));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    second.initialize();
    assert_eq!(second.call_tool(2, "echo", json!({"text": "hi"}))["result"], text("hi"));
    assert_eq!(server.sessions(), 1);
    second.finish();
}

#[test]
fn a_subscription_that_finds_a_legacy_server_in_place_of_a_modern_one_stands_all_the_same() {
    let (mut second, server) = once_modern(with_sessions());
    let filter = json!({"notifications": {"toolsListChanged": true}});
    second.request(1, "subscriptions/listen", modern(filter));
    second.expect_method("notifications/subscriptions/acknowledged");
    server.push(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    second.expect_method("notifications/tools/list_changed");
    second.finish();
}

#[test]
fn a_call_that_a_server_without_sessions_may_have_carried_out_is_not_sent_again() {
    for status in [200, 400] {
        let (mut second, server) = once_modern(ModernServer::builder());
        let failed = Answer::error(-32603, "it broke down").with_status(status).executed();
        server.once("tools/call", failed);
        let answer = second.call(1, "tools/call", modern(echo()));
        assert_eq!(answer["error"]["message"], "it broke down", "{status}: {answer}");
        assert_eq!(server.executions("echo"), 1);
        let answer = second.call(2, "tools/call", modern(echo()));
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        assert_eq!(server.executions("echo"), 2);
        second.finish();
    }
}

#[test]
fn a_request_that_finds_a_modern_server_in_place_of_a_legacy_one_is_sent_without_a_session() {
    for refusal in refusals() {
        let went_on = |bridge: &mut BridgeProcess| {
            bridge.call(1, "tools/list", modern(json!({})));
        };
        let (mut second, server) = once_legacy(went_on, "legacy session", refusal);
        let answer = second.call(1, "tools/call", modern(echo()));
        assert_eq!(answer["result"]["content"], text("hi")["content"], "{answer}");
        assert_eq!(server.executions("echo"), 1);
        second.finish();
    }
}

#[test]
fn a_client_that_is_told_to_fall_back_from_memory_gets_a_modern_server_all_the_same() {
    for refusal in refusals() {
        // No session was opened, so that the only memory is that it is not modern.
        let asked = |bridge: &mut BridgeProcess| {
            let answer = bridge.call(1, "server/discover", modern(json!({})));
            assert_eq!(answer["error"]["code"], -32601);
        };
        let (mut second, server) = once_legacy(asked, "modern no", refusal);
        let answer = second.call(1, "server/discover", modern(json!({})));
        assert_eq!(answer["error"]["code"], -32601, "{answer}");
        second.initialize();
        let answer = second.call_tool(2, "echo", json!({"text": "hi"}));
        assert_eq!(answer["result"], text("hi"), "{answer}");
        assert_eq!(server.executions("echo"), 1);
        second.finish();
    }
}

#[test]
fn a_legacy_client_gets_a_modern_server_in_place_of_a_legacy_one() {
    for refusal in refusals() {
        let opened = |bridge: &mut BridgeProcess| drop(bridge.initialize());
        let (mut second, server) = once_legacy(opened, "legacy session", refusal);
        second.initialize();
        let answer = second.call_tool(1, "echo", json!({"text": "hi"}));
        assert_eq!(answer["result"], text("hi"), "{answer}");
        assert_eq!(server.executions("echo"), 1);
        second.finish();
    }
}

#[test]
fn an_address_with_nothing_at_it_says_nothing_of_the_server_that_comes_there() {
    let server = ModernServer::run();
    server.once("server/discover", Answer::status(404));
    let mut first = BridgeProcess::to(server.url()).spawn();
    let answer = first.call(1, "server/discover", modern(json!({})));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    first.close_stdin();
    first.wait_exit();
    server.forgive();
    let mut second = BridgeProcess::to(server.url()).home_of(&first).spawn();
    let answer = second.call(1, "server/discover", modern(json!({})));
    assert!(answer["result"]["supportedVersions"].is_array(), "{answer}");
    second.finish();
}
