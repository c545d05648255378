//! The whole of it: the real program, a browser, a person.

use serde_json::{Value, json};

use crate::support::auth_server::Plan;
use crate::support::bridge_process::{Builder, initialize_params};
use crate::support::tab::{self, Browser};
use crate::support::{BridgeProcess, Guarded, McpServer};

#[test]
fn a_list_that_meets_a_sign_in_arrives_once_the_person_has_signed_in() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = server.bridge().args(["--browser".to_owned(), browser.command()]).spawn();
    bridge.initialize();
    bridge.request(1, "tools/list", json!({}));
    let page = browser.page(1);
    let back = tab::approve(&page);
    assert_eq!(on_show(&bridge, &secrets(&server, &page)), "");
    assert_eq!(tab::get(&back).unwrap().status, 200);
    let list = bridge.expect_response(1);
    assert_eq!(on_show(&bridge, &secrets(&server, &page)), "");
    let names = list["result"]["tools"].as_array().expect("tools");
    assert!(names.iter().any(|tool| tool["name"] == "echo"), "{list}");
    assert_eq!(
        bridge.call_tool(2, "echo", json!({"text": "hi"}))["result"]["isError"],
        json!(null)
    );
    assert_eq!(
        (browser.pages().len(), server.asked("/register"), server.asked("/token")),
        (1, 1, 1)
    );
    bridge.finish();
}

#[test]
fn a_page_on_another_site_than_the_issuers_opens_only_by_a_click_unless_answers_name_the_issuer() {
    for (iss, by_itself) in [(false, false), (true, true)] {
        let plan = Plan { iss, ..Plan::default() }.metadata(|document| {
            let page = document["authorization_endpoint"].as_str().unwrap();
            document["authorization_endpoint"] = page.replace("127.0.0.1", "localhost").into();
        });
        let server = Guarded::with(plan, McpServer::legacy());
        let browser = Browser::recording();
        let mut bridge = bridge(&server, &browser);
        ask(&mut bridge, 1);
        let page = browser.page(1);
        let shown = tab::get(&page).unwrap().body;
        assert_eq!(shown.contains("http-equiv=\"refresh\""), by_itself, "{shown}");
        assert_eq!(shown.contains("Go on to localhost</a> only if"), !by_itself, "{shown}");
        tab::sign_in(&page);
        assert!(bridge.expect_response(1)["result"].is_object());
        bridge.finish();
    }
}

/// All that nobody else on the machine may learn.
fn secrets(server: &Guarded, page: &str) -> Vec<String> {
    let states =
        server.auth.asked("/authorize").into_iter().filter_map(|asked| asked.param("state"));
    let exchanges = server.auth.asked("/token").into_iter();
    let verifiers = exchanges.filter_map(|asked| asked.field("code_verifier"));
    let address = page.rsplit('/').next().expect("a path").to_owned();
    states.chain(verifiers).chain([address, "-canary".to_owned()]).collect()
}

#[test]
fn the_browser_gets_no_variable_with_a_secret_of_ours() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = starting(&server, &browser)
        .args(["--header", "X-Tenant=${MY_TOKEN}"])
        .env("MY_TOKEN", "canary-1")
        .env("BRIDGE_CLIENT_SECRET", "canary-2")
        .env("BRIDGE_HEADER_X_API_KEY", "canary-3")
        .env("NOT_OURS", "stays")
        .spawn();
    bridge.initialize();
    bridge.request(1, "tools/list", json!({}));
    tab::sign_in(&browser.page(1));
    let environment = browser.environment();
    assert!(environment.contains("NOT_OURS=stays"), "{environment}");
    assert!(!environment.contains("canary") && !environment.contains("BRIDGE_"), "{environment}");
    bridge.finish();
}

/// What the lists of processes show of these secrets, for all processes of this home.
#[cfg(target_os = "linux")]
fn on_show(bridge: &BridgeProcess, secrets: &[String]) -> String {
    let processes = super::races::processes(bridge);
    assert!(processes.contains(&bridge.pid()) && secrets.len() >= 3, "{processes:?} {secrets:?}");
    let files = processes.iter().flat_map(|pid| {
        ["cmdline", "environ", "comm"].map(|file| (*pid, file, super::races::read(*pid, file)))
    });
    let shown = files.filter(|(_, _, text)| secrets.iter().any(|secret| text.contains(secret)));
    shown.map(|(pid, file, text)| format!("{pid} {file}: {text}\n")).collect()
}

