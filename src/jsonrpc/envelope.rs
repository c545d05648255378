//! Reading an envelope: the top level of one JSON object, values skipped over.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use serde::Deserializer as _;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::edit::key_text;
use super::scan::{self, Glimpse};
use super::{INVALID_REQUEST, Id, Kind, PARSE_ERROR};

/// Text that is no JSON-RPC message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The id, where it could be read.
    pub id: Option<Id>,
    /// Whether it seems to be a response, so that the id is that of a request of the receiver; else the
    /// sender may be waiting on it.
    pub is_response: bool,
    /// [`PARSE_ERROR`] or [`INVALID_REQUEST`].
    pub code: i32,
    /// What is wrong, in words.
    pub why: String,
}

/// The members of the top level that tell what a message is.
#[derive(Default)]
struct Members<'a> {
    id: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    result: bool,
    error: bool,
}

pub(super) fn read(bytes: &[u8]) -> Result<Kind, Malformed> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| malformed(bytes, PARSE_ERROR, "not valid UTF-8".into()))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = deserializer
        .deserialize_any(MembersVisitor)
        .and_then(|members| deserializer.end().map(|()| members))
        .map_err(|error| unreadable(bytes, &error))?;
    members.kind()
}

fn unreadable(bytes: &[u8], error: &serde_json::Error) -> Malformed {
    let code = if error.is_data() { INVALID_REQUEST } else { PARSE_ERROR };
    malformed(bytes, code, in_words(error))
}

/// What is wrong with a text that is no JSON, without the parser's own terms.
fn in_words(error: &serde_json::Error) -> String {
    let told = error.to_string();
    let what = told.split(" at line ").next().unwrap_or(&told);
    let plain = match what {
        _ if error.is_data() => "not a JSON object",
        _ if error.is_eof() => "it ends too early",
        "expected ident" => "a word that is not `true`, `false` or `null`",
        "expected value" => "a value is missing or misspelt",
        "trailing characters" => "something follows the end of the message",
        "trailing comma" => "a comma with nothing after it",
        "key must be a string" => "a name is not in double quotes",
        "recursion limit exceeded" => "it is nested too deeply",
        what if what.starts_with("control character") => {
            "a string holds a control character, such as a tab, that is not escaped"
        }
        what => what,
    };
    match error.column() {
        0 => plain.to_owned(),
        column => format!("{plain} at column {column}"),
    }
}

fn malformed(bytes: &[u8], code: i32, why: String) -> Malformed {
    let Glimpse { id, is_response } = scan::glimpse(bytes);
    Malformed { id, is_response, code, why }
}

fn invalid(id: Option<Id>, why: &str) -> Malformed {
    Malformed { id, is_response: false, code: INVALID_REQUEST, why: why.to_owned() }
}

