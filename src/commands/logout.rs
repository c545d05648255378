//! `bridge logout`: have the tokens revoked, and forget them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::auth::{Fetch, Record, Revoked, Taken, TokenEndpoint, Vault, of_store};
use crate::clock::SystemClock;
use crate::config;
use crate::credentials::{Entry, Keep, LockKind, Patience, Settings, Store, StoreError};
use crate::error::Error;
use crate::remote::Endpoint;
use crate::{http, ui};

use super::parts::{Parts, error, of_login};

/// What was forgotten, for what is said of it; of several, what comes first here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Forgotten {
    SignIn,
    /// It can't be read, and may have been a sign-in.
    Unreadable,
    /// It held no token.
    Rest,
    Nothing,
}

/// Forgets one sign-in, in whichever store it is, also one that can't be read.
///
/// # Errors
/// It is kept still. That the server could not be told is said, and is no error.
pub fn run(config: &config::Serve) -> Result<(), Error> {
    signed_out(config).map_err(|error| of_login(config, error))
}

fn signed_out(config: &config::Serve) -> Result<(), Error> {
    let parts = Parts::new(config, Patience::Interactive);
    super::runtime()?.block_on(async {
        let (host, login) = (config.endpoint.host(), parts.vault.login());
        let server = config.endpoint.url();
        let stores = stores(&parts.store, &config.credentials);
        let mut forgotten = Vec::with_capacity(stores.len());
        for store in &stores {
            let vault = Vault::new(Arc::clone(store), login.clone());
            let taken = vault.take().await.map_err(|failure| error(&failure))?;
            forgotten.push(end(taken, &parts.http, server, &host).await);
        }
        for entry in parts.store.beside(login).map_err(of_store_error)? {
            forgotten.push(forget(&entry, &parts.store, &parts.http).await?);
        }
        let was_bound = parts.vault.unbind().await.map_err(|failure| error(&failure))?;
        if was_bound {
            ui::say(&format!(
                "The client of {host} is bound to no authorization server any more: it is to the next that it meets."
            ));
        }
        match forgotten.into_iter().min().unwrap_or(Forgotten::Nothing) {
            Forgotten::SignIn => ui::say(&format!("You are signed out of {host}.")),
            Forgotten::Rest => ui::say(&format!(
                "You were not signed in to {host}; what was left of the sign-in that came to nothing is forgotten."
            )),
            Forgotten::Unreadable => {}
            Forgotten::Nothing if was_bound => {}
            Forgotten::Nothing => ui::say(&format!("You were not signed in to {host}.")),
        }
        discard_aside(&parts.store, Some(&login.id()))?;
        until_nobody_is_at_it(&parts.store, vec![login.id()]).await;
        Ok(())
    })
}

/// The store that was chosen, then those that can be opened beside it: a sign-in may be kept in any of them.
fn stores(chosen: &Arc<Store>, settings: &Settings) -> Vec<Arc<Store>> {
    let mut stores = vec![Arc::clone(chosen)];
    for keep in [Keep::Keychain, Keep::Plaintext] {
        if settings.folder.is_some() && keep.name() != chosen.name() {
            let settings = Settings { keep, ..settings.clone() };
            stores.push(Arc::new(Store::open(&settings, Patience::Interactive)));
        }
    }
    stores
}

/// All records, each with the store that opens it. What none of them opens is the first's to delete.
fn found(stores: &[Arc<Store>]) -> Result<Vec<(Entry, &Arc<Store>)>, Error> {
    let mut found = Vec::new();
    for store in stores {
        for entry in store.list().map_err(of_store_error)? {
            let opens = stores.iter().find(|store| store.name() == entry.store);
            if Arc::ptr_eq(opens.unwrap_or(&stores[0]), store) {
                found.push((entry, store));
            }
        }
    }
    Ok(found)
}

