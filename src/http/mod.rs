//! The one HTTP client: connections, TLS roots, time-outs, bodies. It knows no MCP.
//!
//! It stands on hyper's connections and not on a ready-made pooled client, because three promises need
//! what those hide: whether a request was handed to the socket, how many streams an HTTP/2 server
//! allows, and how long a connection lay idle (ADR 0005).

mod body;
mod connect;
mod decode;
mod fault;
mod pool;

pub use body::Body;
pub use fault::{Fault, FaultKind, Sent};
pub use pool::{Delivery, Reuse};

use std::sync::Mutex;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use connect::Connector;
use pool::Pool;

/// How connections are made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bound on DNS, TCP and TLS together.
    pub connect_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(20) }
    }
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
    /// A handful at most: the server, and whom it names.
    pools: Mutex<Vec<Arc<Pool>>>,
}

impl Client {
    /// A client that has not connected anywhere yet.
    pub fn new(settings: &Settings) -> Self {
        Self { connector: Arc::new(Connector::new(settings)), pools: Mutex::default() }
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

    /// Forgets every connection, so that the next request makes a new one: the machine slept.
    pub fn forget_connections(&self) {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn pool(&self, origin: &Origin) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.iter().find(|pool| pool.origin() == origin) {
            return Arc::clone(pool);
        }
        let pool = Arc::new(Pool::new(origin.clone(), Arc::clone(&self.connector)));
        pools.push(Arc::clone(&pool));
        pool
    }
}
