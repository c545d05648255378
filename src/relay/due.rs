//! What becomes due, and what is done then.

use std::time::{Duration, Instant};

use super::deadlines::Due;
use super::machine::{Command, ExchangeId, Machine, OWN_TIME, Purpose};
use super::remembered::Memory;
use crate::jsonrpc::Message;
use crate::remote::{Failure, Outcome};

/// Requests other than `tools/call` are answered within this.
pub(super) const REQUEST_TIME: Duration = Duration::from_secs(300);
/// Requests that wait for whatever they wait for.
const UNTIMED: [&str; 2] = ["subscriptions/listen", "tasks/result"];

impl<M: Memory> Machine<M> {
    /// Does what has become due.
    pub(super) fn tick(&mut self, now: Instant) {
        while !self.finished
            && let Some(due) = self.deadlines.take(now)
        {
            match due {
                Due::Provisional => self.answer_provisionally(now),
                Due::Handshake => self.begin_handshake(now),
                Due::Retry => self.try_again(),
                Due::GiveUp(exchange) => self.give_up(exchange, now),
                Due::TimeOut(exchange) => self.time_out(exchange, now),
                Due::Stuck(exchange) => self.stuck(exchange, now),
                Due::Page => self.open_page(),
                Due::Progress(exchange) => self.progress_due(exchange, now),
                Due::Ping => self.ping(now),
                Due::Drained => self.finish(),
            }
        }
        self.pump(now);
    }

    fn time_out(&mut self, exchange: ExchangeId, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let Some(limit) = self.time_limit(call.method()) else { return };
        if call.method() == "server/discover" {
            self.discover_is_late(exchange, now);
            return;
        }
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

    pub(super) fn time_limit(&self, method: &str) -> Option<Duration> {
        match method {
            "tools/call" => self.settings.tool_timeout,
            "server/discover" => Some(self.settings.handshake_patience),
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

    pub(super) fn clear_deadline(&mut self, exchange: ExchangeId) {
        let Some(call) = self.in_flight.get_mut(exchange) else { return };
        if let Some(at) = call.deadline.take() {
            self.deadlines.clear(Due::GiveUp(exchange), at);
            self.deadlines.clear(Due::TimeOut(exchange), at);
        }
    }
}
