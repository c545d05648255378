//! Options of the log.

use std::path::PathBuf;

use clap::Args;

use super::values::{file, switch};

/// Options of the log.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Say on stderr what happens
    ///
    /// One line for each message. With `--log FILE`, what each message holds is written to that file too, and
    /// nowhere else: of each the first 2,000 characters, without what is a secret or looks like one.
    #[arg(long, env = "BRIDGE_DEBUG", value_parser = switch)]
    pub debug: bool,
    /// Say nothing on stderr (unless `--debug` is given too)
    #[arg(long, hide_short_help = true, env = "BRIDGE_SILENT", value_parser = switch)]
    pub silent: bool,
    /// Write what happens to this file
    ///
    /// One line for each message; with `--debug`, what it holds as well. Several processes may share the file. At 8 MB it is renamed to
    /// `FILE.1`, in place of an earlier one, so that both together never hold more than 16 MB. `~/` is the
    /// home folder; a folder that is missing is made.
    #[arg(long, value_name = "FILE", env = "BRIDGE_LOG", value_parser = file())]
    pub log: Option<PathBuf>,
}
