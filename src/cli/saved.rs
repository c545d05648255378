//! What a saved server may say: every option that can be typed, by its long name.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory};

use super::parse::{Refused, command, parse};
use super::{Cli, ServeArgs};

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A text, or a number.
    Text,
    /// Several texts.
    List,
    /// Yes or no.
    Switch,
}

/// A key of a saved server.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its name: that of the option, or `url`, or `port`.
    pub name: String,
    /// What it takes.
    pub takes: Takes,
    /// The variable that counts before it.
    pub variable: Option<String>,
    /// What counts where nothing is given.
    pub default: Option<String>,
    /// What it is for, in a line.
    pub about: String,
}

/// The key of the server's address, and that of the port of a sign-in.
pub const URL: &str = "url";
/// See [`URL`].
pub const PORT: &str = "port";
/// The option that a saved server has a table for.
const HEADER: &str = "header";

/// All keys, in the order of `--help`.
pub fn keys() -> Vec<Key> {
    let command = Cli::command();
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter_map(|arg| Some(of_option(name_of(arg)?, arg))).collect()
}

fn name_of(arg: &Arg) -> Option<&str> {
    match (arg.get_long(), arg.get_id().as_str()) {
        (Some(HEADER | "help" | "version"), _) => None,
        (Some(long), _) => Some(long),
        (None, "server") => Some(URL),
        (None, "port") => Some(PORT),
        _ => None,
    }
}

fn of_option(name: &str, arg: &Arg) -> Key {
    let takes = match arg.get_action() {
        ArgAction::SetTrue => Takes::Switch,
        ArgAction::Append => Takes::List,
        _ => Takes::Text,
    };
    let default = arg.get_default_values().first().filter(|_| takes == Takes::Text);
    Key {
        name: name.to_owned(),
        takes,
        variable: arg.get_env().map(|name| name.to_string_lossy().into_owned()),
        default: default.map(|value| value.to_string_lossy().into_owned()),
        about: arg.get_help().map(ToString::to_string).unwrap_or_default(),
    }
}

/// An option that is saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedOption {
    /// Its key.
    pub key: String,
    /// Its values; none for a switch that is on.
    pub values: Vec<String>,
    /// The line of the file.
    pub line: usize,
}

/// A header that is saved. The value may name what is kept elsewhere; it is no secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedHeader {
    /// Its name, as it is written.
    pub name: String,
    /// Its value, as it is written.
    pub value: String,
    /// The line of the file.
    pub line: usize,
}

/// A server that is saved under a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedServer {
    /// Its name.
    pub name: String,
    /// The file that it is saved in.
    pub file: PathBuf,
    /// Its address, as it is written.
    pub url: String,
    /// The line of the address.
    pub url_line: usize,
    /// The port of its sign-in.
    pub port: Option<String>,
    /// Its options; once the arguments are read, those that count.
    pub options: Vec<SavedOption>,
    /// Its headers.
    pub headers: Vec<SavedHeader>,
    /// An argument or a variable says otherwise about something that makes another login.
    pub is_other_login: bool,
}

/// What makes another login, or lets it be reached.
const OF_LOGIN: [&str; 8] = [
    "profile",
    "resource",
    "disable-resource-parameter",
    "client-id",
    "static-oauth-client-info",
    "trust-issuer",
    "credential-store",
    "allow-http",
];

/// Of two options that can't go together, the one that is given takes the place of the one that is saved, and the
/// one that is typed that of a variable.
const EITHER: [(&str, &str); 11] = [
    ("browser", "no-browser"),
    ("client-id", "static-oauth-client-info"),
    ("device-code", "client-credentials"),
    ("device-code", "token-endpoint"),
    ("resource", "disable-resource-parameter"),
    ("redirect-uri", "host"),
    ("redirect-uri", "callback-path"),
    ("proxy", "enable-proxy"),
    ("ipv4", "ipv6"),
    ("header-command", "header-command-arg"),
    ("client-cert", "client-key"),
];
/// Those that belong together: the second one's being given says nothing of the first.
const PARTS: [&str; 2] = ["header-command-arg", "client-key"];

fn gives_way(saved: &str, given: &str) -> bool {
    saved == given
        || EITHER.iter().any(|(a, b)| {
            (saved, given) == (*b, *a) || ((saved, given) == (*a, *b) && !PARTS.contains(b))
        })
}

/// The options whose variables don't count, since one that can't go with them is typed.
pub(super) fn excluded_by(args: &[OsString]) -> Vec<&'static str> {
    let typed = |name: &str| {
        let mut options = args.iter().filter_map(|arg| arg.to_str()?.strip_prefix("--"));
        options.any(|option| option.split('=').next() == Some(name))
    };
    // A proxy that is named is one that is enabled.
    let pairs = EITHER.into_iter().filter(|(a, b)| *a != "proxy" && !PARTS.contains(b));
    let excluded = pairs.flat_map(|(a, b)| [typed(a).then_some(b), typed(b).then_some(a)]);
    excluded.flatten().collect()
}

