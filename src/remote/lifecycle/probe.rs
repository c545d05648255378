//! Asks a server which era it is of: one `server/discover` (MCP 2026-07-28, versioning).

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::timeout;

use super::eras::Fact;
use super::modern::{self, CLIENT_CAPABILITIES, CLIENT_INFO, PROTOCOL_VERSION, VERSION};
use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::{INTERNAL_ERROR, Id, Message, read};
use crate::remote::aside::Aside;
use crate::remote::exchange::{Outcome, Post};
use crate::remote::failure::{Failure, FailureKind};
use crate::remote::retry::Patience;
use crate::remote::{Recipient, Remote};

/// Revisions that are looked for in a server's list; one that offers so many offers ours among the first.
const MAX_VERSIONS: usize = 100;

/// Whom a question is asked for, as JSON text.
#[derive(Debug, Clone, Copy)]
pub(in crate::remote) struct Asker<'a> {
    /// What the client calls itself; none where it did not say.
    pub(in crate::remote) info: Option<&'a str>,
    /// What it can do, in the words of the modern era.
    pub(in crate::remote) capabilities: &'a str,
}

/// What a server turned out to be.
#[derive(Debug)]
pub(in crate::remote) enum Probed {
    /// Modern, and it speaks [`VERSION`]: its answer to `server/discover`.
    Modern(Message),
    /// Modern, but with nothing that it and this program both speak, or it refuses this client: its error.
    Refusing(Failure),
    /// It does not speak the modern era, or not with us.
    NotModern,
    /// Nothing was learnt: unreachable, busy, a sign-in, no answer in time.
    Failed(Failure),
}

/// The `_meta` of a request for this client, without its braces.
pub(in crate::remote) fn declaration(asker: Asker<'_>) -> String {
    let info = asker.info.map(|info| format!(",\"{CLIENT_INFO}\":{info}")).unwrap_or_default();
    format!(
        "\"{PROTOCOL_VERSION}\":\"{VERSION}\"{info},\"{CLIENT_CAPABILITIES}\":{}",
        asker.capabilities
    )
}

/// The request.
fn discover(id: &Id, asker: Asker<'_>) -> Message {
    let params = format!("{{\"_meta\":{{{}}}}}", declaration(asker));
    Message::request(id, "server/discover", &params)
}

impl Remote {
    /// Asks the server, and learns what it is from a clear answer. Nothing is sent twice.
    pub(in crate::remote) async fn probe(
        &self,
        asker: Asker<'_>,
        within: Duration,
        receive: &Recipient,
    ) -> Probed {
        self.probe_by(discover(&self.own_id(), asker), within, receive).await
    }

    /// The same by a `server/discover` that is there already: a client's own.
    pub(in crate::remote) async fn probe_by(
        &self,
        message: Message,
        within: Duration,
        receive: &Recipient,
    ) -> Probed {
        let post = self.question(message);
        let answer = Aside::default();
        let receive = receive.through(answer.taking_all());
        let asked = async {
            let outcome = self.attempt_once(&post, &receive).await;
            if !refuses_what_it_lists(&outcome, &answer) {
                return outcome;
            }
            // Whoever lists our revision gets it once more (MCP 2026-07-28, protocol version negotiation).
            self.attempt_once(&post, &receive).await
        };
        let asked = timeout(within, asked).await;
        self.learnt(asked.ok(), within, &answer)
    }

    /// The same in passing: where the server wants another token for this question, nobody is asked for one.
    pub(in crate::remote) async fn probe_in_passing(
        &self,
        asker: Asker<'_>,
        within: Duration,
        receive: &Recipient,
    ) -> Probed {
        let post = self.question(discover(&self.own_id(), asker));
        let answer = Aside::default();
        let receive = receive.through(answer.taking_all());
        let asked = timeout(within, self.attempt_in_passing(&post, &receive)).await;
        self.learnt(asked.ok(), within, &answer)
    }

    fn question(&self, message: Message) -> Post {
        Post {
            mirrored: Some(self.mirrored(&message)),
            message,
            session: None,
            repeatable: true,
            patience: Patience::Once,
            handed_over: Arc::default(),
        }
    }

