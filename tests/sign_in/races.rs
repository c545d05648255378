//! Many processes of one login at once, and processes that are killed in the middle of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::whole::{ask, calling, echo, home, signed_in, starting};
use crate::support::auth_server::{Answer, Plan};
use crate::support::tab::{self, Browser};
use crate::support::{BridgeProcess, Gate, Guarded, McpServer};

const COPIES: usize = 8;

/// Copies of a bridge in one home, started at once.
fn copies(server: &Guarded, browser: &Browser, home: &BridgeProcess) -> Vec<BridgeProcess> {
    let started = (0..COPIES).map(|_| starting(server, browser).home_of(home).spawn());
    started.collect()
}

#[test]
fn eight_that_start_at_once_ask_once_and_all_work() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let home = home();
    let mut bridges = copies(&server, &browser, &home);
    for bridge in &mut bridges {
        bridge.initialize();
        bridge.request(1, "tools/list", json!({}));
        ask(bridge, 2);
    }
    tab::sign_in(&browser.page(1));
    for bridge in &mut bridges {
        assert!(bridge.expect_response(1)["result"]["tools"].is_array());
        assert!(bridge.expect_response(2)["result"].is_object());
    }
    assert_eq!(
        (browser.pages().len(), server.asked("/register"), server.asked("/token")),
        (1, 1, 1)
    );
    until_gone(|| helpers(&home));
    bridges.into_iter().for_each(BridgeProcess::finish);
}

/// How long the race for the next token runs: a minute in `scripts/check --full`.
#[expect(clippy::disallowed_methods, reason = "how long a test runs is set from outside")]
fn race_time() -> Duration {
    let seconds = std::env::var("BRIDGE_TEST_RACE_SECONDS").ok().and_then(|text| text.parse().ok());
    Duration::from_secs(seconds.unwrap_or(10))
}

#[test]
fn tokens_of_two_seconds_are_renewed_by_one_of_eight_for_all() {
    let server = Guarded::with(Plan { lifetime: 2, ..Plan::default() }, McpServer::legacy());
    let browser = Browser::recording();
    let first = signed_in(&server, &browser);
    let mut bridges = copies(&server, &browser, &first);
    bridges.iter_mut().for_each(|bridge| drop(bridge.initialize()));
    let end = Instant::now() + race_time();
    let calling: Vec<_> = bridges
        .into_iter()
        .map(|mut bridge| {
            std::thread::spawn(move || {
                for id in 0.. {
                    if Instant::now() > end {
                        break;
                    }
                    assert!(echo(&mut bridge, id).is_object(), "call {id}");
                }
                bridge.finish();
            })
        })
        .collect();
    calling.into_iter().for_each(|calls| calls.join().unwrap());
    assert_eq!(browser.pages().len(), 1);
    let (refreshes, least) = (server.grants("refresh_token"), race_time().as_secs() as usize / 2);
    // One for each token that ran out, and none by two processes: the server would end the family.
    assert!(refreshes >= least - 1 && refreshes <= least * 2, "{refreshes} in {least} lives");
    first.finish();
}

#[test]
fn a_store_that_lives_in_memory_needs_no_helper() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = starting(&server, &browser).args(["--credential-store", "memory"]).spawn();
    bridge.initialize();
    bridge.request(1, "tools/list", json!({}));
    let page = browser.page(1);
    assert_eq!(processes(&bridge), [bridge.pid()]);
    tab::sign_in(&page);
    assert!(bridge.expect_response(1)["result"]["tools"].is_array());
    server.auth.expire_all();
    assert!(echo(&mut bridge, 2).is_object());
    assert_eq!((browser.pages().len(), server.asked("/token")), (1, 2));
    bridge.finish();
}

/// The processes that wait for a person on behalf of bridges in this home.
fn helpers(of: &BridgeProcess) -> Vec<u32> {
    processes(of)
        .into_iter()
        .filter(|pid| read(*pid, "cmdline").contains("sign-in-helper"))
        .collect()
}

