//! What is cancelled, by either side or by the clock, ends on both sides, and the session goes on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::bridge_process::initialize_params;
use crate::support::mcp_server::matcher::tool;
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, Gate, McpServer, RawServer, Step};

fn open(server: &McpServer) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(json!({"elicitation": {}}));
    bridge
}

fn cancel(bridge: &mut BridgeProcess, id: impl Into<Value>) {
    let id: Value = id.into();
    bridge.notify("notifications/cancelled", json!({"requestId": id, "reason": "why not"}));
}

/// Waits until the bridge has read all that was sent so far: what is no message is answered at once.
fn wait_until_read(bridge: &mut BridgeProcess) {
    bridge.send("{}");
    bridge.next_message_where("the error", |message| message["id"].is_null());
}

/// Checks that the session is of use and that nothing was said of what is over.
#[track_caller]
fn assert_goes_on(bridge: &mut BridgeProcess) {
    let result = bridge.call_tool("after", "echo", json!({"text": "hi"}))["result"].take();
    assert_eq!((result, bridge.unread()), (text("hi"), vec![]));
}

#[test]
fn a_cancellation_follows_its_request_and_a_late_answer_is_dropped() {
    for late in [Answer::result(text("late")), Answer::stream([Step::result(text("late"))])] {
        let gate = Gate::named("the answer");
        let server = McpServer::legacy().once(tool("wait"), late.after(&gate)).run();
        let mut bridge = open(&server);
        bridge.request(7, "tools/call", json!({"name": "wait"}));
        let sent = server.wait_for(tool("wait"));
        cancel(&mut bridge, 7);
        let cancelled = server.wait_for("notifications/cancelled");
        assert_eq!(cancelled.params(), json!({"requestId": 7, "reason": "why not"}));
        assert_eq!(cancelled.session(), sent.session());
        gate.open();
        assert_goes_on(&mut bridge);
    }
}

#[test]
fn an_answer_that_crosses_the_cancellation_is_no_second_one() {
    let server = McpServer::legacy().run();
    let mut bridge = open(&server);
    for id in 0..100 {
        bridge.request(id, "tools/call", json!({"name": "echo", "arguments": {"text": "x"}}));
        cancel(&mut bridge, id);
    }
    bridge.call("last", "tools/list", json!({}));
    // Each was answered once or not at all; the fixture checks that none was answered twice.
    assert!(bridge.unread().len() <= 100);
}

