//! `bridge logout`: have the tokens revoked, and forget them.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Fetch, Record, Revoked, TokenEndpoint, Vault};
use crate::clock::SystemClock;
use crate::config;
use crate::credentials::{Entry, LockKind, Patience, Store};
use crate::error::Error;
use crate::remote::Endpoint;
use crate::{http, ui};

use super::parts::{Parts, error, of_login};

/// Forgets one sign-in.
///
/// # Errors
/// It is kept still. That the server could not be told is said, and is no error.
pub fn run(config: &config::Serve) -> Result<(), Error> {
    signed_out(config).map_err(|error| of_login(config, error))
}

fn signed_out(config: &config::Serve) -> Result<(), Error> {
    let parts = Parts::new(config, Patience::Interactive);
    super::runtime()?.block_on(async {
        let host = config.endpoint.host();
        // One that can't be read is forgotten too.
        let (was_there, record) = parts.vault.take().await.map_err(|failure| error(&failure))?;
        if let Some(record) = &record {
            revoke(record, &parts.http, config.endpoint.url(), &host).await;
        }
        until_nobody_is_at_it(&parts.vault).await;
        if parts.vault.unbind().await.map_err(|failure| error(&failure))? {
            ui::say(&format!(
                "The client of {host} is bound to no authorization server any more: it is to the next that it meets."
            ));
            if !was_there {
                return Ok(());
            }
        }
        // Where it can't be read, it may have been a sign-in.
        let signed_in = record.as_ref().is_none_or(|record| record.tokens.is_some());
        ui::say(&match (was_there, signed_in) {
            (true, true) => format!("You are signed out of {host}."),
            (true, false) => format!(
                "You were not signed in to {host}; what was left of the sign-in that came to nothing is forgotten."
            ),
            (false, _) => format!("You were not signed in to {host}."),
        });
        Ok(())
    })
}

/// A process that waits for a person at this login notices that it is forgotten, and then ends: the next sign-in
/// is to find nobody in its place.
async fn until_nobody_is_at_it(vault: &Vault) {
    const LONGEST: Duration = Duration::from_secs(3);
    let _ = vault.lock_within(LockKind::SignIn, LONGEST).await;
}

/// Forgets all sign-ins of the store.
///
/// # Errors
/// One of them is kept still.
pub fn all(config: &config::SignIns) -> Result<(), Error> {
    let store = Arc::new(Store::open(&config.credentials, Patience::Interactive));
    let http = Arc::new(http::Client::new(&config.http));
    super::runtime()?.block_on(async {
        let entries = store.list().map_err(|why| error(&crate::auth::of_store(&why)))?;
        for entry in &entries {
            forget(entry, &store, &http).await?;
        }
        store.forget_notes(None).map_err(|why| error(&crate::auth::of_store(&why)))?;
        ui::say(&format!("{} sign-in(s) are forgotten.", entries.len()));
        Ok(())
    })
}

async fn forget(entry: &Entry, store: &Arc<Store>, http: &Arc<http::Client>) -> Result<(), Error> {
    let remove = || store.remove(entry).map_err(|why| error(&crate::auth::of_store(&why)));
    let Ok((login, content)) = &entry.content else { return remove().map(drop) };
    let vault = Vault::new(Arc::clone(store), login.clone());
    let record = {
        // So that nobody renews a token in between, and saves it.
        let _lock = vault.lock(LockKind::Refresh).await.map_err(|failure| error(&failure))?;
        let renewed = vault.load().await.ok().flatten();
        remove()?;
        renewed.or_else(|| Record::from_bytes(content.expose()).ok())
    };
    if let Some(record) = record
        && let Ok(server) = Endpoint::parse(login.server())
    {
        revoke(&record, http, server.url(), &server.host()).await;
    }
    Ok(())
}

/// Has the tokens taken back, where the server offers that. A token that was given stays its owner's.
async fn revoke(record: &Record, http: &Arc<http::Client>, server: &url::Url, host: &str) {
    if record.given {
        return;
    }
    let (Some(tokens), Some(provider), Some(registration)) =
        (&record.tokens, &record.provider, &record.registration)
    else {
        return;
    };
    let fetch = Fetch::new(Arc::clone(http), server);
    let (fetch, clock, allowance) = (&fetch, &SystemClock, None);
    let endpoint = TokenEndpoint { fetch, provider, registration, params: &[], clock, allowance };
    match endpoint.revoke(tokens).await {
        Ok(Revoked::Done) => {}
        Ok(Revoked::NotOffered) => ui::say(&format!(
            "{host} offers no way to revoke tokens: they end by themselves, or in its settings."
        )),
        Err(failure) => ui::say(&format!("The tokens could not be revoked: {failure}.")),
    }
}