    /// What an outcome says, if there was one in time.
    fn learnt(&self, outcome: Option<Outcome>, within: Duration, answer: &Aside) -> Probed {
        let host = self.endpoint().host();
        let is_clear = !matches!(&outcome, Some(Outcome::Failed(failure)) if is_of_nobody(failure));
        let probed = match (outcome, answer.take()) {
            (None, _) => Probed::Failed(Failure::timeout(&host, within)),
            (Some(Outcome::Answered), Some(answer)) => judged(answer, None, &host),
            (Some(Outcome::Failed(failure) | Outcome::SessionLost(failure)), _) => {
                refused(failure, &host)
            }
            _ => Probed::Failed(Failure::internal("a probe ended without its answer")),
        };
        match &probed {
            Probed::Modern(_) | Probed::Refusing(_) => self.known.learn(Fact::Modern(true)),
            Probed::NotModern if is_clear => self.known.learn(Fact::Modern(false)),
            Probed::NotModern => {}
            Probed::Failed(failure) => tracing::debug!(what = failure.what, "the era is not known"),
        }
        probed
    }
}

/// Whether there is nothing at the address now: no MCP server said so, and tomorrow one may be there.
fn is_of_nobody(failure: &Failure) -> bool {
    failure.answer.is_none() && matches!(failure.status, Some(404 | 410))
}

/// Whether our revision is refused by a server that says that it speaks it.
fn refuses_what_it_lists(outcome: &Outcome, answer: &Aside) -> bool {
    let refuses = |error: &Message| {
        read::error_code(error) == Some(modern::UNSUPPORTED_VERSION)
            && supported(error).iter().any(|each| each == VERSION)
    };
    match outcome {
        Outcome::Failed(failure) => failure.answer.as_deref().is_some_and(refuses),
        _ => answer.holds(refuses),
    }
}

/// The revisions that an error names.
fn supported(error: &Message) -> Vec<String> {
    let text = std::str::from_utf8(error.bytes()).unwrap_or_default();
    member_at(text, &["error", "data", "supported"]).and_then(versions).unwrap_or_default()
}

/// What a failed exchange says of the era.
fn refused(mut failure: Failure, host: &str) -> Probed {
    let person = failure.wants_person() || failure.wants_store();
    if person || matches!(failure.status, None | Some(401 | 403 | 407 | 408 | 429)) {
        return Probed::Failed(failure);
    }
    if let Some(answer) = failure.answer.take() {
        return judged(*answer, Some(failure), host);
    }
    match (failure.status, failure.kind) {
        (Some(400..=499), _) => Probed::NotModern,
        // What a gateway or a portal says is not the server's word.
        _ => Probed::Failed(failure),
    }
}

/// What an answer says of the era. `failure` is what it came with, if its status was no success.
fn judged(answer: Message, failure: Option<Failure>, host: &str) -> Probed {
    let Some(result) = read::result(&answer) else { return judged_error(answer, failure, host) };
    let listed = member(result, "supportedVersions").and_then(versions);
    // Whoever leaves out what every modern result carries is not to be relied on (docs/eras.md).
    let is_modern = member(result, "resultType") == Some("\"complete\"");
    match listed {
        Some(listed) if is_modern && listed.iter().any(|each| each == VERSION) => {
            Probed::Modern(answer)
        }
        Some(listed) if is_modern => other_versions(&listed, answer, host),
        _ => Probed::NotModern,
    }
}

fn judged_error(answer: Message, failure: Option<Failure>, host: &str) -> Probed {
    match read::error_code(&answer) {
        Some(modern::UNSUPPORTED_VERSION) => other_versions(&supported(&answer), answer, host),
        Some(modern::HEADER_MISMATCH | modern::MISSING_CAPABILITY) => {
            Probed::Refusing(Failure::refused_by(answer, host))
        }
        // The server broke down: that is no word about eras.
        Some(INTERNAL_ERROR) => match failure {
            Some(failure) if failure.status.is_some_and(|status| status >= 500) => {
                Probed::Failed(failure)
            }
            _ => Probed::NotModern,
        },
        _ => Probed::NotModern,
    }
}

/// A server that knows revisions, and ours not as one that it speaks now: legacy ones are better than none.
fn other_versions(listed: &[String], answer: Message, host: &str) -> Probed {
    // Revisions are dates, so that their order is that of their text.
    if listed.iter().any(|each| each.as_str() < VERSION) {
        return Probed::NotModern;
    }
    let listed = listed.join(", ");
    let what = format!("{host} speaks only revisions of MCP that bridge does not know");
    let known = crate::printable::printable(&listed, 200);
    let failure = Failure::settled(FailureKind::Status, None, what);
    Probed::Refusing(Failure {
        cause: (!known.is_empty()).then_some(known),
        hint: Some("update bridge".into()),
        answer: (read::error_code(&answer).is_some()).then(|| Box::new(answer)),
        ..failure
    })
}

