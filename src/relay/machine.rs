//! The state of one relay: events in, commands out, no I/O and no clock of its own.
//!
//! Its events stand in [`super::from_client`], [`super::from_server`] and [`super::due`], the handshakes of
//! both sides in [`super::handshake`]; here is what all of them share: sending, failing, the end. Every
//! request of the client is answered once, whatever comes in whatever order; that is what the property
//! test at the end of this folder tries to break.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::deadlines::{Deadlines, Due};
use super::failure::{self, ServerName};
use super::filter::{Filter, Filtering};
use super::handshake::{Client, Server};
use super::in_flight::{Call, CallState, InFlight};
use super::modern::ModernClient;
use super::questions::Questions;
use super::remembered::Memory;
use super::restore::Restore;
use super::sign_in::SigningIn;
use crate::jsonrpc::{INVALID_REQUEST, Id, Message, read};
use crate::remote::{Backoff, Failure, Patience, Session, is_repeatable};
use crate::stdio::Room;

/// Numbers the exchanges of a process.
pub(super) type ExchangeId = u64;

/// Requests in flight at once.
const MAX_IN_FLIGHT: usize = 256;
/// Notifications and answers of the client are taken by the server within this, or given up.
pub(super) const OWN_TIME: Duration = Duration::from_secs(30);
/// How long a notification holds the next one.
const NOTIFICATION_TIME: Duration = Duration::from_secs(5);

/// What the user set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest message, in bytes.
    pub max_message_size: usize,
    /// How long a `tools/call` may take; none: as long as the client waits.
    pub tool_timeout: Option<Duration>,
    /// How long answers in flight get at the end.
    pub drain: Duration,
    /// Which tools the client sees and calls.
    pub filter: Filter,
    /// How long the client's `initialize` waits for the server.
    pub handshake_patience: Duration,
    /// How long a list waits for a connection that is not there yet.
    pub list_patience: Duration,
    /// How long any other request waits for a connection that was lost.
    pub call_patience: Duration,
    /// How often the server is asked whether it is still there; none: never.
    pub ping_every: Option<Duration>,
    /// The client is a part of this process and waits for a few answers: it wants to know that the server can't
    /// be reached, where any other's `initialize` is answered in the server's stead. And stdio is not its own.
    pub one_off: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_message_size: 64 * 1024 * 1024,
            tool_timeout: None,
            drain: Duration::from_secs(1),
            filter: Filter::default(),
            handshake_patience: Duration::from_secs(5),
            list_patience: Duration::from_secs(5),
            call_patience: Duration::from_secs(30),
            ping_every: None,
            one_off: false,
        }
    }
}

/// What the loop has to do.
#[derive(Debug)]
pub(super) enum Command {
    /// A message for the client.
    Write(Message, Option<Room>),
    /// A message for the server.
    Send(ExchangeId, Outgoing),
    /// The exchange is not needed any more.
    Stop(ExchangeId),
    /// The server is told that the request is cancelled, if it may have seen it; then it is stopped.
    Cancel(ExchangeId, Message),
    /// The GET stream of this session, in place of any other.
    Listen(Arc<Session>),
    /// No GET stream.
    StopListening,
    /// A person is asked to sign in.
    SignIn,
    /// This session ends.
    EndSession(Arc<Session>),
    /// Nothing more will come: end.
    Finish,
}

/// A message on its way to the server.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) message: Message,
    pub(super) session: Option<Arc<Session>>,
    pub(super) repeatable: bool,
    pub(super) patience: Patience,
}

/// A message of the server.
#[derive(Debug)]
pub(super) struct FromServer {
    pub(super) origin: Origin,
    pub(super) message: Message,
    /// Its place in the queue for stdout.
    pub(super) room: Option<Room>,
}

/// Where a message of the server came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Exchange(ExchangeId),
    /// The GET stream of the session of this generation.
    Stream(u64),
}

/// What an exchange is for, where it is not for a request of the client.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The `initialize` that opens a session.
    Handshake,
    /// The `initialized` that follows it.
    Initialized,
    /// A notification of the client.
    Notification(Notice),
    /// The client's answer to a request of the server.
    Reply,
    /// A request that sets up the session of this generation, with its id.
    Restore(Id, u64),
    /// A `ping` of this program's own, with its id, in the session of this generation.
    Ping(Id, u64),
    /// A list of tools that a filter needs, with its id.
    Lookup(Id),
    /// A `server/discover` with its id, whose client has an answer of ours: its own is remembered for clients
    /// of these capabilities.
    Discovery(Id, Box<str>),
}

/// A notification of the client on its way.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) message: Message,
    /// The session that it was sent in.
    pub(super) generation: u64,
    /// Whether it was sent before, in a session that was lost.
    pub(super) again: bool,
}

