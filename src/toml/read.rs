//! From events of the parser to entries with their places.

use std::collections::BTreeSet;
use std::ops::Range;

use toml_parser::decoder::ScalarKind;
use toml_parser::parser::{Event, EventKind, RecursionGuard, parse_document};
use toml_parser::{Expected, ParseError, Source, Span};

use super::{Document, Entry, Table, Value, Wrong};
use crate::order;

/// Deepest nesting of arrays and tables within a line.
const DEEPEST: u32 = 16;

pub(super) fn document(text: &str) -> Document<'_> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
    let mut errors: Vec<ParseError> = Vec::new();
    parse_document(&tokens, &mut RecursionGuard::new(&mut events, DEEPEST), &mut errors);
    events.retain(|event| !is_between(event.kind()));
    let start = Table { path: Vec::new(), header: 0..0, end: 0 };
    let document = Document { text, tables: vec![start], entries: Vec::new(), wrong: Vec::new() };
    let mut reader = Reader { source, events: &events, errors, document, of_array: Vec::new() };
    while let Some(event) = reader.next() {
        reader.statement(event);
    }
    reader.finish()
}

/// What stands between the parts that mean something.
fn is_between(kind: EventKind) -> bool {
    use EventKind::{Comment, Error, KeySep, Newline, ValueSep, Whitespace};
    matches!(kind, Whitespace | Comment | Newline | KeySep | ValueSep | Error)
}

struct Reader<'a, 'e> {
    source: Source<'a>,
    events: &'e [Event],
    errors: Vec<ParseError>,
    document: Document<'a>,
    /// The arrays of tables, once for each table.
    of_array: Vec<Vec<String>>,
}

