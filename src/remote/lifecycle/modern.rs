//! The revision without a handshake, 2026-07-28: what each request says of itself, and how servers refuse it.

use crate::jsonrpc::edit::member_at;
use crate::jsonrpc::{Id, Message, read};

/// The modern revision that this program speaks.
pub const VERSION: &str = "2026-07-28";

/// Keys of a request's `_meta` (MCP 2026-07-28, general fields).
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Who asks.
pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// What the one who asks can do.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The least log level that the one who asks wants to hear.
pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// The `subscriptions/listen` that a notification belongs to.
pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
/// Who answers, in the `_meta` of a result.
pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// A kind of list that a client may hear changes of (MCP 2026-07-28, subscriptions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListKind {
    /// What a filter calls its changes.
    pub filter: &'static str,
    /// What a server calls what it offers.
    pub capability: &'static str,
    /// The notification of a change.
    pub changed: &'static str,
}

/// All kinds of lists.
pub const LIST_KINDS: [ListKind; 3] = [
    ListKind {
        filter: "toolsListChanged",
        capability: "tools",
        changed: "notifications/tools/list_changed",
    },
    ListKind {
        filter: "promptsListChanged",
        capability: "prompts",
        changed: "notifications/prompts/list_changed",
    },
    ListKind {
        filter: "resourcesListChanged",
        capability: "resources",
        changed: "notifications/resources/list_changed",
    },
];

/// JSON-RPC codes that only a modern server uses (MCP 2026-07-28, error codes).
pub const HEADER_MISMATCH: i32 = -32020;
/// A capability is missing that the request needs.
pub const MISSING_CAPABILITY: i32 = -32021;
/// The server does not speak the revision that the request names.
pub const UNSUPPORTED_VERSION: i32 = -32022;

/// The revision that a request says it speaks, as JSON text; none of a legacy request.
pub fn declared_version(request: &Message) -> Option<&str> {
    let version = member_at(read::params(request)?, &["_meta", PROTOCOL_VERSION])?;
    version.starts_with('"').then_some(version)
}

/// Whether a message is the handshake of a legacy client. An `initialize` that declares the modern era is not: it is
/// a request like any other, of a revision that has no such method (MCP 2026-07-28, versioning, backward
/// compatibility).
pub fn is_handshake(message: &Message) -> bool {
    let modern = |version: &str| version.trim_matches('"') >= VERSION;
    message.method() == Some("initialize") && !declared_version(message).is_some_and(modern)
}

/// Whether an error is one by which a server shows that it is modern.
pub fn is_modern_error(response: &Message) -> bool {
    [HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION]
        .iter()
        .any(|code| read::error_code(response) == Some(*code))
}

/// The response by which a subscription ends in good form (MCP 2026-07-28, subscriptions, graceful closure).
pub fn end_of_subscription(request: &Id) -> Message {
    let result =
        format!("{{\"resultType\":\"complete\",\"_meta\":{{\"{SUBSCRIPTION_ID}\":{request}}}}}");
    Message::result(request, &result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_request_is_modern_if_it_says_which_revision_it_speaks() {
        let modern = message(
            r#"{"id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
        );
        assert_eq!(declared_version(&modern), Some("\"2026-07-28\""));
        for legacy in [
            r#"{"id":1,"method":"x"}"#,
            r#"{"id":1,"method":"x","params":{"_meta":{"progressToken":1}}}"#,
            r#"{"id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":1}}}"#,
        ] {
            assert_eq!(declared_version(&message(legacy)), None, "{legacy}");
        }
    }

    #[test]
    fn an_initialize_is_a_handshake_unless_it_declares_the_modern_era() {
        let of = |version: &str| {
            is_handshake(&message(&format!(
                r#"{{"id":1,"method":"initialize","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}"}}}}}}"#
            )))
        };
        assert!(of("2025-11-25") && !of("2026-07-28") && !of("2031-01-01"));
        assert!(is_handshake(&message(r#"{"id":1,"method":"initialize"}"#)));
        assert!(!is_handshake(&message(r#"{"id":1,"method":"ping"}"#)));
    }

    #[test]
    fn a_modern_server_is_known_by_its_errors() {
        let error = |code: i32| {
            is_modern_error(&message(&format!(
                "{{\"id\":1,\"error\":{{\"code\":{code},\"message\":\"\"}}}}"
            )))
        };
        assert!(error(-32020) && error(-32021) && error(-32022));
        assert!(!error(-32601) && !error(-32000));
        assert!(!is_modern_error(&message(r#"{"id":1,"result":{"error":{"code":-32022}}}"#)));
    }
}
