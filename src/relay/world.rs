//! A world around a machine for its property test: what can happen, a server and a client that do it, and who
//! was answered how often.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::bench::failure;
use super::failure::ServerName;
use super::filter::Filter;
use super::machine::{Command, ExchangeId, FromServer, Machine, Origin, Settings};
use super::remembered::{Memory, Place, is_list};
use crate::auth::{self, Invitation, Phase};
use crate::jsonrpc::{Id, Kind, Message};
use crate::remote::lifecycle::modern::declared_version;
use crate::remote::{FailureKind, Fate, ListenEnd, Outcome};
use crate::secret::Secret;

/// A memory that holds what it was told.
#[derive(Default)]
pub(super) struct Notebook {
    kept: Vec<(Place, String, String)>,
    /// The next answer that is to be kept meets a defect.
    pub(super) broken: bool,
}

impl Notebook {
    fn break_down(&mut self) {
        if std::mem::take(&mut self.broken) {
            // As a panic does, but without a word.
            std::panic::resume_unwind(Box::new("a defect"));
        }
    }
}

impl Memory for Notebook {
    fn recall(&mut self, place: Place, key: &str) -> Option<String> {
        if place != Place::Initialize {
            self.break_down();
        }
        let known = self.kept.iter().find(|(of, by, _)| (*of, &**by) == (place, key));
        known.map(|(.., result)| result.clone())
    }
    fn keep(&mut self, place: Place, key: &str, result: &str) {
        self.break_down();
        self.kept.retain(|(of, by, _)| (*of, &**by) != (place, key));
        self.kept.push((place, key.to_owned(), result.to_owned()));
    }
}

/// What can happen. The numbers pick among what is there when it does.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Initialize,
    Initialized,
    Request(usize),
    /// A request that says by itself who asks.
    ModernRequest(usize),
    Notification,
    Cancel(usize),
    AnswerQuestion(usize),
    ServerAnswers(usize),
    ServerAnswersOtherRequest(usize, usize),
    ServerAsks(usize, u8),
    ServerAsksOnStream(u8),
    ServerNotifies(usize),
    ServerCancels(u8),
    Ends(usize, End),
    SessionGiven(usize),
    ListeningEnds(bool),
    Time(u16),
    Capacity(u8),
    BreaksDown,
    SignIn(u8),
    EndOfInput,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Properly,
    SessionLost,
    Failed(FailureKind, Fate),
}

pub(super) const METHODS: [&str; 10] = [
    "tools/call",
    "tools/list",
    "prompts/list",
    "resources/read",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "server/discover",
    "acme/odd",
    "prompts/get",
];

