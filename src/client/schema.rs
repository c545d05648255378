//! The few keywords of JSON Schema by which arguments are read and mistakes found before anything is sent. What is
//! not understood here is left to the server: nothing is refused for it.

use std::cell::Cell;

use serde_json::{Map, Value};

/// How deep is looked, and how often in all: schemas come from servers.
const DEEPEST: usize = 24;
const MOST: u32 = 20_000;
/// Values of an `enum` that are told.
const MAX_TOLD: usize = 12;

/// A schema with the document that its references point into.
#[derive(Debug, Clone, Copy)]
pub struct Root<'a>(pub &'a Value);

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The place, as `tags[1].name`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub what: What,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It has to be there.
    Missing,
    /// It must not be there.
    Unknown,
    /// It is not what it has to be.
    Wrong(String),
}

impl<'a> Root<'a> {
    /// The schema itself, what it refers to, and the parts that it is put together of.
    pub fn parts(&self, schema: &'a Value) -> Vec<&'a Value> {
        let mut found = Vec::new();
        self.collect(schema, 0, &mut found);
        found
    }

    fn collect(&self, schema: &'a Value, depth: usize, found: &mut Vec<&'a Value>) {
        const MOST_PARTS: usize = 200;
        if depth > DEEPEST || found.len() > MOST_PARTS {
            return;
        }
        found.push(schema);
        if let Some(target) = self.referred(schema) {
            self.collect(target, depth + 1, found);
        }
        for keyword in ["anyOf", "oneOf", "allOf"] {
            for part in schema[keyword].as_array().into_iter().flatten() {
                self.collect(part, depth + 1, found);
            }
        }
    }

    /// What a `$ref` within the document points to.
    fn referred(&self, schema: &Value) -> Option<&'a Value> {
        let pointer = schema["$ref"].as_str()?.strip_prefix('#')?;
        self.0.pointer(pointer)
    }

