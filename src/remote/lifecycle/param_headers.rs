//! Arguments of tools that are mirrored in headers: what `x-mcp-header` in a tool's `inputSchema` says
//! (MCP 2026-07-28, Streamable HTTP, custom headers from tool parameters).

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::header::{HeaderMap, HeaderName};
use serde_json::{Map, Value};

use super::mirrored;
use crate::jsonrpc::edit::{member, member_at, retain_elements};
use crate::jsonrpc::{Message, read};
use crate::printable::printable;

const ANNOTATION: &str = "x-mcp-header";
const PREFIX: &str = "mcp-param-";
/// Types of a parameter that can be mirrored.
const TYPES: [&str; 3] = ["string", "integer", "boolean"];
/// Annotated parameters of one tool, and the longest name of a header, in bytes.
const MAX_PARAMS: usize = 100;
const MAX_NAME: usize = 256;
/// Longest description of a tool with annotations, in bytes.
const MAX_TOOL: usize = 1024 * 1024;
/// Longest way to an annotated parameter, in bytes, and those of all tools that are remembered.
const MAX_PATH: usize = 4 * 1024;
const MAX_PATHS: usize = 8 * 1024 * 1024;
/// Tools that are remembered, and the longest name of one, in bytes.
const MAX_TOOLS: usize = 10_000;
const MAX_TOOL_NAME: usize = 1_024;
/// What a name takes besides its bytes.
const NAME_SIZE: usize = size_of::<String>();
/// Tools that were left out of which it is remembered that somebody was told.
const MAX_TOLD: usize = 1_000;
/// Characters of a name that go into a warning.
const MAX_SHOWN: usize = 100;

/// Keywords of JSON Schema whose value is data and no schema.
const DATA: [&str; 6] = ["const", "default", "enum", "example", "examples", "required"];
/// Keywords whose value is an object of schemas by names of the author's.
const NAMED: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/// An argument that is mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Param {
    header: HeaderName,
    /// The names of the properties that lead to it.
    path: Vec<String>,
}

impl Param {
    fn bytes(&self) -> usize {
        self.header.as_str().len()
            + self.path.iter().map(|name| NAME_SIZE + name.len()).sum::<usize>()
    }
}

/// What a server's lists said of its tools.
#[derive(Debug, Default)]
pub(in crate::remote) struct Tools {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Tools with arguments that are mirrored.
    annotated: HashMap<String, Vec<Param>>,
    /// Bytes of the ways to them.
    paths: usize,
    /// Tools without any, while the list was not seen whole.
    plain: HashSet<String>,
    /// The list was seen whole, so that nothing is left to be asked.
    whole: bool,
    /// The cursor of the page that comes next, of a list that is being seen.
    next: Option<String>,
    /// Counts what was learnt.
    lists: u64,
    /// Warnings that were given.
    told: HashSet<String>,
}

impl Tools {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many lists were learnt from, so that it can be told whether there was another one.
    pub(super) fn lists(&self) -> u64 {
        self.known().lists
    }

    /// Whether there is nothing to be asked before this tool is called.
    pub(super) fn knows(&self, call: &Message) -> bool {
        let known = self.known();
        known.whole
            || read::tool_name(call).is_none_or(|name| {
                known.plain.contains(&*name) || known.annotated.contains_key(&*name)
            })
    }

    /// The tools changed: what was known of them counts no more.
    pub(super) fn forget(&self) {
        let mut known = self.known();
        *known = Known {
            lists: known.lists + 1,
            told: std::mem::take(&mut known.told),
            ..Known::default()
        };
    }

    /// Nothing more is to be learnt by asking.
    pub(super) fn leave_it(&self) {
        self.known().whole = true;
    }

    /// Adds the headers that mirror the arguments of a call.
    pub(super) fn add_headers(&self, call: &Message, headers: &mut HeaderMap) {
        let known = self.known();
        if known.annotated.is_empty() {
            return;
        }
        let Some(params) = read::tool_name(call).and_then(|name| known.annotated.get(&*name))
        else {
            return;
        };
        let arguments = read::params(call).and_then(|params| member(params, "arguments"));
        let Some(arguments) = arguments else { return };
        for Param { header, path } in params {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            if let Some(value) = member_at(arguments, &path).and_then(mirrored::argument) {
                headers.insert(header.clone(), value);
            }
        }
    }

