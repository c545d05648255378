//! stdin → lines. One JSON-RPC message a line, LF or CRLF (MCP stdio transport).

use std::io::{ErrorKind, Read};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::jsonrpc::scan::{Glimpse, IdScanner};
#[cfg(target_os = "linux")]
use crate::os;
#[cfg(target_os = "linux")]
use crate::task;

/// What is asked of the system at once: a pipe holds as much.
const CHUNK: usize = 64 * 1024;
/// Batches that wait for the relay before the thread stops reading, which is the back-pressure.
const BATCHES: usize = 8;

/// One line of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Without its line break.
    Text(Bytes),
    /// Longer than allowed; only its length and what was made out of it were kept.
    TooLong {
        /// What it seems to be.
        glimpse: Glimpse,
        /// Length in bytes.
        length: u64,
    },
}

/// Reads lines on a thread of its own until the input ends; then the channel closes.
///
/// # Errors
/// The system has no thread to give.
pub fn spawn(
    input: impl Read + Send + 'static,
    max_line: usize,
) -> std::io::Result<mpsc::Receiver<Vec<Line>>> {
    let (sender, receiver) = mpsc::channel(BATCHES);
    spawn_thread(input, Splitter::new(max_line), sender)?;
    Ok(receiver)
}

/// The same by readiness, without the thread and the time that waking it takes, where the system can do that;
/// `input` is what is read where it turns out that it can't.
///
/// # Errors
/// The system has no thread to give.
#[cfg(target_os = "linux")]
pub fn spawn_ready(
    ready: os::ReadyStdin,
    input: impl Read + Send + 'static,
    max_line: usize,
) -> mpsc::Receiver<Vec<Line>> {
    let (sender, receiver) = mpsc::channel(BATCHES);
    task::spawn(async move {
        let mut splitter = Splitter::new(max_line);
        if read_ready(&ready, &mut splitter, &sender).await {
            let last = splitter.finish();
            if !last.is_empty() {
                let _ = sender.send(last).await;
            }
        } else if let Err(error) = spawn_thread(input, splitter, sender) {
            tracing::warn!(%error, "stdin can't be read; taken as its end");
        }
    });
    receiver
}

/// Reads to the end, and says whether it could.
#[cfg(target_os = "linux")]
async fn read_ready(
    input: &os::ReadyStdin,
    splitter: &mut Splitter,
    sender: &mpsc::Sender<Vec<Line>>,
) -> bool {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match input.read(&mut chunk).await {
            Ok(os::Ready::Bytes(0)) => return true,
            Ok(os::Ready::Bytes(read)) => read,
            Ok(os::Ready::Unfit) => return false,
            Err(error) => {
                tracing::warn!(%error, "stdin can't be read; taken as its end");
                return true;
            }
        };
        let lines = splitter.feed(&chunk[..read]);
        if !lines.is_empty() && sender.send(lines).await.is_err() {
            return true;
        }
    }
}

fn spawn_thread(
    input: impl Read + Send + 'static,
    splitter: Splitter,
    sender: mpsc::Sender<Vec<Line>>,
) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("stdin".into())
        .stack_size(128 * 1024)
        .spawn(move || read_all(input, splitter, &sender))
        .map(drop)
}

fn read_all(mut input: impl Read, mut splitter: Splitter, sender: &mpsc::Sender<Vec<Line>>) {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => {
                tracing::warn!(%error, "stdin can't be read; taken as its end");
                break;
            }
        };
        let lines = splitter.feed(&chunk[..read]);
        if !lines.is_empty() && sender.blocking_send(lines).is_err() {
            return;
        }
    }
    let last = splitter.finish();
    if !last.is_empty() {
        let _ = sender.blocking_send(last);
    }
}

/// Cuts bytes into lines. Pure, so that it can be tested on any cut.
#[derive(Debug)]
pub struct Splitter {
    max_line: usize,
    pending: Vec<u8>,
    /// Set while the rest of a line that is too long goes by.
    skipped: Option<(IdScanner, u64)>,
}

