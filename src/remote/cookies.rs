//! Cookies of the server's own origin, in memory: load balancers keep a session on one machine by them.

use cookie::Cookie;
use hyper::header::{HeaderMap, HeaderValue, SET_COOKIE};

use crate::secret::{Secret, know_credential};

/// Cookies kept; a server that sets more is after something else.
const MAX_COOKIES: usize = 32;
/// Shorter values are no secrets, and stand in any text.
const SHORTEST_ECHO: usize = 6;
/// Shorter values may stand for something else in what a server says.
const SHORTEST_KEY: usize = 16;
/// Longest cookie kept, in bytes (RFC 6265 §6.1).
const MAX_COOKIE: usize = 4096;

/// The cookies of one origin.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<(String, Secret<String>)>,
}

impl Jar {
    /// Takes what a response sets.
    pub(super) fn take(&mut self, headers: &HeaderMap) {
        for value in headers.get_all(SET_COOKIE) {
            let Ok(text) = value.to_str() else { continue };
            let Ok(cookie) = Cookie::parse(text) else { continue };
            self.set(&cookie, text.len());
        }
    }

    fn set(&mut self, cookie: &Cookie<'_>, length: usize) {
        self.cookies.retain(|(name, _)| name != cookie.name());
        let removed = cookie.max_age().is_some_and(|age| age.is_zero() || age.is_negative());
        if !removed && length <= MAX_COOKIE && self.cookies.len() < MAX_COOKIES {
            if cookie.value().len() >= SHORTEST_KEY {
                know_credential(cookie.value());
            }
            let value = Secret::new(cookie.value().to_owned());
            self.cookies.push((cookie.name().to_owned(), value));
        }
    }

    /// The header to send, if there is anything to send.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        if self.cookies.is_empty() {
            return None;
        }
        let pairs: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={}", value.expose())).collect();
        let mut header = HeaderValue::from_str(&pairs.join("; ")).ok()?;
        header.set_sensitive(true);
        Some(header)
    }

    /// A text without the values.
    pub(super) fn redact(&self, text: String) -> String {
        let values = self.cookies.iter().map(|(_, value)| value.expose());
        let values = values.filter(|value| value.len() >= SHORTEST_ECHO);
        values.fold(text, |text, value| text.replace(value.as_str(), "[secret]"))
    }

    /// Forgets all: the endpoint moved to another origin.
    pub(super) fn clear(&mut self) {
        self.cookies.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(values: &[&'static str]) -> Option<String> {
        let mut jar = Jar::default();
        for value in values {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_static(value));
            jar.take(&headers);
        }
        jar.header().map(|header| header.to_str().unwrap().to_owned())
    }

    #[test]
    fn cookies_are_sent_back_replaced_and_removed() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&["lb=1; Path=/; HttpOnly", "b=2"]).unwrap(), "lb=1; b=2");
        assert_eq!(after(&["lb=1", "lb=3; Secure"]).unwrap(), "lb=3");
        assert_eq!(after(&["lb=1", "lb=; Max-Age=0"]), None);
    }

    #[test]
    fn a_text_is_shown_without_the_values() {
        let mut jar = Jar::default();
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, HeaderValue::from_static("lb=canary-1"));
        jar.take(&headers);
        assert_eq!(jar.redact("no lb=canary-1 here".into()), "no lb=[secret] here");
    }

    #[test]
    fn the_jar_is_bounded() {
        let mut jar = Jar::default();
        for n in 0..1000 {
            let mut headers = HeaderMap::new();
            headers.append(SET_COOKIE, HeaderValue::from_str(&format!("c{n}=x")).unwrap());
            jar.take(&headers);
        }
        assert_eq!(jar.cookies.len(), MAX_COOKIES);
    }
}
