//! The HTTP+SSE transport of 2024-11-05: one GET stream brings all messages, and its first event names
//! the endpoint that messages are posted to. A stream that is lost is a session that is lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::StatusCode;
use tokio::sync::{oneshot, watch};
use tokio::task::AbortHandle;

use super::endpoint::Endpoint;
use super::exchange::ANYHOW;
use super::failure::{Failure, FailureKind, Fate};
use super::request::Ask;
use super::sse::{Cursor, Event, Events, LeftOut};
use super::{Recipient, Remote, response};
use crate::jsonrpc::Id;
use crate::task;

/// How long a server may take to open the stream and name its endpoint. A Streamable HTTP server may
/// open a stream of another kind here and never say a word.
const OPENING_TIME: Duration = Duration::from_secs(5);
/// Shorter values are no secrets, and stand in any text.
const SHORTEST_ECHO: usize = 6;

/// An open stream and the endpoint that belongs to it. Dropping it closes the stream.
#[derive(Debug)]
pub struct Channel {
    endpoint: Endpoint,
    awaited: Arc<Awaited>,
    closed: watch::Receiver<bool>,
    reader: AbortHandle,
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// What came for a request: its answer, or one that can't be taken.
type Came = Result<(), LeftOut>;

/// The requests whose answers are awaited from the stream.
#[derive(Debug, Default)]
struct Awaited(Mutex<HashMap<Id, oneshot::Sender<Came>>>);

impl Awaited {
    fn lock(&self) -> MutexGuard<'_, HashMap<Id, oneshot::Sender<Came>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    /// Where messages are posted to.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// A server's words without the values in the endpoint's query, which name the session.
    pub(super) fn without_secrets(&self, text: String) -> String {
        let pairs = self.endpoint.url().query_pairs();
        let secrets = pairs.filter(|(_, value)| value.len() >= SHORTEST_ECHO);
        secrets.fold(text, |text, (_, value)| text.replace(&*value, "[secret]"))
    }

    /// What tells of the response with this id. To be asked before the request is sent.
    pub(super) fn answer_to(&self, id: &Id) -> Answered {
        let (answered, receiver) = oneshot::channel();
        self.awaited.lock().insert(id.clone(), answered);
        Answered { receiver, awaited: Arc::clone(&self.awaited), id: id.clone() }
    }

    /// Ends the stream: the machine slept, and nobody would tell us that it is dead.
    pub(super) fn close(&self) {
        self.reader.abort();
    }

    /// Resolves when the stream is lost.
    pub(super) async fn closed(&self) {
        let mut closed = self.closed.clone();
        let _ = closed.wait_for(|closed| *closed).await;
    }

    pub(super) fn is_closed(&self) -> bool {
        // A reader that broke down says nothing any more, but is gone.
        *self.closed.borrow() || self.closed.has_changed().is_err()
    }
}

/// A response that is awaited. Dropping it forgets the request, which may have been cancelled.
pub(super) struct Answered {
    receiver: oneshot::Receiver<Came>,
    awaited: Arc<Awaited>,
    id: Id,
}

impl Answered {
    /// Resolves when the response came; never if the stream is lost.
    pub(super) async fn received(&mut self) -> Came {
        match (&mut self.receiver).await {
            Ok(came) => came,
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.receiver.close();
        let mut awaited = self.awaited.lock();
        // Another request under the same id is none of ours.
        if awaited.get(&self.id).is_some_and(oneshot::Sender::is_closed) {
            awaited.remove(&self.id);
        }
    }
}

impl Remote {
    /// Opens the stream and waits for its endpoint; from then on messages are received as they come.
    pub(super) async fn open_channel(&self, receive: &Recipient) -> Result<Arc<Channel>, Failure> {
        let opened = tokio::time::timeout(OPENING_TIME, self.open_stream()).await;
        let (events, endpoint) = opened.unwrap_or_else(|_| {
            let what = format!("{} named no endpoint for messages in time", self.endpoint().host());
            Err(no_channel(what))
        })?;
        tracing::debug!(endpoint = endpoint.shown(), "HTTP+SSE stream opened");
        let awaited = Arc::new(Awaited::default());
        let (close, closed) = watch::channel(false);
        let reader = Reader { events, awaited: Arc::clone(&awaited), close };
        let reader = task::spawn(reader.read(receive.clone())).abort_handle();
        Ok(Arc::new(Channel { endpoint, awaited, closed, reader }))
    }

