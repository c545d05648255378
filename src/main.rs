//! The life of the process: parse, begin the log, run the command, report, exit code.

use std::process::ExitCode;

use mcp_bridge::cli::{self, Cli, Command, Refused, ServeArgs};
use mcp_bridge::error::{Error, Exit};
use mcp_bridge::{commands, config, logging, os, ui};

fn main() -> ExitCode {
    // First of all, while there is one thread.
    os::find_session_bus();
    let cli = match cli::parse() {
        Ok(cli) => cli,
        Err(Refused::Wrong(error)) => return ui::report(&error).into(),
        Err(Refused::Shown(text)) => return ui::show(&text).into(),
    };
    // A defect is told by the log, whose last lines are then still to be written.
    let done = std::panic::catch_unwind(|| run(cli));
    logging::finish();
    match done {
        Ok(Ok(())) => Exit::Ok.into(),
        Ok(Err(error)) => ui::report(&error).into(),
        Err(_) => Exit::Failed.into(),
    }
}

fn run(cli: Cli) -> Result<(), Error> {
    match cli.command {
        None => serve(&cli.serve),
        Some(Command::Serve(args)) => serve(&args),
        Some(Command::Completions { shell }) => commands::completions::run(shell),
    }
}

fn serve(args: &ServeArgs) -> Result<(), Error> {
    start_log(&args.log)?;
    commands::serve::run(config::serve(args, &config::Environment::of_process())?)
}

fn start_log(args: &mcp_bridge::cli::LogArgs) -> Result<(), Error> {
    let settings = config::log(args);
    logging::start(&settings).map_err(|error| {
        let file = settings.file.unwrap_or_default();
        Error::usage(format!("the log can't be written to {}", file.display()))
            .because(error)
            .hint("name a file that you may write with `--log`, or leave it out")
    })
}
