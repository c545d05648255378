//! What can be made out of text that can't be parsed: a line that is broken, cut off, or too long to keep.

use super::Id;

/// Longest id that is looked for, in bytes; a longer one is no id anybody waits on.
const MAX_ID: usize = 1024;

/// What was made out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Glimpse {
    /// The id; of several the last.
    pub id: Option<Id>,
    /// Whether it seems to be a response: then the id is that of a request of the receiver.
    pub is_response: bool,
}

/// Finds the member `"id"` of the top-level object in text that is fed piece by piece, and whether
/// there are `"method"`, `"result"` and `"error"`.
///
/// It tracks strings and nesting only, so that it works on text that is not quite JSON, in constant
/// memory. Official SDKs write the id first (Python) or last (TypeScript).
#[derive(Debug, Default)]
pub struct IdScanner {
    depth: u32,
    state: State,
    token: Vec<u8>,
    found: Option<Id>,
    has_method: bool,
    has_outcome: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    /// Inside a string at the top level that may be a key; `bool` is "after a backslash".
    Text(bool),
    /// Inside a string that does not matter.
    Skipped(bool),
    /// It was this: if it was a key, a colon follows.
    Colon(Key),
    Value,
    ValueText(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Id,
    Method,
    Outcome,
}

impl IdScanner {
    /// Reads on.
    pub fn feed(&mut self, piece: &[u8]) {
        for &byte in piece {
            self.step(byte);
        }
    }

    /// What was seen.
    pub fn finish(mut self) -> Glimpse {
        self.end_of_value();
        Glimpse { id: self.found, is_response: self.has_outcome && !self.has_method }
    }

    fn step(&mut self, byte: u8) {
        match self.state {
            State::Between => self.between(byte),
            State::Text(escaped) => self.text(byte, escaped),
            State::Skipped(escaped) => {
                self.state = match byte {
                    b'"' if !escaped => State::Between,
                    b'\\' => State::Skipped(!escaped),
                    _ => State::Skipped(false),
                }
            }
            State::Colon(key) => match byte {
                b':' => self.member(key),
                b if b.is_ascii_whitespace() => {}
                _ => {
                    self.state = State::Between;
                    self.between(byte);
                }
            },
            State::Value => self.value(byte),
            State::ValueText(escaped) => {
                self.keep(byte);
                self.state = match byte {
                    b'"' if !escaped => {
                        self.end_of_value();
                        State::Between
                    }
                    b'\\' => State::ValueText(!escaped),
                    _ => State::ValueText(false),
                }
            }
        }
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'"' if self.depth == 1 => {
                self.token.clear();
                self.state = State::Text(false);
            }
            b'"' => self.state = State::Skipped(false),
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn member(&mut self, key: Key) {
        self.state = if key == Key::Id { State::Value } else { State::Between };
        self.has_method |= key == Key::Method;
        self.has_outcome |= key == Key::Outcome;
    }

    fn text(&mut self, byte: u8, escaped: bool) {
        match byte {
            b'"' if !escaped => {
                self.state = match &self.token[..] {
                    b"id" => State::Colon(Key::Id),
                    b"method" => State::Colon(Key::Method),
                    b"result" | b"error" => State::Colon(Key::Outcome),
                    _ => State::Between,
                };
                self.token.clear();
            }
            b'\\' => self.state = State::Text(!escaped),
            _ => {
                self.keep(byte);
                self.state = State::Text(false);
            }
        }
    }

    fn value(&mut self, byte: u8) {
        match byte {
            b'"' if self.token.is_empty() => {
                self.keep(byte);
                self.state = State::ValueText(false);
            }
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'e' | b'E' => self.keep(byte),
            b if b.is_ascii_whitespace() && self.token.is_empty() => {}
            _ => {
                self.end_of_value();
                self.state = State::Between;
                self.between(byte);
            }
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.token.len() < MAX_ID {
            self.token.push(byte);
        }
    }

    fn end_of_value(&mut self) {
        // What was not kept whole is another id, or none.
        let whole = self.token.len() < MAX_ID;
        if whole && matches!(self.state, State::Value | State::ValueText(_)) {
            let id = std::str::from_utf8(&self.token).ok().and_then(Id::from_json);
            self.found = id.or_else(|| self.found.take());
        }
        self.token.clear();
    }
}

/// What can be made out of the top-level object.
pub fn glimpse(bytes: &[u8]) -> Glimpse {
    let mut scanner = IdScanner::default();
    scanner.feed(bytes);
    scanner.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        glimpse(text.as_bytes()).id.map(|id| id.to_string())
    }

    #[test]
    fn the_id_is_found_first_last_and_in_broken_text() {
        assert_eq!(found(r#"{"id":1,"method":"x""#).as_deref(), Some("1"));
        assert_eq!(found(r#"{"params":{"id":9},"id":"a\"b"}"#).as_deref(), Some("\"a\\\"b\""));
        assert_eq!(found(r#"{"a":"\"id\":3","id" : -2.5e1 }"#).as_deref(), Some("-2.5e1"));
        assert_eq!(found(r#"{"id":12"#).as_deref(), Some("12"));
        assert_eq!(found(r#"{"method":"id","params":[{"id":4}]}"#), None);
        assert_eq!(found(r#"{"id":null}"#), None);
        assert_eq!(found("[{\"id\":1}]"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn a_response_is_told_from_a_request() {
        let is_response = |text: &str| glimpse(text.as_bytes()).is_response;
        assert!(is_response(r#"{"jsonrpc":"2.0","id":1,"result":{"a"#));
        assert!(is_response(r#"{"error" : {"method":1},"id":1]"#));
        assert!(!is_response(r#"{"id":1,"method":"x","params":{"result":1}"#));
        assert!(!is_response(r#"{"id":1,"method":"result","result":1"#));
        assert!(!is_response(r#"{"id":1,"params":"error""#));
    }

    #[test]
    fn an_id_that_is_too_long_to_keep_is_none() {
        assert_eq!(found(&format!(r#"{{"id":1{},"x""#, "0".repeat(MAX_ID))), None);
        assert_eq!(found(&format!(r#"{{"id":"{}","x""#, "0".repeat(MAX_ID))), None);
    }

    #[test]
    fn it_does_not_matter_how_the_text_is_cut() {
        let text = br#"{"jsonrpc":"2.0","x":"\\","params":["id",{"id":1}],"id":"seven"}"#;
        for cut in 0..text.len() {
            let mut scanner = IdScanner::default();
            scanner.feed(&text[..cut]);
            scanner.feed(&text[cut..]);
            assert_eq!(scanner.finish().id.unwrap().to_string(), "\"seven\"");
        }
    }
}
