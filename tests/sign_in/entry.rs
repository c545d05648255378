//! `login` asks the server itself, before it signs a person in and after.

use serde_json::json;

use super::commands::said;
use super::whole::home;
use crate::support::mcp_server::matcher::{self, Matcher};
use crate::support::tab::{self, Browser};
use crate::support::{Answer, BridgeProcess, Guarded, McpServer};

fn at(path: &'static str) -> Matcher {
    matcher::when("a path", move |request| request.path == path)
}

fn login(server: &Guarded, browser: &Browser, home: &BridgeProcess) -> BridgeProcess {
    let args = ["--browser".to_owned(), browser.command()];
    server.command("login").args(args).home_of(home).spawn()
}

#[test]
fn a_login_goes_by_what_the_server_says_to_whoever_has_no_token() {
    let server = Guarded::run();
    let document = json!({
        "resource": server.mcp.url(),
        "authorization_servers": [server.auth.issuer()],
        "scopes_supported": ["read", "write"],
    });
    server.mcp.always(at("/.well-known/oauth-protected-resource/mcp"), Answer::status(404));
    server.mcp.allow(at("/elsewhere"));
    server.mcp.always(at("/elsewhere"), Answer::json(document.to_string()));
    let challenge = format!(
        "Bearer resource_metadata=\"{}\", scope=\"write\"",
        server.mcp.url_of("/elsewhere")
    );
    let refusal = Answer::status(401).header("www-authenticate", &challenge);
    let nobody = |request: &crate::support::mcp_server::Request| {
        request.path == "/mcp" && request.header("authorization").is_none()
    };
    server.mcp.always(matcher::when("no token", nobody), refusal);
    let (browser, home) = (Browser::recording(), home());
    let mut login = login(&server, &browser, &home);
    tab::sign_in(&browser.page(1));
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
    assert!(login.stderr_text().contains("scopes: write"), "{}", login.stderr_text());
}

#[test]
fn a_login_whose_token_the_server_refuses_says_so() {
    let server = Guarded::run();
    let refusal = Answer::status(401).header("www-authenticate", "Bearer error=\"invalid_token\"");
    let somebody = |request: &crate::support::mcp_server::Request| {
        request.path == "/mcp" && request.header("authorization").is_some()
    };
    server.mcp.always(matcher::when("any token", somebody), refusal);
    let (browser, home) = (Browser::recording(), home());
    let mut login = login(&server, &browser, &home);
    tab::sign_in(&browser.page(1));
    assert!(!login.wait_exit().success());
    let told = login.stderr_text();
    assert!(told.contains("was refused by") && !told.contains("You are signed in"), "{told}");
}

#[test]
fn a_token_that_the_server_refuses_is_not_kept() {
    let server = Guarded::run();
    let home = home();
    let command = server.command("login").arg("--with-token").home_of(&home);
    let mut given = command.unchecked().spawn();
    given.send_raw("a-token-of-mine");
    given.close_stdin();
    assert_eq!(given.wait_exit().code(), Some(4));
    let told = given.stderr_text();
    assert!(told.contains("refuses this token") && !told.contains("is kept:"), "{told}");
    let mut status = server.command("status").home_of(&home).unchecked().spawn();
    assert_eq!(status.wait_exit().code(), Some(3));
}

#[test]
fn a_login_to_a_server_that_wants_nobody_signed_in_says_so() {
    let server = McpServer::legacy().run();
    server.allow(matcher::when("anything", |_| true));
    server.always(matcher::when("anything", |_| true), Answer::status(404));
    let refusal = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no session"}}"#;
    server.always(at("/mcp"), Answer::json(refusal.to_owned()));
    let command = BridgeProcess::with_args(["login".to_owned(), server.url()]).unchecked();
    let told = said(command, &home());
    assert!(told.contains("asks nobody to sign in"), "{told}");
}

#[test]
fn a_token_that_is_good_and_opens_nothing_is_told_at_once_and_whom_to_ask() {
    let words = json!({"error": {"code": "no", "message": "The permission MCP Access is missing"}});
    for (status, whom) in [(403, "ask who administers it at"), (404, "whether MCP is turned on")] {
        let server = Guarded::run();
        let somebody = |request: &crate::support::mcp_server::Request| {
            request.path == "/mcp" && request.header("authorization").is_some()
        };
        let refusal = Answer::json(words.to_string()).with_status(status);
        server.mcp.allow(matcher::id("\"bridge-entry\""));
        server.mcp.always(matcher::when("any token", somebody), refusal);
        let (browser, home) = (Browser::recording(), home());
        let mut login = login(&server, &browser, &home);
        tab::sign_in(&browser.page(1));
        assert!(login.wait_exit().success(), "{}", login.stderr_text());
        for told in ["You are signed in", "warning: HTTP", "MCP Access is missing", whom] {
            assert!(login.stderr_text().contains(told), "{told}: {}", login.stderr_text());
        }
        assert_eq!(browser.pages().len(), 1);
    }
}

#[test]
fn a_server_that_knows_no_message_outside_a_session_refuses_nobody() {
    let server = Guarded::run();
    let ping = |request: &crate::support::mcp_server::Request| {
        request.rpc_method() == Some("ping") && request.header("authorization").is_some()
    };
    server.mcp.allow(matcher::id("\"bridge-entry\""));
    let refusal = Answer::json(r#"{"error": "no such session"}"#).with_status(404);
    server.mcp.always(matcher::when("a ping", ping), refusal);
    let (browser, home) = (Browser::recording(), home());
    let mut login = login(&server, &browser, &home);
    tab::sign_in(&browser.page(1));
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
    assert!(!login.stderr_text().contains("warning"), "{}", login.stderr_text());
}
