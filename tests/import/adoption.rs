//! What `bridge import` takes over of mcp-remote's registrations, and what a sign-in makes of it.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::install::home::{Home, ended};
use crate::support::auth_server::{Answer, Asked, Client, Plan};
use crate::support::tab::{self, Browser};
use crate::support::{Guarded, McpServer};

const CURSOR: &str = ".cursor/mcp.json";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const THEIRS: &str = "registered-by-mcp-remote";

/// Ports that neither the system gives to anybody nor bridge chooses by itself.
const QUIET: std::ops::Range<u16> = 8_000..16_000;

fn is_free(port: u16) -> bool {
    ["127.0.0.1", "[::1]"].iter().all(|host| TcpListener::bind(format!("{host}:{port}")).is_ok())
}

/// A port that is still free when somebody wants it.
fn quiet_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = QUIET.start + (std::process::id() % 7_000) as u16;
    let mut ports = (0..900).map(|_| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(|port| is_free(*port)).expect("a port that is free")
}

/// A person who used mcp-remote with a server that signs its users in.
struct Person {
    home: Home,
    server: Guarded,
    browser: Browser,
    redirect: String,
}

impl Person {
    fn with(plan: Plan, args: &[&str]) -> Self {
        let server = Guarded::with(plan, McpServer::legacy());
        let (home, browser) = (Home::new(), Browser::recording());
        let redirect = format!("http://localhost:{}/oauth/callback", quiet_port());
        let url = server.mcp.url();
        let args: Vec<_> =
            ["-y", "mcp-remote", &url].into_iter().chain(args.iter().copied()).collect();
        let entry = json!({"mcpServers": {"work": {"command": "npx", "args": args}}});
        home.write(CURSOR, entry.to_string().as_bytes());
        Self { home, server, browser, redirect }
    }

    /// mcp-remote registered a client, and keeps it as 0.15.1 does.
    fn registered(self, issuer: Option<&str>, secret: Option<&str>) -> Self {
        let method = if secret.is_some() { "client_secret_post" } else { "none" };
        let client = Client {
            secret: secret.map(str::to_owned),
            redirect_uris: vec![self.redirect.clone()],
            scope: Some("read offline_access".to_owned()),
            method: method.to_owned(),
        };
        self.server.auth.register(THEIRS, client);
        let mut kept = json!({
            "client_id": THEIRS,
            "redirect_uris": [self.redirect],
            "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code", "refresh_token"],
            "client_name": "MCP CLI Proxy",
        });
        if let Some(issuer) = issuer {
            kept["issuer"] = issuer.into();
        }
        if let Some(secret) = secret {
            kept["client_secret"] = secret.into();
        }
        self.home.write(&self.kept("client_info"), kept.to_string().as_bytes());
        let tokens = json!({"access_token": "canary-theirs", "refresh_token": "canary-theirs-2"});
        self.home.write(&self.kept("tokens"), tokens.to_string().as_bytes());
        self
    }

    fn kept(&self, what: &str) -> String {
        let digest = md5::compute(self.server.mcp.url());
        format!(".mcp-auth/mcp-remote-v1/{digest:x}_{what}.json")
    }

    fn issuer(&self) -> String {
        self.server.auth.issuer()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.home.command(args);
        command.env("BRIDGE_STORE_KEY", KEY);
        command
    }

    #[track_caller]
    fn says(&self, args: &[&str]) -> String {
        let (code, told) = ended(&self.command(args).output().unwrap());
        assert_eq!(code, 0, "{args:?}: {told}");
        told
    }

    /// The person signs in by the browser, with the options of the entry.
    #[track_caller]
    fn signs_in(&self) {
        let browser = self.browser.command();
        let url = self.server.mcp.url();
        let mut login = self.command(&["login", &url, "--browser", &browser]);
        let child = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let shown = tab::follow(&self.browser.page(1));
        assert!(shown.body.contains("signed in"), "{shown:?}");
        let (code, told) = ended(&child.wait_with_output().unwrap());
        assert_eq!(code, 0, "{told}");
    }

    /// How often a client was registered, and those that people were sent to sign in with.
    fn clients(&self) -> (usize, Vec<String>) {
        let asked = self.server.auth.asked("/authorize");
        let mut clients: Vec<_> = asked.iter().filter_map(|it| it.param("client_id")).collect();
        clients.dedup();
        (self.server.auth.asked("/register").len(), clients)
    }

    /// The files of the home that hold a text, but for mcp-remote's own.
    fn holding(&self, text: &str) -> Vec<String> {
        let mut files = self.home.files();
        files.retain(|file| !file.starts_with(".mcp-auth/"));
        files.retain(|file| String::from_utf8_lossy(&self.home.read(file)).contains(text));
        files
    }
}

