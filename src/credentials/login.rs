//! Which sign-in a record belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// A name for one of several accounts at the same server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Profile(String);

/// Why a text is no name of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a profile's name has 1 to 64 letters, digits, `-`, `_` or `.`, and begins with a letter or digit"
)]
pub struct BadProfile;

impl Profile {
    /// Checks a name.
    ///
    /// # Errors
    /// `BadProfile` says what a name looks like.
    pub fn parse(name: &str) -> Result<Self, BadProfile> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if begins && name.len() <= 64 && name.chars().all(fits) {
            Ok(Self(name.to_owned()))
        } else {
            Err(BadProfile)
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Profile {
    type Error = BadProfile;

    fn try_from(name: String) -> Result<Self, BadProfile> {
        Self::parse(&name)
    }
}

impl From<Profile> for String {
    fn from(profile: Profile) -> Self {
        profile.0
    }
}

/// What the user fixed by option, so that it makes a login of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed {
    /// Resource indicator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Client id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// What one sign-in is for: an account, a server, and what the user fixed. No two of them share a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    profile: Profile,
    server: String,
    #[serde(flatten)]
    fixed: Fixed,
    /// The saved server whose headers these are; a sign-in has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    headers_of: Option<String>,
}

/// What the names of files with headers begin with.
pub(super) const HEADERS: &str = "headers-";

impl Login {
    /// The login of a profile at a server.
    pub fn new(profile: Profile, server: &Url, fixed: Fixed) -> Self {
        Self { profile, server: canonical(server), fixed, headers_of: None }
    }

    /// What is kept for the headers of a saved server: no sign-in, and bound to the server's address as one is.
    pub fn for_headers(profile: Profile, server: &Url, name: &str) -> Self {
        let headers_of = Some(name.to_owned());
        Self { headers_of, ..Self::new(profile, server, Fixed::default()) }
    }

    /// Names the way back from a browser: its ports stay as they are whatever client, resource or issuer the user
    /// fixes, so that an address that was registered by hand before stays right.
    pub fn way_back(&self) -> String {
        Self { fixed: Fixed::default(), ..self.clone() }.id()
    }

    /// The account.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The server's canonical URL. It may hold a secret in its query: not for showing.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What the user fixed.
    pub fn fixed(&self) -> &Fixed {
        &self.fixed
    }

    /// The name of its files: a digest, since the URL may hold a secret.
    pub fn id(&self) -> String {
        let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
        let mut part = |text: Option<&str>| {
            // With its length, so that no two logins give the same bytes.
            let text = text.map_or(String::from("-"), |text| format!("{}:{text}", text.len()));
            digest.update(text.as_bytes());
        };
        part(Some("mcp-bridge login 1"));
        part(Some(&self.profile.0));
        part(Some(&self.server));
        part(self.fixed.resource.as_deref());
        part(self.fixed.client_id.as_deref());
        part(self.fixed.issuer.as_deref());
        if let Some(name) = &self.headers_of {
            digest.update(format!("headers {}:{name}", name.len()).as_bytes());
        }
        let id = super::key::hex(&digest.finish().as_ref()[..16]);
        if self.headers_of.is_some() { format!("{HEADERS}{id}") } else { id }
    }

    fn shown(&self) -> &str {
        self.server.split('?').next().unwrap_or_default()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({} at {})", self.profile, self.shown())
    }
}

/// The URL as it names a server. The URL standard's own rules do most of it: scheme and host in small
/// letters, no default port, no `.` and `..`, `/` for an empty path. Then without fragment (RFC 8707 §2),
/// user, and an empty query. A slash at the end of a path stays, and so does the query: servers tell them
/// apart, and a token for one must not reach the other.
fn canonical(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.query() == Some("") {
        url.set_query(None);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(server: &str) -> Login {
        Login::new(Profile::default(), &Url::parse(server).unwrap(), Fixed::default())
    }

    #[test]
    fn spellings_of_one_server_are_one_login() {
        for (written, canonical) in [
            ("HTTPS://MCP.Example.COM/Mcp", "https://mcp.example.com/Mcp"),
            ("https://mcp.example.com:443/mcp", "https://mcp.example.com/mcp"),
            ("http://localhost:80", "http://localhost/"),
            ("https://mcp.example.com:8443/a/../mcp", "https://mcp.example.com:8443/mcp"),
            ("https://mcp.example.com/mcp#top", "https://mcp.example.com/mcp"),
            ("https://mcp.example.com/mcp?", "https://mcp.example.com/mcp"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ] {
            assert_eq!(login(written).server(), canonical);
            assert_eq!(login(written).id(), login(canonical).id());
        }
    }

    #[test]
    fn what_a_server_can_tell_apart_is_two_logins() {
        let ids: std::collections::BTreeSet<_> = [
            "https://mcp.example.com/mcp",
            "https://mcp.example.com/mcp/",
            "https://mcp.example.com/MCP",
            "https://mcp.example.com/mcp?team=1",
            "https://mcp.example.com/mcp?team=2",
            "https://mcp.example.com:8443/mcp",
            "http://mcp.example.com/mcp",
        ]
        .map(|server| login(server).id())
        .into();
        assert_eq!(ids.len(), 7);
    }

    #[test]
    fn profile_and_what_the_user_fixed_make_a_login_of_its_own() {
        let server = Url::parse("https://h/mcp").unwrap();
        let fixed = |resource: &str, client_id: &str, issuer: &str| {
            let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Fixed { resource: given(resource), client_id: given(client_id), issuer: given(issuer) }
        };
        let mut ids: std::collections::BTreeSet<_> = [
            fixed("", "", ""),
            fixed("a", "", ""),
            fixed("", "a", ""),
            fixed("", "", "a"),
            fixed("a", "a", ""),
            fixed("1:a", "", ""),
        ]
        .map(|fixed| Login::new(Profile::default(), &server, fixed).id())
        .into();
        ids.insert(Login::new(Profile::parse("work").unwrap(), &server, fixed("", "", "")).id());
        assert_eq!(ids.len(), 7);
    }

    #[test]
    fn headers_belong_to_one_name_at_one_address() {
        let of = |profile: &str, server: &str, name: &str| {
            let profile = Profile::parse(profile).unwrap();
            Login::for_headers(profile, &Url::parse(server).unwrap(), name).id()
        };
        let ids: std::collections::BTreeSet<_> = [
            of("default", "https://h/mcp", "a"),
            of("work", "https://h/mcp", "a"),
            of("default", "https://i/mcp", "a"),
            of("default", "https://h/mcp", "b"),
            login("https://h/mcp").id(),
        ]
        .into();
        assert_eq!(ids.len(), 5);
        assert_eq!(ids.iter().filter(|id| id.starts_with(HEADERS)).count(), 4);
    }

    #[test]
    fn a_login_prints_neither_its_query_nor_its_files_names() {
        let login = login("https://h.example/mcp?key=canary");
        assert_eq!(format!("{login:?}"), "Login(default at https://h.example/mcp)");
        assert!(!login.id().contains("h.example") && login.id().len() == 32);
    }

    #[test]
    fn a_profile_has_a_plain_name() {
        for name in ["default", "work", "me.2-b_c", "1"] {
            assert!(Profile::parse(name).is_ok(), "{name}");
        }
        for name in ["", "../x", "a b", ".hidden", "-x", "a/b", "ä", &"a".repeat(65)] {
            assert!(Profile::parse(name).is_err(), "{name}");
        }
    }
}
