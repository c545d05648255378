//! A connection to a message bus: found, authenticated, with one call after the other.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};

use super::address::places;
use super::wire::{HEAD, Kind, Malformed, Message, Method, Writer};
use crate::printable::printable;

/// The bus itself, among those that are on it.
pub(super) const BUS: &str = "org.freedesktop.DBus";
/// Where it is.
pub(super) const BUS_PATH: &str = "/org/freedesktop/DBus";
const HELLO: Method = Method { interface: BUS, member: "Hello", takes: "", returns: "s" };
/// Longest line of the authentication that is read, in bytes.
const MAX_LINE: usize = 1024;
/// Most that is shown of what an error says, in characters.
const MAX_SHOWN: usize = 200;

/// Why a call has no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BusError {
    /// There is no bus where it should be.
    #[error("the session's bus can't be reached: {0}")]
    Unreachable(String),
    /// It does not let this user in.
    #[error("the session's bus refuses this user: {0}")]
    Unauthenticated(String),
    /// Nothing came in time.
    #[error("no answer within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// The connection ended.
    #[error("the session's bus hung up")]
    Closed,
    /// What came can't be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// What was asked refuses to do it.
    #[error("{message} ({})", .name.rsplit('.').next().unwrap_or_default())]
    Refused {
        /// What kind of error it is.
        name: String,
        /// What it says.
        message: String,
    },
}

/// By when something has to be there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    until: Instant,
    within: Duration,
}

impl Deadline {
    pub(super) fn after(within: Duration) -> Self {
        Self { until: Instant::now() + within, within }
    }

    /// The time that is left, if any.
    fn left(self) -> Result<Duration, BusError> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(BusError::TimedOut(self.within)) } else { Ok(left) }
    }

    /// Whether it may go on after this.
    fn passes(self, error: &std::io::Error) -> Result<(), BusError> {
        match error.kind() {
            ErrorKind::Interrupted => Ok(()),
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(BusError::TimedOut(self.within)),
            _ => Err(BusError::Closed),
        }
    }
}

/// A connection.
pub(super) struct Bus {
    stream: UnixStream,
    /// The serial of the last call.
    serial: u32,
    /// What came and was not read yet.
    unread: Vec<u8>,
    patience: Duration,
}

impl Bus {
    /// Connects to the first place of an address where somebody listens. No answer is waited for longer than
    /// `patience`.
    pub(super) fn connect(address: &str, patience: Duration) -> Result<Self, BusError> {
        let mut why = "its address names no place".to_owned();
        for (written, place) in places(address) {
            let tried = place
                .map_err(str::to_owned)
                .and_then(|place| stream_to(&place, patience).map_err(|error| error.to_string()));
            match tried {
                Ok(stream) => return Self::over(stream, patience),
                Err(reason) => why = format!("{}: {reason}", printable(written, MAX_SHOWN)),
            }
        }
        Err(BusError::Unreachable(why))
    }

    /// Speaks to a bus at the other end.
    pub(super) fn over(stream: UnixStream, patience: Duration) -> Result<Self, BusError> {
        let mut bus = Self { stream, serial: 0, unread: Vec::new(), patience };
        bus.authenticate()?;
        bus.call(BUS, BUS_PATH, &HELLO, Writer::default())?;
        Ok(bus)
    }

    /// SASL's EXTERNAL: the system tells the bus whose socket this is.
    fn authenticate(&mut self) -> Result<(), BusError> {
        let deadline = Deadline::after(self.patience);
        let user = rustix::process::geteuid().as_raw().to_string();
        let user: String = user.bytes().map(|digit| format!("{digit:02x}")).collect();
        self.write(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes(), deadline)?;
        let line = self.line(deadline)?;
        if !line.starts_with("OK ") {
            return Err(BusError::Unauthenticated(printable(&line, MAX_SHOWN)));
        }
        self.write(b"BEGIN\r\n", deadline)
    }

    /// Asks and waits for the answer, whose types are as they should be.
    pub(super) fn call(
        &mut self,
        to: &str,
        path: &str,
        method: &Method,
        arguments: Writer,
    ) -> Result<Message, BusError> {
        let deadline = Deadline::after(self.patience);
        let serial = self.send(to, path, method, arguments)?;
        loop {
            let message = self.receive(deadline)?;
            if let Some(answer) = message.answer_to(serial) {
                let answer = answer?;
                if answer.types != method.returns {
                    return Err(Malformed("it has other types than it should have").into());
                }
                return Ok(answer);
            }
        }
    }

    /// Asks; the serial of what was asked.
    pub(super) fn send(
        &mut self,
        to: &str,
        path: &str,
        method: &Method,
        arguments: Writer,
    ) -> Result<u32, BusError> {
        self.serial += 1;
        let call = method.call(self.serial, to, path, arguments);
        self.write(&call, Deadline::after(self.patience))?;
        Ok(self.serial)
    }

    /// The next message, whatever it is.
    pub(super) fn receive(&mut self, deadline: Deadline) -> Result<Message, BusError> {
        self.fill(HEAD, deadline)?;
        let head = self.unread.first_chunk().ok_or(BusError::Closed)?;
        let length = Message::length(head)?;
        self.fill(length, deadline)?;
        let message = Message::parse(&self.unread[..length]);
        self.unread.drain(..length);
        Ok(message?)
    }

    fn line(&mut self, deadline: Deadline) -> Result<String, BusError> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.unread.len() > MAX_LINE {
                return Err(Malformed("its greeting has no end").into());
            }
            self.fill(self.unread.len() + 1, deadline)?;
        }
    }

    /// Reads until so much is there.
    fn fill(&mut self, wanted: usize, deadline: Deadline) -> Result<(), BusError> {
        let mut chunk = [0; 4096];
        while self.unread.len() < wanted {
            let set = self.stream.set_read_timeout(Some(deadline.left()?));
            match set.and_then(|()| self.stream.read(&mut chunk)) {
                Ok(0) => return Err(BusError::Closed),
                Ok(count) => self.unread.extend(&chunk[..count]),
                Err(error) => deadline.passes(&error)?,
            }
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), BusError> {
        while !bytes.is_empty() {
            let set = self.stream.set_write_timeout(Some(deadline.left()?));
            match set.and_then(|()| self.stream.write(bytes)) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) => deadline.passes(&error)?,
            }
        }
        Ok(())
    }
}

/// Connects, for a bounded time also where nobody takes the connection.
fn stream_to(place: &SocketAddrUnix, patience: Duration) -> std::io::Result<UnixStream> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(patience))?;
    rustix::net::connect(&socket, place)?;
    Ok(socket.into())
}

impl Message {
    /// What was answered to this call, if that is what it is.
    pub(super) fn answer_to(self, serial: u32) -> Option<Result<Self, BusError>> {
        match self.kind {
            Kind::Answer if self.answers == serial => Some(Ok(self)),
            Kind::Error if self.answers == serial => Some(Err(self.refusal())),
            _ => None,
        }
    }

    fn refusal(&self) -> BusError {
        let says = if self.types.starts_with('s') { self.values().text().ok() } else { None };
        BusError::Refused {
            name: printable(&self.error, MAX_SHOWN),
            message: printable(says.unwrap_or("it refuses"), MAX_SHOWN),
        }
    }
}
