//! The client's requests that were not answered yet: those that wait and those that were sent.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use super::machine::ExchangeId;
use crate::jsonrpc::{Id, Message};

/// Requests that may wait, and the bytes that they may hold; more are answered with an error. They can't
/// be left unread: answers, cancellations and the end of the input stand behind them (ADR 0010).
const MAX_WAITING: usize = 65_536;
/// In messages of the largest size, and at the least.
const MAX_WAITING_SIZE: usize = 4;
const LEAST_WAITING_BYTES: usize = 64 * 1024 * 1024;

/// One request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) message: Message,
    pub(super) id: Id,
    pub(super) state: CallState,
    /// Whether it had the present session opened again, which each request may once.
    pub(super) recovered: bool,
    /// Whether the server's list was asked what its tool does.
    pub(super) checked: bool,
    /// Sign-ins that it waited for.
    pub(super) sign_ins: u8,
    /// How often it was sent.
    pub(super) sendings: u32,
    /// When it is answered with an error, as set among the deadlines.
    pub(super) deadline: Option<Instant>,
    /// What is kept of it if its client speaks without a handshake.
    pub(super) modern: Option<Modern>,
}

/// What is kept of a request of MCP 2026-07-28.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Modern {
    /// It is a `subscriptions/listen`, which stays open and has no place among the requests in flight.
    pub(super) listens: bool,
    /// The client has seen the stream confirmed.
    pub(super) acknowledged: bool,
    /// The stream stands.
    pub(super) stands: bool,
    /// It waited for the server or a person, so that its client may have missed changes.
    pub(super) waited: bool,
    /// Its client was asked to show the page of a sign-in, and did.
    pub(super) page_shown: bool,
    /// Until when a list waits for a server that can't be reached.
    pub(super) until: Option<Instant>,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallState {
    /// Not sent.
    Waiting,
    /// Not sent, or not executed: it waits for a person to sign in.
    Parked,
    /// It found no server, and waits for the next attempt.
    Paused,
    /// Sent in the session of this generation; 0 before any.
    Sent(u64),
}

impl Call {
    pub(super) fn method(&self) -> &str {
        self.message.method().unwrap_or_default()
    }

    /// Whether it asks for a stream of changes, which waits as long as it takes.
    pub(super) fn listens(&self) -> bool {
        self.modern.is_some_and(|modern| modern.listens)
    }
}

/// All of them, by the exchange that carries each.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) max_waiting: usize,
    calls: HashMap<ExchangeId, Call>,
    /// Exchanges are numbered as they come, so that what waits again has its place before later ones.
    waiting: BTreeSet<ExchangeId>,
    /// Streams of changes that wait to be sent: they wait for nothing else.
    waiting_streams: BTreeSet<ExchangeId>,
    parked: BTreeSet<ExchangeId>,
    paused: BTreeSet<ExchangeId>,
    ids: HashMap<Id, Vec<ExchangeId>>,
    waiting_bytes: usize,
    sent: usize,
    /// Streams of changes, wherever they are, and those that were sent.
    streams: usize,
    sent_streams: usize,
}

impl Default for InFlight {
    fn default() -> Self {
        Self {
            max_waiting: MAX_WAITING,
            calls: HashMap::new(),
            waiting: BTreeSet::new(),
            waiting_streams: BTreeSet::new(),
            parked: BTreeSet::new(),
            paused: BTreeSet::new(),
            ids: HashMap::new(),
            waiting_bytes: 0,
            sent: 0,
            streams: 0,
            sent_streams: 0,
        }
    }
}

