//! The refresh transaction: lock, read again, take what a sibling got, else refresh, save before use.
//!
//! It runs as a task of its own, so that a caller that goes away can't stop it half way: a token that
//! was rotated and not saved is lost.

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

/// A token set and its number.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) tokens: TokenSet,
    pub(super) generation: u64,
}

impl Held {
    /// What a record holds.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let tokens = record.tokens.clone()?;
        Some(Self { tokens, generation: record.generation })
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
    let record = vault.load().await?.ok_or_else(over)?;
    let held = Held::of(&record).ok_or_else(over)?;
    if held.generation != stale {
        tracing::debug!(generation = held.generation, "another process has renewed the token");
        return Ok(held);
    }
    match granted(fetch, params, &record, &held).await {
        Ok(granted) => {
            let asked = record.scopes.clone();
            let renewed = vault.change_locked(move |record| {
                record.renew(granted, &asked);
                Held::of(record)
            });
            renewed.await?.ok_or_else(over)
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
