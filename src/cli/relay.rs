//! Options of the relay.

use clap::Args;

use super::values::{duration, size};

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
    #[arg(long, env = "BRIDGE_ALLOW_HTTP", value_parser = clap::builder::FalseyValueParser::new())]
    pub allow_http: bool,
}
