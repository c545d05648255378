//! What can break below HTTP.

use std::error::Error;
use std::fmt;

use super::tls;

/// A request that got no response, or a body that broke off.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What broke.
    pub kind: FaultKind,
    /// Whether the server may have seen the request.
    pub sent: Sent,
    /// The cause in words, from the outermost layer to the innermost.
    pub cause: String,
    /// The proxy that stands between, if it has to do with it: host and port, never credentials.
    pub proxy: Option<Box<str>>,
}

/// Where it broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The host name has no address.
    Dns,
    /// No TCP connection.
    Connect,
    /// No TLS session.
    Tls(TlsReason),
    /// The proxy does not let us through.
    Proxy(ProxyReason),
    /// The connection ended before the answer did.
    Cut,
    /// The other side does not speak HTTP.
    Protocol,
    /// It took longer than allowed.
    Timeout,
    /// The body is not what its encoding says.
    Encoding,
}

/// Why there is no TLS session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsReason {
    /// Nobody whom this machine trusts has signed the certificate.
    UnknownIssuer,
    /// The certificate's time is over.
    Expired,
    /// The certificate's time has not begun.
    NotYetValid,
    /// The certificate is for another name.
    WrongName,
    /// The certificate was taken back.
    Revoked,
    /// The certificate is an authority's own.
    Authority,
    /// Anything else about the certificate.
    Certificate,
    /// The server wants a certificate of the client, and there is none.
    ClientCertificateWanted,
    /// The server asked for a certificate of the client, there is none, and the connection ended without a word.
    ClientCertificateMissed,
    /// The server does not take the certificate of the client.
    ClientCertificateRefused,
    /// The other side does not speak TLS.
    NotTls,
    /// No trust store, or a file that can't be used.
    Setup,
    /// Anything else.
    Other,
}

/// Why a proxy does not let us through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyReason {
    /// There is no connection to it.
    Unreachable,
    /// It wants to know who asks (HTTP 407), and was not told.
    LoginWanted,
    /// It was told who asks, and does not accept it.
    LoginRefused,
    /// It wants a kind of login that is not known here.
    LoginUnknown,
    /// It does not want to connect there.
    Denied,
    /// It can't connect there.
    TargetUnreachable,
    /// It does not speak the protocol of a proxy.
    NotAProxy,
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
    pub(super) fn new(kind: FaultKind, sent: Sent, cause: &(dyn Error + 'static)) -> Self {
        Self::words(kind, sent, chain(cause))
    }

    pub(super) fn words(kind: FaultKind, sent: Sent, cause: impl Into<String>) -> Self {
        Self { kind, sent, cause: cause.into(), proxy: None }
    }

    /// From a TLS handshake.
    pub(super) fn tls(error: &std::io::Error, client: &tls::Client) -> Self {
        Self::new(FaultKind::Tls(client.reason(error)), Sent::No, error)
    }

    /// Nothing came in the time allowed, and the server may be at work.
    pub(super) fn late(cause: String) -> Self {
        Self::words(FaultKind::Timeout, Sent::Maybe, cause)
    }

    /// The server does not want to hear this client. Where it says so, it has read nothing of what was sent.
    pub(super) fn refused(reason: TlsReason, error: &hyper::Error, unsent: bool) -> Self {
        let guessed = reason == TlsReason::ClientCertificateMissed;
        let sent = if guessed && !unsent { Sent::Maybe } else { Sent::No };
        Self::new(FaultKind::Tls(reason), sent, error)
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

    /// The same, with the proxy that it has to do with.
    pub(super) fn at_proxy(self, proxy: &str) -> Self {
        Self { proxy: Some(proxy.into()), ..self }
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
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        // rustls names its own manual, of which no user has anything.
        let words = words.split(": https://docs.rs/").next().unwrap_or_default();
        if !text.contains(words) {
            text.push_str(": ");
            text.push_str(words);
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
