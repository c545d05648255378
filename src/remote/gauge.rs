//! The bound on one event of a stream: what is larger, or no text, is taken out, and the stream goes on
//! behind it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};

use crate::jsonrpc::scan::{Glimpse, IdScanner};

/// How many times the bound an event may go on before its end is not waited for, and the least that is
/// taken for the bound.
const MAX_REST: usize = 16;
const LEAST: usize = 1024 * 1024;

/// The names under which an event that is left out ends, and its last word.
pub(super) const TOO_LARGE: &str = "bridge/too-large";
pub(super) const NOT_TEXT: &str = "bridge/not-text";
pub(super) const LEFT_OUT: &str = "bridge/left-out";

/// Lets the bytes of an event stream by. Once an event has more of them than allowed, or some that are no
/// UTF-8, what still comes of it is left out, and an end is put in its place that names it [`TOO_LARGE`] or
/// [`NOT_TEXT`]: so it neither fills the memory nor ends the stream. An event [`LEFT_OUT`] follows when the
/// rest has gone by. It may exceed the bound by one piece.
#[derive(Debug)]
pub(super) struct Gauge {
    limit: usize,
    /// Bytes since the last blank line.
    pending: usize,
    lines: Lines,
    /// The beginning of a character whose end has not come yet.
    held: BytesMut,
    /// While the rest of an event goes by.
    skipping: bool,
    rest: Arc<Mutex<Rest>>,
}

/// What goes by of an event that is left out, looked at for the id.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// What went by before anybody looked.
    early: Vec<Bytes>,
    scanner: Option<IdScanner>,
    /// How much of it there was.
    length: usize,
}

impl Rest {
    /// Looks at the event from its beginning.
    pub(super) fn begin(&mut self, beginning: &str) {
        let mut scanner = IdScanner::default();
        scanner.feed(beginning.as_bytes());
        self.early.drain(..).for_each(|piece| scanner.feed(&piece));
        self.scanner = Some(scanner);
    }

    /// What the event seems to have been.
    pub(super) fn end(&mut self) -> Glimpse {
        std::mem::take(self).scanner.map(IdScanner::finish).unwrap_or_default()
    }

    fn pass(&mut self, piece: Bytes) {
        self.length += piece.len();
        match &mut self.scanner {
            Some(scanner) => scanner.feed(&piece),
            None => self.early.push(piece),
        }
    }
}

impl Gauge {
    pub(super) fn new(limit: usize, rest: Arc<Mutex<Rest>>) -> Self {
        Self {
            limit,
            pending: 0,
            lines: Lines { at_start: true, after_cr: false },
            held: BytesMut::new(),
            skipping: false,
            rest,
        }
    }

    /// Bytes of the event that is being put together.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Whether so much of an event was left out that its end is not waited for.
    pub(super) fn is_endless(&self) -> bool {
        self.skipping && self.rest().length / MAX_REST > self.limit.max(LEAST)
    }

    /// What is to be read of a piece.
    pub(super) fn pass(&mut self, piece: Bytes) -> Bytes {
        let mut rest = self.with_held(piece);
        let mut passed = BytesMut::new();
        loop {
            if self.skipping {
                let Some(next) = self.skip(&rest) else { return passed.freeze() };
                passed.extend_from_slice(format!("event: {LEFT_OUT}\n\n").as_bytes());
                rest = next;
            }
            if self.pending > self.limit && !rest.is_empty() {
                self.cut(&mut passed, TOO_LARGE);
                continue;
            }
            let (good, broken) = self.text_of(&rest);
            let head = rest.slice(..good);
            self.count(&head);
            if !broken && passed.is_empty() {
                return head;
            }
            passed.extend_from_slice(&head);
            if !broken {
                return passed.freeze();
            }
            self.cut(&mut passed, NOT_TEXT);
            rest = rest.slice(good..);
        }
    }

    fn with_held(&mut self, piece: Bytes) -> Bytes {
        if self.held.is_empty() {
            return piece;
        }
        let mut whole = std::mem::take(&mut self.held);
        whole.extend_from_slice(&piece);
        whole.freeze()
    }

    /// How much of a piece is text, and whether what follows is none. The beginning of a character at the
    /// end is held until the next piece.
    fn text_of(&mut self, piece: &[u8]) -> (usize, bool) {
        let Err(error) = std::str::from_utf8(piece) else { return (piece.len(), false) };
        let good = error.valid_up_to();
        if error.error_len().is_none() {
            self.held = BytesMut::from(&piece[good..]);
        }
        (good, error.error_len().is_some())
    }

