//! Signing in: an OAuth 2.1 native app for MCP servers. It knows no JSON-RPC.
//!
//! ```text
//! 401 ─▶ challenge ─▶ discovery ─▶ registration ─▶ authorization ─▶ browser ─▶ loopback ─▶ token
//! ```

mod adoption;
mod asking;
pub mod authorization;
mod authorizer;
mod browser;
mod callback;
mod challenge;
mod client_assertion;
pub mod client_credentials;
pub mod device;
pub mod discovery;
pub mod exceptions;
pub mod failure;
mod fetch;
mod loopback;
mod metadata;
mod oauth_error;
mod page;
mod paste;
mod phase;
mod provider;
mod random;
mod record;
mod refresh;
mod refused;
pub mod registration;
mod revocation;
pub mod scopes;
mod settings;
mod sign_in;
mod site;
mod tab;
mod token;
mod token_endpoint;
mod vault;
#[cfg(test)]
mod vault_tests;

pub use adoption::{Adoptable, NotAdopted, Offered};
pub use authorization::{Answer, Pending};
pub use authorizer::{Authorizer, Bearer, Lack, Usher};
pub use browser::{Browser, NotOpened, Policy};
pub use callback::{Callback, CallbackError, cleaned};
pub use challenge::Challenge;
pub use client_assertion::ClientKey;
pub use device::DeviceSignIn;
pub use discovery::{Attempt, Discovery};
pub use failure::{Failure, FailureKind, for_login};
pub use fetch::{Fetch, Reply};
pub use loopback::{BindError, Expected, Hit, Listener};
pub use metadata::ServerMetadata;
pub use page::{Names, Outcome};
pub use paste::{PasteError, Pasted, read_pasted};
pub use phase::{Invitation, Phase};
pub use provider::{Pkce, Provider, Trust};
pub use record::{LastFailure, Record, RecordError, SCHEMA};
pub use refused::Verdict;
pub use refused::of_new_token;
pub use registration::{AuthMethod, Registration, undocumented};
pub use revocation::Revoked;
pub use scopes::Scopes;
pub use settings::{ClientSecret, Grant, RedirectAddress, Resource, Settings};
pub use sign_in::{Begun, Cause, Host, SignIn, Way};
pub use token::TokenSet;
pub use token_endpoint::{Allowance, Granted, TokenEndpoint};
pub use vault::{Taken, Vault, of_store};
