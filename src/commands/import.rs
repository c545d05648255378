//! `bridge import`: the entries of mcp-remote in desktop clients' configurations become bridge's.

use std::io::IsTerminal;

use crate::cli::{ImportArgs, SavedServer};
use crate::config::desktop::{Needed, needed, of_entry, portable, secret_in, with_placeholders};
use crate::config::saved::{self, Config, NewServer};
use crate::config::{self, Environment};
use crate::credentials::StoreError;
use crate::desktop::mcp_remote::{self, Becomes};
use crate::desktop::{self, Client, Entry, File};
use crate::error::Error;
use crate::printable::one_line;
use crate::ui;

use super::adopt::{self, Offer};
use super::clients::{
    Target, all_targets, broken, each, file_error, print, program, show_change, shown, starting,
};
use super::moved::Moved;

/// What is added to the name of a file for what it was before an import.
const BACKUP: &str = ".before-import";

/// How much of a text from a file is shown, in characters.
const WIDEST: usize = 300;

/// A configuration with entries of mcp-remote in it.
struct Found {
    client: &'static Client,
    file: File,
    /// What the file becomes.
    text: String,
    /// What becomes of each entry.
    entries: Vec<Told>,
    /// How many become ours.
    count: usize,
    /// Servers that are saved first, since their headers hold secrets.
    saved: Vec<Moved>,
}

/// What becomes of an entry, in lines, and the client that mcp-remote registered for it.
struct Told {
    text: String,
    offer: Option<Offer>,
}

/// What entries become depends on this.
struct Here<'a> {
    program: String,
    needed: Needed,
    environment: &'a Environment,
    /// The names of the servers that are saved, or will be.
    taken: Vec<String>,
    /// Whether secrets can be kept, once that was looked at.
    keeps: Option<Result<(), StoreError>>,
}

/// Shows what there is, and rewrites it once that is confirmed.
///
/// # Errors
/// A configuration can't be read or changed, or nobody confirmed it.
pub fn run(args: &ImportArgs, environment: &Environment) -> Result<(), Error> {
    let targets = all_targets(&args.target, environment)?;
    if args.undo {
        return undo_all(&targets, environment);
    }
    let taken = Config::read()?.servers.into_iter().map(|found| found.saved.name);
    let mut here = Here {
        program: program(args.command.as_deref())?,
        needed: needed(environment),
        environment,
        taken: taken.collect(),
        keeps: None,
    };
    let mut found = Vec::new();
    let read = each(&targets, |target| {
        found.extend(look(target, &mut here)?);
        Ok(())
    });
    let entries = found.iter_mut().flat_map(|found| &mut found.entries);
    adopt::ask(entries.filter_map(|entry| entry.offer.as_mut()).collect())?;
    for found in &found {
        let (title, path) = (found.client.title, found.file.path.display());
        let told = |entry: &Told| {
            let offer = entry.offer.as_ref().map(Offer::told).unwrap_or_default();
            format!("{}{offer}", entry.text)
        };
        let told: String = found.entries.iter().map(told).collect();
        print(&format!("{title}: {path}\n{told}"))?;
    }
    found.retain(|found| found.count > 0);
    if found.is_empty() {
        print("There is no entry of mcp-remote that could be rewritten.\n")?;
        return read;
    }
    if args.target.dry_run {
        let plain = config::desktop::is_plain(environment);
        found.iter().try_for_each(|found| show_change(&found.file, &found.text, plain))?;
        return read;
    }
    confirm(args, found.iter().map(|found| found.count).sum())?;
    let rewritten = each(&mut found, rewrite);
    if rewritten.is_ok() {
        super::install::tell_secret_variables(&here.needed);
    }
    rewritten.and(read)
}