    /// Ends an event before its end.
    fn cut(&mut self, passed: &mut BytesMut, name: &str) {
        if !self.lines.at_start {
            passed.extend_from_slice(b"\n");
        }
        passed.extend_from_slice(format!("event: {name}\n\n").as_bytes());
        self.skipping = true;
    }

    /// What follows the event that is left out, once that has ended.
    fn skip(&mut self, piece: &Bytes) -> Option<Bytes> {
        let end = self.lines.blank_line_in(piece);
        self.rest().pass(piece.slice(..end.unwrap_or(piece.len())));
        self.skipping = end.is_none();
        self.pending = 0;
        end.map(|end| piece.slice(end..))
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&mut self, mut piece: &[u8]) {
        while let Some(end) = self.lines.blank_line_in(piece) {
            self.pending = 0;
            piece = &piece[end..];
        }
        self.pending += piece.len();
    }
}

/// Finds blank lines in text that comes in pieces; a line ends with LF, CR or CRLF.
#[derive(Debug)]
struct Lines {
    at_start: bool,
    /// A LF now belongs to the line break before it.
    after_cr: bool,
}

impl Lines {
    /// Where the first blank line ends.
    fn blank_line_in(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        loop {
            if self.at_start {
                let byte = *text.get(at)?;
                at += 1;
                let completes = byte == b'\n' && self.after_cr;
                self.after_cr = byte == b'\r';
                self.at_start = matches!(byte, b'\n' | b'\r');
                if self.at_start && !completes {
                    return Some(at);
                }
            } else {
                at += memchr::memchr2(b'\n', b'\r', &text[at..])? + 1;
                self.after_cr = text[at - 1] == b'\r';
                self.at_start = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes of a text in pieces of this size.
    fn passed(text: &str, size: usize) -> String {
        let mut gauge = Gauge::new(16, Arc::default());
        let pieces = text.as_bytes().chunks(size).map(Bytes::copy_from_slice);
        let passed: Vec<u8> = pieces.flat_map(|piece| gauge.pass(piece)).collect();
        String::from_utf8(passed).unwrap()
    }

    #[test]
    fn events_and_comments_of_any_number_pass_untouched() {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                format!("data: 123456{end}{end}: hello{end}{end}:{end}id: 7{end}{end}").repeat(9);
            for size in [1, 2, 3, 5, 100] {
                assert_eq!(passed(&text, size), text);
            }
        }
    }

    #[test]
    fn the_rest_of_a_large_event_is_left_out_and_the_next_one_passes() {
        for end in ["\n", "\r\n", "\r"] {
            let large = format!("data: 🦀🦀🦀🦀{end}data: 🦀🦀🦀🦀🦀🦀{end}id: 1{end}{end}");
            let next = format!("data: next{end}{end}");
            for size in [1, 2, 3, 5] {
                let passed = passed(&format!("{next}{large}{next}"), size);
                assert!(passed.starts_with(&next), "{passed:?}");
                assert!(passed.trim_start_matches('\n').ends_with(&next), "{passed:?}");
                let named = format!("event: {TOO_LARGE}\n\n");
                assert_eq!(passed.matches(&named).count(), 1, "{passed:?}");
                let cut = passed.find(&named).unwrap();
                let blank = format!("{end}{end}");
                assert!(!passed[next.len()..cut].contains(&blank), "{passed:?}");
            }
        }
    }

    #[test]
    fn an_event_that_is_no_text_is_left_out_and_the_others_pass() {
        for size in [1, 2, 3, 7, 100] {
            let mut gauge = Gauge::new(1_000, Arc::default());
            let text = b"data: \xc3\xa9\n\ndata: a\xffb\ndata: c\n\ndata: \xf0\x9f\xa6\x80\n\n";
            let pieces = text.chunks(size).map(Bytes::copy_from_slice);
            let passed: Vec<u8> = pieces.flat_map(|piece| gauge.pass(piece)).collect();
            let expected = format!(
                "data: é\n\ndata: a\nevent: {NOT_TEXT}\n\nevent: {LEFT_OUT}\n\ndata: 🦀\n\n"
            );
            assert_eq!(String::from_utf8(passed).unwrap(), expected);
        }
    }

    #[test]
    fn a_large_event_may_end_between_its_lines() {
        assert_eq!(
            passed("data: 1234567890\ndata: 2\n\ndata: 3\n\n", 17),
            format!("data: 1234567890\nevent: {TOO_LARGE}\n\nevent: {LEFT_OUT}\n\ndata: 3\n\n")
        );
    }
}