    async fn open_stream(&self) -> Result<(Events, Endpoint), Failure> {
        let ask = Ask::Listen { after: None };
        let answer = self.ask(&ask, None, ANYHOW).await?;
        if answer.status != StatusCode::OK || !response::is_event_stream(&answer.headers) {
            let refusal = self.refusal(answer, None).await;
            return Err(refusal.failure);
        }
        let mut events =
            Events::all_kinds(answer.body, self.settings.max_message_size, &self.budget);
        let host = self.endpoint().host();
        match events.next(&mut Cursor::default()).await {
            Event::Endpoint(named) => Ok((events, self.named_endpoint(&named)?)),
            _ => Err(no_channel(format!("the stream of {host} names no endpoint for messages"))),
        }
    }

    /// The endpoint that the server named, which has to be of its own origin.
    fn named_endpoint(&self, named: &str) -> Result<Endpoint, Failure> {
        let own = self.endpoint();
        let endpoint = own
            .url()
            .join(named.trim())
            .ok()
            .and_then(|url| Endpoint::try_from(url).ok())
            .ok_or_else(|| no_channel(format!("{} named no usable endpoint", own.host())))?;
        if endpoint.origin() == own.origin() {
            return Ok(endpoint);
        }
        let what = format!("{} wants messages sent to {}", own.host(), endpoint.host());
        let cause = Some("that is another origin, to which nothing of yours is sent".to_owned());
        Err(Failure { kind: FailureKind::Redirected, cause, ..no_channel(what) })
    }
}

fn no_channel(what: String) -> Failure {
    Failure::settled(FailureKind::BadAnswer, None, what)
}

/// A request over a channel that was lost before the answer came.
pub(super) fn lost_channel(host: &str) -> Failure {
    let what = format!("the stream from {host} was lost before the answer");
    let failure = Failure::settled(FailureKind::Lost, None, what);
    Failure { fate: Fate::Unknown, ..failure }
}

/// What reads a channel's stream.
struct Reader {
    events: Events,
    awaited: Arc<Awaited>,
    close: watch::Sender<bool>,
}

impl Reader {
    async fn read(mut self, receive: Recipient) {
        let mut cursor = Cursor::default();
        loop {
            match self.events.next(&mut cursor).await {
                Event::Data(data) => self.awaited.pass(data, &receive).await,
                Event::Endpoint(_) => tracing::warn!("the server named a second endpoint; ignored"),
                Event::End => break,
                Event::Cut(fault) => {
                    tracing::debug!(%fault, "the HTTP+SSE stream broke off");
                    break;
                }
                Event::LeftOut(event) => self.awaited.left_out(event),
                Event::Unreadable(why) => {
                    tracing::warn!("the HTTP+SSE stream can't be read: {why}");
                    break;
                }
            }
        }
        let _ = self.close.send(true);
    }
}

impl Awaited {
    /// An answer that can't be taken ends its request; anything else that can't is left out.
    fn left_out(&self, event: LeftOut) {
        let id = event.glimpse.id.as_ref().filter(|_| event.glimpse.is_response);
        match id.and_then(|id| self.lock().remove(id)) {
            Some(answered) => drop(answered.send(Err(event))),
            None => tracing::warn!("an event from the server was left out: {}", event.why()),
        }
    }

    /// Gives the messages of an event on, and tells whoever awaits a response that it came.
    async fn pass(&self, data: Vec<u8>, receive: &Recipient) {
        let messages = match response::messages(data) {
            Ok(messages) => messages,
            Err(malformed) => {
                tracing::warn!(why = malformed.why, "an event from the server is no message");
                return;
            }
        };
        for message in messages {
            let id = message.response_id().cloned();
            receive.receive(message).await;
            if let Some(answered) = id.and_then(|id| self.lock().remove(&id)) {
                let _ = answered.send(Ok(()));
            }
        }
    }
}
