//! Options of the headers that go with every request.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{duration, file, switch};
use crate::secret::Secret;

/// Options of the headers.
#[derive(Debug, Args)]
#[command(next_help_heading = "Headers")]
pub struct HeaderArgs {
    /// Send a header, as `Name=value`
    ///
    /// It goes with every request to the server. The option may be repeated. `Name: value` is taken too. In
    /// the value, `${VAR}` is replaced by that variable of the environment, and `${VAR:-default}` by the
    /// default where it is unset or empty. The environment gives headers too: `BRIDGE_HEADER_X_API_KEY` is
    /// the value of `X-Api-Key`. Other users of this machine can read arguments: keep secrets in a variable
    /// or a file.
    #[arg(long, value_name = "NAME=VALUE", value_parser = secret)]
    pub header: Vec<Secret<String>>,
    /// Send the headers in this file
    ///
    /// One `Name=value` a line; a line that begins with `#` is a comment. The option may be repeated.
    #[arg(long, value_name = "FILE", env = "BRIDGE_HEADER_FILE", value_parser = file())]
    pub header_file: Vec<PathBuf>,
    /// Send the headers that this program prints
    ///
    /// It prints a JSON object of names and values, or one value, which becomes `Authorization: Bearer
    /// VALUE` (a value with a space in it is taken to name its own scheme). With `expires_in` (seconds) or
    /// `expires_at` in the object it is run again in time; after a 401 it is run again once. No shell
    /// runs it: the line is split at spaces, quotes hold a part together. With `--header-command-arg` it
    /// is the program alone, and nothing is split.
    #[arg(long, value_name = "COMMAND", env = "BRIDGE_HEADER_COMMAND", hide_env_values = true)]
    pub header_command: Option<String>,
    /// One argument of the program, as it is (repeatable)
    #[arg(
        long,
        value_name = "ARG",
        requires = "header_command",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub header_command_arg: Vec<String>,
    /// How long the program may take
    #[arg(
        long,
        value_name = "TIME",
        env = "BRIDGE_HEADER_COMMAND_TIMEOUT",
        default_value = "10s",
        value_parser = duration,
        hide_short_help = true
    )]
    pub header_command_timeout: Duration,
    /// Ignore cookies
    ///
    /// By default they are kept in memory and sent back: load balancers use them to keep a session on one
    /// machine.
    #[arg(long, env = "BRIDGE_DISABLE_COOKIES", hide_short_help = true, value_parser = switch)]
    pub disable_cookies: bool,
}

fn secret(text: &str) -> Result<Secret<String>, Infallible> {
    Ok(Secret::new(text.to_owned()))
}
