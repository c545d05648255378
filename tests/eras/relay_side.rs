//! What the bridge says itself to a modern client while there is no connection. What depends on time alone is
//! tested in `src/relay/modern_tests.rs`.

use serde_json::{Value, json};

use crate::support::mcp_server::text;
use crate::support::modern_server::questions;
use crate::support::{BridgeProcess, ModernServer};

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Parameters with what a modern client says of itself.
pub(super) fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
    });
    params
}

fn call(tool: &str, arguments: Value) -> Value {
    modern(json!({"name": tool, "arguments": arguments}))
}

/// A server that is not running, after a first life in which it was.
fn remembering(server: &ModernServer) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.call(1, "server/discover", modern(json!({})));
    bridge.call(2, "tools/list", modern(json!({})));
    bridge.close_stdin();
    assert!(bridge.wait_exit().success());
    server.stop();
    bridge
}

#[test]
fn a_client_of_both_eras_is_told_to_fall_back_while_the_server_is_away() {
    let server = ModernServer::builder().run_stopped();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let answer = bridge.call(1, "server/discover", modern(json!({})));
    assert_eq!(answer["error"]["code"], -32601);
    server.start();
    let answer = bridge.call(2, "server/discover", modern(json!({})));
    assert_eq!(answer["result"]["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(answer["result"]["ttlMs"], 60_000, "nothing was concluded");
    bridge.finish();
}

#[test]
fn what_a_server_said_in_an_earlier_life_is_told_while_it_is_away() {
    let server = ModernServer::run();
    let first = remembering(&server);
    let mut bridge = BridgeProcess::to(server.url()).home_of(&first).spawn();
    for (id, method, member) in [(1, "server/discover", "capabilities"), (2, "tools/list", "tools")]
    {
        let result = bridge.call(id, method, modern(json!({})))["result"].take();
        assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
        assert_eq!(result["resultType"], "complete");
        assert!(result[member].to_string().len() > 50, "{result}");
    }
    let answer = bridge.call(3, "tools/call", call("echo", json!({"text": "hi"})));
    assert_eq!(answer["error"]["data"]["kind"], "unreachable");
    bridge.finish();
    first.finish();
}

#[test]
fn a_list_waits_for_a_server_that_comes_up_in_time() {
    let server = ModernServer::builder().run_stopped();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.request(1, "tools/list", modern(json!({})));
    assert_eq!(bridge.call(2, "server/discover", modern(json!({})))["error"]["code"], -32601);
    server.start();
    let list = bridge.expect_response(1);
    assert_eq!(list["result"]["ttlMs"], 60_000, "the server's own");
    bridge.finish();
}

#[test]
fn a_stream_waits_for_the_server_and_tells_what_was_missed() {
    let server = ModernServer::builder().run_stopped();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let asked = json!({"notifications": {"toolsListChanged": true, "resourcesListChanged": true}});
    bridge.request("s", "subscriptions/listen", modern(asked));
    assert_eq!(bridge.call(1, "server/discover", modern(json!({})))["error"]["code"], -32601);
    server.start();
    for method in [
        "notifications/subscriptions/acknowledged",
        "notifications/tools/list_changed",
        "notifications/resources/list_changed",
    ] {
        let told = bridge.expect_message();
        assert_eq!(
            (&told["method"], &told["params"]["_meta"][SUBSCRIPTION]),
            (&json!(method), &json!("s"))
        );
    }
    server.change_tools(json!([]));
    bridge.expect_method("notifications/tools/list_changed");
    bridge.close_stdin();
    let end = bridge.expect_response("s");
    assert_eq!(end["result"], json!({"resultType": "complete", "_meta": {SUBSCRIPTION: "s"}}));
    assert!(bridge.wait_exit().success());
}

#[test]
fn filters_hide_and_refuse_the_tools_of_a_modern_server() {
    let server = ModernServer::run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--deny-tool", "e*"]).spawn();
    let list = bridge.call(1, "tools/list", modern(json!({})))["result"].take();
    let tools = list["tools"].as_array().expect("tools");
    assert!(!tools.is_empty() && tools.iter().all(|tool| tool["name"] != "echo"), "{list}");
    assert_eq!(list["ttlMs"], 60_000);
    let answer = bridge.call(2, "tools/call", call("echo", json!({"text": "hi"})));
    assert_eq!(answer["error"]["data"]["kind"], "blocked");
    // A question of the server, and the next attempt with its answer.
    let arguments = json!({"rounds": [questions::form("name")]});
    let question = bridge.call(3, "tools/call", call("ask", arguments.clone()))["result"].take();
    assert_eq!(question["resultType"], "input_required");
    let mut again = call("ask", arguments);
    again["requestState"] = question["requestState"].clone();
    again["inputResponses"] = json!({"name": {"action": "accept", "content": {"name": "x"}}});
    assert_eq!(bridge.call(4, "tools/call", again.clone())["result"]["resultType"], "complete");
    again["name"] = json!("echo");
    let answer = bridge.call(5, "tools/call", again);
    assert_eq!(answer["error"]["data"]["kind"], "blocked");
    bridge.finish();
    assert_eq!(server.executions("echo"), 0);
}

#[test]
fn a_call_that_no_list_named_waits_for_the_servers_own_which_is_asked_as_its_client_would() {
    let reads = json!({"readOnlyHint": true});
    let schema = json!({"type": "object"});
    let server = ModernServer::builder()
        .tools(json!([
            {"name": "echo", "inputSchema": schema, "annotations": reads},
            {"name": "fail", "inputSchema": schema},
        ]))
        .run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--read-only"]).spawn();
    let answer = bridge.call(1, "tools/call", call("echo", json!({"text": "hi"})));
    assert_eq!(answer["result"]["content"], text("hi")["content"], "{answer}");
    let answer = bridge.call(2, "tools/call", call("fail", json!({})));
    assert_eq!(answer["error"]["data"]["kind"], "blocked");
    bridge.finish();
}
