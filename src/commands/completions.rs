//! `bridge completions`: the script by which a shell completes our command line.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::Error;

/// Prints the script.
///
/// # Errors
/// stdout can't be written.
pub fn run(shell: Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "bridge", &mut script);
    std::io::stdout()
        .write_all(&script)
        .map_err(|error| Error::failed("the script can't be printed").because(error))
}
