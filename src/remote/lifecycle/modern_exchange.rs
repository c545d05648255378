//! One modern message to a modern server: with the headers that mirror it, after a look at the server's list of
//! tools where one is needed, and again where the list turns out to have changed.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderValue};
use tokio::time::timeout;

use super::modern::{self, HEADER_MISMATCH, declared_version};
use super::param_headers::Tools;
use super::{Carrier, Session, mirrored, subscription};
use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::{Id, Kind, Message, read};
use crate::remote::aside::Aside;
use crate::remote::exchange::{Outcome, Post, attempts};
use crate::remote::{Failure, Fate, Pass, Recipient, Remote};

/// Pages of a list of our own, and how long all of them may take.
const MAX_PAGES: usize = 50;
const LOOKUP_TIME: Duration = Duration::from_secs(10);
/// Requests that broke off of which it is remembered, and the longest id of one, in bytes.
const MAX_BROKEN: usize = 256;
const MAX_ID: usize = 1_024;
/// What a list of our own says of who asks, as the call that it precedes.
const IDENTITY: [&str; 3] =
    [modern::PROTOCOL_VERSION, modern::CLIENT_INFO, modern::CLIENT_CAPABILITIES];

/// What is kept for a client or a server of the modern era.
#[derive(Debug, Default)]
pub(in crate::remote) struct Kept {
    /// The revision that the client's requests declare; none of a client that opened a session.
    client: Mutex<Option<HeaderValue>>,
    /// What the server's lists said of its tools.
    pub(super) tools: Arc<Tools>,
    /// One list at a time.
    looking: tokio::sync::Mutex<()>,
    ids: AtomicU64,
    /// Requests that broke off, each of which is another one if it is sent again.
    broken: Mutex<HashSet<Id>>,
}

impl Remote {
    /// Whether a message is one of a modern client: a request that says so, or anything of a client whose other
    /// requests did.
    pub(in crate::remote) fn is_modern(
        &self,
        session: Option<&Session>,
        message: &Message,
    ) -> bool {
        if session.is_some() || modern::is_handshake(message) {
            return false;
        }
        let mut client = self.modern.client.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(message.kind(), Kind::Request { .. }) {
            return client.is_some();
        }
        if let Some(version) = declared_version(message).and_then(mirrored::argument) {
            *client = Some(version);
        }
        client.is_some() || message.method() == Some("server/discover")
    }

    /// Whether a request is cancelled by closing its stream, and by nothing that is sent (MCP 2026-07-28,
    /// cancellation).
    pub fn cancelled_by_closing(&self, session: Option<&Session>, message: &Message) -> bool {
        match session.map(|session| &session.carrier) {
            Some(carrier) => matches!(carrier, Carrier::Stateless(_)),
            None => self.is_modern(None, message),
        }
    }

