//! The key in the operating system's keychain: one item, read at most once, on a thread of its own that
//! is given up when the system does not answer.
//!
//! A key is made under the lock `key.lock`, which the thread holds to its end: one that waits for a dialog
//! long after its caller gave up still keeps a second key from being made. The file's length counts the
//! keys that were made, so that a process that keeps an older one notices.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use super::envelope::{self, Unopened};
use super::error::{KeychainError, StoreError};
use super::folder::{self, Folder};
use super::item::Item;
use super::key::Key;
use crate::os;

/// How long a save waits for another process that is making a key.
const PATIENCE_WITH_OTHERS: Duration = Duration::from_secs(2);

/// Connects to the keychain, and names the item in it.
pub(super) type Connect = dyn Fn() -> Result<Box<dyn Item>, KeychainError> + Send + Sync;

/// The key's place.
pub(super) struct Keychain {
    inner: Arc<Inner>,
    deadline: Duration,
}

struct Inner {
    connect: Box<Connect>,
    folder: Folder,
    state: Mutex<State>,
    done: Condvar,
}

/// What is known of the key.
#[derive(Default)]
struct State {
    key: Option<Key>,
    /// How many keys had been made when this one was read.
    made: u64,
    /// What a thread is doing.
    running: Option<Job>,
    /// How the last one failed.
    failed: Option<StoreError>,
}

/// What a thread may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Read,
    ReadOrMake,
}

impl Keychain {
    pub(super) fn new(connect: Box<Connect>, folder: Folder, deadline: Duration) -> Self {
        let (state, done) = (Mutex::default(), Condvar::new());
        Self { inner: Arc::new(Inner { connect, folder, state, done }), deadline }
    }

    /// The key. None is made.
    pub(super) fn key(&self) -> Result<Key, StoreError> {
        self.get(Job::Read)
    }

    /// Forgets the key, so that it is read again.
    pub(super) fn forget(&self) {
        self.inner.state().key = None;
    }

    /// Writes something with the key that is the keychain's; one is made if there is none, and no record.
    pub(super) fn with_current_key<T>(
        &self,
        write: impl Fn(&Key) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // Another process that makes a key meanwhile was asked to by its user, which happens once.
        for _ in 0..2 {
            let key = self.get(Job::ReadOrMake)?;
            let _no_key_is_made = self.inner.hold_still();
            if self.inner.state().made == self.inner.keys_made() {
                return write(&key);
            }
            self.forget();
        }
        write(&self.get(Job::ReadOrMake)?)
    }

    /// Makes a new key if the keychain has none, and sets aside what it does not open.
    pub(super) fn start_over(&self) -> Result<Vec<std::path::PathBuf>, StoreError> {
        let (sender, receiver) = mpsc::channel();
        let inner = Arc::clone(&self.inner);
        spawn(move || {
            let _ = sender.send(inner.start_over());
        })?;
        receiver
            .recv_timeout(self.deadline)
            .unwrap_or_else(|_| Err(KeychainError::TimedOut(self.deadline).into()))
    }

    /// Whether a key was ever made, as far as the folder knows.
    pub(super) fn has_made_key(&self) -> bool {
        self.inner.keys_made() > 0
    }

    /// Takes the key out of the keychain.
    pub(super) fn discard_key(&self) -> Result<(), StoreError> {
        let (sender, receiver) = mpsc::channel();
        let inner = Arc::clone(&self.inner);
        spawn(move || {
            let _ = sender.send(inner.discard_key());
        })?;
        receiver
            .recv_timeout(self.deadline)
            .unwrap_or_else(|_| Err(KeychainError::TimedOut(self.deadline).into()))
    }

