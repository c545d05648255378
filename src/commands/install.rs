//! `bridge install`: a server into the configurations of desktop clients.

use crate::cli::{self, InstallArgs};
use crate::config::desktop::{Needed, needed, portable, secret_in, with_placeholders};
use crate::config::{self, Environment};
use crate::desktop::{self, Client, Entry, File};
use crate::error::Error;
use crate::{remote, ui};

use super::clients::{
    BACKUP, Target, broken, change, each, file_error, print, program, shown, targets,
};

/// A server as it will stand in a configuration.
struct Installed {
    name: String,
    /// What was typed for it.
    server: String,
    entry: Entry,
    /// The variables that whoever starts it has to set.
    unset: Vec<String>,
}

/// Writes the entries.
///
/// # Errors
/// Something was typed that would not work, or a configuration can't be changed.
pub fn run(args: &InstallArgs, environment: &Environment) -> Result<(), Error> {
    let needed = needed(environment);
    let program = program(args.command.as_deref())?;
    let servers = servers(args, &program, &needed, environment)?;
    if args.print {
        return print_entries(args, &servers);
    }
    let targets = targets(&args.target, environment)?;
    let plain = config::desktop::is_plain(environment);
    let done = each(&targets, |target| install(target, &servers, args, plain));
    if !args.target.dry_run && done.is_ok() {
        tell_next(&servers, &needed);
    }
    done
}

/// The servers that were typed, each with the options. A number is the port of the sign-in of the one before.
fn servers(
    args: &InstallArgs,
    program: &str,
    needed: &Needed,
    environment: &Environment,
) -> Result<Vec<Installed>, Error> {
    if let Some(option) = args.options.unreadable.first() {
        return Err(Error::usage(format!("the value of `{option}` can't be written"))
            .because("it is no Unicode"));
    }
    let mut typed: Vec<Vec<String>> = Vec::new();
    for word in &args.servers {
        match typed.last_mut() {
            Some(words) if word.parse::<u16>().is_ok() => words.push(word.clone()),
            _ => typed.push(vec![word.clone()]),
        }
    }
    if args.name.is_some() && typed.len() > 1 {
        return Err(
            Error::usage("`--name` can name one server only").hint("install them one by one")
        );
    }
    let mut servers: Vec<Installed> = Vec::new();
    for mut words in typed {
        words.extend(args.options.words.iter().cloned());
        let server = installed(args, program, &words, needed, environment)?;
        if let Some(other) = servers.iter().find(|other| other.name == server.name) {
            let (name, other) = (&server.name, remote::without_secrets(&other.server));
            return Err(Error::usage(format!("two entries would be called `{name}`"))
                .because(format!("that for {other} is called so too"))
                .hint("install them one by one, each with its `--name`"));
        }
        servers.push(server);
    }
    Ok(servers)
}

/// One server, tried as its client will have it read.
fn installed(
    args: &InstallArgs,
    program: &str,
    words: &[String],
    needed: &Needed,
    environment: &Environment,
) -> Result<Installed, Error> {
    if let Some((what, hint)) = secret_in(words) {
        return Err(Error::usage(format!(
            "{what} is a secret, and is not written into a client's file"
        ))
        .because("other programs read these files, and copies of them are made")
        .hint(hint));
    }
    let (arguments, mut variables) = portable(words);
    let (filled, unset) = with_placeholders(words, environment);
    let serve = served(&arguments, &filled)?;
    variables.extend(needed.set.iter().filter(|(name, _)| !unset.contains(name)).cloned());
    let server = words.first().cloned().unwrap_or_default();
    let name = match &args.name {
        Some(name) => name.clone(),
        None if desktop::is_name(&server) => server.clone(),
        None => desktop::name_for(serve.endpoint.url().host_str().unwrap_or_default()),
    };
    if !desktop::is_name(&name) {
        return Err(Error::usage(format!("`{}` can't be the name of an entry", shown(&name)))
            .because("some clients take only letters, digits, `-` and `_`, and at most 64 of them")
            .hint("write another one: `--name NAME`"));
    }
    let entry = Entry { command: program.to_owned(), arguments, environment: variables };
    Ok(Installed { name, server, entry, unset })
}

