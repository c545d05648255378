//! The parts of a sign-in, built the same for every command.

use std::sync::Arc;

use crate::auth::{self, Authorizer, Fetch, Names, SignIn, Vault};
use crate::config::{self, Relaunch};
use crate::credentials::{Fixed, Keep, Login, Patience, Profile, Settings, Store};
use crate::error::{Error, Exit};
use crate::http;
use crate::relay::LoginMemory;
use crate::remote::{Endpoint, Remote, ServerName};

use super::usher::{Detached, Here};

/// What is shared by whatever a process does with one server.
pub(super) struct Parts {
    pub(super) http: Arc<http::Client>,
    pub(super) store: Arc<Store>,
    pub(super) vault: Vault,
}

impl Parts {
    pub(super) fn new(config: &config::Serve, patience: Patience) -> Self {
        Self::keeping(config, config.credentials.keep.clone(), patience)
    }

    /// With another store than the configuration names.
    pub(super) fn keeping(config: &config::Serve, keep: Keep, patience: Patience) -> Self {
        Self::over(config, &config.remote.http, keep, patience)
    }

    /// With other ways of making connections, too.
    pub(super) fn over(
        config: &config::Serve,
        http: &http::Settings,
        keep: Keep,
        patience: Patience,
    ) -> Self {
        let http = Arc::new(http::Client::new(http));
        let settings = Settings { keep, ..config.credentials.clone() };
        let store = Arc::new(Store::open(&settings, patience));
        let vault = Vault::new(Arc::clone(&store), login(config));
        Self { http, store, vault }
    }

    /// A sign-in at the server.
    pub(super) fn sign_in(&self, config: &config::Serve, client: Option<String>) -> SignIn {
        let server = config.endpoint.url().clone();
        let fetch = Fetch::new(Arc::clone(&self.http), &server).allowing_named(&config.auth);
        SignIn {
            vault: self.vault.clone(),
            fetch,
            names: Names {
                server: config.endpoint.host(),
                client,
                command: login_command_of(config),
            },
            server,
            settings: config.auth.clone(),
            machine: crate::os::machine_name(),
            client_issuer: std::sync::OnceLock::new(),
        }
    }

    /// The server, for a command that asks it for itself: without anybody who gives tokens.
    pub(super) fn remote(&self, config: &config::Serve) -> Remote {
        Remote::with(config.endpoint.clone(), config.remote.clone(), Arc::clone(&self.http), None)
    }

    /// The door that requests go through; none where the user's own header stands in for a token.
    pub(super) fn authorizer(&self, config: &config::Serve) -> Option<Arc<Authorizer>> {
        if config.remote.headers.authorize() {
            return None;
        }
        let sign_in = self.sign_in(config, None);
        let unattended = unattended(config);
        let browser = config.browser.clone();
        let here = self.vault.store_name() == "memory";
        match Relaunch::of_process().ok().filter(|_| !here) {
            Some(relaunch) => {
                let usher = Detached { relaunch, browser, unattended };
                Some(Authorizer::new(sign_in, Arc::new(usher)))
            }
            None => {
                let own = Arc::new(self.sign_in(config, None));
                let usher = Here { sign_in: own, browser, unattended };
                Some(Authorizer::new(sign_in, Arc::new(usher)))
            }
        }
    }
}

/// Whose the record is.
pub(super) fn login(config: &config::Serve) -> Login {
    let auth = &config.auth;
    let resource = match &auth.resource {
        auth::Resource::Discovered => None,
        auth::Resource::Named(resource) => Some(resource.clone()),
        auth::Resource::Omitted => Some("none".to_owned()),
    };
    let fixed =
        Fixed { resource, client_id: auth.client_id.clone(), issuer: auth.trust_issuer.clone() };
    Login::new(config.credentials.profile.clone(), config.endpoint.url(), fixed)
}

/// How the server is named in errors.
pub(super) fn server_name(config: &config::Serve) -> ServerName {
    ServerName {
        host: config.endpoint.host(),
        url: config.endpoint.shown(),
        login: login_command_of(config),
    }
}

/// What a person types to sign in to the server of a configuration.
pub(super) fn login_command_of(config: &config::Serve) -> String {
    let options = |server: &str| login_command(server, &login(config), &config.credentials.keep);
    match &config.saved {
        Some(saved) if saved.is_new => options(&config.endpoint.shown()),
        // What else it is saved with counts too: its port, its audience.
        Some(saved) if saved.is_other_login => options(&saved.name),
        Some(saved) => format!("bridge login {}", saved.name),
        None => options(&config.endpoint.shown()),
    }
}

