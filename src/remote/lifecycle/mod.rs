//! What differs by era of the protocol. Only the legacy one so far: an `initialize` handshake and,
//! where the server wants one, a session.

pub(super) mod legacy;

pub use legacy::Session;
