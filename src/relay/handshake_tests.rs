//! A connection that is not there yet, by the machine alone: what the client is told and when, and what
//! the server is asked.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::failure::ServerName;
use super::machine::{Command, ExchangeId, FromServer, Machine, Origin, Outgoing, Settings};
use super::remembered::Memory;
use super::tests::{Notebook, failure};
use crate::jsonrpc::{Kind, Message};
use crate::remote::{Failure, FailureKind, Fate, Outcome};
use crate::secret::Secret;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{"roots":{}},"clientInfo":{"name":"c","version":"1"},"odd":1.0}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const CAPABILITIES: &str = r#"{"roots":{}}"#;
const KINDS: [&str; 3] = [
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
];

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A machine, what it wrote to the client and what it sends to the server.
struct Bench {
    machine: Machine<Notebook>,
    now: Instant,
    start: Instant,
    written: Vec<String>,
    /// Under way, in the order of sending.
    sent: Vec<(ExchangeId, Outgoing)>,
    /// When each `initialize` was sent.
    attempts: Vec<Duration>,
    listening: usize,
}

impl Bench {
    fn new() -> Self {
        Self::with(Notebook::default())
    }

    fn with(memory: Notebook) -> Self {
        let name = ServerName { host: "h".into(), url: "https://h/".into() };
        let now = Instant::now();
        Self {
            machine: Machine::new(Settings::default(), name, memory),
            now,
            start: now,
            written: Vec::new(),
            sent: Vec::new(),
            attempts: Vec::new(),
            listening: 0,
        }
    }

    /// A client's `initialize` was read.
    fn opening() -> Self {
        let mut bench = Self::new();
        bench.client(INITIALIZE);
        bench
    }

    /// A client that got an answer of ours, while the server is still asked.
    fn answered_by_us() -> Self {
        let mut bench = Self::opening();
        bench.pass(seconds(5.0));
        bench.take_written();
        bench
    }

    /// Never connected, and the last attempt was refused by a closed port.
    fn down() -> Self {
        let mut bench = Self::answered_by_us();
        bench.client(INITIALIZED);
        bench.refuse(&unreachable());
        bench
    }

    fn obey(&mut self) {
        for command in self.machine.take_commands() {
            match command {
                Command::Write(message, _) => {
                    self.written.push(String::from_utf8(message.bytes().to_vec()).unwrap());
                }
                Command::Send(exchange, outgoing) => {
                    if outgoing.message.method() == Some("initialize") {
                        self.attempts.push(self.now - self.start);
                        assert_eq!(outgoing.message.bytes(), INITIALIZE, "the client's own");
                    }
                    self.sent.push((exchange, outgoing));
                }
                Command::Stop(exchange) | Command::Cancel(exchange, _) => {
                    self.sent.retain(|(each, _)| *each != exchange);
                }
                Command::Listen(_) => self.listening += 1,
                Command::StopListening | Command::EndSession(_) | Command::Finish => {}
            }
        }
    }

    fn client(&mut self, line: &str) {
        let message = Message::parse(Bytes::copy_from_slice(line.as_bytes())).unwrap();
        self.machine.client_sent(message, self.now);
        self.obey();
    }

