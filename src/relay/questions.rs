//! The server's own requests, which the client has to answer: each belongs to the session that asked.

use std::collections::{HashMap, HashSet, VecDeque};

use super::machine::ExchangeId;
use crate::jsonrpc::{Id, Message};

/// Questions that may be open; beyond it the oldest is forgotten, and its answer passes as it is.
const MAX_OPEN: usize = 10_000;
/// Ids of earlier sessions that are remembered; beyond it every id counts as used.
const MAX_USED: usize = 4_096;
/// Longest id of a server's request, in bytes. Ids are kept, and nobody waits on a longer one.
pub(super) const MAX_ID: usize = 4 * 1024;
/// Bytes of the ids that are kept of either kind.
const MAX_ID_BYTES: usize = 1024 * 1024;

/// A request of the server that the client was asked.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The session that asked.
    pub(super) generation: u64,
    /// The server's id, where the client saw another.
    pub(super) original: Option<Id>,
    /// The request in whose stream it came; none for the GET stream.
    pub(super) exchange: Option<ExchangeId>,
}

/// All open questions, by the id that the client saw.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: HashMap<Id, Question>,
    order: VecDeque<Id>,
    /// Ids that the present session used, and those of the sessions before it.
    used_now: HashSet<Id>,
    used_before: HashSet<Id>,
    /// Bytes of the ids in each.
    open_bytes: usize,
    used_bytes: usize,
    /// There were more ids than are remembered.
    overflowed: bool,
    renamed: u64,
}

impl Questions {
    /// Takes a request of the server; gives it as the client shall see it. An id that an earlier session
    /// used is replaced, so that an answer can't reach the wrong question.
    pub(super) fn ask(
        &mut self,
        message: Message,
        generation: u64,
        exchange: Option<ExchangeId>,
    ) -> Message {
        let Some(id) = message.id().cloned() else { return message };
        let taken = self.used_before.contains(&id) || (self.overflowed && generation > 1);
        if self.used_now.len() < MAX_USED && self.used_bytes < MAX_ID_BYTES {
            self.used_bytes += id.len();
            self.used_now.insert(id.clone());
        } else {
            self.overflowed = true;
        }
        if !taken {
            self.open(id, Question { generation, original: None, exchange });
            return message;
        }
        self.renamed += 1;
        let own = Id::own(self.renamed);
        self.open(own.clone(), Question { generation, original: Some(id), exchange });
        message.with_id(&own)
    }

    fn open(&mut self, id: Id, question: Question) {
        if self.open.insert(id.clone(), question).is_none() {
            self.open_bytes += id.len();
            self.order.push_back(id);
        }
        while (self.open.len() > MAX_OPEN || self.open_bytes > MAX_ID_BYTES)
            && let Some(oldest) = self.order.pop_front()
        {
            self.open_bytes -= oldest.len();
            self.open.remove(&oldest);
        }
    }

    /// Whether a question is open that the client saw under this id.
    pub(super) fn is_open(&self, id: &Id) -> bool {
        self.open.contains_key(id)
    }

    /// Takes the question that an answer of the client belongs to.
    pub(super) fn answered(&mut self, id: &Id) -> Option<Question> {
        let question = self.open.remove(id)?;
        if let Some(at) = self.order.iter().position(|each| each == id)
            && let Some(id) = self.order.remove(at)
        {
            self.open_bytes -= id.len();
        }
        Some(question)
    }

    /// Whether an answer with this id, which belongs to no open question, is to one of a lost session.
    pub(super) fn is_of_lost_session(&self, id: &Id) -> bool {
        self.overflowed || self.used_before.contains(id)
    }

    /// The id that the client saw of a request that the server named by its own.
    pub(super) fn shown_id(&self, own: &Id, generation: u64) -> Option<&Id> {
        self.open
            .iter()
            .find(|(_, question)| {
                question.generation == generation && question.original.as_ref() == Some(own)
            })
            .map(|(shown, _)| shown)
    }

    /// Whether a question is open that the request waits for, or may wait for.
    pub(super) fn is_open_for(&self, exchange: ExchangeId) -> bool {
        self.open.values().any(|q| q.exchange.is_none_or(|each| each == exchange))
    }

    /// Takes all questions of a session that is gone, and keeps their ids from being used again.
    pub(super) fn session_lost(&mut self, generation: u64) -> Vec<Id> {
        let used = std::mem::take(&mut self.used_now);
        self.used_before.extend(used);
        self.used_bytes = 0;
        let bytes: usize = self.used_before.iter().map(Id::len).sum();
        self.overflowed |= self.used_before.len() > MAX_USED || bytes > MAX_ID_BYTES;
        if self.overflowed {
            self.used_before.clear();
        }
        let gone: Vec<Id> = self
            .order
            .iter()
            .filter(|id| self.open.get(id).is_some_and(|q| q.generation <= generation))
            .cloned()
            .collect();
        self.open.retain(|_, question| question.generation > generation);
        self.order.retain(|id| self.open.contains_key(id));
        self.open_bytes = self.order.iter().map(Id::len).sum();
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(id: &str) -> Message {
        let text = format!("{{\"id\":{id},\"method\":\"elicitation/create\"}}");
        Message::parse(Bytes::from(text)).unwrap()
    }

    fn id(raw: &str) -> Id {
        Id::from_json(raw).unwrap()
    }

    #[test]
    fn an_id_of_an_earlier_session_is_replaced_and_found_again() {
        let mut questions = Questions::default();
        let first = questions.ask(request("1"), 1, None);
        assert_eq!(first.id(), Some(&id("1")));
        assert_eq!(questions.session_lost(1), [id("1")]);
        let second = questions.ask(request("1"), 2, None);
        assert_eq!(second.id(), Some(&id("\"bridge-1\"")));
        assert_eq!(questions.shown_id(&id("1"), 2), Some(&id("\"bridge-1\"")));
        assert!(questions.answered(&id("1")).is_none());
        let question = questions.answered(&id("\"bridge-1\"")).unwrap();
        assert_eq!((question.generation, question.original), (2, Some(id("1"))));
    }

    #[test]
    fn other_ids_pass_as_they_are() {
        let mut questions = Questions::default();
        questions.ask(request("1"), 1, None);
        questions.session_lost(1);
        assert_eq!(questions.ask(request("2"), 2, None).id(), Some(&id("2")));
    }

    #[test]
    fn a_flood_of_questions_is_bounded() {
        let mut questions = Questions::default();
        for n in 0..MAX_OPEN + 50 {
            questions.ask(request(&n.to_string()), 1, None);
        }
        assert_eq!(questions.open.len(), MAX_OPEN);
        assert!(questions.answered(&id("0")).is_none());
    }

    #[test]
    fn long_ids_do_not_fill_the_memory() {
        let mut questions = Questions::default();
        let long = |n: usize| format!("\"{n:04000}\"");
        for n in 0..1_000 {
            questions.ask(request(&long(n)), 1, None);
        }
        assert!(questions.open.len() * 4_000 <= MAX_ID_BYTES);
        assert!(questions.used_now.len() * 4_000 <= MAX_ID_BYTES + MAX_ID);
        assert!(questions.answered(&id(&long(999))).is_some());
        let left = questions.open.len() * 4_002;
        assert_eq!(questions.open_bytes, left);
        questions.session_lost(1);
        assert_eq!(questions.open_bytes, 0);
    }
}
