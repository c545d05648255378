//! Splices into a message that leave every other byte as it was. The only rewrites there are stand in
//! `docs/architecture.md`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Id;

/// Kinds of list of which the client is told changes.
const LIST_KINDS: [&str; 3] = ["tools", "prompts", "resources"];

/// The value of one member of a JSON object; of duplicates the last.
pub fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    deserializer.deserialize_map(MemberVisitor(key)).ok()?.map(RawValue::get)
}

/// The value at a path of members.
pub fn member_at<'a>(object: &'a str, path: &[&str]) -> Option<&'a str> {
    path.iter().try_fold(object, |value, key| member(value, key))
}

struct MemberVisitor<'k>(&'k str);

impl<'de> Visitor<'de> for MemberVisitor<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<&RawValue>()? {
            if key_text(key) == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// The text of a key. One that can't be decoded, because it holds half a character (`"\ud800"`), is no
/// key that anybody asks for: it stands for itself, with its quotes.
pub(super) fn key_text(key: &RawValue) -> Cow<'_, str> {
    let raw = key.get();
    if !raw.contains('\\') {
        return Cow::Borrowed(&raw[1..raw.len() - 1]);
    }
    serde_json::from_str(raw).unwrap_or(Cow::Borrowed(raw))
}

/// Where `part`, a piece of `whole`, stands in it.
pub(super) fn span(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    start..start + part.len()
}

pub(super) fn splice(whole: &str, range: Range<usize>, with: &str) -> String {
    let mut text = String::with_capacity(whole.len() - range.len() + with.len());
    text.push_str(&whole[..range.start]);
    text.push_str(with);
    text.push_str(&whole[range.end..]);
    text
}

/// Replaces the value at a path; `None` where there is none.
pub fn replace_at(bytes: &Bytes, path: &[&str], with: &str) -> Option<Bytes> {
    let text = std::str::from_utf8(bytes).ok()?;
    let value = member_at(text, path)?;
    Some(Bytes::from(splice(text, span(text, value), with)))
}

/// Puts an id onto a message, in place of its own or as its first member.
pub(super) fn replace_id(bytes: &Bytes, id: &Id) -> Bytes {
    let raw = id.to_string();
    if let Some(replaced) = replace_at(bytes, &["id"], &raw) {
        return replaced;
    }
    let text = String::from_utf8_lossy(bytes);
    let brace = text.find('{').map_or(0, |at| at + 1);
    Bytes::from(splice(&text, brace..brace, &format!("\"id\":{raw},")))
}

/// A value that is not what was looked for could hide what had to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it can't be read")]
pub struct Unreadable;

/// All values that an object has under a key: a reader may take any of them.
///
/// # Errors
/// The text begins like an object and can't be read as one.
pub fn members<'a>(object: &'a str, key: &str) -> Result<Vec<&'a str>, Unreadable> {
    if !object.trim_start().starts_with('{') {
        return Ok(Vec::new());
    }
    let mut deserializer = serde_json::Deserializer::from_str(object);
    deserializer.deserialize_map(MembersVisitor(key)).map_err(|_| Unreadable)
}

struct MembersVisitor<'k>(&'k str);

impl<'de> Visitor<'de> for MembersVisitor<'_> {
    type Value = Vec<&'de str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let value = map.next_value::<&'de RawValue>()?;
            if key == self.0 {
                found.push(value.get());
            }
        }
        Ok(found)
    }
}

