//! Where a sign-in stands, for whoever waits for it.

use super::Failure;

/// Where a sign-in stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// No sign-in is asked for.
    Settled {
        /// Counts the tokens that were got; 0 is before any.
        tokens: u64,
        /// Names what they are good for: whose sign-in, and which scopes. 0 is before any.
        grant: u64,
    },
    /// The server wants one, and nobody has begun it.
    Needed,
    /// A page waits for the person.
    Pending(Invitation),
    /// It ended without a token. Another one begins only when a person asks for it.
    Failed(Failure),
}

impl Phase {
    /// Before any token.
    pub const BEFORE: Self = Self::Settled { tokens: 0, grant: 0 };

    /// Whether no sign-in is asked for.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Settled { .. })
    }
}

/// The pages by which a person can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Our own page on loopback, which leads on to the provider.
    pub page: String,
    /// The provider's page.
    pub provider: String,
    /// Why a person who had signed in before is asked again.
    pub why: Option<String>,
}
