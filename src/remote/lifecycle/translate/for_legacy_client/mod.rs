//! A client that knows handshakes, before a server that knows none.

pub(in crate::remote) mod handshake;
pub(in crate::remote) mod input;
pub(in crate::remote) mod notification;
pub(in crate::remote) mod request;
pub(in crate::remote) mod response;
