use std::io::Write;
use std::net::TcpStream;

use hyper::Method;
use serde_json::{Value, json};

use crate::support::http_client::{HttpClient, Reply};
use crate::support::mcp_server::matcher::{anything, tool};
use crate::support::modern_server::{Quirk, questions};
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
fn a_tool_asks_round_after_round_and_hears_each_answer() {
    let server = ModernServer::run();
    let can = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    let mut client = Client::that_can(&server, can);
    let both = questions::at_once([questions::url("u"), questions::roots("r")]);
    let rounds = json!([questions::form("name"), both, {}, questions::sampling("s")]);
    let params = json!({"name": "ask", "arguments": {"rounds": rounds}});
    let given = [
        json!({"name": {"action": "accept", "content": {"name": "me"}}}),
        json!({"u": {"action": "decline"}, "r": {"roots": []}}),
        json!({}),
        json!({"s": {"role": "assistant", "model": "m", "content": {"type": "text", "text": "P"}}}),
    ];
    let mut asked = client.call("tools/call", params.clone())["result"].take();
    for (round, answers) in given.iter().enumerate() {
        assert_eq!(asked["resultType"], "input_required");
        let wanted = rounds[round].clone();
        let questions = asked.get("inputRequests").cloned().unwrap_or_else(|| json!({}));
        assert_eq!(questions, wanted);
        let mut retry = params.clone();
        retry["inputResponses"] = answers.clone();
        retry["requestState"] = asked["requestState"].clone();
        asked = client.call("tools/call", retry)["result"].take();
    }
    assert_eq!(asked["resultType"], "complete");
    let heard: Value = serde_json::from_str(asked["content"][0]["text"].as_str().expect("text"))
        .expect("what was heard");
    assert_eq!(heard, json!(given));
    assert_eq!(server.executions("ask"), 1);
}

#[test]
fn prompts_and_resources_ask_too_and_a_question_need_not_have_a_state() {
    let server = ModernServer::run();
    let mut client = Client::that_can(&server, json!({"elicitation": {}}));
    let answers = json!({"name": {"action": "cancel"}});
    for (method, params) in [
        ("prompts/get", json!({"name": "ask"})),
        ("resources/read", json!({"uri": "memo:///guarded"})),
        (
            "tools/call",
            json!({"name": "ask", "arguments": {"rounds": [questions::form("name")], "stateless": true}}),
        ),
    ] {
        let asked = client.call(method, params.clone())["result"].take();
        assert_eq!(asked["inputRequests"], questions::form("name"));
        assert_eq!(asked.get("requestState").is_none(), method == "tools/call");
        let mut retry = params;
        retry["inputResponses"] = answers.clone();
        if let Some(state) = asked.get("requestState") {
            retry["requestState"] = state.clone();
        }
        assert_eq!(client.call(method, retry)["result"]["resultType"], "complete");
    }
}

#[test]
fn what_a_client_can_not_do_is_not_asked_for() {
    let server = ModernServer::run();
    let mut client = Client::that_can(&server, json!({"elicitation": {}}));
    for (round, missing) in [
        (questions::url("u"), json!({"elicitation": {"url": {}}})),
        (questions::roots("r"), json!({"roots": {}})),
        (questions::sampling("s"), json!({"sampling": {}})),
    ] {
        let error = client.call_tool("ask", json!({"rounds": [round]}))["error"].take();
        assert_eq!(
            (&error["code"], &error["data"]["requiredCapabilities"]),
            (&json!(-32021), &missing)
        );
    }
}

#[test]
fn a_retry_that_differs_is_noted() {
    let server = ModernServer::run();
    let mut client = Client::that_can(&server, json!({"elicitation": {}}));
    let rounds = json!({"rounds": [questions::form("name")]});
    let first = client.body("tools/call", json!({"name": "ask", "arguments": rounds}));
    let asked = last_message(client.post(&first, &[]))["result"].take();
    let mut same_id = first.clone();
    same_id["params"]["requestState"] = asked["requestState"].clone();
    client.post(&same_id, &[]).bytes();
    let mut other = client.body("tools/call", same_id["params"].clone());
    other["params"]["arguments"]["more"] = json!(1);
    client.post(&other, &[]).bytes();
    let mut unknown = client.body("tools/call", same_id["params"].clone());
    unknown["params"]["requestState"] = json!("1|[]|other");
    assert_eq!(last_message(client.post(&unknown, &[]))["error"]["code"], -32602);
    let noted = server.forgive();
    for fault in
        ["a retry under the same id", "a retry with other", "a requestState that was never"]
    {
        assert!(noted.iter().any(|noted| noted.starts_with(fault)), "{fault} in {noted:?}");
    }
    assert_eq!(noted.len(), 3, "{noted:?}");
}

