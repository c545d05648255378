//! Requests to the token endpoint: who we are, what we show, what came of it (RFC 6749 §3.2).

use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::failure::{Failure, FailureKind};
use super::fetch::{Fetch, Reply};
use super::oauth_error::{OauthError, refused};
use super::provider::{Provider, Trust};
use super::registration::{AuthMethod, Registration};
use super::scopes::Scopes;
use super::token::TokenSet;
use crate::clock::{Clock, Moment};
use crate::secret::Secret;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One client at one authorization server.
#[derive(Clone, Copy)]
pub struct TokenEndpoint<'a> {
    /// How it is asked.
    pub fetch: &'a Fetch,
    /// Who it is.
    pub provider: &'a Provider,
    /// Who we are to it.
    pub registration: &'a Registration,
    /// Parameters that the user adds.
    pub params: &'a [(String, String)],
    /// The time that lifetimes count from.
    pub clock: &'a dyn Clock,
    /// What it may be asked; none: as often as the grant takes.
    pub allowance: Option<&'a Allowance>,
}

/// How often a token is asked for at most for one cause, whatever the authorization server answers.
#[derive(Debug)]
pub struct Allowance(AtomicUsize);

impl Default for Allowance {
    fn default() -> Self {
        Self(AtomicUsize::new(2))
    }
}