    fn get(&self, job: Job) -> Result<Key, StoreError> {
        let until = Instant::now() + self.deadline;
        let mut state = self.inner.state();
        let mut asked = state.running == Some(job);
        loop {
            match (&state.key, state.running) {
                (Some(key), _) => return Ok(key.clone()),
                (None, Some(_)) => {}
                (None, None) if asked => {
                    let failed = state.failed.clone();
                    return Err(failed.unwrap_or(StoreError::KeyMissing));
                }
                (None, None) => {
                    self.inner.start(job, &mut state)?;
                    asked = true;
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(KeychainError::TimedOut(self.deadline).into());
            }
            let waited = self.inner.done.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(self: &Arc<Self>, job: Job, state: &mut State) -> Result<(), StoreError> {
        let inner = Arc::clone(self);
        spawn(move || {
            let work = std::panic::AssertUnwindSafe(|| inner.run(job));
            let done = std::panic::catch_unwind(work).unwrap_or_else(|_| {
                Err(KeychainError::Failed("a defect; the log says more".to_owned()).into())
            });
            let mut state = inner.state();
            state.running = None;
            match done {
                Ok((key, made)) => (state.key, state.made) = (Some(key), made),
                Err(error) => state.failed = Some(error),
            }
            inner.done.notify_all();
        })?;
        (state.running, state.failed) = (Some(job), None);
        Ok(())
    }

    fn run(&self, job: Job) -> Result<(Key, u64), StoreError> {
        let made = self.keys_made();
        match (self.read()?, job) {
            (Some(key), _) => Ok((key, made)),
            (None, Job::Read) => Err(StoreError::KeyMissing),
            (None, Job::ReadOrMake) => self.make_the_first(),
        }
    }

    fn make_the_first(&self) -> Result<(Key, u64), StoreError> {
        let lock = self.lock()?;
        // Another process may have been faster.
        if let Some(key) = self.read()? {
            return Ok((key, self.keys_made()));
        }
        if !self.folder.own()?.is_empty() {
            return Err(StoreError::KeyMissing);
        }
        self.make(&lock)
    }

    fn start_over(&self) -> Result<Vec<std::path::PathBuf>, StoreError> {
        let lock = self.lock()?;
        let (key, made) = match self.read() {
            Ok(Some(key)) => (key, self.keys_made()),
            Ok(None) | Err(StoreError::KeyUnusable) => self.make(&lock)?,
            Err(error) => return Err(error),
        };
        let mut state = self.state();
        (state.key, state.made) = (Some(key.clone()), made);
        drop(state);
        set_aside_unreadable(&self.folder, Some(&key))
    }

    fn discard_key(&self) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        self.state().key = None;
        Ok((self.connect)()?.delete()?)
    }

    /// Makes a key and proves that the keychain keeps it.
    fn make(&self, mut lock: &std::fs::File) -> Result<(Key, u64), StoreError> {
        let key = Key::random().map_err(|_| failed("the system gives no random numbers"))?;
        // Counted first: whoever saves after us looks again, also if this process dies here.
        lock.write_all(b"+").map_err(folder::unusable(&self.lock_file()))?;
        (self.connect)()?.write(key.text().expose())?;
        match self.read()? {
            Some(kept) if kept == key => Ok((key, self.keys_made())),
            _ => Err(failed("it did not keep what was written to it")),
        }
    }

    fn read(&self) -> Result<Option<Key>, StoreError> {
        let Some(text) = (self.connect)()?.read()? else { return Ok(None) };
        Key::parse(text.expose()).map(Some).map_err(|_| StoreError::KeyUnusable)
    }

    fn lock_file(&self) -> std::path::PathBuf {
        self.folder.lock("key")
    }

    fn lock(&self) -> Result<std::fs::File, StoreError> {
        self.folder.create()?;
        let path = self.lock_file();
        let file = os::open_lock_file(&path).map_err(folder::unusable(&path))?;
        file.lock().map_err(folder::unusable(&path))?;
        Ok(file)
    }

    /// Keeps other processes from making a key, if none of them is at it for long.
    fn hold_still(&self) -> Option<std::fs::File> {
        self.folder.create().ok()?;
        let file = os::open_lock_file(&self.lock_file()).ok()?;
        let until = Instant::now() + PATIENCE_WITH_OTHERS;
        while file.try_lock_shared().is_err() {
            if Instant::now() > until {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(file)
    }

    fn keys_made(&self) -> u64 {
        std::fs::metadata(self.lock_file()).map_or(0, |file| file.len())
    }
}

/// Sets aside the records that are damaged or sealed with another key; those of a later version stay.
pub(super) fn set_aside_unreadable(
    folder: &Folder,
    key: Option<&Key>,
) -> Result<Vec<std::path::PathBuf>, StoreError> {
    let mut aside = Vec::new();
    for (id, path) in folder.own()? {
        let opened = match folder.read(&path) {
            Err(StoreError::Damaged { why, .. }) => Err(Unopened::Damaged(why)),
            read => match read? {
                Some(record) => {
                    envelope::outside(&record).and_then(|outside| outside.open(key, &id)).map(drop)
                }
                None => Ok(()),
            },
        };
        if matches!(opened, Err(Unopened::Damaged(_) | Unopened::OtherKey)) {
            aside.push(folder.set_aside(&path)?);
        }
    }
    Ok(aside)
}

fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let thread = std::thread::Builder::new().name("keychain".to_owned());
    thread.spawn(work).map(drop).map_err(|error| failed(&error.to_string()))
}

fn failed(why: &str) -> StoreError {
    KeychainError::Failed(why.to_owned()).into()
}
