//! The state of one relay: events in, commands out, no I/O and no clock of its own.
//!
//! The handshakes of both sides stand in [`super::handshake`]; here is what happens to messages. Every
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
use super::questions::Questions;
use super::remembered::Memory;
use super::restore::Restore;
use crate::jsonrpc::{INVALID_REQUEST, Id, Kind, METHOD_NOT_FOUND, Malformed, Message, edit, read};
use crate::remote::{
    Backoff, Channel, Failure, ListenEnd, Outcome, Patience, Session, is_repeatable,
};
use crate::secret::Secret;
use crate::stdio::Room;

/// Numbers the exchanges of a process.
pub(super) type ExchangeId = u64;

/// Requests in flight at once.
const MAX_IN_FLIGHT: usize = 256;
/// Requests other than `tools/call` are answered within this.
pub(super) const REQUEST_TIME: Duration = Duration::from_secs(300);
/// Notifications and answers of the client are taken by the server within this, or given up.
pub(super) const OWN_TIME: Duration = Duration::from_secs(30);
/// How long a notification holds the next one.
const NOTIFICATION_TIME: Duration = Duration::from_secs(5);
/// Requests that wait for whatever they wait for.
const UNTIMED: [&str; 2] = ["subscriptions/listen", "tasks/result"];
/// Notifications of the client that wait for their turn, and the bytes that they may hold.
const MAX_NOTIFICATIONS: usize = 65_536;
const MAX_NOTIFICATION_BYTES: usize = 32 * 1024 * 1024;
/// Tools that are remembered to be repeatable.
const MAX_TOOLS: usize = 10_000;
/// Times that a request is sent in a session that turns out to be lost, whoever opened it.
const MAX_SENDINGS: u32 = 5;

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
    /// A request of this program's own, with its id.
    Restore(Id),
    /// A `ping` of this program's own, with its id, in the session of this generation.
    Ping(Id, u64),
    /// A list of tools that a filter needs, with its id.
    Lookup(Id),
}

/// A notification of the client on its way.
#[derive(Debug)]
pub(super) struct Notice {
    message: Message,
    /// The session that it was sent in.
    generation: u64,
    /// Whether it was sent before, in a session that was lost.
    again: bool,
}

/// The state of a relay.
pub(super) struct Machine<M> {
    pub(super) settings: Settings,
    pub(super) name: ServerName,
    pub(super) memory: M,
    pub(super) client: Client,
    pub(super) server: Server,
    pub(super) in_flight: InFlight,
    pub(super) questions: Questions,
    pub(super) restore: Restore,
    pub(super) filtering: Filtering,
    pub(super) deadlines: Deadlines,
    /// Exchanges that carry no request of the client, and when each is given up.
    exchanges: HashMap<ExchangeId, (Purpose, Instant)>,
    pub(super) commands: Vec<Command>,
    /// Waits between handshakes.
    pub(super) backoff: Backoff,
    /// Whether there ever was a connection since the client's `initialize`.
    pub(super) was_open: bool,
    /// Whether a session was lost before it was set up, so that a second such loss is a failure.
    pub(super) lost_early: bool,
    /// Since when the present session stands.
    pub(super) opened: Option<Instant>,
    /// The server offers no GET stream.
    pub(super) no_stream: bool,
    pub(super) generation: u64,
    /// What the server last said of itself.
    pub(super) identity: Option<String>,
    notifications: VecDeque<Message>,
    notification_bytes: usize,
    /// Whether it was said that notifications are dropped.
    dropped: bool,
    notifying: Option<ExchangeId>,
    repeatable_tools: HashSet<String>,
    capacity: usize,
    last_exchange: ExchangeId,
    ending: bool,
    finished: bool,
}

impl<M: Memory> Machine<M> {
    pub(super) fn new(settings: Settings, name: ServerName, memory: M) -> Self {
        Self {
            filtering: Filtering::new(settings.filter.clone()),
            settings,
            name,
            memory,
            client: Client::New,
            server: Server::default(),
            in_flight: InFlight::default(),
            questions: Questions::default(),
            restore: Restore::default(),
            deadlines: Deadlines::default(),
            exchanges: HashMap::new(),
            commands: Vec::new(),
            backoff: super::handshake::backoff(),
            was_open: false,
            lost_early: false,
            opened: None,
            no_stream: false,
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
        }
    }

