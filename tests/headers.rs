//! The user's own headers: they reach the server and nobody else, and no log, error, file or process
//! list ever shows their values.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::bridge_process::{Builder, initialize_params};
use crate::support::mcp_server::matcher::{anything, delete, get, tool, when};
use crate::support::mcp_server::{Matcher, Request, text};
use crate::support::sse_server::SseServer;
use crate::support::{Answer, BridgeProcess, McpServer};

const CANARY: &str = "canary-4f1d";

fn with_header(server: &McpServer, name: &str) -> Vec<Option<String>> {
    let named = |request: &Request| request.header(name).map(str::to_owned);
    server.requests_of(anything()).iter().map(named).collect()
}

/// Requests whose `Authorization` is not this.
fn without(authorization: &'static str) -> Matcher {
    when("other credentials", move |request| request.header("authorization") != Some(authorization))
}

#[test]
fn every_spelling_reaches_the_server_with_every_request() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("headers.txt");
    std::fs::write(&file, "\u{feff}# comment\r\n\r\nX-Five: 5 ${SIX:-six}\r\n  X-Six=6\n").unwrap();
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url())
        .args(["--header", "X-One: 1", "--header", "X-Two:2", "--header=X-Three=3=:3"])
        .args(["--header", "X-Four=${env:FOUR}", "--header-file", file.to_str().unwrap()])
        .env("FOUR", "with a space")
        .env("BRIDGE_HEADER_X_SEVEN", "7 ${FOUR}")
        .spawn();
    bridge.initialize();
    bridge.call(1, "ping", json!({}));
    server.wait_for(get());
    bridge.finish();
    server.wait_for(delete());
    for (name, value) in [
        ("x-one", "1"),
        ("x-two", "2"),
        ("x-three", "3=:3"),
        ("x-four", "with a space"),
        ("x-five", "5 six"),
        ("x-six", "6"),
        ("x-seven", "7 with a space"),
    ] {
        let seen = with_header(&server, name);
        assert!(seen.iter().all(|seen| seen.as_deref() == Some(value)), "{name}: {seen:?}");
    }
}

#[test]
fn a_flag_counts_before_a_file_and_a_file_before_the_environment() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("headers.txt");
    std::fs::write(&file, "X-A: file\nX-B: file\n").unwrap();
    let server = McpServer::legacy().run();
    let bridge = BridgeProcess::to(server.url())
        .args(["--header", "x-a=flag", "--header-file", file.to_str().unwrap()])
        .args(["--header", "User-Agent=mine"])
        .env("BRIDGE_HEADER_X_A", "environment")
        .env("BRIDGE_HEADER_X_B", "environment")
        .env("BRIDGE_HEADER_X_C", "environment");
    let mut bridge = bridge.spawn();
    bridge.initialize();
    let request = server.wait_for("initialize");
    let seen = ["x-a", "x-b", "x-c", "user-agent"].map(|name| request.headers_named(name));
    assert_eq!(seen, [vec!["flag"], vec!["file"], vec!["environment"], vec!["mine"]]);
    bridge.finish();
}

/// What the bridge says of arguments that it does not take.
fn refused(builder: Builder) -> String {
    let mut bridge = builder.spawn();
    let status = bridge.wait_exit();
    assert_eq!(status.code(), Some(2), "{}", bridge.stderr_text());
    bridge.stderr_text()
}

