//! `add`, `list`, `show`, `remove`: what they say, what stands on disk and behind the store, what was sent.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::mcp_server::{Request, matcher, text};
use crate::support::tab::{self, Browser};
use crate::support::terminal::Terminal;
use crate::support::{Answer, BridgeProcess, ClosedPort, Guarded, McpServer};

pub(super) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A home of its own.
pub(super) struct Home(TempDir);

impl Home {
    pub(super) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(super) fn with(config: &str) -> Self {
        let home = Self::new();
        std::fs::create_dir_all(home.file().parent().unwrap()).unwrap();
        std::fs::write(home.file(), config).unwrap();
        home
    }

    pub(super) fn file(&self) -> PathBuf {
        self.0.path().join(".config/mcp-bridge/config.toml")
    }

    pub(super) fn config(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap_or_default()
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        command.args(args).env_clear().env("HOME", self.0.path()).env("PATH", "/usr/bin:/bin");
        command.env("BRIDGE_STORE_KEY", KEY);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The exit code and what was said, with `FILE` for the path of the configuration.
    pub(super) fn run(&self, args: &[&str], input: &str) -> (i32, String) {
        let mut child = self.command(args).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
        let file = self.file().display().to_string();
        (done.status.code().unwrap(), said.replace(&file, "FILE"))
    }

    pub(super) fn says(&self, args: &[&str], input: &str) -> String {
        let (code, said) = self.run(args, input);
        assert_eq!(code, 0, "{args:?}: {said}");
        said
    }

    /// The names of what is kept for headers.
    pub(super) fn kept(&self) -> Vec<PathBuf> {
        let folder = self.0.path().join(".local/share/mcp-bridge/credentials");
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| path.display().to_string().contains("/headers-")).collect()
    }

    /// No file of the home has this in it.
    pub(super) fn is_nowhere(&self, secret: &str) {
        let done = Command::new("grep").args(["-rlF", secret]).arg(self.0.path()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&done.stdout), "", "{secret} was written down");
    }

    pub(super) fn serves(&self, name: &str) -> crate::support::bridge_process::Builder {
        BridgeProcess::with_args([name])
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.0.path().join(".config"))
            .env("XDG_DATA_HOME", self.0.path().join(".local/share"))
    }
}

#[test]
fn a_secret_header_is_asked_for_kept_sealed_sent_and_forgotten() {
    let (home, server) = (Home::new(), McpServer::legacy().run());
    let url = server.url();
    let said = home.says(&["add", "api", &url, "--secret-header", "X-Api-Key"], "canary-123\n");
    assert_eq!(
        said,
        format!(
            "Saved `api` in FILE: {url}\n  x-api-key: kept in a sealed file, its key in BRIDGE_STORE_KEY\n  \
             it is scripted 1.0.0; legacy (to 2025-11-25), Streamable HTTP; 9 tools\n"
        )
    );
    assert_eq!(
        home.config(),
        format!(
            "[servers.api]\nurl = \"{url}\"\n\n[servers.api.headers]\nX-Api-Key = \"${{keychain}}\"\n"
        )
    );
    assert_eq!(home.kept().len(), 1);
    home.is_nowhere("canary-123");
    assert_eq!(server.requests()[0].header("x-api-key"), Some("canary-123"), "it was tried");

    let mut bridge = home.serves("api").spawn();
    bridge.initialize();
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
    bridge.finish();
    let keys: Vec<_> =
        server.requests().iter().map(|r| r.header("x-api-key") == Some("canary-123")).collect();
    assert!(keys.iter().all(|sent| *sent) && keys.len() > 3, "{keys:?}");

    assert!(home.says(&["show", "api"], "").contains("header X-Api-Key: ${keychain}"));
    assert!(!home.says(&["status"], "").contains("127.0.0.1"), "it is no sign-in");
    home.says(&["logout", "--all"], "");
    assert_eq!(home.kept().len(), 1, "a logout forgets no keys of servers");
    assert_eq!(home.says(&["remove", "api", "--yes"], ""), "Removed `api` from FILE.\n");
    assert_eq!((home.config().as_str(), home.kept().len()), ("", 0));
}

