//! From the arguments to [`Cli`], with errors of our own form.

use std::error::Error as _;
use std::ffi::OsString;
use std::io::IsTerminal;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Args, Command, CommandFactory, FromArgMatches};

use super::saved::{excluded_by, typed_options};
use super::{Cli, ServeArgs, mistaken};
use crate::error::Error;
use crate::printable::one_line;

/// Columns of a help text where nobody knows how many there are.
const COLUMNS: usize = 80;

/// What `-h` shows, so that it fits a screen; `--help` shows all.
const USUAL: [&str; 11] = [
    "header",
    "header-file",
    "header-command",
    "deny-tool",
    "allow-tool",
    "tool-timeout",
    "allow-http",
    "ca-cert",
    "proxy",
    "debug",
    "log",
];

/// Why there is no command to run.
#[derive(Debug)]
pub enum Refused {
    /// Help or version was asked for.
    Shown(Box<clap::Error>),
    /// What was typed can't be done.
    Wrong(Error),
}

/// The variables that stand in for arguments.
pub fn variables() -> Vec<String> {
    let command = Cli::command();
    let names = command.get_arguments().filter_map(Arg::get_env);
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// Whether this process is there for a client, as far as arguments tell that can't be read: no other command stands
/// first.
pub fn is_serving() -> bool {
    let first = std::env::args_os().nth(1).unwrap_or_default();
    first.to_str().is_some_and(|word| word == "serve" || !mistaken::is_reserved(word))
}

/// Reads arguments, the program's name first, and the variables that stand in for them.
///
/// # Errors
/// [`Refused`] says what to show in place of a command.
pub fn parse(args: &[OsString]) -> Result<Cli, Refused> {
    if let Some(cli) = as_a_client_types(args) {
        return Ok(cli);
    }
    if let Some(args) = behind_mcp_remote(args) {
        return parse(&args);
    }
    let command = command(args.iter().any(|arg| arg == "-h"));
    let command = without_variables_of(command, &excluded_by(args));
    let parsed = command.clone().try_get_matches_from(args);
    let read = parsed.and_then(|mut matches| {
        let typed = match matches.subcommand() {
            Some((name @ "add", matches)) => {
                typed_options(command.find_subcommand(name).unwrap_or(&command), matches)
            }
            _ => Vec::new(),
        };
        let mut cli = Cli::from_arg_matches_mut(&mut matches)?;
        if let Some(super::Command::Add(add)) = &mut cli.command {
            add.typed = typed;
        }
        Ok(cli)
    });
    read.map(with_command).map_err(|error| {
        if error.use_stderr() {
            Refused::Wrong(wrong(&error, &command, args))
        } else {
            Refused::Shown(Box::new(error))
        }
    })
}

/// An address, then options: the arguments of nearly every start. To build all commands for them would take longer
/// than everything else up to the first message. What can't be read so is read, and told, the long way.
fn as_a_client_types(args: &[OsString]) -> Option<Cli> {
    let (server, rest) = args.get(1..)?.split_first()?;
    let is_verb = |arg: &OsString| arg.to_str().is_some_and(mistaken::is_reserved);
    if !server.to_str()?.contains("://") || rest.iter().any(is_verb) {
        return None;
    }
    let command = ServeArgs::augment_args(Command::new("bridge"));
    let command = without_empty_variables(with_repeated_switches(command));
    let command = without_variables_of(command, &excluded_by(args));
    let mut matches = command.try_get_matches_from(args).ok()?;
    Some(Cli { command: None, serve: ServeArgs::from_arg_matches_mut(&mut matches).ok()? })
}

/// What is told to be typed begins with the command that was.
fn with_command(mut cli: Cli) -> Cli {
    if let Some((args, command)) = cli.served() {
        args.command = command;
    }
    cli
}

/// The arguments of an entry in which only the program was changed: without what `npx` took of them, `-y` and
/// `mcp-remote`, whose place bridge takes.
fn behind_mcp_remote(args: &[OsString]) -> Option<Vec<OsString>> {
    let (program, rest) = args.split_first()?;
    let rest = rest.strip_prefix(&[OsString::from("-y")]).unwrap_or(rest);
    let (package, rest) = rest.split_first()?;
    let name = package.to_str()?.split('@').next();
    let address = rest.first().and_then(|arg| arg.to_str()).is_some_and(|arg| arg.contains("://"));
    let own = || std::iter::once(program).chain(rest).cloned().collect();
    (name == Some("mcp-remote") && address).then(own)
}

/// The command line: without empty variables, which count as unset, and as wide as the terminal.
pub(super) fn command(short: bool) -> Command {
    let mut command = Cli::command();
    if short {
        command = command.mut_args(|arg| {
            let valued = arg.get_action().takes_values();
            let usual = arg.get_long().is_none_or(|name| USUAL.contains(&name));
            let arg = arg.hide_env(true).help_heading(None).hide_short_help(!usual);
            if valued { arg.hide_default_value(true).hide_possible_values(true) } else { arg }
        });
    }
    command = without_empty_variables(with_repeated_switches(command));
    let seen = std::io::stderr().is_terminal();
    if seen || std::env::var_os("COLUMNS").is_some() {
        command
    } else {
        command.term_width(COLUMNS)
    }
}

/// A switch that is given twice is on, as with mcp-remote. Of two values nobody knows which one is meant.
/// And help shows no value of a variable, which would be another one on the next machine.
fn with_repeated_switches(command: Command) -> Command {
    let repeatable = |arg: Arg| {
        let arg = arg.hide_env_values(true);
        let id = arg.get_id().clone();
        if matches!(arg.get_action(), ArgAction::SetTrue) { arg.overrides_with(id) } else { arg }
    };
    command.mut_args(repeatable).mut_subcommands(with_repeated_switches)
}

fn without_empty_variables(command: Command) -> Command {
    let is_empty = |arg: &Arg| {
        arg.get_env().is_some_and(|name| std::env::var_os(name).is_some_and(|v| v.is_empty()))
    };
    command
        .mut_args(|arg| if is_empty(&arg) { arg.env(None) } else { arg })
        .mut_subcommands(without_empty_variables)
}

/// An argument counts before a variable, also before that of another option that excludes it.
fn without_variables_of(command: Command, options: &[&str]) -> Command {
    if options.is_empty() {
        return command;
    }
    let is_named = |arg: &Arg| arg.get_long().is_some_and(|name| options.contains(&name));
    command
        .mut_args(|arg| if is_named(&arg) { arg.env(None) } else { arg })
        .mut_subcommands(|command| without_variables_of(command, options))
}

fn context(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        ContextValue::Strings(texts) => texts.first().map(String::as_str),
        _ => None,
    }
}

