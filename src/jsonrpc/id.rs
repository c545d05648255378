//! Request ids: kept as they were spelt, compared by what they mean.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde_json::value::RawValue;

/// A request id: a string or a number (JSON-RPC 2.0 §4), in the spelling of whoever chose it.
///
/// `1`, `1.0` and `1e0` are equal, and so are `"a"` and `"\u0061"`: a peer that decodes and encodes ids
/// answers with another spelling of the same one.
#[derive(Clone)]
pub struct Id {
    raw: Box<str>,
    meaning: Meaning,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Meaning {
    Integer(i64),
    /// A number that is no 64-bit integer, or a string that holds half a character, by its JSON text.
    Spelling(Box<str>),
    Text(Box<str>),
}

impl Id {
    /// Reads an id from its JSON text; `None` for anything but a string or a number.
    pub fn from_json(raw: &str) -> Option<Self> {
        let raw = raw.trim();
        let meaning = match raw.as_bytes().first()? {
            b'"' => text(raw),
            b'-' | b'0'..=b'9' => number(raw),
            _ => return None,
        };
        let meaning = meaning.or_else(|| spelling(raw))?;
        Some(Self { raw: raw.into(), meaning })
    }

    /// Length of its JSON text, in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no id is empty")]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// An id of this program's own, put onto a request of the server.
    pub fn own(number: u64) -> Self {
        Self::text(format!("bridge-{number}"))
    }

    /// The id of a request of this program's own to the server.
    pub fn own_request(number: u64) -> Self {
        Self::text(format!("bridge-request-{number}"))
    }

    /// The id under which the client is asked something for a server that has no requests of its own.
    pub fn own_question(number: u64) -> Self {
        Self::text(format!("bridge-question-{number}"))
    }

    /// The id under which a request of the client is sent again, or that of a list of this program's own.
    pub fn own_exchange(number: u64) -> Self {
        Self::text(format!("bridge-exchange-{number}"))
    }

    fn text(text: String) -> Self {
        Self { raw: format!("\"{text}\"").into(), meaning: Meaning::Text(text.into()) }
    }
}

fn text(raw: &str) -> Option<Meaning> {
    serde_json::from_str::<String>(raw).ok().map(|text| Meaning::Text(text.into()))
}

fn number(raw: &str) -> Option<Meaning> {
    if let Ok(integer) = serde_json::from_str(raw) {
        return Some(Meaning::Integer(integer));
    }
    let value: f64 = serde_json::from_str(raw).ok()?;
    // Beyond 2^53 a double no longer names one integer, so only the text can tell two ids apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() != 0.0 || value.abs() >= EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    Some(Meaning::Integer(value as i64))
}

/// JSON text that has no value here but is valid all the same.
fn spelling(raw: &str) -> Option<Meaning> {
    serde_json::from_str::<&RawValue>(raw).ok().map(|raw| Meaning::Spelling(raw.get().into()))
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.meaning == other.meaning
    }
}

impl Eq for Id {}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.meaning.hash(state);
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_equal_by_meaning() {
        let id = |raw| Id::from_json(raw).unwrap();
        assert_eq!(id("1"), id("1.0"));
        assert_eq!(id("1000"), id("1e3"));
        assert_eq!(id("\"a\""), id("\"\\u0061\""));
        assert_ne!(id("1"), id("\"1\""));
        assert_ne!(id("9223372036854775808"), id("9223372036854775809"));
    }

    #[test]
    fn what_has_no_value_is_compared_by_its_text() {
        let id = |raw| Id::from_json(raw).unwrap();
        assert_eq!(id("1E400"), id("1E400"));
        assert_ne!(id("1E400"), id("1E401"));
        assert_eq!(id("\"\\ud800\""), id("\"\\ud800\""));
        assert_ne!(id("\"\\ud800\""), id("\"\\ud801\""));
    }

    #[test]
    fn only_strings_and_numbers_are_ids() {
        for raw in ["null", "true", "{}", "[1]", "", "x", "007", "+5", "1+1", "-", "\"a", "\"\\q\""]
        {
            assert!(Id::from_json(raw).is_none(), "{raw}");
        }
    }
}
