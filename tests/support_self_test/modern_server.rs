//! The server of the modern era.

mod listening;
mod refusals;
mod rounds;

use hyper::Method;
use serde_json::{Value, json};

use crate::support::http_client::{HttpClient, Reply};
use crate::support::mcp_server::matcher::anything;
use crate::support::modern_server::Quirk;
use crate::support::{Answer, ModernServer, modern_server};

/// A client that says with each request what it can do.
struct Client {
    http: HttpClient,
    capabilities: Value,
    next_id: u64,
}

impl Client {
    fn of(server: &ModernServer) -> Self {
        Self { http: HttpClient::to(server), capabilities: json!({}), next_id: 1 }
    }

    fn that_can(server: &ModernServer, capabilities: Value) -> Self {
        Self { capabilities, ..Self::of(server) }
    }

    fn body(&mut self, method: &str, mut params: Value) -> Value {
        if params["_meta"].is_null() {
            params["_meta"] = json!({});
        }
        let meta = &mut params["_meta"];
        meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        self.next_id += 1;
        json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params})
    }

    /// A request with the headers that it needs, but for those that are given.
    fn post(&mut self, body: &Value, headers: &[(&'static str, &str)]) -> Reply {
        let method = body["method"].as_str().unwrap_or_default();
        let params = &body["params"];
        let name = params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default();
        let mut all = vec![("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
        all.push(("mcp-name", name));
        all.extend(headers);
        self.http.send(Method::POST, "/mcp", &all, body.to_string()).expect("an answer")
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        let body = self.body(method, params);
        last_message(self.post(&body, &[]))
    }

    fn call_tool(&mut self, name: &str, arguments: Value) -> Value {
        self.call("tools/call", json!({"name": name, "arguments": arguments}))
    }

    /// Opens a stream and waits for its acknowledgement.
    fn listen(&mut self, notifications: Value) -> (Reply, Value) {
        let body = self.body("subscriptions/listen", json!({"notifications": notifications}));
        let mut reply = self.post(&body, &[]);
        let acknowledged = next_message(&mut reply);
        (reply, acknowledged)
    }
}

/// The only message of a JSON body, or the last one of a stream.
fn last_message(reply: Reply) -> Value {
    let text = reply.text();
    let last = text.lines().rev().find_map(|line| line.strip_prefix("data: ")).unwrap_or(&text);
    serde_json::from_str(last).unwrap_or_else(|why| panic!("{why}: {text}"))
}

fn messages(reply: Reply) -> Vec<Value> {
    let text = reply.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

fn next_message(reply: &mut Reply) -> Value {
    let piece = reply.next().expect("a whole piece").expect("a message");
    let text = String::from_utf8(piece.to_vec()).expect("text");
    serde_json::from_str(text.trim().strip_prefix("data: ").expect("data")).expect("JSON")
}

fn without_meta(mut result: Value) -> Value {
    result.as_object_mut().expect("a result").remove("_meta");
    result
}

fn text_of(response: &Value) -> &str {
    response["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{response}"))
}

#[test]
fn a_good_request_of_every_method_is_answered_without_a_fault() {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    let discovered = client.call("server/discover", json!({}))["result"].take();
    assert_eq!(discovered["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(discovered["resultType"], "complete");
    assert_eq!(discovered["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "modern");
    for (method, member) in [
        ("tools/list", "tools"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
        ("prompts/list", "prompts"),
    ] {
        let result = client.call(method, json!({}))["result"].take();
        assert!(result[member].is_array() && result["ttlMs"].is_u64(), "{method}: {result}");
    }
    let read = client.call("resources/read", json!({"uri": "memo:///blob"}));
    assert_eq!(read["result"]["contents"][0]["blob"], "AAEC/w==");
    let missing = client.call("resources/read", json!({"uri": "memo:///missing"}));
    assert_eq!(missing["error"]["code"], -32602);
    let prompt = client.call("prompts/get", json!({"name": "greet", "arguments": {"whom": "me"}}));
    assert!(prompt["result"]["messages"][0]["content"]["text"].is_string());
    let argument = json!({"name": "whom", "value": "t"});
    let params = json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": argument});
    let completed = client.call("completion/complete", params);
    assert_eq!(completed["result"]["completion"]["values"], json!(["two", "three"]));
    assert_eq!(text_of(&client.call_tool("echo", json!({"text": "hi"}))), "hi");
    assert_eq!(client.call_tool("fail", json!({}))["result"]["isError"], true);
    assert_eq!(text_of(&client.call_tool("fill", json!({"bytes": 3}))), "xxx");
    assert_eq!(client.call_tool("none", json!({}))["error"]["code"], -32602);
    assert_eq!((server.executions("echo"), server.executions("none")), (1, 0));
}

#[test]
fn lists_come_in_pages_whose_first_cursor_is_empty() {
    let server = ModernServer::builder().page_size(3).run();
    let mut client = Client::of(&server);
    let mut names = Vec::new();
    let mut params = json!({});
    loop {
        let result = client.call("tools/list", params.clone())["result"].take();
        names.extend(result["tools"].as_array().expect("tools").clone());
        match &result["nextCursor"] {
            Value::Null => break,
            cursor if names.len() == 3 => assert_eq!(cursor, ""),
            cursor => assert_ne!(cursor, ""),
        }
        params = json!({"cursor": result["nextCursor"]});
    }
    assert_eq!(names, modern_server::tools().as_array().expect("tools").clone());
    assert_eq!(client.call("tools/list", json!({"cursor": "odd"}))["error"]["code"], -32602);
}

#[test]
fn progress_and_log_come_before_the_result_if_they_were_asked_for() {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    let params = json!({"name": "progress", "_meta": {"progressToken": "p"}});
    let body = client.body("tools/call", params);
    let reports = messages(client.post(&body, &[]));
    assert_eq!(reports.len(), 4);
    assert_eq!(reports[2]["params"], json!({"progressToken": "p", "progress": 3, "total": 3}));
    let meta = json!({"io.modelcontextprotocol/logLevel": "alert"});
    let body = client.body("tools/call", json!({"name": "log", "_meta": meta}));
    let logged = messages(client.post(&body, &[]));
    let levels: Vec<&Value> = logged[..2].iter().map(|log| &log["params"]["level"]).collect();
    assert_eq!((levels, logged.len()), (vec![&json!("alert"), &json!("emergency")], 3));
    let body = client.body("tools/call", json!({"name": "log"}));
    assert_eq!(messages(client.post(&body, &[])).len(), 1);
}

#[test]
fn each_quirk_happens() {
    let of = |quirk: Quirk| ModernServer::builder().quirk(quirk).run();
    let server = of(Quirk::InvalidHeaderTools);
    let tools = Client::of(&server).call("tools/list", json!({}))["result"]["tools"].take();
    assert!(tools.as_array().expect("tools").iter().any(|tool| tool["name"] == "in_any_of"));
    let server = of(Quirk::LegacyVersionsOnly);
    let discovered = Client::of(&server).call("server/discover", json!({}))["result"].take();
    assert_eq!(discovered["supportedVersions"], json!(["2025-11-25", "2025-06-18"]));
    let server = of(Quirk::AnswersLegacy);
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
        let result = Client::of(&server).call(method, json!({}))["result"].take();
        assert_eq!(without_meta_or_any(&result), result, "{method}");
    }
    let server = of(Quirk::AsksForEver);
    let mut client = Client::that_can(&server, json!({"elicitation": {}}));
    let asked = client.call_tool("echo", json!({}))["result"].take();
    let answers = json!({"again": {"action": "cancel"}});
    let state = asked["requestState"].clone();
    let params =
        json!({"name": "echo", "arguments": {}, "inputResponses": answers, "requestState": state});
    let asked = client.call("tools/call", params)["result"].take();
    assert_eq!(without_meta(asked)["resultType"], "input_required");
    let server = of(Quirk::UnknownResultType);
    let odd = Client::of(&server).call_tool("echo", json!({}));
    assert_eq!(odd["result"]["resultType"], "perhaps");
    let server = of(Quirk::RefusesListen);
    let listen = json!({"notifications": {}});
    assert_eq!(Client::of(&server).call("subscriptions/listen", listen)["error"]["code"], -32601);
    assert_eq!(server.forgive().len(), 1);
    let server = of(Quirk::KeepsResourcesQuiet);
    let wanted = json!({"toolsListChanged": true, "resourceSubscriptions": ["memo:///1"]});
    let (_stream, acknowledged) = Client::of(&server).listen(wanted);
    let granted = json!({"toolsListChanged": true});
    assert_eq!(acknowledged["params"]["notifications"], granted);
    assert_eq!(server.listen(1).granted, granted);
}

/// What a legacy server would have said in its place.
fn without_meta_or_any(result: &Value) -> Value {
    let modern = ["resultType", "ttlMs", "cacheScope", "_meta"];
    let mut result = result.clone();
    let members = result.as_object_mut().expect("a result");
    members.retain(|name, _| !modern.contains(&&**name));
    result
}

#[test]
fn a_legacy_client_is_refused_unless_the_server_serves_both_eras() {
    let refused = |server: &ModernServer| {
        let mut client = HttpClient::to(server);
        let params = crate::support::http_client::initialize_params();
        let reply = client.call(0, "initialize", params).expect("an answer");
        (reply.status, reply.json()["error"]["code"].as_i64())
    };
    assert_eq!(refused(&ModernServer::run()), (400, Some(-32022)));
    let other = Answer::error(-32601, "Method not found").with_status(404);
    let server = ModernServer::builder().answers_initialize(other).run();
    assert_eq!(refused(&server), (404, Some(-32601)));
    for (server, sessions) in [
        (ModernServer::builder().dual_with_sessions().run(), true),
        (ModernServer::builder().dual_without_sessions().run(), false),
    ] {
        let mut legacy = HttpClient::to(&server);
        let initialized = legacy.initialize();
        assert_eq!(initialized["result"]["protocolVersion"], "2025-11-25");
        let listed = legacy.call(1, "tools/list", json!({})).expect("an answer");
        assert_eq!(listed.json()["result"].get("resultType"), None);
        let has_session = server.requests_of(anything()).last().expect("one").session().is_some();
        assert_eq!(has_session, sessions);
        // Without a session the plain client does not say its version.
        assert_eq!(server.forgive().is_empty(), sessions);
        let mut modern = Client::of(&server);
        let discovered = modern.call("server/discover", json!({}))["result"].take();
        assert_eq!(discovered["supportedVersions"], json!(["2026-07-28", "2025-11-25"]));
        assert_eq!(modern.call("tools/list", json!({}))["result"]["resultType"], "complete");
    }
}

#[test]
fn versions_and_tools_are_what_the_test_wants() {
    let server = ModernServer::builder().versions(&["2027-01-01"]).tools(json!([])).run();
    let error = Client::of(&server).call("tools/list", json!({}))["error"].take();
    let supported = json!({"supported": ["2027-01-01"], "requested": "2026-07-28"});
    assert_eq!((&error["code"], &error["data"]), (&json!(-32022), &supported));
    assert_eq!(server.forgive().len(), 1);
}