    /// Learns from the response to a `tools/list`, and gives it without the tools whose annotations are not
    /// valid.
    pub(super) fn learn(&self, request: &Message, response: Message) -> Message {
        let Some(result) = read::result(&response) else { return response };
        let cursor = read::params(request).and_then(|params| member(params, "cursor"));
        let cursor = cursor.filter(|cursor| *cursor != "null");
        let next = read::next_cursor(result);
        let mut known = self.known();
        known.begin_page(cursor, next.is_none());
        let kept = std::str::from_utf8(response.bytes()).ok().and_then(|text| {
            retain_elements(text, &["result", "tools"], |tool| known.learn(tool)).ok()?
        });
        known.end_page(cursor, next);
        kept.map_or(response.clone(), |text| response.with_bytes(text.into()))
    }
}

impl Known {
    fn begin_page(&mut self, cursor: Option<&str>, last: bool) {
        // Until the newer list was seen whole, what the older one said is better than nothing.
        let full = self.annotated.len() + self.plain.len() >= MAX_TOOLS;
        if cursor.is_none() && (last || full) {
            self.annotated.clear();
            self.paths = 0;
            self.plain.clear();
            self.whole &= last;
        }
    }

    /// The list is seen whole when each page was that which the one before it named.
    fn end_page(&mut self, cursor: Option<&str>, next: Option<&str>) {
        self.lists += 1;
        if cursor.is_none() || cursor == self.next.as_deref() {
            self.whole |= next.is_none();
            self.next = next.map(str::to_owned);
        }
        if self.whole {
            self.plain.clear();
        }
    }

    /// Takes a tool of a list in; `false` where it has to be left out.
    fn learn(&mut self, tool: &str) -> bool {
        let name = member(tool, "name").and_then(|name| serde_json::from_str::<String>(name).ok());
        let params = params(tool);
        if let Err(why) = &params {
            self.tell(name.as_deref().unwrap_or_default(), why);
        }
        let Some(name) = name.filter(|name| name.len() <= MAX_TOOL_NAME) else {
            return params.is_ok();
        };
        self.paths -= self.annotated.remove(&name).map_or(0, |params| bytes(&params));
        let room = self.annotated.len() + self.plain.len() < MAX_TOOLS;
        match params {
            Ok(params) if params.is_empty() && room => {
                self.plain.insert(name);
            }
            Ok(params) if room && self.paths + bytes(&params) <= MAX_PATHS => {
                self.paths += bytes(&params);
                self.annotated.insert(name, params);
            }
            Ok(_) => {}
            Err(_) => return false,
        }
        true
    }

    fn tell(&mut self, name: &str, why: &str) {
        let told = format!(
            "the tool `{}` of the server is left out: {}",
            printable(name, MAX_SHOWN),
            printable(why, 2 * MAX_SHOWN)
        );
        if self.told.len() < MAX_TOLD && !self.told.contains(&told) {
            tracing::warn!("{told}");
            self.told.insert(told);
        }
    }
}

/// What remembering these takes, about.
fn bytes(params: &[Param]) -> usize {
    params.iter().map(Param::bytes).sum()
}

/// The arguments of a tool that are mirrored, or why its annotations are not valid.
fn params(tool: &str) -> Result<Vec<Param>, String> {
    // A name may be spelt with escapes; of most tools this is all that is looked at.
    if !tool.contains(ANNOTATION) && !tool.contains("\\u") {
        return Ok(Vec::new());
    }
    let Some(schema) = member(tool, "inputSchema") else { return Ok(Vec::new()) };
    if schema.len() > MAX_TOOL {
        return Err(format!("with `{ANNOTATION}` its schema is too large"));
    }
    match serde_json::from_str(schema) {
        Ok(schema) => {
            let mut found = Vec::new();
            visit(&schema, &mut Vec::new(), true, &mut found)?;
            Ok(found)
        }
        Err(_) if schema.contains(ANNOTATION) => Err("its schema can't be read".into()),
        Err(_) => Ok(Vec::new()),
    }
}

/// Looks for annotations in a schema; `reachable` where only `properties` lead to it.
fn visit(
    schema: &Value,
    path: &mut Vec<String>,
    reachable: bool,
    found: &mut Vec<Param>,
) -> Result<(), String> {
    match schema {
        Value::Array(schemas) => {
            schemas.iter().try_for_each(|schema| visit(schema, path, false, found))
        }
        Value::Object(members) => visit_object(members, path, reachable, found),
        _ => Ok(()),
    }
}

