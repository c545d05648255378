//! Options of mcp-remote that this version knows by name only, so that it can say so.

use clap::Args;

/// Options that have to wait.
#[derive(Debug, Args)]
pub struct LaterArgs {
    /// Eras of the protocol; `legacy` is what there is
    #[arg(long, value_name = "MODE", hide = true)]
    pub protocol: Option<String>,
}

impl LaterArgs {
    /// The first one that was typed and is not there yet, without its dashes.
    pub fn first(&self) -> Option<&'static str> {
        self.protocol.as_ref().filter(|mode| *mode != "legacy").map(|_| "protocol")
    }
}
