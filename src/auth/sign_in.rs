//! One sign-in of a person, from the lock to the saved tokens: the same for the helper of a serving
//! process, for `login`, and for a process that keeps nothing.

use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use url::Url;

use super::authorization::{self, Answer, Ask, Pending};
use super::challenge::Challenge;
use super::device::DeviceSignIn;
use super::discovery::discover;
use super::failure::{Failure, FailureKind};
use super::fetch::Fetch;
use super::loopback::{Expected, Hit, Listener};
use super::page::{Names, Outcome};
use super::paste::{PasteError, Pasted};
use super::phase::Invitation;
use super::provider::Provider;
use super::record::Record;
use super::registration::{self, Origin, Registration, Standing, Wanted};
use super::scopes::{self, Scopes};
use super::settings::{RedirectAddress, Settings};
use super::token_endpoint::TokenEndpoint;
use super::vault::Vault;
use crate::clock::{Clock, Moment, SystemClock};
use crate::credentials::Lock;
use crate::secret::Secret;

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
    fn lacks(&self, scopes: &Scopes) -> Scopes {
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
    /// It was begun by another process, which opened the page.
    pub taken_over: bool,
}

/// Shows a person where to sign in.
pub trait Host: Send {
    /// A sign-in has begun: its pages can be opened.
    fn begun<'a>(&'a mut self, begun: &'a Begun) -> BoxFuture<'a, ()>;

    /// What was pasted can't be used, and why; the sign-in goes on.
    fn unusable(&mut self, why: &str);
}

/// What is left out, since the authorization server refused it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Without {
    /// The `resource` parameter.
    resource: bool,
    /// The client that was registered before.
    client: bool,
    /// The `scope` parameter.
    scope: bool,
}

/// What ended the wait for a person.
enum Ended {
    Browser(Hit, Answer),
    Pasted(Answer),
    /// It was no answer to this sign-in, and why.
    Unusable(String),
    Expired,
    /// Another process got tokens, or forgot the sign-in.
    Elsewhere,
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

    /// Asks the person, who comes back by the browser or pastes what it shows.
    ///
    /// # Errors
    /// The sign-in came to nothing; the record says so too.
    pub async fn by_browser(
        &self,
        cause: &Cause,
        _lock: Lock,
        host: &mut dyn Host,
        mut pasted: impl AsyncFnMut() -> Result<Pasted, PasteError>,
    ) -> Result<(), Failure> {
        let mut without = Without::default();
        let mut result = self.ask(cause, without, host, &mut pasted).await;
        while let Err(failure) = &result
            && let Some(less) = self.with_less(failure, without).await?
        {
            tracing::info!("{failure}; asking once more without that");
            without = less;
            result = self.ask(cause, without, host, &mut pasted).await;
        }
        // A record that another command deleted does not come back for that.
        if let Err(failure) = result.as_ref()
            && failure.kind != FailureKind::TakenBack
        {
            self.note(failure).await;
        }
        result
    }

    /// What the next attempt leaves out, after the authorization server refused a parameter.
    async fn with_less(
        &self,
        failure: &Failure,
        before: Without,
    ) -> Result<Option<Without>, Failure> {
        Ok(match failure.kind {
            FailureKind::InvalidTarget if !before.resource => {
                self.vault.change(Record::refuse_resource).await?;
                Some(Without { resource: true, ..before })
            }
            // A client may ask only for scopes that it was registered with.
            FailureKind::InvalidScope if !before.client && self.is_registered().await? => {
                self.vault.change(|record| record.registration = None).await?;
                Some(Without { client: true, ..before })
            }
            FailureKind::InvalidScope if !before.scope && self.settings.scope.is_none() => {
                Some(Without { scope: true, ..before })
            }
            _ => None,
        })
    }

    async fn is_registered(&self) -> Result<bool, Failure> {
        let client = self.vault.load().await?.and_then(|record| record.registration);
        Ok(client.is_some_and(|client| client.origin == Origin::Dynamic))
    }

