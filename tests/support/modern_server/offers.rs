//! What the server has: all but its tools.

use serde_json::{Value, json};

use super::builder::Quirk;
use super::conduct::{Modern, cached, complete};
use super::{listening, rounds, tools};
use crate::support::mcp_server::request::Request;
use crate::support::mcp_server::world::World;
use crate::support::mcp_server::{Answer, legacy};

/// All that it has, of the specification's requests of a client.
pub const METHODS: [&str; 10] = [
    "server/discover",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "subscriptions/listen",
];

pub fn call(modern: &Modern, method: &str, request: &Request, world: &World) -> Answer {
    let params = request.params();
    let answer = match method {
        "server/discover" => return discover(modern),
        "tools/list" => return list_tools(modern, &params),
        "tools/call" => tools::call(modern, request, world),
        "resources/list" => page(modern, &params, "resources", &resources()),
        "resources/templates/list" => page(modern, &params, "resourceTemplates", &templates()),
        "resources/read" => read(modern, request),
        "prompts/list" => page(modern, &params, "prompts", &prompts()),
        "prompts/get" => prompt(modern, request),
        "completion/complete" => complete_argument(&params),
        "subscriptions/listen" => return listening::listen(modern, request),
        _ => unreachable!("judged before"),
    };
    if modern.has(Quirk::AnswersLegacy) { legacy_form(method, &params) } else { answer }
}

fn discover(modern: &Modern) -> Answer {
    let versions = if modern.has(Quirk::LegacyVersionsOnly) {
        json!(["2025-11-25", "2025-06-18"])
    } else {
        json!(modern.versions)
    };
    Answer::result(cached(json!({
        "supportedVersions": versions,
        "capabilities": legacy::capabilities(),
        "instructions": "Anything goes.",
    })))
}

fn list_tools(modern: &Modern, params: &Value) -> Answer {
    let mut all = modern.shared.update(|shared| {
        shared.listed = Some(shared.tools.clone());
        shared.tools.clone()
    });
    if let (true, Some(all)) = (modern.has(Quirk::InvalidHeaderTools), all.as_array_mut()) {
        all.extend(tools::invalid());
    }
    if modern.has(Quirk::AnswersLegacy) {
        return Answer::result(json!({"tools": all}));
    }
    page(modern, params, "tools", &all)
}

/// A page of a list; cursors are opaque, and the first one is empty.
fn page(modern: &Modern, params: &Value, name: &str, all: &Value) -> Answer {
    let all = all.as_array().cloned().unwrap_or_default();
    let Some(size) = modern.page_size else {
        return Answer::result(cached(json!({name: all})));
    };
    let cursor = |page: usize| "=/\"\u{e9}".repeat(page - 1);
    let known = |given: &str| (1..=all.len()).find(|page| cursor(*page) == given);
    let page = match &params["cursor"] {
        Value::Null => 0,
        Value::String(given) => match known(given) {
            Some(page) => page,
            None => return Answer::error(-32602, "Invalid cursor"),
        },
        _ => return Answer::error(-32602, "Invalid cursor"),
    };
    let chunk: Vec<&Value> = all.iter().skip(page * size).take(size).collect();
    let mut result = json!({name: chunk});
    if (page + 1) * size < all.len() {
        result["nextCursor"] = json!(cursor(page + 1));
    }
    Answer::result(cached(result))
}

/// The resource that asks before it is read.
pub const GUARDED: &str = "memo:///guarded";

fn resources() -> Value {
    json!([
        {"uri": "memo:///1", "name": "memo", "mimeType": "text/plain"},
        {"uri": "memo:///blob", "name": "blob", "mimeType": "application/octet-stream"},
        {"uri": GUARDED, "name": "guarded", "mimeType": "text/plain"},
    ])
}

fn templates() -> Value {
    json!([
        {"uriTemplate": "memo:///{number}", "name": "memo"},
        {"uriTemplate": "blob:///{number}", "name": "blob"},
    ])
}

fn read(modern: &Modern, request: &Request) -> Answer {
    let params = request.params();
    let uri = params["uri"].as_str().unwrap_or_default();
    let text = |text: &str| json!({"uri": uri, "mimeType": "text/plain", "text": text});
    let contents = match uri {
        "memo:///blob" => {
            json!({"uri": uri, "mimeType": "application/octet-stream", "blob": "AAEC/w=="})
        }
        GUARDED => match rounds::ask(modern, request, &json!([super::questions::form("name")])) {
            Ok(answers) => text(&answers.to_string()),
            Err(question) => return *question,
        },
        _ if uri.starts_with("memo:///missing") => {
            return Answer::error_with(-32602, "Resource not found", &json!({"uri": uri}));
        }
        _ => text("a memo"),
    };
    Answer::result(cached(json!({"contents": [contents]})))
}

fn prompts() -> Value {
    json!([
        {"name": "greet", "arguments": [{"name": "whom", "required": true}]},
        {"name": "ask", "description": "Asks first."},
    ])
}

fn prompt(modern: &Modern, request: &Request) -> Answer {
    let params = request.params();
    let said = match params["name"].as_str().unwrap_or_default() {
        "greet" => format!("Say hello to {}", params["arguments"]["whom"]),
        "ask" => match rounds::ask(modern, request, &json!([super::questions::form("name")])) {
            Ok(answers) => answers.to_string(),
            Err(question) => return *question,
        },
        _ => return Answer::error(-32602, "Unknown prompt"),
    };
    let message = json!({"role": "user", "content": {"type": "text", "text": said}});
    Answer::result(complete(json!({"messages": [message]})))
}

fn complete_argument(params: &Value) -> Answer {
    let begun = params["argument"]["value"].as_str().unwrap_or_default();
    let values = ["one", "two", "three"].into_iter().filter(|value| value.starts_with(begun));
    let values: Vec<&str> = values.collect();
    Answer::result(complete(json!({"completion": {"values": values, "hasMore": false}})))
}

/// What a legacy server answers.
fn legacy_form(method: &str, params: &Value) -> Answer {
    let text = params["arguments"]["text"].as_str().unwrap_or_default();
    Answer::result(match method {
        "tools/call" => crate::support::mcp_server::text(text),
        "resources/list" => json!({"resources": resources()}),
        "resources/templates/list" => json!({"resourceTemplates": templates()}),
        "prompts/list" => json!({"prompts": prompts()}),
        "resources/read" => json!({"contents": [{"uri": params["uri"], "text": "a memo"}]}),
        "prompts/get" => json!({"messages": []}),
        _ => json!({"completion": {"values": []}}),
    })
}

/// The element of a list whose member has this value.
pub fn find<'a>(list: &'a Value, member: &str, value: &str) -> Option<&'a Value> {
    list.as_array()?.iter().find(|element| element[member] == value)
}
