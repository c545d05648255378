//! One message to the server, from the first attempt to its end.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use hyper::{HeaderMap, StatusCode};
use tokio::time::Instant;

use super::budget::Share;
use super::channel::{Channel, lost_channel};
use super::failure::{Failure, FailureKind, Fate};
use super::lifecycle::{
    Carrier, Session, legacy, modern, modern_client, modern_exchange, stateless,
};
use super::reading::{End, Reading, Seen, may_answer};
use super::request::{Answer, Ask};
use super::response::{self, Uncollected};
use super::retry::{Backoff, Patience, Retries};
use super::sse::{Events, LeftOut};
use super::{Recipient, Remote};
use crate::http::{Delivery, Reuse};
use crate::jsonrpc::{Id, Kind, Malformed, Message};

/// First and longest wait before a stream that broke off is resumed, where the server names none.
const RESUME_FIRST: Duration = Duration::from_millis(250);
const RESUME_SHORTEST: Duration = Duration::from_millis(50);
const RESUME_LONGEST: Duration = Duration::from_secs(10);

/// For what may be sent again, and of which nobody asks whether it was.
pub(super) const ANYHOW: Delivery<'static> = Delivery { reuse: Reuse::Any, handed_over: None };

/// A message and how to send it.
#[derive(Debug, Clone)]
pub struct Post {
    /// The message.
    pub message: Message,
    /// The session that it belongs to; none for `initialize`.
    pub session: Option<Arc<Session>>,
    /// Whether it may be sent again when its fate is unknown.
    pub repeatable: bool,
    /// How hard it is tried.
    pub patience: Patience,
    /// Set when the server may have seen it: from then on a cancellation has to be sent after it.
    pub handed_over: Arc<AtomicBool>,
    /// What of a modern message is mirrored in headers; none for any other, and before it is known.
    pub mirrored: Option<Arc<HeaderMap>>,
}

/// What an exchange came to. Messages were received on the way.
#[derive(Debug)]
pub enum Outcome {
    /// The request's response was received.
    Answered,
    /// The notification or response was taken.
    Accepted,
    /// The server did not act on the message, because it no longer knows the session.
    SessionLost(Failure),
    /// None of that.
    Failed(Failure),
}

/// What one attempt came to.
pub(super) enum Attempt {
    /// It is not tried again.
    Done(Outcome),
    /// It may be.
    Failed(Failure),
}

impl From<Failure> for Attempt {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Carries a message to the server, as one that it understands, and receives all that comes back.
pub async fn exchange(remote: &Arc<Remote>, post: &Post, receive: &Recipient) -> Outcome {
    if let Some(Carrier::Stateless(session)) = post.session.as_ref().map(|own| &own.carrier) {
        return Box::pin(stateless::exchange(remote, session, post, receive)).await;
    }
    if remote.is_modern(post.session.as_deref(), &post.message) {
        return Box::pin(modern_client::exchange(remote, post, receive)).await;
    }
    attempts(remote, post, receive).await
}

/// Sends a message as it is, again where that is safe, and receives all that comes back.
pub(super) async fn attempts(remote: &Remote, post: &Post, receive: &Recipient) -> Outcome {
    let mut retries = Retries::new(post.patience, post.repeatable, remote.settings.retry_for);
    let mut since = Instant::now();
    let mut misdirected = false;
    let mut reissued: Option<(Post, Recipient)> = None;
    loop {
        let (sent, by) = reissued.as_ref().map_or((post, receive), |(post, by)| (post, by));
        let failure = match remote.attempt(sent, by).await {
            Attempt::Done(outcome) => return outcome,
            Attempt::Failed(failure) => failure,
        };
        if failure.status == Some(421) && std::mem::replace(&mut misdirected, true) {
            return Outcome::Failed(failure);
        }
        let spent = since.elapsed();
        let Some(wait) = retries.after(&failure, spent) else { return Outcome::Failed(failure) };
        tracing::debug!("{}; trying again in {:.1} s", failure.reason(), wait.as_secs_f64());
        tokio::time::sleep(wait).await;
        since = Instant::now();
        if failure.status == Some(421) {
            remote.http.forget_connections();
        }
        if failure.fate == Fate::Unknown && post.mirrored.is_some() {
            reissued = modern_exchange::reissued(remote, post, receive);
        }
    }
}

impl Remote {
    /// One attempt at a message that stands by itself: no session, no handshake, no second attempt.
    pub(super) async fn attempt_once(&self, post: &Post, receive: &Recipient) -> Outcome {
        match self.attempt_streamable(post, receive).await {
            Attempt::Done(outcome) => outcome,
            Attempt::Failed(failure) => Outcome::Failed(failure),
        }
    }

