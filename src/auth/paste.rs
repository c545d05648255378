//! What a person pastes back when the browser is on another machine: the address it ended at, the query of
//! that, or the code alone.

use url::Url;

use super::callback::{Callback, CallbackError, MAX_QUERY};
use crate::secret::Secret;

/// Shortest text that is taken for a code, in bytes.
const SHORTEST_CODE: usize = 6;

/// What was pasted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pasted {
    /// A whole authorization response, whose `state` and `iss` are to be checked.
    Response(Callback),
    /// The code alone. That it belongs to this sign-in shows when it is exchanged: PKCE binds it.
    Code(Secret<String>),
}

/// Why a pasted text can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasteError {
    /// Nothing was pasted.
    #[error("nothing was pasted")]
    Nothing,
    /// It is no authorization response.
    #[error("this is not what the browser ended at: {0}")]
    NotAResponse(#[from] CallbackError),
    /// It is the address that the sign-in begins with.
    #[error(
        "this is the address that the sign-in begins with; paste the one that the browser ends at"
    )]
    Beginning,
    /// It is neither an address nor a code.
    #[error("this is neither an address nor a code: it has white space in it")]
    Broken,
    /// It is no address, and too short for a code.
    #[error("this is neither an address nor a code: it is too short")]
    TooShort,
}

/// Reads what was pasted, as terminals and chat windows leave it: with white space and quotes around it.
///
/// # Errors
/// Neither an address with a response nor a code is in it.
pub fn read_pasted(text: &str) -> Result<Pasted, PasteError> {
    const AROUND: [char; 5] = ['"', '\'', '`', '<', '>'];
    // Bracketed paste of terminals that nobody told to leave it out.
    let text = text.trim().trim_start_matches("\u{1b}[200~").trim_end_matches("\u{1b}[201~");
    let text = text.trim_matches(|c: char| c.is_whitespace() || AROUND.contains(&c));
    if text.is_empty() {
        return Err(PasteError::Nothing);
    }
    if text.len() > MAX_QUERY {
        return Err(CallbackError::TooLong.into());
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(PasteError::Broken);
    }
    match query(text) {
        Some(query) => response(&query),
        // An answer to a question, a command: no server has codes that could be guessed (RFC 6749 §10.10).
        None if text.len() < SHORTEST_CODE => Err(PasteError::TooShort),
        None => Ok(Pasted::Code(Secret::new(decoded(text)))),
    }
}

fn response(query: &str) -> Result<Pasted, PasteError> {
    match Callback::parse(query) {
        Ok(callback) => Ok(Pasted::Response(callback)),
        Err(CallbackError::Empty) if has_parameter(query, "response_type") => {
            Err(PasteError::Beginning)
        }
        Err(error) => Err(error.into()),
    }
}

/// The query of an address, or what looks like one by itself.
fn query(text: &str) -> Option<String> {
    if text.contains("://") {
        let url = Url::parse(text).ok()?;
        return Some(url.query().unwrap_or_default().to_owned());
    }
    let (address, _fragment) = text.split_once('#').unwrap_or((text, ""));
    // Browsers hide `http://`.
    if let Some((_, query)) = address.split_once('?') {
        return Some(query.to_owned());
    }
    let known = ["code", "error", "response_type"].iter().any(|name| has_parameter(address, name));
    known.then(|| address.to_owned())
}

fn has_parameter(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| pair.split_once('=').is_some_and(|(known, _)| known == name))
}

/// A code that was cut out of an address is still percent-encoded.
fn decoded(code: &str) -> String {
    let pair = format!("c={}", code.replace('+', "%2B").replace('&', "%26"));
    let value = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value);
    let whole =
        |value: &str| !value.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
    value.filter(|value| whole(value)).map_or_else(|| code.to_owned(), |value| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Result<Pasted, PasteError> {
        Ok(Pasted::Code(Secret::new(text.to_owned())))
    }

    fn response(query: &str) -> Result<Pasted, PasteError> {
        Ok(Pasted::Response(Callback::parse(query).unwrap()))
    }

    #[test]
    fn an_address_a_query_or_a_code_is_read_as_people_paste_it() {
        let iss = "code=c&state=s&iss=https%3A%2F%2Fas";
        for (text, expected) in [
            ("http://127.0.0.1:7/oauth/callback?code=c&state=s", response("code=c&state=s")),
            ("  http://127.0.0.1:7/oauth/callback?code=c&state=s\r\n", response("code=c&state=s")),
            ("\"http://localhost/?code=c&state=s\"", response("code=c&state=s")),
            ("<http://localhost/?code=c&state=s>", response("code=c&state=s")),
            ("`'http://localhost/?code=c&state=s'`", response("code=c&state=s")),
            ("\u{1b}[200~http://h/?code=c&state=s\u{1b}[201~", response("code=c&state=s")),
            ("http://localhost/?code=c&state=s#_=_", response("code=c&state=s")),
            ("https://app.example/cb?code=c&state=s", response("code=c&state=s")),
            ("myapp://cb?code=c&state=s", response("code=c&state=s")),
            ("127.0.0.1:7/oauth/callback?code=c&state=s", response("code=c&state=s")),
            ("/oauth/callback?code=c&state=s", response("code=c&state=s")),
            ("?code=c&state=s", response("code=c&state=s")),
            ("code=c&state=s", response("code=c&state=s")),
            ("state=s&code=c", response("code=c&state=s")),
            ("code=c&state=s#", response("code=c&state=s")),
            (iss, response(iss)),
            ("http://h/?error=access_denied&state=s", response("error=access_denied&state=s")),
            ("abcdef", code("abcdef")),
            (" 'abcdef' ", code("abcdef")),
            ("4/0AX4+f=_-~.", code("4/0AX4+f=_-~.")),
            ("4%2F0AX4%2Bf", code("4/0AX4+f")),
            ("10000%", code("10000%")),
            ("abc%00b", code("abc%00b")),
            ("YWJj==", code("YWJj==")),
        ] {
            assert_eq!(read_pasted(text), expected, "{text}");
        }
    }

    #[test]
    fn what_can_not_be_used_is_told_so() {
        let not = |error| Err(PasteError::NotAResponse(error));
        for (text, expected) in [
            ("", Err(PasteError::Nothing)),
            (" \n", Err(PasteError::Nothing)),
            ("\"\"", Err(PasteError::Nothing)),
            ("two words", Err(PasteError::Broken)),
            ("yes", Err(PasteError::TooShort)),
            ("abcde", Err(PasteError::TooShort)),
            ("http://h/?code=a\nb&state=s", Err(PasteError::Broken)),
            ("a\u{0}b", Err(PasteError::Broken)),
            ("http://127.0.0.1:7/oauth/callback", not(CallbackError::Empty)),
            ("http://h/?code=a&code=b", not(CallbackError::Twice("code"))),
            ("code=a&error=b", not(CallbackError::Contradictory)),
            (&"a".repeat(MAX_QUERY + 1), not(CallbackError::TooLong)),
            (
                "https://as/authorize?response_type=code&client_id=x&state=s",
                Err(PasteError::Beginning),
            ),
        ] {
            assert_eq!(read_pasted(text), expected, "{text}");
        }
    }

    #[test]
    fn what_was_pasted_does_not_print() {
        for text in ["canary-code", "code=canary&state=canary"] {
            assert!(!format!("{:?}", read_pasted(text)).contains("canary"));
        }
    }
}
