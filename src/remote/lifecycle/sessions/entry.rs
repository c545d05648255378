//! One set of capabilities that the client declares, and the session that belongs to it.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::hub::Hub;
use super::inbox;
use super::live::Live;
use crate::jsonrpc::read;
use crate::remote::lifecycle::translate::for_modern_client::capabilities;
use crate::remote::{Backoff, Failure, FailureKind, ListenEnd, Patience, Remote, listen};
use crate::task;

/// Who asks, where the client does not say.
const OURS: &str = concat!("{\"name\":\"bridge\",\"version\":\"", env!("CARGO_PKG_VERSION"), "\"}");
/// Requests by which subscriptions are set up that are under way at once, and how long all of them may take: a
/// client waits for that.
const AT_ONCE: usize = 8;
const SUBSCRIBING: Duration = Duration::from_secs(30);

/// A set of capabilities. Whoever works in its session holds it, so that it is not ended.
pub(super) struct Entry {
    pub(super) key: String,
    capabilities: Box<str>,
    client: Option<Box<str>>,
    live: Mutex<Option<Arc<Live>>>,
    opening: Arc<tokio::sync::Mutex<Opening>>,
    /// Handshakes that came to their end.
    attempts: AtomicU64,
    pub(super) hub: Hub,
}

#[derive(Default)]
struct Opening {
    last: Option<Failure>,
}

impl Entry {
    /// Of a client that declares these capabilities and calls itself so, as JSON text.
    pub(super) fn new(key: String, capabilities: &str, client: Option<&str>) -> Self {
        Self {
            key,
            capabilities: capabilities.into(),
            client: client.map(Into::into),
            live: Mutex::default(),
            opening: Arc::default(),
            attempts: AtomicU64::new(0),
            hub: Hub::default(),
        }
    }

    /// What the client declares, as JSON text.
    pub(super) fn capabilities(&self) -> &str {
        &self.capabilities
    }

    pub(super) fn legacy_capabilities(&self) -> String {
        capabilities::of_client(&self.capabilities)
    }

    pub(super) fn client(&self) -> &str {
        self.client.as_deref().unwrap_or(OURS)
    }

    /// The session that is open now.
    pub(super) fn current(&self) -> Option<Arc<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the session out, which then is no more.
    pub(super) fn close(&self) -> Option<Arc<Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn other_than(&self, lost: Option<&Arc<Live>>) -> Option<Arc<Live>> {
        self.current().filter(|live| lost.is_none_or(|lost| !Arc::ptr_eq(lost, live)))
    }

    /// The session, opened if there is none but the `lost` one. Of those who ask at the same time one opens
    /// it, and all get what it got.
    pub(super) async fn live(
        self: &Arc<Self>,
        remote: &Arc<Remote>,
        lost: Option<&Arc<Live>>,
        patience: Patience,
    ) -> Result<Arc<Live>, Failure> {
        if let Some(live) = self.other_than(lost) {
            return Ok(live);
        }
        let before = self.attempts.load(Ordering::Relaxed);
        let mut opening = Arc::clone(&self.opening).lock_owned().await;
        if let Some(live) = self.other_than(lost) {
            return Ok(live);
        }
        if let Some(failure) = &opening.last
            && self.attempts.load(Ordering::Relaxed) > before
        {
            return Err(failure.clone());
        }
        // A task of its own: whoever asked may be cancelled, and the session must not be half open.
        let (entry, remote) = (Arc::clone(self), Arc::clone(remote));
        let opened = tokio::spawn(async move {
            let opened = entry.open(&remote, patience).await;
            entry.attempts.fetch_add(1, Ordering::Relaxed);
            opening.last = opened.as_ref().err().cloned();
            opened
        });
        let broken = |_| Err(Failure::internal("a handshake with the server broke down"));
        opened.await.unwrap_or_else(broken)
    }

    async fn open(
        self: &Arc<Self>,
        remote: &Arc<Remote>,
        patience: Patience,
    ) -> Result<Arc<Live>, Failure> {
        let generation = remote.sessions.next_generation();
        let live = Live::open(remote, self, generation, patience).await?;
        let before =
            self.live.lock().unwrap_or_else(PoisonError::into_inner).replace(Arc::clone(&live));
        let task = task::spawn(listening(
            Arc::downgrade(self),
            Arc::downgrade(remote),
            Arc::downgrade(&live),
        ));
        *live.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
        if before.is_some() && !self.hub.is_empty() {
            let (entry, remote, live) = (Arc::clone(self), Arc::clone(remote), Arc::clone(&live));
            task::spawn(async move {
                subscribe(&remote, &live, "resources/subscribe", entry.hub.resources()).await;
                entry.hub.gap();
            });
        }
        Ok(live)
    }
}

/// Listens to the session's own stream; opens the session again when it is lost while somebody waits for
/// changes.
async fn listening(entry: Weak<Entry>, remote: Weak<Remote>, live: Weak<Live>) {
    let (Some(server), Some(lost)) = (remote.upgrade(), live.upgrade()) else { return };
    let Some(session) = lost.session().cloned() else { return };
    drop(lost);
    match listen(&server, &session, &inbox::of_session(live.clone())).await {
        ListenEnd::Refused(failure) => {
            tracing::debug!(what = failure.what, "the server offers no stream of its own");
            return;
        }
        ListenEnd::SessionLost => {}
    }
    let mut backoff = Backoff::of_stream();
    while let (Some(entry), Some(lost)) = (entry.upgrade(), live.upgrade()) {
        if entry.hub.is_empty() {
            return;
        }
        if opened_again(&server, entry, lost).await {
            return;
        }
        tokio::time::sleep(backoff.wait()).await;
    }
}

/// Opening leads to listening, and this back: the compiler wants to be told what it is.
fn opened_again(
    remote: &Arc<Remote>,
    entry: Arc<Entry>,
    lost: Arc<Live>,
) -> Pin<Box<dyn Future<Output = bool> + Send>> {
    let remote = Arc::clone(remote);
    Box::pin(async move { entry.live(&remote, Some(&lost), Patience::Once).await.is_ok() })
}

/// Subscribes to resources, or ends that; gives those that the server did not agree to. One that leaves a
/// request unanswered is not asked for more.
pub(super) async fn subscribe(
    remote: &Arc<Remote>,
    live: &Arc<Live>,
    method: &str,
    resources: Vec<String>,
) -> Vec<String> {
    let until = Instant::now() + SUBSCRIBING;
    let mut refused = Vec::new();
    let mut rest = &resources[..];
    let mut is_silent = false;
    while !rest.is_empty() && !is_silent {
        let (some, more) = rest.split_at(rest.len().min(AT_ONCE));
        let asked = some.iter().map(|uri| async move {
            let params = format!("{{\"uri\":{}}}", serde_json::json!(uri));
            live.ask(remote, method, &params, Patience::Persistent).await
        });
        let Ok(answers) = tokio::time::timeout_at(until, join_all(asked)).await else { break };
        rest = more;
        for (uri, answer) in some.iter().zip(answers) {
            is_silent |= answer.as_ref().is_err_and(|why| why.kind == FailureKind::Timeout);
            if !answer.is_ok_and(|answer| read::result(&answer).is_some()) {
                refused.push(uri.clone());
            }
        }
    }
    if !rest.is_empty() {
        tracing::warn!("the server takes too long over `{method}`; {} are left out", rest.len());
    }
    refused.extend_from_slice(rest);
    refused
}
