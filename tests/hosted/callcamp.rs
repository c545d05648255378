//! Call Camp Studio: a token behind the keychain, a session that outlives the server's restart, one clear error.

use serde_json::json;

use super::{Line, Open, Product};
use crate::support::hosted::callcamp::{CAMPAIGN, CallCamp, RECORD, RESOURCES, TEMPLATES, TOOLS};
use crate::support::hosted::{Client, Clients, Tale, User};
use crate::support::mcp_server::{Request, matcher};

pub const PRODUCT: Product = Product {
    name: "callcamp",
    about: "a bearer token from a profile page, and a session",
    story,
    open,
};

fn story(tale: &mut Tale) {
    let callcamp = CallCamp::run();
    tale.watch(callcamp.record());
    let user = User::trusting(callcamp.authority());

    sets_up(tale, &callcamp, &user);
    let windows = tale.way.copies();
    let clients = tale.step("The client starts bridge, with nothing but the name", || {
        let entry = user.entry("callcamp");
        assert_eq!(entry.args, ["callcamp"]);
        // The trust for the fixture's certificate, which a product's own does not need.
        assert_eq!(entry.env.keys().collect::<Vec<_>>(), ["SSL_CERT_FILE"]);
        user.opens(windows, &entry)
    });
    works(tale, &callcamp, &clients);
    a_revoked_token(tale, &callcamp, &user, &clients);
    tale.step("The windows close, and end their sessions", || clients.close());
    tale.step("Nothing is left but what is sealed", || {
        assert_eq!(user.files(), KEPT);
        user.has_no_secret_on_disk();
    });
    no_client(tale, &callcamp, &user);
    pasted(tale, &callcamp);
}

/// What stands on disk afterwards; all but the cache of the handshake is sealed or without secrets.
const KEPT: [&str; 6] = [
    "600 .cache/mcp-bridge/servers/*.facts",
    "600 .config/mcp-bridge/config.toml",
    "600 .local/share/mcp-bridge/config.lock",
    "600 .local/share/mcp-bridge/credentials/*.refresh.lock",
    "600 .local/share/mcp-bridge/credentials/*.sealed",
    "600 .local/state/mcp-bridge/events/127.0.0.1_*-*.log",
];

fn sets_up(tale: &mut Tale, callcamp: &CallCamp, user: &User) {
    let token = callcamp.generates_a_token();
    tale.step("`bridge add callcamp URL` saves the server by a name", || {
        let said = user.types(&format!("bridge add callcamp {}", callcamp.url()));
        said.ok().says(&["Saved `callcamp`", "bridge login callcamp --with-token"]);
    });
    tale.step("`bridge login callcamp --with-token` reads the token from stdin", || {
        let said = user.pipes(&token, "bridge login callcamp --with-token");
        said.ok().says(&["The token is kept"]);
    });
    tale.step("Or from a hidden prompt", || {
        let mut terminal = user.in_terminal("bridge login callcamp --with-token");
        terminal.asks_hidden("oken");
        terminal.types(&format!("{token}\n"));
        assert!(terminal.ends().success(), "{}", terminal.screen.read());
        assert!(!terminal.screen.read().contains(&token), "{}", terminal.screen.read());
    });
    tale.step("`bridge install callcamp --client claude-desktop` writes an entry", || {
        user.types("bridge install callcamp --client claude-desktop").ok();
        assert!(!user.config().contains("canary"), "{}", user.config());
        assert!(!user.client_file().contains("canary"), "{}", user.client_file());
    });
}