impl Allowance {
    /// Whether there is another request in it.
    pub(super) fn is_left(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    fn take(&self) -> bool {
        self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// What a token endpoint granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The tokens.
    pub tokens: TokenSet,
    /// The way to prove who we are that worked: the registration remembers it.
    pub method: AuthMethod,
}

/// What is shown for a token.
pub(super) enum Grant<'a> {
    Code { code: &'a Secret<String>, verifier: &'a Secret<String>, redirect_uri: &'a str },
    Refresh { token: &'a Secret<String>, scopes: Option<&'a Scopes> },
    ClientCredentials { scopes: &'a Scopes },
    DeviceCode { code: &'a Secret<String> },
}

/// The parameters of one form, and which of their values are secret.
#[derive(Default)]
pub(super) struct Form<'a> {
    pairs: Vec<(&'a str, String)>,
    secrets: Vec<&'a Secret<String>>,
}

impl<'a> Form<'a> {
    pub(super) fn add(&mut self, name: &'a str, value: impl Into<String>) {
        self.pairs.push((name, value.into()));
    }

    pub(super) fn add_secret(&mut self, name: &'a str, value: &'a Secret<String>) {
        self.pairs.push((name, value.expose().clone()));
        self.secrets.push(value);
    }

    /// Sets a parameter that the user named, in place of one of ours.
    fn set(&mut self, name: &'a str, value: &str) {
        self.pairs.retain(|(given, _)| *given != name);
        self.add(name, value);
    }
}

impl TokenEndpoint<'_> {
    /// The next token set for a refresh token (RFC 6749 §6). What the answer leaves out stays.
    ///
    /// # Errors
    /// `InvalidGrant`: this refresh token is over. A transient failure says nothing about it.
    pub async fn refresh(&self, tokens: &TokenSet, scopes: &Scopes) -> Result<Granted, Failure> {
        let Some(token) = &tokens.refresh_token else {
            return Err(Failure::new(FailureKind::InvalidGrant, "there is no refresh token"));
        };
        let repeats = self.provider.exception().is_some_and(|each| each.refresh_scope);
        let scopes = Some(scopes).filter(|scopes| repeats && !scopes.is_empty());
        let granted = self.grant(&Grant::Refresh { token, scopes }).await?;
        Ok(Granted { tokens: granted.tokens.after(tokens), ..granted })
    }

    pub(super) async fn grant(&self, grant: &Grant<'_>) -> Result<Granted, Failure> {
        let form = self.form(grant);
        let (reply, method) = self.post(form).await?;
        let now = Moment::from(self.clock.wall());
        let body = reply.body().ok_or_else(|| reply.bad("it is too large"))?;
        let tokens = TokenSet::parse(body, now).map_err(|why| match reply.json() {
            Ok(_) => reply.bad(why),
            Err(failure) => failure,
        })?;
        Ok(Granted { tokens, method })
    }

    fn form<'b>(&'b self, grant: &Grant<'b>) -> Form<'b> {
        let mut form = Form::default();
        match grant {
            Grant::Code { code, verifier, redirect_uri } => {
                form.add("grant_type", "authorization_code");
                form.add_secret("code", code);
                form.add("redirect_uri", *redirect_uri);
                form.add_secret("code_verifier", verifier);
            }
            Grant::Refresh { token, scopes } => {
                form.add("grant_type", "refresh_token");
                form.add_secret("refresh_token", token);
                if let Some(scopes) = scopes {
                    form.add("scope", scopes.to_string());
                }
            }
            Grant::ClientCredentials { scopes } => {
                form.add("grant_type", "client_credentials");
                if !scopes.is_empty() {
                    form.add("scope", scopes.to_string());
                }
                if let Some(audience) = self.audience() {
                    form.add("audience", audience);
                }
            }
            Grant::DeviceCode { code } => {
                form.add("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
                form.add_secret("device_code", code);
            }
        }
        if let Some(resource) = &self.provider.resource {
            form.add("resource", resource);
        }
        for (name, value) in self.params {
            form.set(name, value);
        }
        form
    }

    /// The resource under the name that some providers know it by.
    fn audience(&self) -> Option<&str> {
        let wants = self.provider.exception().is_some_and(|each| each.audience);
        self.provider.resource.as_deref().filter(|_| wants)
    }

    /// Sends a form with the client's proof: where that is refused, once more the other way.
    async fn post(&self, form: Form<'_>) -> Result<(Reply, AuthMethod), Failure> {
        let endpoint = self.provider.token_endpoint()?;
        let method = self.registration.method;
        self.allowance.map(Allowance::take);
        let failure = match self.send(endpoint, &form, method).await {
            Ok(reply) => return Ok((reply, method)),
            Err(failure) => failure,
        };
        let other = method.other().filter(|_| self.registration.secret.is_some());
        let may_ask = || self.allowance.is_none_or(Allowance::take);
        // A bare 401 is about the proof too (RFC 6749 §5.2), though it does not name the client.
        let of_proof = failure.kind == FailureKind::InvalidClient
            || (failure.kind == FailureKind::BadAnswer && failure.status == Some(401));
        let Some(other) = other.filter(|_| of_proof && may_ask()) else { return Err(failure) };
        match self.send(endpoint, &form, other).await {
            Ok(reply) => Ok((reply, other)),
            // What is wrong with the way that the server offers tells more.
            Err(second) if second.kind == FailureKind::InvalidClient => Err(failure),
            Err(second) => Err(second),
        }
    }

    /// Sends a form to an endpoint that wants to know who asks; an answer that is a refusal is a failure.
    pub(super) async fn send(
        &self,
        endpoint: &url::Url,
        form: &Form<'_>,
        method: AuthMethod,
    ) -> Result<Reply, Failure> {
        let client = self.registration;
        let mut pairs: Vec<(&str, &str)> =
            form.pairs.iter().map(|(name, value)| (*name, &**value)).collect();
        let mut secrets = form.secrets.clone();
        secrets.extend(&client.secret);
        let (mut authorization, mut assertion) = (None, None);
        match (method, &client.secret, &client.key) {
            (AuthMethod::Basic, Some(secret), _) => {
                authorization = Some(basic(&client.client_id, secret));
                // Some look for the client by the form alone, as the official Python SDK does. It is no second
                // proof (RFC 6749 §2.3).
                pairs.push(("client_id", &client.client_id));
            }
            (AuthMethod::Post, Some(secret), _) => {
                pairs.extend([
                    ("client_id", &*client.client_id),
                    ("client_secret", secret.expose()),
                ]);
            }
            (AuthMethod::PrivateKeyJwt, _, Some(key)) => {
                let now = Moment::from(self.clock.wall());
                assertion =
                    Some(key.assertion(&client.client_id, &self.audience_of_jwt()?, now)?);
            }
            _ => pairs.push(("client_id", &client.client_id)),
        }
        if let Some(assertion) = &assertion {
            pairs.extend([
                ("client_assertion_type", JWT_BEARER),
                ("client_assertion", assertion.expose()),
            ]);
        }
        let reply = self.fetch.post_form(endpoint, &pairs, authorization.as_ref()).await?;
        // Some answer 200 and an error.
        let error = OauthError::of_reply(&reply, &secrets);
        if reply.is_success() && error.is_none() {
            return Ok(reply);
        }
        Err(self.explain(refused(&reply, &secrets)))
    }

    /// The issuer; where it is not known, the endpoint itself (RFC 7523 §3).
    fn audience_of_jwt(&self) -> Result<String, Failure> {
        match self.provider.trust {
            Trust::NamedByUser if self.provider.metadata.authorization_endpoint.is_none() => {
                Ok(self.provider.token_endpoint()?.to_string())
            }
            _ => Ok(self.provider.issuer.clone()),
        }
    }

    fn explain(&self, failure: Failure) -> Failure {
        let hint = match failure.kind {
            FailureKind::InvalidClient if self.registration.secret.is_some() => {
                "check the client id and its secret"
            }
            FailureKind::InvalidTarget => "try without the parameter: `--resource none`",
            _ => return failure,
        };
        failure.hint(hint)
    }
}

/// `client_secret_basic`: each part encoded as in a form first (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &Secret<String>) -> Secret<String> {
    let encode =
        |text: &str| -> String { url::form_urlencoded::byte_serialize(text.as_bytes()).collect() };
    let pair = format!("{}:{}", encode(client_id), encode(secret.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_encodes_each_part_before_it_joins_them() {
        let header = basic("a:b", &Secret::new("p w/+é".into()));
        let pair = STANDARD.decode(header.expose().strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(pair).unwrap(), "a%3Ab:p+w%2F%2B%C3%A9");
    }
}
