//! The refresh transaction: lock, read again, take what a sibling got, else prove that there is room, refresh,
//! save before use. Where the save fails all the same, this process goes on with what it got and tries again.
//!
//! It runs as a task of its own, so that a caller that goes away can't stop it half way: a token that
//! was rotated and not saved is lost.

use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::failure::{Failure, FailureKind};
use super::fetch::Fetch;
use super::provider::Provider;
use super::record::Record;
use super::token::TokenSet;
use super::token_endpoint::TokenEndpoint;
use super::vault::Vault;
use crate::clock::{Clock, Moment, SystemClock};
use crate::credentials::LockKind;
use crate::task;

/// A token set, its number, and which sign-in it is of.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) tokens: TokenSet,
    pub(super) generation: u64,
    pub(super) sign_in: u64,
}

impl Held {
    /// What a record holds.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let tokens = record.tokens.clone()?;
        Some(Self { tokens, generation: record.generation, sign_in: record.sign_in })
    }
}

/// Renews the token set of this generation, or takes a later one.
///
/// # Errors
/// `InvalidGrant`: the tokens are over and forgotten. Whatever else fails deletes nothing.
pub(super) async fn renew(
    vault: Vault,
    fetch: Fetch,
    params: Vec<(String, String)>,
    stale: u64,
    turn: OwnedMutexGuard<()>,
) -> Result<Held, Failure> {
    let renewing = tokio::spawn(async move {
        // Until the end of it, also where nobody waits for that any more.
        let _turn = turn;
        transaction(&vault, &fetch, &params, stale).await
    });
    renewing
        .await
        .unwrap_or_else(|_| Err(Failure::new(FailureKind::Internal, "the refresh broke down")))
}

async fn transaction(
    vault: &Vault,
    fetch: &Fetch,
    params: &[(String, String)],
    stale: u64,
) -> Result<Held, Failure> {
    let _lock = vault.lock(LockKind::Refresh).await?;
    let over = || Failure::new(FailureKind::InvalidGrant, "there is no stored sign-in any more");
    let mut record = vault.load().await?.ok_or_else(over)?;
    let held = Held::of(&record).ok_or_else(over)?;
    if held.generation != stale {
        tracing::debug!(generation = held.generation, "another process has renewed the token");
        return Ok(held);
    }
    // A refresh token is good for once. Where the one that is saved is spent already, nothing more is lost.
    let was_unsaved = vault.is_unsaved();
    if !was_unsaved && held.tokens.refresh_token.is_some() {
        vault.prepare_for(&record).await.map_err(not_begun)?;
    }
    match granted(fetch, params, &record, &held).await {
        Ok(granted) => {
            let asked = record.scopes.clone();
            record.renew(granted, &asked);
            let held = Held::of(&record).ok_or_else(over)?;
            if let Err(failure) = vault.keep(stale, record).await
                && !was_unsaved
            {
                tracing::warn!(
                    "the renewed sign-in could not be saved: {failure}; this process goes on with it, and \
                     tries again until it can be"
                );
                task::spawn(save_at_last(vault.clone(), fetch.clone(), params.to_vec()));
            }
            Ok(held)
        }
        Err(failure) => {
            if failure.kind == FailureKind::InvalidGrant {
                let noted = failure.clone();
                let now = Moment::from(SystemClock.wall());
                vault
                    .change_locked(move |record| {
                        record.drop_tokens(stale);
                        record.note(&noted, now);
                    })
                    .await?;
            }
            Err(failure)
        }
    }
}

/// First and longest wait before it is tried again to save what could not be.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Tries until what could not be saved is: whoever reads the record would show a token that is spent.
async fn save_at_last(vault: Vault, fetch: Fetch, params: Vec<(String, String)>) {
    let mut wait = FIRST_WAIT;
    while vault.is_unsaved() {
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
        if let Err(failure) = save_again(&vault, &fetch, &params).await {
            tracing::debug!("the renewed sign-in is not saved yet: {failure}");
        }
    }
}

/// Tries to save what could not be saved before. Where somebody has signed out meanwhile, it is taken back.
///
/// # Errors
/// It is not saved yet.
pub(super) async fn save_again(
    vault: &Vault,
    fetch: &Fetch,
    params: &[(String, String)],
) -> Result<(), Failure> {
    let Some(unwanted) = vault.save_again().await? else { return Ok(()) };
    if let Record {
        provider: Some(provider),
        registration: Some(client),
        tokens: Some(tokens),
        ..
    } = &unwanted
    {
        let (registration, clock, allowance) = (client, &SystemClock, None);
        let endpoint = TokenEndpoint { fetch, provider, registration, params, clock, allowance };
        // Whoever signed out did not know of these.
        let _ = endpoint.revoke(tokens).await;
    }
    Ok(())
}

/// Nothing was asked for, so that nothing is lost.
fn not_begun(failure: Failure) -> Failure {
    let what = format!("the token could not be renewed: {}", failure.what);
    let hint = failure.hint.clone().unwrap_or_default();
    let hint = format!("{hint}; you stay signed in, and the next call tries again");
    Failure { what, hint: Some(hint), ..failure }
}

async fn granted(
    fetch: &Fetch,
    params: &[(String, String)],
    record: &Record,
    held: &Held,
) -> Result<super::Granted, Failure> {
    let lacks = || Failure::new(FailureKind::InvalidGrant, "the stored sign-in can't be renewed");
    let provider = record.provider.as_ref().ok_or_else(lacks)?;
    let registration = record.registration.as_ref().ok_or_else(lacks)?;
    let (clock, allowance) = (&SystemClock, None);
    let endpoint = TokenEndpoint { fetch, provider, registration, params, clock, allowance };
    tracing::debug!(issuer = provider.issuer, "renewing the token");
    endpoint
        .refresh(&held.tokens, &record.scopes)
        .await
        .map_err(|failure| put_off(failure, provider))
}

/// What passes by itself, told as what it is: the sign-in stays as it was.
fn put_off(failure: Failure, provider: &Provider) -> Failure {
    if !failure.is_transient() {
        return failure;
    }
    let what = format!("the token could not be renewed: {}", failure.what);
    let hint = failure.hint.clone().unwrap_or_else(|| {
        let issuer = super::cleaned(&provider.issuer);
        format!("check the network, and that {issuer} answers; you stay signed in, and the next call tries again")
    });
    Failure { what, hint: Some(hint), ..failure }
}

/// Whom an access token that is a JWT is meant for, as it says itself (RFC 9068 §2.2). It is not verified:
/// it is for a person's eyes.
pub(super) fn audience(tokens: &TokenSet) -> Option<String> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let payload = tokens.access_token.expose().split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    match claims.get("aud")? {
        serde_json::Value::String(audience) => Some(super::cleaned(audience)),
        serde_json::Value::Array(audiences) => {
            let texts: Vec<_> = audiences.iter().filter_map(|each| each.as_str()).collect();
            Some(super::cleaned(&texts.join(" ")))
        }
        _ => None,
    }
}