    /// The same, with the token that there is: a refusal is no reason to get another.
    pub(super) async fn attempt_in_passing(&self, post: &Post, receive: &Recipient) -> Outcome {
        let bearer = match &self.authorizer {
            Some(authorizer) => authorizer.bearer().await.ok().flatten(),
            None => None,
        };
        let ask = Ask::Post(post.message.bytes(), post.mirrored.as_deref());
        let attempt = match self.ask_carrying(bearer.as_ref(), &ask, None, ANYHOW).await {
            Ok(answer) => self.taken(post, answer, receive).await,
            Err(failure) => failure.into(),
        };
        match attempt {
            Attempt::Done(outcome) => outcome,
            Attempt::Failed(failure) => Outcome::Failed(failure),
        }
    }

    /// One attempt, by the transport that the server speaks.
    async fn attempt(&self, post: &Post, receive: &Recipient) -> Attempt {
        if post.session.is_none() && modern::is_handshake(&post.message) {
            return Box::pin(self.open(post, receive)).await;
        }
        match post.session.as_ref().map(|session| &session.carrier) {
            Some(Carrier::Channel(channel)) => self.attempt_by(channel, post).await,
            _ => self.attempt_streamable(post, receive).await,
        }
    }

    /// Opens the stream of HTTP+SSE, and posts to the endpoint that it names.
    pub(super) async fn attempt_sse(&self, post: &Post, receive: &Recipient) -> Attempt {
        let channel = match self.open_channel(receive).await {
            Ok(channel) => channel,
            Err(failure) => return failure.into(),
        };
        receive.carried_by(Carrier::Channel(Arc::clone(&channel))).await;
        self.attempt_by(&channel, post).await
    }

    /// Posts to the endpoint of a channel; the answer comes by its stream.
    async fn attempt_by(&self, channel: &Channel, post: &Post) -> Attempt {
        let host = self.endpoint().host();
        if channel.is_closed() {
            return Attempt::Done(Outcome::SessionLost(lost(&host)));
        }
        let answered = match post.message.kind() {
            Kind::Request { id, .. } => Some(channel.answer_to(id)),
            _ => None,
        };
        let reuse = if post.repeatable { Reuse::Any } else { Reuse::Recent };
        let how = Delivery { reuse, handed_over: Some(&post.handed_over) };
        let ask = Ask::PostTo(channel.endpoint(), post.message.bytes());
        let answer = match self.ask(&ask, post.session.as_deref(), how).await {
            Ok(answer) => answer,
            Err(failure) => return failure.into(),
        };
        if !answer.status.is_success() {
            return self.refused(post, answer, &mut self.budget.share()).await;
        }
        drop(response::collect_some(answer.body).await);
        let Some(mut answered) = answered else { return Attempt::Done(Outcome::Accepted) };
        tokio::select! {
            biased;
            came = answered.received() => match came {
                Ok(()) => Attempt::Done(Outcome::Answered),
                Err(event) => self.not_taken(&event).into(),
            },
            () = channel.closed() => {
                if post.repeatable && post.session.is_some() {
                    return Attempt::Done(Outcome::SessionLost(lost(&host)));
                }
                lost_channel(&host).into()
            }
        }
    }

    async fn attempt_streamable(&self, post: &Post, receive: &Recipient) -> Attempt {
        match self.posted(post).await {
            Ok(answer) => self.taken(post, answer, receive).await,
            Err(failure) => failure.into(),
        }
    }

    /// Posts a message; gives the head of what is answered.
    pub(super) async fn posted(&self, post: &Post) -> Result<Answer, Failure> {
        let reuse = if post.repeatable { Reuse::Any } else { Reuse::Recent };
        let ask = Ask::Post(post.message.bytes(), post.mirrored.as_deref());
        let how = Delivery { reuse, handed_over: Some(&post.handed_over) };
        self.ask(&ask, post.session.as_deref(), how).await
    }

