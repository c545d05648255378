//! Signing in, driven in this process: the protocol from the refusal to the token and back, against a
//! strict authorization server.
//!
//! | module      | what its tests show                                            |
//! |-------------|----------------------------------------------------------------|
//! | `story`     | a whole sign-in, refresh, step-up, revocation                  |
//! | `found`     | who signs users in, wherever the documents lie                 |
//! | `clients`   | registration, proofs, clients that died                        |
//! | `commands`  | `login`, `logout`, `status` beside each other                  |
//! | `unattended`| devices and clients that act for themselves                    |
//! | `entry`     | what `login` asks the server before and after                  |
//! | `elsewhere` | sign-ins in another store than the one that is chosen           |
//! | `nobody`    | `bridge login` where nobody is there                           |
//! | `full_disk` | a token that is renewed while nothing can be saved              |
//! | `hostile`   | everything that can be wrong, and what comes of it             |
//! | `quiet`     | what opens no page, and how clients without one are told       |
//! | `ends`      | refusals that repeat, refreshes that fail, forgotten clients   |
//! | `races`     | many processes at once, and processes that are killed          |
//! | `killed`    | processes that are killed while they save                      |
//! | `terminal`  | `bridge login` in a terminal: what is shown, pasted and typed    |
//! | `whole`     | the real program, a browser, a person                          |

mod clients;
#[cfg(unix)]
mod commands;
#[cfg(target_os = "linux")]
mod elsewhere;
#[cfg(unix)]
mod ends;
#[cfg(unix)]
mod entry;
mod found;
#[cfg(target_os = "linux")]
mod full_disk;
mod hostile;
#[cfg(target_os = "linux")]
mod killed;
#[cfg(target_os = "linux")]
mod nobody;
#[cfg(target_os = "linux")]
mod quiet;
#[cfg(target_os = "linux")]
mod races;
mod story;
#[cfg(target_os = "linux")]
mod terminal;
mod unattended;
#[cfg(unix)]
pub(crate) mod whole;

use std::sync::Arc;
use std::time::Duration;

use mcp_bridge::auth::authorization::{self, Ask};
use mcp_bridge::auth::registration::{self, Wanted};
use mcp_bridge::auth::{
    Answer, Callback, Challenge, Discovery, Failure, FailureKind, Fetch, Granted, Pending,
    Provider, Registration, Scopes, Settings, TokenEndpoint, discovery, scopes,
};
use mcp_bridge::clock::{Clock, Moment, SystemClock};
use mcp_bridge::http;
use mcp_bridge::secret::Secret;
use url::Url;

use crate::support::auth_server::{AuthServer, visit};

const REDIRECT: &str = "http://127.0.0.1:1/oauth/callback";

fn now() -> Moment {
    SystemClock.wall().into()
}

/// Runs what is asynchronous, in a time that only a defect exceeds.
fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { tokio::time::timeout(crate::support::DEADLINE, work).await };
    runtime.block_on(bounded).expect("an end in time")
}

/// One login of one server, as the program would hold it.
struct Login {
    fetch: Fetch,
    server: Url,
    settings: Settings,
}

impl Login {
    fn to(server: &AuthServer) -> Self {
        Self::with(server, Settings::default())
    }

    fn with(server: &AuthServer, settings: Settings) -> Self {
        let url = Url::parse(&server.mcp_url()).unwrap();
        let client = http::Client::new(&http::Settings::default());
        let fetch = Fetch::new(Arc::new(client), &url).allowing_named(&settings);
        let fetch = fetch.within(Duration::from_secs(2));
        Self { fetch, server: url, settings }
    }

    async fn discover(&self, challenge: Option<&Challenge>) -> Discovery {
        discovery::discover(&self.fetch, &self.server, challenge, &self.settings).await
    }

    async fn register(
        &self,
        provider: &Provider,
        scopes: &Scopes,
    ) -> Result<Registration, Failure> {
        if let Some(client) = registration::without_request(&self.settings, provider) {
            return Ok(client);
        }
        let redirect_uris = [REDIRECT.to_owned()];
        let wanted = Wanted { redirect_uris: &redirect_uris, scopes, machine: Some("box") };
        registration::register(&self.fetch, provider, &self.settings, &wanted, now()).await
    }

    fn begin(
        &self,
        provider: &Provider,
        client: &Registration,
        scopes: &Scopes,
    ) -> Result<Pending, Failure> {
        let ask = Ask {
            redirect_uri: REDIRECT,
            scopes,
            params: &self.settings.authorize_params,
            time: authorization::TIME,
            now: now(),
        };
        authorization::begin(provider, client, &ask)
    }

    fn endpoint<'a>(
        &'a self,
        provider: &'a Provider,
        registration: &'a Registration,
    ) -> TokenEndpoint<'a> {
        TokenEndpoint {
            fetch: &self.fetch,
            provider,
            registration,
            params: &self.settings.token_params,
            clock: &SystemClock,
            allowance: None,
        }
    }

    fn scopes(&self, challenge: Option<&Challenge>, provider: &Provider) -> Scopes {
        scopes::select(
            self.settings.scope.as_deref(),
            challenge.and_then(|challenge| challenge.scope.as_deref()),
            provider.resource_scopes.as_ref(),
            provider.metadata.scopes_supported.as_ref(),
        )
    }

    /// From nothing to tokens; what the browser brings back may be changed on its way.
    async fn sign_in(
        &self,
        challenge: Option<&Challenge>,
        on_the_way: impl Fn(String) -> String,
    ) -> Result<SignedIn, Failure> {
        let provider = self.discover(challenge).await.found?;
        let scopes = self.scopes(challenge, &provider);
        let client = self.register(&provider, &scopes).await?;
        self.authorize(provider, client, scopes, on_the_way).await
    }

    async fn authorize(
        &self,
        provider: Provider,
        client: Registration,
        scopes: Scopes,
        on_the_way: impl Fn(String) -> String,
    ) -> Result<SignedIn, Failure> {
        let pending = self.begin(&provider, &client, &scopes)?;
        let stays = |status| {
            Failure::new(FailureKind::Refused, format!("the browser stays on a page: {status}"))
        };
        let query = on_the_way(visit(pending.url.expose()).map_err(stays)?);
        let unreadable = |why| Failure::new(FailureKind::BadAnswer, format!("{why}"));
        let callback = Callback::parse(&query).map_err(unreadable)?;
        let code = match pending.read(&callback) {
            Answer::Code(code) => code,
            Answer::Failed(failure) => return Err(failure),
            Answer::NotOurs => {
                return Err(Failure::new(FailureKind::Expired, "nothing of ours came back"));
            }
        };
        let granted = self.endpoint(&provider, &client).redeem(&pending, &code).await?;
        Ok(SignedIn { provider, client, scopes, granted })
    }
}

/// What a sign-in earned.
#[derive(Debug)]
struct SignedIn {
    provider: Provider,
    client: Registration,
    scopes: Scopes,
    granted: Granted,
}

impl SignedIn {
    fn access_token(&self) -> &str {
        self.granted.tokens.access_token.expose()
    }
}

fn unchanged(query: String) -> String {
    query
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}
