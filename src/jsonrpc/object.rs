//! Splices into one JSON object: members taken out and put in, every other byte as it was.

use std::fmt;
use std::ops::Range;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::edit::{cut, key_text, member, span, splice};

/// An object without the members whose keys are named, each with one comma; `None` where it has none of
/// them, or is no object.
pub fn without(object: &str, keys: &[&str]) -> Option<String> {
    let members = spans(object)?;
    let kept: Vec<bool> = members.iter().map(|(key, _)| !keys.contains(&&**key)).collect();
    if kept.iter().all(|kept| *kept) {
        return None;
    }
    let spans: Vec<_> = members.into_iter().map(|(_, span)| span).collect();
    Some(with_gaps(object, cut(&spans, &kept)))
}

/// An object in which each of these keys stands once, with the last of its values, as they are read here; `None`
/// where it does already, or is no object.
pub fn each_once(object: &str, keys: &[&str]) -> Option<String> {
    let members = spans(object)?;
    let mut seen = vec![false; keys.len()];
    let mut is_last = |key: &str| match keys.iter().position(|each| *each == key) {
        Some(at) => !std::mem::replace(&mut seen[at], true),
        None => true,
    };
    let mut kept: Vec<bool> = members.iter().rev().map(|(key, _)| is_last(key)).collect();
    if kept.iter().all(|kept| *kept) {
        return None;
    }
    kept.reverse();
    let spans: Vec<_> = members.into_iter().map(|(_, span)| span).collect();
    Some(with_gaps(object, cut(&spans, &kept)))
}

fn with_gaps(object: &str, gaps: impl IntoIterator<Item = Range<usize>>) -> String {
    let mut text = String::with_capacity(object.len());
    let mut at = 0;
    for gap in gaps {
        text.push_str(&object[at..gap.start]);
        at = gap.end;
    }
    text.push_str(&object[at..]);
    text
}

/// An object with a member before all others; `None` where it has one under that key, or is no object.
pub fn with_first(object: &str, key: &str, value: &str) -> Option<String> {
    if !object.starts_with('{') || member(object, key).is_some() {
        return None;
    }
    let comma = if is_empty(object) { "" } else { "," };
    Some(splice(object, 1..1, &format!("\"{key}\":{value}{comma}")))
}

/// An object with a member, in place of one under that key or before all others; `None` where it is no object.
pub fn with(object: &str, key: &str, value: &str) -> Option<String> {
    match member(object, key) {
        Some(present) => Some(splice(object, span(object, present), value)),
        None => with_first(object, key, value),
    }
}

/// A text whose value at a path is what `change` makes of it; `None` where there is no value, or no change.
pub fn changed_at(
    text: &str,
    path: &[&str],
    change: impl FnOnce(&str) -> Option<String>,
) -> Option<String> {
    let value = super::edit::member_at(text, path)?;
    Some(splice(text, span(text, value), &change(value)?))
}

/// Whether an object has no members.
pub fn is_empty(object: &str) -> bool {
    object.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('}'))
}

/// The keys and values of an object, in order, as JSON text; none of what is no object.
pub fn entries(object: &str) -> Vec<(String, &str)> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let members = deserializer.deserialize_map(Members).unwrap_or_default();
    members.into_iter().map(|(key, value)| (key_text(key).into_owned(), value.get())).collect()
}

