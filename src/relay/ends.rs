//! The ends of a relay that do not come by stdin.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

/// How long a client may be silent after the process that launched us is gone. That process may have been
/// a launcher only: a client that speaks after its death lives, and its end comes by stdin.
const ORPHANED: Duration = Duration::from_secs(30);

/// Waits for a signal, and for the death of the process that launched us.
pub(super) struct Ends<E, P> {
    told: Pin<Box<E>>,
    parent: Option<Pin<Box<P>>>,
    silent_until: Option<Instant>,
    over: bool,
}

impl<E: Future<Output = ()>, P: Future<Output = ()>> Ends<E, P> {
    pub(super) fn new(told: E, parent: P) -> Self {
        Self {
            told: Box::pin(told),
            parent: Some(Box::pin(parent)),
            silent_until: None,
            over: false,
        }
    }

    /// A line came from the client.
    pub(super) fn client_spoke(&mut self) {
        self.silent_until = None;
    }

    /// Resolves once, when it is time to end. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) {
        if self.over {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::select! {
                () = &mut self.told => break,
                () = at(self.silent_until) => {
                    tracing::info!("the process that launched us is gone, and nobody writes");
                    break;
                }
                () = parent(&mut self.parent) => {
                    self.parent = None;
                    self.silent_until = Some(Instant::now() + ORPHANED);
                }
            }
        }
        self.over = true;
    }
}

async fn parent<P: Future<Output = ()>>(parent: &mut Option<Pin<Box<P>>>) {
    match parent {
        Some(parent) => parent.await,
        None => std::future::pending().await,
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::time::timeout;

    const DAY: Duration = Duration::from_secs(86_400);

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stays_silent_after_its_process_died_is_gone() {
        let mut ends = Ends::new(pending(), ready(()));
        let since = Instant::now();
        ends.next().await;
        assert_eq!(since.elapsed().as_secs(), ORPHANED.as_secs());
        assert!(timeout(DAY, ends.next()).await.is_err(), "once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_speaks_after_its_launcher_died_lives() {
        let mut ends = Ends::new(pending(), ready(()));
        assert!(timeout(ORPHANED / 2, ends.next()).await.is_err());
        ends.client_spoke();
        assert!(timeout(DAY, ends.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_there_may_be_silent_for_ever() {
        let mut ends = Ends::new(pending(), pending());
        assert!(timeout(DAY, ends.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_is_the_end_whatever_else_is_waited_for() {
        let mut ends = Ends::new(ready(()), pending());
        timeout(Duration::from_millis(1), ends.next()).await.expect("at once");
    }
}
