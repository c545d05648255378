//! Options of the network: what lies between here and the server.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::duration;
use crate::secret::Secret;

/// Options of the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Trust the certificates in this PEM file too, beside the system's; may be given again
    #[arg(long, value_name = "FILE", env = "BRIDGE_CA_CERT")]
    pub ca_cert: Vec<PathBuf>,
    /// Certificate to show to a server that asks for one (PEM; may hold the key too)
    #[arg(long, value_name = "FILE", env = "BRIDGE_CLIENT_CERT")]
    pub client_cert: Option<PathBuf>,
    /// Key of `--client-cert` (PEM, not encrypted)
    #[arg(long, value_name = "FILE", env = "BRIDGE_CLIENT_KEY", requires = "client_cert")]
    pub client_key: Option<PathBuf>,
    /// Proxy (http, https, socks5 or socks5h, as in `http://USER:PASSWORD@HOST:PORT`), or `none`; without
    /// it, what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say, else the system's settings
    #[arg(long, value_name = "URL|none", env = "BRIDGE_PROXY", hide_env_values = true, value_parser = secret)]
    pub proxy: Option<Secret<String>>,
    /// Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://
    #[arg(long)]
    pub enable_proxy: bool,
    /// Connect by IPv4 only
    #[arg(long, env = "BRIDGE_IPV4", conflicts_with = "ipv6", value_parser = clap::builder::FalseyValueParser::new())]
    pub ipv4: bool,
    /// Connect by IPv6 only
    #[arg(long, env = "BRIDGE_IPV6", value_parser = clap::builder::FalseyValueParser::new())]
    pub ipv6: bool,
    /// How long making a connection may take, all in all (seconds, or with a unit; 0: no limit)
    #[arg(long, value_name = "TIME", env = "BRIDGE_CONNECT_TIMEOUT", default_value = "20s", value_parser = duration)]
    pub connect_timeout: Duration,
    /// How long the beginning of an answer is waited for; without it, no limit
    #[arg(long, value_name = "TIME", env = "BRIDGE_HEADERS_TIMEOUT", value_parser = duration)]
    pub headers_timeout: Option<Duration>,
    /// How long an answer or stream may pause; without it, no limit
    #[arg(long, value_name = "TIME", env = "BRIDGE_BODY_TIMEOUT", value_parser = duration)]
    pub body_timeout: Option<Duration>,
    /// Send a `ping` every 30 seconds, so that nobody takes the session for forgotten
    #[arg(long, env = "BRIDGE_KEEP_ALIVE", value_parser = clap::builder::FalseyValueParser::new())]
    pub keep_alive: bool,
    /// The time between two of them; turns `--keep-alive` on
    #[arg(long, value_name = "TIME", env = "BRIDGE_PING_INTERVAL", value_parser = pause)]
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
    if pause.is_zero() { Err("longer than nothing, please".into()) } else { Ok(pause) }
}