    fn request(&mut self, id: u32, method: &str) {
        self.client(
            &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {}}).to_string(),
        );
    }

    /// Lets time pass, from one deadline to the next.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.machine.next_deadline().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.machine.tick(self.now);
            self.obey();
        }
        self.now = end;
    }

    /// What is under way with this method; the exchange and the message.
    fn under_way(&self, method: &str) -> Option<(ExchangeId, Message)> {
        let of_method = |(_, sent): &&(ExchangeId, Outgoing)| sent.message.method() == Some(method);
        self.sent.iter().find(of_method).map(|(id, sent)| (*id, sent.message.clone()))
    }

    fn methods_under_way(&self) -> Vec<&str> {
        self.sent.iter().filter_map(|(_, sent)| sent.message.method()).collect()
    }

    fn end(&mut self, exchange: ExchangeId, outcome: Outcome) {
        self.sent.retain(|(each, _)| *each != exchange);
        self.machine.ended(exchange, outcome, self.now);
        self.obey();
    }

    /// The server answers what is under way with this method.
    fn answer(&mut self, method: &str, result: &str) {
        let (exchange, message) = self.under_way(method).expect(method);
        match message.kind() {
            Kind::Request { id, .. } => {
                let message = Message::result(id, result);
                let origin = Origin::Exchange(exchange);
                self.machine.server_sent(FromServer { origin, message, room: None }, self.now);
                self.obey();
                self.end(exchange, Outcome::Answered);
            }
            _ => self.end(exchange, Outcome::Accepted),
        }
    }

    /// The attempt at a handshake fails.
    fn refuse(&mut self, failure: &Failure) {
        let (exchange, _) = self.under_way("initialize").expect("a handshake");
        self.end(exchange, Outcome::Failed(failure.clone()));
    }

    /// The server answers the handshake, offering these capabilities, and takes `initialized`.
    fn connect(&mut self, version: &str, capabilities: Value) {
        let (exchange, _) = self.under_way("initialize").expect("a handshake");
        self.machine.session_given(exchange, Secret::new("s".into()));
        self.answer("initialize", &hello(version, capabilities));
    }

    fn connect_wholly(&mut self, capabilities: Value) {
        self.connect("2025-06-18", capabilities);
        self.answer("notifications/initialized", "");
    }

    fn take_written(&mut self) -> Vec<Value> {
        let written = std::mem::take(&mut self.written);
        written.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// The one message that was written.
    fn take_one(&mut self) -> Value {
        let mut written = self.take_written();
        assert_eq!(written.len(), 1, "{written:?}");
        written.remove(0)
    }

    fn take_methods(&mut self) -> Vec<String> {
        let written = self.take_written();
        written.iter().map(|m| m["method"].as_str().unwrap_or("a response").to_owned()).collect()
    }
}

fn hello(version: &str, capabilities: Value) -> String {
    let info = json!({"name": "real", "version": "1"});
    json!({"protocolVersion": version, "capabilities": capabilities, "serverInfo": info})
        .to_string()
}

fn everything() -> Value {
    json!({"tools": {}, "prompts": {}, "resources": {}, "logging": {}})
}

fn unreachable() -> Failure {
    failure(FailureKind::Unreachable, Fate::NotExecuted)
}

/// All the reasons that may pass.
fn passing() -> [Failure; 6] {
    [
        unreachable(),
        failure(FailureKind::Lost, Fate::Unknown),
        failure(FailureKind::Status, Fate::Settled),
        failure(FailureKind::Busy, Fate::NotExecuted),
        failure(FailureKind::Refused, Fate::Settled),
        failure(FailureKind::NotFound, Fate::Settled),
    ]
}

// ---- the client's `initialize`

#[test]
fn an_initialize_that_is_not_answered_in_five_seconds_is_answered_by_us() {
    let mut bench = Bench::opening();
    bench.pass(seconds(4.999));
    assert!(bench.written.is_empty());
    bench.pass(seconds(0.001));
    let answer = bench.take_one();
    assert_eq!(
        (&answer["id"], &answer["result"]["protocolVersion"]),
        (&json!("i"), &json!("2025-06-18"))
    );
    let offered = answer["result"]["capabilities"].as_object().unwrap();
    let offered: Vec<_> = offered.keys().map(String::as_str).collect();
    assert_eq!(offered, ["completions", "logging", "prompts", "resources", "tools"]);
}

#[test]
fn the_late_answer_of_the_server_is_used_and_neither_asked_for_nor_given_again() {
    let mut bench = Bench::answered_by_us();
    bench.client(INITIALIZED);
    bench.pass(seconds(20.0));
    assert_eq!(bench.attempts, [Duration::ZERO]);
    bench.connect_wholly(everything());
    assert_eq!(bench.take_methods(), KINDS);
    assert_eq!((bench.attempts.len(), bench.listening), (1, 1));
    bench.request(1, "tools/call");
    assert!(bench.under_way("tools/call").is_some());
}

