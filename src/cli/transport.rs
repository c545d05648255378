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