    /// The schema of a property, and whether properties without one are taken as well.
    pub fn property(&self, schema: &'a Value, name: &str) -> Option<&'a Value> {
        self.parts(schema).into_iter().find_map(|part| part["properties"].get(name))
    }

    /// The names of all properties that are declared.
    pub fn names(&self, schema: &'a Value) -> Vec<&'a str> {
        let parts = self.parts(schema).into_iter();
        let objects = parts.filter_map(|part| part["properties"].as_object());
        objects.flat_map(Map::keys).map(String::as_str).collect()
    }

    /// Whether a property that is not declared may be given: none is declared, or it is said so.
    pub fn is_open(&self, schema: &'a Value) -> bool {
        let said = |part: &Value| match part.get("additionalProperties") {
            None => part.get("patternProperties").is_some(),
            Some(more) => *more != Value::Bool(false),
        };
        let parts = self.parts(schema);
        let closed = parts.iter().any(|part| part["additionalProperties"] == Value::Bool(false));
        parts.iter().any(|part| said(part)) || (!closed && self.names(schema).is_empty())
    }

    /// The types that a value may have; none where nothing is said.
    pub fn types(&self, schema: &'a Value) -> Vec<&'a str> {
        let mut types = Vec::new();
        for part in self.parts(schema) {
            match &part["type"] {
                Value::String(one) => types.push(one.as_str()),
                Value::Array(several) => types.extend(several.iter().filter_map(Value::as_str)),
                _ => {}
            }
            for value in allowed(part).into_iter().flatten() {
                types.push(type_of(value));
            }
        }
        types.dedup();
        types
    }

    /// The values that are allowed, in words, where they are named.
    pub fn choices(&self, schema: &'a Value) -> Option<String> {
        let values: Vec<_> = self.parts(schema).into_iter().filter_map(allowed).flatten().collect();
        let told: Vec<_> = values.iter().take(MAX_TOLD).map(|each| shown(each)).collect();
        let more = if values.len() > MAX_TOLD { " | …" } else { "" };
        (!values.is_empty()).then(|| format!("{}{more}", told.join(" | ")))
    }

    /// The schema of an array's elements.
    pub fn items(&self, schema: &'a Value) -> &'a Value {
        let items = self.parts(schema).into_iter().find_map(|part| part.get("items"));
        items.unwrap_or(&Value::Null)
    }

    /// What is wrong with a value, if something is that is understood here.
    pub fn check(&self, value: &Value, schema: &'a Value) -> Option<Fault> {
        let check = Check { root: *self, left: Cell::new(MOST) };
        check.value(value, schema, "", 0)
    }
}

/// The values of an `enum` or a `const`.
fn allowed(schema: &Value) -> Option<Vec<&Value>> {
    match (&schema["enum"], schema.get("const")) {
        (Value::Array(values), _) => Some(values.iter().collect()),
        (_, Some(value)) => Some(vec![value]),
        _ => None,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value has a type; one that nobody knows is had by every value.
fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        "null" | "boolean" | "number" | "string" | "array" | "object" => type_of(value) == name,
        _ => true,
    }
}

/// Equal, numbers by their value.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other || (one.is_number() && other.is_number() && one.as_f64() == other.as_f64())
}

struct Check<'a> {
    root: Root<'a>,
    left: Cell<u32>,
}

impl<'a> Check<'a> {
    fn value(&self, value: &Value, schema: &'a Value, path: &str, depth: usize) -> Option<Fault> {
        let left = self.left.get();
        if left == 0 || depth > DEEPEST || !schema.is_object() {
            return None;
        }
        self.left.set(left - 1);
        let wrong = |why: String| Some(Fault { path: path.to_owned(), what: What::Wrong(why) });
        if let Some(why) = self.kind(value, schema).or_else(|| bounds(value, schema)) {
            return wrong(why);
        }
        if let Some(target) = self.root.referred(schema)
            && let Some(fault) = self.value(value, target, path, depth + 1)
        {
            return Some(fault);
        }
        self.parts(value, schema, path, depth)
            .or_else(|| self.object(value, schema, path, depth))
            .or_else(|| self.array(value, schema, path, depth))
    }

    /// `type`, `enum` and `const`.
    fn kind(&self, value: &Value, schema: &Value) -> Option<String> {
        if let Some(allowed) = allowed(schema)
            && !allowed.iter().any(|each| is_same(each, value))
        {
            let told: Vec<_> = allowed.iter().take(MAX_TOLD).map(|each| shown(each)).collect();
            let more = if allowed.len() > MAX_TOLD { ", …" } else { "" };
            return Some(match allowed.len() {
                1 => format!("it has to be {}", told.join("")),
                _ => format!("it is not one of: {}{more}", told.join(", ")),
            });
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => return None,
        };
        let fits = types.is_empty() || types.iter().any(|name| has_type(value, name));
        (!fits).then(|| format!("it is not {}", in_words(&types)))
    }

    /// `anyOf` and `oneOf`, of which one has to fit, and `allOf`.
    fn parts(&self, value: &Value, schema: &'a Value, path: &str, depth: usize) -> Option<Fault> {
        let parts = |keyword: &str| schema[keyword].as_array().into_iter().flatten();
        for keyword in ["anyOf", "oneOf"] {
            let mut faults = Vec::new();
            let fits = parts(keyword).any(|part| {
                let fault = self.value(value, part, path, depth + 1);
                let fits = fault.is_none();
                faults.extend(fault);
                fits
            });
            if !fits && !faults.is_empty() {
                return Some(most_telling(faults, path, &self.root.types(schema)));
            }
        }
        parts("allOf").find_map(|part| self.value(value, part, path, depth + 1))
    }

    fn object(&self, value: &Value, schema: &'a Value, path: &str, depth: usize) -> Option<Fault> {
        let members = value.as_object()?;
        let at = |name: &str| {
            if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
        };
        let required = schema["required"].as_array().into_iter().flatten();
        let mut missing =
            required.filter_map(Value::as_str).filter(|name| !members.contains_key(*name));
        if let Some(name) = missing.next() {
            return Some(Fault { path: at(name), what: What::Missing });
        }
        let declared = schema["properties"].as_object();
        let closed = schema["additionalProperties"] == Value::Bool(false)
            && schema.get("patternProperties").is_none();
        for (name, member) in members {
            match declared.and_then(|declared| declared.get(name)) {
                Some(schema) => {
                    let fault = self.value(member, schema, &at(name), depth + 1);
                    if fault.is_some() {
                        return fault;
                    }
                }
                None if closed => return Some(Fault { path: at(name), what: What::Unknown }),
                None => {}
            }
        }
        None
    }

    fn array(&self, value: &Value, schema: &'a Value, path: &str, depth: usize) -> Option<Fault> {
        // Of a tuple the first elements are described elsewhere.
        if schema.get("prefixItems").is_some() {
            return None;
        }
        let items = schema.get("items")?;
        let elements = value.as_array()?.iter().enumerate();
        let mut faults =
            elements.map(|(at, each)| self.value(each, items, &format!("{path}[{at}]"), depth + 1));
        faults.find_map(|fault| fault)
    }
}

/// Of the faults of several parts the one that lies deepest; where all are about the whole, what it may be.
fn most_telling(faults: Vec<Fault>, path: &str, types: &[&str]) -> Fault {
    let several = faults.len() > 1;
    let deepest = faults.into_iter().max_by_key(|fault| fault.path.len());
    match deepest {
        Some(fault) if fault.path.len() > path.len() || !several || types.is_empty() => fault,
        _ => {
            let why = format!("it is not {}", in_words(types));
            Fault { path: path.to_owned(), what: What::Wrong(why) }
        }
    }
}

/// Sizes and lengths.
fn bounds(value: &Value, schema: &Value) -> Option<String> {
    let bound = |keyword: &str| schema[keyword].as_f64();
    let told = |keyword: &str| schema[keyword].to_string();
    if let Some(number) = value.as_f64() {
        // What a number of 64 bits can't tell apart is left to the server.
        return match () {
            () if bound("minimum").is_some_and(|least| number < least) => {
                Some(format!("it is less than {}", told("minimum")))
            }
            () if bound("maximum").is_some_and(|most| number > most) => {
                Some(format!("it is more than {}", told("maximum")))
            }
            () if bound("exclusiveMinimum").is_some_and(|least| number < least) => {
                Some(format!("it is not more than {}", told("exclusiveMinimum")))
            }
            () if bound("exclusiveMaximum").is_some_and(|most| number > most) => {
                Some(format!("it is not less than {}", told("exclusiveMaximum")))
            }
            () => None,
        };
    }
    let (count, least, most, unit) = match value {
        Value::String(text) => (text.chars().count(), "minLength", "maxLength", "characters"),
        Value::Array(elements) => (elements.len(), "minItems", "maxItems", "elements"),
        _ => return None,
    };
    let limit = |keyword: &str| schema[keyword].as_u64().and_then(|n| usize::try_from(n).ok());
    if limit(least).is_some_and(|least| count < least) {
        return Some(format!("it has fewer than {} {unit}", told(least)));
    }
    let over = limit(most).is_some_and(|most| count > most);
    over.then(|| format!("it has more than {} {unit}", told(most)))
}

/// A value as it is told: texts without quotes.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => crate::printable::one_line(text, LONGEST),
        other => crate::printable::one_line(&other.to_string(), LONGEST),
    }
}