#[cfg(not(target_os = "linux"))]
fn on_show(_: &BridgeProcess, _: &[String]) -> &'static str {
    ""
}

#[test]
fn the_page_is_there_when_it_opens_and_while_its_program_still_runs() {
    let server = Guarded::run();
    let browser = Browser::lingering();
    for store in ["env", "memory"] {
        let nth = browser.pages().len() + 1;
        let mut bridge = starting(&server, &browser).args(["--credential-store", store]).spawn();
        bridge.initialize();
        bridge.request(1, "tools/list", json!({}));
        tab::sign_in(&browser.page(nth));
        assert!(bridge.expect_response(1)["result"].is_object(), "{store}");
        bridge.finish();
    }
}

/// A bridge whose pages are recorded.
pub(super) fn starting(server: &Guarded, browser: &Browser) -> Builder {
    server.bridge().args(["--browser".to_owned(), browser.command()])
}

fn bridge(server: &Guarded, browser: &Browser) -> BridgeProcess {
    let mut bridge = starting(server, browser).spawn();
    bridge.initialize();
    bridge
}

/// A bridge whose client waits for the answer to call 1.
pub(super) fn calling(server: &Guarded, browser: &Browser) -> BridgeProcess {
    let mut bridge = bridge(server, browser);
    ask(&mut bridge, 1);
    bridge
}

/// Calls the tool, and does not wait for the answer.
pub(super) fn ask(bridge: &mut BridgeProcess, id: u64) {
    bridge.request(id, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
}

/// A process that did nothing, for its home.
pub(crate) fn home() -> BridgeProcess {
    let mut idle = BridgeProcess::with_args(["--version"]).unchecked().spawn();
    idle.wait_exit();
    idle
}

/// The result of a call.
pub(super) fn echo(bridge: &mut BridgeProcess, id: impl Into<Value>) -> Value {
    bridge.call_tool(id, "echo", json!({"text": "hi"}))["result"].take()
}

/// A bridge whose person has signed in.
pub(super) fn signed_in(server: &Guarded, browser: &Browser) -> BridgeProcess {
    let mut bridge = bridge(server, browser);
    bridge.request("first", "tools/list", json!({}));
    tab::sign_in(&browser.page(1));
    bridge.expect_response("first");
    bridge
}

#[test]
fn the_next_start_is_silent_asks_nobody_and_a_token_that_ran_out_is_renewed() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let first = signed_in(&server, &browser);
    let before = server.auth.paths().len();
    let args = ["--browser".to_owned(), browser.command()];
    let mut next = server.bridge().home_of(&first).args(args).spawn();
    next.initialize();
    assert!(next.call(1, "tools/list", json!({}))["result"]["tools"].is_array());
    assert_eq!(server.auth.paths().len(), before, "{:?}", server.auth.paths());
    server.auth.expire_all();
    assert!(next.call(2, "tools/list", json!({}))["result"]["tools"].is_array());
    assert_eq!((server.grants("refresh_token"), browser.pages().len()), (1, 1));
    assert_eq!(server.auth.paths()[before..], ["/token"]);
    next.finish();
    first.finish();
}

#[test]
fn a_call_that_lacks_a_scope_asks_for_all_scopes_together_and_is_then_executed() {
    let server = Guarded::run();
    server.needs_scope("set_note", "write");
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    bridge.request(1, "tools/call", json!({"name": "set_note", "arguments": {"text": "x"}}));
    let page = browser.page(2);
    let asked = url::Url::parse(&tab::provider(&page)).unwrap();
    let scope = asked.query_pairs().find(|(name, _)| name == "scope").unwrap().1;
    let mut scopes: Vec<_> = scope.split(' ').filter(|scope| *scope != "offline_access").collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["read", "write"]);
    tab::sign_in(&page);
    assert!(bridge.expect_response(1)["result"].is_object());
    assert_eq!((server.mcp.executions("set_note"), server.asked("/register")), (1, 1));
    assert_eq!(server.grants("refresh_token"), 0, "a refresh does not widen what was granted");
    bridge.finish();
}

