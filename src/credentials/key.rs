//! The key that seals records.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};

use crate::secret::Secret;

/// A 256-bit key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(Secret<[u8; 32]>);

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is 32 random bytes in base64, 44 characters")]
pub struct BadKey;

impl Key {
    /// A new one.
    pub(super) fn random() -> Result<Self, ring::error::Unspecified> {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes)?;
        Ok(Self(Secret::new(bytes)))
    }

    /// Reads a key in base64.
    ///
    /// # Errors
    /// It is none. The error does not show it.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| BadKey)?;
        Ok(Self(Secret::new(bytes.try_into().map_err(|_| BadKey)?)))
    }

    /// The key in base64, for the keychain.
    pub(super) fn text(&self) -> Secret<String> {
        Secret::new(STANDARD.encode(self.0.expose()))
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Its name in the records that it seals: a digest, which tells nothing of 256 random bits.
    pub(super) fn id(&self) -> String {
        let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
        digest.update(b"mcp-bridge key id 1");
        digest.update(self.bytes());
        hex(&digest.finish().as_ref()[..8])
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = Key::random().unwrap();
        assert_eq!(Key::parse(&format!(" {}\n", key.text().expose())), Ok(key.clone()));
        assert_ne!(Key::random().unwrap().id(), key.id());
        assert!(!format!("{key:?}").contains(key.text().expose()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "secret", &STANDARD.encode([1; 31]), &STANDARD.encode([1; 33])] {
            assert_eq!(Key::parse(text), Err(BadKey), "{text}");
        }
    }
}