#[test]
fn a_client_of_mcp_remote_is_used_at_the_next_sign_in_and_no_other_is_registered() {
    let person = Person::with(Plan::default(), &[]);
    let issuer = person.issuer();
    let person = person.registered(Some(&issuer), None);
    let told = person.says(&["import", "--yes"]);
    let adopts = format!(
        "    becomes: bridge {}\n    adopts: the client that mcp-remote registered at 127.0.0.1",
        person.server.mcp.url()
    );
    assert!(told.contains(&adopts) && told.contains(&person.redirect), "{told}");
    assert!(!told.contains("canary"), "{told}");
    person.signs_in();
    assert_eq!(person.clients(), (0, vec![THEIRS.to_owned()]));
    let asked = person.server.auth.asked("/authorize");
    assert_eq!(asked[0].param("redirect_uri"), Some(person.redirect.clone()));
    assert!(person.holding("canary").is_empty(), "no token of mcp-remote is taken");
    let told = person.says(&["status", &person.server.mcp.url()]);
    assert!(told.contains("signed in"), "{told}");
}

#[test]
fn a_secret_of_an_adopted_client_is_sealed_and_sent_to_its_issuer_alone() {
    let person = Person::with(Plan::default(), &[]);
    let issuer = person.issuer();
    let person = person.registered(Some(&issuer), Some("canary-client-secret"));
    let told = person.says(&["import", "--yes"]);
    assert!(
        told.contains("its secret in a sealed file, its key in BRIDGE_STORE_KEY")
            && !told.contains("canary"),
        "{told}"
    );
    assert!(person.holding("canary").is_empty(), "{:?}", person.holding("canary"));
    person.signs_in();
    assert_eq!(person.clients(), (0, vec![THEIRS.to_owned()]));
    let token = &person.server.auth.asked("/token")[0];
    assert_eq!(token.field("client_secret").as_deref(), Some("canary-client-secret"));

    // Where nothing says whose the secret is, it is shown to nobody.
    let person = Person::with(Plan::default(), &[]).registered(None, Some("canary-2"));
    let told = person.says(&["import", "--yes"]);
    assert!(told.contains("not adopted: the client that mcp-remote registered: it has a secret"));
    let person = Person::with(Plan::default(), &[]).registered(Some("https://other.example"), None);
    let told = person.says(&["import", "--yes"]);
    assert!(told.contains("it was registered at https://other.example"), "{told}");
    person.signs_in();
    assert_eq!(person.clients().0, 1, "one of its own is registered");
}

#[test]
fn a_client_that_is_forgotten_there_gives_way_to_a_new_one_by_itself() {
    // Said by the page that the person would see.
    let person = Person::with(Plan::default().expects_refusals(), &[]);
    let issuer = person.issuer();
    let person = person.registered(Some(&issuer), None);
    person.says(&["import", "--yes"]);
    person.server.auth.forget_clients();
    person.signs_in();
    assert_eq!(person.clients().0, 1);

    // Said by the token endpoint, once the person is done.
    let is_theirs = |asked: &Asked| asked.field("client_id").as_deref() == Some(THEIRS);
    let refusal = Answer::json(401, &json!({"error": "invalid_client"}));
    let plan = Plan::default().expects_refusals();
    let plan = plan.rule("/token", move |asked| is_theirs(asked).then(|| refusal.clone()));
    let person = Person::with(plan, &[]);
    let issuer = person.issuer();
    let person = person.registered(Some(&issuer), None);
    person.says(&["import", "--yes"]);
    person.signs_in();
    let (registered, clients) = person.clients();
    assert_eq!((registered, clients.len(), clients[0].as_str()), (1, 2, THEIRS));
    assert_eq!(person.browser.pages().len(), 1, "in the same tab");
}

