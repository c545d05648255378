//! Options of the relay.

use clap::Args;

use super::values::{duration, size};

/// Options of the relay.
#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
pub struct RelayArgs {
    /// Longest message, in either direction (bytes, or with a unit: 512k, 64M)
    #[arg(long, hide_short_help = true, value_name = "SIZE", env = "BRIDGE_MAX_MESSAGE_SIZE", default_value = "64M", value_parser = size)]
    pub max_message_size: usize,
    /// Give up a tool call after this time (2m)
    ///
    /// The client gets an error. Without the option, the client decides how long it waits.
    #[arg(long, value_name = "TIME", env = "BRIDGE_TOOL_TIMEOUT", value_parser = duration)]
    pub tool_timeout: Option<std::time::Duration>,
    /// How long to wait for answers in flight when the client has left
    #[arg(long, hide_short_help = true, value_name = "TIME", env = "BRIDGE_DRAIN", default_value = "1s", value_parser = duration)]
    pub drain: std::time::Duration,
}
