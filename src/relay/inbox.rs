//! The way from the server to the loop: messages wait for room on stdout before they are handed over.

use tokio::sync::mpsc;

use super::machine::{ExchangeId, FromServer, Origin};
use crate::jsonrpc::Message;
use crate::remote::{Carrier, ListenEnd, Outcome, Pass, Receive, followed_by};
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

/// Takes what one exchange, or the GET stream, brings.
#[derive(Clone)]
pub(super) struct Inbox {
    origin: Origin,
    arrivals: mpsc::Sender<Arrival>,
    writer: Writer,
    pass: Option<Pass>,
}

impl Inbox {
    pub(super) fn of_exchange(
        exchange: ExchangeId,
        arrivals: mpsc::Sender<Arrival>,
        writer: Writer,
    ) -> Self {
        Self { origin: Origin::Exchange(exchange), arrivals, writer, pass: None }
    }

    pub(super) fn of_stream(
        generation: u64,
        arrivals: mpsc::Sender<Arrival>,
        writer: Writer,
    ) -> Self {
        Self { origin: Origin::Stream(generation), arrivals, writer, pass: None }
    }

    /// The exchange came to its end.
    pub(super) async fn ended(&self, outcome: Outcome) {
        if let Origin::Exchange(exchange) = self.origin {
            let _ = self.arrivals.send(Arrival::Ended { exchange, outcome }).await;
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
    async fn receive(&self, message: Message) {
        let Some(pass) = &self.pass else { return self.hand_over(message).await };
        for message in pass(message) {
            self.hand_over(message).await;
        }
    }

    fn through(&self, pass: Pass) -> Self {
        Self { pass: Some(followed_by(pass, self.pass.clone())), ..self.clone() }
    }

    async fn session_given(&self, id: Secret<Box<str>>) {
        if let Origin::Exchange(exchange) = self.origin {
            let _ = self.arrivals.send(Arrival::Session { exchange, id }).await;
        }
    }

    async fn carried_by(&self, carrier: Carrier) {
        if let Origin::Exchange(exchange) = self.origin {
            let _ = self.arrivals.send(Arrival::Carrier { exchange, carrier }).await;
        }
    }
}
