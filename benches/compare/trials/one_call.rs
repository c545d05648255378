//! Single calls: how long they take and how much memory.

use std::thread;
use std::time::{Duration, Instant};

use super::{Course, Sample};
use crate::contestant::Part;
use crate::direct::Direct;
use crate::relay::{MakeCall, Relay};
use crate::statistics::median;
use crate::tools::NOTIFICATIONS;
use crate::{Result, messages, procfs};

const ECHO: &str = r#"{"text":"hello"}"#;

/// What the relay adds to a call.
pub fn latency(course: &Course<'_>) -> Result<Sample> {
    let direct = Direct::connect(&course.lab.server.near)?;
    added(course.start_near()?, direct, messages::call, messages::call)
}

/// The same between a client and a server that both know no handshake.
pub fn modern(course: &Course<'_>) -> Result<Sample> {
    if course.contestant.part == Part::McpRemote {
        return Ok(vec![None]);
    }
    let server = &course.lab.server.modern;
    let direct = Direct::without_session(server)?;
    added(course.start(server)?, direct, messages::modern_call, messages::modern_call)
}

/// The same where only the client knows a handshake.
pub fn to_modern(course: &Course<'_>) -> Result<Sample> {
    if course.contestant.part != Part::Bridge {
        return Ok(vec![None]);
    }
    let server = &course.lab.server.modern;
    let direct = Direct::without_session(server)?;
    let mut relay = course.start(server)?;
    relay.initialize()?;
    added(relay, direct, messages::modern_call, messages::call)
}

/// The same where only the server does.
pub fn to_legacy(course: &Course<'_>) -> Result<Sample> {
    if course.contestant.part != Part::Bridge {
        return Ok(vec![None]);
    }
    let server = &course.lab.server.near;
    let direct = Direct::connect(server)?;
    added(course.start(server)?, direct, messages::call, messages::modern_call)
}

/// Direct calls and relayed ones take turns, so that what disturbs the one disturbs the other.
fn added(
    mut relay: Relay,
    mut direct: Direct,
    to_server: MakeCall,
    of_client: MakeCall,
) -> Result<Sample> {
    let plain_line = to_server(1, "echo", ECHO);
    let (mut plain, mut relayed) = (Vec::new(), Vec::new());
    for turn in 0..40 {
        let counts = turn >= 10;
        for _ in 0..20 {
            let taken = direct.call(&plain_line)?;
            plain.extend(counts.then_some(taken.as_secs_f64()));
        }
        for _ in 0..20 {
            let taken = relay.call_by(of_client, "echo", ECHO)?;
            relayed.extend(counts.then_some(taken.as_secs_f64()));
        }
    }
    let added = median(&relayed).zip(median(&plain)).map(|(relayed, plain)| relayed - plain);
    Ok(vec![added.map(|seconds| seconds * 1e6)])
}

/// One answer with many notifications before its result.
pub fn notifications(course: &Course<'_>) -> Result<Sample> {
    let mut relay = course.start_near()?;
    relay.call("echo", ECHO)?;
    let id = relay.new_id();
    let sent = Instant::now();
    relay.send(&messages::call(id, "notify", "{}"))?;
    let delivered = relay.answer_to(id)?;
    let taken = sent.elapsed();
    if delivered != NOTIFICATIONS {
        return Err(format!("{delivered} notifications of {NOTIFICATIONS} were delivered").into());
    }
    Ok(vec![Some(taken.as_secs_f64() * 1e3)])
}

/// Whether a slow call holds up the others.
pub fn beside_a_slow_one(course: &Course<'_>) -> Result<Sample> {
    let mut relay = course.start_near()?;
    relay.call("echo", ECHO)?;
    let slow = relay.new_id();
    relay.send(&messages::call(slow, "sleep", r#"{"ms":1000}"#))?;
    let mut worst = Duration::ZERO;
    loop {
        let id = relay.new_id();
        let sent = Instant::now();
        relay.send(&messages::echo(id))?;
        // Where the slow answer comes first, the echo may have waited for it: it still counts.
        let first = relay.next()?;
        let is_over = first == Some(slow);
        let echo = if is_over { relay.next()? } else { first };
        if echo != Some(id) {
            return Err(format!("answer to {echo:?} in place of {id}").into());
        }
        worst = worst.max(sent.elapsed());
        if is_over {
            return Ok(vec![Some(worst.as_secs_f64() * 1e3)]);
        }
        thread::sleep(Duration::from_millis(15));
    }
}

/// A large result in one JSON body.
pub fn big_json(course: &Course<'_>) -> Result<Sample> {
    peak_of(course.start_near()?, "{}")
}

/// A large result in one event.
pub fn big_events(course: &Course<'_>) -> Result<Sample> {
    peak_of(course.start_near()?, r#"{"events":true}"#)
}

fn peak_of(mut relay: Relay, arguments: &str) -> Result<Sample> {
    relay.call("big", arguments)?;
    Ok(vec![Some(procfs::peak(relay.pid())? / 1e6)])
}