#[test]
fn what_is_kept_for_one_address_is_not_sent_to_another() {
    let (home, server, other) = (Home::new(), McpServer::legacy().run(), McpServer::legacy().run());
    home.says(&["add", "api", &server.url(), "--secret-header", "X-Api-Key"], "canary-1");
    let moved = home.config().replace(&server.url(), &other.url());
    std::fs::write(home.file(), moved).unwrap();
    let (code, said) = home.run(&["api"], "");
    assert_eq!(
        (code, said.as_str()),
        (
            2,
            "error: the header `X-Api-Key` of `api` can't be sent\n  because: no value is kept for it at this \
             address and in this profile and store\nhint: run `bridge add api --force --secret-header X-Api-Key`\n"
        )
    );
    assert!(other.requests().is_empty());
    home.says(&["add", "api", "--force", "--secret-header", "X-Api-Key"], "canary-2");
    assert_eq!(other.requests()[0].header("x-api-key"), Some("canary-2"), "the hint cures it");
}

#[test]
fn a_vendor_s_snippet_is_taken_with_its_secrets_behind_the_store() {
    let (home, server) = (Home::new(), McpServer::legacy().run());
    let url = server.url();
    let snippet = json!({"mcpServers": {
        "plain": {"url": url, "headers": {"Authorization": "Bearer canary-4", "X-Team": "red"}},
        "older": {"command": "npx", "args": ["-y", "mcp-remote@latest", url, "3334", "--header",
            "X-Api-Key:${KEY}", "--header", "X-From: ${ELSEWHERE:-here}", "--ignore-tool", "x*"],
            "env": {"KEY": "canary-5"}},
    }});
    let said = home.says(&["add", "--from-json", "-"], &snippet.to_string());
    assert!(!said.contains("canary"), "{said}");
    assert_eq!(
        home.config(),
        format!(
            "[servers.older]\nurl = \"{url}\"\nport = 3334\ndeny-tool = [\"x*\"]\n\n[servers.older.headers]\n\
             X-Api-Key = \"${{keychain}}\"\nX-From = \"${{ELSEWHERE:-here}}\"\n\n[servers.plain]\nurl = \"{url}\"\n\n\
             [servers.plain.headers]\nAuthorization = \"Bearer ${{keychain}}\"\nX-Team = \"red\"\n"
        )
    );
    for canary in ["canary-4", "canary-5"] {
        home.is_nowhere(canary);
    }
    let sent = server.requests();
    let sent: Vec<_> =
        sent.iter().map(|r| (r.header("authorization"), r.header("x-api-key"))).collect();
    assert!(sent.contains(&(Some("Bearer canary-4"), None)), "{sent:?}");
    assert!(sent.contains(&(None, Some("canary-5"))), "{sent:?}");
}

#[test]
fn what_can_t_be_saved_leaves_everything_as_it_was() {
    let closed = ClosedPort::reserve();
    let before = "# mine\n[servers.a]\nurl = \"https://a\" # first\n";
    let home = Home::with(before);
    let dead = closed.url();
    for (args, code, part) in [
        (&["add", "a", "https://b"][..], 2, "there is a saved server `a` already"),
        (&["add", "b", &dead], 5, "`--no-check` saves it all the same"),
        (&["add", "b", &dead, "--secret-header", "X-Key"], 5, "the server is not saved"),
        (&["add", "status", "https://b"], 2, "is no command"),
        (&["add", "b.c", "https://b"], 2, "begins with a letter"),
        (&["add", "b", "https://b/?api_key=canary"], 2, "`api_key`, which would stand in FILE"),
        (
            &["add", "b", "https://b", "--proxy", "http://me:canary@p:1"],
            2,
            "`--proxy` holds a secret",
        ),
        (&["add", "b", "b.example"], 2, "`b.example` is not a URL"),
        (&["add", "b", "notaurl"], 2, "write the whole address: `bridge add NAME https://notaurl`"),
        (&["add", "b", "list"], 2, "`list` is not a URL"),
        (&["add", "b"], 2, "the server's address is missing"),
        (&["add", "https://b"], 2, "the name is missing"),
        (&["add", "b", "https://b", "--header", "Host=x"], 2, "`Host` is set by bridge itself"),
        (&["remove", "nope", "--yes"], 2, "there is no saved server `nope`"),
        (&["remove", "a"], 2, "write `bridge remove a --yes`"),
        (&["show", "b"], 2, "did you mean `bridge show a`"),
    ] {
        let (ended, said) = home.run(args, "canary");
        assert_eq!(ended, code, "{args:?}: {said}");
        assert!(said.contains(part) && !said.contains("canary"), "{args:?}: {said}");
        assert_eq!(home.config(), before, "{args:?}");
    }
    assert_eq!(home.kept().len(), 0, "no secret is left of them");
}

