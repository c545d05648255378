//! What the server saw and carried out.

use std::collections::HashMap;

use super::fault::Fault;

/// What became of each call, by its key. It outlives restarts, as a bank's books do.
#[derive(Debug, Default)]
pub struct Ledger(HashMap<u64, Entry>);

#[derive(Debug, Default)]
struct Entry {
    seen: bool,
    met: Vec<Fault>,
    times: u32,
}

impl Ledger {
    /// A call came to the server, whatever becomes of it.
    pub fn see(&mut self, key: u64) {
        self.0.entry(key).or_default().seen = true;
    }

    /// A call meets a fault.
    pub fn meet(&mut self, key: u64, fault: Fault) {
        self.0.entry(key).or_default().met.push(fault);
    }

    /// The faults that a call met.
    pub fn met(&self, key: u64) -> &[Fault] {
        self.0.get(&key).map_or(&[], |entry| &entry.met)
    }

    /// A call is carried out.
    pub fn carry_out(&mut self, key: u64) {
        self.0.entry(key).or_default().times += 1;
    }

    /// How often that was done.
    pub fn times(&self, key: u64) -> u32 {
        self.0.get(&key).map_or(0, |entry| entry.times)
    }

    /// What became of a call, in a word.
    pub fn fate(&self, key: u64) -> &'static str {
        match self.0.get(&key) {
            Some(entry) if entry.times > 0 => "executed",
            Some(entry) if entry.seen => "seen",
            _ => "never seen",
        }
    }
}
