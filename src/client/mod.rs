//! An MCP client of our own in front of the relay, in the same process: behind `tools`, `call` and whatever else
//! uses a server for a person. It speaks to the engine that serves desktop clients, and keeps the server's bytes
//! (ADR 14).

mod arguments;
mod failed;
mod output;
mod pretty;
mod schema;

pub use arguments::{Target, from_json, from_pairs, texts};
pub use failed::{Failed, Refusal};
pub use pretty::pretty;
pub use schema::{Root, in_words, typed};

use std::collections::VecDeque;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, LocalBoxFuture};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::jsonrpc::{Id, Kind, METHOD_NOT_FOUND, Message, edit, read};
use crate::relay::{ClientSide, Relay};
use crate::stdio::{Line, Writer};
use output::Output;

/// Messages of the server that wait for the client before its streams are left unread.
const WAITING: usize = 64;
/// Pages of a list that are asked for. A server may have no last one.
const MAX_PAGES: usize = 500;
/// Bytes of a list after which no further page is asked for.
const MAX_LIST: usize = 64 * 1024 * 1024;
/// Questions of a server that wait for the person. One more is refused.
const MAX_QUESTIONS: usize = 16;
/// The revision that is asked for: the last one with a handshake. Servers of the other era are translated.
const REVISION: &str = "2025-11-25";

/// What a client has of its user.
pub trait Host {
    /// Whether somebody can be asked. Nothing is declared to the server otherwise.
    fn can_ask(&self) -> bool;
    /// Whether somebody sees the progress.
    fn shows_progress(&self) -> bool;
    /// The server says how far it is: `notifications/progress`.
    fn progress(&self, params: &Value);
    /// The server logs something: `notifications/message`.
    fn log(&self, params: &Value);
    /// The server asks something (`elicitation/create`): the parameters and the result are JSON text.
    fn elicit(&self, params: String) -> LocalBoxFuture<'_, String>;
}

/// A client whose messages go through a relay.
pub struct Client<'h> {
    host: &'h dyn Host,
    lines: mpsc::Sender<Vec<Line>>,
    messages: mpsc::Receiver<Message>,
    told_to_end: BoxFuture<'static, ()>,
    requests: u64,
}

/// A question of the server that the person is at.
type Question<'h> = (Id, LocalBoxFuture<'h, String>);

