//! A sign-in by the machine alone: which page opens when, and what each request is answered.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::bench::failure;
use super::failure::ServerName;
use super::machine::{Command, ExchangeId, FromServer, Machine, Origin, Settings};
use super::world::Notebook;
use crate::auth::{self, Invitation, Phase};
use crate::jsonrpc::Message;
use crate::remote::{FailureKind, Fate, ListenEnd, Outcome};

pub(super) const PAGE: &str = "http://127.0.0.1:34567/";

pub(super) fn pending() -> Phase {
    Phase::Pending(Invitation {
        page: PAGE.into(),
        provider: "https://as.example/x".into(),
        why: None,
    })
}

/// These tokens are there, all of one grant.
pub(super) fn settled(tokens: u64) -> Phase {
    Phase::Settled { tokens, grant: 1 }
}

/// A machine before a server that wants a sign-in.
pub(super) struct Desk {
    pub(super) machine: Machine<Notebook>,
    pub(super) now: Instant,
    pub(super) written: Vec<Value>,
    /// Under way: the exchange and the method.
    pub(super) sent: Vec<(ExchangeId, String, Message)>,
    /// Pages that were asked for.
    pub(super) pages: usize,
    pub(super) listens: usize,
    pub(super) finished: bool,
}

impl Desk {
    pub(super) fn new() -> Self {
        let name =
            ServerName { host: "h".into(), url: "https://h/".into(), login: "bridge login".into() };
        Self {
            machine: Machine::new(Settings::default(), name, Notebook::default()),
            now: Instant::now(),
            written: Vec::new(),
            sent: Vec::new(),
            pages: 0,
            listens: 0,
            finished: false,
        }
    }

    /// The client has opened and confirmed, and the server answered 401 to `initialize`.
    pub(super) fn refused(client: &str, capabilities: &Value) -> Self {
        let mut desk = Self::new();
        desk.client(&json!({"id": "i", "method": "initialize", "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": capabilities,
            "clientInfo": {"name": client, "version": "1"},
        }}));
        desk.meets_sign_in("initialize");
        assert_eq!(desk.take_written().len(), 1, "`initialize` is answered at once");
        desk.client(&json!({"method": "notifications/initialized"}));
        desk
    }

    /// Both sides have opened, with a token that counts no more.
    pub(super) fn open(capabilities: &Value) -> Self {
        let mut desk = Self::new();
        desk.client(&json!({"id": "i", "method": "initialize", "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": capabilities,
            "clientInfo": {"name": "c", "version": "1"},
        }}));
        desk.connects();
        desk.client(&json!({"method": "notifications/initialized"}));
        desk.ends("notifications/initialized", Outcome::Accepted);
        desk.take_written();
        desk
    }

    pub(super) fn client(&mut self, message: &Value) {
        let message = Message::parse(Bytes::from(message.to_string())).unwrap();
        self.machine.client_sent(message, self.now);
        self.obey();
    }

    pub(super) fn asks(&mut self, id: u32, method: &str) {
        self.client(&json!({"id": id, "method": method, "params": {}}));
    }

    pub(super) fn calls(&mut self, id: u32, tool: &str) {
        let params = json!({"name": tool, "_meta": {"progressToken": id}});
        self.client(&json!({"id": id, "method": "tools/call", "params": params}));
    }

    pub(super) fn taken(&mut self, method: &str) -> (ExchangeId, Message) {
        let at = self.sent.iter().position(|(_, sent, _)| sent == method);
        let (exchange, _, message) = self.sent.remove(at.expect("it was sent"));
        (exchange, message)
    }

    pub(super) fn ends(&mut self, method: &str, outcome: Outcome) {
        let (exchange, _) = self.taken(method);
        self.machine.ended(exchange, outcome, self.now);
        self.obey();
    }

    pub(super) fn meets_sign_in(&mut self, method: &str) {
        let met = failure(FailureKind::SignInNeeded, Fate::NotExecuted);
        self.ends(method, Outcome::Failed(met));
    }

    /// The server answers the request that is on its way.
    pub(super) fn answers(&mut self, method: &str, result: &str) {
        let (exchange, message) = self.taken(method);
        let answer = Message::result(message.id().unwrap(), result);
        let sent = FromServer { origin: Origin::Exchange(exchange), message: answer, room: None };
        self.machine.server_sent(sent, self.now);
        self.machine.ended(exchange, Outcome::Answered, self.now);
        self.obey();
    }

    pub(super) fn connects(&mut self) {
        let result = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}"#;
        self.answers("initialize", result);
    }

    /// The tokens are there, and the server opens.
    pub(super) fn signs_in(&mut self) {
        self.phase(settled(1));
        self.connects();
        self.ends("notifications/initialized", Outcome::Accepted);
    }

    pub(super) fn phase(&mut self, phase: Phase) {
        self.machine.sign_in_changed(phase, self.now);
        self.obey();
    }

    pub(super) fn pass(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while let Some(at) = self.machine.next_deadline().filter(|at| *at <= end && !self.finished)
        {
            self.now = self.now.max(at);
            self.machine.tick(self.now);
            self.obey();
        }
        self.now = end;
    }

    pub(super) fn obey(&mut self) {
        for command in self.machine.take_commands() {
            match command {
                Command::Write(message, _) => {
                    self.written.push(serde_json::from_slice(message.bytes()).unwrap());
                }
                Command::Send(exchange, outgoing) => {
                    let method = outgoing.message.method().unwrap_or_default().to_owned();
                    self.sent.push((exchange, method, outgoing.message));
                }
                Command::SignIn => self.pages += 1,
                Command::Listen(_) => self.listens += 1,
                Command::Stop(exchange) | Command::Cancel(exchange, _) => {
                    self.sent.retain(|(each, ..)| *each != exchange);
                }
                Command::StopListening | Command::EndSession(_) => {}
                Command::Finish => self.finished = true,
            }
        }
    }

    pub(super) fn take_written(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.written)
    }

    /// The answers to requests among what was written.
    pub(super) fn take_answers(&mut self) -> Vec<Value> {
        self.take_written().into_iter().filter(|each| each.get("id").is_some()).collect()
    }

    pub(super) fn told(&mut self) -> Vec<String> {
        let written = self.take_written();
        written.iter().filter_map(|each| each["method"].as_str().map(str::to_owned)).collect()
    }
}

