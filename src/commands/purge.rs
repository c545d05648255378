//! `bridge purge`: removes all that the program ever stored.

use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};

use crate::config;
use crate::credentials::{ASIDE, Keep, Patience, Settings, Store};
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

/// What the program makes in its folders: by the folder in there, what the names of its files begin and end with.
const OWN: [(&str, &[(&str, &str)]); 4] = [
    ("servers", &[("", ".json"), ("", ".facts")]),
    ("events", &[("", ".log"), ("", ".log.1"), ("", ".log.lock")]),
    (
        "credentials",
        &[("", ".keychain"), ("", ".env"), ("", ".plaintext"), ("", ".note"), ("", ".lock")],
    ),
    ("", &[("config.", "toml"), ("config.", "lock"), ("warned-of-", "")]),
];

/// Signs out everywhere, then removes what is in the folders, and the key.
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
        remove(folder).map_err(|why| {
            Error::failed(format!("{} can't be removed", folder.display()))
                .because(why)
                .hint("end the clients that use bridge, see who owns it, then try again")
        })?;
        if folder.exists() {
            ui::say(&format!("{} stays: not all in it is of bridge.", folder.display()));
        }
    }
    ui::say(
        "All that bridge stored is removed. Entries in the configurations of clients are not its own: \
         `bridge uninstall` takes those out. Files that `--log` named stay.",
    );
    Ok(())
}

/// The program's folders in which there is something of its own.
fn stored() -> Vec<PathBuf> {
    let all = [
        paths::config_folder(),
        paths::data_folder(),
        paths::state_folder(),
        paths::cache_folder(),
    ];
    let is_own = |folder: &PathBuf| folder.is_symlink() || !own(folder).is_empty();
    let mut folders: Vec<_> = all.into_iter().flatten().filter(is_own).collect();
    folders.dedup();
    folders
}

/// The files of the program in a folder. Another program may use that name too, and people keep files of their own
/// beside the configuration.
fn own(folder: &Path) -> Vec<PathBuf> {
    let of = |(inner, names): &(&str, &[(&str, &str)])| {
        let inner = if inner.is_empty() { folder.to_owned() } else { folder.join(inner) };
        // What a link leads to is somebody else's.
        let is_folder = std::fs::symlink_metadata(&inner).is_ok_and(|found| found.is_dir());
        let entries = is_folder.then(|| std::fs::read_dir(inner).ok()).flatten();
        let files = entries.into_iter().flatten().flatten().filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let name = name.split_once(ASIDE).map_or(&*name, |(name, _)| name);
            let is_named = |(start, end): &(&str, &str)| {
                name.len() > end.len() && name.starts_with(start) && name.ends_with(end)
            };
            entry.file_type().is_ok_and(|kind| !kind.is_dir())
                && (names.iter().any(is_named) || name.starts_with(paths::UNFINISHED))
        });
        files.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    OWN.iter().flat_map(of).collect()
}

/// Removes the program's files, and the folders if nothing else is in them. Of a link only itself is the program's.
fn remove(folder: &Path) -> std::io::Result<()> {
    let done = |removed: std::io::Result<()>| match removed {
        Err(why) if why.kind() != ErrorKind::NotFound => Err(why),
        _ => Ok(()),
    };
    if folder.is_symlink() {
        return done(std::fs::remove_file(folder));
    }
    own(folder).iter().try_for_each(|file| done(std::fs::remove_file(file)))?;
    for (inner, _) in OWN {
        // It fails where there is something else in it.
        let _ = std::fs::remove_dir(folder.join(inner));
    }
    Ok(())
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
