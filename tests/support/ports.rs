//! Addresses where nobody answers.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

/// A port that refuses: bound, so that nobody else gets it, but nobody listens.
pub struct ClosedPort {
    held: Socket,
}

impl ClosedPort {
    pub fn reserve() -> Self {
        Self::hold(0)
    }

    /// Keeps a port from others after its listener was closed.
    pub(super) fn hold(port: u16) -> Self {
        Self { held: bind(port) }
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
        let held = bind(0);
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

fn bind(port: u16) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("SO_REUSEADDR");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket.bind(&address.into()).unwrap_or_else(|why| panic!("can't bind {address}: {why}"));
    socket
}

fn address_of(socket: &Socket) -> SocketAddr {
    let address = socket.local_addr().expect("a bound socket has an address");
    address.as_socket().expect("an IPv4 socket")
}
