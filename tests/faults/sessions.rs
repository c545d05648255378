//! The sessions that the server knows, and how it says that it does not know one.

use std::collections::HashMap;

use super::fault::Fault;

/// What the server knows of a session id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// `initialized` has not come yet.
    Opening,
    Open,
    /// It is gone, which is said in the way of this fault.
    Gone(Fault),
}

/// All sessions since the last restart.
#[derive(Debug, Default)]
pub struct Sessions {
    known: HashMap<String, Standing>,
    given: usize,
}

impl Sessions {
    /// Opens a session and gives its id.
    pub fn open(&mut self) -> String {
        self.given += 1;
        let id = format!("session-{}", self.given);
        self.known.insert(id.clone(), Standing::Opening);
        id
    }

    /// The client confirmed.
    pub fn confirm(&mut self, id: &str) {
        if let Some(standing @ Standing::Opening) = self.known.get_mut(id) {
            *standing = Standing::Open;
        }
    }

    /// What is known of an id.
    pub fn standing(&self, id: &str) -> Standing {
        self.known.get(id).copied().unwrap_or(Standing::Gone(Fault::Lost404))
    }

    /// Forgets all sessions; from now on that is said in this way.
    pub fn lose_all(&mut self, how: Fault) {
        for standing in self.known.values_mut().filter(|known| !matches!(known, Standing::Gone(_)))
        {
            *standing = Standing::Gone(how);
        }
    }

    /// Forgets that there ever were any.
    pub fn restart(&mut self) {
        self.known.clear();
    }

    /// How many there were.
    pub fn given(&self) -> usize {
        self.given
    }
}
