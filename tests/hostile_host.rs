//! Clients and machines that make trouble: pipes that nobody reads, pipes that do not block, a log that
//! another process holds. None of it keeps a message back.
#![cfg(unix)]

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, McpServer};

const INITIALIZED: &[u8] = b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";

/// A bridge with raw pipes of its own, in a home of its own.
fn bridge(server: &McpServer, home: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.env_clear().env("HOME", home).env("BRIDGE_CREDENTIAL_STORE", "memory");
    command.arg(server.url());
    command
}

fn request(id: u64, method: &str) -> String {
    let params = match method {
        "initialize" => json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "c", "version": "1"},
        }),
        _ => json!({"name": "echo", "arguments": {}}),
    };
    format!("{}\n", json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}

/// Reads lines until the response with this id.
fn response(from: &mut impl std::io::BufRead, id: u64) -> Value {
    loop {
        let mut line = String::new();
        assert!(from.read_line(&mut line).unwrap() > 0, "stdout ended before {id} was answered");
        let message: Value = serde_json::from_str(&line).unwrap();
        if message["id"] == id {
            return message;
        }
    }
}

#[test]
fn a_stderr_that_nobody_reads_keeps_no_message_back() {
    let server = McpServer::legacy().always("tools/call", Answer::result(text("done"))).run();
    let home = tempfile::tempdir().unwrap();
    let mut child = bridge(&server, home.path())
        .arg("--debug")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    // Held and not read: a pipe takes 64 KiB, and each call writes some hundred bytes to it.
    let stderr = child.stderr.take().unwrap();
    stdin.write_all(request(0, "initialize").as_bytes()).unwrap();
    response(&mut stdout, 0);
    stdin.write_all(INITIALIZED).unwrap();
    for id in 1..=1_000 {
        stdin.write_all(request(id, "tools/call").as_bytes()).unwrap();
        assert!(response(&mut stdout, id)["result"].is_object(), "{id}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success(), "it ends although stderr is full");
    drop(stderr);
}

#[test]
fn pipes_that_do_not_block_lose_nothing() {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use rustix::pipe::{PipeFlags, pipe_with};
    let do_not_block = |end: &OwnedFd| {
        fcntl_setfl(end, fcntl_getfl(end).unwrap() | OFlags::NONBLOCK).unwrap();
    };
    let large = "x".repeat(300_000);
    let server = McpServer::legacy().always("tools/call", Answer::result(text(&large))).run();
    let home = tempfile::tempdir().unwrap();
    let ((their_in, our_in), (our_out, their_out)) =
        (pipe_with(PipeFlags::CLOEXEC).unwrap(), pipe_with(PipeFlags::CLOEXEC).unwrap());
    do_not_block(&their_in);
    do_not_block(&their_out);
    let mut child = bridge(&server, home.path())
        .stdin(Stdio::from(their_in))
        .stdout(Stdio::from(their_out))
        .spawn()
        .unwrap();
    let mut stdin = std::fs::File::from(our_in);
    let mut stdout = std::io::BufReader::new(std::fs::File::from(our_out));
    stdin.write_all(request(0, "initialize").as_bytes()).unwrap();
    response(&mut stdout, 0);
    stdin.write_all(INITIALIZED).unwrap();
    for id in 1..=20 {
        stdin.write_all(request(id, "tools/call").as_bytes()).unwrap();
        let answer = response(&mut stdout, id);
        assert_eq!(answer["result"]["content"][0]["text"].as_str().map(str::len), Some(300_000));
    }
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "nothing more than was asked for");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_log_that_another_process_has_locked_keeps_no_message_back() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("bridge.log");
    let held = std::fs::File::create(log.with_added_extension("lock")).unwrap();
    held.lock().unwrap();
    let server = McpServer::legacy().always("tools/call", Answer::result(text("done"))).run();
    let mut bridge = BridgeProcess::to(server.url())
        .args(["--debug", "--log", log.to_str().unwrap()])
        .unchecked()
        .spawn();
    bridge.initialize();
    for id in 1..=100 {
        assert!(bridge.call_tool(id, "echo", json!({}))["result"].is_object());
    }
    bridge.finish();
}