    /// What is to be done since the last time that this was asked.
    pub(super) fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Whether more may be read from the client.
    pub(super) fn has_room(&self) -> bool {
        self.in_flight.has_room(self.settings.max_message_size)
    }

    /// When something is due next.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The server allows that many requests at once.
    pub(super) fn set_capacity(&mut self, requests: Option<usize>) {
        self.capacity = requests.unwrap_or(MAX_IN_FLIGHT).min(MAX_IN_FLIGHT);
    }

    // ---- from the client

    /// A message of the client.
    pub(super) fn client_sent(&mut self, message: Message, now: Instant) {
        if self.ending {
            return;
        }
        match message.kind().clone() {
            Kind::Request { id, method } => self.request(message, id, &method, now),
            Kind::Notification { method } => self.notification(message, &method, now),
            Kind::Response { id, .. } => self.reply(message, id.as_ref(), now),
        }
        self.pump(now);
    }

    /// A line of the client that is no message. Where it was to be an answer, its id is the server's: the
    /// client hears of it under no id, and the server gets the error in the answer's place.
    pub(super) fn client_sent_malformed(&mut self, bad: &Malformed, now: Instant) {
        let id = bad.id.as_ref();
        if !bad.is_response {
            return self.refuse_line(id, bad.code, &bad.why);
        }
        self.refuse_line(None, bad.code, &bad.why);
        if let Some(id) = id.filter(|id| self.questions.is_open(id)) {
            self.reply(failure::refused_line(Some(id), bad.code, &bad.why), Some(id), now);
        }
    }

    /// Tells the client what was wrong with a line.
    pub(super) fn refuse_line(&mut self, id: Option<&Id>, code: i32, why: &str) {
        self.write(failure::refused_line(id, code, why));
    }

    fn request(&mut self, message: Message, id: Id, method: &str, now: Instant) {
        match method {
            "initialize" => self.initialize(message, now),
            // The signal to fall back on `initialize` (MCP 2026-07-28, versioning).
            "server/discover" => {
                let why = "Method not found: this bridge speaks the revisions with `initialize`";
                self.refuse_line(Some(&id), METHOD_NOT_FOUND, why);
            }
            _ => {
                if method == "tools/call"
                    && let Some(failure) = self.filtering.refuses(&message)
                {
                    self.write(failure::response(&id, &failure, &self.name));
                    return;
                }
                if let Some(result) = self.answer_of_ours(&message, method) {
                    self.write(Message::result(&id, &result));
                    return;
                }
                self.enqueue(message, id, now);
            }
        }
    }

    fn enqueue(&mut self, message: Message, id: Id, now: Instant) {
        let exchange = self.next_exchange();
        let call = Call {
            message,
            id,
            state: CallState::Waiting,
            recovered: false,
            sendings: 0,
            checked: false,
            deadline: None,
        };
        self.in_flight.insert(exchange, call);
        self.wait_for_connection(exchange, now);
    }

    fn notification(&mut self, message: Message, method: &str, now: Instant) {
        match method {
            "notifications/initialized" => self.client_initialized(message, now),
            "notifications/cancelled" => self.cancelled(message),
            _ => self.queue_notification(message),
        }
    }

    fn queue_notification(&mut self, message: Message) {
        self.notification_bytes += message.bytes().len();
        self.notifications.push_back(message);
        while self.notifications.len() > MAX_NOTIFICATIONS
            || self.notification_bytes > MAX_NOTIFICATION_BYTES
        {
            let Some(dropped) = self.notifications.pop_front() else { break };
            self.notification_bytes -= dropped.bytes().len();
            if !std::mem::replace(&mut self.dropped, true) {
                let method = dropped.method().unwrap_or_default();
                tracing::warn!(
                    method,
                    "too many notifications wait for the server; some are dropped"
                );
            }
        }
    }