#[test]
fn a_client_that_may_ask_for_less_than_it_was_registered_for_is_registered_anew() {
    let plan = Plan { scopes_are_bound: true, ..Plan::default() }.expects_refusals();
    let server = Guarded::with(plan, McpServer::legacy());
    server.needs_scope("set_note", "write");
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    server.auth.narrows_clients("read offline_access");
    bridge.request(1, "tools/call", json!({"name": "set_note", "arguments": {"text": "x"}}));
    tab::sign_in(&browser.page(2));
    assert!(bridge.expect_response(1)["result"].is_object());
    assert_eq!((browser.pages().len(), server.asked("/register")), (2, 2));
    bridge.finish();
}

#[test]
fn after_a_no_lists_open_no_page_and_a_call_opens_another() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = bridge(&server, &browser);
    bridge.request(1, "tools/list", json!({}));
    let back = tab::deny(&browser.page(1));
    let shown = tab::get(&back).unwrap();
    assert!(shown.body.contains("not signed in") || shown.status >= 400, "{shown:?}");
    let list = bridge.expect_response(1);
    assert_eq!(list["result"]["tools"][0]["name"], "bridge_sign_in", "{list}");
    let list = bridge.call(2, "tools/list", json!({}));
    assert_eq!(list["result"]["tools"][0]["name"], "bridge_sign_in", "{list}");
    assert_eq!(browser.pages().len(), 1);
    ask(&mut bridge, 3);
    tab::sign_in(&browser.page(2));
    assert!(bridge.expect_response(3)["result"].is_object());
    bridge.expect_method("notifications/tools/list_changed");
    assert_eq!(browser.pages().len(), 2);
    bridge.finish();
}

#[test]
fn a_sign_in_that_was_revoked_asks_once_more() {
    let server = Guarded::with(Plan::default().expects_refusals(), McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    server.auth.revoke_all();
    ask(&mut bridge, 1);
    tab::sign_in(&browser.page(2));
    assert!(bridge.expect_response(1)["result"].is_object());
    assert_eq!((server.grants("refresh_token"), server.asked("/register")), (1, 1));
    bridge.finish();
}

/// Runs a command of a person in the home of another process, and gives what it said.
fn run(command: Builder, other: &BridgeProcess, stdin: &str) -> String {
    let mut process = command.home_of(other).spawn();
    process.send_raw(stdin);
    process.close_stdin();
    let status = process.wait_exit();
    assert!(status.success(), "{status}: {}", process.stderr_text());
    process.stderr_text()
}

#[test]
fn a_logout_and_a_login_elsewhere_are_noticed_by_a_bridge_that_runs() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    run(server.command("logout"), &bridge, "");
    assert_eq!(server.asked("/revoke"), 2, "both tokens");
    ask(&mut bridge, 1);
    let page = browser.page(2);
    // The person signs in by a terminal in place of the page that waits.
    let login = server.command("login").args(["--browser".to_owned(), browser.command()]);
    let mut login = login.home_of(&bridge).spawn();
    tab::sign_in(&browser.page(3));
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
    assert!(bridge.expect_response(1)["result"].is_object());
    assert!(tab::get(&page).is_err(), "nobody listens any more");
    bridge.finish();
}

#[test]
fn a_token_given_by_hand_opens_no_page_whatever_the_server_says_to_it() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let idle = home();
    server.auth.knows("a-token-of-mine");
    run(server.command("login").arg("--with-token"), &idle, "a-token-of-mine");
    server.auth.revoke_all();
    let args = ["--browser".to_owned(), browser.command()];
    let mut bridge = server.bridge().home_of(&idle).args(args).spawn();
    let answer = bridge.call("initialize", "initialize", initialize_params(json!({})));
    let error = &answer["error"];
    assert!(error["message"].as_str().unwrap().contains("--with-token"), "{answer}");
    assert_eq!((browser.pages().len(), server.auth.paths().len()), (0, 0));
}
