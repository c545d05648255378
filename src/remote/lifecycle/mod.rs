//! What differs by era of the protocol; nobody else asks which one it is.
//!
//! *Legacy* are the revisions with an `initialize` handshake, to 2025-11-25; *modern* is 2026-07-28, in which
//! each request says by itself who asks. What becomes of each message stands in `docs/eras.md`.

pub(super) mod changes;
pub(super) mod eras;
pub(super) mod legacy;
mod mirrored;
pub mod modern;
pub(super) mod modern_client;
pub(super) mod modern_exchange;
mod opening;
pub(super) mod param_headers;
pub(super) mod probe;
mod rounds;
pub(super) mod sessions;
#[cfg(test)]
mod stage;
pub(super) mod stateless;
mod subscription;
pub(super) mod translate;

pub use eras::{Facts, Legacy};
pub use stateless::Stateless;

use std::sync::Arc;

use super::Channel;
use crate::secret::Secret;

/// How the server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// As it turns out to speak.
    #[default]
    Auto,
    /// With a handshake.
    Legacy,
    /// Without one.
    Modern,
}

/// What a modern client is told that could fall back on `initialize`, where the server is a legacy one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientProtocol {
    /// To fall back.
    #[default]
    Auto,
    /// To go on.
    Modern,
}

/// What a handshake with the client led to.
#[derive(Debug, Clone)]
pub struct Session {
    /// Counts the handshakes of this process, so that news of an old session is told from news of the
    /// present one.
    pub generation: u64,
    /// The id that the server gave, if it did.
    pub id: Option<Secret<Box<str>>>,
    /// The protocol revision that the server chose, as the client was told.
    pub version: Box<str>,
    /// How its messages travel.
    pub carrier: Carrier,
}

impl Session {
    /// Whether the server keeps something of it that it can forget.
    fn can_be_lost(&self) -> bool {
        !matches!(self.carrier, Carrier::Stateless(_))
    }
}

/// How the messages of a session travel.
#[derive(Debug, Clone, Default)]
pub enum Carrier {
    /// A POST each, to one endpoint (MCP 2025-03-26 and later).
    #[default]
    Streamable,
    /// By the stream and endpoint of the HTTP+SSE transport (MCP 2024-11-05).
    Channel(Arc<Channel>),
    /// Translated for a server that knows no sessions (MCP 2026-07-28).
    Stateless(Arc<Stateless>),
}
