//! What a modern client sends: to a modern server as it is, to a legacy one by a session of ours.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::modern::{self, CLIENT_CAPABILITIES, CLIENT_INFO};
use super::probe::{Asker, Probed};
use super::translate::for_legacy_client::response::is_of_legacy_server;
use super::translate::for_modern_client::request;
use super::{ClientProtocol, Protocol, modern_exchange, sessions};
use crate::jsonrpc::edit::member;
use crate::jsonrpc::{INVALID_REQUEST, Id, Kind, METHOD_NOT_FOUND, Message, read};
use crate::remote::aside::Aside;
use crate::remote::exchange::{Outcome, Post};
use crate::remote::{Failure, Fate, Pass, Recipient, Remote};

/// How long a server may take to say what it is before a request that waits for that.
const PROBING: Duration = Duration::from_secs(5);
/// The same of a client's own question: whoever sent it gives it up earlier, and may remember a late answer.
const DISCOVERING: Duration = Duration::from_secs(300);
/// What tells a client of both eras to fall back (MCP 2026-07-28, stdio, backward compatibility).
const FALL_BACK: &str =
    "Method not found: this server speaks revisions of MCP that begin with `initialize`";

/// Carries a message of a modern client.
pub(in crate::remote) async fn exchange(
    remote: &Arc<Remote>,
    post: &Post,
    receive: &Recipient,
) -> Outcome {
    let Kind::Request { id, method } = post.message.kind() else {
        return match remote.sessions.are_used() {
            true => sessions::exchange(remote, post, receive).await,
            false => modern_exchange::of_client(remote, post, receive).await,
        };
    };
    let is_modern = match remote.is_known_modern() {
        Some(is_modern) => is_modern,
        None if &**method == "server/discover" => {
            return discover(remote, post, id, receive).await;
        }
        None => match remote.ask_era(&post.message, receive).await {
            Ok(is_modern) => is_modern,
            Err(failure) => return Outcome::Failed(failure),
        },
    };
    if is_modern {
        return to_modern(remote, post, receive).await;
    }
    match to_legacy(remote, post, receive).await {
        // The handshake showed that the server has become a modern one.
        Outcome::Failed(failure)
            if failure.fate == Fate::NotExecuted && remote.is_known_modern() == Some(true) =>
        {
            to_modern(remote, post, receive).await
        }
        outcome => outcome,
    }
}

/// A request to a server that is known to be modern. What is only remembered is believed until an answer says
/// otherwise: a request that is refused is sent again in the other era where nothing was done, and after any
/// other odd answer the next request asks.
async fn to_modern(remote: &Arc<Remote>, post: &Post, receive: &Recipient) -> Outcome {
    let is_sure = remote.is_surely_modern.load(Ordering::Relaxed);
    if is_sure || remote.settings.protocol == Protocol::Modern {
        return modern_exchange::of_client(remote, post, receive).await;
    }
    let refusal = Aside::default();
    let judged = receive.through(judging(remote)).through(refusal.taking(is_of_legacy_server));
    let outcome = modern_exchange::unsettled_exchange(remote, post, &judged).await;
    let outcome = match refusal.take() {
        Some(refusal) => Outcome::Failed(Failure::refused_by(refusal, &remote.endpoint().host())),
        None => outcome,
    };
    let Outcome::Failed(failure) = &outcome else { return outcome };
    match failure.answer.as_deref() {
        Some(error) if modern::is_modern_error(error) => {
            remote.is_surely_modern.store(true, Ordering::Relaxed);
        }
        _ if is_refusal(failure) => {
            remote.known.doubt();
            let is_safe = post.repeatable || did_nothing(failure);
            if is_safe && remote.ask_era(&post.message, receive).await.is_ok_and(|modern| !modern) {
                return to_legacy(remote, post, receive).await;
            }
        }
        _ => {}
    }
    modern_exchange::settled(outcome, post, receive).await
}

