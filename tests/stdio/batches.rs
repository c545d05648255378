//! Batches of revision 2025-03-26: split on the way out, accepted on the way in.

use super::{
    assert_goes_on_and_ends_well, assert_refuses, goes_on_and_ends, session, unchecked_session,
};
use crate::support::mcp_server::matcher::{post, response};
use crate::support::{Answer, Gate, Step};

const ASK: &str = r#"{"jsonrpc":"2.0","id":7,"method":"acme/do"}"#;
const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7, "result":{"x":1E400}}"#;
const NEWS: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1.0}}"#;
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":"ask-1","method":"roots/list" }"#;

#[test]
fn each_message_of_a_batch_is_a_post_of_its_own() {
    let (server, mut bridge) = session(&[]);
    server.push_raw(QUESTION);
    assert_eq!(bridge.expect_line(), QUESTION);
    let before = server.count(post());
    let messages = [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","x":1E400}"#,
        r#"{ "jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1.0,"progress":1} }"#,
        r#"{"jsonrpc":"2.0","id":"ask-1","result":{"roots":[]}}"#,
        r#"{"jsonrpc":"2.0","id":"two","method":"ping"}"#,
    ];
    bridge.send(format!(" [ {} ] ", messages.join(" ,\t")));
    assert_eq!(bridge.expect_response_line(1), r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(bridge.expect_response_line("two"), r#"{"jsonrpc":"2.0","id":"two","result":{}}"#);
    server.wait_for(response());
    server.wait_for("notifications/progress");
    let mut bodies: Vec<_> =
        server.requests_of(post())[before..].iter().map(|request| request.body.clone()).collect();
    let mut expected = messages.map(|message| message.as_bytes().to_vec());
    bodies.sort();
    expected.sort();
    assert_eq!(bodies, expected);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_batch_of_notifications_is_answered_by_nothing() {
    let (server, mut bridge) = session(&[]);
    let news = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    bridge.send(format!("[{news},{news}]"));
    server.wait_for_nth(2, "notifications/roots/list_changed");
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_broken_element_of_a_batch_is_refused_and_the_others_are_served() {
    let (_server, mut bridge) = unchecked_session(&[]);
    bridge.send(r#"[1,{"jsonrpc":"2.0","id":1,"method":"ping"},{"id":2},[],{"jsonrpc":"2.0","id":3,"method":"ping"}]"#);
    let mut lines: Vec<String> = (0..5).map(|_| bridge.expect_line()).collect();
    lines.sort();
    assert_eq!(lines[0], r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert!(lines[1].starts_with(r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32600"#), "{lines:?}");
    assert_eq!(lines[2], r#"{"jsonrpc":"2.0","id":3,"result":{}}"#);
    for line in &lines[3..] {
        assert!(
            line.starts_with(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600"#),
            "{lines:?}"
        );
    }
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn an_empty_or_unreadable_batch_gets_one_error() {
    let (server, mut bridge) = session(&[]);
    let before = server.count(post());
    for (line, code) in [
        ("[]", -32600),
        (" [ \t ] ", -32600),
        ("[", -32700),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}"#, -32700),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},]"#, -32700),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]]"#, -32700),
    ] {
        bridge.send_raw(format!("{line}\n"));
        assert_refuses(&mut bridge, line, code, "null");
    }
    assert_eq!(server.count(post()), before);
    assert_goes_on_and_ends_well(bridge);
}

/// Every way in which a batch comes in answer to a request.
fn ways(batch: &str) -> [Answer; 4] {
    [
        Answer::json(batch.to_owned()),
        Answer::json(batch.to_owned()).gzip(),
        Answer::json(batch.replace(',', "\n,\r\n")),
        Answer::stream([Step::event(batch)]),
    ]
}

#[test]
fn a_batch_of_the_server_is_taken_apart() {
    let (server, mut bridge) = session(&[]);
    for answer in ways(&format!("[{NEWS},{QUESTION},{ANSWER}]")) {
        server.once("acme/do", answer);
        bridge.send(ASK);
        let spaced = |line: String| line.replace("  ,   ", ",").replace(" ,  ", ",");
        assert_eq!(spaced(bridge.expect_line()), NEWS);
        assert_eq!(spaced(bridge.expect_line()), QUESTION);
        assert_eq!(spaced(bridge.expect_line()), ANSWER);
    }
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_batch_on_the_get_stream_is_taken_apart() {
    let (server, mut bridge) = session(&[]);
    server.push_raw(&format!("[{NEWS},\n{QUESTION}]"));
    assert_eq!(bridge.expect_line(), NEWS);
    assert_eq!(bridge.expect_line(), QUESTION);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn an_answer_may_stand_in_the_batch_of_another_request() {
    let (server, mut bridge) = session(&[]);
    bridge.allow_invalid();
    let gate = Gate::named("both are asked");
    let both =
        r#"[{"jsonrpc":"2.0","id":2,"result":"two"},{"jsonrpc":"2.0","id":1,"result":"one"}]"#;
    server.once(crate::support::mcp_server::matcher::id(1), Answer::json(both).after(&gate));
    server.once(crate::support::mcp_server::matcher::id(2), Answer::stall());
    bridge.send(r#"{"jsonrpc":"2.0","id":1,"method":"acme/do"}"#);
    bridge.send(r#"{"jsonrpc":"2.0","id":2,"method":"acme/do"}"#);
    server.wait_for_nth(2, "acme/do");
    gate.open();
    assert_eq!(bridge.expect_response(2)["result"], "two");
    assert_eq!(bridge.expect_response(1)["result"], "one");
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_broken_element_of_a_servers_batch_does_not_take_the_others_with_it() {
    let (server, mut bridge) = session(&[]);
    for answer in ways(&format!(r#"[42,{NEWS},{{"jsonrpc":"2.0"}},[],{ANSWER}]"#)) {
        server.once("acme/do", answer);
        bridge.send(ASK);
        bridge.expect_method("notifications/message");
        bridge.expect_response_line(7);
    }
    goes_on_and_ends(bridge);
}

#[test]
fn a_batch_without_the_answer_is_an_error_for_its_request() {
    let (server, mut bridge) = session(&[]);
    for batch in ["[]", "[ ]", "[1]", "[{}]", r#"[{"jsonrpc":"2.0","id":8,"result":{}}]"#] {
        for answer in ways(batch) {
            server.once("acme/do", answer);
            bridge.send(ASK);
            let error = bridge.expect_response(7);
            assert!(
                (-31019..=-31000).contains(&error["error"]["code"].as_i64().expect("a code")),
                "{batch}: {error}"
            );
        }
    }
    goes_on_and_ends(bridge);
}
