//! Options that hide and refuse tools.

use clap::Args;

use super::values::{pattern, switch};

/// Options that hide and refuse tools.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tools")]
pub struct FilterArgs {
    /// Hide these tools
    ///
    /// Calls of them are refused: `--deny-tool 'delete_*'`. The option may be repeated. In a pattern, `*` is any text and `?` any character; it has to match the whole name; case does not
    /// matter. One argument may hold several patterns, with commas between.
    #[arg(
        long,
        visible_alias = "ignore-tool",
        value_name = "PATTERN",
        env = "BRIDGE_DENY_TOOL",
        value_delimiter = ',',
        value_parser = pattern
    )]
    pub deny_tool: Vec<String>,
    /// Offer only these tools
    ///
    /// All others are hidden, and calls of them refused. Patterns are as in `--deny-tool`.
    #[arg(
        long,
        value_name = "PATTERN",
        env = "BRIDGE_ALLOW_TOOL",
        value_delimiter = ',',
        value_parser = pattern
    )]
    pub allow_tool: Vec<String>,
    /// Offer only tools that change nothing
    ///
    /// These are the tools that the server marks with `readOnlyHint: true`.
    #[arg(long, env = "BRIDGE_READ_ONLY", value_parser = switch)]
    pub read_only: bool,
}
