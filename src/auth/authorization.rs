//! The authorization code grant: the URL that a person opens, and the answer that comes back (RFC 6749
//! §4.1, RFC 7636, RFC 8707, RFC 9207).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::callback::Callback;
use super::exceptions;
use super::failure::{Failure, FailureKind};
use super::oauth_error::OauthError;
use super::provider::Provider;
use super::random;
use super::registration::Registration;
use super::scopes::{OFFLINE_ACCESS, Scopes};
use super::sign_in::DENIED;
use super::site;
use super::token_endpoint::{Grant, Granted, TokenEndpoint};
use crate::clock::Moment;
use crate::secret::Secret;

/// How long a sign-in may take when the user does not say.
pub const TIME: Duration = Duration::from_secs(15 * 60);
/// Longest authorization code.
const MAX_CODE: usize = 8 * 1024;
/// Parameters that the user can't replace: the safety of the sign-in rests on them.
const FIXED: [&str; 6] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// A sign-in that waits for a person: all that is needed to finish it, in this process or another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Names this sign-in in the answer.
    #[serde(with = "crate::secret::exposed")]
    pub state: Secret<String>,
    /// Proves that who asked also redeems (RFC 7636).
    #[serde(with = "crate::secret::exposed")]
    pub verifier: Secret<String>,
    /// Where the answer comes to, exactly as sent.
    pub redirect_uri: String,
    /// What the person opens. It holds the state.
    #[serde(with = "crate::secret::exposed")]
    pub url: Secret<String>,
    /// The client that asks.
    pub client_id: String,
    /// What was asked for.
    pub scopes: Scopes,
    /// Who must answer (RFC 9207).
    pub issuer: String,
    /// Whether it promised to say who it is.
    pub iss_promised: bool,
    /// When it began.
    pub began: Moment,
    /// When it is over.
    pub deadline: Moment,
}

/// What an authorization asks for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Where the answer comes to.
    pub redirect_uri: &'a str,
    /// Scopes; none leaves the parameter out.
    pub scopes: &'a Scopes,
    /// Parameters that the user adds, or puts in place of ours.
    pub params: &'a [(String, String)],
    /// How long it may take.
    pub time: Duration,
    /// When it begins.
    pub now: Moment,
}

/// What came to the redirect URI means to a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It does not belong to this sign-in, which goes on waiting.
    NotOurs,
    /// A code to redeem.
    Code(Secret<String>),
    /// It is over.
    Failed(Failure),
}

/// Begins a sign-in.
///
/// # Errors
/// The provider has no such endpoint or does not check PKCE, or the user's parameters can't be used.
pub fn begin(
    provider: &Provider,
    registration: &Registration,
    ask: &Ask<'_>,
) -> Result<Pending, Failure> {
    provider.pkce()?;
    let endpoint = provider.authorization_endpoint()?;
    if let Some((name, _)) = ask.params.iter().find(|(name, _)| FIXED.contains(&&**name)) {
        let what = format!("`--authorize-param {name}` can't be used");
        return Err(Failure::new(FailureKind::Settings, what)
            .because("the safety of the sign-in rests on this parameter"));
    }
    let (state, verifier) = (random::token()?, random::token()?);
    let mut params: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: &str| {
        params.retain(|(given, _)| given != name);
        params.push((name.to_owned(), value.to_owned()));
    };
    set("response_type", "code");
    set("client_id", &registration.client_id);
    set("redirect_uri", ask.redirect_uri);
    set("state", state.expose());
    set("code_challenge", &random::s256(&verifier));
    set("code_challenge_method", "S256");
    for (name, value) in by_provider(provider, ask.scopes) {
        set(name, &value);
    }
    for (name, value) in ask.params {
        set(name, value);
    }
    Ok(Pending {
        url: Secret::new(with_params(endpoint, &params)),
        state,
        verifier,
        redirect_uri: ask.redirect_uri.to_owned(),
        client_id: registration.client_id.clone(),
        scopes: ask.scopes.clone(),
        issuer: provider.issuer.clone(),
        iss_promised: provider.metadata.authorization_response_iss_parameter_supported,
        began: ask.now,
        deadline: ask.now.plus(ask.time),
    })
}

/// What depends on the provider and may be replaced by the user.
fn by_provider<'a>(provider: &'a Provider, scopes: &Scopes) -> Vec<(&'a str, String)> {
    let mut params = Vec::new();
    if !scopes.is_empty() {
        params.push(("scope", scopes.to_string()));
    }
    if scopes.has(OFFLINE_ACCESS) {
        // Without it the scope is ignored (OpenID Connect Core §11).
        params.push(("prompt", "consent".to_owned()));
    }
    if let Some(resource) = &provider.resource {
        params.push(("resource", resource.clone()));
    }
    if let Some(exception) = provider.exception() {
        let fixed = exception.authorize.iter().map(|(name, value)| (*name, (*value).to_owned()));
        params.extend(fixed);
        let audience = provider.resource.clone().filter(|_| exception.audience);
        params.extend(audience.map(|audience| ("audience", audience)));
    }
    params
}

