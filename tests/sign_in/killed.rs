//! Processes that are killed while they save what was just granted, in the middle of the file or before it.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use serde_json::json;

use super::races::{helper, kill, reload};
use super::whole::{ask, echo, home, signed_in, starting};
use crate::support::auth_server::Plan;
use crate::support::bridge_process::Builder;
use crate::support::canary::files_below;
use crate::support::tab::{self, Browser};
use crate::support::{BridgeProcess, Gate, Guarded, McpServer};

/// In KiB. Every file of a sign-in stays below, but for a record with a large grant.
const LARGEST_FILE: usize = 32;

/// Its nth grant makes a record that is larger than a file may become.
fn with_large_grant(nth: usize) -> Guarded {
    let granted = AtomicUsize::new(0);
    let plan = Plan::default().expects_refusals().grants(move |grant| {
        if granted.fetch_add(1, Ordering::Relaxed) + 1 == nth {
            grant["id_token"] = json!("x".repeat(LARGEST_FILE * 1024 * 3 / 2));
        }
    });
    Guarded::with(plan, McpServer::legacy())
}

/// The system kills whoever writes a larger file, in the middle of it. A log would be such a file.
fn limited(process: Builder) -> Builder {
    process.largest_file(LARGEST_FILE).env("BRIDGE_LOG", "/dev/null")
}

#[track_caller]
fn is_killed_while_writing(process: &mut BridgeProcess) {
    let status = process.wait_exit();
    assert_eq!(status.signal(), Some(Signal::XFSZ.as_raw()), "{}", process.stderr_text());
    let halves: Vec<u64> =
        unfinished(process).iter().map(|path| path.metadata().unwrap().len()).collect();
    assert_eq!(halves, [LARGEST_FILE as u64 * 1024]);
}

/// Files that somebody began to write.
fn unfinished(of: &BridgeProcess) -> Vec<PathBuf> {
    let is_unfinished =
        |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    files_below(of.home()).into_iter().filter(is_unfinished).collect()
}

/// The person, whose tab got no answer, reloads it: the code is used up. The next call asks once more.
#[track_caller]
fn one_new_sign_in(mut bridge: BridgeProcess, browser: &Browser, back: &str) {
    let shown = reload(back);
    assert!(shown.body.contains("invalid_grant"), "{shown:?}");
    let answer = bridge.expect_response(1);
    assert!(answer["error"]["message"].as_str().unwrap().contains("invalid_grant"), "{answer}");
    assert_eq!(browser.pages().len(), 1);
    ask(&mut bridge, 2);
    tab::sign_in(&browser.page(2));
    assert!(bridge.expect_response(2)["result"].is_object());
    assert_eq!(browser.pages().len(), 2);
    leaves_nothing_unfinished(bridge);
}

/// One that lives would sweep what another leaves, and nobody could look at that.
fn ended(mut process: BridgeProcess) -> BridgeProcess {
    process.close_stdin();
    assert!(process.wait_exit().success());
    process
}

/// Once nobody writes any more.
#[track_caller]
fn leaves_nothing_unfinished(process: BridgeProcess) {
    assert_eq!(unfinished(&ended(process)), Vec::<PathBuf>::new());
}

#[test]
fn a_helper_that_is_killed_while_it_saves_costs_one_new_sign_in_that_says_why() {
    let server = with_large_grant(1);
    let browser = Browser::recording();
    let mut bridge = limited(starting(&server, &browser)).spawn();
    bridge.initialize();
    ask(&mut bridge, 1);
    let back = tab::approve(&browser.page(1));
    assert!(tab::get(&back).is_err(), "it did not live to answer");
    assert_eq!(server.grants("authorization_code"), 1);
    one_new_sign_in(bridge, &browser, &back);
    assert_eq!(server.asked("/register"), 1);
}

#[test]
fn a_helper_that_is_killed_before_it_can_save_costs_one_new_sign_in_that_says_why() {
    let (granted, killed) = (Gate::named("granted"), Gate::named("killed"));
    let (tell, wait) = (granted.clone(), killed.clone());
    let plan = Plan::default().expects_refusals().after("/token", move |_| {
        tell.open();
        wait.wait();
    });
    let server = Guarded::with(plan, McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = starting(&server, &browser).spawn();
    bridge.initialize();
    ask(&mut bridge, 1);
    let back = tab::approve(&browser.page(1));
    let tab = std::thread::spawn({
        let back = back.clone();
        move || tab::get(&back).is_err()
    });
    granted.wait();
    kill(helper(&bridge));
    killed.open();
    assert!(tab.join().unwrap(), "it did not live to answer");
    one_new_sign_in(bridge, &browser, &back);
}

#[test]
fn a_login_that_is_killed_while_it_saves_leaves_the_sign_in_of_before() {
    let server = with_large_grant(2);
    let browser = Browser::recording();
    let first = ended(signed_in(&server, &browser));
    let args = ["--force".to_owned(), "--browser".to_owned(), browser.command()];
    let login = limited(server.command("login").args(args));
    let mut login = login.home_of(&first).spawn();
    assert!(tab::get(&tab::approve(&browser.page(2))).is_err());
    is_killed_while_writing(&mut login);
    let mut next = starting(&server, &browser).home_of(&first).spawn();
    next.initialize();
    assert!(echo(&mut next, 1).is_object());
    assert_eq!((browser.pages().len(), server.grants("refresh_token")), (2, 0));
    leaves_nothing_unfinished(next);
}

#[test]
fn a_first_login_that_is_killed_while_it_saves_can_be_done_again_at_once() {
    let server = with_large_grant(1);
    let browser = Browser::recording();
    let home = home();
    let login = || {
        let args = ["--browser".to_owned(), browser.command()];
        server.command("login").args(args).home_of(&home)
    };
    let mut killed = limited(login()).spawn();
    assert!(tab::get(&tab::approve(&browser.page(1))).is_err());
    is_killed_while_writing(&mut killed);
    let mut again = login().spawn();
    tab::sign_in(&browser.page(2));
    assert!(again.wait_exit().success(), "{}", again.stderr_text());
    assert_eq!(unfinished(&home), Vec::<PathBuf>::new());
    assert_eq!((browser.pages().len(), server.asked("/register")), (2, 1));
}

#[test]
fn one_that_is_killed_while_it_saves_a_rotated_token_costs_one_new_sign_in_that_says_why() {
    let server = with_large_grant(2);
    let browser = Browser::recording();
    let first = ended(signed_in(&server, &browser));
    let start = || starting(&server, &browser).home_of(&first);
    let mut killed = limited(start()).spawn();
    killed.initialize();
    assert!(echo(&mut killed, 0).is_object());
    server.auth.expire_all();
    ask(&mut killed, 1);
    is_killed_while_writing(&mut killed);
    let mut next = start().spawn();
    next.initialize();
    ask(&mut next, 1);
    tab::sign_in(&browser.page(2));
    next.wait_for_stderr("invalid_grant: the refresh token was used before");
    assert!(next.expect_response(1)["result"].is_object());
    assert_eq!((browser.pages().len(), server.grants("refresh_token")), (2, 2));
    leaves_nothing_unfinished(next);
}
