//! Where a sign-in stands, for whoever waits for it.

use super::Failure;

/// Where a sign-in stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// No sign-in is asked for. The number counts the tokens that were got; 0 is before any.
    Settled(u64),
    /// The server wants one, and nobody has begun it.
    Needed,
    /// A page waits for the person.
    Pending(Invitation),
    /// It ended without a token. Another one begins only when a person asks for it.
    Failed(Failure),
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