    /// Receives what is answered.
    pub(super) async fn taken(&self, post: &Post, answer: Answer, receive: &Recipient) -> Attempt {
        let injected = Arc::clone(&answer.injected);
        match self.answered(post, answer, receive).await {
            Attempt::Failed(failure) => Attempt::Failed(injected.told(failure)),
            Attempt::Done(Outcome::SessionLost(failure)) => {
                Attempt::Done(Outcome::SessionLost(injected.told(failure)))
            }
            done @ Attempt::Done(_) => done,
        }
    }

    async fn answered(&self, post: &Post, answer: Answer, receive: &Recipient) -> Attempt {
        if !answer.status.is_success() {
            let mut share = self.budget.share();
            let attempt = Box::pin(self.refused(post, answer, &mut share)).await;
            return passed_on(attempt, post, receive).await;
        }
        if post.message.method() == Some("initialize")
            && let Some(id) = legacy::given_id(&answer.headers)
        {
            receive.session_given(id).await;
        }
        match post.message.kind() {
            Kind::Request { id, .. } => self.answer(post, id, answer, receive).await,
            _ => self.accepted(answer, receive).await,
        }
    }

    async fn refused(&self, post: &Post, answer: Answer, share: &mut Share) -> Attempt {
        let session = post.session.as_deref();
        let (head, body) = answer.into_parts();
        let limit = self.settings.max_message_size;
        let body = response::collect_refusal(body, &head.headers, limit, share).await;
        let refusal = self.refusal_of(head, body, session);
        let mut failure = refusal.failure;
        let error = response::jsonrpc_error(refusal.body);
        let turned =
            error.as_ref().is_some_and(|e| legacy::is_of_modern_server(session, &failure, e));
        if turned {
            self.known.doubt();
        }
        let lost = error.as_ref().is_some_and(|e| legacy::error_means_lost(session, e));
        if refusal.lost || lost || turned {
            let failure = Failure { kind: FailureKind::SessionLost, ..failure };
            return Attempt::Done(Outcome::SessionLost(failure));
        }
        // The words of a refused header are ours, which say whose it is; the server's stand in them.
        let error = error.filter(|_| failure.kind != FailureKind::HeaderRefused);
        if let (Some(error), Kind::Request { id, .. }) = (error, post.message.kind()) {
            let own = if error.answers(id) { error } else { error.with_id(id) };
            failure.answer = Some(Box::new(own));
        }
        failure.into()
    }

    /// A notification or response was taken. Some servers send messages back all the same.
    async fn accepted(&self, answer: Answer, receive: &Recipient) -> Attempt {
        if response::is_event_stream(&answer.headers) {
            let mut reading = Reading::new(self, None, None);
            reading
                .read(
                    Events::new(answer.body, self.settings.max_message_size, &self.budget),
                    receive,
                )
                .await;
        } else {
            // Read to its end, so that the connection can be used again.
            drop(response::collect_some(answer.body).await);
        }
        Attempt::Done(Outcome::Accepted)
    }

    async fn answer(&self, post: &Post, id: &Id, answer: Answer, receive: &Recipient) -> Attempt {
        if response::is_event_stream(&answer.headers) {
            return Box::pin(self.stream(post, id, answer, receive)).await;
        }
        let Answer { status, headers, body, .. } = answer;
        let limit = self.settings.max_message_size;
        let mut share = self.budget.share();
        // The share is held until the messages were handed over.
        match response::collect(body, limit, &mut share).await {
            Ok(body) => self.body(Collected { status, headers, body }, post, id, receive).await,
            Err(Uncollected::TooLarge) => self.too_large(Some(status)).into(),
            Err(Uncollected::Broken(fault)) => {
                let failure = Failure::from_fault(&fault, &self.endpoint().host());
                Failure { status: Some(status.as_u16()), ..failure }.into()
            }
        }
    }

    /// The server did answer: asking again would get the same.
    fn too_large(&self, status: Option<StatusCode>) -> Failure {
        let limit = size(self.settings.max_message_size);
        let what = format!("the answer of {} is larger than {limit}", self.endpoint().host());
        Failure::settled(FailureKind::TooLarge, status.map(|status| status.as_u16()), what)
    }

