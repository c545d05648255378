//! The one door to signing in: gives requests their token, and says what a refusal means.
//!
//! It never waits for a person. Where one is needed it says so, and [`Phase`] tells when that changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use hyper::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use tokio::sync::{OnceCell, watch};

use super::challenge::Challenge;
use super::failure::{Failure, FailureKind};
use super::phase::{Invitation, Phase};
use super::record::Record;
use super::refresh::{self, Held};
use super::scopes::Scopes;
use super::settings::Grant;
use super::sign_in::{Cause, SignIn};
use crate::clock::{Clock, Moment, SystemClock};
use crate::credentials::{LockKind, Version};

/// How often the record is looked at while a person signs in, and for how long oftener.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_OFTEN: Duration = Duration::from_millis(100);
const OFTEN_FOR: Duration = Duration::from_secs(5);

/// Brings a person to the page, outside of this process where that is possible.
pub trait Usher: Send + Sync {
    /// Begins a sign-in, unless another process is at it. Resolves when nothing more will come of what it
    /// began: the record tells what did.
    fn ask(&self, cause: Cause) -> BoxFuture<'static, Result<(), Failure>>;

    /// Whether there is a person to ask.
    ///
    /// # Errors
    /// There is none, and what to do about it.
    fn attended(&self) -> BoxFuture<'static, Result<(), Failure>>;
}

/// A token as a request carries it.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// `Authorization`, marked as sensitive.
    pub header: HeaderValue,
    /// Which token set it is of.
    pub generation: u64,
}

/// What a refusal comes to.
#[derive(Debug)]
pub enum Verdict {
    /// There is another token: once more.
    Again,
    /// A person has to sign in.
    SignIn,
    /// Nothing that a sign-in would cure.
    Refused(Failure),
    /// It is not about tokens.
    NotOurs,
}

/// The one door.
pub struct Authorizer {
    sign_in: Arc<SignIn>,
    usher: Arc<dyn Usher>,
    /// Found out when it is first asked.
    attended: OnceCell<Result<(), Failure>>,
    state: Mutex<State>,
    phase: watch::Sender<Phase>,
    /// One renewal at a time in this process; others wait for it and take what it got.
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    loaded: bool,
    version: Option<Version>,
    held: Option<Held>,
    /// Granted while this process runs, and not taken by the server yet.
    untried: Option<u64>,
    given: bool,
    scopes: Scopes,
    issuer: Option<String>,
    /// The server wants a token.
    wanted: bool,
    cause: Cause,
    /// The record is being watched for what the person does.
    watching: bool,
}

impl Authorizer {
    /// A door that has not been knocked at.
    pub fn new(sign_in: SignIn, usher: Arc<dyn Usher>) -> Arc<Self> {
        Arc::new(Self {
            sign_in: Arc::new(sign_in),
            usher,
            attended: OnceCell::new(),
            state: Mutex::default(),
            phase: watch::Sender::new(Phase::Settled(0)),
            renewing: tokio::sync::Mutex::new(()),
        })
    }

    /// Where the sign-in stands, and every change of it.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- the token of a request

    /// The token for the next request; none where none is known to be wanted.
    ///
    /// # Errors
    /// One is wanted and there is none, or the store can't be read.
    pub async fn bearer(&self) -> Result<Option<Bearer>, Lack> {
        self.look().await.map_err(Lack::Failed)?;
        let (held, wanted) = {
            let state = self.state();
            (state.held.clone(), state.wanted)
        };
        let Some(held) = held else {
            return if wanted { Err(self.lack().await) } else { Ok(None) };
        };
        if !held.tokens.is_due(now()) {
            return Ok(Some(self.carried(&held)?));
        }
        match self.renewed(&held).await {
            Ok(held) => Ok(Some(self.carried(&held)?)),
            // It may do for a last time.
            Err(failure) if failure.is_transient() && !held.tokens.is_over(now()) => {
                tracing::debug!("the token could not be renewed yet: {failure}");
                Ok(Some(self.carried(&held)?))
            }
            Err(failure) if failure.is_transient() => Err(Lack::Failed(failure)),
            Err(failure) => Err(self.ended(&held, &failure).await),
        }
    }

