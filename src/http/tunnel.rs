//! Through a proxy to a server: CONNECT (RFC 9110 §9.3.6) and SOCKS 5 (RFC 1928, 1929).

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fault::{Fault, FaultKind, ProxyReason, Sent};
use super::proxy::Proxy;
use super::stream::Stream;
use super::{AGENT, Origin};

use crate::task;

fn refused(reason: ProxyReason, cause: impl Into<String>) -> Fault {
    Fault::words(FaultKind::Proxy(reason), Sent::No, cause)
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Fault {
    Fault::new(FaultKind::Proxy(ProxyReason::NotAProxy), Sent::No, error)
}

/// Asks an HTTP proxy for a tunnel.
pub(super) async fn connect(
    stream: Stream,
    proxy: &Proxy,
    origin: &Origin,
) -> Result<Stream, Fault> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let connection = connection.with_upgrades();
    task::spawn(async move { drop(connection.await) });
    let request = request(proxy, origin)?;
    let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
    if !response.status().is_success() {
        return Err(refusal(&response, proxy));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| broken(&error))?;
    match upgraded.downcast::<TokioIo<Stream>>() {
        // Nobody but a client speaks first, in TLS as in HTTP.
        Ok(parts) if parts.read_buf.is_empty() => Ok(parts.io.into_inner()),
        _ => Err(refused(ProxyReason::NotAProxy, "it spoke before the server could")),
    }
}

fn request(proxy: &Proxy, origin: &Origin) -> Result<Request<Full<Bytes>>, Fault> {
    let target = format!("{}:{}", origin.host, origin.port);
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(target.parse::<Uri>().map_err(|error| broken(&error))?)
        .header(HOST, target)
        .header(USER_AGENT, AGENT);
    if let Some(value) = proxy.authorization() {
        request = request.header(PROXY_AUTHORIZATION, value);
    }
    request.body(Full::default()).map_err(|error| broken(&error))
}

fn refusal<B>(response: &Response<B>, proxy: &Proxy) -> Fault {
    let status = response.status();
    match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => login_needed(response.headers(), proxy),
        StatusCode::UNAUTHORIZED if proxy.has_login() => login_refused(),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            refused(ProxyReason::TargetUnreachable, format!("HTTP {status}"))
        }
        _ => refused(ProxyReason::Denied, format!("HTTP {status}")),
    }
}

/// What a 407 comes to.
pub(super) fn login_needed(headers: &HeaderMap, proxy: &Proxy) -> Fault {
    let schemes: Vec<_> = headers
        .get_all(PROXY_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split([' ', ',']).next())
        .collect();
    let basic = schemes.is_empty() || schemes.iter().any(|each| each.eq_ignore_ascii_case("basic"));
    let reason = match (basic, proxy.has_login()) {
        (false, _) => ProxyReason::LoginUnknown,
        (true, true) => ProxyReason::LoginRefused,
        (true, false) => ProxyReason::LoginWanted,
    };
    let offered = if schemes.is_empty() {
        String::new()
    } else {
        format!("; it takes {}", schemes.join(", "))
    };
    refused(reason, format!("HTTP {}{offered}", StatusCode::PROXY_AUTHENTICATION_REQUIRED))
}

/// What a 401 of a proxy comes to, as some say to a login that is wrong.
pub(super) fn login_refused() -> Fault {
    refused(ProxyReason::LoginRefused, format!("HTTP {}", StatusCode::UNAUTHORIZED))
}

/// Where a SOCKS proxy is to connect.
pub(super) enum Target<'a> {
    Name(&'a str),
    Address(IpAddr),
}