#[test]
fn an_answer_in_time_is_the_servers_own() {
    for failure in passing() {
        let mut bench = Bench::opening();
        bench.refuse(&failure);
        assert!(bench.written.is_empty(), "it may still come");
        bench.pass(seconds(4.9));
        if matches!(failure.kind, FailureKind::Refused | FailureKind::NotFound) {
            assert_eq!(bench.attempts.len(), 1, "asked about once a minute");
            continue;
        }
        assert!(bench.attempts.len() >= 2, "{:?}", bench.attempts);
        bench.connect("2025-06-18", json!({"tools": {}}));
        assert_eq!(bench.take_one()["result"]["serverInfo"]["name"], "real");
    }
}

#[test]
fn a_refusal_that_may_pass_is_answered_at_once_by_what_is_remembered() {
    for failure in passing() {
        let mut memory = Notebook::default();
        memory.keep_initialize(CAPABILITIES, &hello("2025-03-26", json!({"tools": {}})));
        let mut bench = Bench::with(memory);
        bench.client(INITIALIZE);
        assert!(bench.written.is_empty());
        bench.refuse(&failure);
        let result = &bench.take_one()["result"];
        assert_eq!(result["protocolVersion"], "2025-03-26");
        assert_eq!(result["capabilities"], json!({"tools": {"listChanged": true}}));
    }
}

#[test]
fn what_is_remembered_for_other_capabilities_is_not_used() {
    let mut memory = Notebook::default();
    memory.keep_initialize("{}", &hello("2025-03-26", json!({"tools": {}})));
    let mut bench = Bench::with(memory);
    bench.client(INITIALIZE);
    bench.refuse(&unreachable());
    assert!(bench.written.is_empty());
}

#[test]
fn a_refusal_that_does_not_pass_is_the_answer() {
    for kind in [FailureKind::SignInNeeded, FailureKind::Redirected, FailureKind::BadAnswer] {
        let mut bench = Bench::opening();
        bench.refuse(&failure(kind, Fate::Settled));
        let answer = bench.take_one();
        assert_eq!(answer["id"], "i");
        assert!(answer["error"]["code"].is_number(), "{answer}");
        bench.pass(seconds(600.0));
        assert_eq!((bench.attempts.len(), bench.written.len()), (1, 0));
    }
}

#[test]
fn an_error_of_the_server_passes_untouched() {
    let error = r#"{"error":{"message":"no","code":-32602.0},"jsonrpc":"2.0","id":"i"}"#;
    let mut bench = Bench::opening();
    let (exchange, _) = bench.under_way("initialize").unwrap();
    let message = Message::parse(Bytes::from_static(error.as_bytes())).unwrap();
    let origin = Origin::Exchange(exchange);
    bench.machine.server_sent(FromServer { origin, message, room: None }, bench.now);
    bench.obey();
    bench.end(exchange, Outcome::Answered);
    assert_eq!(bench.written, [error]);
}

#[test]
fn a_confirmation_that_comes_before_the_answer_is_kept() {
    let mut bench = Bench::opening();
    bench.client(INITIALIZED);
    bench.request(1, "tools/call");
    assert_eq!(bench.methods_under_way(), ["initialize"]);
    bench.connect("2025-06-18", everything());
    assert_eq!(bench.methods_under_way(), ["notifications/initialized"]);
    bench.answer("notifications/initialized", "");
    assert_eq!(bench.methods_under_way(), ["tools/call"]);
    assert_eq!(bench.listening, 1);

    let mut bench = Bench::opening();
    bench.client(INITIALIZED);
    bench.pass(seconds(5.0));
    bench.connect_wholly(everything());
    assert_eq!(bench.take_methods(), ["a response", KINDS[0], KINDS[1], KINDS[2]]);
}

// ---- further attempts