impl<'a> Reader<'a, '_> {
    fn next(&mut self) -> Option<Event> {
        let (first, rest) = self.events.split_first()?;
        self.events = rest;
        Some(*first)
    }

    fn peek(&self) -> Option<EventKind> {
        self.events.first().map(Event::kind)
    }

    /// A header, or a key and its value.
    fn statement(&mut self, event: Event) {
        match event.kind() {
            EventKind::StdTableOpen => self.header(event, EventKind::StdTableClose),
            EventKind::ArrayTableOpen => self.header(event, EventKind::ArrayTableClose),
            EventKind::SimpleKey => {
                let table = self.document.tables.last().map(|table| table.path.clone());
                let first = self.document.entries.len();
                let end = self.pair(event, table.unwrap_or_default());
                for entry in &mut self.document.entries[first..] {
                    entry.statement = event.span().start()..end;
                }
                if let Some(table) = self.document.tables.last_mut() {
                    table.end = end;
                }
            }
            _ => {}
        }
    }

    fn header(&mut self, open: Event, close: EventKind) {
        let (mut path, mut end) = (Vec::new(), open.span().end());
        while let Some(event) = self.next() {
            end = event.span().end();
            if event.kind() == close {
                break;
            }
            if event.kind() == EventKind::SimpleKey {
                path.push(self.key(event));
            }
        }
        if close == EventKind::ArrayTableClose {
            let number = self.of_array.iter().filter(|each| **each == path).count();
            self.of_array.push(path.clone());
            path.push(number.to_string());
        }
        self.document.tables.push(Table { path, header: open.span().start()..end, end });
    }

    /// A key, its further parts, and its value. Gives where that ends.
    fn pair(&mut self, first: Event, mut path: Vec<String>) -> usize {
        let mut key = range(first.span());
        path.push(self.key(first));
        while self.peek() == Some(EventKind::SimpleKey) {
            let Some(part) = self.next() else { break };
            key = range(part.span());
            path.push(self.key(part));
        }
        if self.peek() != Some(EventKind::KeyValSep) {
            return key.end;
        }
        self.next();
        match self.next() {
            Some(open) if open.kind() == EventKind::InlineTableOpen => self.inline(&path),
            Some(event) => {
                let (value, end) = self.value(event);
                let span = event.span().start()..end;
                if let Some(value) = value {
                    let statement = span.clone();
                    self.document.entries.push(Entry { path, key, value, span, statement });
                }
                end
            }
            None => key.end,
        }
    }

    /// The pairs of a table within a line. Gives where that ends.
    fn inline(&mut self, path: &[String]) -> usize {
        let mut end = 0;
        while let Some(event) = self.next() {
            end = event.span().end();
            match event.kind() {
                EventKind::InlineTableClose => break,
                EventKind::SimpleKey => end = self.pair(event, path.to_vec()),
                _ => {}
            }
        }
        end
    }

    /// A value that is no table, and where it ends.
    fn value(&mut self, event: Event) -> (Option<Value>, usize) {
        let end = event.span().end();
        match event.kind() {
            EventKind::Scalar => (self.scalar(event), end),
            EventKind::ArrayOpen => {
                let (mut values, mut end) = (Vec::new(), end);
                while let Some(event) = self.next() {
                    end = event.span().end();
                    if event.kind() == EventKind::ArrayClose {
                        break;
                    }
                    if event.kind() == EventKind::InlineTableOpen {
                        // What is in it is nobody's entry.
                        let before = self.document.entries.len();
                        end = self.inline(&[]);
                        self.document.entries.truncate(before);
                        values.push(Value::Other);
                        continue;
                    }
                    let (value, behind) = self.value(event);
                    end = behind;
                    values.extend(value);
                }
                (Some(Value::List(values)), end)
            }
            _ => (None, end),
        }
    }

    fn key(&mut self, event: Event) -> String {
        let mut key = String::new();
        if let Some(raw) = self.source.get(event) {
            raw.decode_key(&mut key, &mut self.errors);
        }
        key
    }

    fn scalar(&mut self, event: Event) -> Option<Value> {
        let raw = self.source.get(event)?;
        let (mut text, wrong) = (String::new(), self.errors.len());
        let kind = raw.decode_scalar(&mut text, &mut self.errors);
        if self.errors.len() > wrong {
            return None;
        }
        Some(match kind {
            ScalarKind::String => Value::Text(text),
            ScalarKind::Boolean(on) => Value::Switch(on),
            ScalarKind::Integer(_) | ScalarKind::Float => Value::Number(text),
            ScalarKind::DateTime => Value::Other,
        })
    }

    fn finish(mut self) -> Document<'a> {
        let errors = self.errors.iter().map(wrong);
        self.document.wrong.extend(errors);
        self.twice();
        let wrong = std::mem::take(&mut self.document.wrong);
        self.document.wrong = order::by_key(wrong, |wrong| wrong.at);
        self.document
    }

    /// Headers and keys that are there twice.
    fn twice(&mut self) {
        let Document { tables, entries, wrong, .. } = &mut self.document;
        let mut seen = BTreeSet::new();
        for table in tables.iter().skip(1) {
            if !seen.insert(&table.path) {
                let why = format!("the table `{}` is there twice", table.path.join("."));
                wrong.push(Wrong { at: table.header.start, why });
            }
        }
        let mut keys = BTreeSet::new();
        for entry in entries.iter() {
            if !keys.insert(&entry.path) || seen.contains(&entry.path) {
                let name = entry.path.last().map(String::as_str).unwrap_or_default();
                let why = format!("the key `{name}` is there twice");
                wrong.push(Wrong { at: entry.key.start, why });
            }
        }
    }
}

fn range(span: Span) -> Range<usize> {
    span.start()..span.end()
}

fn wrong(error: &ParseError) -> Wrong {
    // What is missing at the end of something is told where that begins.
    let place = error.unexpected().filter(|span| !span.is_empty());
    let place = place.or(error.context()).or(error.unexpected());
    let mut why = error.description().to_owned();
    let expected = error.expected().unwrap_or_default().iter().map(|expected| match expected {
        Expected::Literal(literal) => format!("`{literal}`"),
        Expected::Description(words) => (*words).to_owned(),
        _ => "something else".to_owned(),
    });
    let expected: Vec<_> = expected.collect();
    if !expected.is_empty() {
        why = format!("{why}: expected {}", expected.join(" or "));
    }
    Wrong { at: place.map_or(0, |span| span.start()), why }
}
