//! What all connections of the server share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, mpsc, watch};

use super::fault::Fault;
use super::ledger::Ledger;
use super::schedule::Schedule;
use super::sessions::Sessions;

/// An answer that waits for its stream to be resumed.
#[derive(Debug, Clone)]
pub struct Kept {
    pub answer: String,
    /// Faults that resuming meets before it succeeds.
    pub trouble: Vec<Trouble>,
}

/// What a request for the rest of a stream meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Unavailable,
    Reset,
    CutInEvent,
    Refused,
}

/// What is guarded.
pub struct State {
    pub schedule: Schedule,
    pub sessions: Sessions,
    pub ledger: Ledger,
    /// Answers by the name of their stream.
    pub kept: HashMap<String, Kept>,
    /// Connections that are reset as they come.
    pub reset_next: usize,
    /// Faults outside the schedule: of handshakes and of the GET stream.
    pub extras: BTreeMap<&'static str, usize>,
    /// When a fault last harmed others than the request that met it.
    pub disturbed: Instant,
    /// What a client must not do.
    pub violations: Vec<String>,
}

/// All that is shared.
pub struct World {
    state: Mutex<State>,
    /// Counts answers, so that one can wait for others.
    pub answered: watch::Sender<u64>,
    /// Idle connections close.
    pub close_idle: Notify,
    /// Some sessions were lost.
    pub lost: watch::Sender<u64>,
    /// Said on every stream that the client listens on.
    pub news: watch::Sender<Option<String>>,
    /// Asks for a restart.
    pub restart: mpsc::UnboundedSender<()>,
}

impl World {
    pub fn new(schedule: Schedule, restart: mpsc::UnboundedSender<()>) -> Self {
        let state = State {
            schedule,
            sessions: Sessions::default(),
            ledger: Ledger::default(),
            kept: HashMap::new(),
            reset_next: 0,
            extras: BTreeMap::new(),
            disturbed: Instant::now(),
            violations: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
            answered: watch::Sender::new(0),
            close_idle: Notify::new(),
            lost: watch::Sender::new(0),
            news: watch::Sender::new(None),
            restart,
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fault was shown.
    pub fn count(&self, fault: Fault) {
        self.state().schedule.count(fault);
    }

    /// A fault outside the schedule, one time in `of`.
    pub fn extra(&self, name: &'static str, of: u32) -> bool {
        let mut state = self.state();
        let shown = state.schedule.dice().u32(0..of) == 0;
        if shown {
            *state.extras.entry(name).or_default() += 1;
        }
        shown
    }

    /// A number below `bound`.
    pub fn roll(&self, bound: u64) -> u64 {
        self.state().schedule.dice().u64(0..bound)
    }

    /// Something happens that requests may suffer from that meet no fault.
    pub fn disturb(&self) {
        self.state().disturbed = Instant::now();
    }

    /// Forgets all sessions.
    pub fn lose_sessions(&self, how: Fault) {
        self.disturb();
        self.state().sessions.lose_all(how);
        self.lost.send_modify(|times| *times += 1);
    }

    /// Forgets what does not survive a restart.
    pub fn forget(&self) {
        let mut state = self.state();
        state.sessions.restart();
        state.kept.clear();
        drop(state);
        self.lost.send_modify(|times| *times += 1);
    }

    /// The client did what it must not.
    pub fn violation(&self, what: String) {
        self.state().violations.push(what);
    }
}