#[test]
fn comments_and_what_others_wrote_stay_and_so_does_a_link() {
    let before =
        "\u{feff}# mine\r\n\r\n[servers.a] # odd\r\n  url='https://a'\r\n\r\n\r\n# end\r\n";
    let home = Home::with(before);
    let real = home.0.path().join("dotfiles.toml");
    std::fs::rename(home.file(), &real).unwrap();
    std::os::unix::fs::symlink(&real, home.file()).unwrap();
    home.says(&["add", "b", "https://b", "--no-check", "--deny-tool", "x"], "");
    assert!(home.config().starts_with(before), "{}", home.config());
    assert!(
        home.config()
            .ends_with("\r\n[servers.b]\r\nurl = \"https://b\"\r\ndeny-tool = [\"x\"]\r\n")
    );
    home.says(&["remove", "b", "--yes"], "");
    assert_eq!(std::fs::read_to_string(&real).unwrap(), before);
    assert!(std::fs::symlink_metadata(home.file()).unwrap().is_symlink());
}

#[test]
fn a_file_with_a_line_that_can_t_be_read_is_listed_used_and_not_changed() {
    let before = "[servers.a]\nurl = \"https://a\"\n[servers.b]\nurl = https://b\n";
    let home = Home::with(before);
    let (code, said) = home.run(&["list"], "");
    assert!(code == 1 && said.starts_with("a  https://a\nb  (can't be used)\n"), "{said}");
    assert!(said.contains("line 4 of FILE"), "{said}");
    let (code, said) = home.run(&["add", "c", "https://c", "--no-check"], "");
    assert!(code == 1 && said.contains("line 4 of FILE") && home.config() == before, "{said}");
    assert_eq!(home.says(&["list", "--names"], ""), "a\nb\n");
}

#[test]
fn what_can_t_be_used_is_listed_as_such_unless_a_variable_is_set_elsewhere() {
    let home = Home::with(
        "[servers.a]\nurl = 5\n\n[servers.b]\nurl = \"https://b\"\ntool-timeout = \"x\"\n\n\
         [servers.c]\nurl = \"https://c/${ELSEWHERE}\"\ncredential-store = \"env\"\n",
    );
    let (code, said) = home.run(&["list"], "");
    let lines = "a  5  (can't be used)\nb  https://b  (can't be used)\nc  https://c/${ELSEWHERE}\n";
    assert!(code == 1 && said.starts_with(lines), "{said}");
    assert!(said.contains("line 2 of FILE: the server can't be used: `5` is not a URL"), "{said}");
    assert!(said.contains("line 6 of FILE: the value of `--tool-timeout` can't be used"), "{said}");
    assert_eq!(home.says(&["list", "--names"], ""), "a\nb\nc\n");
}

#[test]
fn of_many_who_save_at_once_nobody_is_lost() {
    let home = Home::new();
    let children: Vec<_> = (0..8)
        .map(|number| {
            let (name, url) = (format!("s{number}"), format!("https://h{number}/"));
            home.command(&["add", &name, &url, "--no-check"]).spawn().unwrap()
        })
        .collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let list: Value = serde_json::from_str(&home.says(&["list", "--json"], "")).unwrap();
    let mut names: Vec<_> =
        list.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"]);
}

