//! A modern client's requests → those that a legacy server knows.

use std::borrow::Cow;

use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::{Message, object, read};
use crate::remote::lifecycle::modern::{
    CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, PROTOCOL_VERSION,
};
use crate::remote::lifecycle::translate::unambiguous;

/// The requests that may be answered by questions (MCP 2026-07-28, multi round-trip requests).
const ASKING: [&str; 3] = ["tools/call", "prompts/get", "resources/read"];
/// What only a modern request says in its `_meta`.
const DECLARATIONS: [&str; 4] = [PROTOCOL_VERSION, CLIENT_INFO, CLIENT_CAPABILITIES, LOG_LEVEL];
/// What the retry of a request adds to it.
const OF_A_RETRY: [&str; 2] = ["inputResponses", "requestState"];

/// Whether a request may be answered by questions.
pub(in crate::remote::lifecycle) fn may_be_asked(method: &str) -> bool {
    ASKING.contains(&method)
}

/// A value among the declarations of a request, as JSON text.
pub(in crate::remote::lifecycle) fn declared<'a>(
    request: &'a Message,
    key: &str,
) -> Option<&'a str> {
    member_at(read::params(request)?, &["_meta", key])
}

/// The capabilities that a request declares, as JSON text.
pub(in crate::remote::lifecycle) fn capabilities(request: &Message) -> &str {
    declared(request, CLIENT_CAPABILITIES).filter(|value| value.starts_with('{')).unwrap_or("{}")
}

/// A member of the parameters that a retry has, as JSON text; `null` is none.
pub(in crate::remote::lifecycle) fn of_retry<'a>(
    request: &'a Message,
    key: &str,
) -> Option<&'a str> {
    let may_be_asked = may_be_asked(request.method().unwrap_or_default());
    member(read::params(request)?, key).filter(|value| may_be_asked && *value != "null")
}

/// The request without what only the modern era knows. An empty `_meta` that is left goes too.
pub(in crate::remote::lifecycle) fn to_legacy(request: &Message) -> Message {
    let text = unambiguous(std::str::from_utf8(request.bytes()).unwrap_or_default());
    let asking = may_be_asked(request.method().unwrap_or_default());
    let changed = object::changed_at(&text, &["params"], |params| without_modern(params, asking));
    match (changed, text) {
        (Some(text), _) | (None, Cow::Owned(text)) => request.with_bytes(text.into()),
        (None, Cow::Borrowed(_)) => request.clone(),
    }
}

fn without_modern(params: &str, asking: bool) -> Option<String> {
    let without_retry = asking.then(|| object::without(params, &OF_A_RETRY)).flatten();
    let rest = without_retry.as_deref().unwrap_or(params);
    let meta = member(rest, "_meta").and_then(|meta| object::without(meta, &DECLARATIONS));
    let without_meta = meta.and_then(|meta| {
        if object::is_empty(&meta) {
            object::without(rest, &["_meta"])
        } else {
            object::changed_at(rest, &["_meta"], |_| Some(meta))
        }
    });
    without_meta.or(without_retry)
}