/// What these words mean to the process that a client starts with them.
pub(super) fn served(words: &[String], environment: &Environment) -> Result<config::Serve, Error> {
    let words: Vec<_> = ["serve".to_owned()].into_iter().chain(words.iter().cloned()).collect();
    let none = || Error::usage("this is no server");
    let parsed = config::saved::command_line_of(&words).map_err(|refused| match refused {
        cli::Refused::Wrong(error) => error,
        cli::Refused::Shown(_) => none(),
    })?;
    match parsed.command {
        Some(cli::Command::Serve(mut serve)) => {
            serve.command = "install";
            config::serve(&serve, environment)
        }
        _ => Err(none()),
    }
}

fn print_entries(args: &InstallArgs, servers: &[Installed]) -> Result<(), Error> {
    let entries: Vec<_> =
        servers.iter().map(|server| (server.name.clone(), server.entry.clone())).collect();
    let clients = match &args.target.client[..] {
        [] => vec![&desktop::CLIENTS[0]],
        names => names.iter().map(|name| super::clients::named(name)).collect::<Result<_, _>>()?,
    };
    let texts: Vec<_> = clients.iter().map(|client| client.snippet(&entries)).collect();
    ui::print(texts.join("\n").as_bytes())
}

/// Writes the entries into one configuration.
fn install(
    target: &Target,
    servers: &[Installed],
    args: &InstallArgs,
    plain: bool,
) -> Result<(), Error> {
    let Target { client, path } = target;
    let paste = |error: Error| {
        let entries: Vec<_> =
            servers.iter().map(|server| (server.name.clone(), server.entry.clone())).collect();
        let text = client.snippet(&entries);
        ui::say(&format!("This is what belongs into {}:\n", path.display()));
        ui::quote(&text);
        error
    };
    let _lock = super::clients::lock(path);
    let file = File::read(path).map_err(|error| paste(file_error(path, &error)))?;
    let there = client.entries(file.text()).map_err(|error| paste(broken(path, &error)))?;
    let mut text = file.text().to_owned();
    for server in servers {
        let named = there.iter().find(|(name, _)| *name == server.name);
        if let Some((_, value)) = named.filter(|_| !args.force) {
            stays_ours(client, value, server, target)?;
        }
        text = client
            .with_entry(&text, &server.name, &server.entry)
            .map_err(|error| paste(broken(path, &error)))?;
    }
    let names: Vec<_> = servers.iter().map(|server| format!("`{}`", server.name)).collect();
    let (names, title) = (names.join(", "), client.title);
    if text == file.text() {
        return print(&format!(
            "{title}: {names} is in {} already, as it should be\n",
            path.display()
        ));
    }
    change(&file, &text, args.target.dry_run, plain).map_err(|error| {
        if matches!(error.exit, crate::error::Exit::Failed) { paste(error) } else { error }
    })?;
    if args.target.dry_run {
        return Ok(());
    }
    let mut told = format!("{title}: {names} is written to {}\n", path.display());
    if file.exists() {
        told += &format!("  as it was before: {}\n", file.backup(BACKUP).display());
    }
    print(&format!("{told}  next: {}\n", client.next))
}

/// Whether an entry of that name is one for the same server that bridge wrote.
fn stays_ours(
    client: &Client,
    value: &serde_json::Value,
    server: &Installed,
    target: &Target,
) -> Result<(), Error> {
    let entry = Entry::read(value, client.shape);
    let is_ours = entry.as_ref().is_some_and(Entry::is_bridge);
    let same = entry.is_some_and(|entry| entry.arguments.contains(&server.server));
    if is_ours && same {
        return Ok(());
    }
    let name = &server.name;
    let whose = if is_ours { "is for another server" } else { "is none of bridge's" };
    Err(Error::failed(format!("the entry `{name}` of {} is left as it is", client.title))
        .because(format!("that in {} {whose}", target.path.display()))
        .hint(
            "give the new one another name with `--name NAME`, or replace that one with `--force`",
        ))
}

/// What is left to do for the person.
fn tell_next(servers: &[Installed], needed: &Needed) {
    for server in servers {
        for name in &server.unset {
            ui::say(&format!(
                "`{}` needs the variable {name}: set it where the client starts, or in its entry",
                server.name
            ));
        }
        let shown = remote::without_secrets(&server.server);
        ui::say(&format!(
            "If {shown} wants a sign-in, a page opens at its first use; `bridge login {shown}` signs in now."
        ));
    }
    tell_secret_variables(needed);
}

/// What the entries need and do not hold.
pub(super) fn tell_secret_variables(needed: &Needed) {
    for name in &needed.secret {
        ui::say(&format!(
            "{name} is set here and holds a secret, so it is not in the entry: set it where the client starts."
        ));
    }
}
