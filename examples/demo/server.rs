//! A small hosted MCP server: Streamable HTTP with sessions (MCP 2025-11-25), in a thread.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

type Body = BoxBody<Bytes, Infallible>;

#[derive(Default)]
struct State {
    sessions: HashSet<String>,
    handshakes: usize,
    ended: usize,
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Listens on that address, or on any free port of this machine.
    pub fn start(address: Option<SocketAddr>) -> crate::Result<Self> {
        Self::with_state(address, Arc::default())
    }

    fn with_state(address: Option<SocketAddr>, state: Arc<Mutex<State>>) -> crate::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(listen(address.unwrap_or(([127, 0, 0, 1], 0).into())))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let theirs = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, theirs) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, state, stop: Some(stop), thread: Some(thread) })
    }

    /// Stops, forgets its sessions, and listens again where it did.
    pub fn restart(mut self) -> crate::Result<Self> {
        self.stop();
        self.state().sessions.clear();
        Self::with_state(Some(self.address), Arc::clone(&self.state))
    }

    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    pub fn handshakes(&self) -> usize {
        self.state().handshakes
    }

    pub fn sessions_ended(&self) -> usize {
        self.state().ended
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(64)
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = service_fn(move |request| answer(request, Arc::clone(&state)));
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Body>, Infallible> {
    let session = request.headers().get("mcp-session-id").and_then(|id| id.to_str().ok());
    let session = session.map(str::to_owned);
    let method = request.method().clone();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let opens = message["method"] == "initialize";
    let known = session.as_ref().is_some_and(|id| lock(&state).sessions.contains(id));
    let response = match method {
        Method::POST if opens => open(&message, &state),
        _ if !known => json_response(StatusCode::NOT_FOUND, &json!({ "error": "no such session" })),
        Method::POST if message.get("id").is_none() => empty(StatusCode::ACCEPTED),
        Method::POST => respond(&message),
        Method::DELETE => {
            lock(&state).ended += 1;
            empty(StatusCode::OK)
        }
        _ => empty(StatusCode::METHOD_NOT_ALLOWED),
    };
    Ok(response)
}

fn open(message: &Value, state: &Mutex<State>) -> Response<Body> {
    let mut state = lock(state);
    state.handshakes += 1;
    let id = format!("session-{}", state.handshakes);
    state.sessions.insert(id.clone());
    let result = json!({
        "protocolVersion": message["params"]["protocolVersion"],
        "capabilities": { "tools": {} },
        "serverInfo": { "name": "demo", "version": "1.0.0" },
    });
    let mut response = json_response(StatusCode::OK, &reply(message, "result", &result));
    if let Ok(id) = id.parse() {
        response.headers_mut().insert("mcp-session-id", id);
    }
    response
}

fn respond(message: &Value) -> Response<Body> {
    let arguments = &message["params"]["arguments"];
    match (message["method"].as_str(), message["params"]["name"].as_str()) {
        (Some("tools/list"), _) => {
            json_response(StatusCode::OK, &reply(message, "result", &tools()))
        }
        (Some("tools/call"), Some("echo")) => {
            let result = json!({ "content": [{ "type": "text", "text": arguments["text"] }] });
            json_response(StatusCode::OK, &reply(message, "result", &result))
        }
        (Some("tools/call"), Some("countdown")) => {
            countdown(message, arguments["from"].as_u64().unwrap_or(3).min(10))
        }
        (Some("tools/call"), Some("broken")) => {
            let body =
                json!({ "error": { "code": "out_of_order", "message": "the mill is stuck" } });
            json_response(StatusCode::INTERNAL_SERVER_ERROR, &body)
        }
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            json_response(StatusCode::OK, &reply(message, "error", &error))
        }
    }
}

fn tools() -> Value {
    let tool = |name: &str, about: &str| json!({ "name": name, "description": about, "inputSchema": { "type": "object" } });
    json!({ "tools": [
        tool("echo", "Gives back what it gets"),
        tool("countdown", "Counts down, a step a moment"),
        tool("broken", "Fails"),
    ] })
}

fn reply(message: &Value, member: &str, value: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": message["id"], member: value })
}

/// An event stream: progress for each step, then the answer.
fn countdown(message: &Value, from: u64) -> Response<Body> {
    let token = message["params"]["_meta"]["progressToken"].clone();
    let mut events: Vec<Value> = (1..=from)
        .map(|step| {
            let params = json!({ "progressToken": token, "progress": step, "total": from });
            json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params })
        })
        .collect();
    let result = json!({ "content": [{ "type": "text", "text": "lift-off" }] });
    events.push(reply(message, "result", &result));
    let stream = futures_util::stream::unfold(events.into_iter(), |mut events| async move {
        let event = events.next()?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let data = Bytes::from(format!("event: message\ndata: {event}\n\n"));
        Some((Ok(Frame::data(data)), events))
    });
    let mut response = Response::new(BoxBody::new(StreamBody::new(stream)));
    response.headers_mut().insert("content-type", content_type("text/event-stream"));
    response
}

fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", content_type("application/json"));
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Full::default().boxed());
    *response.status_mut() = status;
    response
}

fn content_type(value: &'static str) -> hyper::header::HeaderValue {
    hyper::header::HeaderValue::from_static(value)
}
