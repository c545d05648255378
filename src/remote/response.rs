//! What a response is: an answer, an event stream, or a refusal and its reason.

use std::iter::Chain;
use std::time::Duration;
use std::{option, vec};

use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::value::RawValue;

use super::budget::Share;
use super::failure::{Failure, FailureKind, Fate};
use crate::clock::{Clock, SystemClock};
use crate::http::{Body, Fault, retry_after};
use crate::jsonrpc::edit::{into_line, member, member_at};
use crate::jsonrpc::{Kind, Malformed, Message, is_batch, split_batch};
use crate::printable::printable;

/// The cause of a failure that is a web page in place of an answer.
pub(super) const WEB_PAGE: &str =
    "a web page came instead of an answer, as from a captive portal or a gateway";
/// What to do about it.
const NO_WEB_PAGE: &str = "check that the address is that of an MCP endpoint, and that no sign-in page of the \
     network answers in its place";
/// What is read of a refusal.
const MAX_REFUSAL: usize = 1024 * 1024;
/// How long a refusal's body may take: its status says enough.
const REFUSAL_TIME: Duration = Duration::from_secs(5);
/// The same where it is an error that is passed on.
const ERROR_TIME: Duration = Duration::from_secs(60);
/// What is reserved for a body by the length that the server announces.
const MAX_RESERVED: usize = 256 * 1024 * 1024;
/// What is searched for the first line.
const MAX_READ: usize = 64 * 1024;
/// Characters of the first line of a body that go into an error.
const MAX_LINE: usize = 200;

/// Whether the body is an event stream.
pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    media_type(headers).eq_ignore_ascii_case("text/event-stream")
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim()
}

/// Why a body was not collected.
pub(super) enum Uncollected {
    /// More than allowed.
    TooLarge,
    /// It broke off.
    Broken(Fault),
}

/// Reads a body to its end, up to a bound.
pub(super) async fn collect(
    mut body: Body,
    limit: usize,
    share: &mut Share,
) -> Result<Vec<u8>, Uncollected> {
    let announced = body.announced_length().map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX));
    if announced > limit {
        return Err(Uncollected::TooLarge);
    }
    share.set(announced).await;
    let mut whole = Vec::with_capacity(announced.min(MAX_RESERVED));
    while let Some(chunk) = body.chunk().await.map_err(Uncollected::Broken)? {
        if whole.len() + chunk.len() > limit {
            return Err(Uncollected::TooLarge);
        }
        share.set(announced.max(whole.len() + chunk.len())).await;
        whole.extend_from_slice(&chunk);
    }
    Ok(whole)
}

/// Reads of a body what comes in time and fits.
pub(super) async fn collect_some(body: Body) -> Vec<u8> {
    let mut some = Vec::new();
    let reading = collect_up_to(body, MAX_REFUSAL, &mut some, None);
    let _ = tokio::time::timeout(REFUSAL_TIME, reading).await;
    some
}

/// Reads a refusal: a JSON-RPC error may be as large as any message, and is waited for longer.
pub(super) async fn collect_refusal(
    body: Body,
    headers: &HeaderMap,
    limit: usize,
    share: &mut Share,
) -> Vec<u8> {
    if !media_type(headers).to_ascii_lowercase().ends_with("json") {
        return collect_some(body).await;
    }
    let mut some = Vec::new();
    let reading = collect_up_to(body, limit, &mut some, Some(share));
    let _ = tokio::time::timeout(ERROR_TIME, reading).await;
    some
}

async fn collect_up_to(
    mut body: Body,
    limit: usize,
    some: &mut Vec<u8>,
    mut share: Option<&mut Share>,
) {
    while some.len() < limit
        && let Ok(Some(chunk)) = body.chunk().await
    {
        if let Some(share) = &mut share {
            share.set(some.len() + chunk.len()).await;
        }
        some.extend_from_slice(&chunk[..chunk.len().min(limit - some.len())]);
    }
}

/// The messages of a body. One, which is the rule, takes no memory of its own.
pub(super) enum Messages {
    One(Message),
    Batch(Vec<Message>),
}

