//! A modern client before a legacy server: the sessions that the client knows nothing of.
//!
//! Each set of capabilities that the client declares has one (`entry`, `live`). A request is a `call` in it,
//! which outlives the client's request when the server asks something: it is `held` until the client comes
//! back with its answers. What becomes of each message stands in `translate::for_modern_client`.

mod call;
mod entry;
mod held;
mod hub;
mod inbox;
mod live;
mod mailbox;
mod subscription;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;

use self::call::{Attempt, Call, Turn};
use self::entry::Entry;
use self::held::{HELD_FOR, Held, NotHeld};
use super::modern::{CLIENT_INFO, LOG_LEVEL};
use super::translate::for_modern_client::change::Filter;
use super::translate::for_modern_client::log_level::Level;
use super::translate::for_modern_client::{answer, capabilities, question, refusal, request};
use crate::jsonrpc::edit::member;
use crate::jsonrpc::{INVALID_PARAMS, Id, Kind, Message, read};
use crate::remote::exchange::{Outcome, Post};
use crate::remote::failure::{Failure, FailureKind, Fate};
use crate::remote::{Recipient, Remote};

/// Sessions at once.
const MAX_SESSIONS: usize = 4;

/// All sessions of this kind with a server.
#[derive(Default)]
pub(in crate::remote) struct Sessions {
    /// Those used last stand last.
    entries: Mutex<Vec<Arc<Entry>>>,
    held: Arc<Held<Call>>,
    ids: AtomicU64,
    generations: AtomicU64,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Entry>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a client uses them.
    pub(in crate::remote) fn are_used(&self) -> bool {
        !self.lock().is_empty()
    }

