//! What is sent twice, and what is not: a call whose fate is unknown is never repeated, unless its
//! tool says that it may be.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::support::mcp_server::matcher::{get, tool};
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, Gate, McpServer, Step};

/// Longer than the bridge tries again.
const PATIENCE: Duration = Duration::from_secs(50);

/// The ways in which an answer can be lost after the request was carried out.
fn losses() -> [Answer; 4] {
    [
        Answer::close(),
        Answer::reset(),
        Answer::stream([Step::comment("working"), Step::Cut]),
        Answer::truncated_json("{\"jsonrpc\":\"2.0\"}", 5),
    ]
}

#[test]
fn a_call_that_may_have_been_carried_out_is_not_repeated() {
    for name in ["echo", "delete_note"] {
        for loss in losses() {
            let server = McpServer::legacy().once(tool(name), loss).run();
            let mut bridge = BridgeProcess::before(&server);
            bridge.call(1, "tools/list", json!({}));
            let response = bridge.call_tool(2, name, json!({}));
            let message = response["error"]["message"].as_str().expect("an error");
            assert!(message.contains("outcome is unknown"), "{response}");
            assert_eq!((server.count(tool(name)), server.executions(name)), (1, 1));
            bridge.finish();
        }
    }
}

#[test]
fn a_call_that_its_tool_says_may_be_repeated_is() {
    for name in ["read_note", "set_note"] {
        for loss in losses() {
            let server = McpServer::legacy().once(tool(name), loss).run();
            let mut bridge = BridgeProcess::before(&server);
            bridge.call(1, "tools/list", json!({}));
            let answer = bridge.call_tool(2, name, json!({}));
            assert_eq!(answer["result"], text("done"));
            assert_eq!(server.count(tool(name)), 2);
            bridge.finish();
        }
    }
}

#[test]
fn annotations_count_only_once_the_list_was_seen() {
    let server = McpServer::legacy().once(tool("read_note"), Answer::close()).run();
    let mut bridge = BridgeProcess::before(&server);
    let response = bridge.call_tool(2, "read_note", json!({}));
    assert!(response["error"].is_object(), "{response}");
    assert_eq!(server.count(tool("read_note")), 1);
    bridge.finish();
}

#[test]
fn what_does_no_harm_twice_is_repeated_after_any_loss() {
    let requests = [
        ("ping", json!({})),
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "greet"})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({"uri": "memo:///1"})),
        ("resources/subscribe", json!({"uri": "memo:///1"})),
        ("resources/unsubscribe", json!({"uri": "memo:///1"})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "whom", "value": ""}}),
        ),
        ("logging/setLevel", json!({"level": "info"})),
    ];
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    for (number, (method, params)) in requests.into_iter().enumerate() {
        server.once(method, Answer::close());
        let response = bridge.call(number, method, params);
        assert!(response["result"].is_object(), "{method}: {response}");
        assert_eq!(server.count(method), 2, "{method}");
    }
    bridge.finish();
}

#[test]
fn an_unknown_method_is_not_repeated() {
    let server = McpServer::legacy().once("x/do", Answer::close()).run();
    let mut bridge = BridgeProcess::before(&server);
    let response = bridge.call(1, "x/do", json!({}));
    assert!(
        response["error"]["message"].as_str().expect("an error").contains("unknown"),
        "{response}"
    );
    assert_eq!(server.count("x/do"), 1);
    bridge.finish();
}

#[test]
fn an_initialize_that_meets_a_passing_failure_is_repeated() {
    for answer in [
        Answer::close(),
        Answer::reset(),
        Answer::status(502),
        Answer::status(503),
        Answer::status(504),
    ] {
        let server = McpServer::legacy().once("initialize", answer).run();
        let mut bridge = BridgeProcess::to(server.url()).spawn();
        bridge.initialize();
        assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
        assert_eq!((server.count("initialize"), server.sessions()), (2, 1));
        bridge.finish();
    }
}

#[test]
fn a_server_that_comes_up_later_is_waited_for() {
    let server = McpServer::legacy().run_stopped();
    let mut bridge = BridgeProcess::to(server.url()).deadline(PATIENCE).spawn();
    let result = bridge.initialize();
    assert_eq!(result["protocolVersion"], "2025-11-25");
    let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
    assert_eq!(error["data"]["kind"], "unreachable", "{error}");
    server.start();
    bridge.expect_method("notifications/tools/list_changed");
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "at last"}))["result"], text("at last"));
    assert_eq!((server.sessions(), server.executions("echo")), (1, 1));
    bridge.finish();
}

#[test]
fn a_connection_that_was_never_made_is_safe_to_try_again() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.call(0, "ping", json!({}));
    server.stop();
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "still"}}));
    let never = Gate::named("never");
    assert!(!never.wait_at_most(Duration::from_millis(300)), "time for a first attempt");
    server.start();
    assert_eq!(bridge.expect_response(1)["result"], text("still"));
    assert_eq!(server.executions("echo"), 1);
    bridge.finish();
}

#[test]
fn a_call_that_is_told_to_come_back_comes_back() {
    let answers: [fn(Answer) -> Answer; 2] =
        [|answer| answer.retry_after(1), |answer| answer.retry_after_date(in_a_moment())];
    for (status, dated) in [(429, 0), (503, 0), (429, 1), (503, 1)] {
        let answer = answers[dated](Answer::status(status));
        let server = McpServer::legacy().once(tool("echo"), answer).run();
        let mut bridge = BridgeProcess::before(&server);
        let start = Instant::now();
        assert_eq!(bridge.call_tool(1, "echo", json!({"text": "ok"}))["result"], text("ok"));
        assert!(start.elapsed() > Duration::from_millis(500), "{:?}", start.elapsed());
        assert_eq!((server.count(tool("echo")), server.executions("echo")), (2, 1));
        bridge.finish();
    }
}

