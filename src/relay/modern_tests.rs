//! What a client without a handshake is told by the machine alone: while there is no server, and while a
//! sign-in waits.

use serde_json::{Value, json};

use super::bench::{failure, passing, unreachable};
use super::machine::{ExchangeId, FromServer, Origin};
use super::remembered::{Memory, Place};
use super::sign_in_tests::{Desk, PAGE, pending, settled, text_of};
use crate::auth::{self, Phase};
use crate::jsonrpc::Message;
use crate::remote::{Failure, FailureKind, Fate, Outcome};

const CAPABILITIES: &str = r#"{"elicitation":{"form":{},"url":{}}}"#;
const DISCOVERED: &str = r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":3600000,"cacheScope":"public"}"#;

/// The `_meta` of a request of a client with this name.
fn meta(client: &str, capabilities: &Value) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    })
}

impl Desk {
    fn modern(&mut self, id: u32, method: &str, mut params: Value) {
        if params.get("_meta").is_none() {
            params["_meta"] = meta("c", &json!({}));
        }
        self.client(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// A request of a client that opens pages itself.
    fn modern_with_pages(&mut self, id: u32, method: &str, mut params: Value) {
        params["_meta"] = meta("c", &serde_json::from_str(CAPABILITIES).unwrap());
        self.modern(id, method, params);
    }

    fn fails(&mut self, method: &str, failure: &Failure) {
        self.ends(method, Outcome::Failed(failure.clone()));
    }

    fn under_way(&self) -> Vec<&str> {
        self.sent.iter().map(|(_, method, _)| &**method).collect()
    }

    /// What the server sends beside an answer, by the exchange of this method.
    fn notifies(&mut self, method: &str, notification: &str) {
        let at = self.sent.iter().find(|(_, sent, _)| sent == method).expect("it is under way").0;
        self.notifies_by(at, notification);
    }

    fn notifies_by(&mut self, exchange: ExchangeId, notification: &str) {
        let message = Message::notification(notification, Some("{\"n\":1.0}"));
        let sent = FromServer { origin: Origin::Exchange(exchange), message, room: None };
        self.machine.server_sent(sent, self.now);
        self.obey();
    }

    fn one_answer(&mut self) -> Value {
        let mut answers = self.take_answers();
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.remove(0)
    }
}

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

fn everything() -> Value {
    json!({"notifications": {"toolsListChanged": true, "promptsListChanged": true,
        "resourcesListChanged": false, "resourceSubscriptions": ["a:1"]}})
}

// ---- server/discover

#[test]
fn a_discover_goes_to_the_server_and_its_answer_passes_as_it_is() {
    let mut desk = Desk::new();
    desk.modern(1, "server/discover", json!({}));
    desk.pass(4.9);
    desk.answers("server/discover", DISCOVERED);
    let answer: Value = serde_json::from_str(DISCOVERED).unwrap();
    assert_eq!(desk.one_answer()["result"], answer);
    assert!(desk.machine.next_deadline().is_none());
}

#[test]
fn a_discover_that_is_not_answered_in_five_seconds_is_the_signal_to_fall_back() {
    let mut desk = Desk::new();
    desk.modern(1, "server/discover", json!({}));
    desk.pass(4.9);
    assert!(desk.take_written().is_empty());
    desk.pass(0.2);
    let error = desk.one_answer()["error"].take();
    assert_eq!(error["code"], -32601);
    assert_eq!(error["data"]["kind"], "timeout");
    assert_eq!(error["data"]["reason"], "no answer from h within 5 s");
    desk.answers("server/discover", DISCOVERED);
    assert!(desk.take_written().is_empty(), "too late for this one");
    desk.modern(2, "server/discover", json!({}));
    desk.pass(5.1);
    let mut remembered: Value = serde_json::from_str(DISCOVERED).unwrap();
    remembered["ttlMs"] = json!(0);
    remembered["cacheScope"] = json!("private");
    assert_eq!(desk.one_answer()["result"], remembered);
    desk.modern_with_pages(3, "server/discover", json!({}));
    desk.pass(5.1);
    assert_eq!(desk.one_answer()["error"]["code"], -32601, "another client");
}

#[test]
fn a_discover_that_meets_what_may_pass_is_answered_at_once() {
    let sign_in = failure(FailureKind::SignInNeeded, Fate::NotExecuted);
    for reason in passing().into_iter().chain([sign_in]) {
        let mut desk = Desk::new();
        desk.modern(1, "server/discover", json!({}));
        desk.fails("server/discover", &reason);
        let error = desk.one_answer()["error"].take();
        assert_eq!(error["code"], -32601, "{reason:?}");
        assert_eq!(error["data"]["kind"], crate::relay::failure::code(reason.kind).1);
        assert!(error["data"]["hint"].is_string(), "{error}");
        let memory = &mut desk.machine.memory;
        memory.keep(Place::Discover, "{}", DISCOVERED);
        desk.modern(2, "server/discover", json!({}));
        desk.fails("server/discover", &reason);
        let result = &desk.one_answer()["result"];
        assert_eq!((&result["ttlMs"], &result["cacheScope"]), (&json!(0), &json!("private")));
        assert_eq!(result["capabilities"], json!({"tools": {}}));
        desk.pass(60.0);
        assert_eq!(desk.pages, 0, "a probe opens no page");
    }
}

#[test]
fn a_discover_that_meets_what_does_not_pass_gets_the_reason() {
    let unattended = failure(FailureKind::SignInNeeded, Fate::Settled);
    let refused = failure(FailureKind::HeaderRefused, Fate::Settled);
    for (reason, code) in [(unattended, -31004), (refused, -31015)] {
        let mut desk = Desk::new();
        desk.modern(1, "server/discover", json!({}));
        desk.fails("server/discover", &reason);
        assert_eq!(desk.one_answer()["error"]["code"], code);
    }
}

#[test]
fn a_client_that_falls_back_gets_a_session_like_any_other() {
    let mut desk = Desk::new();
    desk.modern(1, "server/discover", json!({}));
    desk.pass(5.0);
    desk.modern(2, "subscriptions/listen", everything());
    desk.client(&json!({"id": "i", "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c"}}}));
    desk.connects();
    desk.client(&json!({"method": "notifications/initialized"}));
    desk.ends("notifications/initialized", Outcome::Accepted);
    let answers = desk.take_answers();
    assert_eq!(answers[0]["error"]["code"], -32601);
    assert_eq!(answers[1]["result"]["resultType"], "complete", "its stream is over");
    assert_eq!(answers[2]["result"]["protocolVersion"], "2025-11-25");
    desk.answers("server/discover", DISCOVERED);
    desk.modern(3, "server/discover", json!({}));
    assert_eq!(
        desk.one_answer()["error"]["code"],
        -32601,
        "a client of a session has no other era"
    );
    desk.asks(4, "tools/list");
    desk.answers("tools/list", r#"{"tools":[]}"#);
    assert_eq!(desk.one_answer()["result"], json!({"tools": []}));
}

#[test]
fn a_discover_that_nobody_answers_does_not_hold_the_end_up() {
    let mut desk = Desk::new();
    desk.modern(1, "server/discover", json!({}));
    desk.pass(5.0);
    desk.machine.end(desk.now);
    desk.obey();
    assert!(desk.finished);
}

// ---- lists

#[test]
fn a_list_that_finds_no_server_waits_five_seconds_in_all_and_is_sent_again() {
    for (method, member) in [
        ("tools/list", "tools"),
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ] {
        let mut desk = Desk::new();
        desk.modern(1, method, json!({}));
        let mut sendings = 0;
        for _ in 0..49 {
            if !desk.sent.is_empty() {
                sendings += 1;
                desk.fails(method, &unreachable());
            }
            desk.pass(0.1);
        }
        assert!((3..=8).contains(&sendings), "{sendings}");
        assert!(desk.take_written().is_empty());
        desk.pass(0.2);
        let empty =
            json!({member: [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"});
        assert_eq!(desk.one_answer()["result"], empty);
        desk.pass(600.0);
        assert!(desk.sent.is_empty() && desk.machine.next_deadline().is_none(), "nobody waits");
    }
}

#[test]
fn a_list_whose_server_comes_in_time_is_the_servers_own() {
    let mut desk = Desk::new();
    desk.modern(1, "tools/list", json!({}));
    desk.modern(2, "prompts/list", json!({}));
    desk.fails("tools/list", &unreachable());
    desk.pass(0.1);
    assert_eq!(desk.under_way(), ["prompts/list"], "it is not asked all the time");
    desk.answers("prompts/list", r#"{"prompts":[],"resultType":"complete"}"#);
    assert_eq!(desk.under_way(), ["tools/list"], "the server is there");
    desk.answers("tools/list", r#"{"tools":[],"resultType":"complete","ttlMs":7}"#);
    assert_eq!(desk.take_answers()[1]["result"]["ttlMs"], 7);
}

#[test]
fn a_remembered_list_is_given_when_there_is_no_server_and_each_era_has_its_own() {
    let mut desk = Desk::new();
    desk.machine.memory.keep(Place::List, "tools/list", r#"{"tools":[{"name":"legacy"}]}"#);
    let list = r#"{"tools":[{"name":"t","x":1.0}],"ttlMs":60000,"cacheScope":"public","resultType":"complete"}"#;
    desk.modern(1, "tools/list", json!({}));
    desk.answers("tools/list", list);
    desk.take_written();
    desk.machine.was_open = false;
    desk.modern(2, "tools/list", json!({}));
    desk.fails("tools/list", &unreachable());
    let result = &desk.one_answer()["result"];
    let tools = json!([{"name": "t", "x": 1.0}]);
    let expected =
        json!({"tools": tools, "ttlMs": 0, "cacheScope": "private", "resultType": "complete"});
    assert_eq!(*result, expected);
    desk.modern(3, "tools/list", json!({"cursor": "c"}));
    desk.fails("tools/list", &unreachable());
    assert!(desk.take_written().is_empty(), "only the first page is remembered");
    desk.pass(5.0);
    assert_eq!(desk.one_answer()["result"]["tools"], json!([]));
}

#[test]
fn a_slow_server_is_waited_for_where_nothing_is_known_of_its_list() {
    let mut desk = Desk::new();
    desk.modern(1, "tools/list", json!({}));
    desk.pass(100.0);
    assert!(desk.take_written().is_empty());
    desk.answers("tools/list", r#"{"tools":[{"name":"t"}]}"#);
    assert_eq!(desk.one_answer()["result"]["tools"][0]["name"], "t");
    desk.machine.was_open = false;
    desk.modern(2, "tools/list", json!({}));
    desk.pass(5.1);
    assert_eq!(desk.one_answer()["result"]["ttlMs"], 0);
    assert!(desk.sent.is_empty(), "nobody waits for it any more");
}

#[test]
fn once_the_server_was_there_a_list_gets_the_reason() {
    let mut desk = Desk::new();
    desk.modern(1, "server/discover", json!({}));
    desk.answers("server/discover", DISCOVERED);
    desk.take_written();
    desk.modern(2, "tools/list", json!({}));
    desk.fails("tools/list", &unreachable());
    assert_eq!(desk.one_answer()["error"]["code"], -31001);
}

#[test]
fn a_call_that_finds_no_server_gets_the_reason_at_once() {
    let mut desk = Desk::new();
    desk.modern(1, "tools/call", json!({"name": "a"}));
    desk.fails("tools/call", &unreachable());
    assert_eq!(desk.one_answer()["error"]["code"], -31001);
}

// ---- streams of changes

#[test]
fn a_stream_waits_for_the_server_without_an_error_and_then_tells_what_was_missed() {
    let mut desk = Desk::new();
    desk.modern(1, "subscriptions/listen", everything());
    for _ in 0..1_000 {
        if !desk.sent.is_empty() {
            desk.fails("subscriptions/listen", &unreachable());
        }
        desk.pass(1.0);
    }
    assert!(desk.take_written().is_empty());
    desk.pass(300.0);
    desk.notifies("subscriptions/listen", ACKNOWLEDGED);
    let written = desk.take_written();
    let methods: Vec<_> = written.iter().map(|each| each["method"].as_str().unwrap()).collect();
    assert_eq!(
        methods,
        [ACKNOWLEDGED, "notifications/tools/list_changed", "notifications/prompts/list_changed"]
    );
    let id = &written[1]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
    assert_eq!(*id, json!(1));
    desk.pass(3600.0);
    assert!(desk.take_written().is_empty(), "once");
}

#[test]
fn a_stream_that_stands_tells_of_lists_that_were_given_without_the_server() {
    let mut desk = Desk::new();
    desk.modern(1, "tools/list", json!({}));
    desk.fails("tools/list", &unreachable());
    desk.pass(0.9);
    desk.modern(2, "subscriptions/listen", everything());
    desk.pass(5.0);
    assert_eq!(desk.one_answer()["result"]["tools"], json!([]));
    desk.notifies("subscriptions/listen", ACKNOWLEDGED);
    assert_eq!(desk.told().len(), 3, "confirmed, and two kinds of changes");
    desk.modern(3, "subscriptions/listen", everything());
    let (exchange, ..) = desk.sent[desk.sent.len() - 1];
    desk.notifies_by(exchange, ACKNOWLEDGED);
    assert_eq!(desk.told(), [ACKNOWLEDGED], "it missed nothing");
}

#[test]
fn a_stream_that_breaks_off_and_is_opened_again_is_confirmed_to_its_client_once() {
    let mut desk = Desk::new();
    desk.modern(1, "subscriptions/listen", everything());
    desk.notifies("subscriptions/listen", ACKNOWLEDGED);
    assert_eq!(desk.told(), [ACKNOWLEDGED]);
    desk.fails("subscriptions/listen", &failure(FailureKind::Lost, Fate::Unknown));
    desk.pass(1.0);
    desk.notifies("subscriptions/listen", ACKNOWLEDGED);
    assert_eq!(desk.told().len(), 2, "two kinds of changes");
}

#[test]
fn streams_have_no_place_among_the_requests_in_flight_and_are_bounded() {
    let mut desk = Desk::new();
    desk.machine.set_capacity(Some(1));
    for id in 0..64 {
        desk.modern(id, "subscriptions/listen", everything());
    }
    desk.modern(100, "subscriptions/listen", everything());
    assert_eq!(desk.one_answer()["error"]["code"], -31007);
    desk.modern(101, "tools/call", json!({"name": "a"}));
    assert_eq!(desk.under_way().last(), Some(&"tools/call"));
    desk.modern(102, "tools/call", json!({"name": "a"}));
    assert_eq!(desk.sent.len(), 65, "it waits for the other call");
    desk.client(&json!({"method": "notifications/cancelled", "params": {"requestId": 7}}));
    desk.modern(103, "subscriptions/listen", everything());
    assert_eq!(desk.under_way().last(), Some(&"subscriptions/listen"), "a stream waits for nobody");
    desk.pass(3600.0);
    assert!(desk.take_written().is_empty(), "it has no deadline");
}

#[test]
fn at_the_end_a_stream_ends_in_good_order_and_holds_nothing_up() {
    let mut desk = Desk::new();
    desk.modern(1, "subscriptions/listen", everything());
    desk.modern(2, "subscriptions/listen", everything());
    desk.fails("subscriptions/listen", &unreachable());
    desk.machine.end(desk.now);
    desk.obey();
    assert!(desk.finished);
    let answers = desk.take_answers();
    let of = |id: u32| {
        json!({"jsonrpc": "2.0", "id": id, "result": {"resultType": "complete",
            "_meta": {"io.modelcontextprotocol/subscriptionId": id}}})
    };
    assert_eq!(answers, [of(1), of(2)]);
}

#[test]
fn a_stream_that_is_refused_gets_the_reason() {
    let mut desk = Desk::new();
    desk.modern(1, "subscriptions/listen", everything());
    desk.fails("subscriptions/listen", &failure(FailureKind::Refused, Fate::Settled));
    assert_eq!(desk.one_answer()["error"]["code"], -31005);
}

// ---- a sign-in

#[test]
fn a_list_that_meets_a_sign_in_waits_as_long_as_its_client_and_offers_the_tool() {
    for (client, patience) in [("Claude", 45.0), ("codex-mcp-client", 5.0)] {
        let mut desk = Desk::new();
        desk.modern(1, "tools/list", json!({"_meta": meta(client, &json!({}))}));
        desk.meets_sign_in("tools/list");
        desk.pass(1.9);
        assert_eq!(desk.pages, 0);
        desk.pass(patience - 2.0);
        assert_eq!((desk.pages, desk.take_answers().len()), (1, 0), "{client}");
        desk.pass(0.2);
        let result = &desk.one_answer()["result"];
        assert_eq!(result["tools"][0]["name"], "bridge_sign_in");
        assert_eq!((&result["ttlMs"], &result["resultType"]), (&json!(0), &json!("complete")));
        assert_eq!(desk.machine.client_name().as_deref(), Some(client));
    }
}

#[test]
fn a_stream_waits_for_the_sign_in_and_opens_no_page() {
    let mut desk = Desk::new();
    desk.modern(1, "subscriptions/listen", everything());
    desk.meets_sign_in("subscriptions/listen");
    desk.modern(2, "subscriptions/listen", everything());
    desk.meets_sign_in("subscriptions/listen");
    desk.pass(60.0);
    assert_eq!((desk.pages, desk.take_written().len()), (0, 0));
    desk.modern(3, "tools/list", json!({}));
    desk.meets_sign_in("tools/list");
    desk.pass(50.0);
    desk.phase(pending());
    let denied = auth::Failure::new(auth::FailureKind::Denied, "the sign-in was denied");
    desk.phase(Phase::Failed(denied));
    assert_eq!(desk.one_answer()["id"], 3);
    desk.phase(settled(1));
    assert_eq!(desk.under_way(), ["subscriptions/listen"; 2]);
    desk.notifies("subscriptions/listen", ACKNOWLEDGED);
    assert_eq!(desk.told().len(), 3, "confirmed, and two kinds of changes");
    desk.meets_sign_in("subscriptions/listen");
    assert!(desk.take_written().is_empty(), "it waits for every sign-in");
}

#[test]
fn a_call_waits_for_the_sign_in_with_progress_and_goes_on() {
    let mut desk = Desk::new();
    let mut with_token = meta("c", &json!({"elicitation": {}}));
    with_token["progressToken"] = json!("p");
    desk.modern(1, "tools/call", json!({"name": "a", "_meta": with_token}));
    desk.meets_sign_in("tools/call");
    assert_eq!(desk.pages, 1);
    desk.phase(pending());
    desk.pass(25.0);
    assert_eq!(desk.told(), ["notifications/progress"; 3]);
    desk.phase(settled(1));
    desk.answers("tools/call", r#"{"content":[],"resultType":"complete"}"#);
    assert_eq!(desk.one_answer()["result"]["content"], json!([]));
}

#[test]
fn a_call_of_a_client_without_pages_gets_the_error_with_the_page_after_45_seconds() {
    let mut desk = Desk::new();
    desk.modern(1, "resources/read", json!({"uri": "a:1"}));
    desk.meets_sign_in("resources/read");
    desk.phase(pending());
    desk.pass(44.9);
    assert!(desk.take_answers().is_empty());
    desk.pass(0.2);
    let answer = desk.one_answer();
    assert_eq!(answer["error"]["code"], -31004);
    assert!(answer["error"]["message"].as_str().unwrap().contains(PAGE), "{answer}");
}

/// The server wants a sign-in, and the client was asked to show its page.
fn asked(method: &str) -> Desk {
    let mut desk = Desk::new();
    desk.modern_with_pages(1, method, json!({"name": "a"}));
    desk.meets_sign_in(method);
    assert!(desk.take_written().is_empty(), "the address is not known yet");
    desk.phase(pending());
    let result = &desk.one_answer()["result"];
    let question = json!({"method": "elicitation/create", "params": {
        "mode": "url", "message": "h wants you to sign in", "url": PAGE}});
    let expected = json!({"resultType": "input_required",
        "inputRequests": {"mcp-bridge/sign-in": question}});
    assert_eq!(*result, expected, "{method}");
    desk
}

fn answered(action: &str) -> Value {
    json!({"name": "a", "inputResponses": {"mcp-bridge/sign-in": {"action": action}}})
}

#[test]
fn a_client_that_opens_pages_is_asked_at_once_and_its_next_attempt_waits() {
    for method in ["tools/call", "prompts/get", "resources/read"] {
        let mut desk = asked(method);
        desk.modern_with_pages(2, method, answered("accept"));
        let (_, _, sent) = desk.sent.last().unwrap().clone();
        let sent: Value = serde_json::from_slice(sent.bytes()).unwrap();
        assert!(sent["params"].get("inputResponses").is_none(), "{sent}");
        desk.meets_sign_in(method);
        desk.pass(30.0);
        assert!(desk.take_answers().is_empty(), "it is not asked again");
        desk.phase(settled(1));
        desk.answers(method, r#"{"resultType":"complete"}"#);
        assert_eq!(desk.one_answer()["id"], 2);
        assert_eq!(desk.pages, 1);
    }
}

#[test]
fn an_attempt_that_waited_long_enough_gets_the_error() {
    let mut desk = asked("tools/call");
    desk.modern_with_pages(2, "tools/call", answered("accept"));
    desk.meets_sign_in("tools/call");
    desk.pass(45.1);
    assert_eq!(desk.one_answer()["error"]["code"], -31004);
}

#[test]
fn who_does_not_want_to_sign_in_gets_the_error_unless_that_is_done() {
    for action in ["decline", "cancel", "odd"] {
        let mut desk = asked("tools/call");
        desk.modern_with_pages(2, "tools/call", answered(action));
        let answer = desk.one_answer();
        assert_eq!(answer["error"]["code"], -31004);
        assert!(answer["error"]["message"].as_str().unwrap().contains(PAGE), "{answer}");
        assert!(desk.sent.is_empty());
        desk.phase(settled(1));
        desk.modern_with_pages(3, "tools/call", answered(action));
        assert_eq!(desk.under_way(), ["tools/call"]);
    }
}

#[test]
fn a_call_that_holds_a_state_of_the_servers_gets_the_error() {
    let mut desk = Desk::new();
    let params = json!({"name": "a", "requestState": "s", "inputResponses": {"x": {}}});
    desk.modern_with_pages(1, "tools/call", params);
    desk.meets_sign_in("tools/call");
    desk.phase(pending());
    assert_eq!(desk.one_answer()["error"]["code"], -31004);
}

#[test]
fn the_tool_answers_as_a_modern_server_does() {
    let mut desk = Desk::new();
    desk.modern(1, "server/discover", json!({}));
    desk.meets_sign_in("server/discover");
    desk.take_written();
    for id in [2, 3] {
        desk.modern(id, "tools/call", json!({"name": "bridge_sign_in"}));
        desk.phase(pending());
    }
    let first = desk.one_answer();
    assert!(text_of(&first).contains(PAGE), "{first}");
    assert_eq!(first["result"]["resultType"], "complete");
    desk.phase(settled(1));
    desk.modern(4, "tools/call", json!({"name": "bridge_sign_in"}));
    for answer in desk.take_answers() {
        assert!(text_of(&answer).contains("You are signed in"), "{answer}");
        assert_eq!(answer["result"]["resultType"], "complete");
    }
    assert!(desk.sent.is_empty(), "the server has no such tool");
}
