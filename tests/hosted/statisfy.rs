//! Statisfy: a sign-in in the browser for a key that lasts, two organizations, a connection that is revoked.

use serde_json::{Value, json};

use super::{Line, Open, Product};
use crate::support::hosted::statisfy::{Statisfy, TOOLS};
use crate::support::hosted::{Client, Clients, Tale, User};
use crate::support::tab::{self, Browser};
use crate::support::terminal;

pub const PRODUCT: Product = Product {
    name: "statisfy",
    about: "a sign-in with registration, and a key that can't be renewed",
    story,
    open,
};

fn story(tale: &mut Tale) {
    let statisfy = Statisfy::run();
    statisfy.records().into_iter().for_each(|record| tale.watch(record));
    let browser = Browser::recording();
    let user = User::trusting(statisfy.authority()).with_browser(&browser);

    signs_in(tale, &statisfy, &user, &browser);
    let windows = tale.way.copies();
    let clients = tale.step("A second start is silent: no page, no question to anybody", || {
        let entry = user.entry("acme");
        assert_eq!(entry.args, ["acme"]);
        let clients = user.opens(windows, &entry);
        assert_eq!(browser.pages().len(), 1);
        clients
    });
    works(tale, &statisfy, &user, &clients);
    two_organizations(tale, &statisfy, &user, &browser, &clients);
    a_revoked_connection(tale, &statisfy, &user, &browser, &clients);
    tale.step("The windows close, and end their sessions", || clients.close());
    too_late(tale, &statisfy, &user);
    tale.step("Nothing is left but what is sealed", || {
        let files = user.files();
        assert!(files.iter().all(|file| file.starts_with("600 ")), "{files:?}");
        user.has_no_secret_on_disk();
    });
}

fn signs_in(tale: &mut Tale, statisfy: &Statisfy, user: &User, browser: &Browser) {
    tale.step("`bridge add acme URL --profile acme` saves the server by a name", || {
        let line = format!("bridge add acme {} --profile acme", statisfy.url());
        user.types(&line).ok().says(&["Saved `acme`", "bridge login acme"]);
        user.types("bridge install acme --client claude-desktop").ok();
    });
    tale.step("`bridge login acme` opens the browser, where the person picks Acme", || {
        let login = user.begins("bridge login acme");
        statisfy.picks("Acme");
        tab::sign_in(&browser.page(1));
        login.ends().ok().says(&["You are signed in"]);
    });
    tale.step("The key is stored, and stands in no file of the client", || {
        assert_eq!(sealed(user), 1, "{:?}", user.records());
        assert!(!user.config().contains("sf_"), "{}", user.config());
        assert!(!user.client_file().contains("sf_"), "{}", user.client_file());
    });
    tale.step("An admin sees by its name who asked", || {
        let connections = statisfy.connections("Acme");
        let [connection] = &connections[..] else { panic!("{connections:?}") };
        assert!(connection.client_name.starts_with("bridge on "), "{connection:?}");
        assert!(!connection.is_revoked, "{connection:?}");
    });
}

fn works(tale: &mut Tale, statisfy: &Statisfy, user: &User, clients: &Clients) {
    tale.step("The tools are listed, all of them for reading", || {
        assert_eq!(clients.all(Client::tools), Ok(TOOLS.map(str::to_owned).to_vec()));
    });
    tale.restart(|| statisfy.mcp.restart());
    tale.step("They find the objects of Acme", || {
        for name in ["list_objects", "search_objects", "semantic_search"] {
            let text = clients.all(|client| client.calls_for_text(name, &json!({})));
            assert_eq!(text, Ok(format!("{name} of Acme")));
        }
        let uses = statisfy.connections("Acme")[0].uses;
        assert_eq!(uses, 3 * clients.0.len(), "one connection for all windows");
    });
    tale.step("`bridge status acme` shows the expiry, and that no refresh is possible", || {
        user.types("bridge status acme").ok().says(&[
            "signed in",
            "good for 90 days",
            "not renewable",
        ]);
        let said = user.types("bridge status acme --json");
        let told: Value = serde_json::from_str(&said.ok().stdout).expect("JSON");
        assert_eq!((&told[0]["renewable"], &told[0]["profile"]), (&json!(false), &json!("acme")));
        let left = told[0]["expiresInSeconds"].as_u64().expect("seconds");
        assert!((89 * 86_400..=90 * 86_400).contains(&left), "{left}");
    });
}

