//! Addresses where nobody answers.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use super::DEADLINE;

/// A port that refuses: bound, so that nobody else gets it, but nobody listens.
pub struct ClosedPort {
    held: Socket,
}

impl ClosedPort {
    pub fn reserve() -> Self {
        Self::hold((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Keeps a port from others after its listener was closed. A process that another thread has just begun may
    /// hold the listener for a moment longer.
    pub(super) fn hold(address: SocketAddr) -> Self {
        let until = Instant::now() + DEADLINE;
        loop {
            match try_bind(address) {
                Ok(held) => return Self { held },
                Err(why) => assert!(Instant::now() < until, "can't bind {address}: {why}"),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The same port on both loopback addresses, 127.0.0.1 first: on either, nobody else gets it.
    pub fn reserve_both() -> (Self, Self) {
        // Most ports of the one are free on the other; a hundred that are not is a defect.
        for _ in 0..100 {
            let v6 = Self::hold((Ipv6Addr::LOCALHOST, 0).into());
            if let Ok(held) = try_bind((Ipv4Addr::LOCALHOST, v6.address().port()).into()) {
                return (Self { held }, v6);
            }
        }
        panic!("no port is free on both loopback addresses");
    }

    pub fn address(&self) -> SocketAddr {
        address_of(&self.held)
    }

    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address())
    }

    /// Now somebody listens.
    pub fn listen(self) -> TcpListener {
        self.held.listen(1024).expect("listening on a port of our own");
        self.held.into()
    }
}

/// A port whose connections are neither refused nor made, as behind a firewall that drops packets.
pub struct BlackHole {
    held: Socket,
    _queue: TcpStream,
}

impl BlackHole {
    pub fn dig() -> Self {
        Self::dig_at(ClosedPort::reserve())
    }

    pub fn dig_at(port: ClosedPort) -> Self {
        let ClosedPort { held } = port;
        held.listen(0).expect("listening on a port of our own");
        // A queue of length 0 takes one connection; the next one finds it full.
        let queue = TcpStream::connect(address_of(&held)).expect("the queue's one place");
        Self { held, _queue: queue }
    }

    pub fn address(&self) -> SocketAddr {
        address_of(&self.held)
    }

    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address())
    }
}

fn try_bind(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn address_of(socket: &Socket) -> SocketAddr {
    let address = socket.local_addr().expect("a bound socket has an address");
    address.as_socket().expect("a socket of the internet")
}
