//! What the server knows: shared by its thread and the test's handle.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use hyper::body::Bytes;
use serde_json::Value;

use super::conduct::Conduct;
use super::connection::Connection;
use super::lost::Lost;
use super::matcher::Matcher;
use super::request::{Message, Request};
use super::script::Script;
use super::stream_log::StreamLog;
use crate::support::watched::Watched;
use crate::support::{Gate, Timeline};

pub struct World {
    pub settings: Settings,
    pub timeline: Timeline,
    pub state: Watched<State>,
}

/// What the builder fixed.
#[derive(Clone)]
pub struct Settings {
    pub conduct: Arc<dyn Conduct>,
    pub paths: Vec<String>,
    /// The version that `initialize` answers; without one, the client's own.
    pub version: Option<String>,
    pub sessions: bool,
    pub event_ids: bool,
    pub tools: Value,
    pub strict_script: bool,
    pub keeps_requests: bool,
    /// Whether messages are held against the schema of their revision.
    pub validates: bool,
}

#[derive(Default)]
pub struct State {
    pub script: Script,
    pub allowed: Vec<Matcher>,
    /// How many came so far, kept or not.
    pub received: usize,
    pub requests: Vec<Request>,
    pub violations: Vec<String>,
    pub sessions: Vec<Session>,
    pub executions: HashMap<String, usize>,
    pub connections: Vec<Arc<Connection>>,
    pub open_connections: usize,
    pub resumed: usize,
    pub resets_at_accept: usize,
    /// By the id of the server's request, spelled as it came: the whole response.
    pub answers: HashMap<String, Bytes>,
    /// The server's requests, by id.
    pub asked: BTreeMap<String, Value>,
    pub streams: Vec<Arc<StreamLog>>,
    pub gates: HashMap<String, Gate>,
    /// The orders of the requests that the client left before their answer was complete.
    pub abandoned: Vec<usize>,
    /// By order: the ids of the requests that have no response yet.
    pub unanswered: HashMap<usize, String>,
}

/// One handshake; a server without session ids has them too, under no id.
#[derive(Clone, Default)]
pub struct Session {
    pub id: Option<String>,
    pub version: String,
    pub initialized: bool,
    pub lost: Option<Lost>,
    pub deleted: bool,
    pub subscriptions: BTreeSet<String>,
    pub log_level: Option<String>,
    /// The GET stream that was opened last.
    pub unasked: Option<Arc<StreamLog>>,
}

impl World {
    /// A request of the server is on its way: its answer is expected.
    pub fn note_asked(&self, event: &str) {
        let data: Vec<&str> =
            event.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let data = data.join("\n");
        if let Message::Request { id, .. } = Message::read(data.as_bytes()) {
            let request = serde_json::from_str(&data).unwrap_or_default();
            self.state.update(|state| state.asked.insert(id, request));
        }
    }

    pub fn set_connected(&self, log: &StreamLog, connected: bool) {
        self.state.update(|_| log.set_connected(connected));
    }
}

impl State {
    /// The session that a request belongs to: by its id, or the latest one without an id.
    pub fn session_of(&mut self, request: &Request) -> Option<&mut Session> {
        let id = request.session().map(str::to_owned);
        self.sessions.iter_mut().rev().find(|session| session.id == id)
    }

    pub fn gate(&mut self, name: &str) -> Gate {
        self.gates.entry(name.to_owned()).or_insert_with(|| Gate::named(name)).clone()
    }

    pub fn answer(&self, id: &str) -> Value {
        let body = self.answers.get(id).map(|body| serde_json::from_slice(body));
        body.and_then(Result::ok).unwrap_or_default()
    }

    /// The stream of which this is an event, and where it goes on after it.
    pub fn after_event(&self, event_id: &str) -> Option<(Arc<StreamLog>, usize)> {
        let found = |log: &Arc<StreamLog>| Some((Arc::clone(log), log.after_event(event_id)?));
        self.streams.iter().find_map(found)
    }

    /// Notes what must not have happened.
    pub fn note(&mut self, request: &Request, violation: impl Into<String>) {
        if !self.allowed.iter().any(|matcher| matcher.matches(request)) {
            let violation: String = violation.into();
            self.violations.push(format!("{violation}: {}", request.summary()));
        }
    }
}
