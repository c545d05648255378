//! What a legacy client is told unasked, from the `subscriptions/listen` of a modern server (MCP 2026-07-28,
//! subscriptions): opened again when the server ends it, and when the client wants to hear of other resources.
//! Within one request [`super::subscription`] keeps the stream up.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::modern::{LIST_KINDS, ListKind};
use super::modern_exchange::modern_exchange;
use super::stateless::Stateless;
use super::translate::for_legacy_client::{notification, request, response};
use crate::jsonrpc::{Kind, METHOD_NOT_FOUND, Message, read};
use crate::remote::exchange::{Outcome, Post};
use crate::remote::failure::{Failure, FailureKind};
use crate::remote::listen::ListenEnd;
use crate::remote::retry::{Backoff, Patience, STOOD};
use crate::remote::{Pass, Recipient, Remote};

/// What is listened to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Wanted {
    lists: Vec<ListKind>,
    resources: Vec<String>,
}

impl Wanted {
    fn of(session: &Stateless) -> Self {
        let offers = session.offers;
        let offered = [offers.tools, offers.prompts, offers.resources];
        let lists = LIST_KINDS.into_iter().zip(offered).filter(|(_, offered)| *offered);
        let lists = lists.map(|(kind, _)| kind);
        Self { lists: lists.collect(), resources: session.resources() }
    }

    fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.resources.is_empty()
    }

    fn filter(&self) -> String {
        let keys: Vec<_> = self.lists.iter().map(|kind| kind.filter).collect();
        request::filter(&keys, &self.resources)
    }

    /// What the client may have missed, of what the server has agreed to tell.
    fn missed(&self, acknowledged: &Message) -> Vec<Message> {
        let (kinds, uris) = request::granted(acknowledged);
        let lists = self.lists.iter().filter(|kind| kinds.iter().any(|each| each == kind.filter));
        let lists = lists.map(|kind| Message::notification(kind.changed, None));
        let resources = self.resources.iter().filter(|uri| uris.contains(uri));
        let resources = resources.map(|uri| notification::updated(uri));
        lists.chain(resources).collect()
    }
}

/// How a stream ended.
enum Ended {
    /// It will do no better: the server has no such thing.
    Refused(Failure),
    /// The server is not modern any more.
    NotModern,
    /// It broke off, or was closed; it is opened again after a while.
    Broke,
}

/// A stream that is open, or being opened.
struct Stream<'a> {
    wanted: Wanted,
    since: Instant,
    acknowledged: Arc<Notify>,
    reading: Pin<Box<dyn Future<Output = Ended> + Send + 'a>>,
}

/// Listens until the server refuses.
pub(in crate::remote) async fn listen(
    remote: &Remote,
    session: &Arc<Stateless>,
    receive: &Recipient,
) -> ListenEnd {
    let mut listening = Listening {
        remote,
        session,
        receive,
        present: None,
        next: None,
        missed: false,
        waits: Backoff::of_stream(),
    };
    loop {
        if let Some(end) = listening.turn().await {
            return end;
        }
    }
}

/// What stays from one stream to the next.
struct Listening<'a> {
    remote: &'a Remote,
    session: &'a Arc<Stateless>,
    receive: &'a Recipient,
    present: Option<Stream<'a>>,
    /// The one that takes its place as soon as the server acknowledges it, so that nothing is missed.
    next: Option<Stream<'a>>,
    /// Nothing was listened to for a while.
    missed: bool,
    waits: Backoff,
}

impl Listening<'_> {
    /// Until something changes.
    async fn turn(&mut self) -> Option<ListenEnd> {
        if self.present.is_none() && self.next.is_none() {
            let wanted = Wanted::of(self.session);
            if wanted.is_empty() {
                self.session.resources_changed.notified().await;
                return None;
            }
            self.present = Some(self.open(wanted));
        }
        let next = self.next.as_ref().map(|stream| Arc::clone(&stream.acknowledged));
        tokio::select! {
            biased;
            () = acknowledged(next) => self.present = self.next.take(),
            () = self.session.resources_changed.notified() => self.change(),
            ended = ended(&mut self.next) => return self.ended(ended).await,
            ended = ended(&mut self.present) => return self.ended(ended).await,
        }
        None
    }

    /// The client wants to hear of other resources.
    fn change(&mut self) {
        let wanted = Wanted::of(self.session);
        let latest = self.next.as_ref().or(self.present.as_ref());
        if latest.is_some_and(|stream| stream.wanted == wanted) {
            return;
        }
        if wanted.is_empty() {
            (self.present, self.next) = (None, None);
        } else {
            self.next = Some(self.open(wanted));
        }
    }

    async fn ended(&mut self, ended: Ended) -> Option<ListenEnd> {
        match ended {
            Ended::Refused(failure) => return Some(ListenEnd::Refused(failure)),
            Ended::NotModern => return Some(ListenEnd::SessionLost),
            Ended::Broke => {}
        }
        let since = self.present.as_ref().map(|stream| stream.since);
        if since.is_some_and(|since| since.elapsed() > STOOD) {
            self.waits = Backoff::of_stream();
        }
        self.broke_off();
        let wait = self.waits.wait();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.remote.woken.notified() => {}
        }
        None
    }

    fn broke_off(&mut self) {
        (self.present, self.next, self.missed) = (None, None, true);
    }
}

