//! Options of the log.

use std::path::PathBuf;

use clap::Args;

/// Options of the log.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Say on stderr what happens, message by message (never their contents)
    #[arg(long, env = "BRIDGE_DEBUG", value_parser = clap::builder::FalseyValueParser::new())]
    pub debug: bool,
    /// Say nothing on stderr (unless `--debug` is given too)
    #[arg(long, env = "BRIDGE_SILENT", value_parser = clap::builder::FalseyValueParser::new())]
    pub silent: bool,
    /// Write down what happens in this file; several processes may share it
    #[arg(long, value_name = "FILE", env = "BRIDGE_LOG")]
    pub log: Option<PathBuf>,
}