#[test]
fn an_undo_forgets_the_adopted_client_and_the_saved_server() {
    let secret = ["--header", "X-Api-Key: canary-1234"];
    let person = Person::with(Plan::default(), &secret);
    let before = person.home.text(CURSOR);
    let told = person.says(&["import", "--yes"]);
    assert!(told.contains("saved as `work`"), "{told}");
    assert!(person.holding("[servers.work]").len() == 1);
    let told = person.says(&["import", "--undo"]);
    assert!(told.contains("`work` is no longer saved"), "{told}");
    assert_eq!(person.home.text(CURSOR), before);
    assert!(person.holding("[servers.work]").is_empty());

    let person = Person::with(Plan::default(), &[]);
    let issuer = person.issuer();
    let person = person.registered(Some(&issuer), None);
    person.says(&["import", "--yes"]);
    let kept = person.home.files().len();
    let told = person.says(&["import", "--undo"]);
    assert!(told.contains("the client that was adopted is forgotten"), "{told}");
    assert!(person.home.files().len() < kept, "{:?}", person.home.files());
    // Once somebody has signed in with it, it is theirs.
    person.says(&["import", "--yes"]);
    person.signs_in();
    let told = person.says(&["import", "--undo"]);
    assert!(!told.contains("forgotten"), "{told}");
    let told = person.says(&["status", &person.server.mcp.url()]);
    assert!(told.contains("signed in"), "{told}");
}

#[test]
fn an_adopted_client_that_can_t_be_looked_at_without_its_key_is_told_when_it_stays() {
    for (args, told_so) in [
        (
            &[][..],
            "in another store (`--credential-store env`) stays: `bridge logout http://127.0.0.1:",
        ),
        (
            &["--header", "X-Api-Key: canary-1234"],
            "a client that was adopted stays (`bridge logout http://127.0.0.1:",
        ),
    ] {
        let person = Person::with(Plan::default(), args);
        let issuer = person.issuer();
        let person = person.registered(Some(&issuer), None);
        let before = person.home.text(CURSOR);
        let told = person.says(&["import", "--yes"]);
        assert!(told.contains("adopts: the client"), "{told}");
        let told = person.home.ok(&["import", "--undo"]);
        assert!(told.contains(told_so), "{told}");
        assert_eq!(person.home.text(CURSOR), before);
        assert!(person.holding("[servers.work]").is_empty());
        let sealed = || person.home.files().iter().any(|file| file.ends_with(".env"));
        assert!(sealed());
        let (_, told) = person.home.run(&["logout", &person.server.mcp.url()]);
        assert!(!sealed(), "{told}");
    }
}

#[test]
fn a_client_that_was_registered_by_hand_keeps_its_port_and_its_secret_is_sealed() {
    let info = r#"{"client_id": "by-hand", "client_secret": "${SECRET}"}"#;
    let person = Person::with(Plan::default(), &["--static-oauth-client-info", info]);
    // As mcp-remote derives it; a header makes it another one, until it is one that nobody else is given.
    let derived = |number: &u16| {
        let text = format!("{}|{{\"X-N\":\"{number}\"}}", person.server.mcp.url());
        let digest = format!("{:x}", md5::compute(text));
        3335 + u16::from_str_radix(&digest[..4], 16).unwrap() % 45_816
    };
    let fits = |number: &u16| QUIET.contains(&derived(number)) && is_free(derived(number));
    let number = (0..).find(fits).unwrap();
    let port = derived(&number);
    let mut entry: Value = serde_json::from_str(&person.home.text(CURSOR)).unwrap();
    let work = &mut entry["mcpServers"]["work"];
    work["env"] = json!({"SECRET": "canary-by-hand"});
    let header = [json!("--header"), json!(format!("X-N: {number}"))];
    work["args"].as_array_mut().unwrap().extend(header);
    person.home.write(CURSOR, entry.to_string().as_bytes());
    let told = person.says(&["import", "--yes"]);
    assert!(
        told.contains("saved as `work`, with the client's secret in a sealed file, its key in BRIDGE_STORE_KEY"),
        "{told}"
    );
    assert!(told.contains(&format!("adopts: the port {port}, ")), "{told}");
    assert_eq!(person.holding("canary-by-hand"), [format!("{CURSOR}.before-import")], "{told}");
    let client = Client {
        secret: Some("canary-by-hand".to_owned()),
        redirect_uris: vec![format!("http://localhost:{port}/oauth/callback")],
        scope: Some("read offline_access".to_owned()),
        method: "client_secret_basic".to_owned(),
    };
    person.server.auth.register("by-hand", client);
    let browser = person.browser.command();
    let mut login = person.command(&["login", "work", "--browser", &browser]);
    let child = login.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tab::sign_in(&person.browser.page(1));
    let (code, told) = ended(&child.wait_with_output().unwrap());
    assert_eq!((code, person.clients()), (0, (0, vec!["by-hand".to_owned()])), "{told}");
    let shown = person.says(&["show", "work"]);
    assert!(shown.contains("${keychain}") && !shown.contains("canary"), "{shown}");
}