#[test]
fn a_saved_server_that_wants_a_sign_in_is_signed_in_to_by_its_name() {
    let (server, home, browser) = (Guarded::run(), Home::new(), Browser::recording());
    let url = server.mcp.url();
    let said = home.says(&["add", "work", &url, "--browser", &browser.command()], "");
    assert!(said.contains("it wants a sign-in: `bridge login work`"), "{said}");
    let (code, said) = home.run(&["status", "work"], "");
    assert!(code == 3 && said.contains("run `bridge login work`"), "{said}");
    let mut bridge = home.serves("work").spawn();
    bridge.initialize();
    bridge.request(1, "tools/list", json!({}));
    tab::sign_in(&browser.page(1));
    assert!(bridge.expect_response(1)["result"]["tools"].is_array(), "the helper knows the name");
    bridge.finish();
    let said = home.says(&["remove", "work", "--yes"], "");
    assert!(said.contains(&format!("stays: `bridge logout {url}` forgets it")), "{said}");
    home.says(&["logout", &url], "");
}

#[test]
fn what_is_missing_is_asked_for_in_a_terminal() {
    let (server, other) = (McpServer::legacy().run(), crate::sign_in::whole::home());
    let mut terminal = Terminal::run(&other, &["add", "--secret-header", "X-Api-Key"]);
    terminal.shows("Name: ");
    terminal.types("api\r");
    terminal.shows("URL: ");
    terminal.types(&format!("{}\r", server.url()));
    terminal.asks_hidden("Value of `X-Api-Key` (it is not shown): ");
    terminal.types("canary-9\r");
    let shown = terminal.shows("kept in a sealed file");
    assert!(terminal.ends().success() && !shown.contains("canary"), "{shown}");
    let file = other.home().join(".config/mcp-bridge/config.toml");
    assert!(std::fs::read_to_string(&file).unwrap().contains("[servers.api]"));
    let mut terminal = Terminal::run(&other, &["remove", "api"]);
    terminal.shows("Remove `api`? [y/N] ");
    terminal.types("n\r");
    assert_eq!(terminal.ends().code(), Some(1));
    assert!(Path::new(&file).exists() && std::fs::read_to_string(&file).unwrap().contains("api"));
}

#[test]
fn a_place_in_a_pasted_snippet_is_asked_for_at_the_terminal_though_stdin_is_the_snippet() {
    let (server, other) = (McpServer::legacy().run(), crate::sign_in::whole::home());
    let headers = json!({"Authorization": "Bearer <YOUR_TOKEN>", "X-Api-Key": "<KEY>"});
    let snippet = json!({"mcpServers": {"api": {"url": server.url(), "headers": headers}}});
    std::fs::write(other.home().join("snippet"), snippet.to_string()).unwrap();
    let line = "cat snippet | \"$BRIDGE\" add --from-json -";
    let mut terminal = Terminal::shell(other.home(), line);
    terminal.asks_hidden("What belongs in the place of `<YOUR_TOKEN>` in `Authorization`");
    terminal.types("canary-10\r");
    terminal.asks_hidden("What belongs in the place of `<KEY>` in `X-Api-Key`");
    terminal.types("canary-11\r");
    let shown = terminal.shows("Saved `api`");
    assert!(terminal.ends().success() && !shown.contains("canary"), "{shown}");
    let sent = &server.requests()[0];
    assert_eq!(sent.header("authorization"), Some("Bearer canary-10"));
    assert_eq!(sent.header("x-api-key"), Some("canary-11"));
}