/// Forgets all sign-ins of all stores.
///
/// # Errors
/// One of them is kept still.
pub fn all(config: &config::SignIns) -> Result<(), Error> {
    let store = Arc::new(Store::open(&config.credentials, Patience::Interactive));
    let http = Arc::new(http::Client::new(&config.http));
    super::runtime()?.block_on(async {
        let (mut ids, mut forgotten) = (Vec::new(), Vec::new());
        for (entry, store) in found(&stores(&store, &config.credentials))? {
            forgotten.push(forget(&entry, store, &http).await?);
            ids.push(entry.id);
        }
        let any = |what: Forgotten| forgotten.contains(&what);
        if !any(Forgotten::SignIn) && !any(Forgotten::Unreadable) {
            ui::say(if any(Forgotten::Rest) {
                "You were not signed in anywhere; what was left of sign-ins that came to nothing is forgotten."
            } else {
                "You were not signed in anywhere."
            });
        }
        store.forget_notes(None).map_err(of_store_error)?;
        discard_aside(&store, None)?;
        until_nobody_is_at_it(&store, ids).await;
        Ok(())
    })
}

/// Forgets one of many, and says so.
async fn forget(
    entry: &Entry,
    store: &Arc<Store>,
    http: &Arc<http::Client>,
) -> Result<Forgotten, Error> {
    let login = entry.content.as_ref().map(|(login, _)| login).ok();
    let server = login.and_then(|login| Endpoint::parse(login.server()).ok());
    let Some((login, server)) = login.zip(server) else {
        remove(entry, store)?;
        let why = entry.content.as_ref().err().map(ToString::to_string);
        let why = why.unwrap_or_else(|| "its address can't be used".to_owned());
        tell_unreadable(&format!("A stored sign-in ({})", entry.id), &why, "the server");
        return Ok(Forgotten::Unreadable);
    };
    let vault = Vault::new(Arc::clone(store), login.clone());
    let taken = vault.take().await.map_err(|failure| error(&failure))?;
    let host = server.host();
    let forgotten = end(taken, http, server.url(), &host).await;
    if forgotten == Forgotten::SignIn {
        ui::say(&format!("You are signed out of {host}."));
    }
    Ok(forgotten)
}

/// Deletes a record while nobody renews its tokens.
fn remove(entry: &Entry, store: &Store) -> Result<(), Error> {
    let _lock = store.lock(&entry.id, LockKind::Refresh).map_err(of_store_error)?;
    store.remove(entry).map(drop).map_err(of_store_error)
}

fn of_store_error(why: StoreError) -> Error {
    error(&of_store(&why))
}

/// Ends at the server what is forgotten here.
async fn end(taken: Taken, http: &Arc<http::Client>, server: &url::Url, host: &str) -> Forgotten {
    match taken {
        Taken::Record(record) if record.tokens.is_some() => {
            revoke(&record, http, server, host).await;
            Forgotten::SignIn
        }
        Taken::Record(_) => Forgotten::Rest,
        Taken::Unreadable(failure) => {
            let why = failure.cause.as_deref().unwrap_or(&failure.what);
            tell_unreadable(&format!("The stored sign-in at {host}"), why, host);
            Forgotten::Unreadable
        }
        Taken::Nothing => Forgotten::Nothing,
    }
}

fn tell_unreadable(what: &str, why: &str, host: &str) {
    ui::say(&format!(
        "{what} could not be read: {why}. It is forgotten here; its tokens could not be revoked.\n\
         hint: they end by themselves; to end them now, take back the access of bridge in your account at {host}"
    ));
}

/// Deletes what a login set aside since it could not be read: there are tokens in it.
fn discard_aside(store: &Store, id: Option<&str>) -> Result<(), Error> {
    let count = store.discard_aside(id).map_err(of_store_error)?;
    if count > 0 {
        let which = if count == 1 {
            "An earlier sign-in that could not be read and was set aside is".to_owned()
        } else {
            format!("{count} earlier sign-ins that could not be read and were set aside are")
        };
        ui::say(&format!("{which} deleted; what it held could not be revoked."));
    }
    Ok(())
}

/// A process that is at one of these sign-ins notices that it is forgotten, and then ends: the next sign-in is to
/// find nobody in its place. One that redeems a code notices when that is answered.
async fn until_nobody_is_at_it(store: &Arc<Store>, ids: Vec<String>) {
    const LONGEST: Duration = Duration::from_secs(3);
    let (sender, gone) = oneshot::channel();
    let store = Arc::clone(store);
    // The system's wait can't be taken back: a thread of its own keeps nobody from the end of the process.
    std::thread::spawn(move || {
        ids.iter().for_each(|id| drop(store.lock(id, LockKind::SignIn)));
        sender.send(())
    });
    if tokio::time::timeout(LONGEST, gone).await.is_err() {
        ui::say("Another process is still at a sign-in; it ends by itself, and keeps nothing.");
    }
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