/// Runs a relay and a client in front of it, until the errand with the client is done and its session is over.
/// Its handshake is [`Client::open`].
///
/// # Errors
/// The system has no thread to give.
pub async fn with_client<T>(
    relay: Relay<'_>,
    host: &dyn Host,
    told_to_end: BoxFuture<'static, ()>,
    errand: impl AsyncFnOnce(&mut Client<'_>) -> T,
) -> std::io::Result<T> {
    let (lines, received) = mpsc::channel(WAITING);
    let (output, messages) = Output::new(WAITING);
    let side = ClientSide {
        lines: received,
        writer: Writer::spawn(output)?,
        told_to_end: std::future::pending().boxed(),
        parent_gone: std::future::pending().boxed(),
    };
    let mut client = Client { host, lines, messages, told_to_end, requests: 0 };
    let errand = async {
        let done = errand(&mut client).await;
        let Client { lines, mut messages, .. } = client;
        drop(lines);
        // What still comes is taken, so that nothing before it is held up.
        while messages.recv().await.is_some() {}
        done
    };
    Ok(tokio::join!(relay.run(side), errand).1)
}

impl Client<'_> {
    /// The handshake. Gives the result of `initialize`: JSON text.
    ///
    /// # Errors
    /// The server can't be reached, or refuses.
    pub async fn open(&mut self) -> Result<String, Failed> {
        let capabilities = if self.host.can_ask() {
            json!({ "elicitation": { "form": {}, "url": {} } })
        } else {
            json!({})
        };
        let params = json!({
            "protocolVersion": REVISION,
            "capabilities": capabilities,
            "clientInfo": { "name": "bridge", "version": env!("CARGO_PKG_VERSION") },
        });
        let hello = self.request("initialize", &params.to_string()).await?;
        self.send(Message::notification("notifications/initialized", None)).await?;
        Ok(hello)
    }

    /// A request, and the result of its response as the relay delivered it: JSON text on one line. Meanwhile
    /// the server's questions are answered and its notifications shown.
    ///
    /// # Errors
    /// The response is an error, or the person ended it: then the server is told.
    pub async fn request(&mut self, method: &str, params: &str) -> Result<String, Failed> {
        self.requests += 1;
        let id = Id::own(self.requests);
        self.send(Message::request(&id, method, params)).await?;
        let mut questions: VecDeque<Question<'_>> = VecDeque::new();
        loop {
            let message = tokio::select! {
                biased;
                () = &mut self.told_to_end => {
                    self.told_to_end = std::future::pending().boxed();
                    self.cancel(&id).await?;
                    return Err(Failed::Interrupted);
                }
                message = self.messages.recv() => message.ok_or(Failed::Gone)?,
                answer = first(&mut questions) => {
                    self.send(answer).await?;
                    continue;
                }
            };
            if message.answers(&id) {
                return result(&message);
            }
            if let Some(answer) = heard(self.host, message, &mut questions) {
                self.send(answer).await?;
            }
        }
    }

    /// A request of which the server is to say how far it is, where that is shown. `params` is a JSON object.
    ///
    /// # Errors
    /// As for any other.
    pub async fn request_with_progress(
        &mut self,
        method: &str,
        params: &str,
    ) -> Result<String, Failed> {
        let token = format!("{{\"progressToken\":{}}}", self.requests + 1);
        let wanted = self.host.shows_progress();
        let params = crate::jsonrpc::object::with_first(params, "_meta", &token)
            .filter(|_| wanted)
            .unwrap_or_else(|| params.to_owned());
        self.request(method, &params).await
    }

    /// All pages of a list, each the result of one request.
    ///
    /// # Errors
    /// As for any request; or the list has more pages than are asked for. A server that does not know the method
    /// (JSON-RPC 2.0 §5.1) has nothing of the kind: no page.
    pub async fn list(&mut self, method: &str) -> Result<Vec<String>, Failed> {
        let mut pages: Vec<String> = Vec::new();
        let mut params = "{}".to_owned();
        let mut length = 0;
        while pages.len() < MAX_PAGES && length < MAX_LIST {
            let page = match self.request(method, &params).await {
                // What a server does not offer, it does not know how to list.
                Err(Failed::Refused(refusal))
                    if pages.is_empty() && refusal.code == i64::from(METHOD_NOT_FOUND) =>
                {
                    return Ok(pages);
                }
                page => page?,
            };
            length += page.len();
            let cursor = read::next_cursor(&page).map(|cursor| format!("{{\"cursor\":{cursor}}}"));
            pages.push(page);
            match cursor {
                // The same again would give the same again.
                Some(next) if next != params => params = next,
                _ => return Ok(pages),
            }
        }
        Err(Failed::Endless)
    }

    /// Waits for something between two requests, unless the person ends it.
    ///
    /// # Errors
    /// The person ended it.
    pub async fn until_ended<T>(
        &mut self,
        waited_for: impl Future<Output = T>,
    ) -> Result<T, Failed> {
        tokio::select! {
            done = waited_for => Ok(done),
            () = &mut self.told_to_end => {
                self.told_to_end = std::future::pending().boxed();
                Err(Failed::Interrupted)
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Failed> {
        let line = Line::Text(message.bytes().clone());
        self.lines.send(vec![line]).await.map_err(|_| Failed::Gone)
    }

    async fn cancel(&mut self, id: &Id) -> Result<(), Failed> {
        let params = format!("{{\"requestId\":{id},\"reason\":\"the person ended it\"}}");
        self.send(Message::notification("notifications/cancelled", Some(&params))).await
    }
}

/// The elements of a list in a result, each as its JSON text; none where there is no list.
pub fn elements<'a>(result: &'a str, name: &str) -> Vec<&'a str> {
    let list = edit::member(result, name).unwrap_or_default();
    let raw: Vec<&RawValue> = serde_json::from_str(list).unwrap_or_default();
    raw.into_iter().map(RawValue::get).collect()
}

/// The answer to the first of the questions; the next one is asked after it.
async fn first(questions: &mut VecDeque<Question<'_>>) -> Message {
    let Some((id, answer)) = questions.front_mut() else { return std::future::pending().await };
    let answer = Message::result(id, &answer.await);
    questions.pop_front();
    answer
}

fn result(response: &Message) -> Result<String, Failed> {
    match read::result(response) {
        Some(result) if !matches!(response.kind(), Kind::Response { failed: true, .. }) => {
            Ok(result.to_owned())
        }
        _ => Err(Failed::Refused(Refusal::of(response))),
    }
}

/// Takes note of what the server says meanwhile; gives what is answered at once.
fn heard<'h>(
    host: &'h dyn Host,
    message: Message,
    questions: &mut VecDeque<Question<'h>>,
) -> Option<Message> {
    let params = || {
        let text = read::params(&message)?;
        serde_json::from_str::<Value>(text).ok()
    };
    match message.kind() {
        Kind::Notification { method } => {
            match &**method {
                "notifications/progress" => host.progress(&params()?),
                "notifications/message" => host.log(&params()?),
                // The question is taken back.
                "notifications/cancelled" => {
                    let taken_back = read::cancelled_request(&message)?;
                    questions.retain(|(id, _)| *id != taken_back);
                }
                _ => {}
            }
            None
        }
        Kind::Request { id, method } => {
            let room = questions.len() < MAX_QUESTIONS;
            match &**method {
                "ping" => Some(Message::result(id, "{}")),
                "roots/list" => Some(Message::result(id, "{\"roots\":[]}")),
                "elicitation/create" if host.can_ask() && room => {
                    let params = read::params(&message).unwrap_or("{}").to_owned();
                    questions.push_back((id.clone(), host.elicit(params)));
                    None
                }
                _ => Some(refused(id, method)),
            }
        }
        Kind::Response { .. } => None,
    }
}

fn refused(id: &Id, method: &str) -> Message {
    let message = format!("a command in a shell can't answer `{method}`");
    Message::error(Some(id), &json!({ "code": METHOD_NOT_FOUND, "message": message }).to_string())
}
