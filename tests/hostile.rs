//! Servers that mean harm, and clients that flood: what they can fill is bounded, and nothing hangs on it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bridge_process::{Builder, initialize_params};
use crate::support::mcp_server::matcher::{anything, tool, when};
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, Gate, McpServer, Step};

const MIB: usize = 1 << 20;

fn response_of(id: usize, bytes: usize) -> String {
    let text = "0123456789abcdef".repeat(bytes / 16);
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"content\":[],\"x\":\"{text}\"}}}}")
}

/// Waits until a number stays what it is for a while.
fn settled(mut number: impl FnMut() -> u64) -> u64 {
    let pause = Gate::named("time passes");
    let mut before = number();
    loop {
        pause.wait_at_most(Duration::from_millis(500));
        let now = number();
        if now == before {
            return now;
        }
        before = now;
    }
}

#[test]
fn many_large_answers_at_once_are_not_all_kept_while_nobody_reads() {
    const CALLS: usize = 32;
    for stream in [false, true] {
        let body = |id: usize| response_of(id, 4 * MIB);
        let server = McpServer::legacy().without_sessions().without_records();
        let server = (1..=CALLS).fold(server, |server, id| {
            let answer = match stream {
                true => Answer::stream([Step::event(body(id))]),
                false => Answer::json(body(id)),
            };
            server.once(tool(format!("t{id}").as_str()), answer)
        });
        let server = server.run();
        let mut bridge = BridgeProcess::to(server.url()).spawn();
        bridge.initialize();
        bridge.hold_stdout();
        for id in 1..=CALLS {
            bridge.request(id, "tools/call", json!({"name": format!("t{id}")}));
        }
        settled(|| server.bytes_written());
        let (_, peak) = bridge.memory();
        // While an event is put together it takes up to twice its size.
        let bound = if stream { 180 } else { 110 };
        assert!(peak < bound * 1024, "{peak} KiB for {} MiB", 4 * CALLS);
        bridge.read_stdout();
        for id in 1..=CALLS {
            let length = bridge.expect_response(id)["result"]["x"].as_str().map(str::len);
            assert_eq!(length, Some(4 * MIB));
        }
    }
}

#[test]
fn garbage_on_stdin_does_not_fill_the_memory_while_nobody_reads_stdout() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).hold_stdout().unchecked().spawn();
    // Which would be a hundred times as much of errors.
    bridge.send_raw("x\n".repeat(4 * MIB));
    settled(|| bridge.memory().0);
    let (_, peak) = bridge.memory();
    assert!(peak < 64 * 1024, "{peak} KiB at most");
    bridge.kill();
}

#[test]
fn a_notification_that_can_not_be_taken_does_not_end_the_request_of_its_stream() {
    let large = json!({"jsonrpc": "2.0", "method": "notifications/message",
        "params": {"data": "x".repeat(100_000)}});
    let not_text =
        [&b"data: {\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":\"\xff\xfe\"}\n\n"[..]].concat();
    let steps = [
        Step::event(large.to_string()),
        Step::bytes(not_text),
        Step::notification("notifications/message", json!({"data": "small"})),
        Step::result(text("done")),
    ];
    let server = McpServer::legacy().once(tool("fill"), Answer::stream(steps)).run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--max-message-size", "64k"]).spawn();
    bridge.allow_invalid();
    bridge.initialize();
    bridge.request(7, "tools/call", json!({"name": "fill"}));
    assert_eq!(bridge.expect_message()["params"]["data"], "small");
    assert_eq!(bridge.expect_response(7)["result"], text("done"));
    bridge.wait_for_stderr("larger than allowed");
    bridge.wait_for_stderr("not valid UTF-8");
}

#[test]
fn an_answer_that_can_not_be_taken_is_an_error_for_its_id_wherever_the_id_stands() {
    let filler = "x".repeat(100_000);
    let last = format!("{{\"jsonrpc\":\"2.0\",\"result\":{{\"x\":\"{filler}\"}},\"id\":7}}");
    let bad = b"data: {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\xff\"}\n\n".to_vec();
    for step in [Step::event(last), Step::bytes(bad)] {
        let server = McpServer::legacy().once(tool("fill"), Answer::stream([step])).run();
        let mut bridge =
            BridgeProcess::to(server.url()).args(["--max-message-size", "64k"]).spawn();
        bridge.initialize();
        let response = bridge.call_tool(7, "fill", json!({}));
        assert!(response["error"]["code"].is_i64(), "{response}");
        assert_eq!(bridge.call_tool(8, "echo", json!({"text": "on"}))["result"], text("on"));
    }
}

