//! `ping` at intervals, for those who ask for it: a server, or a balancer before it, that forgets quiet
//! sessions then sees one that is not quiet. Nothing here wakes the process unless it was asked for.

use std::time::Instant;

use super::deadlines::Due;
use super::handshake::Server;
use super::machine::{Machine, OWN_TIME, Purpose};
use super::remembered::Memory;
use crate::remote::Outcome;

impl<M: Memory> Machine<M> {
    /// The connection stands: from now on the server hears from us.
    pub(super) fn schedule_ping(&mut self, now: Instant) {
        if let Some(every) = self.settings.ping_every {
            self.deadlines.clear_all(Due::Ping);
            self.deadlines.set(Due::Ping, now + every);
        }
    }

    /// Sends one, unless there is no connection; the next connection begins anew.
    pub(super) fn ping(&mut self, now: Instant) {
        let Server::Open { session, .. } = &self.server else { return };
        let session = session.clone();
        let (id, message) = self.restore.request("ping", "{}");
        let exchange = self.begin(Purpose::Ping(id, session.generation), OWN_TIME, now);
        self.send(exchange, message, Some(session), true);
        self.schedule_ping(now);
    }

    /// What it came to matters only where the session turns out to be lost: then there is time to open
    /// another before somebody needs it.
    pub(super) fn ping_ended(&mut self, generation: u64, outcome: &Outcome, now: Instant) {
        match outcome {
            Outcome::SessionLost(_) => {
                if self.session_lost(generation, now) {
                    self.begin_handshake(now);
                }
            }
            Outcome::Failed(failure) => {
                tracing::info!("a ping was not answered: {}", failure.what);
            }
            Outcome::Answered | Outcome::Accepted => {}
        }
    }
}
