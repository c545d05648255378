//! Stampix: an Auth0 tenant that wants `audience`, two layers of scopes, tokens that rotate.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Line, Open, Product};
use crate::support::hosted::stampix::{AUDIENCE, CLIENT_ID, Role, Stampix, WHO_GRANTS};
use crate::support::hosted::{Client, Clients, Tale, User, Way};
use crate::support::tab::{self, Browser};

pub const PRODUCT: Product = Product {
    name: "stampix",
    about: "a client registered beforehand at another origin, scopes in two layers, tokens that rotate",
    story,
    open,
};

fn story(tale: &mut Tale) {
    let stampix = Stampix::run();
    stampix.records().into_iter().for_each(|record| tale.watch(record));
    let browser = Browser::recording();
    let user = User::trusting(stampix.authority()).with_browser(&browser);

    signs_in(tale, &stampix, &user, &browser);
    let windows = tale.way.copies();
    let clients = tale.step("The client starts bridge, with nothing but the name", || {
        let entry = user.entry("stampix");
        assert_eq!(entry.args, ["stampix"]);
        user.opens(windows, &entry)
    });
    reads(tale, &stampix, &clients);
    writes(tale, &stampix, &browser, &clients);
    tale.step("The windows close, and end their sessions", || clients.close());
    tale.step("Nothing is left but what is sealed", || {
        assert_eq!(user.files(), KEPT);
        user.has_no_secret_on_disk();
    });
    may_not(tale, &stampix);
    eight_windows(tale);
}

/// What stands on disk afterwards; the record of the sign-in is sealed.
const KEPT: [&str; 7] = [
    "600 .cache/mcp-bridge/servers/*.facts",
    "600 .config/mcp-bridge/config.toml",
    "600 .local/share/mcp-bridge/config.lock",
    "600 .local/share/mcp-bridge/credentials/*.refresh.lock",
    "600 .local/share/mcp-bridge/credentials/*.sealed",
    "600 .local/share/mcp-bridge/credentials/*.sign-in.lock",
    "600 .local/state/mcp-bridge/events/127.0.0.1_*-*.log",
];

fn signs_in(tale: &mut Tale, stampix: &Stampix, user: &User, browser: &Browser) {
    tale.step(
        "`bridge add stampix URL PORT --client-id …`, as a developer registered it",
        || {
            let line = format!(
                "bridge add stampix {} {} --client-id {CLIENT_ID}",
                stampix.url(),
                stampix.port
            );
            user.types(&line).ok().says(&["Saved `stampix`", "bridge login stampix"]);
        },
    );
    tale.step(
        "Without `audience` the token is for nobody, and `bridge login` says what to give",
        || {
            stampix.is_visited_by("alice", Role::Editor);
            let login = user.begins("bridge login stampix");
            tab::sign_in(&browser.page(1));
            let said = login.ends();
            assert_ne!(said.code, 0, "{said:?}");
            said.says(&[
                &format!("The token is not for {AUDIENCE}"),
                "--authorize-param audience=",
            ]);
        },
    );
    tale.step("With it the sign-in is good, and nobody registers anything", || {
        let line =
            format!("bridge add stampix --force --no-check --authorize-param audience={AUDIENCE}");
        user.types(&line).ok();
        let login = user.begins("bridge login stampix --force");
        tab::sign_in(&browser.page(2));
        login.ends().ok().says(&["You are signed in"]);
        user.types("bridge status stampix").ok().says(&["renewed by itself", "read:mcp"]);
        user.types("bridge install stampix --client claude-desktop").ok();
    });
}

fn reads(tale: &mut Tale, stampix: &Stampix, clients: &Clients) {
    tale.step("The tools of an editor are listed", || {
        assert_eq!(clients.all(Client::tools), Ok(Role::Editor.tools()));
        assert_eq!(Role::Editor.tools().len(), 16 + 3);
    });
    tale.restart(|| stampix.mcp.restart());
    tale.step("Read tools read", || {
        for name in ["list_campaigns", "get_statistics"] {
            let text = clients.all(|client| client.calls_for_text(name, &json!({})));
            assert_eq!(text, Ok(format!("{name} for alice")));
        }
    });
    tale.step("A missing scope of a domain is the server's own result", || {
        let result = clients.all(|client| client.calls("get_organization", &json!({})));
        let text = "Missing required scopes: manage:organization";
        let wanted = json!({"content": [{"type": "text", "text": text}], "isError": true});
        assert_eq!(result, Ok(wanted));
    });
    tale.step("A token that is over is renewed once for all windows", || {
        stampix.auth.expire_all();
        let text = clients.all(|client| client.calls_for_text("get_card", &json!({})));
        assert_eq!(text, Ok("get_card for alice".to_owned()));
        assert_eq!(stampix.grants("refresh_token"), 1);
    });
}

