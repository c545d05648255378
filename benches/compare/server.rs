//! A fast mock of a hosted MCP server.
//!
//! It lives on one thread of the driver. It is strict where that costs nothing: a message without
//! the session's id is refused.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Either, Empty, Full, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::Result;
use crate::distance;
use crate::tls::Identity;
use crate::tools::{self, Answer};

const SESSION: &str = "mcp-session-id";
const SESSION_ID: &str = "c0ffee00-0000-4000-8000-000000000001";
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");

/// What a path begins with that has a GET stream too.
const STREAM: &str = "/stream/";

/// The path of the server without sessions.
const MODERN: &str = "/modern";

/// The path that wants a token, and the token.
const GUARDED: &str = "/guarded";
pub const TOKEN: &str = "a-token-of-the-benchmark";

type Body = Either<Full<Bytes>, BoxBody<Bytes, Infallible>>;

/// Where the server is to be found.
pub struct Server {
    /// Plain HTTP on loopback; a GET is refused.
    pub near: String,
    /// The same 50 ms away.
    pub far: String,
    /// The same, without sessions (MCP 2026-07-28).
    pub modern: String,
    /// The same over TLS.
    pub secure: String,
    /// The same, where a token is wanted.
    pub guarded: String,
    /// The certificates that a client of `secure` is to trust.
    pub trust: PathBuf,
    streams: Streams,
}

/// The paths whose GET stream is open.
type Streams = Arc<Mutex<HashSet<String>>>;

impl Server {
    /// Starts the thread. It ends with the process.
    pub fn start(directory: &Path) -> Result<Self> {
        let identity = Identity::create(directory)?;
        let (near, near_at) = listen()?;
        let (far, far_at) = listen()?;
        let (secure, secure_at) = listen()?;
        let streams = Streams::default();
        let counted = Arc::clone(&streams);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::spawn(move || -> Result<()> {
            let _inside = runtime.enter();
            let plain = serve(TcpListener::from_std(near)?, None, Arc::clone(&counted));
            let tls = serve(TcpListener::from_std(secure)?, Some(identity.acceptor), counted);
            let distant = distance::keep(TcpListener::from_std(far)?, near_at);
            runtime.block_on(async { tokio::try_join!(plain, tls, distant) }).map(drop)
        });
        Ok(Self {
            near: format!("http://{near_at}/mcp"),
            far: format!("http://{far_at}/mcp"),
            modern: format!("http://{near_at}{MODERN}"),
            secure: format!("https://{secure_at}/mcp"),
            guarded: format!("https://{secure_at}{GUARDED}"),
            trust: identity.trust,
            streams,
        })
    }

    /// Like `near`, with a GET stream that stays open.
    pub fn streaming(&self, name: &str) -> String {
        self.near.replace("/mcp", STREAM) + name
    }

    /// Whether the stream of that name is open.
    pub fn is_streaming(&self, name: &str) -> bool {
        let open = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        open.contains(&format!("{STREAM}{name}"))
    }
}

fn listen() -> Result<(std::net::TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, streams: Streams) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, tls.clone(), Arc::clone(&streams)));
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, streams: Streams) -> Result<()> {
    let service = service_fn(move |request| respond(request, Arc::clone(&streams)));
    let Some(tls) = tls else {
        return Ok(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await?);
    };
    let stream = tls.accept(stream).await?;
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let stream = TokioIo::new(stream);
    if is_h2 {
        http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await?;
    } else {
        http1::Builder::new().serve_connection(stream, service).await?;
    }
    Ok(())
}

async fn respond(request: Request<Incoming>, streams: Streams) -> Result<Response<Body>> {
    if request.uri().path() == GUARDED && !carries_token(&request) {
        let mut refused = empty(StatusCode::UNAUTHORIZED);
        refused.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return Ok(refused);
    }
    match *request.method() {
        Method::POST if request.uri().path() == MODERN => post_modern(request).await,
        Method::POST => post(request).await,
        Method::GET if request.uri().path().starts_with(STREAM) => {
            Ok(open_stream(request.uri().path().to_owned(), streams))
        }
        Method::DELETE => Ok(empty(StatusCode::NO_CONTENT)),
        _ => Ok(empty(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

fn carries_token(request: &Request<Incoming>) -> bool {
    let carried = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    carried.and_then(|value| value.strip_prefix("Bearer ")) == Some(TOKEN)
}

async fn post(request: Request<Incoming>) -> Result<Response<Body>> {
    let in_session = request.headers().get(SESSION).is_some_and(|id| id == SESSION_ID);
    let body = request.into_body().collect().await?.to_bytes();
    let (answer, begins_session) = tools::answer(&body)?;
    if !in_session && !begins_session {
        return Ok(empty(StatusCode::BAD_REQUEST));
    }
    let mut response = match answer {
        Answer::Accepted => empty(StatusCode::ACCEPTED),
        Answer::Json(delay, text) => {
            if delay > Duration::ZERO {
                tokio::time::sleep(delay).await;
            }
            json(Either::Left(Full::from(text)))
        }
        Answer::LongJson(pieces) => {
            let length: usize = pieces.iter().map(Bytes::len).sum();
            let mut response = json(in_pieces(pieces));
            response.headers_mut().insert(CONTENT_LENGTH, length.into());
            response
        }
        Answer::Events(pieces) => events(in_pieces(pieces)),
    };
    if begins_session {
        response.headers_mut().insert(SESSION, HeaderValue::from_static(SESSION_ID));
    }
    Ok(response)
}

async fn post_modern(request: Request<Incoming>) -> Result<Response<Body>> {
    let body = request.into_body().collect().await?.to_bytes();
    let refusal = || {
        let error = r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"}}"#;
        let mut response = json(Either::Left(Full::from(error)));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    };
    Ok(match tools::modern_answer(&body)? {
        Some(Answer::Json(_, text)) => json(Either::Left(Full::from(text))),
        Some(_) => empty(StatusCode::ACCEPTED),
        None => refusal(),
    })
}

/// A stream on which nothing ever happens.
fn open_stream(path: String, streams: Streams) -> Response<Body> {
    streams.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
    let open = Open { path, streams };
    let silence = stream::poll_fn(move |_| {
        let _held = &open;
        Poll::<Option<std::result::Result<Frame<Bytes>, Infallible>>>::Pending
    });
    events(Either::Right(BodyExt::boxed(StreamBody::new(silence))))
}

/// A stream that is open until this is dropped.
struct Open {
    path: String,
    streams: Streams,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}

fn in_pieces(pieces: Vec<Bytes>) -> Body {
    let frames = pieces.into_iter().map(|piece| Ok(Frame::data(piece)));
    Either::Right(BodyExt::boxed(StreamBody::new(stream::iter(frames))))
}

fn json(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn events(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, EVENTS);
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Either::Right(BodyExt::boxed(Empty::new())));
    *response.status_mut() = status;
    response
}
