//! What a stream says, apart from the connection that carries it: the steps write into the log,
//! a connection reads from it, and a second connection may read on where the first was cut.

use hyper::body::Bytes;

use crate::support::Gate;
use crate::support::watched::Watched;

#[derive(Default)]
pub struct StreamLog {
    state: Watched<State>,
}

#[derive(Default)]
struct State {
    pieces: Vec<Piece>,
    finished: bool,
    /// Whether a connection reads it now.
    connected: bool,
    /// Whether one did and does no more.
    left: bool,
}

#[derive(Clone)]
pub struct Piece {
    /// Of the event that this piece is.
    pub event_id: Option<String>,
    pub what: What,
}

#[derive(Clone)]
pub enum What {
    Bytes(Bytes),
    Open(Gate),
    /// What happens to a connection happens to one connection only; see `take`.
    Cut,
    Close,
    Done,
}

impl StreamLog {
    pub fn push(&self, event_id: Option<String>, what: What) {
        self.state.update(|state| state.pieces.push(Piece { event_id, what }));
    }

    /// Nothing follows.
    pub fn finish(&self) {
        self.state.update(|state| state.finished = true);
    }

    /// Where the pieces after this event begin.
    pub fn after_event(&self, event_id: &str) -> Option<usize> {
        let wanted = Some(event_id);
        let state = self.state.read();
        let event = state.pieces.iter().position(|piece| piece.event_id.as_deref() == wanted);
        event.map(|index| index + 1)
    }

    /// How many events with an id it has.
    pub fn len(&self) -> usize {
        self.state.read().pieces.len()
    }

    /// The piece at the index as soon as there is one; `None` at the end of a finished stream.
    pub async fn take(&self, index: usize) -> Option<What> {
        let taken = self.state.until(|state| match state.pieces.get_mut(index) {
            Some(piece) if matches!(piece.what, What::Cut | What::Close) => {
                Some(Some(std::mem::replace(&mut piece.what, What::Done)))
            }
            Some(piece) => Some(Some(piece.what.clone())),
            None => state.finished.then_some(None),
        });
        taken.await
    }

    pub fn set_connected(&self, connected: bool) {
        self.state.update(|state| {
            state.connected = connected;
            state.left |= !connected;
        });
    }

    /// Whether nothing of it will be read any more, unless it is asked for again.
    pub fn is_over(&self) -> bool {
        let state = self.state.read();
        state.finished || (state.left && !state.connected)
    }

    pub fn is_connected(&self) -> bool {
        self.state.read().connected
    }
}
