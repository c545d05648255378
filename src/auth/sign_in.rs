//! One sign-in of a person: the same for the helper of a serving process, for `login`, and for a process that
//! keeps nothing. How the person does it stands in [`super::tab`] and [`super::device`].

use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use url::Url;

use super::challenge::Challenge;
use super::discovery::discover;
use super::failure::{Failure, FailureKind};
use super::fetch::Fetch;
use super::loopback::usual_redirect;
use super::page::Names;
use super::phase::Invitation;
use super::provider::Provider;
use super::record::Record;
use super::registration::{self, Registration, Wanted};
use super::scopes::{self, Scopes};
use super::settings::Settings;
use super::token_endpoint::TokenEndpoint;
use super::vault::Vault;
use crate::clock::{Clock, Moment, SystemClock};

/// How often it is looked whether another process has ended the sign-in.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// All that a sign-in at one server needs.
pub struct SignIn {
    /// The login's record.
    pub vault: Vault,
    /// How authorization servers are asked.
    pub fetch: Fetch,
    /// The MCP endpoint.
    pub server: Url,
    /// What the user fixed.
    pub settings: Settings,
    /// How the pages name whom it concerns.
    pub names: Names,
    /// The machine that this runs on.
    pub machine: Option<String>,
    /// The issuer that a client of its own was first shown to.
    pub client_issuer: OnceLock<String>,
}

/// Why a person is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What the server said.
    pub challenge: Option<Challenge>,
    /// The token lacks scopes; what it has stays asked for.
    pub step_up: bool,
    /// The person asks anew: what is under way is left.
    pub force: bool,
    /// The server refuses the tokens of this generation, new as they are.
    #[serde(default)]
    pub refused: Option<u64>,
    /// Only what was begun goes on: no page opens.
    #[serde(default)]
    pub resume: bool,
    /// What the client calls itself that the person goes back to.
    pub client: Option<String>,
    /// Why a person who had signed in before is asked again.
    #[serde(default)]
    pub why: Option<String>,
}

impl Cause {
    /// The scopes that the person is asked for and that are not among these.
    pub(super) fn lacks(&self, scopes: &Scopes) -> Scopes {
        let challenge = self.challenge.as_ref().filter(|_| self.step_up);
        let wanted = challenge.and_then(|challenge| challenge.scope.as_deref());
        wanted.map(|wanted| Scopes::parse(wanted).without(scopes)).unwrap_or_default()
    }
}

/// A sign-in that has begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Its pages.
    pub invitation: Invitation,
    /// How the person comes to them.
    pub way: Way,
}

/// How a person comes to the pages of a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A page has to be opened.
    Open,
    /// Another process began the sign-in, and opened the page.
    TakenOver,
    /// The tab of the attempt before leads there: the authorization server refused a parameter of that.
    SameTab,
}

/// The record that a sign-in is of: how it was named when that began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ours {
    sign_in: u64,
    turn: u64,
}

impl Ours {
    fn of(record: &Record) -> Self {
        Self { sign_in: record.sign_in, turn: record.turn }
    }

    /// Whether it is this one, and nobody has taken the sign-in over.
    pub(super) fn is(self, record: &Record) -> bool {
        self == Self::of(record)
    }
}

/// Shows a person where to sign in.
pub trait Host: Send {
    /// A sign-in has begun: its pages can be opened.
    fn begun<'a>(&'a mut self, begun: &'a Begun) -> BoxFuture<'a, ()>;

    /// What was pasted can't be used, and why; the sign-in goes on.
    fn unusable(&mut self, why: &str);
}

impl SignIn {
    /// Whether there are tokens already that serve: another process got them meanwhile.
    ///
    /// # Errors
    /// The record can't be read.
    pub async fn is_settled(&self, cause: &Cause) -> Result<bool, Failure> {
        let record = self.vault.load().await?;
        let Some(record) = record.filter(|record| record.tokens.is_some()) else {
            return Ok(false);
        };
        let refused = cause.refused == Some(record.generation);
        Ok(!refused && cause.lacks(&record.scopes).is_empty())
    }

    /// The record that a sign-in is of, begun where there is none, once it is proved that it can be saved. One
    /// that another command deletes from now on does not come back, and one that it begins is not ours.
    pub(super) async fn ours(&self) -> Result<Ours, Failure> {
        self.vault.prepare().await?;
        match self.vault.load().await? {
            Some(record) => Ok(Ours::of(&record)),
            None => self.vault.change(|record| Ours::of(record)).await,
        }
    }

