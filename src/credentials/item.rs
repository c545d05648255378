//! The one item in the system's own keychain.

use super::error::KeychainError;
use crate::secret::Secret;

/// The item's names. They are shown in the system's own programs.
pub(super) const SERVICE: &str = "mcp-bridge";
/// Whose it is, or what it is, as keychains have a place for it.
pub(super) const USER: &str = "store-key";
/// What it is called where keychains have names for people.
#[cfg(target_os = "linux")]
pub(super) const LABEL: &str = "bridge: key to the stored sign-ins";

/// An item in a keychain that can be reached. Calls block: for the service to start, or a person to answer its
/// dialog.
pub(super) trait Item {
    /// What is in it, if it is there.
    fn read(&mut self) -> Result<Option<Secret<String>>, KeychainError>;

    /// Puts this into it, and makes it where it is not there.
    fn write(&mut self, text: &str) -> Result<(), KeychainError>;

    /// Takes it out, if it is there.
    fn delete(&mut self) -> Result<(), KeychainError>;
}

/// The item of this user in this system's keychain.
#[cfg(target_os = "linux")]
pub(super) use super::secret_service::open as of_system;

/// The item of this user in this system's keychain.
#[cfg(any(target_os = "macos", windows))]
pub(super) use super::native::open as of_system;

/// A system that has no keychain which bridge knows.
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
pub(super) fn of_system() -> Result<Box<dyn Item>, KeychainError> {
    Err(KeychainError::Absent("bridge knows none on this system".to_owned()))
}
