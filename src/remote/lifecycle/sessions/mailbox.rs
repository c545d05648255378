//! What a call hears from the server, kept in bounds while nobody takes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::jsonrpc::{Id, Message};
use crate::remote::Outcome;

/// Bytes that are kept of one call; beyond them its stream is left unread. One message always has room.
const ROOM: usize = 1024 * 1024;
/// What the smallest message counts.
const LEAST: usize = 1024;

/// What came for a call.
#[derive(Debug)]
pub(super) enum Came {
    /// Its answer, or a notification.
    Message(Message),
    /// A request of the server, with the id that it has there and as input request (JSON text).
    Question(Id, String),
    /// Its exchange ended.
    Ended(Outcome),
}

/// Where a call's messages are put.
#[derive(Debug, Clone)]
pub(super) struct Mailbox {
    sender: mpsc::UnboundedSender<(Came, Option<OwnedSemaphorePermit>)>,
    room: Arc<Semaphore>,
    /// Its answer came by a stream that others need too; another one is none.
    is_answered: Arc<AtomicBool>,
    /// Whether its client can be asked something.
    pub(super) may_be_asked: bool,
    /// The token by which the server tells its progress, as JSON text.
    pub(super) token: Option<Box<str>>,
}

/// Where they are taken.
#[derive(Debug)]
pub(super) struct Mail(mpsc::UnboundedReceiver<(Came, Option<OwnedSemaphorePermit>)>);

impl Mailbox {
    pub(super) fn new(may_be_asked: bool, token: Option<&str>) -> (Self, Mail) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(ROOM));
        let token = token.map(Into::into);
        let is_answered = Arc::default();
        (Self { sender, room, is_answered, may_be_asked, token }, Mail(receiver))
    }

    /// Puts something that came on the call's own stream, which waits until there is room.
    pub(super) async fn put(&self, came: Came) {
        let room = Arc::clone(&self.room).acquire_many_owned(share(&came)).await;
        let _ = self.sender.send((came, room.ok()));
    }

    /// Puts something that came on a stream that others need too. For the answer there is always room; says
    /// whether there was for anything else, which is left out where there was none, as is a second answer.
    pub(super) fn put_now(&self, came: Came) -> bool {
        let is_answer = matches!(&came, Came::Message(message) if message.id().is_some());
        if is_answer && self.is_answered.swap(true, Ordering::Relaxed) {
            return false;
        }
        let room = Arc::clone(&self.room).try_acquire_many_owned(share(&came)).ok();
        let is_kept = room.is_some() || is_answer;
        if is_kept {
            let _ = self.sender.send((came, room));
        }
        is_kept
    }

    /// The exchange ended: nothing comes after this.
    pub(super) fn ended(&self, outcome: Outcome) {
        let _ = self.sender.send((Came::Ended(outcome), None));
    }
}

fn share(came: &Came) -> u32 {
    let bytes = match came {
        Came::Message(message) => message.bytes().len(),
        Came::Question(id, input) => id.len() + input.len(),
        Came::Ended(_) => 0,
    };
    u32::try_from(bytes.clamp(LEAST, ROOM)).unwrap_or(u32::MAX)
}

impl Mail {
    /// The next that comes; `None` when nothing will.
    pub(super) async fn next(&mut self) -> Option<Came> {
        self.0.recv().await.map(|(came, _)| came)
    }

    /// The next that is there already.
    pub(super) fn there(&mut self) -> Option<Came> {
        self.0.try_recv().ok().map(|(came, _)| came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn notification(bytes: usize) -> Came {
        let params = format!("\"{}\"", "x".repeat(bytes));
        Came::Message(Message::notification("notifications/x", Some(&params)))
    }

    #[test]
    fn a_stream_waits_for_room_and_one_message_always_has_some() {
        let (mailbox, mut mail) = Mailbox::new(true, None);
        assert!(mailbox.put(notification(2 * ROOM)).now_or_never().is_some());
        assert!(mailbox.put(notification(1)).now_or_never().is_none());
        assert!(mail.there().is_some());
        assert!(mailbox.put(notification(1)).now_or_never().is_some());
    }

    #[test]
    fn on_a_shared_stream_there_is_always_room_for_an_answer_only() {
        let (mailbox, mut mail) = Mailbox::new(true, None);
        let id = Id::from_json("1").unwrap();
        assert!(mailbox.put_now(notification(2 * ROOM)));
        assert!(!mailbox.put_now(notification(1)));
        assert!(!mailbox.put_now(Came::Question(id.clone(), "{}".into())));
        assert!(mailbox.put_now(Came::Message(Message::result(&id, "{}"))));
        assert_eq!(std::iter::from_fn(|| mail.there()).count(), 2);
    }

    #[test]
    fn a_server_that_answers_again_and_again_fills_nothing() {
        let (mailbox, mut mail) = Mailbox::new(true, None);
        let id = Id::from_json("1").unwrap();
        let kept =
            (0..10_000).filter(|_| mailbox.put_now(Came::Message(Message::result(&id, "{}"))));
        assert_eq!(kept.count(), 1);
        assert_eq!(std::iter::from_fn(|| mail.there()).count(), 1);
    }
}
