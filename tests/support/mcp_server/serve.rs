//! One request: recorded, judged, answered.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::stream::poll_fn;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::{Method, Response, header};
use serde_json::Value;
use tokio::sync::mpsc;

use super::answer::{Answer, Encoding, How};
use super::connection::{Active, Connection};
use super::request::{Message, Request};
use super::step::Step;
use super::stream_log::{StreamLog, What};
use super::world::{Session, Settings, State, World};
use crate::support::schema::{self, Side};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Answers one request. An error leaves it unanswered: HTTP/1.1 closes, HTTP/2 resets the stream.
pub async fn respond(
    world: Arc<World>,
    connection: Arc<Connection>,
    incoming: hyper::Request<Incoming>,
) -> Result<Response<AnswerBody>, Failure> {
    let active = connection.request_begins();
    let request = record(&world, connection.number, incoming).await?;
    let (of, on) = (Arc::clone(&world), Arc::clone(&connection));
    let mut delivery = Delivery { world: of, connection: on, order: request.order, done: false };
    let answer = decide(&world, &request).await;
    if let Some(gate) = &answer.after {
        gate.opened().await;
    }
    let response = deliver(&world, &connection, &request, answer).await;
    delivery.done = response.as_ref().map_or(true, |response| response.body().is_end_stream());
    Ok(response?.map(|inner| AnswerBody { inner, delivery, _active: active }))
}

/// Keeps the request before anybody judges it.
async fn record(
    world: &World,
    connection: usize,
    incoming: hyper::Request<Incoming>,
) -> Result<Request, Failure> {
    let (parts, body) = incoming.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(why) => {
            world.timeline.log("server", format!("{} broke off: {why}", parts.method));
            return Err(why.into());
        }
    };
    let message = if parts.method == Method::POST { Message::read(&body) } else { Message::None };
    Ok(world.state.update(|state| {
        let request = Request {
            order: state.received,
            at: Instant::now(),
            connection,
            version: parts.version,
            method: parts.method,
            path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            headers: parts.headers,
            body,
            message,
        };
        state.received += 1;
        if world.settings.keeps_requests {
            world.timeline.log("server", format!("received {}", request.summary()));
            state.requests.push(request.clone());
        }
        request
    }))
}

/// Judges the request, notes what it changes whatever is answered, and finds the answer.
async fn decide(world: &World, request: &Request) -> Answer {
    let (lost, source) = world.state.update(|state| {
        for fault in world.settings.conduct.faults(request, &world.settings, state) {
            state.note(request, fault);
        }
        if let Message::Request { id, .. } = &request.message {
            state.unanswered.insert(request.order, id.clone());
        }
        if let Some(fault) = schema_fault(request, &world.settings, state) {
            state.note(request, fault);
        }
        note_effects(request, state);
        let initialize = request.rpc_method() == Some("initialize");
        let lost = state.session_of(request).and_then(|session| session.lost);
        match lost.filter(|_| !initialize) {
            Some(lost) => (Some(lost.answer()), None),
            None => (None, state.script.find(request)),
        }
    });
    let answer = match (lost, source) {
        (Some(lost), _) => lost,
        (None, Some(source)) => source.answer(request).await,
        (None, None) => Answer::well_behaved(),
    };
    let answer = answer.filled_in(|| world.settings.conduct.answer(request, world));
    world.state.update(|state| {
        note_session(request, &answer, world, state);
        note_execution(request, &answer, state);
    });
    answer
}

/// What the schema of its revision has against the message.
fn schema_fault(request: &Request, settings: &Settings, state: &mut State) -> Option<String> {
    if !(settings.validates && settings.keeps_requests) {
        return None;
    }
    let revision = settings.conduct.revision(request, state)?;
    let message = schema::read(&request.body)?;
    match &request.message {
        Message::Request { .. } | Message::Notification { .. } => {
            schema::fault(revision, Side::Client, &message)
        }
        Message::Response { id } => {
            let asked = state.asked.get(id)?;
            schema::response_fault(revision, Side::Client, asked, &message)
        }
        Message::None | Message::Batch => None,
    }
}