pub(super) fn text_of(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_default()
}

#[test]
fn a_client_that_only_looks_whether_the_server_is_there_opens_no_page() {
    let mut desk = Desk::refused("c", &json!({}));
    desk.asks(1, "ping");
    assert_eq!(desk.take_answers()[0]["result"], json!({}));
    desk.pass(3600.0);
    assert_eq!(desk.pages, 0);
}

#[test]
fn a_page_opens_by_itself_two_seconds_after_the_client_asked_for_more() {
    let mut desk = Desk::refused("c", &json!({}));
    desk.asks(1, "tools/list");
    desk.asks(2, "prompts/list");
    desk.pass(1.9);
    assert_eq!(desk.pages, 0);
    desk.pass(0.2);
    assert_eq!(desk.pages, 1);
    desk.asks(3, "resources/list");
    desk.pass(30.0);
    assert_eq!(desk.pages, 1, "one for each cause");
}

#[test]
fn a_client_that_goes_within_two_seconds_sees_no_page() {
    let mut desk = Desk::refused("c", &json!({}));
    desk.asks(1, "tools/list");
    desk.machine.end(desk.now);
    desk.obey();
    desk.pass(5.0);
    assert_eq!(desk.pages, 0);
}

#[test]
fn what_a_person_waits_for_opens_the_page_at_once() {
    for method in ["tools/call", "prompts/get", "resources/read"] {
        let mut desk = Desk::refused("c", &json!({}));
        desk.asks(1, method);
        assert_eq!(desk.pages, 1, "{method}");
    }
}

#[test]
fn a_call_waits_45_seconds_and_then_its_error_names_the_page() {
    let mut desk = Desk::refused("c", &json!({}));
    desk.asks(1, "tools/call");
    desk.phase(pending());
    desk.pass(44.9);
    assert!(desk.take_answers().is_empty());
    desk.pass(0.2);
    let answer = &desk.take_answers()[0];
    assert_eq!(answer["error"]["code"], -31004);
    assert!(answer["error"]["message"].as_str().unwrap().contains(PAGE), "{answer}");
    assert!(desk.sent.is_empty(), "it was never sent");
}