impl Members<'_> {
    fn kind(self) -> Result<Kind, Malformed> {
        let id = self.id.map(RawValue::get).filter(|raw| *raw != "null");
        let parsed = id.and_then(Id::from_json);
        if id.is_some() && parsed.is_none() {
            return Err(invalid(None, "the id is neither a string nor a number"));
        }
        let Some(method) = self.method else {
            if !self.result && !self.error {
                return Err(invalid(parsed, "neither a method nor a result nor an error"));
            }
            return Ok(Kind::Response { id: parsed, failed: !self.result });
        };
        let method = method.get();
        if !method.starts_with('"') {
            return Err(invalid(parsed, "the method is not a string"));
        }
        // One that holds half a character can't be decoded; nobody but its receiver knows it.
        let method: Cow<'_, str> = serde_json::from_str(method).unwrap_or(Cow::Borrowed(method));
        match (parsed, self.id) {
            (Some(id), _) => Ok(Kind::Request { id, method: method.into() }),
            (None, None) => Ok(Kind::Notification { method: method.into() }),
            (None, Some(_)) => Err(invalid(None, "the id of a request must not be null")),
        }
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message (a JSON object)")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<&RawValue>()? {
            match &*key_text(key) {
                "id" => members.id = Some(map.next_value()?),
                "method" => members.method = Some(map.next_value()?),
                // `"error": null` beside a result is how some servers spell "no error".
                "error" => {
                    let value: &RawValue = map.next_value()?;
                    members.error = value.get() != "null";
                }
                "result" => {
                    map.next_value::<IgnoredAny>()?;
                    members.result = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if members.result && members.error {
            members.result = false;
        }
        Ok(members)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        Err(E::invalid_type(serde::de::Unexpected::Unit, &self))
    }
}

/// Whether the text is a batch (JSON-RPC 2.0 §6; MCP 2025-03-26 only).
pub fn is_batch(bytes: &[u8]) -> bool {
    bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[')
}

/// The most messages of one batch. A body of tiny ones would multiply in memory.
const MAX_BATCH: usize = 10_000;

/// The elements of a batch, up to the bound.
struct Elements<'a>(Vec<&'a RawValue>);

impl<'de> serde::Deserialize<'de> for Elements<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element()? {
            if elements.len() == MAX_BATCH {
                return Err(A::Error::custom("more messages in one batch than are taken"));
            }
            elements.push(element);
        }
        Ok(Elements(elements))
    }
}

/// The messages of a batch, or the text itself where it is none.
///
/// # Errors
/// Not a JSON array, or an empty one (JSON-RPC 2.0 §6: one error for the whole).
pub fn split_batch(bytes: Bytes) -> Result<Vec<Bytes>, Malformed> {
    if !is_batch(&bytes) {
        return Ok(vec![bytes]);
    }
    let elements: Elements<'_> =
        serde_json::from_slice(&bytes).map_err(|error| unreadable(&bytes, &error))?;
    if elements.0.is_empty() {
        return Err(invalid(None, "an empty batch"));
    }
    Ok(elements.0.iter().map(|raw| bytes.slice_ref(raw.get().as_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_more_messages_than_are_taken_is_refused_whole() {
        let batch = |count: usize| Bytes::from(format!("[{}]", vec!["1"; count].join(",")));
        assert_eq!(split_batch(batch(MAX_BATCH)).map(|parts| parts.len()), Ok(MAX_BATCH));
        assert!(split_batch(batch(MAX_BATCH + 1)).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told_in_plain_words() {
        for (line, why) in [
            ("hello", "a value is missing or misspelt at column 1"),
            ("nope", "a word that is not `true`, `false` or `null` at column 2"),
            ("{\"id\":1", "it ends too early at column 7"),
            ("{\"id\":1} x", "something follows the end of the message at column 10"),
            ("{id:1}", "a name is not in double quotes at column 2"),
            ("{\"id\":1,}", "a comma with nothing after it at column 9"),
            ("7", "not a JSON object at column 1"),
        ] {
            assert_eq!(read(line.as_bytes()).unwrap_err().why, why, "{line}");
        }
    }

    #[test]
    fn a_batch_is_taken_apart_without_touching_its_messages() {
        let batch = Bytes::from_static(b" [ {\"a\": 1.0}, {\"id\":2,\"method\":\"x\"} ] ");
        let parts = split_batch(batch).unwrap();
        assert_eq!(parts, [&b"{\"a\": 1.0}"[..], b"{\"id\":2,\"method\":\"x\"}"]);
    }

    #[test]
    fn an_empty_or_broken_batch_is_one_error() {
        assert_eq!(split_batch(Bytes::from_static(b"[]")).unwrap_err().code, INVALID_REQUEST);
        assert_eq!(split_batch(Bytes::from_static(b"[{]")).unwrap_err().code, PARSE_ERROR);
    }

    #[test]
    fn a_deeply_nested_body_is_no_problem() {
        let deep =
            format!("{{\"id\":1,\"result\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(deep.as_bytes()).is_ok());
    }
}
