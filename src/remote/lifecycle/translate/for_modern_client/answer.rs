//! A legacy server's answers → those of the modern era.

use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::{INTERNAL_ERROR, INVALID_PARAMS, Id, Message, object, read};
use crate::remote::lifecycle::modern::{MISSING_CAPABILITY, SERVER_INFO, VERSION};

/// The requests whose results say how long they may be kept (MCP 2026-07-28, caching).
const CACHEABLE: [&str; 6] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];
/// A resource is not there (MCP 2025-11-25, resources).
const RESOURCE_NOT_FOUND: i32 = -32002;
/// The user has to visit a page first (MCP 2025-11-25, elicitation).
pub(in crate::remote::lifecycle) const PAGES_FIRST: i32 = -32042;
/// Codes that only the specification gives a meaning (MCP 2026-07-28, error codes).
const RESERVED: std::ops::RangeInclusive<i32> = -32099..=-32020;

/// The response to a request of this method, under the id of the request; `info` is the server's identity, as
/// JSON text.
pub(in crate::remote::lifecycle) fn to_modern(
    response: &Message,
    id: &Id,
    method: &str,
    info: Option<&str>,
) -> Message {
    let text = std::str::from_utf8(response.bytes()).unwrap_or_default();
    let changed = match read::error_code(response) {
        Some(code) if member(text, "error").is_some() => error(text, code),
        _ => object::changed_at(text, &["result"], |result| complete(result, method, info)),
    };
    let modern = changed.map_or_else(|| response.clone(), |text| response.with_bytes(text.into()));
    modern.with_id(id)
}

/// A result with what every modern one carries; `None` where it is none.
fn complete(result: &str, method: &str, info: Option<&str>) -> Option<String> {
    if !result.starts_with('{') {
        return None;
    }
    let mut text = with_info(result, info).unwrap_or_else(|| result.to_owned());
    let cached = CACHEABLE.contains(&method);
    let members = [
        (cached, "cacheScope", "\"private\""),
        (cached, "ttlMs", "0"),
        (true, "resultType", "\"complete\""),
    ];
    for (wanted, key, value) in members {
        if wanted && let Some(with) = object::with_first(&text, key, value) {
            text = with;
        }
    }
    Some(text)
}

fn with_info(result: &str, info: Option<&str>) -> Option<String> {
    let info = info?;
    match member(result, "_meta") {
        Some(_) => object::changed_at(result, &["_meta"], |meta| {
            object::with_first(meta, SERVER_INFO, info)
        }),
        None => object::with_first(result, "_meta", &format!("{{\"{SERVER_INFO}\":{info}}}")),
    }
}

/// The text of an error response with a code that the modern era knows.
fn error(text: &str, code: i32) -> Option<String> {
    let modern = match code {
        RESOURCE_NOT_FOUND => INVALID_PARAMS,
        code if RESERVED.contains(&code) => INTERNAL_ERROR,
        _ => return None,
    };
    object::changed_at(text, &["error", "code"], |_| Some(modern.to_string()))
}

/// What a client is told that would have to open pages and did not declare that it does.
pub(in crate::remote::lifecycle) fn pages_needed(id: &Id) -> Message {
    let error = format!(
        "{{\"code\":{MISSING_CAPABILITY},\"message\":\"the server wants a page visited first, and the client \
         did not declare `elicitation.url`\",\"data\":{{\"requiredCapabilities\":{{\"elicitation\":{{\"url\":{{}}}}}}}}}}"
    );
    Message::error(Some(id), &error)
}

/// An answer that asks the client for more: `inputs` are keys and input requests, `state` what its retry has
/// to bring along (MCP 2026-07-28, multi round-trip requests).
pub(in crate::remote::lifecycle) fn input_required<'a>(
    id: &Id,
    inputs: impl Iterator<Item = (&'a str, &'a str)>,
    state: Option<&str>,
    info: Option<&str>,
) -> Message {
    let inputs: Vec<_> = inputs.map(|(key, input)| format!("\"{key}\":{input}")).collect();
    let state = state.map(|state| format!(",\"requestState\":\"{state}\"")).unwrap_or_default();
    let meta = info.map(|info| format!(",\"_meta\":{{\"{SERVER_INFO}\":{info}}}"));
    let result = format!(
        "{{\"resultType\":\"input_required\",\"inputRequests\":{{{}}}{state}{}}}",
        inputs.join(","),
        meta.unwrap_or_default()
    );
    Message::result(id, &result)
}

/// The result of `server/discover`, of a server that answered `initialize` with this result.
pub(in crate::remote::lifecycle) fn discovered(initialized: &str) -> String {
    let capabilities = member(initialized, "capabilities").filter(|value| value.starts_with('{'));
    let capabilities = super::capabilities::of_server(capabilities.unwrap_or("{}"));
    let instructions = member(initialized, "instructions").filter(|value| value.starts_with('"'));
    let instructions =
        instructions.map(|text| format!(",\"instructions\":{text}")).unwrap_or_default();
    let result = format!(
        "{{\"supportedVersions\":[\"{VERSION}\"],\"capabilities\":{capabilities}{instructions}}}"
    );
    complete(&result, "server/discover", server_info(initialized)).unwrap_or(result)
}

