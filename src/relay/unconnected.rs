//! Requests of the client while there is no connection: which wait, for how long, and what the bridge
//! answers itself.

use std::time::Instant;

use super::deadlines::Due;
use super::handshake::{Client, REFUSED_WAIT, Server, Told, is_refusal};
use super::in_flight::CallState;
use super::machine::{ExchangeId, Machine};
use super::modern::fleeting;
use super::provisional;
use super::refused;
use super::remembered::{Memory, Place, is_list};
use super::sign_in::{is_asked_for, offering_tool};
use crate::jsonrpc::Message;
use crate::jsonrpc::read::{self, ServerCapabilities};
use crate::remote::Failure;

impl<M: Memory> Machine<M> {
    /// A request has to wait if there is no connection: for how long, and whether it begins a handshake.
    pub(super) fn wait_for_connection(&mut self, exchange: ExchangeId, now: Instant) {
        if self.may_send() {
            return;
        }
        let Some(call) = self.in_flight.get(exchange) else { return };
        let lists = is_list(call.method()) && !self.was_open;
        let refused = self.recent_refusal(is_asked_for(call.method()), now);
        if let Some(failure) = refused.as_ref().filter(|failure| failure.wants_person()) {
            self.sign_in_met(exchange, failure, now);
            return;
        }
        if let Some(failure) = refused.as_ref().filter(|_| !lists) {
            self.fail(exchange, failure);
            return;
        }
        if refused.as_ref().is_some_and(is_refusal) && self.give_list(exchange) {
            return;
        }
        let patience =
            if lists { self.settings.list_patience } else { self.settings.call_patience };
        self.set_deadline(exchange, Due::GiveUp(exchange), now + patience);
        if refused.is_none() {
            self.begin_handshake(now);
        }
    }

    /// The refusal by which the last handshake ended, unless it is time to ask again. What a person waits for
    /// is told what the server says now: they may have been granted what they lacked.
    fn recent_refusal(&self, asked_for: bool, now: Instant) -> Option<Failure> {
        let Server::Closed { last: Some((failure, at)) } = &self.server else { return None };
        let since = now.saturating_duration_since(*at);
        let lasts = is_refusal(failure) && !asked_for && since < REFUSED_WAIT;
        let refused = failure.wants_person() || lasts;
        let asked_to_wait = failure.retry_after.is_some_and(|wait| since < wait);
        (refused || asked_to_wait).then(|| failure.clone())
    }

    /// A request waited long enough.
    pub(super) fn give_up(&mut self, exchange: ExchangeId, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        match call.state {
            CallState::Parked => return self.sign_in_gave_up(exchange),
            CallState::Sent(_) => return self.list_is_late(exchange, now),
            CallState::Waiting | CallState::Paused => {}
        }
        if !self.was_open && self.give_list(exchange) {
            return;
        }
        let failure = match &self.server {
            Server::Closed { last: Some((failure, _)) } => failure.clone(),
            _ => Failure::not_connected(&self.name.host),
        };
        self.fail(exchange, &failure);
    }

    /// The result of a request that the bridge answers itself: because the client was told of something
    /// that the server turned out not to have, or while there is no connection.
    pub(super) fn answer_of_ours(&mut self, message: &Message, method: &str) -> Option<String> {
        let Client::Open { told, .. } = &self.client else { return None };
        let told = *told;
        if let Some(hello) = self.server.hello() {
            if self.is_reconnection(message) {
                return Some(refused::connected());
            }
            let lacks = told == Told::Ours && lacks(hello.capabilities, method);
            return if lacks { self.answer_of_nothing(message, method) } else { None };
        }
        match method {
            "ping" => Some("{}".into()),
            "logging/setLevel" => self.answer_of_nothing(message, method),
            _ if is_list(method) && !self.was_open => self.remembered_list(message, false),
            _ => None,
        }
    }

    /// The first page of a list as it is remembered, and as its client shall see it.
    pub(super) fn remembered_list(&mut self, request: &Message, modern: bool) -> Option<String> {
        let method = request.method().filter(|_| !read::has_cursor(request))?;
        let place = if modern { Place::ModernList } else { Place::List };
        let list = self.memory.recall(place, method)?;
        let is_tools = method == "tools/list";
        let list = if is_tools { self.filtering.remembered(list)? } else { list };
        Some(self.list_shaped(list, is_tools, modern))
    }

    /// A list without the server: as it is remembered, else empty. `None` for what is no list.
    pub(super) fn list_of_ours(&mut self, request: &Message, modern: bool) -> Option<String> {
        let method = request.method().unwrap_or_default();
        let empty = provisional::empty_list(method)?;
        let remembered = self.remembered_list(request, modern);
        Some(
            remembered.unwrap_or_else(|| {
                self.list_shaped(empty.to_owned(), method == "tools/list", modern)
            }),
        )
    }

    fn list_shaped(&self, list: String, is_tools: bool, modern: bool) -> String {
        let refusal = self.last_refusal().filter(|failure| is_refusal(failure) && !modern);
        let list = match refusal {
            _ if !is_tools => list,
            _ if self.signing_in.is_open() => offering_tool(&list),
            Some(refusal) => refused::offering_tool(&list, refusal, &self.name),
            None => list,
        };
        if modern { fleeting(&list) } else { list }
    }

    fn answer_of_nothing(&mut self, message: &Message, method: &str) -> Option<String> {
        if method == "logging/setLevel" {
            self.restore.note(message);
            return Some("{}".into());
        }
        provisional::empty_list(method).map(str::to_owned)
    }
}

fn lacks(has: ServerCapabilities, method: &str) -> bool {
    match method {
        "tools/list" => !has.tools,
        "prompts/list" => !has.prompts,
        "resources/list" | "resources/templates/list" => !has.resources,
        "logging/setLevel" => !has.logging,
        _ => false,
    }
}