/// What a modern client asks, and the parameters beside its `_meta`.
const MODERN: [(&str, &str); 9] = [
    ("tools/call", ""),
    ("tools/call", r#","inputResponses":{"mcp-bridge/sign-in":{"action":"accept"}}"#),
    ("tools/call", r#","inputResponses":{"mcp-bridge/sign-in":{"action":"decline"}}"#),
    ("tools/call", r#","requestState":"s""#),
    ("tools/list", ""),
    ("resources/list", r#","cursor":"c""#),
    ("server/discover", ""),
    ("subscriptions/listen", r#","notifications":{"toolsListChanged":true}"#),
    ("acme/odd", ""),
];
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}"#;

/// Whether a request says by itself who asks.
fn is_modern(message: &Message) -> bool {
    message.method() == Some("server/discover") || declared_version(message).is_some()
}

pub(super) fn end() -> impl Strategy<Value = End> {
    let kinds = prop_oneof![
        Just(FailureKind::Unreachable),
        Just(FailureKind::Lost),
        Just(FailureKind::Refused),
        Just(FailureKind::NotFound),
        Just(FailureKind::Busy),
        Just(FailureKind::Status),
        Just(FailureKind::SignInNeeded),
        Just(FailureKind::BadAnswer),
    ];
    let fates = prop_oneof![Just(Fate::NotExecuted), Just(Fate::Unknown), Just(Fate::Settled)];
    prop_oneof![
        3 => Just(End::Properly),
        2 => Just(End::SessionLost),
        2 => (kinds, fates).prop_map(|(kind, fate)| End::Failed(kind, fate)),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let some = || any::<usize>();
    prop_oneof![
        2 => Just(Step::Initialize),
        3 => Just(Step::Initialized),
        12 => some().prop_map(Step::Request),
        12 => some().prop_map(Step::ModernRequest),
        2 => Just(Step::Notification),
        3 => some().prop_map(Step::Cancel),
        3 => some().prop_map(Step::AnswerQuestion),
        12 => some().prop_map(Step::ServerAnswers),
        1 => (some(), some()).prop_map(|(a, b)| Step::ServerAnswersOtherRequest(a, b)),
        2 => (some(), 0..4u8).prop_map(|(a, id)| Step::ServerAsks(a, id)),
        2 => (0..4u8).prop_map(Step::ServerAsksOnStream),
        1 => some().prop_map(Step::ServerNotifies),
        1 => (0..4u8).prop_map(Step::ServerCancels),
        8 => (some(), end()).prop_map(|(a, end)| Step::Ends(a, end)),
        3 => some().prop_map(Step::SessionGiven),
        1 => any::<bool>().prop_map(Step::ListeningEnds),
        4 => (0..40_000u16).prop_map(Step::Time),
        1 => (1..4u8).prop_map(Step::Capacity),
        1 => Just(Step::BreaksDown),
        3 => (0..4u8).prop_map(Step::SignIn),
        1 => Just(Step::EndOfInput),
    ]
}

pub(super) struct World {
    /// Calls wait for a list of ours, which says that the tool may be repeated.
    pub(super) read_only: bool,
    pub(super) machine: Machine<Notebook>,
    pub(super) now: Instant,
    /// Exchanges that the loop would be carrying: the message, and whether its answer came.
    pub(super) running: BTreeMap<ExchangeId, (Message, bool)>,
    pub(super) asked: Vec<Id>,
    pub(super) cancelled: Vec<Id>,
    pub(super) answers: HashMap<Id, usize>,
    /// Ids of the client's `initialize`s, and whether the last one was answered with a result.
    pub(super) hellos: Vec<Id>,
    pub(super) open: bool,
    pub(super) questions: Vec<Id>,
    /// Ids of questions on the GET stream, by the session that asked.
    pub(super) shown: HashMap<Id, u64>,
    pub(super) asking: Option<u64>,
    /// Tool calls whose sending did not end in "not executed".
    pub(super) executed: HashMap<ExchangeId, bool>,
    pub(super) generation: u64,
    pub(super) finished: bool,
}

impl World {
    pub(super) fn new(read_only: bool) -> Self {
        let filter = Filter { read_only, ..Filter::default() };
        let settings = Settings { filter, ..Settings::default() };
        let name =
            ServerName { host: "h".into(), url: "https://h/".into(), login: "bridge login".into() };
        let mut machine = Machine::new(settings, name, Notebook::default());
        // So few that some are refused.
        machine.in_flight.max_waiting = 6;
        Self {
            read_only,
            machine,
            now: Instant::now(),
            running: BTreeMap::new(),
            asked: Vec::new(),
            cancelled: Vec::new(),
            answers: HashMap::new(),
            hellos: Vec::new(),
            open: false,
            questions: Vec::new(),
            shown: HashMap::new(),
            asking: None,
            executed: HashMap::new(),
            generation: 0,
            finished: false,
        }
    }

    pub(super) fn pick(&self, n: usize) -> Option<(ExchangeId, Message, bool)> {
        let (id, (message, answered)) = self.running.iter().nth(n % self.running.len().max(1))?;
        Some((*id, message.clone(), *answered))
    }

    pub(super) fn client(&mut self, text: &str) {
        let message = Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap();
        self.machine.take_from_client(message, self.now);
    }

    pub(super) fn request(&mut self, method: &str, params: &str) {
        let id = self.asked.len();
        self.asked.push(Id::from_json(&id.to_string()).unwrap());
        self.client(&format!("{{\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}"));
    }

    pub(super) fn server(&mut self, origin: Origin, message: Message) {
        self.machine.take_from_server(FromServer { origin, message, room: None }, self.now);
    }

    pub(super) fn step(&mut self, step: &Step) {
        match step {
            Step::Initialize => {
                self.open = false;
                self.hellos.push(Id::from_json(&self.asked.len().to_string()).unwrap());
                self.request("initialize", r#"{"protocolVersion":"2025-11-25","capabilities":{}}"#)
            }
            Step::Initialized => self.client(r#"{"method":"notifications/initialized"}"#),
            Step::Request(n) => self.request(METHODS[n % METHODS.len()], r#"{"name":"a"}"#),
            Step::ModernRequest(n) => {
                let (method, more) = MODERN[n % MODERN.len()];
                self.request(method, &format!("{{\"name\":\"a\",{META}{more}}}"));
            }
            Step::Notification => self.client(r#"{"method":"notifications/roots/list_changed"}"#),
            Step::Cancel(n) => self.cancel(*n),
            Step::AnswerQuestion(n) => {
                if !self.questions.is_empty() {
                    let id = self.questions.remove(n % self.questions.len());
                    self.client(&format!("{{\"id\":{id},\"result\":{{}}}}"));
                }
            }
            Step::SessionGiven(n) => {
                if let Some((exchange, ..)) = self.pick(*n) {
                    self.machine.session_given(exchange, Secret::new("s".into()));
                }
            }
            Step::Time(millis) => {
                self.now += Duration::from_millis(u64::from(*millis));
                self.machine.take_time(self.now);
            }
            Step::Capacity(n) => self.machine.set_capacity(Some(usize::from(*n))),
            Step::BreaksDown => self.machine.memory.broken = true,
            Step::SignIn(n) => self.machine.take_phase(phase(*n), self.now),
            Step::EndOfInput => self.machine.end(self.now),
            other => self.server_step(other),
        }
        self.obey();
    }

    pub(super) fn server_step(&mut self, step: &Step) {
        match step {
            Step::ServerAnswers(n) => {
                if let Some((exchange, message, _)) = self.pick(*n) {
                    self.answer(exchange, &message);
                }
            }
            Step::ServerAnswersOtherRequest(n, m) => {
                if let (Some((exchange, ..)), Some((_, other, _))) = (self.pick(*n), self.pick(*m))
                {
                    self.answer(exchange, &other);
                }
            }
            Step::ServerAsks(n, id) => {
                if let Some((exchange, ..)) = self.pick(*n) {
                    self.ask(Origin::Exchange(exchange), *id);
                }
            }
            Step::ServerAsksOnStream(id) if self.generation > 0 => {
                self.ask(Origin::Stream(self.generation), *id);
            }
            Step::ServerNotifies(n) => {
                if let Some((exchange, message, _)) = self.pick(*n) {
                    let listens = message.method() == Some("subscriptions/listen");
                    let acknowledged = "notifications/subscriptions/acknowledged";
                    let method = if listens { acknowledged } else { "notifications/message" };
                    let text = Message::notification(method, None);
                    self.server(Origin::Exchange(exchange), text);
                }
            }
            Step::ServerCancels(id) => {
                let params = format!("{{\"requestId\":{id}}}");
                let text = Message::notification("notifications/cancelled", Some(&params));
                self.server(Origin::Stream(self.generation), text);
            }
            Step::Ends(n, end) => self.end(*n, *end),
            Step::ListeningEnds(lost) => {
                let end = if *lost {
                    ListenEnd::SessionLost
                } else {
                    ListenEnd::Refused(failure(FailureKind::Status, Fate::Settled))
                };
                self.machine.listening_ended(self.generation, end, self.now);
            }
            _ => {}
        }
    }

    pub(super) fn cancel(&mut self, n: usize) {
        if self.asked.is_empty() {
            return;
        }
        let id = self.asked[n % self.asked.len()].clone();
        self.client(&format!(
            "{{\"method\":\"notifications/cancelled\",\"params\":{{\"requestId\":{id}}}}}"
        ));
        self.cancelled.push(id);
    }

    pub(super) fn answer(&mut self, exchange: ExchangeId, to: &Message) {
        let Kind::Request { id, method } = to.kind() else { return };
        let result = match &**method {
            "initialize" => {
                r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{}}"#
            }
            "tools/list" if self.read_only => {
                r#"{"tools":[{"name":"a","annotations":{"readOnlyHint":true}}]}"#
            }
            "tools/list" => r#"{"tools":[]}"#,
            _ => "{}",
        };
        if let Some((own, answered)) = self.running.get_mut(&exchange) {
            *answered |= own.id() == Some(id);
        }
        if &**method == "tools/call" {
            self.executed.insert(exchange, true);
        }
        let message = Message::result(id, result);
        self.server(Origin::Exchange(exchange), message);
    }

    pub(super) fn ask(&mut self, origin: Origin, id: u8) {
        self.obey();
        self.asking = match origin {
            Origin::Stream(generation) => Some(generation),
            Origin::Exchange(_) => None,
        };
        let text = format!("{{\"id\":{id},\"method\":\"elicitation/create\"}}");
        self.server(origin, Message::parse(Bytes::from(text)).unwrap());
        self.obey();
    }

    pub(super) fn end(&mut self, n: usize, end: End) {
        let Some((exchange, message, answered)) = self.pick(n) else { return };
        let is_request = matches!(message.kind(), Kind::Request { .. });
        let outcome = match end {
            // An exchange that was answered ends so, as `remote` does it.
            _ if answered => Outcome::Answered,
            End::Properly if is_request => {
                self.answer(exchange, &message);
                Outcome::Answered
            }
            End::Properly => Outcome::Accepted,
            End::SessionLost => {
                self.executed.insert(exchange, false);
                Outcome::SessionLost(failure(FailureKind::SessionLost, Fate::Settled))
            }
            End::Failed(kind, fate) => {
                self.executed.insert(exchange, fate != Fate::NotExecuted);
                Outcome::Failed(failure(kind, fate))
            }
        };
        self.obey();
        if self.running.remove(&exchange).is_some() {
            self.machine.take_end(exchange, outcome, self.now);
        }
    }

    pub(super) fn obey(&mut self) {
        for command in self.machine.take_commands() {
            assert!(!self.finished, "nothing follows the end: {command:?}");
            match command {
                Command::Write(message, _) => self.written(&message),
                Command::Send(exchange, outgoing) => {
                    let again = self.executed.get(&exchange).copied().unwrap_or(false);
                    let method = outgoing.message.method().unwrap_or_default();
                    let waits = is_list(method) || method == "subscriptions/listen";
                    assert!(
                        !again || self.read_only || (waits && is_modern(&outgoing.message)),
                        "sent again although it may have been executed"
                    );
                    assert!(!self.running.contains_key(&exchange), "sent while it is under way");
                    if outgoing.message.method() == Some("tools/call") && !self.read_only {
                        assert!(!outgoing.repeatable, "no tool said that it may be repeated");
                    }
                    let own = matches!(outgoing.message.kind(), Kind::Request { .. });
                    let hello = outgoing.message.method() == Some("initialize");
                    let modern = is_modern(&outgoing.message);
                    let sessionless = own && !hello && !modern && outgoing.session.is_none();
                    assert!(!(self.open && sessionless), "sent without a session: {outgoing:?}");
                    self.running.insert(exchange, (outgoing.message, false));
                }
                Command::Stop(exchange) | Command::Cancel(exchange, _) => {
                    self.running.remove(&exchange);
                }
                Command::Listen(session) => self.generation = session.generation,
                Command::StopListening | Command::EndSession(_) | Command::SignIn => {}
                Command::Finish => self.finished = true,
            }
        }
    }

    pub(super) fn written(&mut self, message: &Message) {
        match message.kind() {
            Kind::Response { id: Some(id), failed } => {
                *self.answers.entry(id.clone()).or_default() += 1;
                self.open |= !failed && self.hellos.contains(id);
            }
            Kind::Response { id: None, .. } => panic!("an answer to nobody: {message:?}"),
            Kind::Request { id, .. } => {
                if let Some(generation) = self.asking {
                    let before = self.shown.insert(id.clone(), generation);
                    assert!(before.is_none_or(|b| b == generation), "{id} is of two sessions");
                }
                self.questions.push(id.clone());
            }
            Kind::Notification { method } => {
                let changed = method.ends_with("/list_changed") && self.hellos.is_empty();
                let text = String::from_utf8_lossy(message.bytes());
                assert!(!changed || text.contains("subscriptionId"), "{text}");
            }
        }
    }

    /// Lets the client go, and checks that nobody was forgotten and nobody answered twice.
    pub(super) fn conclude(mut self) {
        self.machine.end(self.now);
        self.obey();
        self.now += Duration::from_secs(2);
        // Again after a defect, as the loop does.
        while self.machine.next_deadline().is_some_and(|due| due <= self.now && !self.finished) {
            self.machine.take_time(self.now);
            self.obey();
        }
        assert!(self.finished, "it came to its end");
        for id in &self.asked {
            let answers = self.answers.get(id).copied().unwrap_or_default();
            let cancelled = self.cancelled.contains(id);
            assert!(answers == 1 || (cancelled && answers == 0), "{id} has {answers} answers");
        }
        assert!(self.answers.keys().all(|id| self.asked.contains(id)), "answers to requests only");
    }
}

pub(super) fn phase(n: u8) -> Phase {
    let text = || "x".to_owned();
    match n {
        0 => Phase::Needed,
        1 => Phase::Pending(Invitation { page: text(), provider: text(), why: None }),
        2 => Phase::Failed(auth::Failure::new(auth::FailureKind::Denied, text())),
        _ => Phase::Settled { tokens: 1, grant: 1 },
    }
}

impl World {
    /// A world in which both sides have opened, and three tool calls are on their way.
    pub(super) fn with_three_calls() -> Self {
        let mut world = Self::new(false);
        world.step(&Step::Initialize);
        world.step(&Step::Ends(0, End::Properly));
        world.step(&Step::Initialized);
        world.step(&Step::Ends(0, End::Properly));
        (0..3).for_each(|_| world.step(&Step::Request(0)));
        world
    }

    /// The server forgot the session in which the message with this id was sent.
    pub(super) fn loses_session_of(&mut self, id: &str) {
        let id = Id::from_json(id).unwrap();
        let of_id = |(message, _): &(Message, bool)| message.id() == Some(&id);
        let exchange = self.running.values().position(of_id).unwrap();
        self.step(&Step::Ends(exchange, End::SessionLost));
    }

    /// Lets the handshake that is on its way succeed.
    pub(super) fn opens_again(&mut self) {
        self.ends("initialize", End::Properly);
        self.ends("notifications/initialized", End::Properly);
    }

    /// Ends the message of that method that is on its way.
    pub(super) fn ends(&mut self, method: &str, end: End) {
        let exchange = self.running.values().position(|(m, _)| m.method() == Some(method));
        self.step(&Step::Ends(exchange.unwrap(), end));
    }
}