    fn carried(&self, held: &Held) -> Result<Bearer, Lack> {
        let token = held.tokens.bearer(self.sign_in.settings.use_id_token).expose();
        let header = HeaderValue::try_from(format!("Bearer {token}"));
        let mut header = header.map_err(|_| {
            Lack::Failed(Failure::new(FailureKind::BadAnswer, "the token can't be sent"))
        })?;
        header.set_sensitive(true);
        Ok(Bearer { header, generation: held.generation })
    }

    /// Why there is no token.
    async fn lack(&self) -> Lack {
        let attended = self.attended.get_or_init(|| self.usher.attended()).await;
        match attended {
            Ok(()) => Lack::Person,
            Err(failure) => Lack::Failed(failure.clone()),
        }
    }

    /// The tokens are over, and a person has to earn the next ones.
    async fn ended(&self, held: &Held, failure: &Failure) -> Lack {
        tracing::info!("the token can't be renewed: {failure}");
        let given = {
            let mut state = self.state();
            if state.held.as_ref().is_some_and(|own| own.generation == held.generation) {
                state.held = None;
            }
            state.wanted = true;
            state.given
        };
        if given {
            return Lack::Failed(refused_gift());
        }
        self.is_needed(Cause::default());
        self.lack().await
    }

    /// Takes note of what other processes did to the record. Costs a look at a file.
    async fn look(&self) -> Result<(), Failure> {
        let version = self.sign_in.vault.version();
        {
            let state = self.state();
            if state.loaded && state.version == version {
                return Ok(());
            }
        }
        let record = match &version {
            Some(_) => self.sign_in.vault.load().await?,
            None => None,
        };
        self.take(record, version);
        Ok(())
    }

    fn take(&self, record: Option<Record>, version: Option<Version>) {
        let mut state = self.state();
        (state.loaded, state.version) = (true, version);
        if self.sign_in.settings.grant == Grant::ClientCredentials {
            return;
        }
        let held = record.as_ref().and_then(Held::of);
        let before = state.held.as_ref().map(|held| held.generation);
        let generation = held.as_ref().map(|held| held.generation);
        if let Some(record) = &record {
            state.given = record.given;
            state.scopes = record.scopes.clone();
            state.issuer = record.provider.as_ref().map(|provider| provider.issuer.clone());
        }
        state.held = held;
        let arrived = generation.filter(|_| generation != before);
        if let Some(generation) = arrived {
            if state.wanted {
                state.untried = Some(generation);
            }
            state.wanted = false;
            state.cause = Cause::default();
        }
        drop(state);
        self.tell(record.as_ref(), arrived);
    }

    /// Tells whoever waits what the record says.
    fn tell(&self, record: Option<&Record>, arrived: Option<u64>) {
        if let Some(generation) = arrived {
            self.phase.send_if_modified(|phase| replace(phase, Phase::Settled(generation)));
            return;
        }
        let Some(record) = record else { return };
        let open = !matches!(*self.phase.borrow(), Phase::Settled(_));
        if !open {
            return;
        }
        if let (Some(pending), Some(page)) = (&record.pending, &record.page) {
            let invitation =
                Invitation { page: page.expose().clone(), provider: pending.url.expose().clone() };
            self.phase.send_if_modified(|phase| replace(phase, Phase::Pending(invitation)));
        }
    }

    // ---- renewing

    /// A later token set than this one: a sibling's, or one of our own asking.
    async fn renewed(&self, stale: &Held) -> Result<Held, Failure> {
        let _turn = self.renewing.lock().await;
        let present = self.state().held.clone();
        if let Some(present) = present.filter(|held| held.generation != stale.generation) {
            return Ok(present);
        }
        if self.sign_in.settings.grant == Grant::ClientCredentials {
            return self.own_token().await;
        }
        let SignIn { vault, fetch, settings, .. } = &*self.sign_in;
        let params = settings.token_params.clone();
        let held = refresh::renew(vault.clone(), fetch.clone(), params, stale.generation).await?;
        let mut state = self.state();
        state.version = vault.version();
        state.untried = Some(held.generation);
        state.held = Some(held.clone());
        Ok(held)
    }

