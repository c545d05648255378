//! One connection to the redirect listener: one request, one page.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::super::callback::Callback;
use super::super::page::{self, Names, Outcome, Page};
use super::{Expected, Now, Question, Shared, Taken, start_path};
use crate::os;

/// Longest head of a request, in bytes.
const MAX_HEAD: usize = 8 * 1024;
/// How long a request may take to arrive, a verdict to be given, and a body that nobody wants to end.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections at once. Further ones wait in the system's queue for at most [`PATIENCE`], since that is how
/// long one that says nothing is kept.
const MAX_CONNECTIONS: usize = 64;
/// Connections that may wait for one outcome: reloads, previews and copies of the tab.
const MAX_WAITING: usize = 8;
/// Of the receivers of an outcome, one waits for it, and one is kept until its page is delivered.
const RECEIVERS: usize = 2;
/// Pause after the system could not accept, as when it has no more descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// The outcome that a connection waits for; others count who has it.
type Waiting = Arc<Mutex<Option<watch::Receiver<Option<Outcome>>>>>;

/// Accepts for as long as it is polled.
pub(super) async fn serve(sockets: Vec<TcpListener>, shared: Arc<Shared>) {
    let mut connections = Connections::default();
    loop {
        match accept(&sockets).await {
            Ok(stream) => connections.add(stream, &shared),
            Err(error) => {
                tracing::debug!(%error, "the redirect listener can't accept");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// The next connection of any of them.
async fn accept(sockets: &[TcpListener]) -> io::Result<TcpStream> {
    poll_fn(|context| {
        let mut accepted = sockets.iter().map(|socket| socket.poll_accept(context));
        match accepted.find(Poll::is_ready) {
            Some(Poll::Ready(accepted)) => Poll::Ready(accepted.map(|(stream, _)| stream)),
            _ => Poll::Pending,
        }
    })
    .await
}

/// The open connections, the oldest first.
#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: VecDeque<(AbortHandle, Waiting)>,
}

impl Connections {
    /// Takes one more. Where there are too many, the oldest one that brought nothing of ours has to go:
    /// connections that say nothing never keep the browser out.
    fn add(&mut self, stream: TcpStream, shared: &Arc<Shared>) {
        while self.tasks.try_join_next().is_some() {}
        self.open.retain(|(task, _)| !task.is_finished());
        if self.open.len() >= MAX_CONNECTIONS {
            let idle = |(_, waiting): &(_, Waiting)| locked(waiting).is_none();
            if let Some(at) = self.open.iter().position(idle) {
                self.open.remove(at).inspect(|(task, _)| task.abort());
            }
        }
        let waiting = Waiting::default();
        let task = self.tasks.spawn(converse(stream, shared.clone(), waiting.clone()));
        self.open.push_back((task, waiting));
    }
}

fn locked(
    waiting: &Waiting,
) -> std::sync::MutexGuard<'_, Option<watch::Receiver<Option<Outcome>>>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse(stream: TcpStream, shared: Arc<Shared>, waiting: Waiting) {
    let ends = stream.peer_addr().ok().zip(stream.local_addr().ok());
    let answer = |request| {
        let (shared, waiting) = (shared.clone(), waiting.clone());
        async move { Ok::<_, Infallible>(answer(request, ends, &shared, &waiting).await) }
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the redirect listener ended badly");
    }
    // The page is on its way: whoever waits for that may go on.
    locked(&waiting).take();
}

async fn answer(
    request: Request<Incoming>,
    ends: Option<(SocketAddr, SocketAddr)>,
    shared: &Shared,
    waiting: &Waiting,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    // Unread, it would make the system reset the connection, and the answer be lost.
    let _ = tokio::time::timeout(PATIENCE, Limited::new(body, MAX_HEAD).collect()).await;
    let head = Request::from_parts(head, ());
    if !is_for_us(&head, &shared.hosts) {
        return bare(StatusCode::NOT_FOUND);
    }
    let Some(expected) = shared.now.borrow().expected.clone() else {
        return bare(StatusCode::NOT_FOUND);
    };
    let path = head.uri().path();
    let start = path == start_path(&expected.state);
    if !start && path != shared.path {
        return bare(StatusCode::NOT_FOUND);
    }
    if head.method() != Method::GET {
        let mut refused = bare(StatusCode::METHOD_NOT_ALLOWED);
        refused.headers_mut().insert("allow", HeaderValue::from_static("GET"));
        return refused;
    }
    if is_look_ahead(&head) {
        return bare(StatusCode::SERVICE_UNAVAILABLE);
    }
    if is_strangers(ends).await {
        tracing::warn!(
            "another user of this machine asked for the page of a sign-in, and did not get it"
        );
        return show(&Page::Stranger, &expected.names);
    }
    if start {
        return show(
            &Page::Start(&expected.authorization_url, expected.foreign_to.as_deref()),
            &expected.names,
        );
    }
    let Some(query) = head.uri().query().filter(|query| !query.is_empty()) else {
        return show(&Page::Unknown, &expected.names);
    };
    match Callback::parse(query) {
        Ok(callback) => called_back(callback, &expected, shared, waiting).await,
        Err(error) => show(&Page::Unusable(&error.to_string()), &expected.names),
    }
}

async fn called_back(
    callback: Callback,
    expected: &Expected,
    shared: &Shared,
    waiting: &Waiting,
) -> Response<Full<Bytes>> {
    let mut now = shared.now.subscribe();
    let receiver = tokio::select! {
        biased;
        receiver = ask(callback.clone(), shared) => receiver.ok_or(Page::Unknown),
        taken = taken(&mut now) => join(&taken, &callback),
    };
    match receiver {
        Ok(receiver) => {
            locked(waiting).replace(receiver.clone());
            end(receiver, expected).await
        }
        Err(page) => show(&page, &expected.names),
    }
}

/// Asks whoever waits whether this is it; nobody's answer is a no.
async fn ask(callback: Callback, shared: &Shared) -> Option<watch::Receiver<Option<Outcome>>> {
    if shared.now.borrow().taken.is_some() {
        // It was; the other branch knows.
        return std::future::pending().await;
    }
    let asked = async {
        let (verdict, answer) = oneshot::channel();
        shared.questions.send(Question { callback, verdict }).await.ok()?;
        answer.await.ok()
    };
    tokio::time::timeout(PATIENCE, asked).await.ok().flatten()
}

/// The hit that was right, as soon as there is one.
async fn taken(now: &mut watch::Receiver<Now>) -> Taken {
    let taken = now.wait_for(|now| now.taken.is_some()).await.ok();
    match taken.and_then(|now| now.taken.clone()) {
        Some(taken) => taken,
        // The sender is in `shared`.
        None => std::future::pending().await,
    }
}

/// The same once more, as a reload or a second tab brings it, waits for the same outcome.
fn join(
    taken: &Taken,
    callback: &Callback,
) -> Result<watch::Receiver<Option<Outcome>>, Page<'static>> {
    let room = taken.page.receiver_count() + RECEIVERS <= MAX_WAITING * RECEIVERS;
    if *taken.callback == *callback && room {
        return Ok(taken.page.subscribe());
    }
    // Whoever does not know the state learns nothing.
    let known = taken.callback.state == callback.state;
    Err(if known { Page::UnderWay } else { Page::Unknown })
}

/// The page of the outcome, when it is known.
async fn end(
    mut receiver: watch::Receiver<Option<Outcome>>,
    expected: &Expected,
) -> Response<Full<Bytes>> {
    let Ok(outcome) = receiver.wait_for(Option::is_some).await.map(|outcome| outcome.clone())
    else {
        return show(&Page::Unknown, &expected.names);
    };
    let outcome = outcome.unwrap_or(Outcome::Expired);
    let success = (outcome == Outcome::SignedIn).then_some(expected.success_url.as_ref()).flatten();
    let location = success.and_then(|url| HeaderValue::from_str(url.as_str()).ok());
    let mut response = show(&Page::End(&outcome), &expected.names);
    if let Some(location) = location {
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Whether another user of this machine is there: the address of the start page stands in the arguments of the
/// browser, which everybody can read, and who has that page could sign in with an account of their own.
async fn is_strangers(ends: Option<(SocketAddr, SocketAddr)>) -> bool {
    let Some((peer, here)) = ends else { return false };
    let told = tokio::task::spawn_blocking(move || os::is_of_another_user(peer, here));
    told.await.unwrap_or_default()
}

/// Whether the request names us as its host. A page of the web whose name was made to lead here names itself
/// (DNS rebinding).
fn is_for_us(head: &Request<()>, hosts: &[String]) -> bool {
    let ours = |name: &str| hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
    if head.uri().authority().is_some_and(|authority| !ours(authority.as_str())) {
        return false;
    }
    let mut named = head.headers().get_all(HOST).iter();
    match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().is_ok_and(ours),
        // HTTP/1.0 has none, and no browser speaks it.
        (None, _) => head.version() == Version::HTTP_10,
        _ => false,
    }
}

/// Whether a browser only looks ahead; the person's own visit follows.
fn is_look_ahead(head: &Request<()>) -> bool {
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].iter().any(|name| {
        let value = head.headers().get(*name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("prefetch") || value.contains("preview") || value.contains("prerender")
        })
    })
}

fn show(page: &Page<'_>, names: &Names) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(page.html(names)));
    *response.status_mut() = StatusCode::from_u16(page.status()).unwrap_or(StatusCode::OK);
    for (name, value) in page::headers() {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// An answer for what no person sees.
fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    response
}