    /// The client cancels a request. What was not sent yet is not sent at all.
    fn cancelled(&mut self, message: Message) {
        let named = read::cancelled_request(&message);
        if named.as_ref().is_some_and(|id| self.is_opening(id)) {
            tracing::debug!("a client must not cancel `initialize` (MCP cancellation)");
            return;
        }
        let Some(exchange) = named.and_then(|id| self.in_flight.by_id(&id)) else {
            // Unknown or answered already: the server may know more.
            self.queue_notification(message);
            return;
        };
        let Some(call) = self.take_call(exchange) else { return };
        if let CallState::Sent(_) = call.state {
            self.commands.push(Command::Cancel(exchange, message));
        }
    }

    /// Whether this is the id of an `initialize` that waits for its answer.
    fn is_opening(&self, id: &Id) -> bool {
        matches!(&self.client, Client::Opening { hello, .. } if hello.request.id() == Some(id))
    }

    /// The client answers a request of the server.
    fn reply(&mut self, message: Message, id: Option<&Id>, now: Instant) {
        let question = id.and_then(|id| self.questions.answered(id));
        let session = self.session();
        let current = session.as_ref().map_or(0, |session| session.generation);
        let late = match &question {
            Some(question) => question.generation != current,
            None => id.is_some_and(|id| self.questions.is_of_lost_session(id)),
        };
        if late {
            tracing::debug!("an answer came after its session was lost");
            return;
        }
        let original = question.and_then(|question| question.original);
        let message = original.map_or(message.clone(), |original| message.with_id(&original));
        let exchange = self.begin(Purpose::Reply, OWN_TIME, now);
        self.send(exchange, message, session, true);
    }

    // ---- from the server

    /// A message of the server.
    pub(super) fn server_sent(&mut self, sent: FromServer, now: Instant) {
        let FromServer { origin, message, room } = sent;
        match message.kind().clone() {
            Kind::Response { id, .. } => {
                self.response(FromServer { origin, message, room }, id.as_ref(), now);
            }
            Kind::Request { .. } => {
                let (generation, exchange) = self.belongs_to(origin);
                if generation != self.session().map_or(0, |session| session.generation) {
                    tracing::debug!("a question of a session that is gone was dropped");
                    return;
                }
                let shown = self.questions.ask(message, generation, exchange);
                self.commands.push(Command::Write(shown, room));
            }
            Kind::Notification { method } => {
                if &*method == "notifications/tools/list_changed" {
                    self.filtering.forget();
                }
                let message = if &*method == "notifications/cancelled" {
                    self.server_cancelled(origin, message)
                } else {
                    message
                };
                self.commands.push(Command::Write(message, room));
            }
        }
    }

    fn belongs_to(&self, origin: Origin) -> (u64, Option<ExchangeId>) {
        match origin {
            Origin::Stream(generation) => (generation, None),
            Origin::Exchange(exchange) => {
                match self.in_flight.get(exchange).map(|call| call.state) {
                    Some(CallState::Sent(generation)) => (generation, Some(exchange)),
                    // By the stream of HTTP+SSE, which belongs to no request.
                    _ => (self.session().map_or(0, |session| session.generation), None),
                }
            }
        }
    }

    /// The server takes a question back; the client knows it by the id that it was shown.
    fn server_cancelled(&mut self, origin: Origin, message: Message) -> Message {
        let (generation, _) = self.belongs_to(origin);
        let Some(id) = read::cancelled_request(&message) else { return message };
        let shown = self.questions.shown_id(&id, generation).cloned();
        let Some(shown) = shown else {
            self.questions.answered(&id);
            return message;
        };
        self.questions.answered(&shown);
        let renamed =
            edit::replace_at(message.bytes(), &["params", "requestId"], &shown.to_string());
        renamed.map_or(message.clone(), |bytes| message.with_bytes(bytes))
    }