    /// A token of the client itself, which is kept in memory only.
    async fn own_token(&self) -> Result<Held, Failure> {
        let challenge = self.state().cause.challenge.clone();
        let tokens = self.sign_in.by_client(challenge).await?;
        let mut state = self.state();
        let generation = state.held.as_ref().map_or(0, |held| held.generation) + 1;
        let held = Held { tokens, generation };
        state.untried = Some(generation);
        state.held = Some(held.clone());
        state.wanted = false;
        Ok(held)
    }

    // ---- what a refusal means

    /// The server took this token.
    pub fn taken(&self, bearer: &Bearer) {
        let mut state = self.state();
        if state.untried == Some(bearer.generation) {
            state.untried = None;
        }
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
        if untried == Some(held.generation) {
            return Verdict::Refused(self.endless(&held, challenge.as_ref()));
        }
        match self.renewed(&held).await {
            Ok(_) => Verdict::Again,
            Err(failure) if failure.is_transient() => Verdict::Refused(failure),
            Err(failure) => match self.ended(&held, &failure).await {
                Lack::Person => Verdict::SignIn,
                Lack::Failed(failure) => Verdict::Refused(failure),
            },
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
        self.state().wanted = true;
        self.is_needed(Cause { challenge, ..Cause::default() });
        match self.lack().await {
            Lack::Person => Verdict::SignIn,
            Lack::Failed(failure) => Verdict::Refused(failure),
        }
    }

    /// 403 for want of scopes: the person is asked once for all that was granted and all that is missing.
    async fn lacks_scope(&self, challenge: Challenge, carried: Option<&Bearer>) -> Verdict {
        if let Err(failure) = self.look().await {
            return Verdict::Refused(failure);
        }
        let wanted = challenge.scope.as_deref().map(Scopes::parse).unwrap_or_default();
        let (generation, untried, given, granted) = {
            let state = self.state();
            let generation = state.held.as_ref().map(|held| held.generation);
            (generation, state.untried, state.given, state.scopes.clone())
        };
        let carried = carried.map(|bearer| bearer.generation);
        if generation.is_some() && generation != carried {
            return Verdict::Again;
        }
        let missing = wanted.without(&granted);
        let own = self.sign_in.settings.grant == Grant::ClientCredentials;
        if given || own || wanted.is_empty() || missing.is_empty() || untried == generation {
            return Verdict::Refused(self.insufficient(&wanted));
        }
        self.is_needed(Cause { challenge: Some(challenge), step_up: true, ..Cause::default() });
        match self.lack().await {
            Lack::Person => Verdict::SignIn,
            Lack::Failed(_) => Verdict::Refused(self.insufficient(&wanted)),
        }
    }

    fn insufficient(&self, wanted: &Scopes) -> Failure {
        let server = self.host();
        let what = format!("{server} refused the call: the sign-in lacks permissions");
        let cause = if wanted.is_empty() {
            "it does not say which scopes it wants".to_owned()
        } else {
            format!("it wants the scopes `{wanted}`")
        };
        let hint =
            format!("run `bridge login` with `--scope \"{wanted}\"`, or ask whoever runs {server}");
        Failure::new(FailureKind::Refused, what).because(cause).hint(hint)
    }

    /// A token that was granted a moment ago is refused: asking for more of them would not end.
    fn endless(&self, held: &Held, challenge: Option<&Challenge>) -> Failure {
        let state = self.state();
        let issuer = state.issuer.clone().unwrap_or_else(|| "the authorization server".into());
        let server = self.host();
        let what = format!("a new token issued by {issuer} was refused by {server}");
        let granted = held.tokens.scopes.as_ref().unwrap_or(&state.scopes);
        let wanted = challenge.and_then(|challenge| challenge.scope.as_deref());
        let said = challenge.and_then(|challenge| challenge.error_description.as_deref());
        let mut cause = format!("it has the scopes `{granted}`");
        if let Some(wanted) = wanted {
            cause.push_str(&format!(", the server wants `{}`", super::cleaned(wanted)));
        }
        if let Some(audience) = refresh::audience(&held.tokens) {
            cause.push_str(&format!(", and is meant for `{audience}`"));
        }
        if let Some(said) = said {
            cause.push_str(&format!("; it says: {}", super::cleaned(said)));
        }
        let hint = "compare `--resource` and `--scope` with what the server's documentation says, then run \
                    `bridge login --force`";
        Failure::new(FailureKind::Loop, what).because(cause).hint(hint)
    }

    fn host(&self) -> String {
        self.sign_in.server.host_str().unwrap_or("the server").to_owned()
    }

    fn is_needed(&self, cause: Cause) {
        self.state().cause = cause;
        self.phase.send_if_modified(|phase| {
            matches!(phase, Phase::Settled(_)) && replace(phase, Phase::Needed)
        });
    }

    // ---- the person

    /// Asks the person to sign in, unless that is under way, and tells by the phase what comes of it.
    pub fn ask(self: &Arc<Self>, client: Option<String>) {
        let cause = Cause { client, ..self.state().cause.clone() };
        let this = Arc::clone(self);
        if std::mem::replace(&mut self.state().watching, true) {
            return;
        }
        tokio::spawn(async move {
            let asked = this.usher.ask(cause);
            let began = Instant::now();
            let ended = tokio::select! {
                ended = asked => Some(ended),
                () = this.watch(began) => None,
            };
            if let Some(ended) = ended {
                this.ask_ended(ended).await;
            }
            this.state().watching = false;
        });
    }

    /// What the usher began came to its end.
    async fn ask_ended(&self, ended: Result<(), Failure>) {
        let looked = self.look().await;
        if matches!(*self.phase.borrow(), Phase::Settled(_)) {
            return;
        }
        if let Err(failure) = looked.and(ended) {
            self.phase.send_replace(Phase::Failed(failure));
            return;
        }
        // Another process is at it, or did not get to its end.
        let began = Instant::now();
        let gone = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let free = self.sign_in.vault.try_lock(LockKind::SignIn).await;
                if matches!(free, Ok(Some(_))) {
                    break;
                }
            }
        };
        tokio::select! {
            () = self.watch(began) => {}
            () = gone => {
                let _ = self.look().await;
                if !matches!(*self.phase.borrow(), Phase::Settled(_)) {
                    self.phase.send_replace(Phase::Failed(self.last_failure().await));
                }
            }
        }
    }

    async fn last_failure(&self) -> Failure {
        let record = self.sign_in.vault.load().await.ok().flatten();
        let reason = record.and_then(|record| record.last_failure).map(|last| last.reason);
        let failure = Failure::new(FailureKind::Denied, "the sign-in came to nothing");
        match reason {
            Some(reason) => failure.because(reason),
            None => failure.because("the process that waited for it ended"),
        }
        .hint("call again to begin another, or run `bridge login`")
    }

    /// Looks at the record until there is a token.
    async fn watch(&self, began: Instant) {
        loop {
            let often = began.elapsed() < OFTEN_FOR;
            tokio::time::sleep(if often { LOOK_OFTEN } else { LOOK_EVERY }).await;
            if let Err(failure) = self.look().await {
                tracing::debug!("the record can't be read: {failure}");
            }
            if matches!(*self.phase.borrow(), Phase::Settled(_)) {
                return;
            }
        }
    }

    /// Waits for a renewal that is under way, at the end of the process.
    pub async fn finish(&self) {
        let _ = self.renewing.lock().await;
    }
}

/// Why a request has no token to carry.
#[derive(Debug)]
pub enum Lack {
    /// A person has to sign in.
    Person,
    /// Nothing that a page would cure.
    Failed(Failure),
}

fn replace(phase: &mut Phase, with: Phase) -> bool {
    let changed = *phase != with;
    *phase = with;
    changed
}

fn refused_gift() -> Failure {
    Failure::new(FailureKind::Refused, "the token that was given by `--with-token` is refused")
        .because("it is wrong, expired or revoked")
        .hint("give another: `bridge login --with-token`")
}

fn now() -> Moment {
    Moment::from(SystemClock.wall())
}
