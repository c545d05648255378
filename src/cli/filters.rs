//! Options that hide and refuse tools.

use clap::Args;

/// Options that hide and refuse tools.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tools")]
pub struct FilterArgs {
    /// Hide the tools with such a name and refuse calls of them: `delete_*` (repeatable)
    ///
    /// In a pattern, `*` is any text and `?` any character; it has to match the whole name; case does not
    /// matter. Several patterns may stand in one argument, with commas between.
    #[arg(
        long,
        visible_alias = "ignore-tool",
        value_name = "PATTERN",
        env = "BRIDGE_DENY_TOOL",
        value_delimiter = ','
    )]
    pub deny_tool: Vec<String>,
    /// Show and call only the tools with such a name (repeatable)
    #[arg(long, value_name = "PATTERN", env = "BRIDGE_ALLOW_TOOL", value_delimiter = ',')]
    pub allow_tool: Vec<String>,
    /// Show and call only tools of which the server says that they only read
    #[arg(long, env = "BRIDGE_READ_ONLY", value_parser = clap::builder::FalseyValueParser::new())]
    pub read_only: bool,
}