/// Status, error code and fault of a call that was changed.
type Judged = (u16, Option<i64>, String);

fn faulty(change: &dyn Fn(&mut Value), headers: &[(&'static str, &str)]) -> Judged {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    let mut body = client.body("tools/call", json!({"name": "echo", "arguments": {}}));
    change(&mut body);
    let reply = client.post(&body, headers);
    let (status, bytes) = (reply.status, reply.bytes());
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let noted = server.forgive();
    let fault = noted.first().and_then(|noted| noted.split(": #").next()).map(str::to_owned);
    (status, answer["error"]["code"].as_i64(), fault.unwrap_or_default())
}

fn refused(status: u16, code: i64, fault: &str) -> Judged {
    (status, Some(code), fault.to_owned())
}

fn nothing(_: &mut Value) {}

#[test]
fn headers_that_contradict_the_body_are_noted_and_refused() {
    assert_eq!(faulty(&nothing, &[]), (200, None, String::new()));
    for (name, value, why) in [
        ("mcp-protocol-version", "", "MCP-Protocol-Version is missing"),
        ("mcp-method", "", "Mcp-Method is missing"),
        ("mcp-name", "", "Mcp-Name is missing"),
        ("mcp-name", "=?base64?ZWNobw?=", "Mcp-Name is not encoded well: '=?base64?ZWNobw?='"),
        ("mcp-name", "fail", "Mcp-Name 'fail' does not match 'echo'"),
        (
            "mcp-method",
            "tools/list",
            "Mcp-Method header value 'tools/list' does not match body value 'tools/call'",
        ),
        (
            "mcp-protocol-version",
            "2027-01-01",
            "MCP-Protocol-Version header value '2027-01-01' does not match body value '2026-07-28'",
        ),
    ] {
        assert_eq!(faulty(&nothing, &[(name, value)]), refused(400, -32020, why));
    }
    assert_eq!(faulty(&nothing, &[("mcp-name", "=?base64?ZWNobw==?=")]).0, 200);
    for (header, value, fault) in [
        ("mcp-session-id", "1", "`mcp-session-id`, which this era does not have"),
        ("last-event-id", "1", "`last-event-id`, which this era does not have"),
        ("mcp-param-region", "x", "an unexpected mcp-param-region"),
    ] {
        assert_eq!(faulty(&nothing, &[(header, value)]), (200, None, fault.to_owned()));
    }
    assert_eq!(faulty(&nothing, &[("accept", "application/json")]).0, 406);
    assert_eq!(faulty(&nothing, &[("content-type", "text/plain")]).0, 415);
}

#[test]
fn bodies_that_the_specification_does_not_have_are_noted_and_refused() {
    let meta = "io.modelcontextprotocol/";
    for (member, value, why) in [
        ("protocolVersion", Value::Null, "no protocolVersion in `_meta`"),
        ("clientCapabilities", Value::Null, "no clientCapabilities in `_meta`"),
        ("logLevel", json!("loud"), "an unknown log level"),
    ] {
        let change = |body: &mut Value| {
            body["params"]["_meta"][format!("{meta}{member}")] = value.clone();
        };
        assert_eq!(faulty(&change, &[]), refused(400, -32602, why));
    }
    let other_version = |body: &mut Value| {
        body["params"]["_meta"][format!("{meta}protocolVersion")] = json!("2027-01-01");
    };
    assert_eq!(
        faulty(&other_version, &[("mcp-protocol-version", "2027-01-01")]),
        refused(400, -32022, "a version that it does not speak")
    );
    let ping = |body: &mut Value| body["method"] = json!("ping");
    assert_eq!(
        faulty(&ping, &[("mcp-method", "ping"), ("mcp-name", "")]),
        refused(404, -32601, "a method that it does not have")
    );
    let response = |body: &mut Value| *body = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(faulty(&response, &[]), refused(400, -32600, "a response"));
    let batch = |body: &mut Value| *body = json!([body.clone()]);
    assert_eq!(faulty(&batch, &[]), refused(400, -32600, "a batch"));
    let cancelled = |body: &mut Value| {
        *body = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}});
    };
    assert_eq!(
        faulty(&cancelled, &[]),
        (202, None, "a cancellation that does not close the stream".to_owned())
    );
    let other = |body: &mut Value| *body = json!({"jsonrpc": "2.0", "method": "notifications/x"});
    assert_eq!(faulty(&other, &[]), (202, None, String::new()));
    let null_id = |body: &mut Value| body["id"] = Value::Null;
    assert_eq!(faulty(&null_id, &[]).2, "an id that is null");
    let listed = |body: &mut Value| {
        body["method"] = json!("tools/list");
        body["params"].as_object_mut().expect("parameters").remove("name");
    };
    let why = "an `mcp-name` for a request that has no name";
    assert_eq!(faulty(&listed, &[("mcp-name", "echo")]).2, why);
}

