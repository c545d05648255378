//! What the client sends, and what becomes of it.

use std::time::Instant;

use super::failure;
use super::handshake::Client;
use super::in_flight::{Call, CallState};
use super::machine::{Command, ExchangeId, Machine, OWN_TIME, Purpose};
use super::remembered::Memory;
use crate::jsonrpc::{Id, Kind, METHOD_NOT_FOUND, Malformed, Message, read};
use crate::remote::Failure;
use crate::remote::lifecycle::modern::is_handshake;

/// Notifications of the client that wait for their turn, and the bytes that they may hold.
const MAX_NOTIFICATIONS: usize = 65_536;
const MAX_NOTIFICATION_BYTES: usize = 32 * 1024 * 1024;

impl<M: Memory> Machine<M> {
    /// A message of the client.
    pub(super) fn client_sent(&mut self, message: Message, now: Instant) {
        if self.ending || self.sign_in_sees(&message, now) {
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
            "initialize" if is_handshake(&message) => self.initialize(message, now),
            // What it opened with decides: by then its answers come from a session.
            "server/discover" if !matches!(self.client, Client::New) => {
                let why = "Method not found: this client has opened a session by `initialize`";
                self.refuse_line(Some(&id), METHOD_NOT_FOUND, why);
            }
            _ => {
                if method == "tools/call"
                    && !self.is_reconnection(&message)
                    && let Some(failure) = self.filtering.refuses(&message)
                {
                    self.write(failure::response(&id, &failure, &self.name, true));
                    return;
                }
                let Some((message, page_shown)) = self.without_page_answer(message, &id) else {
                    return;
                };
                if let Some(result) = self.answer_of_ours(&message, method) {
                    self.write(Message::result(&id, &result));
                    return;
                }
                self.enqueue(message, id, page_shown, now);
            }
        }
    }

    fn enqueue(&mut self, message: Message, id: Id, page_shown: bool, now: Instant) {
        let listens = message.method() == Some("subscriptions/listen");
        if !self.has_room() || (listens && self.has_streams_enough()) {
            let failure = Failure::too_many(&self.name.host);
            self.write(failure::response(&id, &failure, &self.name, true));
            return;
        }
        let exchange = self.insert_call(message, id);
        if page_shown
            && let Some(modern) =
                self.in_flight.get_mut(exchange).and_then(|call| call.modern.as_mut())
        {
            modern.page_shown = true;
        }
        self.wait_for_connection(exchange, now);
    }

    /// Takes a request in, as one that waits.
    pub(super) fn insert_call(&mut self, message: Message, id: Id) -> ExchangeId {
        let exchange = self.next_exchange();
        let modern = self.modern(&message);
        let call = Call {
            modern,
            message,
            id,
            state: CallState::Waiting,
            recovered: false,
            sendings: 0,
            checked: false,
            sign_ins: 0,
            deadline: None,
        };
        self.in_flight.insert(exchange, call);
        exchange
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
}
