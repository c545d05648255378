//! The question to a modern client whether its user visits the page of a sign-in: it goes out as the answer to
//! the call that met the sign-in, and its own answer comes in when the call is sent again (MCP 2026-07-28,
//! multi round-trip requests).

use serde_json::json;

use super::failure;
use super::in_flight::Call;
use super::machine::{ExchangeId, Machine};
use super::modern::elicits_by_url;
use super::remembered::Memory;
use super::sign_in::{is_asked_for, is_ours};
use crate::auth::Invitation;
use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::{Id, Message, object, read};
use crate::remote::Failure;

/// The key of the question among the input requests of a call. A server's own keys are its own affair: none
/// is likely to be called so.
const KEY: &str = "mcp-bridge/sign-in";

impl<M: Memory> Machine<M> {
    /// Whether a request that waits for a sign-in is answered by the question, or can't be because the server
    /// has a question of its own open in it.
    pub(super) fn asks_for_page(&self, call: &Call) -> bool {
        let unasked = call.modern.is_some_and(|modern| !modern.page_shown);
        unasked && is_asked_for(call.method()) && !is_ours(call) && elicits_by_url(&call.message)
    }

    /// Answers a request by the question. One that holds a state of the server's gets the error: its client
    /// would send it again without that state.
    pub(super) fn ask_for_page_visit(&mut self, exchange: ExchangeId, invitation: &Invitation) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let params = read::params(&call.message).unwrap_or_default();
        if member(params, "requestState").is_some() {
            let failure = self.sign_in_failure();
            self.fail(exchange, &failure);
            return;
        }
        let id = call.id.clone();
        let message = format!("{} wants you to sign in", self.name.host);
        let question = json!({
            "resultType": "input_required",
            "inputRequests": { KEY: {
                "method": "elicitation/create",
                "params": { "mode": "url", "message": message, "url": invitation.page },
            } },
        });
        self.take_call(exchange);
        self.write(Message::result(&id, &question.to_string()));
    }

    /// Takes the answer to the question out of a request, and says whether there was one. A user who does not
    /// want to sign in is the end of the request, unless that was done elsewhere meanwhile.
    pub(super) fn without_page_answer(
        &mut self,
        request: Message,
        id: &Id,
    ) -> Option<(Message, bool)> {
        let method = request.method().unwrap_or_default();
        if !is_asked_for(method) || self.modern(&request).is_none() {
            return Some((request, false));
        }
        let params = read::params(&request).unwrap_or_default();
        let Some(answer) = member_at(params, &["inputResponses", KEY]) else {
            return Some((request, false));
        };
        let accepted = member(answer, "action") == Some("\"accept\"");
        if !accepted && self.signing_in.is_open() {
            let failure = Failure {
                what: format!("you did not want to sign in to {}", self.name.host),
                ..self.sign_in_failure()
            };
            self.write(failure::response(id, &failure, &self.name, true));
            return None;
        }
        let stripped = stripped(&request).unwrap_or(request);
        Some((stripped, true))
    }
}

/// A request without the answer, and without the member that held nothing else.
fn stripped(request: &Message) -> Option<Message> {
    let text = std::str::from_utf8(request.bytes()).ok()?;
    let without_key = |responses: &str| object::without(responses, &[KEY]);
    let mut text = object::changed_at(text, &["params", "inputResponses"], without_key)?;
    if member_at(&text, &["params", "inputResponses"]).is_some_and(object::is_empty) {
        let without_all = |params: &str| object::without(params, &["inputResponses"]);
        text = object::changed_at(&text, &["params"], without_all)?;
    }
    Some(request.with_bytes(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn the_answer_is_taken_out_and_every_other_byte_stays() {
        let without = |responses: &str| {
            let text = format!(
                "{{\"id\":1,\"method\":\"tools/call\",\"params\":{{\"a\":1.0,{responses}\"b\": 2}}}}"
            );
            let message = Message::parse(Bytes::from(text)).unwrap();
            let bytes = stripped(&message).unwrap().bytes().to_vec();
            String::from_utf8(bytes).unwrap()
        };
        let ours = r#""mcp-bridge/sign-in":{"action":"accept"}"#;
        assert_eq!(
            without(&format!("\"inputResponses\":{{ {ours} }} , ")),
            r#"{"id":1,"method":"tools/call","params":{"a":1.0 , "b": 2}}"#
        );
        assert_eq!(
            without(&format!("\"inputResponses\":{{\"x\":{{ \"n\":1e0}}, {ours}}},")),
            r#"{"id":1,"method":"tools/call","params":{"a":1.0,"inputResponses":{"x":{ "n":1e0}},"b": 2}}"#
        );
    }
}
