//! What a defect of this program may not do: leave a request without its answer, or end the process. A
//! piece of work that panics is given up, and whoever waited for it is answered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::failure;
use super::handshake::{Client, Server};
use super::machine::{Command, ExchangeId, FromServer, Machine, Origin};
use super::remembered::Memory;
use crate::auth::Phase;
use crate::jsonrpc::{Id, Kind, Message};
use crate::remote::{Failure, Outcome};

/// Breakdowns after which there is no point in going on.
const MAX_BREAKDOWNS: u32 = 16;

/// Who waits for a piece of work.
struct Owed {
    /// The request that is answered by it.
    id: Option<Id>,
    /// The exchange that it belongs to.
    exchange: Option<ExchangeId>,
}

impl<M: Memory> Machine<M> {
    /// [`Machine::client_sent`], whose request is answered whatever happens.
    pub(super) fn take_from_client(&mut self, message: Message, now: Instant) {
        let id = match message.kind() {
            Kind::Request { id, .. } => Some(id.clone()),
            Kind::Notification { .. } | Kind::Response { .. } => None,
        };
        let owed = Owed { id, exchange: None };
        self.guard(owed, now, |machine| machine.client_sent(message, now));
    }

    /// [`Machine::server_sent`]; a response that breaks it down is replaced by an error.
    pub(super) fn take_from_server(&mut self, sent: FromServer, now: Instant) {
        let id = sent.message.response_id().filter(|id| self.is_open(id)).cloned();
        let exchange = match sent.origin {
            Origin::Exchange(exchange) => Some(exchange),
            Origin::Stream(_) => None,
        };
        self.guard(Owed { id, exchange }, now, |machine| machine.server_sent(sent, now));
    }

    /// [`Machine::ended`], after which nobody waits for the exchange.
    pub(super) fn take_end(&mut self, exchange: ExchangeId, outcome: Outcome, now: Instant) {
        let id = self.in_flight.get(exchange).map(|call| call.id.clone());
        let owed = Owed { id, exchange: Some(exchange) };
        self.guard(owed, now, |machine| machine.ended(exchange, outcome, now));
    }

    /// [`Machine::tick`], after which nothing is overdue.
    pub(super) fn take_time(&mut self, now: Instant) {
        let owed = Owed { id: None, exchange: None };
        self.guard(owed, now, |machine| machine.tick(now));
    }

    /// [`Machine::sign_in_changed`]; what it did not come to waits on, as long as it may.
    pub(super) fn take_phase(&mut self, phase: Phase, now: Instant) {
        let owed = Owed { id: None, exchange: None };
        self.guard(owed, now, |machine| machine.sign_in_changed(phase, now));
    }

    /// [`Machine::finish`], however broken the state is.
    pub(super) fn finish_anyhow(&mut self) {
        let done = catch_unwind(AssertUnwindSafe(|| self.finish()));
        let told = |command: &Command| matches!(command, Command::Finish);
        if done.is_err() && !self.commands.iter().any(told) {
            self.commands.push(Command::Finish);
        }
    }

    fn guard(&mut self, owed: Owed, now: Instant, work: impl FnOnce(&mut Self)) {
        let finished = self.finished;
        let done = catch_unwind(AssertUnwindSafe(|| work(self)));
        // After the end nobody waits for anything.
        if done.is_ok() || finished {
            return;
        }
        self.breakdowns += 1;
        let mended = catch_unwind(AssertUnwindSafe(|| self.mend(owed, now)));
        let ended = self.commands.iter().any(|command| matches!(command, Command::Finish));
        let half_ended = self.finished || mended.is_err() || self.breakdowns > MAX_BREAKDOWNS;
        if half_ended && !ended {
            self.finished = false;
            self.finish_anyhow();
        }
    }

    /// Answers who waits for work that was given up, and lets go of what hangs on it.
    fn mend(&mut self, owed: Owed, now: Instant) {
        let failure = Failure::internal("a defect of bridge broke off the work on this message");
        if let Some(id) = owed.id {
            self.answer_once(&id, &failure);
        }
        if let Some(exchange) = owed.exchange.filter(|each| !self.exchanges.contains_key(each)) {
            self.let_go(exchange, &failure, now);
        }
        for exchange in self.in_flight.all() {
            let due = self.in_flight.get(exchange).and_then(|call| call.deadline);
            if due.is_some_and(|due| due <= now) {
                self.fail(exchange, &failure);
                self.commands.push(Command::Stop(exchange));
            }
        }
        self.pump(now);
    }

    /// Writes the error that a request is owed, unless its answer is on its way already.
    fn answer_once(&mut self, id: &Id, failure: &Failure) {
        let answers = |command: &Command| matches!(command, Command::Write(message, _) if message.answers(id));
        let answered = self.commands.iter().any(answers);
        if let Some(exchange) = self.in_flight.by_id(id) {
            self.take_call(exchange);
            self.commands.push(Command::Stop(exchange));
        }
        if self.opening_id() == Some(id) {
            self.client.take_opening();
        }
        if !answered {
            self.write(failure::response(id, failure, &self.name, true));
        }
    }

    /// The exchange is over for whatever still waits for it.
    fn let_go(&mut self, exchange: ExchangeId, failure: &Failure, now: Instant) {
        self.notifying.take_if(|each| *each == exchange);
        match &self.server {
            Server::Opening { exchange: own, .. } if *own == exchange => {
                let outcome = Outcome::Failed(failure.clone());
                self.handshake_ended(exchange, outcome, now);
            }
            Server::Settling { sent, .. } if *sent == Some(exchange) => {
                self.initialized_ended(exchange, Outcome::Accepted, now);
            }
            _ => {}
        }
    }

    fn opening_id(&self) -> Option<&Id> {
        match &self.client {
            Client::Opening { hello, .. } => hello.request.id(),
            Client::New | Client::Open { .. } => None,
        }
    }

    fn is_open(&self, id: &Id) -> bool {
        self.in_flight.by_id(id).is_some() || self.opening_id() == Some(id)
    }
}
