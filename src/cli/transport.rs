//! Options of the transport.

use clap::{Args, ValueEnum};

/// Options of the transport.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct TransportArgs {
    /// Which transports to try, in which order
    #[arg(
        long,
        value_name = "STRATEGY",
        value_enum,
        default_value = "http-first",
        env = "BRIDGE_TRANSPORT"
    )]
    pub transport: Transport,
    /// How to speak to the server: as it turns out, or with or without a handshake
    #[arg(
        long,
        hide_short_help = true,
        value_name = "ERA",
        value_enum,
        default_value = "auto",
        env = "BRIDGE_PROTOCOL"
    )]
    pub protocol: Protocol,
    /// What a client of the modern protocol is told that could fall back on the legacy one
    #[arg(
        long,
        hide_short_help = true,
        value_name = "ERA",
        value_enum,
        default_value = "auto",
        env = "BRIDGE_CLIENT_PROTOCOL"
    )]
    pub client_protocol: ClientProtocol,
}

/// Eras of the protocol, as far as the server is concerned.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Protocol {
    /// As the server turns out to speak
    Auto,
    /// With a handshake (to 2025-11-25)
    Legacy,
    /// Without one (2026-07-28)
    Modern,
}

/// Eras of the protocol, as far as the client is concerned.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ClientProtocol {
    /// To fall back if the server is a legacy one
    Auto,
    /// To go on: what the server does not speak is translated
    Modern,
}

/// Streamable HTTP and the older HTTP+SSE.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Transport {
    /// Streamable HTTP, then HTTP+SSE
    HttpFirst,
    /// HTTP+SSE, then Streamable HTTP
    SseFirst,
    /// Streamable HTTP only
    HttpOnly,
    /// HTTP+SSE only
    SseOnly,
}
