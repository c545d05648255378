use std::panic::{AssertUnwindSafe, catch_unwind};

use hyper::Method;
use serde_json::json;

use super::client_of;
use crate::support::http_client::HttpClient;
use crate::support::mcp_server::matcher::{anything, get, path};
use crate::support::{Answer, McpServer};

/// What the server notes when one request is sent after the handshake.
fn noted(method: Method, path: &str, headers: &[(&'static str, &str)], body: &str) -> Vec<String> {
    let server = McpServer::legacy().run();
    client_of(&server).send(method, path, headers, body.to_owned()).expect("an answer");
    let before_the_request = |fault: String| fault.split(": #").next().map(str::to_owned);
    server.forgive().into_iter().filter_map(before_the_request).collect()
}

#[test]
fn every_fault_of_a_request_is_noted() {
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let odd = r#"{"jsonrpc":"2.0","id":1,"method":"odd"}"#;
    let accept = "an `accept` that lacks what the specification asks for";
    let post =
        |headers: &[(&'static str, &str)], body: &str| noted(Method::POST, "/mcp", headers, body);
    let none: &[String] = &[];
    assert_eq!(post(&[], ping), none);
    assert_eq!(post(&[("accept", "application/json")], ping), [accept]);
    assert_eq!(post(&[("accept", "text/event-stream; q=1")], ping), [accept]);
    assert_eq!(
        post(&[("content-type", "text/plain")], ping),
        ["a content type other than application/json"]
    );
    assert_eq!(post(&[("content-type", "application/json; charset=utf-8")], ping), none);
    assert_eq!(post(&[], "{}"), ["no JSON-RPC message"]);
    assert_eq!(post(&[], &format!("[{ping}]")), ["a batch"]);
    assert_eq!(post(&[], odd), ["a method that nobody scripted"]);
    assert_eq!(post(&[("mcp-session-id", "")], list), ["without a session"]);
    assert_eq!(post(&[("mcp-session-id", "other")], list), ["a session that was never given"]);
    let version = ["a protocol version other than the negotiated one"];
    assert_eq!(post(&[("mcp-protocol-version", "2025-06-18")], list), version);
    assert_eq!(post(&[("mcp-protocol-version", "")], list), version);
    assert_eq!(
        post(&[], r#"{"jsonrpc":"2.0","id":9,"result":{}}"#),
        ["an answer to a request that the server did not send"]
    );
    assert_eq!(noted(Method::PUT, "/mcp", &[], ping), ["a method that the endpoint does not have"]);
    assert_eq!(noted(Method::POST, "/other", &[], ping), ["not the endpoint (/mcp)"]);
    assert_eq!(noted(Method::GET, "/mcp", &[("accept", "application/json")], ""), [accept]);
    assert_eq!(
        noted(Method::DELETE, "/mcp", &[("mcp-session-id", "")], ""),
        ["DELETE without a session", "without a session"]
    );
}

#[test]
fn a_request_before_the_handshake_is_done_is_noted() {
    let server = McpServer::legacy().run();
    let mut client = HttpClient::to(&server);
    client.call(1, "tools/list", json!({})).expect("an answer");
    assert!(server.forgive()[0].starts_with("before any `initialize`: #0"));
    let once = Answer::well_behaved().header("mcp-session-id", "mine");
    server.once("initialize", once);
    client
        .call(2, "initialize", crate::support::http_client::initialize_params())
        .expect("an answer");
    client.adopt_session("mine");
    client.call(3, "ping", json!({})).expect("an answer");
    assert_eq!(server.forgive(), Vec::<String>::new());
    client.call(4, "tools/list", json!({})).expect("an answer");
    assert!(server.forgive()[0].starts_with("a request before `notifications/initialized`"));
}

#[test]
fn a_dropped_server_fails_its_test_for_what_it_did_not_expect() {
    let server = McpServer::legacy().run();
    client_of(&server).call(1, "odd", json!({})).expect("an answer");
    assert!(catch_unwind(AssertUnwindSafe(|| drop(server))).is_err());
}

#[test]
fn a_dropped_server_fails_its_test_for_what_it_expected_in_vain() {
    let server = McpServer::legacy().once("ping", Answer::accepted()).run();
    assert!(catch_unwind(AssertUnwindSafe(|| drop(server))).is_err());
    drop(McpServer::legacy().once("ping", Answer::accepted()).allow_unused_script().run());
}

#[test]
fn what_is_allowed_is_no_fault() {
    let server = McpServer::legacy().allow("odd").allow(path("/.well-known/oauth")).run();
    let mut client = client_of(&server);
    client.call(1, "odd", json!({})).expect("an answer");
    client.call(2, "odder", json!({})).expect("an answer");
    assert_eq!(server.forgive().len(), 1);
    server.allow(anything());
    client.call(3, "odder", json!({})).expect("an answer");
    let reply = client.send(Method::GET, "/.well-known/oauth?x=1", &[], String::new());
    assert_eq!(reply.expect("an answer").status, 404);
}

#[test]
fn a_scripted_method_is_expected() {
    let server = McpServer::legacy()
        .once("odd", Answer::result(json!(1)))
        .always(get(), Answer::status(405))
        .run();
    let reply = client_of(&server).call(1, "odd", json!({})).expect("an answer");
    assert_eq!(reply.json()["result"], 1);
}
