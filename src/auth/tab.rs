//! A sign-in in the browser, from the page that opens to the one that says how it ended. One tab shows it
//! all: what the authorization server refuses on the way opens no other.

use url::Url;

use super::adoption::is_for;
use super::authorization::{self, Answer, Ask, Pending};
use super::failure::{Failure, FailureKind};
use super::loopback::{Expected, Hit, Listener};
use super::page::Outcome;
use super::paste::{PasteError, Pasted};
use super::phase::Invitation;
use super::provider::Provider;
use super::record::Record;
use super::registration::{self, Origin, Registration, Standing};
use super::scopes::Scopes;
use super::settings::RedirectAddress;
use super::sign_in::{ANOTHER, Begun, Cause, Host, Ours, SignIn, Way, expired, now, taken_back};
use super::token_endpoint::Allowance;
use crate::credentials::Lock;
use crate::secret::Secret;

/// Pasted lines that are no answer of the browser, until nobody asks for another.
const MAX_PASTED: usize = 5;

/// What one attempt leaves for the next.
struct Tab {
    /// The record that it is for.
    ours: Ours,
    /// Where it comes back to.
    listener: Option<Listener>,
    /// It is there, and waits for a page.
    hit: Option<Hit>,
    allowance: Allowance,
    without: Without,
    /// The client was registered for it: what is wrong with that is not cured by another one.
    has_new_client: bool,
}

impl Tab {
    fn of(ours: Ours) -> Self {
        let (allowance, without) = (Allowance::default(), Without::default());
        Self { ours, listener: None, hit: None, allowance, without, has_new_client: false }
    }

    fn listener(&self) -> Result<&Listener, Failure> {
        self.listener.as_ref().ok_or_else(unusable_url)
    }
}

