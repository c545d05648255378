//! `login`, `logout` and `status` beside each other and beside a bridge that runs.

use serde_json::json;

use super::races::holding;
use super::whole::{calling, echo, home, signed_in, starting};
use crate::support::auth_server::{Client, Plan};
use crate::support::bridge_process::{Builder, initialize_params};
use crate::support::tab::{self, Browser};
use crate::support::{Answer, BridgeProcess, Gate, Guarded, McpServer};

/// What a command of a person said, in the home of another process.
#[track_caller]
pub(super) fn said(command: Builder, home: &BridgeProcess) -> String {
    let mut process = command.home_of(home).spawn();
    process.wait_exit();
    process.stderr_text()
}

#[test]
fn a_logout_after_a_login_that_failed_does_not_say_that_there_was_a_sign_in() {
    let server = Guarded::run();
    let (browser, home) = (Browser::recording(), home());
    let args = ["--browser".to_owned(), browser.command()];
    let mut login = server.command("login").args(args).home_of(&home).spawn();
    tab::get(&tab::deny(&browser.page(1))).unwrap();
    assert_eq!(login.wait_exit().code(), Some(4));
    let logout = || said(server.command("logout"), &home);
    assert!(logout().starts_with("You were not signed in to 127.0.0.1"));
    assert!(logout().starts_with("You were not signed in to 127.0.0.1"));
}

#[test]
fn a_logout_while_a_code_is_redeemed_leaves_nothing_and_revokes_what_came() {
    let (redeemed, forgotten) = (Gate::named("redeemed"), Gate::named("forgotten"));
    let (tell, wait) = (redeemed.clone(), forgotten.clone());
    let plan = Plan::default().expects_refusals().after("/token", move |_| {
        tell.open();
        wait.wait();
    });
    let server = Guarded::with(plan, McpServer::legacy());
    let (browser, home) = (Browser::recording(), home());
    let args = ["--browser".to_owned(), browser.command()];
    let mut login = server.command("login").args(args).home_of(&home).spawn();
    let back = tab::approve(&browser.page(1));
    let tab = std::thread::spawn(move || tab::get(&back).unwrap());
    redeemed.wait();
    let logout = std::thread::scope(|scope| {
        let logout = scope.spawn(|| said(server.command("logout"), &home));
        // The record is gone before the logout waits for whoever is at the sign-in.
        server.auth.wait_for("/token", 1);
        while records(&home) > 0 {
            std::thread::yield_now();
        }
        forgotten.open();
        logout.join().unwrap()
    });
    assert!(logout.starts_with("You were not signed in"), "{logout}");
    assert_eq!(login.wait_exit().code(), Some(4), "{}", login.stderr_text());
    assert!(login.stderr_text().contains("taken back by another command"));
    assert!(tab.join().unwrap().body.contains("taken back"));
    assert_eq!((records(&home), server.asked("/revoke")), (0, 2));
}

/// How many sign-ins are kept.
pub(super) fn records(of: &BridgeProcess) -> usize {
    let files = crate::support::canary::files_below(of.home());
    files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "env")).count()
}

#[test]
fn after_a_logout_nobody_is_left_whose_place_the_next_login_would_have_to_take() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = calling(&server, &browser);
    browser.page(1);
    bridge.kill();
    bridge.wait_exit();
    said(server.command("logout"), &bridge);
    let args = ["--browser".to_owned(), browser.command()];
    let mut login = server.command("login").args(args).home_of(&bridge).spawn();
    tab::sign_in(&browser.page(2));
    assert!(login.wait_exit().success());
    assert!(!login.stderr_text().contains("taking its place"), "{}", login.stderr_text());
}

#[test]
fn a_login_takes_the_place_of_a_process_that_has_no_page_yet() {
    for path in ["/.well-known/oauth-authorization-server", "/register"] {
        let (reached, goes_on) = (Gate::named("asked"), Gate::named("signed in elsewhere"));
        let server = Guarded::with(holding(path, &reached, &goes_on), McpServer::legacy());
        let browser = Browser::recording();
        let mut bridge = calling(&server, &browser);
        reached.wait();
        let args = ["--browser".to_owned(), browser.command()];
        let mut login = server.command("login").args(args).home_of(&bridge).spawn();
        login.wait_for_stderr("Another process is at a sign-in to this server");
        tab::sign_in(&browser.page(1));
        assert!(login.wait_exit().success(), "{path}: {}", login.stderr_text());
        goes_on.open();
        assert!(bridge.expect_response(1)["result"].is_object(), "{path}");
        assert_eq!(browser.pages().len(), 1, "{path}: the page of the login alone");
        bridge.finish();
    }
}

