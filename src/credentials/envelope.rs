//! A record as it lies in its file: one line of JSON that says how the rest is sealed, then the rest.
//!
//! Sealed is the login and the content, with ChaCha20-Poly1305 (RFC 8439). Every record has a key of its
//! own, derived from the store's key and 256 random bits (HKDF, RFC 5869), so that the nonce, which is
//! always the same, is used once with it. Associated data: the first line and the name of the login.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::key::Key;
use super::login::Login;

/// Version of the layout; a record of a later one is left alone.
const SCHEMA: u32 = 1;
/// Longest first line, in bytes.
const MAX_HEADER: usize = 1024;
/// Longest content, in bytes: token sets, and the answers of servers with many tools.
pub(super) const MAX_CONTENT: usize = 16 * 1024 * 1024;
/// Longest record, in bytes: the content, the login, the first line.
pub(super) const MAX_RECORD: usize = MAX_CONTENT + 128 * 1024;
const SALT: usize = 32;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    schema: u32,
    /// Name of the key, and what its record's own key is derived with; none in a record that is not sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
}

/// Why a record can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It is not as it was written, or not this login's.
    Damaged(&'static str),
    /// It was written by a later version.
    Newer,
    /// It was sealed with another key.
    OtherKey,
}

/// What can be told of a record without its key.
pub(super) struct Outside<'a> {
    header: Header,
    first_line: &'a [u8],
    rest: &'a [u8],
}

/// Writes a record; one without a key can be read by whoever can read its file.
pub(super) fn seal(
    key: Option<&Key>,
    login: &Login,
    content: &[u8],
) -> Result<Vec<u8>, StoreError> {
    if content.len() > MAX_CONTENT {
        return Err(StoreError::TooLarge);
    }
    let failed = |_| StoreError::Damaged { path: login.id().into(), why: "it can't be sealed" };
    let mut salt = [0; SALT];
    SystemRandom::new().fill(&mut salt).map_err(failed)?;
    let header =
        Header { schema: SCHEMA, key: key.map(Key::id), salt: key.map(|_| STANDARD.encode(salt)) };
    // Neither of them can fail: they have no maps with odd keys.
    let mut record = serde_json::to_vec(&header).unwrap_or_default();
    let first_line = record.clone();
    record.push(b'\n');
    let mut inside = serde_json::to_vec(login).unwrap_or_default();
    inside.push(b'\n');
    inside.extend_from_slice(content);
    if let Some(key) = key {
        let data = Aad::from(associated(&first_line, &login.id()));
        sealing_key(key, &salt)
            .and_then(|key| key.seal_in_place_append_tag(nonce(), data, &mut inside))
            .map_err(failed)?;
    }
    record.append(&mut inside);
    Ok(record)
}

/// Reads what stands before the sealed part.
pub(super) fn outside(record: &[u8]) -> Result<Outside<'_>, Unopened> {
    const UNREADABLE: Unopened = Unopened::Damaged("its first line can't be read");
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    let start = &record[..record.len().min(MAX_HEADER)];
    let end = memchr::memchr(b'\n', start).ok_or(UNREADABLE)?;
    let (first_line, rest) = (&record[..end], &record[end + 1..]);
    // The version first: a later one may have other members.
    let Schema { schema } = serde_json::from_slice(first_line).map_err(|_| UNREADABLE)?;
    if schema > SCHEMA {
        return Err(Unopened::Newer);
    }
    let header = serde_json::from_slice(first_line).map_err(|_| UNREADABLE)?;
    Ok(Outside { header, first_line, rest })
}

impl Outside<'_> {
    /// Whether it was sealed with this key, or with none.
    pub(super) fn is_of(&self, key: Option<&Key>) -> bool {
        self.header.key == key.map(Key::id)
    }

    /// The login and the content. `id` is the name that the record was found by.
    pub(super) fn open(&self, key: Option<&Key>, id: &str) -> Result<(Login, Vec<u8>), Unopened> {
        if !self.is_of(key) {
            return Err(Unopened::OtherKey);
        }
        let inside = match key {
            Some(key) => self.unseal(key, id)?,
            None => self.rest.to_vec(),
        };
        let unreadable = Unopened::Damaged("it names no login");
        let end = memchr::memchr(b'\n', &inside).ok_or(unreadable)?;
        let login: Login = serde_json::from_slice(&inside[..end]).map_err(|_| unreadable)?;
        if login.id() != id {
            return Err(Unopened::Damaged("it belongs to another login"));
        }
        Ok((login, inside[end + 1..].to_vec()))
    }

    fn unseal(&self, key: &Key, id: &str) -> Result<Vec<u8>, Unopened> {
        let salt = self.header.salt.as_deref().and_then(|salt| STANDARD.decode(salt).ok());
        let salt: [u8; SALT] = salt
            .and_then(|salt| salt.try_into().ok())
            .ok_or(Unopened::Damaged("its first line can't be read"))?;
        let mut inside = self.rest.to_vec();
        let data = Aad::from(associated(self.first_line, id));
        let length = sealing_key(key, &salt)
            .and_then(|key| key.open_in_place(nonce(), data, &mut inside).map(|open| open.len()))
            .map_err(|_| Unopened::Damaged("its seal is broken"))?;
        inside.truncate(length);
        Ok(inside)
    }
}

