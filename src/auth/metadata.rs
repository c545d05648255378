//! The two documents of discovery, read leniently: a member of another type than it should have counts
//! as missing (RFC 9728 §2, RFC 8414 §2, OpenID Connect Discovery §3).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::failure::Failure;
use super::fetch::Fetch;
use super::scopes::Scopes;

/// Entries that are kept of a list.
const MAX_ENTRIES: usize = 200;

/// Protected resource metadata (RFC 9728).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceMetadata {
    /// The resource that it is about, as written.
    pub resource: Option<String>,
    /// Issuers of who may sign users in for it, as written.
    pub authorization_servers: Vec<String>,
    /// Scopes that a client needs in general.
    pub scopes_supported: Option<Scopes>,
}

impl ResourceMetadata {
    /// Reads a document; `None` if nothing in it is protected resource metadata.
    pub fn read(document: &Map<String, Value>) -> Option<Self> {
        let this = Self {
            resource: text(document, "resource"),
            authorization_servers: list(document, "authorization_servers").unwrap_or_default(),
            scopes_supported: scopes(document),
        };
        (this.resource.is_some() || !this.authorization_servers.is_empty()).then_some(this)
    }
}

/// Authorization server metadata, as far as it is used (RFC 8414).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerMetadata {
    /// Where users sign in.
    pub authorization_endpoint: Option<Url>,
    /// Where tokens come from.
    pub token_endpoint: Option<Url>,
    /// Where clients register (RFC 7591).
    pub registration_endpoint: Option<Url>,
    /// Where tokens are taken back (RFC 7009).
    pub revocation_endpoint: Option<Url>,
    /// Where a sign-in on another device begins (RFC 8628).
    pub device_authorization_endpoint: Option<Url>,
    /// Scopes that it knows.
    pub scopes_supported: Option<Scopes>,
    /// Ways of PKCE that it checks; `None`: it does not say.
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// How clients may prove who they are; `None`: it does not say.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Algorithms of signed proofs.
    pub token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// Grants that it offers; `None`: it does not say.
    pub grant_types_supported: Option<Vec<String>>,
    /// Whether a client id may be the URL of a document.
    pub client_id_metadata_document_supported: bool,
    /// Whether its answers to the browser name the issuer (RFC 9207).
    pub authorization_response_iss_parameter_supported: bool,
}

impl ServerMetadata {
    /// Reads a document. Its issuer is checked by who asked for it.
    ///
    /// # Errors
    /// An endpoint that must not be used. One that nobody needs is left out instead.
    pub fn read(document: &Map<String, Value>, fetch: &Fetch) -> Result<Self, Failure> {
        let needed = |name: &str| text(document, name).map(|url| fetch.url(&url)).transpose();
        let optional = |name: &str| text(document, name).and_then(|url| fetch.url(&url).ok());
        let flag = |name: &str| document.get(name).and_then(Value::as_bool).unwrap_or(false);
        Ok(Self {
            authorization_endpoint: needed("authorization_endpoint")?,
            token_endpoint: needed("token_endpoint")?,
            registration_endpoint: optional("registration_endpoint"),
            revocation_endpoint: optional("revocation_endpoint"),
            device_authorization_endpoint: optional("device_authorization_endpoint"),
            scopes_supported: scopes(document),
            code_challenge_methods_supported: list(document, "code_challenge_methods_supported"),
            token_endpoint_auth_methods_supported: list(
                document,
                "token_endpoint_auth_methods_supported",
            ),
            token_endpoint_auth_signing_alg_values_supported: list(
                document,
                "token_endpoint_auth_signing_alg_values_supported",
            ),
            grant_types_supported: list(document, "grant_types_supported"),
            client_id_metadata_document_supported: flag("client_id_metadata_document_supported"),
            authorization_response_iss_parameter_supported: flag(
                "authorization_response_iss_parameter_supported",
            ),
        })
    }

    /// The endpoints of a server of 2025-03-26 that has no document.
    pub fn defaults(base: &Url) -> Self {
        let at = |path: &str| base.join(path).ok();
        Self {
            authorization_endpoint: at("/authorize"),
            token_endpoint: at("/token"),
            registration_endpoint: at("/register"),
            ..Self::default()
        }
    }
}

/// A member that is text and not empty.
pub(super) fn text(document: &Map<String, Value>, name: &str) -> Option<String> {
    let text = document.get(name)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

fn list(document: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let list = document.get(name)?.as_array()?;
    Some(list.iter().take(MAX_ENTRIES).filter_map(Value::as_str).map(str::to_owned).collect())
}

fn scopes(document: &Map<String, Value>) -> Option<Scopes> {
    let list = list(document, "scopes_supported")?;
    Some(Scopes::of(list.iter().map(String::as_str)))
}
