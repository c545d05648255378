//! Questions of the server in mid-call, which are answers to the client until it comes back with its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{asked, asking, bridge, everything, params, server, tool_got};
use crate::support::mcp_server::matcher::{response, tool};
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, McpServer, Step};

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
fn a_state_that_was_tampered_with_or_is_of_another_call_is_refused_and_stays_good() {
    let server = server();
    let mut bridge = bridge(&server);
    let arguments = json!({"method": "roots/list", "params": {}});
    let held = |bridge: &mut BridgeProcess, id: i32| {
        let (inputs, state) =
            asked(&bridge.call(id, "tools/call", asking(arguments.clone(), json!({}))));
        let key = inputs.as_object().unwrap().keys().next().unwrap().clone();
        (key, state.as_str().expect("a text").to_owned())
    };
    let (key, state) = held(&mut bridge, 1);
    let (_, other) = held(&mut bridge, 2);
    let retry = |name: &str, arguments: &Value, state: &str| {
        let more = json!({"inputResponses": {&key: {"roots": []}}, "requestState": state});
        let mut retry = asking(arguments.clone(), more);
        retry["name"] = json!(name);
        retry
    };
    let half = state.len() / 2;
    let flipped = if state.as_bytes()[half] == b'A' { "B" } else { "A" };
    let spliced = format!("{}{}", &state[..half], &other[half..]);
    for tampered in [
        format!("{}{flipped}{}", &state[..half], &state[half + 1..]),
        spliced,
        state[..half].to_owned(),
        format!("{state}="),
        String::new(),
    ] {
        let answer = bridge.call(3, "tools/call", retry("ask", &arguments, &tampered));
        assert_eq!(answer["error"]["code"], -32602, "{tampered}: {answer}");
    }
    for no_text in [json!(7), json!({}), json!(["x"]), json!(true)] {
        let mut retry = retry("ask", &arguments, "");
        retry["requestState"] = no_text;
        let answer = bridge.call(4, "tools/call", retry);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    for of_another in [
        ("tools/call", retry("echo", &arguments, &state)),
        ("tools/call", retry("ask", &json!({"method": "ping"}), &state)),
        ("prompts/get", retry("ask", &arguments, &state)),
    ] {
        let answer = bridge.call(5, of_another.0, of_another.1);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    for (id, state) in [(6, &state), (7, &other)] {
        tool_got(&bridge.call(id, "tools/call", retry("ask", &arguments, state)));
    }
    assert_eq!((server.count("tools/call"), server.executions("ask")), (2, 2));
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
