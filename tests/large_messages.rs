//! Messages of any size: whole, in bounded memory, at the pace of the slowest side; and what is too
//! large is an error for its own id only.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bridge_process::Streams;
use crate::support::mcp_server::matcher::tool;
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, Gate, McpServer, Step};

const MIB: usize = 1 << 20;

/// A response of this many bytes of text, as the server writes it.
fn response_of(id: u64, bytes: usize) -> String {
    let text = "0123456789abcdef".repeat(bytes / 16);
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#
    )
}

/// Comparing without printing tens of megabytes.
#[track_caller]
fn assert_same(came: &str, sent: &str) {
    assert_eq!(came.len(), sent.len());
    assert!(came == sent, "some bytes differ");
}

#[test]
fn a_large_result_arrives_whole_as_json_and_as_a_stream() {
    let body = response_of(7, 50 * MIB);
    let json = Answer::json(body.clone());
    let stream = Answer::stream([Step::event(body.clone())]);
    // Kept whole, and while an event is put together, about twice.
    for (answer, bound) in [(json, 1.7), (stream, 2.2)] {
        let server = McpServer::legacy().once(tool("fill"), answer).run();
        let mut bridge = BridgeProcess::before(&server);
        bridge.request(7, "tools/call", json!({"name": "fill"}));
        assert_same(&bridge.expect_response_line(7), &body);
        let (_, peak) = bridge.memory();
        let allowed = bound * 50.0 * 1024.0 + 12.0 * 1024.0;
        assert!((peak as f64) < allowed, "{peak} KiB at most so far, {allowed} allowed");
        bridge.finish();
    }
}

#[test]
fn a_large_request_arrives_whole() {
    let server = McpServer::legacy().once(tool("echo"), Answer::result(text("thanks"))).run();
    for streams in [Streams::Pipes, Streams::SocketPairs] {
        let mut bridge = BridgeProcess::to(server.url()).streams(streams).spawn();
        bridge.initialize();
        server.once(tool("fill"), Answer::result(text("thanks")));
        let argument = "y".repeat(40 * MIB);
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"fill","arguments":{{"a":"{argument}"}}}}}}"#
        );
        bridge.send(&line);
        assert_eq!(bridge.expect_response(7)["result"], text("thanks"));
        let came = server.requests_of(tool("fill")).pop().expect("the call");
        assert_same(std::str::from_utf8(&came.body).expect("text"), &line);
        bridge.finish();
    }
    BridgeProcess::before(&server).call_tool(1, "echo", json!({}));
}

#[test]
fn a_slow_reader_gets_all_and_slows_the_server_down() {
    let part = "z".repeat(64 * 1024);
    let notification = |number: usize| {
        Step::notification(
            "notifications/message",
            json!({"level": "info", "data": [number, part]}),
        )
    };
    let count = 1_000;
    let steps = (0..count).map(notification).chain([Step::result(text("done"))]);
    let server = McpServer::legacy().once(tool("fill"), Answer::stream(steps)).run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.hold_stdout();
    bridge.request(7, "tools/call", json!({"name": "fill"}));
    server.wait_for(tool("fill"));
    let never = Gate::named("never");
    assert!(
        !never.wait_at_most(Duration::from_millis(500)),
        "time for the bridge to read too much"
    );
    assert!(server.bytes_written() < 40 << 20, "{} bytes were taken", server.bytes_written());
    bridge.read_stdout();
    assert_eq!(bridge.expect_response(7)["result"], text("done"));
    let numbers: Vec<Value> = (0..count)
        .map(|_| bridge.expect_method("notifications/message")["params"]["data"][0].take())
        .collect();
    assert_eq!(numbers, (0..count).map(Value::from).collect::<Vec<_>>());
    bridge.finish();
}

#[test]
fn a_line_that_is_too_long_is_an_error_with_its_id_and_the_next_is_served() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--max-message-size", "64k"]).spawn();
    bridge.initialize();
    bridge.request(
        7,
        "tools/call",
        json!({"name": "echo", "arguments": {"text": "x".repeat(70_000)}}),
    );
    let response = bridge.expect_response(7);
    assert_eq!(response["error"]["code"], -32600, "{response}");
    let message = response["error"]["message"].as_str().expect("a message");
    assert!(message.contains("`--max-message-size`"), "{response}");
    assert_eq!(bridge.call_tool(8, "echo", json!({"text": "on"}))["result"], text("on"));
    assert_eq!(server.count("tools/call"), 1);
    bridge.finish();
}

