//! Compares the bridge with the floor and with mcp-remote, and judges it by its budgets.
//!
//! `scripts/bench` builds the contestants and runs this; `compare serve` only starts the mock
//! server, for a profiler or a look by hand.
#![expect(clippy::print_stderr, reason = "progress is shown while the benchmark runs")]

mod budget;
mod command_line;
mod contestant;
mod direct;
mod distance;
mod machine;
mod messages;
mod procfs;
mod relay;
mod report;
mod results;
mod server;
mod statistics;
mod tls;
mod tools;
mod trials;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use command_line::{CommandLine, Role};
use contestant::Contestant;
use results::Results;
use server::Server;
use trials::{Lab, Trial};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<ExitCode> {
    match CommandLine::parse().role {
        Some(Role::Serve) => serve(),
        Some(Role::Run(options)) => run(&options),
        None => {
            eprintln!("Run scripts/bench: it builds what is compared.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Serves until it is killed.
fn serve() -> Result<ExitCode> {
    let home = tempfile::tempdir()?;
    let server = Server::start(home.path())?;
    eprintln!("near    {}", server.near);
    eprintln!("far     {}", server.far);
    eprintln!("secure  {}  (trust {})", server.secure, server.trust.display());
    loop {
        std::thread::sleep(Duration::from_secs(3600));
    }
}

/// Runs all trials, writes the report, and fails if a budget is missed.
fn run(options: &command_line::Run) -> Result<ExitCode> {
    let home = tempfile::tempdir()?;
    let lab = Lab {
        server: Server::start(home.path())?,
        home: home.path().to_owned(),
        quick: options.quick,
    };
    let contestants = contestant::all(options);
    let trials: Vec<&Trial> =
        trials::ALL.iter().filter(|trial| options.selects(trial.name)).collect();
    let mut results = Results::default();
    for trial in &trials {
        results.add(trial, &lab, &contestants);
    }
    measure_misses_again(&trials, &lab, &contestants, &mut results);
    report::write(options, &trials, &contestants, &results)?;
    Ok(if results.misses(&trials) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A shared machine is noisy: a miss stands only if it persists over twice the samples.
fn measure_misses_again(
    trials: &[&Trial],
    lab: &Lab,
    contestants: &[Contestant],
    results: &mut Results,
) {
    for trial in trials {
        if results.misses(&[*trial]) {
            eprintln!("{}: a budget is missed, so once more", trial.name);
            results.add(trial, lab, contestants);
        }
    }
}
