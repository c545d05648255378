//! Clients that mcp-remote registered for the servers of its entries: which of them go on being used.

use std::time::Duration;

use futures_util::future::join_all;

use super::parts::{Parts, login};
use crate::auth::{Adoptable, Grant, NotAdopted, Offered};
use crate::config::{self, Environment};
use crate::credentials::Patience;
use crate::desktop::mcp_remote::Becomes;
use crate::error::Error;
use crate::printable::one_line;
use crate::remote::Entry;
use crate::ui;

/// How long all that is asked about one server may take: somebody waits.
const TIME: Duration = Duration::from_secs(20);
/// Widest word of another program's file that is shown, in characters.
const WIDEST: usize = 300;

/// A client that mcp-remote registered for a server.
pub(super) struct Offer {
    offered: Offered,
    config: config::Serve,
    /// What was found out.
    found: Option<Result<Adoptable, NotAdopted>>,
}

impl Offer {
    /// The one of this entry, if there is one, and a person would sign in with it.
    pub(super) fn of(
        becomes: &Becomes,
        config: config::Serve,
        environment: &Environment,
    ) -> Option<Self> {
        let is_used = config.auth.grant != Grant::ClientCredentials
            && config.auth.client_id.is_none()
            && !config.remote.headers.authorize();
        let home = config::desktop::surroundings(environment).ok().filter(|_| is_used)?.home;
        let folder = environment.get("MCP_REMOTE_CONFIG_DIR");
        let offered = Offered(becomes.client(folder, &home)?);
        Some(Self { offered, config, found: None })
    }

    /// What is to be said of it.
    pub(super) fn told(&self) -> String {
        let text = match &self.found {
            Some(Ok(client)) => {
                let place = super::login::place(self.config.credentials.keep.name());
                let secret = match client.has_secret() {
                    true => format!(", its secret in {place}"),
                    false => String::new(),
                };
                format!(
                    "adopts: the client that mcp-remote registered at {}, with {}{secret}",
                    client.issuer(),
                    client.redirect_uri()
                )
            }
            Some(Err(why)) => format!("not adopted: the client that mcp-remote registered: {why}"),
            None => return String::new(),
        };
        format!("    {}\n", one_line(&text, WIDEST))
    }

    async fn ask(&mut self) {
        let parts = Parts::new(&self.config, Patience::Interactive);
        let found = async {
            let challenge =
                match parts.remote(&self.config).first_knock(None).await.map(|knock| knock.entry) {
                    Ok(Entry::Closed(challenge)) => challenge,
                    _ => None,
                };
            parts.sign_in(&self.config, None).adoptable(challenge, &self.offered).await
        };
        let late = || NotAdopted::Because(format!("no answer within {} s", TIME.as_secs()));
        let found = tokio::time::timeout(TIME, found).await;
        self.found = Some(found.unwrap_or_else(|_| Err(late())));
    }

    /// Keeps it for the next sign-in. Gives what is to be said where that fails.
    async fn adopt(self) -> Option<String> {
        let Some(Ok(client)) = self.found else { return None };
        let parts = Parts::new(&self.config, Patience::Interactive);
        let kept = parts.sign_in(&self.config, None).adopt(client).await;
        let host = self.config.endpoint.host();
        kept.err().map(|why| format!("the client for {host} is not adopted: {why}"))
    }
}

/// Finds out of each whether it can go on being used: asks who signs users in, and changes nothing.
pub(super) fn ask(offers: Vec<&mut Offer>) -> Result<(), Error> {
    if let Some(first) = offers.first() {
        let motion = super::login::motion(&first.config);
        let _spinner = ui::Spinner::start("Asking who signs users in", motion);
        let runtime = super::runtime()?;
        runtime.block_on(join_all(offers.into_iter().map(Offer::ask)));
        // A name that is being looked up can't be interrupted.
        runtime.shutdown_background();
    }
    Ok(())
}

/// Keeps those that can. Gives what is to be said where that failed: then the next sign-in registers anew.
pub(super) fn adopt(offers: Vec<Offer>) -> Result<Vec<String>, Error> {
    let mut failed = Vec::new();
    let runtime = super::runtime()?;
    for offer in offers {
        failed.extend(runtime.block_on(offer.adopt()));
    }
    Ok(failed)
}

/// Whether mcp-remote keeps a client for this entry, which may have been adopted.
pub(super) fn is_kept(becomes: &Becomes, environment: &Environment) -> bool {
    let home = config::desktop::surroundings(environment).ok().map(|it| it.home);
    let folder = environment.get("MCP_REMOTE_CONFIG_DIR");
    home.is_some_and(|home| becomes.client(folder, &home).is_some())
}

/// Forgets a client that was adopted for this entry, unless somebody has signed in with it. Says whether it did.
pub(super) fn disown(becomes: &Becomes, config: config::Serve, environment: &Environment) -> bool {
    let Some(Offer { offered, config, .. }) = Offer::of(becomes, config, environment) else {
        return false;
    };
    let client_id = offered.0.get("client_id").and_then(|id| id.as_str()).unwrap_or_default();
    let parts = Parts::new(&config, Patience::Interactive);
    let disowned = async { parts.sign_in(&config, None).disown(client_id).await };
    match super::runtime().map(|runtime| runtime.block_on(disowned)) {
        Ok(Ok(false)) => {
            let beside = parts.store.beside(&login(&config)).unwrap_or_default();
            for store in beside.iter().map(|entry| entry.store) {
                let (host, url) = (config.endpoint.host(), config.endpoint.shown());
                ui::say(&format!(
                    "warning: what is kept of {host} in another store (`--credential-store {store}`) stays: \
                     `bridge logout {url}` forgets it"
                ));
            }
            false
        }
        Ok(Ok(true)) => true,
        Ok(Err(why)) => {
            ui::say(&format!("warning: the adopted client is kept still: {why}"));
            false
        }
        Err(_) => false,
    }
}
