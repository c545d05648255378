//! A client that acts for itself (RFC 6749 §4.4; the specification's client credentials extension).

use std::sync::OnceLock;

use url::Url;

use super::challenge::Challenge;
use super::discovery::{canonical, discover};
use super::failure::{Failure, FailureKind};
use super::provider::Provider;
use super::registration;
use super::scopes::{self, Scopes};
use super::settings::{Resource, Settings};
use super::sign_in::SignIn;
use super::token::TokenSet;
use super::token_endpoint::{Grant, Granted, TokenEndpoint};

/// The provider where the user named the token endpoint, so that nothing has to be found out.
pub fn named_provider(settings: &Settings, server: &Url) -> Option<Provider> {
    let endpoint = settings.token_endpoint.as_ref()?;
    let resource = match &settings.resource {
        Resource::Named(resource) => Some(resource.clone()),
        Resource::Omitted => None,
        Resource::Discovered => Some(canonical(server)),
    };
    Some(Provider::of_token_endpoint(endpoint, resource))
}

impl TokenEndpoint<'_> {
    /// A token for the client itself.
    ///
    /// # Errors
    /// Those of the token endpoint; a client without proof is not asked about.
    pub async fn client_credentials(&self, scopes: &Scopes) -> Result<Granted, Failure> {
        if self.registration.secret.is_none() && self.registration.key.is_none() {
            let what = "this way to sign in needs the client's secret or private key";
            return Err(Failure::new(FailureKind::Settings, what)
                .because("none was given with the client id"));
        }
        let offered = self.provider.metadata.grant_types_supported.as_deref();
        if offered.is_some_and(|list| !list.iter().any(|grant| grant == "client_credentials")) {
            let what = format!("{} offers no sign-in of clients", self.provider.shown());
            return Err(Failure::new(FailureKind::GrantNotOffered, what)
                .because("its metadata does not list the grant `client_credentials`"));
        }
        let granted = self.grant(&Grant::ClientCredentials { scopes }).await?;
        // There is nothing to refresh here that the client could not ask for anew (RFC 6749 §4.4.3).
        let tokens = super::TokenSet { refresh_token: None, ..granted.tokens };
        Ok(Granted { tokens, ..granted })
    }
}

impl SignIn {
    /// A token of the client itself, kept nowhere.
    ///
    /// # Errors
    /// It was not granted.
    pub async fn by_client(&self, challenge: Option<Challenge>) -> Result<TokenSet, Failure> {
        let named = named_provider(&self.settings, &self.server);
        let provider = match named {
            Some(provider) => provider,
            None => {
                let challenge = challenge.as_ref();
                discover(&self.fetch, &self.server, challenge, &self.settings).await.found?
            }
        };
        self.keep_to_issuer(&provider)?;
        let client = registration::without_request(&self.settings, &provider).ok_or_else(|| {
            Failure::new(FailureKind::Settings, "`--client-credentials` needs a client")
                .because("no client id was given")
                .hint("give `--client-id`, and its secret in BRIDGE_CLIENT_SECRET")
        })?;
        let challenged = challenge.as_ref().and_then(|challenge| challenge.scope.as_deref());
        let of_resource = provider.resource_scopes.as_ref();
        let scopes = scopes::select(self.settings.scope.as_deref(), challenged, of_resource, None);
        Ok(self.endpoint(&provider, &client).client_credentials(&scopes).await?.tokens)
    }

    /// A client's secret is shown to one issuer only (specification, "Authorization Server Binding"): the one that
    /// the user named, else the first that this process met.
    fn keep_to_issuer(&self, provider: &Provider) -> Result<(), Failure> {
        let named = self.settings.trust_issuer.as_deref();
        let (bound, now) = match bound_elsewhere(named, &self.client_issuer, &provider.issuer) {
            None => return Ok(()),
            Some(bound) => (super::cleaned(bound), super::cleaned(&provider.issuer)),
        };
        let what = format!("{} names another authorization server than before", self.names.server);
        Err(Failure::new(FailureKind::IssuerMismatch, what)
            .because(format!("the client is one of `{bound}`, and now it is `{now}`"))
            .hint("if that is right, start again; name the right one by `--trust-issuer` or `--token-endpoint`"))
    }
}

/// The issuer that a client's secret belongs to, where that is not this one.
fn bound_elsewhere<'a>(
    named: Option<&'a str>,
    first: &'a OnceLock<String>,
    issuer: &str,
) -> Option<&'a str> {
    let bound = named.unwrap_or_else(|| first.get_or_init(|| issuer.to_owned()));
    (bound != issuer).then_some(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_client_is_shown_to_one_issuer_only() {
        let first = OnceLock::new();
        assert_eq!(bound_elsewhere(None, &first, "https://a"), None);
        assert_eq!(bound_elsewhere(None, &first, "https://a"), None);
        assert_eq!(bound_elsewhere(None, &first, "https://evil"), Some("https://a"));
        let named = Some("https://b");
        assert_eq!(bound_elsewhere(named, &OnceLock::new(), "https://evil"), named);
        assert_eq!(bound_elsewhere(named, &first, "https://b"), None);
    }
}
