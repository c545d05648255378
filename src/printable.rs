//! Text of a peer as a person may see it: on one line, in the order in which it was written, without credentials
//! that it repeats.

use crate::secret::without_credentials;

/// What is shown in place of a character that is not.
const LEFT_OUT: char = ' ';

/// Whether a character can neither break a line, nor move the cursor, nor turn the text after it round, nor
/// hide: Unicode's `Default_Ignorable_Code_Point` (UAX #9, UTS #39). The joiners U+200C and U+200D are letters of
/// some scripts, and U+FE0E and U+FE0F choose between a sign and a picture.
pub fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0d}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// At most so many characters of a text, with a space for each that is not printable.
pub fn printable(text: &str, most: usize) -> String {
    // Before it is cut: half of a secret is none that would be found.
    let text = without_credentials(text);
    text.chars().take(most).map(|c| if is_printable(c) { c } else { LEFT_OUT }).collect()
}

/// At most so many characters of a text for people, on one line: runs of white space are one space, and what is
/// not printable is left out.
pub fn one_line(text: &str, most: usize) -> String {
    let text = without_credentials(text);
    let visible = text.chars().filter_map(|c| match c {
        c if c.is_whitespace() => Some(' '),
        c => is_printable(c).then_some(c),
    });
    let mut line = String::new();
    for c in visible {
        if c != ' ' || !line.ends_with(' ') {
            line.push(c);
        }
    }
    let line = line.trim();
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

/// A text of several lines for a terminal: what is not printable is written out, so that it neither steers the
/// terminal nor hides.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\t' => shown.push(c),
            c if is_printable(c) => shown.push(c),
            c => shown.extend(c.escape_unicode()),
        }
    }
    shown
}

/// JSON for a terminal: what is not printable is written as JSON has it (RFC 8259 §7), and so means the same.
pub fn escaped_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // White space between tokens; in a string they would be no JSON.
            '\n' | '\r' | '\t' => shown.push(if c == '\r' { LEFT_OUT } else { c }),
            c if is_printable(c) => shown.push(c),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| shown.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    shown
}

/// A line of prose as lines of so many columns: the first begins behind `used` of them, the others behind `indent`.
/// What can be copied stays whole, wherever the terminal breaks it: a long word, and what stands in backticks.
pub fn wrapped(text: &str, used: usize, indent: usize, columns: usize) -> String {
    const NARROWEST: usize = 20;
    let columns = columns.max(indent + NARROWEST);
    let mut lines = String::new();
    let mut at = used;
    for (number, word) in words(text).iter().enumerate() {
        let width = word.chars().count();
        if number > 0 && at + 1 + width > columns && at > indent {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            at = indent;
        } else if number > 0 {
            lines.push(' ');
            at += 1;
        }
        lines.push_str(word);
        at += width;
    }
    lines
}

/// The words of a text; what stands between two backticks is part of one.
fn words(text: &str) -> Vec<&str> {
    let paired = text.matches('`').count().is_multiple_of(2);
    let mut quoted = false;
    let between = move |c: char| {
        quoted ^= c == '`' && paired;
        c == ' ' && !quoted
    };
    text.split(between).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_between_words_and_what_can_be_copied_stays_whole() {
        let long = "x".repeat(90);
        assert_eq!(wrapped("one two", 2, 2, 80), "one two");
        assert_eq!(
            wrapped(&format!("see {long} there"), 2, 2, 30),
            format!("see\n  {long}\n  there")
        );
        assert_eq!(
            wrapped("hint: run `bridge login work`, then try", 0, 2, 22),
            "hint: run\n  `bridge login work`,\n  then try"
        );
        assert_eq!(
            wrapped("a lone ` in what a server says", 0, 0, 20),
            "a lone ` in what a\nserver says"
        );
    }

    #[test]
    fn nothing_breaks_the_line_or_turns_it_round() {
        for odd in ["\n", "\r", "\u{1b}", "\u{85}", "\u{2028}", "\u{202e}", "\u{2066}", "\u{200f}"]
        {
            assert_eq!(printable(&format!("a{odd}b"), 10), "a b", "{odd:?}");
        }
        assert_eq!(
            printable("é 漢 👩\u{200d}🚒 می\u{200c}خواهم", 100),
            "é 漢 👩\u{200d}🚒 می\u{200c}خواهم"
        );
        assert_eq!(printable("漢字漢字", 2), "漢字");
    }

    #[test]
    fn what_nobody_would_see_is_not_shown() {
        for hidden in ['\u{34f}', '\u{3164}', '\u{ffa0}', '\u{fe01}', '\u{e0101}', '\u{e01ef}'] {
            assert_eq!(one_line(&format!("a{hidden}b"), 10), "ab", "{hidden:?}");
        }
        assert_eq!(one_line("❤\u{fe0f} 漢", 10), "❤\u{fe0f} 漢");
    }

    #[test]
    fn json_for_a_terminal_says_the_same_as_before() {
        let json = "{\"a\u{9b}\": \"\u{202e}\u{7f}\u{e0041}é\"}";
        let shown = escaped_json(json);
        assert_eq!(shown, "{\"a\\u009b\": \"\\u202e\\u007f\\udb40\\udc41é\"}");
        let read = |json| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(read(&shown), read(json));
    }

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        assert_eq!(escaped("a\r\nb\tc\n"), "a\nb\tc\n");
        assert_eq!(escaped("\u{1b}[2J\r\u{202e}x\u{9b}"), "\\u{1b}[2J\\u{d}\\u{202e}x\\u{9b}");
    }
}
