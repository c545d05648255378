//! Reads JSON with comments and trailing commas: each value, and where it stands.

use std::ops::Range;

use serde_json::Value;

/// How deep a file may be nested.
const DEEPEST: usize = 200;

/// Why a text can't be edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Broken {
    /// From 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Object(Vec<Member>),
    List(Vec<Node>),
    Single(Value),
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) start: usize,
    pub(super) value: Node,
    /// Where the comma behind it stands.
    pub(super) comma: Option<usize>,
}

impl Member {
    /// Behind it and its comma.
    pub(super) fn end(&self) -> usize {
        self.comma.map_or(self.value.range.end, |comma| comma + 1)
    }
}

/// The object that a file is.
///
/// # Errors
/// It is none, or can't be read.
pub(super) fn read(text: &str) -> Result<Node, Broken> {
    let mut scanner = Scanner { text, at: 0 };
    if text.starts_with('\u{feff}') {
        scanner.at = '\u{feff}'.len_utf8();
    }
    scanner.skip()?;
    if scanner.peek() != Some(b'{') {
        return Err(scanner.broken("an object is expected, `{`"));
    }
    let root = scanner.value(0)?;
    scanner.skip()?;
    if scanner.at < text.len() {
        return Err(scanner.broken("there is more behind the end"));
    }
    Ok(root)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn broken(&self, what: impl Into<String>) -> Broken {
        Broken { line: line_of(self.text, self.at), what: what.into() }
    }

    /// White space and comments.
    fn skip(&mut self) -> Result<(), Broken> {
        loop {
            let rest = self.rest();
            let white = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let comment = if rest[white..].starts_with("//") {
                rest[white..].find('\n').unwrap_or(rest.len() - white)
            } else if rest[white..].starts_with("/*") {
                // What opens it does not close it: `/*/`.
                let end = rest[white + 2..].find("*/");
                end.ok_or_else(|| self.broken("a comment is not closed"))? + 4
            } else {
                0
            };
            self.at += white + comment;
            if comment == 0 {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Broken> {
        if depth > DEEPEST {
            return Err(self.broken("it is nested too deeply"));
        }
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object(self.members(depth)?),
            Some(b'[') => Kind::List(self.elements(depth)?),
            Some(b'"') => Kind::Single(Value::from(self.string()?)),
            Some(_) => Kind::Single(self.word()?),
            None => return Err(self.broken("a value is missing")),
        };
        Ok(Node { range: start..self.at, kind })
    }

    fn members(&mut self, depth: usize) -> Result<Vec<Member>, Broken> {
        let mut members: Vec<Member> = Vec::new();
        self.at += 1;
        loop {
            self.skip()?;
            match self.peek() {
                Some(b'}') => {
                    self.at += 1;
                    return Ok(members);
                }
                Some(b'"') if members.last().is_none_or(|last| last.comma.is_some()) => {}
                Some(b'"') => return Err(self.broken("a comma is missing before this")),
                Some(_) => return Err(self.broken("a name in double quotes or `}` is expected")),
                None => return Err(self.broken("`}` is missing")),
            }
            let start = self.at;
            let name = self.string()?;
            self.skip()?;
            if self.peek() != Some(b':') {
                return Err(self.broken("a colon is missing behind a name"));
            }
            self.at += 1;
            self.skip()?;
            let value = self.value(depth + 1)?;
            let comma = self.comma()?;
            members.push(Member { name, start, value, comma });
        }
    }

    fn elements(&mut self, depth: usize) -> Result<Vec<Node>, Broken> {
        let mut elements = Vec::new();
        let mut separated = true;
        self.at += 1;
        loop {
            self.skip()?;
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(elements);
                }
                Some(_) if separated => {}
                Some(_) => return Err(self.broken("a comma or `]` is expected")),
                None => return Err(self.broken("`]` is missing")),
            }
            elements.push(self.value(depth + 1)?);
            separated = self.comma()?.is_some();
        }
    }

    fn comma(&mut self) -> Result<Option<usize>, Broken> {
        let behind = self.at;
        self.skip()?;
        if self.peek() == Some(b',') {
            self.at += 1;
            return Ok(Some(self.at - 1));
        }
        self.at = behind;
        Ok(None)
    }

    fn string(&mut self) -> Result<String, Broken> {
        let bytes = self.text.as_bytes();
        let mut end = self.at + 1;
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'\\' => end += 1,
                b'"' => {
                    let string = serde_json::from_str(&self.text[self.at..=end]);
                    let string = string.map_err(|_| self.broken("a string can't be read"))?;
                    self.at = end + 1;
                    return Ok(string);
                }
                b'\n' => break,
                _ => {}
            }
            end += 1;
        }
        Err(self.broken("a string is not closed"))
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, Broken> {
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | '/');
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let value = serde_json::from_str(word).map_err(|_| self.broken("a value can't be read"))?;
        self.at += word.len();
        Ok(value)
    }
}

/// From 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_not_closed_by_what_opens_it() {
        assert!(read("{/*/ \"a\": 1 /*/ \"b\": 2}").is_ok());
        assert_eq!(read("{/*/}").unwrap_err().what, "a comment is not closed");
    }
}