/// An error whose hint names the commands of this configuration's login.
pub(super) fn of_login(config: &config::Serve, error: Error) -> Error {
    let command = login_command_of(config);
    Error { hint: error.hint.map(|hint| auth::for_login(&hint, &command)), ..error }
}

/// What a person types to sign in: with all that makes another login of it.
pub(super) fn login_command(server: &str, login: &Login, keep: &Keep) -> String {
    let fixed = login.fixed();
    let profile = Some(login.profile().name()).filter(|name| *name != Profile::default().name());
    let store = Some(keep.name()).filter(|_| matches!(keep, Keep::Plaintext));
    let options = [
        ("--profile", profile),
        ("--resource", fixed.resource.as_deref()),
        ("--client-id", fixed.client_id.as_deref()),
        ("--trust-issuer", fixed.issuer.as_deref()),
        ("--credential-store", store),
    ];
    let mut command = format!("bridge login {}", quoted(server));
    let unsafe_server = Endpoint::parse(login.server())
        .is_ok_and(|endpoint| !endpoint.origin().tls && !endpoint.is_loopback());
    if unsafe_server {
        command.push_str(" --allow-http");
    }
    for (name, value) in options {
        if let Some(value) = value {
            command.push_str(&format!(" {name} {}", quoted(value)));
        }
    }
    command
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> std::borrow::Cow<'_, str> {
    // A shell can't be given a NUL, and nobody typed one.
    shlex::try_quote(word).unwrap_or_default()
}

/// What is remembered with a login.
pub(super) fn memory(authorizer: &Arc<Authorizer>) -> Arc<dyn LoginMemory> {
    let runtime = tokio::runtime::Handle::current();
    Arc::new(OfLogin { authorizer: Arc::clone(authorizer), runtime })
}

struct OfLogin {
    authorizer: Arc<Authorizer>,
    runtime: tokio::runtime::Handle,
}

impl LoginMemory for OfLogin {
    fn present(&self) -> Option<u64> {
        self.authorizer.present_sign_in()
    }

    fn kept(&self) -> Option<String> {
        self.authorizer.remembered()
    }

    fn keep(&self, sign_in: u64, answers: String) {
        if let Err(failure) = self.runtime.block_on(self.authorizer.remember(sign_in, answers)) {
            tracing::debug!("answers were not remembered: {failure}");
        }
    }
}

/// Why nobody is there to sign in, where the configuration says so.
fn unattended(config: &config::Serve) -> Option<auth::Failure> {
    let never = config.browser.policy == auth::Policy::Never;
    let why = match (config.unattended, never) {
        (true, _) => "`CI` is set, so that no page is opened",
        (_, true) => "`--browser never` is set",
        _ => return None,
    };
    Some(nobody(&config.endpoint.host(), why))
}

/// The error of a server that wants a sign-in where nobody can.
pub(super) fn nobody(host: &str, why: &str) -> auth::Failure {
    let hint = "run `bridge login` once, give a token with `bridge login --with-token`, use \
                `--client-credentials`, or write `--header 'Authorization=Bearer ${TOKEN}'`";
    auth::Failure::new(auth::FailureKind::Unattended, format!("{host} wants a sign-in"))
        .because(why)
        .hint(hint)
}

/// A failure of a sign-in, as a command ends by it.
pub(super) fn error(failure: &auth::Failure) -> Error {
    use auth::FailureKind::{
        Busy, Denied, Expired, InvalidClient, InvalidGrant, InvalidScope, InvalidTarget, Loop,
        Refused, RegistrationRefused, TakenBack, Unattended, Unreachable,
    };
    let exit = match failure.kind {
        Unreachable | Busy => Exit::Unreachable,
        Denied | Refused | Loop | TakenBack => Exit::Refused,
        // All that who signs users in says no to.
        InvalidClient | InvalidGrant | InvalidScope | InvalidTarget | RegistrationRefused => {
            Exit::Refused
        }
        Expired | Unattended => Exit::SignInNeeded,
        _ => Exit::Failed,
    };
    let mut error = Error { exit, ..Error::failed(failure.what.clone()) };
    if let Some(cause) = &failure.cause {
        error = error.because(cause);
    }
    match (&failure.hint, exit) {
        (Some(hint), _) => error.hint(hint.clone()),
        (None, Exit::Unreachable) => error.hint(
            "check the address and the network, then try again; `bridge doctor` looks at each step",
        ),
        (None, _) => error,
    }
}