fn writes(tale: &mut Tale, stampix: &Stampix, browser: &Browser, clients: &Clients) {
    tale.step(
        "A write tool needs `write:mcp`: the user approves once more, and the call goes through",
        || {
            let texts = std::thread::scope(|scope| {
                let calls = scope.spawn(|| {
                    clients.all(|client| client.calls_for_text("create_campaign", &json!({})))
                });
                let page = browser.page(3);
                let asked = url::Url::parse(&tab::provider(&page)).expect("a URL");
                let scope =
                    asked.query_pairs().find(|(name, _)| name == "scope").expect("scopes").1;
                let scopes: Vec<_> = scope.split(' ').collect();
                for wanted in ["write:mcp", "read:mcp", "create:campaigns", "offline_access"] {
                    assert!(scopes.contains(&wanted), "{scopes:?}");
                }
                tab::sign_in(&page);
                calls.join().expect("the calls end")
            });
            assert_eq!(texts, Ok("create_campaign for alice".to_owned()));
        },
    );
    tale.step("From then on the others that write work too, and no page opens", || {
        let text = clients.all(|client| client.calls_for_text("issue_reward", &json!({})));
        assert_eq!(text, Ok("issue_reward for alice".to_owned()));
        assert_eq!(browser.pages().len(), 3);
    });
    tale.step("Another role, and with the next token another list: the client is told", || {
        let told = clients.each(Client::times_told_of_new_tools);
        stampix.makes("alice", Role::Admin);
        stampix.auth.expire_all();
        let text = clients.all(|client| client.calls_for_text("get_card", &json!({})));
        assert_eq!(text, Ok("get_card for alice".to_owned()));
        let most = told.into_iter().max().unwrap_or_default();
        clients.each(|client| client.is_told_of_new_tools(most + 1));
        assert_eq!(clients.all(Client::tools), Ok(Role::Admin.tools()));
        let text = clients.all(|client| client.calls_for_text("get_organization", &json!({})));
        assert_eq!(text, Ok("get_organization for alice".to_owned()));
    });
}

/// Another user, whose role only reads.
fn may_not(tale: &mut Tale, stampix: &Stampix) {
    let browser = Browser::recording();
    let user = User::trusting(stampix.authority()).with_browser(&browser);
    let windows = tale.way.copies();
    let clients = tale.step("A viewer signs in, and sees the tools that read", || {
        stampix.is_visited_by("bob", Role::Viewer);
        user.types(&adds(stampix)).ok();
        user.types("bridge install stampix --client claude-desktop").ok();
        let login = user.begins("bridge login stampix");
        tab::sign_in(&browser.page(1));
        login.ends().ok();
        let clients = user.opens(windows, &user.entry("stampix"));
        assert_eq!(clients.all(Client::tools), Ok(Role::Viewer.tools()));
        clients
    });
    tale.step(
        "Who may not have the scope is asked once, then told its name and who can grant it",
        || {
            let errors = std::thread::scope(|scope| {
                let calls = scope
                    .spawn(|| clients.all(|client| client.calls("create_campaign", &json!({}))));
                tab::sign_in(&browser.page(2));
                calls.join().expect("the calls end")
            });
            tells_who_grants(&errors);
        },
    );
    is_not_asked_again(tale, &user, &browser, &clients);
    an_admin_grants_it(tale, stampix, &user, &browser, &clients);
    tale.step("The windows close", || clients.close());
}

fn is_not_asked_again(tale: &mut Tale, user: &User, browser: &Browser, clients: &Clients) {
    tale.step("No loop: the next call is one more error, in a new window too", || {
        tells_who_grants(&clients.all(|client| client.calls("create_campaign", &json!({}))));
        let others = user.opens(clients.0.len(), &user.entry("stampix"));
        tells_who_grants(&others.all(|client| client.calls("issue_reward", &json!({}))));
        others.close();
        assert_eq!(browser.pages().len(), 2);
    });
    tale.step("Reading goes on", || {
        let text = clients.all(|client| client.calls_for_text("list_cards", &json!({})));
        assert_eq!(text, Ok("list_cards for bob".to_owned()));
    });
}

fn an_admin_grants_it(
    tale: &mut Tale,
    stampix: &Stampix,
    user: &User,
    browser: &Browser,
    clients: &Clients,
) {
    let command = tale.step("The error names the command to run once it is granted", || {
        let error = clients.all(|client| client.calls("create_campaign", &json!({})));
        command_of(error.expect_err("a refusal")["message"].as_str().expect("a message"))
    });
    tale.step(
        "An admin grants it: the command of the error, and the open windows can write",
        || {
            stampix.makes("bob", Role::Editor);
            let login = user.begins(&command);
            tab::sign_in(&browser.page(3));
            login.ends().ok();
            let text = clients.all(|client| client.calls_for_text("get_member", &json!({})));
            assert_eq!(text, Ok("get_member for bob".to_owned()));
            clients.each(|client| client.is_told_of_new_tools(1));
            let text = clients.all(|client| client.calls_for_text("create_campaign", &json!({})));
            assert_eq!(text, Ok("create_campaign for bob".to_owned()));
            assert_eq!(browser.pages().len(), 3);
        },
    );
}