impl Messages {
    /// The message if there is just one.
    pub(super) fn only(&self) -> Option<&Message> {
        match self {
            Self::One(message) => Some(message),
            Self::Batch(messages) => messages.first().filter(|_| messages.len() == 1),
        }
    }
}

impl IntoIterator for Messages {
    type Item = Message;
    type IntoIter = Chain<option::IntoIter<Message>, vec::IntoIter<Message>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, batch) = match self {
            Self::One(message) => (Some(message), Vec::new()),
            Self::Batch(messages) => (None, messages),
        };
        one.into_iter().chain(batch)
    }
}

/// The messages of a body: one, or those of a batch that are some.
///
/// # Errors
/// None of them is one: what is wrong with the first.
pub(super) fn messages(body: Vec<u8>) -> Result<Messages, Malformed> {
    let line = into_line(body);
    if !is_batch(&line) {
        return Message::parse(line).map(Messages::One);
    }
    let mut messages = Vec::new();
    let mut first_malformed = None;
    for part in split_batch(line)? {
        match Message::parse(part) {
            Ok(message) => messages.push(message),
            Err(malformed) => {
                tracing::debug!(why = malformed.why, "a part of an answer is no message");
                first_malformed.get_or_insert(malformed);
            }
        }
    }
    match first_malformed {
        Some(malformed) if messages.is_empty() => Err(malformed),
        _ => Ok(Messages::Batch(messages)),
    }
}

/// What a status of no success comes to, in words and by kind.
pub(super) fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8], host: &str) -> Failure {
    let wait = headers
        .get(RETRY_AFTER)
        .and_then(|value| retry_after(value.to_str().ok()?, SystemClock.wall()));
    let code = status.as_u16();
    let (kind, fate) = match code {
        401 => (FailureKind::SignInNeeded, Fate::Settled),
        403 => (FailureKind::Refused, Fate::Settled),
        404 | 410 => (FailureKind::NotFound, Fate::Settled),
        429 => (FailureKind::Busy, Fate::NotExecuted),
        503 if wait.is_some() => (FailureKind::Busy, Fate::NotExecuted),
        // The request went to a machine that does not serve this host (RFC 9110 §15.5.20).
        421 => (FailureKind::Status, Fate::NotExecuted),
        408 | 502..=504 => (FailureKind::Status, Fate::Unknown),
        _ => (FailureKind::Status, Fate::Settled),
    };
    let reason = status.canonical_reason().unwrap_or("no reason given");
    let line = first_line(body).unwrap_or_else(|| reason.to_owned());
    let what = format!("HTTP {code} from {host}: {}", clause(&line, code));
    Failure { fate, retry_after: wait, ..Failure::settled(kind, Some(code), what) }
}

/// The error that a body is, if it is a JSON-RPC error response.
pub(super) fn jsonrpc_error(body: Vec<u8>) -> Option<Message> {
    Message::parse(into_line(body)).ok().filter(is_jsonrpc_error)
}

/// Whether an error response is one of JSON-RPC: it says so, or its code is a number. Other APIs answer
/// with `{"error": …}` too.
pub(super) fn is_jsonrpc_error(message: &Message) -> bool {
    let Ok(text) = std::str::from_utf8(message.bytes()) else { return false };
    let numbered = || {
        let code = member_at(text, &["error", "code"]);
        code.is_some_and(|code| code.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
    };
    matches!(message.kind(), Kind::Response { failed: true, .. })
        && (member(text, "jsonrpc") == Some("\"2.0\"") || numbered())
}

/// A success that holds no answer: what it holds instead.
pub(super) fn not_an_answer(
    status: StatusCode,
    headers: &HeaderMap,
    line: Option<String>,
    host: &str,
) -> Failure {
    let media_type = media_type(headers);
    let html = media_type.eq_ignore_ascii_case("text/html");
    let code = status.as_u16();
    let described = match (line.as_deref().map(|line| clause(line, code)), media_type) {
        (None, _) => ": it is empty".to_owned(),
        (Some(line), _) if html => format!(" but a web page: {line}"),
        (Some(line), "") => format!(": {line}"),
        (Some(line), media_type) => format!(" ({media_type}): {line}"),
    };
    let what = format!("HTTP {code} from {host} is not an MCP answer{described}");
    let failure = Failure::settled(FailureKind::BadAnswer, Some(code), what);
    let cause = html.then(|| WEB_PAGE.to_owned());
    let hint = html.then(|| NO_WEB_PAGE.into());
    Failure { cause, hint, fate: Fate::Unknown, ..failure }
}

/// What a body says first, for a person: the message of a JSON error, the title of a page, else the
/// first line that is not empty.
pub(super) fn first_line(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_READ)]);
    let text = text.trim_start_matches('\u{feff}').trim();
    let line = json_message(text)
        .or_else(|| title(text))
        .or_else(|| text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned))?;
    let clean = printable(&line, MAX_LINE);
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