    async fn ask(
        &self,
        cause: &Cause,
        without: Without,
        host: &mut dyn Host,
        pasted: &mut impl AsyncFnMut() -> Result<Pasted, PasteError>,
    ) -> Result<(), Failure> {
        self.vault.prepare().await?;
        let record = self.vault.load().await?;
        let resumed = match without {
            Without { resource: false, client: false, scope: false } => {
                self.resumed(record.as_ref(), cause).await
            }
            _ => None,
        };
        let why = match &resumed {
            Some(_) => record.and_then(|record| record.asked_because),
            None => cause.why.clone(),
        };
        let (mut listener, pending, taken_over) = match resumed {
            Some((listener, pending)) => (listener, pending, true),
            None if cause.resume => return Ok(()),
            None => {
                let (listener, pending) = self.begin(cause, without).await?;
                (listener, pending, false)
            }
        };
        let page = listener.start_url(pending.state.expose());
        let invitation =
            Invitation { page: page.to_string(), provider: pending.url.expose().clone(), why };
        let begun = Begun { invitation, taken_over };
        let mut is_told = false;
        loop {
            let tell = async {
                if !std::mem::replace(&mut is_told, true) {
                    host.begun(&begun).await;
                }
                std::future::pending().await
            };
            // A browser is quick, and may not end before its page is shown: it is listened to from the start.
            let ended = tokio::select! {
                biased;
                ended = self.wait(&mut listener, &pending, pasted) => ended,
                () = tell => unreachable!(),
            };
            let by_paste = matches!(ended, Ended::Pasted(_));
            let why = match ended {
                Ended::Unusable(why) => why,
                ended => match self.end(&pending, ended).await {
                    // A word that was no code. The code of the browser is still to come.
                    Err(failure) if by_paste && failure.kind == FailureKind::InvalidGrant => {
                        failure.reason()
                    }
                    done => return done,
                },
            };
            host.unusable(&why);
        }
    }

    /// Takes over a sign-in that another process began and did not finish: the same address, the same tab.
    async fn resumed(&self, record: Option<&Record>, cause: &Cause) -> Option<(Listener, Pending)> {
        let pending = record?.pending.clone()?;
        if cause.force || pending.is_over(now()) || !cause.lacks(&pending.scopes).is_empty() {
            return None;
        }
        let uri = Some(pending.redirect_uri.clone());
        let address = RedirectAddress { uri, ..RedirectAddress::default() };
        let listener = Listener::bind(&address, &self.vault.login().id()).ok()?;
        tracing::info!("taking over the sign-in that another process began");
        Some((listener, pending))
    }

    async fn begin(&self, cause: &Cause, without: Without) -> Result<(Listener, Pending), Failure> {
        let provider = self.provider(cause).await?;
        let listener = self.listener()?;
        let scopes =
            if without.scope { Scopes::default() } else { self.scopes(cause, &provider).await? };
        let redirect_uri = listener.redirect_uri().to_owned();
        let known = self.known_client(&provider, Some(&redirect_uri)).await?;
        let is_known = known.is_some();
        let mut client = match known {
            Some(client) => client,
            None => self.new_client(&provider, &redirect_uri, &scopes).await?,
        };
        let mut pending = self.pending(&provider, &client, &redirect_uri, &scopes)?;
        if client.origin == Origin::Dynamic && is_known {
            let fetch = &self.fetch;
            let url = Url::parse(pending.url.expose()).map_err(|_| unusable_url())?;
            let standing = registration::standing(fetch, &url).await;
            if standing != Standing::Alive {
                tracing::info!(?standing, "this client can't ask; registering anew");
                client = self.new_client(&provider, &redirect_uri, &scopes).await?;
                pending = self.pending(&provider, &client, &redirect_uri, &scopes)?;
            }
        }
        let page = listener.start_url(pending.state.expose()).to_string();
        let (saved, why) = (pending.clone(), cause.why.clone());
        self.vault
            .change(move |record| {
                record.registration = Some(client);
                record.pending = Some(saved);
                record.page = Some(Secret::new(page));
                record.asked_because = why;
                record.last_failure = None;
            })
            .await?;
        Ok((listener, pending))
    }

    fn pending(
        &self,
        provider: &Provider,
        client: &Registration,
        redirect_uri: &str,
        scopes: &Scopes,
    ) -> Result<Pending, Failure> {
        let time = self.settings.timeout.unwrap_or(authorization::TIME);
        let params = &self.settings.authorize_params;
        let ask = Ask { redirect_uri, scopes, params, time, now: now() };
        authorization::begin(provider, client, &ask)
    }

    /// Finds out who signs users in, and notes it.
    pub async fn provider(&self, cause: &Cause) -> Result<Provider, Failure> {
        let challenge = cause.challenge.as_ref();
        let found = discover(&self.fetch, &self.server, challenge, &self.settings).await.found?;
        if let Some(record) = self.vault.load().await? {
            record.check_binding(&found)?;
        }
        let noted = found.clone();
        let kept = self.vault.change(move |record| {
            record.set_provider(noted);
            record.provider.clone()
        });
        Ok(kept.await?.unwrap_or(found))
    }

    fn listener(&self) -> Result<Listener, Failure> {
        Listener::bind(&self.settings.redirect, &self.vault.login().id()).map_err(|error| {
            Failure::new(FailureKind::Settings, "the way back from the browser can't be opened")
                .because(error.to_string())
                .hint(error.hint())
        })
    }

