//! The record of one login, read and written where blocking is allowed.
//!
//! Whoever changes the record holds the refresh lock while it reads, changes and saves it, so that no
//! process undoes what another did. The sign-in lock is held by the one process that waits for a person.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::failure::{Failure, FailureKind};
use super::record::{Record, RecordError};
use crate::credentials::{Entry, KeychainError, Lock, LockKind, Login, Store, StoreError, Version};

/// When a keychain that did not answer in time is asked again what became of it.
const ASK_KEYCHAIN_AGAIN: Duration = Duration::from_secs(1);
/// By how much a refresh may make a record longer, in bytes.
const GROWTH: usize = 8 * 1024;

/// What becomes of a record, whether it is to become that, and what is done where blocking is allowed. Boxed, so that
/// reading, locking and saving are compiled once and not for each caller.
type Change<T> = Box<dyn FnOnce(&mut Record) -> T + Send>;
type Condition = Box<dyn FnOnce(&Record) -> bool + Send>;
type Work<T> = Box<dyn FnOnce(&Vault) -> Result<T, Failure> + Send>;

/// The record of one login.
#[derive(Clone)]
pub struct Vault {
    store: Arc<Store>,
    login: Arc<Login>,
    /// The login's, which is asked for with every request.
    id: Arc<str>,
    /// What a refresh brought and could not be saved. It counts in this process as if it were.
    unsaved: Arc<Mutex<Option<Unsaved>>>,
}

/// A record whose tokens could not be saved.
struct Unsaved {
    /// The generation that the store has.
    saved: u64,
    record: Record,
}

/// What a logout found.
#[derive(Debug)]
pub enum Taken {
    /// No record.
    Nothing,
    /// This one.
    Record(Box<Record>),
    /// One that can't be read, and why.
    Unreadable(Failure),
}

impl Vault {
    /// The record of this login in this store.
    pub fn new(store: Arc<Store>, login: Login) -> Self {
        Self { store, id: login.id().into(), login: Arc::new(login), unsaved: Arc::default() }
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
        self.blocking(Self::read).await
    }

