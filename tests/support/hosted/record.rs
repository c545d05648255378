//! What a server saw, one line a request, without what differs from run to run.

use serde_json::Value;

use crate::support::McpServer;
use crate::support::auth_server::{Asked, AuthServer};
use crate::support::mcp_server::Request;

/// Headers that say nothing about a story; the fixtures judge them strictly.
const QUIET: [&str; 9] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "host",
    "mcp-protocol-version",
    "mcp-session-id",
    "user-agent",
];

/// Values of parameters that are new each time.
const RANDOM: [&str; 8] = [
    "client_id",
    "code",
    "code_challenge",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "state",
    "token",
];

type All = Box<dyn Fn() -> Vec<String> + Send>;

/// The requests to one server: those that were not taken yet.
pub struct Record {
    all: All,
    taken: usize,
    hidden: Vec<(String, String)>,
    shown: fn(String) -> String,
}

impl Record {
    /// From all lines so far, again and again.
    pub fn of(all: impl Fn() -> Vec<String> + Send + 'static) -> Self {
        Self { all: Box::new(all), taken: 0, hidden: Vec::new(), shown: |line| line }
    }

    /// Of an MCP server.
    pub fn of_mcp(server: &McpServer) -> Self {
        let requests = server.recorder();
        Self::of(move || requests().iter().map(line).collect()).hide(&server.host(), "SERVER")
    }

    /// Of an authorization server; `NAME` stands before each line.
    pub fn of_auth(server: &AuthServer, name: &'static str) -> Self {
        let asked = server.recorder();
        Self::of(move || {
            asked().iter().map(|asked| format!("{name}: {}", asked_line(asked))).collect()
        })
        .hide(&server.origin(), "AUTH")
    }

    /// Shows `name` in place of a text that differs from run to run.
    #[must_use]
    pub fn hide(mut self, text: &str, name: &str) -> Self {
        self.hidden.push((text.to_owned(), name.to_owned()));
        self
    }

    /// Shows each line so, before anything is hidden in it.
    #[must_use]
    pub fn shown(mut self, change: fn(String) -> String) -> Self {
        self.shown = change;
        self
    }

    /// What came since the last time.
    pub fn take(&mut self) -> Vec<String> {
        let new: Vec<_> = (self.all)().into_iter().skip(self.taken).collect();
        self.taken += new.len();
        let plain = |line: String| {
            let hidden = self.hidden.iter();
            hidden.fold((self.shown)(line), |line, (text, name)| line.replace(text, name))
        };
        new.into_iter().map(plain).collect()
    }
}

/// A request to an MCP server.
fn line(request: &Request) -> String {
    let mut parts = vec![format!("{} {}", request.method, request.path)];
    if let Some(method) = request.rpc_method() {
        parts[0].push_str(&format!(" {method}"));
        parts.extend(said(request.params()));
    } else if request.is_response() {
        parts[0].push_str(" an answer");
    }
    parts.extend(request.session().map(|_| "in a session".to_owned()));
    parts.extend(request.header("mcp-protocol-version").map(str::to_owned));
    let others = request.headers.iter().filter(|(name, _)| !QUIET.contains(&name.as_str()));
    let mut others: Vec<_> = others
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    others.sort();
    parts.extend(others);
    parts.join(" · ")
}

/// Parameters, without the number that a client gives to its progress.
fn said(mut params: Value) -> Option<String> {
    let meta = params.get_mut("_meta").and_then(Value::as_object_mut);
    if let Some(meta) = meta {
        meta.remove("progressToken");
        if meta.is_empty() {
            params.as_object_mut().map(|params| params.remove("_meta"));
        }
    }
    let empty = params.is_null() || params.as_object().is_some_and(serde_json::Map::is_empty);
    (!empty).then(|| params.to_string())
}

/// A request to an authorization server.
fn asked_line(asked: &Asked) -> String {
    let mut line = format!("{} {}", asked.method, asked.path);
    let form = asked.header("content-type").is_some_and(|kind| kind.contains("form-urlencoded"));
    let pairs = if form { asked.form() } else { asked.query.clone() };
    let mut pairs: Vec<_> = pairs
        .into_iter()
        .map(|(name, value)| {
            let value = if RANDOM.contains(&name.as_str()) { "…".to_owned() } else { value };
            format!("{name}={value}")
        })
        .collect();
    pairs.sort();
    if !pairs.is_empty() {
        line.push_str(&format!(" · {}", pairs.join(" ")));
    }
    if asked.path == "/register" {
        line.push_str(&format!(" · {}", without_ports(&registration(asked).to_string())));
    }
    if let Some(proof) = asked.header("authorization") {
        let scheme = proof.split(' ').next().unwrap_or_default();
        line.push_str(&format!(" · authorization: {scheme} …"));
    }
    line
}

/// What a client says of itself; its name holds that of the machine.
fn registration(asked: &Asked) -> Value {
    let mut client = asked.json();
    let name = client["client_name"].as_str().and_then(|name| name.split_once(" on "));
    if let Some((program, _)) = name {
        client["client_name"] = format!("{program} on MACHINE").into();
    }
    client
}

/// The ports of redirect URIs differ from run to run.
fn without_ports(text: &str) -> String {
    let mut parts = text.split("http://127.0.0.1:");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str("http://127.0.0.1:PORT");
        plain.push_str(part.trim_start_matches(|char: char| char.is_ascii_digit()));
    }
    plain
}
