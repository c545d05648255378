//! How often one and the same problem is told: a server that causes it must not fill stderr.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Lines of a kind that are told one after the other.
const AT_ONCE: u32 = 5;
/// How long a kind that was told so often is then left out.
const PAUSE: Duration = Duration::from_secs(60);

/// Counts what is told of each kind.
#[derive(Debug)]
pub(super) struct Limit<K>(HashMap<K, Told>);

#[derive(Debug)]
struct Told {
    since: Instant,
    count: u32,
    left_out: u64,
}

impl<K> Default for Limit<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Limit<K> {
    /// Whether a line of this kind is told now; if so, how many were left out before it.
    pub(super) fn admit(&mut self, kind: K, now: Instant) -> Option<u64> {
        let told = self.0.entry(kind).or_insert(Told { since: now, count: 0, left_out: 0 });
        if now.saturating_duration_since(told.since) >= PAUSE {
            told.since = now;
            told.count = 0;
        }
        if told.count == AT_ONCE {
            told.left_out += 1;
            return None;
        }
        told.count += 1;
        Some(std::mem::take(&mut told.left_out))
    }

    /// How many of all kinds were left out and not told of yet.
    pub(super) fn take_left_out(&mut self) -> u64 {
        self.0.values_mut().map(|told| std::mem::take(&mut told.left_out)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_a_few_lines_and_a_count() {
        let mut limit = Limit::default();
        let start = Instant::now();
        let told = (0..1_000).filter(|_| limit.admit("flood", start).is_some()).count();
        assert_eq!(told, AT_ONCE as usize);
        assert_eq!(limit.admit("other", start), Some(0));
        assert_eq!(limit.admit("flood", start + PAUSE), Some(1_000 - u64::from(AT_ONCE)));
        assert_eq!(limit.admit("flood", start + PAUSE), Some(0));
        assert_eq!(limit.take_left_out(), 0);
    }

    #[test]
    fn what_nobody_was_told_of_is_counted_at_the_end() {
        let mut limit = Limit::default();
        let now = Instant::now();
        let told = (0..AT_ONCE + 7).filter_map(|_| limit.admit("flood", now)).count();
        assert_eq!(told, AT_ONCE as usize);
        assert_eq!((limit.take_left_out(), limit.take_left_out()), (7, 0));
    }
}
