//! Which era a server is of, found out by the client's own first message, and what is remembered of it.

use serde_json::{Value, json};

use crate::support::bridge_process::initialize_params;
use crate::support::mcp_server::{Lost, text};
use crate::support::modern_server::{Quirk, REVISION, questions};
use crate::support::{Answer, BridgeProcess, McpServer, ModernServer};

fn asking() -> Value {
    json!({"elicitation": {}})
}

/// Whether the client can be asked something, which only the modern side of these servers can.
fn is_asked(bridge: &mut BridgeProcess) -> bool {
    let rounds = json!([questions::form("a")]);
    bridge.request(1, "tools/call", json!({"name": "ask", "arguments": {"rounds": rounds}}));
    let first = bridge.next_message_where("a question or an answer", |message| {
        message["id"] == 1 || message["method"] == "elicitation/create"
    });
    let is_asked = first["method"] == "elicitation/create";
    if is_asked {
        bridge.respond(first["id"].clone(), json!({"action": "decline"}));
        bridge.expect_response(1);
    }
    is_asked
}

#[test]
fn a_server_that_refuses_the_revision_that_it_lists_is_asked_once_more() {
    let server = ModernServer::run();
    let supported = json!({ "supported": [REVISION], "requested": REVISION });
    server
        .once("server/discover", Answer::error_with(-32022, "Which?", &supported).with_status(400));
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    assert_eq!(server.count("server/discover"), 2);
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
    bridge.finish();
}

#[test]
fn a_legacy_server_with_sessions_sees_no_other_request() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(asking());
    bridge.call_tool(1, "echo", json!({"text": "a"}));
    assert_eq!(server.count("server/discover"), 0);
    bridge.finish();
}

#[test]
fn a_legacy_server_without_sessions_is_asked_once_in_a_day() {
    let server = McpServer::legacy().without_sessions().allow("server/discover").run();
    let mut first = BridgeProcess::to(server.url()).spawn();
    first.initialize();
    assert_eq!(server.count("server/discover"), 0, "nobody could ask this client anything");
    let mut second = BridgeProcess::to(server.url()).home_of(&first).spawn();
    second.initialize_with(asking());
    assert_eq!(server.count("server/discover"), 1);
    let mut third = BridgeProcess::to(server.url()).home_of(&first).spawn();
    third.initialize_with(asking());
    assert_eq!(server.count("server/discover"), 1);
    for bridge in [first, second, third] {
        bridge.finish();
    }
}

#[test]
fn a_server_of_both_eras_without_sessions_is_spoken_to_in_the_one_that_can_ask() {
    let server = ModernServer::builder().dual_without_sessions().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(asking());
    assert!(is_asked(&mut bridge));
    bridge.finish();
}

#[test]
fn a_server_of_both_eras_is_a_legacy_one_where_that_will_do() {
    let server = ModernServer::builder().dual_without_sessions().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
    assert_eq!(server.count("server/discover"), 0);
    bridge.finish();

    let server = ModernServer::builder().dual_with_sessions().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(asking());
    assert_eq!(server.count("server/discover"), 0);
    bridge.finish();
}

#[test]
fn what_is_known_of_a_server_saves_the_next_process_a_request() {
    for server in [ModernServer::builder(), ModernServer::builder().dual_without_sessions()] {
        let server = server.run();
        let mut first = BridgeProcess::to(server.url()).spawn();
        first.initialize_with(asking());
        // What is remembered was written once a later request is answered and the process ended.
        assert!(is_asked(&mut first));
        let mut second = BridgeProcess::to(server.url()).home_of(&first).spawn();
        first.finish();
        second.initialize_with(asking());
        assert_eq!(server.count("initialize"), 1, "the second began with `server/discover`");
        assert!(is_asked(&mut second));
        second.finish();
    }
}

#[test]
fn a_discovery_that_fails_leaves_a_legacy_server_legacy() {
    for status in [401, 403, 404, 500] {
        let server = ModernServer::builder().dual_without_sessions().run();
        server.always("server/discover", Answer::status(status));
        let mut bridge = BridgeProcess::to(server.url()).spawn();
        bridge.initialize_with(asking());
        assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
        assert_eq!(server.count("server/discover"), 1, "{status}");
        server.forgive();
        bridge.finish();
    }
}

#[test]
fn a_discovery_that_hangs_is_waited_for_two_seconds() {
    let server = ModernServer::builder().dual_without_sessions().run();
    server.once("server/discover", Answer::stall());
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let since = std::time::Instant::now();
    assert!(bridge.initialize_with(asking())["serverInfo"].is_object());
    let waited = since.elapsed().as_secs_f64();
    assert!((1.9..4.5).contains(&waited), "{waited}");
    server.forgive();
    bridge.finish();
}

#[test]
fn a_server_that_claims_to_be_modern_and_answers_legacy_is_legacy() {
    let server =
        ModernServer::builder().dual_without_sessions().quirk(Quirk::LegacyVersionsOnly).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(asking());
    bridge.call_tool(1, "echo", json!({"text": "a"}));
    let call = server.wait_for("tools/call");
    assert_eq!(call.header("mcp-protocol-version"), Some("2025-11-25"));
    bridge.finish();
}

#[test]
fn initialize_refused_in_any_of_these_ways_is_answered_from_the_discovery() {
    let unknown = Answer::error(-32601, "Method not found");
    for refusal in [
        Answer::status(400),
        Answer::status(404),
        Answer::status(405),
        Answer::status(415),
        unknown.clone(),
        unknown.clone().with_status(404),
        unknown.with_status(500),
    ] {
        let server = ModernServer::builder().answers_initialize(refusal).run();
        let mut bridge = BridgeProcess::to(server.url()).spawn();
        assert_eq!(bridge.initialize()["instructions"], "Anything goes.");
        assert_eq!(server.count("server/discover"), 1);
        server.forgive();
        bridge.finish();
    }
}

