//! What can be typed. What it means stands in [`crate::config`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "bridge",
    version,
    about = "Connects an MCP client that speaks stdio to a hosted MCP server",
    long_about = "Connects an MCP client that speaks stdio to a hosted MCP server.\n\n\
        The client launches `bridge` and writes JSON-RPC messages to its stdin, one a line; `bridge` \
        forwards each to the server over HTTP and writes what comes back to stdout.",
    after_long_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    max_term_width = 100
)]
pub struct Cli {
    /// The command; without one, `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The default command's arguments.
    #[command(flatten)]
    pub serve: ServeArgs,
}

const EXAMPLES: &str = "Examples:
  bridge https://mcp.example.com/mcp
      Serve that server on stdin and stdout. In a client's configuration:
      { \"command\": \"bridge\", \"args\": [\"https://mcp.example.com/mcp\"] }

  bridge https://mcp.example.com/mcp --debug --log /tmp/bridge.log
      The same, and write down what happens.

  bridge http://localhost:3000/mcp --tool-timeout 2m
      A server on this machine; a tool call that takes longer is an error.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a hosted server on stdin and stdout (what `bridge SERVER` does)
    Serve(ServeArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  bridge completions bash > ~/.local/share/bash-completion/completions/bridge"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// URL of the server's MCP endpoint
    #[arg(value_name = "SERVER", required = true)]
    pub server: Option<String>,
    /// What happens between the two sides
    #[command(flatten)]
    pub relay: RelayArgs,
    /// What is written down
    #[command(flatten)]
    pub log: LogArgs,
}

/// Options of the relay.
#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
pub struct RelayArgs {
    /// Longest message, in either direction (bytes, or with a unit: 512k, 64M)
    #[arg(long, value_name = "SIZE", env = "BRIDGE_MAX_MESSAGE_SIZE", default_value = "64M", value_parser = size)]
    pub max_message_size: usize,
    /// Answer a tool call with an error after this time (30s, 5m); without it, the client decides
    #[arg(long, value_name = "TIME", env = "BRIDGE_TOOL_TIMEOUT", value_parser = duration)]
    pub tool_timeout: Option<std::time::Duration>,
    /// How long answers in flight are waited for when the client is gone
    #[arg(long, value_name = "TIME", env = "BRIDGE_DRAIN", default_value = "1s", value_parser = duration)]
    pub drain: std::time::Duration,
    /// Allow http:// to a server that is not on this machine
    #[arg(long, env = "BRIDGE_ALLOW_HTTP")]
    pub allow_http: bool,
}

/// Options of the log.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Say on stderr what happens, message by message (never their contents)
    #[arg(long, env = "BRIDGE_DEBUG")]
    pub debug: bool,
    /// Say nothing on stderr
    #[arg(long, conflicts_with = "debug", env = "BRIDGE_SILENT")]
    pub silent: bool,
    /// Write down what happens in this file; several processes may share it
    #[arg(long, value_name = "FILE", env = "BRIDGE_LOG")]
    pub log: Option<PathBuf>,
}

/// A number of bytes: `4096`, `512k`, `64M`, `1GiB`.
fn size(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        unit => return Err(format!("`{unit}` is no unit of size; use k, M or G")),
    };
    let number: usize = digits.parse().map_err(|_| "not a whole number of bytes".to_owned())?;
    let bytes = number.checked_mul(factor).ok_or("more than this machine can count")?;
    if bytes < 1024 { Err("smaller than 1k: no session would fit".into()) } else { Ok(bytes) }
}

/// A time: `500ms`, `30s`, `5m`, `2h`; a bare number is seconds.
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u32 = digits.parse().map_err(|_| "not a whole number".to_owned())?;
    let millis = match &text[digits.len()..] {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        unit => return Err(format!("`{unit}` is no unit of time; use ms, s, m or h")),
    };
    Ok(std::time::Duration::from_millis(u64::from(number) * millis))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::time::Duration;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(size("64M"), Ok(64 << 20));
        assert_eq!(size("4096"), Ok(4096));
        assert!(size("64 parsecs").is_err());
        assert!(size("1").is_err());
        assert!(size("99999999999999999999G").is_err());
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("-1").is_err());
        assert!(duration("5 fortnights").is_err());
    }
}
