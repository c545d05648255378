//! What the bridge does not have to change, it does not change: tables of odd messages that cross
//! byte for byte, and the few rewrites, each of which changes what it has to and nothing else.

mod client_to_server;
mod handshake;
mod rewrites;
mod rows;
mod server_to_client;

use hyper::Method;
use serde_json::json;

use crate::support::mcp_server::Matcher;
use crate::support::mcp_server::matcher::{anything, when};
use crate::support::{BridgeProcess, McpServer};

/// Any message but those of the handshake.
fn beyond_handshake(name: &str) -> Matcher {
    when(name, |request| {
        let handshake = ["initialize", "notifications/initialized"];
        request.method == Method::POST
            && !request.rpc_method().is_some_and(|method| handshake.contains(&method))
    })
}

/// A server that takes everything, and the bridge before it after the handshake.
fn session() -> (McpServer, BridgeProcess) {
    session_with(McpServer::legacy())
}

fn session_with(server: crate::support::mcp_server::Builder) -> (McpServer, BridgeProcess) {
    let server = server.allow(anything()).allow_unused_script().run();
    let mut bridge = BridgeProcess::to(server.url()).unchecked().spawn();
    bridge.initialize_with(json!({"roots": {}, "sampling": {}, "elicitation": {}}));
    server.wait_for("notifications/initialized");
    (server, bridge)
}

/// The session ends well, and nothing was said that was not looked at.
#[track_caller]
fn assert_ends_well(mut bridge: BridgeProcess) {
    bridge.close_stdin();
    assert!(bridge.wait_exit().success());
    bridge.wait_for_end_of_stdout();
    assert_eq!(bridge.unread(), Vec::<String>::new());
    bridge.assert_stderr_empty();
}
