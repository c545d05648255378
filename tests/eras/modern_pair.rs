//! A modern client and a modern server: bodies untouched, headers added.

use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::support::certificates::{Certificate, Protocols};
use crate::support::mcp_server::matcher::{get, tool};
use crate::support::modern_server::{Listen, ModernServer, Quirk};
use crate::support::raw_server::json_answer;
use crate::support::{Answer, BridgeProcess, Gate, RawServer, Step};

/// A request as a server sees it.
struct Seen {
    head: String,
    body: String,
}

impl Seen {
    fn of(request: &str) -> Self {
        let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
        Self { head: head.to_owned(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    fn method(&self) -> String {
        self.json()["method"].as_str().unwrap_or_default().to_owned()
    }
}

/// A server that answers each request with what is made of it, and the requests as they came.
fn server(answer: impl Fn(&Seen) -> String + Send + 'static) -> (RawServer, Receiver<Seen>) {
    let (sender, seen) = channel();
    let server = RawServer::answering(move |request| {
        let request = Seen::of(request);
        let answer = answer(&request).into_bytes();
        let _ = sender.send(request);
        answer
    });
    (server, seen)
}

fn result(request: &Seen, result: &str) -> String {
    last_answer(&format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, request.json()["id"]))
}

fn refusal(request: &Seen, status: &str, error: &str) -> String {
    let id = &request.json()["id"];
    let answer = last_answer(&format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#));
    answer.replace("200 OK", status)
}

/// The connection ends with each answer.
fn last_answer(json: &str) -> String {
    json_answer(json).replacen("\r\n", "\r\nconnection: close\r\n", 1)
}

/// A bridge that does not ask first what these servers are, which know only what they are scripted to.
fn bridge(server: &RawServer) -> BridgeProcess {
    BridgeProcess::to(server.url()).args(["--protocol", "modern"]).spawn()
}

/// Parameters with what a modern client says of itself.
fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

const SQL: &str = r#"{"name":"sql","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}"#;

#[test]
fn a_request_arrives_as_it_was_sent_with_the_headers_that_mirror_it() {
    let (server, seen) = server(|request| result(request, r#"{"resultType":"complete"}"#));
    let mut bridge = bridge(&server);
    bridge.allow_invalid();
    for (method, name, header) in [
        ("prompts/list", "", None),
        ("prompts/get", r#""name":"grüße","#, Some("=?base64?Z3LDvMOfZQ==?=")),
        ("resources/read", r#""uri":"file:///a b","#, Some("file:///a b")),
        ("acme/own", r#""name":"x","#, None),
    ] {
        let line = format!(
            r#"{{"params":{{{name}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}},"x":1.0}}, "id":1,"method":"{method}","jsonrpc":"2.0"}}"#
        );
        bridge.send(&line);
        assert_eq!(
            bridge.expect_response_line(1),
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#
        );
        let request = seen.recv().unwrap();
        assert_eq!(request.body, line);
        assert_eq!(request.header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(request.header("mcp-method"), Some(method));
        assert_eq!(request.header("mcp-name"), header);
        assert_eq!(request.header("mcp-session-id"), None);
        assert!(request.header("accept").unwrap().contains("text/event-stream"));
    }
}

#[test]
fn errors_of_a_modern_server_pass_as_they_are_whatever_their_status() {
    for (status, error) in [
        ("404 Not Found", r#"{"code":-32601,"message":"no session not found"}"#),
        ("400 Bad Request", r#"{"code":-32602,"message":"invalid session"}"#),
        (
            "400 Bad Request",
            r#"{"code":-32022,"message":"v","data":{"supported":["2026-07-28"],"requested":"1"}}"#,
        ),
        ("400 Bad Request", r#"{"code":-32020,"message":"Header mismatch"}"#),
    ] {
        let (server, seen) = server(move |request| refusal(request, status, error));
        let mut bridge = bridge(&server);
        bridge.request(1, "prompts/list", modern(json!({})));
        let line = bridge.expect_response_line(1);
        assert_eq!(line, format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#));
        assert_eq!(seen.try_iter().count(), 1, "{error}");
    }
}

#[test]
fn a_tool_that_was_not_seen_is_looked_up_once_and_its_arguments_are_mirrored() {
    let (server, seen) = server(|request| match &*request.method() {
        "tools/list" if request.json()["params"]["cursor"].is_null() => {
            result(request, r#"{"tools":[],"nextCursor":"2"}"#)
        }
        "tools/list" => result(request, &format!(r#"{{"tools":[{SQL}]}}"#)),
        _ => result(request, r#"{"content":[]}"#),
    });
    let mut bridge = bridge(&server);
    bridge.allow_invalid();
    let params = modern(json!({"name": "sql", "arguments": {"region": " eu "}}));
    for id in 1..=2 {
        bridge.call(id, "tools/call", params.clone());
    }
    let seen: Vec<_> = seen.try_iter().collect();
    let methods: Vec<_> = seen.iter().map(Seen::method).collect();
    assert_eq!(methods, ["tools/list", "tools/list", "tools/call", "tools/call"]);
    assert_eq!(seen[0].json()["params"]["_meta"], params["_meta"]);
    assert_eq!(seen[0].header("mcp-method"), Some("tools/list"));
    for call in &seen[2..] {
        assert_eq!(call.header("mcp-name"), Some("sql"));
        assert_eq!(call.header("mcp-param-region"), Some("=?base64?IGV1IA==?="));
    }
    assert_eq!(bridge.unread(), Vec::<String>::new());
}

#[test]
fn a_tool_of_a_list_that_the_client_saw_is_not_looked_up_and_an_odd_one_is_left_out() {
    let odd =
        r#"{"name":"odd","inputSchema":{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}}"#;
    let (server, seen) = server(move |request| match &*request.method() {
        "tools/list" => result(request, &format!(r#"{{"tools":[{odd},{SQL}], "ttlMs":1.0}}"#)),
        _ => result(request, r#"{"content":[]}"#),
    });
    let mut bridge = bridge(&server);
    bridge.allow_invalid();
    for id in 1..=2 {
        bridge.request(id, "tools/list", modern(json!({})));
        let expected =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tools":[{SQL}], "ttlMs":1.0}}}}"#);
        assert_eq!(bridge.expect_response_line(id), expected);
    }
    let arguments = json!({"name": "sql", "arguments": {"region": "eu"}});
    bridge.call(3, "tools/call", modern(arguments));
    let seen: Vec<_> = seen.try_iter().collect();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[2].header("mcp-param-region"), Some("eu"));
    let told = bridge.stderr_text();
    assert_eq!(told.matches("odd").count(), 1, "{told}");
    assert!(told.contains("integers"), "{told}");
}

#[test]
fn a_call_that_is_refused_for_its_headers_is_sent_again_by_a_new_list() {
    let mut lists = 0;
    let lists = std::sync::Mutex::new(move || {
        lists += 1;
        if lists == 1 { SQL.replace("Region", "Old") } else { SQL.to_owned() }
    });
    let (server, seen) = server(move |request| match &*request.method() {
        "tools/list" => result(request, &format!(r#"{{"tools":[{}]}}"#, lists.lock().unwrap()())),
        _ if request.header("mcp-param-region").is_some() => result(request, r#"{"content":[]}"#),
        _ => refusal(request, "400 Bad Request", r#"{"code":-32020,"message":"mismatch"}"#),
    });
    let mut bridge = bridge(&server);
    bridge.allow_invalid();
    let arguments = json!({"name": "sql", "arguments": {"region": "eu"}});
    let answer = bridge.call(1, "tools/call", modern(arguments));
    assert_eq!(answer["result"], json!({"content": []}));
    let methods: Vec<_> = seen.try_iter().map(|request| request.method()).collect();
    assert_eq!(methods, ["tools/list", "tools/call", "tools/list", "tools/call"]);
}

#[test]
fn a_call_that_stays_refused_for_its_headers_gets_the_error() {
    let (server, seen) = server(|request| match &*request.method() {
        "tools/list" => result(request, &format!(r#"{{"tools":[{SQL}]}}"#)),
        _ => refusal(request, "400 Bad Request", r#"{"code":-32020,"message":"mismatch"}"#),
    });
    let mut bridge = bridge(&server);
    let answer = bridge.call(1, "tools/call", modern(json!({"name": "sql", "arguments": {}})));
    assert_eq!(answer["error"], json!({"code": -32020, "message": "mismatch"}));
    let methods: Vec<_> = seen.try_iter().map(|request| request.method()).collect();
    assert_eq!(methods, ["tools/list", "tools/call", "tools/list"]);
}

#[test]
fn a_call_goes_without_a_list_that_can_not_be_had() {
    let (server, seen) = server(|request| match &*request.method() {
        "tools/list" => refusal(request, "404 Not Found", r#"{"code":-32601,"message":"no"}"#),
        _ => result(request, r#"{"content":[]}"#),
    });
    let mut bridge = bridge(&server);
    bridge.allow_invalid();
    for id in 1..=2 {
        let answer = bridge.call(id, "tools/call", modern(json!({"name": "a"})));
        assert_eq!(answer["result"], json!({"content": []}));
    }
    assert_eq!(seen.try_iter().count(), 3);
}

fn subscribe(bridge: &mut BridgeProcess, id: impl Into<Value>, filter: Value) {
    bridge.request(id, "subscriptions/listen", modern(json!({"notifications": filter})));
}

fn cancel(bridge: &mut BridgeProcess, id: impl Into<Value>) {
    let id: Value = id.into();
    bridge.notify("notifications/cancelled", json!({"requestId": id}));
}

/// A notification of the subscription with this id.
fn told(method: &str, id: impl Into<Value>, mut params: Value) -> Value {
    let id: Value = id.into();
    params["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": id});
    json!({"jsonrpc": "2.0", "method": format!("notifications/{method}"), "params": params})
}

/// The next message, whatever it is.
#[track_caller]
fn expect(bridge: &mut BridgeProcess, message: &Value) {
    assert_eq!(bridge.expect_message(), *message);
}

fn everything() -> Value {
    json!({
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": ["memo:///a", "memo:///b"],
    })
}

/// A bridge with one subscription, which the server has acknowledged.
fn subscribed(server: &ModernServer, id: i64) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    subscribe(&mut bridge, id, everything());
    let filter = json!({"notifications": everything()});
    expect(&mut bridge, &told("subscriptions/acknowledged", id, filter));
    bridge
}

#[test]
fn several_subscriptions_bring_their_changes_under_their_own_ids() {
    let server = ModernServer::run();
    let mut bridge = subscribed(&server, 1);
    subscribe(&mut bridge, "two", json!({"toolsListChanged": true}));
    bridge.expect_method("notifications/subscriptions/acknowledged");
    server.update_resource("memo:///b");
    expect(&mut bridge, &told("resources/updated", 1, json!({"uri": "memo:///b"})));
    server.tell("notifications/tools/list_changed", json!({}));
    let both = [bridge.expect_message(), bridge.expect_message()];
    for id in [json!(1), json!("two")] {
        assert!(both.contains(&told("tools/list_changed", id, json!({}))), "{both:?}");
    }
    assert_eq!(
        bridge.call(3, "prompts/list", modern(json!({})))["result"]["resultType"],
        "complete"
    );
}

#[test]
fn a_subscription_that_breaks_off_is_opened_again_and_what_may_have_changed_is_told() {
    for break_off in [Listen::break_off, Listen::hang_up] {
        let server = ModernServer::run();
        let mut bridge = subscribed(&server, 7);
        break_off(&server.listen(1));
        let again = server.listen(2);
        assert!(again.id != json!(7) && again.asked == everything());
        for kind in ["tools", "prompts", "resources"] {
            expect(&mut bridge, &told(&format!("{kind}/list_changed"), 7, json!({})));
        }
        for uri in ["memo:///a", "memo:///b"] {
            expect(&mut bridge, &told("resources/updated", 7, json!({"uri": uri})));
        }
        server.update_resource("memo:///a");
        expect(&mut bridge, &told("resources/updated", 7, json!({"uri": "memo:///a"})));
        again.end();
        let end = bridge.expect_response(7);
        assert_eq!(end["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7);
        assert_eq!(bridge.unread(), Vec::<String>::new());
    }
}

#[test]
fn a_subscription_that_the_server_ends_is_over() {
    let server = ModernServer::run();
    let mut bridge = subscribed(&server, 1);
    server.listen(1).end();
    let answer = bridge.expect_response(1)["result"].take();
    assert_eq!(answer["resultType"], "complete");
    assert_eq!(answer["_meta"]["io.modelcontextprotocol/subscriptionId"], 1);
    subscribe(&mut bridge, 2, everything());
    bridge.expect_method("notifications/subscriptions/acknowledged");
    server.listen(2).cancel();
    expect(&mut bridge, &told("cancelled", 2, json!({"requestId": 2})));
    assert_eq!(bridge.expect_response(2)["result"]["resultType"], "complete");
    assert_eq!(server.listens(), 2);
}

#[test]
fn a_subscription_that_is_refused_gets_the_servers_error() {
    let server = ModernServer::builder().quirk(Quirk::RefusesListen).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    subscribe(&mut bridge, 1, everything());
    assert_eq!(bridge.expect_response(1)["error"]["code"], -32601);
    assert_eq!(server.forgive().len(), 1);
}

#[test]
fn a_cancellation_closes_the_stream_and_sends_nothing() {
    let gate = Gate::named("the answer");
    let answer = Answer::stream([Step::result(json!({"content": []}))]).after(&gate);
    let server = ModernServer::builder().server(|server| server.once(tool("wait"), answer)).run();
    let mut bridge = subscribed(&server, 1);
    bridge.call(2, "tools/list", modern(json!({})));
    bridge.request(3, "tools/call", modern(json!({"name": "wait", "arguments": {}})));
    server.wait_for(tool("wait"));
    cancel(&mut bridge, 3);
    server.wait_until_abandoned(tool("wait"));
    cancel(&mut bridge, 1);
    server.wait_until_over(&server.listen(1));
    cancel(&mut bridge, "never there");
    bridge.call(4, "tools/list", modern(json!({})));
    gate.open();
    assert_eq!(server.count("notifications/cancelled"), 0);
    assert_eq!(bridge.unread(), Vec::<String>::new());
}

#[test]
fn subscriptions_take_no_place_of_requests_and_end_with_the_input() {
    let server = ModernServer::run();
    // So long that the test would fail if it waited for their answers.
    let mut bridge = BridgeProcess::to(server.url()).args(["--drain", "60"]).spawn();
    for id in 0..64 {
        subscribe(&mut bridge, id, json!({"toolsListChanged": true}));
    }
    server.listen(64);
    subscribe(&mut bridge, 64, json!({"toolsListChanged": true}));
    assert_eq!(bridge.expect_response(64)["error"]["data"]["kind"], "busy");
    bridge.call(65, "prompts/list", modern(json!({})));
    bridge.close_stdin();
    for id in 0..64 {
        assert_eq!(bridge.expect_response(id)["result"]["resultType"], "complete");
    }
    assert!(bridge.wait_exit().success());
}

#[test]
fn a_response_of_the_client_and_a_request_of_the_server_are_dropped_with_a_warning() {
    let asks = Answer::stream([
        Step::message(&json!({"jsonrpc": "2.0", "id": "q", "method": "roots/list"})),
        Step::result(json!({"resultType": "complete", "content": []})),
    ]);
    let server = ModernServer::builder().server(|server| server.once(tool("wait"), asks)).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let answer = bridge.call(1, "tools/call", modern(json!({"name": "wait", "arguments": {}})));
    assert_eq!(answer["result"]["content"], json!([]));
    bridge.wait_for_stderr("a request of the server was dropped");
    bridge.respond("q", json!({"roots": []}));
    bridge.wait_for_stderr("a response of the client was dropped");
    assert_eq!(bridge.unread(), Vec::<String>::new());
}

#[test]
fn a_strict_server_takes_the_arguments_that_are_mirrored_whatever_they_are() {
    let server = ModernServer::builder().quirk(Quirk::InvalidHeaderTools).page_size(3).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    for (id, arguments) in [
        json!({"region": "eu", "count": 7, "dry": false, "target": {"zone": "b"}, "query": "x"}),
        json!({"region": "Zürich", "count": -1, "target": {"zone": " "}, "dry": null}),
        json!({"region": "=?base64?eA==?=", "target": {}, "count": 1.0}),
        json!({"region": "", "query": "a\nb"}),
        json!({}),
    ]
    .into_iter()
    .enumerate()
    {
        let params = modern(json!({"name": "route", "arguments": arguments}));
        let answer = bridge.call(id, "tools/call", params);
        assert_eq!(answer["result"]["resultType"], "complete", "{arguments}: {answer}");
    }
    assert_eq!(server.executions("route"), 5);
}

#[test]
fn many_calls_at_once_are_preceded_by_one_list() {
    let gate = Gate::named("the list");
    let server = ModernServer::builder()
        .server(|server| {
            let route = crate::support::modern_server::route();
            let list = json!({"resultType": "complete", "tools": [route], "ttlMs": 0, "cacheScope": "private"});
            server.once("tools/list", Answer::result(list).after(&gate))
        })
        .run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    for id in 1..=5 {
        let arguments = json!({"region": "eu"});
        bridge.request(id, "tools/call", modern(json!({"name": "route", "arguments": arguments})));
    }
    server.wait_for("tools/list");
    cancel(&mut bridge, 5);
    // What is no message is answered at once: the cancellation was read by then.
    bridge.send("{}");
    bridge.next_message_where("the error", |message| message["id"].is_null());
    gate.open();
    for id in 1..=4 {
        assert_eq!(bridge.expect_response(id)["result"]["resultType"], "complete");
    }
    assert_eq!((server.count("tools/list"), server.executions("route")), (1, 4));
}

#[test]
fn what_is_known_of_tools_is_forgotten_when_they_change() {
    let server = ModernServer::run();
    let mut bridge = subscribed(&server, 1);
    bridge.call(2, "tools/list", modern(json!({})));
    let changed = json!([{"name": "route", "inputSchema": {"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Other"}}}}]);
    server.change_tools(changed);
    bridge.expect_method("notifications/tools/list_changed");
    let params = modern(json!({"name": "route", "arguments": {"region": "eu"}}));
    assert_eq!(bridge.call(3, "tools/call", params)["result"]["resultType"], "complete");
    let call = server.wait_for(tool("route"));
    assert_eq!(call.header("mcp-param-other"), Some("eu"));
    assert_eq!((server.count("tools/list"), server.count(tool("route"))), (2, 1));
}

#[test]
fn a_request_whose_stream_broke_off_is_sent_again_under_another_id_and_never_resumed() {
    for last in [Step::Cut, Step::End] {
        let broken = Answer::stream([
            Step::notification("notifications/message", json!({"level": "info", "data": 1}))
                .with_id("e1"),
            last,
        ]);
        let server =
            ModernServer::builder().server(|server| server.once("prompts/list", broken)).run();
        let mut bridge = BridgeProcess::to(server.url()).spawn();
        let answer = bridge.call(1, "prompts/list", modern(json!({})));
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
        let sent = server.requests_of("prompts/list");
        assert_eq!((sent.len(), server.count(get())), (2, 0));
        assert_ne!(sent[0].json()["id"], sent[1].json()["id"]);
        let without_id = |n: usize| {
            let mut sent = sent[n].json();
            sent["id"].take();
            sent
        };
        assert_eq!(without_id(0), without_id(1));
    }
}

#[test]
fn a_notification_of_the_client_says_which_revision_it_is_of() {
    let server = ModernServer::run();
    server.allow("notifications/acme");
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.call(1, "prompts/list", modern(json!({})));
    bridge.notify("notifications/acme", json!({"x": 1}));
    let sent = server.wait_for("notifications/acme");
    assert_eq!(sent.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(sent.header("mcp-method"), Some("notifications/acme"));
}

#[test]
fn a_request_that_does_not_say_which_revision_it_is_of_goes_by_the_others_and_is_the_servers_to_refuse()
 {
    let server = ModernServer::run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.call(1, "server/discover", modern(json!({})));
    for (id, method) in [(2, "prompts/list"), (3, "server/discover")] {
        assert_eq!(bridge.call(id, method, json!({}))["error"]["code"], -32602);
        let sent = server.requests_of(method).pop().unwrap();
        assert_eq!(sent.header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(sent.header("mcp-method"), Some(method));
    }
    server.forgive();
    bridge.finish();
}

#[test]
fn an_initialize_of_the_modern_revision_is_a_request_like_any_other() {
    let (server, seen) = server(|request| match &*request.method() {
        "initialize" => {
            refusal(request, "404 Not Found", r#"{"code":-32601,"message":"Method not found"}"#)
        }
        _ => result(request, r#"{"resultType":"complete","prompts":[]}"#),
    });
    let mut bridge = bridge(&server);
    bridge.allow_invalid();
    let refused = bridge.call(1, "initialize", modern(json!({})));
    assert_eq!(refused["error"]["message"], "Method not found");
    let request = seen.recv().unwrap();
    assert_eq!(request.header("mcp-protocol-version"), Some("2026-07-28"));
    let listed = bridge.call(2, "prompts/list", modern(json!({})));
    assert_eq!(listed["result"]["resultType"], "complete", "no session was opened");
    assert_eq!(seen.iter().next().unwrap().method(), "prompts/list");
}

#[test]
fn over_http_2_a_cancellation_closes_one_stream_and_no_other() {
    let gate = Gate::named("the answer");
    let answer = Answer::stream([Step::result(json!({"content": []}))]).after(&gate);
    let server = ModernServer::builder()
        .server(|server| {
            server.tls(Certificate::Good, Protocols::Http2AndHttp1).once(tool("wait"), answer)
        })
        .run();
    let ca = server.ca_file().display().to_string();
    let mut bridge = BridgeProcess::to(server.url()).args(["--ca-cert", &ca]).spawn();
    subscribe(&mut bridge, 1, everything());
    bridge.expect_method("notifications/subscriptions/acknowledged");
    bridge.call(2, "tools/list", modern(json!({})));
    bridge.request(3, "tools/call", modern(json!({"name": "wait", "arguments": {}})));
    server.wait_for(tool("wait"));
    cancel(&mut bridge, 3);
    server.wait_until_abandoned(tool("wait"));
    server.update_resource("memo:///a");
    expect(&mut bridge, &told("resources/updated", 1, json!({"uri": "memo:///a"})));
    gate.open();
    assert_eq!((server.connections(), server.listens()), (1, 1));
}