/// A line as a clause of an error: without the status, which is told anyway, and without the stop at its
/// end.
fn clause(line: &str, code: u16) -> &str {
    let line = line.strip_prefix(&format!("{code} ")).unwrap_or(line);
    line.trim_end_matches(['.', ':', ';', ','])
}

fn json_message(text: &str) -> Option<String> {
    let places: [&[&str]; 6] = [
        &["error", "message"],
        &["error_description"],
        &["message"],
        &["detail"],
        &["error"],
        &["title"],
    ];
    let found = places.iter().find_map(|place| json_string(member_at(text, place)?));
    found.or_else(|| {
        let errors: Vec<&RawValue> = serde_json::from_str(member(text, "errors")?).ok()?;
        json_string(member(errors.first()?.get(), "message")?)
    })
}

fn json_string(text: &str) -> Option<String> {
    serde_json::from_str(text).ok()
}

fn title(text: &str) -> Option<String> {
    if !text.starts_with('<') {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(text[start..end].trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(body: &str) -> String {
        first_line(body.as_bytes()).unwrap_or_default()
    }

    #[test]
    fn the_first_line_is_what_a_person_would_look_for() {
        assert_eq!(
            line(r#"{"error":{"code":"scope_required","message":"needs write"}}"#),
            "needs write"
        );
        assert_eq!(line(r#"{"error":"invalid_token"}"#), "invalid_token");
        assert_eq!(line(r#"{"errors":[{"message":"first"},{}]}"#), "first");
        assert_eq!(line("a\u{202e}b\u{2028}c"), "a b c");
        assert_eq!(
            line("<!doctype html><html><head><TITLE>Sign in\n here</TITLE>"),
            "Sign in  here"
        );
        assert_eq!(line("\n\n  upstream down\r\nmore"), "upstream down");
        assert_eq!(line("a\u{1b}[31mb"), "a [31mb");
        assert_eq!(line(&"x".repeat(5000)).len(), MAX_LINE);
        assert_eq!(first_line(b" \n "), None);
    }

    #[test]
    fn a_refusal_names_status_host_and_first_line() {
        let failure =
            refused(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"no upstream", "h.example");
        assert_eq!(failure.what, "HTTP 502 from h.example: no upstream");
        assert_eq!((failure.kind, failure.fate), (FailureKind::Status, Fate::Unknown));
        let failure = refused(StatusCode::NOT_FOUND, &HeaderMap::new(), b"", "h.example");
        assert_eq!(failure.what, "HTTP 404 from h.example: Not Found");
    }

    #[test]
    fn only_an_error_that_says_so_or_is_numbered_is_json_rpc() {
        let error = |text: &str| jsonrpc_error(text.as_bytes().to_vec()).is_some();
        assert!(error(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"x"}}"#));
        assert!(error(r#"{"error":{"code":7,"message":"x"}}"#));
        assert!(error(r#"{"jsonrpc":"2.0","id":1,"error":{"code":"E_FOO","message":"x"}}"#));
        assert!(error(r#"{"jsonrpc":"2.0","error":"invalid_token"}"#));
        assert!(!error(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#));
        assert!(!error(r#"{"error":{"code":"scope_required","message":"x"}}"#));
        assert!(!error(r#"{"error":"invalid_token"}"#));
        assert!(!error("<html>"));
    }
}
