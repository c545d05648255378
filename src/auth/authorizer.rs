//! The one door to signing in: gives requests their token, and says what a refusal means.
//!
//! It never waits for a person. Where one is needed it says so, and [`Phase`] tells when that changes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use hyper::header::HeaderValue;
use serde_json::value::RawValue;
use tokio::sync::{OnceCell, watch};

use super::failure::{Failure, FailureKind};
use super::phase::{Invitation, Phase};
use super::record::Record;
use super::refresh::{self, Held};
use super::scopes::Scopes;
use super::settings::Grant;
use super::sign_in::{Cause, SignIn};
use crate::clock::{Clock, Moment, SystemClock};
use crate::credentials::Version;
use crate::secret::{Secret, know_credential};

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

impl Bearer {
    /// A token of this generation; none of what no header can hold.
    pub fn of(token: &Secret<String>, generation: u64) -> Option<Self> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
        know_credential(token.expose());
        header.set_sensitive(true);
        Some(Self { header, generation })
    }
}

/// The one door.
pub struct Authorizer {
    pub(super) sign_in: Arc<SignIn>,
    pub(super) usher: Arc<dyn Usher>,
    /// Found out when it is first asked.
    attended: OnceCell<Result<(), Failure>>,
    state: Mutex<State>,
    pub(super) phase: watch::Sender<Phase>,
    /// One renewal at a time in this process; others wait for it and take what it got.
    pub(super) renewing: Arc<tokio::sync::Mutex<()>>,
    /// One look at the record at a time, so that none brings back what a later one replaced.
    looking: tokio::sync::Mutex<()>,
    /// For the tasks of [`super::asking`].
    pub(super) this: Weak<Self>,
}

/// How long nothing new is asked for after tokens that were got for refused ones are refused too.
const BACKOFF: Duration = Duration::from_secs(60);
/// How often a process that holds no token looks whether there is one by now.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct State {
    pub(super) loaded: bool,
    /// When a request last made it look at the record.
    looked: Option<Instant>,
    version: Option<Version>,
    pub(super) held: Option<Held>,
    pub(super) untried: Option<Untried>,
    /// What waits for the person: operations, as in [`Authorizer::waits`].
    pub(super) unmet: Vec<String>,
    /// The last sign-in that took the place of one that was over or refused.
    pub(super) replaced: Option<Replaced>,
    /// The tokens that the server refused, when, and that could not be renewed yet.
    pub(super) refused: Option<(u64, Instant)>,
    /// The tokens that can't be renewed, which may still stand in the record.
    over: Option<u64>,
    pub(super) given: bool,
    pub(super) scopes: Scopes,
    pub(super) issuer: Option<String>,
    /// Answers that were kept with the login.
    remembered: Option<String>,
    /// The server wants a token.
    pub(super) wanted: bool,
    /// Why the tokens that there were are no more.
    pub(super) over_because: Option<String>,
    pub(super) cause: Cause,
    /// The record is being watched for what the person does.
    pub(super) watching: bool,
    /// The person is being asked.
    pub(super) asking: bool,
    /// As [`Record::all_scopes`] and [`Record::withheld`].
    pub(super) all_scopes: Scopes,
    pub(super) withheld: Scopes,
    /// A sign-in waits for the person, by this process or another one.
    pub(super) is_pending: bool,
    /// Another command deleted the record while a sign-in was under way.
    pub(super) taken_back: bool,
    /// What the person did not do the last time.
    pub(super) turned_down: Option<Failure>,
}

impl State {
    /// Whether a person got these tokens a moment ago, and the server did not take since all that waited for them:
    /// where these are refused too, though other requests were taken with them, neither a renewal nor another
    /// page would end it. Once all was taken, a refusal is news.
    pub(super) fn has_replaced_in_vain(&self, generation: u64, now: Instant) -> bool {
        self.replaced.as_ref().is_some_and(|replaced| {
            replaced.is_unmet_by(generation) && now.saturating_duration_since(replaced.at) < BACKOFF
        })
    }

