//! Doing nothing.

use std::thread;
use std::time::Duration;

use super::{Course, Sample};
use crate::contestant::Part;
use crate::relay::Relay;
use crate::{Result, procfs};

/// What a relay may do after a call before it is to be still.
const SETTLE: Duration = Duration::from_secs(3);

/// How long it is watched.
const WATCH: Duration = Duration::from_secs(5);

/// Memory and wakeups after a client has asked for the tools and nothing more.
pub fn after_list(course: &Course<'_>) -> Result<Sample> {
    let mut relay = course.start_near()?;
    relay.list()?;
    thread::sleep(SETTLE);
    let resident = procfs::resident(relay.pid())?;
    Ok(vec![Some(resident / 1e6), Some(wakeups(&relay)?)])
}

/// Wakeups while the server holds a GET stream open. The floor opens none.
pub fn with_stream(course: &Course<'_>) -> Result<Sample> {
    if course.contestant.part == Part::Floor {
        return Ok(vec![None]);
    }
    let server = &course.lab.server;
    let name = format!("{}-{}", course.contestant.part.name(), course.wire.name());
    let mut relay = course.start(&server.streaming(&name))?;
    relay.initialize()?;
    relay.list()?;
    thread::sleep(SETTLE);
    if !server.is_streaming(&name) {
        return Err("no GET stream was opened".into());
    }
    Ok(vec![Some(wakeups(&relay)?)])
}

/// Per second.
fn wakeups(relay: &Relay) -> Result<f64> {
    let before = procfs::sleeps(relay.pid())?;
    thread::sleep(WATCH);
    let sleeps = procfs::sleeps(relay.pid())?.saturating_sub(before);
    Ok(sleeps as f64 / WATCH.as_secs_f64())
}