/// What a request asks for, in a spelling that does not depend on the order of its members: method and
/// parameters without `_meta` and without what a retry adds.
pub(in crate::remote::lifecycle) fn essence(request: &Message) -> String {
    /// Of larger parameters the spelling has to be the same.
    const MAX_SORTED: usize = 1024 * 1024;
    let params = read::params(request).unwrap_or("{}");
    let without = object::without(params, &["_meta", OF_A_RETRY[0], OF_A_RETRY[1]]);
    let params = without.as_deref().unwrap_or(params);
    let sorted = (params.len() <= MAX_SORTED)
        .then(|| serde_json::from_str::<serde_json::Value>(params).ok())
        .flatten();
    let params = sorted.map_or_else(|| params.to_owned(), |sorted| sorted.to_string());
    format!("{} {params}", request.method().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(method: &str, params: &str) -> Message {
        let text =
            format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
        Message::parse(Bytes::from(text)).unwrap()
    }

    fn legacy(method: &str, params: &str) -> String {
        read::params(&to_legacy(&request(method, params))).unwrap().to_owned()
    }

    #[test]
    fn the_declarations_go_and_every_other_byte_stays() {
        let meta = format!(
            r#""{PROTOCOL_VERSION}":"2026-07-28","{CLIENT_CAPABILITIES}":{{}},"{CLIENT_INFO}":{{"name":"c"}},"{LOG_LEVEL}":"info""#
        );
        let all = format!(r#"{{"_meta":{{{meta}}},"n":1.0, "x":null}}"#);
        assert_eq!(legacy("tools/list", &all), r#"{"n":1.0, "x":null}"#);
        let some = format!(r#"{{"n":1.0,"_meta":{{"progressToken":7,{meta},"traceparent":"a"}}}}"#);
        let left = r#"{"n":1.0,"_meta":{"progressToken":7,"traceparent":"a"}}"#;
        assert_eq!(legacy("tools/list", &some), left);
        let only = format!(r#"{{"_meta":{{{meta}}}}}"#);
        assert_eq!(legacy("tools/list", &only), "{}");
        for untouched in [r#"{"_meta":{},"a":1}"#, r#"{"_meta":null}"#, r#"{"a":{"_meta":1}}"#] {
            assert_eq!(legacy("tools/list", untouched), untouched);
        }
    }

    #[test]
    fn a_server_that_takes_the_first_of_duplicates_sees_what_one_does_that_takes_the_last() {
        let modern = format!(r#""{PROTOCOL_VERSION}":"2026-07-28""#);
        let twice = format!(
            r#"{{"_meta":{{{modern},"progressToken":1}},"requestState":"a","_meta":{{"progressToken":2,{modern},"progressToken":3}},"requestState":"b"}}"#
        );
        let once = r#"{"_meta":{"progressToken":2,"progressToken":3}}"#;
        assert_eq!(legacy("tools/call", &twice), once);
        let text = format!(r#"{{"id":1,"method":"x","params":{{"a":1}},"params":{twice}}}"#);
        let message = to_legacy(&Message::parse(Bytes::from(text)).unwrap());
        assert!(!String::from_utf8_lossy(message.bytes()).contains(r#"{"a":1}"#), "{message:?}");
        assert_eq!(legacy("tools/list", r#"{"a":1,"a":2}"#), r#"{"a":1,"a":2}"#);
    }

    #[test]
    fn what_a_retry_adds_goes_where_a_retry_can_be() {
        let params = r#"{"name":"a","inputResponses":{"q":{}},"requestState":"s"}"#;
        for method in ASKING {
            assert_eq!(legacy(method, params), r#"{"name":"a"}"#);
        }
        assert_eq!(legacy("acme/x", params), params);
        let call = request("tools/call", params);
        assert_eq!(of_retry(&call, "requestState"), Some("\"s\""));
        assert_eq!(of_retry(&request("acme/x", params), "requestState"), None);
    }

    #[test]
    fn a_retry_is_of_the_same_essence_whatever_its_order() {
        let first =
            request("tools/call", r#"{"_meta":{"a":1},"name":"x","arguments":{"b":1,"a":2}}"#);
        let retry = request(
            "tools/call",
            r#"{"arguments":{"a":2, "b":1},"requestState":"s","inputResponses":{},"name":"x","_meta":{}}"#,
        );
        assert_eq!(essence(&first), essence(&retry));
        let other = request("tools/call", r#"{"name":"x","arguments":{"b":1,"a":3}}"#);
        assert_ne!(essence(&first), essence(&other));
        assert_ne!(essence(&request("prompts/get", "{}")), essence(&request("tools/call", "{}")));
        let odd = request("tools/call", r#"{"name":"x","arguments":{"a":1E400}}"#);
        assert!(essence(&odd).ends_with(r#"{"name":"x","arguments":{"a":1E400}}"#));
    }
}