    /// An answer that came on a stream and can't be taken.
    pub(super) fn not_taken(&self, event: &LeftOut) -> Failure {
        if event.too_large {
            return self.too_large(None);
        }
        unreadable(&self.endpoint().host(), event.why())
    }

    async fn body(
        &self,
        collected: Collected,
        post: &Post,
        id: &Id,
        receive: &Recipient,
    ) -> Attempt {
        let Collected { status, headers, body } = collected;
        let line = || response::first_line(&body);
        if body.trim_ascii().is_empty() {
            return self.no_answer(status, &headers, None).into();
        }
        if !looks_like_json(&body) {
            return self.no_answer(status, &headers, line()).into();
        }
        let host = self.endpoint().host();
        let messages = match response::messages(body) {
            Ok(messages) => messages,
            Err(malformed) => {
                return self.no_answer(status, &headers, Some(malformed.why)).into();
            }
        };
        if let Some(only) = messages.only()
            && matches!(only.kind(), Kind::Response { id: None, failed: true })
            && !response::is_jsonrpc_error(only)
        {
            // The error of another API, as of a gateway: a client would not know it for its answer.
            return self.no_answer(status, &headers, response::first_line(only.bytes())).into();
        }
        let mut seen = Seen::Nothing;
        for message in messages {
            if seen == Seen::Answer && may_answer(&message, id) {
                continue;
            }
            seen = seen.or(self.pass(message, Some(id), post.session.as_deref(), receive).await);
        }
        match seen {
            Seen::Answer => Attempt::Done(Outcome::Answered),
            Seen::LostSession => Attempt::Done(Outcome::SessionLost(lost(&host))),
            Seen::OtherId => wrong_id(&host).into(),
            Seen::Nothing => no_response(&host).into(),
        }
    }

    fn no_answer(&self, status: StatusCode, headers: &HeaderMap, line: Option<String>) -> Failure {
        response::not_an_answer(status, headers, line, &self.endpoint().host())
    }

    /// Gives a message on, and tells what it is to the request.
    pub(super) async fn pass(
        &self,
        message: Message,
        request: Option<&Id>,
        session: Option<&Session>,
        receive: &Recipient,
    ) -> Seen {
        let Some(request) = request else {
            receive.receive(message).await;
            return Seen::Nothing;
        };
        let message = match message.kind() {
            // The answer is owed to the request that the stream belongs to.
            Kind::Response { id: None, failed: true } => message.with_id(request),
            _ => message,
        };
        let is_answer = message.answers(request);
        if is_answer && legacy::error_means_lost(session, &message) {
            return Seen::LostSession;
        }
        let is_response = matches!(message.kind(), Kind::Response { .. });
        receive.receive(message).await;
        match (is_answer, is_response) {
            (true, _) => Seen::Answer,
            (false, true) => Seen::OtherId,
            (false, false) => Seen::Nothing,
        }
    }

    /// An event stream, read to the answer, resumed where it breaks off and can be.
    async fn stream(&self, post: &Post, id: &Id, answer: Answer, receive: &Recipient) -> Attempt {
        let limit = self.settings.max_message_size;
        let mut reading = Reading::new(self, Some(id), post.session.as_deref());
        let mut events = Events::new(answer.body, limit, &self.budget);
        let mut resumption = Resumption::new(self.settings.retry_for);
        loop {
            let end = reading.read(events, receive).await;
            let failure = match end {
                End::Answered => return Attempt::Done(Outcome::Answered),
                End::SessionLost => {
                    return Attempt::Done(Outcome::SessionLost(lost(&self.endpoint().host())));
                }
                End::Unreadable(failure) => return failure.into(),
                End::Without(failure) => failure,
            };
            if reading.progressed {
                resumption = Resumption::new(self.settings.retry_for);
            }
            if post.mirrored.is_some() {
                // Its streams are not resumable (MCP 2026-07-28, transports). The wait that the server asked for
                // is one before a stream that is to stand is opened again.
                let listens = post.message.method() == Some("subscriptions/listen");
                let retry_after = reading.cursor.retry.filter(|_| listens);
                return Failure { retry_after, ..failure }.into();
            }
            events = match Box::pin(self.resume(&mut reading, &mut resumption, failure)).await {
                Ok(body) => Events::new(body, limit, &self.budget),
                Err(failure) => return failure.into(),
            };
        }
    }

