//! What comes for whoever sent a request, and not for the client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Pass;
use crate::jsonrpc::{Kind, Message};

/// Where a [`Pass`] puts what it keeps from the client. What came last stays.
pub(super) struct Aside<T = Message>(Arc<Mutex<Option<T>>>);

impl<T> Aside<T> {
    pub(super) fn put(&self, kept: T) {
        *self.lock() = Some(kept);
    }

    pub(super) fn take(&self) -> Option<T> {
        self.lock().take()
    }

    /// Whether there is something of this kind.
    pub(super) fn holds(&self, is_it: impl FnOnce(&T) -> bool) -> bool {
        self.lock().as_ref().is_some_and(is_it)
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aside {
    /// Takes the answers that are meant, and lets everything else pass.
    pub(super) fn taking(
        &self,
        is_meant: impl Fn(&Message) -> bool + Send + Sync + 'static,
    ) -> Pass {
        let aside = self.clone();
        Arc::new(move |message| {
            if matches!(message.kind(), Kind::Response { .. }) && is_meant(&message) {
                aside.put(message);
                return Vec::new();
            }
            vec![message]
        })
    }

    /// Takes the answer to a question that the client knows nothing of, and keeps everything from it.
    pub(super) fn taking_all(&self) -> Pass {
        let aside = self.clone();
        Arc::new(move |message| {
            if matches!(message.kind(), Kind::Response { .. }) {
                aside.put(message);
            }
            Vec::new()
        })
    }
}

impl<T> Default for Aside<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Aside<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
