//! The hosted MCP server over HTTP: one POST for each message, JSON or an event stream back, the GET
//! stream, resumption, redirects, retries. It knows what a session is, not who uses it.

mod aside;
mod authorized;
mod budget;
mod channel;
mod cookies;
mod endpoint;
mod entry;
mod exchange;
mod failure;
mod gauge;
mod header_command;
mod headers;
mod hint;
pub mod lifecycle;
mod listen;
mod reading;
mod redirect;
mod request;
mod response;
mod retry;
mod sse;
mod transport;

pub use channel::Channel;
pub use endpoint::{Endpoint, EndpointError, without_secrets};
pub use entry::{Entry, HELLO, Knock};
pub use exchange::{Outcome, Post, exchange};
pub use failure::{Failure, FailureKind, Fate};
pub use header_command::HeaderCommand;
pub use headers::{Header, HeaderError, Headers, Source, is_secret_name};
pub use hint::{ServerName, advice, hint};
pub use lifecycle::{Carrier, ClientProtocol, Facts, Legacy, Protocol, Session, Stateless};
pub use listen::{ListenEnd, listen};
pub use retry::{Backoff, Patience, is_repeatable};
pub use transport::{Strategy, Transport};

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, watch};

use crate::auth::{Authorizer, Phase};
use crate::http;
use crate::jsonrpc::Message;
use crate::secret::{Secret, know_credential};

/// What bounds the work with a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest message in bytes, in either direction.
    pub max_message_size: usize,
    /// How long something that was not executed is tried again.
    pub retry_for: Duration,
    /// Which transports are tried, in which order.
    pub strategy: Strategy,
    /// How the server is spoken to.
    pub protocol: Protocol,
    /// What a modern client is told that could fall back.
    pub client_protocol: ClientProtocol,
    /// Where it is remembered what the server is.
    pub facts: Option<PathBuf>,
    /// How connections are made.
    pub http: http::Settings,
    /// Headers of the user's own.
    pub headers: Headers,
    /// Whether cookies are taken and sent back.
    pub cookies: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_message_size: 64 * 1024 * 1024,
            retry_for: Duration::from_secs(30),
            strategy: Strategy::default(),
            protocol: Protocol::default(),
            client_protocol: ClientProtocol::default(),
            facts: None,
            http: http::Settings::default(),
            headers: Headers::default(),
            cookies: true,
        }
    }
}

/// The hosted server.
pub struct Remote {
    http: Arc<http::Client>,
    settings: Settings,
    /// Who gives tokens; none where the user's own header does.
    authorizer: Option<Arc<Authorizer>>,
    /// The endpoint that the user named: the user's headers go to its origin only.
    home: Endpoint,
    endpoint: Mutex<Endpoint>,
    injector: headers::Injector,
    cookies: Mutex<cookies::Jar>,
    /// What is known of it.
    known: lifecycle::eras::Known,
    budget: budget::Budget,
    /// What is kept for a client or a server of the modern era.
    modern: lifecycle::modern_exchange::Kept,
    /// What a modern client does with a legacy server.
    sessions: lifecycle::sessions::Sessions,
    /// One question which era the server is of at a time.
    asking_era: tokio::sync::Mutex<()>,
    /// The server showed in this process that it is a modern one.
    is_surely_modern: AtomicBool,
    /// The machine slept: what listens begins anew, where it was.
    woken: Notify,
}

impl Remote {
    /// A server that was not spoken to yet.
    pub fn new(endpoint: Endpoint, settings: Settings) -> Self {
        let http = Arc::new(http::Client::new(&settings.http));
        Self::with(endpoint, settings, http, None)
    }

    /// The same over a client that is there already, with somebody who gives tokens.
    pub fn with(
        endpoint: Endpoint,
        settings: Settings,
        http: Arc<http::Client>,
        authorizer: Option<Arc<Authorizer>>,
    ) -> Self {
        let is_key = |name: &str| is_secret_name(&name.to_ascii_lowercase());
        let keys = endpoint.url().query_pairs().filter(|(name, _)| is_key(name));
        keys.for_each(|(_, key)| know_credential(&key));
        Self {
            http,
            authorizer,
            injector: headers::Injector::new(&settings.headers),
            known: lifecycle::eras::Known::new(settings.facts.clone()),
            settings,
            home: endpoint.clone(),
            endpoint: Mutex::new(endpoint),
            cookies: Mutex::default(),
            budget: budget::Budget::new(),
            modern: lifecycle::modern_exchange::Kept::default(),
            sessions: lifecycle::sessions::Sessions::default(),
            asking_era: tokio::sync::Mutex::default(),
            is_surely_modern: AtomicBool::default(),
            woken: Notify::new(),
        }
    }

