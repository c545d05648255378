//! The client's ends of stdin and stdout, each on a thread of its own, so that no test blocks.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::inbox::Inbox;
use crate::support::Timeline;
use crate::support::watched::Watched;

/// What the process gets as stdin and stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    Pipes,
    /// As Node hosts do it: one pair for each.
    #[cfg(unix)]
    SocketPairs,
}

/// What the process is given.
pub struct Theirs {
    pub stdin: Stdio,
    pub stdout: Stdio,
}

/// What the test keeps.
pub struct Ours {
    pub stdin: File,
    pub stdout: File,
}

#[cfg(unix)]
pub fn open(streams: Streams) -> (Theirs, Ours) {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    let pair = || -> (OwnedFd, OwnedFd) {
        match streams {
            Streams::Pipes => {
                let (reader, writer) = std::io::pipe().expect("a pipe");
                (reader.into(), writer.into())
            }
            Streams::SocketPairs => {
                let (one, other) = UnixStream::pair().expect("a pair of sockets");
                (one.into(), other.into())
            }
        }
    };
    let (stdin, our_stdin) = pair();
    let (our_stdout, stdout) = pair();
    let theirs = Theirs { stdin: stdin.into(), stdout: stdout.into() };
    (theirs, Ours { stdin: our_stdin.into(), stdout: our_stdout.into() })
}

/// Writes what it is given, in order; dropped, it writes the rest and closes.
pub struct Stdin {
    lines: Sender<Vec<u8>>,
}

impl Stdin {
    pub fn write(mut pipe: File) -> Self {
        let (lines, received) = channel::<Vec<u8>>();
        std::thread::spawn(move || {
            // A bridge that has ended takes no more; the test sees that in other ways.
            for bytes in received {
                if pipe.write_all(&bytes).is_err() {
                    return;
                }
            }
        });
        Self { lines }
    }

    pub fn send(&self, bytes: &[u8]) {
        let _ = self.lines.send(bytes.to_owned());
    }
}

/// Reads lines into the inbox; dropped, it closes the pipe.
pub struct Stdout {
    #[cfg(unix)]
    close: std::io::PipeWriter,
    reader: Option<JoinHandle<()>>,
    reading: Arc<Watched<bool>>,
}

impl Stdout {
    pub fn read(
        pipe: File,
        inbox: &Arc<Watched<Inbox>>,
        reading: bool,
        timeline: &Timeline,
    ) -> Self {
        let (closed, close) = std::io::pipe().expect("a pipe");
        let reading = Arc::new(Watched::new(reading));
        let (inbox, held, timeline) = (Arc::clone(inbox), Arc::clone(&reading), timeline.clone());
        let reader = std::thread::spawn(move || {
            let mut lines = BufReader::with_capacity(1 << 16, Closable { pipe, closed });
            loop {
                held.wait(Duration::MAX, |reading| reading.then_some(()));
                let mut line = Vec::new();
                if !matches!(lines.read_until(b'\n', &mut line), Ok(1..)) {
                    break;
                }
                let complete = line.pop_if(|byte| *byte == b'\n').is_some();
                timeline.log("bridge", String::from_utf8_lossy(&line));
                inbox.update(|inbox| {
                    if !complete {
                        inbox.faults.push("the last line has no newline".to_owned());
                    }
                    inbox.receive(line);
                });
            }
            inbox.update(|inbox| inbox.ended = true);
        });
        Self { close, reader: Some(reader), reading }
    }

    /// Whether lines are read; held in mid-stream, one more line may come.
    pub fn set_reading(&self, reading: bool) {
        self.reading.update(|now| *now = reading);
    }
}

impl Drop for Stdout {
    fn drop(&mut self) {
        let _ = self.close.write_all(b".");
        self.set_reading(true);
        self.reader.take().map(JoinHandle::join);
    }
}

/// A pipe whose reading can be ended from another thread.
struct Closable {
    pipe: File,
    closed: std::io::PipeReader,
}

impl Read for Closable {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, poll};

        let mut both =
            [PollFd::new(&self.closed, PollFlags::IN), PollFd::new(&self.pipe, PollFlags::IN)];
        poll(&mut both, None)?;
        if both[0].revents().is_empty() { self.pipe.read(buffer) } else { Ok(0) }
    }
}
