//! The handshakes of both sides: what the client was told, what the server said, and what happens
//! while there is no connection yet or none any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::deadlines::Due;
use super::due::REQUEST_TIME;
use super::machine::{Command, ExchangeId, FromServer, Machine, OWN_TIME, Outgoing, Purpose};
use super::provisional;
use super::remembered::{Memory, Place, is_list};
use crate::jsonrpc::edit::with_list_changed;
use crate::jsonrpc::read::{self, ClientHello, ServerCapabilities, ServerHello};
use crate::jsonrpc::{Kind, Message};
use crate::remote::{Backoff, Carrier, Failure, FailureKind, Outcome, Patience, Session};
use crate::secret::Secret;
use crate::stdio::Room;

/// First and longest wait between two handshakes that the bridge begins by itself.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Longest wait while a request of the client waits for the connection.
pub(super) const WAITED_FOR: Duration = Duration::from_secs(2);
/// How long the requests of a session wait for the server to take `initialized`.
const INITIALIZED_TIME: Duration = Duration::from_secs(5);
/// A session that stood for so long was a good one, so that the waits begin anew.
const STOOD: Duration = Duration::from_secs(60);
/// Somebody has to grant or turn on what is refused: asked about once a minute, and by each call.
pub(super) const REFUSED_WAIT: Duration = Duration::from_secs(60);

pub(super) fn backoff() -> Backoff {
    Backoff::new(FIRST_WAIT, LONGEST_WAIT)
}

/// The client's `initialize`, which begins every session with the server too.
#[derive(Debug, Clone)]
pub(super) struct Hello {
    pub(super) request: Message,
    pub(super) read: ClientHello,
}

/// The handshake with the client.
#[derive(Debug)]
pub(super) enum Client {
    /// It sent no `initialize` yet. What it sends goes to the server as it is.
    New,
    /// Its `initialize` waits for an answer. Some confirm before they got it.
    Opening { hello: Hello, initialized: Option<Message> },
    /// It got one.
    Open { hello: Hello, told: Told, initialized: bool, list_changed_owed: bool },
}

impl Client {
    /// Takes an `initialize` that waits for its answer, so that the client is as if it never asked.
    pub(super) fn take_opening(&mut self) -> Option<Hello> {
        if !matches!(self, Self::Opening { .. }) {
            return None;
        }
        match std::mem::replace(self, Self::New) {
            Self::Opening { hello, .. } => Some(hello),
            Self::New | Self::Open { .. } => None,
        }
    }
}

/// What the client was told of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The server's own words, which offered this.
    Real(ServerCapabilities),
    /// Ours, before the server said anything.
    Ours,
}

/// The handshake with the server.
#[derive(Debug)]
pub(super) enum Server {
    /// None, or one that failed.
    Closed { last: Option<(Failure, Instant)> },
    /// `initialize` was sent.
    Opening { exchange: ExchangeId, session_id: Option<Secret<Box<str>>>, carrier: Carrier },
    /// It was answered; `initialized` has to follow, and was sent where an exchange is named.
    Settling { session: Arc<Session>, hello: ServerHello, sent: Option<ExchangeId> },
    /// Done.
    Open { session: Arc<Session>, hello: ServerHello },
}

impl Default for Server {
    fn default() -> Self {
        Self::Closed { last: None }
    }
}

impl Server {
    pub(super) fn hello(&self) -> Option<&ServerHello> {
        match self {
            Self::Settling { hello, .. } | Self::Open { hello, .. } => Some(hello),
            Self::Closed { .. } | Self::Opening { .. } => None,
        }
    }
}

