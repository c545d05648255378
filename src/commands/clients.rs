//! What the commands have in common that edit the configurations of desktop clients.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::cli::TargetArgs;
use crate::config::desktop::started;
use crate::config::{self, Environment};
use crate::desktop::{
    self, Broken, CLIENTS, Client, Entry, File, FileError, NoProgram, Surroundings,
};
use crate::error::Error;
use crate::spelling;
use crate::ui;

/// What is added to the name of a file for its backup.
pub(super) const BACKUP: &str = ".bridge-backup";

/// A client, and the configuration of it that is meant.
pub(super) struct Target {
    pub(super) client: &'static Client,
    pub(super) path: PathBuf,
}

/// The configurations that were named; without a name, a person at a terminal is asked.
pub(super) fn targets(args: &TargetArgs, environment: &Environment) -> Result<Vec<Target>, Error> {
    let surroundings = config::desktop::surroundings(environment)?;
    let clients = if args.client.is_empty() {
        asked(&surroundings)?
    } else {
        args.client.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>()?
    };
    of_clients(clients, args, &surroundings)
}

/// The configurations that were named; without a name, all that are there.
pub(super) fn all_targets(
    args: &TargetArgs,
    environment: &Environment,
) -> Result<Vec<Target>, Error> {
    let surroundings = config::desktop::surroundings(environment)?;
    if !args.client.is_empty() {
        let clients = args.client.iter().map(|name| named(name)).collect::<Result<Vec<_>, _>>()?;
        return of_clients(clients, args, &surroundings);
    }
    let has_such = |client: &&Client| {
        args.workspace.as_ref().is_none_or(|folder| client.project_file(folder).is_some())
    };
    let mut targets = of_clients(CLIENTS.iter().filter(has_such).collect(), args, &surroundings)?;
    targets.retain(|target| target.path.exists());
    Ok(targets)
}

fn of_clients(
    clients: Vec<&'static Client>,
    args: &TargetArgs,
    surroundings: &Surroundings,
) -> Result<Vec<Target>, Error> {
    let target = |client: &'static Client| {
        let path = match &args.workspace {
            Some(folder) => {
                let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
                if !folder.is_dir() {
                    return Err(Error::usage(format!("there is no folder {}", folder.display()))
                        .hint("name the folder of a project that is there: `--workspace .`"));
                }
                let path = client.project_file(&folder).ok_or_else(|| no_project(client))?;
                stays_within(&folder, &path)?;
                path
            }
            None => client.user_file(surroundings),
        };
        Ok(Target { client, path })
    };
    clients.into_iter().map(target).collect()
}

/// A project may come from somebody else: none of its links leads to a file of the user's own.
fn stays_within(folder: &Path, path: &Path) -> Result<(), Error> {
    let there = path.ancestors().find(|part| std::fs::symlink_metadata(part).is_ok());
    let real = there.and_then(|part| std::fs::canonicalize(part).ok());
    match (real, std::fs::canonicalize(folder)) {
        (Some(real), Ok(folder)) if real.starts_with(&folder) => Ok(()),
        _ => Err(Error::usage(format!("{} is left as it is", path.display()))
            .because("it is a link that leads out of the project, or to nothing")
            .hint("look where it leads; to change the file there, name its folder or leave `--workspace` out")),
    }
}

pub(super) fn named(name: &str) -> Result<&'static Client, Error> {
    desktop::named(name).ok_or_else(|| {
        let known = CLIENTS.iter().map(|client| client.name);
        let meant = spelling::nearest(name, known).map(|near| format!("did you mean `{near}`? "));
        Error::usage(format!("there is no client `{}` in bridge's table", shown(name)))
            .hint(format!("{}it knows {}", meant.unwrap_or_default(), names(CLIENTS.iter())))
    })
}

fn names<'a>(clients: impl Iterator<Item = &'a Client>) -> String {
    clients.map(|client| client.name).collect::<Vec<_>>().join(", ")
}

fn no_project(client: &Client) -> Error {
    Error::usage(format!("{} has no configuration for a project", client.title))
        .hint("leave `--workspace` out")
}

/// The clients that a person chooses of those that are there.
fn asked(surroundings: &Surroundings) -> Result<Vec<&'static Client>, Error> {
    let found: Vec<_> = CLIENTS.iter().filter(|client| client.is_found(surroundings)).collect();
    let none = || Error::usage("no client is named");
    if found.is_empty() {
        return Err(none()
            .because("none of those that bridge knows was found here")
            .hint(format!("write `--client NAME`, with one of {}", names(CLIENTS.iter()))));
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        let example = found.first().map(|client| client.name).unwrap_or_default();
        return Err(none()
            .because(format!("these were found: {}", names(found.into_iter())))
            .hint(format!("write `--client {example}`; several with commas between")));
    }
    for (number, client) in found.iter().enumerate() {
        ui::say(&format!("  {} {}", number + 1, client.title));
    }
    let answer = ui::ask("Which, by number; several with commas between? ");
    let answer = answer.ok().flatten().unwrap_or_default();
    let chosen = answer.split([',', ' ']).filter(|word| !word.is_empty()).map(|word| {
        let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        number
            .and_then(|index| found.get(index))
            .copied()
            .ok_or_else(|| Error::usage(format!("`{}` is none of the numbers", shown(word))))
    });
    let chosen: Vec<_> = chosen.collect::<Result<_, _>>()?;
    if chosen.is_empty() { Err(Error::failed("nothing was chosen")) } else { Ok(chosen) }
}

