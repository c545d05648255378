//! A request of the client that is under way with the server, through all its attempts.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::AbortHandle;

use super::entry::Entry;
use super::inbox;
use super::live::Live;
use super::mailbox::{Came, Mail, Mailbox};
use crate::jsonrpc::edit::member;
use crate::jsonrpc::{Id, Kind, Message, read};
use crate::remote::exchange::{Outcome, Post, attempts};
use crate::remote::lifecycle::translate::for_modern_client::log_level::Level;
use crate::remote::lifecycle::translate::for_modern_client::{progress, request};
use crate::remote::{Failure, Recipient, Remote};
use crate::task;

/// How long the server may take to hear of a cancellation.
const CANCELLING: Duration = Duration::from_secs(5);

/// Questions that a client is asked at once.
const MAX_QUESTIONS: usize = 32;

/// A call.
pub(super) struct Call {
    pub(super) live: Arc<Live>,
    /// Keeps its session.
    _entry: Arc<Entry>,
    mail: Mail,
    questions: Vec<Question>,
    asked: u64,
    /// Whether anything came for it yet: then the server has begun to work on it.
    pub(super) began: bool,
    guard: Guard,
}

/// A question that the client was not asked yet, or did not answer.
struct Question {
    key: String,
    id: Id,
    input: String,
}

/// The client's request that a call works for now.
pub(super) struct Attempt {
    pub(super) id: Id,
    /// By which it hears of progress, as JSON text.
    pub(super) token: Option<String>,
    /// From which on it hears what is logged.
    pub(super) level: Option<Level>,
}

/// Where a call came to.
pub(super) enum Turn {
    /// The server's response, as it came.
    Answered(Message),
    /// The client has to be asked.
    Asked,
    /// It ended without.
    Ended(Outcome),
}

/// Ends a call that nobody waits for any more: the server is told, if it may have seen it.
struct Guard {
    remote: Weak<Remote>,
    live: Arc<Live>,
    id: Id,
    task: AbortHandle,
    handed_over: Arc<AtomicBool>,
    over: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.live.forget(&self.id);
        if self.over {
            return;
        }
        let task = self.task.clone();
        let runtime = tokio::runtime::Handle::try_current();
        let (Ok(_), Some(remote)) = (runtime, self.remote.upgrade()) else {
            return task.abort();
        };
        if !self.handed_over.load(Ordering::Relaxed) {
            return task.abort();
        }
        let params = format!("{{\"requestId\":{}}}", self.id);
        let message = Message::notification("notifications/cancelled", Some(&params));
        let live = Arc::clone(&self.live);
        task::spawn(async move {
            let _ = tokio::time::timeout(CANCELLING, live.send(&remote, message)).await;
            task.abort();
        });
    }
}

impl Call {
    /// Sends a request of the client in this session.
    pub(super) fn begin(
        remote: &Arc<Remote>,
        entry: Arc<Entry>,
        live: Arc<Live>,
        post: &Post,
        id: &Id,
    ) -> Self {
        let may_be_asked = request::may_be_asked(post.message.method().unwrap_or_default());
        let (mailbox, mail) = Mailbox::new(may_be_asked, read::progress_token(&post.message));
        let own = live.enter(remote, id, mailbox.clone());
        let message = request::to_legacy(&post.message);
        let message = if own == *id { message } else { message.with_id(&own) };
        let handed_over = Arc::<AtomicBool>::default();
        let post = Post {
            message,
            session: live.session().cloned(),
            repeatable: post.repeatable,
            patience: post.patience,
            handed_over: Arc::clone(&handed_over),
            mirrored: None,
        };
        let task =
            task::spawn(carry(Arc::clone(remote), Arc::clone(&live), post, mailbox, own.clone()));
        let guard = Guard {
            remote: Arc::downgrade(remote),
            live: Arc::clone(&live),
            id: own,
            task: task.abort_handle(),
            handed_over,
            over: false,
        };
        Self { live, _entry: entry, mail, questions: Vec::new(), asked: 0, began: false, guard }
    }

