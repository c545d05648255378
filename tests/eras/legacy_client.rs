//! A legacy client and a modern server.

use serde_json::{Value, json};

use crate::support::mcp_server::matcher::{self, delete};
use crate::support::mcp_server::{Answer, Step, text};
use crate::support::modern_server::{Quirk, questions};
use crate::support::{BridgeProcess, McpServer, ModernServer};

/// A client that answers whatever a server may ask.
fn all() -> Value {
    json!({
        "elicitation": {"form": {}, "url": {}},
        "sampling": {},
        "roots": {"listChanged": true},
    })
}

fn opened(server: &McpServer, capabilities: Value) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    bridge.initialize_with(capabilities);
    bridge
}

fn meta(request: &Value) -> &Value {
    &request["_meta"]
}

// --- the handshake ---

#[test]
fn initialize_is_answered_from_the_discovery() {
    let server = ModernServer::run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let result = bridge.initialize();
    assert_eq!(result["protocolVersion"], "2025-11-25");
    assert_eq!(result["instructions"], "Anything goes.");
    assert_eq!(
        result["capabilities"]["resources"],
        json!({"subscribe": true, "listChanged": true})
    );
    assert!(result["serverInfo"]["name"].is_string(), "{result}");
    let members: Vec<_> = result.as_object().unwrap().keys().collect();
    assert_eq!(members, ["capabilities", "instructions", "protocolVersion", "serverInfo"]);
    assert_eq!(server.count("server/discover"), 1);
    assert_eq!(server.count("initialize"), 1);
    bridge.finish();
}

#[test]
fn a_handshake_of_a_revision_that_has_none_is_that_of_a_modern_server() {
    let answer = json!({
        "protocolVersion": "2026-07-28",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "odd", "version": "1"},
    });
    // The session that it gives all the same is ended as any other.
    let answer = Answer::result(answer).header("mcp-session-id", "s1");
    let server = ModernServer::builder().answers_initialize(answer).run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    assert_eq!(bridge.initialize()["protocolVersion"], "2025-11-25");
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
    assert_eq!(server.count("server/discover"), 1);
    server.allow(delete());
    bridge.finish();
}

#[test]
fn each_request_says_who_asks() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    let listed = bridge.call(1, "tools/list", json!({"_meta": {"progressToken": "t", "own": 1}}));
    assert!(listed["result"]["tools"].is_array());
    let asked = server.wait_for("tools/list").params();
    assert_eq!(meta(&asked)["progressToken"], "t");
    assert_eq!(meta(&asked)["own"], 1);
    assert_eq!(meta(&asked)["io.modelcontextprotocol/clientInfo"]["name"], "scripted-client");
    let capabilities = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    assert_eq!(meta(&asked)["io.modelcontextprotocol/clientCapabilities"], capabilities);
    bridge.finish();
}

#[test]
fn results_are_those_of_the_legacy_era() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    for (method, params, members) in [
        ("tools/list", json!({}), &["tools"][..]),
        ("prompts/list", json!({}), &["prompts"]),
        ("resources/list", json!({}), &["resources"]),
        ("resources/templates/list", json!({}), &["resourceTemplates"]),
        ("resources/read", json!({"uri": "memo:///1"}), &["contents"]),
        ("prompts/get", json!({"name": "greet", "arguments": {"whom": "x"}}), &["messages"]),
        ("tools/call", json!({"name": "echo", "arguments": {"text": "a"}}), &["content"]),
    ] {
        let answer = bridge.call(method, method, params);
        let found: Vec<_> = answer["result"].as_object().expect("a result").keys().collect();
        assert_eq!(found, members, "{method}");
    }
    let argument = json!({"name": "whom", "value": "a"});
    let of = json!({"type": "ref/prompt", "name": "greet"});
    let completed = bridge.call(9, "completion/complete", json!({"ref": of, "argument": argument}));
    assert!(completed["result"]["completion"]["values"].is_array(), "{completed}");
    assert_eq!(completed["result"].as_object().unwrap().len(), 1);
    bridge.finish();
}

