//! `initialize`, its answer and `initialized`: the bridge reads them and sends them on as they are, but
//! for `listChanged`.

use super::assert_ends_well;
use super::rows::{Report, Row};
use crate::support::mcp_server::matcher::anything;
use crate::support::{Answer, BridgeProcess, McpServer};

/// How a message is answered with.
type Way = fn(&str) -> Answer;

const PLAIN_HELLO: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const PLAIN_ANSWER: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#;

/// A handshake: what the client says, what the server answers. Gives the server, the bridge, and the
/// line that the client got.
fn handshake(hello: &str, answer: Answer) -> (McpServer, BridgeProcess, String) {
    let server =
        McpServer::legacy().without_sessions().once("initialize", answer).allow(anything()).run();
    let mut bridge = BridgeProcess::to(server.url()).unchecked().spawn();
    bridge.send(hello);
    let line = bridge.expect_line();
    (server, bridge, line)
}

#[test]
fn what_a_client_says_of_itself_arrives_byte_for_byte() {
    let rows = [
        Row::new("plain", PLAIN_HELLO),
        Row::new(
            "odd capabilities, extra fields, white space",
            r#"{ "x":1E400, "params":{"clientInfo":{"version":"\u0031","name":"\ud800","icons":[],"x":null},"capabilities":{"roots":{"listChanged":true},"sampling":{"tools":{},"context":{}},"elicitation":{"form":{},"url":{}},"tasks":{"requests":{"sampling":{"createMessage":{}}}},"experimental":{"z":1.0,"a":-0},"extensions":{"com.example/x":{}},"acme":[1e3]},"protocolVersion":"2025-11-25","_meta":{"progressToken":0},"trace":null},"method":"initialize","jsonrpc":"2.0","id":0 }"#,
        ),
        Row::new(
            "an unknown revision",
            r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2099-01-01","capabilities":{},"clientInfo":{}}}"#,
        ),
        Row::new(
            "a revision as a number, capabilities null",
            r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":7,"capabilities":null}}"#,
        ),
        Row::new("no params", r#"{"jsonrpc":"2.0","id":0,"method":"initialize"}"#),
        Row::new(
            "positional params",
            r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":[]}"#,
        ),
        Row::new(
            "escaped method",
            r#"{"jsonrpc":"2.0","id":0,"method":"initial\u0069ze","params":{}}"#,
        ),
    ];
    let mut report = Report::default();
    for row in &rows {
        let (server, bridge, line) = handshake(&row.message, Answer::json(PLAIN_ANSWER));
        report.compare(&row.name, row.message.as_bytes(), &server.wait_for("initialize").body);
        assert_eq!(line, PLAIN_ANSWER);
        assert_ends_well(bridge);
    }
    report.assert_all_arrived(rows.len());
}

#[test]
fn an_answer_that_needs_no_rewrite_arrives_byte_for_byte() {
    let rows = [
        Row::new("plain", PLAIN_ANSWER),
        Row::new(
            "lists that change already, extra fields",
            r#"{ "result":{"instructions":"\u0061\/\ud800","serverInfo":{"version":1.0,"name":"s","icons":[{"src":"data:,"}],"x":null},"capabilities":{"tools":{"listChanged":true,"x":1},"prompts":{ "listChanged" : true },"resources":{"subscribe":true,"listChanged":true},"completions":{},"logging":{},"tasks":{"list":{},"cancel":{}},"experimental":{"a":1E400},"acme":null},"protocolVersion":"2025-06-18","_meta":{"a":-0}},"jsonrpc":"2.0","x":1e3,"id":0 }"#,
        ),
        Row::new(
            "kinds of list that are none",
            r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":null,"prompts":true,"resources":[]},"serverInfo":{}}}"#,
        ),
        Row::new(
            "an unknown revision",
            r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2099-01-01","capabilities":{}}}"#,
        ),
        Row::new(
            "capabilities null",
            r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2024-11-05","capabilities":null}}"#,
        ),
        Row::new("no revision", r#"{"jsonrpc":"2.0","id":0,"result":{"capabilities":{}}}"#),
        Row::new("result null", r#"{"jsonrpc":"2.0","id":0,"result":null}"#),
        Row::new(
            "error null beside the result",
            r#"{"jsonrpc":"2.0","id":0,"error":null,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#,
        ),
        Row::new(
            "another spelling of the id",
            r#"{"jsonrpc":"2.0","id":0.0,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}"#,
        ),
        Row::new(
            "an error",
            r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"Unsupported protocol version","data":{"supported":["2024-11-05"],"x":1.0}}}"#,
        ),
        Row::new(
            "an error with a code as text",
            r#"{"jsonrpc":"2.0","id":0,"error":{"message":"no","code":"E_NO"},"x":1E400}"#,
        ),
    ];
    let ways: [(&str, Way); 2] = [
        ("a JSON body", |message| Answer::json(message.to_owned())),
        ("an event stream", |message| Answer::stream([crate::support::Step::event(message)])),
    ];
    let mut report = Report::default();
    for (way, answer) in ways {
        for row in &rows {
            let (_server, bridge, line) = handshake(PLAIN_HELLO, answer(&row.message));
            let name = format!("{} in {way}", row.name);
            report.compare(&name, row.message.as_bytes(), line.as_bytes());
            assert_ends_well(bridge);
        }
    }
    report.assert_all_arrived(rows.len() * ways.len());
}

#[test]
fn list_changed_is_declared_for_each_kind_of_list_and_nothing_else_changes() {
    let cases = [
        (r#"{"tools":{}}"#, r#"{"tools":{"listChanged":true}}"#),
        (r#"{"tools":{ }}"#, r#"{"tools":{"listChanged":true }}"#),
        (r#"{"tools":{"x":1.0}}"#, r#"{"tools":{"listChanged":true,"x":1.0}}"#),
        (r#"{"tools":{"listChanged":false}}"#, r#"{"tools":{"listChanged":true}}"#),
        (
            r#"{"tools":{"listChanged" : null , "x":0}}"#,
            r#"{"tools":{"listChanged" : true , "x":0}}"#,
        ),
        (
            r#"{"tools":{"x":{"listChanged":false}}}"#,
            r#"{"tools":{"listChanged":true,"x":{"listChanged":false}}}"#,
        ),
        (
            r#"{"z":1E400,"resources":{"subscribe":true},"prompts":{},"tools":{"listChanged":true},"logging":{},"\ud800":0}"#,
            r#"{"z":1E400,"resources":{"listChanged":true,"subscribe":true},"prompts":{"listChanged":true},"tools":{"listChanged":true},"logging":{},"\ud800":0}"#,
        ),
        (r#"{"to\u006fls":{}}"#, r#"{"to\u006fls":{"listChanged":true}}"#),
    ];
    for (offered, told) in cases {
        let message = |capabilities: &str| {
            format!(
                r#"{{ "id":0,"x":-0,"result":{{"serverInfo":{{"tools":{{}}}},"capabilities":{capabilities},"protocolVersion":"2025-11-25","tools":{{}}}},"jsonrpc":"2.0" }}"#
            )
        };
        let (_server, bridge, line) = handshake(PLAIN_HELLO, Answer::json(message(offered)));
        assert_eq!(line, message(told));
        assert_ends_well(bridge);
    }
}

#[test]
fn initialized_arrives_byte_for_byte() {
    let rows = [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{ "params":{"_meta":{"a":1.0},"x":null}, "method":"notifications\/initialized","x":1E400,"jsonrpc":"2.0" }"#,
        r#"{"method":"notifications/initialized","params":[]}"#,
    ];
    for row in rows {
        let (server, mut bridge, _) = handshake(PLAIN_HELLO, Answer::json(PLAIN_ANSWER));
        bridge.send(row);
        assert_eq!(server.wait_for("notifications/initialized").body, row);
        assert_ends_well(bridge);
    }
}

#[test]
fn a_session_without_initialize_crosses_byte_for_byte() {
    let server = McpServer::legacy().without_sessions().allow(anything()).run();
    let mut bridge = BridgeProcess::to(server.url()).unchecked().spawn();
    let request = r#"{"id":1.0, "method":"tools/list","jsonrpc":"2.0"}"#;
    let answer = r#"{"id":1.0, "result":{"tools":[]},"jsonrpc":"2.0"}"#;
    server.once("tools/list", Answer::json(answer));
    bridge.send(request);
    assert_eq!(bridge.expect_line(), answer);
    assert_eq!(server.wait_for("tools/list").body, request);
    let notification = r#"{ "method":"notifications/initialized" }"#;
    bridge.send(notification);
    assert_eq!(server.wait_for("notifications/initialized").body, notification);
    assert_ends_well(bridge);
}

#[test]
fn server_discover_is_answered_by_the_bridge_alone() {
    let (server, mut bridge, _) = handshake(PLAIN_HELLO, Answer::json(PLAIN_ANSWER));
    for id in ["1", "-0.50", "\"\\ud800\""] {
        let params = r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#;
        bridge.send(format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"server/discover","params":{params}}}"#
        ));
        let line = bridge.expect_line();
        let start = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"#);
        assert!(line.starts_with(&start), "{line}");
    }
    assert_ends_well(bridge);
    assert_eq!(server.count("server/discover"), 0);
}
