//! A legacy server's requests → the `inputRequests` of a modern result.

use super::capabilities::{declares, elicits_by_form, elicits_by_url};
use crate::jsonrpc::edit::member;
use crate::jsonrpc::{Message, object, read};

/// What is to be done with a request of the server.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::remote::lifecycle) enum Asked {
    /// It becomes this input request, as JSON text.
    Input(String),
    /// The client did not say that it can answer it, or nobody knows it: the reason, for the server.
    Unknown(String),
    /// It lacks what it needs: the reason, for the server.
    Invalid(String),
}

/// A request of the server, of a client that declared these capabilities.
pub(in crate::remote::lifecycle) fn to_input(request: &Message, capabilities: &str) -> Asked {
    let method = request.method().unwrap_or_default();
    let params = read::params(request).filter(|params| params.starts_with('{'));
    let declared = match (method, params) {
        ("roots/list", _) => declares(capabilities, &["roots"]),
        ("sampling/createMessage", Some(params)) => {
            let tools = member(params, "tools").is_some();
            declares(capabilities, &["sampling"])
                && (!tools || declares(capabilities, &["sampling", "tools"]))
        }
        ("elicitation/create", Some(params)) if is_by_url(params) => elicits_by_url(capabilities),
        ("elicitation/create", Some(_)) => elicits_by_form(capabilities),
        ("sampling/createMessage" | "elicitation/create", None) => {
            return Asked::Invalid(format!("`{method}` has no parameters"));
        }
        _ => return Asked::Unknown("Method not found".to_owned()),
    };
    if !declared {
        return Asked::Unknown(format!(
            "the client did not declare that it can answer this `{method}`"
        ));
    }
    Asked::Input(input(method, params))
}

fn input(method: &str, params: Option<&str>) -> String {
    let params = params.map(|params| {
        let modern =
            is_by_url(params).then(|| object::without(params, &["elicitationId"])).flatten();
        format!(",\"params\":{}", modern.as_deref().unwrap_or(params))
    });
    format!("{{\"method\":\"{method}\"{}}}", params.unwrap_or_default())
}

fn is_by_url(params: &str) -> bool {
    member(params, "mode") == Some("\"url\"")
}

/// The pages that an error of the server asks to be visited (MCP 2025-11-25, -32042), as input requests;
/// none where it is no such error.
pub(in crate::remote::lifecycle) fn pages(error: &str) -> Vec<String> {
    /// Pages of one error.
    const MAX_PAGES: usize = 16;
    let listed = crate::jsonrpc::edit::member_at(error, &["data", "elicitations"]);
    let elicitations: Vec<&serde_json::value::RawValue> =
        listed.and_then(|listed| serde_json::from_str(listed).ok()).unwrap_or_default();
    let params = elicitations.into_iter().map(serde_json::value::RawValue::get);
    let pages = params.filter(|params| is_by_url(params)).take(MAX_PAGES);
    pages.map(|params| input("elicitation/create", Some(params))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn asked(method: &str, params: Option<&str>, capabilities: &str) -> Asked {
        let params = params.map(|params| format!(",\"params\":{params}")).unwrap_or_default();
        let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\"{params}}}");
        to_input(&Message::parse(Bytes::from(text)).unwrap(), capabilities)
    }

    #[test]
    fn questions_keep_their_words() {
        let form = r#"{"message":"m","requestedSchema":{"type":"object","properties":{"n":{"minimum":1.0}}}}"#;
        let input = format!("{{\"method\":\"elicitation/create\",\"params\":{form}}}");
        assert_eq!(
            asked("elicitation/create", Some(form), r#"{"elicitation":{}}"#),
            Asked::Input(input)
        );
        let roots = r#"{"method":"roots/list"}"#.to_owned();
        assert_eq!(asked("roots/list", None, r#"{"roots":{}}"#), Asked::Input(roots));
        let url = r#"{"mode":"url","elicitationId":"e","url":"https://a/","message":"m"}"#;
        let input = r#"{"method":"elicitation/create","params":{"mode":"url","url":"https://a/","message":"m"}}"#;
        let declared = r#"{"elicitation":{"url":{}}}"#;
        assert_eq!(asked("elicitation/create", Some(url), declared), Asked::Input(input.into()));
    }

    #[test]
    fn only_what_the_client_declared_is_asked() {
        let refused = |method, params, capabilities| {
            matches!(asked(method, Some(params), capabilities), Asked::Unknown(_))
        };
        assert!(refused("roots/list", "{}", "{}"));
        assert!(refused("elicitation/create", r#"{"mode":"url"}"#, r#"{"elicitation":{}}"#));
        assert!(refused("elicitation/create", "{}", r#"{"elicitation":{"url":{}}}"#));
        assert!(refused("sampling/createMessage", "{}", r#"{"elicitation":{}}"#));
        assert!(refused("sampling/createMessage", r#"{"tools":[]}"#, r#"{"sampling":{}}"#));
        assert!(!refused(
            "sampling/createMessage",
            r#"{"tools":[]}"#,
            r#"{"sampling":{"tools":{}}}"#
        ));
        assert!(refused("acme/x", "{}", r#"{"roots":{}}"#));
        assert!(matches!(asked("elicitation/create", None, "{}"), Asked::Invalid(_)));
    }

    #[test]
    fn the_pages_of_an_error_become_questions() {
        let error = r#"{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://a/","message":"m"},{"mode":"form"},7]}}"#;
        assert_eq!(
            pages(error),
            [
                r#"{"method":"elicitation/create","params":{"mode":"url","url":"https://a/","message":"m"}}"#
            ]
        );
        assert!(pages(r#"{"code":-32042,"message":"m"}"#).is_empty());
    }
}
