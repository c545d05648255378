//! The connections to one origin, and which of them a request may use.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper::header::{PROXY_AUTHORIZATION, SERVER};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::body::Body;
use super::connect::Connector;
use super::fault::{Fault, FaultKind, Sent};
use super::proxy::Proxy;
use super::socket::{Look, Seen};
use super::stream::{Refused, Stream};
use super::tunnel;
use super::{Origin, Settings};

use crate::task;

type Outgoing = Request<Full<Bytes>>;
type Http2 = http2::SendRequest<Full<Bytes>>;

/// Idle connections kept; more are closed as they come back.
const MAX_IDLE: usize = 64;
/// New connections that may break one after the other before the request could be handed to them.
const MAX_STILLBORN: usize = 3;
/// Longest idle time after which a request that must not be repeated may still use a connection.
/// Servers close theirs after 5 s and more.
const RECENT: Duration = Duration::from_secs(2);
/// The same for a server of which it is not known yet that it keeps idle connections for long: some
/// close them after a second.
const RECENT_UNPROVEN: Duration = Duration::from_millis(400);
/// A connection that is still open after this long proves that the server keeps them.
const PROOF: Duration = Duration::from_secs(4);
/// Idle connections older than this are not used for anything.
const STALE: Duration = Duration::from_secs(90);

/// Bytes of a response on HTTP/2 that may come unread, and of all on a connection: as much as all streams
/// may have, so that those that are not read on do not hold up the others.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 256 * STREAM_WINDOW;

/// A connection of HTTP/1.1, and a look at what lies below.
pub(super) struct Http1 {
    sender: http1::SendRequest<Full<Bytes>>,
    look: Look,
    refused: Option<Refused>,
}

/// Which connections a request may go onto.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// Any that is open: the request can be sent again if the connection turns out to be dead.
    Any,
    /// One that was used a moment ago, else a new one: the request must not be sent twice, and a server
    /// may be closing a connection that lay idle.
    Recent,
}

/// How a request is delivered.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Which connections it may go onto.
    pub reuse: Reuse,
    /// True from the moment that the request is handed to a connection, for as long as the server may
    /// have seen it.
    pub handed_over: Option<&'a AtomicBool>,
}

impl Delivery<'_> {
    fn note(&self, handed_over: bool) {
        if let Some(noted) = self.handed_over {
            noted.store(handed_over, Ordering::Relaxed);
        }
    }
}

struct Idle {
    connection: Http1,
    since: Instant,
}

struct SharedH2 {
    sender: Http2,
    refused: Option<Refused>,
    max_streams: Arc<AtomicUsize>,
}

#[derive(Default)]
struct State {
    idle: Vec<Idle>,
    h2: Option<SharedH2>,
    /// Streams that the server allowed on connections that are forgotten.
    streams_before: Option<usize>,
    /// Whether a first connection showed which protocol the server speaks.
    known: bool,
    proven: bool,
    /// First connections that failed.
    failures: u64,
}

/// The way to an origin, chosen once, and what bounds an exchange on it.
pub(super) struct Route {
    origin: Origin,
    proxy: Option<Proxy>,
    headers_timeout: Option<Duration>,
    body_timeout: Option<Duration>,
}

pub(super) struct Pool {
    route: Route,
    connector: Arc<Connector>,
    state: Mutex<State>,
    /// Held while the first connection is made, so that a burst at the start does not open many to a
    /// server that wants one.
    first: tokio::sync::Mutex<()>,
}

/// An open connection with room for one more request.
enum Lease {
    Http1(Http1),
    Http2(Http2, Option<Refused>),
}

impl Lease {
    /// Where it is noted that the server refuses this client.
    fn refused(&self) -> Option<Refused> {
        match self {
            Self::Http1(connection) => connection.refused.clone(),
            Self::Http2(_, refused) => refused.clone(),
        }
    }
}

impl Route {
    pub(super) fn choose(settings: &Settings, origin: Origin) -> Self {
        let (proxy, _) = settings.proxies.choose(&origin);
        if let Some(proxy) = &proxy {
            tracing::info!(?proxy, host = &*origin.host, "a proxy is on the way");
        }
        let Settings { headers_timeout, body_timeout, .. } = *settings;
        Self { origin, proxy, headers_timeout, body_timeout }
    }

    /// The proxy that gets the requests themselves, since there is no tunnel.
    fn forwarder(&self) -> Option<&Proxy> {
        self.proxy.as_ref().filter(|proxy| proxy.forwards(&self.origin))
    }

    /// Gives a request the form that a forwarding proxy wants (RFC 9112 §3.2.2).
    fn address(&self, request: &mut Outgoing) -> Result<(), Fault> {
        let Some(proxy) = self.forwarder() else { return Ok(()) };
        let Origin { host, port, .. } = &self.origin;
        let port = if *port == 80 { String::new() } else { format!(":{port}") };
        let target = format!("http://{host}{port}{}", request.uri())
            .parse()
            .map_err(|error| Fault::new(FaultKind::Protocol, Sent::No, &error))?;
        *request.uri_mut() = target;
        if let Some(value) = proxy.authorization() {
            request.headers_mut().insert(PROXY_AUTHORIZATION, value.clone());
        }
        Ok(())
    }

