//! Which address is bound, and what is said where that can't be.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;
use url::{Host, Url};

use super::super::settings::RedirectAddress;
use crate::os;

/// Where ports are taken from: below those that systems give to connections (Linux from 32768, others from
/// 49152), above those that services have by custom, and none that browsers refuse.
const PORTS: std::ops::Range<u16> = 16_384..30_000;
/// Ports that are tried for one server.
const CANDIDATES: usize = 8;

/// Why the redirect listener can't be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The port that has to be this one is taken.
    #[error("port {port} is taken{}", holder.as_ref().map(|by| format!(" by {by}")).unwrap_or_default())]
    Taken {
        /// The port.
        port: u16,
        /// Who holds it, where that can be found out.
        holder: Option<String>,
    },
    /// Each of the server's ports is taken.
    #[error("the ports {} are all taken", ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", "))]
    AllTaken {
        /// Those that were tried.
        ports: Vec<u16>,
    },
    /// The redirect URI does not lead to this machine: only pasting back can finish such a sign-in.
    #[error("{0} does not lead to this machine")]
    Elsewhere(String),
    /// The system refuses.
    #[error("port {port} can't be used: {source}")]
    Unusable {
        /// The port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
}

impl BindError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Taken { .. } => {
                "end the program that holds it, or give another port that the authorization server knows"
            }
            Self::AllTaken { .. } => "give a free port behind the server's address",
            Self::Elsewhere(_) => {
                "sign in with `bridge login --no-browser` and paste the address back"
            }
            Self::Unusable { .. } => {
                "give a port above 1023, or sign in with `bridge login --no-browser`"
            }
        }
    }
}

/// What was bound.
pub(super) struct Bound {
    pub(super) sockets: Vec<TcpListener>,
    /// The redirect URI.
    pub(super) redirect: String,
    pub(super) path: String,
    pub(super) hosts: Vec<String>,
    /// The address at which our own pages are reached.
    pub(super) address: SocketAddr,
}

/// The parts of a redirect URI.
struct Target {
    host: String,
    port: Option<u16>,
    path: String,
    /// The user's own, which is sent as it was written.
    uri: Option<String>,
}

pub(super) fn bind(address: &RedirectAddress, seed: &str) -> Result<Bound, BindError> {
    let target = target(address)?;
    let ports = match target.port {
        Some(port) => vec![port],
        None => candidates(seed),
    };
    for port in &ports {
        match sockets(&target.host, *port) {
            Ok(sockets) => return bound(target, sockets),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(source) => return Err(BindError::Unusable { port: *port, source }),
        }
    }
    Err(match target.port {
        Some(port) => BindError::Taken { port, holder: os::holder_of_port(port) },
        None => BindError::AllTaken { ports },
    })
}

/// The redirect URI that is bound where nobody else is at its port.
pub(in crate::auth) fn usual_redirect(address: &RedirectAddress, seed: &str) -> String {
    let RedirectAddress { uri, port, path, .. } = address;
    let host = address.host();
    let port = || port.or_else(|| candidates(seed).first().copied()).unwrap_or_default();
    uri.clone().unwrap_or_else(|| format!("http://{host}:{}{path}", port()))
}

fn target(address: &RedirectAddress) -> Result<Target, BindError> {
    let Some(uri) = &address.uri else {
        return Ok(Target {
            host: address.host().to_owned(),
            port: address.port,
            path: address.path.clone(),
            uri: None,
        });
    };
    let elsewhere = || BindError::Elsewhere(uri.clone());
    let url = Url::parse(uri).map_err(|_| elsewhere())?;
    let here = url.scheme() == "http" && is_loopback(&url);
    let host = url.host_str().filter(|_| here).ok_or_else(elsewhere)?;
    Ok(Target {
        host: host.to_owned(),
        port: url.port_or_known_default(),
        path: url.path().to_owned(),
        uri: Some(uri.clone()),
    })
}

fn is_loopback(uri: &Url) -> bool {
    match uri.host() {
        Some(Host::Domain(name)) => name == "localhost",
        // Other addresses of 127.0.0.0/8 are not bound.
        Some(Host::Ipv4(ip)) => ip == Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(ip)) => ip == Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// The ports of a server: always the same ones, so that another process finds a sign-in's port again and the
/// redirect URI that was registered stays right.
pub(super) fn candidates(seed: &str) -> Vec<u16> {
    let digest = ring::digest::digest(&ring::digest::SHA256, seed.as_bytes());
    let numbers = digest.as_ref().chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
    let ports = numbers.map(|number| PORTS.start + number % (PORTS.end - PORTS.start));
    let mut candidates = Vec::with_capacity(CANDIDATES);
    for port in ports {
        if !candidates.contains(&port) && candidates.len() < CANDIDATES {
            candidates.push(port);
        }
    }
    candidates
}

/// Binds a port on both loopback addresses. A port that somebody else has on one of them is taken: the
/// browser might go there.
fn sockets(host: &str, port: u16) -> io::Result<Vec<TcpListener>> {
    let v4 = listen(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
    let port = match &v4 {
        Ok(socket) => socket.local_addr()?.port(),
        Err(_) => port,
    };
    let v6 = listen(SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port));
    let (needed, other) = if host == "[::1]" { (v6, v4) } else { (v4, v6) };
    match (needed, other) {
        (Ok(needed), Ok(other)) => Ok(vec![needed, other]),
        (_, Err(error)) | (Err(error), _) if error.kind() == io::ErrorKind::AddrInUse => Err(error),
        // The system has only one of them.
        (Ok(needed), Err(_)) => Ok(vec![needed]),
        // `localhost` may be either.
        (Err(_), Ok(other)) if host == "localhost" => Ok(vec![other]),
        (Err(error), _) => Err(error),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = std::net::TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

fn bound(target: Target, sockets: Vec<TcpListener>) -> Result<Bound, BindError> {
    let address = sockets[0].local_addr();
    let address = address.map_err(|source| BindError::Unusable { port: 0, source })?;
    let (host, port, path) = (target.host, address.port(), target.path);
    let shown = match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    let names = ["127.0.0.1", "[::1]", "localhost", &host, &shown];
    let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
    if port == 80 {
        hosts.extend(names.iter().map(|&name| name.to_owned()));
    }
    let redirect = target.uri.unwrap_or_else(|| format!("http://{host}:{port}{path}"));
    Ok(Bound { sockets, redirect, path, hosts, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_the_same_few_ports_every_time() {
        let ports = candidates("https://mcp.example.com/mcp");
        assert_eq!(
            ports,
            [20531, 19751, 17509, 25812, 18552, 25015, 27108, 21264],
            "a change breaks registered redirect URIs"
        );
        assert_ne!(ports, candidates("https://mcp.example.com/other"));
        for seed in 0..1000 {
            let ports = candidates(&seed.to_string());
            assert_eq!(ports.len(), CANDIDATES);
            assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
        }
    }

    #[test]
    fn an_address_that_leads_elsewhere_is_not_bound() {
        for uri in [
            "https://127.0.0.1:1234/cb",
            "http://mcp.example.com/cb",
            "http://127.0.0.1.example.com/cb",
            "http://127.9.9.9:1234/cb",
            "http://0.0.0.0:1234/cb",
            "http://localhost.:1234/cb",
            "cursor://callback",
            "no address",
        ] {
            let address = RedirectAddress { uri: Some(uri.into()), ..RedirectAddress::default() };
            assert!(matches!(target(&address), Err(BindError::Elsewhere(_))), "{uri}");
        }
    }
}
