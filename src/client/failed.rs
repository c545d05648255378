//! Why a request of the client came to nothing.

use serde_json::Value;

use crate::error::{Error, Exit};
use crate::jsonrpc::{Message, edit, read};
use crate::printable::one_line;

/// Why an errand came to nothing.
#[derive(Debug)]
pub enum Failed {
    /// The response is an error.
    Refused(Refusal),
    /// The person ended it.
    Interrupted,
    /// The list has no end.
    Endless,
    /// The relay ended. It says why in its log.
    Gone,
    /// Something else, in words.
    Told(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

/// A JSON-RPC error.
#[derive(Debug, Clone, Default)]
pub struct Refusal {
    /// Its code.
    pub code: i64,
    /// Its words.
    pub message: String,
    /// What it holds beside them.
    pub data: Value,
}

/// Characters of a server's words that are shown.
const MAX_WORDS: usize = 2_000;

impl Refusal {
    pub(super) fn of(response: &Message) -> Self {
        let text = std::str::from_utf8(response.bytes()).unwrap_or_default();
        let member = |name| {
            let value = edit::member_at(text, &["error", name])?;
            serde_json::from_str::<Value>(value).ok()
        };
        Self {
            code: member("code").and_then(|code| code.as_i64()).unwrap_or_default(),
            message: one_line(&read::error_message(response), MAX_WORDS),
            data: member("data").unwrap_or_default(),
        }
    }

    /// The kind, where the relay says it and not the server (`docs/errors.md`).
    pub fn kind(&self) -> Option<&str> {
        (-31_019..=-31_000).contains(&self.code).then(|| self.data["kind"].as_str())?
    }

    /// Whether a person can cure it by signing in.
    pub fn wants_sign_in(&self) -> bool {
        self.kind() == Some("sign_in_needed")
    }

    /// As a command ends by it. `refused` says who refused what, where the error is the server's own.
    pub fn into_error(self, refused: &str) -> Error {
        let Some(kind) = self.kind() else {
            let error = Error::failed(refused);
            let error = Error { exit: Exit::Refused, ..error }
                .because(format!("{} ({})", self.message, self.code));
            // A page has to be visited first, and nobody was there to ask.
            return match self.data["elicitations"][0]["url"].as_str() {
                Some(page) if self.code == -32042 => error.hint(format!(
                    "open {} in a browser, and try again",
                    one_line(page, MAX_WORDS)
                )),
                _ => error,
            };
        };
        let exit = match kind {
            // Nothing was carried out: it can be tried again.
            "unreachable" | "busy" => Exit::Unreachable,
            "sign_in_needed" => Exit::SignInNeeded,
            "refused" | "header_refused" | "sign_in_failed" => Exit::Refused,
            // It never came to a request.
            "blocked" | "header_command" => Exit::Usage,
            _ => Exit::Failed,
        };
        // The message is all three parts in one sentence, for clients that show nothing else.
        let hint = self.data["hint"].as_str().map(|hint| one_line(hint, MAX_WORDS));
        let tail = hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let told = self.message.strip_suffix(&*tail).unwrap_or(&self.message);
        let cause = self.data["cause"].as_str().map(|cause| one_line(cause, MAX_WORDS));
        let (what, why) = cause.and_then(|cause| apart(told, &cause)).unwrap_or((told, None));
        let mut error = Error { exit, ..Error::failed(what) };
        error.because.extend(why.map(str::to_owned));
        error.hint = hint;
        error
    }
}

/// What failed, and why: the whole cause, or its innermost part, which is what the message ends with. A cause that the
/// message leaves out says no more than that.
fn apart<'a>(told: &'a str, cause: &str) -> Option<(&'a str, Option<&'a str>)> {
    let whole = told.strip_suffix(cause).and_then(|what| what.strip_suffix(": "));
    let (what, why) = match whole {
        Some(what) => (what, &told[what.len() + 2..]),
        None => told.rsplit_once(": ")?,
    };
    cause.to_lowercase().contains(&why.to_lowercase()).then_some((what, Some(why)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(code: i64, data: Value) -> Refusal {
        Refusal { code, message: "h can't be reached: no route; check the network".into(), data }
    }

    #[test]
    fn the_relays_errors_are_taken_apart_and_the_servers_are_not() {
        let data = json!({"kind": "unreachable", "cause": "no route", "hint": "check the network"});
        let error = refusal(-31001, data.clone()).into_error("h refused it");
        assert_eq!(error.exit, Exit::Unreachable);
        assert_eq!(
            error.to_string(),
            "error: h can't be reached\n  because: no route\nhint: check the network"
        );
        let library = "tcp connect error: No route (os error 113)";
        let told = json!({"kind": "unreachable", "cause": library, "hint": "check the network"});
        let error = refusal(-31001, told).into_error("h refused it");
        assert_eq!(
            (&*error.what, &error.because[..]),
            ("h can't be reached", &["no route".to_owned()][..])
        );
        let error = refusal(-32001, data).into_error("h refused it");
        assert_eq!(error.exit, Exit::Refused);
        assert_eq!(
            error.to_string(),
            "error: h refused it\n  because: h can't be reached: no route; check the network (-32001)"
        );
    }
}
