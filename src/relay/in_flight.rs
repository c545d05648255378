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
    /// Whether it waited for a sign-in, which each request does once.
    pub(super) signed_in: bool,
    /// How often it was sent.
    pub(super) sendings: u32,
    /// When it is answered with an error, as set among the deadlines.
    pub(super) deadline: Option<Instant>,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallState {
    /// Not sent.
    Waiting,
    /// Not sent, or not executed: it waits for a person to sign in.
    Parked,
    /// Sent in the session of this generation; 0 before any.
    Sent(u64),
}

impl Call {
    pub(super) fn method(&self) -> &str {
        self.message.method().unwrap_or_default()
    }
}

/// All of them, by the exchange that carries each.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) max_waiting: usize,
    calls: HashMap<ExchangeId, Call>,
    /// Exchanges are numbered as they come, so that what waits again has its place before later ones.
    waiting: BTreeSet<ExchangeId>,
    parked: BTreeSet<ExchangeId>,
    ids: HashMap<Id, Vec<ExchangeId>>,
    waiting_bytes: usize,
    sent: usize,
}

impl Default for InFlight {
    fn default() -> Self {
        Self {
            max_waiting: MAX_WAITING,
            calls: HashMap::new(),
            waiting: BTreeSet::new(),
            parked: BTreeSet::new(),
            ids: HashMap::new(),
            waiting_bytes: 0,
            sent: 0,
        }
    }
}

impl InFlight {
    /// Whether another request may be taken from the client.
    pub(super) fn has_room(&self, max_message_size: usize) -> bool {
        self.waiting.len() + self.parked.len() < self.max_waiting
            && self.waiting_bytes
                < max_message_size.saturating_mul(MAX_WAITING_SIZE).max(LEAST_WAITING_BYTES)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn sent(&self) -> usize {
        self.sent
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
        self.waiting.insert(exchange);
        self.ids.entry(call.id.clone()).or_default().push(exchange);
        self.calls.insert(exchange, call);
    }

    /// The next request to send, marked as sent in the session of that generation.
    pub(super) fn send_next(&mut self, generation: u64) -> Option<ExchangeId> {
        let exchange = self.waiting.pop_first()?;
        let call = self.calls.get_mut(&exchange)?;
        self.waiting_bytes -= call.message.bytes().len();
        call.state = CallState::Sent(generation);
        call.sendings += 1;
        self.sent += 1;
        Some(exchange)
    }

    /// Puts a request that was sent back to the front of those that wait.
    pub(super) fn wait_again(&mut self, exchange: ExchangeId) {
        let Some(call) = self.calls.get_mut(&exchange) else { return };
        if call.state == CallState::Waiting {
            return;
        }
        match call.state {
            CallState::Sent(_) => {
                self.sent -= 1;
                self.waiting_bytes += call.message.bytes().len();
            }
            CallState::Parked => {
                self.parked.remove(&exchange);
            }
            CallState::Waiting => {}
        }
        call.state = CallState::Waiting;
        self.waiting.insert(exchange);
    }

    /// Lays a request aside until a person has signed in.
    pub(super) fn park(&mut self, exchange: ExchangeId) {
        self.wait_again(exchange);
        if let Some(call) = self.calls.get_mut(&exchange) {
            call.state = CallState::Parked;
            self.waiting.remove(&exchange);
            self.parked.insert(exchange);
        }
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
        match call.state {
            CallState::Sent(_) => self.sent -= 1,
            CallState::Waiting | CallState::Parked => {
                self.waiting.remove(&exchange);
                self.parked.remove(&exchange);
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

    /// All, in no order.
    pub(super) fn all(&self) -> Vec<ExchangeId> {
        self.calls.keys().copied().collect()
    }
}
