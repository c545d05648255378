//! What is printed, whole, against committed files: a change of any word is seen in the change itself.
//!
//! `ACCEPT=1 cargo test --test tests snapshots` writes them anew; what differs from one run to the next stands in
//! them by a word of its own ([`steady`]).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::CommandFactory;
use serde_json::json;
use tempfile::TempDir;

use crate::support::auth_server::Plan;
use crate::support::tab::{self, Browser};
use crate::support::{ClosedPort, Guarded, McpServer};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Compares with the file of this name, or writes it where the change is accepted.
#[track_caller]
fn assert_snapshot(name: &str, shown: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("ACCEPT").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        return fs::write(file, shown).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    let differs = |(at, (new, old)): (usize, (&str, &str))| {
        (new != old).then(|| format!("line {}:\n- {old}\n+ {new}", at + 1))
    };
    let lines = shown.lines().zip(expected.lines().chain(std::iter::repeat("")));
    let first = lines.enumerate().find_map(differs).unwrap_or_default();
    assert!(
        shown == expected,
        "tests/snapshots/{name} is of another program; `ACCEPT=1 cargo test --test tests snapshots` takes it.\n\
         {first}\n\n{shown}"
    );
}

/// A home of its own.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        command.args(args).env_clear().env("HOME", self.0.path()).env("BRIDGE_STORE_KEY", KEY);
        let folder = Path::new(env!("CARGO_BIN_EXE_bridge")).parent().unwrap();
        command
            .env("PATH", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// A command line, its exit code, and all that it says.
    fn run(&self, args: &[&str]) -> String {
        let mut command = self.command(args);
        let done = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(done.stdout), text(done.stderr));
        let home = self.0.path().display().to_string();
        let words: Vec<_> = args.iter().map(|word| word.to_string()).collect();
        let code = done.status.code().unwrap();
        let told = format!("$ bridge {}\n{out}{err}exit code {code}\n", words.join(" "));
        told.replace(&home, "/home/me")
    }

    fn runs(&self, lines: &[&[&str]]) -> String {
        let told: Vec<_> = lines.iter().map(|args| self.run(args)).collect();
        told.join("\n")
    }
}

/// The same for every run: hosts by what they are, and times and places by a letter.
fn steady(text: &str, hosts: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (host, name) in hosts {
        text = text.replace(host, name);
    }
    for before in ["good for ", "\"expiresInSeconds\":", "\"apartInSeconds\":", "in "] {
        text = without_number(&text, before);
    }
    let place = Path::new(env!("CARGO_BIN_EXE_bridge")).display().to_string();
    text = text.replace(&place, "/usr/local/bin/bridge");
    text.replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

/// Each number behind this is `N`.
fn without_number(text: &str, before: &str) -> String {
    let mut parts = text.split(before);
    let mut steady = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = if rest.len() == part.len() { "" } else { "N" };
        steady.push_str(&format!("{before}{number}{rest}"));
    }
    steady
}

/// A report without the line of the program, whose place is another on every machine.
fn without_place(report: &str) -> String {
    let mut lines = report.lines().peekable();
    let mut kept = String::new();
    while let Some(line) = lines.next() {
        if line.starts_with("pass  program") {
            while lines.next_if(|line| line.starts_with("      ")).is_some() {}
        } else {
            kept.push_str(&format!("{line}\n"));
        }
    }
    kept
}

#[test]
fn the_help_of_every_command() {
    let home = Home::new();
    let command = mcp_bridge::cli::Cli::command();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let verbs: Vec<_> = verbs.map(|verb| verb.get_name().to_owned()).collect();
    assert!(verbs.len() > 20, "{verbs:?}");
    for verb in &verbs {
        let long = home.run(&[verb, "--help"]);
        let short = home.run(&[verb, "-h"]);
        assert!(long.lines().skip(1).all(|line| line.chars().count() <= 80), "{long}");
        assert_snapshot(&format!("help/{verb}.txt"), &format!("{short}\n{long}"));
    }
    let top = home.runs(&[&["-h"], &["--help"]]);
    assert_snapshot("help/bridge.txt", &top);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/help");
    let committed: Vec<PathBuf> =
        fs::read_dir(committed).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(committed.len(), verbs.len() + 1, "one for each command: {committed:?}");
}

#[test]
fn the_report_of_the_doctor() {
    let home = Home::new();
    let server = McpServer::legacy().run();
    let hosts: &[(&str, &str)] = &[(&server.host(), "127.0.0.1:00001")];
    let (url, wrong) = (server.url(), server.url_of("/wrong"));
    let well = home.runs(&[&["doctor", &url], &["doctor", &url, "--json"]]);
    assert_snapshot("doctor/healthy.txt", &without_place(&steady(&well, hosts)));
    let server = McpServer::legacy().allow(crate::support::mcp_server::matcher::anything()).run();
    let hosts: &[(&str, &str)] = &[(&server.host(), "127.0.0.1:00001")];
    let wrong =
        wrong.replace(&url[..url.len() - "/mcp".len()], &format!("http://{}", server.host()));
    let sick = home.runs(&[&["doctor", &wrong], &["doctor", &wrong, "--json"]]);
    assert_snapshot("doctor/failing.txt", &without_place(&steady(&sick, hosts)));
    let machine = home.runs(&[&["doctor"], &["doctor", "--json"]]);
    assert_snapshot("doctor/machine.txt", &without_place(&steady(&machine, &[])));
}

