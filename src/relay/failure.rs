//! A message that failed → the JSON-RPC error that its request is owed.

use serde_json::{Value, json};

use crate::jsonrpc::{Id, METHOD_NOT_FOUND, Message};
use crate::printable::printable;
use crate::remote::{Failure, FailureKind, Fate, advice};

pub use crate::remote::ServerName;

/// Characters of each part of an error.
const MAX_WORDS: usize = 2_000;

/// The code and the word of each kind. The codes lie outside the range that JSON-RPC and MCP reserve;
/// `docs/errors.md` is this table in words.
pub const CODES: [(FailureKind, i32, &str); 19] = [
    (FailureKind::Internal, -31000, "internal"),
    (FailureKind::Unreachable, -31001, "unreachable"),
    (FailureKind::Lost, -31002, "connection_lost"),
    (FailureKind::Timeout, -31003, "timeout"),
    (FailureKind::SignInNeeded, -31004, "sign_in_needed"),
    (FailureKind::Refused, -31005, "refused"),
    (FailureKind::NotFound, -31006, "not_found"),
    (FailureKind::Busy, -31007, "busy"),
    (FailureKind::Status, -31008, "http_status"),
    (FailureKind::BadAnswer, -31009, "bad_answer"),
    (FailureKind::TooLarge, -31010, "too_large"),
    (FailureKind::Redirected, -31011, "redirected"),
    (FailureKind::SessionLost, -31012, "session_lost"),
    (FailureKind::Ending, -31013, "ending"),
    (FailureKind::Blocked, -31014, "blocked"),
    (FailureKind::HeaderRefused, -31015, "header_refused"),
    (FailureKind::HeaderCommand, -31016, "header_command"),
    (FailureKind::SignInFailed, -31017, "sign_in_failed"),
    (FailureKind::Configuration, -31018, "configuration"),
];

/// The code and word of a kind.
pub fn code(kind: FailureKind) -> (i32, &'static str) {
    CODES
        .iter()
        .find(|(each, ..)| *each == kind)
        .map_or((-31000, "internal"), |(_, code, word)| (*code, *word))
}

/// The response to a request that failed: the server's own error where it sent one, else ours. Where it is
/// `repeatable` (or was never sent) it does not matter whether the server carried it out.
pub fn response(id: &Id, failure: &Failure, server: &ServerName, repeatable: bool) -> Message {
    if let Some(answer) = failure.answer.as_deref().filter(|answer| answer.answers(id)) {
        return answer.clone();
    }
    let code = code(failure.kind).0;
    let (message, data) =
        (sentence(failure, server, repeatable), details(failure, server, repeatable));
    Message::error(Some(id), &json!({ "code": code, "message": message, "data": data }).to_string())
}

/// The signal to fall back on another era, with why the server could not be asked. The code is the
/// signal, so that it is not the failure's own.
pub fn fall_back(id: &Id, failure: &Failure, server: &ServerName) -> Message {
    let message = format!("Method not found: {} can't be asked now", server.host);
    let mut data = details(failure, server, true);
    data["reason"] = json!(printable(&failure.reason(), MAX_WORDS));
    let error = json!({ "code": METHOD_NOT_FOUND, "message": message, "data": data });
    Message::error(Some(id), &error.to_string())
}

/// What a program can read of a failure.
fn details(failure: &Failure, server: &ServerName, repeatable: bool) -> Value {
    let kind = code(failure.kind).1;
    // Some of these words are the server's.
    let hint = printable(&advice(failure, server, repeatable), MAX_WORDS);
    let cause = failure.cause.as_deref().map(|cause| printable(cause, MAX_WORDS));
    let mut data = json!({
        "kind": kind,
        "status": failure.status,
        "server": server.url,
        "cause": cause,
        "hint": hint,
    });
    if let Some(wait) = failure.retry_after {
        data["retryAfter"] = json!(wait.as_secs());
    }
    data
}

/// What failed and what to do next, in one sentence.
pub fn sentence(failure: &Failure, server: &ServerName, repeatable: bool) -> String {
    let doubt = if failure.fate == Fate::Unknown && !repeatable { DOUBT } else { "" };
    let reason = printable(&failure.reason(), MAX_WORDS);
    let hint = printable(&advice(failure, server, repeatable), MAX_WORDS);
    format!("{reason}{doubt}; {hint}")
}