/// What the parser has to say, in the form of all errors.
fn wrong(error: &clap::Error, command: &Command, args: &[OsString]) -> Error {
    if error.kind() == ErrorKind::InvalidUtf8 {
        return Error::usage("an argument can't be read")
            .because("it is no text in UTF-8")
            .hint("type it anew: what was pasted or made by a script has other bytes in it");
    }
    let word = |n: usize| args.get(n).and_then(|arg| arg.to_str()).unwrap_or_default();
    // A command that stands first is one; behind an option it would be taken for the server.
    let is_command = command.get_subcommands().any(|each| each.get_name() == word(1));
    if let Some(mistaken) = args.get(1).and_then(|_| mistaken::server(word(1)))
        && !is_command
    {
        return mistaken;
    }
    let shown = context(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(error, shown, args),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => invalid(error, shown, command, args),
        ErrorKind::ArgumentConflict if word(1) == "call" && args.iter().any(|arg| arg == "--args") => {
            Error::usage("the arguments are given twice")
                .because("`--args` is all of them, and others stand beside it")
                .hint("write them all as `key=value`, or all as `--args JSON`")
        }
        ErrorKind::ArgumentConflict if !shown.starts_with('-') => too_many(args),
        ErrorKind::ArgumentConflict => conflict(error, shown),
        ErrorKind::MissingRequiredArgument if shown.starts_with('-') => {
            let needs = match shown.split(' ').next() {
                Some("--client-cert") => "--client-key",
                Some("--client-credentials") => "--token-endpoint",
                _ => "--header-command-arg",
            };
            Error::usage(format!("`{shown}` is missing"))
                .because(format!("`{needs}` belongs to it"))
                .hint("add it, or take the other one away")
        }
        ErrorKind::MissingRequiredArgument if args.len() > 1 && word(1) == "completions" => {
            Error::usage("no shell is named")
                .hint("write `bridge completions SHELL`, with bash, zsh, fish or powershell")
        }
        ErrorKind::MissingRequiredArgument if matches!(word(1), "install" | "uninstall") => {
            no_server(word(1))
        }
        ErrorKind::MissingRequiredArgument if is_command => missing(shown, word(1)),
        ErrorKind::MissingRequiredArgument => Error::usage("the server's address is missing").hint(
            "write its address: `bridge https://mcp.example.com/mcp`, usually in the configuration of \
             an MCP client; `bridge --help` shows how",
        ),
        ErrorKind::InvalidSubcommand => {
            let word = context(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            mistaken::server(word).unwrap_or_else(|| {
                let word = one_line(word, mistaken::LONGEST);
                Error::usage(format!("there is no command `{word}`")).hint(help(args))
            })
        }
        ErrorKind::TooManyValues => Error::usage(format!("`{shown}` takes no value"))
            .hint(format!("write `{shown}` alone, or leave it out")),
        _ => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Error::usage(line.trim_start_matches("error: ")).hint(help(args))
        }
    }
}

fn too_many(args: &[OsString]) -> Error {
    mistaken::too_many([1, 2].map(|n| args.get(n).and_then(|arg| arg.to_str()).unwrap_or_default()))
}

