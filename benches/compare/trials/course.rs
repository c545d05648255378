//! What a trial needs to run.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::contestant::Contestant;
use crate::relay::Relay;
use crate::server::Server;
use crate::wire::Wire;

/// What all trials share.
pub struct Lab {
    pub server: Server,
    /// The home directory of the contestants.
    pub home: PathBuf,
    pub quick: bool,
}

/// One contestant on one kind of wire.
pub struct Course<'lab> {
    pub lab: &'lab Lab,
    pub contestant: &'lab Contestant,
    pub wire: Wire,
}

impl Course<'_> {
    /// Starts the relay for one of the server's URLs.
    pub fn start(&self, url: &str) -> Result<Relay> {
        let trust: &Path = &self.lab.server.trust;
        let trust = [("SSL_CERT_FILE", trust), ("NODE_EXTRA_CA_CERTS", trust)];
        let trust = if url.starts_with("https:") { trust.as_slice() } else { &[] };
        Relay::start(self.contestant, url, self.wire, &self.lab.home, trust)
    }

    /// Starts the relay for the server on loopback, and initializes.
    pub fn start_near(&self) -> Result<Relay> {
        let mut relay = self.start(&self.lab.server.near)?;
        relay.initialize()?;
        Ok(relay)
    }
}
