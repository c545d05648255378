//! Maestra: a token that is good and opens nothing until others have done their part, then large reports.

use serde_json::{Value, json};

use super::{Line, Open, Product};
use crate::support::hosted::maestra::{CAMPAIGN_REPORT, LARGE_RESULT, Maestra};
use crate::support::hosted::{Client, Clients, Tale, User};
use crate::support::tab::{self, Browser};

pub const PRODUCT: Product = Product {
    name: "maestra",
    about: "a feature that is off until someone turns it on",
    story,
    open,
};

/// The tool of the bridge for as long as there are no others.
const OURS: &str = "bridge_connect";
const OFF: &str = "MCP is not enabled for the account acme";
const WHO_TURNS_ON: &str = "ask who administers your account there whether MCP is turned on for it";
const MISSING: &str = "The permission \"MCP Access\" is missing";
const WHO_GRANTS: &str = "ask who administers it at";

fn story(tale: &mut Tale) {
    let maestra = Maestra::run();
    maestra.records().into_iter().for_each(|record| tale.watch(record));
    let browser = Browser::recording();
    let user = User::trusting(maestra.authority()).with_browser(&browser);

    signs_in(tale, &maestra, &user, &browser);
    let windows = tale.way.copies();
    let clients =
        tale.step("The client starts bridge, and its log says why there are no tools", || {
            let clients = user.opens(windows, &user.entry("maestra"));
            clients.each(|client| client.logs(OFF));
            clients
        });
    is_refused(tale, &maestra, &user, &clients);
    is_granted(tale, &maestra, &clients);
    tale.restart(|| maestra.mcp.restart());
    reports(tale, &maestra, &user, &clients);
    loses_the_permission(tale, &maestra, &clients);
    tale.step("The windows close, and end their sessions", || clients.close());
    tale.step("All of that with one browser window", || {
        assert_eq!(browser.pages().len(), 1, "{:?}", browser.pages());
        user.types("bridge status maestra").ok().says(&["signed in"]);
        assert_eq!(user.files(), KEPT);
        user.has_no_secret_on_disk();
    });
}

/// What stands on disk afterwards; all but the cache of the handshake is sealed or without secrets.
const KEPT: [&str; 7] = [
    "600 .cache/mcp-bridge/servers/*.facts",
    "600 .config/mcp-bridge/config.toml",
    "600 .local/share/mcp-bridge/config.lock",
    "600 .local/share/mcp-bridge/credentials/*.refresh.lock",
    "600 .local/share/mcp-bridge/credentials/*.sealed",
    "600 .local/share/mcp-bridge/credentials/*.sign-in.lock",
    "600 .local/state/mcp-bridge/events/127.0.0.1_*-*.log",
];

fn signs_in(tale: &mut Tale, maestra: &Maestra, user: &User, browser: &Browser) {
    tale.step("`bridge add maestra URL`, with the account's name in the address", || {
        let said = user.types(&format!("bridge add maestra {}", maestra.url()));
        said.ok().says(&["Saved `maestra`", "bridge login maestra"]);
    });
    tale.step(
        "`bridge login maestra` signs in, and says that the feature is off and whom to ask",
        || {
            let login = user.begins("bridge login maestra");
            tab::sign_in(&browser.page(1));
            let said = login.ends();
            said.ok().says(&["You are signed in", "warning: HTTP 404", OFF, WHO_TURNS_ON]);
        },
    );
    tale.step("`bridge install maestra --client claude-desktop` writes an entry", || {
        user.types("bridge install maestra --client claude-desktop").ok();
        assert_eq!(user.entry("maestra").args, ["maestra"]);
    });
}

fn is_refused(tale: &mut Tale, maestra: &Maestra, user: &User, clients: &Clients) {
    tale.step(
        "The model finds one tool, which says that the feature is off and whom to ask",
        || {
            let list = clients.all(|client| client.asks("tools/list", json!({}))).expect("a list");
            assert_eq!(list["tools"][0]["name"], OURS, "{list}");
            let about = list["tools"][0]["description"].as_str().expect("a text");
            assert!(about.contains(OFF) && about.contains(WHO_TURNS_ON), "{about}");
        },
    );
    tale.step("A call asks the server once more, and is an error that says the same", || {
        let error = calls(clients, OURS).expect_err("a refusal");
        assert_eq!((&error["code"], &error["data"]["status"]), (&json!(-31006), &json!(404)));
        says(&error, &[OFF, WHO_TURNS_ON]);
    });
    tale.step("Someone turns the feature on; the permission is missing still", || {
        maestra.turns_the_feature_on();
        let error = calls(clients, "campaign_report").expect_err("a refusal");
        assert_eq!((&error["code"], &error["data"]["status"]), (&json!(-31005), &json!(403)));
        says(&error, &[MISSING, WHO_GRANTS, "signing in again does not help"]);
    });
    tale.step("`bridge tools` and `bridge doctor` say it in the terminal", || {
        user.types("bridge tools maestra").fails(4).says(&[MISSING, WHO_GRANTS]);
        // Its lines are broken to fit.
        let said = user.types("bridge doctor maestra");
        said.fails(4).says(&[
            "fail  initialize     HTTP 403",
            "The permission \"MCP Access\"",
            "ask who",
        ]);
    });
    tale.step(
        "So does another sign-in, which opens no window for somebody who is signed in",
        || {
            user.types("bridge login maestra").ok().says(&["signed in", "already"]);
        },
    );
}

