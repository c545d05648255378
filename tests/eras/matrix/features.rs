//! The features, each played in one cell of the matrix.

use serde_json::{Value, json};

use super::client::{Client, answer_to};
use super::server::Server;
use super::{Era, World, everything};
use crate::support::mcp_server::matcher::tool;
use crate::support::modern_server::LEVELS;

pub fn tools(client: Era, server: Era) {
    let World { mut client, server } = World::of(client, server);
    let listed = client.call("tools/list", json!({}));
    let names = listed["tools"].as_array().expect("tools").iter().map(|tool| &tool["name"]);
    assert!(names.clone().any(|name| name == "echo"), "{listed}");
    let echoed = client.call_tool("echo", json!({"text": "\u{e9}\u{1f600}"}));
    assert_eq!(echoed["content"][0]["text"], "\u{e9}\u{1f600}");
    assert_eq!(client.call_tool("fail", json!({}))["isError"], true);
    if matches!(server, Server::Modern(_)) {
        let arguments = json!({"region": "\u{e9}", "count": 7, "target": {"zone": " z"}});
        let routed = client.call_tool("route", arguments.clone());
        assert_eq!(routed["content"][0]["text"], arguments.to_string());
    }
    assert_eq!((server.executions("echo"), server.executions("fail")), (1, 1));
}

pub fn resources(client: Era, server: Era) {
    let World { mut client, server } = World::of(client, server);
    let listed = client.call("resources/list", json!({}));
    assert_eq!(listed["resources"][0]["uri"], "memo:///1");
    let templates = client.call("resources/templates/list", json!({}));
    assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], "memo:///{number}");
    let read = client.call("resources/read", json!({"uri": "memo:///1"}));
    assert_eq!(read["contents"][0]["text"], "a memo");
    if matches!(server, Server::Modern(_)) {
        let read = client.call("resources/read", json!({"uri": "memo:///blob"}));
        assert_eq!(read["contents"][0]["blob"], "AAEC/w==");
        let read = client.call("resources/read", json!({"uri": "memo:///guarded"}));
        let heard = read["contents"][0]["text"].as_str().expect("a text");
        assert!(heard.contains("accept"), "{heard}");
    }
}

pub fn prompts(client: Era, server: Era) {
    let World { mut client, server } = World::of(client, server);
    let listed = client.call("prompts/list", json!({}));
    assert_eq!(listed["prompts"][0]["name"], "greet");
    let params = json!({"name": "greet", "arguments": {"whom": "you"}});
    let prompt = client.call("prompts/get", params);
    assert_eq!(prompt["messages"][0]["role"], "user");
    if matches!(server, Server::Modern(_)) {
        let prompt = client.call("prompts/get", json!({"name": "ask"}));
        let heard = prompt["messages"][0]["content"]["text"].as_str().expect("a text");
        assert!(heard.contains("accept"), "{heard}");
    }
}

pub fn completion(client: Era, server: Era) {
    let World { mut client, server: _server } = World::of(client, server);
    let argument = json!({"name": "whom", "value": ""});
    let params = json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": argument});
    let completed = client.call("completion/complete", params);
    assert_eq!(completed["completion"]["values"][0], "one");
}

pub fn logging(client: Era, server: Era) {
    let World { mut client, server } = World::of(client, server);
    let legacy_pair = client.era == Era::Legacy && matches!(server, Server::Legacy(_));
    if client.era == Era::Modern {
        client.call_tool("log", json!({}));
        assert_eq!(logged(&client), Vec::<String>::new(), "nothing was asked for");
    }
    client.set_log_level("error");
    client.call_tool("log", json!({}));
    // Between two of the legacy era the server alone heeds the level, and this one does not.
    let wanted = if legacy_pair { &LEVELS[..] } else { &LEVELS[4..] };
    assert_eq!(logged(&client), wanted);
    if legacy_pair {
        assert_eq!(server.log_level().as_deref(), Some("error"));
    }
}

/// The levels of the messages that came so far.
fn logged(client: &Client) -> Vec<String> {
    let lines = client.bridge.unread();
    let messages = lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let messages = messages.filter(|message| message["method"] == "notifications/message");
    let level = |message: Value| message["params"]["level"].as_str().expect("a level").to_owned();
    messages.map(level).collect()
}

pub fn progress(client: Era, server: Era) {
    let World { mut client, server: _server } = World::of(client, server);
    for token in [json!("my token"), json!(0)] {
        let meta = json!({"progressToken": token});
        let params = json!({"name": "progress", "arguments": {"steps": 2}, "_meta": meta});
        client.call("tools/call", params);
        for step in 1..=2 {
            let report = client.expect("notifications/progress", None);
            assert_eq!((&report["progressToken"], &report["progress"]), (&token, &json!(step)));
            assert_eq!(report["total"], 2);
        }
    }
}

