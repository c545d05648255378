//! What messages hold, in a file that the user asked for, without what is a secret or looks like one. What is known
//! to be one is named by whoever sends it; of the rest, too much is left out rather than too little.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::secret::{Known, LEFT_OUT};

/// Bytes of a message that are looked at.
const MAX_READ: usize = 16 * 1024;
/// Characters of a message that are written, at most.
pub(super) const MAX_SHOWN: usize = 2_000;
/// What is not shown of a message that was cut, at its end: half of a secret is none that would be known.
const MARGIN: usize = 4 * 1024;
/// What stands behind a scheme and is shorter is a word that may stand anywhere.
const SHORTEST: usize = 6;
/// Letters and digits in a row that nobody writes by hand.
const TOKEN: usize = 24;
/// The same where it begins as the keys of a well-known service do.
const SHORT_TOKEN: usize = 12;

static WRITTEN: AtomicBool = AtomicBool::new(false);
static KNOWN: Known = Known::new();

/// From now on they are written.
pub(super) fn begin() {
    WRITTEN.store(true, Ordering::Relaxed);
}

/// Whether what messages hold is written down.
pub fn writes_bodies() -> bool {
    WRITTEN.load(Ordering::Relaxed)
}

/// What is sent as a secret is left out of all that is written from now on.
pub fn know_secret(secret: &str) {
    KNOWN.add(secret);
}

/// What a message holds, bounded and without secrets.
pub fn body(message: &[u8]) -> String {
    without_secrets(message, &KNOWN)
}

fn without_secrets(message: &[u8], known: &Known) -> String {
    let is_cut = message.len() > MAX_READ;
    let text = String::from_utf8_lossy(&message[..message.len().min(MAX_READ)]);
    let text = unescaped(&text);
    let mut text = known.left_out(&text).into_owned();
    if is_cut {
        let margin = known.longest().max(MARGIN);
        text.truncate(text.floor_char_boundary(text.len().saturating_sub(margin)));
    }
    let mut shown = String::new();
    let mut rest = &*text;
    while let Some(first) = rest.chars().next() {
        if shown.chars().count() >= MAX_SHOWN {
            break;
        }
        let (kept, taken) = match run(rest, is_word) {
            0 => (first.to_string(), first.len_utf8()),
            length => word(rest, length),
        };
        shown.push_str(&kept);
        rest = &rest[taken..];
    }
    if is_cut || !rest.is_empty() {
        shown.push('…');
    }
    shown
}

/// What is shown of a word and what belongs to it, and how much of the text that is.
fn word(text: &str, length: usize) -> (String, usize) {
    let (word, rest) = text.split_at(length);
    if is_name_of_secret(word)
        && let Some((separator, value)) = value_of(rest)
    {
        return (format!("{word}{}{LEFT_OUT}", &rest[..separator]), length + separator + value);
    }
    if is_scheme(word) && rest.starts_with(' ') {
        let value = run(&rest[1..], is_of_token);
        if value >= SHORTEST {
            return (format!("{word} {LEFT_OUT}"), length + 1 + value);
        }
    }
    if is_token(word) {
        // What follows without a space is of the same token.
        return (LEFT_OUT.to_owned(), run(text, is_of_token));
    }
    (word.to_owned(), length)
}

fn run(text: &str, is_in: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_in(c)).unwrap_or(text.len())
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+')
}

fn is_of_token(c: char) -> bool {
    is_word(c) || matches!(c, '.' | '/' | '=' | '~')
}

fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "token", "digest"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Whether a row of letters and digits looks like a key.
fn is_token(word: &str) -> bool {
    const KEYS: [&str; 13] = [
        "sk-",
        "pk-",
        "rk-",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "xox",
        "AKIA",
        "AIza",
        "ya29",
    ];
    let mixed = word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let of_service = KEYS.iter().any(|key| word.starts_with(key)) && word.len() >= SHORT_TOKEN;
    of_service || (mixed && word.len() >= TOKEN)
}

/// Whether what stands behind a name is a secret by that name. The tokens of a language model are counted, and the one
/// of a progress is the client's.
fn is_name_of_secret(name: &str) -> bool {
    const PARTS: [&str; 13] = [
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "apikey",
        "accesskey",
        "privatekey",
        "authorization",
        "cookie",
        "credential",
        "assertion",
        "sessionid",
    ];
    const WHOLE: [&str; 7] = ["pass", "pwd", "pin", "otp", "jwt", "bearer", "codeverifier"];
    let plain: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let counts = plain.ends_with("tokens") || plain == "progresstoken";
    !counts && (WHOLE.contains(&&*plain) || PARTS.iter().any(|part| plain.contains(part)))
}

/// The lengths of what separates a name from its value, and of the value, where one follows: in JSON, in JSON within
/// a text of JSON, in a query, in a header.
fn value_of(rest: &str) -> Option<(usize, usize)> {
    let before = run(rest, |c| matches!(c, '"' | '\'' | '\\' | ' '));
    let after = rest[before..].strip_prefix([':', '='])?;
    let spaces = run(after, |c| c == ' ');
    let slashes = run(&after[spaces..], |c| c == '\\');
    let quotes = usize::from(after[spaces + slashes..].starts_with(['"', '\'']));
    let open = if quotes == 0 { spaces } else { spaces + slashes + quotes };
    let (opening, value) = after.split_at(open);
    let length = match &opening[spaces..] {
        "" => bare(value),
        quote => value.find(quote).map_or(value.len(), |end| quoted_end(value, quote, end)),
    };
    (length > 0).then_some((before + 1 + open, length))
}

