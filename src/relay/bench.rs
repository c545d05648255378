//! A machine on a bench, for tests of the handshakes: what it wrote, what it sends, and time as it is passed.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::failure::ServerName;
use super::machine::{Command, ExchangeId, FromServer, Machine, Origin, Outgoing, Settings};
use super::world::Notebook;
use crate::jsonrpc::{Kind, Message};
use crate::remote::{Failure, FailureKind, Fate, Outcome};
use crate::secret::Secret;

pub(super) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"roots":{}},"clientInfo":{"name":"c","version":"1"},"odd":1.0}}"#;
pub(super) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
pub(super) const CAPABILITIES: &str = r#"{"roots":{}}"#;
pub(super) const KINDS: [&str; 3] = [
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
];

pub(super) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A machine, what it wrote to the client and what it sends to the server.
pub(super) struct Bench {
    pub(super) machine: Machine<Notebook>,
    pub(super) now: Instant,
    pub(super) start: Instant,
    pub(super) written: Vec<String>,
    /// Under way, in the order of sending.
    pub(super) sent: Vec<(ExchangeId, Outgoing)>,
    /// When each `initialize` was sent.
    pub(super) attempts: Vec<Duration>,
    pub(super) listening: usize,
    /// Ids of the sessions that were ended.
    pub(super) sessions_ended: Vec<String>,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(Notebook::default())
    }

    pub(super) fn with(memory: Notebook) -> Self {
        let name =
            ServerName { host: "h".into(), url: "https://h/".into(), login: "bridge login".into() };
        let now = Instant::now();
        Self {
            machine: Machine::new(Settings::default(), name, memory),
            now,
            start: now,
            written: Vec::new(),
            sent: Vec::new(),
            attempts: Vec::new(),
            listening: 0,
            sessions_ended: Vec::new(),
        }
    }

    /// A client's `initialize` was read.
    pub(super) fn opening() -> Self {
        let mut bench = Self::new();
        bench.client(INITIALIZE);
        bench
    }

    /// A client that got an answer of ours, while the server is still asked.
    pub(super) fn answered_by_us() -> Self {
        let mut bench = Self::opening();
        bench.pass(seconds(5.0));
        bench.take_written();
        bench
    }

    /// Never connected, and the last attempt was refused by a closed port.
    pub(super) fn down() -> Self {
        let mut bench = Self::answered_by_us();
        bench.client(INITIALIZED);
        bench.refuse(&unreachable());
        bench
    }

    pub(super) fn obey(&mut self) {
        for command in self.machine.take_commands() {
            match command {
                Command::Write(message, _) => {
                    self.written.push(String::from_utf8(message.bytes().to_vec()).unwrap());
                }
                Command::Send(exchange, outgoing) => {
                    if outgoing.message.method() == Some("initialize") {
                        self.attempts.push(self.now - self.start);
                        assert_eq!(outgoing.message.bytes(), INITIALIZE, "the client's own");
                    }
                    self.sent.push((exchange, outgoing));
                }
                Command::Stop(exchange) | Command::Cancel(exchange, _) => {
                    self.sent.retain(|(each, _)| *each != exchange);
                }
                Command::Listen(_) => self.listening += 1,
                Command::EndSession(session) => {
                    let id = session.id.as_ref().map(|id| id.expose().to_string());
                    self.sessions_ended.push(id.unwrap_or_default());
                }
                Command::StopListening | Command::SignIn | Command::Finish => {}
            }
        }
    }

    pub(super) fn client(&mut self, line: &str) {
        let message = Message::parse(Bytes::copy_from_slice(line.as_bytes())).unwrap();
        self.machine.client_sent(message, self.now);
        self.obey();
    }

    pub(super) fn request(&mut self, id: u32, method: &str) {
        self.client(
            &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {}}).to_string(),
        );
    }

    /// Lets time pass, from one deadline to the next.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.machine.next_deadline().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.machine.tick(self.now);
            self.obey();
        }
        self.now = end;
    }

    /// What is under way with this method; the exchange and the message.
    pub(super) fn under_way(&self, method: &str) -> Option<(ExchangeId, Message)> {
        let of_method = |(_, sent): &&(ExchangeId, Outgoing)| sent.message.method() == Some(method);
        self.sent.iter().find(of_method).map(|(id, sent)| (*id, sent.message.clone()))
    }

    pub(super) fn methods_under_way(&self) -> Vec<&str> {
        self.sent.iter().filter_map(|(_, sent)| sent.message.method()).collect()
    }

    pub(super) fn end(&mut self, exchange: ExchangeId, outcome: Outcome) {
        self.sent.retain(|(each, _)| *each != exchange);
        self.machine.ended(exchange, outcome, self.now);
        self.obey();
    }

    /// The server answers what is under way with this method.
    pub(super) fn answer(&mut self, method: &str, result: &str) {
        let (exchange, message) = self.under_way(method).expect(method);
        match message.kind() {
            Kind::Request { id, .. } => {
                let message = Message::result(id, result);
                let origin = Origin::Exchange(exchange);
                self.machine.server_sent(FromServer { origin, message, room: None }, self.now);
                self.obey();
                self.end(exchange, Outcome::Answered);
            }
            _ => self.end(exchange, Outcome::Accepted),
        }
    }

    /// The attempt at a handshake fails.
    pub(super) fn refuse(&mut self, failure: &Failure) {
        let (exchange, _) = self.under_way("initialize").expect("a handshake");
        self.end(exchange, Outcome::Failed(failure.clone()));
    }

    /// The server answers the handshake, offering these capabilities, and takes `initialized`.
    pub(super) fn connect(&mut self, version: &str, capabilities: Value) {
        let (exchange, _) = self.under_way("initialize").expect("a handshake");
        self.machine.session_given(exchange, Secret::new("s".into()));
        self.answer("initialize", &hello(version, capabilities));
    }

    pub(super) fn connect_wholly(&mut self, capabilities: Value) {
        self.connect("2025-06-18", capabilities);
        self.answer("notifications/initialized", "");
    }

    pub(super) fn take_written(&mut self) -> Vec<Value> {
        let written = std::mem::take(&mut self.written);
        written.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// The one message that was written.
    pub(super) fn take_one(&mut self) -> Value {
        let mut written = self.take_written();
        assert_eq!(written.len(), 1, "{written:?}");
        written.remove(0)
    }

    pub(super) fn take_methods(&mut self) -> Vec<String> {
        let written = self.take_written();
        written.iter().map(|m| m["method"].as_str().unwrap_or("a response").to_owned()).collect()
    }
}

