//! What a client of the legacy era must not do, told from one request and what came before it.

use hyper::Method;

use super::request::{Message, Request};
use super::world::{Session, Settings, State};

/// The first revision in which a client sends the version as a header.
const FIRST_WITH_VERSION_HEADER: &str = "2025-06-18";

/// Every fault of the request; an empty list if it is as it should be.
pub fn faults(request: &Request, settings: &Settings, state: &mut State) -> Vec<String> {
    let path = request.path.split('?').next().unwrap_or_default();
    if !settings.paths.iter().any(|known| known == path) {
        return vec![format!("not the endpoint ({})", settings.paths.join(", "))];
    }
    let mut faults = Vec::new();
    let mut note = |fault: Option<&str>| faults.extend(fault.map(str::to_owned));
    match request.method {
        Method::POST => note_post(request, &mut note),
        Method::GET => note(accept_lacks(request, "text/event-stream")),
        Method::DELETE => note(request.session().is_none().then_some("DELETE without a session")),
        _ => note(Some("a method that the endpoint does not have")),
    }
    let single = ["content-type", "mcp-session-id", "mcp-protocol-version", "host"];
    for name in single.into_iter().filter(|name| request.headers_named(name).len() > 1) {
        note(Some(&format!("`{name}` twice")));
    }
    if request.rpc_method() == Some("initialize") {
        note(request.session().map(|_| "`initialize` with a session"));
    } else {
        note_session(request, settings, state, &mut note);
    }
    if request.is_response() && !state.asked.contains_key(request.rpc_id().unwrap_or_default()) {
        note(Some("an answer to a request that the server did not send"));
    }
    faults
}

fn note_post(request: &Request, note: &mut impl FnMut(Option<&str>)) {
    note(accept_lacks(request, "application/json"));
    note(accept_lacks(request, "text/event-stream"));
    let content_type = request.header("content-type").unwrap_or_default();
    let json = content_type.split(';').next().unwrap_or_default().trim() == "application/json";
    note((!json).then_some("a content type other than application/json"));
    note(match request.message {
        Message::None => Some("no JSON-RPC message"),
        Message::Batch => Some("a batch"),
        _ => None,
    });
}

pub fn accept_lacks(request: &Request, wanted: &str) -> Option<&'static str> {
    let accepted = request.headers_named("accept").join(",");
    let lacks = !accepted.split(',').any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case(wanted)
    });
    lacks.then_some("an `accept` that lacks what the specification asks for")
}

fn note_session(
    request: &Request,
    settings: &Settings,
    state: &mut State,
    note: &mut impl FnMut(Option<&str>),
) {
    let greeted = !state.sessions.is_empty();
    match state.session_of(request) {
        Some(session) => note_known_session(request, session, note),
        None if !greeted && request.rpc_method() == Some("ping") => {}
        None if !greeted => note(Some("before any `initialize`")),
        None if settings.sessions && request.session().is_none() => note(Some("without a session")),
        None => note(Some("a session that was never given")),
    }
}

fn note_known_session(request: &Request, session: &Session, note: &mut impl FnMut(Option<&str>)) {
    let version = request.header("mcp-protocol-version");
    let optional = session.version.as_str() < FIRST_WITH_VERSION_HEADER;
    let right = version.map_or(optional, |version| version == session.version);
    note((!right).then_some("a protocol version other than the negotiated one"));
    note(session.deleted.then_some("after the session's DELETE"));
    let early = !session.initialized && matches!(request.message, Message::Request { .. });
    let early = early && request.rpc_method() != Some("ping");
    note(early.then_some("a request before `notifications/initialized`"));
}
