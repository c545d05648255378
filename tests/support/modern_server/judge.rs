//! What a client of the modern era must not do, and how it is refused.

use hyper::Method;
use serde_json::{Value, json};

use super::builder::Quirk;
use super::conduct::{Modern, meta};
use super::{REVISION as OLDEST, headers, offers, rounds};
use crate::support::mcp_server::Answer;
use crate::support::mcp_server::judge as legacy_judge;
use crate::support::mcp_server::request::{Message, Request};
use crate::support::mcp_server::world::{Settings, State};

/// What is wrong with a request, and what it gets.
pub struct Refusal {
    pub fault: String,
    pub answer: Answer,
}

fn refuse(fault: impl Into<String>, answer: Answer) -> Option<Refusal> {
    Some(Refusal { fault: fault.into(), answer })
}

/// The answer to a call whose headers do not match its body.
pub fn header_mismatch(why: &str) -> Answer {
    Answer::error(-32020, &format!("Header mismatch: {why}")).with_status(400).not_executed()
}

/// Every fault of the request; an empty list if it is as it should be.
pub fn faults(
    modern: &Modern,
    request: &Request,
    settings: &Settings,
    state: &State,
) -> Vec<String> {
    // A legacy client's first message, by which an era is found out.
    if request.rpc_method() == Some("initialize") {
        return Vec::new();
    }
    let changed = is_about_a_change(modern, request);
    let refusal = refusal(modern, request, settings).filter(|_| !changed);
    let mut faults: Vec<String> = refusal.map(|refusal| refusal.fault).into_iter().collect();
    let gone = ["mcp-session-id", "last-event-id"];
    let gone = gone.into_iter().filter(|name| request.headers.contains_key(*name));
    faults.extend(gone.map(|name| format!("`{name}`, which this era does not have")));
    let single = ["content-type", "mcp-protocol-version", "mcp-method", "mcp-name", "host"];
    let twice = single.into_iter().filter(|name| request.headers_named(name).len() > 1);
    faults.extend(twice.map(|name| format!("`{name}` twice")));
    if let Message::Request { id, method } = &request.message {
        faults.extend(id_faults(modern, id, request, state));
        let named = headers::NAMED.iter().any(|(named, _)| named == method);
        let idle = request.header("mcp-name").filter(|_| !named);
        faults.extend(idle.map(|_| "an `mcp-name` for a request that has no name".to_owned()));
        let tool = request.tool().and_then(|name| known_tool(modern, &name));
        let extra = headers::unexpected_params(request, tool.as_ref());
        faults.extend(extra.iter().map(|name| format!("an unexpected mcp-param-{name}")));
    }
    faults
}

fn id_faults(modern: &Modern, id: &str, request: &Request, state: &State) -> Vec<String> {
    let mut faults = Vec::new();
    if id == "null" {
        faults.push("an id that is null".to_owned());
    }
    if state.unanswered.values().any(|unanswered| unanswered == id) {
        faults.push("the id of a request that has no response yet".to_owned());
    }
    let params = request.params();
    if let Some(echoed) = params["requestState"].as_str() {
        match modern.shared.read().states.get(echoed) {
            None => faults.push("a requestState that was never given".to_owned()),
            Some(first) => {
                let same_id = (first.id == id).then(|| "a retry under the same id".to_owned());
                let other = rounds::lasting(&params) != first.params;
                let other = other.then(|| "a retry with other parameters".to_owned());
                faults.extend(same_id.into_iter().chain(other));
            }
        }
    }
    faults
}

/// Whether the headers would be right for the tools that the client was told of: then it could not
/// know better.
fn is_about_a_change(modern: &Modern, request: &Request) -> bool {
    let Some(name) = request.tool() else { return false };
    let shared = modern.shared.read();
    let find = |tools: &Value| offers::find(tools, "name", &name).cloned();
    let listed = shared.listed.as_ref().and_then(find);
    let current = find(&shared.tools);
    listed.is_some_and(|listed| {
        current.as_ref() != Some(&listed)
            && headers::params_mismatch(request, &listed).is_none()
            && headers::mismatch(request, "tools/call").is_none()
    })
}

fn known_tool(modern: &Modern, name: &str) -> Option<Value> {
    let shared = modern.shared.read();
    let find = |tools: &Value| offers::find(tools, "name", name).cloned();
    shared.listed.as_ref().and_then(find).or_else(|| find(&shared.tools))
}