#[test]
fn what_can_not_be_sent_is_refused_at_start_with_the_reason_and_without_the_value() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("headers.txt");
    std::fs::write(&file, format!("X-A: 1\n\n{CANARY}\n")).unwrap();
    let to = || BridgeProcess::to("http://127.0.0.1:9/mcp");
    let header = |text: &str| to().args(["--header", text]);
    for (builder, reason) in [
        (header(&format!("Mcp-Session-Id: {CANARY}")), "set by bridge itself"),
        (header(&format!("content-length={CANARY}")), "set by bridge itself"),
        (header(&format!("X: {CANARY}\r\nY: z")), "control character"),
        (header(CANARY), "no `=` or `:`"),
        (header("Authorization:"), "is empty"),
        (header("X=${UNSET}"), "`UNSET` is not set"),
        (header("X=${EMPTY}").env("EMPTY", ""), "`EMPTY` is not set, or empty"),
        (header(&format!("X={CANARY}${{")), "is not followed by the name of a variable"),
        (to().args(["--header-file", "/no/such/file"]), "/no/such/file"),
        (to().args(["--header-file", file.to_str().unwrap()]), "line 3 of"),
        (to().env("BRIDGE_HEADER_HOST", CANARY), "`BRIDGE_HEADER_HOST`"),
        // What a client made of `Authorization: Bearer xyz` when it split it at its spaces.
        (header("Authorization:").args(["Bearer", CANARY]), "without spaces"),
        (header("X-Key:").arg(CANARY), "without spaces"),
    ] {
        let stderr = refused(builder);
        assert!(stderr.contains(reason), "{reason}: {stderr}");
        assert!(stderr.contains("hint: ") && !stderr.contains(CANARY), "{stderr}");
    }
}

#[test]
fn a_secret_in_the_arguments_is_warned_of_once_a_day() {
    let server = McpServer::legacy().run();
    let argument = format!("Authorization=Bearer {CANARY}");
    let with = || BridgeProcess::to(server.url()).args(["--header", &argument]);
    let mut first = with().spawn();
    first.initialize();
    first.wait_for_stderr("`--header-file`");
    assert_eq!(first.stderr_text().lines().count(), 1);
    assert!(!first.stderr_text().contains(CANARY));
    let mut second = with().home_of(&first).spawn();
    second.initialize();
    second.assert_stderr_empty();
    second.finish();
    first.finish();
    for (argument, name) in [("Authorization=${A}", "A"), ("X-Tenant=7", "B")] {
        let bridge = BridgeProcess::to(server.url()).args(["--header", argument]).env(name, "x");
        let mut bridge = bridge.spawn();
        bridge.initialize();
        bridge.assert_stderr_empty();
        bridge.finish();
    }
}

#[test]
fn another_origin_sees_no_header_and_the_same_one_at_another_path_does() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = McpServer::legacy().run();
        let server = McpServer::legacy()
            .path("/mcp")
            .path("/new")
            .once("tools/call", Answer::redirect(status, &elsewhere.url()))
            .once("ping", Answer::redirect(308, "/new"))
            .always(get(), Answer::redirect(status, &elsewhere.url()))
            .always(delete(), Answer::redirect(status, &elsewhere.url()))
            .run();
        let bridge = BridgeProcess::to(server.url()).env("BRIDGE_HEADER_X_API_KEY", CANARY);
        let mut bridge = bridge.spawn();
        bridge.initialize();
        server.wait_for(get());
        let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
        assert_eq!(error["data"]["kind"], "redirected");
        assert_eq!(bridge.call(2, "ping", json!({}))["result"], json!({}));
        bridge.finish();
        assert_eq!(elsewhere.connections(), 0, "by {status}");
        let seen = with_header(&server, "x-api-key");
        assert!(seen.iter().all(|seen| seen.as_deref() == Some(CANARY)), "{seen:?}");
    }
}

#[test]
fn an_older_server_can_not_send_the_headers_to_another_origin() {
    let to = |server: &SseServer| {
        let bridge = BridgeProcess::with_args([&server.url(), "--transport", "sse-only"]);
        bridge.env("BRIDGE_HEADER_X_API_KEY", CANARY).spawn()
    };
    // It records what it was sent, so that a single byte would be seen.
    let elsewhere = McpServer::legacy().run();
    let server = SseServer::builder().naming(elsewhere.url()).run();
    let mut bridge = to(&server);
    let answer = bridge.call(0, "initialize", initialize_params(json!({})));
    assert_eq!(answer["error"]["data"]["kind"], "redirected", "{answer}");
    assert!(!answer.to_string().contains(CANARY));
    bridge.finish();
    assert_eq!(elsewhere.connections(), 0);
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn assert_nowhere(home: &Path, said: &str) {
    assert!(!said.contains(CANARY), "{said}");
    for path in files(home) {
        let content = std::fs::read(&path).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&content).contains(CANARY), "{}", path.display());
    }
}

