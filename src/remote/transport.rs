//! Which transport a server speaks: Streamable HTTP, or HTTP+SSE of 2024-11-05.

use super::failure::{Failure, FailureKind};

/// The transports of MCP over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
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

/// The transports to try, in order: the one that was found before comes first.
pub(super) fn order(strategy: Strategy, known: Option<Transport>) -> Vec<Transport> {
    use Transport::{Sse, Streamable};
    match (strategy, known) {
        (Strategy::HttpOnly, _) => vec![Streamable],
        (Strategy::SseOnly, _) => vec![Sse],
        (Strategy::HttpFirst, Some(Sse)) => vec![Sse, Streamable],
        (Strategy::SseFirst, Some(Streamable)) => vec![Streamable, Sse],
        (Strategy::HttpFirst, _) => vec![Streamable, Sse],
        (Strategy::SseFirst, _) => vec![Sse, Streamable],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transport::{Sse, Streamable};

    #[test]
    fn a_strategy_is_an_order_and_the_winner_comes_first_the_next_time() {
        for (strategy, known, expected) in [
            (Strategy::HttpFirst, None, &[Streamable, Sse][..]),
            (Strategy::SseFirst, None, &[Sse, Streamable]),
            (Strategy::HttpFirst, Some(Sse), &[Sse, Streamable]),
            (Strategy::SseFirst, Some(Streamable), &[Streamable, Sse]),
            (Strategy::HttpOnly, Some(Sse), &[Streamable]),
            (Strategy::SseOnly, Some(Streamable), &[Sse]),
        ] {
            assert_eq!(order(strategy, known), expected, "{strategy:?} {known:?}");
        }
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
