//! A client that acts for itself (RFC 6749 §4.4; the specification's client credentials extension).

use std::sync::OnceLock;

use url::Url;

use super::challenge::Challenge;
use super::discovery::{canonical, discover};
use super::failure::{Failure, FailureKind};
use super::provider::{Provider, Trust};
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
                .because("none was given with the client id")
                .hint("give it in BRIDGE_CLIENT_SECRET, or in a file by `--client-secret-file`"));
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
        self.keep_to_issuer(&provider).await?;
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
    /// the user named, else the first that any process met.
    async fn keep_to_issuer(&self, provider: &Provider) -> Result<(), Failure> {
        if provider.trust == Trust::NamedByUser {
            return Ok(());
        }
        let bound = match &self.settings.trust_issuer {
            Some(named) => Some(named.clone()),
            // The server's own origin, where no document is to be found: it may be a moment's outage.
            None if provider.trust == Trust::Unverified => self.vault.bound_issuer(None).await,
            None => self.vault.bound_issuer(Some(&provider.issuer)).await,
        };
        match bound_elsewhere(bound.as_deref(), &self.client_issuer, &provider.issuer) {
            None => Ok(()),
            Some(bound) => Err(self.moved(bound, &provider.issuer)),
        }
    }

    fn moved(&self, bound: &str, now: &str) -> Failure {
        let server = &self.names.server;
        let what = format!("{server} names another authorization server than before");
        let (bound, now) = (super::cleaned(bound), super::cleaned(now));
        let because = format!(
            "the client's secret belongs to `{bound}`, and now `{now}` would be shown it; nothing was sent there"
        );
        let failure = Failure::new(FailureKind::IssuerMismatch, what).because(because);
        if self.settings.trust_issuer.is_some() {
            return failure.hint("if the new one is right, name it by `--trust-issuer`");
        }
        let option = shlex::try_quote(&now).map(|now| format!("--trust-issuer {now}"));
        failure.hint(format!(
            "ask who runs {server}; if the new one is right, run `bridge logout`, or give `{}`",
            option.unwrap_or_default()
        ))
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