fn associated(first_line: &[u8], id: &str) -> Vec<u8> {
    [first_line, b"\n", id.as_bytes()].concat()
}

fn sealing_key(key: &Key, salt: &[u8; SALT]) -> Result<LessSafeKey, ring::error::Unspecified> {
    let derived = Salt::new(HKDF_SHA256, salt).extract(key.bytes());
    let derived = derived.expand(&[b"mcp-bridge record 1"], &CHACHA20_POLY1305)?;
    Ok(LessSafeKey::new(UnboundKey::from(derived)))
}

/// Always the same: each key seals one record.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::{Fixed, Profile};
    use proptest::prelude::*;

    fn login(server: &str) -> Login {
        Login::new(Profile::default(), &url::Url::parse(server).unwrap(), Fixed::default())
    }

    fn opened(record: &[u8], key: Option<&Key>, id: &str) -> Result<Vec<u8>, Unopened> {
        outside(record)?.open(key, id).map(|(_, content)| content)
    }

    #[test]
    fn a_record_is_opened_as_it_was_sealed() {
        let (key, login) = (Key::random().unwrap(), login("https://h/mcp"));
        let long = vec![b'x'; 64 * 1024];
        for content in [&b""[..], b"canary\n\0\xff", &long] {
            let record = seal(Some(&key), &login, content).unwrap();
            assert_eq!(opened(&record, Some(&key), &login.id()).unwrap(), content);
            assert_ne!(record, seal(Some(&key), &login, content).unwrap(), "a key of its own");
            let plain = seal(None, &login, content).unwrap();
            assert_eq!(opened(&plain, None, &login.id()).unwrap(), content);
        }
    }

    #[test]
    fn a_sealed_record_shows_nothing() {
        let login = login("https://h.example/mcp?key=canary");
        let record = seal(Some(&Key::random().unwrap()), &login, b"canary").unwrap();
        let text = String::from_utf8_lossy(&record);
        assert!(!text.contains("canary") && !text.contains("h.example"), "{text}");
    }

    #[test]
    fn the_record_of_another_login_or_key_is_refused() {
        let (key, login, other) =
            (Key::random().unwrap(), login("https://h/mcp"), login("https://h/other"));
        let record = seal(Some(&key), &login, b"x").unwrap();
        let broken = Err(Unopened::Damaged("its seal is broken"));
        assert_eq!(opened(&record, Some(&key), &other.id()), broken);
        let other_key = Key::random().unwrap();
        assert_eq!(opened(&record, Some(&other_key), &login.id()), Err(Unopened::OtherKey));
        assert_eq!(opened(&record, None, &login.id()), Err(Unopened::OtherKey));
        let plain = seal(None, &login, b"x").unwrap();
        assert_eq!(opened(&plain, Some(&key), &login.id()), Err(Unopened::OtherKey));
        let foreign = Err(Unopened::Damaged("it belongs to another login"));
        assert_eq!(opened(&plain, None, &other.id()), foreign);
    }

    #[test]
    fn a_record_of_a_later_version_is_known_as_one() {
        let id = login("https://h/mcp").id();
        assert_eq!(opened(b"{\"schema\":2,\"key\":[]}\n\0", None, &id), Err(Unopened::Newer));
    }

    #[test]
    fn what_is_no_record_is_damaged() {
        let huge = [b"{\"schema\":1}".to_vec(), vec![b' '; MAX_HEADER]].concat();
        for record in
            [&b""[..], b"\n", b"{}", b"{\"schema\":\"1\"}\n", b"{\"schema\":1}\n{}\n", &huge]
        {
            let refused = opened(record, None, "x");
            assert!(matches!(refused, Err(Unopened::Damaged(_))), "{refused:?}");
        }
    }

    #[test]
    fn a_content_without_bounds_is_refused() {
        let content = vec![0; MAX_CONTENT + 1];
        assert_eq!(seal(None, &login("https://h/mcp"), &content), Err(StoreError::TooLarge));
    }

    proptest! {
        #[test]
        fn no_byte_of_a_record_can_be_changed_or_taken_away(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let (key, login) = (Key::parse(&format!("{}=", "A".repeat(43))).unwrap(), login("https://h/mcp"));
            let record = seal(Some(&key), &login, b"content").unwrap();
            let at = at.index(record.len());
            let mut changed = record.clone();
            changed[at] ^= 1 << bit;
            prop_assert!(opened(&changed, Some(&key), &login.id()).is_err());
            prop_assert!(opened(&record[..at], Some(&key), &login.id()).is_err());
        }
    }
}
