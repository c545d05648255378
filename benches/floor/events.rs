//! The least of an event stream that carries MCP: each `data` line is one message.

use bytes::Bytes;

const DATA: &[u8] = b"data: ";

/// A stream that is being read.
#[derive(Default)]
pub struct Events {
    /// A line whose end has not come yet.
    begun: Vec<u8>,
}

impl Events {
    /// Takes the next bytes; returns the messages that are now complete, each with its line end.
    /// A line that lies within `chunk` is not copied.
    pub fn add(&mut self, mut chunk: Bytes) -> Vec<Bytes> {
        let mut messages = Vec::new();
        while let Some(end) = chunk.iter().position(|&byte| byte == b'\n') {
            let mut line = chunk.split_to(end + 1);
            if !self.begun.is_empty() {
                self.begun.extend_from_slice(&line);
                line = std::mem::take(&mut self.begun).into();
            }
            if line.starts_with(DATA) {
                messages.push(line.split_off(DATA.len()));
            }
        }
        self.begun.extend_from_slice(&chunk);
        messages
    }
}