impl InFlight {
    /// Whether another request may be taken from the client.
    pub(super) fn has_room(&self, max_message_size: usize) -> bool {
        self.waiting.len() + self.parked.len() + self.paused.len() < self.max_waiting
            && self.waiting_bytes
                < max_message_size.saturating_mul(MAX_WAITING_SIZE).max(LEAST_WAITING_BYTES)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Streams of changes, wherever they are.
    pub(super) fn streams(&self) -> usize {
        self.streams
    }

    /// Streams of changes that were sent.
    pub(super) fn sent_streams(&self) -> usize {
        self.sent_streams
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn get(&self, exchange: ExchangeId) -> Option<&Call> {
        self.calls.get(&exchange)
    }

    pub(super) fn get_mut(&mut self, exchange: ExchangeId) -> Option<&mut Call> {
        self.calls.get_mut(&exchange)
    }

    /// Adds a request that waits.
    pub(super) fn insert(&mut self, exchange: ExchangeId, call: Call) {
        self.waiting_bytes += call.message.bytes().len();
        if call.listens() {
            self.streams += 1;
            self.waiting_streams.insert(exchange);
        } else {
            self.waiting.insert(exchange);
        }
        self.ids.entry(call.id.clone()).or_default().push(exchange);
        self.calls.insert(exchange, call);
    }

    /// The next request to send, marked as sent in the session of that generation, if fewer than `capacity`
    /// are under way. Streams of changes are not counted and wait for no other.
    pub(super) fn send_next(&mut self, generation: u64, capacity: usize) -> Option<ExchangeId> {
        let stream = self.waiting_streams.pop_first();
        let other = || (self.sent < capacity).then(|| self.waiting.pop_first()).flatten();
        let exchange = stream.or_else(other)?;
        let call = self.calls.get_mut(&exchange)?;
        self.waiting_bytes -= call.message.bytes().len();
        // A request without a handshake belongs to no session.
        call.state = CallState::Sent(if call.modern.is_some() { 0 } else { generation });
        call.sendings += 1;
        *(if call.listens() { &mut self.sent_streams } else { &mut self.sent }) += 1;
        Some(exchange)
    }

    /// Puts a request that was sent back to the front of those that wait.
    pub(super) fn wait_again(&mut self, exchange: ExchangeId) {
        let Some(call) = self.calls.get_mut(&exchange) else { return };
        if call.state == CallState::Waiting {
            return;
        }
        if let CallState::Sent(_) = call.state {
            *(if call.listens() { &mut self.sent_streams } else { &mut self.sent }) -= 1;
            self.waiting_bytes += call.message.bytes().len();
        }
        self.parked.remove(&exchange);
        self.paused.remove(&exchange);
        call.state = CallState::Waiting;
        let waiting = if call.listens() { &mut self.waiting_streams } else { &mut self.waiting };
        waiting.insert(exchange);
    }

    /// Lays a request aside until a person has signed in.
    pub(super) fn park(&mut self, exchange: ExchangeId) {
        if self.lay_aside(exchange, CallState::Parked) {
            self.parked.insert(exchange);
        }
    }

    /// Lays a request aside until the server is tried again.
    pub(super) fn pause(&mut self, exchange: ExchangeId) {
        if self.lay_aside(exchange, CallState::Paused) {
            self.paused.insert(exchange);
        }
    }

    fn lay_aside(&mut self, exchange: ExchangeId, state: CallState) -> bool {
        self.wait_again(exchange);
        let Some(call) = self.calls.get_mut(&exchange) else { return false };
        call.state = state;
        if let Some(modern) = &mut call.modern {
            (modern.stands, modern.waited) = (false, true);
        }
        self.waiting.remove(&exchange);
        self.waiting_streams.remove(&exchange);
        true
    }

    /// Takes a request out: it is answered, or nobody waits for its answer any more.
    pub(super) fn remove(&mut self, exchange: ExchangeId) -> Option<Call> {
        let call = self.calls.remove(&exchange)?;
        if let Some(same) = self.ids.get_mut(&call.id) {
            same.retain(|each| *each != exchange);
            if same.is_empty() {
                self.ids.remove(&call.id);
            }
        }
        self.streams -= usize::from(call.listens());
        match call.state {
            CallState::Sent(_) if call.listens() => self.sent_streams -= 1,
            CallState::Sent(_) => self.sent -= 1,
            CallState::Waiting => {
                self.waiting.remove(&exchange);
                self.waiting_streams.remove(&exchange);
                self.waiting_bytes -= call.message.bytes().len();
            }
            CallState::Parked | CallState::Paused => {
                self.parked.remove(&exchange);
                self.paused.remove(&exchange);
                self.waiting_bytes -= call.message.bytes().len();
            }
        }
        Some(call)
    }

    /// The request that carries this id; of several, which no client should send, any.
    pub(super) fn by_id(&self, id: &Id) -> Option<ExchangeId> {
        self.ids.get(id)?.first().copied()
    }

    /// Those that wait, in order.
    pub(super) fn waiting(&self) -> Vec<ExchangeId> {
        self.waiting.iter().copied().collect()
    }

    /// Those that wait for a sign-in, in order.
    pub(super) fn parked(&self) -> Vec<ExchangeId> {
        self.parked.iter().copied().collect()
    }

    /// Whether somebody waits for a sign-in: behind a stream of changes there is nobody.
    pub(super) fn is_anybody_parked(&self) -> bool {
        self.parked.iter().any(|each| self.calls.get(each).is_some_and(|call| !call.listens()))
    }

    /// Those that wait for the next attempt to reach the server, in order.
    pub(super) fn paused(&self) -> Vec<ExchangeId> {
        self.paused.iter().copied().collect()
    }

    /// Streams of changes, wherever they are.
    pub(super) fn all_streams(&self) -> Vec<ExchangeId> {
        if self.streams == 0 {
            return Vec::new();
        }
        let streams = self.calls.iter().filter(|(_, call)| call.listens());
        let mut streams: Vec<_> = streams.map(|(exchange, _)| *exchange).collect();
        streams.sort_unstable();
        streams
    }

    /// All, in no order.
    pub(super) fn all(&self) -> Vec<ExchangeId> {
        self.calls.keys().copied().collect()
    }
}
