//! What a sign-in can come to when not to a token, in words for a person and by kind for a caller.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What it is, for whoever branches.
    pub kind: FailureKind,
    /// What failed, in one clause.
    pub what: String,
    /// Why, where more is known.
    pub cause: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// Kinds of failure, by what a caller does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FailureKind {
    /// No answer: name, network, TLS, time. Nothing is known, and nothing may be deleted.
    Unreachable,
    /// 429, 5xx or `temporarily_unavailable`: the same request may be granted later.
    Busy,
    /// A page that wants to see a browser stands before the server.
    BotProtection,
    /// An answer that can't be used: no JSON, too large, without what it must hold.
    BadAnswer,
    /// A redirect that is not followed.
    Redirected,
    /// A URL that must not be used: no https, or not a URL.
    UnsafeUrl,
    /// Nobody says who signs users in.
    NoMetadata,
    /// The authorization server's document, or its answer, is of another issuer.
    IssuerMismatch,
    /// The protected resource metadata is of another resource.
    ResourceMismatch,
    /// The authorization server does not say that it checks PKCE with S256.
    NoPkce,
    /// The authorization server does not offer the grant that was asked for.
    GrantNotOffered,
    /// No way to get a client id.
    NoRegistration,
    /// The authorization server registers no client like this one.
    RegistrationRefused,
    /// `invalid_client` or `unauthorized_client`: the registration is dead, or its proof wrong.
    InvalidClient,
    /// `invalid_grant`: code, refresh token or device code are over.
    InvalidGrant,
    /// `invalid_scope`.
    InvalidScope,
    /// `invalid_target`, and what Entra says in its place: the `resource` is not wanted.
    InvalidTarget,
    /// The person said no.
    Denied,
    /// The time for it is over.
    Expired,
    /// Another command ended it: a logout, or a sign-in that took its place.
    TakenBack,
    /// Any other error that the authorization server names.
    Refused,
    /// What the user fixed can't be used.
    Settings,
    /// The credential store can't be used.
    Store,
    /// A new token is refused like the one before it.
    Loop,
    /// Nobody is there to sign in.
    Unattended,
    /// A defect of this program or of what it stands on.
    Internal,
}

impl Failure {
    /// A failure of a kind.
    pub fn new(kind: FailureKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), cause: None, hint: None, status: None, retry_after: None }
    }

    /// Adds the reason.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the same request may succeed later, so that nothing may be deleted for it.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Unreachable | FailureKind::Busy | FailureKind::BotProtection
        )
    }

    /// Whether what is wrong is on the way to who signs users in, before anybody was asked.
    pub fn is_of_metadata(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::NoMetadata
                | FailureKind::IssuerMismatch
                | FailureKind::ResourceMismatch
                | FailureKind::NoPkce
                | FailureKind::NoRegistration
                | FailureKind::BadAnswer
                | FailureKind::Redirected
                | FailureKind::UnsafeUrl
        )
    }

    /// Whether a renewal that failed so says nothing about the sign-in: the token and what it is renewed with are
    /// as good as before.
    pub fn leaves_sign_in(&self) -> bool {
        self.is_transient() || self.kind == FailureKind::Store
    }

    /// What failed and why, in one line.
    pub fn reason(&self) -> String {
        match &self.cause {
            Some(cause) => format!("{} ({cause})", self.what),
            None => self.what.clone(),
        }
    }
}

/// A hint whose commands are those of one login, with all that makes it this one, so that they can be pasted.
/// `login` is the whole command to sign in.
pub fn for_login(hint: &str, login: &str) -> String {
    let of = |verb: &str| format!("`{}`", login.replacen("bridge login", verb, 1));
    let hint = hint.replace("bridge login SERVER", "bridge login");
    hint.replace("`bridge logout`", &of("bridge logout"))
        .replace("`bridge doctor`", &of("bridge doctor"))
        .replace("| bridge login", &format!("| {login}"))
        .replace("`bridge login", &format!("`{login}"))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_a_hint_are_of_one_login() {
        let login = "bridge login https://h/mcp --profile work";
        for (hint, expected) in [
            ("run `bridge login`", "run `bridge login https://h/mcp --profile work`"),
            (
                "`bridge logout`, then `bridge login --force`",
                "`bridge logout https://h/mcp --profile work`, then \
                 `bridge login https://h/mcp --profile work --force`",
            ),
            (
                "`printf %s \"$TOKEN\" | bridge login SERVER --with-token`",
                "`printf %s \"$TOKEN\" | bridge login https://h/mcp --profile work --with-token`",
            ),
            ("`bridge doctor`", "`bridge doctor https://h/mcp --profile work`"),
            ("check the network", "check the network"),
        ] {
            assert_eq!(for_login(hint, login), expected);
        }
    }

    #[test]
    fn what_may_pass_by_itself_is_told_from_what_is_settled() {
        let transient = |kind| Failure::new(kind, "x").is_transient();
        assert!(transient(FailureKind::Unreachable) && transient(FailureKind::Busy));
        assert!(transient(FailureKind::BotProtection));
        assert!(!transient(FailureKind::InvalidGrant) && !transient(FailureKind::BadAnswer));
    }
}
