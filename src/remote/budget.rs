//! The memory for answers that are put together, shared by all streams: what a server sends at once on many
//! of them must not be kept at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that all large messages together may hold.
const POOL: usize = 64 * 1024 * 1024;
/// What every message may hold beside that, so that small ones never wait: a question to the client may be
/// what a large answer waits for.
const FREE: usize = 64 * 1024;

/// The memory. Beside the pool one message at a time may grow to any size, so that one always can.
#[derive(Debug)]
pub(super) struct Budget {
    pool: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

/// What one message holds of it, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    pool: Arc<Semaphore>,
    turn: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
    own_turn: Option<OwnedSemaphorePermit>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { pool: Arc::new(Semaphore::new(POOL)), turn: Arc::new(Semaphore::new(1)) }
    }

    /// A share of nothing yet.
    pub(super) fn share(&self) -> Share {
        let (pool, turn) = (Arc::clone(&self.pool), Arc::clone(&self.turn));
        Share { pool, turn, held: None, own_turn: None }
    }
}

impl Share {
    /// Makes it so many bytes; waits where there are not so many.
    pub(super) async fn set(&mut self, bytes: usize) {
        let wanted = bytes.saturating_sub(FREE);
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if wanted <= held {
            self.own_turn.take_if(|_| wanted == 0);
            let surplus = held - wanted;
            drop(self.held.as_mut().and_then(|held| held.split(surplus)));
            return;
        }
        if self.own_turn.is_some() {
            return;
        }
        let missing = u32::try_from(wanted - held).unwrap_or(u32::MAX);
        tokio::select! {
            biased;
            Ok(more) = Arc::clone(&self.pool).acquire_many_owned(missing) => self.hold(more),
            Ok(turn) = Arc::clone(&self.turn).acquire_owned() => self.own_turn = Some(turn),
        }
    }

    fn hold(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::poll;

    #[tokio::test]
    async fn one_message_may_always_grow_and_small_ones_never_wait() {
        let budget = Budget::new();
        let (mut first, mut second, mut third) = (budget.share(), budget.share(), budget.share());
        first.set(POOL).await;
        // More than there is: it has the turn.
        second.set(POOL).await;
        second.set(10 * POOL).await;
        third.set(FREE).await;
        let waiting = third.set(POOL / 2);
        tokio::pin!(waiting);
        assert!(poll!(&mut waiting).is_pending());
        second.set(0).await;
        waiting.await;
    }

    #[tokio::test]
    async fn what_was_taken_is_given_back() {
        let budget = Budget::new();
        for _ in 0..100 {
            let mut share = budget.share();
            for bytes in [POOL / 2, POOL, POOL / 4, 0, 3 * POOL, POOL] {
                share.set(bytes).await;
            }
        }
        assert_eq!((budget.pool.available_permits(), budget.turn.available_permits()), (POOL, 1));
    }
}
