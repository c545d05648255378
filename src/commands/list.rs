//! `bridge list`: the saved servers.

use std::io::IsTerminal;

use serde_json::{Value, json};

use crate::cli::{ListArgs, SavedServer};
use crate::clock::{Clock, SystemClock};
use crate::config::Environment;
use crate::config::saved::{Config, Found, written_secrets};
use crate::error::{Error, Exit};
use crate::remote::without_secrets;
use crate::{paths, ui};

/// Prints them; what is wrong in the file is told on stderr.
///
/// # Errors
/// The file can't be read, or something in it can't be used.
pub fn run(args: &ListArgs) -> Result<(), Error> {
    let config = Config::read()?;
    if args.names {
        let names = config.servers.iter().map(|found| format!("{}\n", found.saved.name));
        return ui::print(names.collect::<String>().as_bytes());
    }
    let config = config.tried(&Environment::of_process());
    if args.json {
        ui::print_json(&config.servers.iter().map(described).collect::<Value>().to_string())?;
    } else {
        ui::print(table(&config).as_bytes())?;
    }
    wrong(&config).map_or(Ok(()), Err)
}

fn described(found: &Found) -> Value {
    let option = |key: &str| {
        let options = found.saved.options.iter();
        options.filter(|option| option.key == key).find_map(|option| option.values.first().cloned())
    };
    json!({
        "name": found.saved.name,
        "url": without_secrets(&found.saved.url),
        "profile": option("profile"),
        "line": found.line,
        "problems": found.problems.iter().map(|p| json!({"line": p.line, "what": p.what})).collect::<Value>(),
    })
}

fn table(config: &Config) -> String {
    if config.servers.is_empty() {
        return ui::fit(&format!(
            "No server is saved in {}.\n`bridge add NAME URL` saves one.\n",
            config.file.display()
        ));
    }
    let width = config.servers.iter().map(|found| found.saved.name.len()).max().unwrap_or_default();
    let line = |found: &Found| {
        let name = crate::printable::printable(&found.saved.name, 64);
        let wrong = if found.problems.is_empty() { "" } else { "(can't be used)" };
        let url = without_secrets(&found.saved.url);
        let words = [url.as_str(), wrong].into_iter().filter(|word| !word.is_empty());
        format!("{name:width$}  {}\n", words.collect::<Vec<_>>().join("  "))
    };
    config.servers.iter().map(line).collect()
}

/// All that is wrong in the file.
fn wrong(config: &Config) -> Option<Error> {
    let of_servers = config.servers.iter().flat_map(|found| &found.problems);
    let all: Vec<_> = config.problems.iter().chain(of_servers).collect();
    if all.is_empty() {
        return None;
    }
    let error = Error::failed("not all of the configuration can be used");
    let error = all.iter().fold(error, |error, problem| error.because(problem.told(&config.file)));
    Some(Error { exit: Exit::Failed, ..error.hint("correct these lines; the rest works") })
}

/// Says it all the same where only a part of it is asked for.
pub(super) fn warn(config: &Config) {
    for problem in &config.problems {
        ui::say(&format!("warning: {}", problem.told(&config.file)));
    }
}

/// Says what looks like a secret in what was written by hand.
pub(super) fn warn_of_secrets(saved: &SavedServer) {
    for secret in written_secrets(saved) {
        ui::say(&format!("warning: {}", secret.told(&saved.file)));
    }
}

/// The same to a person who uses the server, once a day. A client that starts it is told nothing.
pub fn warn_a_person_of_secrets(saved: &SavedServer) {
    let is_read = || std::io::stderr().is_terminal();
    if is_read() && !written_secrets(saved).is_empty() {
        let marker = format!("warned-of-secrets-{}", saved.name);
        if paths::is_first_today(&marker, SystemClock.wall()) {
            warn_of_secrets(saved);
        }
    }
}