fn works(tale: &mut Tale, callcamp: &CallCamp, clients: &Clients) {
    tale.step("The client lists all 12 tools", || {
        assert_eq!(clients.all(Client::server), "call-camp-studio");
        let names = TOOLS.map(|(name, _)| name.to_owned()).to_vec();
        assert_eq!(clients.all(Client::tools), Ok(names));
    });
    tale.step("The 7 resources, most of them templates", || {
        assert_eq!(clients.all(Client::resources), Ok(owned(&RESOURCES)));
        assert_eq!(clients.all(Client::templates), Ok(owned(&TEMPLATES)));
    });
    tale.restart(|| callcamp.mcp.restart());
    tale.step("Reads of a resource and of two made from templates", || {
        for (uri, text) in [
            ("studio://costs/total".to_owned(), r#""total":"412.50""#),
            (format!("studio://campaigns/{CAMPAIGN}/stats"), r#""answered":88"#),
            (format!("studio://records/{RECORD}"), r#""duration":73"#),
        ] {
            let read = clients.all(|client| client.reads(&uri)).expect("a resource");
            assert!(read.contains(text), "{uri}: {read}");
        }
    });
    tale.step("An unknown record is a result with `isError`, a missing permission too", || {
        for (tool, why) in [
            ("get_record", "Record not found"),
            ("start_campaign", "You need the permission campaigns.start"),
        ] {
            let result = clients.all(|client| client.calls(tool, &json!({"uuid": "none"})));
            let wanted = json!({"content": [{"type": "text", "text": why}], "isError": true});
            assert_eq!(result, Ok(wanted));
        }
    });
    tale.step("The connection stays up", || {
        let arguments = json!({"uuid": RECORD});
        let text = clients.all(|client| client.calls_for_text("get_record", &arguments));
        assert!(text.as_ref().is_ok_and(|text| text.contains("answered")), "{text:?}");
    });
    tale.step("The server restarts, and the next call just works", || {
        callcamp.mcp.restart();
        let text = clients.all(|client| client.calls_for_text("get_costs", &json!({})));
        assert!(text.as_ref().is_ok_and(|text| text.contains("412.50")), "{text:?}");
    });
}

fn a_revoked_token(tale: &mut Tale, callcamp: &CallCamp, user: &User, clients: &Clients) {
    tale.step("A revoked token is one clear error that names the command to run", || {
        callcamp.revokes_all();
        let error = clients.all(|client| client.calls("get_costs", &json!({})));
        let error = error.expect_err("a refusal").to_string();
        assert!(error.contains("bridge login callcamp --with-token"), "{error}");
    });
    tale.step("No browser, no loop: the next call is one more error", || {
        let error = clients.all(|client| client.calls("get_costs", &json!({})));
        assert!(error.is_err(), "{error:?}");
    });
    let token = callcamp.generates_a_token();
    tale.step("The same command with a new token, and the open windows work again", || {
        user.pipes(&token, "bridge login callcamp --with-token").ok();
        let text = clients.all(|client| client.calls_for_text("get_costs", &json!({})));
        assert!(text.as_ref().is_ok_and(|text| text.contains("412.50")), "{text:?}");
    });
}

fn no_client(tale: &mut Tale, callcamp: &CallCamp, user: &User) {
    let token = callcamp.generates_a_token_without_client();
    tale.step("A token whose user has no client: the server's own words, and no sign-in", || {
        let said = user.pipes(&token, "bridge login callcamp --with-token");
        said.ok().says(&["HTTP 403", "Your user has no client assigned"]);
        let said = user.types("bridge tools callcamp");
        said.says(&["Your user has no client assigned"]);
    });
}

/// Another user, who has the paragraph of the documentation.
fn pasted(tale: &mut Tale, callcamp: &CallCamp) {
    let token = callcamp.generates_a_token();
    let mut user = User::trusting(callcamp.authority());
    let header = format!("Authorization: Bearer {token}");
    let args = json!(["-y", "mcp-remote", callcamp.url(), "--header", header]);
    tale.step("The arguments of the documentation work unchanged, with a warning", || {
        user.pastes(&json!({"mcpServers": {"callcamp": {"command": "bridge", "args": args}}}));
        let clients = user.opens(1, &user.entry("callcamp"));
        assert_eq!(clients.all(Client::tools).map(|tools| tools.len()), Ok(12));
        clients.0[0].logs("the value of `Authorization` is in the arguments");
        clients.close();
    });
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn open() -> Open {
    let callcamp = CallCamp::run();
    // What is looked for where nobody says how to sign in.
    let of_sign_ins = |request: &Request| request.path != "/mcp";
    callcamp.mcp.allow(matcher::when("what a sign-in needs", of_sign_ins));
    let user = User::trusting(callcamp.authority());
    let token = callcamp.generates_a_token();
    let lines = vec![
        Line::new(
            "The server wants a token, and the command says how to give one:",
            format!("bridge add callcamp {}", callcamp.url()),
            "bridge login callcamp --with-token",
        ),
        Line::new(
            "",
            format!("printf %s {token} | bridge login callcamp --with-token"),
            "callcamp",
        ),
        Line::new("", "bridge tools callcamp", "get_record"),
        Line::new("", format!("bridge call callcamp get_record uuid={RECORD}"), RECORD),
        Line::new("", "bridge read callcamp studio://costs/total", "412.50"),
        Line::new("", "bridge doctor callcamp", "tools"),
        Line::new("", "bridge logout callcamp", ""),
        Line::new(
            "Without it, this is how to give it again:",
            "bridge tools callcamp",
            "--with-token",
        )
        .fails(1),
    ];
    Open { user, lines, _running: Box::new(callcamp) }
}
