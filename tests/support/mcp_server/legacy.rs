//! What the server does unless it is told otherwise: a legacy server with a bit of everything.

use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::request::{Message, Request};
use super::step::Step;
use super::world::{Session, World};

/// The revisions of the era, the latest first.
const VERSIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];

/// The default answer, and all that it does to the server's state.
pub fn answer(request: &Request, world: &World) -> Answer {
    if let Some(refusal) = refusal(request, world) {
        return refusal;
    }
    match (&request.method, &request.message) {
        (&Method::GET, _) => get(request, world),
        (&Method::DELETE, _) => delete(request, world),
        (&Method::POST, Message::Request { method, .. }) => call(method, request, world),
        (&Method::POST, Message::Notification { .. } | Message::Response { .. }) => {
            Answer::accepted()
        }
        (&Method::POST, _) => invalid("Invalid Request").with_status(400),
        _ => Answer::status(405).header("allow", "GET, POST, DELETE"),
    }
}

/// What is answered to a request that has no business here.
fn refusal(request: &Request, world: &World) -> Option<Answer> {
    let path = request.path.split('?').next().unwrap_or_default();
    if !world.settings.paths.iter().any(|known| known == path) {
        return Some(Answer::text("no such page").with_status(404));
    }
    if request.rpc_method() == Some("initialize") || !world.settings.sessions {
        return None;
    }
    if request.session().is_none() {
        return Some(invalid("Bad Request: Mcp-Session-Id header is required").with_status(400));
    }
    let known = world.state.update(|state| state.session_of(request).map(|known| known.deleted));
    (known != Some(false)).then(|| invalid("Session not found").with_status(404))
}

fn invalid(message: &str) -> Answer {
    Answer::error_with_null_id(-32600, message)
}

fn get(request: &Request, world: &World) -> Answer {
    world.state.update(|state| {
        if let Some(event_id) = request.last_event_id() {
            return match state.after_event(event_id) {
                Some(_) => Answer::replay(),
                None => Answer::text("no such event").with_status(400),
            };
        }
        let log = Arc::default();
        if world.settings.event_ids {
            state.streams.push(Arc::clone(&log));
        }
        match state.session_of(request) {
            Some(session) => {
                session.unasked = Some(log);
                Answer::unasked()
            }
            None => Answer::status(400),
        }
    })
}

fn delete(request: &Request, world: &World) -> Answer {
    world.state.update(|state| {
        if let Some(session) = state.session_of(request) {
            session.deleted = true;
            session.unasked.iter().for_each(|log| log.finish());
        }
    });
    Answer::status(200)
}

fn call(method: &str, request: &Request, world: &World) -> Answer {
    let params = request.params();
    match method {
        "initialize" => initialize(&params, world),
        "ping" => Answer::result(json!({})),
        "tools/list" => Answer::result(json!({"tools": world.settings.tools})),
        "tools/call" => call_tool(&params, world),
        "resources/list" => Answer::result(json!({"resources": [resource("memo:///1")]})),
        "resources/templates/list" => Answer::result(json!({"resourceTemplates": [
            {"uriTemplate": "memo:///{number}", "name": "memo"}
        ]})),
        "resources/read" => Answer::result(json!({"contents": [
            {"uri": params["uri"], "mimeType": "text/plain", "text": "a memo"}
        ]})),
        "resources/subscribe" => {
            in_session(request, world, |session| session.subscriptions.insert(uri(&params)));
            Answer::result(json!({}))
        }
        "resources/unsubscribe" => {
            in_session(request, world, |session| session.subscriptions.remove(&uri(&params)));
            Answer::result(json!({}))
        }
        "logging/setLevel" => {
            let level = params["level"].as_str().map(str::to_owned);
            in_session(request, world, |session| session.log_level = level);
            Answer::result(json!({}))
        }
        "prompts/list" => Answer::result(json!({"prompts": [
            {"name": "greet", "arguments": [{"name": "whom", "required": true}]}
        ]})),
        "prompts/get" => Answer::result(json!({"messages": [
            {"role": "user", "content": {"type": "text", "text": "Say hello"}}
        ]})),
        "completion/complete" => {
            Answer::result(json!({"completion": {"values": ["one", "two"], "hasMore": false}}))
        }
        _ => {
            world.state.update(|state| state.note(request, "a method that nobody scripted"));
            Answer::error(-32601, "Method not found")
        }
    }
}

