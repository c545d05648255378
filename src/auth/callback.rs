//! What the browser brings back from the authorization server: the query of the redirect URI.
//!
//! Read from a hostile place: bounded, each parameter once, texts cleaned before anybody sees them. Whether
//! it belongs to a sign-in of ours is for whoever knows its `state`.

use url::form_urlencoded;

use crate::printable::one_line;
use crate::secret::Secret;

/// Longest query, in bytes: as much as fits into the head of a request to the redirect listener.
pub const MAX_QUERY: usize = 8 * 1024;
/// Characters that are kept of a text for people.
const MAX_TEXT: usize = 300;

/// The parameters of an authorization response (RFC 6749 §4.1.2, RFC 9207 §2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Callback {
    /// The authorization code.
    pub code: Option<Secret<String>>,
    /// What ties the response to its request.
    pub state: Option<Secret<String>>,
    /// Who says so, byte for byte.
    pub iss: Option<String>,
    /// Why there is no code, as `access_denied`; cleaned.
    pub error: Option<String>,
    /// The same in words; cleaned.
    pub error_description: Option<String>,
}

/// Why a query is no authorization response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// Longer than `MAX_QUERY`.
    #[error("it is longer than {MAX_QUERY} bytes")]
    TooLong,
    /// A parameter stands there twice (RFC 6749 §3.1).
    #[error("it has the parameter `{0}` more than once")]
    Twice(&'static str),
    /// A parameter is no UTF-8, or has control characters.
    #[error("its parameter `{0}` is no text")]
    NotText(&'static str),
    /// Neither a code nor an error.
    #[error("it has neither a `code` nor an `error`")]
    Empty,
    /// Both a code and an error.
    #[error("it has a `code` and an `error`")]
    Contradictory,
}

/// The parameters that are read; others are passed over (RFC 6749 §4.1.2).
const NAMES: [&str; 5] = ["code", "state", "iss", "error", "error_description"];

impl Callback {
    /// Reads a query, without its question mark.
    ///
    /// # Errors
    /// It is too long, ambiguous, or no authorization response.
    pub fn parse(query: &str) -> Result<Self, CallbackError> {
        if query.len() > MAX_QUERY {
            return Err(CallbackError::TooLong);
        }
        let mut values: [Option<String>; NAMES.len()] = Default::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(at) = NAMES.iter().position(|known| *known == name) else { continue };
            if values[at].is_some() {
                return Err(CallbackError::Twice(NAMES[at]));
            }
            values[at] = Some(value.into_owned());
        }
        Self::of(values)
    }

    fn of(values: [Option<String>; NAMES.len()]) -> Result<Self, CallbackError> {
        // Of texts for people, what is odd is left out; the others have to be right.
        for (name, value) in NAMES.into_iter().zip(&values).take(3) {
            let odd = |c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER;
            if value.as_ref().is_some_and(|value| value.contains(odd)) {
                return Err(CallbackError::NotText(name));
            }
        }
        let [code, state, iss, error, error_description] = values;
        let code = code.filter(|code| !code.is_empty());
        match (&code, &error) {
            (None, None) => return Err(CallbackError::Empty),
            (Some(_), Some(_)) => return Err(CallbackError::Contradictory),
            _ => {}
        }
        Ok(Self {
            code: code.map(Secret::new),
            state: state.map(Secret::new),
            iss,
            error: error.map(|error| cleaned(&error)),
            error_description: error_description.map(|text| cleaned(&text)),
        })
    }
}

/// A text of somebody else's, fit to be shown: one line, bounded, without characters that steer a terminal
/// or turn the direction of what follows.
pub fn cleaned(text: &str) -> String {
    one_line(text, MAX_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Option<Secret<String>> {
        Some(Secret::new(text.to_owned()))
    }

    #[test]
    fn a_response_is_read() {
        let read =
            Callback::parse("code=a%2Bb+c&state=s&iss=https%3A%2F%2Fas&session_state=x&x=1&x=2");
        let expected = Callback {
            code: secret("a+b c"),
            state: secret("s"),
            iss: Some("https://as".into()),
            ..Callback::default()
        };
        assert_eq!(read, Ok(expected));
        let read =
            Callback::parse("error=access_denied&error_description=No%0Aone&state=s").unwrap();
        assert_eq!(read.error.as_deref(), Some("access_denied"));
        assert_eq!(read.error_description.as_deref(), Some("No one"));
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for (query, expected) in [
            ("", CallbackError::Empty),
            ("state=s", CallbackError::Empty),
            ("code=&state=s", CallbackError::Empty),
            ("code=a&error=b", CallbackError::Contradictory),
            ("code=a&code=a", CallbackError::Twice("code")),
            ("code=a&state=s&c%6Fde=b", CallbackError::Twice("code")),
            ("code=a&state=s&state=s", CallbackError::Twice("state")),
            ("code=a&iss=x&iss=x", CallbackError::Twice("iss")),
            ("code=%ff", CallbackError::NotText("code")),
            ("code=a%0d%0aX:1", CallbackError::NotText("code")),
            ("code=a&state=%00", CallbackError::NotText("state")),
            (&format!("code={}", "a".repeat(MAX_QUERY)), CallbackError::TooLong),
        ] {
            assert_eq!(Callback::parse(query), Err(expected), "{query}");
        }
    }

    #[test]
    fn a_text_of_somebody_else_is_one_short_line() {
        for (text, expected) in [
            (" a\r\n\t b ", "a b"),
            ("\u{1b}[31mred\u{7}", "[31mred"),
            ("a\u{202e}b\u{200b}c\u{2066}d\u{feff}", "abcd"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("a\u{2028}b", "a b"),
        ] {
            assert_eq!(cleaned(text), expected);
        }
        let long = cleaned(&"ä".repeat(1000));
        assert_eq!(long.chars().count(), MAX_TEXT + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn a_response_does_not_print_its_code() {
        let read = Callback::parse("code=canary&state=canary").unwrap();
        assert!(!format!("{read:?}").contains("canary"));
    }
}
