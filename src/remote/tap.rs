//! Messages of an exchange, taken aside before the client sees them: to be read here, or translated first.

use tokio::sync::mpsc;

use super::{Carrier, Pass, Receive, followed_by};
use crate::jsonrpc::Message;
use crate::secret::Secret;

/// Takes what one exchange brings. One kind for all, since each kind of receiver has an exchange of its own in
/// the program.
#[derive(Clone)]
pub(super) struct Tap {
    messages: mpsc::Sender<Message>,
    pass: Option<Pass>,
}

/// A tap, and where its messages come out. One message at a time is between them: whoever takes them sets the
/// pace.
pub(super) fn tap() -> (Tap, mpsc::Receiver<Message>) {
    let (messages, receiver) = mpsc::channel(1);
    (Tap { messages, pass: None }, receiver)
}

impl Receive for Tap {
    async fn receive(&self, message: Message) {
        let passed = match &self.pass {
            Some(pass) => pass(message),
            None => vec![message],
        };
        for message in passed {
            // Nobody takes them any more: they are not needed.
            let _ = self.messages.send(message).await;
        }
    }

    /// A modern server gives none (MCP 2026-07-28, earlier Streamable HTTP revisions).
    async fn session_given(&self, _: Secret<Box<str>>) {}

    async fn carried_by(&self, _: Carrier) {}

    fn through(&self, pass: Pass) -> Self {
        Self { pass: Some(followed_by(pass, self.pass.clone())), ..self.clone() }
    }
}