/// What a developer tells the users of their client to type.
fn adds(stampix: &Stampix) -> String {
    format!(
        "bridge add stampix {} {} --client-id {CLIENT_ID} --authorize-param audience={AUDIENCE}",
        stampix.url(),
        stampix.port
    )
}

#[track_caller]
fn tells_who_grants(outcome: &crate::support::hosted::client::Outcome) {
    let message = outcome.as_ref().expect_err("a refusal")["message"].to_string();
    for wanted in ["`write:mcp`", WHO_GRANTS, "bridge login stampix --force --scope"] {
        assert!(message.contains(wanted), "no {wanted} in {message}");
    }
}

/// What an error says to run.
#[track_caller]
fn command_of(message: &str) -> String {
    let from = message.find("`bridge login").expect("a command") + 1;
    let command = &message[from..];
    command[..command.find('`').expect("its end")].to_owned()
}

/// How long the eight windows go on: a minute with tokens of ten seconds in `scripts/check --full`.
#[expect(clippy::disallowed_methods, reason = "how long it runs is set from outside")]
fn length() -> (Duration, u64) {
    let seconds = std::env::var("BRIDGE_TEST_WINDOWS_SECONDS").ok();
    match seconds.and_then(|text| text.parse().ok()) {
        Some(seconds) => (Duration::from_secs(seconds), 10),
        None => (Duration::from_secs(3), 1),
    }
}

/// A tenant of its own: how often tokens are renewed depends on the machine.
fn eight_windows(tale: &mut Tale) {
    let (way, (time, lifetime)) = (tale.way, length());
    if way == Way::ThreeAtOnce {
        // These are eight.
        return;
    }
    tale.step(
        "Eight windows with tokens that are soon over: one sign-in, no token used twice",
        || {
            let stampix = Stampix::with_tokens_of(lifetime);
            stampix.is_visited_by("eve", Role::Editor);
            let browser = Browser::recording();
            let user = User::trusting(stampix.authority()).with_browser(&browser);
            user.types(&adds(&stampix)).ok();
            user.types("bridge install stampix --client claude-desktop").ok();
            let login = user.begins("bridge login stampix");
            tab::sign_in(&browser.page(1));
            login.ends().ok();
            let clients = user.opens(8, &user.entry("stampix"));
            let began = Instant::now();
            clients.each(|client| call_until(client, began + time / 2));
            if way == Way::Restarted {
                stampix.mcp.restart();
            }
            clients.each(|client| call_until(client, began + time));
            clients.close();
            // A refresh token that is used twice is a fault, which the tenant tells when it is dropped.
            assert_eq!((browser.pages().len(), stampix.grants("authorization_code")), (1, 1));
            let lives = (time.as_secs() / lifetime) as usize;
            let refreshes = stampix.grants("refresh_token");
            assert!(
                (lives - 1..=2 * lives + 2).contains(&refreshes),
                "{refreshes} in {lives} lives"
            );
        },
    );
}

/// Calls as somebody does who is in a hurry.
fn call_until(client: &Client, end: Instant) {
    while Instant::now() < end {
        let text = client.calls_for_text("get_card", &json!({}));
        assert_eq!(text, Ok("get_card for eve".to_owned()));
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn open() -> Open {
    let stampix = Stampix::run();
    stampix.is_visited_by("alice", Role::Editor);
    let user = User::trusting(stampix.authority());
    let curl = |verb| format!("curl -fsS {}", stampix.setting(verb));
    let create = "bridge call stampix create_campaign";
    let lines = vec![
        Line::new(
            "A page opens, at which you are signed in as an editor:",
            adds(&stampix),
            "Saved `stampix`",
        )
        .opens_a_page(),
        Line::new(
            "What your role lacks (get_organization) is not listed:",
            "bridge tools stampix",
            "create_campaign",
        ),
        Line::new("", "bridge call stampix list_campaigns", "list_campaigns for alice"),
        Line::new(
            "Writing was not approved yet: a page opens, and the call goes on:",
            create,
            "create_campaign for alice",
        )
        .opens_a_page(),
        Line::new("", "bridge status stampix", "write:mcp"),
        Line::new("Your role changes, and with the next token:", curl("take-away"), "may not"),
        Line::new("", "bridge login stampix --force", "You are signed in").opens_a_page(),
        Line::new("You approve, and it is not yours to give:", create, WHO_GRANTS)
            .opens_a_page()
            .fails(4),
        Line::new("An admin grants it:", curl("grant"), "may write"),
        Line::new(
            "The command of the hint, or in short the two that ask anew:",
            "bridge login stampix --force",
            "You are signed in",
        )
        .opens_a_page(),
        Line::new("", create, "create_campaign for alice").opens_a_page(),
    ];
    Open { user, lines, _running: Box::new(stampix) }
}
