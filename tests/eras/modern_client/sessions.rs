//! The sessions with the server that the client knows nothing of: opened, shared, lost, ended.

use serde_json::{Value, json};

use super::{META, bridge, params, server};
use crate::support::mcp_server::matcher::delete;
use crate::support::mcp_server::text;
use crate::support::sse_server::SseServer;
use crate::support::{BridgeProcess, Lost, McpServer};

#[test]
fn a_client_of_both_eras_is_told_to_fall_back_and_gets_a_plain_session() {
    let server = server();
    let mut bridge = bridge(&server);
    let answer = bridge.call("d", "server/discover", params(json!({}), json!({})));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    bridge.initialize();
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
    assert_eq!((server.sessions(), server.count("server/discover")), (1, 1));
    bridge.finish();
}

#[test]
fn a_client_that_goes_on_gets_a_session_that_it_does_not_see() {
    let server = server();
    let mut bridge = bridge(&server);
    let list = bridge.call(1, "tools/list", params(json!({}), json!({})))["result"].take();
    assert_eq!(list["resultType"], "complete");
    assert_eq!((&list["ttlMs"], &list["cacheScope"]), (&json!(0), &json!("private")));
    assert_eq!(list["_meta"][format!("{META}/serverInfo")]["name"], "scripted");
    assert_eq!(list["tools"][0]["name"], "echo");
    let call = params(json!({}), json!({"name": "echo", "arguments": {"text": "hi"}}));
    let result = bridge.call(2, "tools/call", call)["result"].take();
    assert_eq!(result["content"], text("hi")["content"]);
    assert!(result.get("ttlMs").is_none(), "{result}");
    let sent = &server.requests_of("tools/call")[0];
    assert_eq!(sent.params(), json!({"name": "echo", "arguments": {"text": "hi"}}));
    assert_eq!(sent.session(), Some("canary-session-1"));
    let hello = &server.requests_of("initialize")[0].params();
    assert_eq!(hello["clientInfo"], json!({"name": "modern", "version": "9"}));
    assert_eq!(hello["protocolVersion"], "2025-11-25");
    assert_eq!(server.count("server/discover"), 1);
    bridge.finish();
    server.wait_for(delete());
}

#[test]
fn a_discovery_of_a_client_that_went_on_is_answered_from_the_handshake() {
    let server = server();
    let mut bridge = bridge(&server);
    bridge.call(1, "tools/list", params(json!({}), json!({})));
    let found = bridge.call(2, "server/discover", params(json!({}), json!({})))["result"].take();
    assert_eq!(found["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(found["capabilities"]["tools"], json!({"listChanged": true}));
    assert_eq!(found["instructions"], "Anything goes.");
    assert_eq!((&found["ttlMs"], &found["cacheScope"]), (&json!(0), &json!("private")));
    bridge.finish();
}

#[test]
fn a_client_that_is_said_to_be_modern_is_answered_at_once() {
    let server = server();
    let mut bridge = BridgeProcess::to(server.url()).args(["--client-protocol", "modern"]).spawn();
    let found = bridge.call(1, "server/discover", params(json!({}), json!({})))["result"].take();
    assert_eq!(found["resultType"], "complete");
    assert_eq!(server.sessions(), 1);
    bridge.finish();
}

#[test]
fn requests_that_come_together_share_a_handshake_and_other_capabilities_have_their_own() {
    let server = server();
    let mut bridge = bridge(&server);
    for id in 0..20 {
        let capabilities = if id % 2 == 0 { json!({}) } else { json!({"roots": {}}) };
        let call = params(capabilities, json!({"name": "echo", "arguments": {"text": "x"}}));
        bridge.request(id, "tools/call", call);
    }
    for id in 0..20 {
        assert_eq!(bridge.expect_response(id)["result"]["content"], text("x")["content"]);
    }
    assert_eq!((server.sessions(), server.executions("echo")), (2, 20));
    assert_eq!(server.count("server/discover"), 1);
    let declared: Vec<Value> = server
        .requests_of("initialize")
        .iter()
        .map(|it| it.params()["capabilities"].clone())
        .collect();
    assert!(declared.contains(&json!({})) && declared.contains(&json!({"roots": {}})));
    bridge.finish();
}

#[test]
fn the_session_not_used_for_longest_ends_for_a_fifth() {
    let server = server();
    let mut bridge = bridge(&server);
    for number in 0..5 {
        let capabilities = json!({"experimental": {format!("x{number}"): {}}});
        bridge.call(number, "tools/list", params(capabilities, json!({})));
    }
    assert_eq!(server.wait_for(delete()).session(), Some("canary-session-1"));
    assert_eq!((server.sessions(), server.count(delete())), (5, 1));
    bridge.finish();
}

#[test]
fn a_lost_session_is_opened_again_and_nobody_notices() {
    for how in Lost::ALL {
        let server = server();
        let mut bridge = bridge(&server);
        let echo = || params(json!({}), json!({"name": "echo", "arguments": {"text": "a"}}));
        bridge.call(1, "tools/call", echo());
        server.lose_sessions(how);
        let answer = bridge.call(2, "tools/call", echo());
        assert_eq!(answer["result"]["content"], text("a")["content"], "{how:?}: {answer}");
        assert_eq!((server.sessions(), server.executions("echo")), (2, 2), "{how:?}");
        bridge.finish();
    }
}

#[test]
fn a_server_of_the_older_transport_is_worked_with_too() {
    let server = SseServer::builder().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let echo = || params(json!({}), json!({"name": "echo", "arguments": {}}));
    let answer = bridge.call(1, "tools/call", echo());
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    server.cut_streams();
    let answer = bridge.call(2, "tools/call", echo());
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    assert_eq!((server.sessions(), server.executions()), (2, 2));
    bridge.finish();
}

#[test]
fn a_server_that_is_down_at_first_is_found_when_it_is_up() {
    let server = McpServer::legacy().allow("server/discover").run_stopped();
    let mut bridge = bridge(&server);
    let echo = || params(json!({}), json!({"name": "echo", "arguments": {"text": "hi"}}));
    let failed = bridge.call(1, "tools/call", echo());
    assert_eq!(failed["error"]["data"]["kind"], "unreachable", "{failed}");
    server.start();
    assert_eq!(bridge.call(2, "tools/call", echo())["result"]["content"], text("hi")["content"]);
    bridge.finish();
}