    /// What is known of the server.
    pub fn facts(&self) -> Facts {
        self.known.facts()
    }

    /// Where messages go now: the configured URL, or where the server moved it to.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many requests may be under way at once: on HTTP/2 a few streams below the server's limit, so
    /// that answers, cancellations and the GET stream always find one.
    pub fn max_requests(&self) -> Option<usize> {
        const KEPT_FREE: usize = 8;
        let streams = self.http.max_streams(self.endpoint().origin())?;
        Some(streams.saturating_sub(KEPT_FREE).max(1))
    }

    /// A person is asked to sign in, unless that is under way.
    /// `client` is what the client calls itself.
    pub fn sign_in(&self, client: Option<String>) {
        if let Some(authorizer) = &self.authorizer {
            authorizer.ask(client);
        }
    }

    /// What a person types to sign in.
    pub fn login_command(&self) -> String {
        let login = self.authorizer.as_ref().map(|authorizer| authorizer.login_command());
        login.unwrap_or_else(|| format!("bridge login {}", self.endpoint().shown()))
    }

    /// Where the sign-in stands; none where there is none.
    pub fn sign_in_phases(&self) -> Option<watch::Receiver<Phase>> {
        self.authorizer.as_ref().map(|authorizer| authorizer.phases())
    }
    /// Ends the sessions that this program opened by itself.
    pub async fn end_own_sessions(&self) {
        self.sessions.end(self).await;
    }

    /// Lets what must not be cut off come to its end: a token that is being renewed, and what was learnt of the
    /// server.
    pub async fn finish(&self) {
        if let Some(authorizer) = &self.authorizer {
            authorizer.finish().await;
        }
        self.known.written().await;
    }

    /// Forgets connections that did not survive the machine's sleep, and takes the GET stream and
    /// subscriptions up on a new one.
    pub fn woke_up(&self) {
        self.http.forget_connections();
        self.woken.notify_waiters();
    }
}

/// Whoever takes the messages that a server sends.
pub trait Receive: Send + Sync + 'static {
    /// Takes one message; resolves when the next may be read, which is the back-pressure.
    fn receive(&self, message: Message) -> BoxFuture<'_, ()>;

    /// Takes one message where that needs no waiting, and gives it back where it does: of many in a row each
    /// would cost a future.
    ///
    /// # Errors
    /// The message, which was not taken.
    fn receive_now(&self, message: Message) -> Result<(), Message> {
        Err(message)
    }

    /// The server gave a session id with the head of its answer.
    fn session_given(&self, id: Secret<Box<str>>) -> BoxFuture<'_, ()>;

    /// The messages of the session travel this way.
    fn carried_by(&self, carrier: Carrier) -> BoxFuture<'_, ()>;

    /// A stream of messages that are sent unasked was opened again, and some may have been missed.
    fn reopened(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// One of them, with what each message passes first. Of one type, so that all that receives is compiled once.
#[derive(Clone)]
pub struct Recipient {
    by: Arc<dyn Receive>,
    pass: Option<Pass>,
}

impl Recipient {
    /// Whoever takes the messages as they come.
    pub fn new(by: impl Receive) -> Self {
        Self { by: Arc::new(by), pass: None }
    }

    /// The same, with something that each message passes first.
    #[must_use]
    pub fn through(&self, pass: Pass) -> Self {
        let pass = match self.pass.clone() {
            None => pass,
            Some(next) => {
                Arc::new(move |message| pass(message).into_iter().flat_map(&*next).collect())
            }
        };
        Self { by: Arc::clone(&self.by), pass: Some(pass) }
    }

    /// Gives it one message; resolves when the next may be read, which is the back-pressure.
    pub async fn receive(&self, message: Message) {
        let Some(pass) = &self.pass else { return self.give(message).await };
        for message in pass(message) {
            self.give(message).await;
        }
    }

    async fn give(&self, message: Message) {
        if let Err(message) = self.by.receive_now(message) {
            self.by.receive(message).await;
        }
    }

    /// The server gave a session id with the head of its answer.
    pub async fn session_given(&self, id: Secret<Box<str>>) {
        self.by.session_given(id).await;
    }

    /// The messages of the session travel this way.
    pub async fn carried_by(&self, carrier: Carrier) {
        self.by.carried_by(carrier).await;
    }

    /// A stream of messages that are sent unasked was opened again, and some may have been missed.
    pub async fn reopened(&self) {
        self.by.reopened().await;
    }
}

/// What becomes of a message on its way to whoever takes it: itself, another, several, or none.
pub type Pass = Arc<dyn Fn(Message) -> Vec<Message> + Send + Sync>;