/// The word in the place of the server, also where the arguments lack something that may be saved.
pub fn server_word(args: &[OsString]) -> Option<String> {
    let matches = command(false).ignore_errors(true).try_get_matches_from(args).ok()?;
    let matches = matches.subcommand().map_or(&matches, |(_, matches)| matches);
    matches.try_get_one::<String>("server").ok().flatten().cloned()
}

/// Reads arguments for a saved server. What it says counts where neither an argument nor a variable says it.
///
/// # Errors
/// As for all arguments; or a saved option can't be used.
pub fn parse_for(args: &[OsString], mut saved: SavedServer) -> Result<Cli, Refused> {
    let (given, place) = given(args);
    saved.options.retain(|option| !given.iter().any(|given| gives_way(&option.key, given)));
    saved.is_other_login = given.iter().any(|given| OF_LOGIN.contains(&given.as_str()));
    let mut all = args.to_vec();
    all.splice(place..place, saved.options.iter().flat_map(typed));
    let mut cli = parse(&all)?;
    if let Some((args, _)) = cli.served() {
        args.server = Some(saved.url.clone());
        args.port = args.port.take().or_else(|| saved.port.clone());
        args.saved = Some(Box::new(saved));
    }
    Ok(cli)
}

/// The options that were typed and can be saved, with their values; those of the log are for now.
pub(super) fn typed_options(command: &Command, matches: &ArgMatches) -> Vec<(String, Vec<String>)> {
    const FOR_NOW: [&str; 3] = ["debug", "silent", "log"];
    let keys = keys();
    let is_typed = |arg: &&Arg| {
        matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
            && arg.get_long().is_some_and(|name| keys.iter().any(|key| key.name == name))
            && arg.get_long().is_some_and(|name| !FOR_NOW.contains(&name))
    };
    let typed = command.get_arguments().filter(is_typed).map(|arg| {
        let values = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
        let values = values.map(|value| value.to_string_lossy().into_owned());
        let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
        let name = arg.get_long().unwrap_or_default().to_owned();
        (name, values.filter(|_| !is_switch).collect())
    });
    typed.collect()
}

/// The options that arguments and variables give, and the place before them all.
fn given(args: &[OsString]) -> (Vec<String>, usize) {
    let command = command(false).ignore_errors(true);
    let Ok(matches) = command.clone().try_get_matches_from(args) else { return (Vec::new(), 1) };
    match matches.subcommand() {
        Some((name, matches)) => {
            let command = command.find_subcommand(name).unwrap_or(&command);
            (given_in(command, matches), 2)
        }
        None => (given_in(&command, &matches), 1),
    }
}

fn given_in(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let options = command.get_arguments().filter(|arg| {
        let source = matches.value_source(arg.get_id().as_str());
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    });
    options.filter_map(Arg::get_long).map(str::to_owned).collect()
}

/// The option as it would be typed.
fn typed(option: &SavedOption) -> Vec<OsString> {
    let SavedOption { key, values, .. } = option;
    if values.is_empty() {
        return vec![format!("--{key}").into()];
    }
    values.iter().map(|value| format!("--{key}={value}").into()).collect()
}

impl Cli {
    /// What was typed for a server, if the command is one that uses it, and the command's name.
    pub fn served(&mut self) -> Option<(&mut ServeArgs, &'static str)> {
        use super::Command::{
            Call, Doctor, Login, Logout, Logs, Prompt, Prompts, Read, Resources, Serve, Status,
            Tools,
        };
        match &mut self.command {
            None => Some((&mut self.serve, "")),
            Some(Serve(args)) => Some((&mut **args, "serve")),
            Some(Login(args)) => Some((&mut args.server, "login")),
            Some(Logout(args)) => Some((&mut args.server, "logout")),
            Some(Status(args)) => Some((&mut args.server, "status")),
            Some(Logs(args)) => Some((&mut args.server, "logs")),
            Some(Tools(args)) => Some((&mut args.server, "tools")),
            Some(Call(args)) => Some((&mut args.server, "call")),
            Some(Resources(args)) => Some((&mut args.server, "resources")),
            Some(Read(args)) => Some((&mut args.server, "read")),
            Some(Prompts(args)) => Some((&mut args.server, "prompts")),
            Some(Prompt(args)) => Some((&mut args.server, "prompt")),
            Some(Doctor(args)) => Some((&mut args.server, "doctor")),
            // What they name need not be there, or they name none.
            Some(_) => None,
        }
    }
}
