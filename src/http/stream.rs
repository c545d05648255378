//! The bytes of a connection, whatever lies below: TCP, TLS, or TLS within TLS behind an https proxy.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::fault::TlsReason;
use super::socket::{Look, Socket};
use super::tls::Client;

/// One type for all, so that HTTP is compiled once.
pub(super) enum Stream {
    Tcp(Socket),
    Tls(Box<Session>),
}

/// A TLS session, and whether the server ends it because of the client's certificate. In TLS 1.3 it
/// looks at that when the handshake is over for the client, so that its alert comes in place of the
/// first answer; nothing that was sent after the handshake has been read then.
pub(super) struct Session {
    tls: TlsStream<Stream>,
    client: Client,
    /// Whether reading has come to anything: bytes, the end, an error.
    heard: bool,
    refused: Refused,
}

/// Why a server ended a session in place of its first answer, if it was because of the client.
pub(super) type Refused = Arc<OnceLock<TlsReason>>;

impl Stream {
    /// A look at the connection below all of it.
    pub(super) fn look(&self) -> Look {
        match self {
            Self::Tcp(socket) => socket.look(),
            Self::Tls(session) => session.tls.get_ref().0.look(),
        }
    }
}

impl Session {
    pub(super) fn new(tls: TlsStream<Stream>, client: Client) -> Self {
        Self { tls, client, heard: false, refused: Arc::default() }
    }

    /// The version of TLS, for people.
    pub(super) fn version(&self) -> &'static str {
        match self.tls.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS 1.2",
        }
    }

    /// Set when the server refuses the client: HTTP forgets what kind of error broke a connection.
    pub(super) fn refused(&self) -> Refused {
        Arc::clone(&self.refused)
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.tls).poll_read(context, buffer));
        if std::mem::replace(&mut self.heard, true) {
            return Poll::Ready(read);
        }
        let reason = match &read {
            Ok(()) if buffer.filled().len() > before => None,
            Ok(()) => self.client.left_without(),
            Err(error) => self.client.refusal(error),
        };
        if let Some(reason) = reason {
            self.refused.get_or_init(|| reason);
        }
        Poll::Ready(read)
    }

    /// The server closes after its alert, so that writing may fail before anybody has read that. What
    /// failed before anything was read stays pending: HTTP always reads too, and there the alert, or
    /// whatever else it is, comes at once.
    fn after_reading<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match written {
            Poll::Ready(Err(_)) if !self.heard => Poll::Pending,
            other => other,
        }
    }
}

/// Calls the same method of whatever it is.
macro_rules! write {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream.get_mut() {
            Self::Tcp(tcp) => {
                let $inner = Pin::new(tcp);
                $call
            }
            Self::Tls(session) => {
                let $inner = Pin::new(&mut session.tls);
                let written = $call;
                session.after_reading(written)
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Self::Tls(session) => session.poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        write!(self, inner => inner.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        write!(self, inner => inner.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.is_write_vectored(),
            Self::Tls(session) => session.tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        write!(self, inner => inner.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        write!(self, inner => inner.poll_shutdown(context))
    }
}
