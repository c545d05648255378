//! A modern client and a legacy server: what no client asks for, a session, is there all the same.

mod misfortune;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::mcp_server::matcher::{delete, get, response, tool};
use crate::support::mcp_server::text;
use crate::support::sse_server::SseServer;
use crate::support::{Answer, BridgeProcess, Lost, McpServer, Step};

const META: &str = "io.modelcontextprotocol";

/// Parameters with what a modern client says of itself.
fn params(capabilities: Value, params: Value) -> Value {
    let mut params = params;
    let meta = json!({
        format!("{META}/protocolVersion"): "2026-07-28",
        format!("{META}/clientInfo"): {"name": "modern", "version": "9"},
        format!("{META}/clientCapabilities"): capabilities,
    });
    let own = params["_meta"].as_object().cloned().unwrap_or_default();
    let mut meta = meta.as_object().unwrap().clone();
    meta.extend(own);
    params["_meta"] = Value::Object(meta);
    params
}

fn everything() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}})
}

fn asking(arguments: Value, more: Value) -> Value {
    let mut call = json!({"name": "ask", "arguments": arguments});
    call.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    params(everything(), call)
}

fn server() -> McpServer {
    McpServer::legacy().allow("server/discover").run()
}

fn bridge(server: &McpServer) -> BridgeProcess {
    BridgeProcess::to(server.url()).spawn()
}

/// The questions of an answer, and the state that goes with them.
#[track_caller]
fn asked(answer: &Value) -> (Value, Value) {
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    (answer["result"]["inputRequests"].clone(), answer["result"]["requestState"].clone())
}

