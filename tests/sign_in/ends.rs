//! What comes to an end: refusals that repeat, refreshes that fail, clients that the authorization server
//! forgot.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::whole::{ask, calling, echo, signed_in, starting};
use crate::support::auth_server::{Answer, Plan};
use crate::support::mcp_server::matcher;
use crate::support::tab::{self, Browser};
use crate::support::{Gate, Guarded, McpServer};

/// The server takes no token at all.
fn refuses_all(server: &Guarded) {
    let challenge = "Bearer error=\"invalid_token\", scope=\"write\"";
    let refusal = crate::support::Answer::status(401).header("www-authenticate", challenge);
    let endpoint = matcher::when("all", |request| request.path == "/mcp");
    server.mcp.always(endpoint, refusal);
}

#[test]
fn a_server_that_refuses_the_new_token_ends_it_with_what_to_compare() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    refuses_all(&server);
    ask(&mut bridge, 1);
    tab::sign_in(&browser.page(2));
    let answer = bridge.expect_response(1);
    let text = answer["error"].to_string();
    for part in [
        &*server.auth.issuer(),
        "was refused by",
        "scopes `write",
        "all that the server wants",
        "--scope",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!((server.grants("refresh_token"), server.grants("authorization_code")), (1, 2));
    let again = bridge.call_tool(2, "echo", json!({}));
    assert!(again["error"].is_object(), "{again}");
    assert_eq!((browser.pages().len(), server.asked("/token")), (2, 3), "nobody is asked again");
    bridge.finish();
}

#[test]
fn a_call_that_alone_is_refused_with_every_token_ends_with_what_to_compare_too() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    let challenge = "Bearer error=\"invalid_token\", scope=\"write\"";
    let refusal = crate::support::Answer::status(401).header("www-authenticate", challenge);
    server.mcp.always(matcher::tool("echo"), refusal);
    ask(&mut bridge, 1);
    tab::sign_in(&browser.page(2));
    let answer = bridge.expect_response(1);
    let text = answer["error"].to_string();
    assert!(
        text.contains("was refused by") && text.contains("all that the server wants"),
        "{text}"
    );
    let asked = || {
        (browser.pages().len(), server.grants("refresh_token"), server.grants("authorization_code"))
    };
    assert_eq!(asked(), (2, 1, 2), "two token requests and a page for the attempt");
    let again = bridge.call_tool(2, "echo", json!({}));
    assert!(again["error"].to_string().contains("was refused by"), "{again}");
    assert_eq!(asked(), (2, 1, 2), "nothing more is asked for at once");
    bridge.finish();
}

#[test]
fn a_call_that_is_refused_with_tokens_that_others_take_costs_two_token_requests_and_a_page() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    // It comes once another call was answered, with the same new token.
    let taken = Gate::named("the new token was taken");
    let refused = crate::support::Answer::status(401).header("www-authenticate", "Bearer");
    server.mcp.always(matcher::tool("echo"), refused.after(&taken));
    server.mcp.once(matcher::tool("echo"), crate::support::Answer::status(401));
    server.mcp.once(matcher::tool("echo"), crate::support::Answer::status(401));
    ask(&mut bridge, 1);
    tab::sign_in(&browser.page(2));
    server.mcp.wait_for_nth(3, matcher::tool("echo"));
    assert!(bridge.call_tool(2, "set_note", json!({"text": "x"}))["result"].is_object());
    taken.open();
    let answer = bridge.expect_response(1);
    assert!(answer["error"].to_string().contains("was refused by"), "{answer}");
    assert_eq!((server.grants("refresh_token"), server.grants("authorization_code")), (1, 2));
    assert_eq!(browser.pages().len(), 2);
    bridge.finish();
}

