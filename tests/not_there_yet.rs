//! A connection that is not there yet: a server that is down, slow or refuses at the start fails no
//! client. What depends on time alone is tested in `src/relay/handshake_tests.rs`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::bridge_process::initialize_params;
use crate::support::mcp_server::matcher::{anything, get, tool};
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, Gate, McpServer};

/// After this the bridge answers `initialize` itself.
const PATIENCE: Duration = Duration::from_secs(5);

const LIST_CHANGED: [&str; 3] = [
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
];

/// Sends `initialize` without waiting for its answer.
fn opening(server: &McpServer) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.request(0, "initialize", initialize_params(json!({})));
    bridge
}

/// The methods of the notifications that came and were not taken yet.
fn notifications(bridge: &BridgeProcess) -> Vec<String> {
    let messages = bridge.unread().into_iter().map(|line| serde_json::from_str(&line));
    let methods = messages.map(|message: Result<Value, _>| message.expect("JSON")["method"].take());
    methods.filter_map(|method| method.as_str().map(str::to_owned)).collect()
}

/// A first life, in which the server was there; what it said is remembered in its home.
fn remembering(server: &McpServer) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    bridge.call(1, "tools/list", json!({}));
    bridge.close_stdin();
    assert!(bridge.wait_exit().success());
    bridge
}

#[test]
fn a_server_that_comes_up_in_time_is_not_missed() {
    let server = McpServer::legacy().run_stopped();
    let mut bridge = opening(&server);
    // Answered when it is read: the bridge has begun.
    bridge.send("{}");
    bridge.next_message_where("the error", |message| message["id"].is_null());
    server.start();
    assert_eq!(bridge.expect_response(0)["result"]["serverInfo"]["name"], "scripted");
    bridge.notify("notifications/initialized", json!({}));
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
    assert_eq!(notifications(&bridge), [""; 0]);
    bridge.close_stdin();
    bridge.wait_exit();
    bridge.assert_stderr_empty();
}

#[test]
fn a_hiccup_of_the_server_at_the_start_is_not_noticed() {
    for status in [500, 502, 503, 504, 429] {
        let server = McpServer::legacy().once("initialize", Answer::status(status)).run();
        let mut bridge = opening(&server);
        assert_eq!(bridge.expect_response(0)["result"]["serverInfo"]["name"], "scripted");
        let asked = server.requests_of("initialize");
        assert_eq!(asked.len(), 2, "with status {status}");
        assert_eq!(asked[0].body, asked[1].body, "the client's own words");
    }
}

