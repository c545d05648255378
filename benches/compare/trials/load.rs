//! Many calls at once.

use std::time::{Duration, Instant};

use super::{Course, Sample};
use crate::contestant::Part;
use crate::relay::Relay;
use crate::{Result, messages, procfs};

/// How many calls are in flight.
const WINDOW: u64 = 64;

/// Calls before the clock starts: connections open, a just-in-time compiler warms up.
const WARM_UP: u64 = 2_000;

/// After how many calls memory is read.
const CALLS: u64 = 20_000;

/// Keeps a number of calls in flight: each answer is followed by the next call at once.
pub fn sixty_four(course: &Course<'_>) -> Result<Sample> {
    let mut relay = course.start_near()?;
    echoes(&mut relay, WARM_UP)?;
    let busy = procfs::processor_time(relay.pid())?;
    let taken = echoes(&mut relay, CALLS - WARM_UP)?;
    let busy = procfs::processor_time(relay.pid())? - busy;
    let resident = procfs::resident(relay.pid())?;
    let counted = (CALLS - WARM_UP) as f64;
    Ok(vec![
        Some(counted / taken.as_secs_f64()),
        Some(busy.as_secs_f64() * 1e3 / (counted / 1e3)),
        Some(resident / 1e6),
        growth(course, &mut relay, resident)?,
    ])
}

/// What as many calls again add. The peer is spared: it takes long, and nobody judges it.
fn growth(course: &Course<'_>, relay: &mut Relay, before: f64) -> Result<Option<f64>> {
    if course.contestant.part == Part::McpRemote {
        return Ok(None);
    }
    echoes(relay, CALLS)?;
    Ok(Some((procfs::resident(relay.pid())? - before) / 1e6))
}

fn echoes(relay: &mut Relay, count: u64) -> Result<Duration> {
    let started = Instant::now();
    let first = relay.new_id();
    let mut answered = vec![false; usize::try_from(count)?];
    let mut sent = first;
    for answers in 0..count {
        while sent < first + count && sent - first < answers + WINDOW {
            relay.send(&messages::echo(sent))?;
            sent = relay.new_id();
        }
        mark(&mut answered, first, relay.next()?)?;
    }
    Ok(started.elapsed())
}

/// Every call is answered once.
fn mark(answered: &mut [bool], first: u64, id: Option<u64>) -> Result<()> {
    let at = id.and_then(|id| usize::try_from(id.checked_sub(first)?).ok());
    let slot = at.and_then(|at| answered.get_mut(at)).ok_or("an answer to nothing")?;
    if std::mem::replace(slot, true) {
        return Err(format!("a second answer to {id:?}").into());
    }
    Ok(())
}

/// Slow calls, all sent before the first is answered.
pub fn crowd(course: &Course<'_>) -> Result<Sample> {
    let mut relay = course.start_near()?;
    let first = relay.new_id();
    let mut answered = vec![false; usize::try_from(WINDOW)?];
    let started = Instant::now();
    for id in first..first + WINDOW {
        relay.send(&messages::call(id, "sleep", r#"{"ms":500}"#))?;
    }
    for _ in 0..WINDOW {
        mark(&mut answered, first, relay.next()?)?;
    }
    Ok(vec![Some(started.elapsed().as_secs_f64() * 1e3)])
}
