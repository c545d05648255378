//! A value that can be waited for, from a test's thread and from a fixture's task alike.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

#[derive(Default)]
pub struct Watched<T> {
    value: Mutex<T>,
    changed: Condvar,
    changed_async: Notify,
}

impl<T> Watched<T> {
    pub fn new(value: T) -> Self {
        Self { value: Mutex::new(value), changed: Condvar::new(), changed_async: Notify::new() }
    }

    /// To look at; what is changed this way wakes nobody.
    pub fn read(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the value and wakes all who wait.
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let result = change(&mut self.read());
        self.changed.notify_all();
        self.changed_async.notify_waiters();
        result
    }

    /// Blocks until the question has an answer, or gives `None` when the time is over.
    pub fn wait<R>(
        &self,
        at_most: Duration,
        mut ask: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let mut answer = None;
        let unanswered = |value: &mut T| {
            answer = ask(value);
            answer.is_none()
        };
        drop(self.changed.wait_timeout_while(self.read(), at_most, unanswered));
        answer
    }

    /// Waits until the question has an answer, without a deadline: what waits here is a fixture's
    /// own task, and the test that it serves has a deadline of its own.
    pub async fn until<R>(&self, mut ask: impl FnMut(&mut T) -> Option<R>) -> R {
        loop {
            let changed = self.changed_async.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(answer) = ask(&mut self.read()) {
                return answer;
            }
            changed.await;
        }
    }
}
