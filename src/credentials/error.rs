//! Why something can't be kept or found, by what can be done about it.

use std::path::PathBuf;
use std::time::Duration;

/// Why the keychain gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeychainError {
    /// There is none, or nothing on this system speaks to one.
    #[error("no keychain answers: {0}")]
    Absent(String),
    /// It is locked, or its dialog was dismissed.
    #[error("the keychain is locked, or has no place for new entries: {0}")]
    Locked(String),
    /// It did not answer in time; a dialog may be waiting somewhere.
    #[error("the keychain did not answer within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// It failed otherwise.
    #[error("the keychain failed: {0}")]
    Failed(String),
}

impl KeychainError {
    /// Whether waiting and unlocking help nothing.
    pub fn is_for_good(&self) -> bool {
        matches!(self, Self::Absent(_) | Self::Failed(_))
    }
}

/// Why something can't be kept or found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The keychain can't be used.
    #[error("{0}")]
    Keychain(KeychainError),
    /// Records are there, and the keychain says that it has no key to them.
    #[error(
        "the keychain has no key to the stored sign-ins: it is locked, or the key was lost with an \
         earlier keychain"
    )]
    KeyMissing,
    /// The keychain's item is no key.
    #[error("the keychain's entry for bridge is not a key")]
    KeyUnusable,
    /// A record was sealed with another key.
    #[error("what is stored was sealed with another key")]
    OtherKey,
    /// A record of another store, whose key is not at hand.
    #[error("what is stored is in another store (`--credential-store {store}`)")]
    Elsewhere {
        /// The store, as `--credential-store` names it.
        store: &'static str,
    },
    /// A record is not as it was written, or belongs to another login.
    #[error("{} is damaged: {why}", path.display())]
    Damaged {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A record was written by a later version.
    #[error("{} was written by a later version of bridge", path.display())]
    Newer {
        /// The record.
        path: PathBuf,
    },
    /// A file or folder can't be used.
    #[error("{} can't be used: {why}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// Nothing more can be written there.
    #[error("{} can't be written: {why}", path.display())]
    NoRoom {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no folder to keep it in.
    #[error("this system names no home folder to keep sign-ins in")]
    NoFolder,
    /// It is longer than a record may be.
    #[error("the record is too large to be kept")]
    TooLarge,
}

impl StoreError {
    /// Whether records can't be read any more, so that only [`Store::start_over`] helps, which a user has to
    /// ask for.
    ///
    /// [`Store::start_over`]: super::Store::start_over
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::KeyMissing | Self::KeyUnusable | Self::OtherKey | Self::Damaged { .. })
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        const ELSEWHERE: &str = "set BRIDGE_STORE_KEY (32 random bytes in base64), or choose \
            `--credential-store plaintext`";
        match self {
            Self::Keychain(KeychainError::Absent(_) | KeychainError::Failed(_)) => {
                format!(
                    "run `bridge login` in a terminal, which asks where to keep it; or {ELSEWHERE}"
                )
            }
            Self::Keychain(_) => {
                format!(
                    "unlock the keychain and run `bridge login` in a terminal; without one, {ELSEWHERE}"
                )
            }
            Self::KeyMissing => {
                "unlock the keychain; if its key is lost, `bridge login` sets the old \
                sign-ins aside and begins anew"
                    .to_owned()
            }
            Self::OtherKey => {
                "give the BRIDGE_STORE_KEY that it was written with, or run `bridge login`"
                    .to_owned()
            }
            Self::Elsewhere { store: "env" } => {
                "set BRIDGE_STORE_KEY to the key that it was sealed with, also where the client starts \
                 bridge"
                    .to_owned()
            }
            Self::Elsewhere { store } => format!("add `--credential-store {store}`"),
            Self::KeyUnusable | Self::Damaged { .. } => {
                "`bridge login` sets it aside and signs in anew".to_owned()
            }
            Self::Newer { .. } => {
                "update bridge, or run `bridge login` with the later version".to_owned()
            }
            Self::File { .. } => {
                "make it a file of your own that nobody else can read (`chmod 600`; \
                folders `chmod 700`), or choose another `--credential-store`"
                    .to_owned()
            }
            Self::NoRoom { .. } => "make room on that disk, or make it writable".to_owned(),
            Self::NoFolder => "set HOME, or choose `--credential-store memory`".to_owned(),
            Self::TooLarge => "run with `--debug` and report what it says".to_owned(),
        }
    }

    /// What to do next about the secrets of a saved server, which no sign-in brings back: `anew` is the command that
    /// takes them once more.
    pub fn hint_of_secrets(&self, anew: &str) -> String {
        const KEY: &str = "set BRIDGE_STORE_KEY (`openssl rand -base64 32` makes one) here and where \
            the client starts bridge";
        match self {
            Self::Keychain(why) if why.is_for_good() => KEY.to_owned(),
            Self::Keychain(_) => format!("unlock the keychain; without one, {KEY}"),
            Self::KeyMissing => {
                format!("unlock the keychain; if its key is lost, give them anew: `{anew}`")
            }
            Self::OtherKey => {
                format!(
                    "give the BRIDGE_STORE_KEY that it was written with, or them anew: `{anew}`"
                )
            }
            Self::KeyUnusable | Self::Damaged { .. } => format!("give them anew: `{anew}`"),
            _ => self.hint(),
        }
    }
}

impl From<KeychainError> for StoreError {
    fn from(error: KeychainError) -> Self {
        Self::Keychain(error)
    }
}
