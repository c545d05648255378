//! The one HTTP client: connections, TLS roots, time-outs, bodies. It knows no MCP.
//!
//! It stands on hyper's connections and not on a ready-made pooled client, because three promises need
//! what those hide: whether a request was handed to the socket, how many streams an HTTP/2 server
//! allows, and how long a connection lay idle (ADR 0005).

mod body;
mod certificates;
mod connect;
mod decode;
mod fault;
mod hint;
mod names;
mod pool;
mod proxy;
mod retry_after;
mod socket;
mod stream;
mod tls;
mod trace;
mod tunnel;

pub use body::Body;
pub use certificates::{CertificateError, Certificates, ClientFiles, PemFile};
pub use fault::{Fault, FaultKind, ProxyReason, Sent, TlsReason};
pub use hint::hint;
pub use pool::{Delivery, Reuse};
pub use proxy::{Proxies, Proxy, ProxyError, Variables, Why};
pub use retry_after::retry_after;
pub use trace::{Seen, TlsSession, Trace};

use std::sync::Mutex;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use connect::Connector;
use pool::{Pool, Route};

/// How every request of this program names it.
pub const AGENT: &str = concat!("mcp-bridge/", env!("CARGO_PKG_VERSION"));

/// How connections are made and what bounds an exchange, whoever the server is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bound on DNS, TCP, proxy and TLS together.
    pub connect_timeout: Option<Duration>,
    /// Bound on the wait for the head of an answer.
    pub headers_timeout: Option<Duration>,
    /// Bound on a pause within the body of an answer.
    pub body_timeout: Option<Duration>,
    /// Which addresses of a server are used.
    pub addresses: Addresses,
    /// What stands between.
    pub proxies: Proxies,
    /// Whom to trust, and what to show.
    pub certificates: Arc<Certificates>,
    /// Who looks at how connections are made; nobody while messages are forwarded.
    pub trace: Option<Trace>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Some(Duration::from_secs(20)),
            headers_timeout: None,
            body_timeout: None,
            addresses: Addresses::Any,
            proxies: Proxies::Never,
            certificates: Arc::default(),
            trace: None,
        }
    }
}

/// Which addresses of a server are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addresses {
    /// Whichever answers first.
    #[default]
    Any,
    /// IPv4.
    V4Only,
    /// IPv6.
    V6Only,
}

/// Scheme, host and port (RFC 6454 §4).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the scheme is https.
    pub tls: bool,
    /// Host as in a URL: an IPv6 address has its brackets.
    pub host: Box<str>,
    /// Port, also where it is the scheme's own.
    pub port: u16,
}

impl Origin {
    /// The origin of an http(s) URL; `None` for any other.
    pub fn of(url: &url::Url) -> Option<Self> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self { tls, host: url.host_str()?.into(), port: url.port_or_known_default()? })
    }
}

/// The client. One for the life of the process.
pub struct Client {
    connector: Arc<Connector>,
    settings: Settings,
    /// A handful at most: the server, and whom it names.
    pools: Mutex<Vec<Arc<Pool>>>,
}

impl Client {
    /// A client that has not connected anywhere yet.
    pub fn new(settings: &Settings) -> Self {
        let connector = Arc::new(Connector::new(settings));
        Self { connector, settings: settings.clone(), pools: Mutex::default() }
    }

    /// Sends one request and gives the head of its response. The URI is in origin form.
    ///
    /// # Errors
    /// [`Fault`] says what broke, and whether the request had been handed to the socket.
    pub async fn send(
        &self,
        origin: &Origin,
        request: Request<Full<Bytes>>,
        how: Delivery<'_>,
    ) -> Result<hyper::Response<Body>, Fault> {
        self.pool(origin).send(request, how).await
    }

    /// How many requests may be on their way to this origin at once, as far as is known.
    pub fn max_streams(&self, origin: &Origin) -> Option<usize> {
        self.pool(origin).max_streams()
    }

    /// Forgets every connection, so that the next request makes a new one: the machine slept. How many
    /// streams a server allows is kept, so that what waits is not sent all at once.
    pub fn forget_connections(&self) {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        for pool in pools.iter_mut() {
            let route = Route::choose(&self.settings, pool.origin().clone());
            *pool = Arc::new(pool.renewed(route));
        }
    }

    fn pool(&self, origin: &Origin) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.iter().find(|pool| pool.origin() == origin) {
            return Arc::clone(pool);
        }
        let route = Route::choose(&self.settings, origin.clone());
        let pool = Arc::new(Pool::new(route, Arc::clone(&self.connector)));
        pools.push(Arc::clone(&pool));
        pool
    }
}