/// Two options that can't be given both.
fn conflict(error: &clap::Error, shown: &str) -> Error {
    let other = context(error, ContextKind::PriorArg).unwrap_or_default();
    if shown == other {
        return Error::usage(format!("`{shown}` is given twice")).hint("take one away");
    }
    Error::usage(format!("`{shown}` contradicts `{other}`")).hint("take one of them away")
}

fn no_server(command: &str) -> Error {
    Error::usage("no server is named")
        .hint(format!("write `bridge {command} SERVER --client CLIENT`"))
}

/// A word behind a command is missing.
fn missing(shown: &str, command: &str) -> Error {
    let (what, words) = match (shown, command) {
        ("<TOOL>", _) => ("the tool", " TOOL key=value"),
        ("<URI>", _) => ("the resource", " URI"),
        ("<NAME>", "prompt") => ("the prompt", " NAME key=value"),
        ("<NAME>", "show" | "remove") => {
            let hint = format!("write `bridge {command} NAME`; `bridge list` lists them");
            return Error::usage("the name of a saved server is missing").hint(hint);
        }
        _ => {
            let words = match command {
                "call" => " TOOL key=value",
                "read" => " URI",
                "prompt" => " NAME key=value",
                _ => "",
            };
            let hint =
                format!("write its address: `bridge {command} https://mcp.example.com/mcp{words}`");
            return Error::usage("the server's address is missing").hint(hint);
        }
    };
    let hint = format!("write `bridge {command} https://mcp.example.com/mcp{words}`");
    Error::usage(format!("{what} is missing")).hint(hint)
}

/// Where the options of the command that was typed are listed.
fn help(args: &[OsString]) -> String {
    let verb = args.get(1).and_then(|arg| arg.to_str()).filter(|word| mistaken::is_verb(word));
    let verb = verb.map(|verb| format!("{verb} ")).unwrap_or_default();
    format!("`bridge {verb}--help` lists the options and what they take")
}

fn unknown(error: &clap::Error, shown: &str, args: &[OsString]) -> Error {
    if !shown.starts_with('-') {
        return too_many(args);
    }
    let left = |arg: &OsString| arg == "npx" || arg.to_string_lossy().starts_with("mcp-remote");
    if shown == "-y" || args.iter().any(left) {
        return mistaken::mcp_remote();
    }
    let failed =
        Error::usage(format!("there is no option `{}`", one_line(shown, mistaken::LONGEST)));
    let help = help(args);
    match (mistaken::option(shown), context(error, ContextKind::SuggestedArg)) {
        (Some(hint), _) => failed.hint(hint),
        (None, Some(near)) => failed.hint(format!("the nearest one is `{near}`; {help}")),
        (None, None) => failed.hint(help),
    }
}

/// The name by which an option was given in the arguments, which may be another than its first.
fn typed_as<'a>(option: &str, arg: Option<&Arg>, args: &'a [OsString]) -> Option<&'a str> {
    let aliases = arg.and_then(Arg::get_all_aliases).unwrap_or_default();
    args.iter().filter_map(|typed| typed.to_str()?.split('=').next()).find(|typed| {
        let alias = typed.strip_prefix("--").is_some_and(|name| aliases.contains(&name));
        alias || *typed == option
    })
}

/// A value that can't be used, under the name by which it was given: the variable's or the option's.
fn invalid(error: &clap::Error, shown: &str, command: &Command, args: &[OsString]) -> Error {
    let option = shown.split([' ', '=']).next().unwrap_or_default();
    let arg = command.get_arguments().find(|arg| option.strip_prefix("--") == arg.get_long());
    let typed = typed_as(option, arg, args);
    let variable = arg.and_then(Arg::get_env).filter(|_| typed.is_none());
    let variable = variable.map(|name| name.to_string_lossy());
    let name = variable.as_deref().or(typed).unwrap_or(option);
    let value = context(error, ContextKind::InvalidValue).unwrap_or_default();
    let choices = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(choices)) => choices.join(", "),
        _ => String::new(),
    };
    let empty = value.is_empty() && error.source().is_none();
    let what = match (option, empty) {
        ("", _) | ("<SHELL>", false) => "there is no such shell".to_owned(),
        (_, true) => format!("`{name}` has no value"),
        _ => format!("the value of `{name}` can't be used"),
    };
    let failed = match error.source() {
        Some(why) => Error::usage(what).because(why),
        None if choices.is_empty() => Error::usage(what),
        None if empty => Error::usage(what).because(format!("it takes one of: {choices}")),
        None => {
            let value = one_line(value, mistaken::LONGEST);
            Error::usage(what).because(format!("`{value}` is not one of: {choices}"))
        }
    };
    let help = help(args);
    failed.hint(match (&variable, context(error, ContextKind::SuggestedValue)) {
        (_, Some(near)) => format!("the nearest one is `{near}`"),
        (_, None) if empty => format!("write `{shown}`; {help}"),
        (Some(_), None) => format!("set `{name}` to another value, or do not set it; {help}"),
        (None, None) => help,
    })
}
