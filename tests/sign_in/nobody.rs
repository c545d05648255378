//! `bridge login` where nobody is there to sign in, and clients that lack what they need.

use serde_json::json;

use super::whole::home;
use crate::support::auth_server::Plan;
use crate::support::bridge_process::initialize_params;
use crate::support::tab::{self, Browser};
use crate::support::{BridgeProcess, Guarded, McpServer};

#[test]
fn a_login_in_ci_without_a_terminal_fails_at_once_and_says_what_to_do() {
    let (server, home) = (Guarded::run(), home());
    let mut login = server.command("login").env("CI", "true").home_of(&home).spawn();
    assert_eq!(login.wait_exit().code(), Some(3));
    let told = login.stderr_text();
    for part in ["nobody can sign in", "`CI` is set", "--device`", "--client-credentials`"] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(server.asked("/register"), 0);
}

#[test]
fn a_login_in_ci_with_a_browser_of_its_own_goes_on() {
    let (server, home, browser) = (Guarded::run(), home(), Browser::recording());
    let args = ["--browser".to_owned(), browser.command()];
    let login = server.command("login").args(args).env("CI", "true");
    let mut login = login.home_of(&home).spawn();
    tab::sign_in(&browser.page(1));
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
}

#[test]
fn a_login_that_nobody_can_answer_ends_when_its_input_does() {
    let (server, home) = (Guarded::run(), home());
    let args = ["--browser", "/nowhere/browser"];
    let mut login = server.command("login").args(args).home_of(&home).spawn();
    login.wait_for_stderr("It was not opened here");
    login.close_stdin();
    assert_eq!(login.wait_exit().code(), Some(3));
    let told = login.stderr_text();
    assert!(told.contains("stdin is at its end") && told.contains("hint: run `"), "{told}");
}

#[test]
fn a_client_without_its_secret_is_told_where_to_give_it() {
    let (server, home) = (Guarded::run(), home());
    let options = ["--client-credentials", "--client-id", "me"];
    let mut bridge = server.bridge().args(options).home_of(&home).spawn();
    let answer = bridge.call("initialize", "initialize", initialize_params(json!({})));
    let mut login = server.command("login").args(options).home_of(&home).spawn();
    login.wait_exit();
    for told in [answer["error"]["message"].as_str().unwrap(), &login.stderr_text()] {
        assert!(told.contains("BRIDGE_CLIENT_SECRET"), "{told}");
        assert!(!told.contains("in a terminal"), "{told}");
    }
}

#[test]
fn a_login_without_a_keychain_or_terminal_offers_what_keeps_the_sign_in() {
    let (server, home) = (Guarded::run(), home());
    let login = server.command("login").env("BRIDGE_STORE_KEY", "");
    let login = login.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    let mut login = login.home_of(&home).spawn();
    login.wait_exit();
    let told = login.stderr_text();
    assert!(told.contains("set BRIDGE_STORE_KEY") && told.contains("plaintext"), "{told}");
    assert!(!told.contains("memory"), "{told}");
}

#[test]
fn a_login_without_a_keychain_asks_the_server_before_it_asks_where_to_keep_tokens() {
    use crate::support::mcp_server::matcher::anything;
    let (server, home) = (McpServer::legacy().allow(anything()).run(), home());
    let login = BridgeProcess::with_args(["login".to_owned(), server.url()]).unchecked();
    let login = login.env("BRIDGE_STORE_KEY", "");
    let login = login.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    let mut login = login.home_of(&home).spawn();
    login.wait_exit();
    let told = login.stderr_text();
    assert!(told.contains("asks nobody to sign in"), "{told}");
    assert!(told.contains("use it without") && !told.contains("keychain"), "{told}");
}

#[test]
fn a_login_without_a_browser_here_ends_when_nobody_can_paste() {
    let (server, home) = (Guarded::run(), home());
    // No screen: the browser is on another machine.
    let login = server.command("login").arg("--no-browser").env("SSH_CONNECTION", "a 1 b 2");
    let mut login = login.home_of(&home).spawn();
    login.close_stdin();
    assert_eq!(login.wait_exit().code(), Some(3), "{}", login.stderr_text());
    let told = login.stderr_text();
    assert!(told.contains("stdin is at its end") && told.contains("--device`"), "{told}");
}

