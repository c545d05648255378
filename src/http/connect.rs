//! Making a connection: name, TCP, proxy, TLS.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::fault::{Fault, FaultKind, ProxyReason, Sent};
use super::names::Names;
use super::proxy::{Protocol, Proxy};
use super::socket::Socket;
use super::stream::{Refused, Stream};
use super::tls::{Peer, Tls};
use super::trace::{TlsSession, Trace};
use super::tunnel::{self, Target};
use super::{Origin, Settings};

/// When the kernel begins to ask whether a silent peer is still there, and how it goes on. A dead
/// connection is known after 15 s + 3 × 5 s, and the process is not woken for it.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);
const KEEPALIVE_TRIES: u32 = 3;
/// How long sent bytes may stay unacknowledged (Linux).
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);
/// How long one kind of address is tried before the other is tried beside it (RFC 8305 §5).
const OTHER_ADDRESSES_AFTER: Duration = Duration::from_millis(300);

/// A connection that is ready for its first request.
pub(super) struct Connection {
    pub(super) stream: Stream,
    /// Whether both sides agreed on HTTP/2.
    pub(super) h2: bool,
    /// Why the server refuses this client, should it do so in TLS.
    pub(super) refused: Option<Refused>,
}

pub(super) struct Connector {
    tcp: HttpConnector<Names>,
    names: Names,
    tls: Tls,
    timeout: Option<Duration>,
    trace: Option<Trace>,
}

impl Connector {
    pub(super) fn new(settings: &Settings) -> Self {
        let names = Names::new(settings.addresses, settings.trace.clone());
        let mut tcp = HttpConnector::new_with_resolver(names.clone());
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_happy_eyeballs_timeout(Some(OTHER_ADDRESSES_AFTER));
        tcp.set_keepalive(Some(KEEPALIVE_AFTER));
        tcp.set_keepalive_interval(Some(KEEPALIVE_EVERY));
        tcp.set_keepalive_retries(Some(KEEPALIVE_TRIES));
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
        let trace = settings.trace.clone();
        let tls = Tls::new(Arc::clone(&settings.certificates), trace.clone());
        Self { tcp, names, tls, timeout: settings.connect_timeout, trace }
    }

    pub(super) async fn connect(
        &self,
        origin: &Origin,
        proxy: Option<&Proxy>,
    ) -> Result<Connection, Fault> {
        let connecting = self.connect_unbounded(origin, proxy);
        let Some(limit) = self.timeout else { return connecting.await };
        tokio::time::timeout(limit, connecting).await.unwrap_or_else(|_| {
            let cause = format!("no connection within {} s", limit.as_secs_f64());
            let fault = Fault::words(FaultKind::Timeout, Sent::No, cause);
            Err(proxy.map_or(fault.clone(), |proxy| fault.at_proxy(&proxy.shown())))
        })
    }

    async fn connect_unbounded(
        &self,
        origin: &Origin,
        proxy: Option<&Proxy>,
    ) -> Result<Connection, Fault> {
        let stream = match proxy {
            None => self.tcp(origin).await?,
            Some(proxy) => {
                self.through(proxy, origin).await.map_err(|fault| fault.at_proxy(&proxy.shown()))?
            }
        };
        if let Some(trace) = &self.trace {
            trace.note(|seen| seen.is_through = true);
        }
        if !origin.tls {
            return Ok(Connection { stream, h2: false, refused: None });
        }
        let (session, h2) = self.tls.connect(Peer::Server, &origin.host, stream).await?;
        if let Some(trace) = &self.trace {
            trace.note(|seen| seen.session = Some(TlsSession { version: session.version(), h2 }));
        }
        let refused = Some(session.refused());
        Ok(Connection { stream: Stream::Tls(Box::new(session)), h2, refused })
    }

    /// A stream that ends at the server, or, where the proxy forwards requests, at the proxy.
    async fn through(&self, proxy: &Proxy, origin: &Origin) -> Result<Stream, Fault> {
        let at = proxy.origin();
        let mut stream = self
            .tcp(&at)
            .await
            .map_err(|fault| Fault { kind: FaultKind::Proxy(ProxyReason::Unreachable), ..fault })?;
        match proxy.protocol() {
            Protocol::Http { tls } => {
                if tls {
                    let (session, _) = self.tls.connect(Peer::Proxy, &at.host, stream).await?;
                    stream = Stream::Tls(Box::new(session));
                }
                if proxy.forwards(origin) {
                    return Ok(stream);
                }
                tunnel::connect(stream, proxy, origin).await
            }
            Protocol::Socks5 { remote_names } => {
                let host = origin.host.trim_start_matches('[').trim_end_matches(']');
                let target = match host.parse::<IpAddr>() {
                    Ok(address) => Target::Address(address),
                    Err(_) if remote_names => Target::Name(host),
                    Err(_) => Target::Address(self.names.first(host).await.map_err(no_name)?),
                };
                tunnel::socks5(&mut stream, proxy, target, origin.port).await?;
                Ok(stream)
            }
        }
    }

    async fn tcp(&self, origin: &Origin) -> Result<Stream, Fault> {
        let scheme = if origin.tls { "https" } else { "http" };
        let uri: Uri = format!("{scheme}://{}:{}", origin.host, origin.port)
            .parse()
            .map_err(|error| Fault::new(FaultKind::Dns, Sent::No, &error))?;
        match self.tcp.clone().call(uri).await {
            Ok(io) => {
                let stream = TokioIo::into_inner(io);
                if let Some(trace) = &self.trace {
                    trace.note(|seen| seen.peer = stream.peer_addr().ok());
                }
                Ok(Stream::Tcp(Socket::new(stream)))
            }
            Err(error) => {
                let dns = error.to_string().starts_with("dns");
                let kind = if dns { FaultKind::Dns } else { FaultKind::Connect };
                Err(Fault::new(kind, Sent::No, &error))
            }
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn no_name(error: std::io::Error) -> Fault {
    Fault::new(FaultKind::Dns, Sent::No, &error)
}
