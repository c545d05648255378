//! Where the messages of the server go: to the call that they came with, or to whom they are for.

use std::sync::{Arc, Weak};

use super::live::Live;
use super::mailbox::{Came, Mailbox};
use crate::jsonrpc::{INTERNAL_ERROR, Id, Kind, Message};
use crate::remote::lifecycle::Carrier;
use crate::remote::{Pass, Receive, followed_by};
use crate::secret::Secret;

/// Takes what an exchange or a stream brings. One kind for all, since each kind of receiver has an exchange of
/// its own in the program.
#[derive(Clone)]
pub(super) struct Inbox {
    of: Of,
    pass: Option<Pass>,
}

#[derive(Clone)]
enum Of {
    /// A call.
    Call { live: Arc<Live>, mailbox: Mailbox, id: Id },
    /// The session's own stream, or a request of this program's own.
    Session(Weak<Live>),
    /// A message to which nothing has to come.
    Nobody,
}

impl Inbox {
    pub(super) fn of_call(live: Arc<Live>, mailbox: Mailbox, id: Id) -> Self {
        Self { of: Of::Call { live, mailbox, id }, pass: None }
    }

    pub(super) fn of_session(live: Weak<Live>) -> Self {
        Self { of: Of::Session(live), pass: None }
    }

    pub(super) fn of_nobody() -> Self {
        Self { of: Of::Nobody, pass: None }
    }

    fn opening(&self) -> Option<Arc<Live>> {
        match &self.of {
            Of::Session(live) => live.upgrade(),
            Of::Call { .. } | Of::Nobody => None,
        }
    }

    async fn take(&self, message: Message) {
        match &self.of {
            Of::Call { live, mailbox, id } => of_call(live, mailbox, id, message).await,
            Of::Session(live) => {
                if let Some(live) = live.upgrade() {
                    of_session(&live, message);
                }
            }
            Of::Nobody => {
                tracing::debug!(method = message.method(), "something came that nobody asked for");
            }
        }
    }
}

async fn of_call(live: &Arc<Live>, mailbox: &Mailbox, id: &Id, message: Message) {
    match message.kind() {
        Kind::Response { .. } if message.answers(id) => {
            mailbox.put(Came::Message(message)).await;
        }
        Kind::Response { .. } => live.response(message),
        Kind::Request { .. } => {
            if let Some((_, question)) = live.question(&message, Some(mailbox)) {
                mailbox.put(question).await;
            }
        }
        Kind::Notification { .. } if live.takes(&message) => {}
        Kind::Notification { .. } => mailbox.put(Came::Message(message)).await,
    }
}

fn of_session(live: &Arc<Live>, message: Message) {
    match message.kind() {
        Kind::Response { .. } => live.response(message),
        Kind::Request { .. } => {
            if let Some((call, question)) = live.question(&message, None)
                && !call.put_now(question)
            {
                live.refuse(&message, INTERNAL_ERROR, "more questions wait than are kept");
            }
        }
        Kind::Notification { .. } => live.notification(message),
    }
}

impl Receive for Inbox {
    async fn receive(&self, message: Message) {
        let Some(pass) = &self.pass else { return self.take(message).await };
        for message in pass(message) {
            self.take(message).await;
        }
    }

    async fn session_given(&self, id: Secret<Box<str>>) {
        if let Some(live) = self.opening() {
            live.given_id(id);
        }
    }

    async fn carried_by(&self, carrier: Carrier) {
        if let Some(live) = self.opening() {
            live.given_carrier(carrier);
        }
    }

    async fn reopened(&self) {
        if let Some(live) = self.opening() {
            live.gap();
        }
    }

    fn through(&self, pass: Pass) -> Self {
        Self { pass: Some(followed_by(pass, self.pass.clone())), ..self.clone() }
    }
}