/// Takes elements out of the array at a path of members, with one comma for each; every other byte stays.
/// `None` where nothing has to go.
///
/// # Errors
/// What stands at the path, or on the way, can't be read.
pub fn retain_elements(
    whole: &str,
    path: &[&str],
    mut keep: impl FnMut(&str) -> bool,
) -> Result<Option<String>, Unreadable> {
    let mut arrays = vec![whole];
    for key in path {
        let values: Result<Vec<_>, _> = arrays.iter().map(|value| members(value, key)).collect();
        arrays = values?.concat();
    }
    let mut cuts = Vec::new();
    for array in arrays.into_iter().filter(|value| value.starts_with('[')) {
        let elements: Vec<&RawValue> = serde_json::from_str(array).map_err(|_| Unreadable)?;
        let spans: Vec<_> = elements.iter().map(|each| span(whole, each.get())).collect();
        let kept = elements.iter().map(|each| keep(each.get())).collect::<Vec<_>>();
        cuts.extend(cut(&spans, &kept));
    }
    if cuts.is_empty() {
        return Ok(None);
    }
    let mut text = String::with_capacity(whole.len());
    let mut at = 0;
    for range in cuts {
        text.push_str(&whole[at..range.start]);
        at = range.end;
    }
    text.push_str(&whole[at..]);
    Ok(Some(text))
}

/// Puts an element before all others of the array at a path; `None` where there is no array.
pub fn with_first_element(whole: &str, path: &[&str], element: &str) -> Option<String> {
    let array = member_at(whole, path).filter(|value| value.starts_with('['))?;
    let at = span(whole, array).start + 1;
    let comma = if array[1..].trim_start().starts_with(']') { "" } else { "," };
    Some(splice(whole, at..at, &format!("{element}{comma}")))
}

/// What goes with the elements that are not kept: the comma before each, or after it where none before
/// it stays.
pub(super) fn cut(spans: &[Range<usize>], kept: &[bool]) -> Vec<Range<usize>> {
    let first = kept.iter().position(|kept| *kept);
    let cut_of = |n: usize| match spans.get(n + 1) {
        _ if first.is_some_and(|first| first < n) => spans[n - 1].end..spans[n].end,
        Some(next) => spans[n].start..next.start,
        None => spans[n].clone(),
    };
    (0..spans.len()).filter(|n| !kept[*n]).map(cut_of).collect()
}

/// Declares `listChanged` for every kind of list that an `initialize` response declares, because the
/// bridge tells of changes that the server can't know of. `None` where nothing has to change.
pub fn with_list_changed(bytes: &Bytes) -> Option<Bytes> {
    let mut text = Cow::Borrowed(std::str::from_utf8(bytes).ok()?);
    for kind in LIST_KINDS {
        let changed = declared(&text, kind);
        if let Some(changed) = changed {
            text = Cow::Owned(changed);
        }
    }
    match text {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(Bytes::from(text)),
    }
}

fn declared(text: &str, kind: &str) -> Option<String> {
    let capability = member_at(text, &["result", "capabilities", kind])?;
    if !capability.starts_with('{') {
        return None;
    }
    if let Some(value) = member(capability, "listChanged") {
        return (value != "true").then(|| splice(text, span(text, value), "true"));
    }
    let at = span(text, capability).start + 1;
    let comma = if capability[1..].trim_start().starts_with('}') { "" } else { "," };
    Some(splice(text, at..at, &format!("\"listChanged\":true{comma}")))
}