    /// Whether these tokens can be sent as they are.
    fn is_good(&self, held: &Held) -> bool {
        !held.tokens.is_due(now()) && !self.is_refused(held)
    }

    /// Whether the server has just refused these tokens: it would again. A refusal that was a whim of the server
    /// does not count for ever.
    fn is_refused(&self, held: &Held) -> bool {
        self.refused.is_some_and(|(refused, at)| {
            let since = SystemClock.monotonic().saturating_duration_since(at);
            refused == held.generation && since < BACKOFF
        })
    }

    /// Whether the server has not asked for a token, and there was none a moment ago: whoever signs in all
    /// the same is noticed with the next second's first request.
    fn wants_none(&mut self, now: Instant) -> bool {
        let fresh = |looked: Instant| now.saturating_duration_since(looked) < LOOK_EVERY;
        let known = self.loaded && self.held.is_none() && !self.wanted;
        if known && self.looked.is_some_and(fresh) {
            return true;
        }
        self.looked = Some(now);
        false
    }
}

/// Tokens that a person got in the place of others.
#[derive(Debug)]
pub(super) struct Replaced {
    generation: u64,
    at: Instant,
    /// What waited for them, and was not taken since.
    pub(super) unmet: Vec<String>,
}

impl Replaced {
    /// Whether it is about these tokens, and something that waited for them was not taken yet.
    pub(super) fn is_unmet_by(&self, generation: u64) -> bool {
        self.generation == generation && !self.unmet.is_empty()
    }
}

/// Tokens that were granted while this process runs, and that the server did not take yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Untried {
    pub(super) generation: u64,
    /// By a person's sign-in: the next one would not bring better ones.
    pub(super) earned: bool,
}

