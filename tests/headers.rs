//! The user's own headers: they reach the server and nobody else, and no log, error, file or process
//! list ever shows their values.

mod command;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::support::bridge_process::{Builder, initialize_params};
use crate::support::mcp_server::matcher::{anything, delete, get, tool, when};
use crate::support::mcp_server::{Matcher, Request};
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
