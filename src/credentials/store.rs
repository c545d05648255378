//! The one door: load, save, delete, list, lock.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::envelope::{self, Unopened};
use super::error::StoreError;
use super::folder::{Folder, Version};
use super::item;
use super::key::Key;
use super::keychain::{self, Connect, Keychain};
use super::lock::{self, Lock, LockKind};
use super::login::{self, Fixed, Login, Profile};
use super::memory::Memory;
use super::settings::{Keep, Patience, Settings};
use crate::paths;
use crate::secret::Secret;

/// Where records are kept.
pub struct Store {
    name: &'static str,
    place: Place,
}

enum Place {
    Files(Folder, Seal),
    Memory(Memory),
    Nowhere,
}

/// What records are sealed with.
enum Seal {
    Keychain(Keychain),
    Key(Key),
    None,
}

/// A record that was found.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name of its files.
    pub id: String,
    /// The store that it is in, as `--credential-store` names it.
    pub store: &'static str,
    /// When it was saved.
    pub saved: Option<SystemTime>,
    /// Whose it is and what is in it, or why that can't be told.
    pub content: Result<(Login, Secret<Vec<u8>>), StoreError>,
    path: Option<PathBuf>,
}

impl Store {
    /// A store. Nothing is read or asked before something is wanted from it.
    pub fn open(settings: &Settings, patience: Patience) -> Self {
        Self::connecting(settings, patience, Box::new(item::of_system))
    }

    pub(super) fn connecting(
        settings: &Settings,
        patience: Patience,
        connect: Box<Connect>,
    ) -> Self {
        let name = settings.keep.name();
        let folder = settings.folder.clone().map(|folder| Folder::new(folder, name));
        let place = match (&settings.keep, folder) {
            (Keep::Memory, _) => Place::Memory(Memory::default()),
            (_, None) => Place::Nowhere,
            (Keep::Plaintext, Some(folder)) => Place::Files(folder, Seal::None),
            (Keep::Key(key), Some(folder)) => Place::Files(folder, Seal::Key(key.clone())),
            (Keep::Keychain, Some(folder)) => {
                let keychain = Keychain::new(connect, folder.clone(), patience.deadline());
                Place::Files(folder, Seal::Keychain(keychain))
            }
        };
        Self { name, place }
    }

    /// The content of a login's record. The keychain is not asked if there is none. What killed writers left is
    /// swept.
    ///
    /// # Errors
    /// There is one, and it can't be read.
    pub fn load(&self, login: &Login) -> Result<Option<Secret<Vec<u8>>>, StoreError> {
        match &self.place {
            Place::Files(folder, seal) => {
                let (id, path) = (login.id(), folder.record(&login.id()));
                let record = folder.read(&path)?;
                if record.is_some() {
                    paths::sweep(folder.path());
                }
                let opened = record.map(|record| seal.open(&record, &id, &path)).transpose()?;
                Ok(opened.map(|(_, content)| Secret::new(content)))
            }
            Place::Memory(memory) => Ok(memory.load(login)),
            Place::Nowhere => Err(StoreError::NoFolder),
        }
    }

    /// Saves a record, in one step that survives a crash of the system. A record that can't be read, or is
    /// of a later version, is not replaced.
    ///
    /// # Errors
    /// It is not saved; what was there before is.
    pub fn save(&self, login: &Login, content: &[u8]) -> Result<(), StoreError> {
        match &self.place {
            Place::Files(folder, seal) => seal.with_key(|key| {
                let path = folder.record(&login.id());
                if let Some(record) = folder.read(&path)? {
                    let outside = envelope::outside(&record).map_err(told(&path))?;
                    if !outside.is_of(key) {
                        return Err(StoreError::OtherKey);
                    }
                }
                folder.write(&path, &envelope::seal(key, login, content)?)
            }),
            Place::Memory(memory) => {
                memory.save(login, content);
                Ok(())
            }
            Place::Nowhere => Err(StoreError::NoFolder),
        }
    }