#[test]
fn pages_follow_each_other() {
    let server = ModernServer::builder().page_size(3).run();
    let mut bridge = opened(&server, json!({}));
    let mut names = Vec::new();
    let mut params = json!({});
    for page in 1.. {
        let answer = bridge.call(page, "tools/list", params);
        let tools = answer["result"]["tools"].as_array().unwrap().clone();
        names.extend(tools.into_iter().map(|tool| tool["name"].clone()));
        match answer["result"].get("nextCursor") {
            Some(cursor) => params = json!({"cursor": cursor}),
            None => break,
        }
    }
    assert_eq!(names.len(), 8);
    bridge.finish();
}

// --- what is answered here ---

#[test]
fn a_ping_asks_nobody() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    assert_eq!(bridge.call(1, "ping", json!({}))["result"], json!({}));
    assert_eq!(server.count("ping"), 0);
    bridge.finish();
}

#[test]
fn a_log_level_holds_for_each_later_request() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    let refused = bridge.call(1, "logging/setLevel", json!({"level": "loud"}));
    assert_eq!(refused["error"]["code"], -32602);
    let answer = bridge.call(2, "logging/setLevel", json!({"level": "alert"}));
    assert_eq!(answer["result"], json!({}));
    bridge.request(3, "tools/call", json!({"name": "log"}));
    let levels: Vec<_> =
        (0..2).map(|_| bridge.expect_method("notifications/message")["params"].clone()).collect();
    assert_eq!(levels[0]["level"], "alert");
    assert_eq!(levels[1]["level"], "emergency");
    assert_eq!(bridge.expect_response(3)["result"], text("logged"));
    bridge.finish();
}

#[test]
fn tasks_are_refused_by_name() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({"tasks": {"list": {}}}));
    for method in ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"] {
        let answer = bridge.call(method, method, json!({"taskId": "1"}));
        assert_eq!(answer["error"]["code"], -32601);
        assert!(answer["error"]["message"].as_str().unwrap().contains(method), "{answer}");
    }
    let task = json!({"name": "echo", "arguments": {}, "task": {"ttl": 1000}});
    let answer = bridge.call(1, "tools/call", task);
    assert!(answer["error"]["message"].as_str().unwrap().contains("tasks"), "{answer}");
    assert_eq!(server.executions("echo"), 0);
    bridge.finish();
}

#[test]
fn notifications_of_the_legacy_era_stay_here() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    bridge.notify("notifications/roots/list_changed", json!({}));
    bridge.notify("notifications/progress", json!({"progressToken": 1, "progress": 1}));
    bridge.notify("notifications/cancelled", json!({"requestId": 99}));
    bridge.call_tool(1, "echo", json!({"text": "a"}));
    let posts = server.requests();
    let sent: Vec<_> = posts.iter().filter_map(|request| request.rpc_method()).collect();
    assert!(!sent.iter().any(|method| method.starts_with("notifications/")), "{sent:?}");
    bridge.finish();
}

// --- errors ---

#[test]
fn a_resource_that_is_not_there_has_the_code_of_the_legacy_era() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    let missing = bridge.call(1, "resources/read", json!({"uri": "memo:///missing"}));
    assert_eq!(missing["error"]["code"], -32002);
    assert_eq!(missing["error"]["message"], "Resource not found");
    assert_eq!(missing["error"]["data"], json!({"uri": "memo:///missing"}));
    let unknown = bridge.call_tool(2, "nope", json!({}));
    assert_eq!(unknown["error"]["code"], -32602);
    let no_method = bridge.call(3, "vendor/other", json!({}));
    assert_eq!(no_method["error"]["code"], -32601);
    server.forgive();
    bridge.finish();
}

#[test]
fn a_result_of_an_unknown_kind_is_an_error() {
    let server = ModernServer::builder().quirk(Quirk::UnknownResultType).run();
    let mut bridge = opened(&server, json!({}));
    let answer = bridge.call_tool(1, "echo", json!({}));
    assert!(answer["error"]["message"].as_str().unwrap().contains("perhaps"), "{answer}");
    bridge.finish();
}

// --- questions ---

fn ask(rounds: Value) -> Value {
    json!({"name": "ask", "arguments": {"rounds": rounds}})
}

fn answers(answer: &Value) -> Value {
    let text = answer["result"]["content"][0]["text"].as_str();
    serde_json::from_str(text.unwrap_or_else(|| panic!("a result: {answer}"))).unwrap()
}

