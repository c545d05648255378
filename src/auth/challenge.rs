//! `WWW-Authenticate`: what a refusal says about how to get in (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728
//! §5.1).

use serde::{Deserialize, Serialize};

/// Bytes of one header line that are read.
const MAX_LINE: usize = 16 * 1024;
/// Header lines, schemes and parameters that are read.
const MAX_COUNT: usize = 32;

/// What a refusal said to a client that uses bearer tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Challenge {
    /// Where the protected resource metadata lies, unchecked.
    pub resource_metadata: Option<String>,
    /// Scopes that the request needs, as sent.
    pub scope: Option<String>,
    /// Error code: `invalid_token`, `insufficient_scope`.
    pub error: Option<String>,
    /// The same for a person, uncleaned.
    pub error_description: Option<String>,
}

impl Challenge {
    /// The challenge for bearer tokens among all that a response has. Where no scheme is `Bearer`, what
    /// another scheme says of the metadata still counts; `None` if nobody says anything of use.
    pub fn from_headers<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut schemes = Vec::new();
        for line in lines.into_iter().take(MAX_COUNT) {
            let line = String::from_utf8_lossy(&line[..line.len().min(MAX_LINE)]);
            Parser { rest: &line }.read(&mut schemes);
        }
        let bearer = || schemes.iter().filter(|scheme| scheme.name.eq_ignore_ascii_case("bearer"));
        let telling = |scheme: &&Scheme| {
            scheme.get("resource_metadata").is_some() || scheme.get("error").is_some()
        };
        let chosen = bearer()
            .find(telling)
            .or_else(|| bearer().next())
            .or_else(|| schemes.iter().find(|scheme| scheme.get("resource_metadata").is_some()))?;
        Some(Self {
            resource_metadata: chosen.get("resource_metadata"),
            scope: chosen.get("scope"),
            error: chosen.get("error"),
            error_description: chosen.get("error_description"),
        })
    }

    /// Whether it asks for more scopes than the token has (RFC 6750 §3.1).
    pub fn is_insufficient_scope(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}

/// One scheme with its parameters.
#[derive(Debug, PartialEq, Eq)]
struct Scheme {
    name: String,
    params: Vec<(String, String)>,
}

impl Scheme {
    /// The first value of a name; names are case-insensitive, and none may come twice.
    fn get(&self, name: &str) -> Option<String> {
        let found = self.params.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    }
}

