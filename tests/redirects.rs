//! Redirects: within an origin the same request goes to the new place, across origins nothing goes.

use serde_json::{Value, json};

use crate::support::mcp_server::matcher::{delete, get, path, post, tool, when};
use crate::support::mcp_server::{Builder, Matcher, text};
use crate::support::{Answer, BridgeProcess, McpServer};

/// A server at `/mcp/` that sends on from `/mcp`.
fn moved_by(status: u16) -> Builder {
    McpServer::legacy()
        .path("/mcp/")
        .path("/mcp")
        .always(path("/mcp"), Answer::redirect(status, "/mcp/"))
}

/// The bridge, which was told the old place.
fn at_the_old_place(server: &McpServer) -> BridgeProcess {
    BridgeProcess::to(server.url_of("/mcp")).spawn()
}

fn posts_to(place: &'static str) -> Matcher {
    when(place, move |request| request.path == place && request.rpc_method().is_some())
}

#[test]
fn a_slash_is_mended_by_every_kind_of_redirect() {
    for status in [301, 302, 307, 308] {
        let server = moved_by(status).run();
        let mut bridge = at_the_old_place(&server);
        bridge.initialize();
        let answer = bridge.call_tool(1, "echo", json!({"text": "there"}));
        assert_eq!(answer["result"], text("there"), "by {status}");
        bridge.finish();
    }
}

#[test]
fn what_a_303_says_was_processed_is_not_sent_again() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    server.once(tool("echo"), Answer::redirect(303, "/mcp").executed());
    let error = bridge.call_tool(1, "echo", json!({"text": "once"}))["error"].take();
    assert_eq!(error["data"]["status"], 303, "{error}");
    assert_eq!(server.count(tool("echo")), 1);
    bridge.finish();
}

#[test]
fn the_same_request_goes_to_the_new_place() {
    let server = moved_by(307).run();
    at_the_old_place(&server).initialize();
    let old = server.wait_for(path("/mcp"));
    let new = server.wait_for("initialize");
    let new = if new.order == old.order { server.wait_for_nth(2, "initialize") } else { new };
    assert_eq!((new.path.as_str(), &new.body), ("/mcp/", &old.body));
    for name in ["accept", "content-type", "user-agent"] {
        assert_eq!(new.header(name), old.header(name), "{name}");
    }
}

#[test]
fn the_new_place_is_learnt() {
    for status in [307, 308] {
        let server = moved_by(status).run();
        let mut bridge = at_the_old_place(&server);
        bridge.initialize();
        bridge.call(1, "ping", json!({}));
        bridge.call(2, "ping", json!({}));
        server.wait_for_get_stream();
        bridge.finish();
        assert_eq!(server.count(posts_to("/mcp")), 1, "the old place is asked once ({status})");
        assert_eq!(server.wait_for(get()).path, "/mcp/");
        assert_eq!(server.wait_for(delete()).path, "/mcp/");
    }
}

#[test]
fn a_redirect_in_mid_session_keeps_the_call() {
    let server = McpServer::legacy()
        .path("/mcp")
        .path("/v2/mcp")
        .once("tools/call", Answer::redirect(307, "/v2/mcp"))
        .run();
    let mut bridge = BridgeProcess::before(&server);
    let answer = bridge.call_tool(1, "echo", json!({"text": "still here"}));
    assert_eq!(answer["result"], text("still here"));
    assert_eq!(server.executions("echo"), 1);
    bridge.finish();
}

#[test]
fn a_redirect_that_would_turn_the_post_into_a_get_is_an_error_with_the_address() {
    for status in [301, 302, 303] {
        let server = McpServer::legacy()
            .always("tools/call", Answer::redirect(status, "/login?key=1"))
            .run();
        let mut bridge = BridgeProcess::before(&server);
        let error = bridge.call_tool(7, "echo", json!({}))["error"].take();
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(&server.url_of("/login")), "{error}");
        assert!(!error.to_string().contains("key=1"), "a query may hold a secret: {error}");
        assert_eq!(error["data"]["kind"], "redirected");
        assert_eq!(error["data"]["status"], status);
        assert_eq!(server.count("tools/call"), 1);
        bridge.finish();
    }
}

#[test]
fn nothing_crosses_an_origin() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = McpServer::legacy().run();
        let server = McpServer::legacy()
            .always("tools/call", Answer::redirect(status, &elsewhere.url()))
            .run();
        let mut bridge = BridgeProcess::before(&server);
        let error = bridge.call_tool(7, "echo", json!({}))["error"].take();
        assert!(
            error["message"].as_str().expect("a message").contains(&elsewhere.url()),
            "{error}"
        );
        assert_eq!(error["data"]["kind"], "redirected");
        bridge.finish();
        assert_eq!(elsewhere.connections(), 0, "by {status}");
    }
}

#[test]
fn a_get_stream_and_a_delete_do_not_cross_an_origin_either() {
    let elsewhere = McpServer::legacy().run();
    let server = McpServer::legacy()
        .always(get(), Answer::redirect(307, &elsewhere.url()))
        .always(delete(), Answer::redirect(307, &elsewhere.url()))
        .run();
    let mut bridge = BridgeProcess::before(&server);
    server.wait_for(get());
    bridge.call(1, "ping", json!({}));
    bridge.finish();
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_loop_ends_after_three_hops() {
    let server = McpServer::legacy().always("tools/call", Answer::redirect(307, "/mcp")).run();
    let mut bridge = BridgeProcess::before(&server);
    let response = bridge.call_tool(7, "echo", json!({}));
    assert_eq!(response["error"]["data"]["kind"], "redirected", "{response}");
    assert!(server.count("tools/call") <= 4, "{} requests", server.count("tools/call"));
    bridge.finish();
}

#[test]
fn a_redirect_without_an_address_is_an_error() {
    for answer in [
        Answer::status(307),
        Answer::redirect(307, "ftp://127.0.0.1/mcp"),
        Answer::redirect(307, "http://["),
    ] {
        let server = McpServer::legacy().always("tools/call", answer).run();
        let mut bridge = BridgeProcess::before(&server);
        let response = bridge.call_tool(7, "echo", json!({}));
        assert_eq!(response["error"]["data"]["status"], 307, "{response}");
        bridge.finish();
    }
}

#[test]
fn an_initialize_that_is_sent_elsewhere_fails_with_the_address() {
    let elsewhere = McpServer::legacy().run();
    let server = McpServer::legacy().always(post(), Answer::redirect(308, &elsewhere.url())).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let params = crate::support::bridge_process::initialize_params(json!({}));
    let response: Value = bridge.call(0, "initialize", params);
    let error = response["error"]["message"].as_str().expect("an error");
    assert!(error.contains(&elsewhere.url()), "{response}");
    assert_eq!(elsewhere.connections(), 0);
}