#[test]
fn questions_become_requests_that_the_client_knows() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    let rounds = json!([
        questions::at_once([
            questions::form("name"),
            questions::sampling("capital"),
            questions::roots("roots"),
        ]),
        questions::url("page"),
    ]);
    bridge.request(1, "tools/call", ask(rounds));
    let form = bridge.expect_method("elicitation/create");
    assert_eq!(form["params"]["message"], "Which name?");
    let sampling = bridge.expect_method("sampling/createMessage");
    let roots = bridge.expect_method("roots/list");
    bridge.respond(roots["id"].clone(), json!({"roots": []}));
    bridge.respond(form["id"].clone(), json!({"action": "accept", "content": {"name": "n"}}));
    let said =
        json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "Paris"}});
    bridge.respond(sampling["id"].clone(), said.clone());
    let page = bridge.expect_method("elicitation/create");
    assert_eq!(page["params"]["url"], "https://example.com/visit?a=1");
    assert!(page["params"]["elicitationId"].is_string(), "{page}");
    bridge.respond(page["id"].clone(), json!({"action": "accept"}));
    let answer = bridge.expect_response(1);
    let first = json!({
        "name": {"action": "accept", "content": {"name": "n"}},
        "capital": said,
        "roots": {"roots": []},
    });
    assert_eq!(answers(&answer), json!([first, {"page": {"action": "accept"}}]));
    assert_eq!(server.count("tools/call"), 3);
    bridge.finish();
}

#[test]
fn prompts_and_resources_ask_too() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    for (id, method, params) in [
        (1, "prompts/get", json!({"name": "ask"})),
        (2, "resources/read", json!({"uri": "memo:///guarded"})),
    ] {
        bridge.request(id, method, params);
        let question = bridge.expect_method("elicitation/create");
        bridge.respond(question["id"].clone(), json!({"action": "decline"}));
        let answer = bridge.expect_response(id);
        assert!(answer["result"].to_string().contains("decline"), "{answer}");
    }
    bridge.finish();
}

#[test]
fn a_server_that_only_wants_to_be_asked_again_is_asked_again() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    let answer = bridge.call(1, "tools/call", ask(json!([{}, {}])));
    assert_eq!(answers(&answer), json!([{}, {}]));
    assert_eq!(server.count("tools/call"), 3);
    bridge.finish();
}

#[test]
fn a_server_that_keeps_no_state_gets_none() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    let arguments = json!({"rounds": [questions::roots("r")], "stateless": true});
    bridge.request(1, "tools/call", json!({"name": "ask", "arguments": arguments}));
    let roots = bridge.expect_method("roots/list");
    bridge.respond(roots["id"].clone(), json!({"roots": []}));
    assert_eq!(answers(&bridge.expect_response(1)), json!([{"r": {"roots": []}}]));
    bridge.finish();
}

#[test]
fn an_error_of_the_client_ends_the_request_and_takes_the_other_questions_back() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    let both = questions::at_once([questions::form("a"), questions::roots("b")]);
    bridge.request(1, "tools/call", ask(json!([both])));
    let form = bridge.expect_method("elicitation/create");
    let roots = bridge.expect_method("roots/list");
    let error = json!({"code": -7, "message": "nobody is here", "data": [1]});
    bridge.send(json!({"jsonrpc": "2.0", "id": form["id"], "error": error}).to_string());
    assert_eq!(bridge.expect_response(1)["error"], error);
    let cancelled = bridge.expect_method("notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], roots["id"]);
    bridge.respond(roots["id"].clone(), json!({"roots": []}));
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "a"}))["result"], text("a"));
    bridge.finish();
}

#[test]
fn what_the_client_did_not_declare_is_an_error_that_says_so() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({"elicitation": {}}));
    let question = json!({"resultType": "input_required", "inputRequests": questions::roots("r")});
    server.once("tools/call", Answer::result(question));
    let answer = bridge.call_tool(1, "echo", json!({}));
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.contains("did not declare") && words.contains("roots"), "{answer}");
    // A server that knows the capabilities says so itself.
    let answer = bridge.call(2, "tools/call", ask(json!([questions::sampling("s")])));
    assert_eq!(answer["error"]["code"], -32603);
    assert_eq!(answer["error"]["message"], "Missing required client capability");
    bridge.finish();
}

