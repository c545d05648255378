//! A disk that is full while a token is renewed: a refresh token is good for once, and what comes in its place
//! has to be kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::commands::{records, said};
use super::whole::{echo, signed_in, starting};
use crate::support::auth_server::Plan;
use crate::support::canary::files_below;
use crate::support::tab::{self, Browser};
use crate::support::{BridgeProcess, Guarded, McpServer};

/// Room for the record of a sign-in, and not for one with a large grant. In bytes.
const LITTLE: u64 = 32 * 1024;
/// Room for nothing.
const NONE: u64 = 64;

/// Every grant but the first makes a record that needs more than a little room.
fn with_large_renewals() -> Guarded {
    let granted = AtomicUsize::new(0);
    let plan = Plan::default().expects_refusals().grants(move |grant| {
        if granted.fetch_add(1, Ordering::Relaxed) > 0 {
            grant["id_token"] = json!("x".repeat(LITTLE as usize * 3 / 2));
        }
    });
    Guarded::with(plan, McpServer::legacy())
}

/// A bridge of a person who signed in before, on whose disk there is this much room from now on.
fn with_room(server: &Guarded, browser: &Browser, room: u64) -> BridgeProcess {
    let first = signed_in(server, browser);
    // A log would need room too.
    let bridge = starting(server, browser).home_of(&first).env("BRIDGE_LOG", "/dev/null");
    let mut bridge = bridge.survives_large_files().spawn();
    first.finish();
    bridge.initialize();
    assert!(echo(&mut bridge, "before").is_object());
    bridge.set_room(Some(room));
    server.auth.expire_all();
    bridge
}

/// The length of the one record.
fn length(of: &BridgeProcess) -> u64 {
    let files = files_below(of.home());
    let record = files.iter().find(|path| path.extension().is_some_and(|ending| ending == "env"));
    record.map_or(0, |path| path.metadata().map_or(0, |file| file.len()))
}

/// Longest time between two attempts to save, which grows as long as there is no room.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

#[track_caller]
fn until_saved(of: &BridgeProcess) {
    let until = Instant::now() + LONGEST_WAIT + crate::support::DEADLINE;
    while length(of) < LITTLE {
        assert!(Instant::now() < until, "it is never saved");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const UNSAVED: &str = "could not be saved";

#[test]
fn a_refresh_token_is_not_spent_where_the_next_one_could_not_be_kept() {
    let (server, browser) = (Guarded::run(), Browser::recording());
    let mut bridge = with_room(&server, &browser, NONE);
    let answer = bridge.call_tool(1, "echo", json!({"text": "hi"}));
    let text = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
    for part in ["could not be renewed", "can't be written", "room", "stay signed in"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!((server.grants("refresh_token"), browser.pages().len()), (0, 1), "{text}");
    bridge.set_room(None);
    assert!(echo(&mut bridge, 2).is_object(), "nothing was lost");
    assert_eq!((server.grants("refresh_token"), browser.pages().len()), (1, 1));
    bridge.finish();
}

#[test]
fn renewed_tokens_that_could_not_be_saved_are_used_told_of_once_and_saved_when_there_is_room() {
    let (server, browser) = (with_large_renewals(), Browser::recording());
    let mut bridge = with_room(&server, &browser, LITTLE);
    assert!(echo(&mut bridge, 1).is_object(), "{}", bridge.stderr_text());
    bridge.wait_for_stderr(UNSAVED);
    assert!(echo(&mut bridge, 2).is_object());
    server.auth.expire_all();
    assert!(echo(&mut bridge, 3).is_object(), "what can't be saved can be renewed");
    assert_eq!((server.grants("refresh_token"), browser.pages().len()), (2, 1));
    assert_eq!(bridge.stderr_text().matches(UNSAVED).count(), 1, "{}", bridge.stderr_text());
    assert!(length(&bridge) < LITTLE);
    bridge.set_room(None);
    until_saved(&bridge);
    let mut next = starting(&server, &browser).home_of(&bridge).spawn();
    next.initialize();
    assert!(echo(&mut next, 1).is_object());
    assert!(echo(&mut bridge, 4).is_object());
    assert_eq!((server.grants("refresh_token"), browser.pages().len()), (2, 1));
    next.finish();
    bridge.finish();
}

#[test]
fn renewed_tokens_are_saved_at_the_end_of_the_process_at_the_latest() {
    let (server, browser) = (with_large_renewals(), Browser::recording());
    let mut bridge = with_room(&server, &browser, LITTLE);
    assert!(echo(&mut bridge, 1).is_object());
    bridge.set_room(None);
    bridge.close_stdin();
    assert!(bridge.wait_exit().success());
    let mut next = starting(&server, &browser).home_of(&bridge).spawn();
    next.initialize();
    assert!(echo(&mut next, 1).is_object());
    assert_eq!((server.grants("refresh_token"), browser.pages().len()), (1, 1));
    next.finish();
}

#[test]
fn renewed_tokens_that_can_t_be_saved_to_the_end_cost_one_new_sign_in_that_is_announced() {
    let (server, browser) = (with_large_renewals(), Browser::recording());
    let mut bridge = with_room(&server, &browser, LITTLE);
    assert!(echo(&mut bridge, 1).is_object());
    bridge.close_stdin();
    assert!(bridge.wait_exit().success());
    let told = bridge.stderr_text();
    assert!(told.contains("the next start asks you to sign in anew"), "{told}");
    let mut next = starting(&server, &browser).home_of(&bridge).spawn();
    next.initialize();
    next.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    tab::sign_in(&browser.page(2));
    assert!(next.expect_response(1)["result"].is_object());
    assert_eq!(browser.pages().len(), 2);
    next.finish();
}

#[test]
fn a_logout_takes_renewed_tokens_back_that_could_not_be_saved() {
    let (server, browser) = (with_large_renewals(), Browser::recording());
    let mut bridge = with_room(&server, &browser, LITTLE);
    assert!(echo(&mut bridge, 1).is_object());
    bridge.wait_for_stderr(UNSAVED);
    let told = said(server.command("logout"), &bridge);
    assert!(told.contains("You are signed out"), "{told}");
    bridge.set_room(None);
    // Those of the record by the logout, and then those that only the process knew.
    server.auth.wait_for("/revoke", 4);
    assert_eq!(records(&bridge), 0);
    bridge.close_stdin();
    bridge.wait_exit();
    assert_eq!(records(&bridge), 0, "nothing comes back");
}
