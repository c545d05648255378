//! What a token endpoint grants, read as leniently as real servers need (RFC 6749 §5.1).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::scopes::Scopes;
use crate::clock::Moment;
use crate::secret::Secret;

/// Longest token: what no server's header limit lets through is no token.
const MAX_TOKEN: usize = 64 * 1024;
/// Longest lifetime that is believed.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// A token is renewed when less than this is left …
const MARGIN: Duration = Duration::from_secs(60);
/// … or less than this part of its lifetime.
const MARGIN_PART: u32 = 5;

/// An access token and what came with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSet {
    /// Goes with requests to the server.
    #[serde(with = "crate::secret::exposed")]
    pub access_token: Secret<String>,
    /// Earns the next token set.
    #[serde(
        with = "crate::secret::exposed_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub refresh_token: Option<Secret<String>>,
    /// Who signed in (OpenID Connect), for the servers that want it in place of the access token.
    #[serde(
        with = "crate::secret::exposed_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub id_token: Option<Secret<String>>,
    /// When it was received.
    pub received: Moment,
    /// When the access token ends, if the server said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moment>,
    /// What was granted, if the server said so; else it is what was asked for (RFC 6749 §5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Scopes>,
}

impl TokenSet {
    /// A token that a person gave.
    pub fn given(access_token: Secret<String>, now: Moment) -> Self {
        Self {
            access_token,
            refresh_token: None,
            id_token: None,
            received: now,
            expires: None,
            scopes: None,
        }
    }

    /// Reads a successful answer of a token endpoint.
    ///
    /// # Errors
    /// What makes it none.
    pub fn parse(body: &[u8], now: Moment) -> Result<Self, &'static str> {
        let members = members(body).ok_or("it is no JSON object")?;
        if let Some(kind) = members.get("token_type").and_then(Value::as_str)
            && ["dpop", "mac", "pop"].contains(&&*kind.to_ascii_lowercase())
        {
            return Err("its token type is not Bearer");
        }
        let access_token = token(&members, "access_token")?.ok_or("it holds no access token")?;
        let lifetime = members.get("expires_in").and_then(lifetime);
        Ok(Self {
            access_token,
            refresh_token: token(&members, "refresh_token")?,
            id_token: token(&members, "id_token")?,
            received: now,
            expires: lifetime.map(|lifetime| now.plus(lifetime)),
            scopes: members.get("scope").and_then(scopes),
        })
    }

    /// The same after a refresh: what the answer left out stays (RFC 6749 §6).
    #[must_use]
    pub fn after(self, earlier: &Self) -> Self {
        Self {
            refresh_token: self.refresh_token.or_else(|| earlier.refresh_token.clone()),
            id_token: self.id_token.or_else(|| earlier.id_token.clone()),
            scopes: self.scopes.or_else(|| earlier.scopes.clone()),
            ..self
        }
    }

    /// Whether it is time to refresh: less than 60 s and less than a fifth of the lifetime, whichever is
    /// the smaller, is left. A token without an end is never due.
    pub fn is_due(&self, now: Moment) -> bool {
        self.expires.is_some_and(|expires| {
            let margin = (expires.since(self.received) / MARGIN_PART).min(MARGIN);
            expires.since(now) < margin
        })
    }

    /// Whether its time is over.
    pub fn is_over(&self, now: Moment) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// What goes into `Authorization: Bearer`.
    pub fn bearer(&self, use_id_token: bool) -> &Secret<String> {
        self.id_token.as_ref().filter(|_| use_id_token).unwrap_or(&self.access_token)
    }
}

/// The members of an answer: JSON whatever its media type, or a form as the first servers sent it.
pub(super) fn members(body: &[u8]) -> Option<Map<String, Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Ok(value) = serde_json::from_slice(body) {
        return match value {
            Value::Object(members) => Some(members),
            _ => None,
        };
    }
    let known = |name: &str| matches!(name, "access_token" | "error");
    let mut form = Map::new();
    for (name, value) in url::form_urlencoded::parse(body.trim_ascii()) {
        form.insert(name.into_owned(), Value::String(value.into_owned()));
    }
    form.keys().any(|name| known(name)).then_some(form)
}

/// A token: visible ASCII, since it goes into a header.
fn token(members: &Map<String, Value>, name: &str) -> Result<Option<Secret<String>>, &'static str> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text.len() > MAX_TOKEN => Err("it holds a token without end"),
        Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(Secret::new(text.clone())))
        }
        Some(Value::String(_)) => Err("it holds a token with characters that no token has"),
        Some(_) => Err("it holds a token that is no text"),
    }
}

/// Seconds as a number, a fraction or text; what makes no sense counts as unknown.
pub(super) fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (seconds.is_finite() && seconds > 0.0)
        .then(|| Duration::from_secs_f64(seconds.min(MAX_LIFETIME.as_secs_f64())))
}

