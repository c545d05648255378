//! The table of a run.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::fault::Fault;
use super::run::Run;

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let state = self.server.world.state();
        let calls = self.verdict.count();
        let succeeded = self.verdict.succeeded() * 100.0;
        writeln!(f, "{calls} calls answered in {:.1?}, {succeeded:.1} % with a result", self.took)?;
        let survivors = self.verdict.survivors(&state.ledger);
        writeln!(f, "\n{:<32} {:>7} {:>9}", "fault", "shown", "survivors")?;
        for fault in Fault::ALL {
            let of = |counts: &BTreeMap<_, _>| counts.get(&fault).copied().unwrap_or_default();
            let (shown, survived) = (of(state.schedule.shown()), of(&survivors));
            writeln!(f, "{:<32} {shown:>7} {survived:>9}", format!("{fault:?}"))?;
        }
        for (kind, shown) in state.schedule.shown_by_kind() {
            writeln!(f, "{:<32} {shown:>7}", format!("all: {kind}"))?;
        }
        for (name, shown) in &state.extras {
            writeln!(f, "{name:<32} {shown:>7}")?;
        }
        writeln!(f, "\n{:<8} {:<56} {:>7}", "call", "came to", "times")?;
        for ((kind, outcome), times) in self.verdict.outcomes(&state.ledger) {
            writeln!(f, "{:<8} {outcome:<56} {times:>7}", format!("{kind:?}"))?;
        }
        writeln!(f, "\nnotifications {}", self.notifications)?;
        if let Some([early, late, peak]) = self.memory {
            writeln!(f, "memory in kB: {early} after a tenth, {late} at the end, {peak} at most")?;
        }
        Ok(())
    }
}
