//! One connection, as far as its end can be ordered.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::support::watched::Watched;

/// How a test's answer ends the connection it is on.
#[derive(Default)]
pub struct Connection {
    pub number: usize,
    orders: Watched<Orders>,
    reset: AtomicBool,
    written: AtomicU64,
    active: AtomicUsize,
    activity: Watched<Option<Instant>>,
}

#[derive(Default)]
struct Orders {
    end: bool,
    say_goodbye: bool,
}

impl Connection {
    pub fn new(number: usize) -> Arc<Self> {
        Arc::new(Self { number, ..Self::default() })
    }

    /// Ends the connection at once, in good form.
    pub fn close(&self) {
        self.orders.update(|orders| orders.end = true);
    }

    /// Ends the connection at once with a reset.
    pub fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
        self.close();
    }

    /// Lets what is running finish and takes nothing new (GOAWAY on HTTP/2).
    pub fn say_goodbye(&self) {
        self.orders.update(|orders| orders.say_goodbye = true);
    }

    /// Whether its end was ordered here.
    pub fn is_ending(&self) -> bool {
        self.orders.read().end
    }

    pub async fn ended(&self) {
        self.orders.until(|orders| orders.end.then_some(())).await;
    }

    pub async fn told_to_say_goodbye(&self) {
        let told = |orders: &mut Orders| std::mem::take(&mut orders.say_goodbye).then_some(());
        self.orders.until(told).await;
    }

    /// How many bytes the client's side has taken.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    pub fn request_begins(self: &Arc<Self>) -> Active {
        self.active.fetch_add(1, Ordering::Relaxed);
        Active(Arc::clone(self))
    }

    /// Waits until no request was running for this long.
    pub async fn idle_for(&self, time: Duration) {
        let mut since = Instant::now();
        loop {
            tokio::time::sleep_until((since + time).into()).await;
            let last = self.activity.read().unwrap_or(since);
            match self.active.load(Ordering::Relaxed) {
                0 if last <= since => return,
                0 => since = last,
                _ => since = self.activity.until(|last| last.filter(|last| *last > since)).await,
            }
        }
    }
}

/// While this lives the connection is not idle.
pub struct Active(Arc<Connection>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
        self.0.activity.update(|last| *last = Some(Instant::now()));
    }
}

/// The socket; dropped with a reset if one was ordered.
pub struct Wire {
    pub socket: TcpStream,
    pub connection: Arc<Connection>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        if self.connection.reset.load(Ordering::Relaxed) {
            let _ = self.socket.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = &written {
            self.connection.written.fetch_add(*count as u64, Ordering::Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