/// Reads a configuration; nothing where no entry is mcp-remote's.
fn look(target: &Target, here: &mut Here) -> Result<Option<Found>, Error> {
    let Target { client, path } = target;
    let file = File::read(path).map_err(|error| file_error(path, &error))?;
    let entries = client.entries(file.text()).map_err(|error| broken(path, &error))?;
    let text = file.text().to_owned();
    let mut found = Found { client, file, text, entries: Vec::new(), count: 0, saved: Vec::new() };
    for (name, value) in entries {
        let Some(entry) = Entry::read(&value, client.shape) else { continue };
        let (command, words) = (&entry.command, &entry.arguments);
        let Some(mut becomes) = mcp_remote::becomes(command, words, &entry.environment) else {
            continue;
        };
        let derived = becomes.derived_port();
        becomes.port = becomes.port.take().or(derived.map(|port| port.to_string()));
        let version = becomes.version.as_ref().map(|version| format!("@{}", shown(version)));
        let (name_shown, version) = (shown(&name), version.unwrap_or_default());
        let (mut text, mut offer) = (format!("  {name_shown}: mcp-remote{version}\n"), None);
        match ours(&name, &becomes, client, here) {
            Ok(Ours { entry, saved, serve }) => {
                text += &format!("    becomes: bridge {}\n", line(&entry.arguments));
                if let Some(new) = &saved {
                    let (place, names) = (new.place(), new.names());
                    text += &format!("    saved as `{}`, with ", new.new.name);
                    text += &format!("{names} in {place}\n");
                }
                if let Some(port) = derived {
                    text += &format!(
                        "    adopts: the port {port}, which mcp-remote derived from its arguments\n"
                    );
                }
                found.saved.extend(saved);
                offer = Offer::of(&becomes, serve, here.environment);
                found.text = client
                    .with_other_entry(&found.text, &name, &entry)
                    .map_err(|error| broken(path, &error))?;
                found.count += 1;
            }
            Err(error) => {
                let mut told = String::new();
                let lines = [("stays as it is", &error.what)].into_iter();
                let lines = lines.chain(error.because.iter().map(|why| ("  because", why)));
                let lines = lines.chain(error.hint.iter().map(|hint| ("  hint", hint)));
                for (kind, text) in lines {
                    told += &format!("    {kind}: {}\n", one_line(text, WIDEST));
                }
                text += &told;
            }
        }
        for left in becomes.left.iter().filter(|_| !becomes.url.is_empty()) {
            text += &format!("    not taken over: {left}\n");
        }
        found.entries.push(Told { text, offer });
    }
    Ok(Some(found).filter(|found| !found.entries.is_empty()))
}

/// What takes the place of an entry of mcp-remote.
struct Ours {
    entry: Entry,
    /// The server that is saved for it, where a secret stands in its arguments.
    saved: Option<Moved>,
    /// What it means.
    serve: config::Serve,
}

/// The entry that takes the place of mcp-remote's, tried as its client will have it read.
fn ours(name: &str, becomes: &Becomes, client: &Client, here: &mut Here) -> Result<Ours, Error> {
    if becomes.url.is_empty() {
        return Err(Error::usage("it names no server"));
    }
    let mut open = becomes.clone();
    open.headers.clear();
    open.options.retain(|option| !is_secret_client(option));
    let has_secret = open.options.len() < becomes.options.len()
        || becomes.headers.iter().any(|(name, value)| saved::is_secret_header(name, value));
    if let Some((what, hint)) = secret_in(&words(if has_secret { &open } else { becomes })) {
        let what = format!("{what} is a secret, and is not written into a client's file");
        return Err(Error::usage(what).hint(hint));
    }
    let words = words(becomes);
    let mut environment = of_entry(&becomes.env, &here.needed, here.environment);
    if client.replaces_variables() && !has_secret {
        environment = with_placeholders(&words, &environment).0;
    }
    let serve = super::install::served(&words, &environment)?;
    let (mut arguments, mut variables) = portable(&words);
    let mut saved = None;
    if has_secret {
        let moved = moved(name, becomes, &serve, &environment, here)?;
        arguments = vec![moved.new.name.clone()];
        variables.clear();
        saved = Some(moved);
    }
    for (name, value) in becomes.env.iter().chain(&here.needed.set) {
        if !variables.iter().any(|(each, _)| each == name) {
            variables.push((name.clone(), value.clone()));
        }
    }
    let entry = Entry { command: here.program.clone(), arguments, environment: variables };
    Ok(Ours { entry, saved, serve })
}