#[test]
fn no_value_is_written_down_anywhere() {
    let plain = McpServer::legacy();
    let secure = McpServer::legacy().https();
    for server in [plain, secure] {
        let echo = format!("bad key {CANARY}, sent as Bearer {CANARY}");
        let server = server
            .once(tool("echo"), Answer::text(&echo).with_status(500))
            .once(tool("fail"), Answer::text(&echo))
            .once(tool("fill"), Answer::json(json!({"message": echo}).to_string()).with_status(401))
            .once(tool("wait"), Answer::close())
            .run();
        let mut bridge = BridgeProcess::to(server.url())
            .args(["--debug", "--log", "bridge.log", "--header", "Authorization=${A}"])
            .args(["--header-command", "sleep 60", "--header-command-timeout", "0s"])
            .env("A", format!("Bearer {CANARY}"));
        // The command fails: what it is asked for is an error too.
        let mut failing = bridge.spawn();
        let error = failing.call(0, "initialize", initialize_params(json!({})));
        assert_eq!(error["error"]["data"]["kind"], "header_command", "{error}");
        failing.close_stdin();
        failing.wait_exit();
        assert_nowhere(failing.home(), &format!("{error}{}", failing.stderr_text()));

        bridge = BridgeProcess::to(server.url())
            .args(["--debug", "--log", "bridge.log", "--header", "Authorization=${A}"])
            .env("A", format!("Bearer {CANARY}"));
        if server.url().starts_with("https") {
            bridge = bridge.env("SSL_CERT_FILE", server.ca_file());
        }
        let mut bridge = bridge.spawn();
        bridge.initialize();
        let mut said = String::new();
        for (id, name) in ["echo", "fail", "fill", "wait"].into_iter().enumerate() {
            let error = bridge.call_tool(id, name, json!({}));
            assert!(error["error"]["data"]["kind"].is_string(), "{error}");
            said += &error.to_string();
        }
        bridge.call(9, "tools/list", json!({}));
        bridge.close_stdin();
        bridge.wait_exit();
        assert!(said.contains("[secret]"), "{said}");
        assert!(with_header(&server, "authorization").iter().all(Option::is_some));
        assert_nowhere(bridge.home(), &(said + &bridge.stderr_text()));
    }
}

#[test]
fn what_was_answered_to_headers_is_not_remembered() {
    let server = McpServer::legacy().run();
    let remembered = |builder: Builder| {
        let mut bridge = builder.spawn();
        bridge.initialize();
        bridge.call(1, "tools/list", json!({}));
        bridge.close_stdin();
        bridge.wait_exit();
        // What kind of server it is depends on no header, and when it was served neither.
        let is_fact =
            |file: &PathBuf| file.extension().is_some_and(|it| it == "facts" || it == "log");
        files(bridge.home()).into_iter().filter(|file| !is_fact(file)).count()
    };
    let to = || BridgeProcess::to(server.url());
    assert_eq!(remembered(to().args(["--header", "X-Tenant=7"])), 0);
    assert_eq!(remembered(to().args(["--header-command", "echo token"])), 0);
}

#[test]
fn a_cookie_of_the_user_wins_and_cookies_can_be_turned_off() {
    let setting = || {
        McpServer::legacy().once("initialize", Answer::well_behaved().header("set-cookie", "lb=1"))
    };
    for (args, expected) in [
        (&[][..], Some("lb=1")),
        (&["--header", "Cookie=mine=2"], Some("mine=2")),
        (&["--disable-cookies"], None),
    ] {
        let server = setting().run();
        let mut bridge = BridgeProcess::to(server.url()).args(args.iter().copied()).spawn();
        bridge.initialize();
        bridge.call(1, "ping", json!({}));
        let cookies = server.wait_for("ping");
        assert_eq!(cookies.headers_named("cookie"), expected.into_iter().collect::<Vec<_>>());
        bridge.finish();
    }
}

// --- 401 ---