#[test]
fn other_methods_of_http_and_other_paths_are_refused() {
    let server = ModernServer::run();
    let mut client = HttpClient::to(&server);
    for (method, path, status) in
        [(Method::GET, "/mcp", 405), (Method::DELETE, "/mcp", 405), (Method::POST, "/other", 404)]
    {
        let reply = client.send(method, path, &[], String::new()).expect("an answer");
        assert_eq!(reply.status, status);
        reply.bytes();
        assert_eq!(server.forgive().len(), 1);
    }
}

#[test]
fn an_id_is_not_used_twice_at_a_time() {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    let held = client.body("tools/call", json!({"name": "wait", "arguments": {"gate": "g"}}));
    let reply = client.post(&held, &[]);
    Client::of(&server).post(&held, &[]);
    assert!(server.forgive()[0].starts_with("the id of a request that has no response yet"));
    server.gate("g").open();
    assert_eq!(text_of(&last_message(reply)), "waited");
    Client::of(&server).post(&held, &[]).bytes();
}

#[test]
fn arguments_that_are_headers_too_have_to_say_the_same() {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    let mut route = |arguments: Value, headers: &[(&'static str, &str)]| {
        let body = client.body("tools/call", json!({"name": "route", "arguments": arguments}));
        let reply = client.post(&body, headers);
        (reply.status, last_message(reply)["error"]["code"].as_i64(), server.forgive().len())
    };
    let all = json!({"region": "\u{e9}", "count": 42.0, "dry": true, "target": {"zone": "z"}});
    let headers = [
        ("mcp-param-region", "=?base64?w6k=?="),
        ("mcp-param-count", "42"),
        ("mcp-param-dry-run", "true"),
        ("mcp-param-zone", "z"),
    ];
    assert_eq!(route(all.clone(), &headers), (200, None, 0));
    assert_eq!(route(json!({"region": null, "query": "q"}), &[]), (200, None, 0));
    let mismatch = (400, Some(-32020), 1);
    assert_eq!(route(all.clone(), &headers[..3]), mismatch);
    assert_eq!(route(json!({}), &headers[1..2]), mismatch);
    assert_eq!(route(json!({"count": 7}), &headers[1..2]), mismatch);
    assert_eq!(route(json!({"dry": false}), &headers[2..3]), mismatch);
    assert_eq!(route(json!({"region": "=?base64?w6k=?="}), &headers[..1]), mismatch);
}

#[test]
fn a_client_is_not_blamed_for_headers_that_changed_after_it_listed() {
    let server = ModernServer::run();
    let mut client = Client::of(&server);
    client.call("tools/list", json!({}));
    let mut echo = modern_server::route();
    echo["name"] = json!("echo");
    server.replace_tools(json!([echo]));
    let refused = client.call_tool("echo", json!({"region": "r"}));
    assert_eq!(refused["error"]["code"], -32020);
    server.verify();
    client.call("tools/list", json!({}));
    client.call_tool("echo", json!({"region": "r"}));
    assert_eq!(server.forgive().len(), 1);
}

#[test]
fn a_mismatch_of_headers_can_be_scripted() {
    let answer = modern_server::header_mismatch("so the test wants it");
    let server = ModernServer::builder().server(|server| server.once(tool("echo"), answer)).run();
    let mut client = Client::of(&server);
    assert_eq!(client.call_tool("echo", json!({}))["error"]["code"], -32020);
    assert_eq!(server.executions("echo"), 0);
    assert_eq!(client.call_tool("echo", json!({}))["result"]["resultType"], "complete");
}

#[test]
fn who_listens_is_told_what_it_asked_for_and_nothing_else() {
    let server = ModernServer::run();
    let (mut tools, acknowledged) = Client::of(&server).listen(json!({"toolsListChanged": true}));
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({"toolsListChanged": true}));
    let wanted = json!({"resourceSubscriptions": ["memo:///1"], "promptsListChanged": true});
    let mut other = Client::of(&server);
    other.next_id = 40;
    let (mut memos, _) = other.listen(wanted.clone());
    assert_eq!((server.listens(), server.listen(2).asked), (2, wanted));
    server.update_resource("memo:///2");
    server.update_resource("memo:///1");
    server.change_tools(json!([]));
    server.tell("notifications/prompts/list_changed", json!({}));
    let changed = next_message(&mut tools);
    assert_eq!(changed["method"], "notifications/tools/list_changed");
    assert_eq!(changed["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 2);
    let rest = [next_message(&mut memos), next_message(&mut memos)];
    assert_eq!(rest[0]["params"]["uri"], "memo:///1");
    assert_eq!(rest[1]["method"], "notifications/prompts/list_changed");
    other.next_id = 80;
    drop(memos);
    other.http = HttpClient::to(&server);
    assert_eq!(other.call("tools/list", json!({}))["result"]["tools"], json!([]));
}

#[test]
fn a_stream_of_changes_ends_in_each_of_its_ways() {
    let server = ModernServer::run();
    let filter = json!({"toolsListChanged": true});
    let (mut ended, _) = Client::of(&server).listen(filter.clone());
    server.listen(1).end();
    let response = next_message(&mut ended);
    assert_eq!(response["id"], 2);
    assert_eq!(response["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 2);
    assert!(ended.next().expect("a good end").is_none());
    let (mut cancelled, _) = Client::of(&server).listen(filter.clone());
    server.listen(2).cancel();
    assert_eq!(next_message(&mut cancelled)["params"]["requestId"], 2);
    assert!(cancelled.next().expect("a good end").is_none());
    let (hung_up, _) = Client::of(&server).listen(filter.clone());
    server.listen(3).hang_up();
    assert_eq!(hung_up.bytes(), b"");
    let (cut, _) = Client::of(&server).listen(filter.clone());
    server.listen(4).break_off();
    cut.read().1.expect_err("a cut");
    let mut client = Client::of(&server);
    let (left, _) = client.listen(filter);
    let listen = server.wait_for_listener("toolsListChanged");
    assert!(listen.is_open());
    drop((left, client));
    server.wait_until_over(&listen);
}

#[test]
fn a_client_that_leaves_cancels_its_request() {
    for headless in [true, false] {
        let server = ModernServer::run();
        let arguments = json!({"gate": "never", "headless": headless});
        let params = json!({"name": "wait", "arguments": arguments});
        let body = Client::of(&server).body("tools/call", params).to_string();
        let mut socket = TcpStream::connect(server.address()).expect("a connection");
        let head = "POST /mcp HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n\
                    accept: application/json, text/event-stream\r\nmcp-method: tools/call\r\n\
                    mcp-protocol-version: 2026-07-28\r\nmcp-name: wait\r\n";
        write!(socket, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("written");
        server.wait_for(tool("wait"));
        drop(socket);
        server.wait_until_abandoned(tool("wait"));
        assert_eq!(server.executions("wait"), 1);
    }
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
