//! The GET stream: messages that the server sends unasked (MCP transports, listening for messages).

use hyper::StatusCode;
use tokio::time::Instant;

use super::exchange::ANYHOW;
use super::failure::Failure;
use super::lifecycle::{Carrier, Session, changes};
use super::request::{Answer, Ask};
use super::retry::{Backoff, STOOD, stream_wait};
use super::sse::{Cursor, Event, Events};
use super::{Recipient, Remote, response};

/// Why listening ended. As long as the stream only breaks off, it does not.
#[derive(Debug)]
pub enum ListenEnd {
    /// The server offers no stream, which is its right.
    Refused(Failure),
    /// The stream was open in this session, and now the server no longer knows the session.
    SessionLost,
}

/// Listens until the server refuses.
pub async fn listen(remote: &Remote, session: &Session, receive: &Recipient) -> ListenEnd {
    if let Carrier::Channel(channel) = &session.carrier {
        tokio::select! {
            () = channel.closed() => {}
            () = remote.woken.notified() => channel.close(),
        }
        return ListenEnd::SessionLost;
    }
    if let Carrier::Stateless(session) = &session.carrier {
        return Box::pin(changes::listen(remote, session, receive)).await;
    }
    let mut listening = Listening {
        remote,
        session,
        cursor: Cursor::default(),
        backoff: Backoff::of_stream(),
        opened: false,
    };
    loop {
        tokio::select! {
            biased;
            // Whatever it waits for, nothing more will come of it: the connection is dead.
            () = remote.woken.notified() => {
                listening.backoff = Backoff::of_stream();
            }
            end = listening.turn(receive) => {
                if let Some(end) = end {
                    return end;
                }
            }
        }
    }
}

/// What stays from one stream to the next.
struct Listening<'a> {
    remote: &'a Remote,
    session: &'a Session,
    cursor: Cursor,
    backoff: Backoff,
    opened: bool,
}

impl Listening<'_> {
    /// One stream from its beginning to its end, and the wait for the next.
    async fn turn(&mut self, receive: &Recipient) -> Option<ListenEnd> {
        let mut asked = None;
        let mut progressed = false;
        let ask = Ask::Listen { after: self.cursor.last_event_id.as_deref() };
        match self.remote.ask(&ask, Some(self.session), ANYHOW).await {
            Ok(answer) if is_stream(&answer) => {
                let again = std::mem::replace(&mut self.opened, true);
                // Without an event to take it up after, what was sent meanwhile is gone.
                if again && self.cursor.last_event_id.is_none() {
                    receive.reopened().await;
                }
                let since = Instant::now();
                progressed = self.remote.hear(answer, &mut self.cursor, receive).await;
                if progressed || since.elapsed() > STOOD {
                    self.backoff = Backoff::of_stream();
                }
            }
            Ok(answer) => {
                let refusal = self.remote.refusal(answer, Some(self.session)).await;
                let status = refusal.failure.status.unwrap_or_default();
                if self.opened && refusal.lost {
                    return Some(ListenEnd::SessionLost);
                }
                if !(status >= 500 || status == 429 || status == 408) {
                    return Some(ListenEnd::Refused(refusal.failure));
                }
                asked = refusal.failure.retry_after;
            }
            Err(failure) => tracing::debug!(what = failure.what, "no stream from the server"),
        }
        let own = self.backoff.wait();
        tokio::time::sleep(stream_wait(own, progressed, self.cursor.retry, asked)).await;
        None
    }
}

fn is_stream(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && response::is_event_stream(&answer.headers)
}

impl Remote {
    /// Reads one stream to its end; whether a message came.
    async fn hear(&self, answer: Answer, cursor: &mut Cursor, receive: &Recipient) -> bool {
        let mut events = Events::new(answer.body, self.settings.max_message_size, &self.budget);
        let mut progressed = false;
        loop {
            let data = match events.next(cursor).await {
                Event::Data(data) => data,
                Event::Endpoint(_) => continue,
                Event::LeftOut(event) => {
                    tracing::warn!("an event from the server was left out: {}", event.why());
                    progressed = true;
                    continue;
                }
                Event::End => return progressed,
                Event::Cut(fault) => {
                    tracing::debug!(%fault, "the stream from the server broke off");
                    return progressed;
                }
                Event::Unreadable(why) => {
                    tracing::warn!("the stream from the server can't be read: {why}");
                    return progressed;
                }
            };
            progressed = true;
            match response::messages(data) {
                Ok(messages) => {
                    for message in messages {
                        receive.receive(message).await;
                    }
                }
                Err(malformed) => {
                    tracing::warn!(why = malformed.why, "an event from the server is no message");
                }
            }
        }
    }
}
