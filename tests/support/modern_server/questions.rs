//! Questions to a client, for the tool `ask`: its argument `rounds` is an array, each element an
//! object of questions by a key of the test's choice.

use serde_json::{Value, json};

/// A round of one form with one field, under the field's name.
pub fn form(field: &str) -> Value {
    json!({field: {"method": "elicitation/create", "params": {
        "mode": "form",
        "message": format!("Which {field}?"),
        "requestedSchema": {
            "type": "object",
            "properties": {field: {"type": "string"}},
            "required": [field],
        },
    }}})
}

/// A round of one page to visit.
pub fn url(key: &str) -> Value {
    json!({key: {"method": "elicitation/create", "params": {
        "mode": "url",
        "message": "Please visit the page.",
        "url": "https://example.com/visit?a=1",
    }}})
}

/// A round of one message to a model.
pub fn sampling(key: &str) -> Value {
    json!({key: {"method": "sampling/createMessage", "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": "The capital?"}}],
        "maxTokens": 100,
    }}})
}

/// A round that asks for the client's roots.
pub fn roots(key: &str) -> Value {
    json!({key: {"method": "roots/list"}})
}

/// Several rounds as one: all their questions at once.
pub fn at_once(rounds: impl IntoIterator<Item = Value>) -> Value {
    let all = rounds.into_iter().filter_map(|round| round.as_object().cloned());
    Value::Object(all.flatten().collect())
}