    async fn scopes(&self, cause: &Cause, provider: &Provider) -> Result<Scopes, Failure> {
        let challenged = cause.challenge.as_ref().and_then(|challenge| challenge.scope.as_deref());
        let of_server = provider.metadata.scopes_supported.as_ref();
        if let (true, Some(challenged)) = (cause.step_up, challenged) {
            let before = self.vault.load().await?.map(|record| record.scopes).unwrap_or_default();
            return Ok(scopes::step_up(&before, challenged, of_server));
        }
        let fixed = self.settings.scope.as_deref();
        Ok(scopes::select(fixed, challenged, provider.resource_scopes.as_ref(), of_server))
    }

    /// The client that can be used without a request: the user's own, or the one that was registered.
    async fn known_client(
        &self,
        provider: &Provider,
        redirect_uri: Option<&str>,
    ) -> Result<Option<Registration>, Failure> {
        let remembered = self.vault.load().await?.and_then(|record| record.registration);
        let remembered = remembered.as_ref();
        Ok(registration::known(&self.settings, provider, remembered, redirect_uri, now()))
    }

    async fn new_client(
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

    async fn wait(
        &self,
        listener: &mut Listener,
        pending: &Pending,
        pasted: &mut impl AsyncFnMut() -> Result<Pasted, PasteError>,
    ) -> Ended {
        let Ok(url) = Url::parse(pending.url.expose()) else { return Ended::Expired };
        let expected = Expected {
            authorization_url: url,
            foreign_to: pending.foreign_to(),
            state: pending.state.expose().clone(),
            names: self.names.clone(),
            success_url: self.settings.success_url.clone(),
        };
        let ours = |callback: &_| pending.read(callback) != Answer::NotOurs;
        let left = pending.deadline.since(now());
        tokio::select! {
            hit = listener.wait(expected, ours) => {
                let answer = pending.read(hit.callback());
                Ended::Browser(hit, answer)
            }
            pasted = pasted() => match pasted.map(|pasted| read(pending, pasted)) {
                Ok(Answer::NotOurs) => Ended::Unusable(OF_ANOTHER.to_owned()),
                Ok(answer) => Ended::Pasted(answer),
                Err(why) => Ended::Unusable(why.to_string()),
            },
            () = tokio::time::sleep(left) => Ended::Expired,
            () = self.ended_elsewhere(pending) => Ended::Elsewhere,
        }
    }

    /// Resolves when the record no longer waits for this sign-in.
    async fn ended_elsewhere(&self, pending: &Pending) {
        let is_ours = |record: &Record| {
            record.pending.as_ref().is_some_and(|other| other.state == pending.state)
        };
        self.changed_to(|record| !is_ours(record)).await;
    }

    /// Resolves when another process has changed the record to one like that, or has deleted it.
    async fn changed_to(&self, like_that: impl Fn(&Record) -> bool) {
        let mut seen = self.vault.version();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let version = self.vault.version();
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

    async fn end(&self, pending: &Pending, ended: Ended) -> Result<(), Failure> {
        let (hit, answer) = match ended {
            Ended::Browser(hit, answer) => (Some(hit), answer),
            Ended::Pasted(answer) => (None, answer),
            Ended::Unusable(why) => {
                (None, Answer::Failed(Failure::new(FailureKind::BadAnswer, why)))
            }
            Ended::Expired => (None, Answer::Failed(expired())),
            Ended::Elsewhere => {
                let record = self.vault.load().await?;
                let signed_in = record.is_some_and(|record| record.tokens.is_some());
                return if signed_in { Ok(()) } else { Err(taken_back()) };
            }
        };
        let result = match answer {
            Answer::Code(code) => self.redeem(pending, &code).await,
            Answer::Failed(failure) => Err(failure),
            Answer::NotOurs => Err(Failure::new(FailureKind::BadAnswer, OF_ANOTHER)),
        };
        if let Some(hit) = hit {
            let said = hit.callback().error_description.as_deref().map(super::cleaned);
            hit.respond(shown(&result, said)).await;
        }
        result
    }

    async fn redeem(&self, pending: &Pending, code: &Secret<String>) -> Result<(), Failure> {
        let record = self.vault.load().await?.ok_or_else(taken_back)?;
        let (Some(provider), Some(registration)) = (&record.provider, &record.registration) else {
            return Err(taken_back());
        };
        let endpoint = self.endpoint(provider, registration);
        let granted = endpoint.redeem(pending, code).await.map_err(with_another)?;
        let (asked, state) = (pending.scopes.clone(), pending.state.clone());
        let tokens = granted.tokens.clone();
        let waits =
            move |record: &Record| record.pending.as_ref().is_some_and(|own| own.state == state);
        let kept = self.vault.change_if(waits, move |record| record.earn(granted, &asked)).await?;
        if kept.is_none() {
            // Whoever forgot the sign-in meanwhile did not know of these.
            let _ = endpoint.revoke(&tokens).await;
        }
        kept.ok_or_else(taken_back)
    }

    pub(super) fn endpoint<'a>(
        &'a self,
        provider: &'a Provider,
        registration: &'a Registration,
    ) -> TokenEndpoint<'a> {
        let params = &self.settings.token_params;
        TokenEndpoint { fetch: &self.fetch, provider, registration, params, clock: &SystemClock }
    }

