//! Making a connection: name, TCP, TLS.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use super::fault::{Fault, FaultKind, Sent};
use super::{Origin, Settings};

/// When the kernel begins to ask whether a silent peer is still there, and how it goes on. A dead
/// connection is known after 15 s + 3 × 5 s, and the process is not woken for it.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 3;
/// How long sent bytes may stay unacknowledged (Linux).
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// A connection that is ready for its first request.
pub(super) enum Connection {
    /// `http://`
    Plain(TcpStream),
    /// `https://`, HTTP/1.1
    Tls(Box<TlsStream<TcpStream>>),
    /// `https://`, HTTP/2
    TlsH2(Box<TlsStream<TcpStream>>),
}

pub(super) struct Connector {
    tcp: HttpConnector,
    /// Made when the first https connection is: loading the trust store takes milliseconds.
    tls: OnceLock<Result<TlsConnector, String>>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE_AFTER));
        tcp.set_keepalive_interval(Some(KEEPALIVE_EVERY));
        tcp.set_keepalive_retries(Some(KEEPALIVE_TRIES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        Self { tcp, tls: OnceLock::new(), timeout: settings.connect_timeout }
    }

    pub(super) async fn connect(&self, origin: &Origin) -> Result<Connection, Fault> {
        tokio::time::timeout(self.timeout, self.connect_unbounded(origin)).await.unwrap_or_else(
            |_| {
                let cause = format!("no connection within {} s", self.timeout.as_secs());
                Err(Fault::words(FaultKind::Timeout, Sent::No, cause))
            },
        )
    }

    async fn connect_unbounded(&self, origin: &Origin) -> Result<Connection, Fault> {
        let tcp = self.tcp(origin).await?;
        if origin.tls { self.tls(origin, tcp).await } else { Ok(Connection::Plain(tcp)) }
    }

    async fn tcp(&self, origin: &Origin) -> Result<TcpStream, Fault> {
        let scheme = if origin.tls { "https" } else { "http" };
        let uri: Uri = format!("{scheme}://{}:{}", origin.host, origin.port)
            .parse()
            .map_err(|error| Fault::new(FaultKind::Dns, Sent::No, &error))?;
        match self.tcp.clone().call(uri).await {
            Ok(io) => Ok(TokioIo::into_inner(io)),
            Err(error) => {
                let dns = error.to_string().starts_with("dns");
                let kind = if dns { FaultKind::Dns } else { FaultKind::Connect };
                Err(Fault::new(kind, Sent::No, &error))
            }
        }
    }

    async fn tls(&self, origin: &Origin, tcp: TcpStream) -> Result<Connection, Fault> {
        let tls = self.tls.get_or_init(connector).as_ref();
        let tls = tls.map_err(|cause| Fault::words(FaultKind::Tls, Sent::No, cause.clone()))?;
        let host = origin.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host)
            .map_err(|error| Fault::new(FaultKind::Tls, Sent::No, &error))?;
        let stream = tls
            .connect(name, tcp)
            .await
            .map_err(|error| Fault::new(FaultKind::Tls, Sent::No, &error))?;
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = Box::new(stream);
        Ok(if h2 { Connection::TlsH2(stream) } else { Connection::Tls(stream) })
    }
}

fn connector() -> Result<TlsConnector, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map_err(|error| format!("the system's certificates can't be used: {error}"))?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
