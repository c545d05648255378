//! Whatever fails, each request gets one answer: the server's own error, or one that says what
//! failed, why, and what to do next.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::certificates::{Certificate, Protocols};
use crate::support::mcp_server::matcher::tool;
use crate::support::mcp_server::text;
use crate::support::raw_server::json_answer;
use crate::support::{Answer, BridgeProcess, ClosedPort, McpServer, RawServer, Step};

/// Longer than the bridge tries again.
const PATIENCE: Duration = Duration::from_secs(50);

/// The error that a call of `echo` gets; the whole session otherwise works and ends well.
fn error_of(answer: Answer) -> (Value, McpServer) {
    let server = McpServer::legacy().without_sessions().always(tool("echo"), answer).run();
    let mut bridge = BridgeProcess::before(&server);
    let mut response = bridge.call_tool(7, "echo", json!({}));
    assert_eq!(response["jsonrpc"], "2.0");
    assert_eq!(bridge.call(8, "ping", json!({}))["result"], json!({}));
    bridge.finish();
    (response["error"].take(), server)
}

/// Checks what every error of ours has: status, host, first line, hint, kind.
#[track_caller]
fn assert_explains(error: &Value, server: &McpServer, status: Option<u16>, line: &str) {
    let message = error["message"].as_str().expect("a message");
    let hint = error["data"]["hint"].as_str().expect("a hint");
    let code = error["code"].as_i64().expect("a number");
    assert!((-31019..=-31000).contains(&code), "{error}");
    assert!(message.contains(&server.host()), "no host: {error}");
    assert!(message.contains(line), "not {line:?}: {error}");
    assert!(!hint.is_empty() && message.contains(hint), "no hint: {error}");
    assert_eq!(error["data"]["server"], server.url());
    assert_eq!(error["data"]["status"], json!(status));
    assert!(error["data"]["kind"].is_string(), "{error}");
    if let Some(status @ 300..) = status {
        assert!(message.contains(&format!("HTTP {status}")), "no status: {error}");
    }
}

/// A 401 is a matter of signing in, and has tests of its own.
const STATUSES: [u16; 10] = [400, 403, 404, 405, 406, 413, 415, 500, 502, 503];

#[test]
fn an_http_error_with_a_text_gives_its_first_line() {
    for status in STATUSES {
        let answer = Answer::text("\n  the reason\nmore of it\n").with_status(status);
        let (error, server) = error_of(answer);
        assert_explains(&error, &server, Some(status), "the reason");
        assert!(!error["message"].as_str().expect("a message").contains("more of it"), "{error}");
    }
}

#[test]
fn an_http_error_with_a_web_page_gives_its_title() {
    let page = "<!doctype html>\n<html><head><title>Nothing to see</title></head></html>";
    for status in STATUSES {
        let (error, server) = error_of(Answer::html(page).with_status(status));
        assert_explains(&error, &server, Some(status), "Nothing to see");
    }
}

#[test]
fn an_http_error_without_a_body_gives_its_name() {
    for (status, name) in [(403, "Forbidden"), (404, "Not Found"), (500, "Internal Server Error")] {
        let (error, server) = error_of(Answer::status(status));
        assert_explains(&error, &server, Some(status), name);
    }
}

#[test]
fn an_error_envelope_that_is_not_json_rpc_gives_its_message() {
    let bodies = [
        json!({"error": {"code": "scope_required", "message": "needs the scope write"}}),
        json!({"error": "invalid_request", "error_description": "needs the scope write"}),
        json!({"message": "needs the scope write"}),
        json!({"detail": "needs the scope write"}),
    ];
    for body in bodies {
        let (error, server) = error_of(Answer::json(body.to_string()).with_status(403));
        assert_explains(&error, &server, Some(403), "needs the scope write");
    }
}

#[test]
fn a_json_rpc_error_passes_untouched_on_any_status() {
    let body = r#"{ "error" :{"message":"no","data":[1E400,"\ud800"],"code":-32050.0},"id": 7 , "jsonrpc":"2.0","x":1}"#;
    for status in [200, 400, 403, 404, 405, 409, 413, 422, 500, 502, 503, 504] {
        let answer = Answer::json(body).with_status(status);
        let server = McpServer::legacy().without_sessions().always(tool("echo"), answer).run();
        let mut bridge = BridgeProcess::before(&server);
        bridge.request(7, "tools/call", json!({"name": "echo"}));
        assert_eq!(bridge.expect_response_line(7), body, "with status {status}");
    }
}