    /// An id of this program's own for a request to a modern server.
    pub(in crate::remote) fn own_id(&self) -> Id {
        Id::own_exchange(self.modern.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// What of a modern request has to be mirrored in its headers, as far as the server's tools are known. One that
    /// does not say its revision is of that of the others, so that the server can say what it lacks.
    pub(in crate::remote) fn mirrored(&self, request: &Message) -> Arc<HeaderMap> {
        let version = || self.modern.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut headers = mirrored::standard(request, version);
        if request.method() == Some("tools/call") {
            self.modern.tools.add_headers(request, &mut headers);
        }
        Arc::new(headers)
    }
}

/// Carries a message of a modern client.
pub(in crate::remote) async fn of_client(
    remote: &Remote,
    post: &Post,
    receive: &Recipient,
) -> Outcome {
    match post.message.kind() {
        Kind::Request { .. } => modern_exchange(remote, post, receive).await,
        Kind::Notification { method } if &**method == "notifications/cancelled" => {
            tracing::debug!("the request that is cancelled is not under way");
            Outcome::Accepted
        }
        Kind::Notification { .. } => {
            let client =
                remote.modern.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let headers = client.map(|version| mirrored::of_notification(&post.message, version));
            let post = Post { mirrored: headers.map(Arc::new), ..post.clone() };
            attempts(remote, &post, &receive.through(watching(remote, None))).await
        }
        Kind::Response { .. } => {
            tracing::warn!("a response of the client was dropped: the server asked nothing");
            Outcome::Accepted
        }
    }
}

/// Sends a modern request to a modern server and receives what comes back: the client's own, or one that was
/// composed for it. Headers are added here; the session of the post is not used. The server's own errors are
/// received like any other answer.
pub(in crate::remote) async fn modern_exchange(
    remote: &Remote,
    post: &Post,
    receive: &Recipient,
) -> Outcome {
    let outcome = unsettled_exchange(remote, post, receive).await;
    settled(outcome, post, receive).await
}

/// The same, with the server's refusals left in the outcome.
pub(super) async fn unsettled_exchange(
    remote: &Remote,
    post: &Post,
    receive: &Recipient,
) -> Outcome {
    if post.message.method() == Some("subscriptions/listen") {
        return subscription::keep_up(remote, post, receive).await;
    }
    let Some(id) = post.message.id() else { return Outcome::Accepted };
    let broken = || remote.modern.broken.lock().unwrap_or_else(PoisonError::into_inner);
    let was_broken = broken().remove(id);
    let again = was_broken.then(|| reissued(remote, post, receive)).flatten();
    let (sent, by) = again.as_ref().map_or((post, receive), |(post, by)| (post, by));
    let outcome = match post.message.method() {
        Some("tools/call") => call(remote, sent, by).await,
        _ => carried(remote, sent, remote.mirrored(&sent.message), by).await,
    };
    if matches!(&outcome, Outcome::Failed(failure) if failure.fate == Fate::Unknown) {
        let mut broken = broken();
        if broken.len() == MAX_BROKEN {
            broken.clear();
        }
        if id.len() <= MAX_ID {
            broken.insert(id.clone());
        }
    }
    outcome
}

/// Sends a request with these headers.
pub(super) async fn send(
    remote: &Remote,
    post: &Post,
    headers: Arc<HeaderMap>,
    receive: &Recipient,
) -> Outcome {
    let outcome = carried(remote, post, headers, receive).await;
    settled(outcome, post, receive).await
}

/// The same, with the server's refusals left in the outcome.
async fn carried(
    remote: &Remote,
    post: &Post,
    headers: Arc<HeaderMap>,
    receive: &Recipient,
) -> Outcome {
    let post = Post { mirrored: Some(headers), session: None, ..post.clone() };
    attempts(remote, &post, &receive.through(watching(remote, Some(&post.message)))).await
}

/// An outcome after the server's own error was received as any other answer.
pub(super) async fn settled(outcome: Outcome, post: &Post, receive: &Recipient) -> Outcome {
    match outcome {
        Outcome::Failed(Failure { fate: Fate::Settled, answer: Some(answer), .. }) => {
            // It may have come to the same request under another id.
            let own = post.message.id().filter(|id| !answer.answers(id));
            receive.receive(own.map_or_else(|| (*answer).clone(), |id| answer.with_id(id))).await;
            Outcome::Answered
        }
        outcome => outcome,
    }
}

/// Calls a tool; once more where the server refuses it for its headers and has other ones in its list.
///
/// Such a call was not carried out: a server rejects what its headers contradict, with 400, and a client is to
/// send it again by a new list (MCP 2026-07-28, Streamable HTTP, server validation and client behavior). With
/// any other status it is an answer like others.
async fn call(remote: &Remote, post: &Post, receive: &Recipient) -> Outcome {
    let tools = &remote.modern.tools;
    if !tools.knows(&post.message) {
        look_up(remote, post, receive, None).await;
    }
    let before = tools.lists();
    let headers = remote.mirrored(&post.message);
    let outcome = carried(remote, post, Arc::clone(&headers), receive).await;
    if !is_header_mismatch(&outcome) {
        return outcome;
    }
    look_up(remote, post, receive, Some(before)).await;
    let others = remote.mirrored(&post.message);
    if others == headers {
        return outcome;
    }
    tracing::debug!("the tool's parameters changed; calling it again");
    carried(remote, post, others, receive).await
}

fn is_header_mismatch(outcome: &Outcome) -> bool {
    let Outcome::Failed(Failure { status: Some(400), answer: Some(answer), .. }) = outcome else {
        return false;
    };
    read::error_code(answer) == Some(HEADER_MISMATCH)
}

/// Asks for the server's list of tools, for a call: for one of a tool that is not known, or where the list is
/// not newer than that which the call went by. What fails leaves the call as it is.
async fn look_up(remote: &Remote, call: &Post, receive: &Recipient, went_by: Option<u64>) {
    let tools = &remote.modern.tools;
    let looking = async {
        let _turn = remote.modern.looking.lock().await;
        let known = match went_by {
            None => tools.knows(&call.message),
            Some(lists) => tools.lists() != lists,
        };
        if !known {
            list(remote, call, receive).await;
        }
    };
    if timeout(LOOKUP_TIME, looking).await.is_err() {
        tracing::debug!("the server's list of tools did not come in time");
    }
}

/// Reads the server's list of tools to its end.
async fn list(remote: &Remote, call: &Post, receive: &Recipient) {
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let post = page(remote, call, cursor.as_deref());
        let answer = Aside::default();
        let receive = receive.through(answer.taking_all());
        let outcome = send(remote, &post, remote.mirrored(&post.message), &receive).await;
        let Some(answer) = answer.take() else {
            // Not what the server said with it, which may be anything.
            if let Outcome::Failed(Failure { what, .. }) = &outcome {
                tracing::debug!(what, "the server's list of tools did not come");
            }
            return;
        };
        let next = read::result(&answer).and_then(read::next_cursor);
        let Some(next) = next else {
            if matches!(answer.kind(), Kind::Response { failed: true, .. }) {
                tracing::debug!(why = read::error_message(&answer), "the server lists no tools");
            }
            break;
        };
        cursor = Some(next.to_owned());
    }
    remote.modern.tools.leave_it();
}

/// The request for one page, by whoever makes the call.
fn page(remote: &Remote, call: &Post, cursor: Option<&str>) -> Post {
    let meta = read::params(&call.message).and_then(|params| member(params, "_meta"));
    let meta = meta.unwrap_or("{}");
    let said = IDENTITY.iter().filter_map(|key| {
        let value = member_at(meta, &[key])?;
        Some(format!("\"{key}\":{value}"))
    });
    let meta = said.collect::<Vec<_>>().join(",");
    let cursor = cursor.map(|cursor| format!("\"cursor\":{cursor},")).unwrap_or_default();
    let message = Message::request(
        &remote.own_id(),
        "tools/list",
        &format!("{{{cursor}\"_meta\":{{{meta}}}}}"),
    );
    Post {
        message,
        session: None,
        repeatable: true,
        patience: call.patience,
        handed_over: Arc::default(),
        mirrored: None,
    }
}

/// What every message of a modern server passes, of which some say something of its tools.
fn watching(remote: &Remote, request: Option<&Message>) -> Pass {
    let tools = Arc::clone(&remote.modern.tools);
    let list = request.filter(|request| request.method() == Some("tools/list")).cloned();
    Arc::new(move |message| match message.kind() {
        Kind::Request { method, .. } => {
            tracing::warn!(
                %method,
                "a request of the server was dropped: its revision has no requests of servers"
            );
            Vec::new()
        }
        Kind::Notification { method } => {
            if &**method == "notifications/tools/list_changed" {
                tools.forget();
            }
            vec![message]
        }
        Kind::Response { .. } => match &list {
            Some(request) => vec![tools.learn(request, message)],
            None => vec![message],
        },
    })
}

/// The same request under another id, since a request whose stream broke off is a new one (MCP 2026-07-28,
/// changelog 9); whoever waits for it gets the answer under its own.
pub(in crate::remote) fn reissued(
    remote: &Remote,
    post: &Post,
    receive: &Recipient,
) -> Option<(Post, Recipient)> {
    let own = post.message.id()?.clone();
    let id = remote.own_id();
    let message = post.message.with_id(&id);
    let pass: Pass = Arc::new(move |message| {
        vec![if message.answers(&id) { message.with_id(&own) } else { message }]
    });
    Some((Post { message, ..post.clone() }, receive.through(pass)))
}
