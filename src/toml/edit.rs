//! Edits by splicing: what is not meant stays as it is, byte for byte.

use std::fmt::Write;
use std::ops::Range;

use super::{Document, Entry, Table};
use crate::order;

impl Document<'_> {
    /// The file with these lines at its end, after an empty one.
    pub fn with_appended(&self, lines: &str) -> String {
        let mut text = self.text.to_owned();
        let end = self.line_end();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(end);
        }
        if !text.trim_start_matches('\u{feff}').trim().is_empty() {
            text.push_str(end);
        }
        text.push_str(&self.ended(lines));
        text
    }

    /// The file without what is at this path or below it. Comments directly above a header, or directly below
    /// the last key, go with the table.
    pub fn without(&self, path: &[&str]) -> String {
        let is_below =
            |of: &[String]| of.len() >= path.len() && of.iter().zip(path).all(|(a, b)| a == b);
        let mut cuts: Vec<Range<usize>> = Vec::new();
        for (number, table) in self.tables.iter().enumerate().skip(1) {
            if is_below(&table.path) {
                cuts.push(self.lines_of(number));
            }
        }
        for entry in self.entries.iter().filter(|entry| is_below(&entry.path)) {
            let lines =
                self.line_start(entry.statement.start)..self.line_after(entry.statement.end);
            cuts.push(lines);
        }
        let cuts = order::by_key(cuts, |cut| cut.start);
        let (mut text, mut kept) = (String::with_capacity(self.text.len()), 0);
        for cut in cuts {
            text.push_str(self.text.get(kept..cut.start).unwrap_or_default());
            kept = kept.max(cut.end);
        }
        text.push_str(&self.text[kept..]);
        text
    }

    /// The file with this value at the key: in place of the one that is there, else at the end of its table,
    /// which is made if need be. `value` is TOML.
    pub fn with_value(&self, table: &[&str], name: &str, value: &str) -> String {
        let is_it = |entry: &&Entry| {
            entry.path.len() == table.len() + 1
                && entry.path.iter().zip(table.iter().chain([&name])).all(|(a, b)| a == b)
        };
        if let Some(entry) = self.entries.iter().find(is_it) {
            return self.spliced(entry.span.clone(), value);
        }
        let line = format!("{} = {value}\n", key(name));
        match self.tables.iter().skip(1).find(|each| each.path == table) {
            Some(found) => {
                let after = self.line_after(found.end);
                let broken = self.text[..after].ends_with('\n');
                let before = if broken { "" } else { self.line_end() };
                self.spliced(after..after, &format!("{before}{}", self.ended(&line)))
            }
            None => {
                let path: Vec<_> = table.iter().map(|part| key(part)).collect();
                self.with_appended(&format!("[{}]\n{line}", path.join(".")))
            }
        }
    }

    fn spliced(&self, span: Range<usize>, new: &str) -> String {
        [&self.text[..span.start], new, &self.text[span.end..]].concat()
    }

    /// The lines of a table, with the empty ones that kept it apart.
    fn lines_of(&self, number: usize) -> Range<usize> {
        let table = &self.tables[number];
        let next = self.tables.get(number + 1).map_or(self.text.len(), |next| self.begin_of(next));
        let mut start = self.begin_of(table);
        let mut end = self.line_after(table.end);
        while end < next && !self.is_empty_line(end) {
            end = self.line_after(end);
        }
        while end < next && self.is_empty_line(end) {
            end = self.line_after(end);
        }
        if end >= self.text.len() {
            while start > 0 && self.is_empty_line(self.line_start(start - 1)) {
                start = self.line_start(start - 1);
            }
        }
        start..end
    }

    /// Where a table begins, with the comment above its header. What the file begins with is the file's.
    fn begin_of(&self, table: &Table) -> usize {
        let header = self.line_start(table.header.start);
        let mut begin = header;
        while begin > 0 {
            let above = self.line_start(begin - 1);
            if !self.text[above..begin].trim_start_matches('\u{feff}').trim_start().starts_with('#')
            {
                return begin;
            }
            begin = above;
        }
        header
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |line_break| line_break + 1)
    }

    /// Where the line after this place begins.
    fn line_after(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |line_break| at + line_break + 1)
    }

    fn is_empty_line(&self, start: usize) -> bool {
        start < self.text.len() && self.text[start..self.line_after(start)].trim().is_empty()
    }

    /// What lines of this file end with.
    fn line_end(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    fn ended(&self, lines: &str) -> String {
        lines.replace('\n', self.line_end())
    }
}

/// A key, in quotes where it needs them.
pub fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { text(name) }
}

/// A string, on one line.
pub fn text(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
