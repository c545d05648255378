//! Signing in: an OAuth 2.1 native app for MCP servers. It knows no JSON-RPC.
//!
//! ```text
//! 401 ─▶ challenge ─▶ discovery ─▶ registration ─▶ authorization ─▶ browser ─▶ loopback ─▶ token
//! ```

mod callback;
mod challenge;
pub mod failure;
mod loopback;
mod page;
pub mod scopes;
mod settings;
mod token;

pub use callback::{Callback, CallbackError, cleaned};
pub use challenge::Challenge;
pub use failure::{Failure, FailureKind};
pub use loopback::{BindError, Expected, Hit, Listener};
pub use page::{Names, Outcome};
pub use scopes::Scopes;
pub use settings::{ClientSecret, Grant, RedirectAddress, Resource, Settings};
pub use token::TokenSet;
