//! What is wrong with a request, noted and refused.

use hyper::Method;
use serde_json::{Value, json};

use super::{Client, last_message, text_of};
use crate::support::http_client::HttpClient;
use crate::support::mcp_server::matcher::tool;
use crate::support::{ModernServer, modern_server};

/// Status, error code and fault of a call that was changed.
type Judged = (u16, Option<i64>, String);

fn faulty(change: &dyn Fn(&mut Value), headers: &[(&'static str, &str)]) -> Judged {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    let mut body = client.body("tools/call", json!({"name": "echo", "arguments": {}}));
    change(&mut body);
    let reply = client.post(&body, headers);
    let (status, bytes) = (reply.status, reply.bytes());
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let noted = server.forgive();
    let fault = noted.first().and_then(|noted| noted.split(": #").next()).map(str::to_owned);
    (status, answer["error"]["code"].as_i64(), fault.unwrap_or_default())
}

fn refused(status: u16, code: i64, fault: &str) -> Judged {
    (status, Some(code), fault.to_owned())
}

fn nothing(_: &mut Value) {}

#[test]
fn headers_that_contradict_the_body_are_noted_and_refused() {
    assert_eq!(faulty(&nothing, &[]), (200, None, String::new()));
    for (name, value, why) in [
        ("mcp-protocol-version", "", "MCP-Protocol-Version is missing"),
        ("mcp-method", "", "Mcp-Method is missing"),
        ("mcp-name", "", "Mcp-Name is missing"),
        ("mcp-name", "=?base64?ZWNobw?=", "Mcp-Name is not encoded well: '=?base64?ZWNobw?='"),
        ("mcp-name", "fail", "Mcp-Name 'fail' does not match 'echo'"),
        (
            "mcp-method",
            "tools/list",
            "Mcp-Method header value 'tools/list' does not match body value 'tools/call'",
        ),
        (
            "mcp-protocol-version",
            "2027-01-01",
            "MCP-Protocol-Version header value '2027-01-01' does not match body value '2026-07-28'",
        ),
    ] {
        assert_eq!(faulty(&nothing, &[(name, value)]), refused(400, -32020, why));
    }
    assert_eq!(faulty(&nothing, &[("mcp-name", "=?base64?ZWNobw==?=")]).0, 200);
    for (header, value, fault) in [
        ("mcp-session-id", "1", "`mcp-session-id`, which this era does not have"),
        ("last-event-id", "1", "`last-event-id`, which this era does not have"),
        ("mcp-param-region", "x", "an unexpected mcp-param-region"),
    ] {
        assert_eq!(faulty(&nothing, &[(header, value)]), (200, None, fault.to_owned()));
    }
    assert_eq!(faulty(&nothing, &[("accept", "application/json")]).0, 406);
    assert_eq!(faulty(&nothing, &[("content-type", "text/plain")]).0, 415);
}

#[test]
fn bodies_that_the_specification_does_not_have_are_noted_and_refused() {
    let meta = "io.modelcontextprotocol/";
    for (member, value, why) in [
        ("protocolVersion", Value::Null, "no protocolVersion in `_meta`"),
        ("clientCapabilities", Value::Null, "no clientCapabilities in `_meta`"),
        ("logLevel", json!("loud"), "an unknown log level"),
    ] {
        let change = |body: &mut Value| {
            body["params"]["_meta"][format!("{meta}{member}")] = value.clone();
        };
        assert_eq!(faulty(&change, &[]), refused(400, -32602, why));
    }
    let other_version = |body: &mut Value| {
        body["params"]["_meta"][format!("{meta}protocolVersion")] = json!("2027-01-01");
    };
    assert_eq!(
        faulty(&other_version, &[("mcp-protocol-version", "2027-01-01")]),
        refused(400, -32022, "a version that it does not speak")
    );
    let ping = |body: &mut Value| body["method"] = json!("ping");
    assert_eq!(
        faulty(&ping, &[("mcp-method", "ping"), ("mcp-name", "")]),
        refused(404, -32601, "a method that it does not have")
    );
    let response = |body: &mut Value| *body = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(faulty(&response, &[]), refused(400, -32600, "a response"));
    let batch = |body: &mut Value| *body = json!([body.clone()]);
    assert_eq!(faulty(&batch, &[]), refused(400, -32600, "a batch"));
    let cancelled = |body: &mut Value| {
        *body = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}});
    };
    assert_eq!(
        faulty(&cancelled, &[]),
        (202, None, "a cancellation that does not close the stream".to_owned())
    );
    let other = |body: &mut Value| *body = json!({"jsonrpc": "2.0", "method": "notifications/x"});
    assert_eq!(faulty(&other, &[]), (202, None, String::new()));
    let null_id = |body: &mut Value| body["id"] = Value::Null;
    assert_eq!(faulty(&null_id, &[]).2, "an id that is null");
    let listed = |body: &mut Value| {
        body["method"] = json!("tools/list");
        body["params"].as_object_mut().expect("parameters").remove("name");
    };
    let why = "an `mcp-name` for a request that has no name";
    assert_eq!(faulty(&listed, &[("mcp-name", "echo")]).2, why);
}

