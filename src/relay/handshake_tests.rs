//! A connection that is not there yet, by the machine alone: what the client is told and when, and what
//! the server is asked.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::bench::{
    Bench, CAPABILITIES, INITIALIZE, INITIALIZED, KINDS, everything, failure, hello, passing,
    seconds, unreachable,
};
use super::machine::{FromServer, Origin};
use super::remembered::{Memory, Place};
use super::world::Notebook;
use crate::jsonrpc::Message;
use crate::remote::{Failure, FailureKind, Fate, Outcome};
use crate::secret::Secret;

// ---- the client's `initialize`

#[test]
fn an_initialize_that_is_not_answered_in_five_seconds_is_answered_by_us() {
    let mut bench = Bench::opening();
    bench.pass(seconds(4.999));
    assert!(bench.written.is_empty());
    bench.pass(seconds(0.001));
    let answer = bench.take_one();
    assert_eq!(
        (&answer["id"], &answer["result"]["protocolVersion"]),
        (&json!("i"), &json!("2025-06-18"))
    );
    let offered = answer["result"]["capabilities"].as_object().unwrap();
    let offered: Vec<_> = offered.keys().map(String::as_str).collect();
    assert_eq!(offered, ["completions", "logging", "prompts", "resources", "tools"]);
}

#[test]
fn the_late_answer_of_the_server_is_used_and_neither_asked_for_nor_given_again() {
    let mut bench = Bench::answered_by_us();
    bench.client(INITIALIZED);
    bench.pass(seconds(20.0));
    assert_eq!(bench.attempts, [Duration::ZERO]);
    bench.connect_wholly(everything());
    assert_eq!(bench.take_methods(), KINDS);
    assert_eq!((bench.attempts.len(), bench.listening), (1, 1));
    bench.request(1, "tools/call");
    assert!(bench.under_way("tools/call").is_some());
}

#[test]
fn an_answer_in_time_is_the_servers_own() {
    for failure in passing() {
        let mut bench = Bench::opening();
        bench.refuse(&failure);
        if matches!(failure.kind, FailureKind::Refused | FailureKind::NotFound) {
            let answer = bench.take_one();
            assert_eq!(
                answer["result"]["serverInfo"]["version"], "unknown",
                "it does not come soon"
            );
            continue;
        }
        assert!(bench.written.is_empty(), "it may still come");
        bench.pass(seconds(4.9));
        assert!(bench.attempts.len() >= 2, "{:?}", bench.attempts);
        bench.connect("2025-06-18", json!({"tools": {}}));
        assert_eq!(bench.take_one()["result"]["serverInfo"]["name"], "real");
    }
}

#[test]
fn a_refusal_that_may_pass_is_answered_at_once_by_what_is_remembered() {
    for failure in passing() {
        let mut memory = Notebook::default();
        memory.keep(Place::Initialize, CAPABILITIES, &hello("2025-03-26", json!({"tools": {}})));
        let mut bench = Bench::with(memory);
        bench.client(INITIALIZE);
        assert!(bench.written.is_empty());
        bench.refuse(&failure);
        let result = &bench.take_one()["result"];
        assert_eq!(result["protocolVersion"], "2025-03-26");
        assert_eq!(result["capabilities"], json!({"tools": {"listChanged": true}}));
    }
}

#[test]
fn what_is_remembered_for_other_capabilities_is_not_used() {
    let mut memory = Notebook::default();
    memory.keep(Place::Initialize, "{}", &hello("2025-03-26", json!({"tools": {}})));
    let mut bench = Bench::with(memory);
    bench.client(INITIALIZE);
    bench.refuse(&unreachable());
    assert!(bench.written.is_empty());
}

#[test]
fn a_refusal_that_does_not_pass_is_the_answer() {
    for kind in [FailureKind::HeaderRefused, FailureKind::Redirected, FailureKind::BadAnswer] {
        let mut bench = Bench::opening();
        bench.refuse(&failure(kind, Fate::Settled));
        let answer = bench.take_one();
        assert_eq!(answer["id"], "i");
        assert!(answer["error"]["code"].is_number(), "{answer}");
        bench.pass(seconds(600.0));
        assert_eq!((bench.attempts.len(), bench.written.len()), (1, 0));
    }
}