impl<M: Memory> Machine<M> {
    /// The session that messages go to now.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        match &self.server {
            Server::Settling { session, .. } | Server::Open { session, .. } => {
                Some(Arc::clone(session))
            }
            Server::Closed { .. } | Server::Opening { .. } => None,
        }
    }

    /// Whether requests and notifications may be sent now. While `initialized` is under way they wait,
    /// because a server may refuse what overtakes it.
    pub(super) fn may_send(&self) -> bool {
        match (&self.client, &self.server) {
            (Client::New, _) | (_, Server::Open { .. } | Server::Settling { sent: None, .. }) => {
                true
            }
            (_, Server::Settling { .. } | Server::Opening { .. } | Server::Closed { .. }) => false,
        }
    }

    // ---- the client's side

    /// The client opens.
    pub(super) fn initialize(&mut self, message: Message, now: Instant) {
        self.supersede_initialize();
        self.end_streams();
        if let Some(session) = self.session() {
            self.leave_session(session.generation);
            self.commands.push(Command::EndSession(session));
        }
        if let Server::Opening { exchange, .. } = self.server {
            self.end_own(exchange);
            self.commands.push(Command::Stop(exchange));
        }
        self.abandon_session();
        self.server = Server::default();
        self.was_open = false;
        self.backoff = backoff();
        let read = read::client_hello(&message);
        let hello = Hello { request: message, read };
        self.client = Client::Opening { hello, initialized: None };
        self.deadlines.clear_all(Due::Provisional);
        if !self.settings.one_off {
            self.deadlines.set(Due::Provisional, now + self.settings.handshake_patience);
        }
        self.begin_handshake(now);
    }

    /// The client confirms.
    pub(super) fn client_initialized(&mut self, message: Message, now: Instant) {
        let (initialized, list_changed_owed) = match &mut self.client {
            Client::Open { initialized, list_changed_owed, .. } => (initialized, list_changed_owed),
            Client::Opening { initialized, .. } => {
                *initialized = Some(message);
                return;
            }
            Client::New => {
                // No `initialize` came before: the server may know what to make of it.
                self.send_initialized(Some(message), now);
                return;
            }
        };
        *initialized = true;
        let owed = std::mem::take(list_changed_owed);
        if matches!(self.server, Server::Settling { sent: None, .. }) {
            self.send_initialized(Some(message), now);
        } else if matches!(self.server, Server::Open { .. }) && owed {
            self.tell_list_changed();
        } else if owed {
            self.owe_list_changed();
        }
        self.pump(now);
    }

    /// The client takes the answer for a success: whoever reads its log learns why it shows no tools.
    pub(super) fn tell_why_unasked(&self, refusal: Option<&Failure>) {
        let why = refusal
            .map_or_else(|| format!("{} did not answer in time", self.name.host), Failure::reason);
        let told = format!(
            "{why}; the client was answered without the server, whose tools follow once it can be reached"
        );
        // The page of a sign-in is told once there is one.
        if refusal.is_some_and(Failure::wants_person) {
            tracing::info!("{told}");
        } else {
            tracing::warn!("{told}");
        }
    }

    /// Answers the client's `initialize` in the server's stead; the server's answer is used when it comes.
    pub(super) fn answer_provisionally(&mut self, now: Instant) {
        let Client::Opening { hello, .. } = &self.client else { return };
        let Some(id) = hello.request.id().cloned() else { return };
        let hello = hello.clone();
        let remembered = self.memory.recall(Place::Initialize, &hello.read.capabilities);
        self.tell_why_unasked(self.last_refusal());
        let result =
            remembered.unwrap_or_else(|| provisional::initialize_result(&hello.read, &self.name));
        let answer = Message::result(&id, &result);
        self.write(declaring_list_changes(&answer));
        self.client_is_open(hello, Told::Ours, now);
        self.pump(now);
    }

    /// The client has its answer. If it confirmed before it got it, that counts now.
    fn client_is_open(&mut self, hello: Hello, told: Told, now: Instant) {
        self.deadlines.clear_all(Due::Provisional);
        let list_changed_owed = told == Told::Ours;
        let open = Client::Open { hello, told, initialized: false, list_changed_owed };
        let before = std::mem::replace(&mut self.client, open);
        if let Client::Opening { initialized: Some(message), .. } = before {
            self.client_initialized(message, now);
        }
    }

    // ---- the server's side

    /// Sends the client's own `initialize` to the server, unless that is under way.
    pub(super) fn begin_handshake(&mut self, now: Instant) {
        let (Client::Opening { hello, .. } | Client::Open { hello, .. }) = &self.client else {
            return;
        };
        if !matches!(self.server, Server::Closed { .. }) {
            return;
        }
        let message = hello.request.clone();
        self.deadlines.clear_all(Due::Handshake);
        let exchange = self.begin(Purpose::Handshake, REQUEST_TIME, now);
        self.server = Server::Opening { exchange, session_id: None, carrier: Carrier::default() };
        let outgoing =
            Outgoing { message, session: None, repeatable: true, patience: Patience::Once };
        self.commands.push(Command::Send(exchange, outgoing));
    }

    /// A response came to the `initialize` that was sent.
    pub(super) fn handshake_answered(
        &mut self,
        exchange: ExchangeId,
        sent: FromServer,
        now: Instant,
    ) {
        let FromServer { message, room, .. } = sent;
        let Server::Opening { exchange: own, session_id, carrier } = &mut self.server else {
            return;
        };
        let (Client::Opening { hello, .. } | Client::Open { hello, .. }) = &self.client else {
            return;
        };
        let awaited = hello.request.id().is_some_and(|id| message.answers(id));
        if *own != exchange || !awaited {
            return;
        }
        let (hello, session_id) = (hello.clone(), session_id.take());
        let carrier = std::mem::take(carrier);
        self.end_own(exchange);
        if matches!(message.kind(), Kind::Response { failed: true, .. }) {
            self.handshake_refused(message, now);
            return;
        }
        let server_hello = read::server_hello(&message).unwrap_or_else(|| ServerHello {
            protocol_version: hello.read.protocol_version.clone(),
            capabilities: ServerCapabilities::default(),
            identity: String::new(),
        });
        self.generation += 1;
        let session = Arc::new(Session {
            generation: self.generation,
            id: session_id,
            version: server_hello.protocol_version.as_str().into(),
            carrier,
        });
        if let Some(result) = read::result(&message) {
            self.memory.keep(Place::Initialize, &hello.read.capabilities, result);
        }
        self.server = Server::Settling { session, hello: server_hello, sent: None };
        self.answer_client_or_settle(message, room, now);
    }

    fn answer_client_or_settle(&mut self, answer: Message, room: Option<Room>, now: Instant) {
        let Client::Opening { hello, .. } = &self.client else {
            self.send_initialized(None, now);
            return;
        };
        let hello = hello.clone();
        let offered = self.server.hello().map(|hello| hello.capabilities).unwrap_or_default();
        self.commands.push(Command::Write(declaring_list_changes(&answer), room));
        self.client_is_open(hello, Told::Real(offered), now);
    }

    /// Sends `initialized`: the client's own, or one of ours where the client's was meant for an answer
    /// of ours or for an earlier session.
    fn send_initialized(&mut self, own: Option<Message>, now: Instant) {
        let message =
            own.unwrap_or_else(|| Message::notification("notifications/initialized", None));
        let exchange = self.begin(Purpose::Initialized, INITIALIZED_TIME, now);
        let session = self.session();
        if let Server::Settling { sent, .. } = &mut self.server {
            *sent = Some(exchange);
        }
        self.send(exchange, message, session, true);
    }

    /// The server took `initialized`, or at least had its chance.
    pub(super) fn initialized_ended(
        &mut self,
        exchange: ExchangeId,
        outcome: Outcome,
        now: Instant,
    ) {
        let Server::Settling { session, hello, sent } = &self.server else { return };
        if *sent != Some(exchange) {
            return;
        }
        match outcome {
            Outcome::SessionLost(failure) => {
                let generation = session.generation;
                self.session_lost(generation, now);
                if std::mem::replace(&mut self.lost_early, true) {
                    self.handshake_failed(failure, now);
                } else {
                    self.begin_handshake(now);
                }
                return;
            }
            Outcome::Failed(failure) => {
                tracing::warn!("`initialized` was not taken: {}", failure.what);
            }
            Outcome::Answered | Outcome::Accepted => {}
        }
        let (session, hello) = (Arc::clone(session), hello.clone());
        self.server = Server::Open { session, hello };
        self.answer_what_is_lacking();
        self.connected(now);
    }

    /// Lists that waited for the connection, and that the server turns out not to have.
    fn answer_what_is_lacking(&mut self) {
        for exchange in self.in_flight.waiting() {
            let Some(call) = self.in_flight.get(exchange) else { continue };
            let (message, id) = (call.message.clone(), call.id.clone());
            if let Some(result) =
                self.answer_of_ours(&message, message.method().unwrap_or_default())
            {
                self.take_call(exchange);
                self.write(Message::result(&id, &result));
            }
        }
    }

    pub(super) fn listen(&mut self, session: Arc<Session>) {
        self.listening = Some(session.generation);
        self.commands.push(Command::Listen(session));
    }

    /// The connection stands: sets the session up, and tells the client what it missed.
    fn connected(&mut self, now: Instant) {
        self.was_open = true;
        self.lost_early = false;
        self.opened = Some(now);
        let Server::Open { session, hello } = &self.server else { return };
        let (session, hello) = (Arc::clone(session), hello.clone());
        tracing::info!(session = session.id.is_some(), version = &*session.version, "connected");
        if !self.no_stream || !matches!(session.carrier, Carrier::Streamable) {
            self.listen(Arc::clone(&session));
        }
        self.restore.begin(hello.capabilities.logging);
        self.restore_more(session.generation, now);
        self.schedule_ping(now);
        let changed = self.identity.as_ref().is_some_and(|before| *before != hello.identity);
        self.identity = Some(hello.identity);
        if changed {
            self.filtering.forget();
            self.owe_list_changed();
        }
        self.tell_owed_list_changed();
    }

    /// Sends what is to be set up in the session of this generation, as far as it may be sent now.
    pub(super) fn restore_more(&mut self, generation: u64, now: Instant) {
        let session = self.session().filter(|session| session.generation == generation);
        let Some(session) = session else { return };
        while let Some((id, message)) = self.restore.next() {
            let exchange = self.begin(Purpose::Restore(id, generation), OWN_TIME, now);
            self.send(exchange, message, Some(Arc::clone(&session)), true);
        }
    }

    /// The server refused `initialize` with an error of its own.
    fn handshake_refused(&mut self, error: Message, now: Instant) {
        let failure = Failure::refused_by(error, &self.name.host);
        self.handshake_failed(failure, now);
    }

    /// The exchange of an `initialize` ended; its answer, if there was one, was dealt with.
    pub(super) fn handshake_ended(&mut self, exchange: ExchangeId, outcome: Outcome, now: Instant) {
        if !matches!(self.server, Server::Opening { exchange: own, .. } if own == exchange) {
            return;
        }
        let failure = match outcome {
            Outcome::Failed(failure) | Outcome::SessionLost(failure) => failure,
            Outcome::Answered | Outcome::Accepted => {
                Failure::internal("`initialize` ended without its answer")
            }
        };
        self.handshake_failed(failure, now);
    }

    /// Why the last handshake failed, while no other is under way.
    pub(super) fn last_refusal(&self) -> Option<&Failure> {
        match &self.server {
            Server::Closed { last: Some((failure, _)) } => Some(failure),
            _ => None,
        }
    }

    fn handshake_failed(&mut self, failure: Failure, now: Instant) {
        self.abandon_session();
        self.server = Server::Closed { last: Some((failure.clone(), now)) };
        if failure.wants_person() {
            self.sign_in_is_needed();
        }
        self.was_refused |= is_refusal(&failure);
        if !failure.may_pass() || self.settings.one_off {
            self.refuse_initialize(&failure);
        } else if let Client::Opening { hello, .. } = &self.client {
            let capabilities = hello.read.capabilities.clone();
            let waits_for_somebody =
                failure.wants_person() || failure.wants_store() || is_refusal(&failure);
            if waits_for_somebody || self.memory.recall(Place::Initialize, &capabilities).is_some()
            {
                self.answer_provisionally(now);
            }
        }
        self.fail_waiting(&failure, now);
        // After a sign-in the next handshake is begun by the news of it.
        if failure.is_tried_again() {
            self.schedule_handshake(&failure, now);
        } else {
            tracing::info!(
                "the handshake failed: {}; it is not tried again by itself",
                failure.reason()
            );
        }
    }

    fn schedule_handshake(&mut self, failure: &Failure, now: Instant) {
        let mut wait = self.backoff.wait().max(failure.retry_after.unwrap_or_default());
        if is_refusal(failure) {
            wait = wait.max(REFUSED_WAIT);
        } else if self.in_flight.has_waiting() && failure.retry_after.is_none() {
            wait = wait.min(WAITED_FOR);
        }
        let next = wait.as_secs_f64();
        tracing::info!("the handshake failed: {}; next attempt in {next:.1} s", failure.reason());
        self.deadlines.clear_all(Due::Handshake);
        self.deadlines.set(Due::Handshake, now + wait);
    }

    /// What becomes of the requests that wait, after a handshake failed. A connection that was there
    /// once is waited for; one that was never there is an error at once, but for lists. A refusal lasts.
    fn fail_waiting(&mut self, failure: &Failure, now: Instant) {
        if failure.wants_person() {
            for exchange in self.in_flight.waiting() {
                self.sign_in_met(exchange, failure, now);
            }
            return;
        }
        let keep_all = failure.may_pass() && self.was_open && !is_refusal(failure);
        for exchange in self.in_flight.waiting() {
            let Some(call) = self.in_flight.get(exchange) else { continue };
            let keep_list = failure.may_pass() && !self.was_open && is_list(call.method());
            let given = keep_list && is_refusal(failure) && self.give_list(exchange);
            if !keep_all && !keep_list && !given {
                self.fail(exchange, failure);
            }
        }
    }

    /// Ends a session that the server gave an id for and that was never opened.
    pub(super) fn abandon_session(&mut self) {
        let Server::Opening { session_id, .. } = &mut self.server else { return };
        let Some(id) = session_id.take() else { return };
        let (Client::Opening { hello, .. } | Client::Open { hello, .. }) = &self.client else {
            return;
        };
        let version = hello.read.protocol_version.as_str().into();
        let generation = self.generation + 1;
        let session = Session { generation, id: Some(id), version, carrier: Carrier::default() };
        self.commands.push(Command::EndSession(Arc::new(session)));
    }

    /// The server lost a session. Whether it was the present one.
    pub(super) fn session_lost(&mut self, generation: u64, now: Instant) -> bool {
        if self.session().is_none_or(|session| session.generation != generation) {
            return false;
        }
        tracing::info!("the server lost the session; opening another");
        let stood = self.opened.take().map(|opened| now.saturating_duration_since(opened));
        if stood.is_some_and(|stood| stood > STOOD) {
            self.backoff = backoff();
        }
        self.server = Server::default();
        self.restore.stop();
        self.leave_session(generation);
        true
    }

    /// Opens a session in place of a lost one: at once where a request waits for it, else with back-off,
    /// so that a server that loses every session is not asked for ever without a pause.
    pub(super) fn reopen(&mut self, now: Instant) {
        if self.in_flight.has_waiting() {
            return self.begin_handshake(now);
        }
        let wait = self.backoff.wait();
        self.deadlines.clear_all(Due::Handshake);
        self.deadlines.set(Due::Handshake, now + wait);
    }

    /// Takes back what a session had open with the client.
    fn leave_session(&mut self, generation: u64) {
        self.listening = None;
        self.commands.push(Command::StopListening);
        for id in self.questions.session_lost(generation) {
            let params = format!(
                "{{\"requestId\":{id},\"reason\":\"the session with the server was lost\"}}"
            );
            self.write(Message::notification("notifications/cancelled", Some(&params)));
        }
    }
}

pub(super) fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Refused | FailureKind::NotFound)
}

fn declaring_list_changes(answer: &Message) -> Message {
    with_list_changed(answer.bytes()).map_or(answer.clone(), |bytes| answer.with_bytes(bytes))
}
