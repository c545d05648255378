//! What the endpoint says to somebody without a token: its status, its clock, its challenge.

use std::time::{Duration, SystemTime};

use serde_json::json;

use super::Subject;
use super::network::of_failure;
use super::report::{Check, Report};
use crate::auth::Challenge;
use crate::clock::span;
use crate::remote::{Entry, FailureKind, Knock, without_secrets};

/// How far the two clocks may be apart: tokens are good for minutes, and servers forgive a few.
const SKEW: Duration = Duration::from_secs(5 * 60);
/// As far as they are apart where nobody needs to know: the answer took its time, and its date has no fractions.
const MOMENT: Duration = Duration::from_secs(10);

/// Who is let in.
#[derive(Debug, Clone)]
pub(super) enum Door {
    /// Whoever asks, as far as it is known.
    Open,
    /// Whoever has a token.
    Closed(Option<Challenge>),
    /// Whoever the user's own header says that it is.
    Own,
}

/// Judges what came of the first request.
pub(super) fn answer(subject: &Subject, knock: &Knock, report: &mut Report) -> Door {
    report.add(clock(knock.date, subject.clock.wall()));
    let status = knock.status;
    let moved = subject.stranger.endpoint().shown();
    let moved =
        if moved == subject.name.url { String::new() } else { format!("; it moved to {moved}") };
    let data = json!({ "status": status });
    let refused = knock.refusal.as_ref().map(|refusal| refusal.kind);
    let own = subject.authorizer.is_none() || refused == Some(FailureKind::HeaderRefused);
    let check = match (&knock.entry, &knock.refusal) {
        (Entry::Closed(_), Some(refusal)) if own => {
            report.stop("the header was refused");
            of_failure("endpoint", refusal, subject)
        }
        (Entry::Closed(_), _) => {
            Check::pass("endpoint", format!("HTTP {status}: it wants a sign-in{moved}"))
        }
        (Entry::Open, Some(_)) if status == 400 => {
            Check::pass("endpoint", format!("HTTP 400, in JSON{moved}"))
        }
        (_, Some(refusal)) => of_failure("endpoint", refusal, subject),
        (_, None) => Check::pass("endpoint", format!("HTTP {status}{moved}")),
    };
    report.add(check.with_data(data));
    match &knock.entry {
        _ if own => Door::Own,
        Entry::Closed(challenge) => Door::Closed(challenge.clone()),
        Entry::Open | Entry::Unclear => Door::Open,
    }
}

/// The server's clock against this machine's.
fn clock(date: Option<SystemTime>, now: SystemTime) -> Check {
    let Some(date) = date else { return Check::skip("clock", "the server tells no time") };
    let (apart, side) = match now.duration_since(date) {
        Ok(behind) => (behind, "ahead of"),
        Err(error) => (error.duration(), "behind"),
    };
    let data = json!({ "apartInSeconds": apart.as_secs() });
    let check = if apart > SKEW {
        let detail = format!("the clock of this machine is {} {side} the server's", span(apart));
        Check::fail(
            "clock",
            detail,
            "let this machine set its clock by the network; if it is right, tell whoever runs the server",
        )
    } else {
        let detail = match apart < MOMENT {
            true => "agrees with the server's".to_owned(),
            false => format!("{} {side} the server's, which does no harm", span(apart)),
        };
        Check::pass("clock", detail)
    };
    check.with_data(data)
}

/// What the challenge says.
pub(super) fn challenge(challenge: Option<&Challenge>) -> Check {
    let Some(challenge) = challenge else {
        return Check::pass("challenge", "HTTP 401 without a word of how to get in");
    };
    let named = challenge.resource_metadata.as_deref().map(without_secrets);
    let parts = [
        ("resource_metadata", named.clone()),
        ("scope", challenge.scope.clone()),
        ("error", challenge.error.clone()),
    ];
    let said = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    let said: Vec<_> = said.collect();
    let detail =
        if said.is_empty() { "Bearer".into() } else { format!("Bearer, {}", said.join(", ")) };
    Check::pass("challenge", detail)
        .with_data(json!({ "resourceMetadata": named, "scope": challenge.scope }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn clocks_may_be_minutes_apart_and_not_more() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let status = |date| clock(Some(date), now).status;
        for (apart, expected) in [(0, Status::Pass), (300, Status::Pass), (301, Status::Fail)] {
            assert_eq!(status(now + Duration::from_secs(apart)), expected);
            assert_eq!(status(now - Duration::from_secs(apart)), expected);
        }
        let ahead = clock(Some(now - Duration::from_secs(7200)), now);
        assert_eq!(ahead.detail, "the clock of this machine is 2 h ahead of the server's");
        let detail = |seconds| clock(Some(now + Duration::from_secs(seconds)), now).detail;
        assert_eq!(detail(0), "agrees with the server's");
        assert_eq!(detail(9), "agrees with the server's");
        assert_eq!(detail(40), "40 s behind the server's, which does no harm");
        assert_eq!(clock(None, now).status, Status::Skip);
    }
}