#[test]
fn a_sign_in_that_is_revoked_a_moment_after_it_worked_is_asked_for_again() {
    let server = Guarded::with(Plan::default().expects_refusals(), McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    for (id, pages) in [(1, 2), (2, 3), (3, 4)] {
        server.auth.revoke_all();
        ask(&mut bridge, id);
        tab::sign_in(&browser.page(pages));
        assert!(bridge.expect_response(id)["result"].is_object());
        assert_eq!(browser.pages().len(), pages);
    }
    assert_eq!((server.grants("refresh_token"), server.grants("authorization_code")), (3, 4));
    bridge.finish();
}

#[test]
fn a_call_that_is_refused_with_every_token_costs_one_page_also_where_each_token_is_said_to_be_over()
{
    let plan = Plan::default().expects_refusals().rule("/token", |asked| {
        let renews = asked.field("grant_type").as_deref() == Some("refresh_token");
        renews.then(|| Answer::json(400, &json!({"error": "invalid_grant"})))
    });
    let server = Guarded::with(plan, McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    let refused = crate::support::Answer::status(401).header("www-authenticate", "Bearer");
    server.mcp.always(matcher::tool("echo"), refused.clone());
    server.mcp.always(matcher::tool("add"), refused);
    ask(&mut bridge, 1);
    tab::sign_in(&browser.page(2));
    let answer = bridge.expect_response(1);
    assert!(answer["error"].to_string().contains("was refused by"), "{answer}");
    let note = bridge.call_tool(2, "set_note", json!({"text": "x"}));
    assert!(note["result"].is_object(), "others are taken: {note}");
    for (id, tool) in [(3, "echo"), (4, "add")] {
        let again = bridge.call_tool(id, tool, json!({}));
        assert!(again["error"].to_string().contains("was refused by"), "{tool}: {again}");
    }
    assert_eq!((browser.pages().len(), server.grants("authorization_code")), (2, 2));
    bridge.finish();
}

/// The browser is sent back with an error for the first of these parameters that the request has.
fn refusing(parameters: [(&'static str, &'static str); 2]) -> Plan {
    let plan = Plan { wants_resource: false, ..Plan::default() };
    plan.expects_refusals().rule("/authorize", move |asked| {
        let (_, error) = parameters.iter().find(|(name, _)| asked.param(name).is_some())?;
        let mut back = url::Url::parse(&asked.param("redirect_uri")?).ok()?;
        let issuer = format!("http://{}", asked.header("host")?);
        back.query_pairs_mut()
            .append_pair("error", error)
            .append_pair("state", &asked.param("state")?)
            .append_pair("iss", &issuer);
        Some(Answer::redirect(302, back.as_str()))
    })
}

#[test]
fn whatever_an_authorization_server_refuses_at_its_page_one_tab_goes_on_without_it() {
    let plan = refusing([("resource", "invalid_target"), ("scope", "invalid_scope")]);
    let server = Guarded::with(plan, McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = calling(&server, &browser);
    let shown = tab::follow(&browser.page(1));
    assert!(shown.body.contains("You are signed in"), "{shown:?}");
    assert!(bridge.expect_response(1)["result"].is_object());
    assert_eq!((browser.pages().len(), server.asked("/token")), (1, 1));
    assert!(server.asked("/register") <= 3, "a client that may be to blame is replaced, each once");
    bridge.finish();
}

#[test]
fn whatever_a_token_endpoint_refuses_one_page_and_two_requests_are_all() {
    for (methods, errors) in [
        (vec!["none"], ["invalid_target", "invalid_scope", "invalid_scope"]),
        (vec!["client_secret_basic"], ["invalid_client", "invalid_target", "invalid_scope"]),
    ] {
        let next = Mutex::new(errors.into_iter());
        let plan = Plan { methods, wants_resource: false, ..Plan::default() };
        let plan = plan.expects_refusals().rule("/authorize", |asked| {
            let mut back = url::Url::parse(&asked.param("redirect_uri")?).ok()?;
            let issuer = format!("http://{}", asked.header("host")?);
            back.query_pairs_mut()
                .append_pair("code", "a-code")
                .append_pair("state", &asked.param("state")?)
                .append_pair("iss", &issuer);
            Some(Answer::redirect(302, back.as_str()))
        });
        let server = Guarded::with(
            plan.rule("/token", move |_| {
                let error = next.lock().unwrap().next().unwrap_or("invalid_target");
                Some(Answer::json(400, &json!({"error": error})))
            }),
            McpServer::legacy(),
        );
        let browser = Browser::recording();
        let mut bridge = calling(&server, &browser);
        let shown = tab::follow(&browser.page(1));
        assert!(shown.body.contains("Signing in failed"), "{errors:?}: {shown:?}");
        let answer = bridge.expect_response(1);
        assert!(answer["error"].is_object(), "{errors:?}: {answer}");
        assert_eq!((browser.pages().len(), server.asked("/token")), (1, 2), "{errors:?}");
        bridge.finish();
    }
}

#[test]
fn scopes_that_are_not_granted_are_asked_for_once_and_then_named() {
    let plan = Plan::default().grants(|grant| grant["scope"] = json!("read"));
    let server = Guarded::with(plan, McpServer::legacy());
    server.needs_scope("set_note", "write");
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"write\", \
                     error_description=\"An admin of your organization grants it\"";
    let refusal = crate::support::Answer::status(403).header("www-authenticate", challenge);
    server.mcp.always(matcher::tool("set_note"), refusal);
    bridge.request(1, "tools/call", json!({"name": "set_note", "arguments": {"text": "x"}}));
    let page = tab::get(&tab::approve(&browser.page(2))).unwrap();
    assert!(page.body.contains("Permissions were not granted"), "{page:?}");
    assert!(page.body.contains("without <code>write</code>"), "{page:?}");
    let answer = bridge.expect_response(1);
    let told = answer["error"]["message"].as_str().unwrap();
    let wants =
        format!("wants the scopes `write`, and {} did not grant `write`", server.auth.issuer());
    assert!(told.contains(&wants), "{told}");
    assert!(told.contains("; it says: An admin of your organization grants it"), "{told}");
    assert!(told.contains("to grant your account `write`, then run `bridge login"), "{told}");
    let again = bridge.call_tool(2, "set_note", json!({"text": "x"}));
    assert!(again["error"].to_string().contains("`write`"), "{again}");
    assert_eq!((browser.pages().len(), server.grants("authorization_code")), (2, 2));
    assert!(echo(&mut bridge, 3).is_object());
    bridge.finish();
}

#[test]
fn a_refresh_that_fails_for_the_moment_costs_nothing_but_the_moment() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    let plan = Plan::default().rule("/token", move |_| {
        is_down.load(Ordering::Relaxed).then(|| Answer::page(503, "<h1>Down</h1>"))
    });
    let server = Guarded::with(plan, McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    server.auth.expire_all();
    down.store(true, Ordering::Relaxed);
    ask(&mut bridge, 1);
    server.auth.wait_for("/token", 2);
    down.store(false, Ordering::Relaxed);
    bridge.expect_response(1);
    assert!(echo(&mut bridge, 2).is_object());
    assert_eq!((browser.pages().len(), server.grants("authorization_code")), (1, 1));
    bridge.finish();
}

/// What the authorization server does to a refresh, while it is set.
type Trouble = Arc<Mutex<Option<Answer>>>;

fn with_trouble() -> (Guarded, Trouble) {
    let trouble = Trouble::default();
    let present = Arc::clone(&trouble);
    let plan = Plan::default().rule("/token", move |_| present.lock().unwrap().clone());
    (Guarded::with(plan, McpServer::legacy()), trouble)
}

/// Longer than a call is tried again.
const PATIENCE: Duration = Duration::from_secs(120);

/// A call whose token can't be renewed says so and what to do; once the network is back the next one works.
#[track_caller]
fn a_refresh_without_an_answer(server: &Guarded, begin: impl FnOnce(), end: impl FnOnce()) {
    let browser = Browser::recording();
    let first = signed_in(server, &browser);
    let mut bridge = starting(server, &browser).home_of(&first).deadline(PATIENCE).spawn();
    bridge.initialize();
    server.auth.expire_all();
    begin();
    let answer = bridge.call_tool(1, "echo", json!({"text": "hi"}));
    let error = &answer["error"];
    let told = (&error["code"], &error["data"]["kind"]);
    assert_eq!(told, (&json!(-31001), &json!("unreachable")), "{answer}");
    let text = error["message"].as_str().unwrap();
    for part in [&*server.auth.issuer(), "could not be renewed", "stay signed in", "tries again"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let sent = server.mcp.count(matcher::tool("echo"));
    // Another request may have met the refusal first.
    assert!(sent <= 1, "a token that was refused is sent {sent} times");
    end();
    assert!(echo(&mut bridge, 2).is_object());
    assert_eq!((browser.pages().len(), server.grants("authorization_code")), (1, 1));
    bridge.finish();
}

#[test]
fn a_refresh_without_an_answer_deletes_nothing_and_the_next_one_succeeds() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_vec();
    // Each is tried again for half a minute.
    std::thread::scope(|scope| {
        for trouble in [Answer::Raw(Vec::new()), Answer::Raw(half), Answer::Silence] {
            scope.spawn(|| {
                let (server, present) = with_trouble();
                let set = |answer| *present.lock().unwrap() = answer;
                a_refresh_without_an_answer(&server, || set(Some(trouble)), || set(None));
            });
        }
        scope.spawn(|| {
            let server = Guarded::run();
            let auth = &server.auth;
            a_refresh_without_an_answer(&server, || auth.leave(), || auth.come_back());
        });
    });
}

#[test]
fn a_client_that_the_authorization_server_forgot_registers_anew() {
    let server = Guarded::with(Plan::default().expects_refusals(), McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    server.auth.forget_clients();
    server.auth.expire_all();
    ask(&mut bridge, 1);
    tab::sign_in(&browser.page(2));
    assert!(bridge.expect_response(1)["result"].is_object());
    assert_eq!((server.asked("/register"), browser.pages().len()), (2, 2));
    bridge.finish();
}

#[test]
fn a_page_that_wants_to_see_a_browser_is_no_reason_to_register_anew() {
    let guarded = Arc::new(AtomicBool::new(false));
    let is_guarded = Arc::clone(&guarded);
    let plan = Plan::default().expects_refusals().rule("/authorize", move |_| {
        is_guarded.swap(false, Ordering::Relaxed).then(|| {
            let headers = [("cf-mitigated", "challenge"), ("content-type", "text/html")];
            Answer::http(403, &headers, "<h1>Just a moment</h1>")
        })
    });
    let server = Guarded::with(plan, McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    server.auth.revoke_all();
    guarded.store(true, Ordering::Relaxed);
    ask(&mut bridge, 1);
    tab::sign_in(&browser.page(2));
    assert!(bridge.expect_response(1)["result"].is_object());
    assert_eq!(server.asked("/register"), 1);
    bridge.finish();
}

#[test]
fn a_no_is_remembered_by_the_next_start_until_a_call_asks() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = starting(&server, &browser).spawn();
    bridge.initialize();
    bridge.request(1, "tools/list", json!({}));
    tab::get(&tab::deny(&browser.page(1))).unwrap();
    bridge.expect_response(1);
    bridge.close_stdin();
    bridge.wait_exit();
    let mut next = starting(&server, &browser).home_of(&bridge).spawn();
    next.initialize();
    let list = next.call(1, "tools/list", json!({}));
    assert_eq!(list["result"]["tools"][0]["name"], "bridge_sign_in", "{list}");
    assert_eq!(browser.pages().len(), 1);
    ask(&mut next, 2);
    tab::sign_in(&browser.page(2));
    assert!(next.expect_response(2)["result"].is_object());
    next.finish();
}
