//! The record of one login, read and written where blocking is allowed.
//!
//! Whoever changes the record holds the refresh lock while it reads, changes and saves it, so that no
//! process undoes what another did. The sign-in lock is held by the one process that waits for a person.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::failure::{Failure, FailureKind};
use super::record::{Record, RecordError};
use crate::credentials::{KeychainError, Lock, LockKind, Login, Store, StoreError, Version};

/// When a keychain that did not answer in time is asked again what became of it.
const ASK_KEYCHAIN_AGAIN: Duration = Duration::from_secs(1);

/// The record of one login.
#[derive(Clone)]
pub struct Vault {
    store: Arc<Store>,
    login: Arc<Login>,
    /// The login's, which is asked for with every request.
    id: Arc<str>,
}

impl Vault {
    /// The record of this login in this store.
    pub fn new(store: Arc<Store>, login: Login) -> Self {
        Self { store, id: login.id().into(), login: Arc::new(login) }
    }

    /// Whose it is.
    pub fn login(&self) -> &Login {
        &self.login
    }

    /// Where it is kept, as `--credential-store` names it.
    pub fn store_name(&self) -> &'static str {
        self.store.name()
    }

    /// Changes whenever the record does; none while there is none. Costs one look at a file.
    pub fn version(&self) -> Option<Version> {
        self.store.version(&self.id)
    }

    /// The record, if there is one.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn load(&self) -> Result<Option<Record>, Failure> {
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        blocking(move || read(&store, &login)).await
    }

    /// Changes the record under its lock; one that is not there yet is begun. What the change returns is
    /// returned, and the record is saved before.
    ///
    /// # Errors
    /// It can't be read or saved.
    pub async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Record) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let _lock = self.lock(LockKind::Refresh).await?;
        self.change_locked(change).await
    }

    /// The same for whoever holds the refresh lock.
    pub(super) async fn change_locked<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Record) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        blocking(move || {
            let mut record = read(&store, &login)?.unwrap_or_else(|| begun(&login));
            let value = change(&mut record);
            let content = record.to_bytes();
            store.save(&login, content.expose()).map_err(|error| of_store(&error))?;
            Ok(value)
        })
        .await
    }

    /// Changes the record under its lock, if there is one that this holds for. What the change returns, if so.
    ///
    /// # Errors
    /// It can't be read or saved.
    pub async fn change_if<T: Send + 'static>(
        &self,
        holds: impl FnOnce(&Record) -> bool + Send + 'static,
        change: impl FnOnce(&mut Record) -> T + Send + 'static,
    ) -> Result<Option<T>, Failure> {
        let _lock = self.lock(LockKind::Refresh).await?;
        if !self.load().await?.is_some_and(|record| holds(&record)) {
            return Ok(None);
        }
        self.change_locked(change).await.map(Some)
    }

    /// Deletes the record, also one that can't be read, and gives what it held at the last: nobody renews a token
    /// in between. Whether there was one.
    ///
    /// # Errors
    /// It is there still.
    pub async fn take(&self) -> Result<(bool, Option<Record>), Failure> {
        let _lock = self.lock(LockKind::Refresh).await?;
        let record = self.load().await.ok().flatten();
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        let was_there =
            blocking(move || store.delete(&login).map_err(|error| of_store(&error))).await?;
        Ok((was_there, record))
    }

    /// Proves that a record can be saved, before a person is asked for anything.
    ///
    /// # Errors
    /// Nothing can be saved here.
    pub async fn prepare(&self) -> Result<(), Failure> {
        let store = Arc::clone(&self.store);
        blocking(move || store.prepare().map_err(|error| unkept(&error))).await
    }

    /// The issuer that this login's own client is bound to: the one that is noted, else this one from now on.
    /// None where nothing can be noted.
    pub async fn bound_issuer(&self, issuer: &str) -> Option<String> {
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        let issuer = issuer.to_owned();
        let bound = blocking(move || {
            let noted = || {
                let _lock = store.lock(&login, LockKind::Refresh)?;
                if let Some(noted) = store.noted(&login)? {
                    return Ok(Some(noted));
                }
                store.note(&login, &issuer)?;
                store.noted(&login)
            };
            noted().map_err(|error| of_store(&error))
        });
        bound.await.unwrap_or_else(|failure| {
            tracing::debug!("what the client is bound to can't be noted: {failure}");
            None
        })
    }

    /// Forgets what this login's client is bound to. Whether it was.
    ///
    /// # Errors
    /// It is still.
    pub async fn unbind(&self) -> Result<bool, Failure> {
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        let forgotten =
            blocking(move || store.forget_notes(Some(&login)).map_err(|error| of_store(&error)));
        Ok(forgotten.await? > 0)
    }

    /// Whether there is a record that can't be read any more, so that only beginning anew helps.
    pub async fn is_unreadable(&self) -> bool {
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        let read = blocking(move || Ok(store.load(&login).err())).await;
        read.is_ok_and(|error| error.is_some_and(|error| error.is_unreadable()))
    }

    /// Sets records aside that can't be read, for a person who asked for it.
    ///
    /// # Errors
    /// Keychain or folder can't be used.
    pub async fn start_over(&self) -> Result<usize, Failure> {
        let store = Arc::clone(&self.store);
        blocking(move || store.start_over().map_err(|error| of_store(&error)))
            .await
            .map(|aside| aside.len())
    }

    /// Waits for a lock.
    ///
    /// # Errors
    /// The system gives none.
    pub async fn lock(&self, kind: LockKind) -> Result<Lock, Failure> {
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        blocking(move || store.lock(&login, kind).map_err(|error| of_store(&error))).await
    }

    /// Waits for a lock, but no longer than this; none where somebody holds it still.
    ///
    /// # Errors
    /// The system gives none.
    pub async fn lock_within(
        &self,
        kind: LockKind,
        time: Duration,
    ) -> Result<Option<Lock>, Failure> {
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        let (sender, locked) = oneshot::channel();
        // The system's wait can't be taken back: a thread of its own keeps nobody from the end of the process.
        std::thread::spawn(move || sender.send(store.lock(&login, kind)));
        match tokio::time::timeout(time, locked).await {
            Ok(Ok(lock)) => lock.map(Some).map_err(|error| of_store(&error)),
            Ok(Err(_)) => Err(Failure::new(FailureKind::Internal, "the lock broke down")),
            Err(_) => Ok(None),
        }
    }

    /// Takes a lock that nobody holds.
    ///
    /// # Errors
    /// The system gives none.
    pub async fn try_lock(&self, kind: LockKind) -> Result<Option<Lock>, Failure> {
        let (store, login) = (Arc::clone(&self.store), Arc::clone(&self.login));
        blocking(move || store.try_lock(&login, kind).map_err(|error| of_store(&error))).await
    }
}

