//! What to do about a message that failed, in the words of every error that tells of one.

use super::failure::{Failure, FailureKind, Fate};
use crate::http;

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

/// What to do next, in one clause. Where a message is `repeatable` it does not matter whether it was carried out.
pub fn hint(failure: &Failure, server: &ServerName, repeatable: bool) -> String {
    let host = &server.host;
    if let Some(hint) = &failure.hint {
        // With what makes it this login, so that it can be pasted.
        return crate::auth::for_login(hint, &server.login);
    }
    match failure.kind {
        FailureKind::Unreachable => unreachable(failure, server),
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
            format!(
                "replace it with a valid value ({cause}); a client takes it when it starts again"
            )
        }
        FailureKind::HeaderCommand => {
            "run the command in a terminal to see what it prints; no shell runs it here".into()
        }
        FailureKind::Configuration => "correct it, and start the client again".into(),
        FailureKind::Blocked => "change the filters of this server if you want it called".into(),
        FailureKind::Refused => {
            format!(
                "check that your account or key may use this, or ask who administers it at {host}; \
                 signing in again does not help"
            )
        }
        FailureKind::NotFound => {
            format!(
                "check the path of {}; if it is right, ask who administers your account there whether MCP is \
                 turned on for it",
                server.url
            )
        }
        FailureKind::Busy => failure.retry_after.map_or_else(
            || "try again in a minute".to_owned(),
            |wait| format!("try again in {} s", wait.as_secs()),
        ),
        FailureKind::Status => status(failure, server, repeatable),
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

/// The same for whoever is served, with the command that finds out more, where there is more to find out than a
/// request can tell: which step of the way failed, what each address of the metadata says.
pub fn advice(failure: &Failure, server: &ServerName, repeatable: bool) -> String {
    let hint = hint(failure, server, repeatable);
    let is_of_way = match failure.kind {
        FailureKind::Unreachable | FailureKind::NotFound => true,
        FailureKind::BadAnswer => failure.fault != Some(http::FaultKind::Encoding),
        FailureKind::Status => matches!(failure.status, Some(405 | 406 | 411 | 415)),
        _ => failure.of_metadata,
    };
    // Where a command is named already, that is the cure.
    if !is_of_way || hint.contains("`bridge ") {
        return hint;
    }
    let doctor = server.login.replacen("bridge login", "bridge doctor", 1);
    format!("{hint}; `{doctor}` looks at each step")
}

fn unreachable(failure: &Failure, server: &ServerName) -> String {
    let ServerName { host, url, .. } = server;
    let known = failure.fault.and_then(|fault| http::hint(fault, host, url));
    known.unwrap_or_else(|| format!("check the network, and that {host} is running"))
}

fn status(failure: &Failure, server: &ServerName, repeatable: bool) -> String {
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
