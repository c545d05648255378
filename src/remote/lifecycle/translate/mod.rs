//! What becomes of each message between a client of one era and a server of the other: functions over
//! messages, a group for each row of `docs/eras.md`.

pub(in crate::remote) mod for_legacy_client;
pub(in crate::remote::lifecycle) mod for_modern_client;

#[cfg(test)]
mod there_and_back;