#[test]
fn the_report_of_the_doctor_and_the_status_before_a_sign_in_and_after_it() {
    let home = Home::new();
    let server = Guarded::with(Plan::default().expects_refusals(), McpServer::legacy());
    let (mcp, auth) = (server.mcp.host(), server.auth.issuer().replace("http://", ""));
    let hosts: &[(&str, &str)] = &[(&mcp, "127.0.0.1:00001"), (&auth, "127.0.0.1:00002")];
    let url = server.mcp.url();
    let report = |name: &str| {
        let told = home.runs(&[&["doctor", &url], &["doctor", &url, "--json"]]);
        assert_snapshot(name, &without_place(&steady(&told, hosts)));
    };
    let status = |name: &str| {
        let all = home.runs(&[&["status"], &["status", "--json"], &["status", &url]]);
        assert_snapshot(name, &steady(&all, hosts));
    };
    report("doctor/signed-out.txt");
    status("status/signed-out.txt");
    let browser = Browser::recording();
    let mut login =
        home.command(&["login", &url, "--browser", &browser.command()]).spawn().unwrap();
    tab::sign_in(&browser.page(1));
    assert!(login.wait().unwrap().success());
    report("doctor/signed-in.txt");
    status("status/signed-in.txt");
}

#[test]
fn saved_servers_and_a_server_used_from_a_shell() {
    let home = Home::new();
    let server = McpServer::legacy().run();
    let url = server.url();
    let hosts: &[(&str, &str)] = &[(&server.host(), "127.0.0.1:00001")];
    let add = ["add", "work", &url, "--header", "X-Team=blue", "--read-only"];
    let told = home.runs(&[
        &["list"],
        &["list", "--json"],
        &add,
        &["list"],
        &["list", "--json"],
        &["show", "work"],
        &["show", "work", "--json"],
        &["remove", "work"],
    ]);
    assert_snapshot("saved.txt", &steady(&told, hosts));
    let told = home.runs(&[
        &["tools", &url],
        &["tools", &url, "--json"],
        &["tools", &url, "echo"],
        &["call", &url, "echo", "text=hello"],
        &["call", &url, "echo", "text=hello", "--json"],
        &["call", &url, "fail"],
        &["resources", &url],
        &["prompts", &url],
    ]);
    assert_snapshot("using.txt", &steady(&told, hosts));
}

#[test]
fn the_errors_of_each_command() {
    let home = Home::new();
    let server = McpServer::legacy().run();
    let closed = ClosedPort::reserve();
    let (url, nobody) = (server.url(), format!("http://{}/mcp", closed.address()));
    let gone = closed.address().to_string();
    let hosts: &[(&str, &str)] = &[(&server.host(), "127.0.0.1:00001"), (&gone, "127.0.0.1:00003")];
    home.run(&["add", "work", &url]);
    let bad = json!({"mcpServers": {}}).to_string();
    let file = home.0.path().join("bad.json");
    fs::write(&file, bad).unwrap();
    let file = file.display().to_string();
    let told = home.runs(&[
        &["wrok"],
        &["serve"],
        &["add"],
        &["add", "list", &url],
        &["add", "work", &url],
        &["add", "other", &nobody],
        &["add", "other", "--from-json", &file],
        &["add", "other", &url, "--header", "Authorization=Bearer 123456789012"],
        &["show", "wrk"],
        &["remove", "wrk"],
        &["list", "extra"],
        &["install", "work", "--command", "/bin/sh"],
        &["install", "work", "--client", "clippy", "--command", "/bin/sh"],
        &["install", "wrk", "--client", "cursor", "--command", "/bin/sh"],
        &["uninstall", "wrk", "--client", "cursor"],
        &["import", "--undo"],
        &["tools", &nobody],
        &["tools", "work", "ehco"],
        &["call", "work"],
        &["call", "work", "echo"],
        &["call", "work", "echo", "txet=1"],
        &["call", "work", "echo", "--args", "{"],
        &["read", "work"],
        &["read", "work", "no:such"],
        &["prompt", "work"],
        &["prompt", "work", "none"],
        &["doctor", "mcp.example.com"],
        &["doctor", &url, "--ca-cert", "/nowhere/ca.pem"],
        &["logs", "--level", "loud"],
        &["logs", "--since", "soon"],
        &["status", "wrk"],
        &["login", "wrk"],
        &["login", &nobody],
        &["logout"],
        &["logout", "--all", &url],
        &["purge", &url],
        &["purge"],
        &["completions", "tcsh"],
    ]);
    assert_snapshot("errors.txt", &steady(&told, hosts));
}
