//! A session that the client does not see meets a sign-in.

use serde_json::{Value, json};

use super::{asked, asking, everything, params, tool_got};
use crate::support::auth_server::Plan;
use crate::support::guarded::guard;
use crate::support::mcp_server::matcher::tool;
use crate::support::mcp_server::text;
use crate::support::tab::{self, Browser};
use crate::support::{BridgeProcess, McpServer};

fn echo() -> Value {
    params(json!({}), json!({"name": "echo", "arguments": {"text": "hi"}}))
}

/// A server that is open at first, and a bridge that opens pages in a browser.
fn played() -> (McpServer, BridgeProcess, Browser) {
    let (server, browser) = (super::server(), Browser::recording());
    let by = ["--browser".to_owned(), browser.command()];
    let bridge = BridgeProcess::to(server.url()).args(by).spawn();
    (server, bridge, browser)
}

#[test]
fn a_handshake_that_meets_a_sign_in_is_made_when_somebody_has_signed_in() {
    let (server, mut bridge, browser) = played();
    let answer = bridge.call(0, "server/discover", params(json!({}), json!({})));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    let auth = guard(Plan::default(), &server);
    bridge.request(1, "tools/call", echo());
    bridge.request(2, "tools/list", params(json!({"roots": {}}), json!({})));
    tab::sign_in(&browser.page(1));
    let answer = bridge.expect_response(1);
    assert_eq!(answer["result"]["content"], text("hi")["content"], "{answer}");
    assert_eq!(bridge.expect_response(2)["result"]["resultType"], "complete");
    assert_eq!((server.sessions(), server.executions("echo")), (2, 1));
    assert_eq!((browser.pages().len(), auth.asked("/token").len()), (1, 1));
    bridge.finish();
}

#[test]
fn a_call_that_meets_a_sign_in_in_mid_session_is_executed_once_afterwards() {
    let (server, mut bridge, browser) = played();
    bridge.call(1, "tools/call", echo());
    let _auth = guard(Plan::default(), &server);
    bridge.request(2, "tools/call", echo());
    tab::sign_in(&browser.page(1));
    let answer = bridge.expect_response(2);
    assert_eq!(answer["result"]["content"], text("hi")["content"], "{answer}");
    assert_eq!((server.sessions(), server.executions("echo")), (1, 2));
    bridge.finish();
}

#[test]
fn answers_of_a_client_that_opens_pages_are_taken_when_they_come_again() {
    let (server, mut bridge, browser) = played();
    let arguments = json!({"method": "roots/list", "params": {}});
    let (inputs, state) =
        asked(&bridge.call(1, "tools/call", asking(arguments.clone(), json!({}))));
    let _auth = guard(Plan::default(), &server);
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let answers = json!({key: {"roots": [{"uri": "file:///a"}]}});
    let retry = asking(arguments, json!({"inputResponses": answers, "requestState": state}));
    // A question of ours would make the client forget the state.
    let error = bridge.call(2, "tools/call", retry.clone())["error"].take();
    assert_eq!(error["data"]["kind"], "sign_in_needed", "{error}");
    tab::sign_in(&browser.page(1));
    bridge.call(3, "tools/list", params(everything(), json!({})));
    let answer = bridge.call(4, "tools/call", retry);
    assert_eq!(tool_got(&answer)["result"]["roots"][0]["uri"], "file:///a", "{answer}");
    assert_eq!((server.count(tool("ask")), server.executions("ask")), (1, 1));
    bridge.finish();
}

#[test]
fn answers_of_a_client_that_waits_reach_the_call_that_is_held() {
    let (server, mut bridge, browser) = played();
    let arguments = json!({"method": "roots/list", "params": {}});
    let call = |more: Value| {
        let mut call = asking(arguments.clone(), more);
        call["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"roots": {}});
        call
    };
    let (inputs, state) = asked(&bridge.call(1, "tools/call", call(json!({}))));
    let _auth = guard(Plan::default(), &server);
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let more = json!({"inputResponses": {key: {"roots": []}}, "requestState": state});
    bridge.request(2, "tools/call", call(more));
    tab::sign_in(&browser.page(1));
    let answer = bridge.expect_response(2);
    assert_eq!(tool_got(&answer)["result"], json!({"roots": []}), "{answer}");
    assert_eq!((server.count(tool("ask")), server.executions("ask")), (1, 1));
    bridge.finish();
}

#[test]
fn a_subscription_that_meets_a_sign_in_waits_for_it() {
    let (server, mut bridge, browser) = played();
    bridge.call(0, "server/discover", params(json!({}), json!({})));
    let _auth = guard(Plan::default(), &server);
    let filter = json!({"notifications": {"resourceSubscriptions": ["memo:///1"]}});
    bridge.request("s", "subscriptions/listen", params(json!({}), filter));
    // A subscription opens no page.
    bridge.request(1, "tools/call", echo());
    tab::sign_in(&browser.page(1));
    bridge.expect_response(1);
    let told = bridge.expect_method("notifications/subscriptions/acknowledged");
    let agreed = &told["params"]["notifications"];
    assert_eq!(*agreed, json!({"resourceSubscriptions": ["memo:///1"]}));
    assert_eq!(server.subscriptions().len(), 1);
    bridge.finish();
}
