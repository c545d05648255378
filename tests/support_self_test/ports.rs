use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{BlackHole, ClosedPort};

#[test]
fn a_closed_port_refuses() {
    let port = ClosedPort::reserve();
    let failure = TcpStream::connect(port.address()).expect_err("nobody listens");
    assert_eq!(failure.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(port.url(), format!("http://{}/mcp", port.address()));
}

#[test]
fn a_black_hole_does_not_even_refuse() {
    let hole = BlackHole::dig();
    let failure = TcpStream::connect_timeout(&hole.address(), Duration::from_millis(300));
    assert_eq!(failure.expect_err("nobody answers").kind(), ErrorKind::TimedOut);
    assert!(hole.url().ends_with("/mcp"));
}
