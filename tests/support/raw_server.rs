//! A TCP server that says exactly what the test says, HTTP or not.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use socket2::SockRef;

use super::{DEADLINE, Timeline};

/// Accepts; the test takes the connections one by one.
pub struct RawServer {
    address: SocketAddr,
    accepted: Receiver<TcpStream>,
    timeline: Timeline,
}

impl RawServer {
    pub fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound address");
        let (sender, accepted) = channel();
        // The thread outlives the test by one connection at most: it ends with the process.
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if sender.send(socket).is_err() {
                    return;
                }
            }
        });
        Self { address, accepted, timeline: Timeline::of_this_test() }
    }

    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The next connection.
    #[track_caller]
    pub fn accept(&self) -> RawConnection {
        self.accept_within(DEADLINE).expect("a connection in time")
    }

    /// The next connection, if one comes in this time.
    pub fn accept_within(&self, time: Duration) -> Option<RawConnection> {
        let socket = self.accepted.recv_timeout(time).ok()?;
        socket.set_read_timeout(Some(DEADLINE)).expect("a read deadline");
        self.timeline.log("server", "accepted a connection");
        Some(RawConnection { socket, timeline: self.timeline.clone() })
    }

    /// Answers every request with these bytes and closes. The test goes on beside it.
    pub fn always(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Vec<u8> = answer.into();
        Self::answering(move |_| answer.clone())
    }

    /// Answers every request with the bytes that are made from it and closes.
    pub fn answering(make: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let server = Self::listen();
        // Nobody gets connections from this one: they are all answered here.
        let (_, accepted) = channel();
        let this = Self { address: server.address, accepted, timeline: server.timeline.clone() };
        std::thread::spawn(move || {
            while let Ok(socket) = server.accepted.recv() {
                let mut connection = RawConnection { socket, timeline: server.timeline.clone() };
                let _ = connection.socket.set_read_timeout(Some(DEADLINE));
                if let Ok(request) = connection.try_read_request() {
                    connection.write(make(&request));
                }
            }
        });
        this
    }
}

/// A JSON answer with all that belongs to it.
pub fn json_answer(json: &str) -> String {
    let length = json.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}"
    )
}

pub struct RawConnection {
    socket: TcpStream,
    timeline: Timeline,
}

impl RawConnection {
    /// One HTTP request with a `content-length`, as it came.
    #[track_caller]
    pub fn read_request(&mut self) -> String {
        self.try_read_request().expect("a whole request")
    }

    fn try_read_request(&mut self) -> std::io::Result<String> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.read_some(&mut bytes)?;
        };
        let wanted = head + content_length(&String::from_utf8_lossy(&bytes[..head]));
        while bytes.len() < wanted {
            self.read_some(&mut bytes)?;
        }
        let request = String::from_utf8_lossy(&bytes).into_owned();
        self.timeline.log("server", format!("read {request:?}"));
        Ok(request)
    }

    fn read_some(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        let count = self.socket.read(&mut buffer)?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    /// Writes; that the client may have left is its own business.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.timeline
            .log("server", format!("writes {:?}", String::from_utf8_lossy(bytes.as_ref())));
        let _ = self.socket.write_all(bytes.as_ref());
    }

    /// A JSON answer with all that belongs to it.
    pub fn write_json(&mut self, json: &str) {
        self.write(json_answer(json));
    }

    /// Waits until the client closes; false if it does not.
    pub fn wait_until_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.socket.read_to_end(&mut rest).is_ok()
    }

    pub fn close(self) {}

    pub fn reset(self) {
        let _ = SockRef::from(&self.socket).set_linger(Some(Duration::ZERO));
    }
}

fn content_length(head: &str) -> usize {
    let value = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    value.unwrap_or(0)
}
