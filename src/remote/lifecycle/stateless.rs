//! A legacy client before a modern server: the session that the client believes in, and what is answered
//! without the server.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::header::HeaderValue;
use serde_json::json;
use tokio::sync::{Notify, mpsc};

use super::modern::{LOG_LEVEL, VERSION};
use super::probe::declaration;
use super::translate::for_legacy_client::handshake::{Hello, Offers};
use super::translate::for_legacy_client::request::{self, Answers};
use super::{mirrored, rounds};
use crate::jsonrpc::{INVALID_PARAMS, Id, Kind, METHOD_NOT_FOUND, Message};
use crate::remote::exchange::{Outcome, Post, attempts};
use crate::remote::{Recipient, Remote};

/// Resources that a client may hear of; a filter of more would not be taken by any server.
const MAX_RESOURCES: usize = 1_000;
/// Requests that wait for a sign-in of which the client's answers are kept, and the bytes of one.
const MAX_PARKED: usize = 16;
const MAX_PARKED_BYTES: usize = 1024 * 1024;
/// What the two eras have under one name and with other messages.
const TASKS: [&str; 4] = ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"];

/// What such a session keeps, since the server keeps nothing.
#[derive(Debug)]
pub struct Stateless {
    pub(super) client: Hello,
    pub(super) offers: Offers,
    kept: Mutex<Kept>,
    /// The client wants to hear of other resources.
    pub(super) resources_changed: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    /// As JSON text.
    log_level: Option<String>,
    /// The resources that the client wants to hear of.
    resources: BTreeSet<String>,
    /// The questions that it was asked.
    asked: HashMap<Id, Asked>,
    /// Counts them.
    questions: u64,
    /// Requests that met a sign-in after the client was asked.
    parked: VecDeque<Parked>,
}

/// How far a request came before it met a sign-in, after which the same one comes again.
#[derive(Debug)]
struct Parked {
    request: Message,
    round: usize,
    answers: Answers,
}

/// Who waits for the answer to a question, and which of its questions it is.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) number: usize,
    pub(super) by: mpsc::UnboundedSender<(usize, Message)>,
}

