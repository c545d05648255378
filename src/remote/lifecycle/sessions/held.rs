//! What waits for a client to come back with its answers, and the `requestState` that it brings along (MCP
//! 2026-07-28, multi round-trip requests).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::task;

/// How long a client may take to come back.
pub(super) const HELD_FOR: Duration = Duration::from_secs(15 * 60);
/// What waits at once. The one that waited for longest is given up for another.
const MAX_HELD: usize = 64;
/// Bytes of a state: process, number, end, digest, and the tag over all of them.
const PROCESS: usize = 16;
const SIGNED: usize = PROCESS + 8 + 8 + digest::SHA256_OUTPUT_LEN;
const LENGTH: usize = SIGNED + digest::SHA256_OUTPUT_LEN;

/// Why nothing was found for a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotHeld {
    /// It is no state of ours.
    Forged,
    /// It is, but of another request.
    OtherRequest,
    /// It is of an earlier process.
    EarlierProcess,
    /// It is too old.
    Expired,
    /// Somebody came back with it already, or it was given up.
    Gone,
}

/// What is held, each under a number that is used once.
pub(super) struct Held<T> {
    secrets: OnceLock<Option<Secrets>>,
    began: Instant,
    slots: Mutex<Slots<T>>,
}

struct Secrets {
    key: hmac::Key,
    process: [u8; PROCESS],
}

struct Slots<T> {
    last: u64,
    waiting: BTreeMap<u64, Slot<T>>,
}

struct Slot<T> {
    value: T,
    end: AbortHandle,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        let slots = Mutex::new(Slots { last: 0, waiting: BTreeMap::new() });
        Self { secrets: OnceLock::new(), began: Instant::now(), slots }
    }
}

