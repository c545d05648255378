//! The files of a store: a record for each login, in a folder that is the user's alone.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::envelope::MAX_RECORD;
use super::error::StoreError;
use crate::{order, os, paths};

/// Changes when a record does. Cheap to look at; it says nothing of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub(super) modified: Option<SystemTime>,
    pub(super) length: u64,
    /// The file's own number, where the system has one.
    pub(super) file: u64,
}

/// The folder, and what the names of its records end with.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    /// `keychain`, `env` or `plaintext`.
    kind: &'static str,
}

/// All endings of records, so that those of other stores are found too.
const KINDS: [&str; 3] = ["keychain", "env", "plaintext"];

/// The ending of notes.
const NOTE: &str = "note";

/// What stands between the name of a record that was set aside and its number.
pub const ASIDE: &str = ".unreadable-";

impl Folder {
    pub(super) fn new(path: PathBuf, kind: &'static str) -> Self {
        Self { path, kind }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn record(&self, id: &str) -> PathBuf {
        self.path.join(format!("{id}.{}", self.kind))
    }

    /// What is noted of a login beside its record, unsealed.
    pub(super) fn note(&self, id: &str) -> PathBuf {
        self.path.join(format!("{id}.{NOTE}"))
    }

    /// All notes.
    pub(super) fn notes(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| path.extension().is_some_and(|ending| ending == NOTE)).collect()
    }

    pub(super) fn lock(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.lock"))
    }

    /// Makes the folder, and makes sure that it is the user's alone.
    pub(super) fn create(&self) -> Result<(), StoreError> {
        os::own_folder(&self.path).map_err(unusable(&self.path))
    }

    pub(super) fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let file = match os::open_own_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(unusable(path))?,
        };
        let mut content = Vec::new();
        let limit = MAX_RECORD as u64 + 1;
        file.take(limit).read_to_end(&mut content).map_err(unusable(path))?;
        if content.len() as u64 == limit {
            return Err(StoreError::Damaged { path: path.to_owned(), why: "it is too large" });
        }
        Ok(Some(content))
    }

    pub(super) fn write(&self, path: &Path, record: &[u8]) -> Result<(), StoreError> {
        self.create()?;
        paths::replace_private_durably(path, record).map_err(unusable(path))
    }

    /// What can be read of a file after it was written. No file is left.
    pub(super) fn try_out(&self, record: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.create()?;
        paths::try_private(&self.path, record).map_err(unusable(&self.path))
    }

    /// Whether it was there.
    pub(super) fn delete(&self, path: &Path) -> Result<bool, StoreError> {
        paths::sweep(&self.path);
        match std::fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(unusable(path)(error)),
        }
    }

    pub(super) fn version(&self, id: &str) -> Option<Version> {
        let file = std::fs::symlink_metadata(self.record(id)).ok()?;
        Some(Version {
            modified: file.modified().ok(),
            length: file.len(),
            file: os::file_number(&file),
        })
    }

    /// The records of every kind: login, kind, file.
    pub(super) fn list(&self) -> Result<Vec<(String, &'static str, PathBuf)>, StoreError> {
        let kind_of = |ending: &str| KINDS.into_iter().find(|kind| *kind == ending);
        let records = self.files()?.into_iter();
        Ok(records.filter_map(|(id, ending, path)| Some((id, kind_of(&ending)?, path))).collect())
    }

    /// The records of this kind: login, file.
    pub(super) fn own(&self) -> Result<Vec<(String, PathBuf)>, StoreError> {
        let all = self.list()?.into_iter();
        Ok(all.filter(|each| each.1 == self.kind).map(|(id, _, path)| (id, path)).collect())
    }

    /// The records that were set aside: login, file.
    pub(super) fn aside(&self) -> Result<Vec<(String, PathBuf)>, StoreError> {
        let is_aside = |ending: &str| {
            let parts = ending.split_once(ASIDE);
            parts.is_some_and(|(kind, number)| {
                KINDS.contains(&kind) && number.bytes().all(|digit| digit.is_ascii_digit())
            })
        };
        let named = self.files()?.into_iter();
        Ok(named
            .filter(|(_, ending, _)| is_aside(ending))
            .map(|(id, _, path)| (id, path))
            .collect())
    }

    /// All files of logins: login, ending, file.
    fn files(&self) -> Result<Vec<(String, String, PathBuf)>, StoreError> {
        let entries = match std::fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unusable(&self.path))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(unusable(&self.path))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some((id, ending)) = name.split_once('.') {
                found.push((id.to_owned(), ending.to_owned(), path));
            }
        }
        Ok(order::by(found, Ord::cmp))
    }

    /// Renames a record so that it is kept and not found.
    pub(super) fn set_aside(&self, path: &Path) -> Result<PathBuf, StoreError> {
        let named = |number: u32| {
            let mut aside = path.as_os_str().to_owned();
            aside.push(format!("{ASIDE}{number}"));
            PathBuf::from(aside)
        };
        let is_free = |path: &PathBuf| std::fs::symlink_metadata(path).is_err();
        let aside = (1..).map(named).find(is_free).unwrap_or_else(|| named(0));
        std::fs::rename(path, &aside).map_err(unusable(path))?;
        Ok(aside)
    }
}

pub(super) fn unusable(path: &Path) -> impl Fn(io::Error) -> StoreError {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let path = path.to_owned();
    move |error| {
        let (path, why) = (path.clone(), error.to_string());
        match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem => {
                StoreError::NoRoom { path, why }
            }
            _ => StoreError::File { path, why },
        }
    }
}
