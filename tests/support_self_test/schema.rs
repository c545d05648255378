use serde_json::{Value, json};

use crate::support::bridge_process::BridgeProcess;
use crate::support::http_client::HttpClient;
use crate::support::mcp_server::Answer;
use crate::support::schema::{Revision, Side, fault, response_fault};
use crate::support::{McpServer, ModernServer};

const META: &str = r#"{"io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {}}"#;

fn request(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn result(result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "result": result})
}

#[test]
fn a_message_is_held_against_the_definition_of_its_method() {
    let meta: Value = serde_json::from_str(META).expect("JSON");
    let legacy = |message: &Value| fault(Revision::Legacy, Side::Client, message);
    let modern = |message: &Value| fault(Revision::Modern, Side::Client, message);
    assert_eq!(legacy(&request("tools/call", json!({"name": "echo"}))), None);
    let why = legacy(&request("tools/call", json!({}))).expect("a fault");
    assert!(why.starts_with("not a valid CallToolRequest: /params"), "{why}");
    assert_eq!(legacy(&request("acme/own", json!({"any": 1}))), None);
    assert!(legacy(&json!({"jsonrpc": "2.0", "id": null, "method": "acme/own"})).is_some());
    assert_eq!(modern(&request("tools/call", json!({"name": "echo", "_meta": meta}))), None);
    assert!(modern(&request("tools/call", json!({"name": "echo"}))).is_some());
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled"});
    assert!(modern(&cancelled).is_some());
    let asked = request("elicitation/create", json!({"message": "?", "mode": "url", "url": "u"}));
    assert!(fault(Revision::Legacy, Side::Server, &asked).is_some(), "no elicitationId");
    assert_eq!(fault(Revision::Modern, Side::Server, &asked), None);
}

#[test]
fn a_response_is_held_against_what_was_asked() {
    let list = request("tools/list", json!({}));
    let of = |revision, request: &Value, response: &Value| {
        response_fault(revision, Side::Server, request, response)
    };
    assert_eq!(of(Revision::Legacy, &list, &result(json!({"tools": []}))), None);
    assert!(of(Revision::Legacy, &list, &result(json!({}))).is_some());
    assert!(of(Revision::Modern, &list, &result(json!({"tools": []}))).is_some());
    let cached =
        json!({"tools": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"});
    assert_eq!(of(Revision::Modern, &list, &result(cached)), None);
    let call = request("tools/call", json!({"name": "ask"}));
    let roots = json!({"r": {"method": "roots/list"}});
    let asked = json!({"resultType": "input_required", "inputRequests": roots});
    assert_eq!(of(Revision::Modern, &call, &result(asked)), None);
    let odd = json!({"resultType": "input_required", "inputRequests": {"r": {"method": "ping"}}});
    assert!(of(Revision::Modern, &call, &result(odd)).is_some());
    assert_eq!(of(Revision::Legacy, &request("ping", json!({})), &result(json!({}))), None);
    let roots = response_fault(
        Revision::Legacy,
        Side::Client,
        &request("roots/list", json!({})),
        &result(json!({"roots": [{"uri": "no file"}, {}]})),
    );
    assert!(roots.is_some());
}

#[test]
fn an_error_has_a_code_that_its_revision_has() {
    let error = |code: i64, data: Value| json!({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "m", "data": data}});
    let call = request("tools/call", json!({"name": "echo"}));
    let modern = |error: &Value| response_fault(Revision::Modern, Side::Server, &call, error);
    assert_eq!(modern(&error(-32603, json!({}))), None);
    assert_eq!(modern(&error(-31001, json!({}))), None);
    assert!(modern(&error(-32002, json!({}))).is_some());
    assert!(modern(&error(-32042, json!({}))).is_some());
    assert!(modern(&error(-32022, json!({}))).is_some());
    let supported = json!({"supported": ["2026-07-28"], "requested": "1"});
    assert_eq!(modern(&error(-32022, supported)), None);
    let legacy = |error: &Value| response_fault(Revision::Legacy, Side::Server, &call, error);
    assert_eq!(legacy(&error(-32002, json!({}))), None);
    assert!(legacy(&error(-32042, json!({}))).is_some());
}

#[test]
fn both_servers_note_what_is_not_valid() {
    let server = McpServer::legacy().run();
    let mut client = HttpClient::to(&server);
    client.initialize();
    client.call(1, "resources/read", json!({})).expect("an answer").bytes();
    let noted = server.forgive();
    assert!(noted[0].starts_with("not a valid ReadResourceRequest"), "{noted:?}");
    let server = ModernServer::run();
    let mut client = HttpClient::to(&server);
    client.call(1, "server/discover", json!({})).expect("an answer").bytes();
    let noted = server.forgive();
    assert!(
        noted.iter().any(|noted| noted.starts_with("not a valid DiscoverRequest")),
        "{noted:?}"
    );
}

#[test]
#[should_panic(expected = "not a valid CallToolResult")]
fn what_the_bridge_says_has_to_be_valid() {
    let server = McpServer::legacy().once("tools/call", Answer::result(json!({}))).run();
    BridgeProcess::before(&server).call_tool(1, "echo", json!({}));
}
