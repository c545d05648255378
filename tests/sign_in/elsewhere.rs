//! Sign-ins in another store than the one that is chosen.

use serde_json::json;

use super::commands::said;
use super::whole::home;
use crate::support::bridge_process::{Builder, initialize_params};
use crate::support::tab::{self, Browser};
use crate::support::{BridgeProcess, Guarded};

/// As if no key were set, and with a keychain that is not there.
fn without_keychain(command: Builder) -> Builder {
    command.env("BRIDGE_STORE_KEY", "").env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
}

/// A home with a sign-in in this store.
fn signed_in(server: &Guarded, store: &str) -> BridgeProcess {
    let (browser, home) = (Browser::recording(), home());
    let args = ["--credential-store", store, "--browser", &browser.command()];
    let mut login = server.command("login").args(args).home_of(&home).spawn();
    tab::sign_in(&browser.page(1));
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
    home
}

/// The records in a home.
fn records(home: &BridgeProcess) -> usize {
    let files = crate::support::canary::files_below(home.home());
    let is_record = |ending: &std::ffi::OsStr| ending == "env" || ending == "plaintext";
    files.iter().filter(|path| path.extension().is_some_and(is_record)).count()
}

fn logout_all() -> Builder {
    BridgeProcess::with_args(["logout", "--all"]).unchecked()
}

#[test]
fn a_logout_finds_a_sign_in_in_whichever_store_it_is_and_revokes_it() {
    for all in [false, true] {
        let server = Guarded::run();
        let home = signed_in(&server, "plaintext");
        let logout = if all { logout_all() } else { server.command("logout") };
        let told = said(without_keychain(logout), &home);
        assert!(told.starts_with("You are signed out of 127.0.0.1"), "{told}");
        assert_eq!((records(&home), server.asked("/revoke")), (0, 2), "{told}");
    }
}

#[test]
fn a_logout_without_the_key_forgets_the_sign_in_and_says_that_it_was_not_revoked() {
    for all in [false, true] {
        let server = Guarded::run();
        let home = signed_in(&server, "env");
        let logout = if all { logout_all() } else { server.command("logout") };
        let told = said(without_keychain(logout), &home);
        assert_eq!((records(&home), server.asked("/revoke")), (0, 0), "{told}");
        assert!(told.contains("could not be revoked"), "{told}");
        assert!(!told.contains("You are signed out") && !told.contains("You were not"), "{told}");
    }
}

#[test]
fn where_nothing_can_be_kept_the_store_that_has_a_sign_in_is_named() {
    let server = Guarded::run();
    let home = signed_in(&server, "plaintext");
    let browser = Browser::recording();
    // With a browser, which is not opened for what can't be kept; and without one.
    for browser in [browser.command(), "never".to_owned()] {
        let bridge = server.bridge().args(["--browser".to_owned(), browser]);
        let mut bridge = without_keychain(bridge).home_of(&home).spawn();
        bridge.request("initialize", "initialize", initialize_params(json!({})));
        bridge.notify("notifications/initialized", json!({}));
        bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
        let answer = bridge.expect_message();
        let answer = if answer["error"].is_null() { bridge.expect_response(1) } else { answer };
        let text = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(text.contains("add `--credential-store plaintext`"), "{answer}");
    }
    assert_eq!(browser.pages().len(), 0);
    let status = said_on_stdout(without_keychain(server.command("status")), &home);
    assert_eq!(status.0, Some(0));
    assert!(status.1.contains("signed in\n"), "{status:?}");
    assert!(status.1.contains("needs `--credential-store plaintext`"), "{status:?}");
}

/// How a command ended, and what it printed.
fn said_on_stdout(command: Builder, home: &BridgeProcess) -> (Option<i32>, String) {
    let mut process = command.home_of(home).spawn();
    let code = process.wait_exit().code();
    (code, process.rest_of_stdout())
}

#[test]
fn a_status_of_a_server_ends_with_3_unless_somebody_is_signed_in_there() {
    let server = Guarded::run();
    let (browser, home) = (Browser::recording(), home());
    let status = || said_on_stdout(server.command("status"), &home);
    let (code, told) = status();
    assert_eq!((code, told), (Some(3), format!("{}  nobody is signed in\n", server.mcp.url())));
    let (code, told) = said_on_stdout(server.command("status").arg("--json"), &home);
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &told[0]["state"]), (Some(3), &"nobody is signed in".into()));
    let login = || server.command("login").args(["--browser".to_owned(), browser.command()]);
    let mut denied = login().home_of(&home).spawn();
    tab::get(&tab::deny(&browser.page(1))).unwrap();
    assert_eq!(denied.wait_exit().code(), Some(4));
    let (code, told) = status();
    assert!(code == Some(3) && told.contains("signed out\n"), "{code:?} {told}");
    let mut done = login().home_of(&home).spawn();
    tab::sign_in(&browser.page(2));
    assert!(done.wait_exit().success());
    assert_eq!(status().0, Some(0));
    let (code, told) = said_on_stdout(without_keychain(server.command("status")), &home);
    assert!(code == Some(3) && told.contains("unreadable\n"), "{code:?} {told}");
    assert!(told.starts_with(&server.mcp.url()), "{told}");
    assert!(told.contains("set BRIDGE_STORE_KEY to the key that it was sealed with"), "{told}");
}

#[test]
fn a_status_of_all_is_sorted_and_names_no_digest_in_place_of_a_server() {
    let servers = [(); 3].map(|()| Guarded::run());
    let home = home();
    for (nth, server) in servers.iter().enumerate() {
        let store = if nth == 1 { "env" } else { "plaintext" };
        let given = ["--with-token", "--credential-store", store];
        let mut given = server.command("login").args(given).home_of(&home).spawn();
        server.auth.knows("a-token-of-mine");
        given.send_raw("a-token-of-mine");
        given.close_stdin();
        assert!(given.wait_exit().success());
    }
    let status = BridgeProcess::with_args(["status"]).unchecked();
    let (_, told) = said_on_stdout(without_keychain(status), &home);
    let heads: Vec<_> = told.lines().filter(|line| !line.starts_with(' ')).collect();
    let heads: Vec<_> = heads.into_iter().filter(|line| !line.is_empty()).collect();
    let mut expected = [&servers[0], &servers[2]].map(|server| server.mcp.url());
    expected.sort();
    assert_eq!(heads.len(), 3, "{told}");
    assert!(heads[0].starts_with(&expected[0]) && heads[1].starts_with(&expected[1]), "{told}");
    assert_eq!(heads[2], "a record  unreadable");
    assert!(told.contains("  saved     ") && told.contains(" s ago\n"), "{told}");
}