    /// Takes what comes, until the client has its answer or is to be asked. What comes besides is for the
    /// client at once.
    ///
    /// Questions that came together are asked together. None is waited for: one that comes a moment later is
    /// there when the client comes back, and asked then.
    pub(super) async fn turn(&mut self, attempt: &Attempt, receive: &Recipient) -> Turn {
        loop {
            let came = if self.questions.is_empty() {
                self.mail.next().await
            } else if self.questions.len() >= MAX_QUESTIONS {
                return Turn::Asked;
            } else {
                match self.mail.there() {
                    Some(came) => Some(came),
                    None => return Turn::Asked,
                }
            };
            let message = match came {
                Some(Came::Message(message)) => message,
                Some(Came::Question(id, input)) => {
                    self.began = true;
                    self.asked += 1;
                    let key = format!("question-{}", self.asked);
                    self.questions.push(Question { key, id, input });
                    continue;
                }
                Some(Came::Ended(outcome)) => {
                    self.guard.over = true;
                    return Turn::Ended(outcome);
                }
                None => {
                    self.guard.over = true;
                    let failure = Failure::internal("an exchange with the server broke down");
                    return Turn::Ended(Outcome::Failed(failure));
                }
            };
            self.began = true;
            if matches!(message.kind(), Kind::Response { .. }) {
                self.guard.over = true;
                return Turn::Answered(message);
            }
            if let Some(message) = self.notification(message, attempt) {
                receive.receive(message).await;
            }
        }
    }

    /// What of a notification is for the client.
    fn notification(&mut self, message: Message, attempt: &Attempt) -> Option<Message> {
        match message.method().unwrap_or_default() {
            "notifications/progress" => {
                let token = attempt.token.as_deref()?;
                Some(progress::with_token(&message, token))
            }
            "notifications/message" => {
                attempt.level.is_some_and(|level| level.lets_through(&message)).then_some(message)
            }
            "notifications/cancelled" => {
                let id = read::cancelled_request(&message);
                self.questions.retain(|question| Some(&question.id) != id.as_ref());
                None
            }
            _ => Some(message),
        }
    }

    /// The open questions: keys and input requests.
    pub(super) fn inputs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.questions.iter().map(|question| (&*question.key, &*question.input))
    }

    /// Gives the server the client's answers, as JSON text by key. Questions without one stay open.
    pub(super) async fn answer(&mut self, remote: &Remote, answers: &str) -> Result<(), Failure> {
        let mut open = Vec::new();
        let mut questions = std::mem::take(&mut self.questions).into_iter();
        let mut failed = None;
        for question in questions.by_ref() {
            let answer = member(answers, &question.key).filter(|answer| answer.starts_with('{'));
            let Some(answer) = answer else {
                open.push(question);
                continue;
            };
            let response = Message::result(&question.id, answer);
            if let Outcome::Failed(failure) | Outcome::SessionLost(failure) =
                self.live.send(remote, response).await
            {
                open.push(question);
                failed = Some(failure);
                break;
            }
        }
        open.extend(questions);
        self.questions = open;
        failed.map_or(Ok(()), Err)
    }
}

/// Carries the exchange of a call to its end, whoever waits for it.
async fn carry(remote: Arc<Remote>, live: Arc<Live>, post: Post, mailbox: Mailbox, id: Id) {
    let inbox = inbox::of_call(Arc::clone(&live), mailbox.clone(), id.clone());
    let carried = AssertUnwindSafe(attempts(&remote, &post, &inbox)).catch_unwind().await;
    let outcome = carried.unwrap_or_else(|_| {
        Outcome::Failed(Failure::internal("an exchange with the server broke down"))
    });
    mailbox.ended(outcome);
    live.forget(&id);
}
