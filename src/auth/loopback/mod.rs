//! The redirect listener (RFC 8252 §7.3): takes the browser's way back on this machine.
//!
//! Only a hit with the `state` of the sign-in ends the wait; whatever else arrives – favicons, scanners,
//! other web pages, slow or endless requests – is turned away and costs the wait nothing. The page of the
//! right hit is answered once the outcome is known; if the process dies before, the browser says so.

mod bind;
mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use url::Url;

pub use bind::BindError;
pub(in crate::auth) use bind::usual_redirect;

use super::callback::Callback;
use super::page::{Names, Outcome};
use super::settings::RedirectAddress;

use crate::task;

/// Hits that wait for a verdict at once.
const MAX_QUESTIONS: usize = 16;
/// How long a page may take to reach the browser once it is known.
const DELIVERY: Duration = Duration::from_secs(2);

/// A sign-in, as the listener has to know it.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The address at the authorization server, where the start page leads.
    pub authorization_url: Url,
    /// The issuer's host, where that address is on another site: then a person decides whether to go there.
    pub foreign_to: Option<String>,
    /// What nobody can guess and every process that may finish this sign-in knows: its `state`. The address
    /// of the start page is made from it, so that other users of the machine can't ask for that page.
    pub state: String,
    /// Whom it concerns.
    pub names: Names,
    /// Where the browser goes after a success, in place of our own page.
    pub success_url: Option<Url>,
}

/// A listener that is bound; it serves as long as it lives.
#[derive(Debug)]
pub struct Listener {
    redirect: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    questions: mpsc::Receiver<Question>,
    serving: JoinHandle<()>,
}

/// What every connection knows.
#[derive(Debug)]
struct Shared {
    /// Path of the redirect URI.
    path: String,
    /// Values of `Host` that are ours; another is the sign of DNS rebinding.
    hosts: Vec<String>,
    questions: mpsc::Sender<Question>,
    now: watch::Sender<Now>,
}

/// What the listener is waiting for at present.
#[derive(Debug, Default)]
struct Now {
    expected: Option<Arc<Expected>>,
    taken: Option<Taken>,
}

/// The hit that was right, and the page that it waits for.
#[derive(Debug, Clone)]
struct Taken {
    callback: Arc<Callback>,
    page: Arc<watch::Sender<Option<Outcome>>>,
}

/// A connection asks whether what it brought is ours; if so, it learns where the outcome will be told.
#[derive(Debug)]
struct Question {
    callback: Callback,
    verdict: oneshot::Sender<watch::Receiver<Option<Outcome>>>,
}

impl Listener {
    /// Binds, before any page opens: on both loopback addresses where the system has them. Has to be called
    /// within a runtime.
    ///
    /// Without a port of the user's, one of a few is taken that always are the same for a `seed`. The redirect
    /// URI of an earlier listener, given as [`RedirectAddress::uri`], binds what that one had bound.
    ///
    /// # Errors
    /// The address is not on this machine, or its port is taken.
    pub fn bind(address: &RedirectAddress, seed: &str) -> Result<Self, BindError> {
        let bound = bind::bind(address, seed)?;
        let (sender, questions) = mpsc::channel(MAX_QUESTIONS);
        let shared = Arc::new(Shared {
            path: bound.path,
            hosts: bound.hosts,
            questions: sender,
            now: watch::Sender::default(),
        });
        let sockets: Vec<TcpListener> = bound.sockets;
        let serving = task::spawn(connection::serve(sockets, shared.clone()));
        Ok(Self { redirect: bound.redirect, address: bound.address, shared, questions, serving })
    }

    /// Ends it; once this returns, another process can bind its port. Dropping it does the same a little later.
    pub async fn close(mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    /// The redirect URI, as it is sent and registered.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect
    }

    /// The address of our page that leads on to the authorization server, for a sign-in with this `state`.
    pub fn start_url(&self, state: &str) -> Url {
        let address = format!("http://{}{}", self.address, start_path(state));
        // An address and a path of ours are a URL.
        Url::parse(&address).unwrap_or_else(|_| unreachable!("{address}"))
    }

    /// Waits for the browser's way back. `judge` says whether a callback belongs to the sign-in (its `state`);
    /// all others are turned away. Cancelling the wait loses nothing; a new one begins afresh.
    pub async fn wait(
        &mut self,
        expected: Expected,
        mut judge: impl FnMut(&Callback) -> bool,
    ) -> Hit {
        self.shared.now.send_replace(Now { expected: Some(expected.into()), taken: None });
        loop {
            let Some(Question { callback, verdict }) = self.questions.recv().await else {
                // The sender is in `shared`.
                std::future::pending().await
            };
            if !judge(&callback) {
                continue;
            }
            let (page, receiver) = watch::channel(None);
            let taken = Taken { callback: callback.into(), page: page.into() };
            self.shared.now.send_modify(|now| now.taken = Some(taken.clone()));
            let _ = verdict.send(receiver);
            return Hit { taken };
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What the browser brought, while it waits for a page.
#[derive(Debug)]
#[must_use = "the browser waits for the outcome"]
pub struct Hit {
    taken: Taken,
}

impl Hit {
    /// The parameters.
    pub fn callback(&self) -> &Callback {
        &self.taken.callback
    }

    /// Gives the browser its page, and waits until it has it, for a short while.
    pub async fn respond(self, outcome: Outcome) {
        let page = &self.taken.page;
        page.send_replace(Some(outcome));
        let _ = tokio::time::timeout(DELIVERY, page.closed()).await;
    }
}

impl Drop for Hit {
    /// Nobody waits for ever.
    fn drop(&mut self) {
        let gave_up = || Outcome::Failed {
            why: "the program that waited for it gave up".to_owned(),
            said: None,
        };
        self.taken.page.send_if_modified(|page| {
            let silent = page.is_none();
            page.get_or_insert_with(gave_up);
            silent
        });
    }
}

/// Nobody can guess it who does not know the `state`, and it does not give the `state` away.
fn start_path(state: &str) -> String {
    use base64::Engine;
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("start {state}").as_bytes());
    let name = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]);
    format!("/sign-in/{name}")
}
