//! The server's thread: accepts, serves, stops and comes back.

use std::net::TcpListener as StdListener;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::connection::{Connection, Wire};
use super::serve;
use super::world::World;
use crate::support::ClosedPort;

/// How connections are made.
#[derive(Clone, Default)]
pub struct Connecting {
    pub tls: Option<Arc<ServerConfig>>,
    pub close_idle_after: Option<Duration>,
    pub max_concurrent_streams: Option<u32>,
}

/// What the handle orders; each is confirmed.
pub enum Order {
    Stop(SyncSender<()>),
    Start(SyncSender<()>),
    End,
}

enum Port {
    Open(TcpListener),
    Closed(ClosedPort),
}

pub async fn run(
    world: Arc<World>,
    port: ClosedPort,
    connecting: Connecting,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut port = Port::Closed(port);
    loop {
        let order = match &port {
            Port::Closed(_) => orders.recv().await,
            Port::Open(listener) => tokio::select! {
                biased;
                order = orders.recv() => order,
                accepted = listener.accept() => {
                    let (socket, _) = accepted.expect("accepting on loopback");
                    accept(&world, socket, &connecting);
                    continue;
                }
            },
        };
        let done = match order {
            Some(Order::Stop(done)) => {
                port = port.closed();
                world.state.read().connections.iter().for_each(|connection| connection.reset());
                wait_until_all_are_gone(&world).await;
                done
            }
            Some(Order::Start(done)) => {
                port = port.opened();
                done
            }
            Some(Order::End) | None => return,
        };
        let _ = done.send(());
    }
}

impl Port {
    fn closed(self) -> Self {
        match self {
            Self::Closed(held) => Self::Closed(held),
            Self::Open(listener) => {
                let address = listener.local_addr().expect("a bound address");
                drop(listener);
                Self::Closed(ClosedPort::hold(address))
            }
        }
    }

    fn opened(self) -> Self {
        match self {
            Self::Open(listener) => Self::Open(listener),
            Self::Closed(held) => {
                let listener: StdListener = held.listen();
                listener.set_nonblocking(true).expect("a non-blocking listener");
                Self::Open(TcpListener::from_std(listener).expect("a listener"))
            }
        }
    }
}

async fn wait_until_all_are_gone(world: &World) {
    world.state.until(|state| (state.open_connections == 0).then_some(())).await;
}

fn accept(world: &Arc<World>, socket: TcpStream, connecting: &Connecting) {
    let _ = socket.set_nodelay(true);
    let (connection, reset) = world.state.update(|state| {
        let connection = Connection::new(state.connections.len() + 1);
        state.connections.push(Arc::clone(&connection));
        state.open_connections += 1;
        let reset = state.resets_at_accept > 0;
        state.resets_at_accept -= usize::from(reset);
        (connection, reset)
    });
    world.timeline.log("server", format!("accepted connection {}", connection.number));
    if reset {
        connection.reset();
    }
    let (world, connecting) = (Arc::clone(world), connecting.clone());
    tokio::spawn(async move {
        let wire = Wire { socket, connection: Arc::clone(&connection) };
        let idle = async {
            match connecting.close_idle_after {
                Some(time) => connection.idle_for(time).await,
                None => std::future::pending().await,
            }
        };
        let how = tokio::select! {
            biased;
            () = connection.ended() => "ended by us",
            () = idle => "idle for too long",
            () = shake_hands_and_serve(&world, wire, &connection, &connecting) => "finished",
        };
        let number = connection.number;
        world.timeline.log("server", format!("connection {number}: {how}"));
        world.state.update(|state| state.open_connections -= 1);
    });
}

async fn shake_hands_and_serve(
    world: &Arc<World>,
    wire: Wire,
    connection: &Arc<Connection>,
    connecting: &Connecting,
) {
    let Some(tls) = &connecting.tls else {
        return serve_http1(world, wire, connection).await;
    };
    let accepted = TlsAcceptor::from(Arc::clone(tls)).accept(wire).await;
    let kind = accepted.as_ref().ok().and_then(|stream| stream.get_ref().1.handshake_kind());
    if kind == Some(tokio_rustls::rustls::HandshakeKind::Resumed) {
        world.state.update(|state| state.resumed += 1);
    }
    match accepted {
        Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
            serve_http2(world, stream, connection, connecting.max_concurrent_streams).await;
        }
        Ok(stream) => serve_http1(world, stream, connection).await,
        Err(why) => world.timeline.log("server", format!("no TLS: {why}")),
    }
}

async fn serve_http1(
    world: &Arc<World>,
    io: impl AsyncRead + AsyncWrite + Unpin,
    connection: &Arc<Connection>,
) {
    let (world, connection_of_all) = (Arc::clone(world), Arc::clone(connection));
    let service = service_fn(move |request| {
        serve::respond(Arc::clone(&world), Arc::clone(&connection_of_all), request)
    });
    let mut served =
        std::pin::pin!(http1::Builder::new().serve_connection(TokioIo::new(io), service));
    let goodbye = |served: Pin<&mut _>| http1::Connection::graceful_shutdown(served);
    loop {
        tokio::select! {
            _ = served.as_mut() => return,
            () = connection.told_to_say_goodbye() => goodbye(served.as_mut()),
        }
    }
}

async fn serve_http2(
    world: &Arc<World>,
    io: impl AsyncRead + AsyncWrite + Unpin,
    connection: &Arc<Connection>,
    max_concurrent_streams: Option<u32>,
) {
    let (world, connection_of_all) = (Arc::clone(world), Arc::clone(connection));
    let service = service_fn(move |request| {
        serve::respond(Arc::clone(&world), Arc::clone(&connection_of_all), request)
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.max_concurrent_streams(max_concurrent_streams);
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(io), service));
    let goodbye = |served: Pin<&mut _>| http2::Connection::graceful_shutdown(served);
    loop {
        tokio::select! {
            _ = served.as_mut() => return,
            () = connection.told_to_say_goodbye() => goodbye(served.as_mut()),
        }
    }
}
