//! What the black-box tests stand on.
//!
//! ```text
//! test ── lines ─▶ BridgeProcess ── HTTP ─▶ McpServer | RawServer | BlackHole | ClosedPort
//!   │                    │                      │
//!   └── opens Gates      └────── Timeline ──────┘
//! ```
//!
//! - [`mcp_server`]: a strict, scripted server; it records each request before it judges it, and
//!   what it did not expect fails the test when the server is dropped.
//! - [`modern_server`]: the same for the era without a handshake.
//! - [`bridge_process`]: the real binary in a private home.
//! - [`chromium`]: a real browser, for pictures.
//! - [`canary`]: secrets that no process under test may write down.
//! - [`schema`]: the specification's schemas; both ends hold what they get against them.
//! - [`raw_server`]: bytes for bytes, where even HTTP must be broken.
//! - [`auth_server`]: a strict authorization server, with the metadata that leads to it.
//! - [`guarded`]: an MCP server that takes only the tokens of such a one.
//! - [`tab`]: a browser that records which pages it is to show, and a person who follows them.
//! - [`terminal`]: the binary in a terminal, for what a person sees and types.
//! - [`proxy`]: a proxy that leads every name to one server, and records who asked for what.
//! - [`lossy`]: a way on which the last words of a server are lost.
//! - [`sse_server`]: a server of the older transport.
//! - [`ports`]: addresses where nobody answers.
//! - [`gate`]: how a test orders two sides without sleeping.
//! - [`timeline`]: one ordered log of both sides, printed when a test fails.
//! - [`certificates`]: a private authority for TLS.
//! - [`http_client`]: a plain client, for the self-tests.
//! - [`hosted`]: five real products, and what a story about one of them stands on.
//!
//! Every wait ends: a fixture that waits longer than [`DEADLINE`] fails its test and says for what.

pub mod auth_server;
pub mod bridge_process;
pub mod canary;
pub mod certificates;
pub mod chromium;
pub mod gate;
pub mod guarded;
#[cfg(target_os = "linux")]
pub mod hosted;
pub mod http_client;
pub mod lossy;
pub mod mcp_server;
pub mod modern_server;
pub mod ports;
pub mod proxy;
pub mod raw_server;
pub mod schema;
pub mod sse_server;
#[cfg(unix)]
pub mod tab;
#[cfg(unix)]
pub mod terminal;
pub mod timeline;
pub mod watched;

use std::path::PathBuf;
use std::time::Duration;

pub use bridge_process::BridgeProcess;
pub use gate::Gate;
pub use guarded::Guarded;
pub use mcp_server::{Answer, Lost, McpServer, Step};
pub use modern_server::ModernServer;
pub use ports::{BlackHole, ClosedPort};
pub use proxy::Proxy;
pub use raw_server::RawServer;
pub use timeline::Timeline;

/// How long a fixture waits for what must happen. Only a failing test ever waits this long, so it
/// is generous: it holds on a loaded machine too.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// The bridge under test: what cargo built for the tests, or what lies beside the folder of the examples.
pub fn program() -> PathBuf {
    if let Some(built) = option_env!("CARGO_BIN_EXE_bridge") {
        return built.into();
    }
    let this = std::env::current_exe().expect("a program");
    let profile = this.ancestors().nth(2).expect("an example lies in <profile>/examples");
    profile.join("bridge").with_extension(std::env::consts::EXE_EXTENSION)
}
