//! Points in time at which something is due, the earliest first.

use std::collections::BTreeSet;
use std::time::Instant;

use super::machine::ExchangeId;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The client's `initialize` gets an answer of ours.
    Provisional,
    /// Another attempt at the handshake.
    Handshake,
    /// Requests of a modern client that found no server are sent again.
    Retry,
    /// A request that waits for the connection waits no longer.
    GiveUp(ExchangeId),
    /// A request that was sent waits no longer for its answer.
    TimeOut(ExchangeId),
    /// An exchange of the bridge's own is not waited for any longer.
    Stuck(ExchangeId),
    /// The page of a sign-in opens by itself.
    Page,
    /// A call that waits for a sign-in says so.
    Progress(ExchangeId),
    /// The server is told that somebody is still there.
    Ping,
    /// The answers in flight had their time at the end.
    Drained,
}

/// The set of deadlines. There are few at a time that matter, and none while nothing is going on.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeSet<(Instant, Due)>);

impl Deadlines {
    /// Sets a deadline.
    pub(super) fn set(&mut self, due: Due, at: Instant) {
        self.0.insert((at, due));
    }

    /// Takes one back.
    pub(super) fn clear(&mut self, due: Due, at: Instant) {
        self.0.remove(&(at, due));
    }

    /// Takes all of a kind back.
    pub(super) fn clear_all(&mut self, due: Due) {
        self.0.retain(|(_, each)| *each != due);
    }

    /// When the next one is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }

    /// Takes the next one that has come.
    pub(super) fn take(&mut self, now: Instant) -> Option<Due> {
        let &(at, due) = self.0.first()?;
        if at > now {
            return None;
        }
        self.0.remove(&(at, due));
        Some(due)
    }
}