#[test]
fn the_command_of_a_hint_is_of_the_same_login() {
    let server = Guarded::run();
    let options = ["--profile", "work", "--client-id", "it's me", "--resource", "none"];
    let mut bridge = server.bridge().args(options).args(["--browser", "never"]).spawn();
    let answer = bridge.call("initialize", "initialize", initialize_params(json!({})));
    let text = answer["error"]["message"].as_str().unwrap();
    let command = format!(
        "`bridge login {} --profile work --resource none --client-id \"it's me\"",
        server.mcp.url()
    );
    for ending in ["`", " --with-token`"] {
        assert!(text.contains(&format!("{command}{ending}")), "{text}");
    }
    let status = server.command("status").args(options);
    let told = said(status, &bridge);
    assert!(told.contains(&format!("{command}`")), "{told}");
}

#[test]
fn the_errors_of_a_login_tell_the_same_login_to_begin_again() {
    let server = Guarded::run();
    let (browser, home) = (Browser::recording(), home());
    let options = ["--profile", "work", "--browser"];
    let login = server.command("login").args(options).arg(browser.command());
    let mut login = login.home_of(&home).spawn();
    tab::get(&tab::deny(&browser.page(1))).unwrap();
    assert_eq!(login.wait_exit().code(), Some(4));
    let told = login.stderr_text();
    let command = format!("`bridge login {} --profile work`", server.mcp.url());
    assert!(told.contains("error: the sign-in was denied"), "{told}");
    assert!(told.contains(&command) && told.contains("hint: if that was not meant"), "{told}");
}

/// A client that signs in by itself, before this server.
fn own_client(server: &Guarded, secret: &str) -> Builder {
    server
        .bridge()
        .args(["--client-credentials", "--client-id", "me"])
        .env("BRIDGE_CLIENT_SECRET", secret)
}

fn knows_me(server: &crate::support::auth_server::AuthServer) {
    server.register(
        "me",
        Client {
            secret: Some("canary".into()),
            redirect_uris: Vec::new(),
            scope: None,
            method: "client_secret_basic".into(),
        },
    );
}

#[test]
fn the_secret_of_a_client_stays_with_its_issuer_across_processes_until_a_logout() {
    let server = Guarded::run();
    knows_me(&server.auth);
    let mut first = own_client(&server, "canary").spawn();
    first.initialize();
    assert!(echo(&mut first, 1).is_object());
    assert_eq!(server.asked("/token"), 1);

    let other = crate::support::guarded::guard(Plan::default(), &server.mcp);
    knows_me(&other);
    let mut next = own_client(&server, "canary").home_of(&first).spawn();
    let answer = next.call("initialize", "initialize", initialize_params(json!({})));
    let text = answer["error"].to_string();
    let command = format!("`bridge logout {} --client-id me`", server.mcp.url());
    for part in [&*server.auth.issuer(), &other.issuer(), "--trust-issuer", &command] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(other.asked("/token").is_empty());
    let written = crate::support::canary::files_below(first.home());
    for file in written {
        assert!(!std::fs::read_to_string(&file).unwrap_or_default().contains("canary"), "{file:?}");
    }

    // The user says so, once by option and then for good. The server does not know the other's tokens.
    let named = own_client(&server, "canary").args(["--trust-issuer".to_owned(), other.issuer()]);
    let mut named = named.home_of(&first).spawn();
    named.call("initialize", "initialize", initialize_params(json!({})));
    let shown = other.asked("/token").len();
    assert!(shown > 0);
    let logout = server.command("logout").args(["--client-id", "me"]);
    let told = said(logout, &first);
    assert!(told.contains("is bound to no authorization server any more"), "{told}");
    let mut last = own_client(&server, "canary").home_of(&first).spawn();
    last.call("initialize", "initialize", initialize_params(json!({})));
    assert!(other.asked("/token").len() > shown);
}

