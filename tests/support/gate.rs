//! A door that opens once: how a test puts two sides into an order without sleeping.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::DEADLINE;
use super::watched::Watched;

/// Closed until somebody opens it, open for ever after. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    name: Arc<str>,
    open: Arc<Watched<bool>>,
}

impl Gate {
    /// The name is what a test that waited in vain says.
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), open: Arc::default() }
    }

    pub fn open(&self) {
        self.open.update(|open| *open = true);
    }

    pub fn is_open(&self) -> bool {
        *self.open.read()
    }

    /// Blocks until the gate is open; panics at the deadline.
    #[track_caller]
    pub fn wait(&self) {
        assert!(self.wait_at_most(DEADLINE), "nobody opened {self:?} within {DEADLINE:?}");
    }

    /// Blocks until the gate is open or the time is over; says whether it is open.
    pub fn wait_at_most(&self, time: Duration) -> bool {
        self.open.wait(time, |open| open.then_some(())).is_some()
    }

    /// Waits without a deadline: what waits here is a fixture's own task, and the test that it
    /// serves has a deadline of its own.
    pub async fn opened(&self) {
        self.open.until(|open| open.then_some(())).await;
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the gate `{}`", self.name)
    }
}
