//! Event streams: bytes → events, bounded, with the place to resume from.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use sse_stream::SseByteStream;

use super::budget::{Budget, Share};
use super::gauge::{Gauge, LEFT_OUT, NOT_TEXT, Rest, TOO_LARGE};
use crate::http::{Body, Fault};
use crate::jsonrpc::scan::{self, Glimpse};

/// Longest wait that a server may ask for with `retry`.
const MAX_RETRY: Duration = Duration::from_secs(300);

/// Longest event id that is kept, in bytes: it is sent back as a header.
const MAX_ID: usize = 8 * 1024;

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
    /// An event that can't be taken; the stream can be read on.
    LeftOut(LeftOut),
    /// The stream ended by itself.
    End,
    /// It broke off.
    Cut(Fault),
    /// It can't be read on.
    Unreadable(&'static str),
}

/// An event that was left out.
#[derive(Debug, Clone)]
pub(super) struct LeftOut {
    /// Whether it was larger than allowed; else it was no text.
    pub(super) too_large: bool,
    /// What it seems to have been.
    pub(super) glimpse: Glimpse,
}

impl LeftOut {
    /// Why, in words.
    pub(super) fn why(&self) -> &'static str {
        if self.too_large { "it is larger than allowed" } else { "it is not valid UTF-8" }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut(Fault);

type Bodies = Pin<Box<dyn Stream<Item = Result<Bytes, Cut>> + Send>>;

/// Reads one event stream.
pub(super) struct Events {
    stream: SseByteStream<Bodies>,
    limit: usize,
    /// Whether the server may name an endpoint.
    endpoints: bool,
    rest: Arc<Mutex<Rest>>,
    /// An event that is being left out, and whether it is too large.
    leaving_out: Option<bool>,
}

struct Feed {
    body: Body,
    ended: bool,
    gauge: Gauge,
    share: Share,
}

impl Events {
    pub(super) fn new(body: Body, limit: usize, budget: &Budget) -> Self {
        let rest = Arc::<Mutex<Rest>>::default();
        let gauge = Gauge::new(limit, Arc::clone(&rest));
        let feed = Box::new(Feed { body, ended: false, gauge, share: budget.share() });
        let stream: Bodies = Box::pin(stream::unfold(feed, Feed::next));
        let stream = SseByteStream::new(stream);
        Self { stream, limit, endpoints: false, rest, leaving_out: None }
    }

    /// Reads a stream of the HTTP+SSE transport, on which the server names an endpoint.
    pub(super) fn all_kinds(body: Body, limit: usize, budget: &Budget) -> Self {
        Self { endpoints: true, ..Self::new(body, limit, budget) }
    }

    /// The next message event. Ids and waits are noted in the cursor as they come.
    pub(super) async fn next(&mut self, cursor: &mut Cursor) -> Event {
        loop {
            let event = match self.stream.next().await {
                None if self.leaving_out.is_some() => return self.left_out(),
                None => return Event::End,
                Some(Err(error)) => return broken(error),
                Some(Ok(event)) => event,
            };
            if let Some(retry) = event.retry {
                cursor.retry = Some(Duration::from_millis(retry).min(MAX_RETRY));
            }
            // An id with a NUL is ignored (HTML, event stream interpretation); an empty one resets.
            if let Some(id) = event.id.filter(|id| !id.contains('\0') && id.len() <= MAX_ID) {
                cursor.last_event_id = (!id.is_empty()).then_some(id);
            }
            let kind = event.event.as_deref().unwrap_or("message");
            let data = event.data.unwrap_or_default();
            if kind == TOO_LARGE || kind == NOT_TEXT {
                self.rest.lock().unwrap_or_else(PoisonError::into_inner).begin(&data);
                self.leaving_out = Some(kind == TOO_LARGE);
                continue;
            }
            if kind == LEFT_OUT && self.leaving_out.is_some() {
                return self.left_out();
            }
            if self.endpoints && kind == "endpoint" {
                return Event::Endpoint(data);
            }
            if kind == "message" && data.len() > self.limit {
                let glimpse = scan::glimpse(data.as_bytes());
                return Event::LeftOut(LeftOut { too_large: true, glimpse });
            }
            if kind == "message" && !data.trim().is_empty() {
                return Event::Data(data.into_bytes());
            }
        }
    }
}

impl Events {
    fn left_out(&mut self) -> Event {
        let too_large = self.leaving_out.take().unwrap_or_default();
        let glimpse = self.rest.lock().unwrap_or_else(PoisonError::into_inner).end();
        Event::LeftOut(LeftOut { too_large, glimpse })
    }
}

impl Feed {
    /// Boxed, because it is moved about with every piece.
    async fn next(mut self: Box<Self>) -> Option<(Result<Bytes, Cut>, Box<Self>)> {
        while !self.ended {
            let piece = match self.body.chunk().await {
                Ok(Some(piece)) => {
                    // What came before was taken by now, but for the event that goes on.
                    self.share.set(self.gauge.pending() + piece.len()).await;
                    let passed = self.gauge.pass(piece);
                    self.ended |= self.gauge.is_endless();
                    Ok(passed)
                }
                // Some servers leave the blank line after the last event out.
                Ok(None) => {
                    self.ended = true;
                    Ok(Bytes::from_static(b"\n\n"))
                }
                Err(fault) => Err(Cut(fault)),
            };
            self.ended |= piece.is_err();
            if piece.as_ref().is_ok_and(Bytes::is_empty) {
                continue;
            }
            return Some((piece, self));
        }
        None
    }
}

fn broken(error: sse_stream::Error) -> Event {
    match error {
        sse_stream::Error::Body(cause) => match cause.downcast::<Cut>() {
            Ok(cut) => Event::Cut(cut.0),
            Err(_) => Event::Unreadable("the stream can't be read"),
        },
        _ => Event::Unreadable("an event is not valid UTF-8"),
    }
}