/// Asks the client through a tool; gives the parameters that it saw.
#[track_caller]
fn ask(client: Era, server: Era, method: &str, params: Value) -> Value {
    let World { mut client, server } = World::of(client, server);
    let arguments = server.question(method, params);
    let result = client.call_tool("ask", arguments);
    let [(asked, seen)] = &client.asked[..] else {
        panic!("not one question: {:?}", client.asked);
    };
    assert_eq!(asked, method);
    assert_eq!(server.heard(&result), answer_to(method, seen));
    assert_eq!(server.executions("ask"), 1);
    seen.clone()
}

pub fn sampling(client: Era, server: Era) {
    let message = json!({"role": "user", "content": {"type": "text", "text": "The capital?"}});
    let params = json!({"messages": [message], "maxTokens": 100, "temperature": 0.5});
    assert_eq!(ask(client, server, "sampling/createMessage", params.clone()), params);
}

pub fn elicitation_form(client: Era, server: Era) {
    let fields = json!({"name": {"type": "string", "title": "Your \u{e9}"}});
    let schema = json!({"type": "object", "properties": fields, "required": ["name"]});
    let params = json!({"mode": "form", "message": "Who?", "requestedSchema": schema});
    assert_eq!(ask(client, server, "elicitation/create", params.clone()), params);
}

pub fn elicitation_url(client: Era, server: Era) {
    let params = json!({"mode": "url", "message": "Visit", "url": "https://example.com/?a=1"});
    let mut seen = ask(client, server, "elicitation/create", params.clone());
    let id = seen.as_object_mut().expect("parameters").remove("elicitationId");
    assert_eq!(id.is_some(), client == Era::Legacy, "an id belongs to the legacy era");
    assert_eq!(seen, params);
}

pub fn roots(client: Era, server: Era) {
    ask(client, server, "roots/list", json!({}));
}

pub fn subscriptions(client: Era, server: Era) {
    let World { mut client, server } = World::of(client, server);
    let uri = "memo:///1";
    let subscription = client.subscribe(Some(uri));
    server.wait_for_listener(uri);
    server.tell("notifications/resources/updated", json!({"uri": uri}));
    let told = client.expect("notifications/resources/updated", subscription);
    assert_eq!(told["uri"], uri);
    match subscription {
        Some(id) => client.cancel(id),
        None => drop(client.call("resources/unsubscribe", json!({"uri": uri}))),
    }
    client.call_tool("echo", json!({}));
}

pub fn list_changes(client: Era, server: Era) {
    let World { mut client, server } = World::of(client, server);
    client.call("tools/list", json!({}));
    let subscription = client.subscribe(None);
    server.wait_for_listener("toolsListChanged");
    for list in ["tools", "prompts", "resources"] {
        let method = format!("notifications/{list}/list_changed");
        server.tell(&method, json!({}));
        client.expect(&method, subscription);
    }
}

pub fn cancellation(client: Era, server: Era) {
    let World { mut client, server } = World::of(client, server);
    let params = json!({"name": "wait", "arguments": {"gate": "never"}});
    let id = client.send("tools/call", params);
    server.wait_for_executions("wait", 1);
    client.cancel(id);
    match &server {
        Server::Legacy(server) => drop(server.wait_for("notifications/cancelled")),
        Server::Modern(server) => server.wait_until_abandoned(tool("wait")),
    }
    client.call_tool("echo", json!({}));
    let unread = client.bridge.unread();
    assert!(unread.iter().all(|line| !line.contains(&format!("\"id\":{id},"))), "{unread:?}");
}

pub fn errors(client: Era, server: Era) {
    let World { mut client, server } = World::of(client, server);
    let unknown = client.respond("tools/call", json!({"name": "none", "arguments": {}}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    server.allow("acme/unknown");
    let unknown = client.respond("acme/unknown", json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    let own = if matches!(server, Server::Legacy(_)) { -32002 } else { -32602 };
    let uri = json!({"uri": "memo:///missing"});
    let missing = crate::support::Answer::error_with(own, "Resource not found", &uri);
    server.once("resources/read", missing);
    let missing = client.respond("resources/read", uri.clone());
    let code = if client.era == Era::Legacy { -32002 } else { -32602 };
    assert_eq!((&missing["error"]["code"], &missing["error"]["data"]), (&json!(code), &uri));
}

pub fn pagination(client: Era, server: Era) {
    let world = World::with(Client::new(client, everything()), Server::in_pages(server));
    let World { mut client, server: _server } = world;
    let mut names = Vec::new();
    let mut params = json!({});
    loop {
        let page = client.call("tools/list", params);
        let tools = page["tools"].as_array().expect("tools");
        names.extend(tools.iter().map(|tool| tool["name"].clone()));
        let Some(cursor) = page.get("nextCursor") else { break };
        params = json!({"cursor": cursor});
    }
    assert!(names.len() > 3 && names.iter().any(|name| name == "echo"), "{names:?}");
    assert_eq!(client.call_tool("echo", json!({"text": "x"}))["content"][0]["text"], "x");
}
