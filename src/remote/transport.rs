//! Which transport a server speaks: Streamable HTTP, or HTTP+SSE of 2024-11-05.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::failure::{Failure, FailureKind};
use crate::clock::{Clock, SystemClock};

/// How long it is remembered that a server speaks HTTP+SSE.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// What a file says of such a server.
const SSE: &[u8] = b"sse\n";

/// The transports of MCP over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// One endpoint that answers POSTs (MCP 2025-03-26 and later).
    Streamable,
    /// A stream and an endpoint that it names (MCP 2024-11-05).
    Sse,
}

/// Which transports are tried, in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Streamable HTTP, then HTTP+SSE.
    #[default]
    HttpFirst,
    /// HTTP+SSE, then Streamable HTTP.
    SseFirst,
    /// Streamable HTTP.
    HttpOnly,
    /// HTTP+SSE.
    SseOnly,
}

/// Whether a failure of one transport leaves it open that the server speaks the other.
pub(super) fn other_may_do(tried: Transport, failure: &Failure) -> bool {
    match tried {
        Transport::Streamable => {
            matches!(failure.status, Some(400 | 404 | 405 | 406 | 411 | 415))
        }
        Transport::Sse => {
            matches!(failure.status, Some(400..=499)) || failure.kind == FailureKind::BadAnswer
        }
    }
}

/// What was found. An HTTP+SSE server is remembered for a day, so that each start does not begin with a
/// request in vain; of any other server there is nothing to remember.
#[derive(Debug)]
pub(super) struct Found {
    file: Option<PathBuf>,
    now: Mutex<Option<Transport>>,
}

impl Found {
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self { file, now: Mutex::default() }
    }

    /// The transports to try, in order.
    pub(super) fn order(&self, strategy: Strategy) -> Vec<Transport> {
        use Transport::{Sse, Streamable};
        let known = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.or_else(|| self.file.as_deref().and_then(read));
        match (strategy, known) {
            (Strategy::HttpOnly, _) => vec![Streamable],
            (Strategy::SseOnly, _) => vec![Sse],
            (Strategy::HttpFirst, Some(Sse)) => vec![Sse, Streamable],
            (Strategy::SseFirst, Some(Streamable)) => vec![Streamable, Sse],
            (Strategy::HttpFirst, _) => vec![Streamable, Sse],
            (Strategy::SseFirst, _) => vec![Sse, Streamable],
        }
    }

    /// This one was found.
    pub(super) fn found(&self, transport: Transport) {
        let before = self.now.lock().unwrap_or_else(PoisonError::into_inner).replace(transport);
        let Some(file) = self.file.clone().filter(|_| before != Some(transport)) else { return };
        drop(tokio::task::spawn_blocking(move || remember(&file, transport)));
    }
}

fn read(file: &Path) -> Option<Transport> {
    let written = std::fs::metadata(file).and_then(|file| file.modified()).ok()?;
    let age = SystemClock.wall().duration_since(written).unwrap_or_default();
    let says_sse = || std::fs::read(file).is_ok_and(|text| text == SSE);
    (age < REMEMBERED && says_sse()).then_some(Transport::Sse)
}

/// Losing the file costs a request, so that no failure of it matters.
fn remember(file: &Path, transport: Transport) {
    let done = match transport {
        Transport::Sse => crate::paths::replace_private(file, SSE),
        Transport::Streamable if file.exists() => std::fs::remove_file(file),
        Transport::Streamable => Ok(()),
    };
    if let Err(error) = done {
        tracing::debug!(%error, "the transport was not remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transport::{Sse, Streamable};

    #[test]
    fn a_strategy_is_an_order() {
        let found = Found::new(None);
        assert_eq!(found.order(Strategy::HttpFirst), [Streamable, Sse]);
        assert_eq!(found.order(Strategy::SseFirst), [Sse, Streamable]);
        assert_eq!(found.order(Strategy::HttpOnly), [Streamable]);
        assert_eq!(found.order(Strategy::SseOnly), [Sse]);
    }

    #[test]
    fn the_winner_is_tried_first_in_the_next_process_and_forgotten_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("facts");
        remember(&file, Sse);
        assert_eq!(Found::new(Some(file.clone())).order(Strategy::HttpFirst), [Sse, Streamable]);
        remember(&file, Streamable);
        assert_eq!(Found::new(Some(file)).order(Strategy::HttpFirst), [Streamable, Sse]);
    }

    #[test]
    fn only_a_refusal_of_the_kind_leads_to_the_other_transport() {
        let failed =
            |status| Failure { status, ..Failure::settled(FailureKind::Status, None, "x") };
        for status in [400, 404, 405, 406, 411, 415] {
            assert!(other_may_do(Streamable, &failed(Some(status))), "{status}");
        }
        for status in [None, Some(401), Some(403), Some(429), Some(500), Some(503)] {
            assert!(!other_may_do(Streamable, &failed(status)), "{status:?}");
        }
        assert!(other_may_do(Sse, &failed(Some(405))));
        assert!(!other_may_do(Sse, &failed(Some(503))));
    }
}
