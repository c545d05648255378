//! What a refusal of the server means: another token, a person, or nothing that a sign-in cures.

use hyper::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::authorizer::{Authorizer, Bearer, Lack, Untried, refused_gift};
use super::challenge::Challenge;
use super::failure::{Failure, FailureKind};
use super::refresh::{self, Held};
use super::scopes::Scopes;
use super::settings::Grant;
use super::sign_in::Cause;
use super::token::TokenSet;
use crate::clock::{Clock, SystemClock};

/// Operations of which is remembered that they wait for a person.
const MAX_UNMET: usize = 16;

/// What a refusal comes to.
#[derive(Debug)]
pub enum Verdict {
    /// There is another token: once more.
    Again,
    /// A person has to sign in, and why where they did so before.
    SignIn(Option<String>),
    /// Nothing that a sign-in would cure.
    Refused(Failure),
    /// It is not about tokens.
    NotOurs,
}

impl From<Lack> for Verdict {
    fn from(lack: Lack) -> Self {
        match lack {
            Lack::Person => Self::SignIn(None),
            Lack::Failed(failure) => Self::Refused(failure),
        }
    }
}

impl Authorizer {
    /// The server took this token, with a request of this operation: a method and what it names.
    pub fn taken(&self, bearer: &Bearer, operation: impl FnOnce() -> Option<String>) {
        let mut state = self.state();
        let replaced = state.replaced.as_mut().filter(|it| it.is_unmet_by(bearer.generation));
        if let Some((replaced, taken)) = replaced.and_then(|it| Some((it, operation()?))) {
            replaced.unmet.retain(|unmet| *unmet != taken);
        }
        state.untried.take_if(|untried| untried.generation == bearer.generation);
        state.refused.take_if(|(refused, _)| *refused == bearer.generation);
    }

    /// A request of this operation waits for a person.
    pub fn waits(&self, operation: Option<String>) {
        let mut state = self.state();
        let room = state.unmet.len() < MAX_UNMET;
        let news = operation.filter(|operation| room && !state.unmet.contains(operation));
        state.unmet.extend(news);
    }