/// Adds parameters to an endpoint; a query that it has already stays (RFC 6749 §3.1).
fn with_params(endpoint: &Url, params: &[(String, String)]) -> String {
    let mut url = endpoint.clone();
    url.set_fragment(None);
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| params.iter().all(|(given, _)| given != name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(params);
    url.into()
}

impl Pending {
    /// Whether its time is over.
    pub fn is_over(&self, now: Moment) -> bool {
        self.deadline <= now
    }

    /// The issuer's host, where the page of this sign-in is on another site and nothing will say in whose name it
    /// answers: a stranger may have put an honest server's page into a document of their own, to get its codes at
    /// their own token endpoint.
    pub fn foreign_to(&self) -> Option<String> {
        if self.iss_promised || exceptions::for_issuer(&self.issuer).is_some() {
            return None;
        }
        let (issuer, page) = (Url::parse(&self.issuer).ok()?, Url::parse(self.url.expose()).ok()?);
        (!site::is_same(&issuer, &page)).then(|| issuer.host_str().unwrap_or_default().to_owned())
    }

    /// What an answer means. Only one with our `state` counts; who sent it is checked before anything of
    /// it is believed or shown (RFC 9207 §2.4, also for errors).
    pub fn read(&self, callback: &Callback) -> Answer {
        let state = callback.state.as_ref().map_or("", |state| state.expose());
        if !random::is_same(state, self.state.expose()) {
            return Answer::NotOurs;
        }
        if let Err(failure) = self.check_issuer(callback.iss.as_deref()) {
            return Answer::Failed(failure);
        }
        match (&callback.error, &callback.code) {
            (Some(error), _) => {
                Answer::Failed(self.refused(error, callback.error_description.as_deref()))
            }
            (None, Some(code)) => self.take(code),
            (None, None) => Answer::Failed(answer_failure("it holds neither code nor error")),
        }
    }

    /// A code that a person pasted without the rest: that it is theirs is what they say.
    pub fn take(&self, code: &Secret<String>) -> Answer {
        let text = code.expose();
        let usable = !text.is_empty()
            && text.len() <= MAX_CODE
            && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if usable {
            Answer::Code(code.clone())
        } else {
            Answer::Failed(answer_failure("its code can't be one"))
        }
    }

    fn check_issuer(&self, iss: Option<&str>) -> Result<(), Failure> {
        let why = match iss {
            Some(iss) if iss == self.issuer => return Ok(()),
            None if !self.iss_promised => return Ok(()),
            Some(_) => "it names another issuer",
            None => "it does not name its issuer, as the server's metadata promises",
        };
        let what = "the answer to the sign-in is not from the server that was asked";
        Err(Failure::new(FailureKind::IssuerMismatch, what)
            .because(why)
            .hint("sign in again; if it happens again, tell who runs the server"))
    }

    fn refused(&self, error: &str, description: Option<&str>) -> Failure {
        let Some(error) = OauthError::new(error, description) else {
            return answer_failure("its error is empty");
        };
        let failure = error.failure("the sign-in was refused".to_owned());
        match failure.kind {
            FailureKind::Denied => {
                Failure { what: "the sign-in was denied".into(), ..failure }.hint(DENIED)
            }
            FailureKind::InvalidScope if !self.scopes.is_empty() => {
                let hint = format!("`{}` was asked for; name others with `--scope`", self.scopes);
                failure.hint(hint)
            }
            FailureKind::InvalidTarget => {
                failure.hint("try without the parameter: `--resource none`")
            }
            _ => failure,
        }
    }
}

fn answer_failure(why: &str) -> Failure {
    let what = "the answer to the sign-in can't be used";
    Failure::new(FailureKind::BadAnswer, what).because(why)
}

impl TokenEndpoint<'_> {
    /// Redeems a code for tokens (RFC 6749 §4.1.3).
    ///
    /// # Errors
    /// Those of the token endpoint; and when the sign-in was begun with another server or client.
    pub async fn redeem(
        &self,
        pending: &Pending,
        code: &Secret<String>,
    ) -> Result<Granted, Failure> {
        let same = pending.issuer == self.provider.issuer
            && pending.client_id == self.registration.client_id;
        if !same {
            let what = "the sign-in was begun with another authorization server or client";
            return Err(Failure::new(FailureKind::IssuerMismatch, what).hint("sign in again"));
        }
        let (verifier, redirect_uri) = (&pending.verifier, &*pending.redirect_uri);
        self.grant(&Grant::Code { code, verifier, redirect_uri }).await
    }
}
