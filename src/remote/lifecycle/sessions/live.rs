//! One session with the server: its handshake, the calls under way in it, and what comes on its own stream.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;

use super::entry::Entry;
use super::inbox;
use super::mailbox::{Came, Mailbox};
use crate::jsonrpc::{INVALID_PARAMS, Id, METHOD_NOT_FOUND, Message, read};
use crate::remote::exchange::{Outcome, Post, attempts};
use crate::remote::failure::FailureKind;
use crate::remote::lifecycle::translate::for_modern_client::log_level::Level;
use crate::remote::lifecycle::translate::for_modern_client::question::{Asked, to_input};
use crate::remote::lifecycle::translate::for_modern_client::{answer, change, progress};
use crate::remote::lifecycle::{Carrier, Session};
use crate::remote::{Failure, Fate, Patience, Remote};
use crate::secret::Secret;
use crate::task;

/// The revision that is asked for.
const VERSION: &str = "2025-11-25";
/// How long the server may take for `initialized`, and for what else this program asks by itself.
const OWN_TIME: Duration = Duration::from_secs(30);
const INITIALIZED_TIME: Duration = Duration::from_secs(5);
/// The same where the client waits: for a log level before a call, for resources before a subscription.
const AWAITED_TIME: Duration = Duration::from_secs(5);
/// Answers to the server under way at once. One that asks for more gets none.
const MAX_REPLIES: usize = 64;

/// A session.
pub(super) struct Live {
    entry: Weak<Entry>,
    remote: Weak<Remote>,
    /// What the server gives while it is opened.
    given: Mutex<(Option<Secret<Box<str>>>, Carrier)>,
    opened: OnceLock<Opened>,
    calls: Mutex<HashMap<Id, Mailbox>>,
    /// Requests of this program's own.
    awaited: Mutex<HashMap<Id, oneshot::Sender<Message>>>,
    /// The log level that the server was told.
    level: tokio::sync::Mutex<Option<Level>>,
    /// What listens to the session's own stream.
    pub(super) listening: Mutex<Option<AbortHandle>>,
    replies: Arc<Semaphore>,
}

/// What the handshake led to.
struct Opened {
    session: Arc<Session>,
    /// The result of `initialize`, as JSON text.
    result: Box<str>,
}

/// How long a request of this program's own may take. A handshake may take as long as the client waits.
fn within(method: &str) -> Option<Duration> {
    match method {
        "initialize" => None,
        "logging/setLevel" | "resources/subscribe" => Some(AWAITED_TIME),
        _ => Some(OWN_TIME),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request of this program's own; whoever asked may be gone before its answer comes.
struct Awaited<'a> {
    live: &'a Live,
    id: Id,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        lock(&self.live.awaited).remove(&self.id);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(listening) = lock(&self.listening).take() {
            listening.abort();
        }
    }
}

impl Live {
    /// Opens a session (MCP 2025-11-25, lifecycle). `client` is what the client calls itself, as JSON text.
    pub(super) async fn open(
        remote: &Arc<Remote>,
        entry: &Arc<Entry>,
        generation: u64,
        patience: Patience,
    ) -> Result<Arc<Self>, Failure> {
        let live = Arc::new(Self {
            entry: Arc::downgrade(entry),
            remote: Arc::downgrade(remote),
            given: Mutex::default(),
            opened: OnceLock::new(),
            calls: Mutex::default(),
            awaited: Mutex::default(),
            level: tokio::sync::Mutex::default(),
            listening: Mutex::default(),
            replies: Arc::new(Semaphore::new(MAX_REPLIES)),
        });
        let params = format!(
            "{{\"protocolVersion\":\"{VERSION}\",\"capabilities\":{},\"clientInfo\":{}}}",
            entry.legacy_capabilities(),
            entry.client()
        );
        let answer = live.ask(remote, "initialize", &params, patience).await?;
        let (Some(hello), Some(result)) = (read::server_hello(&answer), read::result(&answer))
        else {
            return Err(Failure::refused_by(answer, &remote.endpoint().host()));
        };
        let (id, carrier) = std::mem::take(&mut *lock(&live.given));
        if matches!(carrier, Carrier::Stateless(_)) {
            let what = "the server has become one without sessions";
            return Err(Failure { fate: Fate::NotExecuted, ..Failure::internal(what) });
        }
        let version = hello.protocol_version.into();
        let session = Arc::new(Session { generation, id, version, carrier });
        let _ = live.opened.set(Opened { session, result: result.into() });
        let initialized = Message::notification("notifications/initialized", None);
        // Some servers leave this answer open and send messages by it.
        let _ = tokio::time::timeout(INITIALIZED_TIME, live.send(remote, initialized)).await;
        Ok(live)
    }

