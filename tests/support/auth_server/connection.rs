//! One request and its answer on one connection: by hand, since even HTTP may have to be broken.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::DEADLINE;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The form that the body is.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// One value of the form.
    pub fn field(&self, name: &str) -> Option<String> {
        self.form().into_iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// One value of the query.
    pub fn param(&self, name: &str) -> Option<String> {
        self.query.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// What is answered.
#[derive(Clone)]
pub enum Answer {
    /// These bytes, HTTP or not.
    Raw(Vec<u8>),
    /// A head, then this byte without end.
    Endless(&'static str, u8),
    /// A head, then a byte now and then.
    Drip(&'static str),
    /// Nothing, on an open connection.
    Silence,
}

impl Answer {
    pub fn http(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        Self::Raw([head.as_bytes(), body].concat())
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::http(status, &[("content-type", "application/json")], body.to_string())
    }

    pub fn page(status: u16, body: &str) -> Self {
        Self::http(status, &[("content-type", "text/html")], body)
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self::http(status, &[("location", to)], "")
    }
}

pub fn serve(mut socket: &TcpStream, answer: impl FnOnce(&Asked) -> Answer, poured: &AtomicUsize) {
    let _ = socket.set_read_timeout(Some(DEADLINE));
    let _ = socket.set_write_timeout(Some(DEADLINE));
    let Some(asked) = read(socket) else { return };
    match answer(&asked) {
        Answer::Raw(bytes) => drop(socket.write_all(&bytes)),
        Answer::Endless(head, byte) => {
            let _ = socket.write_all(head.as_bytes());
            let piece = [byte; 16 * 1024];
            while socket.write_all(&piece).is_ok() {
                poured.fetch_add(piece.len(), Ordering::Relaxed);
            }
        }
        Answer::Drip(head) => {
            let _ = socket.write_all(head.as_bytes());
            // As slow as a pause can be without a sleep: the client's leaving is what ends it.
            let _ = socket.set_read_timeout(Some(std::time::Duration::from_millis(20)));
            while socket.write_all(b" ").is_ok() && !is_closed(socket) {}
        }
        Answer::Silence => drop(socket.read(&mut [0; 1])),
    }
}

fn is_closed(mut socket: &TcpStream) -> bool {
    matches!(socket.read(&mut [0; 1]), Ok(0))
}

fn read(mut socket: &TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        let count = socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.lines();
    let mut start = lines.next()?.split(' ');
    let (method, target) = (start.next()?.to_owned(), start.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    while bytes.len() < head + length {
        let count = socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let body = String::from_utf8_lossy(&bytes[head..]).into_owned();
    Some(Asked { method, path: path.to_owned(), query: pairs(query), headers, body })
}
