//! What of a modern request's body is mirrored in its headers, and how values are written there
//! (MCP 2026-07-28, Streamable HTTP, request metadata).

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::modern::declared_version;
use crate::jsonrpc::edit::member;
use crate::jsonrpc::{Message, read};

const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// What encloses a value in Base64.
const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";
/// Integers beyond it are not the same to every reader, 2⁵³ − 1 (the same page, schema extension).
const MAX_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The headers that mirror the version, the method and the name of a request, `or_version` where it says none.
pub(super) fn standard(
    request: &Message,
    or_version: impl FnOnce() -> Option<HeaderValue>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let declared = declared_version(request).and_then(string);
    let version = declared.and_then(|version| encoded(&version)).or_else(or_version);
    headers.extend(version.map(|version| (PROTOCOL_VERSION, version)));
    let mut set = |name, value: Option<Cow<'_, str>>| {
        headers.extend(value.and_then(|value| encoded(&value)).map(|value| (name, value)));
    };
    set(METHOD, request.method().map(Cow::Borrowed));
    let named = match request.method() {
        Some("tools/call" | "prompts/get") => "name",
        Some("resources/read") => "uri",
        _ => return headers,
    };
    set(NAME, read::params(request).and_then(|params| string(member(params, named)?)));
    headers
}

/// The header of an `initialize` that may meet a server of either era: what stands before a modern endpoint wants the
/// method of every request, and who does not know the header passes it over (`docs/eras.md`).
pub(super) fn initialize() -> Arc<HeaderMap> {
    Arc::new(HeaderMap::from_iter([(METHOD, HeaderValue::from_static("initialize"))]))
}

/// The headers of a notification, which says nothing of its revision: the client's requests did.
pub(super) fn of_notification(notification: &Message, version: HeaderValue) -> HeaderMap {
    standard(notification, || Some(version))
}

/// A text as the value of a header: as it is, or in Base64 where that would not arrive as it is. `None` where
/// it can't be one at all.
pub(super) fn encoded(text: &str) -> Option<HeaderValue> {
    // A tab may stand in a header, and not every intermediary leaves it alone.
    let visible = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let whole = !text.is_empty() && text.trim_matches(' ').len() == text.len();
    let ambiguous = text.starts_with(PREFIX) && text.ends_with(SUFFIX);
    if visible && whole && !ambiguous {
        return HeaderValue::from_str(text).ok();
    }
    HeaderValue::try_from(format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(text))).ok()
}

/// An argument as the value of a header; `None` where it has none: `null`, a list, an object, and integers
/// that readers round differently.
pub(super) fn argument(json: &str) -> Option<HeaderValue> {
    match json.as_bytes().first()? {
        b'"' => encoded(&string(json)?),
        b't' | b'f' => encoded(json),
        b'-' | b'0'..=b'9' => encoded(&decimal(json)?),
        _ => None,
    }
}

/// A number in decimals, however it was spelt.
fn decimal(json: &str) -> Option<String> {
    let value: f64 = json.parse().ok().filter(|value: &f64| value.is_finite())?;
    if value.fract() != 0.0 {
        return Some(value.to_string());
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
    (value.abs() <= MAX_INTEGER).then(|| (value as i64).to_string())
}

fn string(json: &str) -> Option<Cow<'_, str>> {
    // Without an escape the text is what stands between the quotes.
    match json.strip_prefix('"')?.strip_suffix('"')? {
        plain if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        _ => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn headers(method: &str, params: &str) -> Vec<String> {
        let text = format!(
            "{{\"id\":1,\"method\":\"{method}\",\"params\":{{\"_meta\":{{\"io.modelcontextprotocol/\
             protocolVersion\":\"2026-07-28\"}}{params}}}}}"
        );
        let message = Message::parse(Bytes::from(text)).unwrap();
        let headers = standard(&message, || None);
        let shown = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        headers.iter().map(shown).collect()
    }

    #[test]
    fn version_and_method_are_mirrored_and_the_name_where_there_is_one() {
        let of = |method: &str| {
            ["mcp-protocol-version: 2026-07-28".to_owned(), format!("mcp-method: {method}")]
        };
        assert_eq!(headers("tools/list", r#","name":"x""#), of("tools/list"));
        for (method, params, name) in [
            ("tools/call", r#","name":"get_weather""#, "get_weather"),
            ("prompts/get", r#","name":"a\u0062""#, "ab"),
            ("resources/read", r#","uri":"file:///a","name":"x""#, "file:///a"),
            ("tools/call", r#","name":"x","name":"ü""#, "=?base64?w7w=?="),
        ] {
            let expected = format!("mcp-name: {name}");
            assert_eq!(headers(method, params)[..2], of(method));
            assert_eq!(headers(method, params)[2..], [expected]);
        }
        for odd in ["", r#","name":5"#, r#","name":"\ud800""#] {
            assert_eq!(headers("tools/call", odd), of("tools/call"), "{odd}");
        }
    }

    #[test]
    fn a_value_that_would_not_arrive_as_it_is_is_in_base64() {
        for (text, value) in [
            ("us-west1", "us-west1"),
            ("a b", "a b"),
            ("a\tb", "=?base64?YQli?="),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("=?base64?", "=?base64?"),
            ("=?BASE64?x?=", "=?BASE64?x?="),
            ("\tx", "=?base64?CXg=?="),
            ("x\u{7f}", "=?base64?eH8=?="),
            ("a\r\nX: b", "=?base64?YQ0KWDogYg==?="),
            ("", "=?base64??="),
        ] {
            assert_eq!(encoded(text).unwrap(), value, "{text:?}");
        }
    }

    #[test]
    fn an_argument_is_mirrored_by_what_it_means() {
        for (json, value) in [
            (r#""a\u00fc""#, "=?base64?YcO8?="),
            ("true", "true"),
            ("false", "false"),
            ("42", "42"),
            ("-7", "-7"),
            ("1.0", "1"),
            ("1e3", "1000"),
            ("-0", "0"),
            ("1.5", "1.5"),
            ("9007199254740991", "9007199254740991"),
        ] {
            assert_eq!(argument(json).unwrap(), value, "{json}");
        }
        for none in ["null", "[1]", "{}", "9007199254740992", "1e400", r#""\ud800""#] {
            assert_eq!(argument(none), None, "{none}");
        }
    }
}
