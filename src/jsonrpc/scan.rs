//! The id in text that can't be parsed: a line that is broken, cut off, or too long to keep.

use super::Id;

/// Longest id that is looked for, in bytes; a longer one is no id anybody waits on.
const MAX_ID: usize = 1024;

/// Finds the member `"id"` of the top-level object in text that is fed piece by piece.
///
/// It tracks strings and nesting only, so that it works on text that is not quite JSON, in constant
/// memory. Official SDKs write the id first (Python) or last (TypeScript).
#[derive(Debug, Default)]
pub struct IdScanner {
    depth: u32,
    state: State,
    token: Vec<u8>,
    found: Option<Id>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    /// Inside a string at the top level that may be a key; `bool` is "after a backslash".
    Text(bool),
    /// Inside a string that does not matter.
    Skipped(bool),
    /// The key was `id`: a colon and then the value follow.
    Colon,
    Value,
    ValueText(bool),
}

impl IdScanner {
    /// Reads on.
    pub fn feed(&mut self, piece: &[u8]) {
        for &byte in piece {
            self.step(byte);
        }
    }

    /// The id, if one was seen; of several the last.
    pub fn finish(mut self) -> Option<Id> {
        self.end_of_value();
        self.found
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
            State::Colon => match byte {
                b':' => self.state = State::Value,
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

    fn text(&mut self, byte: u8, escaped: bool) {
        match byte {
            b'"' if !escaped => {
                let is_id = self.token == b"id";
                self.token.clear();
                self.state = if is_id { State::Colon } else { State::Between };
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
        if matches!(self.state, State::Value | State::ValueText(_)) {
            let id = std::str::from_utf8(&self.token).ok().and_then(Id::from_json);
            self.found = id.or_else(|| self.found.take());
        }
        self.token.clear();
    }
}

/// The id of the top-level object, as far as one can be made out.
pub fn top_level_id(bytes: &[u8]) -> Option<Id> {
    let mut scanner = IdScanner::default();
    scanner.feed(bytes);
    scanner.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<String> {
        top_level_id(text.as_bytes()).map(|id| id.to_string())
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
    fn it_does_not_matter_how_the_text_is_cut() {
        let text = br#"{"jsonrpc":"2.0","x":"\\","params":["id",{"id":1}],"id":"seven"}"#;
        for cut in 0..text.len() {
            let mut scanner = IdScanner::default();
            scanner.feed(&text[..cut]);
            scanner.feed(&text[cut..]);
            assert_eq!(scanner.finish().unwrap().to_string(), "\"seven\"");
        }
    }
}