fn is_granted(tale: &mut Tale, maestra: &Maestra, clients: &Clients) {
    tale.step("The permission is granted, and the next call connects without a restart", || {
        maestra.grants_the_permission();
        let result = calls(clients, OURS).expect("a result");
        assert!(result.to_string().contains("Connected"), "{result}");
    });
    tale.step("The client is told that its tool list changed, and lists the two reports", || {
        clients.each(|client| client.is_told_of_new_tools(1));
        let tools = clients.all(Client::tools);
        assert_eq!(tools, Ok(vec!["campaign_report".to_owned(), "flow_report".to_owned()]));
    });
}

fn reports(tale: &mut Tale, maestra: &Maestra, user: &User, clients: &Clients) {
    tale.step("A report of 20 MB comes through whole", || {
        let reports = clients.each(|client| client.calls("campaign_report", &json!({})));
        for report in reports {
            let mut report = report.expect("a report");
            let report = report["structuredContent"].take();
            assert!(LARGE_RESULT.len() >= 20_000_000);
            // Not `assert_eq`, which would show both.
            assert!(report == *CAMPAIGN_REPORT, "another report came through");
        }
    });
    tale.step("In a shell it is the very bytes that the server sent", || {
        let said = user.types("bridge call maestra campaign_report --json");
        assert!(said.ok().stdout.trim_end() == *LARGE_RESULT, "other bytes came through");
    });
    tale.step("A new tool shows up without a reconnect", || {
        maestra.adds_a_tool("segment_report");
        clients.each(|client| client.is_told_of_new_tools(2));
        assert_eq!(clients.all(Client::tools).map(|tools| tools.len()), Ok(3));
        assert!(calls(clients, "segment_report").is_ok());
    });
}

fn loses_the_permission(tale: &mut Tale, maestra: &Maestra, clients: &Clients) {
    tale.step("The permission is taken away: calls say so, and nobody is asked to sign in", || {
        maestra.takes_the_permission_away();
        for _ in 0..2 {
            let error = calls(clients, "flow_report").expect_err("a refusal");
            says(&error, &[MISSING, WHO_GRANTS]);
        }
    });
    tale.step("It is granted again, and the next call just works", || {
        maestra.grants_the_permission();
        let result = calls(clients, "flow_report").expect("a report");
        assert_eq!(result["structuredContent"]["summary"]["flows"], 1);
    });
}

/// In every window at once.
fn calls(clients: &Clients, tool: &str) -> Result<Value, Value> {
    clients.all(|client| client.calls(tool, &json!({})))
}

fn says(error: &Value, texts: &[&str]) {
    let message = error["message"].as_str().expect("a message");
    for text in texts {
        assert!(message.contains(text), "no {text:?} in {message}");
    }
}

fn open() -> Open {
    let maestra = Maestra::run();
    let user = User::trusting(maestra.authority());
    let curl = |verb| format!("curl -fsS {}", maestra.setting(verb));
    let lines = vec![
        Line::new(
            "A page opens, and you are signed in; the feature is off all the same:",
            format!("bridge add maestra {}", maestra.url()),
            OFF,
        )
        .opens_a_page(),
        Line::new(
            "It is saved, and each command says whom to ask:",
            "bridge tools maestra",
            WHO_TURNS_ON,
        )
        .fails(1),
        Line::new("An administrator turns it on:", curl("turn-on"), "MCP is on"),
        Line::new("Now you lack a permission:", "bridge tools maestra", MISSING).fails(4),
        Line::new("", "bridge doctor maestra", MISSING).fails(4),
        Line::new("It is granted:", curl("grant"), "has the permission"),
        Line::new("", "bridge tools maestra", "campaign_report"),
        Line::new(
            "A report of 20 MB comes through whole:",
            "bridge call maestra campaign_report --json | wc -c",
            "21189199",
        ),
        Line::new(
            "It is taken away again, and that is said, with no page:",
            curl("take-away"),
            "no longer",
        ),
        Line::new("", "bridge tools maestra", MISSING).fails(4),
    ];
    Open { user, lines, _running: Box::new(maestra) }
}