    /// Takes a stream up again after its last event (MCP transports, resumability).
    async fn resume(
        &self,
        reading: &mut Reading<'_>,
        resumption: &mut Resumption,
        because: Failure,
    ) -> Result<crate::http::Body, Failure> {
        let Some(last) = reading.cursor.last_event_id.clone() else { return Err(because) };
        loop {
            let Some(wait) = resumption.wait(reading.cursor.retry) else { return Err(because) };
            tracing::debug!(?wait, "resuming the stream of a request");
            tokio::time::sleep(wait).await;
            let ask = Ask::Listen { after: Some(&last) };
            match self.ask(&ask, reading.session, ANYHOW).await {
                Ok(answer)
                    if answer.status == StatusCode::OK
                        && response::is_event_stream(&answer.headers) =>
                {
                    return Ok(answer.body);
                }
                Ok(answer) if answer.status.as_u16() == 429 || answer.status.is_server_error() => {}
                Ok(_) => return Err(because),
                Err(failure) => tracing::debug!(what = failure.what, "not resumed yet"),
            }
        }
    }
}

/// An error of the server that settles a request takes the way of every answer, on which it waits for room;
/// a handshake needs to know the reason.
async fn passed_on(attempt: Attempt, post: &Post, receive: &Recipient) -> Attempt {
    match attempt {
        Attempt::Failed(Failure { fate: Fate::Settled, answer: Some(answer), .. })
            if post.session.is_some() =>
        {
            receive.receive(*answer).await;
            Attempt::Done(Outcome::Answered)
        }
        other => other,
    }
}

/// A body that came whole.
struct Collected {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// The waits before a stream is taken up again, bounded while nothing comes of it.
struct Resumption {
    backoff: Backoff,
    left: Duration,
}

impl Resumption {
    fn new(budget: Duration) -> Self {
        Self { backoff: Backoff::new(RESUME_FIRST, RESUME_LONGEST), left: budget }
    }

    /// The server's own wait is kept to, and does not count against the bound.
    fn wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let own = self.backoff.wait();
        self.left = self.left.checked_sub(own)?;
        Some(asked.map_or(own, |asked| asked.max(RESUME_SHORTEST)))
    }
}

fn looks_like_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    matches!(body.trim_ascii_start().first(), Some(b'{' | b'['))
}

fn bad_answer(what: String) -> Failure {
    Failure { fate: Fate::Unknown, ..Failure::settled(FailureKind::BadAnswer, None, what) }
}

pub(super) fn wrong_id(host: &str) -> Failure {
    bad_answer(format!("{host} answered with the id of another request"))
}

pub(super) fn no_response(host: &str) -> Failure {
    let what = format!("{host} ended its answer without a response");
    Failure { kind: FailureKind::Lost, ..bad_answer(what) }
}

pub(super) fn broken_answer(host: &str, malformed: &Malformed) -> Failure {
    let failure = bad_answer(format!("the answer of {host} is not a valid message"));
    Failure { cause: Some(malformed.why.clone()), ..failure }
}

pub(super) fn unreadable(host: &str, why: &str) -> Failure {
    let failure = bad_answer(format!("the answer of {host} can't be read"));
    Failure { cause: Some(why.to_owned()), ..failure }
}

fn lost(host: &str) -> Failure {
    Failure::settled(FailureKind::SessionLost, None, format!("{host} lost the session"))
}

impl Remote {
    /// Ends a session (MCP transports, session management). What the server says to it does not matter.
    pub async fn end_session(&self, session: &Session) {
        if session.id.is_none() {
            return;
        }
        match self.ask(&Ask::Delete, Some(session), ANYHOW).await {
            Ok(answer) => tracing::debug!(status = answer.status.as_u16(), "session ended"),
            Err(failure) => tracing::debug!(what = failure.what, "session not ended"),
        }
    }
}

/// Keeps the compiler's word that an exchange can move between threads.
const _: fn() = || {
    fn is_send<T: Send>() {}
    is_send::<Post>();
    is_send::<Outcome>();
    is_send::<Bytes>();
};

/// A number of bytes for a person.
fn size(bytes: usize) -> String {
    const MIB: usize = 1024 * 1024;
    if bytes.is_multiple_of(MIB) {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{bytes} bytes")
    }
}
