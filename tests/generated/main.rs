//! The files that are made of the command line: what a shell completes it by, and its man pages. Run as a test, it
//! finds those that are stale; `scripts/generate` has it write them.
//!
//! | module       | what it makes                                                     |
//! |--------------|-------------------------------------------------------------------|
//! | `words`      | the command line as a shell sees it                               |
//! | `bash`, `zsh`, `fish`, `powershell` | a script for that shell                    |
//! | `man`        | a page for each command                                           |
//!
//! The scripts are our own, since those of clap_complete take a command for the server where a command line has both,
//! and know nothing that is not fixed: these ask the program for the names of saved servers.

#![expect(clippy::print_stdout, reason = "it says what it did")]
#![expect(clippy::unwrap_used, reason = "a failure ends it, as in any test")]

mod bash;
mod fish;
mod man;
mod powershell;
mod words;
mod zsh;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use mcp_bridge::cli::Cli;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = made();
    let there: Vec<PathBuf> =
        ["completions", "man"].iter().flat_map(|it| files(root, it)).collect();
    if std::env::args().any(|arg| arg == "--write") {
        for stale in there.iter().filter(|path| !made.contains_key(*path)) {
            std::fs::remove_file(root.join(stale)).unwrap();
        }
        for (path, text) in &made {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        }
        println!("{} files written", made.len());
        return ExitCode::SUCCESS;
    }
    let is_stale = |path: &&PathBuf| {
        let committed = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        made.get(*path) != Some(&committed.replace("\r\n", "\n"))
    };
    let mut all: Vec<&PathBuf> = made.keys().chain(&there).collect();
    all.sort();
    all.dedup();
    let stale: Vec<_> = all.into_iter().filter(is_stale).collect();
    for path in &stale {
        println!("{} is stale: run `scripts/generate`", path.display());
    }
    if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All files, by their paths in the repository.
fn made() -> BTreeMap<PathBuf, String> {
    let line = words::CommandLine::of(&Cli::command());
    let mut made = man::pages(Cli::command());
    for (name, script) in [
        ("bridge.bash", bash::script(&line)),
        ("_bridge", zsh::script(&line)),
        ("bridge.fish", fish::script(&line)),
        ("_bridge.ps1", powershell::script(&line)),
    ] {
        made.insert(Path::new("completions").join(name), script);
    }
    made
}

/// What is in a folder of the repository, by paths as above.
fn files(root: &Path, folder: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return Vec::new() };
    entries.map(|entry| Path::new(folder).join(entry.unwrap().file_name())).collect()
}