/// What keeps the request from being carried out.
pub fn refusal(modern: &Modern, request: &Request, settings: &Settings) -> Option<Refusal> {
    let path = request.path.split('?').next().unwrap_or_default();
    if !settings.paths.iter().any(|known| known == path) {
        let fault = format!("not the endpoint ({})", settings.paths.join(", "));
        return refuse(fault, Answer::text("no such page").with_status(404));
    }
    if request.method != Method::POST {
        let answer = Answer::status(405).header("allow", "POST");
        return refuse("a method that the endpoint does not have", answer);
    }
    refused_form(request).or_else(|| match &request.message {
        Message::Request { method, .. } => refused_request(modern, method, request),
        Message::Notification { method } => refused_notification(method, request),
        Message::Response { .. } => refuse("a response", invalid("Responses are not accepted")),
        Message::Batch => refuse("a batch", invalid("Batches are not accepted")),
        Message::None => refuse("no JSON-RPC message", invalid("Invalid Request")),
    })
}

fn invalid(message: &str) -> Answer {
    Answer::error_with_null_id(-32600, message).with_status(400)
}

fn refused_form(request: &Request) -> Option<Refusal> {
    let content_type = request.header("content-type").unwrap_or_default();
    if content_type.split(';').next().unwrap_or_default().trim() != "application/json" {
        return refuse("a content type other than application/json", Answer::status(415));
    }
    let wanted = ["application/json", "text/event-stream"];
    let lacks = wanted.into_iter().find_map(|wanted| legacy_judge::accept_lacks(request, wanted));
    lacks.and_then(|lacks| refuse(lacks, Answer::status(406)))
}

fn refused_request(modern: &Modern, method: &str, request: &Request) -> Option<Refusal> {
    let params = request.params();
    let requested = params["_meta"][meta::VERSION].as_str();
    if method == "initialize" {
        let asked = params["protocolVersion"].as_str().unwrap_or_default();
        let answer = modern.initialize.clone().unwrap_or_else(|| unsupported(modern, asked));
        return refuse("an `initialize`", answer);
    }
    if let Some(fault) = meta_fault(&params) {
        let answer = Answer::error(-32602, &format!("Invalid params: {fault}"));
        return refuse(fault, answer.with_status(400));
    }
    if let Some(why) = headers::mismatch(request, method) {
        return refuse(why.clone(), header_mismatch(&why));
    }
    let requested = requested.unwrap_or_default();
    let modern_ones = modern.versions.iter().filter(|known| known.as_str() >= OLDEST);
    if !modern_ones.into_iter().any(|known| known == requested) {
        return refuse("a version that it does not speak", unsupported(modern, requested));
    }
    if !offers::METHODS.contains(&method)
        || (method == "subscriptions/listen" && modern.has(Quirk::RefusesListen))
    {
        let answer = Answer::error(-32601, "Method not found").with_status(404);
        return refuse("a method that it does not have", answer);
    }
    let tools = modern.shared.read().tools.clone();
    let tool = request.tool().and_then(|name| offers::find(&tools, "name", &name).cloned());
    let why = headers::params_mismatch(request, &tool?)?;
    refuse(why.clone(), header_mismatch(&why))
}

fn refused_notification(method: &str, request: &Request) -> Option<Refusal> {
    if method == "notifications/cancelled" {
        return refuse("a cancellation that does not close the stream", Answer::accepted());
    }
    let why = headers::mismatch(request, method)?;
    refuse(why.clone(), header_mismatch(&why))
}

/// What is wrong with the members of `_meta` that each request must have.
fn meta_fault(params: &Value) -> Option<&'static str> {
    let given = &params["_meta"];
    if !given[meta::VERSION].is_string() {
        return Some("no protocolVersion in `_meta`");
    }
    if !given[meta::CAPABILITIES].is_object() {
        return Some("no clientCapabilities in `_meta`");
    }
    let level = &given[meta::LOG_LEVEL];
    let known = level.as_str().is_none_or(|level| super::tools::LEVELS.contains(&level));
    (!known || !(level.is_null() || level.is_string())).then_some("an unknown log level")
}

fn unsupported(modern: &Modern, requested: &str) -> Answer {
    let data = json!({"supported": modern.versions, "requested": requested});
    Answer::error_with(-32022, "Unsupported protocol version", &data).with_status(400)
}
