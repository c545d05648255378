//! Answers of the server, as a client of the legacy era knows them.

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::object::{changed_at, entries, is_empty, without};
use crate::jsonrpc::{INTERNAL_ERROR, INVALID_PARAMS, Message, read};
use crate::remote::lifecycle::modern::{
    HEADER_MISMATCH, MISSING_CAPABILITY, SERVER_INFO, UNSUPPORTED_VERSION,
};

/// "Resource not found", to 2025-11-25.
const NOT_FOUND: i32 = -32002;
/// Requests whose results may be kept for a while (MCP 2026-07-28, caching).
const CACHEABLE: [&str; 5] =
    ["tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"];

/// What kind of result an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::remote) enum ResultType<'a> {
    /// The final one.
    Complete,
    /// One that asks the client something first.
    InputRequired,
    /// One that nobody here knows, as JSON text.
    Unknown(&'a str),
}

/// Reads what kind of result it is; one that does not say is the final one (MCP 2026-07-28, result type).
pub(in crate::remote) fn result_type(result: &str) -> ResultType<'_> {
    match member(result, "resultType") {
        None | Some("\"complete\"") => ResultType::Complete,
        Some("\"input_required\"") => ResultType::InputRequired,
        Some(other) => ResultType::Unknown(other),
    }
}

/// The final answer to a request, without what only the modern era knows; every other byte stays.
pub(in crate::remote) fn legacy(answer: Message, request: &Message) -> Message {
    let method = request.method().unwrap_or_default();
    let text = std::str::from_utf8(answer.bytes()).unwrap_or_default();
    let changed = if member(text, "result").is_some() {
        changed_at(text, &["result"], |result| legacy_result(result, method))
    } else {
        legacy_code(&answer, request)
            .and_then(|code| changed_at(text, &["error", "code"], |_| Some(code.to_string())))
    };
    match changed {
        Some(changed) => answer.with_bytes(Bytes::from(changed)),
        None => answer,
    }
}

fn legacy_result(result: &str, method: &str) -> Option<String> {
    let gone: &[&str] = if CACHEABLE.contains(&method) {
        &["resultType", "ttlMs", "cacheScope"]
    } else {
        &["resultType"]
    };
    let stripped = without(result, gone);
    let anonymous = without_identity(stripped.as_deref().unwrap_or(result));
    let so_far = anonymous.or(stripped);
    let mapped = match method {
        "tools/list" => legacy_tools(so_far.as_deref().unwrap_or(result)),
        "tools/call" => legacy_structure(so_far.as_deref().unwrap_or(result)),
        _ => None,
    };
    mapped.or(so_far)
}

/// A result without the server's identity in its `_meta`, and without a `_meta` that held nothing else.
fn without_identity(result: &str) -> Option<String> {
    let meta = without(member(result, "_meta")?, &[SERVER_INFO])?;
    if is_empty(&meta) {
        return without(result, &["_meta"]);
    }
    changed_at(result, &["_meta"], |_| Some(meta))
}

/// Tools whose `outputSchema` is that of an object, as any was to 2025-11-25: a strict client would refuse the
/// whole list for another. What such a tool returns is text too.
fn legacy_tools(result: &str) -> Option<String> {
    let tools: Vec<&RawValue> = serde_json::from_str(member(result, "tools")?).ok()?;
    let is_other = |tool: &RawValue| {
        member(tool.get(), "outputSchema")
            .is_some_and(|schema| member(schema, "type") != Some("\"object\""))
    };
    if !tools.iter().any(|tool| is_other(tool)) {
        return None;
    }
    let tools = tools.into_iter().map(|tool| match is_other(tool) {
        true => without(tool.get(), &["outputSchema"]).unwrap_or_else(|| tool.get().to_owned()),
        false => tool.get().to_owned(),
    });
    let tools = tools.collect::<Vec<_>>().join(",");
    changed_at(result, &["tools"], |_| Some(format!("[{tools}]")))
}