/// Asks a SOCKS 5 proxy for a connection.
pub(super) async fn socks5(
    stream: &mut Stream,
    proxy: &Proxy,
    target: Target<'_>,
    port: u16,
) -> Result<(), Fault> {
    greet(stream, proxy).await?;
    let mut ask = vec![5, 1, 0];
    match target {
        Target::Address(IpAddr::V4(address)) => {
            ask.push(1);
            ask.extend(address.octets());
        }
        Target::Address(IpAddr::V6(address)) => {
            ask.push(4);
            ask.extend(address.octets());
        }
        Target::Name(name) => {
            ask.push(3);
            push_short(&mut ask, name)?;
        }
    }
    ask.extend(port.to_be_bytes());
    say(stream, &ask).await?;
    let [version, reply, _, kind] = hear(stream).await?;
    if version != 5 {
        return Err(no_socks());
    }
    if reply != 0 {
        return Err(socks_refusal(reply));
    }
    skip_address(stream, kind).await
}

async fn greet(stream: &mut Stream, proxy: &Proxy) -> Result<(), Fault> {
    const NO_LOGIN: u8 = 0;
    const PASSWORD: u8 = 2;
    const NONE_OF_THEM: u8 = 0xff;
    let methods: &[u8] =
        if proxy.has_login() { &[5, 2, NO_LOGIN, PASSWORD] } else { &[5, 1, NO_LOGIN] };
    say(stream, methods).await?;
    match (hear(stream).await?, proxy.user()) {
        ([5, NO_LOGIN], _) => Ok(()),
        ([5, PASSWORD], Some((user, password))) => log_in(stream, user, password).await,
        ([5, NONE_OF_THEM], None) => {
            Err(refused(ProxyReason::LoginWanted, "it takes nobody without a user name"))
        }
        ([5, NONE_OF_THEM], Some(_)) => {
            Err(refused(ProxyReason::LoginUnknown, "it takes no user name with a password"))
        }
        _ => Err(no_socks()),
    }
}

/// RFC 1929.
async fn log_in(stream: &mut Stream, user: &str, password: &str) -> Result<(), Fault> {
    let mut ask = vec![1];
    push_short(&mut ask, user)?;
    push_short(&mut ask, password)?;
    say(stream, &ask).await?;
    match hear(stream).await? {
        [_, 0] => Ok(()),
        _ => Err(refused(ProxyReason::LoginRefused, "it does not accept user name and password")),
    }
}

fn push_short(bytes: &mut Vec<u8>, text: &str) -> Result<(), Fault> {
    let length = u8::try_from(text.len())
        .map_err(|_| refused(ProxyReason::Denied, "SOCKS knows no names of more than 255 bytes"))?;
    bytes.push(length);
    bytes.extend(text.as_bytes());
    Ok(())
}

/// The address that the proxy connected from, of which nothing is needed.
async fn skip_address(stream: &mut Stream, kind: u8) -> Result<(), Fault> {
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(hear::<1>(stream).await?[0]),
        _ => return Err(no_socks()),
    };
    let mut rest = vec![0; length + 2];
    stream.read_exact(&mut rest).await.map_err(|error| broken(&error))?;
    Ok(())
}

fn socks_refusal(reply: u8) -> Fault {
    let (reason, words) = match reply {
        2 => (ProxyReason::Denied, "not allowed by its rules"),
        3 => (ProxyReason::TargetUnreachable, "network unreachable"),
        4 => (ProxyReason::TargetUnreachable, "host unreachable"),
        5 => (ProxyReason::TargetUnreachable, "connection refused"),
        6 => (ProxyReason::TargetUnreachable, "it took too long"),
        1 => (ProxyReason::TargetUnreachable, "it failed"),
        _ => (ProxyReason::Denied, "it can't do that"),
    };
    refused(reason, format!("SOCKS reply {reply}: {words}"))
}

fn no_socks() -> Fault {
    refused(ProxyReason::NotAProxy, "it does not answer in SOCKS 5")
}

async fn say(stream: &mut Stream, bytes: &[u8]) -> Result<(), Fault> {
    stream.write_all(bytes).await.map_err(|error| broken(&error))
}

async fn hear<const N: usize>(stream: &mut Stream) -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(|error| broken(&error))?;
    Ok(bytes)
}
