//! Event streams: bytes → events, bounded, with the place to resume from.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use sse_stream::SseByteStream;

use crate::http::{Body, Fault};

/// Longest wait that a server may ask for with `retry`.
const MAX_RETRY: Duration = Duration::from_secs(300);

/// Where a stream can be taken up again.
#[derive(Debug, Clone, Default)]
pub(super) struct Cursor {
    /// The id of the last event that had one.
    pub(super) last_event_id: Option<String>,
    /// The wait that the server asked for.
    pub(super) retry: Option<Duration>,
}

/// What came of reading on.
pub(super) enum Event {
    /// The data of a message event.
    Data(Vec<u8>),
    /// The endpoint for messages, of a stream on which one may be named.
    Endpoint(String),
    /// The stream ended by itself.
    End,
    /// It broke off.
    Cut(Fault),
    /// An event is larger than allowed.
    TooLarge,
    /// An event is not UTF-8.
    Unreadable(&'static str),
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("cut")]
    Cut(Fault),
    #[error("too large")]
    TooLarge,
}

type Bodies = Pin<Box<dyn Stream<Item = Result<Bytes, Broken>> + Send>>;

/// Reads one event stream.
pub(super) struct Events {
    stream: SseByteStream<Bodies>,
    /// Bytes since the last event, so that one without an end does not fill the memory.
    pending: Arc<AtomicUsize>,
    limit: usize,
    /// Whether the server may name an endpoint.
    endpoints: bool,
}

struct Feed {
    body: Body,
    ended: bool,
    pending: Arc<AtomicUsize>,
    limit: usize,
}

impl Events {
    pub(super) fn new(body: Body, limit: usize) -> Self {
        let pending = Arc::new(AtomicUsize::new(0));
        let feed = Feed { body, ended: false, pending: Arc::clone(&pending), limit };
        let stream: Bodies = Box::pin(stream::unfold(feed, Feed::next));
        Self { stream: SseByteStream::new(stream), pending, limit, endpoints: false }
    }

    /// Reads a stream of the HTTP+SSE transport, on which the server names an endpoint.
    pub(super) fn all_kinds(body: Body, limit: usize) -> Self {
        Self { endpoints: true, ..Self::new(body, limit) }
    }

    /// The next message event. Ids and waits are noted in the cursor as they come.
    pub(super) async fn next(&mut self, cursor: &mut Cursor) -> Event {
        loop {
            let event = match self.stream.next().await {
                None => return Event::End,
                Some(Err(error)) => return broken(error),
                Some(Ok(event)) => event,
            };
            self.pending.store(0, Ordering::Relaxed);
            if let Some(retry) = event.retry {
                cursor.retry = Some(Duration::from_millis(retry).min(MAX_RETRY));
            }
            // An id with a NUL is ignored (HTML, event stream interpretation); an empty one resets.
            if let Some(id) = event.id.filter(|id| !id.contains('\0')) {
                cursor.last_event_id = (!id.is_empty()).then_some(id);
            }
            if self.endpoints && event.event.as_deref() == Some("endpoint") {
                return Event::Endpoint(event.data.unwrap_or_default());
            }
            let is_message = event.event.as_deref().is_none_or(|kind| kind == "message");
            match event.data {
                Some(data) if data.len() > self.limit => {
                    tracing::debug!(bytes = data.len(), "an event is larger than allowed");
                    return Event::TooLarge;
                }
                Some(data) if is_message && !data.trim().is_empty() => {
                    return Event::Data(data.into_bytes());
                }
                _ => {}
            }
        }
    }
}

impl Feed {
    async fn next(mut self) -> Option<(Result<Bytes, Broken>, Self)> {
        if self.ended {
            return None;
        }
        let piece = match self.body.chunk().await {
            Ok(Some(piece)) => {
                let before = self.pending.fetch_add(piece.len(), Ordering::Relaxed);
                if before > self.limit { Err(Broken::TooLarge) } else { Ok(piece) }
            }
            // Some servers leave the blank line after the last event out.
            Ok(None) => {
                self.ended = true;
                Ok(Bytes::from_static(b"\n\n"))
            }
            Err(fault) => Err(Broken::Cut(fault)),
        };
        self.ended |= piece.is_err();
        Some((piece, self))
    }
}

fn broken(error: sse_stream::Error) -> Event {
    match error {
        sse_stream::Error::Body(cause) => match cause.downcast::<Broken>() {
            Ok(broken) => match *broken {
                Broken::Cut(fault) => Event::Cut(fault),
                Broken::TooLarge => Event::TooLarge,
            },
            Err(_) => Event::Unreadable("the stream can't be read"),
        },
        _ => Event::Unreadable("an event is not valid UTF-8"),
    }
}
