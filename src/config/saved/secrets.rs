//! What looks like a secret, and so is not to stand in a file that can be read.

use serde_json::Value;
use url::Url;

use super::Problem;
use crate::cli::SavedServer;
use crate::config::headers::KEPT;
use crate::printable::printable;
use crate::remote::is_secret_name;
use crate::secret::Secret;

/// What the values of well-known kinds of tokens begin with.
const BEGINNINGS: [&str; 10] =
    ["sk-", "sk_", "pk_", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "eyJ"];
/// A word of letters and digits that is longer is taken for a token.
const LONG: usize = 20;
/// The option with a client that is registered already, which may have a secret.
pub const CLIENT_INFO: &str = "static-oauth-client-info";

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
    Some(format!("`{}`", printable(&found.0, 40)))
}

/// Whether the value of an option holds a secret.
pub fn is_secret_option(key: &str, value: &str) -> bool {
    match key {
        "proxy" => value.rsplit_once('@').is_some_and(|(login, _)| is_literal(login)),
        CLIENT_INFO => client_secret_apart(value).is_some(),
        "client-secret" => true,
        _ => false,
    }
}

/// A client that is registered already without its secret, and that; none where it has none, or names a variable or a
/// file.
pub fn client_secret_apart(info: &str) -> Option<(String, Secret<String>)> {
    let mut members: Value = serde_json::from_str(info).ok()?;
    let secret = members.get_mut("client_secret")?;
    let text = secret.as_str().filter(|text| is_literal(text))?.to_owned();
    *secret = Value::String(KEPT.to_owned());
    Some((members.to_string(), Secret::new(text)))
}

fn is_literal(text: &str) -> bool {
    !text.is_empty() && !text.contains("${")
}

/// What stands in the file for a saved server and looks like a secret, with what to do: written by hand, since no
/// command writes such.
pub fn written_secrets(saved: &SavedServer) -> Vec<Problem> {
    let name = &saved.name;
    let moves = format!("`bridge add {name} --force` moves it behind the keychain");
    let in_place = "write `${VAR}` in its place, and set that variable where bridge is started";
    let of = |line: usize, what: String, cure: &str| Problem {
        line,
        what: format!("{what} looks like a secret, in a file that can be read: {cure}"),
    };
    let headers = saved.headers.iter().filter(|it| is_secret_header(&it.name, &it.value));
    let headers = headers
        .map(|it| of(it.line, format!("the value of `{}`", printable(&it.name, 64)), &moves));
    let options = saved
        .options
        .iter()
        .filter(|option| option.values.iter().any(|value| is_secret_option(&option.key, value)));
    let options = options.map(|option| {
        let cure = if option.key == CLIENT_INFO { &moves } else { in_place };
        of(option.line, format!("what `{}` holds", option.key), cure)
    });
    let url = secret_in_url(&saved.url);
    let url = url.map(|part| of(saved.url_line, format!("{part} in the address"), in_place));
    headers.chain(options).chain(url).collect()
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

    #[test]
    fn a_secret_that_was_written_by_hand_is_told_with_its_line_and_without_its_value() {
        let header = |name: &str, value: &str, line| crate::cli::SavedHeader {
            name: name.into(),
            value: value.into(),
            line,
        };
        let saved = SavedServer {
            name: "api".into(),
            url: "https://h/mcp?token=canary".into(),
            url_line: 2,
            headers: vec![
                header("X-Api-Key", "canary", 5),
                header("X-Other-Key", "${keychain}", 6),
                header("X-Team", "red", 7),
            ],
            ..SavedServer::default()
        };
        let told = written_secrets(&saved);
        let lines: Vec<_> = told.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [5, 2], "{told:?}");
        assert!(told[0].what.contains("`bridge add api --force`"), "{told:?}");
        assert!(!format!("{told:?}").contains("canary"), "{told:?}");
    }
}