/// All processes of this home.
pub(super) fn processes(of: &BridgeProcess) -> Vec<u32> {
    let home = format!("HOME={}\0", of.home().display());
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let ours = pids.filter(|pid| format!("{}\0", read(*pid, "environ")).contains(&home));
    // The browser is not ours, and may be about to end.
    ours.filter(|pid| !read(*pid, "cmdline").starts_with("/bin/sh")).collect()
}

/// Processes that have done their work end.
#[track_caller]
fn until_gone(of: impl Fn() -> Vec<u32>) {
    let until = Instant::now() + crate::support::DEADLINE;
    while !of().is_empty() {
        assert!(Instant::now() < until, "{:?} still run", of());
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(super) fn read(pid: u32, what: &str) -> String {
    let content = std::fs::read(format!("/proc/{pid}/{what}")).unwrap_or_default();
    String::from_utf8_lossy(&content).into_owned()
}

pub(super) fn kill(pid: u32) {
    let process = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
}

/// The one helper of this home.
#[track_caller]
pub(super) fn helper(of: &BridgeProcess) -> u32 {
    let helpers = helpers(of);
    assert_eq!(helpers.len(), 1, "{helpers:?}");
    helpers[0]
}

#[test]
fn a_helper_that_is_killed_is_replaced_at_its_port_and_the_same_tab_ends_signed_in() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = calling(&server, &browser);
    let back = tab::approve(&browser.page(1));
    kill(helper(&bridge));
    come_back(&back);
    assert!(bridge.expect_response(1)["result"].is_object());
    assert_eq!(
        (browser.pages().len(), server.asked("/register"), server.asked("/token")),
        (1, 1, 1)
    );
    bridge.finish();
}

/// The tab asks again until somebody is there, as a person reloads it.
#[track_caller]
fn come_back(address: &str) {
    let shown = reload(address);
    assert_eq!(shown.status, 200, "{shown:?}");
}

#[track_caller]
pub(super) fn reload(address: &str) -> tab::Shown {
    let until = Instant::now() + crate::support::DEADLINE;
    loop {
        match tab::get(address) {
            Ok(shown) => return shown,
            Err(why) => assert!(Instant::now() < until, "{why}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_client_that_gives_up_leaves_only_the_helper_and_the_same_tab_signs_the_next_start_in() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = calling(&server, &browser);
    let back = tab::approve(&browser.page(1));
    bridge.kill();
    bridge.wait_exit();
    let left = processes(&bridge);
    assert_eq!(left, [helper(&bridge)], "only the helper outlives the client");
    come_back(&back);
    let mut next = starting(&server, &browser).home_of(&bridge).spawn();
    next.initialize();
    assert!(echo(&mut next, 1).is_object());
    assert_eq!((browser.pages().len(), server.asked("/token")), (1, 1));
    next.finish();
}

#[test]
fn where_client_and_helper_are_gone_the_next_start_takes_the_tab_over_without_a_page() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = calling(&server, &browser);
    let back = tab::approve(&browser.page(1));
    kill(helper(&bridge));
    bridge.kill();
    bridge.wait_exit();
    let mut next = starting(&server, &browser).home_of(&bridge).spawn();
    next.initialize();
    come_back(&back);
    next.expect_method("notifications/tools/list_changed");
    assert!(echo(&mut next, 1).is_object());
    assert_eq!((browser.pages().len(), server.asked("/token")), (1, 1));
    next.finish();
}

/// An authorization server that says when somebody asks for this, and holds the answer back.
pub(super) fn holding(path: &'static str, reached: &Gate, goes_on: &Gate) -> Plan {
    let (reached, goes_on) = (reached.clone(), goes_on.clone());
    let held = Arc::new(std::sync::atomic::AtomicBool::new(false));
    Plan::default().rule(path, move |_| {
        if !held.swap(true, std::sync::atomic::Ordering::Relaxed) {
            reached.open();
            goes_on.wait();
        }
        None::<Answer>
    })
}

#[test]
fn a_helper_that_is_killed_before_there_is_a_page_is_replaced() {
    for path in ["/.well-known/oauth-authorization-server", "/register"] {
        let (reached, goes_on) = (Gate::named("asked"), Gate::named("killed"));
        let server = Guarded::with(holding(path, &reached, &goes_on), McpServer::legacy());
        let browser = Browser::recording();
        let mut bridge = calling(&server, &browser);
        reached.wait();
        kill(helper(&bridge));
        goes_on.open();
        tab::sign_in(&browser.page(1));
        assert!(bridge.expect_response(1)["result"].is_object(), "{path}");
        assert_eq!((browser.pages().len(), server.asked("/token")), (1, 1), "{path}");
        bridge.finish();
    }
}

#[test]
fn one_that_is_killed_while_it_renews_holds_up_nobody() {
    let (reached, goes_on) = (Gate::named("asked"), Gate::named("killed"));
    let (tell, wait) = (reached.clone(), goes_on.clone());
    let plan = Plan::default().rule("/token", move |asked| {
        if asked.field("grant_type").as_deref() == Some("refresh_token") && !tell.is_open() {
            tell.open();
            wait.wait();
            // It never came to the server.
            return Some(Answer::page(502, ""));
        }
        None
    });
    let server = Guarded::with(plan, McpServer::legacy());
    let browser = Browser::recording();
    let first = signed_in(&server, &browser);
    let mut bridges: Vec<_> =
        (0..2).map(|_| starting(&server, &browser).home_of(&first).spawn()).collect();
    for bridge in &mut bridges {
        bridge.initialize();
        assert!(echo(bridge, 0).is_object());
    }
    server.auth.expire_all();
    let [holder, other] = &mut bridges[..] else { unreachable!() };
    ask(holder, 1);
    reached.wait();
    ask(other, 1);
    holder.kill();
    goes_on.open();
    assert!(other.expect_response(1)["result"].is_object());
    assert_eq!((browser.pages().len(), server.grants("refresh_token")), (1, 2));
}

/// An authorization server that says when it has rotated a refresh token, and holds the new one back.
fn rotating(reached: &Gate, goes_on: &Gate) -> Plan {
    let (reached, goes_on) = (reached.clone(), goes_on.clone());
    Plan::default().after("/token", move |asked| {
        if asked.field("grant_type").as_deref() == Some("refresh_token") && !reached.is_open() {
            reached.open();
            goes_on.wait();
        }
    })
}

#[test]
fn one_that_is_killed_after_the_server_rotated_costs_one_new_sign_in_that_says_why() {
    let (reached, goes_on) = (Gate::named("rotated"), Gate::named("killed"));
    let plan = rotating(&reached, &goes_on).expects_refusals();
    let server = Guarded::with(plan, McpServer::legacy());
    let browser = Browser::recording();
    let first = signed_in(&server, &browser);
    let mut holder = starting(&server, &browser).home_of(&first).spawn();
    holder.initialize();
    let mut other = starting(&server, &browser).home_of(&first).spawn();
    other.initialize();
    // Nothing of their handshakes is under way any more.
    assert!(echo(&mut holder, 0).is_object() && echo(&mut other, 0).is_object());
    server.auth.expire_all();
    ask(&mut holder, 1);
    reached.wait();
    holder.kill();
    goes_on.open();
    ask(&mut other, 1);
    tab::sign_in(&browser.page(2));
    other.wait_for_stderr("the stored sign-in is over: ");
    other.wait_for_stderr("invalid_grant: the refresh token was used before");
    assert!(other.expect_response(1)["result"].is_object());
    assert_eq!((browser.pages().len(), server.grants("authorization_code")), (2, 2));
}

#[test]
fn the_end_of_the_client_waits_for_a_renewal_so_that_the_rotated_token_is_kept() {
    let (reached, goes_on) = (Gate::named("rotated"), Gate::named("the client has left"));
    let server = Guarded::with(rotating(&reached, &goes_on), McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    server.auth.expire_all();
    ask(&mut bridge, 1);
    reached.wait();
    bridge.close_stdin();
    // The request is answered and stdout closed, as promised; only the token is still on its way.
    bridge.wait_for_end_of_stdout();
    goes_on.open();
    bridge.wait_exit();
    let mut next = starting(&server, &browser).home_of(&bridge).spawn();
    next.initialize();
    assert!(echo(&mut next, 1).is_object());
    assert_eq!((browser.pages().len(), server.grants("refresh_token")), (1, 1));
    next.finish();
}