#[test]
fn a_server_is_tried_by_a_session_and_told_what_it_is() {
    let (home, legacy) = (Home::new(), McpServer::legacy().run());
    let said = home.says(&["add", "old", &legacy.url()], "");
    assert!(said.contains("legacy (to 2025-11-25), Streamable HTTP; "), "{said}");
    assert!(said.contains(" tools\n"), "{said}");
    let closed = legacy.requests().iter().any(|request| request.method == "DELETE");
    assert!(closed, "the session is ended");

    let other = McpServer::legacy().run();
    other.always(matcher::when("whatever it is", |_| true), Answer::status(404));
    other.allow(matcher::when("whatever it is", |_| true));
    let before = home.config();
    let (code, said) = home.run(&["add", "none", &other.url()], "");
    assert!(code == 1 && said.contains("error: the server is not saved"), "{said}");
    assert!(said.contains("HTTP 404") && said.contains("`--no-check` saves it all"), "{said}");
    assert_eq!(home.config(), before);
}

#[test]
fn the_store_of_a_sign_in_is_written_down_for_whatever_starts_the_server_later() {
    let (server, home, browser) = (Guarded::run(), Home::new(), Browser::recording());
    let url = server.mcp.url();
    home.says(&["add", "work", &url, "--browser", &browser.command(), "--no-check"], "");
    let before = home.config();
    let login = home.command(&["login", "work", "--credential-store", "plaintext"]);
    let child = { login }.spawn().unwrap();
    tab::sign_in(&browser.page(1));
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    assert!(done.status.success() && said.contains("`work` is saved with that store"), "{said}");
    assert_eq!(home.config(), format!("{before}credential-store = \"plaintext\"\n"));
    let mut bridge = home.serves("work").spawn();
    bridge.initialize();
    assert!(bridge.call(1, "tools/list", json!({}))["result"]["tools"].is_array());
    bridge.finish();
    home.says(&["login", "work"], "");
    assert_eq!(home.config().matches("credential-store").count(), 1, "nothing is said twice");
}

#[test]
fn a_secret_that_was_written_by_hand_is_told_and_moves_by_the_command_that_is_named() {
    let server = McpServer::legacy().run();
    let config = format!(
        "[servers.api]\nurl = \"{}\"\n\n[servers.api.headers]\nX-Api-Key = \"canary-77\"\n",
        server.url()
    );
    let home = Home::with(&config);
    let warning = "line 5 of FILE: the value of `X-Api-Key` looks like a secret, in a file that can be read: \
                   `bridge add api --force` moves it behind the keychain";
    let said = home.says(&["show", "api"], "");
    assert!(said.contains(&format!("warning: {warning}")) && !said.contains("canary"), "{said}");
    let (_, said) = home.run(&["doctor", "api"], "");
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(warning) && !said.contains("canary"), "{said}");
    assert!(!home.says(&["tools", "api"], "").contains("warning"), "nobody is at a terminal");
    home.says(&["add", "api", "--force"], "");
    home.is_nowhere("canary-77");
    assert!(!home.says(&["show", "api"], "").contains("warning"));
    let sent = server.requests();
    assert_eq!(sent.last().unwrap().header("x-api-key"), Some("canary-77"));
}

