//! Clients and servers of both eras of the protocol, in all four pairs (`docs/eras.md`).

mod detection;
mod legacy_client;
mod matrix;
mod memory;
mod modern_client;
mod modern_pair;
mod relay_side;
#[cfg(unix)]
mod relay_sign_in;
mod table;
