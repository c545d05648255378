//! Who signs users in for a server: the issuer, its endpoints, what it is good for. All that a start
//! with a stored token needs, so that nothing is discovered then.

use serde::{Deserialize, Serialize};
use url::Url;

use super::exceptions::{self, Exception};
use super::failure::{Failure, FailureKind};
use super::fetch::host;
use super::metadata::ServerMetadata;
use super::scopes::Scopes;

/// An authorization server as it was found for one MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// The issuer as its own document writes it: `iss` is compared with these bytes.
    pub issuer: String,
    /// How that is known.
    pub trust: Trust,
    /// What its document says.
    pub metadata: ServerMetadata,
    /// The resource that tokens are for (RFC 8707); `None`: the parameter is left out.
    pub resource: Option<String>,
    /// Scopes that the protected resource metadata names.
    pub resource_scopes: Option<Scopes>,
}

/// How the issuer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Its document has the issuer that it was asked for by.
    Validated,
    /// Its document has another issuer, which the user trusts by name.
    TrustedByUser,
    /// The user named the document or the token endpoint.
    NamedByUser,
    /// There is no document: the default endpoints of 2025-03-26.
    Unverified,
}

/// What is known of PKCE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pkce {
    /// The document lists S256.
    Listed,
    /// The document does not say, and this exception forgives it.
    Exempt(&'static str),
    /// There is no document: S256 is sent, nobody promised to check it.
    Unverified,
}

impl Provider {
    /// What is done otherwise for it.
    pub fn exception(&self) -> Option<&'static Exception> {
        exceptions::for_issuer(&self.issuer)
    }

    /// Whether it checks PKCE with S256.
    ///
    /// # Errors
    /// It does not say so: the specification forbids to go on.
    pub fn pkce(&self) -> Result<Pkce, Failure> {
        let refuse = |why: &str| {
            let what = format!("{} can't be trusted with a sign-in", self.shown());
            Err(Failure::new(FailureKind::NoPkce, what)
                .because(why)
                .hint("ask who runs it to support PKCE with S256 and to say so in its metadata"))
        };
        match (&self.metadata.code_challenge_methods_supported, self.trust) {
            (Some(listed), _) if listed.iter().any(|method| method == "S256") => Ok(Pkce::Listed),
            (Some(_), _) => refuse("`code_challenge_methods_supported` does not list S256"),
            (None, Trust::Unverified) => Ok(Pkce::Unverified),
            (None, _) => match self.exception().filter(|exception| exception.pkce_unlisted) {
                Some(exception) => Ok(Pkce::Exempt(exception.name)),
                None => refuse("its metadata has no `code_challenge_methods_supported`"),
            },
        }
    }

    /// Where tokens come from.
    ///
    /// # Errors
    /// The document names none.
    pub fn token_endpoint(&self) -> Result<&Url, Failure> {
        self.metadata.token_endpoint.as_ref().ok_or_else(|| self.lacks("token_endpoint"))
    }

    /// Where users sign in.
    ///
    /// # Errors
    /// The document names none.
    pub fn authorization_endpoint(&self) -> Result<&Url, Failure> {
        let endpoint = self.metadata.authorization_endpoint.as_ref();
        endpoint.ok_or_else(|| self.lacks("authorization_endpoint"))
    }

    pub(super) fn lacks(&self, member: &str) -> Failure {
        let what = format!("{} does not offer this way to sign in", self.shown());
        Failure::new(FailureKind::GrantNotOffered, what)
            .because(format!("its metadata has no `{member}`"))
    }

    /// The issuer for people.
    pub fn shown(&self) -> String {
        Url::parse(&self.issuer).map_or_else(|_| self.issuer.clone(), |url| host(&url))
    }

    /// A provider of which the user named no more than the token endpoint.
    pub fn of_token_endpoint(endpoint: &Url, resource: Option<String>) -> Self {
        let metadata =
            ServerMetadata { token_endpoint: Some(endpoint.clone()), ..ServerMetadata::default() };
        Self {
            issuer: endpoint.origin().ascii_serialization(),
            trust: Trust::NamedByUser,
            metadata,
            resource,
            resource_scopes: None,
        }
    }
}

/// Whether a metadata document has the issuer that it was asked for by: the same bytes, but for a slash
/// that is the whole path (RFC 8414 §3.3, `docs/exceptions.md`).
pub(super) fn is_same_issuer(expected: &str, found: &str) -> bool {
    let bare = |issuer: &str| {
        let url = Url::parse(issuer).ok()?;
        let root = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        root.then(|| issuer.strip_suffix('/').unwrap_or(issuer).to_owned())
    };
    expected == found || matches!((bare(expected), bare(found)), (Some(a), Some(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_slash_that_is_the_whole_path_is_forgiven() {
        for (expected, found, same) in [
            ("https://as.example", "https://as.example/", true),
            ("https://as.example/", "https://as.example", true),
            ("https://as.example/t", "https://as.example/t", true),
            ("https://as.example/t", "https://as.example/t/", false),
            ("https://as.example", "https://AS.example", false),
            ("https://as.example", "https://as.example:443", false),
            ("https://as.example", "https://as.example//", false),
            ("https://as.example", "http://as.example", false),
            ("https://as.example", "https://as.example/?x", false),
            ("https://as.example", "https://other.example", false),
            ("x", "y", false),
        ] {
            assert_eq!(is_same_issuer(expected, found), same, "{expected} {found}");
        }
    }

    fn provider(issuer: &str, trust: Trust, methods: Option<&[&str]>) -> Provider {
        let methods = methods.map(|list| list.iter().map(|each| (*each).to_owned()).collect());
        let metadata = ServerMetadata {
            code_challenge_methods_supported: methods,
            ..ServerMetadata::default()
        };
        let issuer = issuer.to_owned();
        Provider { issuer, trust, metadata, resource: None, resource_scopes: None }
    }

    #[test]
    fn pkce_is_a_condition_but_for_named_exceptions() {
        let entra = "https://login.microsoftonline.com/t/v2.0";
        let other = "https://as.example";
        for (issuer, trust, methods, expected) in [
            (other, Trust::Validated, Some(&["plain", "S256"][..]), Some(Pkce::Listed)),
            (other, Trust::Validated, Some(&["plain"][..]), None),
            (other, Trust::Validated, Some(&[][..]), None),
            (other, Trust::Validated, None, None),
            (other, Trust::NamedByUser, None, None),
            (other, Trust::Unverified, None, Some(Pkce::Unverified)),
            (entra, Trust::Validated, None, Some(Pkce::Exempt("Microsoft Entra ID"))),
            (entra, Trust::Validated, Some(&["plain"][..]), None),
        ] {
            let found = provider(issuer, trust, methods).pkce().ok();
            assert_eq!(found, expected, "{issuer} {trust:?} {methods:?}");
        }
    }
}