/// A record that was deleted counts on in nobody's memory: no number comes twice.
fn begun(login: &Login) -> Record {
    let generation = fastrand::u64(1..1 << 48);
    Record { generation, ..Record::new(login.server(), login.profile().name()) }
}

fn read(store: &Store, login: &Login) -> Result<Option<Record>, Failure> {
    let content = store.load(login).map_err(|error| of_store(&error))?;
    let Some(content) = content else { return Ok(None) };
    let record = Record::from_bytes(content.expose()).map_err(|error| of_record(&error))?;
    // A record counts only for the server that it names.
    Ok(Some(record).filter(|record| record.server == login.server()))
}

/// A failure of the store, for a person.
pub fn of_store(error: &StoreError) -> Failure {
    let what = match error {
        StoreError::Keychain(_) => "the keychain can't be used",
        StoreError::NoFolder | StoreError::TooLarge => "a sign-in can't be kept here",
        _ => "the stored sign-in can't be used",
    };
    told(error, what)
}

/// What could not be kept is not begun.
fn unkept(error: &StoreError) -> Failure {
    told(error, "a sign-in could not be kept")
}

fn told(error: &StoreError, what: &str) -> Failure {
    let failure = Failure::new(FailureKind::Store, what).because(error.to_string());
    // Somebody may be at its dialog, and what is under way is not begun a second time.
    let hangs = matches!(error, StoreError::Keychain(KeychainError::TimedOut(_)));
    Failure { retry_after: hangs.then_some(ASK_KEYCHAIN_AGAIN), ..failure }.hint(error.hint())
}

fn of_record(error: &RecordError) -> Failure {
    let failure = Failure::new(FailureKind::Store, "the stored sign-in can't be used");
    let hint = match error {
        RecordError::Newer(_) => "use the later version of bridge",
        RecordError::Malformed => "`bridge logout` forgets it, `bridge login` signs in anew",
    };
    failure.because(error.to_string()).hint(hint)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Failure::new(FailureKind::Internal, "the credential store broke down"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keychain_that_is_missing_is_no_fault_of_a_stored_sign_in() {
        let told = |error: StoreError| of_store(&error).reason();
        let absent = StoreError::Keychain(KeychainError::Absent("no bus".into()));
        assert_eq!(told(absent), "the keychain can't be used (no keychain answers: no bus)");
        assert!(told(StoreError::OtherKey).starts_with("the stored sign-in can't be used"));
    }
}