/// Who a server is that answered `initialize` with this result.
pub(in crate::remote::lifecycle) fn server_info(initialized: &str) -> Option<&str> {
    member(initialized, "serverInfo").filter(|info| info.starts_with('{'))
}

/// The words of an error response, as JSON text.
pub(in crate::remote::lifecycle) fn error_of(response: &Message) -> Option<&str> {
    member_at(std::str::from_utf8(response.bytes()).ok()?, &["error"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const INFO: &str = r#"{"name":"s","version":"1"}"#;

    fn modern(method: &str, response: &str) -> String {
        let response = Message::parse(Bytes::copy_from_slice(response.as_bytes())).unwrap();
        let id = Id::from_json("\"r\"").unwrap();
        let modern = to_modern(&response, &id, method, Some(INFO));
        assert!(modern.answers(&id));
        String::from_utf8(modern.bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_result_is_complete_and_says_who_gives_it() {
        assert_eq!(
            modern("tools/call", r#"{"jsonrpc":"2.0","id":1,"result":{"content":[ 1.0 ]}}"#),
            format!(
                r#"{{"jsonrpc":"2.0","id":"r","result":{{"resultType":"complete","_meta":{{"{SERVER_INFO}":{INFO}}},"content":[ 1.0 ]}}}}"#
            )
        );
        assert_eq!(
            modern("tools/call", r#"{"id":1,"result":{"_meta":{"a":1}}}"#),
            format!(
                r#"{{"id":"r","result":{{"resultType":"complete","_meta":{{"{SERVER_INFO}":{INFO},"a":1}}}}}}"#
            )
        );
        assert_eq!(modern("x", r#"{"id":1,"result":null}"#), r#"{"id":"r","result":null}"#);
    }

    #[test]
    fn what_can_be_kept_says_that_it_must_not_be() {
        for method in CACHEABLE {
            let told = modern(
                method,
                r#"{"id":1,"result":{"_meta":{"io.modelcontextprotocol/serverInfo":1}}}"#,
            );
            assert_eq!(
                told,
                r#"{"id":"r","result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":{"io.modelcontextprotocol/serverInfo":1}}}"#
            );
        }
        let own = modern(
            "tools/list",
            r#"{"id":1,"result":{"ttlMs":5,"cacheScope":"public","resultType":"complete","_meta":{"io.modelcontextprotocol/serverInfo":1}}}"#,
        );
        assert!(own.contains(r#""ttlMs":5,"cacheScope":"public""#) && !own.contains("private"));
    }

    #[test]
    fn codes_that_the_modern_era_does_not_know_are_told_in_its_own() {
        for (legacy, code) in [
            (-32002, -32602),
            (-32042, -32603),
            (-32021, -32603),
            (-32099, -32603),
            (-32001, -32001),
            (-32601, -32601),
            (7, 7),
        ] {
            let told = modern(
                "x",
                &format!(
                    r#"{{"id":1,"error":{{"code":{legacy},"message":"m","data":{{"uri":"u"}}}}}}"#
                ),
            );
            assert_eq!(
                told,
                format!(
                    r#"{{"id":"r","error":{{"code":{code},"message":"m","data":{{"uri":"u"}}}}}}"#
                )
            );
        }
    }

    #[test]
    fn questions_are_an_answer_of_their_own() {
        let id = Id::from_json("7").unwrap();
        let inputs = [("a", "{}"), ("b", r#"{"method":"roots/list"}"#)];
        let asked = input_required(&id, inputs.into_iter(), Some("state"), Some(INFO));
        let result = format!(
            r#"{{"resultType":"input_required","inputRequests":{{"a":{{}},"b":{{"method":"roots/list"}}}},"requestState":"state","_meta":{{"{SERVER_INFO}":{INFO}}}}}"#
        );
        assert_eq!(read::result(&asked), Some(&*result));
        Message::parse(asked.bytes().clone()).unwrap();
        Message::parse(pages_needed(&id).bytes().clone()).unwrap();
    }

    #[test]
    fn a_handshake_tells_what_a_discovery_asks() {
        let initialized = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"tasks":{}},"serverInfo":{"name":"s"},"instructions":"Do."}"#;
        assert_eq!(
            discovered(initialized),
            format!(
                r#"{{"resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":{{"{SERVER_INFO}":{{"name":"s"}}}},"supportedVersions":["2026-07-28"],"capabilities":{{"tools":{{"listChanged":true}}}},"instructions":"Do."}}"#
            )
        );
    }
}
