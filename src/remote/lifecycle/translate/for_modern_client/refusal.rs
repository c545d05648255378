//! A modern client's requests that a modern server would refuse: the client works with what looks like one.

use serde_json::{Value, json};

use super::request::declared;
use crate::jsonrpc::{INVALID_PARAMS, METHOD_NOT_FOUND, Message};
use crate::remote::lifecycle::modern::{
    CLIENT_CAPABILITIES, PROTOCOL_VERSION, UNSUPPORTED_VERSION, VERSION, declared_version,
};

/// Methods of clients that the modern era does not have (MCP 2026-07-28, changelog).
const GONE: [&str; 5] =
    ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];

/// The error of a request that is not sent, as JSON text.
pub(in crate::remote::lifecycle) fn refusal(request: &Message) -> Option<String> {
    let error = |code: i32, message: &str| json!({ "code": code, "message": message });
    lacking(request)
        .map(|field| error(INVALID_PARAMS, &format!("Invalid params: `_meta` lacks `{field}`")))
        .or_else(|| unsupported(request))
        .or_else(|| {
            let method = request.method()?;
            let why = if method.starts_with("tasks/") {
                "tasks differ between the eras of MCP, and the server is of the earlier"
            } else {
                GONE.contains(&method).then_some("MCP 2026-07-28 does not have it")?
            };
            Some(error(METHOD_NOT_FOUND, &format!("Method not found: {why}")))
        })
        .map(|error| error.to_string())
}

/// What each request has to say of itself and this one does not (MCP 2026-07-28, general fields).
fn lacking(request: &Message) -> Option<&'static str> {
    let capabilities = declared(request, CLIENT_CAPABILITIES);
    match declared_version(request) {
        None => Some(PROTOCOL_VERSION),
        Some(_) if capabilities.is_some_and(|value| value.starts_with('{')) => None,
        Some(_) => Some(CLIENT_CAPABILITIES),
    }
}

/// The error of a request of a revision that is not spoken here (MCP 2026-07-28, protocol version negotiation).
fn unsupported(request: &Message) -> Option<Value> {
    let requested: String = serde_json::from_str(declared_version(request)?).ok()?;
    (requested != VERSION).then(|| {
        json!({
            "code": UNSUPPORTED_VERSION,
            "message": "Unsupported protocol version",
            "data": { "supported": [VERSION], "requested": requested },
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn refused(method: &str, version: &str, capabilities: &str) -> Option<Value> {
        let text = format!(
            r#"{{"id":1,"method":"{method}","params":{{"_meta":{{{version}{capabilities}"x":1}}}}}}"#
        );
        let error = refusal(&Message::parse(Bytes::from(text)).unwrap())?;
        Some(serde_json::from_str(&error).unwrap())
    }

    #[test]
    fn a_request_says_its_revision_and_capabilities_and_has_a_method_of_the_era() {
        let version = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","#;
        let capabilities = r#""io.modelcontextprotocol/clientCapabilities":{},"#;
        assert_eq!(refused("tools/list", version, capabilities), None);
        assert_eq!(refused("acme/own", version, capabilities), None);
        let odd = r#""io.modelcontextprotocol/clientCapabilities":[],"#;
        for (version, capabilities) in [("", capabilities), (version, ""), (version, odd), ("", "")]
        {
            assert_eq!(refused("tools/list", version, capabilities).unwrap()["code"], -32602);
        }
        for method in GONE.iter().chain(&["tasks/get"]) {
            assert_eq!(refused(method, version, capabilities).unwrap()["code"], -32601, "{method}");
        }
        let later = r#""io.modelcontextprotocol/protocolVersion":"v\u0039","#;
        let error = refused("tools/list", later, capabilities).unwrap();
        assert_eq!(error["code"], -32022);
        assert_eq!(error["data"], json!({"supported": ["2026-07-28"], "requested": "v9"}));
    }
}
