//! What happened to connections is written down and can be read.

use serde_json::json;

#[cfg(unix)]
use crate::support::mcp_server::{matcher::tool, text};
#[cfg(unix)]
use crate::support::tab::{self, Browser};
#[cfg(unix)]
use crate::support::{Answer, Guarded};
use crate::support::{BridgeProcess, ClosedPort, McpServer};

/// What a command prints in the home of another process.
fn printed<'a>(home: &BridgeProcess, args: impl IntoIterator<Item = &'a str>) -> String {
    let mut process = BridgeProcess::with_args(args).unchecked().home_of(home).spawn();
    let text = process.rest_of_stdout();
    assert!(process.wait_exit().success());
    text
}

/// Lines without time and number of the process.
fn events(text: &str) -> Vec<String> {
    let of = |line: &str| {
        let (before, event) = line.split_once(']').expect("a line of ours");
        assert!(before.contains("Z "), "{line}");
        event.trim().split(" server=").next().unwrap().to_owned()
    };
    text.lines().map(of).collect()
}

#[test]
fn a_start_a_connection_and_an_end_are_written_down_without_being_asked_for() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.initialize();
    bridge.call_tool(1, "echo", json!({"text": "canary-of-a-call"}));
    bridge.close_stdin();
    bridge.wait_exit();
    let text = printed(&bridge, ["logs", &server.url()]);
    let events = events(&text);
    assert!(events[0].starts_with("info: started"), "{text}");
    assert!(events.iter().any(|event| event.starts_with("info: connected")), "{text}");
    assert_eq!(events.last().unwrap(), "info: ended", "{text}");
    assert!(!text.contains("canary-of-a-call"), "{text}");
    let all = printed(&bridge, ["logs"]);
    assert!(all.contains(&format!("Z {} [", server.host())), "{all}");
    assert_eq!(printed(&bridge, ["logs", &server.url(), "-n", "1"]).lines().count(), 1);
    assert_eq!(printed(&bridge, ["logs", "https://other.example/mcp"]), "");
}

#[test]
fn problems_can_be_had_alone() {
    let closed = ClosedPort::reserve();
    let url = format!("http://{}/mcp", closed.address());
    let mut bridge = BridgeProcess::to(&*url).spawn();
    bridge.initialize();
    bridge.wait_for_stderr("can't be reached");
    bridge.close_stdin();
    bridge.wait_exit();
    let problems = printed(&bridge, ["logs", &url, "--problems", "--since", "1h"]);
    assert!(problems.contains("can't be reached"), "{problems}");
    assert!(!problems.contains("info:"), "{problems}");
}

#[test]
fn what_happens_is_followed() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.initialize();
    let follow = BridgeProcess::with_args(["logs", "--follow"]).unchecked().home_of(&bridge);
    let mut follower = follow.spawn();
    while !follower.expect_line().contains("info: connected") {}
    bridge.close_stdin();
    bridge.wait_exit();
    while !follower.expect_line().ends_with("info: ended") {}
    follower.kill();
}

/// A bridge with these arguments, and what stands in the file of its `--log` after a call with this text.
#[cfg(unix)]
fn logged(server: &McpServer, args: &[&str], words: &str) -> (String, String) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bridge.log");
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    let mut bridge = BridgeProcess::to(server.url())
        .args(["--log", file.to_str().unwrap()])
        .args(args.iter().copied())
        .spawn();
    bridge.initialize();
    bridge.call_tool(1, "echo", json!({"text": words}));
    bridge.close_stdin();
    bridge.wait_exit();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, if args.contains(&"--debug") { 0o600 } else { 0o644 });
    (std::fs::read_to_string(&file).unwrap(), bridge.stderr_text())
}

#[cfg(unix)]
#[test]
fn what_messages_hold_is_in_the_file_where_both_were_asked_for_and_nowhere_else() {
    let server = McpServer::legacy().run();
    let (file, stderr) = logged(&server, &[], "some words");
    assert!(file.contains("method=\"tools/call\"") && !file.contains("some words"), "{file}");
    assert_eq!(stderr, "");
    let (file, stderr) = logged(&server, &["--debug"], "some words");
    assert!(stderr.contains("method=\"tools/call\"") && !stderr.contains("some words"), "{stderr}");
    let held: Vec<_> = file.lines().filter(|line| line.contains("some words")).collect();
    assert_eq!(held.len(), 2, "the call and its answer: {file}");
    assert!(held[0].contains(" client→remote method=\"tools/call\" id=1 bytes="), "{file}");
    assert!(held[0].contains(" body={\"") && held[1].contains(" remote→client id=1 "), "{file}");
    let (file, _) = logged(&server, &["--debug"], &"many words ".repeat(1_000));
    assert!(file.lines().all(|line| line.chars().count() < 2_200), "{file}");
}

