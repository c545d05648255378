//! `docs/servers.md`: its lines, typed as they stand there, and the messages that it quotes.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use crate::support::auth_server::{AuthServer, Client, Plan};
use crate::support::canary;
use crate::support::certificates::PrivateAuthority;
use crate::support::guarded::guard;
use crate::support::hosted::callcamp::CallCamp;
use crate::support::hosted::maestra::Maestra;
use crate::support::hosted::vauchflow::Vauchflow;
use crate::support::hosted::{Front, User};
use crate::support::tab::{self, Browser};
use crate::support::{McpServer, program};

const PAGE: &str = include_str!("../../docs/servers.md");

/// The blocks of a section that are for a shell.
fn blocks(heading: &str) -> Vec<&'static str> {
    let section = PAGE.split("\n## ").find_map(|section| section.strip_prefix(heading));
    let section = section.unwrap_or_else(|| panic!("no section {heading}"));
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap_or_default()).collect()
}

/// Somebody who does what the page says, at a server of theirs.
struct Reader<'a> {
    user: &'a User,
    browser: &'a Browser,
    origin: String,
    /// What they paste where they are asked.
    secret: String,
    /// In place of the page's own, which may be in use here.
    port: u16,
}

impl<'a> Reader<'a> {
    fn of(user: &'a User, browser: &'a Browser, server: &McpServer) -> Self {
        Self { user, browser, origin: server.url_of(""), secret: String::new(), port: 9696 }
    }

    /// Types all lines of a section, each of which has to succeed: in a terminal, where `add` opens a page, unless
    /// there is something to paste.
    #[track_caller]
    fn follows(self, heading: &str) {
        let mut pages = 0;
        for block in blocks(heading) {
            let lines = self.of_theirs(block);
            if !self.secret.is_empty() {
                let said = self.user.runs(&lines, &format!("{}\n", self.secret));
                assert_eq!(said.code, 0, "{block}\n{said:?}");
                continue;
            }
            let mut terminal = self.user.in_a_shell(&program(), &lines);
            for _ in block.lines().filter(|line| line.starts_with("bridge add")) {
                pages += 1;
                tab::sign_in(&self.browser.page(pages));
            }
            let shown = terminal.all();
            assert!(terminal.ends().success(), "{block}\n{shown}");
        }
        assert_eq!(self.browser.pages().len(), pages, "{heading}");
        assert!(!self.user.client_file().contains("canary"), "{}", self.user.client_file());
    }

    /// With their own server's address.
    fn of_theirs(&self, block: &str) -> String {
        let block = block.replace(" 9696 ", &format!(" {} ", self.port));
        let mut parts = block.split("https://");
        let mut script = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (_, path) = part.split_once(".example.com").expect("an address of an example");
            script.push_str(&self.origin);
            script.push_str(path);
        }
        script
    }
}

#[test]
fn a_token_from_a_profile_page() {
    let callcamp = CallCamp::run();
    let user = User::trusting(callcamp.authority());
    let (secret, browser) = (callcamp.generates_a_token(), Browser::recording());
    let reader = Reader { secret, ..Reader::of(&user, &browser, &callcamp.mcp) };
    reader.follows("A token from a profile page");
}

#[test]
fn a_server_that_wants_a_token_and_knows_no_sign_in_is_saved_from_a_terminal_too() {
    let callcamp = CallCamp::run();
    let user = User::trusting(callcamp.authority());
    let mut terminal = user.in_terminal(&format!("bridge add studio {}", callcamp.url()));
    let shown = terminal.all();
    assert!(shown.contains("--with-token"), "{shown}");
    assert!(terminal.ends().success(), "{shown}");
}

#[test]
fn an_api_key() {
    let vauchflow = Vauchflow::run();
    let user = User::trusting(vauchflow.authority());
    let secret = vauchflow.issues_agent_key(&["vouchers:read"]);
    let browser = Browser::recording();
    Reader { secret, ..Reader::of(&user, &browser, &vauchflow.mcp) }.follows("An API key");
}

/// A server that takes the tokens of another origin.
struct Guarded {
    mcp: McpServer,
    auth: AuthServer,
    authority: Arc<PrivateAuthority>,
}

