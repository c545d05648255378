//! A message that failed → the JSON-RPC error that its request is owed.

use serde_json::{Value, json};

use crate::http::{FaultKind, ProxyReason, TlsReason};
use crate::jsonrpc::{Id, METHOD_NOT_FOUND, Message};
use crate::printable::printable;
use crate::remote::{Failure, FailureKind, Fate};

/// Characters of each part of an error.
const MAX_WORDS: usize = 2_000;

/// How the server is named in errors.
#[derive(Debug, Clone)]
pub struct ServerName {
    /// Host and port.
    pub host: String,
    /// The URL without what may be secret in it.
    pub url: String,
    /// What a person types to sign in.
    pub login: String,
}

/// The code and the word of each kind. The codes lie outside the range that JSON-RPC and MCP reserve;
/// `docs/errors.md` is this table in words.
pub const CODES: [(FailureKind, i32, &str); 18] = [
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
    let hint = printable(&hint(failure, server, repeatable), MAX_WORDS);
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
    let hint = printable(&hint(failure, server, repeatable), MAX_WORDS);
    format!("{reason}{doubt}; {hint}")
}

/// An error of this program's own that is no failure of the server: the line could not be taken.
pub fn refused_line(id: Option<&Id>, code: i32, message: &str) -> Message {
    Message::error(id, &json!({ "code": code, "message": message }).to_string())
}

const DOUBT: &str = "; the outcome is unknown: the server may have carried it out";

/// What to do next, in one clause.
fn hint(failure: &Failure, server: &ServerName, repeatable: bool) -> String {
    let host = &server.host;
    if let Some(hint) = &failure.hint {
        // With what makes it this login, so that it can be pasted.
        return crate::auth::for_login(hint, &server.login);
    }
    match failure.kind {
        FailureKind::Unreachable => unreachable_hint(failure, server),
        FailureKind::Lost | FailureKind::Timeout | FailureKind::SessionLost
            if failure.fate == Fate::Unknown && !repeatable =>
        {
            "check what it did before you try again".into()
        }
        FailureKind::Lost if server.url.starts_with("http:") => {
            "try again; if it keeps failing, check whether the address has to begin with https://"
                .into()
        }
        FailureKind::Lost | FailureKind::Timeout | FailureKind::SessionLost => "try again".into(),
        FailureKind::SignInNeeded | FailureKind::SignInFailed => {
            format!("run `{}` in a terminal", server.login)
        }
        FailureKind::HeaderRefused => {
            let cause = failure.cause.as_deref().unwrap_or("it was given to bridge");
            format!("replace it with a valid value ({cause}) and start the client again")
        }
        FailureKind::HeaderCommand => {
            "run the command in a terminal to see what it prints; no shell runs it here".into()
        }
        FailureKind::Blocked => "change the filters of this server if you want it called".into(),
        FailureKind::Refused => {
            format!("check that your account or key may use this, or ask whoever runs {host}")
        }
        FailureKind::NotFound => {
            format!("check the path of {}, and whether its MCP endpoint is turned on", server.url)
        }
        FailureKind::Busy => failure.retry_after.map_or_else(
            || "try again in a minute".to_owned(),
            |wait| format!("try again in {} s", wait.as_secs()),
        ),
        FailureKind::Status => status_hint(failure, server, repeatable),
        FailureKind::BadAnswer => format!("check that {} is an MCP endpoint", server.url),
        FailureKind::TooLarge => "raise `--max-message-size`, or ask for less at once".into(),
        FailureKind::Redirected => {
            "if you trust the address that the server names, use it in the configuration".into()
        }
        FailureKind::Ending => "start the client again, and check what was done".into(),
        FailureKind::Internal => {
            "this is a defect of bridge; run with `--debug` and report what it says".into()
        }
    }
}

fn unreachable_hint(failure: &Failure, server: &ServerName) -> String {
    let host = &server.host;
    match failure.fault {
        Some(FaultKind::Dns) => format!("check the spelling of {host} and the network"),
        Some(FaultKind::Tls(reason)) => tls_hint(reason, server),
        Some(FaultKind::Proxy(reason)) => proxy_hint(reason, host),
        _ => format!("check the network, and that {host} is running"),
    }
}

