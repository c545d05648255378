//! The fault run: many calls through a server that breaks in every way it can, by a schedule from a
//! seed. Each request is answered once, and nothing is executed twice that must not be.
//!
//! ```text
//! run ── lines ─▶ bridge ── HTTP ─▶ server ─▶ conduct ─▶ act, listening
//!  │                                             │  └── schedule: which request meets which fault
//!  └── verdict ◀── answers, against ── ledger ◀──┘
//! ```
//!
//! `BRIDGE_TEST_FAULT_CALLS=100000` makes the long run, `BRIDGE_TEST_FAULT_SEED` another schedule;
//! `cargo test faults -- --nocapture` shows the table.

mod act;
mod answer;
mod ask;
mod bridge;
mod call;
mod conduct;
mod fault;
mod ledger;
mod listening;
mod report;
mod run;
mod schedule;
mod server;
mod sessions;
mod verdict;
mod wire;
mod world;

use self::fault::Fault;
use self::run::Run;

/// Calls of the run that every `cargo test` makes.
const CALLS: usize = 5_000;
const SEED: u64 = 20_251_125;
/// How often each kind is shown at least, in the short run and in one of 100,000 calls.
const OF_EACH_KIND: usize = 20;
const OF_EACH_KIND_LONG: usize = 200;
/// Calls for which each kind is shown once.
const CALLS_FOR_ONE: usize = 500;
/// What the bridge may hold at its peak, in kilobytes.
const MEMORY: usize = if cfg!(debug_assertions) { 40_000 } else { 16_000 };
/// How much of it may have come after the first tenth of the run.
const GROWTH: usize = 8_000;
/// The least part of the calls that succeeds, with a fault for one request in six.
const SUCCEEDED: f64 = 0.85;

#[test]
fn every_call_is_answered_once_and_none_is_doubled_whatever_breaks() {
    let calls = setting("BRIDGE_TEST_FAULT_CALLS");
    let calls = calls.map_or(CALLS, |calls| usize::try_from(calls).expect("a number of calls"));
    let seed = setting("BRIDGE_TEST_FAULT_SEED").unwrap_or(SEED);
    let wanted = (calls / CALLS_FOR_ONE).clamp(OF_EACH_KIND, OF_EACH_KIND_LONG);
    // Some come too late in the run to be shown.
    let run = Run::with(seed, calls, wanted + wanted / 20 + 2);
    println!("seed {seed}\n{run}");
    if let Some(violations) = run.verdict.violations() {
        panic!("seed {seed}: {violations}");
    }
    assert_eq!(run.server.world.state().violations, Vec::<String>::new(), "seed {seed}");
    assert_faults_were_shown(&run, wanted);
    assert_faults_were_survived(&run, wanted);
    assert_process_is_well(&run);
    let succeeded = run.verdict.succeeded();
    assert!(succeeded > SUCCEEDED, "only {succeeded} of the calls succeeded");
}

fn assert_faults_were_shown(run: &Run, wanted: usize) {
    let state = run.server.world.state();
    for (kind, shown) in state.schedule.shown_by_kind() {
        assert!(shown >= wanted, "{kind} was shown {shown} times");
    }
    for fault in Fault::ALL {
        let shown = state.schedule.shown().get(&fault).copied().unwrap_or_default();
        assert!(shown >= fault.share(wanted), "{fault:?} was shown {shown} times");
    }
}

/// In calm each request is held to what it must come to; this is worth something only if many met a fault.
fn assert_faults_were_survived(run: &Run, wanted: usize) {
    let survivors = run.verdict.survivors(&run.server.world.state().ledger);
    let all: usize = survivors.values().sum();
    assert!(all >= wanted, "{survivors:?}");
}

fn assert_process_is_well(run: &Run) {
    assert!(run.exit.is_some_and(|exit| exit.success()), "ended with {:?}", run.exit);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    if let Some([early, late, peak]) = run.memory {
        assert!(peak < MEMORY, "{peak} kB");
        assert!(late < early + GROWTH, "grew from {early} kB to {late} kB");
    }
}

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "how long a test runs is set from outside")]
fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}
