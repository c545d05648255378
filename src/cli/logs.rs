//! Arguments of `logs`.

use std::time::Duration;

use clap::{Arg, Args, ValueEnum};

use super::ServeArgs;
use super::values::{count, duration};

/// Arguments of `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Go on as more is written, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Only what went wrong, as `--level warning`
    #[arg(long, conflicts_with = "level")]
    pub problems: bool,
    /// Only what is as grave as that
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub level: Option<Gravity>,
    /// Only messages of this method, such as tools/call, and their answers
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,
    /// Only what happened within this time, such as 10m or 2h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub since: Option<Duration>,
    /// How many lines, the last ones; 0 for all
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 100, value_parser = count)]
    pub lines: usize,
    /// The server; without one, all
    #[command(flatten)]
    pub server: ServeArgs,
}

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Gravity {
    /// Steps and messages, which stand in the file of `--log` alone.
    Debug,
    /// Starts, connections, sign-ins, ends.
    Info,
    /// Problems that may pass.
    Warning,
    /// Problems that end something.
    Error,
}

/// What matters to it; other options are taken, so that an entry's arguments can be given as they are.
const OWN: [&str; 8] = ["server", "follow", "problems", "level", "method", "since", "lines", "log"];

pub(super) fn of_logs(arg: Arg) -> Arg {
    let arg = match arg.get_id().as_str() {
        "log" => arg.hide_env(true).hide_short_help(false).help(LOG).long_help(LOG),
        _ => arg,
    };
    let hidden = arg.is_hide_set() || !OWN.contains(&arg.get_id().as_str());
    arg.hide(hidden)
}

const LOG: &str = "Show this file, which `--log FILE` of a server wrote, messages among it";

pub(super) const EXAMPLES: &str = "Examples:
  bridge logs
      What happened last, with all servers.

  bridge logs https://mcp.example.com/mcp --follow
      What happens with that server, as it happens.

  bridge logs work --problems --since 2h
      What went wrong with a saved server in the last two hours.

  bridge logs --log /tmp/bridge.log --method tools/call --follow
      The calls of tools, as they happen, where an entry has `--log` with that
      file; what is in them, where it has `--debug` too.

Starts, connections, sign-ins, problems and ends are always written down. What
each message was is written where `--log FILE` says so, and what it held where
`--debug` stands beside that.";
