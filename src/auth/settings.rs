//! What the user fixed about signing in.

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use crate::secret::Secret;

/// How a token is earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grant {
    /// By a person in a browser (RFC 6749 §4.1, PKCE).
    #[default]
    AuthorizationCode,
    /// By a person on another device (RFC 8628).
    DeviceCode,
    /// By the client itself (RFC 6749 §4.4).
    ClientCredentials,
}

/// Which `resource` is asked for (RFC 8707).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Resource {
    /// The one that the server's metadata names.
    #[default]
    Discovered,
    /// This one.
    Named(String),
    /// None: the parameter is left out.
    Omitted,
}

/// How the client proves who it is.
#[derive(Debug, Clone)]
pub enum ClientSecret {
    /// A shared secret (RFC 6749 §2.3.1).
    Shared(Secret<String>),
    /// A private key in PEM, and the algorithm to sign with where it is not the key's own (RFC 7523).
    PrivateKey {
        /// PKCS#8 in PEM.
        pem: Secret<String>,
        /// JWS algorithm, as `ES256`.
        algorithm: Option<String>,
    },
}

/// Where the authorization server sends the browser back to (RFC 8252 §7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectAddress {
    /// A whole redirect URI of the user's own, sent as it is written here (providers compare it as text); the
    /// rest is then not used.
    pub uri: Option<String>,
    /// Host in the redirect URI: `127.0.0.1`, `localhost` or `[::1]`; none: that of a client that is registered
    /// already, else the first.
    pub host: Option<String>,
    /// Port; none: one that is stable for the server.
    pub port: Option<u16>,
    /// Path.
    pub path: String,
}

impl RedirectAddress {
    /// The host, where nothing else says which.
    pub(super) fn host(&self) -> &str {
        self.host.as_deref().unwrap_or("127.0.0.1")
    }
}

impl Default for RedirectAddress {
    fn default() -> Self {
        Self { uri: None, host: None, port: None, path: "/oauth/callback".to_owned() }
    }
}

/// Everything that the user fixed; what is not fixed is found out.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How a token is earned.
    pub grant: Grant,
    /// A client registered beforehand.
    pub client_id: Option<String>,
    /// Its proof.
    pub client_secret: Option<ClientSecret>,
    /// URL of a client ID metadata document.
    pub client_metadata_url: Option<Url>,
    /// Members of the registration request that the user wants (RFC 7591 §2).
    pub client_metadata: Map<String, Value>,
    /// Scopes, separated by spaces.
    pub scope: Option<String>,
    /// Resource indicator.
    pub resource: Resource,
    /// Parameters added to the authorization request.
    pub authorize_params: Vec<(String, String)>,
    /// Parameters added to token requests.
    pub token_params: Vec<(String, String)>,
    /// An issuer that is trusted although the metadata names another.
    pub trust_issuer: Option<String>,
    /// Where the authorization server's metadata lies, in place of what discovery finds.
    pub auth_server_metadata_url: Option<Url>,
    /// The token endpoint, in place of the one that metadata names.
    pub token_endpoint: Option<Url>,
    /// Whether the ID token goes with requests in place of the access token.
    pub use_id_token: bool,
    /// Where the browser comes back to.
    pub redirect: RedirectAddress,
    /// Where the browser goes after a success, in place of our own page.
    pub success_url: Option<Url>,
    /// How long a sign-in may take; none: 15 minutes.
    pub timeout: Option<Duration>,
}