#[test]
fn a_cancelled_request_takes_its_questions_back() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    bridge.request(1, "tools/call", ask(json!([questions::form("a")])));
    let form = bridge.expect_method("elicitation/create");
    bridge.notify("notifications/cancelled", json!({"requestId": 1}));
    let cancelled = bridge.expect_method("notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], form["id"]);
    bridge.respond(form["id"].clone(), json!({"action": "cancel"}));
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "a"}))["result"], text("a"));
    assert_eq!(server.count("tools/call"), 2);
    bridge.finish();
}

#[test]
fn a_request_that_waits_for_a_person_does_not_time_out() {
    let server = ModernServer::run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--tool-timeout", "300ms"]).spawn();
    bridge.initialize_with(all());
    bridge.request(1, "tools/call", ask(json!([questions::form("a")])));
    let form = bridge.expect_method("elicitation/create");
    // A call of the same kind meets its time-out meanwhile.
    bridge.request(2, "tools/call", json!({"name": "wait", "arguments": {"gate": "never"}}));
    let timed_out = bridge.expect_response(2);
    assert!(timed_out["error"]["message"].as_str().unwrap().contains("no answer"), "{timed_out}");
    bridge.respond(form["id"].clone(), json!({"action": "decline"}));
    assert_eq!(answers(&bridge.expect_response(1)), json!([{"a": {"action": "decline"}}]));
    bridge.finish();
}

#[test]
fn a_server_that_never_has_enough_is_given_up() {
    let server = ModernServer::builder().quirk(Quirk::AsksForEver).run();
    let mut bridge = opened(&server, all());
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {}}));
    for _ in 0..16 {
        let form = bridge.expect_method("elicitation/create");
        bridge.respond(form["id"].clone(), json!({"action": "decline"}));
    }
    let answer = bridge.expect_response(1);
    assert!(answer["error"]["message"].as_str().unwrap().contains("16 times"), "{answer}");
    assert_eq!(server.count("tools/call"), 17);
    bridge.finish();
}

#[test]
fn an_error_after_a_question_is_the_answer_whatever_it_says() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    bridge.request(1, "tools/call", ask(json!([questions::form("a")])));
    let form = bridge.expect_method("elicitation/create");
    server.once("tools/call", Answer::error(-32000, "The index is not initialized"));
    bridge.respond(form["id"].clone(), json!({"action": "decline"}));
    let error = bridge.expect_response(1)["error"].take();
    assert_eq!(error["message"], "The index is not initialized");
    assert_eq!((server.count("tools/call"), server.count("initialize")), (2, 1));
    bridge.finish();
}

#[test]
fn of_two_answers_the_first_counts() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    let question = json!({"resultType": "input_required", "inputRequests": questions::form("a")});
    let early = json!({"resultType": "complete", "content": []});
    let both = [Step::result(question.clone()), Step::result(early.clone())];
    let batch = json!([
        {"jsonrpc": "2.0", "id": 2, "result": question},
        {"jsonrpc": "2.0", "id": 2, "result": early},
    ]);
    for (id, twice) in [(1, Answer::stream(both)), (2, Answer::json(batch.to_string()))] {
        server.once("tools/call", twice);
        let arguments = json!({"rounds": [questions::form("a")], "stateless": true});
        bridge.request(id, "tools/call", json!({"name": "ask", "arguments": arguments}));
        let form = bridge.expect_method("elicitation/create");
        bridge.respond(form["id"].clone(), json!({"action": "decline"}));
        assert_eq!(answers(&bridge.expect_response(id)), json!([{"a": {"action": "decline"}}]));
    }
    bridge.finish();
}

// --- what comes on the way ---

#[test]
fn progress_goes_on_from_one_attempt_to_the_next() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    let report = |progress: f64| {
        let params = json!({"progressToken": "t", "progress": progress});
        Step::notification("notifications/progress", params)
    };
    let again = json!({"resultType": "input_required", "requestState": "s"});
    server.once("tools/call", Answer::stream([report(1.0), report(5.0), Step::result(again)]));
    let done = json!({"resultType": "complete", "content": []});
    server.once("tools/call", Answer::stream([report(2.0), report(6.0), Step::result(done)]));
    let call = json!({"name": "echo", "arguments": {}, "_meta": {"progressToken": "t"}});
    bridge.request(1, "tools/call", call);
    for expected in [1.0, 5.0, 6.0] {
        let told = bridge.expect_method("notifications/progress");
        assert_eq!(told["params"]["progress"], expected);
        assert_eq!(told["params"]["progressToken"], "t");
    }
    assert_eq!(bridge.expect_response(1)["result"], json!({"content": []}));
    server.forgive();
    bridge.finish();
}