#[test]
fn it_tries_again_after_a_second_and_then_ever_less_often() {
    let mut bench = Bench::opening();
    for _ in 0..14 {
        bench.refuse(&unreachable());
        while bench.under_way("initialize").is_none() {
            bench.pass(seconds(1.0));
        }
    }
    let waits: Vec<_> =
        bench.attempts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    for (wait, longest) in
        waits.iter().zip([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300])
    {
        // Half to the whole, and the step of this test.
        let longest = f64::from(longest);
        assert!((longest / 2.0..=longest + 1.0).contains(wait), "{wait} of {longest}");
    }
}

#[test]
fn each_request_makes_it_try_again() {
    let mut bench = Bench::down();
    for attempt in 2..6 {
        bench.request(attempt, "tools/call");
        assert_eq!(bench.attempts.len(), attempt as usize);
        bench.refuse(&unreachable());
        assert_eq!(bench.take_one()["error"]["code"], -31001);
    }
}

#[test]
fn one_that_is_forbidden_or_not_found_is_asked_about_once_a_minute() {
    for kind in [FailureKind::Refused, FailureKind::NotFound] {
        let mut bench = Bench::answered_by_us();
        bench.client(INITIALIZED);
        bench.refuse(&failure(kind, Fate::Settled));
        bench.request(1, "tools/call");
        assert!(bench.take_one()["error"].is_object(), "known at once");
        bench.request(2, "tools/list");
        bench.request(3, "prompts/list");
        bench.pass(seconds(50.0));
        assert_eq!(bench.attempts.len(), 1, "{:?}", bench.attempts);
        let lists = bench.take_written();
        assert_eq!(lists.len(), 2, "empty after a while: {lists:?}");
        bench.pass(seconds(15.0));
        assert_eq!(bench.attempts.len(), 2, "{:?}", bench.attempts);
    }
}

#[test]
fn a_server_that_says_when_to_come_back_is_left_alone_until_then() {
    let mut bench = Bench::opening();
    let busy = failure(FailureKind::Busy, Fate::NotExecuted);
    bench.refuse(&Failure { retry_after: Some(seconds(90.0)), ..busy });
    bench.pass(seconds(89.0));
    assert_eq!(bench.attempts.len(), 1);
    bench.pass(seconds(2.0));
    assert_eq!(bench.attempts.len(), 2);
}

#[test]
fn a_server_that_says_nothing_at_all_is_asked_again_in_the_end() {
    let mut bench = Bench::answered_by_us();
    bench.pass(seconds(290.0));
    assert_eq!(bench.attempts.len(), 1);
    bench.pass(seconds(30.0));
    assert_eq!(bench.attempts.len(), 2);
    assert_eq!(bench.methods_under_way(), ["initialize"], "the first was given up");
}

// ---- while it is not there

#[test]
fn a_list_that_is_remembered_is_given_at_once() {
    let mut memory = Notebook::default();
    memory.keep_list("tools/list", r#"{"tools":[{"name":"t"}]}"#);
    let mut bench = Bench::with(memory);
    bench.client(INITIALIZE);
    bench.pass(seconds(5.0));
    bench.take_written();
    bench.request(1, "tools/list");
    assert_eq!(bench.take_one()["result"], json!({"tools": [{"name": "t"}]}));
    bench.client(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"c"}}"#);
    assert!(bench.written.is_empty(), "only the first page is remembered");
}

