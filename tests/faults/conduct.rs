//! How the server deals with one request: what it is judged by, and the fault that it meets.

use std::io;
use std::sync::Arc;

use super::ask::Ask;
use super::fault::Fault;
use super::sessions::Standing;
use super::wire::{Head, Wire};
use super::world::World;
use super::{act, listening};

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    Keep,
    Close,
    Reset,
}

/// The client may come again at once.
pub const RETRY_AFTER_0: &str = "Retry-After: 0\r\n";

/// Deals with one request.
pub async fn conduct(wire: &mut Wire, head: &Head, world: &Arc<World>) -> io::Result<After> {
    let Some(body) = wire.body(head).await else { return Ok(After::Close) };
    match &*head.method {
        "GET" => listening::get(wire, head, world).await,
        "DELETE" => keep(wire.respond(200, "", "").await),
        _ => match Ask::read(head, &body) {
            Some(ask) => post(wire, &ask, world).await,
            None => {
                world.violation(format!("no JSON-RPC: {}", String::from_utf8_lossy(&body)));
                keep(wire.respond(400, "", "not JSON-RPC").await)
            }
        },
    }
}

/// The connection stays, if the writing went well.
pub fn keep(written: io::Result<()>) -> io::Result<After> {
    written.map(|()| After::Keep)
}

async fn post(wire: &mut Wire, ask: &Ask, world: &Arc<World>) -> io::Result<After> {
    if ask.method == "initialize" {
        return initialize(wire, ask, world).await;
    }
    if let Some(key) = ask.key {
        world.state().ledger.see(key);
    }
    let session = ask.session.as_deref().unwrap_or_default();
    if session.is_empty() || !ask.has_version {
        world.violation(format!("{} without session or version", ask.method));
    }
    let standing = world.state().sessions.standing(session);
    match standing {
        Standing::Gone(how) => say_lost(wire, ask, how).await,
        _ if ask.method == "notifications/initialized" => initialized(wire, session, world).await,
        _ if ask.id.is_null() => keep(wire.respond(202, "", "").await),
        Standing::Opening => {
            world.violation(format!("{} overtook `initialized`", ask.method));
            keep(wire.respond(400, "", "Server not initialized").await)
        }
        Standing::Open => call(wire, ask, world).await,
    }
}

async fn initialize(wire: &mut Wire, ask: &Ask, world: &Arc<World>) -> io::Result<After> {
    let first = world.state().sessions.given() == 0;
    if !first && world.extra("`initialize`: 503", 96) {
        return keep(wire.respond(503, RETRY_AFTER_0, "starting").await);
    }
    if !first && world.extra("`initialize`: reset", 96) {
        return Ok(After::Reset);
    }
    let session = world.state().sessions.open();
    if !first && world.extra("`initialize`: answer lost", 96) {
        return Ok(After::Reset);
    }
    let headers = format!("Content-Type: application/json\r\nMcp-Session-Id: {session}\r\n");
    keep(wire.respond(200, &headers, &ask.hello()).await)
}

async fn initialized(wire: &mut Wire, session: &str, world: &Arc<World>) -> io::Result<After> {
    if world.extra("`initialized`: 503", 32) {
        return keep(wire.respond(503, RETRY_AFTER_0, "starting").await);
    }
    if world.extra("`initialized`: session lost", 32) {
        world.lose_sessions(Fault::Lost404);
        return keep(wire.respond(404, "", "").await);
    }
    world.state().sessions.confirm(session);
    if world.extra("`initialized`: answer lost", 32) {
        return Ok(After::Reset);
    }
    keep(wire.respond(202, "", "").await)
}

/// A request in an open session.
async fn call(wire: &mut Wire, ask: &Ask, world: &Arc<World>) -> io::Result<After> {
    let fault = draw(ask, world);
    let after = match fault {
        None => act::plainly(wire, ask, world).await,
        Some(Fault::Restart) => {
            // The answer never comes: this connection is reset with all others.
            let _ = world.restart.send(());
            std::future::pending().await
        }
        Some(fault) if fault.loses_session() => {
            world.count(fault);
            world.lose_sessions(fault);
            say_lost(wire, ask, fault).await
        }
        Some(fault) => act::out(fault, wire, ask, world).await,
    };
    world.answered.send_modify(|answered| *answered += 1);
    after
}

fn draw(ask: &Ask, world: &World) -> Option<Fault> {
    let key = ask.key?;
    let mut state = world.state();
    let fault = state.schedule.draw()?;
    state.ledger.meet(key, fault);
    Some(fault)
}

/// Says that the session is gone, in one of the ways that servers have.
async fn say_lost(wire: &mut Wire, ask: &Ask, how: Fault) -> io::Result<After> {
    const JSON: &str = "Content-Type: application/json\r\n";
    let is_request = !ask.id.is_null();
    let written = match how {
        Fault::Lost400 => wire.respond(400, "", "Bad Request: No valid session ID provided").await,
        Fault::Lost401 => wire.respond(401, "", "Unauthorized: unknown session").await,
        Fault::LostRpcError if is_request => {
            wire.respond(200, JSON, &ask.error(-32001, "Session expired")).await
        }
        Fault::LostRpcErrorNoId => {
            let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Session not found"}}"#;
            wire.respond(400, JSON, error).await
        }
        Fault::LostOnStream if is_request => {
            wire.begin_stream().await?;
            let error = ask.error(-32000, "Bad Request: Server not initialized");
            wire.chunk(&format!("data: {error}\n\n")).await?;
            wire.end_stream().await
        }
        _ => wire.respond(404, "", "Not Found").await,
    };
    keep(written)
}