impl Stateless {
    /// A session for this client with the server that discovered itself so.
    pub(super) fn new(client: Hello, offers: Offers) -> Self {
        Self { client, offers, kept: Mutex::default(), resources_changed: Notify::new() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each request says of itself, as members of `_meta`.
    pub(super) fn declaration(&self) -> String {
        let level = self.kept().log_level.clone();
        let level = level.map(|level| format!(",\"{LOG_LEVEL}\":{level}"));
        declaration(self.client.asker()) + &level.unwrap_or_default()
    }

    /// The resources that the client wants to hear of.
    pub(super) fn resources(&self) -> Vec<String> {
        self.kept().resources.iter().cloned().collect()
    }

    /// Takes note of a question; gives the id that it is asked under.
    pub(super) fn ask(&self, asked: Asked) -> Id {
        let mut kept = self.kept();
        kept.questions += 1;
        let id = Id::own_question(kept.questions);
        kept.asked.insert(id.clone(), asked);
        id
    }

    /// Takes a question back; whether it was still open.
    pub(super) fn withdraw(&self, id: &Id) -> bool {
        self.kept().asked.remove(id).is_some()
    }

    /// Keeps what the client answered to a request that comes again when somebody has signed in: it is not
    /// asked twice, and the server does not begin twice.
    pub(super) fn park(&self, request: &Message, round: usize, answers: Answers) {
        if request.bytes().len() + answers.len() > MAX_PARKED_BYTES {
            return;
        }
        let parked = &mut self.kept().parked;
        parked.truncate(MAX_PARKED - 1);
        parked.push_front(Parked { request: request.clone(), round, answers });
    }

    /// Where a request goes on that was parked; any other begins.
    pub(super) fn unpark(&self, request: &Message) -> (usize, Answers) {
        let parked = &mut self.kept().parked;
        let at = parked.iter().position(|each| each.request.bytes() == request.bytes());
        let found = at.and_then(|at| parked.remove(at));
        found.map(|Parked { round, answers, .. }| (round, answers)).unwrap_or_default()
    }

    /// The client answers a question.
    pub(super) fn take_answer(&self, answer: &Message) {
        let asked = answer.id().and_then(|id| self.kept().asked.remove(id));
        match asked {
            // Whoever asked may be gone by now.
            Some(Asked { number, by }) => drop(by.send((number, answer.clone()))),
            None => tracing::debug!("an answer to no open question was dropped"),
        }
    }

    /// What is answered without the server.
    fn own_answer(&self, message: &Message, id: &Id, method: &str) -> Option<Message> {
        let done = || Message::result(id, "{}");
        match method {
            "ping" => Some(done()),
            "logging/setLevel" => Some(match request::log_level(message) {
                Some(level) => {
                    self.kept().log_level = Some(level.to_owned());
                    done()
                }
                None => refusal(id, INVALID_PARAMS, "the level is none of the specification's"),
            }),
            "resources/subscribe" | "resources/unsubscribe" => {
                Some(self.subscribe(message, id, method))
            }
            _ if TASKS.contains(&method) => {
                let why = format!("{method}: tasks of this revision are unknown to the server");
                Some(refusal(id, METHOD_NOT_FOUND, &why))
            }
            "tools/call" if request::wants_task(message) => {
                let why =
                    "tasks of this revision are unknown to the server: call it without `task`";
                Some(refusal(id, INVALID_PARAMS, why))
            }
            _ => None,
        }
    }

    /// As if the client had subscribed to it.
    #[cfg(test)]
    pub(super) fn listen_to(&self, uri: &str) {
        self.kept().resources.insert(uri.to_owned());
        self.resources_changed.notify_one();
    }

    fn subscribe(&self, message: &Message, id: &Id, method: &str) -> Message {
        if !self.offers.subscribe {
            let why = format!("{method}: the server tells of no changes of resources");
            return refusal(id, METHOD_NOT_FOUND, &why);
        }
        let Some(uri) = request::resource(message) else {
            return refusal(id, INVALID_PARAMS, "no resource is named");
        };
        let mut kept = self.kept();
        let changed = if method == "resources/unsubscribe" {
            kept.resources.remove(&*uri)
        } else if kept.resources.len() < MAX_RESOURCES {
            kept.resources.insert(uri.into_owned())
        } else {
            let why = format!("more than {MAX_RESOURCES} resources are not listened to at once");
            return refusal(id, INVALID_PARAMS, &why);
        };
        drop(kept);
        if changed {
            self.resources_changed.notify_one();
        }
        Message::result(id, "{}")
    }
}

fn refusal(id: &Id, code: i32, why: &str) -> Message {
    Message::error(Some(id), &json!({ "code": code, "message": why }).to_string())
}

/// Carries a message of the client.
pub(in crate::remote) async fn exchange(
    remote: &Remote,
    session: &Arc<Stateless>,
    post: &Post,
    receive: &Recipient,
) -> Outcome {
    match post.message.kind() {
        Kind::Response { .. } => {
            session.take_answer(&post.message);
            Outcome::Accepted
        }
        Kind::Notification { method } => notify(remote, post, method, receive).await,
        Kind::Request { id, method } => match session.own_answer(&post.message, id, method) {
            Some(answer) => {
                receive.receive(answer).await;
                Outcome::Answered
            }
            None => rounds::carry(remote, session, post, receive).await,
        },
    }
}

/// A notification. Those of the legacy era are of no use to the server.
async fn notify(remote: &Remote, post: &Post, method: &str, receive: &Recipient) -> Outcome {
    match method {
        "notifications/initialized"
        | "notifications/cancelled"
        | "notifications/progress"
        | "notifications/roots/list_changed" => return Outcome::Accepted,
        "notifications/tasks/status" => {
            tracing::warn!("`{method}` was dropped: the server does not know such tasks");
            return Outcome::Accepted;
        }
        _ => {}
    }
    let version = HeaderValue::from_static(VERSION);
    let headers = mirrored::of_notification(&post.message, version);
    let post = Post { session: None, mirrored: Some(Arc::new(headers)), ..post.clone() };
    attempts(remote, &post, receive).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::read;
    use bytes::Bytes;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn session(offers: Offers) -> Stateless {
        Stateless::new(Hello::of(&message(r#"{"id":0,"method":"initialize"}"#)), offers)
    }

    fn answered(session: &Stateless, method: &str, params: &str) -> Option<Result<(), i32>> {
        let request = format!("{{\"id\":7,\"method\":\"{method}\",\"params\":{params}}}");
        let request = message(&request);
        let answer = session.own_answer(&request, request.id().unwrap(), method)?;
        assert!(answer.answers_to(&request));
        Some(read::error_code(&answer).map_or(Ok(()), Err))
    }

    #[test]
    fn what_the_modern_era_has_not_is_answered_here() {
        let session = session(Offers { subscribe: true, ..Offers::default() });
        assert_eq!(answered(&session, "ping", "{}"), Some(Ok(())));
        assert_eq!(
            answered(&session, "logging/setLevel", r#"{"level":"loud"}"#),
            Some(Err(-32602))
        );
        assert!(!session.declaration().contains("logLevel"));
        assert_eq!(answered(&session, "logging/setLevel", r#"{"level":"info"}"#), Some(Ok(())));
        assert!(session.declaration().ends_with(r#""io.modelcontextprotocol/logLevel":"info""#));
        assert_eq!(answered(&session, "tools/list", "{}"), None);
        assert_eq!(answered(&session, "tools/call", "{}"), None);
    }

    #[test]
    fn tasks_are_refused_by_name() {
        let session = session(Offers::default());
        for method in TASKS {
            assert_eq!(answered(&session, method, "{}"), Some(Err(-32601)), "{method}");
        }
        assert_eq!(answered(&session, "tools/call", r#"{"task":{}}"#), Some(Err(-32602)));
        assert_eq!(answered(&session, "tools/call", r#"{"task":null}"#), None);
    }

    #[test]
    fn resources_are_listened_to_as_the_client_asks() {
        let listening = session(Offers { subscribe: true, ..Offers::default() });
        assert_eq!(answered(&listening, "resources/subscribe", r#"{"uri":"b"}"#), Some(Ok(())));
        assert_eq!(answered(&listening, "resources/subscribe", r#"{"uri":"a"}"#), Some(Ok(())));
        assert_eq!(answered(&listening, "resources/unsubscribe", r#"{"uri":"b"}"#), Some(Ok(())));
        assert_eq!(listening.resources(), ["a"]);
        assert_eq!(answered(&listening, "resources/subscribe", "{}"), Some(Err(-32602)));
        let deaf = session(Offers::default());
        let subscribed = answered(&deaf, "resources/subscribe", r#"{"uri":"a"}"#);
        assert_eq!(subscribed, Some(Err(-32601)));
    }

    #[test]
    fn resources_are_bounded() {
        let session = session(Offers { subscribe: true, ..Offers::default() });
        for n in 0..MAX_RESOURCES {
            let uri = format!("{{\"uri\":\"a:{n}\"}}");
            assert_eq!(answered(&session, "resources/subscribe", &uri), Some(Ok(())));
        }
        assert!(answered(&session, "resources/subscribe", r#"{"uri":"b"}"#).unwrap().is_err());
    }
}