    /// Changes the record that this sign-in is of.
    ///
    /// # Errors
    /// `TakenBack`: another command has deleted it, or taken the sign-in over.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        ours: Ours,
        change: impl FnOnce(&mut Record) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let is_ours = move |record: &Record| ours.is(record);
        self.vault.change_if(is_ours, change).await?.ok_or_else(taken_back)
    }

    pub(super) async fn discovered(&self, cause: &Cause) -> Result<Provider, Failure> {
        let challenge = cause.challenge.as_ref();
        discover(&self.fetch, &self.server, challenge, &self.settings).await.found
    }

    pub(super) async fn note_provider(
        &self,
        found: Provider,
        ours: Ours,
    ) -> Result<Provider, Failure> {
        if let Some(record) = self.vault.load().await? {
            record.check_binding(&found)?;
        }
        let noted = found.clone();
        let kept = self.change(ours, move |record| {
            record.set_provider(noted);
            record.provider.clone()
        });
        Ok(kept.await?.unwrap_or(found))
    }

    pub(super) async fn scopes(
        &self,
        cause: &Cause,
        provider: &Provider,
    ) -> Result<Scopes, Failure> {
        let challenged = cause.challenge.as_ref().and_then(|challenge| challenge.scope.as_deref());
        let of_server = provider.metadata.scopes_supported.as_ref();
        if let (true, Some(challenged)) = (cause.step_up, challenged) {
            let record = self.vault.load().await?;
            let before = record.map(|record| record.all_scopes()).unwrap_or_default();
            return Ok(scopes::step_up(&before, challenged, of_server));
        }
        let fixed = self.settings.scope.as_deref();
        Ok(scopes::select(fixed, challenged, provider.resource_scopes.as_ref(), of_server))
    }

    /// The ways in which this program can become known to who signs users in. Nothing is asked of anybody.
    ///
    /// # Errors
    /// There is none, and what to do.
    pub async fn ways_to_register(
        &self,
        provider: &Provider,
    ) -> Result<Vec<&'static str>, Failure> {
        let remembered = self.vault.load().await.ok().flatten();
        let remembered = remembered.as_ref().and_then(|record| record.registration.as_ref());
        let uri = usual_redirect(&self.settings.redirect, &self.vault.login().way_back());
        registration::ways(&self.settings, provider, remembered, &uri, now())
    }

    /// What makes the sign-in be found that is kept in another store than the one that was chosen, if there is one.
    pub async fn beside(&self) -> Option<String> {
        let nothing = Failure::new(FailureKind::Unattended, "");
        self.vault.unbegun(nothing).await.hint
    }

    /// The client that can be used without a request: the user's own, or the one that was registered.
    pub(super) async fn known_client(
        &self,
        provider: &Provider,
        redirect_uri: Option<&str>,
    ) -> Result<Option<Registration>, Failure> {
        let remembered = self.vault.load().await?.and_then(|record| record.registration);
        let remembered = remembered.as_ref();
        Ok(registration::known(&self.settings, provider, remembered, redirect_uri, now()))
    }

    pub(super) async fn new_client(
        &self,
        provider: &Provider,
        redirect_uri: &str,
        scopes: &Scopes,
    ) -> Result<Registration, Failure> {
        let redirect_uris = [redirect_uri.to_owned()];
        let machine = self.machine.as_deref();
        let wanted = Wanted { redirect_uris: &redirect_uris, scopes, machine };
        registration::register(&self.fetch, provider, &self.settings, &wanted, now()).await
    }

    /// Resolves when another process has changed the record to one like that, or has deleted it.
    pub(super) async fn changed_to(&self, like_that: impl Fn(&Record) -> bool) {
        let mut seen = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let version = Some(self.vault.version());
            if version == seen {
                continue;
            }
            seen = version;
            let Ok(record) = self.vault.load().await else { continue };
            if record.as_ref().is_none_or(&like_that) {
                return;
            }
        }
    }

    pub(super) fn endpoint<'a>(
        &'a self,
        provider: &'a Provider,
        registration: &'a Registration,
    ) -> TokenEndpoint<'a> {
        let params = &self.settings.token_params;
        let fetch = &self.fetch;
        let (clock, allowance) = (&SystemClock, None);
        TokenEndpoint { fetch, provider, registration, params, clock, allowance }
    }

    /// Leaves the reason where other processes find it, unless it is that another command ended it.
    pub(super) async fn note(&self, failure: &Failure, ours: Ours) {
        if failure.kind == FailureKind::TakenBack {
            return;
        }
        let noted = failure.clone();
        let now = now();
        let saved = self.change(ours, move |record| {
            record.nobody_is_asked();
            record.note(&noted, now);
        });
        if let Err(error) = saved.await {
            tracing::debug!("the reason could not be kept: {error}");
        }
    }

    /// Work that asks the authorization server and changes nothing here: it is left where another command takes
    /// the sign-in over, or forgets it.
    pub(super) async fn unless_taken_over<T>(
        &self,
        ours: Ours,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            done = work => done,
            () = self.changed_to(|record| !ours.is(record)) => Err(taken_back()),
        }
    }
}

pub(super) fn now() -> Moment {
    Moment::from(SystemClock.wall())
}

/// What to do after a sign-in that came to nothing.
pub(super) const ANOTHER: &str =
    "try again: a call begins another sign-in, and so does `bridge login`";

/// What to do after a no.
pub(super) const DENIED: &str = "if that was not meant, sign in again and allow it: a call begins another \
     sign-in, and so does `bridge login`";

pub(super) fn expired() -> Failure {
    Failure::new(FailureKind::Expired, "nobody finished the sign-in in time").hint(ANOTHER)
}

pub(super) fn taken_back() -> Failure {
    Failure::new(FailureKind::TakenBack, "the sign-in was taken back by another command")
        .hint("run `bridge login` to begin another")
}