    /// An id for a request of this program's own.
    fn own_id(&self) -> Id {
        Id::own_request(self.ids.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The entry of a request. For a fifth the one that was not used for longest ends, of those in which
    /// nothing is under way.
    fn entry(&self, remote: &Arc<Remote>, message: &Message) -> Result<Arc<Entry>, Failure> {
        let mut entries = self.lock();
        let declared = request::capabilities(message);
        let key = capabilities::key(declared);
        if let Some(at) = entries.iter().position(|entry| entry.key == key) {
            let entry = entries.remove(at);
            entries.push(Arc::clone(&entry));
            return Ok(entry);
        }
        if entries.len() >= MAX_SESSIONS {
            // Held here only: nobody works in it.
            let idle = entries.iter().position(|entry| Arc::strong_count(entry) == 1);
            let Some(idle) = idle else { return Err(too_many(&remote.endpoint().host())) };
            let idle = entries.remove(idle);
            let remote = Arc::clone(remote);
            tokio::spawn(async move { end(&remote, &idle).await });
        }
        let client = request::declared(message, CLIENT_INFO).filter(|info| info.starts_with('{'));
        let entry = Arc::new(Entry::new(key, declared, client));
        entries.push(Arc::clone(&entry));
        Ok(entry)
    }

    /// Ends all sessions.
    pub(in crate::remote) async fn end(&self, remote: &Remote) {
        let entries = std::mem::take(&mut *self.lock());
        join_all(entries.iter().map(|entry| end(remote, entry))).await;
    }
}

async fn end(remote: &Remote, entry: &Entry) {
    if let Some(session) = entry.close().and_then(|live| live.session().cloned()) {
        remote.end_session(&session).await;
    }
}

/// A message of the modern era, for a server of the legacy one.
pub(in crate::remote) async fn exchange(
    remote: &Arc<Remote>,
    post: &Post,
    receive: &Recipient,
) -> Outcome {
    match post.message.kind() {
        Kind::Request { id, method } => {
            answered(remote, post, (id, method), receive).await.unwrap_or_else(|refusal| refusal)
        }
        Kind::Notification { method } => {
            // A request is cancelled by giving up its exchange, and nothing is initialized here.
            if !matches!(&**method, "notifications/cancelled" | "notifications/initialized") {
                to_all(remote, post).await;
            }
            Outcome::Accepted
        }
        Kind::Response { .. } => {
            tracing::warn!("an answer of the client was dropped: a modern client is not asked");
            Outcome::Accepted
        }
    }
}

/// A notification, to every session.
async fn to_all(remote: &Remote, post: &Post) {
    let entries = remote.sessions.lock().clone();
    let sessions = entries.iter().filter_map(|entry| entry.current());
    let sent = sessions.map(|live| {
        let message = post.message.clone();
        async move { live.send(remote, message).await }
    });
    for outcome in join_all(sent).await {
        if let Outcome::Failed(failure) | Outcome::SessionLost(failure) = outcome {
            tracing::warn!("a notification did not reach the server: {}", failure.what);
        }
    }
}

/// A request, to its answer. `Err` is an outcome too, of what did not come to the server.
async fn answered(
    remote: &Arc<Remote>,
    post: &Post,
    (id, method): (&Id, &str),
    receive: &Recipient,
) -> Result<Outcome, Outcome> {
    if let Some(error) = refusal::refusal(&post.message) {
        receive.receive(Message::error(Some(id), &error)).await;
        return Ok(Outcome::Answered);
    }
    let level = match request::declared(&post.message, LOG_LEVEL).map(Level::from_json) {
        Some(None) => {
            return Ok(refuse(receive, id, INVALID_PARAMS, "there is no such log level").await);
        }
        level => level.flatten(),
    };
    let token = read::progress_token(&post.message).map(str::to_owned);
    let attempt = Attempt { id: id.clone(), token, level };
    // The call that is held has its session.
    if let Some(state) = request::of_retry(&post.message, "requestState") {
        return resume(remote, post, &attempt, state, receive).await;
    }
    let entry = remote.sessions.entry(remote, &post.message).map_err(Outcome::Failed)?;
    if method == "subscriptions/listen" {
        return Ok(match Filter::of(&post.message) {
            Ok(filter) => subscription::serve(remote, entry, post, (id, filter), receive).await,
            Err(why) => refuse(receive, id, INVALID_PARAMS, &why).await,
        });
    }
    if method == "server/discover" {
        let live = entry.live(remote, None, post.patience).await.map_err(Outcome::Failed)?;
        receive.receive(Message::result(id, &answer::discovered(live.initialized()))).await;
        return Ok(Outcome::Answered);
    }
    if declined(&post.message) {
        let why = "the page that the server asks for was not visited, so that nothing was done";
        return Ok(refuse(receive, id, INVALID_PARAMS, why).await);
    }
    begin(remote, entry, post, &attempt, receive).await
}

async fn refuse(receive: &Recipient, id: &Id, code: i32, why: &str) -> Outcome {
    let error = serde_json::json!({ "code": code, "message": why });
    receive.receive(Message::error(Some(id), &error.to_string())).await;
    Outcome::Answered
}

/// Whether the client answers the pages of an error (-32042) with a no. Such a retry has no state: nothing
/// was done, so that it is a call like any other.
fn declined(message: &Message) -> bool {
    let answers = request::of_retry(message, "inputResponses").unwrap_or_default();
    let actions = crate::jsonrpc::object::entries(answers);
    actions
        .iter()
        .any(|(_, answer)| member(answer, "action").is_some_and(|action| action != "\"accept\""))
}

/// A request that was not sent before. A session that turns out to be lost is opened again, once.
async fn begin(
    remote: &Arc<Remote>,
    entry: Arc<Entry>,
    post: &Post,
    attempt: &Attempt,
    receive: &Recipient,
) -> Result<Outcome, Outcome> {
    let mut lost = None;
    loop {
        let opened = entry.live(remote, lost.as_ref(), post.patience).await;
        let live = opened.map_err(Outcome::Failed)?;
        if let Some(level) = attempt.level {
            live.want_level(remote, level).await;
        }
        let mut call = Call::begin(remote, Arc::clone(&entry), live, post, &attempt.id);
        match call.turn(attempt, receive).await {
            Turn::Ended(Outcome::SessionLost(_)) if lost.is_none() && !call.began => {
                lost = Some(Arc::clone(&call.live));
            }
            turn => return Ok(settle(remote, post, attempt, (call, turn), receive).await),
        }
    }
}

/// The retry of a request that the server interrupted with questions.
async fn resume(
    remote: &Arc<Remote>,
    post: &Post,
    attempt: &Attempt,
    state: &str,
    receive: &Recipient,
) -> Result<Outcome, Outcome> {
    let state: String = serde_json::from_str(state).unwrap_or_default();
    let held = &remote.sessions.held;
    let (number, mut call) = match held.take_by(&state, &request::essence(&post.message)) {
        Ok(taken) => taken,
        Err(NotHeld::Forged) => {
            let why = "this `requestState` was not given out here";
            return Ok(refuse(receive, &attempt.id, INVALID_PARAMS, why).await);
        }
        Err(NotHeld::OtherRequest) => {
            let why = "this `requestState` belongs to another request";
            return Ok(refuse(receive, &attempt.id, INVALID_PARAMS, why).await);
        }
        Err(gone) => return Err(Outcome::Failed(not_held(gone))),
    };
    let answers = request::of_retry(&post.message, "inputResponses").unwrap_or("{}");
    if let Err(failure) = call.answer(remote, answers).await {
        if failure.wants_person() {
            // The same request comes again when somebody has signed in.
            held.hold(number, call);
            return Err(Outcome::Failed(failure));
        }
        // The answers did not come to the server; the call did, long ago.
        return Err(Outcome::Failed(Failure { fate: Fate::Unknown, ..failure }));
    }
    if let Some(level) = attempt.level {
        call.live.want_level(remote, level).await;
    }
    let turn = call.turn(attempt, receive).await;
    Ok(settle(remote, post, attempt, (call, turn), receive).await)
}

/// What an attempt comes to for its client.
async fn settle(
    remote: &Arc<Remote>,
    post: &Post,
    attempt: &Attempt,
    (call, turn): (Call, Turn),
    receive: &Recipient,
) -> Outcome {
    let method = post.message.method().unwrap_or_default();
    let live = Arc::clone(&call.live);
    let modern =
        |response: &Message| answer::to_modern(response, &attempt.id, method, live.server_info());
    match turn {
        Turn::Answered(response) => {
            let visit = pages_first(post, &attempt.id, &response, live.server_info());
            receive.receive(visit.unwrap_or_else(|| modern(&response))).await;
            Outcome::Answered
        }
        Turn::Asked => {
            let essence = request::essence(&post.message);
            let Some((number, state)) = remote.sessions.held.next_state(&essence) else {
                let what = "the system gives no random numbers to keep a call by";
                return Outcome::Failed(Failure::internal(what));
            };
            let (id, info) = (&attempt.id, live.server_info());
            let asked = answer::input_required(id, call.inputs(), Some(&state), info);
            remote.sessions.held.hold(number, call);
            let unasked = Unasked { held: &remote.sessions.held, number, is_asked: false };
            receive.receive(asked).await;
            unasked.asked();
            Outcome::Answered
        }
        Turn::Ended(Outcome::Failed(failure) | Outcome::SessionLost(failure)) => {
            let own = failure.answer.as_deref().map(|answer| Box::new(modern(answer)));
            Outcome::Failed(Failure { answer: own, ..failure })
        }
        Turn::Ended(Outcome::Answered | Outcome::Accepted) => {
            Outcome::Failed(Failure::internal("an exchange ended without its answer"))
        }
    }
}

/// What the client is told in place of an error that asks for pages to be visited first.
fn pages_first(post: &Post, id: &Id, response: &Message, info: Option<&str>) -> Option<Message> {
    if read::error_code(response) != Some(answer::PAGES_FIRST) {
        return None;
    }
    let pages = answer::error_of(response).map(question::pages).unwrap_or_default();
    if pages.is_empty() || !request::may_be_asked(post.message.method().unwrap_or_default()) {
        return None;
    }
    if !capabilities::elicits_by_url(request::capabilities(&post.message)) {
        return Some(answer::pages_needed(id));
    }
    let keys: Vec<_> = (1..=pages.len()).map(|number| format!("page-{number}")).collect();
    let inputs = keys.iter().map(String::as_str).zip(pages.iter().map(String::as_str));
    Some(answer::input_required(id, inputs, None, info))
}

/// A call whose question is on its way to the client. Where that is cancelled nobody will come back.
struct Unasked<'a> {
    held: &'a Held<Call>,
    number: u64,
    is_asked: bool,
}

impl Unasked<'_> {
    fn asked(mut self) {
        self.is_asked = true;
    }
}

impl Drop for Unasked<'_> {
    fn drop(&mut self) {
        if !self.is_asked {
            drop(self.held.take(self.number));
        }
    }
}

fn not_held(why: NotHeld) -> Failure {
    let (kind, what) = match why {
        NotHeld::EarlierProcess => (
            FailureKind::Lost,
            "the call that these answers are for was made before bridge was started again"
                .to_owned(),
        ),
        NotHeld::Expired => {
            let minutes = HELD_FOR.as_secs() / 60;
            (
                FailureKind::Timeout,
                format!("the call that these answers are for was given up after {minutes} minutes"),
            )
        }
        _ => (
            FailureKind::Lost,
            "the call that these answers are for is not held any more".to_owned(),
        ),
    };
    Failure { fate: Fate::Unknown, ..Failure::settled(kind, None, what) }
}

fn too_many(host: &str) -> Failure {
    let what = format!(
        "{MAX_SESSIONS} sessions with {host} are in use, each for other capabilities of the client"
    );
    let hint = Some("try again when one of their requests has ended".into());
    let failure = Failure::settled(FailureKind::Busy, None, what);
    Failure { fate: Fate::NotExecuted, hint, ..failure }
}