    /// The fault that an answer of the proxy itself is.
    fn refusal(&self, response: &Response<Body>) -> Option<Fault> {
        let proxy = self.forwarder()?;
        let headers = response.headers();
        // tinyproxy says 401 to a wrong login, which must not be taken for the server's.
        let of_tinyproxy = || {
            let server = headers.get(SERVER).and_then(|value| value.to_str().ok());
            proxy.has_login() && server.is_some_and(|server| server.starts_with("tinyproxy/"))
        };
        let fault = match response.status() {
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => tunnel::login_needed(headers, proxy),
            StatusCode::UNAUTHORIZED if of_tinyproxy() => tunnel::login_refused(),
            _ => return None,
        };
        Some(fault.at_proxy(&proxy.shown()))
    }
}

impl Pool {
    pub(super) fn new(route: Route, connector: Arc<Connector>) -> Self {
        Self { route, connector, state: Mutex::default(), first: tokio::sync::Mutex::new(()) }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.route.origin
    }

    /// One without connections, for the same server.
    pub(super) fn renewed(&self, route: Route) -> Self {
        let pool = Self::new(route, Arc::clone(&self.connector));
        pool.state().streams_before = self.max_streams();
        pool
    }

    pub(super) fn max_streams(&self) -> Option<usize> {
        let state = self.state();
        let now = state.h2.as_ref().map(|h2| h2.max_streams.load(Ordering::Relaxed));
        now.or(state.streams_before)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn send(
        self: &Arc<Self>,
        mut request: Outgoing,
        how: Delivery<'_>,
    ) -> Result<Response<Body>, Fault> {
        self.route.address(&mut request)?;
        // A connection that closes while it is picked gives the request back unsent; then the next one
        // is tried, and at last a new one.
        let mut connects = 0;
        while connects < MAX_STILLBORN {
            let lease = self.lease(how.reuse, &mut connects).await?;
            let refused = lease.refused();
            how.note(true);
            let mut error = match self.in_time(self.send_on(lease, request)).await? {
                Ok(response) => match self.route.refusal(&response) {
                    None => return Ok(response),
                    Some(fault) => {
                        how.note(false);
                        return Err(fault);
                    }
                },
                Err(error) => error,
            };
            let unsent = error.take_message();
            let refused = refused.as_ref().and_then(|refused| refused.get());
            let fault = match refused {
                Some(reason) => Fault::refused(*reason, error.error(), unsent.is_some()),
                None => Fault::exchange(error.error()),
            };
            if unsent.is_some() || fault.sent == Sent::No {
                how.note(false);
            }
            request = match unsent {
                Some(request) if refused.is_none() => request,
                _ => return Err(fault),
            };
        }
        let cause = "the server closes every connection before a request can be sent";
        Err(Fault::words(FaultKind::Connect, Sent::No, cause))
    }

    /// Waits for the head of an answer as long as is allowed.
    async fn in_time<T>(&self, sending: impl Future<Output = T>) -> Result<T, Fault> {
        let Some(limit) = self.route.headers_timeout else { return Ok(sending.await) };
        tokio::time::timeout(limit, sending).await.map_err(|_| {
            let limit = limit.as_secs_f64();
            Fault::late(format!("no answer began within {limit} s (`--headers-timeout`)"))
        })
    }

    async fn send_on(
        self: &Arc<Self>,
        lease: Lease,
        request: Outgoing,
    ) -> Result<Response<Body>, TrySendError<Outgoing>> {
        let idle = self.route.body_timeout;
        match lease {
            Lease::Http1(mut connection) => {
                let response = connection.sender.try_send_request(request).await?;
                let (head, incoming) = response.into_parts();
                let body = Body::http1(incoming, connection, Arc::clone(self), idle);
                Ok(Response::from_parts(head, body))
            }
            Lease::Http2(mut sender, _) => {
                let response = sender.try_send_request(request).await?;
                Ok(response.map(|incoming| Body::http2(incoming, idle)))
            }
        }
    }

    /// `connects` counts the new ones.
    async fn lease(self: &Arc<Self>, reuse: Reuse, connects: &mut usize) -> Result<Lease, Fault> {
        if reuse == Reuse::Recent && self.has_news() {
            // Lets whoever drives the connection read first: it may be its end, in TLS.
            tokio::task::yield_now().await;
        }
        if let Some(lease) = self.open_lease(reuse) {
            return Ok(lease);
        }
        if self.state().known && !self.speaks_h2_only() {
            *connects += 1;
            return self.connect_boxed().await;
        }
        let failures = self.state().failures;
        let first = self.first.lock().await;
        if let Some(lease) = self.open_lease(reuse) {
            return Ok(lease);
        }
        *connects += 1;
        if self.state().failures != failures {
            // Whoever was first has failed: those behind do not wait for each other.
            drop(first);
            return self.connect_boxed().await;
        }
        let connected = self.connect_boxed().await;
        if connected.is_err() {
            self.state().failures += 1;
        }
        connected
    }

    /// Whether bytes came on the connection that would be used, which nobody has read yet. What was closed
    /// is given up on the way.
    fn has_news(&self) -> bool {
        let mut state = self.state();
        while let Some(idle) = state.idle.last() {
            match idle.connection.look.seen() {
                Seen::Quiet => return false,
                Seen::Bytes => return true,
                Seen::Closed => drop(state.idle.pop()),
            }
        }
        false
    }

    /// Whether the last connection was HTTP/2, of which one is enough.
    fn speaks_h2_only(&self) -> bool {
        self.state().h2.is_some()
    }

    fn open_lease(&self, reuse: Reuse) -> Option<Lease> {
        let mut state = self.state();
        if let Some(h2) = state.h2.as_ref().filter(|h2| !h2.sender.is_closed()) {
            return Some(Lease::Http2(h2.sender.clone(), h2.refused.clone()));
        }
        state.take_idle(reuse).map(Lease::Http1)
    }

    /// Boxed, because the future of a connection with TLS is large, and would be moved about with every
    /// request that needs none.
    fn connect_boxed<'a>(
        self: &'a Arc<Self>,
    ) -> Pin<Box<dyn Future<Output = Result<Lease, Fault>> + Send + 'a>> {
        Box::pin(self.connect())
    }

    async fn connect(self: &Arc<Self>) -> Result<Lease, Fault> {
        let Route { origin, proxy, .. } = &self.route;
        let connection = self.connector.connect(origin, proxy.as_ref()).await?;
        let io = TokioIo::new(connection.stream);
        let refused = connection.refused;
        let lease = if connection.h2 {
            let h2 = handshake2(io, refused.clone()).await?;
            let sender = h2.sender.clone();
            self.state().h2 = Some(h2);
            Lease::Http2(sender, refused)
        } else {
            let look = io.inner().look();
            let sender = handshake1(io).await?;
            self.state().streams_before = None;
            Lease::Http1(Http1 { sender, look, refused })
        };
        self.state().known = true;
        Ok(lease)
    }

    /// Takes back a connection whose response was read to its end.
    pub(super) fn check_in(self: &Arc<Self>, mut connection: Http1) {
        if connection.sender.is_ready() {
            self.state().keep(connection);
            return;
        }
        let pool = Arc::clone(self);
        task::spawn(async move {
            if connection.sender.ready().await.is_ok() {
                pool.state().keep(connection);
            }
        });
    }
}

