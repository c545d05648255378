//! The machine under random interleavings: whatever happens in whatever order, each request of the
//! client is answered once, and no tool is called twice that the server may have run.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::failure::ServerName;
use super::machine::{Command, ExchangeId, FromServer, Machine, Origin, Settings};
use super::remembered::Memory;
use crate::jsonrpc::{Id, Kind, Message};
use crate::remote::{Failure, FailureKind, Fate, ListenEnd, Outcome};
use crate::secret::Secret;

/// A memory that holds what it was told.
#[derive(Default)]
pub(super) struct Notebook {
    initialize: HashMap<String, String>,
    lists: HashMap<String, String>,
}

impl Memory for Notebook {
    fn initialize(&mut self, capabilities: &str) -> Option<String> {
        self.initialize.get(capabilities).cloned()
    }
    fn list(&mut self, method: &str) -> Option<String> {
        self.lists.get(method).cloned()
    }
    fn keep_initialize(&mut self, capabilities: &str, result: &str) {
        self.initialize.insert(capabilities.to_owned(), result.to_owned());
    }
    fn keep_list(&mut self, method: &str, result: &str) {
        self.lists.insert(method.to_owned(), result.to_owned());
    }
}

/// What can happen. The numbers pick among what is there when it does.
#[derive(Debug, Clone)]
enum Step {
    Initialize,
    Initialized,
    Request(usize),
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
    EndOfInput,
}

#[derive(Debug, Clone, Copy)]
enum End {
    Properly,
    SessionLost,
    Failed(FailureKind, Fate),
}

const METHODS: [&str; 9] = [
    "tools/call",
    "tools/list",
    "prompts/list",
    "resources/read",
    "ping",
    "logging/setLevel",
    "resources/subscribe",
    "server/discover",
    "acme/odd",
];

