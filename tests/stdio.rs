//! Lines in, lines out: what is a message, what is answered to what is none, batches, sizes, and that
//! nothing but messages is on stdout.

mod batches;
mod hygiene;
mod lines;
mod sizes;

use serde_json::Value;

use crate::support::bridge_process::Builder;
use crate::support::mcp_server::matcher::anything;
use crate::support::{BridgeProcess, McpServer};

/// The bridge after the handshake, before a server that takes everything and answers what it knows.
fn session(args: &[&str]) -> (McpServer, BridgeProcess) {
    session_of(|bridge| bridge.args(args.iter().copied()))
}

/// As `session`; the fixture does not check what is on stdout, for lines of which it can't know what
/// they are owed. The test looks at every line instead.
fn unchecked_session(args: &[&str]) -> (McpServer, BridgeProcess) {
    session_of(|bridge| bridge.args(args.iter().copied()).unchecked())
}

fn session_of(change: impl FnOnce(Builder) -> Builder) -> (McpServer, BridgeProcess) {
    let server = McpServer::legacy().allow(anything()).run();
    let mut bridge = change(BridgeProcess::to(server.url())).spawn();
    bridge.initialize();
    server.wait_for_get_stream();
    (server, bridge)
}

/// The next line is an error with this code and id.
#[track_caller]
fn assert_refuses(bridge: &mut BridgeProcess, what: &str, code: i64, id: &str) {
    let line = bridge.expect_line();
    let start = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":"#);
    assert!(line.starts_with(&start), "{what}: {line}");
    let error: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(error["error"]["code"], code, "{what}: {line}");
    assert!(error["error"]["message"].is_string(), "{what}: {line}");
}

/// The session still serves, and ends well: no line was left over, and stderr said nothing.
#[track_caller]
fn assert_goes_on_and_ends_well(bridge: BridgeProcess) {
    let bridge = goes_on_and_ends(bridge);
    bridge.assert_stderr_empty();
}

#[track_caller]
fn goes_on_and_ends(mut bridge: BridgeProcess) -> BridgeProcess {
    bridge.send(r#"{"jsonrpc":"2.0","id":"after","method":"ping"}"#);
    assert_eq!(bridge.expect_line(), r#"{"jsonrpc":"2.0","id":"after","result":{}}"#);
    bridge.close_stdin();
    assert!(bridge.wait_exit().success());
    bridge.wait_for_end_of_stdout();
    assert_eq!(bridge.unread(), Vec::<String>::new());
    bridge
}