/// The server that is saved for an entry with a secret in it.
fn moved(
    name: &str,
    becomes: &Becomes,
    serve: &config::Serve,
    environment: &Environment,
    here: &mut Here,
) -> Result<Moved, Error> {
    let host = serve.endpoint.url().host_str().unwrap_or_default();
    let new = NewServer {
        name: free_name(name, host, &here.taken),
        url: becomes.url.clone(),
        port: becomes.port.clone(),
        options: becomes.options.clone(),
        headers: becomes.headers.clone(),
    };
    let moved = Moved::of(new, environment)?;
    moved.check(&mut here.keeps)?;
    here.taken.push(moved.new.name.clone());
    Ok(moved)
}

/// Whether an option is a client that is registered already, with its secret.
fn is_secret_client((key, values): &(String, Vec<String>)) -> bool {
    key == saved::CLIENT_INFO && values.iter().any(|value| saved::is_secret_option(key, value))
}

/// A name that no saved server has yet: that of the entry, or one from the host.
fn free_name(name: &str, host: &str, taken: &[String]) -> String {
    let of_host = desktop::name_for(host);
    let name = [name, &of_host].into_iter().find(|name| saved::is_name(name)).unwrap_or("hosted");
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

/// What is typed for it.
fn words(becomes: &Becomes) -> Vec<String> {
    let mut words = vec![becomes.url.clone()];
    words.extend(becomes.port.clone());
    for (option, values) in &becomes.options {
        let option = format!("--{option}");
        if values.is_empty() {
            words.push(option);
        } else {
            words.extend(values.iter().flat_map(|value| [option.clone(), value.clone()]));
        }
    }
    for (name, value) in &becomes.headers {
        words.extend(["--header".to_owned(), format!("{name}={value}")]);
    }
    words
}

/// Words as a shell would take them, on one line.
fn line(words: &[String]) -> String {
    let joined = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default();
    one_line(&joined, WIDEST)
}

fn confirm(args: &ImportArgs, count: usize) -> Result<(), Error> {
    let entries =
        if count == 1 { "this entry".to_owned() } else { format!("these {count} entries") };
    if args.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Error::usage(format!(
            "nobody can be asked whether {entries} may be rewritten"
        ))
        .hint("write `bridge import --yes`; `--dry-run` shows every line that changes"));
    }
    let answer = ui::ask(&format!("Rewrite {entries}? [y/N] ")).ok().flatten().unwrap_or_default();
    if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Error::failed("nothing was changed"))
    }
}

/// Saves what is moved, and rewrites the file; where one fails, all is as it was.
fn rewrite(found: &mut Found) -> Result<(), Error> {
    let offers = found.entries.iter_mut().filter_map(|entry| entry.offer.take()).collect();
    let Found { client, file, .. } = found;
    let replaced = || file.replace(&found.text, BACKUP).map_err(|why| file_error(&file.path, &why));
    let mut count = 0;
    let mut saved = found.saved.iter();
    let done = saved.try_for_each(|moved| moved.save().inspect(|()| count += 1));
    let lock = super::clients::lock(&file.path);
    let done = done.and_then(|()| replaced());
    drop(lock);
    done.inspect_err(|_| found.saved[..count].iter().for_each(Moved::take_back))?;
    let mut told = format!("{}: {} is rewritten\n", client.title, file.path.display());
    for warning in adopt::adopt(offers)? {
        told += &format!("  {}\n", one_line(&warning, WIDEST));
    }
    told += &format!("  as it was before: {}\n", file.backup(BACKUP).display());
    if !found.saved.is_empty() {
        told += "  that file still holds the secrets: delete it once all works\n";
    }
    print(&format!(
        "{told}  next: {}; a server that signs its users in asks once more\n",
        client.next
    ))
}

fn undo_all(targets: &[Target], environment: &Environment) -> Result<(), Error> {
    let mut count = 0;
    let done = each(targets, |target| {
        count += usize::from(undo(target, environment)?);
        Ok(())
    });
    if count == 0 && done.is_ok() {
        print("There is nothing to put back.\n")?;
    }
    done
}

