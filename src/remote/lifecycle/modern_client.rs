//! What a modern client sends: to a modern server as it is, to a legacy one by a session of ours.

use std::sync::Arc;
use std::time::Duration;

use super::modern::{CLIENT_CAPABILITIES, CLIENT_INFO};
use super::probe::{Asker, Probed};
use super::translate::for_modern_client::request;
use super::{ClientProtocol, Protocol, modern_exchange, sessions};
use crate::jsonrpc::{Id, Kind, METHOD_NOT_FOUND, Message};
use crate::remote::exchange::{Outcome, Post};
use crate::remote::{Failure, Fate, Receive, Remote};

/// How long a server may take to say what it is. A client waits no longer for the answer to its own question
/// either, before it falls back.
const PROBING: Duration = Duration::from_secs(5);
/// What tells a client of both eras to fall back (MCP 2026-07-28, stdio, backward compatibility).
const FALL_BACK: &str =
    "Method not found: this server speaks revisions of MCP that begin with `initialize`";

/// Carries a message of a modern client.
pub(in crate::remote) async fn exchange<R: Receive>(
    remote: &Arc<Remote>,
    post: &Post,
    receive: &R,
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
        true => return modern_exchange::of_client(remote, post, receive).await,
        false if &**method == "server/discover" => of_legacy(remote, post, id, receive).await,
        false => sessions::exchange(remote, post, receive).await,
    };
    match outcome {
        // The handshake showed that the server has become a modern one.
        Outcome::Failed(failure)
            if failure.fate == Fate::NotExecuted && remote.is_known_modern() == Some(true) =>
        {
            modern_exchange::of_client(remote, post, receive).await
        }
        outcome => outcome,
    }
}

/// The client's own question is the probe.
async fn discover<R: Receive>(remote: &Arc<Remote>, post: &Post, id: &Id, receive: &R) -> Outcome {
    match remote.probe_by(post.message.clone(), PROBING, receive).await {
        Probed::Modern(answer) => {
            receive.receive(answer).await;
            Outcome::Answered
        }
        Probed::NotModern => of_legacy(remote, post, id, receive).await,
        // Nothing was learnt, and a client that falls back is told the reason, or waits for a sign-in.
        Probed::Failed(failure) if failure.may_pass() => fall_back(id, receive).await,
        Probed::Failed(failure) | Probed::Refusing(failure) => Outcome::Failed(failure),
    }
}

/// A discovery of a server that knows none: the client is to fall back, unless it would not.
async fn of_legacy<R: Receive>(remote: &Arc<Remote>, post: &Post, id: &Id, receive: &R) -> Outcome {
    let goes_on = remote.settings.client_protocol == ClientProtocol::Modern;
    match goes_on || remote.sessions.are_used() {
        true => sessions::exchange(remote, post, receive).await,
        false => fall_back(id, receive).await,
    }
}

async fn fall_back<R: Receive>(id: &Id, receive: &R) -> Outcome {
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
    async fn ask_era<R: Receive>(&self, request: &Message, receive: &R) -> Result<bool, Failure> {
        let _turn = self.asking_era.lock().await;
        if let Some(is_modern) = self.is_known_modern() {
            return Ok(is_modern);
        }
        let info = request::declared(request, CLIENT_INFO);
        let capabilities = request::declared(request, CLIENT_CAPABILITIES).unwrap_or("{}");
        match self.probe(Asker { info, capabilities }, PROBING, receive).await {
            Probed::Modern(_) | Probed::Refusing(_) => Ok(true),
            Probed::NotModern => Ok(false),
            Probed::Failed(failure) => Err(failure),
        }
    }
}