#[test]
fn a_429_that_names_no_time_is_tried_again() {
    let server = McpServer::legacy().times(2, tool("echo"), Answer::status(429)).run();
    let mut bridge = BridgeProcess::before(&server);
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "ok"}))["result"], text("ok"));
    assert_eq!((server.count(tool("echo")), server.executions("echo")), (3, 1));
    bridge.finish();
}

#[test]
fn a_longer_wait_is_an_error_at_once_that_says_how_long() {
    let answers = [Answer::status(429).retry_after(120), Answer::status(503).retry_after(120)];
    for answer in answers {
        let server = McpServer::legacy().once(tool("echo"), answer).run();
        let mut bridge = BridgeProcess::before(&server);
        let start = Instant::now();
        let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert!(error["message"].as_str().expect("a message").contains("120 s"), "{error}");
        assert_eq!(error["data"]["retryAfter"], 120);
        bridge.finish();
    }
}

#[test]
fn a_failure_of_the_server_is_not_repeated_for_a_call() {
    for status in [500, 502, 503, 504] {
        let failure = Answer::status(status).executed();
        let server = McpServer::legacy().once(tool("echo"), failure).run();
        let mut bridge = BridgeProcess::before(&server);
        let response = bridge.call_tool(1, "echo", json!({}));
        assert_eq!(response["error"]["data"]["status"], status, "{response}");
        assert_eq!((server.count(tool("echo")), server.executions("echo")), (1, 1));
        bridge.finish();
    }
}

#[test]
fn a_refused_http2_stream_is_sent_again() {
    let server = McpServer::legacy().https().once(tool("echo"), Answer::refuse_stream()).run();
    let mut bridge = BridgeProcess::to(server.url()).env("SSL_CERT_FILE", server.ca_file()).spawn();
    bridge.initialize();
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "ok"}))["result"], text("ok"));
    assert_eq!((server.count(tool("echo")), server.executions("echo")), (2, 1));
    bridge.finish();
}

#[test]
fn a_connection_that_says_goodbye_loses_nothing() {
    let server = McpServer::legacy().https().run();
    let mut bridge = BridgeProcess::to(server.url()).env("SSL_CERT_FILE", server.ca_file()).spawn();
    bridge.initialize();
    for call in 1..=20 {
        bridge.request(call, "tools/call", json!({"name": "echo", "arguments": {"text": "ok"}}));
        server.say_goodbye();
    }
    for call in 1..=20 {
        assert_eq!(bridge.expect_response(call)["result"], text("ok"));
    }
    assert_eq!(server.executions("echo"), 20);
    bridge.finish();
}

#[test]
fn a_connection_that_was_reset_at_once_is_not_an_unknown_outcome_for_what_is_repeatable() {
    let server = McpServer::legacy().reset_first_connections(1).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize();
    assert_eq!(bridge.call(1, "ping", json!({}))["result"], json!({}));
    bridge.finish();
}

/// 500 calls around the moment at which the server closes: 50 bridges side by side, 10 calls each.
#[test]
fn idle_connections_that_the_server_closes_lose_no_call() {
    let server = McpServer::legacy()
        .close_idle_after(Duration::from_secs(1))
        .always(get(), Answer::status(405))
        .run();
    let mut bridges: Vec<_> = (0..50).map(|_| BridgeProcess::before(&server)).collect();
    std::thread::scope(|scope| {
        for (number, bridge) in (0..).zip(&mut bridges) {
            scope.spawn(move || call_every_second(bridge, number));
        }
    });
    assert_eq!(server.executions("echo"), 500);
}

fn call_every_second(bridge: &mut BridgeProcess, number: u64) {
    let never = Gate::named("never");
    for call in 0..10 {
        assert!(!never.wait_at_most(Duration::from_micros(990_000 + number * 400)));
        let answer = bridge.call_tool(call, "echo", json!({"text": "ok"}));
        assert_eq!(answer["result"], text("ok"), "call {call} of bridge {number}: {answer}");
    }
}

#[test]
fn a_cut_stream_of_a_call_is_resumed_and_not_repeated() {
    let steps = [
        Step::priming("s:0"),
        Step::notification("notifications/message", json!({"level": "info", "data": 1}))
            .with_id("s:1"),
        Step::Cut,
        Step::notification("notifications/message", json!({"level": "info", "data": 2}))
            .with_id("s:2"),
        Step::retry(10),
        Step::Close,
        Step::result(text("done")).with_id("s:3"),
    ];
    let server = McpServer::legacy().once(tool("echo"), Answer::resumable_stream(steps)).run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.request(7, "tools/call", json!({"name": "echo"}));
    let data = |bridge: &mut BridgeProcess| -> Value {
        bridge.expect_method("notifications/message")["params"]["data"].take()
    };
    assert_eq!([data(&mut bridge), data(&mut bridge)], [json!(1), json!(2)]);
    assert_eq!(bridge.expect_response(7)["result"], text("done"));
    let resumed: Vec<_> = server
        .requests_of(crate::support::mcp_server::matcher::resumption())
        .iter()
        .map(|it| it.last_event_id().map(str::to_owned))
        .collect();
    assert_eq!(resumed, [Some("s:1".to_owned()), Some("s:2".to_owned())]);
    assert_eq!(server.executions("echo"), 1);
    bridge.finish();
}

#[expect(clippy::disallowed_methods, reason = "a date that lies ahead of the real clock")]
fn in_a_moment() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3)
}
