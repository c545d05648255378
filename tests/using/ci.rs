//! What `docs/ci.md` tells to write runs as it stands there.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;

use crate::support::auth_server::{Client, Plan};
use crate::support::terminal::KEY;
use crate::support::{Guarded, McpServer};

/// The scripts of the page, in their order.
fn scripts() -> Vec<String> {
    let page = include_str!("../../docs/ci.md");
    let blocks = page.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("an end").to_owned()).collect()
}

/// A machine with `bridge`, the program of the page that prints a token, and nothing of the user's.
struct Machine {
    home: TempDir,
}

impl Machine {
    fn new() -> Self {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = TempDir::new().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        symlink(env!("CARGO_BIN_EXE_bridge"), bin.join("bridge")).unwrap();
        let program = bin.join("mcp-token");
        std::fs::write(&program, "#!/bin/sh\necho canary-token\n").unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        Self { home }
    }

    fn run(&self, script: &str, url: &str) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.home.path().join("bin").display());
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]).env_clear().current_dir(self.home.path());
        shell.envs([("PATH", &*path), ("MCP_URL", url)]).env("HOME", self.home.path());
        shell.stdin(std::process::Stdio::null()).output().unwrap()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).expect(name)
    }

    /// Where sign-ins are kept.
    fn credentials(&self) -> PathBuf {
        self.home.path().join(".local/share/mcp-bridge/credentials")
    }
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_job_runs_as_it_is_written() {
    // All else needs nothing but a shell.
    if !Path::new("/usr/bin/jq").exists() {
        eprintln!("not run: there is no jq on this machine");
        return;
    }
    let (server, machine) = (McpServer::legacy().run(), Machine::new());
    let output = machine.run(&scripts()[0], &server.url());
    let failed = "error: the tool `fail` says that it failed\n";
    assert_eq!(said(&output), (Some(0), "the tool failed: it failed\n".into(), failed.into()));
    assert!(machine.file("tools.txt").starts_with("echo\nread_note\n"));
    assert_eq!(machine.file("answer.txt"), "build 42 is green\nfrom jq\n");
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some("Bearer canary-token"));
    }
    assert!(!machine.credentials().exists());
}

#[test]
fn a_client_of_its_own_needs_no_person_and_keeps_no_token() {
    let (server, machine) = (Guarded::run(), Machine::new());
    let secret = "canary-secret";
    let client = Client {
        secret: Some(secret.into()),
        redirect_uris: Vec::new(),
        scope: None,
        method: "client_secret_basic".into(),
    };
    server.auth.register("ci-of-example", client);
    let script = scripts()[1].replace('…', secret);
    let output = machine.run(&script, &server.mcp.url());
    let (code, stdout, stderr) = said(&output);
    assert_eq!((code, &*stderr), (Some(0), ""));
    assert!(stdout.starts_with("echo "), "{stdout}");
    assert_eq!(server.grants("client_credentials"), 1);
}

#[test]
fn the_sign_in_of_a_person_is_kept_with_a_key_of_the_job() {
    let plan = Plan { device: vec!["approve"], ..Plan::default() };
    let (server, machine) = (Guarded::with(plan, McpServer::legacy()), Machine::new());
    let script = scripts()[2].replace('…', KEY);
    let (code, stdout, stderr) = said(&machine.run(&script, &server.mcp.url()));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("WDJB-MJHT") && stderr.contains("You are signed in"), "{stderr}");
    assert!(stdout.contains("signed in"), "{stdout}");
    assert!(machine.credentials().exists());

    let key = format!("CI=1 BRIDGE_STORE_KEY={KEY}");
    let call = format!("{key} bridge call \"$MCP_URL\" echo text=hi");
    assert_eq!(
        said(&machine.run(&call, &server.mcp.url())),
        (Some(0), "hi\n".into(), String::new())
    );
    let arguments = server.mcp.requests_of("tools/call")[0].params()["arguments"].clone();
    assert_eq!(arguments, json!({"text": "hi"}));
}
