//! `--max-message-size`: one error for what is larger, and the session lives on.

use serde_json::{Value, json};

use super::{
    assert_goes_on_and_ends_well, assert_refuses, goes_on_and_ends, session, unchecked_session,
};
use crate::support::mcp_server::matcher::{get, id, post, response};
use crate::support::{Answer, BridgeProcess, Gate, Step};

const LIMIT: usize = 4096;
const LIMITED: [&str; 2] = ["--max-message-size", "4k"];
const INVALID_REQUEST: i64 = -32600;

fn filler() -> String {
    "x".repeat(LIMIT)
}

#[test]
fn a_line_that_is_too_long_gets_an_error_with_its_id_and_the_next_line_is_served() {
    let (server, mut bridge) = unchecked_session(&LIMITED);
    let before = server.count(post());
    let filler = filler();
    let cases = [
        (format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["{filler}"]}}"#), "1"),
        (
            format!(
                r#"{{"method":"tools/call","params":{{"id":9,"a":"{filler}"}},"jsonrpc":"2.0","id":"two"}}"#
            ),
            "\"two\"",
        ),
        (format!(r#"{{"method":"{filler}","id":-3.0}}"#), "-3.0"),
        (
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":["{filler}"]}}"#
            ),
            "null",
        ),
        (format!(r#"[{{"jsonrpc":"2.0","id":4,"method":"ping","params":["{filler}"]}}]"#), "null"),
        (filler.repeat(100), "null"),
        (format!("{{\"id\":5,\"method\":\"ping\"{}", filler.repeat(50)), "5"),
        (format!(r#"{{"id":1{},"method":"ping"}}"#, "0".repeat(2 * LIMIT)), "null"),
    ];
    for (line, id) in cases {
        bridge.send(&line);
        assert_refuses(&mut bridge, &line[..40], INVALID_REQUEST, id);
        let ping = r#"{"jsonrpc":"2.0","id":"next","method":"ping"}"#;
        bridge.send(ping);
        assert_eq!(bridge.expect_line(), r#"{"jsonrpc":"2.0","id":"next","result":{}}"#);
    }
    assert_eq!(server.count(post()), before + 8);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn the_error_for_a_line_that_is_too_long_says_how_to_allow_it() {
    let (_server, mut bridge) = session(&LIMITED);
    bridge.request(1, "ping", json!([filler()]));
    let error = bridge.expect_response(1);
    let message = error["error"]["message"].as_str().expect("a message");
    assert!(message.contains("--max-message-size"), "{message}");
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_line_of_the_largest_size_is_served() {
    let (server, mut bridge) = session(&LIMITED);
    let line = |length: usize| {
        let empty = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[""]}"#;
        empty.replace("\"\"", &format!("\"{}\"", "x".repeat(length - empty.len())))
    };
    bridge.send(line(LIMIT));
    assert_eq!(bridge.expect_line(), r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(server.wait_for("ping").body, line(LIMIT));
    bridge.send(line(LIMIT + 1));
    assert_refuses(&mut bridge, "one more", INVALID_REQUEST, "1");
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_last_line_that_is_too_long_is_answered_too() {
    let (_server, mut bridge) = unchecked_session(&LIMITED);
    bridge.send_raw(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":["{}"#, filler()));
    bridge.close_stdin();
    // What is cut off is no request to the fixture, but its id can be read.
    assert!(bridge.wait_exit().success());
    let mut lines = bridge.unread();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines.remove(0).starts_with(r#"{"jsonrpc":"2.0","id":1,"error""#));
}

#[test]
fn an_answer_to_the_server_that_is_too_long_becomes_an_error_for_the_server() {
    let (server, mut bridge) = session(&LIMITED);
    bridge.allow_invalid();
    let gate = Gate::named("answer");
    server.once(id(5), Answer::result(json!("real")).after(&gate));
    bridge.send(r#"{"jsonrpc":"2.0","id":5,"method":"acme/do"}"#);
    server.wait_for(id(5));
    server.push_raw(r#"{"jsonrpc":"2.0","id":5,"method":"roots/list"}"#);
    bridge.expect_method("roots/list");
    // The id is the server's; the client's own request 5 is not meant.
    bridge.send(format!(r#"{{"jsonrpc":"2.0","id":5,"result":{{"roots":["{}"]}}}}"#, filler()));
    assert_refuses(&mut bridge, "an answer", INVALID_REQUEST, "null");
    let told: Value = server.wait_for(response()).json();
    assert_eq!(told["id"], 5);
    assert!(told["error"]["message"].is_string(), "{told}");
    gate.open();
    assert_eq!(bridge.expect_line(), r#"{"jsonrpc":"2.0","id":5,"result":"real"}"#);
    assert_goes_on_and_ends_well(bridge);
}

fn large_answer() -> String {
    format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"text":"{}"}}}}"#, filler().repeat(20))
}

/// Ways in which an answer is too large.
fn too_large() -> Vec<(&'static str, Answer)> {
    let pieces = || {
        let answer = large_answer().into_bytes();
        answer.chunks(1000).map(|piece| Step::bytes(piece.to_vec())).collect::<Vec<_>>()
    };
    let event = format!("data: {}\n\n", large_answer()).into_bytes();
    let events = event.chunks(1000).map(|piece| Step::bytes(piece.to_vec())).collect::<Vec<_>>();
    let lines = large_answer().replace("xxxx", "x\",\n\"");
    vec![
        ("JSON with its length", Answer::json(large_answer())),
        ("JSON without its length", Answer::pieces("application/json", pieces())),
        (
            "JSON without an end",
            Answer::pieces("application/json", pieces().into_iter().chain([Step::Never])),
        ),
        ("packed JSON", Answer::json(large_answer()).gzip()),
        ("packed JSON that is not labelled", Answer::json(large_answer()).gzip_unlabelled()),
        ("a bomb", Answer::gzip_bomb(64 << 20)),
        ("an event stream", Answer::stream([Step::event(large_answer())])),
        ("an event stream in pieces", Answer::pieces("text/event-stream", events)),
        ("an event of many lines", Answer::stream([Step::event(lines)])),
        (
            "an event without its blank line",
            Answer::pieces("text/event-stream", [Step::bytes(format!("data: {}", large_answer()))]),
        ),
        ("a packed event stream", Answer::bytes("text/event-stream", event.clone()).gzip()),
    ]
}

#[track_caller]
fn assert_too_large(bridge: &mut BridgeProcess, what: &str) {
    let error = bridge.expect_response(7);
    assert_eq!(error["error"]["data"]["kind"], "too_large", "{what}: {error}");
    let message = error["error"]["message"].as_str().expect("a message");
    assert!(message.contains("--max-message-size"), "{what}: {message}");
}

#[test]
fn an_answer_that_is_too_large_is_an_error_and_the_session_lives_on() {
    let (server, mut bridge) = session(&LIMITED);
    for (what, answer) in too_large() {
        server.once("acme/do", answer);
        bridge.send(r#"{"jsonrpc":"2.0","id":7,"method":"acme/do"}"#);
        assert_too_large(&mut bridge, what);
        assert_eq!(bridge.call("next", "ping", json!({}))["result"], json!({}), "{what}");
    }
    assert_eq!(server.sessions(), 1);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn an_answer_that_is_too_large_is_not_asked_for_again() {
    let (server, mut bridge) = session(&LIMITED);
    for (number, (what, answer)) in too_large().into_iter().enumerate() {
        server.once("resources/read", answer);
        bridge.send(r#"{"jsonrpc":"2.0","id":7,"method":"resources/read"}"#);
        assert_too_large(&mut bridge, what);
        assert_eq!(server.count("resources/read"), number + 1, "{what}");
    }
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn an_answer_of_the_largest_size_arrives() {
    let (server, mut bridge) = session(&LIMITED);
    bridge.allow_invalid();
    let empty = r#"{"jsonrpc":"2.0","id":7,"result":""}"#;
    let text = "x".repeat(LIMIT - empty.len());
    let answer = empty.replace("\"\"", &format!("\"{text}\""));
    for answered in [Answer::json(answer.clone()), Answer::stream([Step::event(answer.clone())])] {
        server.once("acme/do", answered);
        bridge.send(r#"{"jsonrpc":"2.0","id":7,"method":"acme/do"}"#);
        assert_eq!(bridge.expect_line(), answer);
    }
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn many_small_events_are_not_one_large_one() {
    let (server, mut bridge) = session(&LIMITED);
    let news = r#"{"jsonrpc":"2.0","method":"acme/news"}"#;
    let mut steps = vec![Step::event(news); 1000];
    steps.extend(vec![Step::comment("keep alive, keep alive, keep alive"); 1000]);
    steps.push(Step::result(json!({})));
    server.once("acme/do", Answer::stream(steps));
    bridge.send(r#"{"jsonrpc":"2.0","id":7,"method":"acme/do"}"#);
    for _ in 0..1000 {
        assert_eq!(bridge.expect_line(), news);
    }
    assert_eq!(bridge.expect_line(), r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn an_event_that_is_too_large_does_not_end_the_get_stream() {
    let (server, mut bridge) = session(&LIMITED);
    bridge.allow_invalid();
    let news =
        |data: &str| format!(r#"{{"jsonrpc":"2.0","method":"acme/news","params":["{data}"]}}"#);
    for size in [1, 10, 100] {
        server.push_raw(&news(&"é\u{2028}🦀".repeat(size * LIMIT)));
        server.push_raw(&news("small"));
        assert_eq!(bridge.expect_line(), news("small"));
    }
    for end in ["\n\n", "\r\n\r\n", "\r\r"] {
        let field = &end[..end.len() / 2];
        server.push_bytes(&format!(
            "data: {}{field}data: y{field}id: 1{end}data: {}{end}",
            filler(),
            news(end.trim())
        ));
        assert_eq!(bridge.expect_line(), news(""));
    }
    assert_eq!(server.count(get()), 1);
    goes_on_and_ends(bridge);
}
