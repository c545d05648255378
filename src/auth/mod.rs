//! Signing in: an OAuth 2.1 native app for MCP servers. It knows no JSON-RPC.
//!
//! ```text
//! 401 ─▶ challenge ─▶ discovery ─▶ registration ─▶ authorization ─▶ browser ─▶ loopback ─▶ token
//! ```

mod challenge;
pub mod failure;
pub mod scopes;
mod settings;
mod token;

pub use challenge::Challenge;
pub use failure::{Failure, FailureKind};
pub use scopes::Scopes;
pub use settings::{ClientSecret, Grant, RedirectAddress, Resource, Settings};
pub use token::TokenSet;
