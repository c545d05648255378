//! What looks like a secret, and so is not to stand in a file that can be read.

use url::Url;

use crate::remote::is_secret_name;

/// What the values of well-known kinds of tokens begin with.
const BEGINNINGS: [&str; 10] =
    ["sk-", "sk_", "pk_", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "eyJ"];
/// A word of letters and digits that is longer is taken for a token.
const LONG: usize = 20;

/// Whether a header's value is to be kept out of files. One that names a variable is no secret itself.
pub fn is_secret_header(name: &str, value: &str) -> bool {
    !value.contains("${") && (is_secret_name(&name.to_ascii_lowercase()) || looks_secret(value))
}

fn looks_secret(value: &str) -> bool {
    value.split(' ').any(|word| {
        let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.=+/~".contains(c));
        let mixed = word.contains(|c: char| c.is_ascii_digit())
            && word.contains(|c: char| c.is_ascii_alphabetic());
        BEGINNINGS.iter().any(|begin| word.starts_with(begin))
            || (plain && mixed && word.len() >= LONG)
    })
}

/// The part of an address that looks like a secret.
pub fn secret_in_url(url: &str) -> Option<String> {
    // Names of variables stand in the place of what may be secret.
    let parsed = Url::parse(&url.replace("${", "$%7B")).ok()?;
    if parsed.password().is_some_and(|password| !password.contains("$%7B")) {
        return Some("a password".to_owned());
    }
    let secret = |(name, value): &(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)| {
        !value.is_empty()
            && !value.contains("${")
            && (is_secret_name(&name.to_ascii_lowercase()) || looks_secret(value))
    };
    let found = parsed.query_pairs().find(secret)?;
    Some(format!("`{}`", crate::printable::printable(&found.0, 40)))
}

/// Whether the value of an option holds a secret.
pub fn is_secret_option(key: &str, value: &str) -> bool {
    let is_literal = |text: &str| !text.is_empty() && !text.contains("${");
    match key {
        "proxy" => value.rsplit_once('@').is_some_and(|(login, _)| is_literal(login)),
        "static-oauth-client-info" => serde_json::from_str::<serde_json::Value>(value)
            .is_ok_and(|info| info["client_secret"].as_str().is_some_and(is_literal)),
        "client-secret" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_told_from_what_does_not() {
        for (name, value) in [
            ("Authorization", "Bearer x"),
            ("X-Api-Key", "1"),
            ("X-Thing", "ghp_x"),
            ("X-Thing", "Bearer 0123456789abcdefghij"),
        ] {
            assert!(is_secret_header(name, value), "{name}: {value}");
        }
        for (name, value) in [
            ("Authorization", "Bearer ${TOKEN}"),
            ("X-Team", "red"),
            ("X-Region", "europe-west-and-more-words"),
            ("X-Readonly", "true"),
        ] {
            assert!(!is_secret_header(name, value), "{name}: {value}");
        }
        let of = |url: &str| secret_in_url(url);
        assert_eq!(of("https://h/mcp?apiKey=canary").as_deref(), Some("`apiKey`"));
        assert_eq!(of("https://me:pw@h/mcp").as_deref(), Some("a password"));
        for url in ["https://h/mcp?apiKey=${KEY}", "https://h/mcp?team=red", "https://h/${X}", "h"]
        {
            assert_eq!(of(url), None, "{url}");
        }
        assert!(is_secret_option("proxy", "http://me:pw@proxy:1"));
        assert!(is_secret_option("static-oauth-client-info", "{\"client_secret\":\"x\"}"));
        for info in ["{\"client_secret\":\"${X}\"}", "@/file", "{\"client_id\":\"x\"}"] {
            assert!(!is_secret_option("static-oauth-client-info", info), "{info}");
        }
        assert!(!is_secret_option("proxy", "http://proxy:1"));
    }
}
