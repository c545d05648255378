//! The server: connections, restarts, and its own thread.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};

use super::conduct::{After, conduct};
use super::fault::Fault;
use super::schedule::Schedule;
use super::wire::Wire;
use super::world::World;

/// Ports below those that the system gives to outgoing connections: while nobody listens, none of the
/// bridge's own connections may take the port, or reach itself on it.
const PORTS: std::ops::Range<u16> = 15_000..32_000;
/// How long a port that was given up may take to be free again.
const REBIND: Duration = Duration::from_secs(10);
/// How long nobody listens, in milliseconds.
const DOWN: std::ops::Range<u64> = 2..30;

/// A running server; it ends when this is dropped.
pub struct Server {
    pub world: Arc<World>,
    pub address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Starts a server that keeps to the schedule.
    pub fn start(schedule: Schedule) -> Self {
        let (restart, restarts) = mpsc::unbounded_channel();
        let world = Arc::new(World::new(schedule, restart));
        let (end, ended) = oneshot::channel();
        let (told, address) = std::sync::mpsc::channel();
        let theirs = Arc::clone(&world);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let (listener, address) = bind_somewhere();
                told.send(address).expect("the test waits for the address");
                tokio::select! {
                    () = listen(listener, address, theirs, restarts) => {}
                    _ = ended => {}
                }
            });
        });
        let address = address.recv().expect("the server listens");
        Self { world, address, end: Some(end), thread: Some(thread) }
    }

    /// The endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Takes connections, and now and then is not there.
async fn listen(
    mut listener: TcpListener,
    address: SocketAddr,
    world: Arc<World>,
    mut restarts: mpsc::UnboundedReceiver<()>,
) {
    let alive = watch::Sender::new(());
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                tokio::spawn(connection(stream, Arc::clone(&world), alive.subscribe()));
            }
            Some(()) = restarts.recv() => {
                world.disturb();
                drop(listener);
                alive.send_replace(());
                world.forget();
                world.count(Fault::Restart);
                let down = DOWN.start + world.roll(DOWN.end - DOWN.start);
                tokio::time::sleep(Duration::from_millis(down)).await;
                listener = bind_again(address).await;
                world.disturb();
            }
        }
    }
}

/// One connection, until it closes, is reset, or the server restarts.
async fn connection(stream: TcpStream, world: Arc<World>, mut alive: watch::Receiver<()>) {
    let mut wire = Wire::new(stream);
    if reset_on_accept(&world) {
        world.count(Fault::ResetOnAccept);
        world.disturb();
        return wire.reset();
    }
    let after = tokio::select! {
        biased;
        _ = alive.changed() => After::Reset,
        after = requests(&mut wire, &world) => after,
    };
    match after {
        After::Reset => wire.reset(),
        After::Keep | After::Close => {}
    }
}

fn reset_on_accept(world: &World) -> bool {
    let mut state = world.state();
    let left = state.reset_next.checked_sub(1);
    state.reset_next = left.unwrap_or_default();
    left.is_some()
}

async fn requests(wire: &mut Wire, world: &Arc<World>) -> After {
    loop {
        let head = tokio::select! {
            head = wire.head() => head,
            () = world.close_idle.notified() => None,
        };
        let Some(head) = head else { return After::Close };
        match conduct(wire, &head, world).await {
            Ok(After::Keep) => {}
            Ok(after) => return after,
            // The bridge left: that is its right.
            Err(_) => return After::Close,
        }
    }
}

fn bind_somewhere() -> (TcpListener, SocketAddr) {
    let mut dice = fastrand::Rng::new();
    loop {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, dice.u16(PORTS)));
        if let Ok(listener) = bind(address) {
            return (listener, address);
        }
    }
}

async fn bind_again(address: SocketAddr) -> TcpListener {
    let since = Instant::now();
    loop {
        match bind(address) {
            Ok(listener) => return listener,
            Err(error) => assert!(since.elapsed() < REBIND, "{address} is taken: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1_024)
}