impl Splitter {
    /// Lines longer than `max_line` bytes are not kept.
    pub fn new(max_line: usize) -> Self {
        Self { max_line, pending: Vec::new(), skipped: None }
    }

    /// Takes bytes, gives the lines that they complete. Empty lines are passed over.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|&b| b == b'\n') {
            self.take(&bytes[..end]);
            lines.extend(self.end_line());
            bytes = &bytes[end + 1..];
        }
        self.take(bytes);
        lines
    }

    /// The last line, where the input ended without a line break.
    pub fn finish(mut self) -> Vec<Line> {
        self.end_line().into_iter().collect()
    }

    fn take(&mut self, piece: &[u8]) {
        if let Some((scanner, length)) = &mut self.skipped {
            scanner.feed(piece);
            *length += piece.len() as u64;
        } else if self.pending.len() + piece.len() > self.max_line {
            let mut scanner = IdScanner::default();
            scanner.feed(&self.pending);
            scanner.feed(piece);
            self.skipped = Some((scanner, (self.pending.len() + piece.len()) as u64));
            self.pending = Vec::new();
        } else {
            self.pending.extend_from_slice(piece);
        }
    }

    fn end_line(&mut self) -> Option<Line> {
        if let Some((scanner, length)) = self.skipped.take() {
            return Some(Line::TooLong { glimpse: scanner.finish(), length });
        }
        let line = self.pending.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.pending);
        let line = line.trim_ascii();
        if line.is_empty() {
            self.pending.clear();
            return None;
        }
        // A large line is handed on as it lies; a small one is copied, and the buffer used again.
        if self.pending.len() > CHUNK {
            let whole = Bytes::from(std::mem::take(&mut self.pending));
            let trimmed = whole.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&whole).trim_ascii();
            return Some(Line::Text(whole.slice_ref(trimmed)));
        }
        let text = Bytes::copy_from_slice(line);
        self.pending.clear();
        Some(Line::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::Id;

    fn text(line: &str) -> Line {
        Line::Text(Bytes::copy_from_slice(line.as_bytes()))
    }

    #[test]
    fn lines_end_with_lf_or_crlf_and_the_last_one_with_the_input() {
        let mut splitter = Splitter::new(100);
        let lines = splitter.feed(b"{\"a\":1}\r\n\n  \n{\"b\":\xE2\x80\xA8}\n{\"c\"");
        assert_eq!(lines, [text("{\"a\":1}"), text("{\"b\":\u{2028}}")]);
        assert_eq!(splitter.feed(b":3}"), []);
        assert_eq!(splitter.finish(), [text("{\"c\":3}")]);
    }

    #[test]
    fn it_does_not_matter_how_the_input_is_cut() {
        let input = b"\xEF\xBB\xBF{\"id\":1}\n{\"id\":2,\"x\":\"0123456789\"}\n\r\n{\"id\":3}\n";
        let whole = Splitter::new(16).feed(input);
        assert_eq!(whole.len(), 3);
        for cut in 0..input.len() {
            let mut splitter = Splitter::new(16);
            let mut lines = splitter.feed(&input[..cut]);
            lines.extend(splitter.feed(&input[cut..]));
            assert_eq!(lines, whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_leaves_its_id_and_the_next_line_is_read() {
        let mut splitter = Splitter::new(20);
        let mut lines = splitter.feed(b"{\"method\":\"x\",\"params\":[\"");
        lines.extend(splitter.feed(&[b'a'; 1000]));
        lines.extend(splitter.feed(b"\"],\"id\":77}\n{\"id\":78}\n"));
        let glimpse = Glimpse { id: Id::from_json("77"), is_response: false };
        assert_eq!(lines, [Line::TooLong { glimpse, length: 1036 }, text("{\"id\":78}")]);
    }

    #[tokio::test]
    async fn the_channel_closes_when_the_input_ends() {
        let mut lines = spawn(&b"{\"id\":1}\n{\"id\":2}"[..], 100).unwrap();
        let mut seen = Vec::new();
        while let Some(batch) = lines.recv().await {
            seen.extend(batch);
        }
        assert_eq!(seen, [text("{\"id\":1}"), text("{\"id\":2}")]);
    }
}
