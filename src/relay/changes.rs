//! Lists that are out of date: whom to tell, and when. A legacy client is told unasked, a modern one on the
//! streams that it asked for (MCP 2026-07-28, subscriptions).

use super::handshake::{Client, Told};
use super::machine::{Command, ExchangeId, FromServer, Machine, Origin};
use super::remembered::Memory;
use crate::jsonrpc::edit::member_at;
use crate::jsonrpc::{Message, read};
use crate::remote::lifecycle::modern::{LIST_KINDS, SUBSCRIPTION_ID, end_of_subscription};

/// Streams of changes that a client may have open at once.
const MAX_STREAMS: usize = 64;

impl<M: Memory> Machine<M> {
    /// Tells the client that its lists are out of date, or leaves it for when it has confirmed or listens.
    pub(super) fn owe_list_changed(&mut self) {
        match &mut self.client {
            Client::Open { list_changed_owed, .. } => *list_changed_owed = true,
            Client::New => self.modern.outdated = true,
            Client::Opening { .. } => {}
        }
    }

    /// Tells the client now.
    pub(super) fn tell_list_changed(&mut self) {
        let Client::Open { told, .. } = self.client else { return };
        for method in list_changes(told) {
            self.write(Message::notification(method, None));
        }
    }

    /// Tells a client that has confirmed, or that listens, that its lists are out of date, if it is owed that.
    pub(super) fn tell_owed_list_changed(&mut self) {
        match &mut self.client {
            Client::Open { initialized: true, list_changed_owed, .. } => {
                if std::mem::take(list_changed_owed) {
                    self.tell_list_changed();
                }
            }
            Client::New => self.tell_streams(),
            Client::Open { .. } | Client::Opening { .. } => {}
        }
    }

    /// Tells each stream that stands what its client missed while there was none, or no server.
    fn tell_streams(&mut self) {
        let outdated = self.modern.outdated;
        for exchange in self.in_flight.all_streams() {
            let call = self.in_flight.get_mut(exchange);
            let Some(modern) = call.and_then(|call| call.modern.as_mut()) else { continue };
            if modern.stands && (std::mem::take(&mut modern.waited) || outdated) {
                self.modern.outdated = false;
                self.tell_stream(exchange);
            }
        }
    }

    /// Tells of a change of all kinds of lists that this stream asked for.
    fn tell_stream(&mut self, exchange: ExchangeId) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let params = read::params(&call.message).unwrap_or_default();
        let asked = |field| member_at(params, &["notifications", field]) == Some("true");
        let id = format!("{{\"_meta\":{{\"{SUBSCRIPTION_ID}\":{}}}}}", call.id);
        let told: Vec<_> = LIST_KINDS.iter().filter(|kind| asked(kind.filter)).collect();
        for kind in told {
            self.write(Message::notification(kind.changed, Some(&id)));
        }
    }

    /// Whether another stream of changes is one too many.
    pub(super) fn has_streams_enough(&self) -> bool {
        self.in_flight.streams() >= MAX_STREAMS
    }

    /// The server confirmed a stream: now it can carry what its client has missed. A stream is confirmed to
    /// its client once, however often it had to be asked for.
    pub(super) fn stream_acknowledged(&mut self, sent: FromServer) {
        let FromServer { origin, message, room } = sent;
        let exchange = match origin {
            Origin::Exchange(exchange) => exchange,
            Origin::Stream(_) => 0,
        };
        let call = self.in_flight.get_mut(exchange);
        let Some(modern) = call.and_then(|call| call.modern.as_mut()) else {
            self.commands.push(Command::Write(message, room));
            return;
        };
        modern.stands = true;
        if !std::mem::replace(&mut modern.acknowledged, true) {
            self.commands.push(Command::Write(message, room));
        }
        self.server_reached();
    }

    /// The client opens a session, or goes: its streams end in good order.
    pub(super) fn end_streams(&mut self) {
        for exchange in self.in_flight.all_streams() {
            let Some(call) = self.take_call(exchange) else { continue };
            self.commands.push(Command::Stop(exchange));
            self.write(end_of_subscription(&call.id));
        }
    }
}

/// The notifications by which a legacy client learns that its lists are out of date.
fn list_changes(told: Told) -> impl Iterator<Item = &'static str> {
    let told = match told {
        Told::Real(told) => [told.tools, told.prompts, told.resources],
        Told::Ours => [true; 3],
    };
    LIST_KINDS.iter().zip(told).filter(|(_, told)| *told).map(|(kind, _)| kind.changed)
}
