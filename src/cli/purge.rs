//! Arguments of `purge`.

use clap::{Arg, Args};

use super::ServeArgs;

/// Arguments of `purge`.
#[derive(Debug, Args)]
pub struct PurgeArgs {
    /// Do not ask first
    #[arg(short, long)]
    pub yes: bool,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How tokens are revoked: the options of the network
    #[command(flatten)]
    pub server: ServeArgs,
}

/// What matters to it; other options are taken as everywhere.
const OWN: [&str; 9] = [
    "yes",
    "dry_run",
    "ca_cert",
    "client_cert",
    "client_key",
    "proxy",
    "enable_proxy",
    "connect_timeout",
    "headers_timeout",
];

pub(super) fn of_purge(arg: Arg) -> Arg {
    let hidden = arg.is_hide_set() || !OWN.contains(&arg.get_id().as_str());
    arg.hide(hidden)
}

pub(super) const EXAMPLES: &str = "Examples:
  bridge purge --dry-run
      List what is stored.

  bridge purge
      Sign out everywhere, and remove sign-ins, saved servers, the cache, the
      logs and the key in the keychain.";