/// Puts a file back as it was before, if nothing but the entries was changed since.
fn undo(target: &Target, environment: &Environment) -> Result<bool, Error> {
    let Target { client, path } = target;
    let _lock = super::clients::lock(path);
    let file = File::read(path).map_err(|error| file_error(path, &error))?;
    let backup = file.backup(BACKUP);
    let old = File::read(&backup).map_err(|error| file_error(&backup, &error))?;
    if !old.exists() {
        return Ok(false);
    }
    let entries = client.entries(old.text()).map_err(|error| broken(&backup, &error))?;
    let becomes = |(name, value): (String, serde_json::Value)| {
        let entry = Entry::read(&value, client.shape)?;
        let becomes = mcp_remote::becomes(&entry.command, &entry.arguments, &entry.environment)?;
        Some((name, becomes))
    };
    let theirs: Vec<_> = entries.into_iter().filter_map(becomes).collect();
    let rest = |text: &str| {
        theirs.iter().try_fold(text.to_owned(), |text, (name, _)| client.without_entry(&text, name))
    };
    let now = rest(file.text()).map_err(|error| broken(path, &error))?;
    if Ok(now) != rest(old.text()) {
        return Err(Error::failed(format!("{} is left as it is", path.display()))
            .because("something else in it was changed since the import")
            .hint(format!("take what you need from {} yourself", backup.display())));
    }
    let imported = client.entries(file.text()).map_err(|error| broken(path, &error))?;
    file.replace(old.text(), super::clients::BACKUP).map_err(|error| file_error(path, &error))?;
    std::fs::remove_file(&backup).map_err(|why| file_error(&backup, &why.into()))?;
    print(&format!("{}: {} is as it was before\n", client.title, path.display()))?;
    for (name, value) in imported {
        let entry = Entry::read(&value, client.shape);
        let before = theirs.iter().find(|(each, _)| *each == name);
        if let (Some(entry), Some((_, becomes))) = (entry, before) {
            forget(&entry, becomes, environment)?;
        }
    }
    Ok(true)
}

/// Forgets what an import kept for an entry: the client that it adopted, and the server that it saved, unless an
/// entry of another client uses that.
fn forget(entry: &Entry, becomes: &Becomes, environment: &Environment) -> Result<(), Error> {
    let own = of_entry(&entry.environment, &needed(environment), environment);
    let surroundings = with_placeholders(&entry.arguments, &own).0;
    let name = entry.arguments.first().filter(|_| entry.arguments.len() == 1);
    let found = name.and_then(|name| Config::read().ok()?.take(name));
    match super::install::served(&entry.arguments, &surroundings) {
        Ok(serve) => {
            if adopt::disown(becomes, serve, environment) {
                print("  the client that was adopted is forgotten\n")?;
            }
        }
        Err(why) if adopt::is_kept(becomes, environment) => ui::say(&format!(
            "warning: a client that was adopted stays (`bridge logout {}` forgets it): {}",
            shown(&becomes.url),
            why.reason()
        )),
        Err(_) => {}
    }
    let Some(found) = found.filter(|found| is_as_imported(&found.saved, becomes)) else {
        return Ok(());
    };
    let name = &found.saved.name;
    if !starting(name, environment).is_empty() {
        return print(&format!("  `{name}` stays saved: another client uses it\n"));
    }
    super::remove::forget(&found, environment)?;
    print(&format!("  `{name}` is no longer saved\n"))
}

/// Whether a saved server is what an import made of an entry; a sign-in may have written its store down since.
fn is_as_imported(saved: &SavedServer, becomes: &Becomes) -> bool {
    let derived = becomes.derived_port().map(|port| port.to_string());
    let options = saved.options.iter().map(|option| &option.key);
    let headers = saved.headers.iter().map(|header| &header.name);
    saved.url == becomes.url
        && saved.port == becomes.port.clone().or(derived)
        && headers.eq(becomes.headers.iter().map(|(name, _)| name))
        && options.filter(|key| *key != saved::STORE).eq(becomes.options.iter().map(|(key, _)| key))
}
