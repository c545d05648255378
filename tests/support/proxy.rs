//! A proxy on loopback: HTTP (CONNECT and absolute form), HTTPS or SOCKS 5. Every name leads to one
//! server, so that tests can use names that nobody knows; who asked for what is recorded.

use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::certificates::{Certificate, ClientCertificate, PrivateAuthority, Protocols, Tls};
use super::watched::Watched;
use super::{McpServer, Timeline};

/// As they stand in a proxy's URL.
pub const LOGIN: &str = "me:canary-p%40ss";
const USER: &str = "me";
const PASSWORD: &str = "canary-p@ss";
/// `USER:PASSWORD` in base64.
const BASIC: &str = "Basic bWU6Y2FuYXJ5LXBAc3M=";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http,
    Socks,
}

#[derive(Clone)]
struct Settings {
    protocol: Protocol,
    target: SocketAddr,
    login: bool,
    /// Status line and headers in place of what was asked for; for SOCKS the reply's number.
    refusal: Option<&'static str>,
}

/// A proxy that is not running yet.
pub struct Builder {
    settings: Settings,
    tls: bool,
}

impl Builder {
    /// Only for those who give `LOGIN`.
    #[must_use]
    pub fn with_login(mut self) -> Self {
        self.settings.login = true;
        self
    }

    /// Answers everybody with this status line (and headers); SOCKS with this number.
    #[must_use]
    pub fn refusing(mut self, with: &'static str) -> Self {
        self.settings.refusal = Some(with);
        self
    }

    /// The way to the proxy itself is encrypted, by a private authority.
    #[must_use]
    pub fn over_tls(mut self) -> Self {
        self.tls = true;
        self
    }

    pub fn run(self) -> Proxy {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a non-blocking listener");
        let address = listener.local_addr().expect("a bound address");
        let authority = self.tls.then(PrivateAuthority::found);
        let acceptor = authority.as_ref().map(|authority| {
            let shown = Certificate::Good;
            let client = ClientCertificate::NotAsked;
            let tls = Tls { shown, offered: Protocols::Http1, client };
            TlsAcceptor::from(authority.server_config(tls, address.ip()))
        });
        let seen = Arc::<Watched<Vec<String>>>::default();
        let log = Log { seen: Arc::clone(&seen), timeline: Timeline::of_this_test() };
        let protocol = self.settings.protocol;
        // The thread ends with the process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(accept(listener, acceptor, self.settings, log));
        });
        Proxy { address, seen, authority, protocol }
    }
}

/// A running proxy.
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Watched<Vec<String>>>,
    protocol: Protocol,
    authority: Option<PrivateAuthority>,
}

impl Proxy {
    pub fn http(server: &McpServer) -> Builder {
        Self::to(Protocol::Http, server)
    }

    pub fn socks5(server: &McpServer) -> Builder {
        Self::to(Protocol::Socks, server)
    }

    fn to(protocol: Protocol, server: &McpServer) -> Builder {
        let target = server.address();
        Builder { settings: Settings { protocol, target, login: false, refusal: None }, tls: false }
    }

    /// Address and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn speaks_http(&self) -> bool {
        self.protocol == Protocol::Http
    }

    /// The certificate of its private authority.
    pub fn ca_file(&self) -> PathBuf {
        self.authority.as_ref().expect("a proxy with TLS").pem_file()
    }

    /// What was asked for so far, in order: `CONNECT host:port`, `POST http://…`, `SOCKS host:port`, and
    /// who asked, where they said so.
    pub fn seen(&self) -> Vec<String> {
        self.seen.read().clone()
    }
}

#[derive(Clone)]
struct Log {
    seen: Arc<Watched<Vec<String>>>,
    timeline: Timeline,
}

impl Log {
    fn note(&self, what: String) {
        self.timeline.log("proxy", &*what);
        self.seen.update(|seen| seen.push(what));
    }
}

