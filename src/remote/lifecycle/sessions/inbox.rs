//! Where the messages of the server go: to the call that they came with, or to whom they are for.

use std::future::ready;
use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;

use super::live::Live;
use super::mailbox::{Came, Mailbox};
use crate::jsonrpc::{INTERNAL_ERROR, Id, Kind, Message};
use crate::remote::lifecycle::Carrier;
use crate::remote::{Receive, Recipient};
use crate::secret::Secret;

/// Takes what an exchange or a stream brings.
enum Inbox {
    /// A call.
    Call { live: Arc<Live>, mailbox: Mailbox, id: Id },
    /// The session's own stream, or a request of this program's own.
    Session(Weak<Live>),
    /// A message to which nothing has to come.
    Nobody,
}

/// Who takes what a call brings.
pub(super) fn of_call(live: Arc<Live>, mailbox: Mailbox, id: Id) -> Recipient {
    Recipient::new(Inbox::Call { live, mailbox, id })
}

/// Who takes what comes by the session's own stream, or for a request of this program's own.
pub(super) fn of_session(live: Weak<Live>) -> Recipient {
    Recipient::new(Inbox::Session(live))
}

/// For a message to which nothing has to come.
pub(super) fn of_nobody() -> Recipient {
    Recipient::new(Inbox::Nobody)
}

impl Inbox {
    fn opening(&self) -> Option<Arc<Live>> {
        match self {
            Self::Session(live) => live.upgrade(),
            Self::Call { .. } | Self::Nobody => None,
        }
    }

    async fn take(&self, message: Message) {
        match self {
            Self::Call { live, mailbox, id } => take_of_call(live, mailbox, id, message).await,
            Self::Session(live) => {
                if let Some(live) = live.upgrade() {
                    take_of_session(&live, message);
                }
            }
            Self::Nobody => {
                tracing::debug!(method = message.method(), "something came that nobody asked for");
            }
        }
    }
}

async fn take_of_call(live: &Arc<Live>, mailbox: &Mailbox, id: &Id, message: Message) {
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

fn take_of_session(live: &Arc<Live>, message: Message) {
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
    fn receive(&self, message: Message) -> BoxFuture<'_, ()> {
        Box::pin(self.take(message))
    }

    fn session_given(&self, id: Secret<Box<str>>) -> BoxFuture<'_, ()> {
        if let Some(live) = self.opening() {
            live.given_id(id);
        }
        Box::pin(ready(()))
    }

    fn carried_by(&self, carrier: Carrier) -> BoxFuture<'_, ()> {
        if let Some(live) = self.opening() {
            live.given_carrier(carrier);
        }
        Box::pin(ready(()))
    }

    fn reopened(&self) -> BoxFuture<'_, ()> {
        if let Some(live) = self.opening() {
            live.gap();
        }
        Box::pin(ready(()))
    }
}