#[test]
fn a_flood_of_warnings_is_a_few_lines_that_can_not_be_turned_round() {
    let odd = (0..500).map(|n| Step::event(format!("{n} \u{202e}\u{2028} no message")));
    let steps = odd.chain([Step::result(text("done"))]);
    let server = McpServer::legacy().once(tool("echo"), Answer::stream(steps)).run();
    let mut bridge = BridgeProcess::before(&server);
    assert_eq!(bridge.call_tool(7, "echo", json!({}))["result"], text("done"));
    bridge.close_stdin();
    bridge.wait_exit();
    bridge.wait_for_stderr("more warnings were left out");
    let said = bridge.stderr_text();
    assert!(said.lines().count() <= 6, "{said}");
    assert!(!said.contains(['\u{202e}', '\u{2028}']), "{said}");
}

#[test]
fn a_large_error_on_a_refusal_passes_whole() {
    let filler = "x".repeat(3 * MIB);
    let body = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{{\"code\":-32602,\"message\":\"m\",\"data\":\"{filler}\"}}}}"
    );
    let answer = Answer::json(body.clone()).with_status(422);
    let server = McpServer::legacy().once(tool("echo"), answer).run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.request(7, "tools/call", json!({"name": "echo"}));
    let line = bridge.expect_response_line(7);
    assert!(line == body, "{} bytes of {}", line.len(), body.len());
}

#[test]
fn what_stands_behind_more_requests_than_may_wait_is_read() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.allow_invalid();
    bridge.initialize_with(json!({"elicitation": {}}));
    server.wait_for_get_stream();
    let requests: String = (0..66_000)
        .map(|id| {
            format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":\
                 {{\"name\":\"wait\",\"arguments\":{{\"gate\":\"all\"}}}}}}\n"
            )
        })
        .collect();
    bridge.send_raw(requests);
    server.ask("q", "elicitation/create", json!({"message": "?"}));
    bridge.expect_method("elicitation/create");
    bridge.respond("q", json!({"action": "decline"}));
    assert_eq!(server.answer_to("q")["result"]["action"], "decline");
    let refused = bridge.expect_response(65_999);
    assert_eq!(refused["error"]["data"]["kind"], Value::from("busy"), "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|m| m.contains("too many requests")));
    bridge.close_stdin();
    bridge.wait_exit_within(Duration::from_secs(10));
    server.gate("all").open();
}

/// All text below a folder.
fn written(folder: &std::path::Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let text = |path: std::path::PathBuf| match path.is_dir() {
        true => written(&path),
        false => String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned(),
    };
    entries.map(|entry| text(entry.path())).collect()
}

#[test]
fn a_token_that_a_server_repeats_is_in_no_error_of_ours_and_in_no_file() {
    const TOKEN: &str = "repeated-5c1e";
    let said = format!("no entry with Bearer {TOKEN}");
    let wants = format!("Bearer error=\"insufficient_scope\", scope=\"{TOKEN}\"");
    let elsewhere = format!("https://elsewhere.invalid/{TOKEN}");
    for answer in [
        Answer::text(&said).with_status(400),
        Answer::text(&said),
        Answer::error(-32000, &said),
        Answer::error(-32000, &said).with_status(400),
        Answer::redirect(302, &elsewhere),
        Answer::status(403).header("www-authenticate", &wants),
    ] {
        let has_token = when("has a token", |request| request.header("authorization").is_some());
        let server = McpServer::legacy().allow(anything()).always(has_token, answer);
        let server = server.always(anything(), Answer::status(401)).run();
        let url = server.url();
        let ends = |process: Builder, given: &str| {
            let mut process = process.spawn();
            process.send(given);
            process.close_stdin();
            process.wait_exit();
            assert!(!process.stderr_text().contains(TOKEN), "{}", process.stderr_text());
            process
        };
        let login = ["login", &url, "--with-token"].map(str::to_owned);
        let home = ends(BridgeProcess::with_args(login).unchecked(), TOKEN);
        let log = home.home().join("log").display().to_string();
        let mut bridge =
            BridgeProcess::to(&url).home_of(&home).args(["--debug", "--log", &log]).spawn();
        let answer = bridge.call(1, "initialize", initialize_params(json!({})));
        let is_ours = answer["error"]["data"]["kind"].is_string();
        assert!(!is_ours || !answer.to_string().contains(TOKEN), "{answer}");
        bridge.close_stdin();
        bridge.wait_exit();
        for verb in ["tools", "doctor"] {
            let using = BridgeProcess::with_args([verb, &*url]).unchecked().home_of(&home);
            let using = ends(using, "");
            assert!(!using.unread().concat().contains(TOKEN), "{:?}", using.unread());
        }
        let written = written(home.home());
        let line = written.lines().find(|line| line.contains(TOKEN));
        assert_eq!(line, None);
        assert!(server.requests_of(anything()).iter().any(|request| {
            request.header("authorization").is_some_and(|it| it.ends_with(TOKEN))
        }));
    }
}