/// A result of a tool whose structured content is an object, as any was to 2025-11-25: another becomes text,
/// unless there is text already (MCP 2026-07-28, structured content).
fn legacy_structure(result: &str) -> Option<String> {
    let content = member(result, "structuredContent").filter(|value| !value.starts_with('{'))?;
    let plain = without(result, &["structuredContent"])?;
    let is_told = member(result, "content")
        .is_some_and(|list| list.starts_with('[') && !list[1..].trim_start().starts_with(']'));
    if is_told || content == "null" {
        return Some(plain);
    }
    let block = format!("[{}]", serde_json::json!({ "type": "text", "text": content }));
    let bare = without(&plain, &["content"]).unwrap_or(plain);
    crate::jsonrpc::object::with_first(&bare, "content", &block)
}

/// The code of an error in the legacy era, where it is another.
fn legacy_code(answer: &Message, request: &Message) -> Option<i32> {
    match read::error_code(answer)? {
        // Of a request that names a resource it means that there is none (MCP 2026-07-28, resources).
        INVALID_PARAMS
            if request.method() == Some("resources/read")
                && read::resource_uri(request).is_some() =>
        {
            Some(NOT_FOUND)
        }
        HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION => Some(INTERNAL_ERROR),
        _ => None,
    }
}

/// Whether an error says that the server does not speak the modern era any more: the revision is not one of
/// its, or it wants a handshake.
pub(in crate::remote) fn is_of_legacy_server(answer: &Message) -> bool {
    /// With which servers of the legacy era refuse what is no session of theirs.
    const CODES: [i32; 3] = [-32600, -32000, -32001];
    const WORDS: [&str; 4] = [
        // Not of anything else: the index of a tool may be missing too, and its error is the answer.
        "server not initialized",
        "unsupported protocol version",
        "session id is required",
        "session id header is required",
    ];
    let Some(code) = read::error_code(answer) else { return false };
    let words = read::error_message(answer).to_ascii_lowercase().replace('-', " ");
    code == UNSUPPORTED_VERSION
        || (CODES.contains(&code) && WORDS.iter().any(|each| words.contains(each)))
}

/// The error of an answer of the client, as JSON text.
pub(in crate::remote) fn error(answer: &Message) -> Option<&str> {
    let text = std::str::from_utf8(answer.bytes()).unwrap_or_default();
    member(text, "error").filter(|error| *error != "null")
}