#[test]
fn a_slow_server_is_answered_for_and_its_late_answer_used() {
    let gate = Gate::named("the handshake");
    let server = McpServer::legacy()
        .version("2025-06-18")
        .once("initialize", Answer::well_behaved().after(&gate))
        .run();
    let since = Instant::now();
    let mut bridge = opening(&server);
    let answer = bridge.expect_response(0);
    let took = since.elapsed();
    assert!(took >= PATIENCE && took < PATIENCE + Duration::from_secs(2), "{took:?}");
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(answer["result"]["serverInfo"]["name"], server.host());
    bridge.notify("notifications/initialized", json!({}));
    assert_eq!(bridge.call(1, "logging/setLevel", json!({"level": "debug"}))["result"], json!({}));
    bridge.request(2, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    gate.open();

    // The session is the server's own: the fixture checks that each header names its version.
    assert_eq!(bridge.expect_response(2)["result"], text("hi"));
    for method in LIST_CHANGED {
        bridge.expect_method(method);
    }
    assert!(bridge.call(3, "tools/list", json!({}))["result"]["tools"].is_array());
    assert_eq!(notifications(&bridge), [""; 0], "one for each kind");
    server.wait_for("logging/setLevel");
    assert_eq!(server.log_level().as_deref(), Some("debug"));
    assert_eq!((server.count("initialize"), server.sessions()), (1, 1));
    bridge.close_stdin();
    bridge.wait_exit();
    // One line for one problem, so that whoever reads the client's log learns why no tools are shown.
    let told = bridge.stderr_text();
    assert!(told.lines().count() == 1 && told.contains("did not answer in time"), "{told}");
}

#[test]
fn a_server_that_stays_down_fails_no_client() {
    let server = McpServer::legacy().run_stopped();
    let mut bridge = opening(&server);
    let answer = bridge.expect_response(0);
    assert!(answer["result"]["capabilities"]["tools"]["listChanged"].as_bool().unwrap_or(false));
    bridge.notify("notifications/initialized", json!({}));
    let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
    assert_eq!(error["data"]["kind"], "unreachable", "{error}");
    assert!(error["message"].as_str().expect("a message").contains(&server.host()), "{error}");
    assert_eq!(bridge.call(2, "ping", json!({}))["result"], json!({}));

    // The next request finds it.
    server.start();
    assert_eq!(bridge.call_tool(3, "echo", json!({"text": "hi"}))["result"], text("hi"));
    for method in LIST_CHANGED {
        bridge.expect_method(method);
    }
    assert_eq!(server.wait_for("initialize").params(), initialize_params(json!({})));
}

#[test]
fn what_is_remembered_answers_at_once_for_a_server_that_is_down() {
    let server = McpServer::legacy().run();
    let first = remembering(&server);
    server.stop();
    let since = Instant::now();
    let mut bridge = BridgeProcess::to(server.url()).home_of(&first).spawn();
    let hello = bridge.initialize();
    assert_eq!(hello["serverInfo"]["title"], "A scripted server");
    assert_eq!(hello["instructions"], "Anything goes.");
    let tools = bridge.call(1, "tools/list", json!({}))["result"]["tools"].take();
    assert_eq!(tools[0]["name"], "echo");
    assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
    assert!(bridge.call_tool(2, "echo", json!({}))["error"].is_object());

    server.start();
    assert_eq!(bridge.call_tool(3, "echo", json!({"text": "hi"}))["result"], text("hi"));
    for method in LIST_CHANGED {
        bridge.expect_method(method);
    }
    bridge.call(4, "ping", json!({}));
    assert_eq!(notifications(&bridge), [""; 0], "one for each kind");
    assert_eq!(server.count("tools/list"), 1, "only in the first life");
}

#[test]
fn what_is_remembered_answers_at_once_for_a_server_that_refuses() {
    // One that knows no such endpoint is asked for the newer protocol and the older transport.
    let server = McpServer::legacy().allow(get()).allow("server/discover").run();
    let first = remembering(&server);
    for status in [403, 404, 429, 500, 503] {
        server.always("initialize", Answer::status(status));
        let since = Instant::now();
        let mut bridge = BridgeProcess::to(server.url()).home_of(&first).spawn();
        assert_eq!(bridge.initialize()["serverInfo"]["name"], "scripted", "with status {status}");
        assert!(since.elapsed() < PATIENCE, "{:?}", since.elapsed());
        let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
        assert_eq!(error["data"]["status"], status, "{error}");
    }
    assert_eq!(server.count(tool("echo")), 0);
}

#[test]
fn what_another_client_was_told_is_not_remembered_for_this_one() {
    let server = McpServer::legacy().run();
    let first = remembering(&server);
    server.once("initialize", Answer::status(503));
    let mut bridge = BridgeProcess::to(server.url()).home_of(&first).spawn();
    bridge.initialize_with(json!({"elicitation": {}}));
    assert_eq!(server.count("initialize"), 3, "the server's own answer, after a second attempt");
}

#[test]
fn a_refusal_that_does_not_pass_fails_initialize_also_where_something_is_remembered() {
    let server = McpServer::legacy().run();
    let first = remembering(&server);
    server.always("initialize", Answer::text("who are you?").with_status(401));
    let mut bridge = BridgeProcess::to(server.url()).home_of(&first).spawn();
    let error = bridge.call(0, "initialize", initialize_params(json!({})))["error"].take();
    assert_eq!((&error["data"]["status"], &error["code"]), (&json!(401), &json!(-31004)));
    assert_eq!(server.count("initialize"), 2);
}

#[test]
fn an_error_in_answer_to_initialize_passes_untouched() {
    let error = r#"{ "jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"Unsupported protocol version","data":{"supported":["2024-11-05"],"n":1.0}}}"#;
    for status in [200, 400] {
        let server = McpServer::legacy()
            .allow(anything())
            .always("initialize", Answer::json(error).with_status(status))
            .run();
        let mut bridge = opening(&server);
        assert_eq!(bridge.expect_response_line(0), error, "with status {status}");
    }
}

#[test]
fn lists_that_a_late_server_does_not_have_are_empty() {
    let hello = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "small", "version": "1"},
    });
    let server = McpServer::legacy().run();
    let first = remembering(&server);
    server.stop();
    server.always("initialize", Answer::result(hello).header("mcp-session-id", "small"));
    let mut bridge = BridgeProcess::to(server.url()).home_of(&first).spawn();
    bridge.initialize();
    server.start();
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
    for (method, field) in [
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        assert_eq!(bridge.call(method, method, json!({}))["result"], json!({field: []}));
        assert_eq!(server.count(method), 0);
    }
}
