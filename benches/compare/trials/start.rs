//! Coming and going.

use std::thread;
use std::time::Duration;

use super::{Course, Sample};
use crate::contestant::Part;
use crate::{Result, procfs};

/// How long a relay is left alone before its input ends.
const QUIET: Duration = Duration::from_millis(200);

/// From the start of the process to the answer to `initialize`.
pub fn near(course: &Course<'_>) -> Result<Sample> {
    to_initialize(course, &course.lab.server.near)
}

/// The same with a server that is 50 ms away.
pub fn far(course: &Course<'_>) -> Result<Sample> {
    to_initialize(course, &course.lab.server.far)
}

fn to_initialize(course: &Course<'_>, url: &str) -> Result<Sample> {
    let taken = course.start(url)?.initialize()?;
    Ok(vec![Some(taken.as_secs_f64() * 1e3)])
}

/// The same over TLS, with the memory that it takes. The floor has no TLS.
pub fn secure(course: &Course<'_>) -> Result<Sample> {
    if course.contestant.part == Part::Floor {
        return Ok(vec![None, None]);
    }
    over_tls(course, &course.lab.server.secure)
}

/// The same with a token that was stored before.
pub fn stored(course: &Course<'_>) -> Result<Sample> {
    if course.contestant.part != Part::Bridge {
        return Ok(vec![None, None]);
    }
    course.keep_token(&course.lab.server.guarded)?;
    over_tls(course, &course.lab.server.guarded)
}

fn over_tls(course: &Course<'_>, url: &str) -> Result<Sample> {
    let mut relay = course.start(url)?;
    let taken = relay.initialize()?;
    relay.list()?;
    thread::sleep(QUIET);
    let resident = procfs::resident(relay.pid())?;
    Ok(vec![Some(taken.as_secs_f64() * 1e3), Some(resident / 1e6)])
}

/// From the end of the input to the end of the process.
pub fn end(course: &Course<'_>) -> Result<Sample> {
    let mut relay = course.start_near()?;
    relay.list()?;
    thread::sleep(QUIET);
    Ok(vec![Some(relay.end()?.as_secs_f64() * 1e3)])
}

/// What has to be downloaded.
pub fn binary(course: &Course<'_>) -> Result<Sample> {
    let Some(binary) = course.contestant.binary() else { return Ok(vec![None]) };
    Ok(vec![Some(std::fs::metadata(binary)?.len() as f64 / 1e6)])
}