/// The state of a relay.
pub(super) struct Machine<M> {
    pub(super) settings: Settings,
    pub(super) name: ServerName,
    pub(super) memory: M,
    pub(super) client: Client,
    pub(super) modern: ModernClient,
    pub(super) server: Server,
    pub(super) in_flight: InFlight,
    pub(super) questions: Questions,
    pub(super) restore: Restore,
    pub(super) filtering: Filtering,
    pub(super) deadlines: Deadlines,
    pub(super) signing_in: SigningIn,
    /// What the tokens are good for, as [`Phase::Settled`] names it.
    pub(super) granted: u64,
    /// Counts what is told of progress.
    pub(super) progress: u64,
    /// Exchanges that carry no request of the client, and when each is given up.
    pub(super) exchanges: HashMap<ExchangeId, (Purpose, Instant)>,
    pub(super) commands: Vec<Command>,
    /// Waits between handshakes.
    pub(super) backoff: Backoff,
    /// Whether there ever was a connection since the client's `initialize`.
    pub(super) was_open: bool,
    /// Whether a handshake was refused for want of a grant, so that our tool for that may be known.
    pub(super) was_refused: bool,
    /// Whether a session was lost before it was set up, so that a second such loss is a failure.
    pub(super) lost_early: bool,
    /// Since when the present session stands.
    pub(super) opened: Option<Instant>,
    /// The server offers no GET stream.
    pub(super) no_stream: bool,
    /// The generation of the session whose stream is listened to.
    pub(super) listening: Option<u64>,
    pub(super) generation: u64,
    /// What the server last said of itself.
    pub(super) identity: Option<String>,
    pub(super) notifications: VecDeque<Message>,
    pub(super) notification_bytes: usize,
    /// Whether it was said that notifications are dropped.
    pub(super) dropped: bool,
    pub(super) notifying: Option<ExchangeId>,
    pub(super) repeatable_tools: HashSet<String>,
    pub(super) capacity: usize,
    pub(super) last_exchange: ExchangeId,
    pub(super) ending: bool,
    pub(super) finished: bool,
    /// Pieces of work that panicked.
    pub(super) breakdowns: u32,
}

impl<M: Memory> Machine<M> {
    pub(super) fn new(settings: Settings, name: ServerName, memory: M) -> Self {
        Self {
            filtering: Filtering::new(settings.filter.clone()),
            settings,
            name,
            memory,
            client: Client::New,
            modern: ModernClient::default(),
            server: Server::default(),
            in_flight: InFlight::default(),
            questions: Questions::default(),
            restore: Restore::default(),
            deadlines: Deadlines::default(),
            signing_in: SigningIn::default(),
            granted: 0,
            progress: 0,
            exchanges: HashMap::new(),
            commands: Vec::new(),
            backoff: super::handshake::backoff(),
            was_open: false,
            was_refused: false,
            lost_early: false,
            opened: None,
            no_stream: false,
            listening: None,
            generation: 0,
            identity: None,
            notifications: VecDeque::new(),
            notification_bytes: 0,
            dropped: false,
            notifying: None,
            repeatable_tools: HashSet::new(),
            capacity: MAX_IN_FLIGHT,
            last_exchange: 0,
            ending: false,
            finished: false,
            breakdowns: 0,
        }
    }