#[test]
fn a_json_rpc_error_without_an_id_gets_that_of_its_request() {
    let bodies = [
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32050,"message":"no","x":1E400}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32050,"message":"no","x":1E400}}"#,
    ];
    for (body, status) in
        bodies.into_iter().flat_map(|body| [(body, 200), (body, 403), (body, 500)])
    {
        let answer = Answer::json(body).with_status(status);
        let server = McpServer::legacy().without_sessions().always(tool("echo"), answer).run();
        let mut bridge = BridgeProcess::before(&server);
        bridge.request("seven", "tools/call", json!({"name": "echo"}));
        let line = bridge.expect_response_line("seven");
        assert!(line.contains(r#""error":{"code":-32050,"message":"no","x":1E400}"#), "{line}");
    }
}

#[test]
fn a_success_that_is_no_answer_becomes_an_error() {
    let portal = "<html><head><title>Sign in to the Wi-Fi</title></head></html>";
    let cases = [
        (Answer::accepted(), 202, "it is empty"),
        (Answer::status(204), 204, "it is empty"),
        (Answer::status(200).content_type("application/json"), 200, "it is empty"),
        (Answer::html(portal), 200, "Sign in to the Wi-Fi"),
        (Answer::text("hello"), 200, "hello"),
        (Answer::json("{\"jsonrpc\":"), 200, ""),
        (Answer::json("7"), 200, "7"),
    ];
    for (answer, status, said) in cases {
        let (error, server) = error_of(answer);
        assert_explains(&error, &server, Some(status), said);
        assert_eq!(server.executions("echo"), 1, "{error}");
    }
}

#[test]
fn a_web_page_is_called_one() {
    let (error, _server) = error_of(Answer::html("<html><title>Welcome</title>"));
    assert!(error["data"]["cause"].as_str().expect("a cause").contains("web page"), "{error}");
}

#[test]
fn an_answer_that_is_lost_says_that_the_outcome_is_unknown() {
    let notification =
        || Step::notification("notifications/message", json!({"level": "info", "data": 1}));
    let cases = [
        Answer::close(),
        Answer::reset(),
        Answer::truncated_json(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, 20),
        Answer::stream([]),
        Answer::stream([notification()]),
        Answer::stream([notification(), Step::Close]),
        Answer::stream([notification(), Step::Cut]),
        Answer::stream([Step::bytes("data: {\"jsonrpc\":\"2.0\",\"id\":7,\"resu"), Step::Cut]),
        Answer::broken_gzip(r#"{"jsonrpc":"2.0","id":7,"result":{"content":[]}}"#),
        Answer::json(r#"{"jsonrpc":"2.0","id":8,"result":{}}"#),
    ];
    for (number, answer) in cases.into_iter().enumerate() {
        let (error, server) = error_of(answer);
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains("outcome is unknown"), "case {number}: {error}");
        assert!(message.contains(&server.host()), "case {number}: {error}");
        assert_eq!(server.executions("echo"), 1, "case {number}: sent again");
    }
}

#[test]
fn an_answer_with_another_id_reaches_nobody() {
    let (error, server) = error_of(Answer::json(r#"{"jsonrpc":"2.0","id":99,"result":{}}"#));
    assert_explains(&error, &server, None, "another request");
}

#[test]
fn a_second_answer_to_one_request_is_dropped() {
    let twice = Answer::stream([Step::result(text("first")), Step::result(text("second"))]);
    let server = McpServer::legacy().once(tool("echo"), twice).run();
    let mut bridge = BridgeProcess::before(&server);
    assert_eq!(bridge.call_tool(7, "echo", json!({}))["result"], text("first"));
    assert_eq!(bridge.call_tool(8, "echo", json!({"text": "next"}))["result"], text("next"));
    bridge.finish();
}

#[test]
fn a_gzip_bomb_is_an_error_and_not_an_end() {
    let server = McpServer::legacy().once(tool("echo"), Answer::gzip_bomb(200 << 20)).run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--max-message-size", "1M"]).spawn();
    bridge.initialize();
    let response = bridge.call_tool(7, "echo", json!({}));
    assert_explains(&response["error"], &server, Some(200), "larger than");
    let (_, peak) = bridge.memory();
    assert!(peak < 64 * 1024, "{peak} KiB");
    assert_eq!(bridge.call_tool(8, "echo", json!({"text": "on"}))["result"], text("on"));
    bridge.finish();
}

#[test]
fn a_server_that_does_not_speak_http_is_one_error() {
    let server = RawServer::always("220 mail.example ESMTP\r\n");
    let mut bridge = BridgeProcess::to(server.url()).deadline(PATIENCE).spawn();
    let result =
        bridge.call(1, "initialize", crate::support::bridge_process::initialize_params(json!({})));
    bridge.notify("notifications/initialized", Value::Null);
    assert!(result["result"].is_object() || result["error"].is_object(), "{result}");
    let response = bridge.call_tool(7, "echo", json!({}));
    assert!(
        response["error"]["message"].as_str().expect("a message").contains(&server.host()),
        "{response}"
    );
}

#[test]
fn a_malformed_answer_is_one_error_whatever_is_wrong_with_it() {
    let heads = [
        "HTTP/1.1 200 OK\r\ncontent-length: nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 999999 Huh\r\n\r\n",
        "\0\0\0\0",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n",
    ];
    for head in heads {
        let server = RawServer::answering(move |request| {
            match json_rpc_of(request) {
            ("initialize", id) => json_answer(&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"result":{{"protocolVersion":"2025-11-25","capabilities":{{}},"serverInfo":{{"name":"raw","version":"1"}}}}}}"#
            )),
            ("tools/call", _) => head.to_owned(),
            _ => "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned(),
        }.into()
        });
        let mut bridge = BridgeProcess::to(server.url()).spawn();
        bridge.initialize();
        let response = bridge.call_tool(7, "echo", json!({}));
        let message = response["error"]["message"].as_str().expect("an error");
        assert!(message.contains(&server.host()), "{head:?}: {response}");
        assert!(message.contains("outcome is unknown"), "{head:?}: {response}");
        bridge.finish();
    }
}

/// Method and id of the message in a request.
fn json_rpc_of(request: &str) -> (&'static str, String) {
    let body = request.split("\r\n\r\n").nth(1).unwrap_or_default();
    let message: Value = serde_json::from_str(body).unwrap_or_default();
    let known = ["initialize", "tools/call"].into_iter().find(|known| message["method"] == *known);
    (known.unwrap_or_default(), message["id"].to_string())
}

/// All of these are tried again for half a minute, so that they are tried side by side.
#[test]
fn a_server_that_can_not_be_reached_is_an_error_in_bounded_time() {
    let refused = ClosedPort::reserve();
    let wrong_name = tls_server(Certificate::WrongName);
    let expired = tls_server(Certificate::Expired);
    let self_signed = tls_server(Certificate::SelfSigned);
    let unknown = tls_server(Certificate::Good);
    let busy = McpServer::legacy().always(tool("echo"), Answer::status(429)).run();
    let start = Instant::now();
    let mut calls: Vec<_> = [
        (BridgeProcess::to(refused.url()), "refused"),
        (
            BridgeProcess::to(wrong_name.url()).env("SSL_CERT_FILE", wrong_name.ca_file()),
            "certificate",
        ),
        (BridgeProcess::to(expired.url()).env("SSL_CERT_FILE", expired.ca_file()), "certificate"),
        (
            BridgeProcess::to(self_signed.url()).env("SSL_CERT_FILE", self_signed.ca_file()),
            "certificate",
        ),
        (BridgeProcess::to(unknown.url()), "certificate"),
        (BridgeProcess::to(busy.url()), "429"),
    ]
    .into_iter()
    .map(|(bridge, said)| {
        let mut bridge = bridge.deadline(PATIENCE).spawn();
        bridge.request(
            0,
            "initialize",
            crate::support::bridge_process::initialize_params(json!({})),
        );
        (bridge, said)
    })
    .collect();
    for (bridge, _) in &mut calls {
        assert!(bridge.expect_response(0)["result"].is_object());
        bridge.notify("notifications/initialized", json!({}));
        bridge.request(7, "tools/call", json!({"name": "echo", "arguments": {}}));
    }
    for (bridge, said) in calls.iter_mut() {
        let error = bridge.expect_response(7)["error"].take();
        assert!(error.to_string().to_lowercase().contains(*said), "not {said:?}: {error}");
        assert!(error["message"].as_str().expect("a message").contains("127.0.0.1:"), "{error}");
        assert!(error["data"]["hint"].is_string(), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
}

fn tls_server(shown: Certificate) -> McpServer {
    McpServer::legacy().tls(shown, Protocols::Http2AndHttp1).run()
}