    /// The session, once it is open.
    pub(super) fn session(&self) -> Option<&Arc<Session>> {
        self.opened.get().map(|opened| &opened.session)
    }

    /// The server gave a session id.
    pub(super) fn given_id(&self, id: Secret<Box<str>>) {
        lock(&self.given).0 = Some(id);
    }

    /// Its messages travel this way.
    pub(super) fn given_carrier(&self, carrier: Carrier) {
        lock(&self.given).1 = carrier;
    }

    /// What was told on its own stream may have been missed.
    pub(super) fn gap(&self) {
        if let Some(entry) = self.entry.upgrade() {
            entry.hub.gap();
        }
    }

    /// What the server answered to `initialize`, as JSON text.
    pub(super) fn initialized(&self) -> &str {
        self.opened.get().map_or("{}", |opened| &*opened.result)
    }

    /// What the server offers, as JSON text.
    pub(super) fn capabilities(&self) -> &str {
        crate::jsonrpc::edit::member(self.initialized(), "capabilities").unwrap_or("{}")
    }

    /// Who the server says that it is, as JSON text.
    pub(super) fn server_info(&self) -> Option<&str> {
        answer::server_info(self.initialized())
    }

    // ---- what goes out

    fn post(&self, message: Message, patience: Patience) -> Post {
        let session = self.session().cloned();
        Post {
            message,
            session,
            repeatable: true,
            patience,
            handed_over: Arc::default(),
            mirrored: None,
        }
    }

    /// Sends a notification or a response.
    pub(super) async fn send(&self, remote: &Remote, message: Message) -> Outcome {
        attempts(remote, &self.post(message, Patience::Persistent), &inbox::of_nobody()).await
    }

    /// Sends an answer to the server without waiting for it to be taken.
    fn reply(self: &Arc<Self>, message: Message) {
        let Some(remote) = self.remote.upgrade() else { return };
        let Ok(turn) = Arc::clone(&self.replies).try_acquire_owned() else {
            tracing::warn!("the server asks more than it takes answers for; it gets none");
            return;
        };
        let live = Arc::clone(self);
        task::spawn(async move {
            let _ = tokio::time::timeout(OWN_TIME, live.send(&remote, message)).await;
            drop(turn);
        });
    }

    /// Asks the server something of this program's own; gives its response.
    pub(super) async fn ask(
        self: &Arc<Self>,
        remote: &Arc<Remote>,
        method: &str,
        params: &str,
        patience: Patience,
    ) -> Result<Message, Failure> {
        let id = remote.sessions.own_id();
        let message = Message::request(&id, method, params);
        let (sender, mut answer) = oneshot::channel();
        lock(&self.awaited).insert(id.clone(), sender);
        let _awaited = Awaited { live: self, id };
        let post = self.post(message, patience);
        let inbox = inbox::of_session(Arc::downgrade(self));
        let asked = attempts(remote, &post, &inbox);
        let outcome = match within(method) {
            None => asked.await,
            Some(within) => match tokio::time::timeout(within, asked).await {
                Ok(outcome) => outcome,
                Err(_) => Outcome::Failed(Failure::timeout(&remote.endpoint().host(), within)),
            },
        };
        match (outcome, answer.try_recv()) {
            (Outcome::Failed(failure) | Outcome::SessionLost(failure), Err(_)) => Err(failure),
            (_, Ok(response)) => Ok(response),
            _ => Err(Failure::internal("an exchange ended without its answer")),
        }
    }

    /// Makes sure that the server tells what is logged at this level.
    pub(super) async fn want_level(self: &Arc<Self>, remote: &Arc<Remote>, wanted: Level) {
        let logs = crate::jsonrpc::edit::member(self.capabilities(), "logging")
            .is_some_and(|value| value.starts_with('{'));
        let mut level = self.level.lock().await;
        if !logs || level.is_some_and(|level| level <= wanted) {
            return;
        }
        let params = format!("{{\"level\":\"{}\"}}", wanted.name());
        match self.ask(remote, "logging/setLevel", &params, Patience::Once).await {
            Ok(_) => *level = Some(wanted),
            Err(failure) => {
                tracing::warn!("the log level was not set: {}", failure.what);
                // A call has waited for that, and no other one shall.
                if failure.kind == FailureKind::Timeout {
                    *level = Some(wanted);
                }
            }
        }
    }

    // ---- the calls

    /// Enters a call under its own id, or under one of ours where that is taken (a call that is held has the
    /// id of its first attempt, which is free for the client).
    pub(super) fn enter(&self, remote: &Remote, id: &Id, mailbox: Mailbox) -> Id {
        let mut calls = lock(&self.calls);
        let id = if calls.contains_key(id) || lock(&self.awaited).contains_key(id) {
            remote.sessions.own_id()
        } else {
            id.clone()
        };
        calls.insert(id.clone(), mailbox);
        id
    }