#[test]
fn a_logout_says_that_it_signed_out_where_there_was_a_sign_in() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    assert!(echo(&mut bridge, 1).is_object());
    let told = said(server.command("logout"), &bridge);
    assert_eq!(told, "You are signed out of 127.0.0.1.\n".replace("127.0.0.1", &host(&server)));
    bridge.finish();
}

#[test]
fn a_token_that_was_given_stays_its_owners_at_a_logout() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let bridge = signed_in(&server, &browser);
    server.auth.knows("a-token-of-mine");
    let given = server.command("login").arg("--with-token").home_of(&bridge);
    let mut given = given.spawn();
    given.send_raw("a-token-of-mine");
    given.close_stdin();
    assert!(given.wait_exit().success());
    assert!(said(server.command("logout"), &bridge).starts_with("You are signed out"));
    assert_eq!(server.asked("/revoke"), 0);
    bridge.finish();
}

fn host(server: &Guarded) -> String {
    let url = url::Url::parse(&server.mcp.url()).unwrap();
    format!("127.0.0.1:{}", url.port().unwrap())
}

const OTHER_KEY: &str = "BwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Files of the store that are no locks.
fn kept(of: &BridgeProcess) -> Vec<String> {
    let folder = of.home().join("xdg/data_home/mcp-bridge/credentials");
    let names = crate::support::canary::files_below(&folder);
    let names = names.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    names.filter(|name| !name.ends_with(".lock")).collect()
}

/// A home with a sign-in, and one beside it that was set aside since it could not be read.
fn with_one_set_aside(server: &Guarded, browser: &Browser) -> BridgeProcess {
    let mut bridge = signed_in(server, browser);
    bridge.close_stdin();
    bridge.wait_exit();
    let args = ["--browser".to_owned(), browser.command()];
    let login = server.command("login").args(args).env("BRIDGE_STORE_KEY", OTHER_KEY);
    let mut login = login.home_of(&bridge).spawn();
    tab::sign_in(&browser.page(2));
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
    let kept = kept(&bridge);
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.iter().any(|name| name.contains(".unreadable-")), "{kept:?}");
    bridge
}

#[test]
fn a_logout_leaves_nothing_of_what_was_set_aside() {
    for which in ["URL", "--all"] {
        let (server, browser) = (Guarded::run(), Browser::recording());
        let home = with_one_set_aside(&server, &browser);
        let logout = match which {
            "URL" => server.command("logout"),
            _ => BridgeProcess::with_args(["logout", "--all"]).unchecked(),
        };
        let told = said(logout.env("BRIDGE_STORE_KEY", OTHER_KEY), &home);
        assert_eq!(kept(&home), Vec::<String>::new(), "{which}: {told}");
        assert!(told.contains("set aside") && told.contains("could not be revoked"), "{told}");
        assert!(told.contains("You are signed out"), "{told}");
    }
}

#[test]
fn what_can_t_be_read_is_forgotten_and_the_logout_says_that_it_was_not_revoked() {
    for which in ["URL", "--all"] {
        let (server, browser) = (Guarded::run(), Browser::recording());
        let mut home = signed_in(&server, &browser);
        home.close_stdin();
        home.wait_exit();
        let logout = match which {
            "URL" => server.command("logout"),
            _ => BridgeProcess::with_args(["logout", "--all"]).unchecked(),
        };
        let told = said(logout.env("BRIDGE_STORE_KEY", OTHER_KEY), &home);
        assert_eq!((kept(&home).len(), server.asked("/revoke")), (0, 0), "{told}");
        for part in ["sealed with another key", "could not be revoked", "hint: "] {
            assert!(told.contains(part), "{which}: {told}");
        }
        assert!(!told.contains("You are signed out"), "{which}: {told}");
    }
}