/// An error of this program's own that is no failure of the server: the line could not be taken.
pub fn refused_line(id: Option<&Id>, code: i32, message: &str) -> Message {
    Message::error(id, &json!({ "code": code, "message": message }).to_string())
}

const DOUBT: &str = "; the outcome is unknown: the server may have carried it out";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn server() -> ServerName {
        ServerName {
            host: "h.example".into(),
            url: "https://h.example/mcp".into(),
            login: "bridge login https://h.example/mcp --profile work".into(),
        }
    }

    #[test]
    fn codes_are_distinct_and_outside_the_reserved_range() {
        let codes: HashSet<i32> = CODES.iter().map(|(_, code, _)| *code).collect();
        assert_eq!(codes.len(), CODES.len());
        assert!(codes.iter().all(|code| (-31019..=-31000).contains(code)));
    }

    #[test]
    fn every_code_stands_in_the_documentation() {
        let page = include_str!("../../docs/errors.md");
        for (_, code, word) in CODES {
            assert!(page.contains(&format!("| {code} | `{word}` |")), "{code} {word}");
        }
    }

    fn message(failure: &Failure, repeatable: bool) -> String {
        let id = Id::from_json("7").unwrap();
        let text = response(&id, failure, &server(), repeatable).bytes().to_vec();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        value["error"]["message"].as_str().unwrap().to_owned()
    }

    fn failure(kind: FailureKind, fate: Fate, status: Option<u16>, what: &str) -> Failure {
        let what = what.into();
        let (cause, fault, of_metadata, retry_after, hint, answer) = Default::default();
        Failure { kind, fate, status, what, cause, fault, of_metadata, retry_after, hint, answer }
    }

    #[test]
    fn only_what_must_not_be_done_twice_has_an_unknown_outcome() {
        let lost = failure(FailureKind::Lost, Fate::Unknown, None, "lost");
        assert_eq!(
            message(&lost, false),
            "lost; the outcome is unknown: the server may have carried it out; check what it did \
             before you try again"
        );
        assert_eq!(message(&lost, true), "lost; try again");
        let broken = failure(FailureKind::Status, Fate::Settled, Some(500), "HTTP 500");
        assert_eq!(
            message(&broken, true),
            "HTTP 500; try again; if it keeps failing, tell whoever runs h.example"
        );
    }

    #[test]
    fn what_the_doctor_would_tell_more_of_names_it_and_what_a_command_cures_does_not() {
        let hint = |kind, status, own: Option<&'static str>| {
            let hint = own.map(Into::into);
            let of_metadata = kind == FailureKind::SignInFailed && own == Some("ask who runs h");
            let failure = failure(kind, Fate::Settled, status, "x");
            let failure = Failure { hint, of_metadata, ..failure };
            message(&failure, false)
        };
        let doctor = "`bridge doctor https://h.example/mcp --profile work` looks at each step";
        for (kind, status, own) in [
            (FailureKind::Unreachable, None, None),
            (FailureKind::NotFound, Some(404), None),
            (FailureKind::BadAnswer, Some(200), None),
            (FailureKind::Status, Some(405), None),
            (FailureKind::SignInFailed, None, Some("ask who runs h")),
        ] {
            assert!(hint(kind, status, own).ends_with(&format!("; {doctor}")), "{kind:?}");
        }
        for (kind, status, own) in [
            (FailureKind::SignInNeeded, Some(401), None),
            (FailureKind::SignInFailed, None, Some("`bridge login` signs in anew")),
            (FailureKind::Status, Some(500), None),
            (FailureKind::Refused, Some(403), None),
            (FailureKind::Lost, None, None),
        ] {
            assert!(!hint(kind, status, own).contains("doctor"), "{kind:?}");
        }
    }

    #[test]
    fn an_error_says_what_failed_why_and_what_to_do() {
        let what = "HTTP 500 from h.example: boom";
        let failure = failure(FailureKind::Status, Fate::Settled, Some(500), what);
        let id = Id::from_json("7").unwrap();
        let text =
            String::from_utf8(response(&id, &failure, &server(), false).bytes().to_vec()).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["id"], 7);
        assert_eq!(value["error"]["code"], -31008);
        assert_eq!(
            value["error"]["message"],
            "HTTP 500 from h.example: boom; check whether it was carried out before you try again; if it keeps failing, tell whoever runs h.example"
        );
        assert_eq!(value["error"]["data"]["status"], 500);
        assert_eq!(value["error"]["data"]["server"], "https://h.example/mcp");
    }
}
