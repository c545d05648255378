//! Options of the network: what lies between here and the server.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{duration, file, switch};
use crate::secret::Secret;

/// Options of the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Allow http:// to another machine
    ///
    /// Nothing is encrypted then: whoever is on the way can read and change every message. A server on this
    /// machine needs no such permission.
    #[arg(long, env = "BRIDGE_ALLOW_HTTP", value_parser = switch)]
    pub allow_http: bool,
    /// Trust the certificates in this PEM file too
    ///
    /// They are trusted in addition to the system's own. The option may be repeated.
    #[arg(long, value_name = "FILE", env = "BRIDGE_CA_CERT", value_parser = file())]
    pub ca_cert: Vec<PathBuf>,
    /// Your certificate, if the server wants one
    ///
    /// A PEM file, which may hold the key too.
    #[arg(long, value_name = "FILE", env = "BRIDGE_CLIENT_CERT", value_parser = file())]
    pub client_cert: Option<PathBuf>,
    /// Key of `--client-cert` (PEM, not encrypted)
    #[arg(long, value_name = "FILE", env = "BRIDGE_CLIENT_KEY", value_parser = file(), requires = "client_cert", hide_short_help = true)]
    pub client_key: Option<PathBuf>,
    /// Use this proxy, as in `http://HOST:PORT`
    ///
    /// `http://`, `https://`, `socks5://` or `socks5h://`, with `USER:PASSWORD@` before the host if the proxy
    /// wants a login; or `none`. Without the option, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count,
    /// else the system's settings.
    #[arg(long, value_name = "URL|none", env = "BRIDGE_PROXY", hide_env_values = true, value_parser = secret)]
    pub proxy: Option<Secret<String>>,
    /// Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://
    #[arg(long, hide_short_help = true)]
    pub enable_proxy: bool,
    /// Connect by IPv4 only
    #[arg(long, env = "BRIDGE_IPV4", hide_short_help = true, value_parser = switch)]
    pub ipv4: bool,
    /// Connect by IPv6 only
    #[arg(long, env = "BRIDGE_IPV6", hide_short_help = true, value_parser = switch)]
    pub ipv6: bool,
    /// How long making a connection may take (seconds, or with a unit; 0: no limit)
    #[arg(long, value_name = "TIME", env = "BRIDGE_CONNECT_TIMEOUT", hide_short_help = true, default_value = "20s", value_parser = duration)]
    pub connect_timeout: Duration,
    /// How long to wait for an answer to begin; without it, no limit
    #[arg(long, value_name = "TIME", env = "BRIDGE_HEADERS_TIMEOUT", hide_short_help = true, value_parser = duration)]
    pub headers_timeout: Option<Duration>,
    /// How long an answer or stream may pause; without it, no limit
    #[arg(long, value_name = "TIME", env = "BRIDGE_BODY_TIMEOUT", hide_short_help = true, value_parser = duration)]
    pub body_timeout: Option<Duration>,
    /// Send a `ping` every 30 seconds, so that servers and proxies keep the session
    #[arg(long, env = "BRIDGE_KEEP_ALIVE", hide_short_help = true, value_parser = switch)]
    pub keep_alive: bool,
    /// The time between two pings; turns `--keep-alive` on
    #[arg(long, value_name = "TIME", env = "BRIDGE_PING_INTERVAL", hide_short_help = true, value_parser = pause)]
    pub ping_interval: Option<Duration>,
}

/// It may hold a password, so that nothing is said of it here.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a parser")]
fn secret(text: &str) -> Result<Secret<String>, Infallible> {
    Ok(Secret::new(text.to_owned()))
}

/// A time that is not zero.
fn pause(text: &str) -> Result<Duration, String> {
    let pause = duration(text)?;
    if pause.is_zero() { Err("it has to be longer than zero".into()) } else { Ok(pause) }
}