#[test]
fn a_logout_of_all_counts_only_those_who_were_signed_in() {
    let (server, other, nobody) = (Guarded::run(), Guarded::run(), Guarded::run());
    let browser = Browser::recording();
    let home = home();
    let all = || said(BridgeProcess::with_args(["logout", "--all"]).unchecked(), &home);
    assert!(all().starts_with("You were not signed in anywhere."));
    let login = |server: &Guarded| {
        let args = ["--browser".to_owned(), browser.command()];
        server.command("login").args(args).home_of(&home).spawn()
    };
    for (nth, server) in [&server, &other].into_iter().enumerate() {
        let mut login = login(server);
        tab::sign_in(&browser.page(nth + 1));
        assert!(login.wait_exit().success());
    }
    let mut refused = login(&nobody);
    tab::get(&tab::deny(&browser.page(3))).unwrap();
    assert_eq!(refused.wait_exit().code(), Some(4));
    assert_eq!(records(&home), 3);
    let told = all();
    for server in [&server, &other] {
        let line = format!("You are signed out of {}.\n", host(server));
        assert!(told.contains(&line), "{told}");
        assert_eq!(server.asked("/revoke"), 2);
    }
    assert!(!told.contains(&host(&nobody)), "{told}");
    assert_eq!((told.matches("signed out").count(), records(&home)), (2, 0), "{told}");
}

/// A bridge whose helper waits for a person, and that is gone itself.
fn with_a_helper(server: &Guarded, browser: &Browser) -> BridgeProcess {
    let mut bridge = starting(server, browser).spawn();
    bridge.initialize();
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    browser.page(1);
    bridge.kill();
    bridge.wait_exit();
    bridge
}

#[test]
fn a_logout_of_all_waits_for_whoever_is_at_a_sign_in() {
    let (server, browser) = (Guarded::run(), Browser::recording());
    let home = with_a_helper(&server, &browser);
    let told = said(BridgeProcess::with_args(["logout", "--all"]).unchecked(), &home);
    assert!(told.starts_with("You were not signed in anywhere"), "{told}");
    let args = ["--browser".to_owned(), browser.command()];
    let mut login = server.command("login").args(args).home_of(&home).spawn();
    tab::sign_in(&browser.page(2));
    assert!(login.wait_exit().success());
    assert!(!login.stderr_text().contains("taking its place"), "{}", login.stderr_text());
}

/// An authorization server that has done what it was first asked for by this path, and holds its answer back.
fn holding_back(path: &'static str, reached: &Gate, goes_on: &Gate) -> Plan {
    let (tell, wait) = (reached.clone(), goes_on.clone());
    Plan::default().after(path, move |_| {
        if !tell.is_open() {
            tell.open();
            wait.wait();
        }
    })
}

#[test]
fn a_logout_does_not_wait_for_ever_and_the_login_after_it_waits_its_turn() {
    let (reached, goes_on) = (Gate::named("redeems"), Gate::named("redeemed"));
    let server = Guarded::with(holding_back("/token", &reached, &goes_on), McpServer::legacy());
    let browser = Browser::recording();
    let mut bridge = starting(&server, &browser).spawn();
    bridge.initialize();
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    let back = tab::approve(&browser.page(1));
    let tab = std::thread::spawn(move || tab::get(&back).unwrap());
    reached.wait();
    bridge.kill();
    bridge.wait_exit();
    let told = said(server.command("logout"), &bridge);
    assert!(told.contains("Another process is still at a sign-in"), "{told}");
    assert_eq!(records(&bridge), 0);
    let args = ["--browser".to_owned(), browser.command()];
    let mut login = server.command("login").args(args).home_of(&bridge).spawn();
    login.wait_for_stderr("taking its place");
    goes_on.open();
    assert!(tab.join().unwrap().body.contains("taken back"));
    tab::sign_in(&browser.page(2));
    assert!(login.wait_exit().success(), "{}", login.stderr_text());
    assert_eq!((browser.pages().len(), server.asked("/revoke")), (2, 2));
}

