//! A value that can't print itself, and what becomes of one that somebody else repeats.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Something that must never reach a log, an error or a screen: a session id, a cookie, a token.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that has to send it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(LEFT_OUT)
    }
}

/// What is left of a secret in a text.
pub const LEFT_OUT: &str = "[secret]";
/// Secrets that are known at once; the oldest is forgotten for a new one.
const MAX_KNOWN: usize = 256;
/// Shorter ones are words that may stand anywhere.
const SHORTEST: usize = 6;

/// Secrets by what they are, to be found again in what a peer says.
#[derive(Debug, Default)]
pub struct Known(Mutex<Vec<Box<str>>>);

impl Known {
    /// None yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Remembers one.
    pub fn add(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_word = secret.len() < SHORTEST || LEFT_OUT.contains(secret);
        if is_word || known.iter().any(|each| **each == *secret) {
            return;
        }
        if known.len() == MAX_KNOWN {
            known.remove(0);
        }
        known.push(secret.into());
    }

    /// A text without them.
    pub fn left_out<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(Cow::Borrowed(text), |text, secret| {
            if text.contains(&**secret) { text.replace(&**secret, LEFT_OUT).into() } else { text }
        })
    }

    /// How long the longest is, in bytes.
    pub fn longest(&self) -> usize {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|secret| secret.len()).max().unwrap_or_default()
    }
}

/// What this process shows to say who its user is.
#[cfg(not(test))]
static CREDENTIALS: Known = Known::new();

// Tests run at the same time in one process, and each has its own.
#[cfg(test)]
thread_local! {
    static CREDENTIALS: Known = const { Known::new() };
}

/// Remembers what is sent to say who the user is: whoever gets it may repeat it.
pub fn know_credential(secret: &str) {
    #[cfg(not(test))]
    CREDENTIALS.add(secret);
    #[cfg(test)]
    CREDENTIALS.with(|known| known.add(secret));
}

/// A text of somebody else's without what this process shows to say who its user is.
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    #[cfg(not(test))]
    return CREDENTIALS.left_out(text);
    #[cfg(test)]
    CREDENTIALS.with(|known| known.left_out(text))
}

/// Writes a secret as it is, for what is sealed afterwards: `#[serde(with = "crate::secret::exposed")]`.
/// A `Secret` without it can't be serialised at all.
pub mod exposed {
    use super::{Deserialize, Deserializer, Secret, Serialize, Serializer};

    /// Writes the value.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Serialize, S: Serializer>(
        secret: &Secret<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.expose().serialize(serializer)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Secret<T>, D::Error> {
        T::deserialize(deserializer).map(Secret::new)
    }
}

/// The same as [`exposed`] for a secret that may be missing.
pub mod exposed_option {
    use super::{Deserialize, Deserializer, Secret, Serialize, Serializer};

    /// Writes the value, or null.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<T: Serialize, S: Serializer>(
        secret: &Option<Secret<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// Those of the deserializer.
    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Secret<T>>, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.map(Secret::new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("canary")), "[secret]");
    }

    #[test]
    fn what_is_known_is_left_out_wherever_it_stands() {
        know_credential("canary");
        know_credential("secret");
        know_credential("short");
        assert_eq!(without_credentials("acanarya short [secret]"), "a[secret]a short [secret]");
    }

    #[test]
    fn of_many_the_last_are_known() {
        let known = Known::new();
        (0..300).for_each(|number| known.add(&format!("canary-{number}")));
        assert_eq!(known.left_out("canary-299!"), "[secret]!");
        assert_eq!(known.left_out("canary-43!"), "canary-43!");
    }
}
