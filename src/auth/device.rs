//! Signing in on another device (RFC 8628).

use std::time::Duration;

use super::callback::cleaned;
use super::failure::{Failure, FailureKind};
use super::metadata::text;
use super::provider::Provider;
use super::record::Record;
use super::registration::{Origin, Registration};
use super::scopes::Scopes;
use super::sign_in::{Cause, Ours, SignIn, taken_back};
use super::token::lifetime;
use super::token_endpoint::{Form, Grant, Granted, TokenEndpoint};
use crate::clock::Moment;
use crate::credentials::Lock;
use crate::secret::Secret;

/// Pause between two polls where the server does not say (RFC 8628 §3.2), and what `slow_down` adds.
const PAUSE: Duration = Duration::from_secs(5);
/// Bounds on the pause that a server names.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Bounds on how long codes count.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(10 * 60);
const LONGEST_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// Longest user code.
const MAX_CODE: usize = 64;

/// What a person is shown, and what we poll with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceSignIn {
    /// What the person types.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<String>,
    /// When the codes are over.
    pub deadline: Moment,
    code: Secret<String>,
    pause: Duration,
}

/// What a poll came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Poll {
    /// Ask again after this pause.
    Wait(Duration),
    /// The person approved.
    Granted(Box<Granted>),
}

impl SignIn {
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
        let ours = self.ours().await?;
        let result = self.ask_on_device(cause, ours, shown).await;
        if let Err(failure) = &result {
            self.note(failure, ours).await;
        }
        result
    }

    async fn ask_on_device(
        &self,
        cause: &Cause,
        ours: Ours,
        shown: impl FnOnce(&DeviceSignIn),
    ) -> Result<(), Failure> {
        let found = self.unless_taken_over(ours, self.discovered(cause)).await?;
        let provider = self.note_provider(found, ours).await?;
        let scopes = self.scopes(cause, &provider).await?;
        let (client, sign_in) = self.device_sign_in(&provider, &scopes).await?;
        let endpoint = self.endpoint(&provider, &client);
        let deadline = sign_in.deadline;
        let lacking = cause.lacks(&Scopes::default());
        let begun = move |record: &mut Record| {
            (record.device, record.lacking) = (Some(deadline), lacking);
        };
        self.change(ours, begun).await?;
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
        let kept = self.vault.change_if(waits, earn).await;
        if !matches!(kept, Ok(Some(()))) {
            let _ = self.endpoint(&provider, &client).revoke(&tokens).await;
        }
        kept?.ok_or_else(taken_back)
    }
}

impl SignIn {
    /// Codes for a client that may ask for them: one that was registered, if it may not, gives way to a new one.
    async fn device_sign_in(
        &self,
        provider: &Provider,
        scopes: &Scopes,
    ) -> Result<(Registration, DeviceSignIn), Failure> {
        if let Some(client) = self.known_client(provider, None).await? {
            match self.endpoint(provider, &client).begin_device(scopes).await {
                Err(failure)
                    if failure.kind == FailureKind::InvalidClient
                        && client.origin == Origin::Dynamic =>
                {
                    tracing::info!("{failure}; registering anew");
                }
                begun => return begun.map(|sign_in| (client, sign_in)),
            }
        }
        // It is never used, and servers refuse a registration without one.
        let uri = format!("http://127.0.0.1{}", self.settings.redirect.path);
        let client = self.new_client(provider, &uri, scopes).await?;
        let sign_in = self.endpoint(provider, &client).begin_device(scopes).await?;
        Ok((client, sign_in))
    }
}

impl TokenEndpoint<'_> {
    /// Asks for codes.
    ///
    /// # Errors
    /// The server does not offer it, or refuses.
    pub async fn begin_device(&self, scopes: &Scopes) -> Result<DeviceSignIn, Failure> {
        let Some(endpoint) = &self.provider.metadata.device_authorization_endpoint else {
            return Err(self
                .provider
                .lacks("device_authorization_endpoint")
                .hint("sign in with a browser: `bridge login`, or `bridge login --no-browser`"));
        };
        let mut form = Form::default();
        if !scopes.is_empty() {
            form.add("scope", scopes.to_string());
        }
        if let Some(resource) = &self.provider.resource {
            form.add("resource", resource);
        }
        let reply = self.send(endpoint, &form, self.registration.method).await?;
        let members = reply.json()?;
        let member = |name: &str| text(&members, name);
        let uri = member("verification_uri").or_else(|| member("verification_url"));
        let (Some(code), Some(user_code), Some(uri)) =
            (member("device_code"), member("user_code"), uri)
        else {
            return Err(reply.bad("it lacks a code or where to type it"));
        };
        if user_code.chars().any(char::is_control) || user_code.chars().count() > MAX_CODE {
            return Err(reply.bad("its user code can't be one"));
        }
        let duration = |name: &str| members.get(name).and_then(lifetime);
        let valid = duration("expires_in").unwrap_or(DEFAULT_LIFETIME).min(LONGEST_LIFETIME);
        Ok(DeviceSignIn {
            user_code: cleaned(&user_code),
            verification_uri: self.fetch.url(&uri)?.into(),
            verification_uri_complete: member("verification_uri_complete")
                .and_then(|uri| self.fetch.url(&uri).ok())
                .map(Into::into),
            deadline: Moment::from(self.clock.wall()).plus(valid),
            code: Secret::new(code),
            pause: duration("interval").unwrap_or(PAUSE).clamp(SHORTEST, LONGEST),
        })
    }

    /// Asks once whether the person approved. Between two polls the caller waits as told.
    ///
    /// # Errors
    /// The person said no, the time is over, or the server refuses. A failure that may pass makes the
    /// pause longer instead (RFC 8628 §3.5).
    pub async fn poll_device(&self, sign_in: &mut DeviceSignIn) -> Result<Poll, Failure> {
        if sign_in.deadline <= Moment::from(self.clock.wall()) {
            let what = "the code was not used in time";
            return Err(Failure::new(FailureKind::Expired, what).hint("sign in again"));
        }
        let failure = match self.grant(&Grant::DeviceCode { code: &sign_in.code }).await {
            Ok(granted) => return Ok(Poll::Granted(Box::new(granted))),
            Err(failure) => failure,
        };
        let said = failure.cause.as_deref().unwrap_or_default();
        let code = said.split(':').next().unwrap_or_default();
        match code {
            "authorization_pending" => {}
            "slow_down" => sign_in.pause = (sign_in.pause + PAUSE).min(LONGEST),
            _ if failure.is_transient() => {
                let asked = failure.retry_after.unwrap_or_default();
                sign_in.pause = (sign_in.pause * 2).max(asked).min(LONGEST);
            }
            _ => return Err(failure),
        }
        Ok(Poll::Wait(sign_in.pause))
    }

    /// Polls until the person approved, said no, or the time is over.
    ///
    /// # Errors
    /// As for one poll.
    pub async fn wait_for_device(&self, mut sign_in: DeviceSignIn) -> Result<Granted, Failure> {
        let mut pause = sign_in.pause;
        loop {
            tokio::time::sleep(pause).await;
            match self.poll_device(&mut sign_in).await? {
                Poll::Wait(next) => pause = next,
                Poll::Granted(granted) => return Ok(*granted),
            }
        }
    }
}