#[test]
fn a_list_that_is_not_remembered_waits_for_the_connection() {
    let mut bench = Bench::down();
    bench.request(1, "tools/list");
    bench.refuse(&unreachable());
    bench.pass(seconds(2.0));
    bench.connect_wholly(everything());
    bench.take_written();
    bench.answer("tools/list", r#"{"tools":[]}"#);
    assert_eq!(bench.take_one()["id"], 1);
}

#[test]
fn a_list_that_waited_for_five_seconds_is_empty() {
    let lists = [
        ("tools/list", json!({"tools": []})),
        ("prompts/list", json!({"prompts": []})),
        ("resources/list", json!({"resources": []})),
        ("resources/templates/list", json!({"resourceTemplates": []})),
    ];
    for (method, empty) in lists {
        let mut bench = Bench::down();
        bench.request(1, method);
        for _ in 0..49 {
            if bench.under_way("initialize").is_some() {
                bench.refuse(&unreachable());
            }
            bench.pass(seconds(0.1));
        }
        assert!(bench.written.is_empty(), "{method}");
        bench.pass(seconds(0.1));
        assert_eq!(bench.take_one()["result"], empty);
    }
}

#[test]
fn a_call_gets_the_reason_why_there_is_no_connection() {
    let mut bench = Bench::answered_by_us();
    bench.client(INITIALIZED);
    bench.request(1, "tools/call");
    assert!(bench.written.is_empty(), "the server is being asked");
    bench.refuse(&Failure {
        what: "HTTP 503 from h".into(),
        ..failure(FailureKind::Status, Fate::Settled)
    });
    let error = bench.take_one();
    assert_eq!((&error["id"], &error["error"]["code"]), (&json!(1), &json!(-31008)));
    assert!(error["error"]["message"].as_str().unwrap().contains("HTTP 503 from h"), "{error}");
}

#[test]
fn a_call_does_not_wait_for_ever_for_a_server_that_says_nothing() {
    let mut bench = Bench::answered_by_us();
    bench.request(1, "tools/call");
    bench.pass(seconds(31.0));
    assert_eq!(bench.take_one()["error"]["code"], -31001);
    bench.connect_wholly(everything());
    assert!(bench.under_way("tools/call").is_none(), "what was answered is not sent any more");
}

#[test]
fn a_ping_is_answered_and_notifications_wait() {
    let mut bench = Bench::down();
    bench.request(1, "ping");
    assert_eq!(bench.take_one()["result"], json!({}));
    bench.client(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#);
    assert!(bench.sent.is_empty());
    bench.request(2, "tools/call");
    bench.connect_wholly(everything());
    assert_eq!(bench.methods_under_way(), ["notifications/roots/list_changed", "tools/call"]);
}

// ---- once it is there

#[test]
fn the_client_is_told_of_changed_lists_once_and_not_before_it_confirmed() {
    let mut bench = Bench::answered_by_us();
    bench.connect_wholly(everything());
    assert!(bench.written.is_empty(), "it has not confirmed yet");
    bench.client(INITIALIZED);
    assert_eq!(bench.take_methods(), KINDS);
    assert!(bench.under_way("notifications/initialized").is_none(), "ours was sent before");
    bench.client(INITIALIZED);
    assert!(bench.written.is_empty(), "once is enough");

    let mut bench = Bench::answered_by_us();
    bench.connect("2025-06-18", everything());
    bench.client(INITIALIZED);
    assert!(bench.written.is_empty(), "the server has not taken `initialized` yet");
    bench.answer("notifications/initialized", "");
    assert_eq!(bench.take_methods(), KINDS);
}

#[test]
fn a_client_that_got_the_servers_own_answer_is_told_of_no_changes() {
    let mut bench = Bench::opening();
    bench.connect("2025-06-18", everything());
    bench.client(INITIALIZED);
    bench.answer("notifications/initialized", "");
    assert_eq!(bench.take_methods(), ["a response"]);
}

#[test]
fn lists_that_the_server_turns_out_not_to_have_are_empty() {
    let mut bench = Bench::down();
    bench.request(1, "tools/call");
    bench.connect_wholly(json!({"tools": {}}));
    bench.take_written();
    bench.sent.clear();
    for method in ["prompts/list", "resources/list", "resources/templates/list"] {
        bench.request(2, method);
        assert!(bench.take_one()["result"].is_object(), "{method}");
    }
    bench.request(3, "tools/list");
    bench.request(4, "prompts/get");
    assert_eq!(bench.methods_under_way(), ["tools/list", "prompts/get"]);
}

#[test]
fn a_list_that_waited_for_a_server_that_does_not_have_it_is_empty_too() {
    let mut bench = Bench::down();
    bench.request(1, "prompts/list");
    bench.connect_wholly(json!({"tools": {}}));
    assert!(bench.under_way("prompts/list").is_none());
    let written = bench.take_written();
    let answer = written.iter().find(|message| message["id"] == 1).expect("an answer");
    assert_eq!(answer["result"], json!({"prompts": []}));
}

#[test]
fn a_client_that_got_the_servers_own_answer_asks_what_it_wants() {
    let mut bench = Bench::opening();
    bench.connect("2025-06-18", json!({"tools": {}}));
    bench.client(INITIALIZED);
    bench.answer("notifications/initialized", "");
    bench.request(2, "prompts/list");
    assert_eq!(bench.methods_under_way(), ["prompts/list"]);
}

#[test]
fn a_log_level_is_kept_until_the_server_can_take_it() {
    let level =
        r#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}"#;
    let mut bench = Bench::down();
    bench.client(level);
    assert_eq!(bench.take_one()["result"], json!({}));
    bench.request(2, "tools/call");
    bench.connect_wholly(everything());
    let (_, sent) = bench.under_way("logging/setLevel").expect("the level");
    assert!(std::str::from_utf8(sent.bytes()).unwrap().ends_with(r#""params":{"level":"debug"}}"#));
    bench.take_written();
    bench.answer("logging/setLevel", "{}");
    assert!(bench.written.is_empty(), "the client has its answer");

    let mut bench = Bench::down();
    bench.client(level);
    bench.request(2, "tools/call");
    bench.connect_wholly(json!({"tools": {}}));
    assert!(bench.under_way("logging/setLevel").is_none(), "a server without logging");
}

#[test]
fn the_session_has_the_version_that_the_server_chose() {
    let mut bench = Bench::down();
    bench.request(1, "tools/call");
    bench.connect("2025-03-26", everything());
    bench.answer("notifications/initialized", "");
    let (_, sent) =
        bench.sent.iter().find(|(_, sent)| sent.message.method() == Some("tools/call")).unwrap();
    let session = sent.session.as_ref().unwrap();
    assert_eq!((&*session.version, session.id.is_some()), ("2025-03-26", true));
}

#[test]
fn a_server_that_never_ends_its_answer_to_initialized_is_used_all_the_same() {
    let mut bench = Bench::opening();
    bench.connect("2025-06-18", everything());
    bench.client(INITIALIZED);
    bench.request(1, "tools/call");
    bench.pass(seconds(4.9));
    assert_eq!(bench.methods_under_way(), ["notifications/initialized"]);
    bench.pass(seconds(0.1));
    assert_eq!(bench.methods_under_way(), ["notifications/initialized", "tools/call"]);
    assert_eq!(bench.listening, 1);
    bench.answer("notifications/initialized", "");
    assert_eq!(bench.listening, 1);
}

#[test]
fn notifications_keep_their_order_but_none_is_held_for_ever() {
    let mut bench = Bench::opening();
    bench.connect("2025-06-18", everything());
    bench.client(INITIALIZED);
    bench.answer("notifications/initialized", "");
    for method in ["a", "b", "c"] {
        bench.client(&json!({"jsonrpc": "2.0", "method": method}).to_string());
    }
    assert_eq!(bench.methods_under_way(), ["a"]);
    bench.pass(seconds(5.0));
    assert_eq!(bench.methods_under_way(), ["a", "b"]);
    bench.answer("a", "");
    assert_eq!(bench.methods_under_way(), ["b"], "the end of the first says nothing of the second");
    bench.answer("b", "");
    assert_eq!(bench.methods_under_way(), ["c"]);
}

#[test]
fn initialize_is_not_cancelled() {
    let mut bench = Bench::opening();
    bench.client(
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"i"}}"#,
    );
    bench.connect("2025-06-18", everything());
    assert_eq!(bench.take_one()["id"], "i");
    bench.client(INITIALIZED);
    bench.answer("notifications/initialized", "");
    assert!(bench.sent.is_empty(), "nothing of it reaches the server");
}