#[test]
fn an_error_of_the_server_passes_untouched() {
    let error = r#"{"error":{"message":"no","code":-32602.0},"jsonrpc":"2.0","id":"i"}"#;
    let mut bench = Bench::opening();
    let (exchange, _) = bench.under_way("initialize").unwrap();
    let message = Message::parse(Bytes::from_static(error.as_bytes())).unwrap();
    let origin = Origin::Exchange(exchange);
    bench.machine.server_sent(FromServer { origin, message, room: None }, bench.now);
    bench.obey();
    bench.end(exchange, Outcome::Answered);
    assert_eq!(bench.written, [error]);
}

#[test]
fn a_confirmation_that_comes_before_the_answer_is_kept() {
    let mut bench = Bench::opening();
    bench.client(INITIALIZED);
    bench.request(1, "tools/call");
    assert_eq!(bench.methods_under_way(), ["initialize"]);
    bench.connect("2025-06-18", everything());
    assert_eq!(bench.methods_under_way(), ["notifications/initialized"]);
    bench.answer("notifications/initialized", "");
    assert_eq!(bench.methods_under_way(), ["tools/call"]);
    assert_eq!(bench.listening, 1);

    let mut bench = Bench::opening();
    bench.client(INITIALIZED);
    bench.pass(seconds(5.0));
    bench.connect_wholly(everything());
    assert_eq!(bench.take_methods(), ["a response", KINDS[0], KINDS[1], KINDS[2]]);
}

// ---- further attempts

#[test]
fn it_tries_again_after_a_second_and_then_ever_less_often() {
    let mut bench = Bench::opening();
    for _ in 0..14 {
        bench.refuse(&unreachable());
        while bench.under_way("initialize").is_none() {
            bench.pass(seconds(1.0));
        }
    }
    let waits: Vec<_> =
        bench.attempts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    for (wait, longest) in
        waits.iter().zip([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300])
    {
        // Half to the whole, and the step of this test.
        let longest = f64::from(longest);
        assert!((longest / 2.0..=longest + 1.0).contains(wait), "{wait} of {longest}");
    }
}

#[test]
fn each_request_makes_it_try_again() {
    let mut bench = Bench::down();
    for attempt in 2..6 {
        bench.request(attempt, "tools/call");
        assert_eq!(bench.attempts.len(), attempt as usize);
        bench.refuse(&unreachable());
        assert_eq!(bench.take_one()["error"]["code"], -31001);
    }
}

#[test]
fn a_server_that_says_when_to_come_back_is_left_alone_until_then() {
    let mut bench = Bench::opening();
    let busy = failure(FailureKind::Busy, Fate::NotExecuted);
    bench.refuse(&Failure { retry_after: Some(seconds(90.0)), ..busy });
    bench.pass(seconds(89.0));
    assert_eq!(bench.attempts.len(), 1);
    bench.pass(seconds(2.0));
    assert_eq!(bench.attempts.len(), 2);
}

#[test]
fn a_server_that_says_nothing_at_all_is_asked_again_in_the_end() {
    let mut bench = Bench::answered_by_us();
    bench.pass(seconds(290.0));
    assert_eq!(bench.attempts.len(), 1);
    bench.pass(seconds(30.0));
    assert_eq!(bench.attempts.len(), 2);
    assert_eq!(bench.methods_under_way(), ["initialize"], "the first was given up");
}

// ---- while it is not there

#[test]
fn a_list_that_is_remembered_is_given_at_once() {
    let mut memory = Notebook::default();
    memory.keep(Place::List, "tools/list", r#"{"tools":[{"name":"t"}]}"#);
    let mut bench = Bench::with(memory);
    bench.client(INITIALIZE);
    bench.pass(seconds(5.0));
    bench.take_written();
    bench.request(1, "tools/list");
    assert_eq!(bench.take_one()["result"], json!({"tools": [{"name": "t"}]}));
    bench.client(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"c"}}"#);
    assert!(bench.written.is_empty(), "only the first page is remembered");
}