fn visit_object(
    members: &Map<String, Value>,
    path: &mut Vec<String>,
    reachable: bool,
    found: &mut Vec<Param>,
) -> Result<(), String> {
    if let Some(annotation) = members.get(ANNOTATION) {
        if !reachable || path.is_empty() {
            return Err(format!("`{ANNOTATION}` stands where it is not allowed{}", at(path)));
        }
        found.push(param(annotation, members.get("type"), path, found)?);
    }
    for (key, value) in members {
        match value {
            _ if DATA.contains(&key.as_str()) || key == ANNOTATION => {}
            Value::Object(schemas) if NAMED.contains(&key.as_str()) => {
                for (name, schema) in schemas {
                    path.push(name.clone());
                    visit(schema, path, reachable && key == "properties", found)?;
                    path.pop();
                }
            }
            value => visit(value, path, false, found)?,
        }
    }
    Ok(())
}

/// One annotation, checked.
fn param(
    annotation: &Value,
    kind: Option<&Value>,
    path: &[String],
    others: &[Param],
) -> Result<Param, String> {
    let name = annotation.as_str().unwrap_or_default();
    let header = format!("{PREFIX}{}", name.to_ascii_lowercase());
    let header = HeaderName::try_from(header).ok();
    let fits = !name.is_empty() && name.len() <= MAX_NAME;
    let Some(header) = header.filter(|_| fits) else {
        return Err(format!("`{ANNOTATION}` is not the name of a header{}", at(path)));
    };
    if !kind.and_then(Value::as_str).is_some_and(|kind| TYPES.contains(&kind)) {
        return Err(format!("`{ANNOTATION}` is for strings, integers and booleans{}", at(path)));
    }
    if others.iter().any(|other| other.header == header) {
        return Err(format!("`{ANNOTATION}` names `{name}` twice"));
    }
    if others.len() == MAX_PARAMS {
        return Err(format!("`{ANNOTATION}` stands at more than {MAX_PARAMS} parameters"));
    }
    // Names that lead to many parameters are kept for each.
    if path.iter().map(String::len).sum::<usize>() > MAX_PATH {
        return Err(format!("`{ANNOTATION}` stands behind more than {MAX_PATH} bytes of names"));
    }
    Ok(Param { header, path: path.to_vec() })
}

