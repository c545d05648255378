//! The faults, acted out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::ask::Ask;
use super::conduct::{After, RETRY_AFTER_0, keep};
use super::fault::Fault;
use super::wire::{Wire, response_head};
use super::world::{Kept, Trouble, World};

const JSON: &str = "Content-Type: application/json\r\n";
const RETRY_AFTER_1: &str = "Retry-After: 1\r\n";
/// How long a stall lasts, in milliseconds.
const STALL: std::ops::Range<u64> = 50..500;
/// How many others are answered before an answer that is overtaken, and how long that may take.
const OVERTAKEN_BY: u64 = 20;
const OVERTAKEN_WITHIN: Duration = Duration::from_millis(500);

/// Executes and answers as a good server does, in one of its forms.
pub async fn plainly(wire: &mut Wire, ask: &Ask, world: &Arc<World>) -> io::Result<After> {
    execute(ask, world);
    answer(wire, ask, world).await
}

/// Acts a fault out.
pub async fn out(
    fault: Fault,
    wire: &mut Wire,
    ask: &Ask,
    world: &Arc<World>,
) -> io::Result<After> {
    if fault != Fault::ResetOnAccept {
        world.count(fault);
    }
    if is_executed(fault) {
        execute(ask, world);
    }
    match fault {
        Fault::ResetUnexecuted | Fault::ResetExecuted => Ok(After::Reset),
        Fault::ResetInHead | Fault::ResetInBody | Fault::CloseInBody => {
            broken_body(fault, wire, ask).await
        }
        Fault::CutStream | Fault::EndedStream | Fault::CutInEvent => {
            broken_stream(fault, wire, ask).await
        }
        Fault::CutResumable
        | Fault::EndedResumable
        | Fault::CutInEventResumable
        | Fault::CutAgain
        | Fault::CutThenDown
        | Fault::CutThenRefused => resumable(fault, wire, ask, world).await,
        Fault::StallAfterwards | Fault::StallBefore | Fault::Overtaken => {
            stall(fault, wire, ask, world).await
        }
        Fault::ResetOnAccept | Fault::CloseIdle | Fault::CloseAfterAnswer => {
            closing(fault, wire, ask, world).await
        }
        Fault::AnsweredTwice => twice(wire, ask).await,
        Fault::OwnError => own_error(wire, ask, world).await,
        _ => status(fault, wire).await,
    }
}

/// Whether the request is carried out before anything else.
fn is_executed(fault: Fault) -> bool {
    !matches!(
        fault,
        Fault::ResetUnexecuted
            | Fault::Status500
            | Fault::Status502
            | Fault::Status503
            | Fault::Status503RetryAfter0
            | Fault::Status503RetryAfter1
            | Fault::Status429RetryAfter0
            | Fault::StallBefore
    )
}

fn execute(ask: &Ask, world: &World) {
    if let Some(key) = ask.key {
        world.state().ledger.carry_out(key);
    }
}

async fn answer(wire: &mut Wire, ask: &Ask, world: &World) -> io::Result<After> {
    let answer = ask.answer();
    match world.roll(4) {
        0 | 1 => return keep(wire.respond(200, JSON, &answer).await),
        2 => {
            wire.begin_stream().await?;
            wire.chunk(&format!("data: {answer}\n\n")).await?;
        }
        _ => {
            let name = stream_name(ask);
            wire.begin_stream().await?;
            wire.chunk(&format!("id: {name}/0\ndata:\n\nid: {name}/1\ndata: {}\n\n", log()))
                .await?;
            wire.chunk(&format!("id: {name}/2\ndata: {answer}\n\n")).await?;
        }
    }
    keep(wire.end_stream().await)
}

async fn status(fault: Fault, wire: &mut Wire) -> io::Result<After> {
    let (code, headers) = match fault {
        Fault::Status500 | Fault::Status500Executed => (500, ""),
        Fault::Status502 | Fault::Status502Executed => (502, ""),
        Fault::Status503RetryAfter0 => (503, RETRY_AFTER_0),
        Fault::Status503RetryAfter1 => (503, RETRY_AFTER_1),
        Fault::Status429RetryAfter0 => (429, RETRY_AFTER_0),
        _ => (503, ""),
    };
    keep(wire.respond(code, headers, "the schedule wants it").await)
}