/// Held while a configuration is changed, so that of two commands at once none undoes what the other wrote: its
/// folder, as far as there is one, so that no file is left beside. Where a folder can't be locked, there is none.
pub(super) fn lock(path: &Path) -> Option<std::fs::File> {
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir())?;
    let folder = std::fs::File::open(folder).ok()?;
    folder.lock().ok().map(|()| folder)
}

/// The path to write for this program.
pub(super) fn program(named: Option<&Path>) -> Result<String, Error> {
    let path = match named {
        Some(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            if !path.is_file() {
                let path = path.display();
                ui::say(&format!(
                    "warning: there is no program {path}: no client here can start it"
                ));
            }
            path
        }
        None => {
            let started = started().map_err(|why| unknown_program().because(why))?;
            desktop::program(&started).map_err(|why| match &why {
                NoProgram::Gone(_) => {
                    unknown_program().because(&why).hint("run the installed program again")
                }
                NoProgram::Temporary { .. } => unknown_program().because(&why).hint(
                    "put the program into a folder that stays, or name the one to start: \
                     `--command PATH`",
                ),
            })?
        }
    };
    path.into_os_string()
        .into_string()
        .map_err(|path| unknown_program().because(format!("`{}` is no Unicode", path.display())))
}

fn unknown_program() -> Error {
    Error::failed("the client could not be told where bridge is")
}

/// The clients with an entry that starts this saved server. Those of projects are not looked at.
pub(super) fn starting(name: &str, environment: &Environment) -> Vec<&'static Client> {
    let everywhere = TargetArgs { client: Vec::new(), workspace: None, dry_run: false };
    let starts = |target: &Target| {
        let file = File::read(&target.path).ok()?;
        let entries = target.client.entries(file.text()).ok()?;
        let entries = entries.iter().filter_map(|(_, it)| Entry::read(it, target.client.shape));
        let mut ours = entries.filter(Entry::is_bridge);
        ours.any(|entry| entry.arguments.iter().any(|word| word == name)).then_some(())
    };
    let targets = all_targets(&everywhere, environment).unwrap_or_default();
    targets.iter().filter(|it| starts(it).is_some()).map(|target| target.client).collect()
}

/// A word of the command line, as it may be shown.
pub(super) fn shown(word: &str) -> String {
    crate::printable::one_line(word, 80)
}

/// Does this with each, tells what failed at once, and gives the first of the errors at the end.
pub(super) fn each<T>(
    targets: impl IntoIterator<Item = T>,
    mut act: impl FnMut(T) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut errors: Vec<_> = targets.into_iter().filter_map(|target| act(target).err()).collect();
    let last = errors.pop();
    for error in &errors {
        ui::report(error);
    }
    last.map_or(Ok(()), Err)
}

/// The error of a configuration that can't be read or written.
pub(super) fn file_error(path: &Path, error: &FileError) -> Error {
    let failed = Error::failed(format!("{} can't be changed", path.display())).because(error);
    match error {
        FileError::ReadOnly => failed.hint("make it writable, or paste the entry yourself"),
        FileError::Changed => failed.hint("quit the client, and run the same command again"),
        _ => failed,
    }
}

/// The error of a configuration that its client can't read either.
pub(super) fn broken(path: &Path, broken: &Broken) -> Error {
    Error::failed(format!("{} is left as it is", path.display()))
        .because(broken)
        .hint("correct that line, then run the same command again")
}

/// Replaces a file, or shows what would change in it.
pub(super) fn change(file: &File, new: &str, dry_run: bool, plain: bool) -> Result<(), Error> {
    if dry_run {
        return show_change(file, new, plain);
    }
    file.replace(new, BACKUP).map_err(|error| file_error(&file.path, &error))
}

/// Shows what would change in a file.
pub(super) fn show_change(file: &File, new: &str, plain: bool) -> Result<(), Error> {
    let path = file.path.display();
    let diff = desktop::diff(file.text(), new);
    ui::print(coloured(&format!("--- {path}\n+++ {path}\n{diff}"), plain).as_bytes())
}

/// A diff with its colours, on a terminal.
fn coloured(diff: &str, plain: bool) -> String {
    if plain || !std::io::stdout().is_terminal() {
        return diff.to_owned();
    }
    let line = |line: &str| match line.as_bytes().first() {
        Some(b'+') => format!("\x1b[32m{line}\x1b[0m\n"),
        Some(b'-') => format!("\x1b[31m{line}\x1b[0m\n"),
        Some(b'@') => format!("\x1b[36m{line}\x1b[0m\n"),
        _ => format!("{line}\n"),
    };
    diff.lines().map(line).collect()
}

/// Prints what was done, or would be.
pub(super) fn print(text: &str) -> Result<(), Error> {
    ui::print(ui::fit(text).as_bytes())
}