#[test]
fn a_sign_in_that_is_taken_back_before_there_is_a_page_leaves_nothing() {
    for path in ["/.well-known/oauth-authorization-server", "/register"] {
        let (reached, goes_on) = (Gate::named("asked"), Gate::named("answered"));
        let server = Guarded::with(holding_back(path, &reached, &goes_on), McpServer::legacy());
        let (browser, home) = (Browser::recording(), home());
        let args = ["--browser".to_owned(), browser.command()];
        let mut login = server.command("login").args(args).home_of(&home).spawn();
        reached.wait();
        let told = std::thread::scope(|scope| {
            let logout = scope.spawn(|| said(server.command("logout"), &home));
            while records(&home) > 0 {
                std::thread::yield_now();
            }
            goes_on.open();
            logout.join().unwrap()
        });
        assert!(told.starts_with("You were not signed in"), "{path}: {told}");
        assert_eq!(login.wait_exit().code(), Some(4), "{path}: {}", login.stderr_text());
        assert!(login.stderr_text().contains("taken back"), "{path}: {}", login.stderr_text());
        assert_eq!((records(&home), browser.pages().len()), (0, 0), "{path}");
    }
}

#[test]
fn a_sign_in_on_another_device_does_not_come_back_after_a_logout() {
    let plan = Plan { device: vec!["authorization_pending"; 100], ..Plan::default() };
    let (server, home) = (Guarded::with(plan, McpServer::legacy()), home());
    let mut login = server.command("login").arg("--device").home_of(&home).spawn();
    login.wait_for_stderr("WDJB-MJHT");
    let told = said(server.command("logout"), &home);
    assert!(told.starts_with("You were not signed in"), "{told}");
    assert_eq!(login.wait_exit().code(), Some(4), "{}", login.stderr_text());
    assert!(login.stderr_text().contains("taken back"), "{}", login.stderr_text());
    assert_eq!(records(&home), 0);
}

#[test]
fn a_logout_while_codes_for_a_device_are_asked_for_leaves_nothing() {
    let (reached, goes_on) = (Gate::named("asked"), Gate::named("answered"));
    let server = Guarded::with(holding_back("/device", &reached, &goes_on), McpServer::legacy());
    let home = home();
    let mut login = server.command("login").arg("--device").home_of(&home).spawn();
    reached.wait();
    std::thread::scope(|scope| {
        scope.spawn(|| said(server.command("logout"), &home));
        while records(&home) > 0 {
            std::thread::yield_now();
        }
        goes_on.open();
    });
    assert_eq!(login.wait_exit().code(), Some(4), "{}", login.stderr_text());
    assert!(!login.stderr_text().contains("enter the code"), "{}", login.stderr_text());
    assert_eq!(
        (records(&home), server.grants("urn:ietf:params:oauth:grant-type:device_code")),
        (0, 0)
    );
}

#[test]
fn an_answer_that_comes_after_a_logout_brings_no_record_back() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let mut bridge = signed_in(&server, &browser);
    let answered = Gate::named("answered");
    let prompts = Answer::result(json!({"prompts": [{"name": "of the account"}]}));
    server.mcp.once("prompts/list", prompts.after(&answered));
    bridge.request(1, "prompts/list", json!({}));
    server.mcp.wait_for("prompts/list");
    said(server.command("logout"), &bridge);
    assert_eq!(records(&bridge), 0);
    answered.open();
    assert!(bridge.expect_response(1)["result"].is_object());
    bridge.close_stdin();
    bridge.wait_exit();
    assert_eq!(records(&bridge), 0, "what was remembered came too late");
}

#[test]
fn a_logout_ends_what_waits_for_the_sign_in_and_opens_no_other_page() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let home = home();
    let mut bridges = [(); 2].map(|()| starting(&server, &browser).home_of(&home).spawn());
    for bridge in &mut bridges {
        bridge.initialize();
        bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
        // The second waits for the process that the first has started.
        browser.page(1);
        bridge.wait_for_stderr("wants you to sign in: open ");
    }
    let told = said(server.command("logout"), &home);
    assert!(told.starts_with("You were not signed in"), "{told}");
    for bridge in &mut bridges {
        let answer = bridge.expect_response(1);
        assert!(answer["error"].to_string().contains("taken back by another command"), "{answer}");
    }
    assert_eq!(browser.pages().len(), 1, "nobody asked for another");
    let [bridge, other] = &mut bridges;
    bridge.request(2, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    tab::sign_in(&browser.page(2));
    assert!(bridge.expect_response(2)["result"].is_object());
    assert!(echo(other, 2).is_object());
    bridges.into_iter().for_each(BridgeProcess::finish);
}
