//! `input_required`: what the server asks in mid-call, as the requests that a client of the legacy era knows.

use serde_json::json;

use super::handshake::Hello;
use crate::jsonrpc::edit::member;
use crate::jsonrpc::object::{with_first, without};
use crate::jsonrpc::{Id, Message};

/// The revision that knows modes of elicitation.
const WITH_MODES: &str = "2025-11-25";

/// A question of the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::remote) struct Question {
    /// The server's name for it.
    pub(in crate::remote) key: String,
    method: &'static str,
    /// As JSON text, if it has any.
    params: Option<String>,
}

/// Why a client can't be asked something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::remote) enum Unasked {
    /// It is no question of the specification's.
    #[error("it is not one that the protocol has")]
    Unknown,
    /// The client did not say that it can.
    #[error("the client did not declare that it answers {0}")]
    Undeclared(&'static str),
}

impl Question {
    /// Reads one of the `inputRequests`, as this client would be asked it.
    ///
    /// # Errors
    /// It can't be asked.
    pub(in crate::remote) fn of(
        key: String,
        request: &str,
        client: &Hello,
    ) -> Result<Self, Unasked> {
        let params = member(request, "params").filter(|params| params.starts_with('{'));
        let has = |key| params.is_some_and(|params| member(params, key).is_some());
        let (method, kind, declared) = match member(request, "method") {
            Some("\"elicitation/create\"") => match params.and_then(|it| member(it, "mode")) {
                None | Some("\"form\"") => {
                    ("elicitation/create", "forms", client.elicits_by_form())
                }
                Some("\"url\"") => {
                    ("elicitation/create", "with pages to visit", client.elicits_by_url())
                }
                Some(_) => return Err(Unasked::Unknown),
            },
            Some("\"sampling/createMessage\"") if has("tools") || has("toolChoice") => {
                ("sampling/createMessage", "sampling with tools", client.samples_with_tools())
            }
            Some("\"sampling/createMessage\"") => {
                ("sampling/createMessage", "sampling", client.samples())
            }
            Some("\"roots/list\"") => ("roots/list", "with its roots", client.lists_roots()),
            _ => return Err(Unasked::Unknown),
        };
        if !declared {
            return Err(Unasked::Undeclared(kind));
        }
        Ok(Self { key, method, params: params.map(|params| fitted(method, params, client)) })
    }

    /// The request to the client.
    pub(in crate::remote) fn request(&self, id: &Id) -> Message {
        Message::request(id, self.method, self.params.as_deref().unwrap_or("{}"))
    }

    /// The member of `inputResponses` that answers it; `result` is JSON text.
    pub(in crate::remote) fn answered(&self, result: &str) -> String {
        format!("{}:{result}", json!(self.key))
    }
}

/// The parameters as the client's revision has them.
fn fitted(method: &str, params: &str, client: &Hello) -> String {
    let changed = match (method, member(params, "mode")) {
        ("elicitation/create", Some("\"url\"")) => {
            let id = format!("\"bridge-{:016x}\"", fastrand::u64(..));
            let own = without(params, &["elicitationId"]);
            with_first(own.as_deref().unwrap_or(params), "elicitationId", &id)
        }
        ("elicitation/create", Some(_)) if client.revision < WITH_MODES => {
            without(params, &["mode"])
        }
        _ => None,
    };
    changed.unwrap_or_else(|| params.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn client(revision: &str, capabilities: &str) -> Hello {
        let text = format!(
            r#"{{"id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{capabilities}}}}}"#
        );
        Hello::of(&Message::parse(Bytes::from(text)).unwrap())
    }

    fn asked(request: &str, client: &Hello) -> Result<String, Unasked> {
        let question = Question::of("k".into(), request, client)?;
        let id = Id::own_question(1);
        let message = question.request(&id);
        assert_eq!(Message::parse(message.bytes().clone()).unwrap().kind(), message.kind());
        Ok(String::from_utf8(message.bytes().to_vec()).unwrap())
    }

    #[test]
    fn a_question_is_a_request_with_the_same_parameters() {
        let client =
            client("2025-11-25", r#"{"elicitation":{},"sampling":{"tools":{}},"roots":{}}"#);
        for (request, expected) in [
            (
                r#"{"params":{ "message":"m\u0041", "mode":"form"}, "method":"elicitation/create"}"#,
                r#""method":"elicitation/create","params":{ "message":"m\u0041", "mode":"form"}}"#,
            ),
            (
                r#"{"method":"sampling/createMessage","params":{"maxTokens":1.0,"tools":[]}}"#,
                r#""method":"sampling/createMessage","params":{"maxTokens":1.0,"tools":[]}}"#,
            ),
            (r#"{"method":"roots/list"}"#, r#""method":"roots/list","params":{}}"#),
        ] {
            let expected = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"bridge-question-1\",{expected}");
            assert_eq!(asked(request, &client).unwrap(), expected);
        }
    }

    #[test]
    fn a_client_is_asked_only_what_it_declared() {
        let nothing = client("2025-11-25", "{}");
        let forms = client("2025-11-25", r#"{"elicitation":{"form":{}},"sampling":{}}"#);
        let form = r#"{"method":"elicitation/create","params":{}}"#;
        let page = r#"{"method":"elicitation/create","params":{"mode":"url"}}"#;
        let tools = r#"{"method":"sampling/createMessage","params":{"tools":[]}}"#;
        for request in [form, page, tools, r#"{"method":"roots/list"}"#] {
            assert!(matches!(asked(request, &nothing), Err(Unasked::Undeclared(_))), "{request}");
        }
        assert!(asked(form, &forms).is_ok());
        assert_eq!(asked(page, &forms), Err(Unasked::Undeclared("with pages to visit")));
        assert_eq!(asked(tools, &forms), Err(Unasked::Undeclared("sampling with tools")));
        for odd in [
            r#"{"method":"tools/call"}"#,
            "{}",
            "5",
            r#"{"method":"elicitation/create","params":{"mode":"x"}}"#,
        ] {
            assert_eq!(asked(odd, &forms), Err(Unasked::Unknown), "{odd}");
        }
    }

    #[test]
    fn a_page_to_visit_gets_the_id_that_the_legacy_era_wants() {
        let client = client("2025-11-25", r#"{"elicitation":{"url":{}}}"#);
        let page = r#"{"method":"elicitation/create","params":{"mode":"url","url":"https://h/"}}"#;
        let asked = asked(page, &client).unwrap();
        let id = crate::jsonrpc::edit::member_at(&asked, &["params", "elicitationId"]).unwrap();
        assert_eq!(id.len(), "\"bridge-0123456789abcdef\"".len());
    }

    #[test]
    fn a_client_that_knows_no_modes_is_not_told_of_one() {
        let client = client("2025-06-18", r#"{"elicitation":{}}"#);
        let form = r#"{"method":"elicitation/create","params":{"mode":"form","message":"m"}}"#;
        assert!(asked(form, &client).unwrap().ends_with(r#""params":{"message":"m"}}"#));
    }

    #[test]
    fn an_answer_goes_under_the_key_of_its_question() {
        let client = client("2025-11-25", r#"{"roots":{}}"#);
        let question = Question::of("a\"b".into(), r#"{"method":"roots/list"}"#, &client).unwrap();
        assert_eq!(question.answered(r#"{"roots":[ ]}"#), r#""a\"b":{"roots":[ ]}"#);
    }
}
