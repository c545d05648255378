//! A server that refuses whoever is signed in (HTTP 403), or has nothing for them at its address (404). No
//! sign-in cures that: somebody has to grant it or turn it on. A client that knows no tools can call none, so
//! that it gets one of ours, which says why there are no others, and by which a model asks again.

use serde_json::json;

use super::failure::{self, ServerName};
use super::machine::Machine;
use super::remembered::Memory;
use super::sign_in::with_tool;
use crate::jsonrpc::{Message, read};
use crate::remote::Failure;

const TOOL: &str = "bridge_connect";

impl<M: Memory> Machine<M> {
    /// Whether it is a call of our tool.
    pub(super) fn is_reconnection(&self, message: &Message) -> bool {
        self.was_refused
            && message.method() == Some("tools/call")
            && read::tool_name(message).is_some_and(|name| name == TOOL)
    }
}

/// The result of our tool once there is a connection.
pub(super) fn connected() -> String {
    let text = "Connected. If this server's tools are missing, restart the client.";
    json!({ "content": [{ "type": "text", "text": text }], "isError": false }).to_string()
}

/// A list of tools with ours as its first.
pub(super) fn offering_tool(list: &str, refusal: &Failure, server: &ServerName) -> String {
    let why = failure::sentence(refusal, server, true);
    let tool = json!({
        "name": TOOL,
        "title": "Connect",
        "description": format!(
            "Tries again to connect to this server, whose own tools can't be used now. {why}."
        ),
        "inputSchema": { "type": "object", "properties": {} },
        "annotations": { "readOnlyHint": true, "idempotentHint": true, "openWorldHint": true },
    });
    with_tool(list, &tool)
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, INITIALIZED, KINDS, everything, failure, seconds};
    use super::*;
    use crate::remote::{FailureKind, Fate};

    const CALL: &str =
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"bridge_connect"}}"#;

    /// A client that confirmed the answer that it got at once, since the server refuses.
    fn refused(kind: FailureKind) -> (Bench, Failure) {
        let mut bench = Bench::opening();
        let what = "HTTP 403 from h: the permission is missing".to_owned();
        let failure = Failure { what, ..failure(kind, Fate::Settled) };
        bench.refuse(&failure);
        assert!(bench.take_one()["result"].is_object());
        bench.client(INITIALIZED);
        (bench, failure)
    }

    #[test]
    fn one_that_is_forbidden_or_not_found_is_asked_about_once_a_minute() {
        for kind in [FailureKind::Refused, FailureKind::NotFound] {
            let (mut bench, _) = refused(kind);
            bench.request(1, "prompts/list");
            assert_eq!(bench.take_one()["result"]["prompts"], json!([]));
            bench.request(2, "completion/complete");
            assert!(bench.take_one()["error"].is_object(), "known at once");
            bench.pass(seconds(59.0));
            assert_eq!(bench.attempts.len(), 1, "{:?}", bench.attempts);
            bench.pass(seconds(2.0));
            assert_eq!(bench.attempts.len(), 2, "{:?}", bench.attempts);
        }
    }

    #[test]
    fn what_a_person_waits_for_asks_again_and_all_that_wait_get_one_answer() {
        let (mut bench, failure) = refused(FailureKind::Refused);
        for round in 2..5 {
            bench.request(1, "tools/call");
            bench.request(2, "resources/read");
            assert_eq!(bench.attempts.len(), round);
            bench.refuse(&failure);
            let errors = bench.take_written();
            assert_eq!(errors.len(), 2);
            let said = |error: &serde_json::Value| error["error"]["message"].to_string();
            assert!(errors.iter().all(|error| said(error).contains("the permission is missing")));
        }
    }

    #[test]
    fn a_list_that_waits_for_the_answer_gets_ours_as_soon_as_it_is_a_refusal() {
        let (mut bench, failure) = refused(FailureKind::NotFound);
        bench.pass(seconds(60.5));
        bench.request(1, "prompts/list");
        assert!(bench.written.is_empty());
        bench.refuse(&failure);
        assert_eq!(bench.take_one()["result"]["prompts"], json!([]));
    }

    #[test]
    fn the_client_gets_a_tool_that_says_why_and_asks_again() {
        let (mut bench, failure) = refused(FailureKind::Refused);
        bench.request(1, "tools/list");
        let tools = bench.take_one()["result"]["tools"].take();
        assert_eq!((&tools[0]["name"], tools.as_array().unwrap().len()), (&json!(TOOL), 1));
        let about = tools[0]["description"].as_str().unwrap();
        assert!(about.contains("the permission is missing; "), "{about}");

        bench.client(CALL);
        bench.refuse(&failure);
        assert_eq!(bench.take_one()["error"]["code"], -31005);
        bench.client(CALL);
        bench.connect_wholly(everything());
        let written = bench.take_written();
        assert!(written[0]["result"].to_string().contains("Connected"), "{written:?}");
        let told: Vec<_> = written[1..].iter().map(|message| &message["method"]).collect();
        assert_eq!(told, KINDS);
        bench.client(CALL);
        assert!(bench.take_one()["result"].to_string().contains("Connected"), "it stays callable");
        assert!(bench.under_way("tools/call").is_none(), "the server never hears of it");
    }

    #[test]
    fn a_server_that_never_refused_may_have_a_tool_of_that_name() {
        let mut bench = Bench::opening();
        bench.connect("2025-06-18", everything());
        bench.client(INITIALIZED);
        bench.answer("notifications/initialized", "");
        bench.client(CALL);
        assert!(bench.under_way("tools/call").is_some());
    }
}
