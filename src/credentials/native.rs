//! The keychains of macOS and Windows, by `keyring-core`.

use std::collections::HashMap;

use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry, Error};

use super::error::KeychainError;
use super::item::{Item, SERVICE, USER};
use crate::secret::Secret;

/// Names the item in the keychain of this user.
pub(super) fn open() -> Result<Box<dyn Item>, KeychainError> {
    let entry = entry().map_err(|error| KeychainError::Absent(reason(&error)))?;
    Ok(Box::new(entry))
}

fn entry() -> keyring_core::Result<Entry> {
    #[cfg(target_os = "macos")]
    let (store, modifiers) = (apple_native_keyring_store::keychain::Store::new()?, []);
    // On this machine only: the records do not roam either.
    #[cfg(windows)]
    let (store, modifiers) =
        (windows_native_keyring_store::Store::new()?, [("persistence", "Local")]);
    store.build(SERVICE, USER, Some(&HashMap::from(modifiers)))
}

impl Item for Entry {
    fn read(&mut self) -> Result<Option<Secret<String>>, KeychainError> {
        match self.get_password() {
            Ok(text) => Ok(Some(Secret::new(text))),
            Err(Error::NoEntry) => Ok(None),
            // Nor is it a key, which the caller finds out.
            Err(Error::BadEncoding(_)) => Ok(Some(Secret::new(String::new()))),
            Err(error) => Err(refused(&error)),
        }
    }

    fn write(&mut self, text: &str) -> Result<(), KeychainError> {
        self.set_password(text).map_err(|error| refused(&error))
    }

    fn delete(&mut self) -> Result<(), KeychainError> {
        match self.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }
}

fn refused(error: &Error) -> KeychainError {
    match error {
        Error::NoStorageAccess(_) => KeychainError::Locked(reason(error)),
        _ => KeychainError::Failed(reason(error)),
    }
}

/// The innermost reason: what stands around it says no more.
fn reason(error: &Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}
