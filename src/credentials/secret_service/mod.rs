//! The Secret Service of the user's session (GNOME Keyring, KWallet, KeePassXC), spoken to over D-Bus by
//! blocking calls, as much of both as one item needs ([ADR 16]).
//!
//! ```text
//! service ─▶ bus ─▶ wire        an item, calls and answers, bytes
//!              └──▶ address     where the bus is
//! ```
//!
//! The session is of the kind "plain": the secret crosses the bus as it is. Nobody but the user is let onto
//! that bus, and whoever is on it can ask the service for the secret itself.
//!
//! [ADR 16]: ../../../docs/adr/0016-secret-service-in-our-own-words.md

mod address;
mod bus;
mod service;
mod wire;

pub(super) use service::open;

#[cfg(test)]
mod tests;
