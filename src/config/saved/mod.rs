//! Saved servers: a name on the command line brings what `config.toml` says by that name.

mod edit;
mod file;
mod secrets;

use std::collections::BTreeSet;
use std::ffi::OsString;

pub use edit::{NewServer, STORE, remove, save, set_store};
pub use file::{Config, Found, Problem, is_name};
pub use secrets::{
    CLIENT_INFO, client_secret_apart, is_secret_header, is_secret_option, secret_in_url,
    written_secrets,
};

use super::expand::names;
use super::server::ADD;
use super::{Environment, SavedName, Serve};
use crate::cli::{self, Cli, Refused, SavedServer, ServeArgs};
use crate::credentials::Settings;
use crate::error::Error;
use crate::printable::one_line;
use crate::remote::Endpoint;
use crate::spelling;
use file::LONGEST_NAME;

/// Reads the process's arguments. The configuration is read only where a name stands in the place of the
/// server.
///
/// # Errors
/// As for arguments; or the saved server can't be used.
pub fn command_line() -> Result<Cli, Refused> {
    of_arguments(&std::env::args_os().collect::<Vec<_>>())
}

/// The same for the arguments of another process of this program.
///
/// # Errors
/// As for its own.
pub fn command_line_of(arguments: &[String]) -> Result<Cli, Refused> {
    let program = std::iter::once(OsString::from("bridge"));
    of_arguments(&program.chain(arguments.iter().map(OsString::from)).collect::<Vec<_>>())
}

fn of_arguments(args: &[OsString]) -> Result<Cli, Refused> {
    let mut parsed = cli::parse(args);
    let word = match &mut parsed {
        Ok(cli) => cli.served().and_then(|(args, _)| args.server.clone()),
        // What is missing may be saved.
        Err(Refused::Wrong(_)) => cli::server_word(args),
        Err(Refused::Shown(_)) => None,
    };
    let Some(name) = word.filter(|word| is_name(word)) else { return parsed };
    let Some(found) = Config::read().map_err(Refused::Wrong)?.take(&name) else { return parsed };
    let saved = found.usable().map_err(Refused::Wrong)?;
    cli::parse_for(args, saved.clone()).map_err(|refused| match refused {
        Refused::Wrong(error) => Refused::Wrong(told(&saved, error)),
        shown => shown,
    })
}

/// What a saved server means when nothing else is typed.
///
/// # Errors
/// It can't be used, or there is none of that name.
pub fn serve(name: &str, environment: &Environment) -> Result<Serve, Error> {
    let found = Config::read()?.take(name).ok_or_else(|| unknown("", name))?;
    super::serve(&args(found.usable()?)?, environment)
}

/// Where the headers of a saved server are kept, as far as it can be told without a key, and the address that they are
/// bound to.
///
/// # Errors
/// Something in it can't be used, or a variable is not set.
pub fn place(name: &str, environment: &Environment) -> Result<(Settings, Endpoint), Error> {
    let found = Config::read()?.take(name).ok_or_else(|| unknown("", name))?;
    let args = args(found.usable()?)?;
    let server = args.server.as_deref().unwrap_or_default();
    let endpoint = super::server::endpoint("", server, true, environment)?;
    Ok((super::credentials::without_key(&args.credentials)?, endpoint))
}

/// What a server would mean that is to be saved; `is_new` says that nothing is saved under its name yet.
///
/// # Errors
/// It could not be used.
pub fn serve_new(new: &NewServer, is_new: bool, environment: &Environment) -> Result<Serve, Error> {
    let args = ServeArgs { command: ADD, ..args(new.saved())? };
    let serve = super::resolved(&args, environment)?;
    let saved = serve.saved.map(|saved| SavedName { is_new, ..saved });
    Ok(Serve { saved, ..serve })
}

fn args(saved: SavedServer) -> Result<ServeArgs, Error> {
    let typed = ["bridge".to_owned(), saved.name.clone()].map(OsString::from);
    match cli::parse_for(&typed, saved.clone()) {
        Ok(cli) => Ok(cli.serve),
        Err(Refused::Wrong(error)) if saved.url_line > 0 => Err(told(&saved, error)),
        Err(Refused::Wrong(error)) => Err(error),
        Err(Refused::Shown(_)) => Err(Error::failed("the saved server can't be read")),
    }
}

