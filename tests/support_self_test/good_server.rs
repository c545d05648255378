use serde_json::{Value, json};

use super::client_of;
use crate::support::http_client::HttpClient;
use crate::support::mcp_server::matcher::{get, post, tool};
use crate::support::mcp_server::text;
use crate::support::{Answer, McpServer};

#[test]
fn the_server_gives_each_handshake_a_session() {
    let server = McpServer::legacy().run();
    let answer = HttpClient::to(&server).initialize();
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    HttpClient::to(&server).initialize();
    let sessions: Vec<_> = server
        .requests_of("notifications/initialized")
        .iter()
        .map(|it| it.session().map(str::to_owned))
        .collect();
    assert_eq!(
        sessions,
        [Some("canary-session-1".to_owned()), Some("canary-session-2".to_owned())]
    );
}

#[test]
fn the_server_answers_with_the_version_that_was_asked_for() {
    let server = McpServer::legacy().version("2025-03-26").allow(post()).run();
    let answer = HttpClient::to(&server).initialize();
    assert_eq!(answer["result"]["protocolVersion"], "2025-03-26");
}

#[test]
fn the_server_answers_all_ordinary_requests() {
    let server = McpServer::legacy().unvalidated().run();
    let mut client = client_of(&server);
    let requests = [
        ("ping", json!({}), json!({})),
        ("tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}), text("hi")),
        (
            "resources/read",
            json!({"uri": "memo:///1"}),
            json!({"contents": [{"uri": "memo:///1", "mimeType": "text/plain", "text": "a memo"}]}),
        ),
        ("resources/subscribe", json!({"uri": "memo:///1"}), json!({})),
        ("logging/setLevel", json!({"level": "debug"}), json!({})),
    ];
    for (method, params, result) in requests {
        let answer = client.call(7, method, params).expect("an answer").json();
        assert_eq!(answer, json!({"jsonrpc": "2.0", "id": 7, "result": result}));
    }
    for method in [
        "tools/list",
        "resources/list",
        "prompts/list",
        "prompts/get",
        "resources/templates/list",
        "completion/complete",
    ] {
        let answer = client.call(8, method, Value::Null).expect("an answer").json();
        assert!(answer["result"].is_object(), "{method}: {answer}");
    }
    assert_eq!(server.subscriptions(), ["memo:///1".to_owned()].into());
    assert_eq!(server.log_level().as_deref(), Some("debug"));
}

#[test]
fn the_server_counts_executions_by_tool_and_by_key() {
    let server = McpServer::legacy()
        .once(tool("echo"), Answer::status(503))
        .once(tool("echo"), Answer::status(500).executed())
        .run();
    let mut client = client_of(&server);
    for _ in 0..4 {
        client.call_tool(1, "echo", json!({"key": "a"})).expect("an answer");
    }
    assert_eq!((server.executions("echo"), server.executions("a")), (3, 3));
    assert_eq!(server.most_executions(|key| key == "b"), 0);
    assert_eq!(server.count("tools/call"), 4);
}

#[test]
fn the_script_comes_first_and_is_used_up() {
    let server = McpServer::legacy()
        .times(2, "ping", Answer::error(-1, "not now"))
        .always("ping", Answer::result(json!("always")))
        .run();
    let mut client = client_of(&server);
    server.once("ping", Answer::result(json!("later")));
    let mut ping = || client.call(1, "ping", json!({})).expect("an answer").json();
    assert_eq!(ping()["error"]["message"], "not now");
    assert_eq!(ping()["error"]["code"], -1);
    assert_eq!(ping()["result"], "later");
    assert_eq!(ping()["result"], "always");
    server.always("ping", Answer::result(json!("the latest")));
    assert_eq!(ping()["result"], "the latest");
}

#[test]
fn an_answer_is_made_from_its_request() {
    let server = McpServer::legacy()
        .always_with("ping", |request| async move { Answer::result(json!(request.order)) })
        .run();
    let mut client = client_of(&server);
    assert_eq!(client.call(1, "ping", json!({})).expect("an answer").json()["result"], 2);
}

#[test]
fn requests_are_recorded_as_they_came() {
    let server = McpServer::legacy().run();
    let mut client = client_of(&server);
    client.call(1, "ping", json!({"odd": "ü"})).expect("an answer");
    let request = server.wait_for("ping");
    assert_eq!((request.order, request.connection), (2, 1));
    assert_eq!(request.version, hyper::Version::HTTP_11);
    assert!(request.at > server.wait_for("initialize").at);
    assert_eq!(request.path, "/mcp");
    assert_eq!(request.session(), Some("canary-session-1"));
    assert_eq!(request.header("mcp-protocol-version"), Some("2025-11-25"));
    assert_eq!(request.rpc_id(), Some("1"));
    assert_eq!(
        request.body,
        json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"odd": "ü"}}).to_string()
    );
}