impl Guarded {
    fn run() -> Self {
        let authority = Arc::new(PrivateAuthority::found());
        let front = Front::reserve(&authority);
        let mcp = McpServer::legacy().https_by(&authority).run();
        let auth = guard(Plan { origin: Some(front.origin()), ..Plan::default() }, &mcp);
        front.lead_to(auth.address());
        Self { mcp, auth, authority }
    }
}

#[test]
fn a_sign_in_in_the_browser() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let user =
        User::trusting(&server.authority).with_browser(&browser).with("BRIDGE_AUTH_TIMEOUT", "30s");
    Reader::of(&user, &browser, &server.mcp).follows("A sign-in in the browser");
    assert_eq!(server.auth.asked("/register").len(), 2, "one for each profile");
}

#[test]
fn a_sign_in_with_a_client_id() {
    let server = Guarded::run();
    let free = TcpListener::bind("localhost:0").expect("a port");
    let port = free.local_addr().expect("a bound address").port();
    let redirect_uri = "http://localhost:9696/oauth/callback";
    assert!(PAGE.contains(redirect_uri));
    let client = Client {
        secret: None,
        redirect_uris: vec![redirect_uri.replace("9696", &port.to_string())],
        scope: Some("read offline_access".to_owned()),
        method: "none".to_owned(),
    };
    server.auth.register("my-client-id", client);
    let browser = Browser::recording();
    let user =
        User::trusting(&server.authority).with_browser(&browser).with("BRIDGE_AUTH_TIMEOUT", "30s");
    drop(free);
    let reader = Reader { port, ..Reader::of(&user, &browser, &server.mcp) };
    reader.follows("A sign-in with a client ID");
    assert!(server.auth.asked("/register").is_empty());
}

#[test]
fn a_feature_that_someone_turns_on() {
    let maestra = Maestra::run();
    maestra.turns_the_feature_on();
    maestra.grants_the_permission();
    let browser = Browser::recording();
    let user = User::trusting(maestra.authority())
        .with_browser(&browser)
        .with("BRIDGE_AUTH_TIMEOUT", "30s");
    Reader::of(&user, &browser, &maestra.mcp).follows("A feature that someone turns on");
    let report = user.read("report.json");
    assert!(report.len() > 20_000_000, "{} bytes", report.len());
}

/// What stands in backticks within a line.
fn commands() -> impl Iterator<Item = &'static str> {
    PAGE.split("```").step_by(2).flat_map(|text| text.split('`').skip(1).step_by(2))
}

#[test]
fn every_command_and_option_that_the_page_names_is_there() {
    let user = User::trusting(&PrivateAuthority::found());
    let mut verbs = BTreeSet::new();
    for command in commands().filter_map(|text| text.strip_prefix("bridge ")) {
        verbs.insert(command.split(' ').next().unwrap_or_default());
    }
    assert!(verbs.len() > 5, "{verbs:?}");
    let mut help = user.types("bridge --help").ok().stdout.clone();
    for verb in verbs {
        help.push_str(&user.types(&format!("bridge {verb} --help")).ok().stdout);
    }
    let words = commands().flat_map(|text| text.split([' ', '"', '\'']));
    let options: BTreeSet<_> = words.filter(|word| word.starts_with("--")).collect();
    assert!(options.len() > 5, "{options:?}");
    for option in options {
        assert!(help.contains(option), "{option}");
    }
    for link in PAGE.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(link);
        assert!(file.exists(), "{link}");
    }
}

/// The program's own words, and those of the products.
fn sources() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["src", "tests/support"].map(|folder| canary::files_below(&root.join(folder)));
    let mut words = String::new();
    for file in files.into_iter().flatten() {
        let text = std::fs::read_to_string(file).unwrap_or_default().replace("\\\n", " ");
        for word in text.split_whitespace() {
            words.push_str(word);
            words.push(' ');
        }
    }
    words.to_lowercase()
}

#[test]
fn every_message_that_the_page_quotes_is_said_in_these_words() {
    let sources = sources();
    let rows = PAGE.lines().filter(|line| line.starts_with("| "));
    let quotes =
        rows.flat_map(|row| row.split(" | ").next().unwrap_or(row).split('*').skip(1).step_by(2));
    let mut seen = 0;
    // What stands between backticks may be a name in the page and its place in the program.
    for part in quotes.flat_map(|quote| quote.split(['…', '`'])).map(str::trim) {
        assert!(sources.contains(&part.to_lowercase()), "nobody says {part:?}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}