impl Authorizer {
    /// A door that has not been knocked at.
    pub fn new(sign_in: SignIn, usher: Arc<dyn Usher>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            sign_in: Arc::new(sign_in),
            usher,
            attended: OnceCell::new(),
            state: Mutex::default(),
            phase: watch::Sender::new(Phase::BEFORE),
            renewing: Arc::default(),
            looking: tokio::sync::Mutex::default(),
            this: Weak::clone(this),
        })
    }

    /// Where the sign-in stands, and every change of it.
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- the token of a request

    /// The token for the next request; none where none is known to be wanted.
    ///
    /// # Errors
    /// One is wanted and there is none, or the store can't be read.
    pub async fn bearer(&self) -> Result<Option<Bearer>, Lack> {
        if self.state().wants_none(SystemClock.monotonic()) {
            return Ok(None);
        }
        if self.has_seen(self.sign_in.vault.version().as_ref())
            && let state = self.state()
            && let Some(held) = state.held.as_ref().filter(|held| state.is_good(held))
        {
            return Ok(Some(self.carried(held)?));
        }
        // Boxed, since it is large and seldom needed.
        Box::pin(self.sought()).await
    }

    /// The token for the next request, looked for and renewed where it has to be.
    async fn sought(&self) -> Result<Option<Bearer>, Lack> {
        self.look().await.map_err(Lack::Failed)?;
        let (held, wanted) = {
            let state = self.state();
            (state.held.clone(), state.wanted)
        };
        let Some(held) = held else {
            if !wanted {
                return Ok(None);
            }
            // Where nobody can sign in, the server is asked each time: it may want a token for some requests
            // only.
            return match self.lack().await {
                Lack::Person => Err(Lack::Person),
                Lack::Failed(_) => Ok(None),
            };
        };
        if self.state().is_good(&held) {
            return Ok(Some(self.carried(&held)?));
        }
        match self.renewed(&held).await {
            Ok(held) => Ok(Some(self.carried(&held)?)),
            Err(failure) if failure.leaves_sign_in() => {
                if held.tokens.is_over(now()) || self.state().is_refused(&held) {
                    return Err(Lack::Failed(failure));
                }
                // It may do for a last time.
                tracing::debug!("the token could not be renewed yet: {failure}");
                Ok(Some(self.carried(&held)?))
            }
            Err(failure) => {
                self.forget(&held, &failure);
                let (given, known) = {
                    let state = self.state();
                    (state.given, state.cause.challenge.clone())
                };
                match known {
                    _ if given => Err(Lack::Failed(refused_gift())),
                    // The server says best what it wants.
                    None => Ok(None),
                    challenge => {
                        Err(self.person_for(Cause { challenge, ..Cause::default() }).await)
                    }
                }
            }
        }
    }

    fn carried(&self, held: &Held) -> Result<Bearer, Lack> {
        let token = held.tokens.bearer(self.sign_in.settings.use_id_token);
        Bearer::of(token, held.generation).ok_or_else(|| {
            Lack::Failed(Failure::new(FailureKind::BadAnswer, "the token can't be sent"))
        })
    }

    /// Why a person was needed last.
    pub fn last_cause(&self) -> Cause {
        self.state().cause.clone()
    }

    /// Why there is no token.
    pub(super) async fn lack(&self) -> Lack {
        let attended = self.attended.get_or_init(|| self.usher.attended()).await;
        match attended {
            Ok(()) => Lack::Person,
            Err(failure) => Lack::Failed(self.sign_in.vault.unbegun(failure.clone()).await),
        }
    }

    /// The tokens are over.
    pub(super) fn forget(&self, held: &Held, failure: &Failure) {
        tracing::warn!("the stored sign-in is over: {failure}; a new one is needed");
        let mut state = self.state();
        if state.held.as_ref().is_some_and(|own| own.generation == held.generation) {
            state.held = None;
        }
        state.over = Some(held.generation);
        let why = format!("the sign-in is over: {}", failure.reason());
        state.over_because = Some(super::cleaned(&why));
    }

    /// A person is needed, if there is one.
    pub(super) async fn person_for(&self, mut cause: Cause) -> Lack {
        {
            let mut state = self.state();
            state.wanted = true;
            cause.refused = cause.refused.or(state.over);
            cause.why.clone_from(&state.over_because);
        }
        let lack = self.lack().await;
        match lack {
            Lack::Person => self.is_needed(cause),
            // Somebody may sign in elsewhere, or be asked by a command that knows the cause.
            Lack::Failed(_) => {
                self.state().cause = cause;
                self.watch();
            }
        }
        lack
    }

    /// Takes note of what other processes did to the record. Costs a look at a file.
    pub(super) async fn look(&self) -> Result<(), Failure> {
        if self.has_seen(self.sign_in.vault.version().as_ref()) {
            return Ok(());
        }
        let _turn = self.looking.lock().await;
        let version = self.sign_in.vault.version();
        if self.has_seen(version.as_ref()) {
            return Ok(());
        }
        let record = match &version {
            Some(_) => self.sign_in.vault.load().await?,
            None => None,
        };
        self.take(record, version);
        Ok(())
    }

    fn has_seen(&self, version: Option<&Version>) -> bool {
        let state = self.state();
        state.loaded && state.version.as_ref() == version
    }

    fn take(&self, record: Option<Record>, version: Option<Version>) {
        let mut state = self.state();
        let is_gone = state.version.is_some() && version.is_none();
        state.taken_back |= is_gone && (state.held.is_none() || state.is_pending);
        (state.loaded, state.version) = (true, version);
        if self.sign_in.settings.grant == Grant::ClientCredentials {
            return;
        }
        let pending = record.as_ref().and_then(|record| record.pending.as_ref());
        state.is_pending = pending.is_some_and(|pending| !pending.is_over(now()));
        state.turned_down = record.as_ref().and_then(turned_down);
        state.given = record.as_ref().is_some_and(|record| record.given);
        state.scopes = record.as_ref().map(|record| record.scopes.clone()).unwrap_or_default();
        state.all_scopes = record.as_ref().map(Record::all_scopes).unwrap_or_default();
        state.withheld = record.as_ref().map(|record| record.withheld.clone()).unwrap_or_default();
        let provider = record.as_ref().and_then(|record| record.provider.as_ref());
        state.issuer = provider.map(|provider| provider.issuer.clone());
        let over = state.over;
        let held = record.as_ref().and_then(Held::of);
        let held = held.filter(|held| Some(held.generation) != over);
        let before = state.held.as_ref().map(|held| held.generation);
        let generation = held.as_ref().map(|held| held.generation);
        let remembered = record.as_ref().and_then(|record| record.remembered.as_ref());
        state.remembered = remembered.map(|raw| raw.get().to_owned());
        state.held = held;
        // What comes while a person is still asked for more was only renewed.
        let arrived = generation.filter(|_| generation != before && !state.is_pending);
        if let Some(generation) = arrived {
            if state.wanted || state.cause.step_up {
                state.untried = Some(Untried { generation, earned: true });
            }
            let (at, unmet) = (SystemClock.monotonic(), std::mem::take(&mut state.unmet));
            if state.cause.refused.is_some() {
                state.replaced = Some(Replaced { generation, at, unmet });
            }
            state.wanted = false;
            state.over_because = None;
            state.cause = Cause::default();
        }
        let (waits, held) = (state.is_pending, state.held.as_ref());
        let granted = held.map(|held| (held.generation, grant(held.sign_in, &state.scopes)));
        drop(state);
        self.phase.send_if_modified(|phase| {
            let Some((tokens, grant)) = granted else { return false };
            let other = matches!(phase, Phase::Settled { grant: before, .. } if *before != grant);
            (arrived.is_some() || other) && replace(phase, Phase::Settled { tokens, grant })
        });
        if let Some(record) = record.filter(|_| waits && arrived.is_none()) {
            self.tell(&record);
        }
    }

    /// Tells whoever waits of the page that the record names.
    fn tell(&self, record: &Record) {
        if self.phase.borrow().is_settled() {
            return;
        }
        if let (Some(pending), Some(page)) = (&record.pending, &record.page) {
            let invitation = Invitation {
                page: page.expose().clone(),
                provider: pending.url.expose().clone(),
                why: record.asked_because.clone(),
            };
            self.phase.send_if_modified(|phase| replace(phase, Phase::Pending(invitation)));
        }
    }

    // ---- answers that belong to the login

    /// Which sign-in the token is of, so that answers belong to it; none where there is no token. Client
    /// credentials keep nothing.
    pub fn present_sign_in(&self) -> Option<u64> {
        self.state().held.as_ref().map(|held| held.sign_in)
    }

    /// Answers of the server that were kept with the login.
    pub fn remembered(&self) -> Option<String> {
        self.state().remembered.clone()
    }

    /// Keeps answers with the sign-in that they were got by, unless it is over.
    ///
    /// # Errors
    /// They can't be saved.
    pub async fn remember(&self, sign_in: u64, answers: String) -> Result<(), Failure> {
        if self.sign_in.settings.grant == Grant::ClientCredentials {
            self.state().remembered = Some(answers);
            return Ok(());
        }
        let Ok(raw) = RawValue::from_string(answers.clone()) else { return Ok(()) };
        let is_present =
            move |record: &Record| record.sign_in == sign_in && record.tokens.is_some();
        let keep = move |record: &mut Record| record.remembered = Some(raw);
        let kept = self.sign_in.vault.change_if(is_present, keep).await?;
        let mut state = self.state();
        if kept.is_some() && state.held.as_ref().is_some_and(|held| held.sign_in == sign_in) {
            state.remembered = Some(answers);
        }
        Ok(())
    }

    // ---- renewing

    /// A later token set than this one: a sibling's, or one of our own asking.
    pub(super) async fn renewed(&self, stale: &Held) -> Result<Held, Failure> {
        let turn = Arc::clone(&self.renewing).lock_owned().await;
        let present = self.state().held.clone();
        if let Some(present) = present.filter(|held| held.generation != stale.generation) {
            return Ok(present);
        }
        if self.sign_in.settings.grant == Grant::ClientCredentials {
            return self.own_token().await;
        }
        let SignIn { vault, fetch, settings, .. } = &*self.sign_in;
        let params = settings.token_params.clone();
        let (vault, fetch) = (vault.clone(), fetch.clone());
        let held = refresh::renew(vault, fetch, params, stale.generation, turn).await?;
        // What else stands in the record is seen at the next look.
        let mut state = self.state();
        state.untried = Some(Untried { generation: held.generation, earned: false });
        state.held = Some(held.clone());
        Ok(held)
    }

    /// A token of the client itself, which is kept in memory only.
    pub(super) async fn own_token(&self) -> Result<Held, Failure> {
        let challenge = self.state().cause.challenge.clone();
        let tokens = self.sign_in.by_client(challenge).await?;
        let mut state = self.state();
        let generation = state.held.as_ref().map_or(0, |held| held.generation) + 1;
        let held = Held { tokens, generation, sign_in: 0 };
        state.untried = Some(Untried { generation, earned: true });
        state.held = Some(held.clone());
        state.wanted = false;
        Ok(held)
    }

    /// Why the tokens that there were are no more.
    pub fn over_because(&self) -> Option<String> {
        self.state().over_because.clone()
    }

    /// What a person types to sign in.
    pub fn login_command(&self) -> String {
        self.sign_in.names.command.clone()
    }

    pub(super) fn host(&self) -> String {
        self.sign_in.names.server.clone()
    }
    /// Waits for a renewal that is under way, at the end of the process, and tries once more to save what could
    /// not be saved.
    pub async fn finish(&self) {
        let _turn = self.renewing.lock().await;
        let SignIn { vault, fetch, settings, .. } = &*self.sign_in;
        if let Err(failure) = refresh::save_again(vault, fetch, &settings.token_params).await {
            tracing::warn!(
                "the renewed sign-in is lost with this process: {failure}; the next start asks you to sign in \
                 anew"
            );
        }
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

/// What the person did not do the last time: none is asked again by itself.
fn turned_down(record: &Record) -> Option<Failure> {
    let over = record.pending.as_ref().is_some_and(|pending| pending.is_over(now()));
    let last = record.last_failure.as_ref().filter(|last| last.by_person);
    match last {
        Some(last) => Some(super::asking::came_to_nothing(Some(last.clone()))),
        None => over.then(super::sign_in::expired),
    }
}

/// Names a sign-in together with its scopes.
fn grant(sign_in: u64, scopes: &Scopes) -> u64 {
    let mut hasher = DefaultHasher::new();
    (sign_in, scopes).hash(&mut hasher);
    hasher.finish()
}

pub(super) fn replace(phase: &mut Phase, with: Phase) -> bool {
    let changed = *phase != with;
    *phase = with;
    changed
}

pub(super) fn refused_gift() -> Failure {
    Failure::new(FailureKind::Refused, "the token that was given by `--with-token` is refused")
        .because("it is wrong, expired or revoked")
        .hint("give another: `bridge login --with-token`")
}

pub(super) fn now() -> Moment {
    Moment::from(SystemClock.wall())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_token_that_anybody_wants_the_record_is_looked_at_once_a_second() {
        let begin = Instant::now();
        let at = |milliseconds| begin + Duration::from_millis(milliseconds);
        let mut state = State::default();
        assert!(!state.wants_none(at(0)), "nobody has looked yet");
        assert!(!state.wants_none(at(1)), "the look came to nothing");
        state.loaded = true;
        assert!(state.wants_none(at(2)) && state.wants_none(at(1_000)));
        assert!(!state.wants_none(at(1_001)));
        assert!(state.wants_none(at(1_002)));
        state.wanted = true;
        assert!(!state.wants_none(at(1_003)), "the server wants one");
    }
}