#[test]
fn what_is_cancelled_before_it_is_sent_is_never_sent() {
    let gate = Gate::named("the handshake");
    let server = McpServer::legacy().once("initialize", Answer::well_behaved().after(&gate)).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.request("initialize", "initialize", initialize_params(json!({})));
    bridge.notify("notifications/initialized", json!({}));
    server.wait_for("initialize");
    bridge.request(1, "tools/call", json!({"name": "delete_note"}));
    cancel(&mut bridge, 1);
    bridge.request(2, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    wait_until_read(&mut bridge);
    gate.open();
    assert_eq!(bridge.expect_response(2)["result"], text("hi"));
    assert_eq!(server.count(tool("delete_note")), 0);
    assert_eq!(server.count("notifications/cancelled"), 0, "the server knows nothing of it");
}

#[test]
fn what_is_cancelled_while_its_connection_is_made_is_never_sent() {
    let server = RawServer::listen();
    let mut bridge = BridgeProcess::to(format!("https://{}/mcp", server.host())).spawn();
    bridge.request(1, "tools/call", json!({"name": "delete_note"}));
    let mut connection = server.accept();
    let since = Instant::now();
    cancel(&mut bridge, 1);
    // The TLS handshake was never answered, so that the server can't have seen the request.
    assert!(connection.wait_until_closed());
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    assert!(server.accept_within(Duration::from_millis(200)).is_none(), "nobody to tell");
}

#[test]
fn a_cancellation_of_what_was_answered_is_the_servers_to_ignore() {
    let server = McpServer::legacy().run();
    let mut bridge = open(&server);
    bridge.call_tool(1, "echo", json!({"text": "done"}));
    cancel(&mut bridge, 1);
    assert_eq!(server.wait_for("notifications/cancelled").params()["requestId"], 1);
    cancel(&mut bridge, "never asked");
    let second = server.wait_for_nth(2, "notifications/cancelled");
    assert_eq!(second.params()["requestId"], "never asked");
    assert_goes_on(&mut bridge);
}

#[test]
fn initialize_can_not_be_cancelled() {
    let gate = Gate::named("the handshake");
    let server = McpServer::legacy().once("initialize", Answer::well_behaved().after(&gate)).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.request(0, "initialize", initialize_params(json!({})));
    server.wait_for("initialize");
    cancel(&mut bridge, 0);
    wait_until_read(&mut bridge);
    gate.open();
    assert_eq!(bridge.expect_response(0)["result"]["serverInfo"]["name"], "scripted");
    bridge.notify("notifications/initialized", json!({}));
    assert_goes_on(&mut bridge);
    assert_eq!(server.count("notifications/cancelled"), 0);
}

#[test]
fn the_server_takes_its_own_question_back() {
    let cancelled = || json!({"requestId": "q", "reason": "no longer needed"});
    let question = |id: &str| Step::ask(id, "elicitation/create", json!({"message": "?"}));
    let server = McpServer::legacy()
        .once(
            tool("ask"),
            Answer::stream([
                question("q"),
                Step::notification("notifications/cancelled", cancelled()),
                Step::result(text("without you")),
            ]),
        )
        .run();
    let mut bridge = open(&server);
    bridge.allow_invalid();
    bridge.request(1, "tools/call", json!({"name": "ask"}));
    assert_eq!(bridge.expect_message()["id"], "q");
    let message = bridge.expect_message();
    assert_eq!(
        (&message["method"], &message["params"]),
        (&json!("notifications/cancelled"), &cancelled())
    );
    assert_eq!(bridge.expect_response(1)["result"], text("without you"));
    assert_goes_on(&mut bridge);
}

// --- the clock ---

const LIMIT: Duration = Duration::from_secs(1);

fn limited(server: &McpServer) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).arg("--tool-timeout=1s").spawn();
    bridge.initialize_with(json!({"elicitation": {}}));
    bridge
}

#[test]
fn a_call_that_takes_too_long_is_an_error_here_and_cancelled_there() {
    let server = McpServer::legacy().run();
    let mut bridge = limited(&server);
    let since = Instant::now();
    bridge.request("long", "tools/call", json!({"name": "wait", "arguments": {"gate": "end"}}));
    let error = bridge.expect_response("long")["error"].take();
    assert!(since.elapsed() >= LIMIT);
    assert_eq!((&error["code"], &error["data"]["kind"]), (&json!(-31003), &json!("timeout")));
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("within 1 s") && message.contains("outcome is unknown"), "{message}");
    let cancelled = server.wait_for("notifications/cancelled").params();
    assert_eq!(cancelled, json!({"requestId": "long", "reason": "timed out"}));
    server.gate("end").open();
    assert_goes_on(&mut bridge);
}

#[test]
fn a_call_that_waits_for_the_user_takes_no_time() {
    let server = McpServer::legacy().run();
    let mut bridge = limited(&server);
    bridge.allow_invalid();
    let arguments = json!({"method": "elicitation/create", "params": {"message": "?"}});
    bridge.request(1, "tools/call", json!({"name": "ask", "arguments": arguments}));
    let question = bridge.expect_method("elicitation/create")["id"].take();
    Gate::named("the user thinks").wait_at_most(LIMIT * 3 / 2);
    bridge.respond(question, json!({"action": "decline"}));
    assert!(bridge.expect_response(1)["result"].is_object());
    assert_eq!(server.count("notifications/cancelled"), 0);
}

#[test]
fn what_is_no_tool_call_may_take_longer() {
    let gate = Gate::named("the list");
    let server = McpServer::legacy().once("tools/list", Answer::well_behaved().after(&gate)).run();
    let mut bridge = limited(&server);
    bridge.request(1, "tools/list", json!({}));
    Gate::named("time passes").wait_at_most(LIMIT * 3 / 2);
    gate.open();
    assert!(bridge.expect_response(1)["result"].is_object());
}
