//! What can break below HTTP.

use std::error::Error;
use std::fmt;

/// A request that got no response, or a body that broke off.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What broke.
    pub kind: FaultKind,
    /// Whether the server may have seen the request.
    pub sent: Sent,
    /// The cause in words, from the outermost layer to the innermost.
    pub cause: String,
}

/// Where it broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The host name has no address.
    Dns,
    /// No TCP connection.
    Connect,
    /// No TLS session: certificate or protocol.
    Tls,
    /// The connection ended before the answer did.
    Cut,
    /// The other side does not speak HTTP.
    Protocol,
    /// It took longer than allowed.
    Timeout,
    /// The body is not what its encoding says.
    Encoding,
}

/// Whether the server may have seen the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// No byte of it was handed to the socket, or the server said that it did not look at it.
    No,
    /// Unknown.
    Maybe,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, sent: Sent, cause: &dyn Error) -> Self {
        Self { kind, sent, cause: chain(cause) }
    }

    pub(super) fn words(kind: FaultKind, sent: Sent, cause: impl Into<String>) -> Self {
        Self { kind, sent, cause: cause.into() }
    }

    /// From an exchange on an open connection.
    pub(super) fn exchange(error: &hyper::Error) -> Self {
        let sent = if refused_stream(error) { Sent::No } else { Sent::Maybe };
        let kind = match error {
            e if e.is_parse() => FaultKind::Protocol,
            e if e.is_timeout() => FaultKind::Timeout,
            _ => FaultKind::Cut,
        };
        Self::new(kind, sent, error)
    }
}

/// Whether an HTTP/2 server said that it did not process the stream (RFC 9113 §8.7): REFUSED_STREAM, or
/// a graceful GOAWAY with a last stream below ours.
fn refused_stream(error: &hyper::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(h2) = cause.downcast_ref::<h2::Error>() {
            let refused = h2.is_reset() && h2.reason() == Some(h2::Reason::REFUSED_STREAM);
            let gone = h2.is_go_away() && h2.reason() == Some(h2::Reason::NO_ERROR);
            return h2.is_remote() && (refused || gone);
        }
        source = cause.source();
    }
    false
}

/// An error and its causes in one line, without saying the same twice.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)
    }
}

impl Error for Fault {}
