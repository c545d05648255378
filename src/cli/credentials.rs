//! Options of what a sign-in leaves.

use clap::{Args, ValueEnum};

/// Options of what a sign-in leaves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Credentials")]
pub struct CredentialArgs {
    /// Where the tokens of a sign-in are kept
    #[arg(
        long,
        value_name = "STORE",
        value_enum,
        default_value = "auto",
        env = "BRIDGE_CREDENTIAL_STORE",
        hide_short_help = true
    )]
    pub credential_store: CredentialStore,
    /// Which of several accounts at the server this is: `work`, `personal`
    #[arg(
        long,
        value_name = "NAME",
        default_value = "default",
        env = "BRIDGE_PROFILE",
        hide_short_help = true
    )]
    pub profile: String,
}

/// The stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CredentialStore {
    /// `env` where `BRIDGE_STORE_KEY` is set, else `keychain`
    Auto,
    /// In sealed files, their key in the system's keychain
    Keychain,
    /// In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64
    Env,
    /// In files that are not sealed: whoever can read them can use the tokens
    Plaintext,
    /// In this process only: every start needs a new sign-in
    Memory,
}
