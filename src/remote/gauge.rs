//! The bound on one event of a stream: what is larger is taken out, and the stream goes on behind it.

use bytes::{Bytes, BytesMut};

/// The name under which an event that is too large ends.
pub(super) const TOO_LARGE: &str = "bridge/too-large";

/// Bytes of the longest character in UTF-8.
const LONGEST: usize = 4;

/// Lets the bytes of an event stream by. Once an event has more of them than allowed, what still comes
/// of it is left out, and an end is put in its place that names it [`TOO_LARGE`]: so it neither fills
/// the memory nor ends the stream. It may exceed the bound by one piece.
#[derive(Debug)]
pub(super) struct Gauge {
    limit: usize,
    /// Bytes since the last blank line.
    pending: usize,
    lines: Lines,
    /// Bytes that the last character still lacks.
    lacking: usize,
    /// While the rest of an event goes by.
    skipping: bool,
}

impl Gauge {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            pending: 0,
            lines: Lines { at_start: true, after_cr: false },
            lacking: 0,
            skipping: false,
        }
    }

    /// What is to be read of a piece.
    pub(super) fn pass(&mut self, piece: Bytes) -> Bytes {
        if self.skipping {
            return self.skip(piece);
        }
        if self.pending <= self.limit || piece.len() < self.lacking {
            self.count(&piece);
            return piece;
        }
        // The piece before may have ended within a character, and within a line.
        let mut passed = BytesMut::from(&piece[..self.lacking]);
        if !self.lines.at_start {
            passed.extend_from_slice(b"\n");
        }
        passed.extend_from_slice(format!("event: {TOO_LARGE}\n\n").as_bytes());
        self.skipping = true;
        passed.extend_from_slice(&self.skip(piece.slice(self.lacking..)));
        passed.freeze()
    }

    fn skip(&mut self, piece: Bytes) -> Bytes {
        let Some(end) = self.lines.blank_line_in(&piece) else { return Bytes::new() };
        self.skipping = false;
        self.pending = 0;
        self.lacking = 0;
        let next = piece.slice(end..);
        self.count(&next);
        next
    }

    fn count(&mut self, mut piece: &[u8]) {
        let tail = &piece[piece.len().saturating_sub(LONGEST - 1)..];
        self.lacking = tail.iter().fold(self.lacking, |lacking, byte| match byte {
            0xf0.. => 3,
            0xe0.. => 2,
            0xc0.. => 1,
            0x80.. => lacking.saturating_sub(1),
            _ => 0,
        });
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
        let mut gauge = Gauge::new(16);
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
    fn a_large_event_may_end_between_its_lines() {
        assert_eq!(
            passed("data: 1234567890\ndata: 2\n\ndata: 3\n\n", 17),
            format!("data: 1234567890\nevent: {TOO_LARGE}\n\ndata: 3\n\n")
        );
    }
}