    fn response(&mut self, sent: FromServer, id: Option<&Id>, now: Instant) {
        let exchange = match sent.origin {
            Origin::Exchange(exchange) => Some(exchange),
            Origin::Stream(_) => None,
        };
        let purpose = exchange.and_then(|exchange| self.exchanges.get(&exchange));
        let purpose = purpose.map(|(each, _)| each);
        if Self::is_lookup(purpose, id) {
            self.lookup_answered(&sent.message);
            return;
        }
        match purpose {
            Some(Purpose::Handshake) => {
                self.handshake_answered(exchange.unwrap_or_default(), sent, now);
                return;
            }
            Some(Purpose::Restore(own) | Purpose::Ping(own, _)) if Some(own) == id => return,
            _ => {}
        }
        let Some(id) = id else {
            tracing::debug!("an error of the server names no request");
            return;
        };
        let own = exchange
            .filter(|exchange| self.in_flight.get(*exchange).is_some_and(|call| call.id == *id));
        let Some(answered) = own.or_else(|| self.in_flight.by_id(id)) else {
            tracing::debug!(%id, "a response to no open request was dropped");
            return;
        };
        self.deliver(answered, sent.message, sent.room);
        if own.is_none() {
            self.commands.push(Command::Stop(answered));
        }
        self.pump(now);
    }

    /// Gives the client the answer that it waits for.
    fn deliver(&mut self, exchange: ExchangeId, message: Message, room: Option<Room>) {
        let Some(call) = self.take_call(exchange) else { return };
        let succeeded = matches!(message.kind(), Kind::Response { failed: false, .. });
        if succeeded {
            self.learn(&call, &message);
        }
        let message = if succeeded && call.method() == "tools/list" {
            self.filtered(&call, message)
        } else {
            message
        };
        self.commands.push(Command::Write(message, room));
    }

    /// A list without the tools that the user's filters hide.
    fn filtered(&self, call: &Call, list: Message) -> Message {
        match self.filtering.answer(&list) {
            Ok(filtered) => filtered.unwrap_or(list),
            Err(unreadable) => {
                let what = format!("the list of tools can't be filtered: {unreadable}");
                failure::response(&call.id, &Failure::blocked(what), &self.name)
            }
        }
    }

    /// Notes what an answer tells beyond the client.
    fn learn(&mut self, call: &Call, answer: &Message) {
        let method = call.method();
        match method {
            "tools/list" => {
                if let Some((repeatable, others)) = read::tools_by_repeatability(answer) {
                    self.repeatable_tools.retain(|name| !others.contains(name));
                    let room = MAX_TOOLS.saturating_sub(self.repeatable_tools.len());
                    self.repeatable_tools.extend(repeatable.into_iter().take(room));
                }
                if let Some(result) = read::result(answer) {
                    self.filtering.learn(result);
                }
            }
            "resources/subscribe" | "resources/unsubscribe" | "logging/setLevel" => {
                self.restore.note(&call.message);
            }
            _ => {}
        }
        if super::remembered::is_list(method)
            && !read::has_cursor(&call.message)
            && let Some(result) = read::result(answer)
        {
            self.memory.keep_list(method, result);
        }
    }

    /// An exchange came to its end.
    pub(super) fn ended(&mut self, exchange: ExchangeId, outcome: Outcome, now: Instant) {
        match self.end_own(exchange) {
            None => self.call_ended(exchange, outcome, now),
            Some(Purpose::Handshake) => self.handshake_ended(exchange, outcome, now),
            Some(Purpose::Lookup(_)) => self.lookup_ended(exchange, outcome, now),
            Some(Purpose::Initialized) => self.initialized_ended(exchange, outcome, now),
            Some(Purpose::Notification(notice)) => {
                self.notifying.take_if(|each| *each == exchange);
                self.notification_ended(notice, outcome, now);
            }
            Some(Purpose::Ping(_, generation)) => self.ping_ended(generation, &outcome, now),
            Some(Purpose::Reply | Purpose::Restore(_)) => {
                if let Outcome::Failed(failure) | Outcome::SessionLost(failure) = outcome {
                    tracing::warn!("an answer did not reach the server: {}", failure.what);
                }
            }
        }
        self.pump(now);
    }

