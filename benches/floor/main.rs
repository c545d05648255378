//! The floor: the barest relay between stdio and one Streamable HTTP endpoint.
//!
//! It is what the bridge is measured against, so it is written for speed and has no feature: no
//! retries, no recovery of sessions, no log, no TLS. It reads lines, posts each one, and writes
//! what comes back, be it JSON or an event stream.
#![expect(clippy::print_stderr, reason = "the floor has no other way to say what went wrong")]

mod events;
mod remote;
mod stdio;

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use tokio::sync::mpsc;

use remote::Remote;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let Some(url) = std::env::args().nth(1) else {
        return Err("usage: floor http://HOST:PORT/PATH".into());
    };
    let lines = stdio::read_lines();
    let (answers, writer) = stdio::write_messages();
    let remote = Arc::new(Remote::new(&url, answers)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(relay(lines, remote));
    drop(runtime);
    writer.join().map_err(|_| "the writer panicked")??;
    Ok(())
}

/// Posts each line in a task of its own, and returns once the last of them has ended.
async fn relay(mut lines: stdio::Lines, remote: Arc<Remote>) {
    let (open, mut all_ended) = mpsc::channel::<Infallible>(1);
    while let Some(line) = lines.recv().await {
        let (remote, open) = (Arc::clone(&remote), open.clone());
        tokio::spawn(async move {
            if let Err(error) = remote.post(line).await {
                eprintln!("floor: {error}");
            }
            drop(open);
        });
    }
    drop(open);
    all_ended.recv().await;
}
