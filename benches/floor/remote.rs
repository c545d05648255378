//! The endpoint, and the HTTP/1.1 connections to it.

use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Result;
use crate::events::Events;
use crate::stdio::Answers;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const JSON_OR_EVENTS: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

type Connection = SendRequest<Full<Bytes>>;

/// One endpoint.
pub struct Remote {
    address: String,
    path: Uri,
    host: HeaderValue,
    session: OnceLock<HeaderValue>,
    idle: Mutex<Vec<Connection>>,
    answers: Answers,
}

impl Remote {
    /// An endpoint that answers to `answers`. Nothing is connected yet.
    pub fn new(url: &str, answers: Answers) -> Result<Self> {
        let url: Uri = url.parse()?;
        let authority = url.authority().ok_or("the URL names no host")?.as_str();
        Ok(Self {
            address: authority.to_owned(),
            path: url.path().parse()?,
            host: HeaderValue::from_str(authority)?,
            session: OnceLock::new(),
            idle: Mutex::default(),
            answers,
        })
    }

    /// Posts one message and passes on all that is answered.
    pub async fn post(&self, message: Bytes) -> Result<()> {
        let mut connection = self.connection().await?;
        let response = connection.send_request(self.request(message)?).await?;
        if let Some(session) = response.headers().get(SESSION) {
            self.session.get_or_init(|| session.clone());
        }
        if response.headers().get(CONTENT_TYPE) == Some(&JSON) {
            self.pass_json(response).await?;
        } else {
            self.pass_events(response).await?;
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(())
    }

    fn request(&self, message: Bytes) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::post(self.path.clone()).body(Full::new(message))?;
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(ACCEPT, JSON_OR_EVENTS);
        if let Some(session) = self.session.get() {
            headers.insert(SESSION, session.clone());
        }
        Ok(request)
    }

    /// The connection used last, or a new one.
    async fn connection(&self) -> Result<Connection> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut connection) = idle else { return self.connect().await };
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
    }

    async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn pass_json(&self, mut response: Response<Incoming>) -> Result<()> {
        let mut parts = Vec::with_capacity(2);
        while let Some(frame) = response.frame().await {
            parts.extend(frame?.into_data());
        }
        parts.push(Bytes::from_static(b"\n"));
        Ok(self.answers.send(parts)?)
    }

    async fn pass_events(&self, mut response: Response<Incoming>) -> Result<()> {
        let mut events = Events::default();
        while let Some(frame) = response.frame().await {
            let Ok(chunk) = frame?.into_data() else { continue };
            let messages = events.add(chunk);
            if !messages.is_empty() {
                self.answers.send(messages)?;
            }
        }
        Ok(())
    }
}