fn at(path: &[String]) -> String {
    if path.is_empty() { String::new() } else { format!(" (at `{}`)", path.join(".")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn tool(name: &str, properties: &str) -> String {
        format!(
            "{{\"name\":\"{name}\",\"inputSchema\":{{\"type\":\"object\",\"properties\":{{{properties}}}}}}}"
        )
    }

    /// The list as the client sees it.
    fn listed(tools: &Tools, cursor: &str, elements: &[String], next: &str) -> String {
        let request =
            message(&format!("{{\"id\":1,\"method\":\"tools/list\",\"params\":{{{cursor}}}}}"));
        let response = message(&format!(
            "{{\"id\":1,\"result\":{{\"tools\":[{}]{next}}}}}",
            elements.join(",")
        ));
        let shown = tools.learn(&request, response);
        String::from_utf8(shown.bytes().to_vec()).unwrap()
    }

    fn call(name: &str, arguments: &str) -> Message {
        message(&format!(
            "{{\"id\":1,\"method\":\"tools/call\",\"params\":{{\"name\":\"{name}\",\"arguments\":{arguments}}}}}"
        ))
    }

    fn headers(tools: &Tools, call: &Message) -> Vec<String> {
        let mut headers = HeaderMap::new();
        tools.add_headers(call, &mut headers);
        let mut shown: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        shown.sort();
        shown
    }

    fn invalid(schema: &str) -> String {
        let tool = format!("{{\"name\":\"a\",\"inputSchema\":{schema}}}");
        params(&tool).expect_err(schema)
    }

    #[test]
    fn annotated_arguments_are_mirrored_by_their_path() {
        let tools = Tools::default();
        let sql = tool(
            "sql",
            r#""region":{"type":"string","x-mcp-header":"Region"},"at":{"type":"object","properties":{
               "row":{"type":"integer","x-mcp-header":"row"},"dry":{"type":"boolean","x-mcp-header":"Dry"}}},
               "query":{"type":"string","x-mcp-header":"Query"}"#,
        );
        listed(&tools, "", &[sql], "");
        let arguments = r#"{"query":null,"region":"ü","at":{"row":1e2,"dry":false},"row":3}"#;
        assert_eq!(
            headers(&tools, &call("sql", arguments)),
            ["mcp-param-dry: false", "mcp-param-region: =?base64?w7w=?=", "mcp-param-row: 100"]
        );
        assert!(headers(&tools, &call("sql", "{}")).is_empty());
        assert!(headers(&tools, &call("other", arguments)).is_empty());
    }

    #[test]
    fn a_tool_with_an_annotation_that_is_not_valid_is_left_out_and_all_else_stays() {
        let tools = Tools::default();
        let good = tool("good", r#""a":{"type":"string","x-mcp-header":"A"}"#);
        let bad = tool("bad", r#""a":{"type":"number","x-mcp-header":"A"}"#);
        let shown = listed(&tools, "", &[bad, good.clone()], r#", "ttlMs":1.0"#);
        assert_eq!(shown, format!("{{\"id\":1,\"result\":{{\"tools\":[{good}], \"ttlMs\":1.0}}}}"));
        assert_eq!(tools.known().told.len(), 1);
        assert!(headers(&tools, &call("bad", r#"{"a":1}"#)).is_empty());
    }

    #[test]
    fn an_annotation_is_valid_only_on_a_plain_property_with_a_name_of_its_own() {
        let name = |name: &str| {
            format!(r#"{{"properties":{{"a":{{"type":"string","x-mcp-header":{name}}}}}}}"#)
        };
        for odd in [r#""""#, r#""a b""#, r#""a:b""#, r#""ä""#, r#""a\r\nb""#, "5", "null", "{}"] {
            assert!(invalid(&name(odd)).contains("not the name of a header"), "{odd}");
        }
        assert!(invalid(&name(&format!("\"{}\"", "x".repeat(300)))).contains("not the name"));
        let kind = |kind: &str| format!(r#"{{"properties":{{"a":{{"x-mcp-header":"A"{kind}}}}}}}"#);
        for odd in ["number", "object", "array", "null"] {
            assert!(invalid(&kind(&format!(r#","type":"{odd}""#))).contains("is for strings"));
        }
        assert!(invalid(&kind("")).contains("(at `a`)"));
        assert!(invalid(&kind(r#","type":["string","null"]"#)).contains("is for strings"));
        let twice = r#"{"properties":{"a":{"type":"string","x-mcp-header":"A"},
            "b":{"properties":{"c":{"type":"string","x-mcp-header":"a"}}}}}"#;
        assert!(invalid(twice).contains("twice"));
    }

    #[test]
    fn an_annotation_anywhere_else_is_not_valid_and_what_only_looks_like_one_is_none() {
        let one = r#"{"type":"string","x-mcp-header":"A"}"#;
        for place in [
            format!(r#"{{"x-mcp-header":"A","type":"string","p":{one}}}"#),
            format!(r#"{{"properties":{{"a":{{"items":{one}}}}}}}"#),
            format!(r#"{{"properties":{{"a":{{"anyOf":[{{"type":"null"}},{one}]}}}}}}"#),
            format!(r#"{{"allOf":[{{"properties":{{"a":{one}}}}}]}}"#),
            format!(r#"{{"if":{{"properties":{{"a":{one}}}}}}}"#),
            format!(r#"{{"$defs":{{"a":{one}}}}}"#),
            format!(r#"{{"patternProperties":{{"a":{one}}}}}"#),
            format!(r#"{{"additionalProperties":{one}}}"#),
            format!(r#"{{"properties":{{"a":{{"not":{{"properties":{{"b":{one}}}}}}}}}}}"#),
        ] {
            assert!(invalid(&place).contains("not allowed"), "{place}");
        }
        for fine in [
            r#"{"properties":{"x-mcp-header":{"type":"string"}}}"#,
            r#"{"properties":{"a":{"default":{"x-mcp-header":"A"}}},"examples":[{"x-mcp-header":1}]}"#,
            r#"{"description":"x-mcp-header"}"#,
            "5",
        ] {
            let tool = format!("{{\"name\":\"a\",\"inputSchema\":{fine}}}");
            assert_eq!(params(&tool), Ok(Vec::new()), "{fine}");
        }
        let outside = r#"{"name":"a","inputSchema":{},"outputSchema":{"x-mcp-header":"A"}}"#;
        assert_eq!(params(outside), Ok(Vec::new()));
    }

    #[test]
    fn escapes_hide_no_annotation_and_schemas_without_end_are_refused() {
        assert!(invalid(r#"{"\u0078-mcp-header":"A"}"#).contains("not allowed"));
        let deep = format!("{}{}", "{\"x-mcp-header\":".repeat(1_000), "}".repeat(1_000));
        assert!(invalid(&deep.replace(":}", ":1}")).contains("can't be read"));
        let large = format!("{{\"x-mcp-header\":\"{}\"}}", "x".repeat(MAX_TOOL));
        assert!(invalid(&large).contains("too large"));
        let many: Vec<_> = (0..=MAX_PARAMS)
            .map(|n| format!(r#""a{n}":{{"type":"string","x-mcp-header":"A{n}"}}"#))
            .collect();
        let many = format!("{{\"properties\":{{{}}}}}", many.join(","));
        assert!(invalid(&many).contains("more than 100"));
    }

    #[test]
    fn long_ways_to_many_parameters_fill_nothing() {
        let leaves = |count: usize| {
            let leaf = |n: usize| format!(r#""a{n}":{{"type":"string","x-mcp-header":"A{n}"}}"#);
            (0..count).map(leaf).collect::<Vec<_>>().join(",")
        };
        let behind = |bytes: usize, count: usize| {
            let (name, leaves) = ("x".repeat(bytes), leaves(count));
            format!(r#""{name}":{{"type":"object","properties":{{{leaves}}}}}"#)
        };
        let schema = format!(r#"{{"properties":{{{}}}}}"#, behind(MAX_PATH, 1));
        assert!(invalid(&schema).contains("bytes of names"));
        let tools = Tools::default();
        let many: Vec<_> =
            (0..50).map(|n| tool(&format!("t{n}"), &behind(MAX_PATH - 10, MAX_PARAMS))).collect();
        for _ in 0..3 {
            listed(&tools, "", &many, r#","nextCursor":"2""#);
            let known = tools.known();
            let held: usize = known.annotated.values().map(|params| bytes(params)).sum();
            assert_eq!(held, known.paths);
            assert!((1..=MAX_PATHS).contains(&held));
        }
        listed(&tools, "", &many[..1], "");
        assert_eq!(tools.known().annotated.len(), 1);
    }

    #[test]
    fn nothing_is_asked_once_the_list_was_seen_whole() {
        let tools = Tools::default();
        let one = [tool("a", "")];
        assert!(!tools.knows(&call("a", "{}")));
        listed(&tools, "", &one, r#","nextCursor":"2""#);
        assert!(tools.knows(&call("a", "{}")) && !tools.knows(&call("b", "{}")));
        listed(&tools, r#""cursor":"3""#, &one, "");
        assert!(!tools.knows(&call("b", "{}")), "a page that nothing led to");
        listed(&tools, r#""cursor":"2""#, &one, "");
        assert!(tools.knows(&call("b", "{}")));
        tools.forget();
        assert!(!tools.knows(&call("a", "{}")));
        tools.leave_it();
        assert!(tools.knows(&call("a", "{}")));
    }

    #[test]
    fn a_newer_list_counts() {
        let tools = Tools::default();
        let with = |name: &str| {
            [tool("a", &format!(r#""a":{{"type":"string","x-mcp-header":"{name}"}}"#))]
        };
        let call = call("a", r#"{"a":"x"}"#);
        listed(&tools, "", &with("One"), "");
        let before = tools.lists();
        listed(&tools, "", &with("Two"), "");
        assert_eq!(headers(&tools, &call), ["mcp-param-two: x"]);
        assert!(tools.lists() > before);
        listed(&tools, "", &[tool("a", "")], "");
        assert!(headers(&tools, &call).is_empty());
    }

    #[test]
    fn what_is_remembered_of_a_server_is_bounded() {
        let tools = Tools::default();
        let many: Vec<_> = (0..MAX_TOOLS + 10).map(|n| tool(&format!("t{n}"), "")).collect();
        let odd = r#""a":{"x-mcp-header":1}"#;
        let bad: Vec<_> = (0..MAX_TOLD + 10).map(|n| tool(&format!("b{n}"), odd)).collect();
        listed(&tools, "", &[many, bad].concat(), r#","nextCursor":"2""#);
        assert_eq!(tools.known().plain.len(), MAX_TOOLS);
        assert_eq!(tools.known().told.len(), MAX_TOLD);
    }
}