async fn accept(
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    settings: Settings,
    log: Log,
) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((socket, _)) = listener.accept().await {
        let (tls, settings, log) = (tls.clone(), settings.clone(), log.clone());
        tokio::spawn(async move {
            let done = match tls {
                None => serve(socket, &settings, &log).await,
                Some(tls) => match tls.accept(socket).await {
                    Ok(stream) => serve(stream, &settings, &log).await,
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = done {
                log.timeline.log("proxy", format!("a connection broke: {error}"));
            }
        });
    }
}

async fn serve(
    client: impl AsyncRead + AsyncWrite + Unpin,
    settings: &Settings,
    log: &Log,
) -> Result<()> {
    match settings.protocol {
        Protocol::Http => http(client, settings, log).await,
        Protocol::Socks => socks(client, settings, log).await,
    }
}

/// One request or tunnel for each connection.
async fn http(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    settings: &Settings,
    log: &Log,
) -> Result<()> {
    let (head, rest) = read_head(&mut client).await?;
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let (mut kept, mut authorization) = (Vec::new(), None);
    for line in lines {
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("proxy-authorization") => {
                authorization = Some(value.to_owned());
            }
            _ => kept.push(line),
        }
    }
    let asked = first.trim_end_matches(" HTTP/1.1");
    let by = authorization.as_deref().map(|value| format!(" by {value}")).unwrap_or_default();
    log.note(format!("{asked}{by}"));
    let needed = "407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"p\"";
    let login = settings.login && authorization.as_deref() != Some(BASIC);
    if let Some(refusal) = settings.refusal.or(login.then_some(needed)) {
        let answer =
            format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return client.write_all(answer.as_bytes()).await;
    }
    let mut server = TcpStream::connect(settings.target).await?;
    if first.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    } else {
        let (method, url) = asked.split_once(' ').ok_or(ErrorKind::InvalidData)?;
        let bare = url.strip_prefix("http://").ok_or_else(|| Error::other("no absolute form"))?;
        let path = bare.find('/').map_or("/", |at| &bare[at..]);
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{}\r\nconnection: close\r\n\r\n",
            kept.join("\r\n")
        );
        server.write_all(head.as_bytes()).await?;
    }
    server.write_all(&rest).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// The head without its empty line, and what came after it.
async fn read_head(client: &mut (impl AsyncRead + Unpin)) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            bytes.truncate(end);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn socks(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    settings: &Settings,
    log: &Log,
) -> Result<()> {
    let methods = [read::<2>(&mut client).await?[1]];
    let offered = read_many(&mut client, methods[0]).await?;
    let wanted = if settings.login { 2 } else { 0 };
    if !offered.contains(&wanted) {
        log.note("SOCKS without a login".to_owned());
        return client.write_all(&[5, 0xff]).await;
    }
    client.write_all(&[5, wanted]).await?;
    let mut by = String::new();
    if settings.login {
        let user = read::<2>(&mut client).await?[1];
        let user = String::from_utf8_lossy(&read_many(&mut client, user).await?).into_owned();
        let password = read::<1>(&mut client).await?[0];
        let password =
            String::from_utf8_lossy(&read_many(&mut client, password).await?).into_owned();
        let right = (user.as_str(), password.as_str()) == (USER, PASSWORD);
        client.write_all(&[1, u8::from(!right)]).await?;
        by = format!(" by {user}:{password}");
        if !right {
            log.note(format!("SOCKS login{by}"));
            return Ok(());
        }
    }
    let target = socks_target(&mut client).await?;
    log.note(format!("SOCKS {target}{by}"));
    let reply = settings.refusal.map_or(0, |number| number.parse().expect("a number"));
    client.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    if reply != 0 {
        return Ok(());
    }
    let mut server = TcpStream::connect(settings.target).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

async fn socks_target(client: &mut (impl AsyncRead + Unpin)) -> Result<String> {
    let [_, _, _, kind] = read::<4>(client).await?;
    let host = match kind {
        1 => std::net::Ipv4Addr::from(read::<4>(client).await?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from(read::<16>(client).await?)),
        3 => {
            let length = read::<1>(client).await?[0];
            String::from_utf8_lossy(&read_many(client, length).await?).into_owned()
        }
        _ => return Err(ErrorKind::InvalidData.into()),
    };
    Ok(format!("{host}:{}", u16::from_be_bytes(read::<2>(client).await?)))
}

async fn read<const N: usize>(client: &mut (impl AsyncRead + Unpin)) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn read_many(client: &mut (impl AsyncRead + Unpin), length: u8) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(length)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