fn note_effects(request: &Request, state: &mut State) {
    if request.rpc_method() == Some("notifications/initialized")
        && let Some(session) = state.session_of(request)
    {
        session.initialized = true;
    }
    if let Message::Response { id } = &request.message {
        state.answers.insert(id.clone(), request.body.clone());
    }
}

/// An answered `initialize` begins a session, whoever wrote the answer.
fn note_session(request: &Request, answer: &Answer, world: &World, state: &mut State) {
    if request.rpc_method() != Some("initialize") || answer.status.unwrap_or(200) >= 300 {
        return;
    }
    let params = request.params();
    let version = match &answer.how {
        How::Whole(make) => {
            let body: Value = serde_json::from_slice(&make(request)).unwrap_or_default();
            body["result"]["protocolVersion"].as_str().map(str::to_owned)
        }
        How::Steps { .. } => {
            let asked = params["protocolVersion"].as_str().map(str::to_owned);
            world.settings.version.clone().or(asked)
        }
        _ => None,
    };
    let id = answer.headers.iter().find(|(name, _)| name == "mcp-session-id");
    let id = id.map(|(_, value)| value.clone());
    if let Some(version) = version {
        state.sessions.push(Session { id, version, ..Session::default() });
    }
}

fn note_execution(request: &Request, answer: &Answer, state: &mut State) {
    let Some(tool) = request.tool().filter(|_| answer.executes()) else { return };
    *state.executions.entry(tool).or_default() += 1;
    if let Some(key) = request.params()["arguments"]["key"].as_str() {
        *state.executions.entry(key.to_owned()).or_default() += 1;
    }
}

async fn deliver(
    world: &Arc<World>,
    connection: &Arc<Connection>,
    request: &Request,
    answer: Answer,
) -> Result<Response<Inner>, Failure> {
    let log = |what: &str| {
        if world.settings.keeps_requests {
            world.timeline.log("server", format!("#{} {what}", request.order));
        }
    };
    let head = head_of(&answer);
    let status = answer.status.unwrap_or(200);
    match answer.how {
        How::Whole(make) => {
            let body = make(request);
            let shown = std::str::from_utf8(&body);
            let shown = shown.map_or_else(|_| format!("{} bytes", body.len()), str::to_owned);
            log(&format!("answered {status} {shown}"));
            world.state.update(|state| state.unanswered.remove(&request.order));
            let body = Full::new(answer.encoding.apply(body)).map_err(|never| match never {});
            Ok(head.body(body.boxed_unsync())?)
        }
        How::Steps { steps, resumable } => {
            log(&format!("answers {status} in steps"));
            let stream = begin_stream(world, request, steps, resumable);
            Ok(head.body(read_stream(world, connection, stream, 0))?)
        }
        How::Fed(stream) => Ok(head.body(read_stream(world, connection, stream, 0))?),
        How::Unasked => {
            log("opened the GET stream");
            let stream = world.state.update(|state| state.session_of(request)?.unasked.clone());
            let stream = stream.ok_or("a GET without a session")?;
            Ok(head.body(read_stream(world, connection, stream, 0))?)
        }
        How::Replay => {
            let event_id = request.last_event_id().unwrap_or_default();
            log(&format!("replays what came after event {event_id}"));
            let found = world.state.read().after_event(event_id);
            let (stream, from) = found.ok_or("no such event")?;
            Ok(head.body(read_stream(world, connection, stream, from))?)
        }
        How::Close => {
            log("closes the connection");
            connection.close();
            pending().await
        }
        How::Reset => {
            log("resets the connection");
            connection.reset();
            pending().await
        }
        How::Stall => {
            log("stays silent");
            pending().await
        }
        How::RefuseStream => {
            log("refuses the stream");
            Err(h2::Error::from(h2::Reason::REFUSED_STREAM).into())
        }
        How::WellBehaved => unreachable!("filled in"),
    }
}

fn head_of(answer: &Answer) -> hyper::http::response::Builder {
    let mut head = Response::builder().status(answer.status.unwrap_or(200));
    for (name, value) in &answer.headers {
        head = head.header(name, value);
    }
    match answer.encoding {
        Encoding::Gzip { labelled: true } => head.header(header::CONTENT_ENCODING, "gzip"),
        _ => head,
    }
}

