//! The pages of a sign-in in a real browser: no text of anybody's runs, and how they look.
//!
//! Run by `scripts/pictures`, which installs Chromium and gives a folder for the pictures.

use std::path::{Path, PathBuf};

use mcp_bridge::auth::{Callback, Expected, Listener, Names, Outcome, RedirectAddress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use crate::support::chromium::{self, chromium};
use crate::support::tab;

const STATE: &str = "state-of-this-sign-in";
/// Tries to run in each way that a page may let it.
const ATTACK: &str = "</title></style><script>document.title='RAN'</script>\
                      \"><img src=x onerror=\"document.title='RAN'\"><svg onload=\"document.title='RAN'\">\
                      <a href=\"javascript:document.title='RAN'\">'{style}{body}";
/// Width and height of a window, and whether the system is dark.
const LOOKS: [(&str, u32, u32, bool); 4] = [
    ("light", 1000, 640, false),
    ("dark", 1000, 640, true),
    ("narrow", 500, 800, false),
    ("narrow-dark", 500, 800, true),
];

/// A page: its name, the query that the browser comes with, and how the sign-in ends.
struct Visit {
    name: &'static str,
    query: String,
    outcome: Outcome,
}

fn visits(text: &str) -> Vec<Visit> {
    let (plain, said) = (text.to_owned(), Some(text.to_owned()));
    let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let code = format!("code={text}&state={STATE}&iss={text}&scope={text}");
    let error = format!("error={text}&error_description={text}&error_uri={text}&state={STATE}");
    let failed = Outcome::Failed {
        why: "the authorization server did not give a token".into(),
        said: said.clone(),
    };
    let denied = Outcome::Denied { said };
    [
        ("signed-in", code.clone(), Outcome::SignedIn),
        ("withheld", code.clone(), Outcome::Withheld { scopes: plain.clone() }),
        ("denied", error.clone(), denied),
        ("failed", error, failed),
        ("expired", code, Outcome::Expired),
        ("unknown", format!("code={text}&state={text}"), Outcome::Expired),
        ("unusable", format!("code={text}&code={text}&state={STATE}"), Outcome::Expired),
    ]
    .map(|(name, query, outcome)| Visit { name, query, outcome })
    .into()
}

fn names(text: &str) -> Names {
    Names { server: text.into(), client: Some(text.into()), command: text.into() }
}

fn plain() -> Names {
    Names {
        server: "mcp.example.com".into(),
        client: Some("Claude Desktop".into()),
        command: "bridge login https://mcp.example.com/mcp".into(),
    }
}

/// What a browser prints of the page at the end of a visit.
async fn visit(visit: &Visit, names: Names, arguments: &[String]) -> String {
    let mut listener = listener(visit.name);
    let page = format!("{}?{}", listener.redirect_uri(), visit.query);
    let outcome = visit.outcome.clone();
    let serve = async {
        listener.wait(expected(names, None), is_ours).await.respond(outcome).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = serve => unreachable!(),
        printed = chromium(&page, arguments) => printed,
    }
}

/// What a browser prints of the start page, where it waits for a click.
async fn start(names: Names, issuer: &str, arguments: &[String]) -> String {
    let mut listener = listener("start");
    let page = listener.start_url(STATE).to_string();
    tokio::select! {
        _ = listener.wait(expected(names, Some(issuer.to_owned())), is_ours) => unreachable!(),
        printed = chromium(&page, arguments) => printed,
    }
}

/// What a browser prints that comes with another code while the first is being redeemed.
async fn second(names: Names, arguments: &[String]) -> String {
    let mut listener = listener("second");
    let uri = listener.redirect_uri().to_owned();
    let first = format!("{uri}?code=first&state={STATE}");
    let wait = listener.wait(expected(names, None), is_ours);
    let (_hit, _waiting) =
        tokio::join!(wait, async { tokio::task::spawn_blocking(move || tab::begin(&first)).await });
    chromium(&format!("{uri}?code=second&state={STATE}"), arguments).await
}

fn listener(name: &str) -> Listener {
    let seed = format!("{} {name}", std::process::id());
    Listener::bind(&RedirectAddress::default(), &seed).unwrap()
}

fn expected(names: Names, foreign_to: Option<String>) -> Expected {
    Expected {
        authorization_url: Url::parse("https://as.example/authorize").unwrap(),
        foreign_to,
        state: STATE.into(),
        names,
        success_url: None,
    }
}

fn is_ours(callback: &Callback) -> bool {
    callback.state.as_ref().is_some_and(|state| state.expose() == STATE)
}

fn dump() -> Vec<String> {
    vec!["--dump-dom".to_owned()]
}

/// A page without any protection, to see that the attack is one.
async fn unprotected() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let page = format!("http://{}/", socket.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = socket.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let html = format!("<!doctype html><title>{ATTACK}");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(format!("{head}{html}").as_bytes()).await;
        }
    });
    page
}

#[tokio::test]
#[ignore = "needs Chromium: scripts/pictures runs it"]
async fn no_text_runs_on_any_page() {
    let page = chromium(&unprotected().await, &dump()).await;
    assert!(page.contains("<title>RAN</title>"), "the attack does nothing by itself: {page}");
    let page = start(names(ATTACK), ATTACK, &dump()).await;
    assert!(page.contains("<h1 class=") && !page.contains("<title>RAN"), "{page}");
    for each in visits(ATTACK) {
        let page = visit(&each, names(ATTACK), &dump()).await;
        assert!(page.contains("<h1 class="), "{}: no page of ours: {page}", each.name);
        assert!(!page.contains("<title>RAN"), "{}: it ran: {page}", each.name);
        for element in ["<script", "<img", "<svg", "<a href=\"javascript"] {
            assert!(!page.contains(element), "{}: {element} in {page}", each.name);
        }
    }
}

#[tokio::test]
#[ignore = "needs Chromium: scripts/pictures runs it"]
async fn the_start_page_leads_on_by_itself() {
    let mut listener = Listener::bind(&RedirectAddress::default(), "start of pictures").unwrap();
    let start = listener.start_url(STATE).to_string();
    let expected = Expected {
        authorization_url: Url::parse(&unprotected().await).unwrap(),
        foreign_to: None,
        state: STATE.into(),
        names: plain(),
        success_url: None,
    };
    let arguments = dump();
    let page = tokio::select! {
        _ = listener.wait(expected, |_| false) => unreachable!(),
        page = chromium(&start, &arguments) => page,
    };
    assert!(page.contains("RAN"), "it stayed at {page}");
}

#[tokio::test]
#[ignore = "needs Chromium: scripts/pictures runs it"]
async fn pictures_of_every_page() {
    let Some(folder) = std::env::var_os("BRIDGE_TEST_PICTURES").map(PathBuf::from) else { return };
    std::fs::create_dir_all(&folder).unwrap();
    for (look, width, height, dark) in LOOKS {
        for each in visits("AADSTS65004: User declined to consent to access the app.") {
            let file = folder.join(format!("{}-{look}.png", each.name));
            visit(&each, plain(), &picture(&file, (width, height), dark)).await;
            assert!(file.metadata().is_ok_and(|file| file.len() > 1000), "{}", file.display());
        }
        let of =
            |name: &str| picture(&folder.join(format!("{name}-{look}.png")), (width, height), dark);
        start(plain(), "auth.example.org", &of("start-elsewhere")).await;
        second(plain(), &of("under-way")).await;
    }
}

fn picture(file: &Path, size: (u32, u32), dark: bool) -> Vec<String> {
    let mut arguments = chromium::picture(file, size);
    if dark {
        arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    arguments
}
