//! The rewrites that the design asks for: each changes what it has to and nothing else. `listChanged`
//! stands in [`super::handshake`].

use super::{assert_ends_well, beyond_handshake, session, session_with};
use crate::support::mcp_server::Lost;
use crate::support::{Answer, McpServer, Step};

const QUESTION: &str = r#"{"jsonrpc":"2.0","id":"q\/1","method":"acme/do"}"#;

/// An error without the request's id, and what the client has to get.
const WITHOUT_ID: [(&str, &str); 6] = [
    (
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","id":"q\/1","error":{"code":-1,"message":"no"}}"#,
    ),
    (
        r#"{ "error":{"data":{"id":null},"code":-1.0,"message":"\ud800"} , "id" : null , "jsonrpc":"2.0", "x":1E400 }"#,
        r#"{ "error":{"data":{"id":null},"code":-1.0,"message":"\ud800"} , "id" : "q\/1" , "jsonrpc":"2.0", "x":1E400 }"#,
    ),
    (
        r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"no","id":3}}"#,
        r#"{"id":"q\/1","jsonrpc":"2.0","error":{"code":-1,"message":"no","id":3}}"#,
    ),
    (
        r#"{ "jsonrpc":"2.0","error":{"code":-1,"message":"{"}}"#,
        r#"{"id":"q\/1", "jsonrpc":"2.0","error":{"code":-1,"message":"{"}}"#,
    ),
    (
        r#"{"\ud800":0,"jsonrpc":"2.0","\u0069d":null,"error":{"code":-1,"message":"no"}}"#,
        r#"{"\ud800":0,"jsonrpc":"2.0","\u0069d":"q\/1","error":{"code":-1,"message":"no"}}"#,
    ),
    (
        r#"{"error":{"code":-1,"message":"no"},"result":null,"id":null}"#,
        r#"{"error":{"code":-1,"message":"no"},"result":null,"id":"q\/1"}"#,
    ),
];

#[test]
fn an_error_without_an_id_gets_that_of_its_request_and_nothing_else_changes() {
    let (server, mut bridge) = session_with(McpServer::legacy().without_sessions());
    for (sent, told) in WITHOUT_ID {
        let answers = [200, 400, 403, 404, 405, 409, 413, 422, 500, 502, 503, 504]
            .map(|status| Answer::json(sent).with_status(status));
        for answer in answers.into_iter().chain([
            Answer::stream([Step::event(sent)]),
            Answer::json(format!("[{sent}]")),
            Answer::stream([Step::event(format!("[{sent}]"))]),
        ]) {
            server.once(beyond_handshake("an error without an id"), answer);
            bridge.send(QUESTION);
            assert_eq!(bridge.expect_line(), told);
        }
    }
    assert_ends_well(bridge);
}

#[test]
fn an_error_with_another_id_on_a_status_gets_that_of_its_request_and_nothing_else_changes() {
    let (server, mut bridge) = session_with(McpServer::legacy().without_sessions());
    for (id, status) in ["0", "\"server-error\"", "1E400"].into_iter().zip([400, 403, 500]) {
        let error = |id: &str| {
            format!(
                r#"{{ "x":-0,"id": {id} ,"error":{{"code":-1.0,"message":"\ud800","id":{{}}}}}}"#
            )
        };
        let answer = Answer::json(error(id)).with_status(status);
        server.once(beyond_handshake("an error with another id"), answer);
        bridge.send(QUESTION);
        assert_eq!(bridge.expect_line(), error("\"q\\/1\""));
    }
    assert_ends_well(bridge);
}

#[test]
fn the_line_breaks_of_a_pretty_printed_body_become_spaces_and_nothing_else_changes() {
    let (server, mut bridge) = session();
    let cases = [
        (
            "{\n  \"jsonrpc\": \"2.0\",\n  \"id\": \"q\\/1\",\n  \"result\": {\n\t\"a\": [\n1.0,\n\n1E400]\n}\n}\n",
            "{   \"jsonrpc\": \"2.0\",   \"id\": \"q\\/1\",   \"result\": { \t\"a\": [ 1.0,  1E400] } }",
        ),
        (
            "\u{feff}\r\n{\r\n\"id\":\r\"q\\/1\",\r\n\"result\":\"a\\r\\nb\u{2028}\"}\r\n\r\n",
            "{  \"id\": \"q\\/1\",  \"result\":\"a\\r\\nb\u{2028}\"}",
        ),
        ("\n\n [\n{\"id\":\"q\\/1\",\n\"result\":{}}\n]\n", "{\"id\":\"q\\/1\", \"result\":{}}"),
    ];
    for (sent, told) in cases {
        server.once(beyond_handshake("pretty"), Answer::json(sent));
        bridge.send(QUESTION);
        assert_eq!(bridge.expect_line(), told);
        let lines = sent.replace("\r\n", "\n").replace('\r', "\n");
        if sent.contains('\r') {
            continue;
        }
        server.once(beyond_handshake("pretty"), Answer::stream([Step::event(lines)]));
        bridge.send(QUESTION);
        assert_eq!(bridge.expect_line(), told);
    }
    assert_ends_well(bridge);
}

#[test]
fn a_pretty_printed_error_on_a_status_becomes_one_line() {
    let (server, mut bridge) = session();
    let sent = "{\n  \"jsonrpc\": \"2.0\",\n  \"id\": null,\n  \"error\": {\"code\": -1,\n \"message\": \"no\"}\n}\n";
    let told = "{   \"jsonrpc\": \"2.0\",   \"id\": \"q\\/1\",   \"error\": {\"code\": -1,  \"message\": \"no\"} }";
    server.once(beyond_handshake("pretty"), Answer::json(sent).with_status(422));
    bridge.send(QUESTION);
    assert_eq!(bridge.expect_line(), told);
    assert_ends_well(bridge);
}

#[test]
fn an_id_of_an_earlier_session_is_replaced_and_nothing_else_changes() {
    let (server, mut bridge) = session();
    let question = r#"{ "method":"roots\/list","id":7.0,"params":{"id":7,"x":1E400} }"#;
    server.push_raw(question);
    assert_eq!(bridge.expect_line(), question);
    server.lose_sessions(Lost::NotFound);
    // The loss is noticed by the next request, which gets its answer in the new session.
    bridge.send(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    assert_eq!(
        bridge.expect_method("notifications/cancelled")["params"]["requestId"].to_string(),
        "7.0"
    );
    bridge.expect_response(1);
    server.push_raw(question);
    let told = r#"{ "method":"roots\/list","id":"bridge-1","params":{"id":7,"x":1E400} }"#;
    assert_eq!(bridge.expect_line(), told);
    bridge.send(r#"{ "result":{"id":"bridge-1","x":-0}, "id" : "bridge-1" }"#);
    let answered = server.wait_for(crate::support::mcp_server::matcher::response());
    assert_eq!(answered.body, r#"{ "result":{"id":"bridge-1","x":-0}, "id" : 7.0 }"#);

    server.push_raw(question);
    let told = bridge.expect_line();
    assert!(told.contains("\"bridge-2\""), "{told}");
    server.push_raw(
        r#"{"params":{"reason":"\ud800","requestId" : 7 },"method":"notifications/cancelled"}"#,
    );
    assert_eq!(
        bridge.expect_line(),
        r#"{"params":{"reason":"\ud800","requestId" : "bridge-2" },"method":"notifications/cancelled"}"#
    );
    assert_ends_well(bridge);
}
