//! Standard input and output, on a thread each.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc as blocking;
use std::thread::{self, JoinHandle};

use bytes::Bytes;
use tokio::sync::mpsc;

/// The lines of standard input, as they come.
pub type Lines = mpsc::UnboundedReceiver<Bytes>;

/// Where the parts of whole messages go. What is sent at once stays together.
pub type Answers = blocking::Sender<Vec<Bytes>>;

/// As much as a pipe holds: a larger write would only wait.
const BATCH: usize = 64 * 1024;

/// Starts the reader. The channel ends with the input.
pub fn read_lines() -> Lines {
    let (sender, lines) = mpsc::unbounded_channel();
    thread::spawn(move || -> io::Result<()> {
        let mut input = BufReader::with_capacity(BATCH, unbuffered(io::stdin().as_fd())?);
        loop {
            let mut line = Vec::new();
            if input.read_until(b'\n', &mut line)? == 0 || sender.send(line.into()).is_err() {
                return Ok(());
            }
        }
    });
    lines
}

/// Starts the writer. It ends when the last sender is gone.
pub fn write_messages() -> (Answers, JoinHandle<io::Result<()>>) {
    let (answers, messages) = blocking::channel::<Vec<Bytes>>();
    let writer = thread::spawn(move || {
        let mut output = unbuffered(io::stdout().as_fd())?;
        let mut batch = Vec::with_capacity(BATCH);
        while let Ok(first) = messages.recv() {
            for message in std::iter::once(first).chain(messages.try_iter()) {
                add(&mut batch, &message, &mut output)?;
            }
            output.write_all(&batch)?;
            batch.clear();
        }
        Ok(())
    });
    (answers, writer)
}

/// Adds a message to the batch. A full batch is written first; a large part is never copied.
fn add(batch: &mut Vec<u8>, message: &[Bytes], output: &mut File) -> io::Result<()> {
    for part in message {
        if batch.len() + part.len() > BATCH {
            output.write_all(batch)?;
            batch.clear();
        }
        if part.len() > BATCH {
            output.write_all(part)?;
        } else {
            batch.extend_from_slice(part);
        }
    }
    Ok(())
}

/// The same stream without the buffers and locks of the standard library.
fn unbuffered(stream: BorrowedFd<'_>) -> io::Result<File> {
    Ok(File::from(stream.try_clone_to_owned()?))
}