fn scopes(value: &Value) -> Option<Scopes> {
    let scopes = match value {
        Value::String(text) => Scopes::parse(text),
        Value::Array(list) => Scopes::of(list.iter().filter_map(Value::as_str)),
        _ => return None,
    };
    (!scopes.is_empty()).then_some(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_seconds(seconds)
    }

    fn parse(body: &str) -> Result<TokenSet, &'static str> {
        TokenSet::parse(body.as_bytes(), at(1000))
    }

    #[test]
    fn what_real_servers_get_wrong_is_read_all_the_same() {
        for (body, expires, scopes) in [
            (r#"{"access_token":"a","token_type":"Bearer","expires_in":10}"#, Some(1010), None),
            (r#"{"access_token":"a","expires_in":"10"}"#, Some(1010), None),
            (r#"{"access_token":"a","expires_in":10.0,"scope":"x y"}"#, Some(1010), Some("x y")),
            (r#"{"access_token":"a","token_type":"bearer","scope":["x","y"]}"#, None, Some("x y")),
            (r#"{"access_token":"a","expires_in":null,"scope":null}"#, None, None),
            (r#"{"access_token":"a","expires_in":-1,"scope":""}"#, None, None),
            (r#"{"access_token":"a","expires_in":"never","scope":{}}"#, None, None),
            (r#"{"access_token":"a","token_type":7,"refresh_token":""}"#, None, None),
            ("\u{feff}{\"access_token\":\"a\"}", None, None),
            ("access_token=a&scope=x+y&token_type=bearer&expires_in=10", Some(1010), Some("x y")),
        ] {
            let set = parse(body).unwrap_or_else(|why| panic!("{why}: {body}"));
            assert_eq!(set.access_token.expose(), "a", "{body}");
            assert_eq!(set.expires, expires.map(at), "{body}");
            assert_eq!(set.scopes.map(|scopes| scopes.to_string()).as_deref(), scopes, "{body}");
            assert_eq!(set.refresh_token, None, "{body}");
        }
        let endless = parse(r#"{"access_token":"a","expires_in":1e300}"#).unwrap();
        assert_eq!(endless.expires.unwrap().since(at(1000)), MAX_LIFETIME);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for body in [
            "",
            "null",
            "[]",
            "<html>",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":null}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"a\r\nX-Evil: 1"}"#,
            r#"{"access_token":"a b"}"#,
            r#"{"access_token":"a\u0000"}"#,
            r#"{"access_token":"é"}"#,
            r#"{"access_token":"a","refresh_token":"r\n"}"#,
            r#"{"access_token":"a","token_type":"DPoP"}"#,
        ] {
            assert!(parse(body).is_err(), "{body}");
        }
        assert!(parse(&format!(r#"{{"access_token":"{}"}}"#, "x".repeat(MAX_TOKEN + 1))).is_err());
    }

    #[test]
    fn a_token_is_due_when_a_minute_or_a_fifth_of_its_life_is_left() {
        for (lifetime, left, due) in [
            (3600, 60, false),
            (3600, 59, true),
            (100, 20, false),
            (100, 19, true),
            (2, 1, false),
            (2, 0, true),
        ] {
            let set = parse(&format!(r#"{{"access_token":"a","expires_in":{lifetime}}}"#)).unwrap();
            assert_eq!(set.is_due(at(1000 + lifetime - left)), due, "{left} of {lifetime}");
        }
        let endless = parse(r#"{"access_token":"a"}"#).unwrap();
        assert!(!endless.is_due(at(9_999_999_999)) && !endless.is_over(at(9_999_999_999)));
    }

    #[test]
    fn a_refresh_keeps_what_its_answer_leaves_out() {
        let first = parse(r#"{"access_token":"a","refresh_token":"r","scope":"x"}"#).unwrap();
        let next = parse(r#"{"access_token":"b"}"#).unwrap().after(&first);
        assert_eq!(
            (next.access_token.expose(), &next.refresh_token),
            (&"b".into(), &first.refresh_token)
        );
        assert_eq!(next.scopes, first.scopes);
        let rotated = parse(r#"{"access_token":"c","refresh_token":"s"}"#).unwrap().after(&next);
        assert_eq!(rotated.refresh_token, Some(Secret::new("s".into())));
    }

    #[test]
    fn a_set_is_written_and_read_whole_and_never_printed() {
        let set =
            parse(r#"{"access_token":"canary","refresh_token":"canary","expires_in":9}"#).unwrap();
        let written = serde_json::to_string(&set).unwrap();
        assert_eq!(serde_json::from_str::<TokenSet>(&written).unwrap(), set);
        assert!(!format!("{set:?}").contains("canary"));
        assert_eq!(
            set.bearer(true),
            &set.access_token,
            "without an ID token the access token goes"
        );
    }
}