impl<T: Send + 'static> Held<T> {
    fn lock(&self) -> MutexGuard<'_, Slots<T>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secrets(&self) -> Option<&Secrets> {
        let make = || {
            let random = SystemRandom::new();
            let mut process = [0; PROCESS];
            random.fill(&mut process).ok()?;
            let key = hmac::Key::generate(hmac::HMAC_SHA256, &random).ok()?;
            Some(Secrets { key, process })
        };
        self.secrets.get_or_init(make).as_ref()
    }

    /// The number of what is held next, and the state for it, of a request of this essence; `None` where the
    /// system gives no random numbers.
    pub(super) fn next_state(&self, essence: &str) -> Option<(u64, String)> {
        let Secrets { key, process } = self.secrets()?;
        let number = {
            let mut slots = self.lock();
            slots.last += 1;
            slots.last
        };
        let end = (self.began.elapsed() + HELD_FOR).as_secs();
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(process);
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(&end.to_be_bytes());
        bytes.extend_from_slice(digest::digest(&digest::SHA256, essence.as_bytes()).as_ref());
        let tag = hmac::sign(key, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        Some((number, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Holds a value under its number until its time is over, or another needs its place: then it is dropped.
    pub(super) fn hold(self: &Arc<Self>, number: u64, value: T) {
        let held = Arc::clone(self);
        let end = task::spawn(async move {
            tokio::time::sleep(HELD_FOR).await;
            drop(held.take(number));
        });
        let mut slots = self.lock();
        slots.waiting.insert(number, Slot { value, end: end.abort_handle() });
        let oldest = (slots.waiting.len() > MAX_HELD).then(|| slots.waiting.pop_first()).flatten();
        drop(slots);
        if let Some((_, Slot { end, value })) = oldest {
            tracing::warn!("more calls wait for answers than are held; the oldest is given up");
            end.abort();
            drop(value);
        }
    }

    /// Takes what is held under a number.
    pub(super) fn take(&self, number: u64) -> Option<T> {
        let Slot { value, end } = self.lock().waiting.remove(&number)?;
        end.abort();
        Some(value)
    }

    /// Takes what is held for a state, with its number, if the request is of the same essence.
    pub(super) fn take_by(&self, state: &str, essence: &str) -> Result<(u64, T), NotHeld> {
        let number = self.number_of(state, essence)?;
        self.take(number).map(|value| (number, value)).ok_or(NotHeld::Gone)
    }

    fn number_of(&self, state: &str, essence: &str) -> Result<u64, NotHeld> {
        let mut bytes = [0; LENGTH];
        let read = URL_SAFE_NO_PAD.decode_slice(state, &mut bytes).map_err(|_| NotHeld::Forged)?;
        let secrets = self.secrets().filter(|_| read == LENGTH).ok_or(NotHeld::Forged)?;
        let (signed, tag) = bytes.split_at(SIGNED);
        let (process, rest) = signed.split_at(PROCESS);
        if process != secrets.process {
            return Err(NotHeld::EarlierProcess);
        }
        hmac::verify(&secrets.key, signed, tag).map_err(|_| NotHeld::Forged)?;
        let (number, rest) = rest.split_at(8);
        let (end, of) = rest.split_at(8);
        if of != digest::digest(&digest::SHA256, essence.as_bytes()).as_ref() {
            return Err(NotHeld::OtherRequest);
        }
        let int = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
        if self.began.elapsed().as_secs() > int(end) {
            return Err(NotHeld::Expired);
        }
        Ok(int(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Arc<Held<Arc<str>>> {
        Arc::default()
    }

    fn hold(held: &Arc<Held<Arc<str>>>, value: &Arc<str>) -> String {
        let (number, state) = held.next_state("call").unwrap();
        held.hold(number, Arc::clone(value));
        state
    }

    #[tokio::test]
    async fn a_state_leads_back_once() {
        let (held, value) = (held(), Arc::from("a call"));
        let state = hold(&held, &value);
        assert_eq!(held.take_by(&state, "call").map(|(_, value)| value), Ok(value));
        assert_eq!(held.take_by(&state, "call"), Err(NotHeld::Gone));
        assert_eq!(state.len(), hold(&held, &"x".into()).len());
    }

    #[tokio::test]
    async fn a_state_is_of_one_request_and_can_not_be_forged() {
        let held = held();
        let state = hold(&held, &"a".into());
        assert_eq!(held.take_by(&state, "another call"), Err(NotHeld::OtherRequest));
        let mut bytes = URL_SAFE_NO_PAD.decode(&state).unwrap();
        for at in PROCESS..bytes.len() {
            bytes[at] ^= 1;
            let forged = URL_SAFE_NO_PAD.encode(&bytes);
            assert_eq!(held.take_by(&forged, "call"), Err(NotHeld::Forged), "byte {at}");
            bytes[at] ^= 1;
        }
        for odd in ["", "x", "=", &state[1..], &format!("{state}AAAA"), &"A".repeat(100_000)] {
            assert_eq!(held.take_by(odd, "call"), Err(NotHeld::Forged), "{odd}");
        }
        assert!(held.take_by(&state, "call").is_ok());
    }

    #[tokio::test]
    async fn a_state_of_an_earlier_process_is_known_as_such() {
        let state = hold(&held(), &"a".into());
        assert_eq!(held().take_by(&state, "call"), Err(NotHeld::EarlierProcess));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_comes_back_for_is_dropped_when_its_time_is_over() {
        let (held, value) = (held(), Arc::from("a call"));
        let state = hold(&held, &value);
        tokio::time::sleep(HELD_FOR - Duration::from_secs(1)).await;
        assert_eq!(Arc::strong_count(&value), 2);
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(Arc::strong_count(&value), 1);
        assert_eq!(held.take_by(&state, "call"), Err(NotHeld::Expired));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_taken_is_not_dropped_and_may_be_held_again() {
        let (held, value) = (held(), Arc::from("a call"));
        let state = hold(&held, &value);
        let (number, taken) = held.take_by(&state, "call").unwrap();
        held.hold(number, taken);
        tokio::time::sleep(HELD_FOR / 2).await;
        assert!(held.take_by(&state, "call").is_ok());
    }

    #[tokio::test]
    async fn the_oldest_is_given_up_for_one_more() {
        let held = held();
        let values: Vec<Arc<str>> = (0..=MAX_HELD).map(|n| n.to_string().into()).collect();
        let states: Vec<_> = values.iter().map(|value| hold(&held, value)).collect();
        assert_eq!(held.take_by(&states[0], "call"), Err(NotHeld::Gone));
        assert_eq!(Arc::strong_count(&values[0]), 1);
        assert!(held.take_by(&states[1], "call").is_ok());
        assert!(held.take_by(&states[MAX_HELD], "call").is_ok());
    }
}
