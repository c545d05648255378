//! Which request meets which fault, decided by a seed before the first request comes.

use std::collections::{BTreeMap, VecDeque};

use super::fault::Fault;

/// Requests between two losses of the session. The bridge opens a lost session once for each request,
/// and most requests shall live through that.
const BETWEEN_LOSSES: usize = 32;
/// Requests in one turn of calm and storm: a tenth of the run, within these bounds.
const TURN: std::ops::RangeInclusive<usize> = 2_500..=10_000;

/// A shuffled deck with one card for each request: most are blank.
///
/// Calm and storm take turns: faults that harm others than the request that meets them come in the storm
/// only, so that in the calm it can be said exactly what each request has to come to.
pub struct Schedule {
    deck: Vec<Option<Fault>>,
    turn: usize,
    drawn: usize,
    /// Faults whose turn came when they could not be shown.
    postponed: VecDeque<Fault>,
    since_loss: usize,
    dice: fastrand::Rng,
    shown: BTreeMap<Fault, usize>,
}

impl Schedule {
    /// A schedule for so many requests, with so many faults of each kind.
    pub fn new(seed: u64, requests: usize, of_each_kind: usize) -> Self {
        assert!(Fault::ALL.len() * of_each_kind < requests / 2, "more faults than calls");
        let mut dice = fastrand::Rng::with_seed(seed);
        let faults =
            Fault::ALL.iter().flat_map(|fault| vec![Some(*fault); fault.share(of_each_kind)]);
        let mut deck: Vec<_> = faults.collect();
        // The last tenth is left for those that are postponed.
        deck.resize(requests - requests / 10, None);
        dice.shuffle(&mut deck);
        let turn = (requests / 10).clamp(*TURN.start(), *TURN.end());
        let (postponed, shown) = (VecDeque::new(), BTreeMap::new());
        Self { deck, turn, drawn: 0, postponed, since_loss: 0, dice, shown }
    }

    /// The fault that the next request meets.
    pub fn draw(&mut self) -> Option<Fault> {
        let card = self.deck.get(self.drawn).copied().flatten();
        self.drawn += 1;
        self.since_loss += 1;
        self.postponed.extend(card);
        let next = self.postponed.iter().position(|fault| self.may_show(*fault))?;
        let fault = self.postponed.remove(next)?;
        if fault.loses_session() {
            self.since_loss = 0;
        }
        Some(fault)
    }

    /// A fault was shown.
    pub fn count(&mut self, fault: Fault) {
        *self.shown.entry(fault).or_default() += 1;
    }

    fn may_show(&self, fault: Fault) -> bool {
        let storm = self.drawn % self.turn >= self.turn / 5 * 3;
        let lived = !fault.loses_session() || self.since_loss > BETWEEN_LOSSES;
        !fault.disturbs_others() || (storm && lived)
    }

    /// Whatever else is up to chance.
    pub fn dice(&mut self) -> &mut fastrand::Rng {
        &mut self.dice
    }

    /// How often each fault was shown.
    pub fn shown(&self) -> &BTreeMap<Fault, usize> {
        &self.shown
    }

    /// How often each kind of fault was shown.
    pub fn shown_by_kind(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for fault in Fault::ALL {
            *kinds.entry(fault.kind()).or_default() += self.shown.get(&fault).unwrap_or(&0);
        }
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Vec<Option<Fault>> {
        let mut schedule = Schedule::new(seed, 5_000, 20);
        (0..5_000).map(|_| schedule.draw()).collect()
    }

    #[test]
    fn a_seed_gives_the_same_schedule_again_and_another_seed_another() {
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn every_kind_comes_as_often_as_was_asked_for() {
        let drawn = drawn(7);
        for fault in Fault::ALL {
            let times = drawn.iter().filter(|each| **each == Some(fault)).count();
            assert_eq!(times, fault.share(20), "{fault:?}");
        }
    }

    #[test]
    fn a_session_lives_for_some_requests() {
        let drawn = drawn(7);
        let lost: Vec<_> =
            (0..drawn.len()).filter(|n| drawn[*n].is_some_and(Fault::loses_session)).collect();
        assert!(lost.windows(2).all(|pair| pair[1] - pair[0] > BETWEEN_LOSSES), "{lost:?}");
    }
}
