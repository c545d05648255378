//! Multi round-trip requests: the server asks, and the client sends the request again.

use serde_json::{Value, json};

use super::conduct::{Asked, Modern, identified, meta};
use crate::support::mcp_server::Answer;
use crate::support::mcp_server::request::Request;

/// What all rounds were answered with, as an array; or the next question.
///
/// All that the server knows about the call is in the `requestState`, which has characters that
/// a careless client would spell in another way.
pub fn ask(modern: &Modern, request: &Request, rounds: &Value) -> Result<Value, Box<Answer>> {
    let params = request.params();
    let rounds = rounds.as_array().cloned().unwrap_or_default();
    let mut answers = match params["requestState"].as_str() {
        None => Vec::new(),
        Some(state) => read_state(modern, state)?,
    };
    let asked = rounds.get(answers.len()).filter(|_| params["requestState"].is_string());
    if let Some(asked) = asked.filter(|asked| !lacks(&params["inputResponses"], asked)) {
        // Of a round without questions nothing comes back.
        let nothing = asked.as_object().is_some_and(serde_json::Map::is_empty);
        answers.push(if nothing { json!({}) } else { params["inputResponses"].clone() });
    }
    match rounds.get(answers.len()) {
        None => Ok(json!(answers)),
        Some(round) => Err(Box::new(question(modern, request, round, &answers))),
    }
}

/// As `ask`, with one round and without a `requestState`.
pub fn ask_without_state(request: &Request, round: &Value) -> Result<Value, Box<Answer>> {
    let given = &request.params()["inputResponses"];
    if !lacks(given, round) {
        return Ok(json!([given]));
    }
    Err(Box::new(refused(request, round).unwrap_or_else(|| input_required(round, None))))
}

/// A client that left answers out is asked again.
fn lacks(given: &Value, asked: &Value) -> bool {
    let mut asked = asked.as_object().into_iter().flatten();
    asked.any(|(key, _)| given.get(key).is_none())
}

fn question(modern: &Modern, request: &Request, round: &Value, answers: &[Value]) -> Answer {
    if let Some(refused) = refused(request, round) {
        return refused;
    }
    modern.shared.update(|shared| {
        let number = shared.states.len() + 1;
        let answers = Value::from(answers);
        let state = format!("{number}|{answers}|\u{e9}\u{1f600}</\"\\\u{7f}>+=\u{2028}");
        let id = request.rpc_id().unwrap_or_default().to_owned();
        let asked = Asked { id, params: lasting(&request.params()) };
        shared.states.insert(state.clone(), asked);
        input_required(round, Some(&state))
    })
}

/// The parameters that a retry has in common with its first request.
pub fn lasting(params: &Value) -> Value {
    let mut params = params.clone();
    if let Some(members) = params.as_object_mut() {
        members.retain(|name, _| !matches!(&**name, "_meta" | "inputResponses" | "requestState"));
    }
    params
}

/// A result that asks. Without questions it only wants to be asked again.
pub fn input_required(requests: &Value, state: Option<&str>) -> Answer {
    let mut result = json!({"resultType": "input_required"});
    if *requests != json!({}) {
        result["inputRequests"] = requests.clone();
    }
    if let Some(state) = state {
        result["requestState"] = json!(state);
    }
    Answer::result(identified(result)).not_executed()
}

fn read_state(modern: &Modern, state: &str) -> Result<Vec<Value>, Box<Answer>> {
    let answers = state.split_once('|').and_then(|(_, rest)| rest.rsplit_once('|'));
    let answers = answers.filter(|_| modern.shared.read().states.contains_key(state));
    let answers = answers.and_then(|(answers, _)| serde_json::from_str(answers).ok());
    let unknown = || Box::new(Answer::error(-32602, "Invalid requestState").not_executed());
    answers.ok_or_else(unknown)
}

/// The answer to a client that did not declare what a round needs.
fn refused(request: &Request, round: &Value) -> Option<Answer> {
    let data = json!({"requiredCapabilities": missing_capabilities(request, round)?});
    let message = "Missing required client capability";
    Some(Answer::error_with(-32021, message, &data).with_status(400).not_executed())
}

fn missing_capabilities(request: &Request, round: &Value) -> Option<Value> {
    let declared = &request.params()["_meta"][meta::CAPABILITIES];
    let mut missing = json!({});
    for question in round.as_object()?.values() {
        match question["method"].as_str().unwrap_or_default() {
            "sampling/createMessage" if declared["sampling"].is_null() => {
                missing["sampling"] = json!({});
            }
            "roots/list" if declared["roots"].is_null() => missing["roots"] = json!({}),
            "elicitation/create" => {
                let mode = question["params"]["mode"].as_str().unwrap_or("form");
                let can = &declared["elicitation"];
                // Without a mode it is the form.
                let bare = mode == "form" && can.as_object().is_some_and(serde_json::Map::is_empty);
                if can[mode].is_null() && !bare {
                    missing["elicitation"][mode] = json!({});
                }
            }
            _ => {}
        }
    }
    (missing != json!({})).then_some(missing)
}