#[test]
fn a_server_can_keep_no_records() {
    let server = McpServer::legacy().without_records().run();
    let mut client = client_of(&server);
    client.call_tool(1, "echo", json!({})).expect("an answer");
    client.call(2, "odd", json!({})).expect("an answer");
    assert!(server.requests().is_empty());
    assert_eq!((server.executions("echo"), server.forgive().len()), (1, 1));
}

#[test]
fn the_tools_can_be_others() {
    let tools = json!([{"name": "one", "inputSchema": {"type": "object"}}]);
    let server = McpServer::legacy().tools(tools.clone()).run();
    let answer = client_of(&server).call(1, "tools/list", json!({})).expect("an answer").json();
    assert_eq!(answer["result"]["tools"], tools);
}

#[test]
fn what_is_pushed_comes_on_the_get_stream() {
    let server = McpServer::legacy().run();
    let mut client = client_of(&server);
    let mut stream = client.get(None).expect("an answer");
    assert_eq!((stream.status, stream.header("content-type")), (200, "text/event-stream"));
    server.push_raw("{\"a\":\n1}");
    assert_eq!(stream.next().expect("a piece").expect("more"), "data: {\"a\":\ndata: 1}\n\n");
    server.push_bytes("data: half");
    assert_eq!(stream.next().expect("a piece").expect("more"), "data: half");
    server.end_get_stream();
    assert_eq!(stream.next().expect("an end"), None);
}

#[test]
fn a_tool_waits_for_its_gate() {
    let server = McpServer::legacy().run();
    let gate = server.gate("now");
    let mut client = client_of(&server);
    let (answer, executed) = std::thread::scope(|scope| {
        let call = scope.spawn(|| client.call_tool(1, "wait", json!({"gate": "now"})));
        server.wait_for_executions("wait", 1);
        let executed = server.executions("wait");
        gate.open();
        (call.join().expect("no panic").expect("an answer").json(), executed)
    });
    assert_eq!((answer["result"].clone(), executed), (text("waited"), 1));
}

#[test]
fn a_tool_asks_the_client_and_takes_its_answer() {
    let server = McpServer::legacy().run();
    let mut client = client_of(&server);
    let mut asking =
        client.call_tool(1, "ask", json!({"method": "roots/list"})).expect("an answer");
    let question = asking.next().expect("a piece").expect("more");
    assert_eq!(
        question,
        "data: {\"id\":\"ask-1\",\"jsonrpc\":\"2.0\",\"method\":\"roots/list\",\"params\":null}\n\n"
    );
    let mut answering = HttpClient::to(&server);
    answering.adopt_session("canary-session-1");
    let answer = json!({"jsonrpc": "2.0", "id": "ask-1", "result": {"roots": []}});
    assert_eq!(answering.post(&answer).expect("an answer").status, 202);
    assert_eq!(server.answer_to("ask-1"), answer);
    assert!(asking.text().contains(r#"\"roots\":[]"#));
}

#[test]
fn a_scripted_get_is_refused() {
    let server = McpServer::legacy().always(get(), Answer::status(405)).run();
    assert_eq!(client_of(&server).get(None).expect("an answer").status, 405);
}

#[test]
fn the_server_ends_a_session_that_is_deleted() {
    let server = McpServer::legacy().run();
    let mut client = client_of(&server);
    assert_eq!(client.delete().expect("an answer").status, 200);
    assert_eq!(client.call(1, "ping", json!({})).expect("an answer").status, 404);
    assert_eq!(server.forgive().len(), 1);
}
