//! Clients without a handshake (MCP 2026-07-28), as far as the bridge has to tell them something itself. Each of
//! their requests goes to the server at once, and finds out by itself whether there is one.

use std::time::{Duration, Instant};

use super::deadlines::Due;
use super::failure;
use super::handshake::{Client, REFUSED_WAIT, Server, WAITED_FOR, is_refusal};
use super::in_flight::{Call, Modern};
use super::machine::{Command, ExchangeId, Machine, OWN_TIME, Purpose};
use super::remembered::{Memory, Place, is_list};
use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::{Message, object, read};
use crate::remote::lifecycle::modern::{
    CLIENT_CAPABILITIES, CLIENT_INFO, PROTOCOL_VERSION, declared_version,
};
use crate::remote::{Failure, Patience};

/// Answers to `server/discover` that came too late are waited for in this number, to be remembered.
const MAX_LATE: usize = 64;

/// What is known of a client without a handshake.
#[derive(Debug, Default)]
pub(super) struct ModernClient {
    /// What it calls itself.
    pub(super) name: String,
    /// It has lists of ours that no stream of changes told it of yet.
    pub(super) outdated: bool,
    /// When the requests that found no server are sent again.
    retry_at: Option<Instant>,
}

/// A field of the `_meta` of a request, as JSON text.
pub(super) fn meta<'a>(request: &'a Message, key: &str) -> Option<&'a str> {
    member_at(read::params(request)?, &["_meta", key])
}

/// What the client of a request calls itself.
pub(super) fn client_name(request: &Message) -> String {
    let name = meta(request, CLIENT_INFO).and_then(|info| member(info, "name"));
    name.and_then(|name| serde_json::from_str(name).ok()).unwrap_or_default()
}

/// Whether the client of a request opens pages for its user when it is asked to.
pub(super) fn elicits_by_url(request: &Message) -> bool {
    meta(request, CLIENT_CAPABILITIES)
        .and_then(|capabilities| member_at(capabilities, &["elicitation", "url"]))
        .is_some_and(|value| value.starts_with('{'))
}

