//! What the user fixed about keeping.

use std::path::PathBuf;
use std::time::Duration;

use super::key::Key;
use super::login::Profile;

/// Where the key to the records comes from, or what is kept in place of sealed records.
#[derive(Debug, Clone, Default)]
pub enum Keep {
    /// Sealed, the key in the operating system's keychain.
    #[default]
    Keychain,
    /// Sealed, with this key.
    Key(Key),
    /// In files that can be read.
    Plaintext,
    /// In this process, and nowhere else.
    Memory,
}

impl Keep {
    /// Its name, as `--credential-store` takes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::Key(_) => "env",
            Self::Plaintext => "plaintext",
            Self::Memory => "memory",
        }
    }
}

/// How long a keychain may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// A client waits: nobody may be there to answer a dialog.
    Serving,
    /// A person asked for it, and can answer the system's dialogs.
    Interactive,
}

impl Patience {
    /// The deadline.
    pub fn deadline(self) -> Duration {
        match self {
            Self::Serving => Duration::from_secs(2),
            Self::Interactive => Duration::from_secs(60),
        }
    }
}

/// Everything that the user fixed.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// How things are kept.
    pub keep: Keep,
    /// The folder of the records; none where the system names no home.
    pub folder: Option<PathBuf>,
    /// The account.
    pub profile: Profile,
}
