//! `bridge login` where nobody is there to sign in, and clients that lack what they need.

use serde_json::json;

use super::whole::home;
use crate::support::Guarded;
use crate::support::bridge_process::initialize_params;
use crate::support::tab::{self, Browser};

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