#[test]
fn a_login_without_a_browser_waits_for_one_that_is_opened_by_hand() {
    let (server, home, browser) = (Guarded::run(), home(), Browser::recording());
    let login = server.command("login").arg("--no-browser").env("DISPLAY", ":0");
    // An argument counts before a variable.
    let login = login.env("BRIDGE_BROWSER", browser.command());
    let mut login = login.home_of(&home).spawn();
    login.close_stdin();
    login.wait_for_stderr("paste that address here");
    let told = login.stderr_text();
    let page = told.split("\n\n  ").nth(1).unwrap().split('\n').next().unwrap();
    let back = tab::get(page).unwrap().location.expect("a way back");
    assert_eq!(tab::get(&back).unwrap().status, 200);
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
    assert_eq!(browser.pages(), [""; 0]);
}

/// What a server that has no sign-in says to a `login`, and to one with a token.
fn told(answer: crate::support::Answer) -> (i32, String, String) {
    use crate::support::mcp_server::matcher::anything;
    let server = McpServer::legacy().allow(anything()).always(anything(), answer).run();
    let args = ["login".to_owned(), server.url()];
    let mut login = BridgeProcess::with_args(args.clone()).unchecked().spawn();
    login.close_stdin();
    let code = login.wait_exit().code().unwrap();
    let kept = crate::support::canary::files_below(login.home());
    let records = kept.iter().filter(|file| file.extension().is_some_and(|it| it == "env"));
    assert_eq!(records.count(), 0, "nothing was earned, and nothing is left: {kept:?}");
    let mut gift = BridgeProcess::with_args(args).arg("--with-token").unchecked().spawn();
    gift.send("some-token");
    gift.close_stdin();
    assert!(gift.wait_exit().success());
    (code, login.stderr_text(), gift.stderr_text())
}

#[test]
fn a_login_where_no_mcp_server_answers_says_what_answers() {
    use crate::support::Answer;
    for (answer, code, says, hints) in [
        (Answer::text("no such thing").with_status(404), 1, "HTTP 404", "looks at each step"),
        (Answer::text("the database").with_status(500), 5, "HTTP 500", "tell whoever runs"),
        (Answer::text("not for you").with_status(403), 4, "HTTP 403", ""),
        (Answer::html("<title>Welcome</title>"), 1, "a web page: Welcome", "looks at each step"),
        (Answer::json(r#"{"error":"nothing"}"#).with_status(404), 1, "HTTP 404", "looks at each"),
    ] {
        let (ended, login, gift) = told(answer);
        assert_eq!(ended, code, "{login}");
        assert!(login.starts_with("error: ") && login.contains(says), "{login}");
        let hint = login.lines().last().unwrap();
        assert!(hint.starts_with("hint: ") && hint.contains(hints), "{login}");
        assert!(gift.contains("warning: ") && gift.contains(says), "{gift}");
    }
}

#[test]
fn a_client_whose_secret_is_wrong_is_refused() {
    let (server, home) =
        (Guarded::with(Plan::default().expects_refusals(), McpServer::legacy()), home());
    let options = ["--client-credentials", "--client-id", "me"];
    let login = server.command("login").args(options).env("BRIDGE_CLIENT_SECRET", "canary-wrong");
    let mut login = login.home_of(&home).spawn();
    assert_eq!(login.wait_exit().code(), Some(4), "{}", login.stderr_text());
}

#[test]
fn a_slip_in_the_name_of_a_variable_is_told_to_whoever_types_and_not_to_a_client() {
    let home = home();
    let run = |args: &[&str]| {
        let process = BridgeProcess::with_args(args.iter().copied()).unchecked();
        let mut process = process.env("BRIDGE_READONLY", "canary-1").home_of(&home).spawn();
        process.close_stdin();
        process.wait_exit();
        process.stderr_text()
    };
    assert_eq!(
        run(&["status"]),
        "warning: nothing reads BRIDGE_READONLY; did you mean BRIDGE_READ_ONLY?\n"
    );
    assert!(!run(&["http://127.0.0.1:9/mcp"]).contains("BRIDGE_READONLY"));
}
