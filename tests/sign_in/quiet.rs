//! What opens no page: looking whether a server is there, the background, runs that nobody watches, and
//! refusals that no sign-in cures.

use serde_json::{Value, json};

use super::whole::{home, signed_in, starting};
use crate::support::auth_server::Plan;
use crate::support::bridge_process::initialize_params;
use crate::support::mcp_server::matcher;
use crate::support::tab::Browser;
use crate::support::{Answer, BridgeProcess, Guarded, McpServer};

/// Nothing can be waited for where nothing is to happen. Another client, which begins now and asks for lists, gets
/// its page and signs in: whoever was to open one of their own has done so by then.
fn until_a_page_would_be_open() {
    let (server, browser) = (Guarded::run(), Browser::recording());
    let mut another = starting(&server, &browser).spawn();
    another.initialize();
    another.request(1, "tools/list", json!({}));
    crate::support::tab::sign_in(&browser.page(1));
    another.expect_response(1);
    another.finish();
}

#[test]
fn health_checks_and_clients_that_go_no_further_than_the_handshake_open_no_page() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let start = || starting(&server, &browser).spawn();
    let (mut checks, mut only_opens, mut silent) = (start(), start(), start());
    checks.initialize();
    assert!(checks.call(1, "ping", json!({}))["result"].is_object());
    only_opens.call("initialize", "initialize", initialize_params(json!({})));
    silent.send_raw("");
    let mut gone = start();
    gone.initialize();
    gone.request(1, "tools/list", json!({}));
    gone.close_stdin();
    until_a_page_would_be_open();
    assert!(checks.call(2, "ping", json!({}))["result"].is_object());
    assert_eq!((browser.pages(), server.auth.paths()), (Vec::<String>::new(), Vec::new()));
}

#[test]
fn a_stream_that_meets_a_refusal_at_night_opens_no_page_and_the_next_message_of_the_client_does() {
    let server = Guarded::with(Plan::default().expects_refusals(), McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    server.mcp.wait_for_get_stream();
    server.auth.revoke_all();
    server.mcp.end_get_stream();
    server.auth.wait_for("/token", 2);
    until_a_page_would_be_open();
    assert_eq!(server.grants("refresh_token"), 1, "the stream asked for a token");
    assert_eq!(browser.pages().len(), 1);
    bridge.request(1, "tools/list", json!({}));
    crate::support::tab::sign_in(&browser.page(2));
    assert!(bridge.expect_response(1)["result"]["tools"].is_array());
    bridge.finish();
}

#[test]
fn where_nobody_watches_initialize_fails_at_once_and_says_what_gives_credentials() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let ci = starting(&server, &browser).env("CI", "true").spawn();
    let never = server.bridge().args(["--browser", "never"]).spawn();
    for (mut bridge, why) in [(ci, "`CI` is set"), (never, "`--browser never`")] {
        let answer = bridge.call("initialize", "initialize", initialize_params(json!({})));
        let text = answer["error"].to_string();
        for part in [why, "bridge login", "--with-token", "--client-credentials", "--header"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(super::races::processes(&bridge), [bridge.pid()]);
    }
    assert_eq!((browser.pages().len(), server.auth.paths().len()), (0, 0));
}

#[test]
fn a_refusal_that_no_sign_in_cures_opens_no_page() {
    let browser = Browser::recording();
    for status in [403, 404] {
        let server = Guarded::run();
        let home = home();
        let endpoint = matcher::when("the endpoint", |request| request.path == "/mcp");
        // The protocol after this one and the transport before it are tried as well.
        server.mcp.allow("server/discover");
        server.mcp.allow(matcher::get());
        server.mcp.always(endpoint, Answer::status(status));
        let mut bridge = starting(&server, &browser).home_of(&home).spawn();
        bridge.request(0, "initialize", initialize_params(json!({})));
        bridge.expect_response(0);
        bridge.notify("notifications/initialized", json!({}));
        let answer = bridge.call_tool(1, "echo", json!({}));
        assert!(answer["error"]["message"].is_string(), "{answer}");
        until_a_page_would_be_open();
        assert_eq!((browser.pages().len(), server.auth.paths().len()), (0, 0), "{status}");
    }
}

/// The text of the bridge's own tool.
fn ask_for_sign_in(bridge: &mut BridgeProcess, id: u64) -> String {
    let answer = bridge.call_tool(id, "bridge_sign_in", json!({}));
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn the_tool_for_the_sign_in_gives_the_address_then_waits_and_then_says_that_it_is_done() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = starting(&server, &browser).spawn();
    bridge.initialize();
    let said = ask_for_sign_in(&mut bridge, 1);
    let page = browser.page(1);
    assert!(said.contains(&page) && said.contains(&server.auth.issuer()), "{said}");
    bridge.request(2, "tools/call", json!({"name": "bridge_sign_in", "arguments": {}}));
    crate::support::tab::sign_in(&page);
    let done: Value = bridge.expect_response(2);
    assert!(done["result"]["content"][0]["text"].as_str().unwrap().contains("You are signed in"));
    bridge.expect_method("notifications/tools/list_changed");
    assert!(ask_for_sign_in(&mut bridge, 3).contains("signed in"), "it stays callable");
    assert_eq!(browser.pages().len(), 1);
    bridge.finish();
}

#[test]
fn a_client_that_shows_pages_itself_gets_the_address_as_an_error_and_hears_of_the_end() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = starting(&server, &browser).spawn();
    bridge.initialize_with(json!({"elicitation": {"url": {}}}));
    let answer = bridge.call_tool(1, "echo", json!({"text": "hi"}));
    assert_eq!(answer["error"]["code"], -32042, "{answer}");
    let elicitation = &answer["error"]["data"]["elicitations"][0];
    assert_eq!(
        (&elicitation["mode"], &elicitation["url"]),
        (&json!("url"), &json!(browser.page(1)))
    );
    crate::support::tab::sign_in(&browser.page(1));
    let told = bridge.expect_method("notifications/elicitation/complete");
    assert_eq!(told["params"]["elicitationId"], elicitation["elicitationId"]);
    assert!(super::whole::echo(&mut bridge, 2).is_object());
    bridge.finish();
}
