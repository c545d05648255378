//! What a modern client sends: to a modern server as it is, to a legacy one by a session of ours.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::modern::{self, CLIENT_CAPABILITIES, CLIENT_INFO};
use super::probe::{Asker, Probed};
use super::translate::for_modern_client::request;
use super::{ClientProtocol, Protocol, modern_exchange, sessions};
use crate::jsonrpc::edit::member;
use crate::jsonrpc::{Id, Kind, METHOD_NOT_FOUND, Message, read};
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
    let outcome = match is_modern {
        true => return to_modern(remote, post, receive).await,
        false if &**method == "server/discover" => of_legacy(remote, post, id, receive).await,
        false => sessions::exchange(remote, post, receive).await,
    };
    match outcome {
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
/// otherwise; then the next request asks.
async fn to_modern(remote: &Arc<Remote>, post: &Post, receive: &Recipient) -> Outcome {
    let is_sure = remote.is_surely_modern.load(Ordering::Relaxed);
    if is_sure || remote.settings.protocol == Protocol::Modern {
        return modern_exchange::of_client(remote, post, receive).await;
    }
    let judge = Arc::clone(remote);
    let judging: Pass = Arc::new(move |message| {
        match message.kind() {
            Kind::Response { .. } if is_of_modern(&message) => {
                judge.is_surely_modern.store(true, Ordering::Relaxed);
            }
            Kind::Response { .. } => judge.known.doubt(),
            Kind::Request { .. } | Kind::Notification { .. } => {}
        }
        vec![message]
    });
    let outcome = modern_exchange::of_client(remote, post, &receive.through(judging)).await;
    if matches!(&outcome, Outcome::Failed(failure) if is_refusal(failure)) {
        remote.known.doubt();
    }
    outcome
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