    /// Deletes a record, also one that can't be read. Whether there was one.
    ///
    /// # Errors
    /// It is there still.
    pub fn delete(&self, login: &Login) -> Result<bool, StoreError> {
        match &self.place {
            Place::Files(folder, _) => folder.delete(&folder.record(&login.id())),
            Place::Memory(memory) => Ok(memory.delete(&login.id())),
            Place::Nowhere => Ok(false),
        }
    }

    /// Changes whenever the record of the login with this id does, without reading it; none while there is
    /// none.
    pub fn version(&self, id: &str) -> Option<Version> {
        match &self.place {
            Place::Files(folder, _) => folder.version(id),
            Place::Memory(memory) => memory.version(id),
            Place::Nowhere => None,
        }
    }

    /// The records of all sign-ins in the folder, those of other stores among them.
    ///
    /// # Errors
    /// The folder can't be read. That a record can't is told with it.
    pub fn list(&self) -> Result<Vec<Entry>, StoreError> {
        match &self.place {
            Place::Files(folder, seal) => {
                let is_sign_in = |id: &str| !id.starts_with(login::HEADERS);
                let records = folder.list()?.into_iter().filter(|(id, _, _)| is_sign_in(id));
                Ok(records.map(|found| self.entry(folder, seal, found)).collect())
            }
            Place::Memory(memory) => Ok(memory
                .list()
                .into_iter()
                .map(|(login, content)| Entry {
                    id: login.id(),
                    store: self.name,
                    saved: None,
                    content: Ok((login, content)),
                    path: None,
                })
                .collect()),
            Place::Nowhere => Ok(Vec::new()),
        }
    }