pub(super) fn hello(version: &str, capabilities: Value) -> String {
    let info = json!({"name": "real", "version": "1"});
    json!({"protocolVersion": version, "capabilities": capabilities, "serverInfo": info})
        .to_string()
}

pub(super) fn everything() -> Value {
    json!({"tools": {}, "prompts": {}, "resources": {}, "logging": {}})
}

pub(super) fn unreachable() -> Failure {
    failure(FailureKind::Unreachable, Fate::NotExecuted)
}

/// All the reasons that may pass.
pub(super) fn passing() -> [Failure; 6] {
    [
        unreachable(),
        failure(FailureKind::Lost, Fate::Unknown),
        failure(FailureKind::Status, Fate::Settled),
        failure(FailureKind::Busy, Fate::NotExecuted),
        failure(FailureKind::Refused, Fate::Settled),
        failure(FailureKind::NotFound, Fate::Settled),
    ]
}

/// A failure of a kind, with the status that it has most often.
pub(super) fn failure(kind: FailureKind, fate: Fate) -> Failure {
    let status = match kind {
        FailureKind::Refused => Some(403),
        FailureKind::Status => Some(503),
        _ => None,
    };
    Failure {
        kind,
        fate,
        status,
        what: "x".into(),
        cause: None,
        hint: None,
        fault: None,
        of_metadata: false,
        retry_after: None,
        answer: None,
    }
}
