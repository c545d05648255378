//! A server that is far away: a TCP proxy that holds back every byte.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::Result;

/// From here to the server and back.
const ROUND_TRIP: Duration = Duration::from_millis(50);

/// Forwards connections to `server`, late.
pub async fn keep(listener: TcpListener, server: SocketAddr) -> Result<()> {
    loop {
        let (near, _) = listener.accept().await?;
        tokio::spawn(carry(near, server, Instant::now()));
    }
}

/// The kernel accepts at once, where a real client waits a round trip for that; so nothing that
/// the client sends counts as sent before a round trip after the connection began.
async fn carry(near: TcpStream, server: SocketAddr, began: Instant) -> Result<()> {
    let far = TcpStream::connect(server).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (from_client, to_client) = near.into_split();
    let (from_server, to_server) = far.into_split();
    tokio::spawn(one_way(from_server, to_client, began));
    one_way(from_client, to_server, began + ROUND_TRIP).await
}

/// Delivers what is read half a round trip later, in order.
async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin + Send + 'static,
    connected: Instant,
) -> Result<()> {
    let (sender, mut road) = mpsc::unbounded_channel::<(Instant, Bytes)>();
    tokio::spawn(async move {
        while let Some((due, bytes)) = road.recv().await {
            sleep_until(due).await;
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        let due = Instant::now().max(connected) + ROUND_TRIP / 2;
        sender.send((due, Bytes::copy_from_slice(&buffer[..length])))?;
    }
}