    /// What is to be done since the last time that this was asked.
    pub(super) fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Whether another request of the client may wait.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight.has_room(self.settings.max_message_size)
    }

    /// When something is due next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The server allows that many requests at once.
    pub(super) fn set_capacity(&mut self, requests: Option<usize>) {
        // Streams of changes take their share of what the server allows, and wait for no other request.
        let left = requests.map(|all| all.saturating_sub(self.in_flight.sent_streams()).max(1));
        self.capacity = left.unwrap_or(MAX_IN_FLIGHT).min(MAX_IN_FLIGHT);
    }

    /// Begins an exchange of the bridge's own.
    pub(super) fn begin(&mut self, purpose: Purpose, time: Duration, now: Instant) -> ExchangeId {
        self.last_exchange += 1;
        self.exchanges.insert(self.last_exchange, (purpose, now + time));
        self.deadlines.set(Due::Stuck(self.last_exchange), now + time);
        self.last_exchange
    }

    /// Takes an exchange of the bridge's own out.
    pub(super) fn end_own(&mut self, exchange: ExchangeId) -> Option<Purpose> {
        let (purpose, at) = self.exchanges.remove(&exchange)?;
        self.deadlines.clear(Due::Stuck(exchange), at);
        Some(purpose)
    }

    // ---- the end

    /// The client sends no more: its end of input, or a signal.
    pub(super) fn end(&mut self, now: Instant) {
        if std::mem::replace(&mut self.ending, true) {
            return;
        }
        self.end_streams();
        self.deadlines.set(Due::Drained, now + self.settings.drain);
        self.finish_if_idle();
    }

    fn finish_if_idle(&mut self) {
        let owed = matches!(self.client, Client::Opening { .. });
        let waited_for = |each| !matches!(each, &Purpose::Ping(..) | &Purpose::Discovery(..));
        let own = self.exchanges.values().any(|(each, _)| waited_for(each));
        let idle = self.in_flight.is_empty() && !own && self.notifications.is_empty();
        if self.ending && idle && !owed {
            self.finish();
        }
    }

    pub(super) fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let ending = Failure::ending();
        // What was never sent failed for the reason that kept it from being sent.
        let unsent = self.last_refusal().cloned().unwrap_or_else(Failure::ending_unsent);
        for exchange in self.in_flight.all() {
            let sent =
                self.in_flight.get(exchange).is_some_and(|c| matches!(c.state, CallState::Sent(_)));
            self.fail(exchange, if sent { &ending } else { &unsent });
        }
        let opening = self.last_refusal().cloned().unwrap_or(ending);
        self.abandon_session();
        self.refuse_initialize(&opening);
        self.commands.push(Command::StopListening);
        if let Some(session) = self.session() {
            self.commands.push(Command::EndSession(session));
        }
        self.commands.push(Command::Finish);
    }

    // ---- sending

    /// Sends what may be sent now.
    pub(super) fn pump(&mut self, now: Instant) {
        if !self.finished && self.may_send() {
            self.pump_notifications(now);
            self.pump_calls(now);
        }
        self.finish_if_idle();
    }

    fn pump_notifications(&mut self, now: Instant) {
        if self.notifying.is_some() {
            return;
        }
        let Some(message) = self.notifications.pop_front() else { return };
        self.notification_bytes -= message.bytes().len();
        let again = std::mem::take(&mut self.restore.resend_next);
        let session = self.session();
        let generation = session.as_ref().map_or(0, |session| session.generation);
        let notice = Notice { message: message.clone(), generation, again };
        let exchange = self.begin(Purpose::Notification(notice), NOTIFICATION_TIME, now);
        self.notifying = Some(exchange);
        let repeatable = is_repeatable(message.method().unwrap_or_default());
        self.send(exchange, message, session, repeatable);
    }

    fn pump_calls(&mut self, now: Instant) {
        let session = self.session();
        let generation = session.as_ref().map_or(0, |session| session.generation);
        while let Some(exchange) = self.in_flight.send_next(generation, self.capacity) {
            self.clear_deadline(exchange);
            let Some(call) = self.in_flight.get(exchange) else { continue };
            let (message, is_modern) = (call.message.clone(), call.modern.is_some());
            let patience = self.patience(call);
            if let Some(limit) = self.time_limit(call.method()) {
                self.set_deadline(exchange, Due::TimeOut(exchange), now + limit);
            }
            if self.is_held(exchange, now) {
                continue;
            }
            let session = session.clone().filter(|_| !is_modern);
            if is_modern {
                self.list_sent(exchange, now);
            }
            let repeatable = self.may_repeat(&message);
            let outgoing = Outgoing { message, session, repeatable, patience };
            self.commands.push(Command::Send(exchange, outgoing));
        }
    }

    /// Whether a request may be sent again when its fate is unknown (DESIGN: nothing is done twice that
    /// might not be repeatable).
    fn may_repeat(&self, message: &Message) -> bool {
        match message.method() {
            Some("tools/call") if self.repeatable_tools.is_empty() => false,
            Some("tools/call") => {
                read::tool_name(message).is_some_and(|name| self.repeatable_tools.contains(&*name))
            }
            Some(method) => is_repeatable(method),
            None => true,
        }
    }

    pub(super) fn send(
        &mut self,
        exchange: ExchangeId,
        message: Message,
        session: Option<Arc<Session>>,
        repeatable: bool,
    ) {
        let patience = Patience::Persistent;
        let outgoing = Outgoing { message, session, repeatable, patience };
        self.commands.push(Command::Send(exchange, outgoing));
    }

    pub(super) fn write(&mut self, message: Message) {
        self.commands.push(Command::Write(message, None));
    }

    /// Answers a request with the error that it is owed.
    pub(super) fn fail(&mut self, exchange: ExchangeId, failure: &Failure) {
        if let Some(call) = self.take_call(exchange) {
            let unsent = call.state == CallState::Waiting;
            let repeatable = unsent || self.may_repeat(&call.message);
            self.write(failure::response(&call.id, failure, &self.name, repeatable));
        }
    }

    /// Takes a request out, whatever it waits for.
    pub(super) fn take_call(&mut self, exchange: ExchangeId) -> Option<Call> {
        self.clear_deadline(exchange);
        self.in_flight.remove(exchange)
    }

    pub(super) fn next_exchange(&mut self) -> ExchangeId {
        self.last_exchange += 1;
        self.last_exchange
    }

    /// A second `initialize`, or one that can't be served any more.
    pub(super) fn refuse_initialize(&mut self, failure: &Failure) {
        let Some(hello) = self.client.take_opening() else { return };
        if let Some(id) = hello.request.id() {
            self.write(failure::response(id, failure, &self.name, true));
        }
    }

    /// An `initialize` came while another waits.
    pub(super) fn supersede_initialize(&mut self) {
        if let Some(hello) = self.client.take_opening() {
            let why = "another `initialize` came before this one was answered";
            self.refuse_line(hello.request.id(), INVALID_REQUEST, why);
        }
    }
}