#[test]
fn arguments_are_mirrored_in_headers() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    let arguments = json!({"region": "eu", "count": 3});
    let answer = bridge.call_tool(1, "route", arguments.clone());
    assert_eq!(answer["result"], text(&arguments.to_string()));
    bridge.finish();
}

#[test]
fn a_cancelled_request_closes_its_stream() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    bridge.request(1, "tools/call", json!({"name": "wait", "arguments": {"gate": "g"}}));
    server.wait_for("tools/call");
    bridge.notify("notifications/cancelled", json!({"requestId": 1}));
    server.wait_until_abandoned("tools/call");
    assert_eq!(server.count("notifications/cancelled"), 0);
    bridge.finish();
}

// --- what changes ---

#[test]
fn changes_are_told_as_in_the_legacy_era() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    server.wait_for_listener("toolsListChanged");
    server.change_tools(json!([]));
    let told = bridge.expect_line();
    assert_eq!(
        serde_json::from_str::<Value>(&told).unwrap(),
        json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {}})
    );
    bridge.finish();
}

#[test]
fn a_resource_is_listened_to_as_soon_as_the_client_subscribes() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    server.wait_for_listener("toolsListChanged");
    let uri = "memo:///1";
    assert_eq!(bridge.call(1, "resources/subscribe", json!({"uri": uri}))["result"], json!({}));
    let listen = server.wait_for_listener(uri);
    server.update_resource(uri);
    let told = bridge.expect_method("notifications/resources/updated");
    assert_eq!(told["params"], json!({"uri": uri}));
    assert_eq!(bridge.call(2, "resources/unsubscribe", json!({"uri": uri}))["result"], json!({}));
    server.wait_until_over(&listen);
    assert_eq!(server.listens(), 3);
    assert!(bridge.unread().is_empty(), "nothing was missed on the way");
    bridge.finish();
}

#[test]
fn what_was_missed_while_the_stream_was_broken_is_told() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, json!({}));
    bridge.call(1, "resources/subscribe", json!({"uri": "memo:///1"}));
    let listen = server.wait_for_listener("memo:///1");
    listen.break_off();
    let mut told: Vec<_> =
        (0..4).map(|_| bridge.expect_message()["method"].as_str().unwrap().to_owned()).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "notifications/prompts/list_changed",
            "notifications/resources/list_changed",
            "notifications/resources/updated",
            "notifications/tools/list_changed",
        ]
    );
    bridge.finish();
}

#[test]
fn a_server_that_tells_of_no_changes_is_asked_once() {
    let server = ModernServer::builder().quirk(Quirk::RefusesListen).run();
    server.allow("subscriptions/listen");
    let mut bridge = opened(&server, json!({}));
    server.wait_for("subscriptions/listen");
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
    assert_eq!(server.count("subscriptions/listen"), 1);
    server.forgive();
    bridge.finish();
}

#[test]
fn a_late_answer_to_a_question_of_a_lost_session_is_not_taken_for_one_to_a_new_question() {
    let server = ModernServer::run();
    let mut bridge = opened(&server, all());
    bridge.request(1, "tools/call", ask(json!([questions::form("a")])));
    let old = bridge.expect_method("elicitation/create")["id"].take();
    let refusal = Answer::error(-32000, "Bad Request: Unsupported protocol version: 2026-07-28");
    server.once(matcher::tool("echo"), refusal.with_status(400).not_executed());
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "a"}))["result"], text("a"));
    assert_eq!(server.count("server/discover"), 2, "another session");
    bridge.request(3, "tools/call", ask(json!([questions::form("b")])));
    let question = bridge.next_message_where("the new question", |message| {
        message["params"]["message"] == "Which b?"
    });
    assert_ne!(question["id"], old);
    bridge.respond(old, json!({"action": "accept", "content": {"a": "x"}}));
    bridge.respond(question["id"].clone(), json!({"action": "decline"}));
    let answer = bridge.expect_response(3);
    assert_eq!(answers(&answer), json!([{"b": {"action": "decline"}}]));
    bridge.finish();
}