/// The `_meta` of a request of our own, made beside that of its client.
pub(super) fn meta_of_ours(request: &Message) -> String {
    let fields = [PROTOCOL_VERSION, CLIENT_INFO, CLIENT_CAPABILITIES];
    let fields = fields.iter().filter_map(|key| Some((*key, meta(request, key)?)));
    let fields: Vec<_> = fields.map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// A result that the server did not give now, with what modern results carry: nobody else may have it, and
/// it is good for no later request (MCP 2026-07-28, caching).
pub(super) fn fleeting(result: &str) -> String {
    let mut result = completed(result);
    for (key, value) in [("cacheScope", "\"private\""), ("ttlMs", "0")] {
        result = object::with(&result, key, value).unwrap_or(result);
    }
    result
}

/// A result with the member that each modern one has.
pub(super) fn completed(result: &str) -> String {
    let set = |result| object::with(result, "resultType", "\"complete\"");
    set(result).unwrap_or_else(|| result.to_owned())
}

impl<M: Memory> Machine<M> {
    /// What is kept of a request whose client speaks without a handshake; `None` for one of any other.
    pub(super) fn modern(&self, request: &Message) -> Option<Modern> {
        if !matches!(self.client, Client::New) {
            return None;
        }
        let method = request.method().unwrap_or_default();
        let declared = method == "server/discover" || declared_version(request).is_some();
        let listens = method == "subscriptions/listen";
        declared.then(|| Modern { listens, ..Modern::default() })
    }

    /// How hard a request is tried below. What is tried again here fails there at once, and so does what
    /// finds no server that was never reached: a person waits for the reason.
    pub(super) fn patience(&self, call: &Call) -> Patience {
        let ours = call.listens() || !self.was_open || call.method() == "server/discover";
        if call.modern.is_some() && ours { Patience::Once } else { Patience::Persistent }
    }

    /// A list waits for a server that was never reached no longer than any client does, however often it
    /// is sent.
    pub(super) fn list_sent(&mut self, exchange: ExchangeId, now: Instant) {
        let (first, patience) = (!self.was_open, self.settings.list_patience);
        let Some(call) = self.in_flight.get_mut(exchange).filter(|_| first) else { return };
        let lists = is_list(call.method());
        let Some(modern) = call.modern.as_mut().filter(|_| lists) else { return };
        let until = *modern.until.get_or_insert(now + patience);
        self.set_deadline(exchange, Due::GiveUp(exchange), until.max(now));
    }

    /// A list was under way as long as a client waits for a connection. The server may just be slow: only
    /// where it is known to be away, or its earlier answer is known, the client has something of ours.
    pub(super) fn list_is_late(&mut self, exchange: ExchangeId, now: Instant) {
        let away = self.last_refusal().is_some();
        let remembered = self.give_remembered(exchange);
        if remembered || (away && self.give_list(exchange)) {
            self.commands.push(Command::Stop(exchange));
        } else if let Some(limit) =
            self.in_flight.get(exchange).and_then(|call| self.time_limit(call.method()))
        {
            self.set_deadline(exchange, Due::TimeOut(exchange), now + limit);
        }
    }

    // ---- what a request comes to

    /// A request of a modern client found no server, or one that refused it.
    pub(super) fn modern_failed(&mut self, exchange: ExchangeId, failure: &Failure, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        // The server's own words are the answer.
        let passes = failure.may_pass() && failure.answer.is_none();
        let (method, listens) = (call.method(), call.listens());
        if method == "server/discover" && (passes || failure.wants_person()) {
            self.undiscovered(exchange, Some(failure), now);
            return;
        }
        if failure.wants_person() {
            self.sign_in_met(exchange, failure, now);
            return;
        }
        let waits = if listens { !is_refusal(failure) } else { is_list(method) && !self.was_open };
        if !passes || !waits || !matches!(self.client, Client::New) {
            self.fail(exchange, failure);
            return;
        }
        self.server = Server::Closed { last: Some((failure.clone(), now)) };
        if !self.give_remembered(exchange) {
            self.pause(exchange, failure, now);
        }
    }

    /// Lays a request aside until the server is tried again, or another request reaches it.
    fn pause(&mut self, exchange: ExchangeId, failure: &Failure, now: Instant) {
        let Some(modern) = self.in_flight.get(exchange).and_then(|call| call.modern) else {
            return;
        };
        self.in_flight.pause(exchange);
        self.clear_deadline(exchange);
        if let Some(until) = modern.until {
            self.set_deadline(exchange, Due::GiveUp(exchange), until.max(now));
        }
        if !failure.is_tried_again() {
            return;
        }
        let mut wait = match self.modern.retry_at {
            Some(at) => at.saturating_duration_since(now),
            None => self.backoff.wait(),
        };
        if is_refusal(failure) {
            wait = wait.max(REFUSED_WAIT);
        } else if !modern.listens {
            wait = wait.min(WAITED_FOR);
        }
        self.retry_in(wait.max(failure.retry_after.unwrap_or_default()), now);
    }

    fn retry_in(&mut self, wait: Duration, now: Instant) {
        if self.modern.retry_at.is_none_or(|at| at > now + wait) {
            self.deadlines.clear_all(Due::Retry);
            self.deadlines.set(Due::Retry, now + wait);
            self.modern.retry_at = Some(now + wait);
        }
    }

    /// Sends what found no server once more.
    pub(super) fn try_again(&mut self) {
        self.deadlines.clear_all(Due::Retry);
        self.modern.retry_at = None;
        for exchange in self.in_flight.paused() {
            self.clear_deadline(exchange);
            self.in_flight.wait_again(exchange);
        }
    }

    /// The server answered a modern client: it is there.
    pub(super) fn server_reached(&mut self) {
        if !matches!(self.client, Client::New) {
            return;
        }
        self.was_open = true;
        self.server = Server::default();
        self.backoff = super::handshake::backoff();
        self.try_again();
        self.tell_owed_list_changed();
    }

    // ---- answers of ours

    /// Answers a list by what is remembered of it, if anything is.
    fn give_remembered(&mut self, exchange: ExchangeId) -> bool {
        let Some(call) = self.in_flight.get(exchange) else { return false };
        let message = call.message.clone();
        let list = self.remembered_list(&message, true);
        list.is_some_and(|list| self.give(exchange, &list))
    }

    /// Answers a list without the server: by what is remembered, or as empty.
    pub(super) fn give_list(&mut self, exchange: ExchangeId) -> bool {
        let Some(call) = self.in_flight.get(exchange) else { return false };
        let (message, modern) = (call.message.clone(), call.modern.is_some());
        let list = self.list_of_ours(&message, modern);
        list.is_some_and(|list| self.give(exchange, &list))
    }

    fn give(&mut self, exchange: ExchangeId, list: &str) -> bool {
        let Some(call) = self.take_call(exchange) else { return false };
        if call.modern.is_some() {
            self.owe_list_changed();
        }
        self.write(Message::result(&call.id, list));
        true
    }

    // ---- `server/discover`

    /// A `server/discover` was under way as long as clients wait for it. Its answer, if one comes, is
    /// remembered.
    pub(super) fn discover_is_late(&mut self, exchange: ExchangeId, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let purpose = Purpose::Discovery(call.id.clone(), capabilities(&call.message).into());
        self.undiscovered(exchange, None, now);
        if self.exchanges.len() < MAX_LATE {
            self.exchanges.insert(exchange, (purpose, now + OWN_TIME));
            self.deadlines.set(Due::Stuck(exchange), now + OWN_TIME);
        } else {
            self.commands.push(Command::Stop(exchange));
        }
    }

    /// Answers `server/discover` without the server: by what is remembered, else by the signal to fall back
    /// on `initialize` (MCP 2026-07-28, versioning). Nothing is concluded from that.
    fn undiscovered(&mut self, exchange: ExchangeId, refusal: Option<&Failure>, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let id = call.id.clone();
        let remembered = self.memory.recall(Place::Discover, capabilities(&call.message));
        let answer = match remembered {
            Some(result) => Message::result(&id, &fleeting(&result)),
            None => {
                let silent = || Failure::timeout(&self.name.host, self.settings.handshake_patience);
                let why = refusal.or(self.last_refusal()).cloned().unwrap_or_else(silent);
                failure::fall_back(&id, &why, &self.name)
            }
        };
        if refusal.is_some_and(Failure::wants_person) {
            self.sign_in_is_needed();
        }
        if self.last_refusal().is_none() {
            self.tell_why_unasked(refusal);
        }
        if let Some(failure) = refusal.filter(|_| matches!(self.client, Client::New)) {
            self.server = Server::Closed { last: Some((failure.clone(), now)) };
        }
        self.take_call(exchange);
        self.write(answer);
    }

    /// The server answered a `server/discover`.
    pub(super) fn discovered(&mut self, capabilities: &str, answer: &Message) {
        if let Some(result) = read::result(answer) {
            self.memory.keep(Place::Discover, capabilities, result);
        }
    }
}

/// What the client of a request can do, by which answers to `server/discover` are told apart.
pub(super) fn capabilities(request: &Message) -> &str {
    meta(request, CLIENT_CAPABILITIES).unwrap_or_default()
}
