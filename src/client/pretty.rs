//! JSON text, laid out for a person: numbers, names and their order as they were written.

/// Lays out JSON text. What is no JSON comes out as it is, but for white space between its words.
pub fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let end = end_of_string(json, at);
                out.push_str(&json[at..end]);
                while chars.peek().is_some_and(|(next, _)| *next < end) {
                    chars.next();
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
                if let Some((_, end)) = chars.next_if(|(_, c)| matches!(c, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    const DEEPEST: usize = 40;
    out.push('\n');
    (0..depth.min(DEEPEST)).for_each(|_| out.push_str("  "));
}

/// Where the string that begins here ends.
fn end_of_string(json: &str, start: usize) -> usize {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(start + 1) {
        match byte {
            b'"' if !escaped => return at + 1,
            _ => escaped = byte == b'\\' && !escaped,
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn numbers_and_the_order_of_names_stay() {
        assert_eq!(
            pretty(r#"{"z":1.0,"a":[1e3, 12345678901234567890 ],"s":"a,\"{}\\","e":{ },"n":null}"#),
            "{\n  \"z\": 1.0,\n  \"a\": [\n    1e3,\n    12345678901234567890\n  ],\n  \
             \"s\": \"a,\\\"{}\\\\\",\n  \"e\": {},\n  \"n\": null\n}"
        );
        assert_eq!(pretty("7"), "7");
        assert_eq!(pretty("\"open"), "\"open");
    }
}
