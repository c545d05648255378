//! A TCP connection that can be looked at while somebody else reads it.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// The connection, owned by whoever reads and writes it.
pub(super) struct Socket(Arc<TcpStream>);

/// A look at it, which does not keep it open.
#[derive(Clone)]
pub(super) struct Look(Weak<TcpStream>);

/// What a look shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing came: the other side has not closed it.
    Quiet,
    /// Bytes that nobody has read yet.
    Bytes,
    /// It is closed, here or there.
    Closed,
}

impl Look {
    /// Asks the system itself, which knows more than the runtime has heard of yet.
    pub(super) fn seen(&self) -> Seen {
        let Some(socket) = self.0.upgrade() else { return Seen::Closed };
        let mut byte = [MaybeUninit::uninit()];
        match SockRef::from(&*socket).peek(&mut byte) {
            Ok(0) => Seen::Closed,
            Ok(_) => Seen::Bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Seen::Quiet,
            Err(_) => Seen::Closed,
        }
    }
}

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(Arc::new(stream))
    }

    pub(super) fn look(&self) -> Look {
        Look(Arc::downgrade(&self.0))
    }

    /// A read that did not fill its buffer took all there was: the next one waits for the system to tell of
    /// more, in place of asking it in vain. What the system tells is taken in by this thread only, so that
    /// nothing can come in between. (Windows tells of nothing that it was not asked for again.)
    fn was_drained(&self) {
        if cfg!(unix) {
            let nothing = || Err::<(), _>(io::ErrorKind::WouldBlock.into());
            let _ = self.0.try_io(Interest::READABLE, nothing);
        }
    }

    /// Writes as soon as it may.
    fn write_with(
        &self,
        context: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            match write(&self.0) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            match self.0.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => {
                    if buffer.remaining() > 0 {
                        self.was_drained();
                    }
                    return Poll::Ready(done.map(drop));
                }
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write_with(context, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write_with(context, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The system keeps nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match SockRef::from(&*self.0).shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            done => Poll::Ready(done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_look_sees_the_end_before_the_runtime_has_heard_of_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let socket = Socket::new(near);
        let look = socket.look();
        assert_eq!(look.seen(), Seen::Quiet);
        far.write_all(b"x").await.unwrap();
        assert_eq!(look.seen(), Seen::Bytes);
        assert_eq!(look.seen(), Seen::Bytes, "a look takes nothing");
        drop(socket);
        assert_eq!(look.seen(), Seen::Closed);

        let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (far, _) = listener.accept().await.unwrap();
        let socket = Socket::new(near);
        drop(far);
        assert_eq!(socket.look().seen(), Seen::Closed);
    }
}
