//! Taking tokens back (RFC 7009).

use super::failure::Failure;
use super::token::TokenSet;
use super::token_endpoint::{Form, TokenEndpoint};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// The server took them back.
    Done,
    /// It offers no such thing.
    NotOffered,
}

impl TokenEndpoint<'_> {
    /// Takes back the refresh token, then the access token, each once. Whoever calls it forgets them
    /// whatever comes of it.
    ///
    /// # Errors
    /// The first that was refused or got no answer; the other is taken back all the same.
    pub async fn revoke(&self, tokens: &TokenSet) -> Result<Revoked, Failure> {
        let Some(endpoint) = &self.provider.metadata.revocation_endpoint else {
            return Ok(Revoked::NotOffered);
        };
        let refresh = tokens.refresh_token.as_ref().map(|token| ("refresh_token", token));
        let mut outcome = Ok(Revoked::Done);
        for (hint, token) in refresh.into_iter().chain([("access_token", &tokens.access_token)]) {
            let mut form = Form::default();
            form.add_secret("token", token);
            form.add("token_type_hint", hint);
            match self.send(endpoint, &form, self.registration.method).await {
                Ok(_) => {}
                // An access token that no server can take back ends by itself (RFC 7009 §2.2.1).
                Err(failure) if unsupported(&failure) => {}
                Err(failure) => outcome = outcome.and(Err(failure)),
            }
        }
        outcome
    }
}

fn unsupported(failure: &Failure) -> bool {
    failure.cause.as_deref().is_some_and(|cause| cause.starts_with("unsupported_token_type"))
}
