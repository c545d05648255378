//! Arguments of the commands that edit the configurations of desktop clients.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::{
    CredentialArgs, FilterArgs, HeaderArgs, LogArgs, NetworkArgs, RelayArgs, SignInArgs,
    TransportArgs,
};
use crate::order;

/// Which client's configuration, and how.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// The client: claude-desktop, claude-code, cursor, vscode, windsurf, zed, codex, gemini-cli, opencode,
    /// cline or lm-studio; several with commas between. Without it, a terminal asks
    #[arg(long, value_name = "CLIENT", value_delimiter = ',')]
    pub client: Vec<String>,
    /// The configuration of the project in this folder, `.` for this one, in place of the user's own
    #[arg(long, value_name = "FOLDER")]
    pub workspace: Option<PathBuf>,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Arguments of `install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The servers: saved names, or addresses
    #[arg(value_name = "SERVER", required = true)]
    pub servers: Vec<String>,
    /// Where it is written
    #[command(flatten)]
    pub target: TargetArgs,
    /// Name of the entry; without it, that of the saved server, or one from the address
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Print the entry, to paste it
    #[arg(long)]
    pub print: bool,
    /// Replace an entry of that name also where it is none of bridge's
    #[arg(long)]
    pub force: bool,
    /// The program to write, in place of the path of this one
    #[arg(long, value_name = "PATH")]
    pub command: Option<PathBuf>,
    /// The options of the servers
    #[command(flatten)]
    pub options: ServerOptions,
}

/// Arguments of `uninstall`.
#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// The names of the entries, or the servers in them
    #[arg(value_name = "SERVER", required = true)]
    pub servers: Vec<String>,
    /// Where they are taken out
    #[command(flatten)]
    pub target: TargetArgs,
    /// Take an entry of that name out also where it is none of bridge's
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Where entries are looked for
    #[command(flatten)]
    pub target: TargetArgs,
    /// Rewrite them without asking
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Put back what the last import replaced
    #[arg(long, conflicts_with_all = ["dry_run", "yes"])]
    pub undo: bool,
    /// The program to write, in place of the path of this one
    #[arg(long, value_name = "PATH")]
    pub command: Option<PathBuf>,
}

/// The options of a server as they were typed, to be written into an entry.
#[derive(Debug, Default)]
pub struct ServerOptions {
    /// One word each; an option with a value is `--name` and the value.
    pub words: Vec<String>,
    /// Options whose words are no text.
    pub unreadable: Vec<String>,
}

impl Args for ServerOptions {
    fn augment_args(command: Command) -> Command {
        let command = SignInArgs::augment_args(command);
        let command = FilterArgs::augment_args(HeaderArgs::augment_args(command));
        let command = NetworkArgs::augment_args(RelayArgs::augment_args(command));
        let command = TransportArgs::augment_args(CredentialArgs::augment_args(command));
        LogArgs::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServerOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let all = Self::augment_args(Command::new("options"));
        let mut words: Vec<(usize, Vec<String>)> = Vec::new();
        let mut unreadable = Vec::new();
        let is_typed = |arg: &&Arg| {
            matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
        };
        for arg in all.get_arguments().filter(is_typed) {
            let id = arg.get_id().as_str();
            let option = format!("--{}", arg.get_long().unwrap_or_default());
            let indices = matches.indices_of(id).into_iter().flatten();
            for (index, value) in indices.zip(matches.get_raw(id).into_iter().flatten()) {
                match value.to_str() {
                    _ if !arg.get_action().takes_values() => {
                        words.push((index, vec![option.clone()]))
                    }
                    Some(value) => words.push((index, vec![option.clone(), value.to_owned()])),
                    None => unreadable.push(option.clone()),
                }
            }
        }
        let words = order::by_key(words, |(index, _)| *index);
        Ok(Self { words: words.into_iter().flat_map(|(_, words)| words).collect(), unreadable })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn option(long: &str) -> Option<Arg> {
    let name = long.strip_prefix("--")?;
    let all = ServerOptions::augment_args(Command::new("options"));
    all.get_arguments().find(|arg| arg.get_long() == Some(name)).cloned()
}

/// Whether an option of a server has a value behind it.
pub fn takes_value(long: &str) -> bool {
    option(long).is_some_and(|arg| arg.get_action().takes_values())
}

/// The variable that stands for an option of a server.
pub fn variable_of(long: &str) -> Option<String> {
    let variable = option(long)?.get_env()?.to_str()?.to_owned();
    Some(variable)
}

/// Help of `install` shows its own options; those of servers are the same as without a command.
pub(super) fn own_only(arg: Arg) -> Arg {
    const OWN: [&str; 9] =
        ["servers", "client", "workspace", "dry_run", "name", "print", "force", "command", "help"];
    let own = OWN.contains(&arg.get_id().as_str());
    let arg = if own { arg } else { arg.help_heading("Options of the server") };
    let hidden = arg.is_hide_set() || !own;
    arg.hide(hidden)
}