/// Makes one line of a body that may be pretty-printed: outside strings a line break is white space,
/// inside them it can't stand (RFC 8259 §7).
pub fn into_line(mut body: Vec<u8>) -> Bytes {
    // Most bodies are one line already, which is known quickly.
    if body.contains(&b'\n') || body.contains(&b'\r') {
        for byte in &mut body {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
    let bytes = Bytes::from(body);
    let line = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes).trim_ascii();
    bytes.slice_ref(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Option<String> {
        with_list_changed(&Bytes::copy_from_slice(text.as_bytes()))
            .map(|b| String::from_utf8(b.to_vec()).unwrap())
    }

    #[test]
    fn list_changed_is_declared_where_a_kind_is() {
        assert_eq!(
            listed(r#"{"id":1,"result":{"x":1.0,"capabilities":{"tools":{},"prompts":{ "a":2},"resources":{"subscribe":true,"listChanged":false},"logging":{}}}}"#).unwrap(),
            r#"{"id":1,"result":{"x":1.0,"capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":true, "a":2},"resources":{"subscribe":true,"listChanged":true},"logging":{}}}}"#
        );
    }

    #[test]
    fn what_is_declared_already_stays_byte_for_byte() {
        assert_eq!(listed(r#"{"result":{"capabilities":{"tools":{"listChanged":true}}}}"#), None);
        assert_eq!(listed(r#"{"result":{"capabilities":{"logging":{}}}}"#), None);
        assert_eq!(listed(r#"{"result":{"capabilities":{"tools":null}}}"#), None);
        assert_eq!(listed(r#"{"error":{}}"#), None);
    }

    #[test]
    fn a_nested_value_is_replaced_in_place() {
        let bytes = Bytes::from_static(br#"{"params":{"requestId":5,"reason":"x"},"requestId":5}"#);
        let replaced = replace_at(&bytes, &["params", "requestId"], "\"bridge-1\"").unwrap();
        assert_eq!(
            replaced,
            &br#"{"params":{"requestId":"bridge-1","reason":"x"},"requestId":5}"#[..]
        );
        assert_eq!(replace_at(&bytes, &["params", "missing"], "1"), None);
    }

    fn without(text: &str, gone: &[&str]) -> Option<String> {
        retain_elements(text, &["result", "tools"], |each| !gone.contains(&each)).unwrap()
    }

    #[test]
    fn elements_go_with_their_comma_and_everything_else_stays() {
        let text = r#"{"id":1, "result" : {"x":1.0,"tools":[ 1 , 2 ,3,4 ] ,"nextCursor":"a"}}"#;
        for (gone, left) in [
            (&["1"][..], "[ 2 ,3,4 ]"),
            (&["2"], "[ 1 ,3,4 ]"),
            (&["4"], "[ 1 , 2 ,3 ]"),
            (&["1", "2"], "[ 3,4 ]"),
            (&["1", "3"], "[ 2,4 ]"),
            (&["2", "3", "4"], "[ 1 ]"),
            (&["1", "2", "3", "4"], "[  ]"),
        ] {
            let expected = text.replace("[ 1 , 2 ,3,4 ]", left);
            assert_eq!(without(text, gone).unwrap(), expected, "{gone:?}");
        }
        assert_eq!(without(text, &["5"]), None);
    }

    #[test]
    fn what_is_no_array_stays_and_what_can_not_be_read_is_told() {
        for odd in [r#"{"result":5}"#, r#"{"result":{"tools":{}}}"#, r#"{"error":{}}"#, "[]"] {
            assert_eq!(without(odd, &["1"]), None, "{odd}");
        }
        let hidden = r#"{"result":{"\ud800":1,"tools":[1]}}"#;
        assert_eq!(retain_elements(hidden, &["result", "tools"], |_| false), Err(Unreadable));
    }

    #[test]
    fn no_duplicate_of_a_key_is_overlooked() {
        let text = r#"{"result":{"tools":[1,2],"\u0074ools":[2]},"result":{"tools":[2,1]}}"#;
        assert_eq!(
            without(text, &["2"]).unwrap(),
            r#"{"result":{"tools":[1],"\u0074ools":[]},"result":{"tools":[1]}}"#
        );
        assert_eq!(members(r#"{"a":1,"b":2,"a":[3]}"#, "a"), Ok(vec!["1", "[3]"]));
    }

    #[test]
    fn a_key_that_is_half_a_character_is_passed_over() {
        let object = r#"{"\ud800":1,"i\u0064":2,"x":{"\udc00":3,"y":4}}"#;
        assert_eq!(member(object, "id"), Some("2"));
        assert_eq!(member_at(object, &["x", "y"]), Some("4"));
        assert_eq!(member(object, "z"), None);
    }

    #[test]
    fn a_pretty_printed_body_becomes_one_line() {
        let body = b"\xEF\xBB\xBF{\r\n  \"id\": 1,\n  \"result\": \"a\\nb\"\n}\n".to_vec();
        assert_eq!(into_line(body), &b"{    \"id\": 1,   \"result\": \"a\\nb\" }"[..]);
    }
}