    /// The records of a login in other stores of the same folder. No keychain is asked.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn beside(&self, login: &Login) -> Result<Vec<Entry>, StoreError> {
        let Place::Files(folder, seal) = &self.place else { return Ok(Vec::new()) };
        let id = login.id();
        let mut records = folder.list()?;
        records.retain(|(of, store, _)| *of == id && *store != self.name);
        Ok(records.into_iter().map(|found| self.entry(folder, seal, found)).collect())
    }

    /// Deletes a record that [`Store::list`] or [`Store::beside`] found.
    ///
    /// # Errors
    /// It is there still.
    pub fn remove(&self, entry: &Entry) -> Result<bool, StoreError> {
        match (&self.place, &entry.path) {
            (Place::Files(folder, _), Some(path)) => folder.delete(path),
            (Place::Memory(memory), _) => Ok(memory.delete(&entry.id)),
            _ => Ok(false),
        }
    }

    /// Whether this program ever put a key into the keychain.
    pub fn has_made_key(&self) -> bool {
        matches!(&self.place, Place::Files(_, Seal::Keychain(keychain)) if keychain.has_made_key())
    }

    /// Takes the key out of the keychain. What was sealed with it can't be read any more.
    ///
    /// # Errors
    /// It is there still.
    pub fn discard_key(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Files(_, Seal::Keychain(keychain)) => keychain.discard_key(),
            _ => Ok(()),
        }
    }

    /// What is noted of a login: no secret, unsealed, so that no keychain is asked for it.
    ///
    /// # Errors
    /// It can't be read.
    pub fn noted(&self, login: &Login) -> Result<Option<String>, StoreError> {
        let Place::Files(folder, _) = &self.place else { return Ok(None) };
        let note = folder.read(&folder.note(&login.id()))?;
        Ok(note.map(|note| String::from_utf8_lossy(&note).into_owned()))
    }

    /// Notes something of a login; where there are no files, nothing.
    ///
    /// # Errors
    /// It is not kept.
    pub fn note(&self, login: &Login, text: &str) -> Result<(), StoreError> {
        let Place::Files(folder, _) = &self.place else { return Ok(()) };
        folder.write(&folder.note(&login.id()), text.as_bytes())
    }

    /// Forgets what is noted of a login, or of all. How many notes there were.
    ///
    /// # Errors
    /// One is there still.
    pub fn forget_notes(&self, of: Option<&Login>) -> Result<usize, StoreError> {
        let Place::Files(folder, _) = &self.place else { return Ok(0) };
        let notes = of.map_or_else(|| folder.notes(), |login| vec![folder.note(&login.id())]);
        let mut forgotten = 0;
        for note in notes {
            forgotten += usize::from(folder.delete(&note)?);
        }
        Ok(forgotten)
    }

    /// Whether records can be read here, and the key to them. Makes nothing.
    ///
    /// # Errors
    /// They can't. That there is no key yet is none where there is no record either.
    pub fn check(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::Files(folder, seal) => {
                let has_records = !folder.own()?.is_empty();
                let Seal::Keychain(keychain) = seal else { return Ok(()) };
                match keychain.key() {
                    Err(StoreError::KeyMissing) if !has_records => Ok(()),
                    key => key.map(drop),
                }
            }
            Place::Memory(_) => Ok(()),
            Place::Nowhere => Err(StoreError::NoFolder),
        }
    }

    /// Proves that a record can be saved: makes the key if there is none and may be one, writes, reads back.
    ///
    /// # Errors
    /// Nothing can be saved here.
    pub fn prepare(&self) -> Result<(), StoreError> {
        self.prepare_for(ROOM)
    }

    /// The same for a record with a content of this length, in bytes.
    ///
    /// # Errors
    /// It can't be saved here.
    pub fn prepare_for(&self, length: usize) -> Result<(), StoreError> {
        match &self.place {
            Place::Files(folder, seal) => {
                folder.create()?;
                paths::sweep(folder.path());
                seal.with_key(|key| prove(folder, key, length))
            }
            Place::Memory(_) => Ok(()),
            Place::Nowhere => Err(StoreError::NoFolder),
        }
    }

    /// Sets aside every record that can't be read, renamed and kept, and makes a new key if the keychain
    /// has none. For a user who asked for it. The new names of what was set aside.
    ///
    /// # Errors
    /// The keychain or the folder can't be used.
    pub fn start_over(&self) -> Result<Vec<PathBuf>, StoreError> {
        match &self.place {
            Place::Files(_, Seal::Keychain(keychain)) => keychain.start_over(),
            Place::Files(folder, Seal::Key(key)) => {
                keychain::set_aside_unreadable(folder, Some(key))
            }
            Place::Files(folder, Seal::None) => keychain::set_aside_unreadable(folder, None),
            Place::Memory(_) => Ok(Vec::new()),
            Place::Nowhere => Err(StoreError::NoFolder),
        }
    }

    /// Deletes the records of the login with this id, or of all, that [`Store::start_over`] set aside. How many
    /// there were.
    ///
    /// # Errors
    /// One of them is there still.
    pub fn discard_aside(&self, id: Option<&str>) -> Result<usize, StoreError> {
        let Place::Files(folder, _) = &self.place else { return Ok(0) };
        let aside = folder.aside()?.into_iter();
        let paths = aside.filter(|(of, _)| id.is_none_or(|id| id == of)).map(|(_, path)| path);
        paths.map(|path| folder.delete(&path).map(usize::from)).sum()
    }

    /// Waits for the lock of the login with this id, without limit: whoever holds it is at work, and it goes with its process.
    ///
    /// # Errors
    /// The system gives no lock.
    pub fn lock(&self, id: &str, kind: LockKind) -> Result<Lock, StoreError> {
        let name = lock_name(id, kind);
        match &self.place {
            Place::Files(folder, _) => {
                folder.create()?;
                lock::file(&folder.lock(&name))
            }
            Place::Memory(memory) => Ok(memory.locks.wait(&name)),
            Place::Nowhere => Err(StoreError::NoFolder),
        }
    }

    /// Takes the lock of the login with this id, if nobody holds it.
    ///
    /// # Errors
    /// The system gives no lock.
    pub fn try_lock(&self, id: &str, kind: LockKind) -> Result<Option<Lock>, StoreError> {
        let name = lock_name(id, kind);
        match &self.place {
            Place::Files(folder, _) => {
                folder.create()?;
                lock::try_file(&folder.lock(&name))
            }
            Place::Memory(memory) => Ok(memory.locks.try_now(&name)),
            Place::Nowhere => Err(StoreError::NoFolder),
        }
    }

    /// Its name, as `--credential-store` takes it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    fn entry(
        &self,
        folder: &Folder,
        seal: &Seal,
        (id, store, path): (String, &'static str, PathBuf),
    ) -> Entry {
        let content = folder.read(&path).and_then(|record| {
            let record = record.ok_or(StoreError::Damaged {
                path: path.clone(),
                why: "it was deleted just now",
            })?;
            match store {
                "plaintext" => Seal::None.open(&record, &id, &path),
                _ if store == self.name => seal.open(&record, &id, &path),
                _ => Err(StoreError::Elsewhere { store }),
            }
        });
        let saved = std::fs::symlink_metadata(&path).and_then(|file| file.modified()).ok();
        let content = content.map(|(login, content)| (login, Secret::new(content)));
        Entry { id, store, saved, content, path: Some(path) }
    }
}