/// Looks at every answer of a server that is only remembered to be modern.
fn judging(remote: &Arc<Remote>) -> Pass {
    let remote = Arc::clone(remote);
    Arc::new(move |message| {
        match message.kind() {
            Kind::Response { .. } if is_of_modern(&message) => {
                remote.is_surely_modern.store(true, Ordering::Relaxed);
            }
            Kind::Response { .. } => remote.known.doubt(),
            Kind::Request { .. } | Kind::Notification { .. } => {}
        }
        vec![message]
    })
}

/// A request to a server that is known to be a legacy one.
async fn to_legacy(remote: &Arc<Remote>, post: &Post, receive: &Recipient) -> Outcome {
    match post.message.kind() {
        Kind::Request { id, method } if &**method == "server/discover" => {
            of_legacy(remote, post, id, receive).await
        }
        _ => sessions::exchange(remote, post, receive).await,
    }
}

/// Whether only a modern server answers like that.
fn is_of_modern(response: &Message) -> bool {
    let result = read::result(response);
    modern::is_modern_error(response)
        || result.is_some_and(|result| member(result, "resultType").is_some())
}

/// Whether a server refused a request in a way in which a legacy one refuses a modern request.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure.status, Some(400 | 404 | 405 | 406 | 411 | 415))
        || failure.answer.as_deref().is_some_and(is_of_legacy_server)
}

/// Whether a server that is a legacy one did not act on what it refused so: it takes no such input (MCP
/// 2025-11-25, Streamable HTTP, sending messages: an HTTP error, whose JSON-RPC error answers no request).
fn did_nothing(failure: &Failure) -> bool {
    failure.answer.as_deref().is_none_or(|error| {
        read::error_code(error) == Some(INVALID_REQUEST) || is_of_legacy_server(error)
    })
}

/// The client's own question is the probe.
async fn discover(remote: &Arc<Remote>, post: &Post, id: &Id, receive: &Recipient) -> Outcome {
    match remote.probe_by(post.message.clone(), DISCOVERING, receive).await {
        Probed::Modern(answer) => {
            remote.is_surely_modern.store(true, Ordering::Relaxed);
            receive.receive(answer).await;
            Outcome::Answered
        }
        Probed::NotModern => of_legacy(remote, post, id, receive).await,
        Probed::Failed(failure) | Probed::Refusing(failure) => Outcome::Failed(failure),
    }
}

/// A discovery of a server that knows none: the client is to fall back, unless it would not.
async fn of_legacy(remote: &Arc<Remote>, post: &Post, id: &Id, receive: &Recipient) -> Outcome {
    let goes_on = remote.settings.client_protocol == ClientProtocol::Modern;
    match goes_on || remote.sessions.are_used() {
        true => sessions::exchange(remote, post, receive).await,
        false => fall_back(id, receive).await,
    }
}

async fn fall_back(id: &Id, receive: &Recipient) -> Outcome {
    let error = serde_json::json!({ "code": METHOD_NOT_FOUND, "message": FALL_BACK });
    receive.receive(Message::error(Some(id), &error.to_string())).await;
    Outcome::Answered
}

impl Remote {
    /// Whether the server speaks the modern era, as far as that is known or was set.
    fn is_known_modern(&self) -> Option<bool> {
        match self.settings.protocol {
            Protocol::Auto => self.known.facts().modern,
            Protocol::Legacy => Some(false),
            Protocol::Modern => Some(true),
        }
    }

    /// Asks the server, once for all requests that came before it was known.
    async fn ask_era(&self, request: &Message, receive: &Recipient) -> Result<bool, Failure> {
        let _turn = self.asking_era.lock().await;
        if let Some(is_modern) = self.is_known_modern() {
            return Ok(is_modern);
        }
        let info = request::declared(request, CLIENT_INFO);
        let capabilities = request::declared(request, CLIENT_CAPABILITIES).unwrap_or("{}");
        match self.probe(Asker { info, capabilities }, PROBING, receive).await {
            Probed::Modern(_) | Probed::Refusing(_) => {
                self.is_surely_modern.store(true, Ordering::Relaxed);
                Ok(true)
            }
            Probed::NotModern => Ok(false),
            Probed::Failed(failure) => Err(failure),
        }
    }
}
