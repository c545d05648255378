//! Each client with each server: every feature, in every pair of eras.
//!
//! A cell of the matrix is a feature in a pair; it has a bridge and a server of its own. What the
//! parties say is held against the schemas by the fixtures.

mod client;
mod features;
mod server;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use self::client::Client;
use self::server::Server;
use crate::support::BridgeProcess;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    Legacy,
    Modern,
}

/// What a cell is played with.
pub struct World {
    pub client: Client,
    pub server: Server,
}

impl World {
    fn of(client: Era, server: Era) -> Self {
        Self::with(Client::new(client, everything()), Server::run(server))
    }

    fn with(client: impl FnOnce(BridgeProcess) -> Client, server: Server) -> Self {
        let client = client(BridgeProcess::to(server.url()).spawn());
        Self { client, server }
    }
}

/// The capabilities of a client that can be asked anything.
fn everything() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}})
}

type Feature = fn(Era, Era);

const FEATURES: [(&str, Feature); 15] = [
    ("tools", features::tools),
    ("resources", features::resources),
    ("prompts", features::prompts),
    ("completion", features::completion),
    ("logging", features::logging),
    ("progress", features::progress),
    ("sampling", features::sampling),
    ("elicitation by form", features::elicitation_form),
    ("elicitation by URL", features::elicitation_url),
    ("roots", features::roots),
    ("subscriptions", features::subscriptions),
    ("list changes", features::list_changes),
    ("cancellation", features::cancellation),
    ("errors", features::errors),
    ("pagination", features::pagination),
];

/// Plays each feature and says which cells failed.
#[track_caller]
fn plays(client: Era, server: Era) {
    let failed = FEATURES
        .iter()
        .filter(|(_, feature)| catch_unwind(AssertUnwindSafe(|| feature(client, server))).is_err());
    let failed: Vec<&str> = failed.map(|(name, _)| *name).collect();
    assert!(failed.is_empty(), "{client:?} client, {server:?} server: {}", failed.join(", "));
}

#[test]
fn a_legacy_client_and_a_legacy_server_have_every_feature() {
    plays(Era::Legacy, Era::Legacy);
}

#[test]
fn a_modern_client_and_a_modern_server_have_every_feature() {
    plays(Era::Modern, Era::Modern);
}

#[test]
fn a_legacy_client_has_every_feature_of_a_modern_server() {
    plays(Era::Legacy, Era::Modern);
}

#[test]
fn a_modern_client_has_every_feature_of_a_legacy_server() {
    plays(Era::Modern, Era::Legacy);
}