/// Where and how it keeps records, for people.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Files(folder, seal) => {
                let folder = folder.path().display();
                match seal {
                    Seal::Keychain(_) => {
                        write!(f, "sealed in {folder}, the key in the system's keychain")
                    }
                    Seal::Key(_) => write!(f, "sealed in {folder}, the key in BRIDGE_STORE_KEY"),
                    Seal::None => write!(f, "in plain files in {folder}, which are not sealed"),
                }
            }
            Place::Memory(_) => f.write_str("in memory, until the process ends"),
            Place::Nowhere => f.write_str("nowhere: this system names no home folder"),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({self})")
    }
}

impl Seal {
    fn open(&self, record: &[u8], id: &str, path: &Path) -> Result<(Login, Vec<u8>), StoreError> {
        let outside = envelope::outside(record).map_err(told(path))?;
        let open = |key: Option<&Key>| outside.open(key, id).map_err(told(path));
        match self {
            Self::Keychain(keychain) => match open(Some(&keychain.key()?)) {
                // A login in another process may have made a new key.
                Err(StoreError::OtherKey) => {
                    keychain.forget();
                    open(Some(&keychain.key()?))
                }
                opened => opened,
            },
            Self::Key(key) => open(Some(key)),
            Self::None => open(None),
        }
    }

    fn with_key<T>(
        &self,
        write: impl Fn(Option<&Key>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Self::Keychain(keychain) => keychain.with_current_key(|key| write(Some(key))),
            Self::Key(key) => write(Some(key)),
            Self::None => write(None),
        }
    }
}

fn lock_name(id: &str, kind: LockKind) -> String {
    format!("{id}.{}", kind.name())
}

/// What the record of a sign-in needs, in bytes, with large tokens.
const ROOM: usize = 16 * 1024;

/// Writes a record that is nobody's, reads it back, and deletes it.
fn prove(folder: &Folder, key: Option<&Key>, length: usize) -> Result<(), StoreError> {
    const WHY: &str = "it does not keep what is written";
    let lost = || StoreError::Damaged { path: folder.path().to_owned(), why: WHY };
    let nobody = url::Url::parse("proof:").map_err(|_| lost())?;
    let login = Login::new(Profile::default(), &nobody, Fixed::default());
    let proof = vec![b' '; length.min(envelope::MAX_CONTENT)];
    let kept = folder.try_out(&envelope::seal(key, &login, &proof)?)?;
    let opened = envelope::outside(&kept).and_then(|outside| outside.open(key, &login.id()));
    match opened {
        Ok((_, content)) if content == proof => Ok(()),
        _ => Err(lost()),
    }
}

fn told(path: &Path) -> impl Fn(Unopened) -> StoreError {
    let path = path.to_owned();
    move |why| match why {
        Unopened::Damaged(why) => StoreError::Damaged { path: path.clone(), why },
        Unopened::Newer => StoreError::Newer { path: path.clone() },
        Unopened::OtherKey => StoreError::OtherKey,
    }
}
