//! A way to a server on which its last words are lost, as in tunnels that fall with the connection behind
//! them: what the server says once the client has spoken twice never arrives.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::spawn;

use super::DEADLINE;

/// The address from which connections lead to `server`.
pub fn before(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a bound address");
    // The thread ends with the process.
    spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            spawn(move || lose(client, TcpStream::connect(server).expect("the server")));
        }
    });
    address
}

fn lose(mut client: TcpStream, mut server: TcpStream) {
    for socket in [&client, &server] {
        socket.set_read_timeout(Some(DEADLINE)).expect("a read deadline");
    }
    carry(&mut client, &mut server);
    let mut back = (server.try_clone(), client.try_clone());
    spawn(move || {
        if let (Ok(from), Ok(to)) = (&mut back.0, &mut back.1) {
            while carry(from, to) {}
        }
    });
    // Nothing is read of the client before it has spoken again, so that this bounds what arrives there.
    let mut bytes = [0; 16 * 1024];
    let Ok(read @ 1..) = client.read(&mut bytes) else { return };
    let Ok(deaf) = client.try_clone() else { return };
    let _ = deaf.shutdown(std::net::Shutdown::Write);
    let _ = server.write_all(&bytes[..read]);
    while carry(&mut client, &mut server) {}
}

/// What one side says next, to the other; `false` at its end.
fn carry(from: &mut TcpStream, to: &mut TcpStream) -> bool {
    let mut bytes = [0; 16 * 1024];
    matches!(from.read(&mut bytes), Ok(read @ 1..) if to.write_all(&bytes[..read]).is_ok())
}