fn end() -> impl Strategy<Value = End> {
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

fn step() -> impl Strategy<Value = Step> {
    let some = || any::<usize>();
    prop_oneof![
        2 => Just(Step::Initialize),
        3 => Just(Step::Initialized),
        12 => some().prop_map(Step::Request),
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
        1 => Just(Step::EndOfInput),
    ]
}

struct World {
    machine: Machine<Notebook>,
    now: Instant,
    /// Exchanges that the loop would be carrying: the message, and whether its answer came.
    running: BTreeMap<ExchangeId, (Message, bool)>,
    asked: Vec<Id>,
    cancelled: Vec<Id>,
    answers: HashMap<Id, usize>,
    questions: Vec<Id>,
    /// Ids of questions on the GET stream, by the session that asked.
    shown: HashMap<Id, u64>,
    asking: Option<u64>,
    /// Tool calls whose sending did not end in "not executed".
    executed: HashMap<ExchangeId, bool>,
    generation: u64,
    finished: bool,
}

impl World {
    fn new() -> Self {
        let name = ServerName { host: "h".into(), url: "https://h/".into() };
        Self {
            machine: Machine::new(Settings::default(), name, Notebook::default()),
            now: Instant::now(),
            running: BTreeMap::new(),
            asked: Vec::new(),
            cancelled: Vec::new(),
            answers: HashMap::new(),
            questions: Vec::new(),
            shown: HashMap::new(),
            asking: None,
            executed: HashMap::new(),
            generation: 0,
            finished: false,
        }
    }

    fn pick(&self, n: usize) -> Option<(ExchangeId, Message, bool)> {
        let (id, (message, answered)) = self.running.iter().nth(n % self.running.len().max(1))?;
        Some((*id, message.clone(), *answered))
    }

    fn client(&mut self, text: &str) {
        let message = Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap();
        self.machine.client_sent(message, self.now);
    }

    fn request(&mut self, method: &str, params: &str) {
        let id = self.asked.len();
        self.asked.push(Id::from_json(&id.to_string()).unwrap());
        self.client(&format!("{{\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}"));
    }

    fn server(&mut self, origin: Origin, message: Message) {
        self.machine.server_sent(FromServer { origin, message, room: None }, self.now);
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Initialize => {
                self.request("initialize", r#"{"protocolVersion":"2025-11-25","capabilities":{}}"#)
            }
            Step::Initialized => self.client(r#"{"method":"notifications/initialized"}"#),
            Step::Request(n) => self.request(METHODS[n % METHODS.len()], "{}"),
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
                self.machine.tick(self.now);
            }
            Step::Capacity(n) => self.machine.set_capacity(Some(usize::from(*n))),
            Step::EndOfInput => self.machine.end(self.now),
            other => self.server_step(other),
        }
        self.obey();
    }

    fn server_step(&mut self, step: &Step) {
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
                if let Some((exchange, ..)) = self.pick(*n) {
                    let text = Message::notification("notifications/message", None);
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

    fn cancel(&mut self, n: usize) {
        if self.asked.is_empty() {
            return;
        }
        let id = self.asked[n % self.asked.len()].clone();
        self.client(&format!(
            "{{\"method\":\"notifications/cancelled\",\"params\":{{\"requestId\":{id}}}}}"
        ));
        self.cancelled.push(id);
    }

    fn answer(&mut self, exchange: ExchangeId, to: &Message) {
        let Kind::Request { id, method } = to.kind() else { return };
        let result = match &**method {
            "initialize" => {
                r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{}}"#
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

    fn ask(&mut self, origin: Origin, id: u8) {
        self.obey();
        self.asking = match origin {
            Origin::Stream(generation) => Some(generation),
            Origin::Exchange(_) => None,
        };
        let text = format!("{{\"id\":{id},\"method\":\"elicitation/create\"}}");
        self.server(origin, Message::parse(Bytes::from(text)).unwrap());
        self.obey();
    }

    fn end(&mut self, n: usize, end: End) {
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
            self.machine.ended(exchange, outcome, self.now);
        }
    }

    fn obey(&mut self) {
        for command in self.machine.take_commands() {
            assert!(!self.finished, "nothing follows the end: {command:?}");
            match command {
                Command::Write(message, _) => self.written(&message),
                Command::Send(exchange, outgoing) => {
                    let again = self.executed.get(&exchange).copied().unwrap_or(false);
                    assert!(!again, "sent again although it may have been executed");
                    assert!(!self.running.contains_key(&exchange), "sent while it is under way");
                    if outgoing.message.method() == Some("tools/call") {
                        assert!(!outgoing.repeatable, "no tool said that it may be repeated");
                    }
                    self.running.insert(exchange, (outgoing.message, false));
                }
                Command::Stop(exchange) | Command::Cancel(exchange, _) => {
                    self.running.remove(&exchange);
                }
                Command::Listen(session) => self.generation = session.generation,
                Command::StopListening | Command::EndSession(_) => {}
                Command::Finish => self.finished = true,
            }
        }
    }

    fn written(&mut self, message: &Message) {
        match message.kind() {
            Kind::Response { id: Some(id), .. } => {
                *self.answers.entry(id.clone()).or_default() += 1
            }
            Kind::Response { id: None, .. } => panic!("an answer to nobody: {message:?}"),
            Kind::Request { id, .. } => {
                if let Some(generation) = self.asking {
                    let before = self.shown.insert(id.clone(), generation);
                    assert!(before.is_none_or(|b| b == generation), "{id} is of two sessions");
                }
                self.questions.push(id.clone());
            }
            Kind::Notification { .. } => {}
        }
    }

    /// Lets the client go, and checks that nobody was forgotten and nobody answered twice.
    fn conclude(mut self) {
        self.machine.end(self.now);
        self.obey();
        self.now += Duration::from_secs(2);
        self.machine.tick(self.now);
        self.obey();
        assert!(self.finished, "it came to its end");
        for id in &self.asked {
            let answers = self.answers.get(id).copied().unwrap_or_default();
            let cancelled = self.cancelled.contains(id);
            assert!(answers == 1 || (cancelled && answers == 0), "{id} has {answers} answers");
        }
        assert!(self.answers.keys().all(|id| self.asked.contains(id)), "answers to requests only");
    }
}

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
        fault: None,
        retry_after: None,
        answer: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_is_answered_once_whatever_happens(steps in prop::collection::vec(step(), 1..150)) {
        let mut world = World::new();
        let mut ended = false;
        for step in &steps {
            // What a client writes after its end of input can't be read.
            let from_client = matches!(
                step,
                Step::Initialize | Step::Initialized | Step::Request(_) | Step::Notification
                    | Step::Cancel(_) | Step::AnswerQuestion(_)
            );
            ended |= matches!(step, Step::EndOfInput);
            if world.finished || (ended && from_client) {
                continue;
            }
            world.step(step);
        }
        if world.finished {
            world.now += Duration::from_secs(2);
        }
        world.conclude();
    }
}