impl State {
    fn keep(&mut self, connection: Http1) {
        if self.idle.len() < MAX_IDLE {
            self.idle.push(Idle { connection, since: Instant::now() });
        }
    }

    /// The connection that was used last, if it is recent enough.
    fn take_idle(&mut self, reuse: Reuse) -> Option<Http1> {
        let now = Instant::now();
        // The oldest come first.
        let age = |idle: &Idle| now.saturating_duration_since(idle.since);
        let stale = self.idle.iter().take_while(|idle| age(idle) > STALE).count();
        self.idle.drain(..stale);
        while self.idle.pop_if(|idle| idle.connection.sender.is_closed()).is_some() {}
        let oldest = self.idle.first()?;
        self.proven |= age(oldest) > PROOF && !oldest.connection.sender.is_closed();
        let bound = match reuse {
            Reuse::Any => STALE,
            Reuse::Recent if self.proven => RECENT,
            Reuse::Recent => RECENT_UNPROVEN,
        };
        self.idle.pop_if(|idle| age(idle) <= bound).map(|idle| idle.connection)
    }
}

async fn handshake1(io: TokioIo<Stream>) -> Result<http1::SendRequest<Full<Bytes>>, Fault> {
    let (sender, connection) = http1::handshake(io)
        .await
        .map_err(|error| Fault::new(FaultKind::Connect, Sent::No, &error))?;
    task::spawn(async move { drop(connection.await) });
    Ok(sender)
}

async fn handshake2(io: TokioIo<Stream>, refused: Option<Refused>) -> Result<SharedH2, Fault> {
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(io)
        .await
        .map_err(|error| Fault::new(FaultKind::Connect, Sent::No, &error))?;
    let max_streams = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
    task::spawn(DriveH2 { connection, max_streams: Arc::clone(&max_streams) });
    Ok(SharedH2 { sender, refused, max_streams })
}

/// Drives an HTTP/2 connection and notes how many streams the server allows, which it may change.
struct DriveH2 {
    connection: http2::Connection<TokioIo<Stream>, Full<Bytes>, TokioExecutor>,
    max_streams: Arc<AtomicUsize>,
}

impl Future for DriveH2 {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let done = Pin::new(&mut self.connection).poll(context);
        self.max_streams.store(self.connection.current_max_send_streams(), Ordering::Relaxed);
        done.map(|_| ())
    }
}
