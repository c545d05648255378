//! The way from the server to the loop: messages wait for room on stdout before they are handed over.

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::machine::{ExchangeId, FromServer, Origin};
use crate::jsonrpc::{Kind, Message};
use crate::remote::{Carrier, ListenEnd, Outcome, Receive};
use crate::secret::Secret;
use crate::stdio::Writer;

/// What arrives at the loop.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A message of the server.
    Message(FromServer),
    /// The session id in the head of an answer.
    Session { exchange: ExchangeId, id: Secret<Box<str>> },
    /// The messages of the session travel this way.
    Carrier { exchange: ExchangeId, carrier: Carrier },
    /// An exchange ended.
    Ended { exchange: ExchangeId, outcome: Outcome },
    /// Listening ended.
    ListeningEnded { generation: u64, end: ListenEnd },
}

impl Arrival {
    /// Whether it is something that nobody waits for.
    pub(super) fn is_told(&self) -> bool {
        matches!(self, Self::Message(sent) if matches!(sent.message.kind(), Kind::Notification { .. }))
    }
}

/// Takes what one exchange, or the GET stream, brings.
#[derive(Clone)]
pub(super) struct Inbox {
    origin: Origin,
    arrivals: mpsc::Sender<Arrival>,
    writer: Writer,
}

impl Inbox {
    pub(super) fn of_exchange(
        exchange: ExchangeId,
        arrivals: mpsc::Sender<Arrival>,
        writer: Writer,
    ) -> Self {
        Self { origin: Origin::Exchange(exchange), arrivals, writer }
    }

    pub(super) fn of_stream(
        generation: u64,
        arrivals: mpsc::Sender<Arrival>,
        writer: Writer,
    ) -> Self {
        Self { origin: Origin::Stream(generation), arrivals, writer }
    }

    /// The exchange came to its end.
    pub(super) async fn ended(&self, outcome: Outcome) {
        self.tell(|exchange| Arrival::Ended { exchange, outcome }).await;
    }

    /// Tells what concerns the exchange itself.
    async fn tell(&self, arrival: impl FnOnce(ExchangeId) -> Arrival) {
        if let Origin::Exchange(exchange) = self.origin {
            let _ = self.arrivals.send(arrival(exchange)).await;
        }
    }

    async fn hand_over(&self, message: Message) {
        let room = self.writer.room(message.bytes().len()).await;
        let arrival = Arrival::Message(FromServer { origin: self.origin, message, room });
        // The loop is gone only when the process ends.
        let _ = self.arrivals.send(arrival).await;
    }
}

impl Receive for Inbox {
    fn receive(&self, message: Message) -> BoxFuture<'_, ()> {
        Box::pin(self.hand_over(message))
    }

    fn receive_now(&self, message: Message) -> Result<(), Message> {
        let Ok(place) = self.arrivals.try_reserve() else { return Err(message) };
        let room = self.writer.room_now(message.bytes().len());
        if room.is_none() {
            return Err(message);
        }
        place.send(Arrival::Message(FromServer { origin: self.origin, message, room }));
        Ok(())
    }

    fn session_given(&self, id: Secret<Box<str>>) -> BoxFuture<'_, ()> {
        Box::pin(self.tell(|exchange| Arrival::Session { exchange, id }))
    }

    fn carried_by(&self, carrier: Carrier) -> BoxFuture<'_, ()> {
        Box::pin(self.tell(|exchange| Arrival::Carrier { exchange, carrier }))
    }
}