/// One request to the person.
struct Attempt {
    pending: Pending,
    begun: Begun,
    /// The tab of the attempt before, to be led on.
    onward: Option<Hit>,
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
        if cause.resume && self.vault.version().is_none() {
            return Ok(());
        }
        let ours = self.ours().await?;
        let mut tab = Tab::of(ours);
        let result = self.ask(cause, host, &mut pasted, &mut tab).await;
        if let Some(hit) = tab.hit.take() {
            let said = hit.callback().error_description.as_deref().map(super::cleaned);
            let withheld = self.withheld(cause).await;
            hit.respond(shown(&result, withheld, said)).await;
        }
        if let Err(failure) = result.as_ref() {
            self.note(failure, ours).await;
        }
        result
    }

    /// What the person was asked for and is not granted. Who grants scopes need not say which.
    async fn withheld(&self, cause: &Cause) -> Scopes {
        if !cause.step_up {
            return Scopes::default();
        }
        let record = self.vault.load().await.ok().flatten();
        record.map(|record| cause.lacks(&record.scopes)).unwrap_or_default()
    }

    /// As often as the authorization server refuses a parameter that can be left out.
    async fn ask(
        &self,
        cause: &Cause,
        host: &mut dyn Host,
        pasted: &mut impl AsyncFnMut() -> Result<Pasted, PasteError>,
        tab: &mut Tab,
    ) -> Result<(), Failure> {
        loop {
            let done = match self.attempt(cause, tab).await? {
                Some(attempt) => self.answered(attempt, host, pasted, tab).await,
                None => return Ok(()),
            };
            let Err(failure) = done else { return done };
            // What is refused is remembered for the next sign-in too, where this one may ask no more.
            let less = self.with_less(&failure, tab).await?;
            let less = less.filter(|_| tab.allowance.is_left());
            tab.without = less.ok_or_else(|| failure.clone())?;
            tracing::info!("{failure}; asking once more without that");
        }
    }

    /// What the next attempt leaves out, after the authorization server refused a parameter.
    async fn with_less(
        &self,
        failure: &Failure,
        &Tab { ours, without: before, has_new_client, .. }: &Tab,
    ) -> Result<Option<Without>, Failure> {
        Ok(match failure.kind {
            FailureKind::InvalidTarget if !before.resource => {
                self.change(ours, Record::refuse_resource).await?;
                Some(Without { resource: true, ..before })
            }
            // A client that was registered earlier may be forgotten there.
            FailureKind::InvalidClient
                if !before.client && !has_new_client && self.is_registered().await? =>
            {
                self.change(ours, |record| record.registration = None).await?;
                Some(Without { client: true, ..before })
            }
            // A client may ask only for scopes that it was registered with.
            FailureKind::InvalidScope if !before.client && self.is_registered().await? => {
                self.change(ours, |record| record.registration = None).await?;
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

    /// Goes on with what another process began, or begins anew; none where only the former is wanted.
    async fn attempt(&self, cause: &Cause, tab: &mut Tab) -> Result<Option<Attempt>, Failure> {
        let record = self.vault.load().await?;
        let resumed = match tab.without == Without::default() {
            true => self.resumed(record.as_ref(), cause),
            false => None,
        };
        let (pending, why, way) = match resumed {
            Some((listener, pending)) => {
                tab.listener = Some(listener);
                (pending, record.and_then(|record| record.asked_because), Way::TakenOver)
            }
            None if cause.resume && tab.hit.is_none() => return Ok(None),
            None => {
                let pending = self.begin(cause, tab).await?;
                let way = if tab.hit.is_some() { Way::SameTab } else { Way::Open };
                (pending, cause.why.clone(), way)
            }
        };
        let page = tab.listener()?.start_url(pending.state.expose());
        let invitation =
            Invitation { page: page.to_string(), provider: pending.url.expose().clone(), why };
        let begun = Begun { invitation, way };
        Ok(Some(Attempt { pending, begun, onward: tab.hit.take() }))
    }

    /// Shows the sign-in, and waits until it comes to an end.
    async fn answered(
        &self,
        attempt: Attempt,
        host: &mut dyn Host,
        pasted: &mut impl AsyncFnMut() -> Result<Pasted, PasteError>,
        tab: &mut Tab,
    ) -> Result<(), Failure> {
        let Attempt { pending, begun, mut onward } = attempt;
        let Some(listener) = &mut tab.listener else { return Err(unusable_url()) };
        let mut is_told = false;
        for _ in 0..MAX_PASTED {
            let tell = async {
                if !std::mem::replace(&mut is_told, true) {
                    if let Some(hit) = onward.take() {
                        hit.respond(once_more(&pending)).await;
                    }
                    host.begun(&begun).await;
                }
                std::future::pending().await
            };
            // A browser is quick, and may not end before its page is shown: it is listened to from the start.
            let ended = tokio::select! {
                biased;
                ended = self.wait(listener, &pending, pasted) => ended,
                () = tell => unreachable!(),
            };
            let by_code = matches!(ended, Ended::Pasted(Answer::Code(_)));
            let why = match ended {
                Ended::Unusable(why) => why,
                ended => match self.end(&pending, ended, &tab.allowance, &mut tab.hit).await {
                    // A word that was no code. The code of the browser is still to come.
                    Err(failure) if by_code && is_of_the_code(&failure) => failure.reason(),
                    done => return done,
                },
            };
            host.unusable(&why);
        }
        Err(Failure::new(FailureKind::BadAnswer, "the sign-in was ended")
            .because(format!("of {MAX_PASTED} lines that were pasted, none was its answer"))
            .hint("run `bridge login` again, and paste the whole address that the browser ends at"))
    }

    /// Takes over a sign-in that another process began and did not finish: the same address, the same tab.
    fn resumed(&self, record: Option<&Record>, cause: &Cause) -> Option<(Listener, Pending)> {
        let pending = record?.pending.clone()?;
        if cause.force || pending.is_over(now()) || !cause.lacks(&pending.scopes).is_empty() {
            return None;
        }
        let uri = Some(pending.redirect_uri.clone());
        let address = RedirectAddress { uri, ..RedirectAddress::default() };
        let listener = Listener::bind(&address, &self.vault.login().way_back()).ok()?;
        tracing::info!("taking over the sign-in that another process began");
        Some((listener, pending))
    }

    async fn begin(&self, cause: &Cause, tab: &mut Tab) -> Result<Pending, Failure> {
        let ours = tab.ours;
        let found = self.unless_taken_over(ours, self.discovered(cause)).await?;
        let provider = self.note_provider(found, ours).await?;
        if tab.listener.is_none() {
            tab.listener = Some(self.listener().await?);
        }
        let listener = tab.listener()?;
        let scopes = match tab.without.scope {
            true => Scopes::default(),
            false => self.scopes(cause, &provider).await?,
        };
        let asking = self.client_that_may_ask(&provider, listener.redirect_uri(), &scopes);
        let (client, pending) = self.unless_taken_over(ours, asking).await?;
        let page = listener.start_url(pending.state.expose()).to_string();
        let before = self.vault.load().await?.and_then(|record| record.registration);
        tab.has_new_client = before.is_none_or(|before| before.client_id != client.client_id);
        let (saved, why) = (pending.clone(), cause.why.clone());
        let lacking = cause.lacks(&Scopes::default());
        let begun = move |record: &mut Record| {
            record.registration = Some(client);
            record.pending = Some(saved);
            record.page = Some(Secret::new(page));
            record.asked_because = why;
            record.lacking = lacking;
            record.last_failure = None;
        };
        self.change(ours, begun).await?;
        Ok(pending)
    }

    /// A client that the authorization server knows, and what the person opens for it.
    async fn client_that_may_ask(
        &self,
        provider: &Provider,
        redirect_uri: &str,
        scopes: &Scopes,
    ) -> Result<(Registration, Pending), Failure> {
        if let Some(client) = self.known_client(provider, Some(redirect_uri)).await? {
            let pending = self.pending(provider, &client, redirect_uri, scopes)?;
            if client.origin != Origin::Dynamic {
                return Ok((client, pending));
            }
            let url = Url::parse(pending.url.expose()).map_err(|_| unusable_url())?;
            let standing = registration::standing(&self.fetch, &url).await;
            if standing == Standing::Alive {
                return Ok((client, pending));
            }
            tracing::info!(?standing, "this client can't ask; registering anew");
        }
        let client = self.new_client(provider, redirect_uri, scopes).await?;
        let pending = self.pending(provider, &client, redirect_uri, scopes)?;
        Ok((client, pending))
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

    /// Where the client that is registered already is waited for, if that can be; else where a new one would be.
    async fn listener(&self) -> Result<Listener, Failure> {
        let (fixed, id) = (&self.settings.redirect, self.vault.login().way_back());
        let client = self.vault.load().await?.and_then(|record| record.registration);
        let client = client.filter(|client| client.origin == Origin::Dynamic);
        let uris = client.map(|client| client.redirect_uris).unwrap_or_default();
        for uri in uris.into_iter().filter(|uri| is_for(fixed, uri)) {
            let address = RedirectAddress { uri: Some(uri), ..RedirectAddress::default() };
            if let Ok(listener) = Listener::bind(&address, &id) {
                return Ok(listener);
            }
        }
        Listener::bind(fixed, &id).map_err(|error| {
            Failure::new(FailureKind::Settings, "the way back from the browser can't be opened")
                .because(error.to_string())
                .hint(error.hint())
        })
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

    /// What a sign-in came to. The tab that came back is kept for its page.
    async fn end(
        &self,
        pending: &Pending,
        ended: Ended,
        allowance: &Allowance,
        tab: &mut Option<Hit>,
    ) -> Result<(), Failure> {
        match ended {
            Ended::Browser(hit, answer) => {
                *tab = Some(hit);
                self.take(pending, answer, Some(allowance)).await
            }
            // Each line is a person's own doing.
            Ended::Pasted(answer) => self.take(pending, answer, None).await,
            Ended::Unusable(why) => Err(Failure::new(FailureKind::BadAnswer, why)),
            Ended::Expired => Err(expired()),
            Ended::Elsewhere => {
                let record = self.vault.load().await?;
                let signed_in = record.is_some_and(|record| record.tokens.is_some());
                if signed_in { Ok(()) } else { Err(taken_back()) }
            }
        }
    }

    async fn take(
        &self,
        pending: &Pending,
        answer: Answer,
        allowance: Option<&Allowance>,
    ) -> Result<(), Failure> {
        match answer {
            Answer::Code(code) => self.redeem(pending, &code, allowance).await,
            Answer::Failed(failure) => Err(failure),
            Answer::NotOurs => Err(Failure::new(FailureKind::BadAnswer, OF_ANOTHER)),
        }
    }

    async fn redeem(
        &self,
        pending: &Pending,
        code: &Secret<String>,
        allowance: Option<&Allowance>,
    ) -> Result<(), Failure> {
        let record = self.vault.load().await?.ok_or_else(taken_back)?;
        let (Some(provider), Some(registration)) = (&record.provider, &record.registration) else {
            return Err(taken_back());
        };
        let mut endpoint = self.endpoint(provider, registration);
        endpoint.allowance = allowance;
        let granted = endpoint.redeem(pending, code).await.map_err(with_another)?;
        let (asked, state) = (pending.scopes.clone(), pending.state.clone());
        let tokens = granted.tokens.clone();
        let waits =
            move |record: &Record| record.pending.as_ref().is_some_and(|own| own.state == state);
        let kept = self.vault.change_if(waits, move |record| record.earn(granted, &asked)).await;
        if !matches!(kept, Ok(Some(()))) {
            // Nobody will use them, and whoever forgot the sign-in meanwhile did not know of them.
            let _ = endpoint.revoke(&tokens).await;
        }
        kept?.ok_or_else(taken_back)
    }
}

/// Where the tab goes on that an attempt left.
fn once_more(pending: &Pending) -> Outcome {
    match Url::parse(pending.url.expose()) {
        Ok(at) => Outcome::OnceMore { at, foreign_to: pending.foreign_to() },
        Err(_) => Outcome::Expired,
    }
}

fn shown(result: &Result<(), Failure>, withheld: Scopes, said: Option<String>) -> Outcome {
    match result {
        Ok(()) if !withheld.is_empty() => Outcome::Withheld { scopes: withheld.to_string() },
        Ok(()) => Outcome::SignedIn,
        Err(failure) if failure.kind == FailureKind::Denied => Outcome::Denied { said },
        Err(failure) if failure.kind == FailureKind::Expired => Outcome::Expired,
        Err(failure) => Outcome::Failed { why: failure.reason(), said },
    }
}

const OF_ANOTHER: &str = "it belongs to another sign-in";

fn read(pending: &Pending, pasted: Pasted) -> Answer {
    match pasted {
        Pasted::Response(callback) => pending.read(&callback),
        Pasted::Code(code) => pending.take(&code),
    }
}

/// Whether a token endpoint speaks of the code, in whatever words.
fn is_of_the_code(failure: &Failure) -> bool {
    use FailureKind::{BadAnswer, InvalidGrant, Refused};
    matches!(failure.kind, InvalidGrant | Refused | BadAnswer)
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
