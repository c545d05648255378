//! Lines of the client.

use serde_json::json;

use super::{assert_goes_on_and_ends_well, assert_refuses, session, unchecked_session};
use crate::support::mcp_server::matcher::{id, post};
use crate::support::{Answer, Gate};

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;

fn ping(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
}

fn pong(id: u32) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

#[test]
fn a_line_ends_with_lf_or_crlf() {
    let (server, mut bridge) = session(&[]);
    for (number, end) in [(1, "\n"), (2, "\r\n"), (3, " \t\r\n"), (4, "\n\n")] {
        bridge.send_raw(format!("{}{end}", ping(number)));
        assert_eq!(bridge.expect_line(), pong(number));
        assert_eq!(server.wait_for(id(number)).body, ping(number));
    }
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn blank_lines_are_passed_over() {
    let (_server, mut bridge) = session(&[]);
    bridge.send_raw(format!("\n\r\n   \n\t\r\n\n{}\n\n\r\n", ping(1)));
    assert_eq!(bridge.expect_line(), pong(1));
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_message() {
    let (server, mut bridge) = unchecked_session(&[]);
    bridge.send_raw(format!("\u{feff}{}\r\n", ping(1)));
    assert_eq!(bridge.expect_line(), pong(1));
    assert_eq!(server.wait_for(id(1)).body, ping(1));
    bridge.send_raw("\u{feff}\r\n");
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_carriage_return_alone_ends_no_line() {
    let (server, mut bridge) = session(&[]);
    let odd = "{\"jsonrpc\":\"2.0\",\r\"id\":1,\r\r\"method\":\"ping\"}";
    bridge.send(odd);
    assert_eq!(bridge.expect_line(), pong(1));
    assert_eq!(server.wait_for(id(1)).body, odd);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn the_last_line_needs_no_line_break() {
    let (_server, mut bridge) = session(&[]);
    bridge.send_raw(ping(1));
    bridge.close_stdin();
    assert_eq!(bridge.expect_line(), pong(1));
    assert!(bridge.wait_exit().success());
    bridge.assert_stderr_empty();
}

#[test]
fn a_line_may_come_in_any_pieces() {
    let (server, mut bridge) = unchecked_session(&[]);
    let line = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"é🦀"}}}"#;
    for byte in format!("{line}\r\n").as_bytes() {
        bridge.send_raw([*byte]);
    }
    let answer = bridge.expect_line();
    assert!(answer.starts_with(r#"{"jsonrpc":"2.0","id":1,"result":"#), "{answer}");
    assert_eq!(server.wait_for(id(1)).body, line);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn what_is_not_json_gets_a_parse_error_with_the_id_it_shows() {
    let (_server, mut bridge) = unchecked_session(&[]);
    let cases: [(&[u8], &str); 16] = [
        (b"hello", "null"),
        (b"{", "null"),
        (b"}", "null"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"", "5"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"b\",\"method\":\"ping\",}", "\"a\\\"b\""),
        (b"{\"method\":\"ping\",\"params\":{\"id\":4},\"id\":1e3]", "1e3"),
        (b"{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"ping\"} x", "6"),
        (b"{'jsonrpc':'2.0','id':7}", "null"),
        (b"{\"id\":007,\"method\":\"ping\"}", "null"),
        (b"{\"id\":+8,\"method\":\"ping\"}", "null"),
        (b"{\"id\":\"\\x\",\"method\":\"ping\"}", "null"),
        (b"{\"id\":9,\"method\":\"ping\",\"params\":{\"a\":NaN}}", "9"),
        (b"{\"id\":10,\"method\":\"ping\",\"params\":{\"a\":\"\t\"}}", "10"),
        (b"{\"id\":11,\"method\":\"ping\",\"params\":\"\0\"}", "11"),
        (b"{\"id\":12,\"method\":\"ping\",\"params\":{\"a\":\"\xff\xfe\"}}", "12"),
        (b"\xff\xfe{\0\"\0i\0d\0\"\0:\x001\0}\0", "null"),
    ];
    for (line, id) in cases {
        bridge.send_raw([line, b"\n"].concat());
        assert_refuses(&mut bridge, &String::from_utf8_lossy(line), PARSE_ERROR, id);
    }
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn what_is_json_but_no_message_gets_an_invalid_request_error_with_its_id() {
    let (server, mut bridge) = unchecked_session(&[]);
    let before = server.count(post());
    let cases = [
        ("42", "null"),
        ("\"x\"", "null"),
        ("null", "null"),
        ("true", "null"),
        ("{}", "null"),
        (r#"{"jsonrpc":"2.0"}"#, "null"),
        (r#"{"jsonrpc":"2.0","id":5}"#, "5"),
        (r#"{"jsonrpc":"2.0","id":"x","params":{}}"#, "\"x\""),
        (r#"{"jsonrpc":"2.0","id":6,"method":7}"#, "6"),
        (r#"{"jsonrpc":"2.0","id":7,"method":null}"#, "7"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "null"),
        (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, "null"),
        (r#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#, "null"),
        (r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, "null"),
        (r#"{"jsonrpc":"2.0","method":["ping"]}"#, "null"),
    ];
    for (line, id) in cases {
        bridge.send(line);
        assert_refuses(&mut bridge, line, INVALID_REQUEST, id);
    }
    assert_eq!(server.count(post()), before);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn a_broken_answer_to_the_server_is_no_answer_to_the_client() {
    let (server, mut bridge) = session(&[]);
    bridge.allow_invalid();
    let gate = Gate::named("answer");
    server.once(id(5), Answer::result(json!("real")).after(&gate));
    bridge.send(r#"{"jsonrpc":"2.0","id":5,"method":"acme/do"}"#);
    server.wait_for(id(5));
    // The ids of the server's questions are not those of the client's requests.
    for line in [
        r#"{"jsonrpc":"2.0","id":5,"result":{"a":}}"#,
        r#"{"result":{},"jsonrpc":"2.0","id":5"#,
        r#"{"error":{"code":1,"message":"x"},"id":5]"#,
    ] {
        bridge.send(line);
        assert_refuses(&mut bridge, line, PARSE_ERROR, "null");
    }
    gate.open();
    assert_eq!(bridge.expect_line(), r#"{"jsonrpc":"2.0","id":5,"result":"real"}"#);
    assert_goes_on_and_ends_well(bridge);
}

#[test]
fn each_request_gets_one_answer_where_several_have_one_id() {
    let (server, mut bridge) = session(&[]);
    bridge.allow_invalid();
    let gate = Gate::named("answers");
    server.always(
        "acme/do",
        Answer::response(|request| {
            let params = request.params();
            let id = request.rpc_id().unwrap_or_default();
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{params}}}"#)
        })
        .after(&gate),
    );
    for number in 0..5 {
        bridge
            .send(format!(r#"{{"jsonrpc":"2.0","id":1,"method":"acme/do","params":[{number}]}}"#));
    }
    for id in ["\"1\"", "1.0"] {
        bridge.send(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"acme/do","params":[{id}]}}"#));
    }
    server.wait_for_nth(7, "acme/do");
    gate.open();
    let mut lines: Vec<String> = (0..7).map(|_| bridge.expect_line()).collect();
    lines.sort();
    let mut expected: Vec<String> = [
        ("1", "0"),
        ("1", "1"),
        ("1", "2"),
        ("1", "3"),
        ("1", "4"),
        ("\"1\"", "\"1\""),
        ("1.0", "1.0"),
    ]
    .map(|(id, result)| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":[{result}]}}"#))
    .into();
    expected.sort();
    assert_eq!(lines, expected);
    assert_goes_on_and_ends_well(bridge);
}
