//! The fixtures themselves: what they promise, and that each misbehaviour really happens.

mod auth_server;
mod bad_answers;
mod bridge_process;
mod connections;
mod gates;
mod good_server;
#[cfg(target_os = "linux")]
mod hosted;
mod modern_server;
mod ports;
mod schema;
mod sessions;
mod streams;
mod strictness;

use crate::support::McpServer;
use crate::support::http_client::HttpClient;

/// A client that has shaken hands.
fn client_of(server: &McpServer) -> HttpClient {
    let mut client = HttpClient::to(server);
    client.initialize();
    client
}