impl Config {
    /// Tries each server, and adds why it can't be used. That a variable is not set here is no reason: it may be where
    /// a client starts it.
    #[must_use]
    pub fn tried(mut self, environment: &Environment) -> Self {
        let servers = self.servers.iter_mut();
        for found in servers.filter(|found| found.problems.is_empty()) {
            let Err(error) = tried(&found.saved, environment) else { continue };
            if !error.because.iter().any(|because| because.contains("is not set")) {
                let line = line_of(&found.saved, &error).unwrap_or(found.line);
                let what = error.reason();
                found.problems.push(Problem { line, what });
            }
        }
        self
    }
}

fn tried(saved: &SavedServer, environment: &Environment) -> Result<(), Error> {
    let typed = ["bridge".to_owned(), saved.name.clone()].map(OsString::from);
    match cli::parse_for(&typed, saved.clone()) {
        Ok(cli) => super::resolved(&cli.serve, environment).map(drop),
        Err(Refused::Wrong(error)) => Err(error),
        Err(Refused::Shown(_)) => Ok(()),
    }
}

/// The variables that a server names and that are not set here, nor have a default.
pub fn unset_variables(new: &NewServer, environment: &Environment) -> Vec<String> {
    let headers = new.headers.iter().map(|(_, value)| value.replace("${keychain}", ""));
    let options = new.options.iter().flat_map(|(_, values)| values);
    let options = options.map(|value| value.replace("${keychain}", ""));
    let texts: Vec<_> = headers.chain(options).chain([new.url.clone()]).collect();
    let mut unset = BTreeSet::new();
    for name in texts.iter().flat_map(|text| names(text)) {
        if environment.get(&name).is_none() {
            unset.insert(name);
        }
    }
    unset.into_iter().collect()
}

/// An error of a saved server, with the line that it comes from.
pub(super) fn told(saved: &SavedServer, error: Error) -> Error {
    let Some(line) = line_of(saved, &error) else { return error };
    let what = format!("the saved server `{}` can't be used", saved.name);
    let place = format!("line {line} of {}: {}", saved.file.display(), error.what);
    Error { what, because: [vec![place], error.because].concat(), ..error }
}

/// The line of the option that an error names, or of the address that it is about.
fn line_of(saved: &SavedServer, error: &Error) -> Option<usize> {
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
    let names = |text: &String, key: &str| text.split(&format!("--{key}")).skip(1).any(is_end);
    let named = |key: &str| names(&error.what, key) || error.because.iter().any(|b| names(b, key));
    let of_url = error.what.starts_with("the server can't be used")
        || error.what.ends_with("would be reached without encryption");
    let option = saved.options.iter().find(|option| named(&option.key));
    option.map(|option| option.line).or(Some(saved.url_line).filter(|_| of_url))
}

/// The error of a name that nothing is saved by, for the command that was typed.
pub fn unknown(command: &str, name: &str) -> Error {
    let name = &one_line(name, 2 * LONGEST_NAME);
    let failed = Error::usage(format!("there is no saved server `{name}`"));
    let space = if command.is_empty() { "" } else { " " };
    let config = match Config::read() {
        Ok(config) => config,
        Err(error) => return failed.because(error.what).hint(error.hint.unwrap_or_default()),
    };
    let failed = match config.unreadable.as_ref().or(config.problems.first()) {
        Some(problem) => failed.because(problem.told(&config.file)),
        None => failed,
    };
    let names = config.servers.iter().map(|found| found.saved.name.as_str());
    failed.hint(match spelling::nearest(name, names) {
        Some(near) => format!("did you mean `bridge {command}{space}{near}`? `bridge list` lists them all"),
        None if matches!(command, "show" | "remove") => "`bridge list` lists them all".to_owned(),
        None => format!(
            "`bridge add {name} URL` saves one, `bridge list` lists them; an address is written whole: \
             `bridge {command}{space}https://{name}`"
        ),
    })
}

#[cfg(test)]
mod tests;
