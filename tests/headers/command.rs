//! `--header-command`: a program that gives the headers.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{CANARY, with_header, without};
use crate::support::bridge_process::{Builder, initialize_params};
use crate::support::mcp_server::matcher::{anything, tool};
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, McpServer};

/// A program in a folder of its own that notes each run.
struct Script(TempDir);

impl Script {
    fn new(body: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("give headers");
        let runs = folder.path().join("runs");
        let script = format!("#!/bin/sh\necho \"$*\" >> '{}'\n{body}\n", runs.display());
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn path(&self) -> String {
        self.0.path().join("give headers").display().to_string()
    }

    /// The arguments of each run.
    fn runs(&self) -> Vec<String> {
        let runs = std::fs::read_to_string(self.0.path().join("runs")).unwrap_or_default();
        runs.lines().map(str::to_owned).collect()
    }

    fn before(&self, server: &McpServer) -> Builder {
        BridgeProcess::to(server.url()).args(["--header-command", &format!("'{}'", self.path())])
    }
}

#[test]
fn a_command_runs_once_for_many_requests_and_needs_no_shell() {
    let server = McpServer::legacy().run();
    let script = Script::new("cat; echo token-1");
    let line = format!("'{}' 'a  b' \"$HOME;\" -x", script.path());
    for args in [
        vec!["--header-command", &line],
        vec![
            "--header-command",
            &script.path(),
            "--header-command-arg=a  b",
            "--header-command-arg",
            "$HOME;",
            "--header-command-arg",
            "-x",
        ],
    ] {
        let mut bridge = BridgeProcess::to(server.url()).args(args).spawn();
        bridge.initialize();
        for id in 0..20 {
            bridge.request(id, "ping", json!({}));
        }
        bridge.wait_until_all_are_answered();
        bridge.finish();
    }
    assert_eq!(script.runs(), ["a  b $HOME; -x", "a  b $HOME; -x"]);
    let seen = with_header(&server, "authorization");
    assert!(seen.iter().all(|seen| seen.as_deref() == Some("Bearer token-1")), "{seen:?}");
}

#[test]
fn a_command_gets_the_users_variables_and_no_secret_of_ours() {
    let server = McpServer::legacy().run();
    let script =
        Script::new("echo \"[$BRIDGE_STORE_KEY$BRIDGE_CLIENT_SECRET$BRIDGE_HEADER_X_KEY]$VAULT\"");
    let mut bridge = script
        .before(&server)
        .env("BRIDGE_CLIENT_SECRET", "canary")
        .env("BRIDGE_HEADER_X_KEY", "canary")
        .env("VAULT", "token-1")
        .spawn();
    bridge.initialize();
    bridge.finish();
    let seen = with_header(&server, "authorization");
    assert!(seen.iter().all(|seen| seen.as_deref() == Some("Bearer []token-1")), "{seen:?}");
    let keys = with_header(&server, "x-key");
    assert!(keys.iter().all(|seen| seen.as_deref() == Some("canary")), "{keys:?}");
}

#[test]
fn a_map_of_headers_counts_before_fixed_ones_and_is_renewed_when_it_expires() {
    let server = McpServer::legacy().run();
    let script = Script::new(r#"echo '{"X-A": "command", "X-B": "command", "expires_in": 0}'"#);
    let mut bridge =
        script.before(&server).args(["--header", "X-A=1", "--header", "X-C=1"]).spawn();
    bridge.initialize();
    let runs = script.runs().len();
    bridge.call(1, "ping", json!({}));
    assert!(script.runs().len() > runs, "run again");
    let request = server.wait_for("ping");
    let seen = ["x-a", "x-b", "x-c", "expires_in"].map(|name| request.header(name));
    assert_eq!(seen, [Some("command"), Some("command"), Some("1"), None]);
    bridge.finish();
}

#[test]
fn after_a_401_the_command_runs_again_once_and_the_request_goes_again_once() {
    // The second token is good, from the first call on.
    let script = Script::new(r#"echo "token-$(wc -l < "$(dirname "$0")/runs" | tr -d ' ')""#);
    let server = McpServer::legacy()
        .once(tool("echo"), Answer::status(401))
        .always(without("Bearer token-2"), Answer::well_behaved())
        .run();
    let mut bridge = script.before(&server).spawn();
    bridge.initialize();
    server.wait_for_get_stream();
    assert_eq!(script.runs().len(), 1);
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
    assert_eq!((script.runs().len(), server.executions("echo")), (2, 1));
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "b"}))["result"], text("b"));
    let calls = server.requests_of("tools/call");
    let sent: Vec<_> = calls.iter().filter_map(|call| call.header("authorization")).collect();
    assert_eq!(sent, ["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
    assert_eq!(script.runs().len(), 2);
    bridge.finish();
}

#[test]
fn a_command_whose_headers_are_refused_twice_is_told() {
    let server = McpServer::legacy().always(tool("echo"), Answer::status(401)).run();
    let script = Script::new("echo token");
    let mut bridge = script.before(&server).spawn();
    bridge.initialize();
    server.wait_for_get_stream();
    let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
    assert_eq!(error["data"]["kind"], "header_refused");
    assert_eq!(error["data"]["cause"], "it comes from `--header-command`");
    assert_eq!((script.runs().len(), server.count(tool("echo"))), (2, 2));
    bridge.finish();
}

/// The error that `initialize` gets when the command does this.
fn failed(body: &str, args: &[&str]) -> String {
    let server = McpServer::legacy().run();
    let script = Script::new(body);
    let mut bridge = script.before(&server).args(args.iter().copied()).spawn();
    let answer = bridge.call(0, "initialize", initialize_params(json!({})));
    // What does not fail at once is answered after a while, and not by an error.
    let error: &Value = &answer["error"];
    assert_eq!(error["data"]["kind"], "header_command", "{answer}");
    assert!(!error.to_string().contains(CANARY), "{error}");
    assert_eq!(server.count(anything()), 0, "nothing is sent without its headers");
    bridge.finish();
    error["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_command_that_fails_is_told_with_the_last_line_of_its_stderr() {
    let said =
        failed(&format!("echo {CANARY}; echo one >&2; echo 'log in first' >&2; exit 3"), &[]);
    assert!(said.contains("exit status: 3") && said.contains(": log in first"), "{said}");
    assert!(said.contains("; run it in a terminal to see why it fails"), "{said}");
    let said = failed("kill -9 $$", &[]);
    assert!(said.contains("signal: 9"), "{said}");
    let said = failed(&format!("echo '{{\"X\": {CANARY}}}'; echo odd >&2"), &[]);
    assert!(said.contains("not a JSON object: odd"), "{said}");
    assert!(said.contains("; run it in a terminal: it has to print one value"), "{said}");
    let said = failed("printf '\\377\\376'", &[]);
    assert!(said.contains("not UTF-8"), "{said}");
    let said = failed("head -c 1000000 /dev/zero | tr '\\0' x", &[]);
    assert!(said.contains("more than 65536 bytes"), "{said}");
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_that_it_began() {
    let folder = TempDir::new().unwrap();
    let pid = folder.path().join("pid");
    let body = format!("sleep 600 & echo $! > '{}'; wait", pid.display());
    let said = failed(&body, &["--header-command-timeout", "700ms"]);
    assert!(said.contains("longer than 700ms"), "{said}");
    assert!(said.contains("allow more time with `--header-command-timeout`"), "{said}");
    let pid = std::fs::read_to_string(pid).unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    let stat = Path::new("/proc").join(pid.trim()).join("stat");
    let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    while runs() {
        assert!(Instant::now() < deadline, "its child still runs");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_a_command_leaves_behind_is_not_waited_for() {
    let server = McpServer::legacy().run();
    let script = Script::new("echo token; sleep 20 &");
    let mut bridge = script.before(&server).spawn();
    let begun = Instant::now();
    bridge.initialize();
    assert!(begun.elapsed() < Duration::from_secs(4));
    bridge.finish();
}

#[test]
fn a_command_that_is_not_there_is_told() {
    let server = McpServer::legacy().run();
    let bridge = BridgeProcess::to(server.url()).args(["--header-command", "/no/such/program x"]);
    let mut bridge = bridge.spawn();
    let error = bridge.call(0, "initialize", initialize_params(json!({})))["error"].take();
    let said = error["message"].as_str().unwrap();
    assert_eq!(
        said,
        "the header command `/no/such/program` gave no headers: the program was not found; write the \
         program's whole path: an MCP client may have another PATH than your shell, and no shell \
         expands ~ or aliases here"
    );
    bridge.finish();
}

#[cfg(unix)]
#[test]
fn a_command_that_is_not_executable_is_told() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token.sh");
    std::fs::write(&file, "echo t").unwrap();
    let file = file.to_str().unwrap();
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--header-command", file]).spawn();
    let error = bridge.call(0, "initialize", initialize_params(json!({})))["error"].take();
    assert_eq!(
        error["message"],
        format!(
            "the header command `{file}` gave no headers: the file is not executable; make the file \
             executable (`chmod +x FILE`); a script needs a first line such as `#!/bin/sh`"
        )
    );
    bridge.finish();
}

#[cfg(target_os = "linux")]
#[test]
fn no_value_stands_in_the_arguments_of_a_program_that_we_start() {
    let folder = TempDir::new().unwrap();
    let seen = folder.path().join("seen");
    let server = McpServer::legacy().run();
    let script = Script::new(&format!(
        "tr '\\0' ' ' < /proc/self/cmdline > '{0}'; tr '\\0' ' ' < /proc/$$/cmdline >> '{0}'; echo t",
        seen.display()
    ));
    let bridge = script.before(&server).args(["--header", "X-Api-Key=${KEY}"]);
    let mut bridge = bridge.env("KEY", CANARY).spawn();
    bridge.initialize();
    let own = std::fs::read(format!("/proc/{}/cmdline", bridge.pid())).unwrap();
    assert!(!String::from_utf8_lossy(&own).contains(CANARY));
    let theirs = std::fs::read_to_string(seen).unwrap();
    assert!(theirs.contains("give headers") && !theirs.contains(CANARY), "{theirs}");
    bridge.finish();
}