/// A server whose tool `echo` says again all that it was sent.
#[cfg(unix)]
fn parrot() -> McpServer {
    let answer = Answer::response(|request| {
        let said = format!("{:?} {}", request.headers, request.path);
        let words = format!("{said} {}", String::from_utf8_lossy(&request.body));
        let id = request.rpc_id().unwrap_or("null");
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{}}}", text(&words))
    });
    McpServer::legacy()
        .always(tool("echo"), answer.header("set-cookie", "lb=canary-cookie; Path=/"))
        .run()
}

#[cfg(unix)]
#[test]
fn no_secret_is_among_what_messages_hold() {
    let server = parrot();
    let args = ["--debug", "--header", "X-Api-Key=canary-of-a-header", "--header"];
    let args = [&args[..], &["Authorization=Bearer canary-of-a-token"]].concat();
    let words = "canary-of-a-token, password=canary-typed, {\"api_key\":\"canary-nested\"}";
    let (file, stderr) = logged(&server, &args, words);
    assert!(file.contains("[secret]") && file.contains("mcp-bridge/"), "{file}");
    assert!(!file.contains("canary-") && !stderr.contains("canary-"), "{file}{stderr}");
    let session = server.requests().iter().find_map(|request| request.session().map(str::to_owned));
    assert!(!file.contains(&session.expect("a session")), "{file}");
}

#[cfg(unix)]
#[test]
fn no_token_of_a_sign_in_is_among_what_messages_hold() {
    let server = Guarded::run();
    let browser = Browser::recording();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bridge.log");
    let mut bridge = server
        .bridge()
        .args(["--browser".to_owned(), browser.command()])
        .args(["--debug", "--log", file.to_str().unwrap()])
        .spawn();
    let said = Answer::response(|request| {
        let said = text(request.header("authorization").unwrap_or_default());
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{said}}}", request.rpc_id().unwrap())
    });
    bridge.initialize();
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    tab::sign_in(&browser.page(1));
    bridge.expect_response(1);
    server.mcp.always(tool("echo"), said);
    let answer = bridge.call_tool(2, "echo", json!({}))["result"].to_string();
    let token = answer.split("Bearer ").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(server.auth.accepts(&token));
    bridge.call_tool(3, "echo", json!({"text": format!("is it {token}?")}));
    bridge.close_stdin();
    bridge.wait_exit();
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.contains("is it [secret]?") && !written.contains(&token), "{written}");
    for asked in server.auth.asked("/token") {
        for name in ["code", "code_verifier", "refresh_token"] {
            assert!(asked.field(name).is_none_or(|value| !written.contains(&value)), "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn lines_of_a_file_can_be_chosen_by_server_method_and_gravity() {
    let (one, other) = (McpServer::legacy().run(), McpServer::legacy().run());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bridge.log").display().to_string();
    for server in [&one, &other] {
        let mut bridge = BridgeProcess::to(server.url()).args(["--log", &file]).spawn();
        bridge.initialize();
        bridge.call_tool(1, "echo", json!({"text": "x"}));
        bridge.close_stdin();
        bridge.wait_exit();
    }
    let home = BridgeProcess::with_args(["--version"]).unchecked().spawn();
    let lines = |args: &[&str]| {
        let args = [&["logs", "-n", "0", "--log", &file], args].concat();
        printed(&home, args)
    };
    let both = lines(&["--method", "tools/call"]);
    assert_eq!(both.matches("client→remote").count(), 2, "{both}");
    assert_eq!(both.matches("remote→client").count(), 2, "with their answers: {both}");
    assert!(!both.contains("initialize"), "{both}");
    let of_one = lines(&[&one.url(), "--method", "tools/call"]);
    assert_eq!(of_one.matches("client→remote").count(), 1, "{of_one}");
    let grave = lines(&["--level", "info"]);
    assert!(grave.contains("info: started") && !grave.contains("debug:"), "{grave}");
    assert_eq!(lines(&["--level", "error"]), "");
    assert_eq!(lines(&["--problems", "--since", "1h"]), "");
}
