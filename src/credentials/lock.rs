//! Two locks for each login. They go with the process that holds them, however it ends.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::error::StoreError;
use super::folder;
use crate::os;

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockKind {
    /// One process signs in.
    SignIn,
    /// One process refreshes.
    Refresh,
}

impl LockKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Refresh => "refresh",
        }
    }
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock(#[expect(dead_code, reason = "held for its end")] Held);

#[derive(Debug)]
enum Held {
    File(#[expect(dead_code, reason = "held for its end")] File),
    Here(#[expect(dead_code, reason = "held for its end")] Here),
}

/// Waits for a lock file, which is never deleted: whoever opened a deleted one would lock nothing.
pub(super) fn file(path: &Path) -> Result<Lock, StoreError> {
    let file = opened(path)?;
    file.lock().map_err(folder::unusable(path))?;
    Ok(Lock(Held::File(file)))
}

/// Takes a lock file, if nobody holds it.
pub(super) fn try_file(path: &Path) -> Result<Option<Lock>, StoreError> {
    let file = opened(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(Held::File(file)))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(folder::unusable(path)(error)),
    }
}

fn opened(path: &Path) -> Result<File, StoreError> {
    os::open_lock_file(path).map_err(folder::unusable(path))
}

/// The locks of a store that lives in one process.
#[derive(Debug, Default, Clone)]
pub(super) struct LocksHere(Arc<(Mutex<HashSet<String>>, Condvar)>);

impl LocksHere {
    pub(super) fn wait(&self, name: &str) -> Lock {
        let (held, released) = &*self.0;
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        while held.contains(name) {
            held = released.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        self.hold(&mut held, name)
    }

    pub(super) fn try_now(&self, name: &str) -> Option<Lock> {
        let mut held = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!held.contains(name)).then(|| self.hold(&mut held, name))
    }

    fn hold(&self, held: &mut HashSet<String>, name: &str) -> Lock {
        held.insert(name.to_owned());
        Lock(Held::Here(Here { locks: self.clone(), name: name.to_owned() }))
    }
}

#[derive(Debug)]
struct Here {
    locks: LocksHere,
    name: String,
}

impl Drop for Here {
    fn drop(&mut self) {
        let (held, released) = &*self.locks.0;
        held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
        released.notify_all();
    }
}
