//! Whether messages are what the specification's schemas say (`tests/schema/`).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

/// What is larger is not checked: such a message is about its size.
const LARGEST: usize = 1 << 18;

/// A revision whose schema is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// 2025-11-25.
    Legacy,
    /// 2026-07-28.
    Modern,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Client,
    Server,
}

/// A message as a value, if it is small enough and has one.
pub fn read(message: &[u8]) -> Option<Value> {
    (message.len() <= LARGEST).then(|| serde_json::from_slice(message).ok()).flatten()
}

/// What is wrong with a request or notification.
pub fn fault(revision: Revision, from: Side, message: &Value) -> Option<String> {
    let schema = Schema::of(revision);
    let method = message["method"].as_str().unwrap_or_default();
    let kind = if message.get("id").is_some() { "Request" } else { "Notification" };
    let basic = format!("JSONRPC{kind}");
    let own = schema.definition_of(from, kind, method);
    schema.fault(own.as_deref().unwrap_or(&basic), message)
}

/// What is wrong with the response to a request of the other side.
pub fn response_fault(
    revision: Revision,
    from: Side,
    request: &Value,
    response: &Value,
) -> Option<String> {
    let schema = Schema::of(revision);
    if response.get("error").is_some() {
        return error_fault(schema, revision, response);
    }
    let basic = schema.fault("JSONRPCResultResponse", response);
    basic.or_else(|| schema.fault(&schema.result_of(from, request, response), &response["result"]))
}

fn error_fault(schema: &Schema, revision: Revision, response: &Value) -> Option<String> {
    let code = response["error"]["code"].as_i64();
    let own = match (revision, code) {
        (Revision::Legacy, Some(-32042)) => "URLElicitationRequiredError",
        (Revision::Modern, Some(-32020)) => "HeaderMismatchError",
        (Revision::Modern, Some(-32021)) => "MissingRequiredClientCapabilityError",
        (Revision::Modern, Some(-32022)) => "UnsupportedProtocolVersionError",
        (Revision::Modern, Some(code @ (-32099..=-32020 | -32002))) => {
            return Some(format!("the error code {code}, which the revision does not have"));
        }
        _ => "JSONRPCErrorResponse",
    };
    schema.fault(own, response)
}

/// One schema, with what was compiled of it so far.
pub struct Schema {
    /// The specification's definitions, by name.
    pub definitions: Value,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

const URI: &str = "https://schema.test/mcp";

impl Schema {
    pub fn of(revision: Revision) -> &'static Self {
        static LEGACY: LazyLock<Schema> =
            LazyLock::new(|| Schema::new(include_str!("../schema/2025-11-25.json")));
        static MODERN: LazyLock<Schema> =
            LazyLock::new(|| Schema::new(include_str!("../schema/2026-07-28.json")));
        match revision {
            Revision::Legacy => &LEGACY,
            Revision::Modern => &MODERN,
        }
    }

    fn new(text: &str) -> Self {
        let document: Value = serde_json::from_str(text).expect("a schema is JSON");
        let definitions = document["$defs"].clone();
        let registry = Registry::new().add(URI, document).expect("a schema");
        let registry = registry.prepare().expect("a schema whose references lead somewhere");
        Self { definitions, registry, validators: Mutex::default() }
    }

    /// The methods that a side's requests or notifications (`kind`) have.
    pub fn methods(&self, from: Side, kind: &str) -> Vec<String> {
        let all = self.definitions_of(from, kind);
        all.iter().filter_map(|name| self.method(name)).map(str::to_owned).collect()
    }

    /// What a value lacks to be what the definition says.
    pub fn fault(&self, definition: &str, value: &Value) -> Option<String> {
        let validator = self.validator(definition);
        let faults: Vec<String> = validator
            .iter_errors(value)
            .take(3)
            .map(|error| {
                let mut text = error.to_string();
                text.truncate(text.floor_char_boundary(200));
                format!("{} {text}", error.instance_path())
            })
            .collect();
        (!faults.is_empty()).then(|| format!("not a valid {definition}: {}", faults.join("; ")))
    }

    fn validator(&self, definition: &str) -> Arc<Validator> {
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = known.entry(definition.to_owned()).or_insert_with(|| {
            let schema = json!({"$ref": format!("{URI}#/$defs/{definition}")});
            let built = jsonschema::options().with_registry(&self.registry).build(&schema);
            Arc::new(built.unwrap_or_else(|why| panic!("no schema for {definition}: {why}")))
        });
        Arc::clone(compiled)
    }

    fn definitions_of(&self, from: Side, kind: &str) -> Vec<String> {
        let union = format!("{from:?}{kind}");
        // What a modern server asks comes in a result.
        let name = if self.definitions.get(&union).is_some() { &union } else { "InputRequest" };
        let definition = &self.definitions[name];
        let Some(choices) = definition["anyOf"].as_array() else {
            return vec![name.to_owned()];
        };
        let names = choices.iter().filter_map(|choice| choice["$ref"].as_str()?.rsplit('/').next());
        names.map(str::to_owned).collect()
    }

    fn definition_of(&self, from: Side, kind: &str, method: &str) -> Option<String> {
        let all = self.definitions_of(from, kind);
        all.into_iter().find(|name| self.method(name) == Some(method))
    }

    fn method(&self, definition: &str) -> Option<&str> {
        self.definitions[definition]["properties"]["method"]["const"].as_str()
    }

    /// The definition of the result of a request of the other side.
    fn result_of(&self, from: Side, request: &Value, response: &Value) -> String {
        if response["result"]["resultType"] == "input_required" {
            return "InputRequiredResult".to_owned();
        }
        let asker = if from == Side::Client { Side::Server } else { Side::Client };
        let method = request["method"].as_str().unwrap_or_default();
        let own = self.definition_of(asker, "Request", method);
        let name = own.map(|name| name.replace("Request", "Result"));
        match name {
            _ if !request["params"]["task"].is_null() => "CreateTaskResult".to_owned(),
            Some(name) if self.definitions.get(&name).is_some() => name,
            Some(_) => "EmptyResult".to_owned(),
            None => "Result".to_owned(),
        }
    }
}