/// Where a quoted value ends: at the first such quote that is not itself part of the text.
fn quoted_end(value: &str, quote: &str, first: usize) -> usize {
    let mut end = first;
    while quote == "\"" && value[..end].ends_with('\\') {
        match value[end + 1..].find(quote) {
            Some(next) => end += 1 + next,
            None => return value.len(),
        }
    }
    end
}

/// The length of a value without quotes: an object or a list whole, or a word; with the scheme before it.
fn bare(value: &str) -> usize {
    if value.starts_with(['{', '[']) {
        return nested(value);
    }
    let ends =
        |c: char| matches!(c, ',' | ';' | '&' | '}' | ']' | '"' | '\'' | '\\') || c.is_whitespace();
    let length = run(value, |c| !ends(c));
    match &value[..length] {
        "true" | "false" | "null" => 0,
        scheme if is_scheme(scheme) && value[length..].starts_with(' ') => {
            length + 1 + run(&value[length + 1..], |c| !ends(c))
        }
        _ => length,
    }
}

/// The length of a list or an object, to the bracket that closes it.
fn nested(value: &str) -> usize {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            '{' | '[' if !in_text => depth += 1,
            '}' | ']' if !in_text => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    value.len()
}

/// A text in which a letter stands for itself, so that none of a secret is spelled otherwise.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let digits = rest[at..].strip_prefix("\\u").and_then(|code| code.get(..4));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let letter = code
            .and_then(char::from_u32)
            .filter(|c| c.is_ascii_graphic() && *c != '"' && *c != '\\');
        let (kept, taken) = match (letter, rest[at + 1..].chars().next()) {
            (Some(letter), _) => (letter.to_string(), 6),
            (None, Some('/')) => ("/".to_owned(), 2),
            (None, Some(other)) => (format!("\\{other}"), 1 + other.len_utf8()),
            (None, None) => ("\\".to_owned(), 1),
        };
        plain.push_str(&kept);
        rest = &rest[at + taken..];
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let known = Known::new();
        known.add("canary-known");
        without_secrets(text.as_bytes(), &known)
    }

    #[test]
    fn what_is_no_secret_stays_as_it_is() {
        for text in [
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_issue","arguments":{"n":12}}}"#,
            r#"{"result":{"content":[{"type":"text","text":"it\nis \"done\", 42 € of C:\\temp"}]}}"#,
            r#"{"_meta":{"progressToken":"p-1"},"maxTokens":1000,"usage":{"inputTokens":55}}"#,
            r#"{"error":{"code":-32601,"message":"no such token"}}"#,
            r#"{"url":"https://mcp.example.com/a/long/path/of/2026/with_many_words_in_it?page=2"}"#,
            r#"{"secret":true,"token":null,"password":""}"#,
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_is_a_secret_by_its_name_is_left_out() {
        for (text, expected) in [
            (r#"{"access_token":"abc","n":1}"#, r#"{"access_token":"[secret]","n":1}"#),
            (r#"{"Api-Key" : "a \"b\" c", "n":1}"#, r#"{"Api-Key" : "[secret]", "n":1}"#),
            (r#"{"pin":1234,"n":1}"#, r#"{"pin":[secret],"n":1}"#),
            (r#"{"credentials":{"a":["}"],"b":{}},"n":1}"#, r#"{"credentials":[secret],"n":1}"#),
            (r#""{\"password\":\"a b\",\"n\":1}""#, r#""{\"password\":\"[secret]\",\"n\":1}""#),
            ("see https://h/?api_key=abc&n=1", "see https://h/?api_key=[secret]&n=1"),
            ("Authorization: Bearer abc def", "Authorization: [secret] def"),
            ("Cookie: a=b; c=d", "Cookie: [secret]; c=d"),
            (r#"{"tok\u0065n":"abc"}"#, r#"{"token":"[secret]"}"#),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_left_out() {
        for (text, expected) in [
            ("it is Bearer abc.def-1/2= here", "it is Bearer [secret] here"),
            ("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.abc-_1 x", "[secret] x"),
            ("key ghp_16C7e42F292c69 x", "key [secret] x"),
            ("9f86d081884c7d659a2feaa0c55ad015", "[secret]"),
            ("a canary-known and xcanary-knownx", "a [secret] and x[secret]x"),
            (r#""c\u0061nary-known \/ x""#, r#""[secret] / x""#),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn it_is_bounded_and_no_secret_is_cut_in_two() {
        let long = "word ".repeat(100_000);
        assert_eq!(shown(&long).chars().count(), MAX_SHOWN + 1);
        for lead in (MAX_READ - 30)..MAX_READ {
            // All of the text is one secret by its name, so that the end of what is read would be shown.
            let before = format!("{{\"token\":\"{}\",\"x\":\"", "a".repeat(lead - 30));
            let text = format!("{before}canary-known{}", " more".repeat(100));
            assert!(!shown(&text).contains("cana"), "{}", shown(&text));
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_stands_around_a_known_secret_it_is_left_out(
            before in "[\\x00-\\x7f]{0,40}", after in ".{0,40}"
        ) {
            let shown = shown(&format!("{before}canary-known{after}"));
            proptest::prop_assert!(!shown.contains("canary-known"));
        }
    }
}