/// Types in words.
pub fn in_words(types: &[&str]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for name in types {
        let word = match *name {
            "string" => "a text",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "`true` or `false`",
            "array" => "a list",
            "object" => "a JSON object",
            "null" => "`null`",
            other => other,
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(" or ")
}

/// What a person typed, as the JSON text of a value that fits the schema.
///
/// # Errors
/// Nothing that it may mean fits: why, in words.
pub fn typed(text: &str, schema: &Value, root: Root<'_>) -> Result<String, String> {
    let types = root.types(schema);
    let mut first = None;
    for candidate in candidates(text, schema, root, &types) {
        let fault = match serde_json::from_str(&candidate) {
            Ok(value) => root.check(&value, schema),
            // A number beyond all bounds is a number all the same.
            Err(_) => None,
        };
        match fault {
            None => return Ok(candidate),
            Some(fault) => first = first.or(Some(fault)),
        }
    }
    Err(match first.map(|fault| fault.what) {
        Some(What::Wrong(why)) => why,
        Some(What::Missing | What::Unknown) | None => format!("it is not {}", in_words(&types)),
    })
}

/// What a text may mean, the likeliest first.
fn candidates(text: &str, schema: &Value, root: Root<'_>, types: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let is = |name: &str| types.is_empty() || types.contains(&name);
    let json = serde_json::from_str::<&serde_json::value::RawValue>(text).ok();
    if let Some(raw) = json.map(serde_json::value::RawValue::get) {
        let fits = match raw.as_bytes().first() {
            Some(b'n') => is("null"),
            Some(b't' | b'f') => is("boolean"),
            Some(b'[') => is("array"),
            Some(b'{') => is("object"),
            Some(b'"') | None => false,
            Some(_) => is("number") || is("integer"),
        };
        found.extend(fits.then(|| raw.to_owned()));
    }
    if is("string") {
        found.push(Value::from(text).to_string());
    }
    if types.contains(&"array")
        && let Ok(element) = typed(text, root.items(schema), root)
    {
        found.push(format!("[{element}]"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What a typed text becomes, or why it can't be used.
    fn becomes(text: &str, schema: Value) -> String {
        typed(text, &schema, Root(&schema)).unwrap_or_else(|why| format!("! {why}"))
    }

    #[test]
    fn a_text_becomes_what_the_schema_says() {
        let nullable = json!({"anyOf": [{"type": "integer"}, {"type": "null"}]});
        for (text, schema, expected) in [
            ("7", json!({"type": "string"}), "\"7\""),
            ("7", json!({"type": "integer"}), "7"),
            ("1.0", json!({"type": "integer"}), "1.0"),
            ("1e400", json!({"type": "number"}), "1e400"),
            ("12345678901234567890123", json!({"type": "integer"}), "12345678901234567890123"),
            ("0.10", json!({"type": "number"}), "0.10"),
            ("7.5", json!({"type": "integer"}), "! it is not a whole number"),
            ("x", json!({"type": "number"}), "! it is not a number"),
            ("007", json!({"type": "integer"}), "! it is not a whole number"),
            ("true", json!({"type": "boolean"}), "true"),
            ("yes", json!({"type": "boolean"}), "! it is not `true` or `false`"),
            ("true", json!({"type": "string"}), "\"true\""),
            ("null", nullable.clone(), "null"),
            ("7", nullable.clone(), "7"),
            ("x", nullable, "! it is not a whole number or `null`"),
            ("7", json!({"type": ["string", "integer"]}), "7"),
            ("007", json!({"type": ["string", "integer"]}), "\"007\""),
            ("[1, 2]", json!({"type": "array"}), "[1, 2]"),
            ("a", json!({"type": "array", "items": {"type": "string"}}), "[\"a\"]"),
            ("5", json!({"type": "array", "items": {"type": "integer"}}), "[5]"),
            ("{\"b\":1.0,\"a\":2}", json!({"type": "object"}), "{\"b\":1.0,\"a\":2}"),
            ("x", json!({"type": "object"}), "! it is not a JSON object"),
            ("low", json!({"enum": ["low", "high", 3]}), "\"low\""),
            ("3", json!({"enum": ["low", "high", 3]}), "3"),
            ("mid", json!({"enum": ["low", "high"]}), "! it is not one of: low, high"),
            ("b", json!({"const": "a"}), "! it has to be a"),
            ("0", json!({"type": "integer", "minimum": 1}), "! it is less than 1"),
            ("abc", json!({"type": "string", "maxLength": 2}), "! it has more than 2 characters"),
            ("7", json!({}), "7"),
            ("x y", json!({}), "\"x y\""),
            ("", json!({"type": "string"}), "\"\""),
            ("x", json!({"type": "duration"}), "! it is not duration"),
        ] {
            assert_eq!(becomes(text, schema.clone()), expected, "{text:?} by {schema}");
        }
    }

    #[test]
    fn references_within_the_schema_are_followed_and_others_are_left_to_the_server() {
        let schema = json!({
            "$defs": {"level": {"enum": ["low", "high"]}, "me": {"$ref": "#/$defs/me"}},
            "properties": {
                "level": {"$ref": "#/$defs/level"},
                "far": {"$ref": "https://example.com/schema"},
                "me": {"$ref": "#/$defs/me"},
            },
        });
        let root = Root(&schema);
        let at = |name| root.property(&schema, name).unwrap();
        assert_eq!(typed("low", at("level"), root).unwrap(), "\"low\"");
        assert!(typed("mid", at("level"), root).is_err());
        assert_eq!(typed("5", at("far"), root).unwrap(), "5");
        assert_eq!(typed("x", at("me"), root).unwrap(), "\"x\"");
    }

    #[test]
    fn what_is_not_understood_refuses_nothing() {
        for schema in [
            json!(true),
            json!(7),
            json!({"type": 7, "enum": "x", "required": "y", "properties": []}),
            json!({"pattern": "^a$", "format": "email", "not": {}, "if": {"type": "null"}}),
            json!({"type": "object", "properties": {"a": {"type": "odd"}}}),
            json!({"anyOf": []}),
        ] {
            let value = json!({"a": [1, "x", null]});
            assert_eq!(Root(&schema).check(&value, &schema), None, "{schema}");
        }
    }

    #[test]
    fn a_fault_is_told_with_its_place() {
        let schema = json!({
            "type": "object",
            "required": ["a"],
            "additionalProperties": false,
            "properties": {
                "a": {"type": "array", "items": {"type": "object", "required": ["n"]}},
                "b": {"oneOf": [{"type": "string"}, {"type": "object", "properties": {"x": {"type": "integer"}}}]},
            },
        });
        let fault = |value: Value| Root(&schema).check(&value, &schema).unwrap();
        assert_eq!(fault(json!({})), Fault { path: "a".into(), what: What::Missing });
        assert_eq!(fault(json!({"a": [{"n": 1}, {}]})).path, "a[1].n");
        assert_eq!(fault(json!({"a": [], "c": 1})).what, What::Unknown);
        assert_eq!(fault(json!({"a": [], "b": {"x": "y"}})).path, "b.x");
    }

    #[test]
    fn a_hostile_schema_costs_a_bounded_time() {
        let parts: Vec<Value> = (0..10).map(|_| json!({"$ref": "#"})).collect();
        let schema = json!({"anyOf": parts, "type": "object", "properties": {"a": {"$ref": "#"}}});
        let value = json!({"a": {"a": {"a": {"a": {}}}}});
        assert_eq!(Root(&schema).check(&value, &schema), None);
        let deep = (0..200).fold(json!({"type": "null"}), |inner, _| json!({"allOf": [inner]}));
        assert_eq!(Root(&deep).check(&value, &deep), None);
    }
}