/// Where the members of an object stand in it, each from its key to the end of its value.
fn spans(object: &str) -> Option<Vec<(String, Range<usize>)>> {
    let mut deserializer = serde_json::Deserializer::from_str(object);
    let members = deserializer.deserialize_map(Members).ok()?;
    let of = |(key, value): (&RawValue, &RawValue)| {
        let range = span(object, key.get()).start..span(object, value.get()).end;
        (key_text(key).into_owned(), range)
    };
    Some(members.into_iter().map(of).collect())
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(&'de RawValue, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_go_with_their_comma_and_everything_else_stays() {
        let object = r#"{ "a" : 1.0 , "b":{"a":2},"\u0063":null }"#;
        for (gone, left) in [
            (&["a"][..], r#"{ "b":{"a":2},"\u0063":null }"#),
            (&["b"], r#"{ "a" : 1.0,"\u0063":null }"#),
            (&["c"], r#"{ "a" : 1.0 , "b":{"a":2} }"#),
            (&["a", "b"], r#"{ "\u0063":null }"#),
            (&["b", "c"], r#"{ "a" : 1.0 }"#),
            (&["a", "b", "c"], "{  }"),
        ] {
            assert_eq!(without(object, gone).as_deref(), Some(left), "{gone:?}");
        }
        assert_eq!(without(object, &["d"]), None);
        assert_eq!(without("[1]", &["d"]), None);
    }

    #[test]
    fn no_duplicate_stays() {
        assert_eq!(without(r#"{"a":1,"b":2,"a":3}"#, &["a"]).as_deref(), Some(r#"{"b":2}"#));
    }

    #[test]
    fn of_duplicates_that_are_named_the_last_stays() {
        let duplicates = r#"{ "a":1, "b":2 ,"\u0061":{"a":1,"a":2}, "b":3}"#;
        for (keys, once) in [
            (&["a"][..], Some(r#"{ "b":2 ,"\u0061":{"a":1,"a":2}, "b":3}"#)),
            (&["b"], Some(r#"{ "a":1 ,"\u0061":{"a":1,"a":2}, "b":3}"#)),
            (&["a", "b"], Some(r#"{ "\u0061":{"a":1,"a":2}, "b":3}"#)),
            (&["c"], None),
        ] {
            assert_eq!(each_once(duplicates, keys).as_deref(), once, "{keys:?}");
        }
        assert_eq!(each_once(r#"{"a":1,"a":1,"a":2}"#, &["a"]).as_deref(), Some(r#"{"a":2}"#));
        for fine in ["{}", r#"{"a":1,"b":1}"#, "[1,1]", r#""a""#] {
            assert_eq!(each_once(fine, &["a", "b"]), None, "{fine}");
        }
    }

    #[test]
    fn a_member_is_put_first_unless_it_is_there() {
        assert_eq!(with_first("{}", "a", "1").as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(with_first(r#"{ "b":2}"#, "a", "1").as_deref(), Some(r#"{"a":1, "b":2}"#));
        assert_eq!(with_first(r#"{"a":2}"#, "a", "1"), None);
        assert_eq!(with_first("null", "a", "1"), None);
    }

    #[test]
    fn a_member_is_set_in_place_or_as_the_first() {
        let set = |object: &str| with(object, "ttlMs", "0").unwrap();
        assert_eq!(
            set(r#"{"a":1.0, "ttlMs" : 3600 ,"b":[]}"#),
            r#"{"a":1.0, "ttlMs" : 0 ,"b":[]}"#
        );
        assert_eq!(set(r#"{ "a":1}"#), r#"{"ttlMs":0, "a":1}"#);
        assert_eq!(with("[]", "a", "1"), None);
    }

    #[test]
    fn a_value_deep_inside_is_changed() {
        let text = r#"{"params": {"_meta":{"x":1}, "y":2}}"#;
        let changed = changed_at(text, &["params", "_meta"], |meta| without(meta, &["x"]));
        assert_eq!(changed.as_deref(), Some(r#"{"params": {"_meta":{}, "y":2}}"#));
        assert_eq!(changed_at(text, &["params", "z"], |_| Some(String::new())), None);
        assert!(is_empty("{ }") && !is_empty(r#"{"a":1}"#) && !is_empty("[]"));
    }

    #[test]
    fn an_object_is_read_in_order() {
        let read = entries(r#"{"b":1,"a": [2] }"#);
        assert_eq!(read, [("b".to_owned(), "1"), ("a".to_owned(), "[2]")]);
        assert_eq!(entries("5"), []);
    }
}
