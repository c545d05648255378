//! `bridge purge`: removes all that the program ever stored.

use std::io::{ErrorKind, IsTerminal};
use std::path::PathBuf;

use crate::config;
use crate::credentials::{Keep, Patience, Settings, Store};
use crate::error::Error;
use crate::{paths, ui};

use super::parts::error;

/// How it is gone about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Only shown.
    DryRun,
    /// Nobody is asked.
    Agreed,
    /// The person in the terminal is asked.
    Asking,
}

/// Signs out everywhere, then removes the folders and the key.
///
/// # Errors
/// Something is there still.
pub fn run(config: &config::SignIns, how: Consent) -> Result<(), Error> {
    let keychain = Settings { keep: Keep::Keychain, ..config.credentials.clone() };
    let store = Store::open(&keychain, Patience::Interactive);
    let (folders, has_key) = (stored(), store.has_made_key());
    if folders.is_empty() && !has_key {
        ui::say("Nothing is stored.");
        return Ok(());
    }
    let mut list: String =
        folders.iter().map(|folder| format!("  {}\n", folder.display())).collect();
    if has_key {
        list.push_str("  the entry `mcp-bridge` of the keychain\n");
    }
    match how {
        Consent::DryRun => return ui::print(list.as_bytes()),
        Consent::Agreed => {}
        Consent::Asking if !agreed(&list)? => {
            ui::say("Nothing was removed.");
            return Ok(());
        }
        Consent::Asking => {}
    }
    super::logout::all(config)?;
    if has_key {
        store.discard_key().map_err(|why| error(&crate::auth::of_store(&why)))?;
    }
    for folder in &folders {
        remove(folder)?;
    }
    ui::say(
        "All that bridge stored is removed. Entries in the configurations of clients are not its own: \
         `bridge uninstall` takes those out. Files that `--log` named stay.",
    );
    Ok(())
}

/// The program's folders that there are.
fn stored() -> Vec<PathBuf> {
    let all = [
        paths::config_folder(),
        paths::data_folder(),
        paths::state_folder(),
        paths::cache_folder(),
    ];
    let mut folders: Vec<_> = all.into_iter().flatten().filter(|folder| folder.exists()).collect();
    folders.dedup();
    folders
}

fn agreed(list: &str) -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::usage("nobody can be asked whether all is to be removed")
            .because("stdin is no terminal")
            .hint("add `--yes`, or see with `--dry-run` what it would be"));
    }
    ui::say(&format!(
        "This signs you out everywhere and removes, for good:\n{list}\
         Clients that run with bridge now should be ended first."
    ));
    let answer = ui::ask("Remove it? [y/N] ").unwrap_or_default().unwrap_or_default();
    Ok(matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn remove(folder: &PathBuf) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(why) if why.kind() != ErrorKind::NotFound => {
            Err(Error::failed(format!("{} can't be removed", folder.display()))
                .because(why)
                .hint("end the clients that use bridge, see who owns it, then try again"))
        }
        _ => Ok(()),
    }
}