    fn call_ended(&mut self, exchange: ExchangeId, outcome: Outcome, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let (recovered, state, sendings) = (call.recovered, call.state, call.sendings);
        let present = self.session().map_or(0, |session| session.generation);
        let is_present = state == CallState::Sent(present);
        match outcome {
            // Another request has opened, or is opening, a new session: this one just goes along.
            Outcome::SessionLost(_) if sendings < MAX_SENDINGS && (!is_present || !recovered) => {
                if is_present {
                    self.recover(exchange, now);
                }
                self.in_flight.wait_again(exchange);
                self.wait_for_connection(exchange, now);
            }
            Outcome::Failed(failure) | Outcome::SessionLost(failure) => {
                self.fail(exchange, &failure);
            }
            Outcome::Answered | Outcome::Accepted => {
                // The answer was another's, or the exchange misjudged: it is owed all the same.
                self.fail(exchange, &Failure::internal("an exchange ended without its answer"));
            }
        }
    }

    /// A request found that the present session is lost. It opens another, once.
    fn recover(&mut self, exchange: ExchangeId, now: Instant) {
        let Some(call) = self.in_flight.get_mut(exchange) else { return };
        call.recovered = true;
        if let CallState::Sent(generation) = call.state {
            self.session_lost(generation, now);
        }
    }

    fn notification_ended(&mut self, notice: Notice, outcome: Outcome, now: Instant) {
        match outcome {
            Outcome::SessionLost(_) if !notice.again => {
                self.notification_bytes += notice.message.bytes().len();
                self.notifications.push_front(notice.message);
                self.restore.resend_next = true;
                self.session_lost(notice.generation, now);
                self.begin_handshake(now);
            }
            Outcome::Failed(failure) | Outcome::SessionLost(failure) => {
                tracing::warn!("a notification did not reach the server: {}", failure.what);
            }
            Outcome::Answered | Outcome::Accepted => {}
        }
    }

    /// The session that is being opened goes over this channel.
    pub(super) fn channel_opened(&mut self, exchange: ExchangeId, opened: Arc<Channel>) {
        if let Server::Opening { exchange: own, channel, .. } = &mut self.server
            && *own == exchange
        {
            *channel = Some(opened);
        }
    }

    /// The server gave a session id with the head of an answer.
    pub(super) fn session_given(&mut self, exchange: ExchangeId, id: Secret<Box<str>>) {
        if let Server::Opening { exchange: own, session_id, .. } = &mut self.server
            && *own == exchange
        {
            *session_id = Some(id);
        }
    }

    /// Listening came to its end.
    pub(super) fn listening_ended(&mut self, generation: u64, end: ListenEnd, now: Instant) {
        match end {
            ListenEnd::Refused(failure) => {
                tracing::debug!(what = failure.what, "the server offers no stream of its own");
                // 404 may be the session's and not the stream's: the next session asks again.
                self.no_stream = failure.status != Some(404);
            }
            ListenEnd::SessionLost => {
                if self.session_lost(generation, now) {
                    self.reopen(now);
                }
            }
        }
    }

    // ---- time

    /// Does what has become due.
    pub(super) fn tick(&mut self, now: Instant) {
        while !self.finished
            && let Some(due) = self.deadlines.take(now)
        {
            match due {
                Due::Provisional => self.answer_provisionally(now),
                Due::Handshake => self.begin_handshake(now),
                Due::GiveUp(exchange) => self.give_up(exchange),
                Due::TimeOut(exchange) => self.time_out(exchange, now),
                Due::Stuck(exchange) => self.stuck(exchange, now),
                Due::Ping => self.ping(now),
                Due::Drained => self.finish(),
            }
        }
        self.pump(now);
    }

    fn time_out(&mut self, exchange: ExchangeId, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let Some(limit) = self.time_limit(call.method()) else { return };
        if self.questions.is_open_for(exchange) {
            self.set_deadline(exchange, Due::TimeOut(exchange), now + limit);
            return;
        }
        let id = call.id.clone();
        let failure = Failure::timeout(&self.name.host, limit);
        self.fail(exchange, &failure);
        let params = format!("{{\"requestId\":{id},\"reason\":\"timed out\"}}");
        let message = Message::notification("notifications/cancelled", Some(&params));
        self.commands.push(Command::Cancel(exchange, message));
    }