    /// Whether nothing is under way in it.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        lock(&self.calls).is_empty() && lock(&self.awaited).is_empty()
    }

    /// The call is over.
    pub(super) fn forget(&self, id: &Id) {
        lock(&self.calls).remove(id);
    }

    fn mailbox(&self, id: &Id) -> Option<Mailbox> {
        lock(&self.calls).get(id).cloned()
    }

    /// The one call that fits; none if there are several.
    fn only(&self, fits: impl Fn(&Mailbox) -> bool) -> Option<Mailbox> {
        let calls = lock(&self.calls);
        let mut fitting = calls.values().filter(|mailbox| fits(mailbox));
        let only = fitting.next()?;
        fitting.next().is_none().then(|| only.clone())
    }

    // ---- what comes in

    /// A response that came by another way than the call's own stream.
    pub(super) fn response(&self, message: Message) {
        let Some(id) = message.response_id() else {
            tracing::debug!("an error of the server names no request");
            return;
        };
        let awaited = lock(&self.awaited).remove(id);
        match (awaited, self.mailbox(id)) {
            (Some(awaited), _) => drop(awaited.send(message)),
            (None, Some(mailbox)) => drop(mailbox.put_now(Came::Message(message))),
            (None, None) => tracing::debug!(%id, "a response to no open request was dropped"),
        }
    }

    /// A request of the server, that came with this call or with none: the question for the client and where
    /// it is to be put. Anything else is answered here.
    pub(super) fn question(
        self: &Arc<Self>,
        request: &Message,
        with: Option<&Mailbox>,
    ) -> Option<(Mailbox, Came)> {
        let id = request.id()?.clone();
        if request.method() == Some("ping") {
            self.reply(Message::result(&id, "{}"));
            return None;
        }
        let entry = self.entry.upgrade()?;
        let call = match with {
            Some(call) => Some(call.clone()).filter(|call| call.may_be_asked),
            None => self.only(|call| call.may_be_asked),
        };
        let refuse = |code: i32, why: &str| self.refuse(request, code, why);
        match (to_input(request, entry.capabilities()), call) {
            (Asked::Input(input), Some(call)) => return Some((call, Came::Question(id, input))),
            (Asked::Input(_), None) => {
                refuse(METHOD_NOT_FOUND, "no call is open that can carry this to the client");
            }
            (Asked::Unknown(why), _) => refuse(METHOD_NOT_FOUND, &why),
            (Asked::Invalid(why), _) => refuse(INVALID_PARAMS, &why),
        }
        None
    }

    /// Tells the server that a request of its own is not answered.
    pub(super) fn refuse(self: &Arc<Self>, request: &Message, code: i32, why: &str) {
        tracing::debug!(method = request.method(), why, "a request of the server was refused");
        let error = serde_json::json!({ "code": code, "message": why });
        self.reply(Message::error(request.id(), &error.to_string()));
    }

    /// Whether a notification is none of the call's that it came with, and was dealt with here.
    pub(super) fn takes(&self, notification: &Message) -> bool {
        let method = notification.method().unwrap_or_default();
        if change::is_change(method) {
            if let Some(entry) = self.entry.upgrade() {
                entry.hub.tell(notification);
            }
            return true;
        }
        match method {
            "notifications/elicitation/complete" => {
                tracing::debug!("a modern client learns by asking again that a page is done");
                true
            }
            "notifications/tasks/status" => {
                tracing::warn!("news of a task was dropped: tasks differ between the eras");
                true
            }
            _ => false,
        }
    }

    /// A notification that came with no call.
    pub(super) fn notification(&self, message: Message) {
        if self.takes(&message) {
            return;
        }
        let is_shared = self.session().is_some_and(|it| matches!(it.carrier, Carrier::Channel(_)));
        let call = match message.method().unwrap_or_default() {
            "notifications/progress" => {
                let token = progress::token(&message);
                self.only(|call| call.token.is_some() && call.token.as_deref() == token)
            }
            "notifications/cancelled" => self.only(|call| call.may_be_asked),
            // On HTTP+SSE there is but one stream, for what belongs to a call too.
            _ if is_shared => self.only(|_| true),
            _ => None,
        };
        match call {
            Some(call) => {
                if !call.put_now(Came::Message(message)) {
                    tracing::warn!(
                        "a call hears more than is kept for it; a notification was left out"
                    );
                }
            }
            None => tracing::debug!(method = message.method(), "a notification was dropped"),
        }
    }
}