/// What the tool `ask` got as the answer to its question.
#[track_caller]
fn tool_got(answer: &Value) -> Value {
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    let text = answer["result"]["content"][0]["text"].as_str().expect("a text");
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_client_of_both_eras_is_told_to_fall_back_and_gets_a_plain_session() {
    let server = server();
    let mut bridge = bridge(&server);
    let answer = bridge.call("d", "server/discover", params(json!({}), json!({})));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    bridge.initialize();
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
    assert_eq!((server.sessions(), server.count("server/discover")), (1, 1));
    bridge.finish();
}

#[test]
fn a_client_that_goes_on_gets_a_session_that_it_does_not_see() {
    let server = server();
    let mut bridge = bridge(&server);
    let list = bridge.call(1, "tools/list", params(json!({}), json!({})))["result"].take();
    assert_eq!(list["resultType"], "complete");
    assert_eq!((&list["ttlMs"], &list["cacheScope"]), (&json!(0), &json!("private")));
    assert_eq!(list["_meta"][format!("{META}/serverInfo")]["name"], "scripted");
    assert_eq!(list["tools"][0]["name"], "echo");
    let call = params(json!({}), json!({"name": "echo", "arguments": {"text": "hi"}}));
    let result = bridge.call(2, "tools/call", call)["result"].take();
    assert_eq!(result["content"], text("hi")["content"]);
    assert!(result.get("ttlMs").is_none(), "{result}");
    let sent = &server.requests_of("tools/call")[0];
    assert_eq!(sent.params(), json!({"name": "echo", "arguments": {"text": "hi"}}));
    assert_eq!(sent.session(), Some("canary-session-1"));
    let hello = &server.requests_of("initialize")[0].params();
    assert_eq!(hello["clientInfo"], json!({"name": "modern", "version": "9"}));
    assert_eq!(hello["protocolVersion"], "2025-11-25");
    assert_eq!(server.count("server/discover"), 1);
    bridge.finish();
    server.wait_for(delete());
}

#[test]
fn a_discovery_of_a_client_that_went_on_is_answered_from_the_handshake() {
    let server = server();
    let mut bridge = bridge(&server);
    bridge.call(1, "tools/list", params(json!({}), json!({})));
    let found = bridge.call(2, "server/discover", params(json!({}), json!({})))["result"].take();
    assert_eq!(found["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(found["capabilities"]["tools"], json!({"listChanged": true}));
    assert_eq!(found["instructions"], "Anything goes.");
    assert_eq!((&found["ttlMs"], &found["cacheScope"]), (&json!(0), &json!("private")));
    bridge.finish();
}

#[test]
fn a_client_that_is_said_to_be_modern_is_answered_at_once() {
    let server = server();
    let mut bridge = BridgeProcess::to(server.url()).args(["--client-protocol", "modern"]).spawn();
    let found = bridge.call(1, "server/discover", params(json!({}), json!({})))["result"].take();
    assert_eq!(found["resultType"], "complete");
    assert_eq!(server.sessions(), 1);
    bridge.finish();
}

#[test]
fn requests_that_come_together_share_a_handshake_and_other_capabilities_have_their_own() {
    let server = server();
    let mut bridge = bridge(&server);
    for id in 0..20 {
        let capabilities = if id % 2 == 0 { json!({}) } else { json!({"roots": {}}) };
        let call = params(capabilities, json!({"name": "echo", "arguments": {"text": "x"}}));
        bridge.request(id, "tools/call", call);
    }
    for id in 0..20 {
        assert_eq!(bridge.expect_response(id)["result"]["content"], text("x")["content"]);
    }
    assert_eq!((server.sessions(), server.executions("echo")), (2, 20));
    assert_eq!(server.count("server/discover"), 1);
    let declared: Vec<Value> = server
        .requests_of("initialize")
        .iter()
        .map(|it| it.params()["capabilities"].clone())
        .collect();
    assert!(declared.contains(&json!({})) && declared.contains(&json!({"roots": {}})));
    bridge.finish();
}

#[test]
fn the_session_not_used_for_longest_ends_for_a_fifth() {
    let server = server();
    let mut bridge = bridge(&server);
    for number in 0..5 {
        let capabilities = json!({"experimental": {format!("x{number}"): {}}});
        bridge.call(number, "tools/list", params(capabilities, json!({})));
    }
    assert_eq!(server.wait_for(delete()).session(), Some("canary-session-1"));
    assert_eq!((server.sessions(), server.count(delete())), (5, 1));
    bridge.finish();
}

#[test]
fn a_lost_session_is_opened_again_and_nobody_notices() {
    for how in Lost::ALL {
        let server = server();
        let mut bridge = bridge(&server);
        let echo = || params(json!({}), json!({"name": "echo", "arguments": {"text": "a"}}));
        bridge.call(1, "tools/call", echo());
        server.lose_sessions(how);
        let answer = bridge.call(2, "tools/call", echo());
        assert_eq!(answer["result"]["content"], text("a")["content"], "{how:?}: {answer}");
        assert_eq!((server.sessions(), server.executions("echo")), (2, 2), "{how:?}");
        bridge.finish();
    }
}

#[test]
fn a_question_in_mid_call_is_an_answer_and_the_retry_goes_on_with_the_call() {
    let server = server();
    let mut bridge = bridge(&server);
    let form = json!({"message": "Who?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}});
    let arguments = json!({"method": "elicitation/create", "params": form});
    let (inputs, state) =
        asked(&bridge.call(1, "tools/call", asking(arguments.clone(), json!({}))));
    let (key, input) = inputs.as_object().unwrap().iter().next().unwrap();
    assert_eq!(*input, json!({"method": "elicitation/create", "params": form}));
    let answers = json!({key: {"action": "accept", "content": {"name": "Ada"}}});
    let retry = asking(arguments, json!({"inputResponses": answers, "requestState": state}));
    let answer = bridge.call(2, "tools/call", retry);
    assert_eq!(tool_got(&answer)["result"]["content"]["name"], "Ada");
    assert_eq!((server.count("tools/call"), server.executions("ask")), (1, 1));
    bridge.finish();
}

#[test]
fn sampling_and_roots_are_asked_too() {
    let server = server();
    let mut bridge = bridge(&server);
    let sampling = json!({"messages": [], "maxTokens": 5});
    for (id, method, question, answer) in [
        (
            1,
            "sampling/createMessage",
            sampling,
            json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "x"}}),
        ),
        (3, "roots/list", json!({}), json!({"roots": [{"uri": "file:///a"}]})),
    ] {
        let arguments = json!({"method": method, "params": question});
        let (inputs, state) =
            asked(&bridge.call(id, "tools/call", asking(arguments.clone(), json!({}))));
        let (key, input) = inputs.as_object().unwrap().iter().next().unwrap();
        assert_eq!(input["method"], method);
        let more = json!({"inputResponses": {key: answer}, "requestState": state});
        let got = bridge.call(id + 1, "tools/call", asking(arguments, more));
        assert_eq!(tool_got(&got)["result"], answer);
    }
    bridge.finish();
}

#[test]
fn what_the_client_did_not_declare_is_not_asked() {
    let server = server();
    let mut bridge = bridge(&server);
    let call = json!({"name": "ask", "arguments": {"method": "roots/list", "params": {}}});
    let answer = bridge.call(1, "tools/call", params(json!({"sampling": {}}), call));
    assert_eq!(tool_got(&answer)["error"]["code"], -32601);
    bridge.finish();
}

#[test]
fn questions_that_come_together_are_asked_together_and_a_missing_answer_again() {
    let steps = [
        Step::ask("q1", "roots/list", json!({})),
        Step::ask(
            "q2",
            "elicitation/create",
            json!({"message": "m", "requestedSchema": {"type": "object", "properties": {}}}),
        ),
        Step::await_answer("q1"),
        Step::await_answer("q2"),
        Step::result(text("done")),
    ];
    let server =
        McpServer::legacy().allow("server/discover").once(tool("ask"), Answer::stream(steps)).run();
    let mut bridge = bridge(&server);
    let (mut inputs, mut state) =
        asked(&bridge.call(0, "tools/call", asking(json!({}), json!({}))));
    let mut answered = BTreeSet::new();
    for id in 1..9 {
        // One at a time, whatever was asked.
        let (key, input) = inputs.as_object().unwrap().iter().next().unwrap();
        answered.insert(input["method"].as_str().unwrap().to_owned());
        let own = if input["method"] == "roots/list" {
            json!({"roots": []})
        } else {
            json!({"action": "decline"})
        };
        let more = json!({"inputResponses": {key: own}, "requestState": state});
        let answer = bridge.call(id, "tools/call", asking(json!({}), more));
        if answer["result"]["resultType"] == "complete" {
            assert_eq!(answer["result"]["content"], text("done")["content"]);
            break;
        }
        (inputs, state) = asked(&answer);
    }
    assert_eq!(answered.len(), 2);
    assert_eq!(server.count("tools/call"), 1);
    bridge.finish();
}

#[test]
fn a_state_is_for_one_request_and_one_retry() {
    let server = server();
    let mut bridge = bridge(&server);
    let arguments = json!({"method": "roots/list", "params": {}});
    let (inputs, state) =
        asked(&bridge.call(1, "tools/call", asking(arguments.clone(), json!({}))));
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let answers = json!({key: {"roots": []}});
    let error = |bridge: &mut BridgeProcess, id: i32, arguments: &Value, state: &Value| {
        let more = json!({"inputResponses": answers, "requestState": state});
        bridge.call(id, "tools/call", asking(arguments.clone(), more))["error"].take()
    };
    let forged = error(&mut bridge, 2, &arguments, &json!("forged"));
    assert_eq!(forged["code"], -32602, "{forged}");
    let other = error(&mut bridge, 3, &json!({"method": "roots/list"}), &state);
    assert_eq!(other["code"], -32602, "{other}");
    let more = json!({"inputResponses": answers, "requestState": state});
    tool_got(&bridge.call(4, "tools/call", asking(arguments.clone(), more)));
    let again = error(&mut bridge, 5, &arguments, &state);
    assert!(again["message"].as_str().unwrap().contains("the outcome is unknown"), "{again}");
    assert_eq!(server.executions("ask"), 1);
    bridge.finish();
}

#[test]
fn after_a_restart_the_outcome_is_unknown_and_nothing_is_called_twice() {
    let server = server();
    let arguments = json!({"method": "roots/list", "params": {}});
    let mut first = bridge(&server);
    let (inputs, state) = asked(&first.call(1, "tools/call", asking(arguments.clone(), json!({}))));
    first.finish();
    let mut second = bridge(&server);
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let more = json!({"inputResponses": {key: {"roots": []}}, "requestState": state});
    let answer = second.call(2, "tools/call", asking(arguments, more));
    let words = answer["error"]["message"].as_str().unwrap();
    assert!(words.contains("the outcome is unknown"), "{words}");
    assert_eq!(server.executions("ask"), 1);
    second.finish();
}

#[test]
fn a_retry_that_is_cancelled_cancels_the_call() {
    let steps = [Step::ask("q", "roots/list", json!({})), Step::await_answer("never")];
    let server =
        McpServer::legacy().allow("server/discover").once(tool("ask"), Answer::stream(steps)).run();
    let mut bridge = bridge(&server);
    let (inputs, state) = asked(&bridge.call("first", "tools/call", asking(json!({}), json!({}))));
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let more = json!({"inputResponses": {key: {"roots": []}}, "requestState": state});
    bridge.request("second", "tools/call", asking(json!({}), more));
    server.wait_for(response());
    bridge.notify("notifications/cancelled", json!({"requestId": "second"}));
    let cancelled = server.wait_for("notifications/cancelled");
    assert_eq!(cancelled.params(), json!({"requestId": "first"}));
    let echo = params(everything(), json!({"name": "echo", "arguments": {"text": "on"}}));
    assert_eq!(bridge.call(3, "tools/call", echo)["result"]["content"], text("on")["content"]);
    bridge.finish();
}

#[test]
fn progress_of_a_call_is_told_by_the_token_of_its_present_attempt() {
    let told = |n: u32| {
        Step::notification("notifications/progress", json!({"progressToken": "one", "progress": n}))
    };
    let steps = [
        told(1),
        Step::ask("q", "roots/list", json!({})),
        Step::await_answer("q"),
        told(2),
        Step::result(text("done")),
    ];
    let server =
        McpServer::legacy().allow("server/discover").once(tool("ask"), Answer::stream(steps)).run();
    let mut bridge = bridge(&server);
    let call = asking(json!({}), json!({"_meta": {"progressToken": "one"}}));
    bridge.request(1, "tools/call", call);
    assert_eq!(bridge.expect_method("notifications/progress")["params"]["progressToken"], "one");
    let (inputs, state) = asked(&bridge.expect_response(1));
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let more = json!({"_meta": {"progressToken": 2}, "inputResponses": {key: {"roots": []}}, "requestState": state});
    bridge.request(2, "tools/call", asking(json!({}), more));
    let progress = bridge.expect_method("notifications/progress")["params"].take();
    assert_eq!((&progress["progressToken"], &progress["progress"]), (&json!(2), &json!(2)));
    bridge.expect_response(2);
    bridge.finish();
}

#[test]
fn log_messages_reach_only_who_asked_for_their_level() {
    let log = |level: &str| {
        Step::notification("notifications/message", json!({"level": level, "data": level}))
    };
    let steps = || Answer::stream([log("debug"), log("error"), Step::result(text("done"))]);
    let server = McpServer::legacy().allow("server/discover").always(tool("echo"), steps()).run();
    let mut bridge = bridge(&server);
    let echo = |meta: Value| params(json!({}), json!({"name": "echo", "_meta": meta}));
    bridge.call(1, "tools/call", echo(json!({})));
    assert_eq!(bridge.unread(), Vec::<String>::new());
    assert_eq!(server.log_level(), None);
    bridge.request(2, "tools/call", echo(json!({format!("{META}/logLevel"): "warning"})));
    assert_eq!(bridge.expect_method("notifications/message")["params"]["level"], "error");
    bridge.expect_response(2);
    assert_eq!(bridge.unread(), Vec::<String>::new());
    assert_eq!(server.log_level().as_deref(), Some("warning"));
    let odd = bridge.call(3, "tools/call", echo(json!({format!("{META}/logLevel"): "loud"})));
    assert_eq!(odd["error"]["code"], -32602);
    bridge.finish();
}

fn listening(notifications: Value) -> Value {
    params(json!({}), json!({ "notifications": notifications }))
}

#[test]
fn changes_are_told_to_each_subscription_that_asked_for_them() {
    let server = server();
    let mut bridge = bridge(&server);
    let listen = "subscriptions/listen";
    bridge.request(
        "a",
        listen,
        listening(json!({"toolsListChanged": true, "resourceSubscriptions": ["memo:///1"]})),
    );
    let acknowledged = "notifications/subscriptions/acknowledged";
    let first = bridge.expect_method(acknowledged)["params"].take();
    assert_eq!(first["_meta"][format!("{META}/subscriptionId")], "a");
    let agreed = json!({"toolsListChanged": true, "resourceSubscriptions": ["memo:///1"]});
    assert_eq!(first["notifications"], agreed);
    bridge.request(
        7,
        listen,
        listening(json!({"resourceSubscriptions": ["memo:///1", "memo:///2"]})),
    );
    let second = bridge.expect_method(acknowledged)["params"].take();
    assert_eq!(second["_meta"][format!("{META}/subscriptionId")], 7);
    assert_eq!(server.count("resources/subscribe"), 2);
    let changed = "notifications/tools/list_changed";
    server.push(&json!({"jsonrpc": "2.0", "method": changed}));
    let told = bridge.expect_method(changed)["params"].take();
    assert_eq!(told, json!({"_meta": {format!("{META}/subscriptionId"): "a"}}));
    let updated = "notifications/resources/updated";
    server.push(&json!({"jsonrpc": "2.0", "method": updated, "params": {"uri": "memo:///1"}}));
    let ids: Vec<Value> = (0..2)
        .map(|_| {
            bridge.expect_method(updated)["params"]["_meta"][format!("{META}/subscriptionId")]
                .take()
        })
        .collect();
    assert!(ids.contains(&json!("a")) && ids.contains(&json!(7)), "{ids:?}");
    bridge.notify("notifications/cancelled", json!({"requestId": 7}));
    let left = server.wait_for("resources/unsubscribe").params();
    assert_eq!(left, json!({"uri": "memo:///2"}));
    bridge.finish();
    assert_eq!(server.count("resources/unsubscribe"), 1);
}

#[test]
fn after_a_lost_session_each_subscription_is_told_that_all_may_have_changed() {
    let server = server();
    let mut bridge = bridge(&server);
    let filter = json!({"toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["memo:///1"]});
    bridge.request(1, "subscriptions/listen", listening(filter));
    bridge.expect_method("notifications/subscriptions/acknowledged");
    server.wait_for_get_stream();
    server.lose_sessions(Lost::NotFound);
    bridge.expect_method("notifications/tools/list_changed");
    bridge.expect_method("notifications/prompts/list_changed");
    let updated = bridge.expect_method("notifications/resources/updated");
    assert_eq!(updated["params"]["uri"], "memo:///1");
    server.wait_for_nth(2, get());
    assert_eq!((server.sessions(), server.count("resources/subscribe")), (2, 2));
    bridge.finish();
}

#[test]
fn a_question_on_the_stream_of_the_session_goes_to_the_one_call_that_can_carry_it() {
    let server = server();
    let mut bridge = bridge(&server);
    bridge.call(1, "tools/list", params(everything(), json!({})));
    server.ask("nobody", "roots/list", json!({}));
    assert_eq!(server.answer_to("nobody")["error"]["code"], -32601);
    let gate = server.gate("g");
    let wait = json!({"name": "wait", "arguments": {"gate": "g"}});
    bridge.request(2, "tools/call", params(everything(), wait.clone()));
    server.wait_for(tool("wait"));
    server.ask("one", "roots/list", json!({}));
    let (inputs, state) = asked(&bridge.expect_response(2));
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let mut retry = params(everything(), wait);
    retry["inputResponses"] = json!({key: {"roots": []}});
    retry["requestState"] = state;
    bridge.request(3, "tools/call", retry);
    assert_eq!(server.answer_to("one")["result"], json!({"roots": []}));
    gate.open();
    assert_eq!(bridge.expect_response(3)["result"]["content"], text("waited")["content"]);
    server.ask("ping", "ping", json!({}));
    assert_eq!(server.answer_to("ping")["result"], json!({}));
    bridge.finish();
}

#[test]
fn pages_to_be_visited_first_are_asked_for_and_the_call_is_made_anew() {
    let error = json!({"code": -32042, "message": "visit", "data": {"elicitations": [
        {"mode": "url", "elicitationId": "e", "url": "https://a.example/", "message": "m"}
    ]}});
    let refusal = Answer::response(move |request| {
        format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, request.rpc_id().unwrap())
    });
    let server = McpServer::legacy()
        .allow("server/discover")
        .times(3, tool("echo"), refusal.not_executed())
        .run();
    let mut bridge = bridge(&server);
    let echo = |more: Value, capabilities: Value| {
        let mut call = json!({"name": "echo", "arguments": {"text": "hi"}});
        call.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        params(capabilities, call)
    };
    let without = bridge.call(1, "tools/call", echo(json!({}), json!({})));
    assert_eq!(without["error"]["code"], -32021, "{without}");
    let (inputs, state) = asked(&bridge.call(2, "tools/call", echo(json!({}), everything())));
    assert_eq!(state, Value::Null);
    let (key, input) = inputs.as_object().unwrap().iter().next().unwrap();
    assert_eq!(
        input["params"],
        json!({"mode": "url", "url": "https://a.example/", "message": "m"})
    );
    let answers = |action: &str| json!({"inputResponses": {key: {"action": action}}});
    let declined = bridge.call(3, "tools/call", echo(answers("decline"), everything()));
    assert_eq!(declined["error"]["code"], -32602, "{declined}");
    asked(&bridge.call(4, "tools/call", echo(answers("accept"), everything())));
    let done = bridge.call(5, "tools/call", echo(answers("accept"), everything()));
    assert_eq!(done["result"]["content"], text("hi")["content"]);
    bridge.finish();
}

#[test]
fn errors_and_tasks_are_told_in_the_words_of_the_modern_era() {
    let server = McpServer::legacy()
        .allow("server/discover")
        .once("resources/read", Answer::error(-32002, "Resource not found"))
        .run();
    let mut bridge = bridge(&server);
    let answer = bridge.call(1, "resources/read", params(json!({}), json!({"uri": "memo:///9"})));
    assert_eq!(answer["error"], json!({"code": -32602, "message": "Resource not found"}));
    let task = bridge.call(2, "tasks/get", params(json!({}), json!({"taskId": "t"})));
    assert_eq!(task["error"]["code"], -32601);
    assert_eq!(server.count("tasks/get"), 0);
    bridge.finish();
}

#[test]
fn an_id_is_free_again_while_its_call_is_held() {
    let server = server();
    let mut bridge = bridge(&server);
    let arguments = json!({"method": "roots/list", "params": {}});
    let (inputs, state) =
        asked(&bridge.call(1, "tools/call", asking(arguments.clone(), json!({}))));
    let echo = params(everything(), json!({"name": "echo", "arguments": {"text": "hi"}}));
    let answer = bridge.call(1, "tools/call", echo);
    assert_eq!(answer["result"]["content"], text("hi")["content"]);
    let key = inputs.as_object().unwrap().keys().next().unwrap();
    let more = json!({"inputResponses": {key: {"roots": []}}, "requestState": state});
    tool_got(&bridge.call(1, "tools/call", asking(arguments, more)));
    bridge.finish();
}

#[test]
fn a_stream_of_the_session_that_was_cut_is_a_gap_for_each_subscription() {
    let server = server();
    let mut bridge = bridge(&server);
    let filter = json!({"toolsListChanged": true});
    bridge.request(1, "subscriptions/listen", listening(filter));
    bridge.expect_method("notifications/subscriptions/acknowledged");
    server.cut_get_stream();
    let told = bridge.expect_method("notifications/tools/list_changed");
    assert_eq!(told["params"]["_meta"][format!("{META}/subscriptionId")], 1);
    assert_eq!(server.sessions(), 1);
    bridge.finish();
}

#[test]
fn a_server_of_the_older_transport_is_worked_with_too() {
    let server = SseServer::builder().run();
    let mut bridge = BridgeProcess::to(server.url()).spawn();
    let echo = || params(json!({}), json!({"name": "echo", "arguments": {}}));
    let answer = bridge.call(1, "tools/call", echo());
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    server.cut_streams();
    let answer = bridge.call(2, "tools/call", echo());
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    assert_eq!((server.sessions(), server.executions()), (2, 2));
    bridge.finish();
}

#[test]
fn tools_are_filtered_for_a_modern_client_too() {
    let server = server();
    let mut bridge = BridgeProcess::to(server.url()).arg("--read-only").spawn();
    let note = |name: &str| params(json!({}), json!({"name": name, "arguments": {}}));
    let read = bridge.call(1, "tools/call", note("read_note"));
    assert_eq!(read["result"]["content"], text("done")["content"], "{read}");
    let written = bridge.call(2, "tools/call", note("set_note"));
    assert_eq!(written["error"]["data"]["kind"], "blocked", "{written}");
    assert_eq!((server.executions("read_note"), server.executions("set_note")), (1, 0));
    bridge.finish();
}

#[test]
fn a_server_that_is_down_at_first_is_found_when_it_is_up() {
    let server = McpServer::legacy().allow("server/discover").run_stopped();
    let mut bridge = bridge(&server);
    let echo = || params(json!({}), json!({"name": "echo", "arguments": {"text": "hi"}}));
    let failed = bridge.call(1, "tools/call", echo());
    assert_eq!(failed["error"]["data"]["kind"], "unreachable", "{failed}");
    server.start();
    assert_eq!(bridge.call(2, "tools/call", echo())["result"]["content"], text("hi")["content"]);
    bridge.finish();
}

#[test]
fn a_server_that_is_no_longer_what_it_was_is_asked_again() {
    let server = server();
    let mut first = bridge(&server);
    first.call(1, "tools/list", params(json!({}), json!({})));
    let home = first.home().to_owned();
    let second = BridgeProcess::to(server.url()).home_of(&first);
    first.finish();
    let folder = home.join("xdg/cache_home/mcp-bridge/servers");
    let files =
        std::fs::read_dir(folder).expect("what is remembered").map(|file| file.unwrap().path());
    let facts = files.filter(|file| file.extension().is_some_and(|kind| kind == "facts"));
    for file in facts {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains("modern no"), "{text}");
        std::fs::write(&file, text.replace("modern no", "modern yes")).unwrap();
    }
    server.allow("tools/list");
    let mut second = second.spawn();
    let refused = second.call(1, "tools/list", params(json!({}), json!({})));
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    let list = second.call(2, "tools/list", params(json!({}), json!({})));
    assert_eq!(list["result"]["resultType"], "complete", "{list}");
    second.finish();
}
