//! Arguments of `logs`.

use std::time::Duration;

use clap::{Arg, Args};

use super::ServeArgs;
use super::values::{count, duration};

/// Arguments of `logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Go on as more is written, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Only what went wrong
    #[arg(long)]
    pub problems: bool,
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

/// What matters to it; other options are taken, so that an entry's arguments can be given as they are.
const OWN: [&str; 5] = ["server", "follow", "problems", "since", "lines"];

pub(super) fn of_logs(arg: Arg) -> Arg {
    let hidden = arg.is_hide_set() || !OWN.contains(&arg.get_id().as_str());
    arg.hide(hidden)
}

pub(super) const EXAMPLES: &str = "Examples:
  bridge logs
      What happened last, with all servers.

  bridge logs https://mcp.example.com/mcp --follow
      What happens with that server, as it happens.

  bridge logs work --problems --since 2h
      What went wrong with a saved server in the last two hours.

Starts, connections, sign-ins, problems and ends are always written down. What
each message was is written where `--log FILE` says so.";
