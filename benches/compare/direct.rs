//! A client that needs no relay: what a call costs by itself.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::Result;
use crate::messages;

/// One connection, one session.
pub struct Direct {
    stream: TcpStream,
    host: String,
    path: String,
    session: String,
    buffer: Vec<u8>,
}

impl Direct {
    /// Connects to a plain `http://HOST:PORT/mcp` and initializes.
    pub fn connect(url: &str) -> Result<Self> {
        let mut direct = Self::without_session(url)?;
        let head = direct.post(messages::INITIALIZE)?;
        direct.session = header(&head, "mcp-session-id").ok_or("no session")?.to_owned();
        Ok(direct)
    }

    /// Connects to a server without sessions.
    pub fn without_session(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("http://").ok_or("not plain HTTP")?;
        let (host, path) = rest.split_once('/').ok_or("the URL has no path")?;
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            host: host.to_owned(),
            path: path.to_owned(),
            session: String::new(),
            buffer: vec![0; 16 * 1024],
        })
    }

    /// Sends this message, and waits for its answer.
    pub fn call(&mut self, line: &str) -> Result<Duration> {
        let sent = Instant::now();
        self.post(line)?;
        Ok(sent.elapsed())
    }

    /// Posts a message and reads the whole answer; returns its head.
    fn post(&mut self, body: &str) -> Result<String> {
        let session = match self.session.as_str() {
            "" => String::new(),
            id => format!("mcp-session-id: {id}\r\n"),
        };
        let request = format!(
            "POST /{} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\n{session}content-length: {}\r\n\r\n\
             {body}",
            self.path,
            self.host,
            body.len(),
        );
        self.stream.write_all(request.as_bytes())?;
        self.read_answer()
    }

    fn read_answer(&mut self) -> Result<String> {
        let mut filled = 0;
        loop {
            filled += match self.stream.read(&mut self.buffer[filled..])? {
                0 => return Err("the server hung up".into()),
                length => length,
            };
            let text = std::str::from_utf8(&self.buffer[..filled])?;
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = header(head, "content-length").ok_or("no length")?;
            if body.len() >= length.parse()? {
                return Ok(head.to_owned());
            }
        }
    }
}

fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
