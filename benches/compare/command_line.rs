//! What the driver is told.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Compares relays between stdio and a Streamable HTTP endpoint.
#[derive(Parser)]
pub struct CommandLine {
    #[command(subcommand)]
    pub role: Option<Role>,
    /// Accepted and ignored: `cargo bench` adds it.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

/// What this process is to be.
#[derive(Subcommand)]
pub enum Role {
    /// Measure all contestants.
    Run(Run),
    /// Start the mock server only.
    Serve,
}

/// How to measure.
#[derive(Args)]
pub struct Run {
    /// The bridge.
    #[arg(long)]
    pub bridge: PathBuf,
    /// The floor.
    #[arg(long)]
    pub floor: PathBuf,
    /// `proxy.js` of mcp-remote; without it the peer stands aside.
    #[arg(long)]
    pub mcp_remote: Option<PathBuf>,
    /// Where the report goes.
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// The day of the run, for the report.
    #[arg(long, default_value = "today")]
    pub date: String,
    /// Fewer samples.
    #[arg(long)]
    pub quick: bool,
    /// Only the trials whose names contain one of these.
    #[arg(long = "only", value_name = "PART")]
    pub only: Vec<String>,
}

impl Run {
    /// Whether a trial is asked for.
    pub fn selects(&self, trial: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| trial.contains(part.as_str()))
    }
}