async fn broken_body(fault: Fault, wire: &mut Wire, ask: &Ask) -> io::Result<After> {
    let answer = ask.answer();
    let head = response_head(200, JSON, answer.len());
    let half = &answer[..answer.len() / 2];
    match fault {
        Fault::ResetInHead => wire.write(&head[..head.len() / 2]).await?,
        _ => wire.write(format!("{head}{half}")).await?,
    }
    Ok(if fault == Fault::CloseInBody { After::Close } else { After::Reset })
}

async fn broken_stream(fault: Fault, wire: &mut Wire, ask: &Ask) -> io::Result<After> {
    wire.begin_stream().await?;
    wire.chunk(&format!("data: {}\n\n", log())).await?;
    match fault {
        Fault::EndedStream => return keep(wire.end_stream().await),
        Fault::CutInEvent => wire.chunk(&half_event(&ask.answer())).await?,
        _ => {}
    }
    Ok(After::Reset)
}

/// Begins a stream, breaks it off in order that what was sent is read, and keeps the answer.
async fn resumable(fault: Fault, wire: &mut Wire, ask: &Ask, world: &World) -> io::Result<After> {
    let name = stream_name(ask);
    let trouble = match fault {
        Fault::CutAgain => vec![Trouble::CutInEvent],
        Fault::CutThenDown => vec![Trouble::Unavailable, Trouble::Reset],
        Fault::CutThenRefused => vec![Trouble::Refused],
        _ => Vec::new(),
    };
    let kept = Kept { answer: ask.answer(), trouble };
    world.state().kept.insert(name.clone(), kept);
    wire.begin_stream().await?;
    let wait = match fault {
        Fault::EndedResumable | Fault::CutAgain | Fault::CutThenDown => "retry: 20\n",
        _ => "",
    };
    wire.chunk(&format!("{wait}id: {name}/0\ndata:\n\nid: {name}/1\ndata: {}\n\n", log())).await?;
    match fault {
        Fault::EndedResumable => return keep(wire.end_stream().await),
        Fault::CutInEventResumable => {
            wire.chunk(&format!("id: {name}/2\n{}", half_event(&ask.answer()))).await?;
        }
        _ => {}
    }
    Ok(After::Close)
}

async fn stall(fault: Fault, wire: &mut Wire, ask: &Ask, world: &Arc<World>) -> io::Result<After> {
    if fault == Fault::Overtaken {
        let mut answered = world.answered.subscribe();
        let target = *answered.borrow() + OVERTAKEN_BY;
        let others = answered.wait_for(|answered| *answered >= target);
        // Near the end of the run there are no others.
        let _ = tokio::time::timeout(OVERTAKEN_WITHIN, others).await;
    } else {
        let time = STALL.start + world.roll(STALL.end - STALL.start);
        tokio::time::sleep(Duration::from_millis(time)).await;
    }
    if fault == Fault::StallBefore {
        execute(ask, world);
    }
    answer(wire, ask, world).await
}

async fn closing(
    fault: Fault,
    wire: &mut Wire,
    ask: &Ask,
    world: &Arc<World>,
) -> io::Result<After> {
    world.disturb();
    let after = answer(wire, ask, world).await?;
    match fault {
        Fault::CloseIdle => {
            world.close_idle.notify_waiters();
            return Ok(after);
        }
        Fault::ResetOnAccept => world.state().reset_next += 1,
        _ => {}
    }
    Ok(After::Close)
}

async fn twice(wire: &mut Wire, ask: &Ask) -> io::Result<After> {
    let answer = ask.answer();
    wire.begin_stream().await?;
    wire.chunk(&format!("data: {answer}\n\ndata: {answer}\n\n")).await?;
    keep(wire.end_stream().await)
}

async fn own_error(wire: &mut Wire, ask: &Ask, world: &World) -> io::Result<After> {
    let status = [200, 400, 403, 500, 503][usize::try_from(world.roll(5)).unwrap_or_default()];
    let error = ask.error(super::answer::OWN_ERROR, "the server says no");
    keep(wire.respond(status, JSON, &error).await)
}

fn stream_name(ask: &Ask) -> String {
    format!("stream-{}", ask.key.unwrap_or_default())
}

fn half_event(answer: &str) -> String {
    format!("data: {}", &answer[..answer.len() / 2])
}

fn log() -> &'static str {
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"at work"}}"#
}