#[test]
fn a_person_at_a_terminal_is_told_of_such_a_secret_once_a_day() {
    let (server, other) = (McpServer::legacy().run(), crate::sign_in::whole::home());
    let file = other.home().join(".config/mcp-bridge/config.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let config =
        format!("[servers.api]\nurl = \"{}\"\nheaders.X-Api-Key = \"by-hand-77\"\n", server.url());
    std::fs::write(&file, config).unwrap();
    for is_first in [true, false] {
        let mut terminal = Terminal::run(&other, &["tools", "api"]);
        let shown = terminal.shows("echo");
        assert_eq!(shown.contains("looks like a secret"), is_first, "{shown}");
        assert!(terminal.ends().success() && !shown.contains("by-hand-77"), "{shown}");
    }
}

#[test]
fn a_server_that_is_added_in_a_terminal_is_signed_in_to_at_once() {
    let (server, other) = (Guarded::run(), crate::sign_in::whole::home());
    let browser = Browser::recording();
    let (url, browser_command) = (server.mcp.url(), browser.command());
    let mut terminal = Terminal::run(&other, &["add", "work", &url, "--browser", &browser_command]);
    tab::sign_in(&browser.page(1));
    let shown = terminal.shows("Saved `work` in");
    assert!(shown.contains("You are signed in to"), "{shown}");
    terminal.shows("it is scripted 1.0.0");
    terminal.shows("`work` is saved with that store");
    assert!(terminal.ends().success());
    let file = other.home().join(".config/mcp-bridge/config.toml");
    assert!(std::fs::read_to_string(file).unwrap().contains("credential-store = \"env\""));
}

#[test]
fn the_options_of_a_server_that_refuses_the_sign_in_can_be_changed() {
    let refused = Arc::new(AtomicBool::new(false));
    let is_refused = Arc::clone(&refused);
    let (server, browser, home) = (Guarded::run(), Browser::recording(), Home::new());
    let every = matcher::when("a token that is refused", move |request| {
        is_refused.load(Ordering::Relaxed) && request.header("authorization").is_some()
    });
    let challenge = "Bearer error=\"invalid_token\"";
    server.mcp.always(every, Answer::status(401).header("www-authenticate", challenge));
    let url = server.mcp.url();
    home.says(&["add", "api", &url], "");
    let mut login = home.command(&["login", "api", "--browser", &browser.command()]);
    let mut login = login.spawn().unwrap();
    tab::sign_in(&browser.page(1));
    assert!(login.wait().unwrap().success());
    refused.store(true, Ordering::Relaxed);
    let change = ["add", "api", &url, "--force", "--authorize-param", "audience=x"];
    let said = home.says(&change, "");
    assert!(said.contains("it refuses the sign-in that is kept: a new token"), "{said}");
    assert!(said.contains("then run `bridge login api --force`"), "{said}");
    assert!(home.config().contains("audience=x"), "{}", home.config());
}

#[test]
fn a_person_who_signed_in_to_a_server_that_does_not_serve_them_yet_has_it_saved() {
    let (server, other, browser) =
        (Guarded::run(), crate::sign_in::whole::home(), Browser::recording());
    let has_token = |request: &Request| request.header("authorization").is_some();
    server.mcp.always(matcher::when("no permission", has_token), Answer::status(403));
    let (url, browser_command) = (server.mcp.url(), browser.command());
    let mut terminal = Terminal::run(&other, &["add", "work", &url, "--browser", &browser_command]);
    tab::sign_in(&browser.page(1));
    let shown = terminal.all();
    let saved = "Saved `work` in";
    assert!(shown.contains("You are signed in to") && shown.contains(saved), "{shown}");
    let told = shown.split(saved).nth(1).unwrap_or_default();
    for part in [
        "  warning: HTTP 403 from",
        "  hint: check that your account",
        "`work` is saved with that store",
    ] {
        assert!(told.contains(part), "{part}: {shown}");
    }
    assert!(terminal.ends().success(), "{shown}");
}

#[test]
fn a_server_that_is_not_saved_is_named_by_its_address_in_what_to_do_next() {
    let home = Home::new();
    let closed = ClosedPort::reserve();
    let url = closed.url();
    let (code, said) = home.run(&["add", "work", &url], "");
    assert_eq!(code, 5, "{said}");
    assert!(said.contains(&format!("`bridge doctor {url}` looks at each step")), "{said}");
    let server = McpServer::legacy().run();
    server.allow(matcher::anything());
    server.always(matcher::anything(), Answer::status(401));
    let add = ["add", "work", &server.url(), "--secret-header", "X-Api-Key"];
    let (code, said) = home.run(&add, "canary-wrong\n");
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("your `x-api-key` header was refused"), "{said}");
    assert!(said.contains("what was given to be kept") && !said.contains("bridge add"), "{said}");
    // Under a name that is saved the same is told by the name.
    home.says(&["add", "work", &url, "--no-check"], "");
    let (_, said) = home.run(&["add", "work", &url, "--force"], "");
    assert!(said.contains("`bridge doctor work` looks at each step"), "{said}");
}