fn tls_hint(reason: TlsReason, server: &ServerName) -> String {
    let ServerName { host, url, .. } = server;
    match reason {
        TlsReason::UnknownIssuer => "add its issuer's certificate to the system's trust store, \
             or name the file with `--ca-cert FILE`"
            .into(),
        TlsReason::Expired => {
            format!("tell whoever runs {host}, and check the clock of this machine")
        }
        TlsReason::NotYetValid => {
            format!("check the clock of this machine; if it is right, tell whoever runs {host}")
        }
        TlsReason::WrongName => {
            format!("check the spelling of {url}; if it is right, tell whoever runs {host}")
        }
        TlsReason::Authority => format!(
            "renew the certificate of {host} with `basicConstraints=CA:FALSE`, and name its issuer \
             with `--ca-cert FILE`"
        ),
        TlsReason::Revoked | TlsReason::Certificate | TlsReason::Other => {
            format!("tell whoever runs {host}, and whoever looks after this network")
        }
        TlsReason::ClientCertificateWanted | TlsReason::ClientCertificateMissed => {
            "name it with `--client-cert FILE`, and its key \
             with `--client-key FILE`"
                .into()
        }
        TlsReason::ClientCertificateRefused => format!(
            "check that the file of `--client-cert` holds the certificate that {host} knows, \
             those that lead to its issuer, and that it has not expired"
        ),
        TlsReason::NotTls => {
            format!("check the port of {url}; a server without TLS has an http:// address")
        }
        TlsReason::Setup => "install the system's certificates (on Debian the package \
             `ca-certificates`), or name a file with `--ca-cert FILE`"
            .into(),
    }
}

fn proxy_hint(reason: ProxyReason, host: &str) -> String {
    match reason {
        ProxyReason::Unreachable => "check the proxy's address in `--proxy`, `HTTPS_PROXY`, \
             `HTTP_PROXY`, `ALL_PROXY` or the system's settings; `--proxy none` does without"
            .into(),
        ProxyReason::LoginWanted => "put them into the proxy's address, as in \
             `HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT`"
            .into(),
        ProxyReason::LoginRefused => "check them in the proxy's address; there @ is written %40, \
             : is %3A, / is %2F and % is %25"
            .into(),
        ProxyReason::LoginUnknown => "let a proxy on this machine that knows it stand in between, \
             such as cntlm or px, and name that with `--proxy`"
            .into(),
        ProxyReason::Denied => format!(
            "ask whoever runs the proxy to allow {host}; if it can be reached without, add it to \
             `NO_PROXY`"
        ),
        ProxyReason::TargetUnreachable => format!(
            "check that {host} is running; if it is inside your own network, add it to `NO_PROXY`"
        ),
        ProxyReason::NotAProxy => "check the proxy's address: its port, and whether it begins \
             with http://, https:// or socks5://"
            .into(),
    }
}

fn status_hint(failure: &Failure, server: &ServerName, repeatable: bool) -> String {
    match failure.status {
        Some(405 | 406 | 411 | 415) => {
            format!(
                "check that {} is the address of an MCP endpoint, and that `--transport`, if given, fits it",
                server.url
            )
        }
        Some(413) => "send less at once".into(),
        Some(500..) => {
            let again = match failure.fate {
                _ if repeatable => "try again",
                Fate::NotExecuted => "try again",
                Fate::Unknown => "check that before you try again",
                Fate::Settled => "check whether it was carried out before you try again",
            };
            format!("{again}; if it keeps failing, tell whoever runs {}", server.host)
        }
        _ => format!("check {}, or ask whoever runs {} what it expects", server.url, server.host),
    }
}

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
        let (cause, fault, retry_after, hint, answer) = Default::default();
        Failure { kind, fate, status, what, cause, fault, retry_after, hint, answer }
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
