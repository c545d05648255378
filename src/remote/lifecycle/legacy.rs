//! Revisions with a handshake, to 2025-11-25: session id, protocol version, and how servers say that a
//! session is gone.

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::modern::{HEADER_MISMATCH, UNSUPPORTED_VERSION};
use super::{Carrier, Session};
use crate::jsonrpc::edit::member_at;
use crate::jsonrpc::{INVALID_PARAMS, Kind, Message, read};
use crate::remote::Failure;
use crate::secret::{Secret, know_credential};

pub(in crate::remote) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Longest session id that is kept, in bytes; ids that are signed tokens have a few kilobytes.
const MAX_SESSION_ID: usize = 16 * 1024;
/// Longest text that is searched for the news that a session is gone.
const MAX_NEWS: usize = 512;
/// JSON-RPC codes with which servers report a lost session.
const SESSION_CODES: [&str; 3] = ["-32600", "-32000", "-32001"];

/// The session id in the head of a response, if it is one (visible ASCII only, MCP transports).
pub(in crate::remote) fn given_id(headers: &HeaderMap) -> Option<Secret<Box<str>>> {
    let value = headers.get(SESSION_ID)?.as_bytes();
    let visible = value.iter().all(|byte| (0x21..=0x7e).contains(byte));
    if value.is_empty() || value.len() > MAX_SESSION_ID || !visible {
        tracing::warn!(
            "the server gave a session id that is not valid; going on without a session"
        );
        return None;
    }
    let id = std::str::from_utf8(value).ok()?;
    know_credential(id);
    Some(Secret::new(id.into()))
}

/// Whether the head of a response to `initialize` gives a session, or means to.
pub(in crate::remote) fn gives_session(headers: &HeaderMap) -> bool {
    headers.contains_key(SESSION_ID)
}

/// Adds what every request after the handshake carries.
pub(in crate::remote) fn add_headers(headers: &mut HeaderMap, session: &Session) {
    if let Some(mut id) = session.id.as_ref().and_then(|id| HeaderValue::from_str(id.expose()).ok())
    {
        id.set_sensitive(true);
        headers.insert(SESSION_ID, id);
    }
    if let Ok(version) = HeaderValue::from_str(&session.version) {
        headers.insert(PROTOCOL_VERSION, version);
    }
}

/// Whether a refusal says that the session is gone: 404 with a session id sent (MCP transports), or 400
/// or 401 with a text that says so, as servers in the wild do.
pub(in crate::remote) fn refusal_means_lost(
    session: Option<&Session>,
    status: StatusCode,
    text: &str,
) -> bool {
    let Some(session) = session.filter(|session| session.can_be_lost()) else { return false };
    match status {
        StatusCode::NOT_FOUND => {
            session.id.is_some() || matches!(session.carrier, Carrier::Channel(_))
        }
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
            !is_jsonrpc_error(text) && says_lost(session, text)
        }
        _ => false,
    }
}

/// Whether a JSON-RPC error says that the session is gone.
pub(in crate::remote) fn error_means_lost(session: Option<&Session>, message: &Message) -> bool {
    let Some(session) = session.filter(|session| session.can_be_lost()) else { return false };
    if !matches!(message.kind(), Kind::Response { failed: true, .. }) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(message.bytes()) else { return false };
    let code = member_at(text, &["error", "code"]).unwrap_or_default();
    let words = member_at(text, &["error", "message"]).unwrap_or_default();
    SESSION_CODES.contains(&code) && says_lost(session, words)
}

/// Whether a refusal of what belongs to a session says that the server has become a modern one: it misses what
/// every modern request carries, and rejects with 400 what lacks that, so that it did not act on this one (MCP
/// 2026-07-28: Streamable HTTP, protocol version header and server validation; general fields of `_meta`).
pub(in crate::remote) fn is_of_modern_server(
    session: Option<&Session>,
    refusal: &Failure,
    error: &Message,
) -> bool {
    let with_handshake = session.is_some_and(|it| matches!(it.carrier, Carrier::Streamable));
    let misses = match read::error_code(error) {
        Some(HEADER_MISMATCH | UNSUPPORTED_VERSION) => true,
        Some(INVALID_PARAMS) => read::error_message(error).contains("_meta"),
        _ => false,
    };
    with_handshake && refusal.status == Some(400) && misses
}

