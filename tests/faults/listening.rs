//! GET: the stream of what the server says unasked, and the rest of streams that broke off.

use std::io;
use std::sync::Arc;

use super::conduct::{After, RETRY_AFTER_0, keep};
use super::sessions::Standing;
use super::wire::{Head, Wire};
use super::world::{Trouble, World};

/// Deals with a GET.
pub async fn get(wire: &mut Wire, head: &Head, world: &Arc<World>) -> io::Result<After> {
    let session = head.header("mcp-session-id").unwrap_or_default();
    let standing = world.state().sessions.standing(session);
    if standing != Standing::Open {
        return keep(wire.respond(404, "", "Not Found").await);
    }
    match head.header("last-event-id") {
        Some(after) => resume(wire, after, world).await,
        None => listen(wire, session, world).await,
    }
}

/// Gives the rest of a stream.
async fn resume(wire: &mut Wire, after: &str, world: &Arc<World>) -> io::Result<After> {
    let name = after.rsplit_once('/').map_or(after, |(name, _)| name);
    let kept = world.state().kept.get(name).cloned();
    let Some(kept) = kept else {
        // The answer was taken already, or never kept.
        return keep(wire.respond(405, "", "").await);
    };
    if let Some(trouble) = kept.trouble.first() {
        if let Some(kept) = world.state().kept.get_mut(name) {
            kept.trouble.remove(0);
        }
        return meet(wire, *trouble, name, &kept.answer).await;
    }
    world.state().kept.remove(name);
    wire.begin_stream().await?;
    wire.chunk(&format!("id: {name}/9\ndata: {}\n\n", kept.answer)).await?;
    keep(wire.end_stream().await)
}

async fn meet(wire: &mut Wire, trouble: Trouble, name: &str, answer: &str) -> io::Result<After> {
    match trouble {
        Trouble::Unavailable => keep(wire.respond(503, RETRY_AFTER_0, "").await),
        Trouble::Refused => keep(wire.respond(405, "", "").await),
        Trouble::Reset => Ok(After::Reset),
        Trouble::CutInEvent => {
            wire.begin_stream().await?;
            let half = &answer[..answer.len() / 2];
            wire.chunk(&format!("id: {name}/5\ndata: {half}")).await?;
            Ok(After::Close)
        }
    }
}

/// Holds a stream open until its session is gone, or the client left.
async fn listen(wire: &mut Wire, session: &str, world: &Arc<World>) -> io::Result<After> {
    if world.extra("listening: 503", 16) {
        return keep(wire.respond(503, RETRY_AFTER_0, "").await);
    }
    let mut news = world.news.subscribe();
    let mut lost = world.lost.subscribe();
    news.mark_changed();
    wire.begin_stream().await?;
    loop {
        tokio::select! {
            _ = news.changed() => {
                let text = news.borrow_and_update().clone();
                if let Some(text) = text {
                    wire.chunk(&format!("data: {text}\n\n")).await?;
                }
            }
            _ = lost.changed() => {
                let gone = matches!(world.state().sessions.standing(session), Standing::Gone(_));
                if gone && world.extra("listening: cut", 2) {
                    return Ok(After::Reset);
                }
            }
            () = wire.left() => return Ok(After::Close),
        }
    }
}
