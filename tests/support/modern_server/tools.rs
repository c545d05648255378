//! The server's tools.

use serde_json::{Value, json};

use super::builder::Quirk;
use super::conduct::{Modern, complete, meta};
use super::{questions, rounds};
use crate::support::mcp_server::request::Request;
use crate::support::mcp_server::world::World;
use crate::support::mcp_server::{Answer, Step, text};

/// The levels of log messages, the least urgent first.
pub const LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// The tools that `call` knows.
pub fn tools() -> Value {
    let plain = |name: &str, description: &str| json!({"name": name, "description": description, "inputSchema": {"type": "object"}});
    json!([
        plain("echo", "Says it again."),
        plain("fail", "Is an error."),
        plain("fill", "Gives so many bytes."),
        plain("wait", "Until a gate of the handle opens."),
        plain("progress", "Reports progress."),
        plain("log", "One message of each level."),
        plain("ask", "Asks what its arguments say."),
        route(),
    ])
}

/// The tool whose arguments are headers too.
pub fn route() -> Value {
    json!({
        "name": "route",
        "description": "Its arguments are headers too.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "region": {"type": "string", "x-mcp-header": "Region"},
                "count": {"type": "integer", "x-mcp-header": "Count"},
                "dry": {"type": "boolean", "x-mcp-header": "Dry-Run"},
                "target": {
                    "type": "object",
                    "properties": {"zone": {"type": "string", "x-mcp-header": "Zone"}},
                },
                "query": {"type": "string"},
            },
        },
    })
}

/// Tools that a client must leave out, each for a reason of its own.
pub fn invalid() -> Vec<Value> {
    let tool = |name: &str, properties: Value| json!({"name": name, "inputSchema": {"type": "object", "properties": properties}});
    let string = |header: &str| json!({"type": "string", "x-mcp-header": header});
    vec![
        tool("empty_name", json!({"a": string("")})),
        tool("no_token", json!({"a": string("Two Words")})),
        tool("line_break", json!({"a": string("A\r\nB")})),
        tool("twice", json!({"a": string("Same"), "b": string("same")})),
        tool("number", json!({"a": {"type": "number", "x-mcp-header": "A"}})),
        tool("object", json!({"a": {"type": "object", "x-mcp-header": "A"}})),
        tool("in_items", json!({"a": {"type": "array", "items": string("A")}})),
        tool("in_any_of", json!({"a": {"anyOf": [string("A")]}})),
        tool("no_text", json!({"a": {"type": "string", "x-mcp-header": 7}})),
    ]
}

pub fn call(modern: &Modern, request: &Request, world: &World) -> Answer {
    if modern.has(Quirk::AsksForEver) {
        let rounds: Vec<Value> = (0..10_000).map(|_| questions::form("again")).collect();
        return match rounds::ask(modern, request, &json!(rounds)) {
            Ok(_) => Answer::result(complete(text("asked enough"))),
            Err(question) => *question,
        };
    }
    if modern.has(Quirk::UnknownResultType) {
        let mut result = complete(text("done"));
        result["resultType"] = json!("perhaps");
        return Answer::result(result);
    }
    let params = request.params();
    let arguments = &params["arguments"];
    match params["name"].as_str().unwrap_or_default() {
        "echo" => Answer::result(complete(text(arguments["text"].as_str().unwrap_or_default()))),
        "route" => Answer::result(complete(text(&arguments.to_string()))),
        "fail" => {
            let content = text("it failed")["content"].clone();
            Answer::result(complete(json!({"content": content, "isError": true})))
        }
        "fill" => {
            let bytes = arguments["bytes"].as_u64().unwrap_or_default();
            let bytes = usize::try_from(bytes).expect("fits in memory");
            Answer::result(complete(text(&"x".repeat(bytes))))
        }
        "wait" => wait(arguments, world),
        "progress" => progress(&params),
        "log" => log(&params),
        "ask" => ask(modern, request, arguments),
        name => Answer::error(-32602, &format!("Unknown tool: {name}")).not_executed(),
    }
}

/// With a `requestState`, unless the arguments say that there is none.
fn ask(modern: &Modern, request: &Request, arguments: &Value) -> Answer {
    let rounds = &arguments["rounds"];
    let answers = match arguments["stateless"] == true {
        true => rounds::ask_without_state(request, &rounds[0]),
        false => rounds::ask(modern, request, rounds),
    };
    match answers {
        Ok(answers) => Answer::result(complete(text(&answers.to_string()))),
        Err(question) => *question,
    }
}

/// Held before the head of the answer where the arguments say so, else in an open stream.
fn wait(arguments: &Value, world: &World) -> Answer {
    let gate = arguments["gate"].as_str().unwrap_or_default();
    let gate = world.state.update(|state| state.gate(gate));
    let done = complete(text("waited"));
    if arguments["headless"] == true {
        return Answer::result(done).after(&gate);
    }
    stream([Step::comment("working"), Step::Wait(gate), Step::result(done)])
}

fn progress(params: &Value) -> Answer {
    let steps = params["arguments"]["steps"].as_u64().unwrap_or(3);
    let token = params["_meta"]["progressToken"].clone();
    let wanted = !token.is_null();
    let report = |step: u64| {
        let params = json!({"progressToken": token, "progress": step, "total": steps});
        Step::notification("notifications/progress", params)
    };
    let reports = (1..=steps).filter(|_| wanted).map(report);
    stream(reports.chain([Step::result(complete(text("done")))]))
}

/// A message of each level that the request asked for: none, if it asked for none.
fn log(params: &Value) -> Answer {
    let wanted = params["_meta"][meta::LOG_LEVEL].as_str();
    let least = wanted.and_then(|wanted| LEVELS.iter().position(|level| *level == wanted));
    let levels = LEVELS.iter().skip(least.unwrap_or(LEVELS.len()));
    let message = |level: &&str| {
        let params = json!({"level": level, "logger": "log", "data": {"text": level}});
        Step::notification("notifications/message", params)
    };
    stream(levels.map(message).chain([Step::result(complete(text("logged")))]))
}

/// A stream as the specification recommends one.
fn stream(steps: impl IntoIterator<Item = Step>) -> Answer {
    Answer::stream(steps).header("x-accel-buffering", "no")
}