/// Whether a text says that the session is gone, of a server that gave one; or, of any server, that the
/// handshake is missing. It looks for whole phrases: a tool's own error may talk of sessions too.
fn says_lost(session: &Session, text: &str) -> bool {
    const GONE: [&str; 20] = [
        "session not found",
        "session is not found",
        "session was not found",
        "could not find session",
        "no such session",
        "no valid session",
        "no active session",
        "invalid session",
        "session is invalid",
        "session invalid",
        "unknown session",
        "session unknown",
        "session expired",
        "session has expired",
        "expired session",
        "missing session",
        "session is required",
        "session header is required",
        "session does not exist",
        "session not initialized",
    ];
    let mut end = text.len().min(MAX_NEWS);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text[..end].to_ascii_lowercase().replace(['-', '_'], " ");
    let text = text.replace("session id", "session").replace("mcp session", "session");
    text.contains("not initialized")
        || (session.id.is_some() && GONE.iter().any(|gone| text.contains(gone)))
}

/// Whether a text is a JSON-RPC error, which is judged by its code.
fn is_jsonrpc_error(text: &str) -> bool {
    member_at(text, &["error", "code"])
        .is_some_and(|code| code.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn session(id: Option<&str>) -> Session {
        let id = id.map(|id| Secret::new(id.into()));
        Session { generation: 1, id, version: "2025-11-25".into(), carrier: Carrier::Streamable }
    }

    fn lost(status: u16, text: &str) -> bool {
        let status = StatusCode::from_u16(status).unwrap();
        refusal_means_lost(Some(&session(Some("s"))), status, text)
    }

    #[test]
    fn a_lost_session_is_known_by_status_and_words() {
        assert!(lost(404, ""));
        assert!(lost(400, "Bad Request: No valid session ID provided"));
        assert!(lost(400, "Server not initialized"));
        assert!(lost(401, "unknown session"));
        assert!(!lost(400, "Invalid tool name"));
        assert!(!lost(401, "token expired"));
        assert!(!lost(403, "session expired"));
        assert!(lost(400, "Bad Request: Mcp-Session-Id header is required"));
        assert!(!lost(400, "booked; invalid checkout session for the receipt"));
        assert!(!lost(400, r#"{"error":{"code":-32602,"message":"invalid session"}}"#));
        assert!(!refusal_means_lost(Some(&session(None)), StatusCode::NOT_FOUND, ""));
        assert!(!refusal_means_lost(None, StatusCode::NOT_FOUND, "session not found"));
    }

    #[test]
    fn a_lost_session_is_known_by_code_and_words() {
        let lost = |text: &'static str| {
            let message = Message::parse(Bytes::from_static(text.as_bytes())).unwrap();
            error_means_lost(Some(&session(Some("s"))), &message)
        };
        assert!(lost(r#"{"id":1,"error":{"code":-32600,"message":"Session not found"}}"#));
        assert!(lost(r#"{"id":null,"error":{"code":-32001,"message":"Session expired"}}"#));
        assert!(!lost(r#"{"id":1,"error":{"code":-32602,"message":"Session not found"}}"#));
        assert!(!lost(r#"{"id":1,"error":{"code":-32000,"message":"Record not found"}}"#));
        assert!(!lost(
            r#"{"id":1,"error":{"code":-32000,"message":"paid, but the browser session was closed"}}"#
        ));
        assert!(!lost(r#"{"id":1,"result":{"code":-32000,"message":"session expired"}}"#));
    }

    #[test]
    fn a_server_that_became_a_modern_one_is_known_by_what_it_misses() {
        let refused = |status: u16, code: i32, words: &str| {
            let error = format!(r#"{{"id":1,"error":{{"code":{code},"message":"{words}"}}}}"#);
            let error = Message::parse(Bytes::from(error)).unwrap();
            let kind = crate::remote::FailureKind::Status;
            let refusal = Failure::settled(kind, Some(status), "x");
            is_of_modern_server(Some(&session(Some("s"))), &refusal, &error)
        };
        assert!(refused(400, -32020, "") && refused(400, -32022, ""));
        assert!(refused(400, -32602, "no protocolVersion in `_meta`"));
        assert!(!refused(400, -32602, "no such tool") && !refused(200, -32020, ""));
        assert!(!refused(400, -32021, "needs elicitation"));
    }

    #[test]
    fn a_session_id_that_is_none_is_not_used() {
        let given = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(SESSION_ID, HeaderValue::from_static(value));
            given_id(&headers).is_some()
        };
        assert!(given("abc-123.~!"));
        assert!(!given(""));
        assert!(!given("a b"));
    }
}
