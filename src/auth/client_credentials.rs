//! A client that acts for itself (RFC 6749 §4.4; the specification's client credentials extension).

use url::Url;

use super::discovery::canonical;
use super::failure::{Failure, FailureKind};
use super::provider::Provider;
use super::scopes::Scopes;
use super::settings::{Resource, Settings};
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