#[test]
fn a_list_that_is_not_remembered_waits_for_the_connection() {
    let mut bench = Bench::down();
    bench.request(1, "tools/list");
    bench.refuse(&unreachable());
    bench.pass(seconds(2.0));
    bench.connect_wholly(everything());
    bench.take_written();
    bench.answer("tools/list", r#"{"tools":[]}"#);
    assert_eq!(bench.take_one()["id"], 1);
}

#[test]
fn a_list_that_waited_for_five_seconds_is_empty() {
    let lists = [
        ("tools/list", json!({"tools": []})),
        ("prompts/list", json!({"prompts": []})),
        ("resources/list", json!({"resources": []})),
        ("resources/templates/list", json!({"resourceTemplates": []})),
    ];
    for (method, empty) in lists {
        let mut bench = Bench::down();
        bench.request(1, method);
        for _ in 0..49 {
            if bench.under_way("initialize").is_some() {
                bench.refuse(&unreachable());
            }
            bench.pass(seconds(0.1));
        }
        assert!(bench.written.is_empty(), "{method}");
        bench.pass(seconds(0.1));
        assert_eq!(bench.take_one()["result"], empty);
    }
}

#[test]
fn a_call_gets_the_reason_why_there_is_no_connection() {
    let mut bench = Bench::answered_by_us();
    bench.client(INITIALIZED);
    bench.request(1, "tools/call");
    assert!(bench.written.is_empty(), "the server is being asked");
    bench.refuse(&Failure {
        what: "HTTP 503 from h".into(),
        ..failure(FailureKind::Status, Fate::Settled)
    });
    let error = bench.take_one();
    assert_eq!((&error["id"], &error["error"]["code"]), (&json!(1), &json!(-31008)));
    assert!(error["error"]["message"].as_str().unwrap().contains("HTTP 503 from h"), "{error}");
}

#[test]
fn a_call_does_not_wait_for_ever_for_a_server_that_says_nothing() {
    let mut bench = Bench::answered_by_us();
    bench.request(1, "tools/call");
    bench.pass(seconds(31.0));
    assert_eq!(bench.take_one()["error"]["code"], -31001);
    bench.connect_wholly(everything());
    assert!(bench.under_way("tools/call").is_none(), "what was answered is not sent any more");
}

#[test]
fn a_ping_is_answered_and_notifications_wait() {
    let mut bench = Bench::down();
    bench.request(1, "ping");
    assert_eq!(bench.take_one()["result"], json!({}));
    bench.client(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#);
    assert!(bench.sent.is_empty());
    bench.request(2, "tools/call");
    bench.connect_wholly(everything());
    assert_eq!(bench.methods_under_way(), ["notifications/roots/list_changed", "tools/call"]);
}

// ---- once it is there

#[test]
fn the_client_is_told_of_changed_lists_once_and_not_before_it_confirmed() {
    let mut bench = Bench::answered_by_us();
    bench.connect_wholly(everything());
    assert!(bench.written.is_empty(), "it has not confirmed yet");
    bench.client(INITIALIZED);
    assert_eq!(bench.take_methods(), KINDS);
    assert!(bench.under_way("notifications/initialized").is_none(), "ours was sent before");
    bench.client(INITIALIZED);
    assert!(bench.written.is_empty(), "once is enough");

    let mut bench = Bench::answered_by_us();
    bench.connect("2025-06-18", everything());
    bench.client(INITIALIZED);
    assert!(bench.written.is_empty(), "the server has not taken `initialized` yet");
    bench.answer("notifications/initialized", "");
    assert_eq!(bench.take_methods(), KINDS);
}

#[test]
fn a_client_that_got_the_servers_own_answer_is_told_of_no_changes() {
    let mut bench = Bench::opening();
    bench.connect("2025-06-18", everything());
    bench.client(INITIALIZED);
    bench.answer("notifications/initialized", "");
    assert_eq!(bench.take_methods(), ["a response"]);
}

#[test]
fn lists_that_the_server_turns_out_not_to_have_are_empty() {
    let mut bench = Bench::down();
    bench.request(1, "tools/call");
    bench.connect_wholly(json!({"tools": {}}));
    bench.take_written();
    bench.sent.clear();
    for method in ["prompts/list", "resources/list", "resources/templates/list"] {
        bench.request(2, method);
        assert!(bench.take_one()["result"].is_object(), "{method}");
    }
    bench.request(3, "tools/list");
    bench.request(4, "prompts/get");
    assert_eq!(bench.methods_under_way(), ["tools/list", "prompts/get"]);
}

#[test]
fn a_list_that_waited_for_a_server_that_does_not_have_it_is_empty_too() {
    let mut bench = Bench::down();
    bench.request(1, "prompts/list");
    bench.connect_wholly(json!({"tools": {}}));
    assert!(bench.under_way("prompts/list").is_none());
    let written = bench.take_written();
    let answer = written.iter().find(|message| message["id"] == 1).expect("an answer");
    assert_eq!(answer["result"], json!({"prompts": []}));
}

#[test]
fn a_client_that_got_the_servers_own_answer_asks_what_it_wants() {
    let mut bench = Bench::opening();
    bench.connect("2025-06-18", json!({"tools": {}}));
    bench.client(INITIALIZED);
    bench.answer("notifications/initialized", "");
    bench.request(2, "prompts/list");
    assert_eq!(bench.methods_under_way(), ["prompts/list"]);
}

#[test]
fn a_log_level_is_kept_until_the_server_can_take_it() {
    let level =
        r#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}"#;
    let mut bench = Bench::down();
    bench.client(level);
    assert_eq!(bench.take_one()["result"], json!({}));
    bench.request(2, "tools/call");
    bench.connect_wholly(everything());
    let (_, sent) = bench.under_way("logging/setLevel").expect("the level");
    assert!(std::str::from_utf8(sent.bytes()).unwrap().ends_with(r#""params":{"level":"debug"}}"#));
    bench.take_written();
    bench.answer("logging/setLevel", "{}");
    assert!(bench.written.is_empty(), "the client has its answer");

    let mut bench = Bench::down();
    bench.client(level);
    bench.request(2, "tools/call");
    bench.connect_wholly(json!({"tools": {}}));
    assert!(bench.under_way("logging/setLevel").is_none(), "a server without logging");
}

#[test]
fn the_session_has_the_version_that_the_server_chose() {
    let mut bench = Bench::down();
    bench.request(1, "tools/call");
    bench.connect("2025-03-26", everything());
    bench.answer("notifications/initialized", "");
    let (_, sent) =
        bench.sent.iter().find(|(_, sent)| sent.message.method() == Some("tools/call")).unwrap();
    let session = sent.session.as_ref().unwrap();
    assert_eq!((&*session.version, session.id.is_some()), ("2025-03-26", true));
}

#[test]
fn a_server_that_never_ends_its_answer_to_initialized_is_used_all_the_same() {
    let mut bench = Bench::opening();
    bench.connect("2025-06-18", everything());
    bench.client(INITIALIZED);
    bench.request(1, "tools/call");
    bench.pass(seconds(4.9));
    assert_eq!(bench.methods_under_way(), ["notifications/initialized"]);
    bench.pass(seconds(0.1));
    assert_eq!(bench.methods_under_way(), ["notifications/initialized", "tools/call"]);
    assert_eq!(bench.listening, 1);
    bench.answer("notifications/initialized", "");
    assert_eq!(bench.listening, 1);
}

#[test]
fn notifications_keep_their_order_but_none_is_held_for_ever() {
    let mut bench = Bench::opening();
    bench.connect("2025-06-18", everything());
    bench.client(INITIALIZED);
    bench.answer("notifications/initialized", "");
    for method in ["a", "b", "c"] {
        bench.client(&json!({"jsonrpc": "2.0", "method": method}).to_string());
    }
    assert_eq!(bench.methods_under_way(), ["a"]);
    bench.pass(seconds(5.0));
    assert_eq!(bench.methods_under_way(), ["a", "b"]);
    bench.answer("a", "");
    assert_eq!(bench.methods_under_way(), ["b"], "the end of the first says nothing of the second");
    bench.answer("b", "");
    assert_eq!(bench.methods_under_way(), ["c"]);
}

#[test]
fn initialize_is_not_cancelled() {
    let mut bench = Bench::opening();
    bench.client(
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"i"}}"#,
    );
    bench.connect("2025-06-18", everything());
    assert_eq!(bench.take_one()["id"], "i");
    bench.client(INITIALIZED);
    bench.answer("notifications/initialized", "");
    assert!(bench.sent.is_empty(), "nothing of it reaches the server");
}

// ---- sessions that were given and never opened

#[test]
fn a_session_that_was_given_while_the_end_came_is_ended() {
    let mut bench = Bench::opening();
    let (exchange, _) = bench.under_way("initialize").unwrap();
    bench.machine.session_given(exchange, Secret::new("early".into()));
    bench.machine.end(bench.now);
    bench.pass(seconds(1.0));
    assert_eq!(bench.sessions_ended, ["early"]);
}

#[test]
fn a_session_of_a_handshake_that_failed_is_ended() {
    let mut bench = Bench::opening();
    let (exchange, _) = bench.under_way("initialize").unwrap();
    bench.machine.session_given(exchange, Secret::new("early".into()));
    bench.refuse(&unreachable());
    assert_eq!(bench.sessions_ended, ["early"]);
}