#[test]
fn a_refused_header_fails_initialize_at_once_and_says_what_to_change() {
    for body in [
        "invalid token",
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"invalid token"}}"#,
    ] {
        let server =
            McpServer::legacy().always(anything(), Answer::json(body).with_status(401)).run();
        let bridge = BridgeProcess::to(server.url()).env("BRIDGE_HEADER_AUTHORIZATION", CANARY);
        let mut bridge = bridge.spawn();
        let begun = Instant::now();
        let error = bridge.call(0, "initialize", initialize_params(json!({})))["error"].take();
        assert!(begun.elapsed() < Duration::from_secs(4), "at once");
        let message = error["message"].as_str().unwrap();
        for part in [
            "your `Authorization` header was refused",
            "HTTP 401",
            "invalid token",
            "`BRIDGE_HEADER_AUTHORIZATION`",
        ] {
            assert!(message.contains(part), "{part}: {error}");
        }
        assert_eq!(
            (&error["code"], &error["data"]["kind"]),
            (&json!(-31015), &json!("header_refused"))
        );
        assert!(!error.to_string().contains(CANARY));
        bridge.finish();
    }
}

#[test]
fn a_header_that_is_refused_later_fails_the_call() {
    let server = McpServer::legacy().always(tool("echo"), Answer::status(401)).run();
    let bridge = BridgeProcess::to(server.url()).args(["--header", "Authorization=${T}"]);
    let mut bridge = bridge.env("T", "x").spawn();
    bridge.initialize();
    let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
    assert_eq!(error["data"]["kind"], "header_refused", "{error}");
    assert_eq!(error["data"]["cause"], "it comes from `--header`");
    bridge.finish();
}

#[test]
fn a_401_without_authorization_of_the_users_is_still_a_sign_in() {
    let server = McpServer::legacy().always(tool("echo"), Answer::status(401)).run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--header", "X-Tenant=7"]).spawn();
    bridge.initialize();
    let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
    assert_eq!(error["data"]["kind"], "sign_in_needed", "{error}");
    bridge.finish();
}

#[test]
fn a_401_to_a_key_is_the_keys_fault_unless_the_server_asks_for_a_sign_in() {
    for (challenge, kind) in [(None, "header_refused"), (Some("Bearer"), "sign_in_needed")] {
        let refusal = Answer::json(r#"{"error":{"code":"expired","message":"the key expired"}}"#)
            .with_status(401);
        let refusal = challenge.iter().fold(refusal, |it, is| it.header("www-authenticate", is));
        let server = McpServer::legacy().always(tool("echo"), refusal).run();
        let mut bridge = BridgeProcess::to(server.url())
            .args(["--header", "X-API-Key=${KEY}"])
            .env("KEY", "canary-key")
            .spawn();
        bridge.initialize();
        let error = bridge.call_tool(1, "echo", json!({}))["error"].take();
        assert_eq!(error["data"]["kind"], kind, "{error}");
        let message = error["message"].as_str().unwrap();
        let told = message.contains("your `x-api-key` header was refused");
        assert_eq!(told && message.contains("the key expired"), challenge.is_none(), "{message}");
        bridge.finish();
    }
}

// --- the command ---

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

#[test]
fn the_later_of_two_headers_counts_and_a_switch_may_be_repeated() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url())
        .args(["--header", "X-Tenant=1", "--allow-http", "--header", "x-tenant: 2", "--allow-http"])
        .spawn();
    bridge.initialize();
    bridge.finish();
    let sent = server.requests();
    assert!(sent.iter().all(|request| request.header("x-tenant") == Some("2")), "{sent:?}");
}

#[cfg(unix)]
#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    for (option, longest) in [("--header-file", "1 MB"), ("--ca-cert", "16 MB")] {
        let mut bridge = BridgeProcess::to("https://h.example/mcp").args([option, "/dev/zero"]);
        bridge = bridge.unchecked();
        let mut bridge = bridge.spawn();
        assert_eq!(bridge.wait_exit().code(), Some(2), "{option}");
        let told = bridge.stderr_text();
        assert!(told.contains(&format!("it is longer than {longest}")), "{told}");
    }
}