    /// The server answered 401 or 403.
    pub async fn refused(
        &self,
        status: u16,
        headers: &HeaderMap,
        carried: Option<&Bearer>,
    ) -> Verdict {
        let lines = headers.get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes);
        let challenge = Challenge::from_headers(lines);
        match status {
            401 => self.unauthorized(challenge, carried).await,
            403 => match challenge.filter(Challenge::is_insufficient_scope) {
                Some(challenge) => self.lacks_scope(challenge, carried).await,
                None => Verdict::NotOurs,
            },
            _ => Verdict::NotOurs,
        }
    }

    async fn unauthorized(
        &self,
        challenge: Option<Challenge>,
        carried: Option<&Bearer>,
    ) -> Verdict {
        if let Err(failure) = self.look().await {
            return Verdict::Refused(failure);
        }
        let (held, untried, given) = {
            let mut state = self.state();
            state.cause.challenge.clone_from(&challenge);
            (state.held.clone(), state.untried, state.given)
        };
        let carried = carried.map(|bearer| bearer.generation);
        let held = match held {
            // A sibling, or another request, got another one meanwhile.
            Some(held) if Some(held.generation) != carried => return Verdict::Again,
            Some(held) => held,
            None => return self.without_token(challenge).await,
        };
        if given {
            return Verdict::Refused(refused_gift());
        }
        if let Some(untried) = untried.filter(|untried| untried.generation == held.generation) {
            return self.refused_anew(&held, untried, challenge).await;
        }
        if self.state().has_replaced_in_vain(held.generation, SystemClock.monotonic()) {
            return Verdict::Refused(self.endless(&held, challenge.as_ref()));
        }
        match self.renewed(&held).await {
            Ok(_) => Verdict::Again,
            Err(failure) if failure.leaves_sign_in() => {
                self.state().refused = Some((held.generation, SystemClock.monotonic()));
                Verdict::Refused(failure)
            }
            Err(failure) => {
                self.forget(&held, &failure);
                self.person_for(Cause { challenge, ..Cause::default() }).await.into()
            }
        }
    }

    /// A new token is refused as well. One that came by a refresh may be of a sign-in that the server does
    /// not honour any more; after one that a person earned a moment ago, asking would not end.
    async fn refused_anew(
        &self,
        held: &Held,
        untried: Untried,
        challenge: Option<Challenge>,
    ) -> Verdict {
        let endless = self.endless(held, challenge.as_ref());
        if untried.earned {
            return Verdict::Refused(endless);
        }
        let refused = Some(held.generation);
        let cause = Cause { challenge, refused, ..Cause::default() };
        match self.person_for(cause).await {
            Lack::Person => Verdict::SignIn(Some(endless.reason())),
            Lack::Failed(_) => Verdict::Refused(endless),
        }
    }

    async fn without_token(&self, challenge: Option<Challenge>) -> Verdict {
        if self.sign_in.settings.grant == Grant::ClientCredentials {
            let _turn = self.renewing.lock().await;
            if self.state().held.is_some() {
                return Verdict::Again;
            }
            return match self.own_token().await {
                Ok(_) => Verdict::Again,
                Err(failure) => Verdict::Refused(failure),
            };
        }
        self.person_for(Cause { challenge, ..Cause::default() }).await.into()
    }

    /// 403 for want of scopes: the person is asked once for all that was granted and all that is missing.
    async fn lacks_scope(&self, challenge: Challenge, carried: Option<&Bearer>) -> Verdict {
        if let Err(failure) = self.look().await {
            return Verdict::Refused(failure);
        }
        let wanted = challenge.scope.as_deref().map(Scopes::parse).unwrap_or_default();
        let (generation, given, known) = {
            let state = self.state();
            let generation = state.held.as_ref().map(|held| held.generation);
            (generation, state.given, state.scopes.clone().union(&state.withheld))
        };
        let carried = carried.map(|bearer| bearer.generation);
        if generation.is_some() && generation != carried {
            return Verdict::Again;
        }
        let missing = wanted.without(&known);
        let own = self.sign_in.settings.grant == Grant::ClientCredentials;
        if given || own || missing.is_empty() {
            return Verdict::Refused(self.insufficient(&wanted, &challenge));
        }
        match self.lack().await {
            Lack::Person => {
                self.is_needed(self.stepping_up(challenge, wanted));
                Verdict::SignIn(None)
            }
            Lack::Failed(_) => {
                let refused = self.insufficient(&wanted, &challenge);
                // For a command that asks the person itself.
                let cause = self.stepping_up(challenge, wanted);
                self.state().cause = cause;
                Verdict::Refused(refused)
            }
        }
    }

    /// Two calls that lack different scopes are one question to the person.
    fn stepping_up(&self, mut challenge: Challenge, wanted: Scopes) -> Cause {
        let before = self.state().cause.clone();
        let open = !self.phase.borrow().is_settled();
        let scope = before.challenge.filter(|_| open && before.step_up).and_then(|it| it.scope);
        let why = format!("it wants permissions that were not granted: `{wanted}`");
        let both = wanted.union(&scope.as_deref().map(Scopes::parse).unwrap_or_default());
        challenge.scope = Some(both.to_string());
        Cause { challenge: Some(challenge), step_up: true, why: Some(why), ..Cause::default() }
    }

    fn insufficient(&self, wanted: &Scopes, challenge: &Challenge) -> Failure {
        let server = self.host();
        let state = self.state();
        let withheld = wanted.without(&state.scopes);
        let was_asked = !withheld.is_empty() && withheld.without(&state.withheld).is_empty();
        let what = format!("{server} refused the call: the sign-in lacks permissions");
        let mut cause = if wanted.is_empty() {
            "it does not say which scopes it wants".to_owned()
        } else {
            format!("it wants the scopes `{wanted}`")
        };
        if was_asked {
            let issuer = super::cleaned(state.issuer.as_deref().unwrap_or(&server));
            let granted = format!(", and {issuer} did not grant `{withheld}` when asked for it");
            cause.push_str(&granted);
        }
        cause.push_str(&in_its_words(Some(challenge)));
        // A sign-in for less than there was would lack something else.
        let scopes = state.all_scopes.clone().union(wanted).to_string();
        let scopes = shlex::try_quote(&scopes).unwrap_or_default();
        let command = format!("`bridge login --force --scope {scopes}`");
        let hint = if was_asked {
            format!(
                "ask whoever gives permissions at {server} to grant your account `{withheld}`, then run {command}"
            )
        } else {
            format!("run {command}, or ask whoever runs {server}")
        };
        Failure::new(FailureKind::Refused, what).because(cause).hint(hint)
    }

    /// A token that was granted a moment ago is refused: asking for more of them would not end.
    fn endless(&self, held: &Held, challenge: Option<&Challenge>) -> Failure {
        let state = self.state();
        let issuer = state.issuer.as_deref();
        of_new_token(&self.host(), issuer, &held.tokens, &state.scopes, challenge)
    }
}

/// A token that is new, and refused: what it is good for beside what the server wants. `asked` are its scopes where
/// it does not name them.
pub fn of_new_token(
    server: &str,
    issuer: Option<&str>,
    tokens: &TokenSet,
    asked: &Scopes,
    challenge: Option<&Challenge>,
) -> Failure {
    let issuer = issuer.unwrap_or("the authorization server");
    let what = format!("a new token issued by {issuer} was refused by {server}");
    let granted = tokens.scopes.as_ref().unwrap_or(asked);
    let wanted = challenge.and_then(|challenge| challenge.scope.as_deref());
    let mut cause = format!("it has the scopes `{granted}`");
    match wanted {
        Some(wanted) if Scopes::parse(wanted).without(granted).is_empty() => {
            cause.push_str(", which are all that the server wants");
        }
        Some(wanted) => {
            cause.push_str(&format!(", the server wants `{}`", super::cleaned(wanted)));
        }
        None => {}
    }
    if let Some(audience) = refresh::audience(tokens) {
        cause.push_str(&format!(", and is meant for `{audience}`"));
    }
    cause.push_str(&in_its_words(challenge));
    let hint = "compare `--resource`, `--scope` and `--authorize-param audience=…` with what the server's \
                documentation says, then run `bridge login --force`";
    Failure::new(FailureKind::Loop, what).because(cause).hint(hint)
}

/// What the server said itself, as the end of a sentence.
fn in_its_words(challenge: Option<&Challenge>) -> String {
    let said = challenge.and_then(|challenge| challenge.error_description.as_deref());
    said.map(|said| format!("; it says: {}", super::cleaned(said))).unwrap_or_default()
}
