//! What every server of the matrix offers, as JSON.

use serde_json::{Value, json};

pub const PEOPLE: [&str; 3] = ["Ada", "Alan", "Grace"];

/// A legacy client knows no structure but objects.
pub fn tools(is_modern: bool) -> Value {
    let string = json!({"type": "string"});
    let header = json!({"type": "string", "x-mcp-header": "Region"});
    let none = json!({});
    let mut tools: Vec<Value> = [
        ("echo", json!({"text": string})),
        ("region", json!({"region": header})),
        ("picture", none.clone()),
        ("fail", none.clone()),
        ("progress", json!({"who": string})),
        ("reports", json!({"who": string})),
        ("go", json!({"who": string})),
        ("log", none.clone()),
        ("wait", json!({"who": string})),
        ("waits", json!({"who": string})),
        ("form", none.clone()),
        ("page", none.clone()),
        ("sampling", none.clone()),
        ("roots", none.clone()),
        ("several", none.clone()),
        ("rounds", none.clone()),
        ("change", json!({"what": string})),
    ]
    .into_iter()
    .map(|(name, properties)| json!({"name": name, "inputSchema": schema(properties)}))
    .collect();
    let sum = schema(json!({"sum": {"type": "number"}}));
    let mut numbers = json!({"name": "numbers", "inputSchema": schema(none.clone())});
    if is_modern {
        numbers["outputSchema"] = json!({"type": "array", "items": {"type": "number"}});
    }
    tools.push(numbers);
    tools.push(json!({"name": "structured", "inputSchema": schema(none), "outputSchema": sum}));
    Value::Array(tools)
}

fn schema(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().expect("an object").keys().collect();
    json!({"type": "object", "required": required, "properties": properties})
}

/// The request that asks a client for this; `page` with the id that only legacy revisions know.
pub fn question(kind: &str) -> Value {
    let params = match kind {
        "form" => json!({
            "mode": "form",
            "message": "Who?",
            "requestedSchema": schema(json!({"name": {"type": "string"}})),
        }),
        "page" => {
            json!({"mode": "url", "message": "Visit", "url": "https://example.com/visit", "elicitationId": "visit"})
        }
        "sampling" => json!({
            "messages": [{"role": "user", "content": {"type": "text", "text": "The capital?"}}],
            "maxTokens": 10,
        }),
        _ => json!({}),
    };
    let method = match kind {
        "sampling" => "sampling/createMessage",
        "roots" => "roots/list",
        _ => "elicitation/create",
    };
    json!({"method": method, "params": params})
}

/// The questions that a tool asks at once, if it is one that asks.
pub fn questions_of(tool: &str) -> Option<Vec<&str>> {
    match tool {
        "form" | "page" | "sampling" | "roots" => Some(vec![tool]),
        "several" => Some(vec!["form", "sampling", "roots"]),
        _ => None,
    }
}

pub fn resources(cursor: Option<&str>) -> Value {
    let memo = |number: u8| json!({"uri": format!("memo:///{number}"), "name": format!("memo {number}"), "mimeType": "text/plain"});
    match cursor {
        Some("second") => json!({"resources": [memo(2)]}),
        _ => json!({"resources": [memo(1)], "nextCursor": "second"}),
    }
}

/// What stands at a URI, if anything does.
pub fn contents(uri: &str) -> Option<Value> {
    let content = match uri {
        "memo:///1" => json!({"uri": uri, "text": "a memo"}),
        "memo:///2" => json!({"uri": uri, "blob": "AAEC"}),
        _ => json!({"uri": uri, "text": format!("a note of {}", uri.strip_prefix("note:///")?)}),
    };
    Some(json!({"contents": [content]}))
}