impl<'a> Listening<'a> {
    fn open(&mut self, wanted: Wanted) -> Stream<'a> {
        let acknowledged = Arc::new(Notify::new());
        let refusal = Arc::new(Mutex::new(None));
        let missed = std::mem::take(&mut self.missed);
        let pass = pass(wanted.clone(), missed, &acknowledged, &refusal);
        let (remote, receive) = (self.remote, self.receive.through(pass));
        let post = subscription(remote, self.session, &wanted);
        let reading = Box::pin(async move {
            let outcome = modern_exchange(remote, &post, &receive).await;
            let refusal = refusal.lock().unwrap_or_else(PoisonError::into_inner).take();
            came_to(remote, outcome, refusal)
        });
        Stream { wanted, since: Instant::now(), acknowledged, reading }
    }
}

async fn acknowledged(stream: Option<Arc<Notify>>) {
    match stream {
        Some(acknowledged) => acknowledged.notified().await,
        None => std::future::pending().await,
    }
}

async fn ended(stream: &mut Option<Stream<'_>>) -> Ended {
    match stream {
        Some(stream) => (&mut stream.reading).await,
        None => std::future::pending().await,
    }
}

/// The request.
fn subscription(remote: &Remote, session: &Stateless, wanted: &Wanted) -> Post {
    let params = format!(
        "{{\"_meta\":{{{}}},\"notifications\":{}}}",
        session.declaration(),
        wanted.filter()
    );
    Post {
        message: Message::request(&remote.own_id(), "subscriptions/listen", &params),
        session: None,
        repeatable: true,
        patience: Patience::Once,
        handed_over: Arc::default(),
        mirrored: None,
    }
}

/// What each message of a stream passes on its way to the client.
fn pass(
    wanted: Wanted,
    missed: bool,
    acknowledged: &Arc<Notify>,
    refusal: &Arc<Mutex<Option<Message>>>,
) -> Pass {
    let (acknowledged, refusal) = (Arc::clone(acknowledged), Arc::clone(refusal));
    Arc::new(move |message| match message.kind() {
        Kind::Notification { method }
            if &**method == "notifications/subscriptions/acknowledged" =>
        {
            acknowledged.notify_one();
            if missed { wanted.missed(&message) } else { Vec::new() }
        }
        // The stream ended by the server's own wish, which its end says too.
        Kind::Notification { method } if &**method == "notifications/cancelled" => Vec::new(),
        Kind::Notification { .. } => vec![notification::legacy(message)],
        Kind::Response { failed: true, .. } => {
            *refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
            Vec::new()
        }
        Kind::Response { .. } | Kind::Request { .. } => Vec::new(),
    })
}

fn came_to(remote: &Remote, outcome: Outcome, refusal: Option<Message>) -> Ended {
    let host = remote.endpoint().host();
    if let Some(refusal) = refusal {
        tracing::debug!(why = read::error_message(&refusal), "the server tells of no changes");
        if response::is_of_legacy_server(&refusal) {
            remote.known.doubt();
            return Ended::NotModern;
        }
        if read::error_code(&refusal) == Some(METHOD_NOT_FOUND) {
            let what = format!("{host} tells of no changes");
            // The status of a method that is not there (MCP 2026-07-28, Streamable HTTP).
            return Ended::Refused(Failure::settled(FailureKind::NotFound, Some(404), what));
        }
        return Ended::Broke;
    }
    match outcome {
        Outcome::Failed(failure) if is_final(&failure) => {
            Ended::Refused(Failure { status: Some(404), ..failure })
        }
        Outcome::Failed(failure) | Outcome::SessionLost(failure) => {
            tracing::debug!(what = failure.what, "the stream of changes broke off");
            Ended::Broke
        }
        Outcome::Answered | Outcome::Accepted => Ended::Broke,
    }
}

/// Whether a refusal without words of JSON-RPC says that there is no such thing.
fn is_final(failure: &Failure) -> bool {
    matches!(failure.status, Some(404 | 405 | 501))
}