/// Reads on over what it does not understand, up to the next comma.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn read(mut self, schemes: &mut Vec<Scheme>) {
        loop {
            self.take(|c| c == ',' || is_space(c));
            if self.rest.is_empty() {
                return;
            }
            let name = self.take(is_token).to_owned();
            if name.is_empty() {
                self.skip_element();
            } else if let Some(after) = self.after_equals() {
                self.rest = after;
                let value = self.value();
                let params = schemes.last_mut().map(|scheme| &mut scheme.params);
                if let (Some(params), Some(value)) = (params, value)
                    && params.len() < MAX_COUNT
                {
                    params.push((name, value));
                }
            } else if schemes.len() == MAX_COUNT {
                return;
            } else {
                schemes.push(Scheme { name, params: Vec::new() });
                self.skip_token68();
            }
        }
    }

    /// What follows an `=` that may have space before it (BWS), if one comes.
    fn after_equals(&self) -> Option<&'a str> {
        self.rest.trim_start_matches(is_space).strip_prefix('=')
    }

    /// A token or a quoted string. Real servers leave the quotes off URLs and lists too, so that an
    /// unquoted value goes to the next comma or space. `None`: it has no end.
    fn value(&mut self) -> Option<String> {
        self.take(is_space);
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return Some(self.take(|c| c != ',' && !is_space(c)).to_owned());
        };
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = &quoted[at + 1..];
                    return Some(value);
                }
                '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
                c => value.push(c),
            }
        }
        self.rest = "";
        None
    }

    /// Skips credentials in one piece after a scheme, as Negotiate has them (RFC 9110 §11.2).
    fn skip_token68(&mut self) {
        let before = self.rest;
        self.take(is_space);
        self.take(is_token68);
        self.take(|c| c == '=');
        self.take(is_space);
        if !(self.rest.is_empty() || self.rest.starts_with(',')) {
            self.rest = before;
        }
    }

    /// Skips to the next comma that stands in no quoted string.
    fn skip_element(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            match c {
                ',' => return,
                '"' => drop(self.value()),
                c => self.rest = &self.rest[c.len_utf8()..],
            }
        }
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// `tchar` of RFC 9110 §5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn is_token68(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schemes(line: &str) -> Vec<(String, String)> {
        let mut schemes = Vec::new();
        Parser { rest: line }.read(&mut schemes);
        let flat = |scheme: Scheme| {
            let params: Vec<String> =
                scheme.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
            (scheme.name, params.join(";"))
        };
        schemes.into_iter().map(flat).collect()
    }

    fn challenge(lines: &[&str]) -> Option<Challenge> {
        Challenge::from_headers(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn the_grammar_is_read_whole() {
        for (line, expected) in [
            ("Bearer", &[("Bearer", "")][..]),
            ("bearer realm=\"a, b\", scope=\"x y\"", &[("bearer", "realm=a, b;scope=x y")]),
            (r#"Bearer realm="a \"b\" \\", error=e"#, &[("Bearer", r#"realm=a "b" \;error=e"#)]),
            ("Bearer scope = \"read\" , error\t=\tx", &[("Bearer", "scope=read;error=x")]),
            ("Basic, Bearer error=x", &[("Basic", ""), ("Bearer", "error=x")]),
            ("Negotiate YII/+a==, Bearer a=b", &[("Negotiate", ""), ("Bearer", "a=b")]),
            ("Basic realm=\"x\", Bearer a=b", &[("Basic", "realm=x"), ("Bearer", "a=b")]),
            (
                "Digest qop=\"auth,auth-int\", Bearer",
                &[("Digest", "qop=auth,auth-int"), ("Bearer", "")],
            ),
            (", ,Bearer ,, a=b,", &[("Bearer", "a=b")]),
            ("Bearer a=\"1\" b=\"2\"", &[("Bearer", "a=1;b=2")]),
            ("Bearer a=https://h/x?y=z,b=2", &[("Bearer", "a=https://h/x?y=z;b=2")]),
            ("Bearer a=\"open, error=x", &[("Bearer", "")]),
            ("Bearer @\"x, y\"@, a=b", &[("Bearer", "a=b")]),
            ("a=b", &[]),
            ("", &[]),
            ("Bearer realm=", &[("Bearer", "")]),
            ("Bearer a=\"\", b=c", &[("Bearer", "a=;b=c")]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(name, params)| ((*name).into(), (*params).into())).collect();
            assert_eq!(schemes(line), expected, "{line}");
        }
    }

    #[test]
    fn words_in_a_description_are_no_parameters() {
        let found = challenge(&[r#"Bearer error_description="needs scope=admin", scope="read""#]);
        assert_eq!(found.unwrap().scope.as_deref(), Some("read"));
    }

    #[test]
    fn the_bearer_challenge_is_found_among_others_and_in_any_line() {
        let found = challenge(&[
            r#"DPoP error="use_dpop_nonce""#,
            r#"Basic realm="x", Bearer, BEARER Error="invalid_token", resource_metadata="https://h/m""#,
        ])
        .unwrap();
        assert_eq!(found.error.as_deref(), Some("invalid_token"));
        assert_eq!(found.resource_metadata.as_deref(), Some("https://h/m"));
        assert!(!found.is_insufficient_scope());
        assert_eq!(challenge(&["Basic realm=x"]), None);
        assert_eq!(challenge(&["Bearer"]), Some(Challenge::default()));
        assert_eq!(challenge(&[]), None);
        let found = challenge(&[r#"DPoP resource_metadata="https://h/m""#]).unwrap();
        assert_eq!(found.resource_metadata.as_deref(), Some("https://h/m"));
    }

    #[test]
    fn a_parameter_that_comes_twice_counts_once() {
        let found = challenge(&[r#"Bearer scope="a", scope="b""#]).unwrap();
        assert_eq!(found.scope.as_deref(), Some("a"));
    }

    #[test]
    fn what_a_hostile_server_sends_is_bounded() {
        let many = "Bearer,".repeat(100_000);
        let mut schemes = Vec::new();
        Parser { rest: &many }.read(&mut schemes);
        assert_eq!(schemes.len(), MAX_COUNT);
        let wide = format!("Bearer {}", "a=b,".repeat(100_000));
        let mut schemes = Vec::new();
        Parser { rest: &wide }.read(&mut schemes);
        assert_eq!(schemes[0].params.len(), MAX_COUNT);
        let long = format!("Bearer scope=\"{}\"", "x".repeat(1_000_000));
        assert_eq!(challenge(&[&long]), Some(Challenge::default()));
        assert!(Challenge::from_headers([&b"Bearer scope=\"\xff\xfe\""[..]]).is_some());
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read_without_panic(lines: Vec<Vec<u8>>, tail in "[ -~]{0,200}") {
            Challenge::from_headers(lines.iter().map(Vec::as_slice));
            challenge(&[&format!("Bearer {tail}")]);
        }

        #[test]
        fn what_is_quoted_comes_back(scope in "[ -~]{0,60}", before in "[a-z]{1,9}") {
            let quoted = scope.replace('\\', "\\\\").replace('"', "\\\"");
            let line = format!("Basic realm=\"{before}, x\", Bearer {before}2=1, scope=\"{quoted}\"");
            let found = challenge(&[&line]).unwrap();
            proptest::prop_assert_eq!(found.scope, Some(scope));
        }
    }
}
