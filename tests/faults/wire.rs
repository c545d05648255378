//! One connection, byte by byte, so that it can break off anywhere.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest request that the server takes.
const MAX_REQUEST: usize = 64 * 1024;

/// A connection of the server.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// The head of a request.
#[derive(Debug, Clone, Default)]
pub struct Head {
    pub method: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| &**value)
    }

    fn length(&self) -> usize {
        self.header("content-length").and_then(|value| value.parse().ok()).unwrap_or_default()
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.split("\r\n");
        let method = lines.next().and_then(|line| line.split(' ').next()).unwrap_or_default();
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().into()));
        Self { method: method.into(), headers: headers.collect() }
    }
}

impl Wire {
    pub fn new(stream: TcpStream) -> Self {
        // Small pieces shall be seen one by one. What can't be set is no fault of the test's.
        let _ = stream.set_nodelay(true);
        Self { stream, read: Vec::new() }
    }

    /// The next request's head; `None` when the other side closed.
    pub async fn head(&mut self) -> Option<Head> {
        loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n") {
                let head = Head::parse(&String::from_utf8_lossy(&self.read[..end]));
                self.read.drain(..end + 4);
                return Some(head);
            }
            self.more().await?;
        }
    }

    /// The body that follows a head.
    pub async fn body(&mut self, head: &Head) -> Option<Vec<u8>> {
        while self.read.len() < head.length() {
            self.more().await?;
        }
        Some(self.read.drain(..head.length()).collect())
    }

    async fn more(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.read).await.unwrap_or_default();
        (read > 0 && self.read.len() < MAX_REQUEST).then_some(())
    }

    /// Resolves when the other side closed, or spoke out of turn.
    pub async fn left(&mut self) {
        let _ = self.more().await;
    }

    /// Writes bytes.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Writes a whole response.
    pub async fn respond(&mut self, status: u16, headers: &str, body: &str) -> io::Result<()> {
        let head = response_head(status, headers, body.len());
        self.write(format!("{head}{body}")).await
    }

    /// Begins a response that is an event stream.
    pub async fn begin_stream(&mut self) -> io::Result<()> {
        self.write(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
             Transfer-Encoding: chunked\r\n\r\n",
        )
        .await
    }

    /// Writes one piece of an event stream.
    pub async fn chunk(&mut self, text: &str) -> io::Result<()> {
        self.write(format!("{:x}\r\n{text}\r\n", text.len())).await
    }

    /// Ends an event stream in order.
    pub async fn end_stream(&mut self) -> io::Result<()> {
        self.write("0\r\n\r\n").await
    }

    /// Resets the connection when it is dropped: the other side gets no more than what it has read.
    pub fn reset(self) {
        // Where it can't be set, the connection closes, which is a fault as well.
        let _ = self.stream.set_zero_linger();
    }
}

/// The head of a response with a body of that length.
pub fn response_head(status: u16, headers: &str, length: usize) -> String {
    format!("HTTP/1.1 {status} Status\r\n{headers}Content-Length: {length}\r\n\r\n")
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
