//! One request's event streams, read to the answer.

use std::time::Duration;

use super::exchange::{broken_answer, no_response, unreadable, wrong_id};
use super::failure::Failure;
use super::lifecycle::Session;
use super::sse::{Cursor, Event, Events, LeftOut};
use super::{Recipient, Remote, response};
use crate::jsonrpc::scan::Glimpse;
use crate::jsonrpc::{Id, Kind, Malformed, Message};

/// How long a stream is read on after its answer came: for what a server sends last, and so that the
/// connection can be used again.
const LINGER: Duration = Duration::from_secs(1);

/// What the messages of an answer were to the request, the most telling first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Answer,
    LostSession,
    OtherId,
    Nothing,
}

impl Seen {
    pub(super) fn or(self, other: Self) -> Self {
        self.min(other)
    }
}

/// Whether a message would be taken for the answer to a request.
pub(super) fn may_answer(message: &Message, request: &Id) -> bool {
    message.answers(request) || matches!(message.kind(), Kind::Response { id: None, failed: true })
}

/// How reading a stream ended.
pub(super) enum End {
    Answered,
    SessionLost,
    /// It can't be read on, and resuming would meet the same.
    Unreadable(Failure),
    /// It ended or broke off before the answer.
    Without(Failure),
}

/// The reading of one request's streams: the first, and those that take it up again.
pub(super) struct Reading<'a> {
    remote: &'a Remote,
    request: Option<&'a Id>,
    pub(super) session: Option<&'a Session>,
    pub(super) cursor: Cursor,
    pub(super) progressed: bool,
    /// Whether a message came.
    began: bool,
    /// The answer came: another one is none.
    answered: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        remote: &'a Remote,
        request: Option<&'a Id>,
        session: Option<&'a Session>,
    ) -> Self {
        Self {
            remote,
            request,
            session,
            cursor: Cursor::default(),
            progressed: false,
            began: false,
            answered: false,
        }
    }

    pub(super) async fn read(&mut self, mut events: Events, receive: &Recipient) -> End {
        self.progressed = false;
        let host = self.remote.endpoint().host();
        let mut seen = Seen::Nothing;
        loop {
            let before = self.cursor.last_event_id.clone();
            match events.next(&mut self.cursor).await {
                Event::Data(data) => match self.data(data, receive).await {
                    Ok(Seen::Answer) => {
                        self.linger(events, receive).await;
                        return End::Answered;
                    }
                    Ok(Seen::LostSession) => return End::SessionLost,
                    Ok(other) => seen = seen.or(other),
                    Err(malformed) => {
                        self.cursor.last_event_id = before;
                        let answers =
                            malformed.is_response && malformed.id.as_ref() == self.request;
                        if answers && self.request.is_some() {
                            return End::Unreadable(broken_answer(&host, &malformed));
                        }
                        tracing::warn!(why = malformed.why, "an event of {host} is no message");
                    }
                },
                Event::Endpoint(_) => {}
                Event::End if seen == Seen::OtherId => return End::Without(wrong_id(&host)),
                Event::End => return End::Without(no_response(&host)),
                Event::Cut(fault) => return End::Without(Failure::from_fault(&fault, &host)),
                Event::LeftOut(event) if self.is_answer(&event) => {
                    return End::Unreadable(self.remote.not_taken(&event));
                }
                Event::LeftOut(event) => {
                    tracing::warn!("an event from the server was left out: {}", event.why());
                }
                Event::Unreadable(why) => return End::Unreadable(unreadable(&host, why)),
            }
            self.progressed = true;
        }
    }

    async fn data(&mut self, data: Vec<u8>, receive: &Recipient) -> Result<Seen, Malformed> {
        let mut seen = Seen::Nothing;
        for message in response::messages(data)? {
            if self.answered && self.request.is_some_and(|id| may_answer(&message, id)) {
                tracing::debug!("a second answer to a request was dropped");
                continue;
            }
            // A server that has begun to work on a request knows its session, whatever it says later.
            let session = self.session.filter(|_| !std::mem::replace(&mut self.began, true));
            seen = seen.or(self.remote.pass(message, self.request, session, receive).await);
            self.answered |= seen == Seen::Answer;
        }
        Ok(seen)
    }

    /// Whether an event that can't be taken seems to be the answer.
    fn is_answer(&self, event: &LeftOut) -> bool {
        let Glimpse { id, is_response } = &event.glimpse;
        *is_response && self.request.is_some() && (id.is_none() || id.as_ref() == self.request)
    }

    /// Reads on for a moment after the answer.
    async fn linger(&mut self, mut events: Events, receive: &Recipient) {
        let _ = tokio::time::timeout(LINGER, async {
            while let Event::Data(data) = events.next(&mut self.cursor).await {
                let _ = self.data(data, receive).await;
            }
        })
        .await;
    }
}
