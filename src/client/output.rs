//! The relay's lines → messages, within the process.

use std::io::{ErrorKind, Write};

use tokio::sync::mpsc;

use crate::jsonrpc::Message;

/// What the relay takes for its stdout. Its writer has a thread of its own, which waits here where nobody takes
/// the messages: the relay's back-pressure.
pub(super) struct Output {
    line: Vec<u8>,
    messages: mpsc::Sender<Message>,
}

impl Output {
    pub(super) fn new(waiting: usize) -> (Self, mpsc::Receiver<Message>) {
        let (messages, receiver) = mpsc::channel(waiting);
        (Self { line: Vec::new(), messages }, receiver)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.line.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        self.line.extend_from_slice(&bytes[..end]);
        let line = std::mem::take(&mut self.line);
        // What is no message was none of the server's either: the relay lets nothing else through.
        if let Ok(message) = Message::parse(line.into()) {
            self.messages.blocking_send(message).map_err(|_| ErrorKind::BrokenPipe)?;
        }
        Ok(end + 1)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_any_pieces_are_messages() {
        let (mut output, mut messages) = Output::new(8);
        for piece in ["{\"method\":", "\"a\"}", "\n{\"method\":\"b\"}\n{\"me", "thod\":\"c\"}\n"] {
            output.write_all(piece.as_bytes()).unwrap();
        }
        drop(output);
        let mut next = || messages.blocking_recv()?.method().map(str::to_owned);
        assert_eq!(
            [next(), next(), next(), next()],
            [Some("a".into()), Some("b".into()), Some("c".into()), None]
        );
    }
}
