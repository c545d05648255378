//! Signing in: an OAuth 2.1 native app for MCP servers. It knows no JSON-RPC.
//!
//! ```text
//! 401 ─▶ challenge ─▶ discovery ─▶ registration ─▶ authorization ─▶ browser ─▶ loopback ─▶ token
//! ```

mod settings;

pub use settings::{ClientSecret, Grant, RedirectAddress, Resource, Settings};
