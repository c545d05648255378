//! The headers that mirror a body: Streamable HTTP, "Request Metadata".

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::mcp_server::request::Request;

/// Where the methods with a name have it.
pub const NAMED: [(&str, &str); 3] =
    [("tools/call", "name"), ("prompts/get", "name"), ("resources/read", "uri")];

/// What is wrong with the headers of a request or notification, in the words of the answer.
pub fn mismatch(request: &Request, method: &str) -> Option<String> {
    let params = request.params();
    let version = params["_meta"][super::conduct::meta::VERSION].as_str();
    let is_request = request.rpc_id().is_some();
    same("MCP-Protocol-Version", request, version.filter(|_| is_request)).err().or_else(|| {
        if !is_request {
            return None;
        }
        let name = NAMED.iter().find(|(named, _)| *named == method);
        let name = name.and_then(|(_, member)| params[*member].as_str());
        let of_method = same("Mcp-Method", request, Some(method)).err();
        of_method.or_else(|| name.and_then(|name| same_encoded("Mcp-Name", request, name).err()))
    })
}

fn same(header: &str, request: &Request, body: Option<&str>) -> Result<(), String> {
    let sent = request.header(header).ok_or_else(|| format!("{header} is missing"))?;
    match body {
        Some(body) if body != sent => {
            Err(format!("{header} header value '{sent}' does not match body value '{body}'"))
        }
        _ => Ok(()),
    }
}

fn same_encoded(header: &str, request: &Request, body: &str) -> Result<(), String> {
    let sent = request.header(header).ok_or_else(|| format!("{header} is missing"))?;
    let decoded = decode(sent).ok_or_else(|| format!("{header} is not encoded well: '{sent}'"))?;
    let same = decoded == body;
    same.then_some(()).ok_or_else(|| format!("{header} '{decoded}' does not match '{body}'"))
}

/// A value as it was before it was encoded; `None` if it is not encoded as it must be.
fn decode(value: &str) -> Option<String> {
    let encoded = value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?="));
    match encoded {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok(),
        None => {
            let safe = value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
            (safe && value.trim() == value).then(|| value.to_owned())
        }
    }
}

/// What is wrong with the `Mcp-Param-*` of a call to this tool.
pub fn params_mismatch(request: &Request, tool: &Value) -> Option<String> {
    let arguments = &request.params()["arguments"];
    for (name, path) in annotated(tool) {
        let header = format!("mcp-param-{name}");
        let value = path.iter().try_fold(arguments, |value, step| value.get(step));
        let sent = request.headers_named(&header);
        let value = value.filter(|value| !value.is_null());
        let fault = match (value, sent.as_slice()) {
            (None, []) => None,
            (None, _) => Some("is there without a value in the body"),
            (Some(_), []) => Some("is missing"),
            (Some(value), [sent]) => (!is_same(value, sent)).then_some("does not match the body"),
            (Some(_), _) => Some("is there twice"),
        };
        if let Some(fault) = fault {
            return Some(format!("{header} {fault}"));
        }
    }
    None
}

/// The `Mcp-Param-*` of a request that the tool did not ask for.
pub fn unexpected_params(request: &Request, tool: Option<&Value>) -> Vec<String> {
    let known = tool.map(annotated).unwrap_or_default();
    let names = request.headers.keys().filter_map(|name| name.as_str().strip_prefix("mcp-param-"));
    names.filter(|name| !known.contains_key(*name)).map(str::to_owned).collect()
}

fn is_same(value: &Value, sent: &str) -> bool {
    let Some(sent) = decode(sent) else { return false };
    match value {
        Value::String(text) => *text == sent,
        Value::Bool(flag) => sent == flag.to_string(),
        // 42 and 42.0 are the same; both are exact as long as the header may carry them.
        Value::Number(number) => {
            sent.parse::<f64>().is_ok_and(|sent| number.as_f64() == Some(sent))
        }
        _ => false,
    }
}

/// By the name of the header, in lower case: the path in the arguments.
fn annotated(tool: &Value) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    collect(&tool["inputSchema"], &mut Vec::new(), &mut found);
    found
}

fn collect(schema: &Value, path: &mut Vec<String>, found: &mut BTreeMap<String, Vec<String>>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        path.push(name.clone());
        if let Some(header) = property["x-mcp-header"].as_str() {
            found.insert(header.to_lowercase(), path.clone());
        }
        collect(property, path, found);
        path.pop();
    }
}