fn two_organizations(
    tale: &mut Tale,
    statisfy: &Statisfy,
    user: &User,
    browser: &Browser,
    clients: &Clients,
) {
    tale.step("A second organization is a second profile of the same URL", || {
        let line = format!("bridge add globex {} --profile globex", statisfy.url());
        user.types(&line).ok();
        user.types("bridge install globex --client claude-desktop").ok();
        user.types("bridge status globex").fails(3);
        let login = user.begins("bridge login globex");
        statisfy.picks("Globex");
        tab::sign_in(&browser.page(2));
        login.ends().ok();
        assert_eq!(sealed(user), 2, "{:?}", user.records());
    });
    let windows = clients.0.len();
    tale.step("The two never see each other's key", || {
        let others = user.opens(windows, &user.entry("globex"));
        for (clients, organization) in [(&others, "Globex"), (clients, "Acme")] {
            let text = clients.all(|client| client.calls_for_text("list_objects", &json!({})));
            assert_eq!(text, Ok(format!("list_objects of {organization}")));
        }
        others.close();
    });
    tale.step("`bridge logout globex` ends the one, and the other goes on", || {
        user.types("bridge logout globex").ok();
        assert_eq!(sealed(user), 1, "{:?}", user.records());
        let text = clients.all(|client| client.calls_for_text("get_object", &json!({})));
        assert_eq!(text, Ok("get_object of Acme".to_owned()));
    });
}

fn a_revoked_connection(
    tale: &mut Tale,
    statisfy: &Statisfy,
    user: &User,
    browser: &Browser,
    clients: &Clients,
) {
    tale.step("An admin revokes the connection: the next call leads to one new sign-in", || {
        statisfy.revokes("Acme");
        statisfy.picks("Acme");
        let texts = std::thread::scope(|scope| {
            let calls = scope.spawn(|| {
                clients.all(|client| client.calls_for_text("search_objects", &json!({})))
            });
            tab::sign_in(&browser.page(3));
            calls.join().expect("the calls end")
        });
        // The call that met it succeeds after it.
        assert_eq!(texts, Ok("search_objects of Acme".to_owned()));
        assert_eq!(browser.pages().len(), 3);
    });
    tale.step("The admin sees the old connection and the new one", || {
        let connections = statisfy.connections("Acme");
        let revoked: Vec<_> = connections.iter().map(|each| each.is_revoked).collect();
        assert_eq!(revoked, [true, false]);
        assert_eq!(connections[0].client_name, connections[1].client_name);
        assert_eq!(connections[1].uses, clients.0.len());
    });
    tale.step("From then on all is silent again", || {
        let text = clients.all(|client| client.calls_for_text("get_object", &json!({})));
        assert_eq!(text, Ok("get_object of Acme".to_owned()));
        user.types("bridge status acme").ok().says(&["signed in"]);
        assert_eq!(browser.pages().len(), 3);
    });
}

fn too_late(tale: &mut Tale, statisfy: &Statisfy, user: &User) {
    tale.step(
        "A code that is pasted after five minutes is refused; the same page gives another",
        || {
            let mut terminal = user.in_terminal("bridge login globex --browser never");
            let page = terminal::page(&terminal.shows("paste that address here"));
            let back =
                || tab::get(&page).expect("the provider's page").location.expect("the way back");
            let late = back();
            statisfy.five_minutes_pass();
            terminal.types(&format!("{late}\r"));
            terminal.shows("the code has expired");
            statisfy.picks("Globex");
            terminal.types(&format!("{}\r", back()));
            terminal.shows("You are signed in");
            assert!(terminal.ends().success());
            assert_eq!(sealed(user), 2, "{:?}", user.records());
        },
    );
}

/// Sign-ins behind the keychain.
fn sealed(user: &User) -> usize {
    user.records().iter().filter(|name| name.ends_with(".sealed")).count()
}

fn open() -> Open {
    let statisfy = Statisfy::run();
    statisfy.picks("Acme");
    let user = User::trusting(statisfy.authority());
    let add = |name| format!("bridge add {name} {} --profile {name}", statisfy.url());
    let lines = vec![
        Line::new("A page opens, at which you are signed in:", add("acme"), "Saved `acme`")
            .opens_a_page(),
        Line::new("", "bridge tools acme", "list_objects"),
        Line::new("", "bridge call acme search_objects", "search_objects of Acme"),
        Line::new("The key is good for 90 days:", "bridge status acme", "not renewable"),
        Line::new("", "bridge doctor acme", "tools"),
        Line::new("Another account is another profile:", add("globex"), "Saved `globex`")
            .opens_a_page(),
        Line::new("", "bridge status", "globex"),
        Line::new("This ends the one, and the other goes on:", "bridge logout globex", ""),
        Line::new("", "bridge call acme list_objects", "list_objects of Acme"),
    ];
    Open { user, lines, _running: Box::new(statisfy) }
}