    /// Asks the person on another device (RFC 8628).
    ///
    /// # Errors
    /// The sign-in came to nothing.
    pub async fn by_device(
        &self,
        cause: &Cause,
        _lock: Lock,
        shown: impl FnOnce(&DeviceSignIn),
    ) -> Result<(), Failure> {
        let result = self.ask_on_device(cause, shown).await;
        if let Err(failure) = &result {
            self.note(failure).await;
        }
        result
    }

    async fn ask_on_device(
        &self,
        cause: &Cause,
        shown: impl FnOnce(&DeviceSignIn),
    ) -> Result<(), Failure> {
        self.vault.prepare().await?;
        let provider = self.provider(cause).await?;
        let scopes = self.scopes(cause, &provider).await?;
        let client = match self.known_client(&provider, None).await? {
            Some(client) => client,
            None => {
                // It is never used, and servers refuse a registration without one.
                let uri = format!("http://127.0.0.1{}", self.settings.redirect.path);
                self.new_client(&provider, &uri, &scopes).await?
            }
        };
        let endpoint = self.endpoint(&provider, &client);
        let sign_in = endpoint.begin_device(&scopes).await?;
        let deadline = sign_in.deadline;
        self.vault.change(move |record| record.device = Some(deadline)).await?;
        shown(&sign_in);
        let granted = tokio::select! {
            granted = endpoint.wait_for_device(sign_in) => granted?,
            () = self.changed_to(|record| record.device != Some(deadline)) => return Err(taken_back()),
        };
        let tokens = granted.tokens.clone();
        let known = client.clone();
        let waits = move |record: &Record| record.device == Some(deadline);
        let earn = move |record: &mut Record| {
            record.registration = Some(known);
            record.earn(granted, &scopes);
        };
        let kept = self.vault.change_if(waits, earn).await?;
        if kept.is_none() {
            let _ = self.endpoint(&provider, &client).revoke(&tokens).await;
        }
        kept.ok_or_else(taken_back)
    }

    /// Leaves the reason where other processes find it.
    async fn note(&self, failure: &Failure) {
        let noted = failure.clone();
        let now = now();
        let by_person = matches!(failure.kind, FailureKind::Denied | FailureKind::Expired);
        if by_person && matches!(self.vault.load().await, Ok(None)) {
            // Somebody signed out meanwhile: nothing is left, and nothing comes back.
            return;
        }
        let saved = self.vault.change(move |record| {
            record.nobody_is_asked();
            record.note(&noted, now);
        });
        if let Err(error) = saved.await {
            tracing::debug!("the reason could not be kept: {error}");
        }
    }
}

fn now() -> Moment {
    Moment::from(SystemClock.wall())
}

fn shown(result: &Result<(), Failure>, said: Option<String>) -> Outcome {
    match result {
        Ok(()) => Outcome::SignedIn,
        Err(failure) if failure.kind == FailureKind::Denied => Outcome::Denied { said },
        Err(failure) if failure.kind == FailureKind::Expired => Outcome::Expired,
        Err(failure) => Outcome::Failed { why: failure.reason(), said },
    }
}

/// What to do after a sign-in that came to nothing.
pub(super) const ANOTHER: &str =
    "try again: a call begins another sign-in, and so does `bridge login`";

pub(super) fn expired() -> Failure {
    Failure::new(FailureKind::Expired, "nobody finished the sign-in in time").hint(ANOTHER)
}

fn taken_back() -> Failure {
    Failure::new(FailureKind::TakenBack, "the sign-in was taken back by another command")
        .hint("run `bridge login` to begin another")
}

const OF_ANOTHER: &str = "it belongs to another sign-in; paste the address that the browser shows at the end of this one";

fn read(pending: &Pending, pasted: Pasted) -> Answer {
    match pasted {
        Pasted::Response(callback) => pending.read(&callback),
        Pasted::Code(code) => pending.take(&code),
    }
}

/// A code is good for once. The process that used it may have ended before it could keep what it got.
fn with_another(failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::InvalidGrant => failure.hint(ANOTHER),
        _ => failure,
    }
}

fn unusable_url() -> Failure {
    Failure::new(FailureKind::Internal, "the address of the sign-in can't be used")
}