#[test]
fn a_call_goes_on_when_the_token_is_there_and_the_client_learns_of_the_lists() {
    let mut desk = Desk::refused("c", &json!({}));
    desk.calls(1, "a");
    desk.phase(pending());
    desk.take_written();
    desk.pass(30.0);
    assert_eq!(desk.told().len(), 3, "progress at once and every ten seconds");
    desk.signs_in();
    assert_eq!(
        desk.told(),
        [
            "notifications/tools/list_changed",
            "notifications/prompts/list_changed",
            "notifications/resources/list_changed"
        ]
    );
    desk.answers("tools/call", r#"{"content":[]}"#);
    assert_eq!(
        desk.take_answers(),
        [json!({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})]
    );
}

#[test]
fn the_first_list_waits_for_the_sign_in_so_that_it_is_whole() {
    let mut desk = Desk::refused("Claude", &json!({}));
    desk.asks(1, "tools/list");
    desk.pass(40.0);
    assert!(desk.take_answers().is_empty());
    desk.signs_in();
    desk.answers("tools/list", r#"{"tools":[{"name":"a"}]}"#);
    assert_eq!(desk.take_answers()[0]["result"], json!({"tools": [{"name": "a"}]}));
}

#[test]
fn a_list_that_waited_long_enough_offers_the_tool_that_signs_in() {
    for (client, patience) in [("Claude", 45.0), ("codex-mcp-client", 5.0)] {
        let mut desk = Desk::refused(client, &json!({}));
        desk.asks(1, "tools/list");
        desk.asks(2, "prompts/list");
        desk.pass(patience - 0.1);
        assert!(desk.take_answers().is_empty(), "{client}");
        desk.pass(0.2);
        let answers = desk.take_answers();
        assert_eq!(answers[0]["result"]["tools"][0]["name"], "bridge_sign_in", "{client}");
        assert_eq!(answers[1]["result"], json!({"prompts": []}), "{client}");
    }
}

#[test]
fn the_tool_gives_the_address_at_once_and_waits_when_it_is_called_again() {
    let mut desk = Desk::refused("c", &json!({}));
    desk.calls(1, "bridge_sign_in");
    assert_eq!(desk.pages, 1);
    desk.phase(pending());
    let first = desk.take_answers();
    assert!(text_of(&first[0]).contains(PAGE), "{first:?}");
    desk.calls(2, "bridge_sign_in");
    desk.pass(49.9);
    assert!(desk.take_answers().is_empty());
    desk.pass(0.2);
    assert!(text_of(&desk.take_answers()[0]).contains(PAGE));
    desk.calls(3, "bridge_sign_in");
    desk.signs_in();
    assert!(text_of(&desk.take_answers()[0]).contains("You are signed in"));
    assert!(desk.sent.is_empty(), "the server has no such tool");
}

#[test]
fn a_client_that_opens_pages_itself_is_told_at_once_and_hears_of_the_end() {
    let mut desk = Desk::refused("c", &json!({"elicitation": {"url": {}}}));
    desk.asks(1, "tools/call");
    assert!(desk.take_answers().is_empty(), "the address is not known yet");
    desk.phase(pending());
    let answer = desk.take_answers().remove(0);
    assert_eq!(answer["error"]["code"], -32042);
    let elicitation = &answer["error"]["data"]["elicitations"][0];
    assert_eq!((&elicitation["mode"], &elicitation["url"]), (&json!("url"), &json!(PAGE)));
    desk.asks(2, "resources/read");
    assert_eq!(desk.take_answers()[0]["error"]["code"], -32042);
    desk.phase(settled(1));
    let complete = desk.take_written().remove(0);
    assert_eq!(complete["method"], "notifications/elicitation/complete");
    assert_eq!(complete["params"]["elicitationId"], elicitation["elicitationId"]);
}

#[test]
fn a_sign_in_that_came_to_nothing_is_told_and_only_a_call_begins_another() {
    let mut desk = Desk::refused("c", &json!({}));
    desk.asks(1, "tools/call");
    desk.phase(pending());
    let denied = auth::Failure::new(auth::FailureKind::Denied, "the sign-in was denied");
    desk.phase(Phase::Failed(denied.hint("call again")));
    let answer = desk.take_answers().remove(0);
    assert_eq!(answer["error"]["code"], -31017);
    assert_eq!(answer["error"]["message"], "the sign-in was denied; call again");
    desk.asks(2, "tools/list");
    assert_eq!(desk.take_answers()[0]["result"]["tools"][0]["name"], "bridge_sign_in");
    desk.pass(60.0);
    assert_eq!(desk.pages, 1);
    desk.asks(3, "tools/call");
    assert_eq!(desk.pages, 2);
    assert!(desk.take_answers().is_empty(), "it waits for the new sign-in");
}

#[test]
fn a_sign_in_that_fails_like_the_one_before_is_told_too() {
    let mut desk = Desk::refused("c", &json!({}));
    for id in 1..4 {
        desk.asks(id, "tools/call");
        let other = auth::Failure::new(auth::FailureKind::IssuerMismatch, "another issuer");
        desk.phase(Phase::Failed(other));
        assert_eq!(desk.take_answers()[0]["error"]["code"], -31017, "call {id}");
    }
    assert_eq!(desk.pages, 3);
}

#[test]
fn a_stream_that_was_refused_with_the_token_is_opened_anew() {
    let mut desk = Desk::open(&json!({}));
    let refused = failure(FailureKind::SignInNeeded, Fate::NotExecuted);
    desk.machine.listening_ended(1, ListenEnd::Refused(refused), desk.now);
    desk.asks(1, "tools/call");
    desk.meets_sign_in("tools/call");
    desk.phase(pending());
    let listens = desk.listens;
    desk.phase(settled(2));
    assert_eq!(desk.listens, listens + 1);
}

#[test]
fn a_token_that_is_refused_in_mid_session_makes_calls_wait_and_the_session_stays() {
    let mut desk = Desk::open(&json!({}));
    desk.asks(1, "tools/call");
    desk.meets_sign_in("tools/call");
    assert_eq!(desk.pages, 1);
    desk.phase(pending());
    desk.take_written();
    let listens = desk.listens;
    desk.phase(settled(2));
    assert_eq!(desk.listens, listens, "the stream that stands is left alone");
    desk.answers("tools/call", "{}");
    assert_eq!(desk.take_answers()[0]["result"], json!({}));
}

#[test]
fn a_request_waits_for_two_sign_ins_and_no_more() {
    let mut desk = Desk::open(&json!({}));
    desk.asks(1, "tools/call");
    desk.meets_sign_in("tools/call");
    desk.phase(settled(2));
    // As of a server that has turned to another authorization server meanwhile.
    desk.meets_sign_in("tools/call");
    assert!(desk.take_answers().is_empty());
    desk.phase(settled(3));
    desk.meets_sign_in("tools/call");
    assert_eq!(desk.take_answers()[0]["error"]["code"], -31004);
    assert_eq!(desk.pages, 2);
}

#[test]
fn a_call_that_is_cancelled_while_it_waits_is_never_sent() {
    let mut desk = Desk::refused("c", &json!({}));
    desk.asks(1, "tools/call");
    desk.client(&json!({"method": "notifications/cancelled", "params": {"requestId": 1}}));
    desk.signs_in();
    assert!(desk.sent.is_empty() && desk.take_answers().is_empty());
}

#[test]
fn tokens_that_another_process_renewed_open_no_second_stream() {
    let mut desk = Desk::open(&json!({}));
    let listens = desk.listens;
    desk.phase(settled(7));
    desk.phase(settled(8));
    assert_eq!((desk.listens, desk.take_written().len()), (listens, 0));
}

#[test]
fn a_client_is_told_that_its_lists_may_be_others_when_the_tokens_are_good_for_something_else() {
    let changed = "notifications/tools/list_changed";
    let mut desk = Desk::open(&json!({}));
    desk.phase(settled(7));
    assert!(desk.take_written().is_empty(), "the first ones");
    desk.phase(Phase::Settled { tokens: 8, grant: 2 });
    assert_eq!(desk.told(), [changed], "renewed with other scopes");
    desk.asks(1, "tools/call");
    desk.meets_sign_in("tools/call");
    desk.phase(Phase::Settled { tokens: 9, grant: 3 });
    assert_eq!(desk.told(), [changed], "a person signed in, or allowed more");
}

#[test]
fn the_same_failure_a_second_time_ends_what_waits_as_well() {
    let mut desk = Desk::refused("c", &json!({}));
    let down = Phase::Failed(auth::Failure::new(auth::FailureKind::Unreachable, "as is down"));
    for id in [1, 2] {
        desk.calls(id, "x");
        assert_eq!(desk.pages, id as usize);
        desk.phase(down.clone());
        let answers = desk.take_answers();
        assert!(answers[0]["error"].to_string().contains("as is down"), "{answers:?}");
    }
}
