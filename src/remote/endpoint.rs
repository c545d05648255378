//! The MCP endpoint: a URL that was checked, and how it may be shown.

use hyper::Uri;
use hyper::header::HeaderValue;
use url::{Host, Url};

use crate::http::Origin;
use crate::printable::one_line;

/// Where an MCP server listens.
#[derive(Debug, Clone)]
pub struct Endpoint {
    url: Url,
    origin: Origin,
    target: Uri,
    host: HeaderValue,
}

/// Why a URL can't be an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("`{0}` is not a URL")]
    NotAUrl(String),
    /// Another scheme than http or https.
    #[error("`{0}:` can't be used: an MCP server is reached by https:// or http://")]
    Scheme(String),
    /// Name and password in the URL.
    #[error("the URL holds a user name or password; they would show up in process lists and logs")]
    Credentials,
}

impl Endpoint {
    /// Checks a URL.
    ///
    /// # Errors
    /// [`EndpointError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let url =
            Url::parse(text.trim()).map_err(|_| EndpointError::NotAUrl(without_secrets(text)))?;
        Self::try_from(url)
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The URL itself. It may hold a secret in its query: not for showing.
    pub fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn target(&self) -> &Uri {
        &self.target
    }

    pub(super) fn host_header(&self) -> &HeaderValue {
        &self.host
    }

    /// Host, and port where it is not the scheme's own: how messages name the server.
    pub fn host(&self) -> String {
        authority(&self.url)
    }

    /// The URL for people: without its query, which may hold a key.
    pub fn shown(&self) -> String {
        let query = if self.url.query().is_some() { "?…" } else { "" };
        format!("{}://{}{}{query}", self.url.scheme(), self.host(), self.url.path())
    }

    /// Whether requests to it stay on this machine.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }
}

/// What may be shown of a text that is no URL: without what looks like a query or a password.
pub fn without_secrets(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match text.rsplit_once('@') {
        Some((before, after)) => {
            let scheme = before.split_once("://").map(|(scheme, _)| format!("{scheme}://"));
            format!("{}…@{after}", scheme.unwrap_or_default())
        }
        None => text.to_owned(),
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl TryFrom<Url> for Endpoint {
    type Error = EndpointError;

    fn try_from(mut url: Url) -> Result<Self, EndpointError> {
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        let origin =
            Origin::of(&url).ok_or_else(|| EndpointError::Scheme(one_line(url.scheme(), 40)))?;
        let path_and_query = &url[url::Position::BeforePath..];
        let unusable = || EndpointError::NotAUrl(url.path().to_owned());
        let target = path_and_query.parse().map_err(|_| unusable())?;
        let host = HeaderValue::from_str(&authority(&url)).map_err(|_| unusable())?;
        Ok(Self { origin, target, host, url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_query() {
        let endpoint = Endpoint::parse("https://api.example.com:8443/mcp?key=canary#x").unwrap();
        assert_eq!(endpoint.shown(), "https://api.example.com:8443/mcp?…");
        assert_eq!(endpoint.target(), "/mcp?key=canary");
        assert_eq!(endpoint.host(), "api.example.com:8443");
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_its_reason() {
        let error = |text| Endpoint::parse(text).unwrap_err();
        assert_eq!(error("mcp.example.com"), EndpointError::NotAUrl("mcp.example.com".into()));
        assert_eq!(error("ftp://example.com"), EndpointError::Scheme("ftp".into()));
        assert_eq!(error("https://me:pw@example.com"), EndpointError::Credentials);
    }

    #[test]
    fn what_is_no_url_is_shown_without_its_secrets() {
        for text in ["https://me:canary@h:99999/", "h/mcp?key=canary", "me:canary@h/#canary"] {
            let shown = Endpoint::parse(text).unwrap_err().to_string();
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_by_number() {
        for (url, expected) in [
            ("http://localhost:1/mcp", true),
            ("http://127.9.0.1/mcp", true),
            ("http://[::1]:80/", true),
            ("http://10.0.0.1/", false),
            ("http://localhost.example.com/", false),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().is_loopback(), expected, "{url}");
        }
    }
}
