//! Where what a sign-in earned is kept: sealed records, the key to them, the locks on them. It does not
//! know what is in a record.
//!
//! ```text
//! Login ─▶ Store ─▶ envelope ─▶ folder       a file for each login, replaced in one step
//!            │          ▲
//!            │         key ◀─ keychain        one item, read once, on a thread that may be given up
//!            │                   └─▶ item      in the system's keychain: secret_service, native
//!            └─▶ lock                          two for each login: sign-in, refresh
//! ```
//!
//! All calls block, for a bounded time but for [`Store::lock`]: run them on a thread that may.

mod envelope;
mod error;
mod folder;
mod item;
mod key;
mod keychain;
mod lock;
mod login;
mod memory;
#[cfg(any(target_os = "macos", windows))]
mod native;
#[cfg(target_os = "linux")]
mod secret_service;
mod settings;
mod store;

pub use error::{KeychainError, StoreError};
pub use folder::{ASIDE, Version};
pub use key::{BadKey, Key};
pub use lock::{Lock, LockKind};
pub use login::{Fixed, Login, Profile};
pub use settings::{Keep, Patience, Settings};
pub use store::{Entry, Store};

#[cfg(test)]
mod store_tests;
