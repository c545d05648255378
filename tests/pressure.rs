//! Much at once: bounds on what is in flight, and nothing that waits for what waits for it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bridge_process::{self, initialize_params};
use crate::support::mcp_server::matcher::tool;
use crate::support::mcp_server::{Builder as ServerBuilder, text};
use crate::support::{Answer, BridgeProcess, Gate, McpServer, Step};

/// Requests that may be in flight at once.
const IN_FLIGHT: usize = 256;
/// Streams that an HTTP/2 server of these tests allows, and how many requests the bridge makes of them.
const STREAMS: u32 = 100;
const ON_STREAMS: usize = 92;

/// Over plain HTTP/1.1, and over HTTP/2 with a limit of 100 streams: a server, a bridge with an open
/// session and a GET stream before it, and how many requests it has in flight at most.
fn both(build: impl Fn() -> ServerBuilder) -> [(McpServer, BridgeProcess, usize); 2] {
    let plain = build().run();
    let streams = build().https().max_concurrent_streams(STREAMS).run();
    let before = |server: &McpServer, builder: bridge_process::Builder| {
        let mut bridge = builder.spawn();
        bridge.initialize_with(json!({"elicitation": {}}));
        server.wait_for_get_stream();
        bridge
    };
    let first = before(&plain, BridgeProcess::to(plain.url()));
    let ca = streams.ca_file();
    let second = before(&streams, BridgeProcess::to(streams.url()).env("SSL_CERT_FILE", ca));
    [(plain, first, IN_FLIGHT), (streams, second, ON_STREAMS)]
}

fn call(bridge: &mut BridgeProcess, id: usize, name: &str, arguments: Value) {
    bridge.request(id, "tools/call", json!({"name": name, "arguments": arguments}));
}

/// A tool that asks the client `q-ID` and gives the answer as its result.
fn asking(builder: ServerBuilder) -> ServerBuilder {
    builder.always_with(tool("ask"), |request| async move {
        let question = format!("q-{}", request.rpc_id().expect("a request"));
        let wanted = json!(question).to_string();
        Answer::stream([
            Step::ask(question.as_str(), "elicitation/create", json!({"message": "?"})),
            Step::await_answer(question.as_str()),
            Step::result_from(move |answers| answers(&wanted)["result"]["content"].clone()),
        ])
    })
}

/// Takes so many questions and gives their ids.
fn questions(bridge: &mut BridgeProcess, count: usize) -> Vec<Value> {
    (0..count).map(|_| bridge.expect_method("elicitation/create")["id"].take()).collect()
}

fn answer_in_reverse(bridge: &mut BridgeProcess, questions: Vec<Value>) {
    for question in questions.into_iter().rev() {
        let content = json!({"to": question});
        bridge.respond(question, json!({"action": "accept", "content": content}));
    }
}

#[test]
fn a_client_may_write_a_thousand_requests_before_it_reads_a_byte() {
    let server = McpServer::legacy().without_sessions().run();
    let mut bridge = BridgeProcess::to(server.url()).hold_stdout().spawn();
    bridge.request("initialize", "initialize", initialize_params(json!({})));
    bridge.notify("notifications/initialized", json!({}));
    let requests: String = (0..1_000)
        .map(|id| {
            json!({"jsonrpc": "2.0", "id": id, "method": "tools/call",
            "params": {"name": "echo", "arguments": {"text": id.to_string()}}})
        })
        .map(|request| format!("{request}\n"))
        .collect();
    bridge.send_raw(requests);
    server.wait_for_nth(1_000, tool("echo"));
    bridge.read_stdout();
    for id in 0..1_000 {
        assert_eq!(bridge.expect_response(id)["result"], text(&id.to_string()));
    }
}

#[test]
fn a_thousand_large_answers_wait_for_the_client_that_asked_for_them_in_one_go() {
    let server = McpServer::legacy().without_sessions().run();
    let mut bridge = BridgeProcess::to(server.url()).hold_stdout().spawn();
    bridge.request("initialize", "initialize", initialize_params(json!({})));
    bridge.notify("notifications/initialized", json!({}));
    for id in 0..1_000 {
        call(&mut bridge, id, "fill", json!({"bytes": 20_000}));
    }
    // All that may be in flight is, while nobody reads.
    server.wait_for_nth(IN_FLIGHT, tool("fill"));
    bridge.read_stdout();
    for id in 0..1_000 {
        let answer = bridge.expect_response(id);
        let given = answer["result"]["content"][0]["text"].as_str().map(str::len);
        assert_eq!(given, Some(20_000));
    }
}

#[test]
fn three_hundred_calls_that_ask_the_client_first_all_get_their_answers() {
    for (_server, mut bridge, in_flight) in both(|| asking(McpServer::legacy())) {
        bridge.allow_invalid();
        for id in 0..300 {
            call(&mut bridge, id, "ask", json!({}));
        }
        let mut left = 300;
        while left > 0 {
            let pending = questions(&mut bridge, left.min(in_flight));
            left -= pending.len();
            answer_in_reverse(&mut bridge, pending);
        }
        for id in 0..300 {
            assert_eq!(bridge.expect_response(id)["result"], json!({"to": format!("q-{id}")}));
        }
    }
}

#[test]
fn three_hundred_questions_on_the_get_stream_may_be_open() {
    for (server, mut bridge, _) in both(McpServer::legacy) {
        bridge.allow_invalid();
        for id in 0..300 {
            server.ask(id, "elicitation/create", json!({"message": "?"}));
        }
        let pending = questions(&mut bridge, 300);
        assert_eq!(pending, (0..300).map(Value::from).collect::<Vec<_>>());
        answer_in_reverse(&mut bridge, pending);
        for id in 0..300 {
            assert_eq!(server.answer_to(id)["result"]["content"]["to"], id);
        }
    }
}

