//! `bridge SERVER`: serve a hosted server on stdin and stdout.

use std::io::{IsTerminal, Read};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc::Receiver;

use super::parts::Parts;
use crate::clock::{Clock, SystemClock};
use crate::credentials::Patience;
use crate::error::Error;
use crate::relay::{ClientSide, FileMemory, Relay};
use crate::remote::Remote;
use crate::stdio::{Line, Writer, reader};
use crate::task;
use crate::{config, os, paths};

/// Serves until the client is gone.
///
/// # Errors
/// stdin or stdout are closed, or the system gives no threads.
pub fn run(config: config::Serve) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .map_err(|error| Error::failed("bridge can't start").because(error))?;
    // A task of its own: what wakes the outermost future makes the runtime ask the system for news each time.
    let served = runtime.block_on(async { tokio::spawn(serve(config)).await });
    // A name that is being looked up can't be interrupted, and nobody waits for it any more.
    runtime.shutdown_background();
    served.unwrap_or_else(|broken| std::panic::resume_unwind(broken.into_panic()))
}

/// Lines of stdin, by readiness where that can be.
fn read(
    input: impl Read + Send + 'static,
    max_line: usize,
) -> std::io::Result<Receiver<Vec<Line>>> {
    #[cfg(target_os = "linux")]
    if let Some(ready) = os::ready_stdin() {
        return Ok(reader::spawn_ready(ready, input, max_line));
    }
    reader::spawn(input, max_line)
}

/// The start is over by then, with most clients and servers.
const STARTED: Duration = Duration::from_secs(2);

/// For a person who typed the command, and sees nothing happen.
const WAITING: &str = "waiting for an MCP client: stdin is a terminal, and messages are JSON-RPC, one a \
     line; put this command into a client's configuration, or end it with Ctrl-C";

/// Arguments can be read by every user of the machine. Said once a day, not at every start.
fn warn_of_arguments(header: &str) {
    if paths::is_first_today("warned-of-arguments", SystemClock.wall()) {
        tracing::warn!(
            "the value of `{header}` is in the arguments, where others on this machine can read it; \
             keep it in `--header-file`, or in a variable and write `--header {header}=${{VAR}}`"
        );
    }
}

async fn serve(config: config::Serve) -> Result<(), Error> {
    // First of all, so that from the first message on a signal ends the session too.
    let signal = os::told_to_end();
    os::allow_many_files();
    let closed = |name: &str, error| {
        Error::failed(format!("{name} can't be used")).because(error).hint(
            "bridge is started by an MCP client, which writes to its stdin and reads its stdout",
        )
    };
    let input = os::stdin().map_err(|error| closed("stdin", error))?;
    let output = os::stdout().map_err(|error| closed("stdout", error))?;
    let lines =
        read(input, config.relay.max_message_size).map_err(|error| closed("stdin", error))?;
    let writer = Writer::spawn(output).map_err(|error| closed("stdout", error))?;
    let writer = writer.writing_now(os::stdout_at_once());
    if std::io::stdin().is_terminal() {
        tracing::warn!("{WAITING}");
    }
    if let Some(header) = &config.secret_in_arguments {
        warn_of_arguments(header);
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        server = config.endpoint.shown(),
        "started"
    );
    task::spawn(async {
        tokio::time::sleep(STARTED).await;
        os::give_memory_back();
    });
    let parts = Parts::new(&config, Patience::Serving);
    let authorizer = parts.authorizer(&config);
    let login = authorizer.as_ref().map(super::parts::memory);
    let remote = Remote::with(config.endpoint, config.remote, parts.http, authorizer);
    let relay = Relay {
        remote: Arc::new(remote),
        settings: config.relay,
        memory: FileMemory::new(config.memory).of_login(login),
        clock: &SystemClock,
    };
    let told_to_end = async {
        tokio::select! {
            () = signal => tracing::info!("told to end"),
            () = os::stdout_hung_up() => tracing::info!("nobody reads stdout any more"),
        }
    };
    let (told_to_end, parent_gone) = (told_to_end.boxed(), os::parent_gone().boxed());
    relay.run(ClientSide { lines, writer, told_to_end, parent_gone }).await;
    tracing::info!("ended");
    Ok(())
}
