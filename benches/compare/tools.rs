//! What the mock server answers.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// How many notifications one answer of `notify` carries.
pub const NOTIFICATIONS: usize = 20_000;

/// How large the result of `big` is, in bytes.
pub const BIG: usize = 50_000_000;

/// What one write to a socket carries at most.
const PIECE: usize = 64 * 1024;

const INITIALIZED: &str = concat!(
    r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}},"#,
    r#""serverInfo":{"name":"mock","version":"1"}}"#
);

const TOOLS: &str = concat!(
    r#"{"tools":["#,
    r#"{"name":"echo","description":"Says it again","inputSchema":{"type":"object"}},"#,
    r#"{"name":"sleep","description":"Answers late","inputSchema":{"type":"object"}},"#,
    r#"{"name":"notify","description":"Tells a lot","inputSchema":{"type":"object"}},"#,
    r#"{"name":"big","description":"Answers at length","inputSchema":{"type":"object"}}]}"#
);

const DISCOVERED: &str = concat!(
    r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"#,
    r#""capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"public"}"#
);

/// What is sent back for one message.
pub enum Answer {
    /// Nothing: it was no request.
    Accepted,
    /// An answer, perhaps late.
    Json(Duration, String),
    /// A JSON answer in pieces.
    LongJson(Vec<Bytes>),
    /// An event stream in pieces.
    Events(Vec<Bytes>),
}

#[derive(Deserialize)]
struct Message<'body> {
    #[serde(borrow)]
    id: Option<&'body RawValue>,
    #[serde(borrow)]
    method: Cow<'body, str>,
    #[serde(borrow)]
    params: Option<&'body RawValue>,
}

#[derive(Deserialize)]
struct Call<'body> {
    #[serde(borrow)]
    name: Cow<'body, str>,
    arguments: Arguments<'body>,
}

#[derive(Deserialize)]
struct Arguments<'body> {
    #[serde(borrow)]
    text: Option<Cow<'body, str>>,
    ms: Option<u64>,
    events: Option<bool>,
}

/// Answers one message, and says whether it began a session.
pub fn answer(body: &[u8]) -> serde_json::Result<(Answer, bool)> {
    let message: Message<'_> = serde_json::from_slice(body)?;
    let Some(id) = message.id.map(RawValue::get) else { return Ok((Answer::Accepted, false)) };
    let result = match &*message.method {
        "initialize" => return Ok((now(id, INITIALIZED), true)),
        "tools/list" => now(id, TOOLS),
        "ping" => now(id, "{}"),
        "tools/call" => {
            call(id, &serde_json::from_str(message.params.map_or("null", RawValue::get))?)
        }
        _ => Answer::Json(Duration::ZERO, refusal(id)),
    };
    Ok((result, false))
}

/// Answers one message as a server without sessions does (MCP 2026-07-28); `None` where the method is none of
/// that revision.
pub fn modern_answer(body: &[u8]) -> serde_json::Result<Option<Answer>> {
    let message: Message<'_> = serde_json::from_slice(body)?;
    let Some(id) = message.id.map(RawValue::get) else { return Ok(Some(Answer::Accepted)) };
    let complete = |result: &str| result.replacen('{', r#"{"resultType":"complete","#, 1);
    let listed = || complete(TOOLS).replacen('{', r#"{"ttlMs":0,"cacheScope":"public","#, 1);
    Ok(match &*message.method {
        "server/discover" => Some(now(id, DISCOVERED)),
        "tools/list" => Some(now(id, &listed())),
        "tools/call" => Some(now(id, &complete(&text("hello")))),
        _ => None,
    })
}

fn call(id: &str, call: &Call<'_>) -> Answer {
    let arguments = &call.arguments;
    match &*call.name {
        "echo" => now(id, &text(arguments.text.as_deref().unwrap_or_default())),
        "sleep" => Answer::Json(
            Duration::from_millis(arguments.ms.unwrap_or_default()),
            response(id, &text("rested")),
        ),
        "notify" => Answer::Events(notify(id)),
        "big" if arguments.events == Some(true) => Answer::Events(big(id, "data: ", "\n\n")),
        "big" => Answer::LongJson(big(id, "", "")),
        _ => Answer::Json(Duration::ZERO, refusal(id)),
    }
}

fn now(id: &str, result: &str) -> Answer {
    Answer::Json(Duration::ZERO, response(id, result))
}

fn response(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

fn refusal(id: &str) -> String {
    let error = r#"{"code":-32601,"message":"Method not found"}"#;
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#)
}

fn text(text: &str) -> String {
    format!(r#"{{"content":[{{"type":"text","text":"{text}"}}]}}"#)
}

/// Each event is a piece: servers write, and so chunk, event by event.
fn notify(id: &str) -> Vec<Bytes> {
    let event = |message: String| Bytes::from(format!("data: {message}\n\n"));
    let notification = |number| {
        let params = format!(r#"{{"level":"info","data":"line {number}"}}"#);
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{params}}}"#)
    };
    static ALL: OnceLock<Vec<Bytes>> = OnceLock::new();
    let notifications =
        ALL.get_or_init(|| (0..NOTIFICATIONS).map(|number| event(notification(number))).collect());
    let last = event(response(id, &text("told")));
    notifications.iter().cloned().chain([last]).collect()
}

/// A result of [`BIG`] bytes between what opens and what closes it.
fn big(id: &str, open: &str, close: &str) -> Vec<Bytes> {
    static FILLING: OnceLock<Bytes> = OnceLock::new();
    let filling = FILLING.get_or_init(|| vec![b'x'; BIG].into());
    let envelope = response(id, &text("|"));
    let (head, tail) = envelope.split_once('|').unwrap_or_default();
    let (head, tail) = (format!("{open}{head}"), format!("{tail}{close}"));
    std::iter::once(head.into()).chain(pieces(filling)).chain([tail.into()]).collect()
}

fn pieces(whole: &Bytes) -> impl Iterator<Item = Bytes> {
    (0..whole.len()).step_by(PIECE).map(|at| whole.slice(at..whole.len().min(at + PIECE)))
}
