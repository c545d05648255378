//! What a trial needs to run.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use crate::Result;
use crate::contestant::Contestant;
use crate::relay::Relay;
use crate::server::{Server, TOKEN};
use crate::wire::Wire;

/// 32 bytes of zeros: what is sealed by it is no secret.
const STORE_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

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
        let environment = self.environment();
        let environment = if url.starts_with("https:") { environment.as_slice() } else { &[] };
        Relay::start(self.contestant, url, self.wire, &self.lab.home, environment)
    }

    /// What the server's certificate and the store of tokens need.
    fn environment(&self) -> [(&'static str, &OsStr); 3] {
        let trust = self.lab.server.trust.as_os_str();
        let key = OsStr::new(STORE_KEY);
        [("SSL_CERT_FILE", trust), ("NODE_EXTRA_CA_CERTS", trust), ("BRIDGE_STORE_KEY", key)]
    }

    /// Keeps a token for one of the server's URLs, as `bridge login --with-token` does.
    pub fn keep_token(&self, url: &str) -> Result<()> {
        let mut login = self.contestant.command("login", &self.lab.home);
        login.args([url, "--with-token"]).envs(self.environment());
        let quiet = login.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut login = quiet.spawn()?;
        login.stdin.take().ok_or("no stdin")?.write_all(TOKEN.as_bytes())?;
        let ended = login.wait_with_output()?;
        if ended.status.success() {
            return Ok(());
        }
        Err(format!("login: {}", String::from_utf8_lossy(&ended.stderr)).into())
    }

    /// Starts the relay for the server on loopback, and initializes.
    pub fn start_near(&self) -> Result<Relay> {
        let mut relay = self.start(&self.lab.server.near)?;
        relay.initialize()?;
        Ok(relay)
    }
}