#[test]
fn a_line_that_is_too_long_and_has_no_end_is_an_error_too() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--max-message-size", "64k"]).spawn();
    bridge.initialize();
    for _ in 0..100 {
        bridge.send_raw(vec![b'x'; 10_000]);
    }
    bridge.send_raw("\n");
    let response = bridge.next_message_where("an error", |message| message["error"].is_object());
    assert_eq!(response["id"], Value::Null);
    assert_eq!(bridge.call(8, "ping", json!({}))["result"], json!({}));
    bridge.finish();
}

#[test]
fn an_answer_that_is_too_large_is_an_error_with_its_id_and_the_session_goes_on() {
    let body = response_of(7, 4 * MIB);
    let answers = [
        Answer::json(body.clone()),
        Answer::pieces("application/json", [Step::bytes(body.clone())]),
        Answer::stream([Step::event(body.clone())]),
        Answer::json(body.clone()).gzip(),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        let server = McpServer::legacy().once(tool("fill"), answer).run();
        let mut bridge =
            BridgeProcess::to(server.url()).args(["--max-message-size", "64k"]).spawn();
        bridge.initialize();
        let response = bridge.call_tool(7, "fill", json!({}));
        let message = response["error"]["message"].as_str();
        let message = message.unwrap_or_else(|| panic!("case {number}: no error"));
        assert!(message.contains("65536"), "case {number}: {response}");
        assert!(message.contains("--max-message-size"), "case {number}: {response}");
        assert_eq!(bridge.call_tool(8, "echo", json!({"text": "on"}))["result"], text("on"));
        assert_eq!((server.executions("fill"), server.sessions()), (1, 1), "case {number}");
        bridge.finish();
    }
}

#[test]
fn a_client_may_write_the_handshake_and_1000_calls_before_it_reads() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).hold_stdout().spawn();
    bridge.request(0, "initialize", crate::support::bridge_process::initialize_params(json!({})));
    bridge.notify("notifications/initialized", json!({}));
    for call in 1..=1_000 {
        bridge.request(
            call,
            "tools/call",
            json!({"name": "echo", "arguments": {"text": "x".repeat(500)}}),
        );
    }
    server.wait_for_executions("echo", 200);
    bridge.read_stdout();
    bridge.wait_until_all_are_answered();
    assert_eq!(server.executions("echo"), 1_000);
    bridge.finish();
}

#[test]
fn separators_of_other_languages_and_bad_bytes_do_not_break_lines() {
    let odd = "a\u{2028}b\u{2029}c\u{85}d\u{feff}\\n\\u2028 \u{1f980}";
    let body = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"odd":"{odd}"}}}}"#);
    let server = McpServer::legacy().once(tool("echo"), Answer::json(body.clone())).run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.allow_invalid();
    let line = format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"echo","odd":"{odd}"}}}}"#
    );
    bridge.send(&line);
    assert_eq!(bridge.expect_response_line(7), body);
    assert_eq!(server.wait_for(tool("echo")).body, line);
    bridge.send_raw(
        b"{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"ping\",\"params\":{\"x\":\"\xff\xfe\"}}\n",
    );
    let response = bridge.expect_response(8);
    assert_eq!(response["error"]["code"], -32700, "{response}");
    assert_eq!(bridge.call(9, "ping", json!({}))["result"], json!({}));
}

#[test]
fn an_answer_that_is_printed_over_many_lines_becomes_one() {
    let mut body = String::from("{\r\n  \"jsonrpc\": \"2.0\",\n  \"id\": 7,\n  \"result\": {\n");
    for number in 0..100 {
        let _ = writeln!(body, "    \"{number}\": \"a\\nb\",");
    }
    body.push_str("    \"last\": 1e2\n  }\n}\n");
    let server = McpServer::legacy().once(tool("echo"), Answer::json(body.clone())).run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.allow_invalid();
    bridge.request(7, "tools/call", json!({"name": "echo"}));
    let line = bridge.expect_response_line(7);
    let without_breaks = |text: &str| text.replace(['\r', '\n', ' '], "");
    assert_eq!(without_breaks(&line), without_breaks(&body));
    assert!(line.contains("\"last\": 1e2"));
}