/// The questions of a result that asks some, by their keys, and its `requestState`, as JSON text.
pub(in crate::remote) fn input_required(result: &str) -> (Vec<(String, &str)>, Option<&str>) {
    let questions = member(result, "inputRequests").map(entries).unwrap_or_default();
    (questions, member_at(result, &["requestState"]).filter(|state| *state != "null"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn translated(method: &str, params: &str, answer: &str) -> String {
        let request = format!("{{\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
        let answer = legacy(message(answer), &message(&request));
        String::from_utf8(answer.bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_result_loses_what_only_the_modern_era_knows_and_nothing_else() {
        for (from, to) in [
            (
                r#"{"id":1,"result":{"resultType":"complete","tools":[ ],"ttlMs":5,"x":1.0,"cacheScope":"public"}}"#,
                r#"{"id":1,"result":{"tools":[ ],"x":1.0}}"#,
            ),
            (
                r#"{"id":1,"result":{"_meta":{"io.modelcontextprotocol/serverInfo":{},"a":1},"r\u0065sultType":"complete","n":1,"n":2}}"#,
                r#"{"id":1,"result":{"_meta":{"a":1},"n":1,"n":2}}"#,
            ),
            (
                r#"{"id":1,"result":{"_meta":{"io.modelcontextprotocol/serverInfo":{}},"n":1}}"#,
                r#"{"id":1,"result":{"n":1}}"#,
            ),
            (r#"{"id":1,"result":{ "n":1 }}"#, r#"{"id":1,"result":{ "n":1 }}"#),
            (r#"{"id":1,"result":null}"#, r#"{"id":1,"result":null}"#),
        ] {
            assert_eq!(translated("tools/list", "{}", from), to);
        }
        let own = r#"{"id":1,"result":{"ttlMs":5}}"#;
        assert_eq!(translated("tools/call", "{}", own), own, "its own, of another meaning");
    }

    #[test]
    fn an_output_that_is_no_object_is_none_of_the_legacy_era() {
        let list = r#"{"id":1,"result":{"tools":[{"name":"a","outputSchema":{"type":"array"}},{"name":"b", "outputSchema":{"type":"object"}}]}}"#;
        assert_eq!(
            translated("tools/list", "{}", list),
            r#"{"id":1,"result":{"tools":[{"name":"a"},{"name":"b", "outputSchema":{"type":"object"}}]}}"#
        );
        for (from, to) in [
            (
                r#"{"content":[],"structuredContent":[1,2.0]}"#,
                r#"{"content":[{"text":"[1,2.0]","type":"text"}]}"#,
            ),
            (
                r#"{"content":[{"type":"text","text":"[1]"}],"structuredContent":[1]}"#,
                r#"{"content":[{"type":"text","text":"[1]"}]}"#,
            ),
            (
                r#"{"content":[],"structuredContent":{"a":1}}"#,
                r#"{"content":[],"structuredContent":{"a":1}}"#,
            ),
        ] {
            let answer = translated("tools/call", "{}", &format!("{{\"id\":1,\"result\":{from}}}"));
            assert_eq!(answer, format!("{{\"id\":1,\"result\":{to}}}"));
        }
    }

    #[test]
    fn codes_are_those_of_the_legacy_era() {
        let code = |method: &str, params: &str, code: i32| {
            let error =
                format!(r#"{{"id":1,"error":{{"message":"m","code":{code},"data":[1.0]}}}}"#);
            let told = translated(method, params, &error);
            assert_eq!(
                told.replace(&read::error_code(&message(&told)).unwrap().to_string(), "C"),
                error.replace(&code.to_string(), "C")
            );
            read::error_code(&message(&told)).unwrap()
        };
        assert_eq!(code("resources/read", r#"{"uri":"a:b"}"#, -32602), -32002);
        assert_eq!(code("resources/read", "{}", -32602), -32602);
        assert_eq!(code("tools/call", r#"{"uri":"a:b"}"#, -32602), -32602);
        for modern in [-32020, -32021, -32022] {
            assert_eq!(code("tools/call", "{}", modern), -32603);
        }
        assert_eq!(code("tools/call", "{}", -32601), -32601);
        assert_eq!(code("tools/call", "{}", 7), 7);
    }

    #[test]
    fn a_server_that_wants_a_handshake_is_known_by_its_refusal() {
        let legacy = |code: i32, words: &str| {
            let error = format!(r#"{{"id":1,"error":{{"code":{code},"message":"{words}"}}}}"#);
            is_of_legacy_server(&message(&error))
        };
        assert!(legacy(-32000, "Bad Request: Server not initialized"));
        assert!(legacy(-32000, "Bad Request: Unsupported protocol version: 2026-07-28"));
        assert!(legacy(-32600, "Bad Request: Mcp-Session-Id header is required"));
        assert!(legacy(-32022, "whatever"));
        assert!(!legacy(-32602, "not initialized"));
        assert!(!legacy(-32000, "The index is not initialized"));
        assert!(!legacy(-32000, "the file was not found"));
    }

    #[test]
    fn a_result_says_what_kind_it_is() {
        assert_eq!(result_type("{}"), ResultType::Complete);
        assert_eq!(result_type(r#"{"resultType":"complete"}"#), ResultType::Complete);
        assert_eq!(result_type(r#"{"resultType":"input_required"}"#), ResultType::InputRequired);
        assert_eq!(result_type(r#"{"resultType":"task"}"#), ResultType::Unknown("\"task\""));
        assert_eq!(result_type(r#"{"resultType":null}"#), ResultType::Unknown("null"));
        let asking = r#"{"inputRequests":{"b":{"x":1},"a":[]},"requestState":"\u0041"}"#;
        let (questions, state) = input_required(asking);
        assert_eq!(questions, [("b".to_owned(), r#"{"x":1}"#), ("a".to_owned(), "[]")]);
        assert_eq!(state, Some(r#""\u0041""#));
    }
}