fn in_session<R>(request: &Request, world: &World, change: impl FnOnce(&mut Session) -> R) {
    world.state.update(|state| state.session_of(request).map(change));
}

fn uri(params: &Value) -> String {
    params["uri"].as_str().unwrap_or_default().to_owned()
}

fn resource(uri: &str) -> Value {
    json!({"uri": uri, "name": "memo", "mimeType": "text/plain"})
}

/// What the fixtures of both eras offer.
pub fn capabilities() -> Value {
    json!({
        "tools": {"listChanged": true},
        "resources": {"subscribe": true, "listChanged": true},
        "prompts": {"listChanged": true},
        "completions": {},
        "logging": {},
    })
}

fn initialize(params: &Value, world: &World) -> Answer {
    let asked = params["protocolVersion"].as_str().unwrap_or_default();
    let known = if VERSIONS.contains(&asked) { asked } else { VERSIONS[0] };
    let version = world.settings.version.as_deref().unwrap_or(known);
    let answer = Answer::result(json!({
        "protocolVersion": version,
        "capabilities": capabilities(),
        "serverInfo": {"name": "scripted", "title": "A scripted server", "version": "1.0.0"},
        "instructions": "Anything goes.",
    }));
    if !world.settings.sessions {
        return answer;
    }
    let number = world.state.read().sessions.len() + 1;
    answer.header("mcp-session-id", &format!("canary-session-{number}"))
}

/// The tools that `call_tool` knows.
pub fn tools() -> Value {
    let schema = json!({"type": "object"});
    let tool = |name: &str, annotations: Value| json!({"name": name, "inputSchema": schema, "annotations": annotations});
    json!([
        {"name": "echo", "description": "Says it again.", "inputSchema": schema},
        tool("read_note", json!({"readOnlyHint": true})),
        tool("set_note", json!({"readOnlyHint": false, "idempotentHint": true})),
        tool("delete_note", json!({"destructiveHint": true, "idempotentHint": false})),
        {"name": "fail", "description": "Is an error.", "inputSchema": schema},
        {"name": "wait", "description": "Until a gate of the handle opens.", "inputSchema": schema},
        {"name": "ask", "description": "Asks the client first.", "inputSchema": schema},
        {"name": "progress", "description": "Reports progress.", "inputSchema": schema},
        {"name": "fill", "description": "Gives so many bytes.", "inputSchema": schema},
    ])
}

fn call_tool(params: &Value, world: &World) -> Answer {
    let arguments = &params["arguments"];
    match params["name"].as_str().unwrap_or_default() {
        "echo" => Answer::result(text(arguments["text"].as_str().unwrap_or_default())),
        "read_note" | "set_note" | "delete_note" => Answer::result(text("done")),
        "fail" => Answer::result(json!({"content": text("it failed")["content"], "isError": true})),
        "wait" => {
            let gate = arguments["gate"].as_str().unwrap_or_default();
            let gate = world.state.update(|state| state.gate(gate));
            Answer::result(text("waited")).after(&gate)
        }
        "ask" => ask(arguments, world),
        "progress" => progress(params),
        "fill" => {
            let bytes = arguments["bytes"].as_u64().unwrap_or_default();
            Answer::result(text(&"x".repeat(usize::try_from(bytes).expect("fits in memory"))))
        }
        name => Answer::error(-32602, &format!("Unknown tool: {name}")).not_executed(),
    }
}

/// A tool's result of one text.
pub fn text(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

/// Asks the client what the arguments say, and gives its whole answer as the result's text.
fn ask(arguments: &Value, world: &World) -> Answer {
    let id = format!("ask-{}", world.state.read().asked.len() + 1);
    let method = arguments["method"].as_str().unwrap_or("roots/list");
    let wanted = json!(id).to_string();
    Answer::stream([
        Step::ask(id.as_str(), method, arguments["params"].clone()),
        Step::await_answer(id.as_str()),
        Step::result_from(move |answers| text(&answers(&wanted).to_string())),
    ])
}

fn progress(params: &Value) -> Answer {
    let steps = params["arguments"]["steps"].as_u64().unwrap_or(3);
    let token = params["_meta"]["progressToken"].clone();
    let report = |step: u64| {
        let params = json!({"progressToken": token, "progress": step, "total": steps});
        Step::notification("notifications/progress", params)
    };
    Answer::stream((1..=steps).map(report).chain([Step::result(text("done"))]))
}