#[test]
fn requests_beyond_the_bound_wait_and_nothing_else_does() {
    for (server, mut bridge, in_flight) in both(McpServer::legacy) {
        bridge.allow_invalid();
        let (first_waiting, last) = (in_flight, in_flight + 9);
        for id in 0..=last {
            call(&mut bridge, id, "wait", json!({"gate": id.to_string()}));
        }
        server.wait_for_nth(in_flight, tool("wait"));

        // A notification, an answer and a cancellation overtake the requests that wait.
        bridge.notify("notifications/roots/list_changed", json!({}));
        server.wait_for("notifications/roots/list_changed");
        server.ask("q", "elicitation/create", json!({"message": "?"}));
        bridge.expect_method("elicitation/create");
        bridge.respond("q", json!({"action": "decline"}));
        assert_eq!(server.answer_to("q")["result"]["action"], "decline");
        assert_eq!(server.count(tool("wait")), in_flight, "requests in flight");

        // The place of a cancelled request goes to the first that waits; one that waits and is
        // cancelled is never sent.
        bridge.notify("notifications/cancelled", json!({"requestId": last}));
        bridge.notify("notifications/cancelled", json!({"requestId": 0}));
        let cancelled = server.wait_for("notifications/cancelled");
        assert_eq!(cancelled.params()["requestId"], 0);
        let next = server.wait_for_nth(in_flight + 1, tool("wait"));
        assert_eq!(next.rpc_id(), Some(&*first_waiting.to_string()));

        // And so does that of an answered one, in order.
        for id in 1..last {
            server.gate(&id.to_string()).open();
            bridge.expect_response(id);
        }
        let sent = server.requests_of(tool("wait"));
        assert_eq!(sent.len(), last, "all but the one that was cancelled");
        let late = sent[in_flight..].iter().map(|request| request.rpc_id().unwrap_or_default());
        let in_order: Vec<String> = (first_waiting..last).map(|id| id.to_string()).collect();
        assert_eq!(late.collect::<Vec<_>>(), in_order);
        server.gate("0").open();
    }
}

#[test]
fn a_slow_reader_slows_the_server_down_and_loses_nothing() {
    const MESSAGES: usize = 1_024;
    let data = "x".repeat(64 * 1024);
    let notification =
        |n: usize| Step::notification("notifications/message", json!({"n": n, "data": data}));
    let steps = (0..MESSAGES).map(notification).chain([Step::result(text("done"))]);
    let server =
        McpServer::legacy().without_sessions().once(tool("echo"), Answer::stream(steps)).run();
    let mut bridge = BridgeProcess::to(server.url()).hold_stdout().spawn();
    bridge.allow_invalid();
    bridge.request("initialize", "initialize", initialize_params(json!({})));
    bridge.notify("notifications/initialized", json!({}));
    call(&mut bridge, 1, "echo", json!({}));
    server.wait_for(tool("echo"));

    // Nothing moves any more, far from the end.
    let pause = Gate::named("time passes");
    let mut written = 0;
    loop {
        pause.wait_at_most(Duration::from_millis(300));
        let now = server.bytes_written();
        if now == written && now > 1_000_000 {
            break;
        }
        written = now;
    }
    assert!(written < 24 << 20, "{written} bytes were taken in although nobody reads");
    bridge.read_stdout();
    for n in 0..MESSAGES {
        let message = bridge.expect_message();
        let message = if message["id"] == "initialize" { bridge.expect_message() } else { message };
        let length = message["params"]["data"].as_str().map(str::len);
        assert_eq!((message["params"]["n"].as_u64(), length), (Some(n as u64), Some(64 * 1024)));
    }
    assert_eq!(bridge.expect_response(1)["result"], text("done"));
    let (_, peak) = bridge.memory();
    assert!(peak < 40 * 1024, "{peak} KiB at most");
}

#[test]
fn twenty_thousand_notifications_come_in_order_before_their_response() {
    const MESSAGES: u64 = 20_000;
    let steps = (0..MESSAGES)
        .map(|n| Step::notification("notifications/progress", json!({"progress": n})))
        .chain([Step::result(text("done"))]);
    let server = McpServer::legacy().once(tool("echo"), Answer::stream(steps)).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.allow_invalid();
    bridge.initialize();
    call(&mut bridge, 1, "echo", json!({}));
    for n in 0..MESSAGES {
        assert_eq!(bridge.expect_message()["params"]["progress"], n);
    }
    assert_eq!(bridge.expect_message()["result"], text("done"));
}

#[test]
fn one_slow_call_does_not_hold_the_others() {
    for (server, mut bridge, _) in both(McpServer::legacy) {
        call(&mut bridge, 0, "wait", json!({"gate": "slow"}));
        server.wait_for(tool("wait"));
        for id in 1..=50 {
            assert_eq!(bridge.call_tool(id, "echo", json!({"text": "hi"}))["result"], text("hi"));
        }
        server.gate("slow").open();
        assert_eq!(bridge.expect_response(0)["result"], text("waited"));
    }
}

#[test]
fn a_low_limit_of_open_files_is_no_limit_of_requests() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::with_args(["-c", r#"ulimit -S -n 64; exec "$0" "$1""#])
        .args([env!("CARGO_BIN_EXE_bridge").to_owned(), server.url()])
        .program("/bin/sh")
        .spawn();
    bridge.initialize();
    for id in 0..IN_FLIGHT {
        call(&mut bridge, id, "wait", json!({"gate": "all"}));
    }
    server.wait_for_nth(IN_FLIGHT, tool("wait"));
    server.gate("all").open();
    for id in 0..IN_FLIGHT {
        assert_eq!(bridge.expect_response(id)["result"], text("waited"));
    }
}