fn versions(array: &str) -> Option<Vec<String>> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).ok()?;
    let texts = elements.into_iter().take(MAX_VERSIONS);
    Some(texts.filter_map(|each| serde_json::from_str(each.get()).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::edit::member_at;
    use bytes::Bytes;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn result(result: &str) -> &'static str {
        word(&judged(message(&format!("{{\"id\":1,\"result\":{result}}}")), None, "h"))
    }

    fn word(probed: &Probed) -> &'static str {
        match probed {
            Probed::Modern(_) => "modern",
            Probed::Refusing(_) => "refusing",
            Probed::NotModern => "not modern",
            Probed::Failed(_) => "failed",
        }
    }

    fn status(status: u16, kind: FailureKind, error: Option<&str>) -> &'static str {
        let failure = Failure::settled(kind, Some(status), "x");
        let answer =
            error.map(|error| Box::new(message(&format!("{{\"id\":1,\"error\":{error}}}"))));
        word(&refused(Failure { answer, ..failure }, "h"))
    }

    #[test]
    fn the_question_says_whom_it_is_asked_for() {
        let asker = Asker { info: Some(r#"{"name":"c"}"#), capabilities: r#"{"roots":{}}"# };
        let asked = discover(&Id::own_exchange(1), asker);
        let text = std::str::from_utf8(asked.bytes()).unwrap();
        let meta = |key| member_at(text, &["params", "_meta", key]);
        assert_eq!(meta(PROTOCOL_VERSION), Some("\"2026-07-28\""));
        assert_eq!(meta(CLIENT_INFO), Some(r#"{"name":"c"}"#));
        assert_eq!(meta(CLIENT_CAPABILITIES), Some(r#"{"roots":{}}"#));
        assert_eq!(Message::parse(asked.bytes().clone()).unwrap().kind(), asked.kind());
    }

    #[test]
    fn a_server_is_modern_that_lists_our_revision_in_a_modern_result() {
        let modern = r#"{"resultType":"complete","supportedVersions":["2026-07-28","2025-11-25"],"capabilities":{}}"#;
        assert_eq!(result(modern), "modern");
        for legacy in [
            r#"{"supportedVersions":["2026-07-28"],"capabilities":{}}"#,
            r#"{"resultType":"complete","supportedVersions":["2025-11-25"]}"#,
            r#"{"resultType":"complete","capabilities":{}}"#,
            r#"{"resultType":"complete","supportedVersions":"2026-07-28"}"#,
            "{}",
            "null",
        ] {
            assert_eq!(result(legacy), "not modern", "{legacy}");
        }
        let later = r#"{"resultType":"complete","supportedVersions":["2031-01-01"]}"#;
        assert_eq!(result(later), "refusing");
    }

    #[test]
    fn a_modern_error_is_a_modern_server_whatever_its_status() {
        use FailureKind::Status;
        assert_eq!(status(400, Status, Some(r#"{"code":-32020,"message":""}"#)), "refusing");
        assert_eq!(status(400, Status, Some(r#"{"code":-32021,"message":""}"#)), "refusing");
        let version = |list: &str| {
            let error = format!(r#"{{"code":-32022,"message":"","data":{{"supported":{list}}}}}"#);
            status(400, Status, Some(&error))
        };
        assert_eq!(version(r#"["2025-11-25"]"#), "not modern");
        assert_eq!(version(r#"["2031-01-01","2025-06-18"]"#), "not modern");
        assert_eq!(version(r#"["2031-01-01"]"#), "refusing");
        assert_eq!(version("[]"), "refusing");
    }

    #[test]
    fn any_other_error_is_a_legacy_server_and_a_failure_says_nothing() {
        use FailureKind::{Busy, NotFound, Status};
        let unknown = Some(r#"{"code":-32601,"message":""}"#);
        assert_eq!(status(404, NotFound, unknown), "not modern");
        assert_eq!(status(500, Status, unknown), "not modern");
        assert_eq!(status(400, Status, None), "not modern");
        assert_eq!(status(405, Status, None), "not modern");
        for failing in [401, 403, 407, 408, 429, 500, 502, 503] {
            assert_eq!(status(failing, Busy, None), "failed", "{failing}");
        }
        assert_eq!(status(500, Status, Some(r#"{"code":-32603,"message":""}"#)), "failed");
        assert_eq!(status(200, FailureKind::BadAnswer, None), "failed");
    }
}
