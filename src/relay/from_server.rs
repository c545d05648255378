//! What the server sends, how an exchange with it ends, and what is learnt from both.

use std::time::Instant;

use super::failure;
use super::handshake::Server;
use super::in_flight::{Call, CallState};
use super::machine::{Command, ExchangeId, FromServer, Machine, Notice, OWN_TIME, Origin, Purpose};
use super::modern::capabilities;
use super::questions::MAX_ID;
use super::remembered::{Memory, Place};
use crate::jsonrpc::{INVALID_REQUEST, Id, Kind, Message, edit, read};
use crate::remote::{Carrier, Failure, ListenEnd, Outcome};
use crate::secret::Secret;
use crate::stdio::Room;

/// Tools that are remembered to be repeatable.
const MAX_TOOLS: usize = 10_000;
/// Times that a request is sent in a session that turns out to be lost, whoever opened it.
const MAX_SENDINGS: u32 = 5;
/// Exchanges of our own under way, beyond which a server is not told what was wrong with its requests.
const MAX_REFUSALS: usize = 64;

impl<M: Memory> Machine<M> {
    /// A message of the server.
    pub(super) fn server_sent(&mut self, sent: FromServer, now: Instant) {
        let FromServer { origin, message, room } = sent;
        match message.kind() {
            Kind::Response { id, .. } => {
                let id = id.clone();
                self.response(FromServer { origin, message, room }, id.as_ref(), now);
            }
            Kind::Request { .. } => {
                let (generation, exchange) = self.belongs_to(origin);
                if generation != self.session().map_or(0, |session| session.generation) {
                    tracing::debug!("a question of a session that is gone was dropped");
                    return;
                }
                if message.id().is_some_and(|id| id.len() > MAX_ID) {
                    self.refuse_question(now);
                    return;
                }
                let shown = self.questions.ask(message, generation, exchange);
                self.commands.push(Command::Write(shown, room));
            }
            Kind::Notification { method }
                if &**method == "notifications/subscriptions/acknowledged" =>
            {
                self.stream_acknowledged(FromServer { origin, message, room });
                self.pump(now);
            }
            Kind::Notification { method } => {
                if &**method == "notifications/tools/list_changed" {
                    self.filtering.forget();
                }
                let message = if &**method == "notifications/cancelled" {
                    self.server_cancelled(origin, message)
                } else {
                    message
                };
                self.commands.push(Command::Write(message, room));
            }
        }
    }

    /// Tells the server that a request of its own was not taken; not under its id, which is too long to be
    /// kept and sent about.
    fn refuse_question(&mut self, now: Instant) {
        tracing::warn!("a request of the server has an id of more than {MAX_ID} bytes; refused");
        if self.exchanges.len() >= MAX_REFUSALS {
            return;
        }
        let why = format!("the id of a request is longer than {MAX_ID} bytes");
        let message = failure::refused_line(None, INVALID_REQUEST, &why);
        let exchange = self.begin(Purpose::Reply, OWN_TIME, now);
        let session = self.session();
        self.send(exchange, message, session, true);
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
        if self.answers_lookup(id) {
            self.lookup_answered(&sent.message);
            return;
        }
        let purpose = exchange.and_then(|exchange| self.exchanges.get(&exchange));
        let purpose = purpose.map(|(each, _)| each);
        match purpose {
            Some(Purpose::Handshake) => {
                self.handshake_answered(exchange.unwrap_or_default(), sent, now);
                return;
            }
            Some(Purpose::Restore(own, _) | Purpose::Ping(own, _)) if Some(own) == id => return,
            Some(Purpose::Discovery(own, capabilities)) if Some(own) == id => {
                let capabilities = capabilities.clone();
                if matches!(sent.message.kind(), Kind::Response { failed: false, .. }) {
                    self.discovered(&capabilities, &sent.message);
                    self.server_reached();
                    self.pump(now);
                }
                return;
            }
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
        let succeeded = matches!(sent.message.kind(), Kind::Response { failed: false, .. });
        let modern = self.in_flight.get(answered).is_some_and(|call| call.modern.is_some());
        self.deliver(answered, sent.message, sent.room);
        if modern && succeeded {
            self.server_reached();
        }
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
                failure::response(&call.id, &Failure::blocked(what), &self.name, true)
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
            "server/discover" => self.discovered(capabilities(&call.message), answer),
            _ => {}
        }
        if super::remembered::is_list(method)
            && !read::has_cursor(&call.message)
            && let Some(result) = read::result(answer)
        {
            let place = if call.modern.is_some() { Place::ModernList } else { Place::List };
            self.memory.keep(place, method, result);
        }
    }

    /// An exchange came to its end.
    pub(super) fn ended(&mut self, exchange: ExchangeId, outcome: Outcome, now: Instant) {
        match self.end_own(exchange) {
            None => self.call_ended(exchange, outcome, now),
            Some(Purpose::Handshake) => self.handshake_ended(exchange, outcome, now),
            Some(Purpose::Lookup(_)) => self.lookup_ended(exchange, outcome, now),
            Some(Purpose::Discovery(..)) => {}
            Some(Purpose::Initialized) => self.initialized_ended(exchange, outcome, now),
            Some(Purpose::Notification(notice)) => {
                self.notifying.take_if(|each| *each == exchange);
                self.notification_ended(notice, outcome, now);
            }
            Some(Purpose::Ping(_, generation)) => self.ping_ended(generation, &outcome, now),
            Some(Purpose::Reply) => {
                if let Outcome::Failed(failure) | Outcome::SessionLost(failure) = outcome {
                    tracing::warn!("an answer did not reach the server: {}", failure.what);
                }
            }
            Some(Purpose::Restore(_, generation)) => {
                if let Outcome::Failed(failure) | Outcome::SessionLost(failure) = outcome {
                    tracing::warn!("the session was not set up wholly: {}", failure.what);
                }
                if self.session().is_some_and(|session| session.generation == generation) {
                    self.restore.ended();
                    self.restore_more(generation, now);
                }
            }
        }
        self.pump(now);
    }

    fn call_ended(&mut self, exchange: ExchangeId, outcome: Outcome, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let (recovered, state, sendings) = (call.recovered, call.state, call.sendings);
        let is_modern = call.modern.is_some();
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
            Outcome::Failed(failure) | Outcome::SessionLost(failure) if is_modern => {
                self.modern_failed(exchange, &failure, now);
            }
            Outcome::Failed(failure) if failure.wants_person() => {
                self.sign_in_met(exchange, &failure, now);
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

    /// The messages of the session that is being opened travel this way.
    pub(super) fn carried_by(&mut self, exchange: ExchangeId, by: Carrier) {
        if let Server::Opening { exchange: own, carrier, .. } = &mut self.server
            && *own == exchange
        {
            *carrier = by;
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
        self.listening.take_if(|listening| *listening == generation);
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
}