#[test]
fn an_initialize_that_may_meet_either_era_carries_its_method_in_a_header() {
    let header = |server: &McpServer, method: &str| {
        server.requests_of(method)[0].header("mcp-method").map(str::to_owned)
    };
    let server = ModernServer::run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    assert_eq!(header(&server, "initialize").as_deref(), Some("initialize"));
    bridge.finish();

    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    bridge.call_tool(1, "echo", json!({"text": "a"}));
    assert_eq!(header(&server, "initialize").as_deref(), Some("initialize"));
    assert_eq!(header(&server, "tools/call"), None, "a legacy session has no use for it");
    bridge.finish();

    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--protocol", "legacy"]).spawn();
    bridge.initialize();
    assert_eq!(header(&server, "initialize"), None);
    bridge.finish();
}

#[test]
fn a_header_of_the_user_that_a_discovery_refuses_is_the_reason_that_is_told() {
    let server = ModernServer::builder().answers_initialize(Answer::status(400)).run();
    server.always("server/discover", Answer::status(401));
    let header = ["--header", "Authorization: Bearer ${TOKEN}"];
    let bridge = BridgeProcess::to(server.url()).args(header);
    let mut bridge = bridge.env("TOKEN", "mine").spawn();
    let error = bridge.call(0, "initialize", initialize_params(json!({})))["error"].take();
    assert_eq!(error["data"]["kind"], "header_refused", "{error}");
    server.forgive();
    bridge.finish();
}

#[test]
fn a_server_of_a_later_revision_only_says_so() {
    let server = ModernServer::builder().versions(&["2031-01-01"]).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let answer = bridge.call(0, "initialize", initialize_params(json!({})));
    server.forgive();
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.contains("2031-01-01") && words.contains("update bridge"), "{answer}");
    bridge.finish();
}

#[test]
fn an_era_that_is_forced_is_not_asked_about() {
    let forced = |server: &ModernServer, era: &str| {
        let mut bridge = BridgeProcess::to(server.url()).args(["--protocol", era]).spawn();
        let answer = bridge.call(0, "initialize", initialize_params(asking()));
        bridge.finish();
        answer
    };
    let dual = ModernServer::builder().dual_without_sessions().run();
    assert!(forced(&dual, "legacy")["result"].is_object());
    assert_eq!((dual.count("initialize"), dual.count("server/discover")), (1, 0));
    let modern = ModernServer::run();
    assert!(forced(&modern, "legacy")["error"].is_object());
    assert_eq!(modern.count("server/discover"), 0);
    assert!(forced(&modern, "modern")["result"].is_object());
    assert_eq!(modern.count("initialize"), 1);
    modern.forgive();
    let legacy = ModernServer::builder().quirk(Quirk::LegacyVersionsOnly).run();
    let refused = forced(&legacy, "modern");
    let words = refused["error"]["message"].as_str().unwrap();
    assert!(words.contains("`--protocol modern`"), "{refused}");
}

#[test]
fn a_legacy_server_that_becomes_modern_is_found_out_in_mid_session() {
    let server =
        ModernServer::builder().legacy_at_first().server(|server| server.with_sessions()).run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.call_tool(1, "echo", json!({"text": "a"}));
    server.turn_modern();
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "b"}))["result"], text("b"));
    assert_eq!(server.executions("echo"), 2);
    server.forgive();
    bridge.finish();
}

#[test]
fn a_modern_server_that_becomes_legacy_is_found_out_in_mid_session() {
    let server = ModernServer::builder().server(|server| server.with_sessions()).run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.call_tool(1, "echo", json!({"text": "a"}));
    let refusal = Answer::error(-32000, "Bad Request: Unsupported protocol version: 2026-07-28");
    let refusal = refusal.with_status(400).not_executed();
    server.always("subscriptions/listen", refusal.clone());
    server.once("tools/call", refusal);
    server.turn_legacy();
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "b"}))["result"], text("b"));
    assert_eq!(server.executions("echo"), 2);
    server.forgive();
    bridge.finish();
}

#[test]
fn a_lost_session_is_opened_again_without_a_question_of_eras() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(asking());
    bridge.call_tool(1, "echo", json!({"text": "a"}));
    server.lose_sessions(Lost::NotFound);
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "b"}))["result"], text("b"));
    assert_eq!(server.count("server/discover"), 0);
    bridge.finish();
}

#[test]
fn status_shows_what_was_found() {
    let modern = ModernServer::run();
    let mut bridge = BridgeProcess::to(modern.url()).spawn();
    bridge.initialize();
    bridge.close_stdin();
    bridge.wait_exit();
    let url = modern.url();
    let args = ["status", &url, "--json"];
    let mut status = BridgeProcess::with_args(args).home_of(&bridge).unchecked().spawn();
    let shown: Value = serde_json::from_str(&status.expect_line()).unwrap();
    assert_eq!(shown[0]["era"], "modern");
    assert_eq!(shown[0]["transport"], "streamable-http");
    status.wait_exit();
    let args = ["status", &url];
    let mut status = BridgeProcess::with_args(args).home_of(&bridge).unchecked().spawn();
    status.expect_line();
    assert_eq!(status.expect_line(), "  server    modern (2026-07-28), Streamable HTTP");
    status.wait_exit();
}
