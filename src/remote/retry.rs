//! What may be sent twice, and how long to wait before.

use std::time::Duration;

use super::failure::{Failure, FailureKind, Fate};

/// First and longest wait between two attempts at one message.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// First and longest wait before a stream that is to stand is opened again.
pub(super) const FIRST_STREAM_WAIT: Duration = Duration::from_secs(1);
pub(super) const LONGEST_STREAM_WAIT: Duration = Duration::from_secs(300);
/// The least such wait, whatever the server asks for.
const SHORTEST_STREAM_WAIT: Duration = Duration::from_millis(50);
/// A stream that stood for so long was a good one, so that the waits begin anew.
pub(super) const STOOD: Duration = Duration::from_secs(60);

/// Requests and notifications of the specification that do no harm when they arrive twice
/// (`docs/architecture.md`, ADR 0004). Tools are asked about by their own annotations.
const REPEATABLE: [&str; 21] = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "logging/setLevel",
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
    "tasks/get",
    "tasks/list",
    "tasks/result",
];

/// Whether a method may be sent again when its fate is unknown.
pub fn is_repeatable(method: &str) -> bool {
    REPEATABLE.contains(&method)
}

/// How hard a message is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Once: whoever asks tries again by itself.
    Once,
    /// Again, for as long as the settings allow.
    Persistent,
}

/// How long to wait before the stream is opened again: as long as the server says, if the last one brought
/// something; else our own wait at the least, so that a server that closes each at once is not asked
/// without a pause.
pub(super) fn stream_wait(
    own: Duration,
    progressed: bool,
    retry: Option<Duration>,
    retry_after: Option<Duration>,
) -> Duration {
    let wait = match retry {
        Some(retry) if progressed => retry.max(SHORTEST_STREAM_WAIT),
        _ => own.max(retry.unwrap_or_default()).max(retry_after.unwrap_or_default()),
    };
    wait.min(LONGEST_STREAM_WAIT)
}

/// Jittered exponential back-off: half to the whole of a span that doubles.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    /// Starts at `first`, and never waits longer than `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest }
    }

    /// The waits before a stream that is to stand is opened again.
    pub(super) fn of_stream() -> Self {
        Self::new(FIRST_STREAM_WAIT, LONGEST_STREAM_WAIT)
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let span = self.next;
        self.next = (span * 2).min(self.longest);
        span.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

/// Decides, after each failed attempt at one message, whether there is another.
pub(super) struct Retries {
    backoff: Backoff,
    patience: Patience,
    repeatable: bool,
    left: Duration,
}

impl Retries {
    pub(super) fn new(patience: Patience, repeatable: bool, budget: Duration) -> Self {
        Self { backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT), patience, repeatable, left: budget }
    }

    /// How long to wait before the next attempt; `None` when the failure is the end of it.
    /// `spent` is the time since the last decision.
    pub(super) fn after(&mut self, failure: &Failure, spent: Duration) -> Option<Duration> {
        self.left = self.left.saturating_sub(spent);
        let allowed = match failure.fate {
            // A person takes longer than any of these waits, and the relay knows how to wait for one.
            Fate::NotExecuted => !failure.wants_person() && !failure.is_of_closed_store(),
            // An answer that is none would come again, so that only a broken way to it is tried again.
            Fate::Unknown => self.repeatable && failure.kind != FailureKind::BadAnswer,
            Fate::Settled => false,
        };
        if !allowed || self.patience == Patience::Once {
            return None;
        }
        let wait = self.backoff.wait().max(failure.retry_after.unwrap_or_default());
        self.left = self.left.checked_sub(wait)?;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(fate: Fate) -> Failure {
        Failure { fate, ..Failure::settled(FailureKind::Lost, None, "x") }
    }

    fn allowed(fate: Fate, patience: Patience, repeatable: bool) -> bool {
        let mut retries = Retries::new(patience, repeatable, Duration::from_secs(30));
        retries.after(&failure(fate), Duration::ZERO).is_some()
    }

    #[test]
    fn what_was_not_executed_is_sent_again_and_what_may_have_been_only_if_repeatable() {
        use Patience::{Once, Persistent};
        assert!(allowed(Fate::NotExecuted, Persistent, false));
        assert!(allowed(Fate::Unknown, Persistent, true));
        assert!(!allowed(Fate::Unknown, Persistent, false));
        assert!(!allowed(Fate::Settled, Persistent, true));
        assert!(!allowed(Fate::NotExecuted, Once, true));
    }

    #[test]
    fn what_waits_for_a_person_is_told_at_once() {
        let mut retries = Retries::new(Patience::Persistent, true, Duration::from_secs(30));
        let met = Failure::sign_in_pending("h", None);
        assert_eq!(retries.after(&met, Duration::ZERO), None);
        let reason = crate::auth::Failure::new(crate::auth::FailureKind::Store, "it is locked");
        let closed = Failure::of_sign_in(&reason);
        assert_eq!(retries.after(&closed, Duration::ZERO), None);
        let hangs = Failure { retry_after: Some(Duration::from_secs(1)), ..closed };
        assert!(retries.after(&hangs, Duration::ZERO).is_some(), "it may answer by itself");
    }

    #[test]
    fn retries_end_when_the_time_is_up() {
        let mut retries = Retries::new(Patience::Persistent, true, Duration::from_secs(30));
        let lost = failure(Fate::NotExecuted);
        let mut waited = Duration::ZERO;
        let mut tries = 0;
        while let Some(wait) = retries.after(&lost, Duration::from_millis(10)) {
            waited += wait;
            tries += 1;
        }
        assert!(waited <= Duration::from_secs(30) && tries >= 8, "{tries} in {waited:?}");
    }

    #[test]
    fn a_longer_retry_after_than_the_time_left_is_the_end() {
        let mut busy = failure(Fate::NotExecuted);
        busy.retry_after = Some(Duration::from_secs(31));
        let mut retries = Retries::new(Patience::Persistent, true, Duration::from_secs(30));
        assert_eq!(retries.after(&busy, Duration::ZERO), None);
    }

    #[test]
    fn waits_grow_to_their_bound_with_jitter() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));
        for span in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let wait = backoff.wait().as_secs_f64();
            assert!(wait >= f64::from(span) / 2.0 && wait <= f64::from(span), "{wait} of {span}");
        }
    }

    #[test]
    fn a_stream_that_brought_nothing_is_not_reopened_before_our_own_wait() {
        let (own, zero) = (Duration::from_secs(8), Some(Duration::ZERO));
        assert_eq!(stream_wait(own, false, zero, None), own);
        assert_eq!(stream_wait(own, true, zero, None), SHORTEST_STREAM_WAIT);
        assert_eq!(stream_wait(own, false, Some(own * 2), None), own * 2);
        assert_eq!(stream_wait(own, false, None, Some(own * 3)), own * 3);
        assert_eq!(stream_wait(own, false, None, Some(own * 300)), LONGEST_STREAM_WAIT);
    }

    #[test]
    fn only_methods_of_the_specification_are_repeatable() {
        assert!(is_repeatable("tools/list"));
        assert!(!is_repeatable("tools/call"));
        assert!(!is_repeatable("acme/charge"));
    }
}