#[test]
fn other_methods_of_http_and_other_paths_are_refused() {
    let server = ModernServer::run();
    let mut client = HttpClient::to(&server);
    for (method, path, status) in
        [(Method::GET, "/mcp", 405), (Method::DELETE, "/mcp", 405), (Method::POST, "/other", 404)]
    {
        let reply = client.send(method, path, &[], String::new()).expect("an answer");
        assert_eq!(reply.status, status);
        reply.bytes();
        assert_eq!(server.forgive().len(), 1);
    }
}

#[test]
fn an_id_is_not_used_twice_at_a_time() {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    let held = client.body("tools/call", json!({"name": "wait", "arguments": {"gate": "g"}}));
    let reply = client.post(&held, &[]);
    Client::of(&server).post(&held, &[]);
    assert!(server.forgive()[0].starts_with("the id of a request that has no response yet"));
    server.gate("g").open();
    assert_eq!(text_of(&last_message(reply)), "waited");
    Client::of(&server).post(&held, &[]).bytes();
}

#[test]
fn arguments_that_are_headers_too_have_to_say_the_same() {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    let mut route = |arguments: Value, headers: &[(&'static str, &str)]| {
        let body = client.body("tools/call", json!({"name": "route", "arguments": arguments}));
        let reply = client.post(&body, headers);
        (reply.status, last_message(reply)["error"]["code"].as_i64(), server.forgive().len())
    };
    let all = json!({"region": "\u{e9}", "count": 42.0, "dry": true, "target": {"zone": "z"}});
    let headers = [
        ("mcp-param-region", "=?base64?w6k=?="),
        ("mcp-param-count", "42"),
        ("mcp-param-dry-run", "true"),
        ("mcp-param-zone", "z"),
    ];
    assert_eq!(route(all.clone(), &headers), (200, None, 0));
    assert_eq!(route(json!({"region": null, "query": "q"}), &[]), (200, None, 0));
    let mismatch = (400, Some(-32020), 1);
    assert_eq!(route(all.clone(), &headers[..3]), mismatch);
    assert_eq!(route(json!({}), &headers[1..2]), mismatch);
    assert_eq!(route(json!({"count": 7}), &headers[1..2]), mismatch);
    assert_eq!(route(json!({"dry": false}), &headers[2..3]), mismatch);
    assert_eq!(route(json!({"region": "=?base64?w6k=?="}), &headers[..1]), mismatch);
}

#[test]
fn a_client_is_not_blamed_for_headers_that_changed_after_it_listed() {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    client.call("tools/list", json!({}));
    let mut echo = modern_server::route();
    echo["name"] = json!("echo");
    server.replace_tools(json!([echo]));
    let refused = client.call_tool("echo", json!({"region": "r"}));
    assert_eq!(refused["error"]["code"], -32020);
    server.verify();
    client.call("tools/list", json!({}));
    client.call_tool("echo", json!({"region": "r"}));
    assert_eq!(server.forgive().len(), 1);
}

#[test]
fn a_mismatch_of_headers_can_be_scripted() {
    let answer = modern_server::header_mismatch("so the test wants it");
    let server = ModernServer::builder().server(|server| server.once(tool("echo"), answer)).run();
    let mut client = Client::of(&server);
    assert_eq!(client.call_tool("echo", json!({}))["error"]["code"], -32020);
    assert_eq!(server.executions("echo"), 0);
    assert_eq!(client.call_tool("echo", json!({}))["result"]["resultType"], "complete");
}
