//! The part of the [`Authorizer`] that waits for a person: asks, watches the record for what comes of it, and
//! goes on with what another process began and left.

use std::time::{Duration, Instant};

use super::authorizer::{Authorizer, replace};
use super::failure::{Failure, FailureKind};
use super::phase::Phase;
use super::record::LastFailure;
use super::sign_in::{Cause, taken_back};
use crate::credentials::LockKind;
use crate::task;

/// How often the record is looked at while a person signs in, and for how long oftener.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_OFTEN: Duration = Duration::from_millis(100);
const OFTEN_FOR: Duration = Duration::from_secs(5);
/// Times that a sign-in is taken up again whose process ended before the person did.
const TAKEN_UP: usize = 3;

impl Authorizer {
    /// A person has to sign in: says so, and goes on with a sign-in that is under way already.
    pub(super) fn is_needed(&self, cause: Cause) {
        let (is_pending, turned_down) = {
            let mut state = self.state();
            state.cause = cause;
            (state.is_pending, state.turned_down.clone())
        };
        let phase = turned_down.filter(|_| !is_pending).map_or(Phase::Needed, Phase::Failed);
        let began =
            self.phase.send_if_modified(|present| present.is_settled() && replace(present, phase));
        if began && is_pending {
            // The record is read again, for whoever is to be told of its page.
            self.state().loaded = false;
        }
        self.watch();
        if began && is_pending {
            // Its page is open already: no other opens, but somebody has to be there when the tab comes back.
            let cause = Cause { resume: true, ..self.state().cause.clone() };
            self.begin(cause);
        }
    }

    /// Watches the record until there is a token.
    pub(super) fn watch(&self) {
        let Some(this) = self.this.upgrade() else { return };
        if std::mem::replace(&mut self.state().watching, true) {
            return;
        }
        task::spawn(async move {
            let began = Instant::now();
            while !this.is_served() {
                let often = began.elapsed() < OFTEN_FOR;
                tokio::time::sleep(if often { LOOK_OFTEN } else { LOOK_EVERY }).await;
                if let Err(failure) = this.look().await {
                    tracing::debug!("the record can't be read: {failure}");
                }
            }
            this.state().watching = false;
        });
    }

    fn is_served(&self) -> bool {
        let waits = matches!(*self.phase.borrow(), Phase::Needed | Phase::Pending(_));
        let state = self.state();
        // Whoever has tokens looks at the record with each request.
        !waits && (state.held.is_some() || !state.wanted)
    }

    fn is_settled(&self) -> bool {
        self.phase.borrow().is_settled()
    }

    /// Asks the person to sign in, unless that is under way, and tells by the phase what comes of it.
    pub fn ask(&self, client: Option<String>) {
        let cause = Cause { client, ..self.state().cause.clone() };
        if self.is_settled() {
            // It came to its end before whoever asks heard of its beginning.
            self.phase.send_modify(|_| ());
            return;
        }
        // Whoever asks hears of the end, also where it is the same as the last time.
        self.phase.send_if_modified(|phase| {
            matches!(phase, Phase::Failed(_)) && replace(phase, Phase::Needed)
        });
        self.begin(cause);
    }

    fn begin(&self, cause: Cause) {
        let Some(this) = self.this.upgrade() else { return };
        {
            let mut state = self.state();
            if std::mem::replace(&mut state.asking, true) {
                return;
            }
            state.taken_back = false;
        }
        self.watch();
        task::spawn(async move {
            if let Some(ended) = this.asked(&cause).await {
                this.phase.send_replace(ended);
            }
            this.state().asking = false;
        });
    }

    /// Sees to it that some process waits for the person, until that comes to an end. What it came to, where
    /// not to tokens.
    async fn asked(&self, cause: &Cause) -> Option<Phase> {
        let before = self.last_failure().await;
        for _ in 0..TAKEN_UP {
            if self.nobody_is_at_it().await {
                // No page opens for what could not be kept.
                if let Err(failure) = self.sign_in.vault.prepare().await {
                    return (!self.is_settled()).then_some(Phase::Failed(failure));
                }
                // What was begun goes on, whether it is waited for or not: the browser is owed its page.
                let asked = tokio::spawn(self.usher.ask(cause.clone()));
                let ended = tokio::select! {
                    () = self.settled() => return None,
                    ended = asked => ended,
                };
                let ended = ended.unwrap_or_else(|_| Err(broke_down()));
                if let Err(failure) = self.look().await.and(ended) {
                    return (!self.is_settled()).then_some(Phase::Failed(failure));
                }
            }
            tokio::select! {
                () = self.settled() => return None,
                () = self.until_nobody_is_at_it() => {}
            }
            if let Err(failure) = self.look().await {
                return Some(Phase::Failed(failure));
            }
            if self.is_settled() {
                return None;
            }
            let last = self.last_failure().await;
            if let Some(last) = last.filter(|last| before.as_ref() != Some(last)) {
                return Some(Phase::Failed(came_to_nothing(Some(last))));
            }
            if self.state().taken_back {
                return Some(Phase::Failed(taken_back()));
            }
            if cause.resume && !self.state().is_pending {
                return Some(Phase::Needed);
            }
            tracing::info!("the process that waited for the person is gone; going on in its place");
        }
        if cause.resume {
            return Some(Phase::Needed);
        }
        Some(Phase::Failed(came_to_nothing(None)))
    }

    async fn settled(&self) {
        let _ = self.phase.subscribe().wait_for(Phase::is_settled).await;
    }

    async fn nobody_is_at_it(&self) -> bool {
        !matches!(self.sign_in.vault.try_lock(LockKind::SignIn).await, Ok(None))
    }

    async fn until_nobody_is_at_it(&self) {
        while !self.nobody_is_at_it().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn last_failure(&self) -> Option<LastFailure> {
        self.sign_in.vault.load().await.ok().flatten()?.last_failure
    }
}

/// A sign-in without tokens at its end.
pub(super) fn came_to_nothing(last: Option<LastFailure>) -> Failure {
    let (what, hint) = match last {
        Some(last) => (last.reason, last.hint),
        None => ("the process that waited for the sign-in ended".to_owned(), None),
    };
    let another = || super::sign_in::ANOTHER.to_owned();
    Failure::new(FailureKind::Denied, what).hint(hint.unwrap_or_else(another))
}

fn broke_down() -> Failure {
    Failure::new(FailureKind::Internal, "the sign-in broke down")
}
