//! A plain HTTP client over one connection, to show what the fixtures really send.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

use super::DEADLINE;
use super::mcp_server::McpServer;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

pub struct HttpClient {
    runtime: Arc<Runtime>,
    connection: Connection,
    host: String,
    session: Option<String>,
}

enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl HttpClient {
    /// Connects without TLS.
    #[track_caller]
    pub fn to(server: &McpServer) -> Self {
        Self::try_to(&server.host()).expect("a connection")
    }

    pub fn try_to(host: &str) -> Result<Self, Failure> {
        let address: SocketAddr = host.parse()?;
        let runtime = runtime();
        let connection = runtime.block_on(in_time(async {
            let io = TokioIo::new(TcpStream::connect(address).await?);
            let (sender, driver) = http1::handshake(io).await?;
            tokio::spawn(driver);
            Ok(Connection::Http1(sender))
        }))?;
        Ok(Self { runtime, connection, host: host.to_owned(), session: None })
    }

    /// Connects with TLS, trusting the authority in the file and nobody else.
    pub fn with_tls(server: &McpServer, authority: &Path) -> Result<Self, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority)?)?;
        let mut config = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let runtime = runtime();
        let address: SocketAddr = server.host().parse()?;
        let connection = runtime.block_on(in_time(async {
            let socket = TcpStream::connect(address).await?;
            let name = ServerName::from(address.ip());
            let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await?;
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                let executor = TokioExecutor::new();
                let (sender, driver) = http2::handshake(executor, TokioIo::new(stream)).await?;
                tokio::spawn(driver);
                Ok(Connection::Http2(sender))
            } else {
                let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
                tokio::spawn(driver);
                Ok(Connection::Http1(sender))
            }
        }))?;
        Ok(Self { runtime, connection, host: server.host(), session: None })
    }

    pub fn is_http2(&self) -> bool {
        matches!(self.connection, Connection::Http2(_))
    }

    /// The same HTTP/2 connection once more, for two requests at once.
    #[track_caller]
    pub fn on_the_same_connection(&self) -> Self {
        let Connection::Http2(sender) = &self.connection else {
            panic!("HTTP/1.1 takes one request at a time");
        };
        let (runtime, host) = (Arc::clone(&self.runtime), self.host.clone());
        let connection = Connection::Http2(sender.clone());
        Self { runtime, connection, host, session: self.session.clone() }
    }

    /// Goes on with the session of another client.
    pub fn adopt_session(&mut self, session: &str) {
        self.session = Some(session.to_owned());
    }

    pub fn forget_session(&mut self) {
        self.session = None;
    }

    /// The whole handshake; later requests carry the session.
    #[track_caller]
    pub fn initialize(&mut self) -> Value {
        let reply = self.call(0, "initialize", initialize_params()).expect("an answer");
        self.session = reply
            .headers
            .get("mcp-session-id")
            .map(|id| id.to_str().expect("visible characters").to_owned());
        let result = reply.json();
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(self.post(&initialized).expect("an answer").status, 202);
        result
    }

    pub fn call(&mut self, id: u64, method: &str, params: Value) -> Result<Reply, Failure> {
        self.post(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    }

    pub fn call_tool(&mut self, id: u64, name: &str, arguments: Value) -> Result<Reply, Failure> {
        self.call(id, "tools/call", json!({"name": name, "arguments": arguments}))
    }

    pub fn post(&mut self, message: &Value) -> Result<Reply, Failure> {
        self.send(Method::POST, "/mcp", &[], message.to_string())
    }

    pub fn get(&mut self, last_event_id: Option<&str>) -> Result<Reply, Failure> {
        let header: Vec<_> = last_event_id.iter().map(|id| ("last-event-id", *id)).collect();
        self.send(Method::GET, "/mcp", &header, String::new())
    }

    pub fn delete(&mut self) -> Result<Reply, Failure> {
        self.send(Method::DELETE, "/mcp", &[], String::new())
    }

    /// Anything; the given headers replace the usual ones, an empty value leaves one out.
    pub fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: String,
    ) -> Result<Reply, Failure> {
        let request = self.request(method, path, headers, body)?;
        let connection = &mut self.connection;
        let sent = self.runtime.block_on(in_time(async {
            Ok(match connection {
                Connection::Http1(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await?
                }
                Connection::Http2(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await?
                }
            })
        }));
        Ok(Reply::new(sent?, Arc::clone(&self.runtime)))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: String,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let uri =
            if self.is_http2() { format!("https://{}{path}", self.host) } else { path.to_owned() };
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = method;
        *request.uri_mut() = uri.parse()?;
        let all = request.headers_mut();
        all.insert("accept", "application/json, text/event-stream".parse()?);
        all.insert("content-type", "application/json".parse()?);
        if !self.is_http2() {
            all.insert("host", self.host.parse()?);
        }
        if let Some(session) = &self.session {
            all.insert("mcp-session-id", session.parse()?);
            all.insert("mcp-protocol-version", "2025-11-25".parse()?);
        }
        for (name, value) in headers {
            all.remove(*name);
            if !value.is_empty() {
                all.insert(*name, value.parse()?);
            }
        }
        Ok(request)
    }
}

/// The parameters of an ordinary client's `initialize`.
pub fn initialize_params() -> Value {
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "plain-client", "version": "1.0.0"},
    })
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    body: Incoming,
    runtime: Arc<Runtime>,
    kept: Option<McpServer>,
}

impl Reply {
    fn new(response: Response<Incoming>, runtime: Arc<Runtime>) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status.as_u16(), headers: head.headers, body, runtime, kept: None }
    }

    /// Keeps the server running until the body has been read.
    #[must_use]
    pub fn keep(mut self, server: McpServer) -> Self {
        self.kept = Some(server);
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The next piece of the body; `None` at its end.
    pub fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let body = &mut self.body;
        self.runtime.block_on(in_time(async {
            loop {
                match body.frame().await.transpose()? {
                    None => return Ok(None),
                    Some(frame) => match frame.into_data() {
                        Ok(data) => return Ok(Some(data)),
                        Err(_trailers) => {}
                    },
                }
            }
        }))
    }

    /// What came of the body, and how it ended if not well.
    pub fn read(mut self) -> (Vec<u8>, Result<(), Failure>) {
        let mut bytes = Vec::new();
        loop {
            match self.next() {
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Ok(None) => return (bytes, Ok(())),
                Err(why) => return (bytes, Err(why)),
            }
        }
    }

    #[track_caller]
    pub fn bytes(self) -> Vec<u8> {
        let (bytes, end) = self.read();
        end.expect("a whole body");
        bytes
    }

    #[track_caller]
    pub fn text(self) -> String {
        String::from_utf8(self.bytes()).expect("text")
    }

    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_slice(&self.bytes()).expect("JSON")
    }
}

fn runtime() -> Arc<Runtime> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    Arc::new(runtime.expect("a runtime"))
}

async fn in_time<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::time::timeout(DEADLINE, work).await.expect("the server says something in time")
}