    /// Changes the record under its lock; one that is not there yet is begun. What the change returns is
    /// returned, and the record is saved before. Only what a person asked for begins one.
    ///
    /// # Errors
    /// It can't be read or saved.
    pub fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Record) -> T + Send + 'static,
    ) -> impl Future<Output = Result<T, Failure>> + Send {
        self.change_by(Box::new(change))
    }

    async fn change_by<T: Send + 'static>(&self, change: Change<T>) -> Result<T, Failure> {
        let _lock = self.lock(LockKind::Refresh).await?;
        let begun =
            |vault: &Self| Record::begun(vault.login.server(), vault.login.profile().name());
        self.blocking(move |vault| {
            let mut record = vault.read()?.unwrap_or_else(|| begun(vault));
            let value = change(&mut record);
            vault.write(&record)?;
            Ok(value)
        })
        .await
    }

    /// The same for whoever holds the refresh lock, if there is a record.
    pub(super) async fn change_locked(
        &self,
        change: impl FnOnce(&mut Record) + Send + 'static,
    ) -> Result<(), Failure> {
        self.edit(Box::new(|_| true), Box::new(change)).await.map(drop)
    }

    /// Changes the record under its lock, if there is one that this holds for. What the change returns, if so.
    ///
    /// # Errors
    /// It can't be read or saved.
    pub fn change_if<T: Send + 'static>(
        &self,
        holds: impl FnOnce(&Record) -> bool + Send + 'static,
        change: impl FnOnce(&mut Record) -> T + Send + 'static,
    ) -> impl Future<Output = Result<Option<T>, Failure>> + Send {
        self.change_if_by(Box::new(holds), Box::new(change))
    }

    async fn change_if_by<T: Send + 'static>(
        &self,
        holds: Condition,
        change: Change<T>,
    ) -> Result<Option<T>, Failure> {
        let _lock = self.lock(LockKind::Refresh).await?;
        self.edit(holds, change).await
    }

    async fn edit<T: Send + 'static>(
        &self,
        holds: Condition,
        change: Change<T>,
    ) -> Result<Option<T>, Failure> {
        self.blocking(move |vault| {
            let Some(mut record) = vault.read()?.filter(holds) else { return Ok(None) };
            let value = change(&mut record);
            vault.write(&record)?;
            Ok(Some(value))
        })
        .await
    }

    // ---- what a refresh brought

    /// Proves that what a refresh of this record brings can be saved.
    ///
    /// # Errors
    /// It can't.
    pub(super) async fn prepare_for(&self, record: &Record) -> Result<(), Failure> {
        let length = record.to_bytes().expose().len() + GROWTH;
        let prove = move |vault: &Self| vault.store.prepare_for(length);
        self.blocking(move |vault| prove(vault).map_err(|error| vault.unkept(&error))).await
    }

    /// Saves what a refresh of this generation brought, for whoever holds the refresh lock. Where that fails,
    /// it counts on in this process.
    ///
    /// # Errors
    /// Why it is not saved.
    pub(super) async fn keep(&self, stale: u64, renewed: Record) -> Result<(), Failure> {
        self.blocking(move |vault| {
            let saved = vault.write(&renewed);
            if saved.is_err() {
                let mut unsaved = vault.unsaved();
                let before = unsaved.as_ref().filter(|own| own.record.generation == stale);
                let saved = before.map_or(stale, |own| own.saved);
                *unsaved = Some(Unsaved { saved, record: renewed });
            }
            saved
        })
        .await
    }

    /// Whether there are tokens that could not be saved yet.
    pub(super) fn is_unsaved(&self) -> bool {
        self.unsaved().is_some()
    }

    /// Saves what could not be saved before. What nobody wants any more, since another command has signed out
    /// meanwhile, is given back.
    ///
    /// # Errors
    /// It can't be saved yet.
    pub(super) async fn save_again(&self) -> Result<Option<Record>, Failure> {
        if !self.is_unsaved() {
            return Ok(None);
        }
        let _lock = self.lock(LockKind::Refresh).await?;
        self.blocking(|vault| {
            let Some(present) = vault.read()? else {
                return Ok(vault.unsaved().take().map(|own| own.record));
            };
            let is_own = |own: &mut Unsaved| own.record.generation == present.generation;
            if vault.unsaved().as_mut().is_some_and(is_own) {
                vault.write(&present)?;
            }
            // Whoever signed in anew, or renewed the same token, is left alone: at some servers a token that is
            // taken back takes others with it.
            *vault.unsaved() = None;
            Ok(None)
        })
        .await
    }

    fn unsaved(&self) -> MutexGuard<'_, Option<Unsaved>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- for a person

    /// Deletes the record, also one that can't be read, and gives what it held at the last: nobody renews a token
    /// in between.
    ///
    /// # Errors
    /// It is there still.
    pub async fn take(&self) -> Result<Taken, Failure> {
        let _lock = self.lock(LockKind::Refresh).await?;
        self.blocking(|vault| {
            let record = vault.read();
            let was_there = vault.store.delete(&vault.login).map_err(|error| of_store(&error))?;
            Ok(match record {
                Err(failure) if was_there => Taken::Unreadable(failure),
                Ok(Some(record)) => Taken::Record(Box::new(record)),
                _ => Taken::Nothing,
            })
        })
        .await
    }

    /// Deletes the record, if this holds for it.
    ///
    /// # Errors
    /// It is there still.
    pub async fn delete_if(
        &self,
        holds: impl FnOnce(&Record) -> bool + Send + 'static,
    ) -> Result<(), Failure> {
        let _lock = self.lock(LockKind::Refresh).await?;
        self.blocking(|vault| {
            if vault.read()?.is_some_and(|record| holds(&record)) {
                vault.store.delete(&vault.login).map_err(|error| of_store(&error))?;
            }
            Ok(())
        })
        .await
    }

    /// Proves that a record can be saved, before a person is asked for anything.
    ///
    /// # Errors
    /// Nothing can be saved here.
    pub async fn prepare(&self) -> Result<(), Failure> {
        self.blocking(|vault| vault.store.prepare().map_err(|error| vault.unkept(&error))).await
    }

    /// The issuer that this login's own client is bound to: the one that is noted, else this one from now on, if
    /// one is given. None where nothing can be noted.
    pub async fn bound_issuer(&self, issuer: Option<&str>) -> Option<String> {
        let issuer = issuer.map(str::to_owned);
        let bound = self.blocking(move |Self { store, login, id, .. }| {
            let noted = || {
                let _lock = store.lock(id, LockKind::Refresh)?;
                if let Some(noted) = store.noted(login)? {
                    return Ok(Some(noted));
                }
                let Some(issuer) = issuer else { return Ok(None) };
                store.note(login, &issuer)?;
                store.noted(login)
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
        let forgotten = self.blocking(|vault| {
            vault.store.forget_notes(Some(&vault.login)).map_err(|error| of_store(&error))
        });
        Ok(forgotten.await? > 0)
    }

    /// Whether there is a record that can't be read any more, so that only beginning anew helps.
    pub async fn is_unreadable(&self) -> bool {
        let read = self.blocking(|vault| Ok(vault.store.load(&vault.login).err())).await;
        read.is_ok_and(|error| error.is_some_and(|error| error.is_unreadable()))
    }

    /// Sets records aside that can't be read, for a person who asked for it.
    ///
    /// # Errors
    /// Keychain or folder can't be used.
    pub async fn start_over(&self) -> Result<usize, Failure> {
        let aside = |vault: &Self| vault.store.start_over().map_err(|error| of_store(&error));
        self.blocking(aside).await.map(|aside| aside.len())
    }

    /// Waits for a lock.
    ///
    /// # Errors
    /// The system gives none.
    pub async fn lock(&self, kind: LockKind) -> Result<Lock, Failure> {
        self.blocking(move |vault| {
            vault.store.lock(&vault.id, kind).map_err(|error| of_store(&error))
        })
        .await
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
        let vault = self.clone();
        let (sender, locked) = oneshot::channel();
        // The system's wait can't be taken back: a thread of its own keeps nobody from the end of the process.
        std::thread::spawn(move || sender.send(vault.store.lock(&vault.id, kind)));
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
        self.blocking(move |vault| {
            vault.store.try_lock(&vault.id, kind).map_err(|error| of_store(&error))
        })
        .await
    }

    fn read(&self) -> Result<Option<Record>, Failure> {
        let content = self.store.load(&self.login).map_err(|error| of_store(&error))?;
        let Some(content) = content else { return Ok(None) };
        let record = Record::from_bytes(content.expose()).map_err(|error| of_record(&error))?;
        // A record counts only for the server that it names.
        let mut record = Some(record).filter(|record| record.server == self.login.server());
        if let (Some(record), Some(own)) = (&mut record, &*self.unsaved())
            && record.is_followed_by(own.saved, &own.record)
        {
            record.follow(&own.record);
        }
        Ok(record)
    }

    /// What could not be kept is not begun.
    fn unkept(&self, error: &StoreError) -> Failure {
        self.naming_beside(told(error, "a sign-in could not be kept"))
    }

    /// Why no sign-in can begin, with the one that is kept already in a store that was not chosen here.
    pub(super) async fn unbegun(&self, failure: Failure) -> Failure {
        let told = failure.clone();
        self.blocking(|vault| Ok(vault.naming_beside(told))).await.unwrap_or(failure)
    }

    fn naming_beside(&self, failure: Failure) -> Failure {
        let beside = self.store.beside(&self.login).unwrap_or_default();
        let Some(&Entry { store, .. }) = beside.first() else { return failure };
        let hint = StoreError::Elsewhere { store }.hint();
        failure.hint(format!("there is one in the store `{store}`: {hint}"))
    }

    fn write(&self, record: &Record) -> Result<(), Failure> {
        let content = record.to_bytes();
        self.store.save(&self.login, content.expose()).map_err(|error| of_store(&error))?;
        // It holds them, or later ones.
        let is_in_it = |own: &mut Unsaved| {
            own.record.sign_in == record.sign_in && own.record.generation <= record.generation
        };
        self.unsaved().take_if(is_in_it);
        Ok(())
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.blocking_by(Box::new(work)).await
    }

    async fn blocking_by<T: Send + 'static>(&self, work: Work<T>) -> Result<T, Failure> {
        let vault = self.clone();
        tokio::task::spawn_blocking(move || work(&vault)).await.unwrap_or_else(|_| {
            Err(Failure::new(FailureKind::Internal, "the credential store broke down"))
        })
    }
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
