//! Which scopes are asked for (RFC 6749 §3.3; the specification's scope selection strategy).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Scopes and characters that are kept of one list: a server's words bound no request of ours.
const MAX_SCOPES: usize = 200;
const MAX_LENGTH: usize = 256;

/// What is asked for so that a refresh token comes (OpenID Connect Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// Scopes in the order in which they were named, each once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Reads scopes separated by spaces; what can't be a scope (RFC 6749 §3.3) is left out.
    pub fn parse(text: &str) -> Self {
        Self::of(text.split_whitespace())
    }

    /// The scopes of a list.
    pub fn of<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        let mut list = Self::default();
        for scope in scopes {
            list.add(scope);
        }
        list
    }

    /// Both, these first.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        for scope in &other.0 {
            self.add(scope);
        }
        self
    }

    /// Those that `granted` lacks.
    #[must_use]
    pub fn without(&self, granted: &Self) -> Self {
        Self(self.0.iter().filter(|scope| !granted.has(scope)).cloned().collect())
    }

    /// Whether it is one of them.
    pub fn has(&self, scope: &str) -> bool {
        self.0.iter().any(|each| each == scope)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn add(&mut self, scope: &str) {
        let fits = !scope.is_empty() && scope.len() <= MAX_LENGTH && self.0.len() < MAX_SCOPES;
        if fits && scope.bytes().all(is_scope_byte) && !self.has(scope) {
            self.0.push(scope.to_owned());
        }
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

/// `%x21 / %x23-5B / %x5D-7E` of RFC 6749 §3.3.
fn is_scope_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'
}

/// What the first authorization asks for: the user's scopes, else the challenge's, else those of the
/// protected resource metadata, else none, which leaves the parameter out. `offline_access` is added
/// where scopes are sent that the user did not fix and the authorization server lists it.
pub fn select(
    fixed: Option<&str>,
    challenged: Option<&str>,
    of_resource: Option<&Scopes>,
    of_server: Option<&Scopes>,
) -> Scopes {
    if let Some(fixed) = fixed {
        return Scopes::parse(fixed);
    }
    let challenged = challenged.map(Scopes::parse).filter(|scopes| !scopes.is_empty());
    let chosen = challenged.or_else(|| of_resource.cloned()).unwrap_or_default();
    with_offline_access(chosen, of_server)
}

/// What a step-up asks for: all that was asked for or granted before, and what is missing now
/// (specification, "Step-Up Authorization Flow").
pub fn step_up(before: &Scopes, challenged: &str, of_server: Option<&Scopes>) -> Scopes {
    with_offline_access(before.clone().union(&Scopes::parse(challenged)), of_server)
}

fn with_offline_access(scopes: Scopes, of_server: Option<&Scopes>) -> Scopes {
    let offered = of_server.is_some_and(|listed| listed.has(OFFLINE_ACCESS));
    if scopes.is_empty() || !offered {
        return scopes;
    }
    scopes.union(&Scopes::of([OFFLINE_ACCESS]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_flag_challenge_metadata_none() {
        let resource = Scopes::parse("r1 r2");
        let server = Scopes::parse("openid phone");
        let offline = Scopes::parse("openid offline_access");
        for (fixed, challenged, of_resource, of_server, expected) in [
            (Some("f"), Some("c"), Some(&resource), Some(&offline), "f"),
            (Some(""), Some("c"), Some(&resource), Some(&offline), ""),
            (None, Some("c d"), Some(&resource), Some(&server), "c d"),
            (None, Some(" "), Some(&resource), None, "r1 r2"),
            (None, None, Some(&resource), Some(&offline), "r1 r2 offline_access"),
            (None, None, Some(&Scopes::default()), Some(&offline), ""),
            (None, None, None, Some(&server), ""),
        ] {
            let selected = select(fixed, challenged, of_resource, of_server);
            assert_eq!(selected.to_string(), expected, "{fixed:?} {challenged:?}");
        }
    }

    #[test]
    fn a_step_up_keeps_what_was_granted() {
        let before = Scopes::parse("read offline_access");
        let asked = step_up(&before, "write read", Some(&Scopes::parse("offline_access")));
        assert_eq!(asked.to_string(), "read offline_access write");
        assert_eq!(asked.without(&before).to_string(), "write");
    }

    #[test]
    fn what_is_no_scope_is_left_out_and_lists_are_bounded() {
        assert_eq!(Scopes::parse("a a \u{1b}[31m b\"c d\\e é f").to_string(), "a f");
        let many: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
        let many = Scopes::of(many.iter().map(String::as_str));
        assert_eq!(many.iter().count(), MAX_SCOPES);
        assert!(Scopes::parse(&"x".repeat(MAX_LENGTH + 1)).is_empty());
    }
}
