//! What the bridge says of a server that did not say anything yet.

use serde_json::json;

use super::failure::ServerName;
use crate::jsonrpc::read::ClientHello;

/// Revisions with a handshake that clients may ask for.
const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// What is offered to a client that asks for another.
const LATEST: &str = "2025-11-25";

/// An `initialize` result that promises what a server may have: what it turns out not to have is
/// answered empty.
pub(super) fn initialize_result(client: &ClientHello, server: &ServerName) -> String {
    let asked = client.protocol_version.as_str();
    let version = VERSIONS.iter().find(|known| **known == asked).copied().unwrap_or(LATEST);
    json!({
        "protocolVersion": version,
        "capabilities": {
            "tools": { "listChanged": true },
            "prompts": { "listChanged": true },
            "resources": { "listChanged": true },
            "completions": {},
            "logging": {},
        },
        "serverInfo": { "name": server.host, "version": "unknown" },
    })
    .to_string()
}

/// The empty result of a list.
pub(super) fn empty_list(method: &str) -> Option<&'static str> {
    match method {
        "tools/list" => Some("{\"tools\":[]}"),
        "prompts/list" => Some("{\"prompts\":[]}"),
        "resources/list" => Some("{\"resources\":[]}"),
        "resources/templates/list" => Some("{\"resourceTemplates\":[]}"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_gets_its_own_revision_if_it_is_one() {
        let version = |asked: &str| {
            let client = ClientHello {
                protocol_version: asked.into(),
                capabilities: String::new(),
                name: String::new(),
            };
            let server = ServerName {
                host: "h".into(),
                url: "https://h/".into(),
                login: "bridge login".into(),
            };
            let result = initialize_result(&client, &server);
            let value: serde_json::Value = serde_json::from_str(&result).unwrap();
            value["protocolVersion"].as_str().unwrap().to_owned()
        };
        assert_eq!(version("2024-11-05"), "2024-11-05");
        assert_eq!(version("2099-01-01"), "2025-11-25");
    }
}
