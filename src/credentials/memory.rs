//! Records of one process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::folder::Version;
use super::lock::LocksHere;
use super::login::Login;
use crate::secret::Secret;

/// Records that end with the process.
#[derive(Debug, Default)]
pub(super) struct Memory {
    records: Mutex<Records>,
    pub(super) locks: LocksHere,
}

#[derive(Debug, Default)]
struct Records {
    saved: u64,
    by_id: BTreeMap<String, (u64, Login, Secret<Vec<u8>>)>,
}

impl Memory {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn load(&self, login: &Login) -> Option<Secret<Vec<u8>>> {
        self.records().by_id.get(&login.id()).map(|(.., content)| content.clone())
    }

    pub(super) fn save(&self, login: &Login, content: &[u8]) {
        let mut records = self.records();
        records.saved += 1;
        let record = (records.saved, login.clone(), Secret::new(content.to_vec()));
        records.by_id.insert(login.id(), record);
    }

    pub(super) fn delete(&self, id: &str) -> bool {
        self.records().by_id.remove(id).is_some()
    }

    pub(super) fn version(&self, id: &str) -> Option<Version> {
        let records = self.records();
        let (saved, ..) = records.by_id.get(id)?;
        Some(Version { modified: None, length: 0, file: *saved })
    }

    pub(super) fn list(&self) -> Vec<(Login, Secret<Vec<u8>>)> {
        self.records()
            .by_id
            .values()
            .map(|(_, login, content)| (login.clone(), content.clone()))
            .collect()
    }
}