    /// An exchange of the bridge's own got no answer: whatever waits for it goes on.
    fn stuck(&mut self, exchange: ExchangeId, now: Instant) {
        match self.exchanges.get_mut(&exchange) {
            None => {}
            // Some servers leave this answer open and send messages by it.
            Some((Purpose::Initialized, _)) => {
                self.end_own(exchange);
                self.initialized_ended(exchange, Outcome::Accepted, now);
            }
            Some((Purpose::Notification(_), at)) if self.notifying == Some(exchange) => {
                *at = now + OWN_TIME;
                self.deadlines.set(Due::Stuck(exchange), *at);
                self.notifying = None;
            }
            Some(_) => {
                self.commands.push(Command::Stop(exchange));
                let failure = Failure::timeout(&self.name.host, OWN_TIME);
                self.ended(exchange, Outcome::Failed(failure), now);
            }
        }
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

    fn time_limit(&self, method: &str) -> Option<Duration> {
        match method {
            "tools/call" => self.settings.tool_timeout,
            other if UNTIMED.contains(&other) => None,
            _ => Some(REQUEST_TIME),
        }
    }

    pub(super) fn set_deadline(&mut self, exchange: ExchangeId, due: Due, at: Instant) {
        self.clear_deadline(exchange);
        self.deadlines.set(due, at);
        if let Some(call) = self.in_flight.get_mut(exchange) {
            call.deadline = Some(at);
        }
    }

    fn clear_deadline(&mut self, exchange: ExchangeId) {
        let Some(call) = self.in_flight.get_mut(exchange) else { return };
        if let Some(at) = call.deadline.take() {
            self.deadlines.clear(Due::GiveUp(exchange), at);
            self.deadlines.clear(Due::TimeOut(exchange), at);
        }
    }

    // ---- the end

    /// The client sends no more: its end of input, or a signal.
    pub(super) fn end(&mut self, now: Instant) {
        if std::mem::replace(&mut self.ending, true) {
            return;
        }
        self.deadlines.set(Due::Drained, now + self.settings.drain);
        self.finish_if_idle();
    }

    fn finish_if_idle(&mut self) {
        let owed = matches!(self.client, Client::Opening { .. });
        let own = self.exchanges.values().any(|(each, _)| !matches!(each, Purpose::Ping(..)));
        let idle = self.in_flight.is_empty() && !own && self.notifications.is_empty();
        if self.ending && idle && !owed {
            self.finish();
        }
    }

    fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let ending = Failure::ending();
        // What was never sent failed for the reason that kept it from being sent.
        let unsent = self.last_refusal().cloned().unwrap_or_else(Failure::ending_unsent);
        for exchange in self.in_flight.all() {
            let sent = self.in_flight.get(exchange).is_some_and(|c| c.state != CallState::Waiting);
            self.fail(exchange, if sent { &ending } else { &unsent });
        }
        let opening = self.last_refusal().cloned().unwrap_or(ending);
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
        while self.in_flight.has_waiting() && self.in_flight.sent() < self.capacity {
            let Some(exchange) = self.in_flight.send_next(generation) else { break };
            self.clear_deadline(exchange);
            let Some(call) = self.in_flight.get(exchange) else { continue };
            let message = call.message.clone();
            if let Some(limit) = self.time_limit(call.method()) {
                self.set_deadline(exchange, Due::TimeOut(exchange), now + limit);
            }
            if self.is_held(exchange, now) {
                continue;
            }
            let repeatable = self.may_repeat(&message);
            self.send(exchange, message, session.clone(), repeatable);
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
            self.write(failure::response(&call.id, failure, &self.name));
        }
    }

    /// Takes a request out, whatever it waits for.
    pub(super) fn take_call(&mut self, exchange: ExchangeId) -> Option<Call> {
        self.clear_deadline(exchange);
        self.in_flight.remove(exchange)
    }

    fn next_exchange(&mut self) -> ExchangeId {
        self.last_exchange += 1;
        self.last_exchange
    }

    /// A second `initialize`, or one that can't be served any more.
    pub(super) fn refuse_initialize(&mut self, failure: &Failure) {
        let Some(hello) = self.client.take_opening() else { return };
        if let Some(id) = hello.request.id() {
            self.write(failure::response(id, failure, &self.name));
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