/// Starts a task that goes through the steps, whether anybody listens or not.
fn begin_stream(
    world: &Arc<World>,
    request: &Request,
    steps: Vec<Step>,
    resumable: bool,
) -> Arc<StreamLog> {
    let log = Arc::<StreamLog>::default();
    if resumable {
        world.state.update(|state| state.streams.push(Arc::clone(&log)));
    }
    let (world, request, running) = (Arc::clone(world), request.clone(), Arc::clone(&log));
    tokio::spawn(async move {
        for step in steps {
            run_step(step, &world, &request, &running).await;
        }
        world.state.update(|state| state.unanswered.remove(&request.order));
        running.finish();
    });
    log
}

async fn run_step(step: Step, world: &World, request: &Request, log: &StreamLog) {
    match step {
        Step::Bytes(bytes) => log.push(None, What::Bytes(bytes)),
        Step::Event(event) => {
            let text = event
                .write(request.rpc_id().unwrap_or("null"), &|id| world.state.read().answer(id));
            world.note_asked(&text);
            log.push(event.id, What::Bytes(text.into()));
        }
        Step::AwaitAnswer(id) => {
            world.state.until(|state| state.answers.contains_key(&id).then_some(())).await;
        }
        Step::Wait(gate) => gate.opened().await,
        Step::Open(gate) => log.push(None, What::Open(gate)),
        Step::Pause(time) => tokio::time::sleep(time).await,
        Step::Cut => log.push(None, What::Cut),
        Step::Close => log.push(None, What::Close),
        Step::End => {
            log.finish();
            pending().await
        }
        Step::Never => pending().await,
    }
}

/// A body that carries the stream from a piece on.
fn read_stream(
    world: &Arc<World>,
    connection: &Arc<Connection>,
    log: Arc<StreamLog>,
    from: usize,
) -> Inner {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(1);
    let (world, connection) = (Arc::clone(world), Arc::clone(connection));
    tokio::spawn(async move {
        world.set_connected(&log, true);
        let gone = sender.clone();
        tokio::select! {
            () = carry(&log, from, sender, &connection) => {}
            () = gone.closed() => {}
        }
        world.set_connected(&log, false);
    });
    let frames =
        poll_fn(move |cx| receiver.poll_recv(cx).map(|bytes| Some(Ok(Frame::data(bytes?)))));
    StreamBody::new(frames).boxed_unsync()
}

async fn carry(log: &StreamLog, from: usize, sender: mpsc::Sender<Bytes>, connection: &Connection) {
    for index in from.. {
        match log.take(index).await {
            Some(What::Bytes(bytes)) => {
                if sender.send(bytes).await.is_err() {
                    return;
                }
            }
            Some(What::Open(gate)) => {
                written(&sender).await;
                gate.open();
            }
            Some(What::Cut) => {
                written(&sender).await;
                connection.reset();
                return pending().await;
            }
            Some(What::Close) => {
                written(&sender).await;
                connection.close();
                return pending().await;
            }
            Some(What::Done) => {}
            None => return,
        }
    }
}

/// Waits until what was sent has been taken and flushed. The connection's task does both in one
/// go on the server's single thread (HTTP/2 in two), so a few turns of the others are enough.
async fn written(sender: &mpsc::Sender<Bytes>) {
    drop(sender.reserve().await);
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
}

type Inner = UnsyncBoxBody<Bytes, Failure>;

/// An answer's body; knows whether the client stayed to its end.
pub struct AnswerBody {
    inner: Inner,
    delivery: Delivery,
    _active: Active,
}

struct Delivery {
    world: Arc<World>,
    connection: Arc<Connection>,
    order: usize,
    done: bool,
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.world.state.update(|state| state.unanswered.remove(&self.order));
        if !self.done && !self.connection.is_ending() {
            self.world.state.update(|state| state.abandoned.push(self.order));
            self.world.timeline.log("server", format!("#{} was left unfinished", self.order));
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        let ended = matches!(frame, Poll::Ready(None)) || self.inner.is_end_stream();
        self.delivery.done |= ended;
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
