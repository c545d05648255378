//! `initialize`, as the modern era says it: what the client declared goes with each request, what the server
//! discovered of itself is the answer.

use serde_json::json;

use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::object::{entries, without};
use crate::jsonrpc::{Message, read};
use crate::remote::lifecycle::modern::SERVER_INFO;
use crate::remote::lifecycle::probe::Asker;

/// Revisions with a handshake, the latest first.
const REVISIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// The extension whose messages are others in each era.
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// A client as its `initialize` describes it.
#[derive(Debug, Clone, Default)]
pub(in crate::remote) struct Hello {
    /// The revision that it is answered with.
    pub(in crate::remote) revision: &'static str,
    /// What it calls itself, as JSON text; empty where that is not usable.
    info: String,
    /// What it can do, as a modern request says it, as JSON text.
    capabilities: String,
}

impl Hello {
    /// Reads `initialize`; what is missing or odd is left out.
    pub(in crate::remote) fn of(initialize: &Message) -> Self {
        let params = read::params(initialize).unwrap_or("{}");
        let asked = member(params, "protocolVersion").unwrap_or_default();
        let revision = REVISIONS.into_iter().find(|each| asked.trim_matches('"') == *each);
        let info = member(params, "clientInfo").filter(|info| is_implementation(info));
        Self {
            revision: revision.unwrap_or(REVISIONS[0]),
            info: info.unwrap_or_default().to_owned(),
            capabilities: capabilities(member(params, "capabilities").unwrap_or_default()),
        }
    }

    pub(in crate::remote) fn asker(&self) -> Asker<'_> {
        let info = (!self.info.is_empty()).then_some(&*self.info);
        Asker { info, capabilities: &self.capabilities }
    }

    fn declares(&self, path: &[&str]) -> bool {
        member_at(&self.capabilities, path).is_some_and(|value| value.starts_with('{'))
    }

    /// Whether a server may ask it something in mid-call.
    pub(in crate::remote) fn answers_questions(&self) -> bool {
        ["elicitation", "sampling", "roots"].iter().any(|kind| self.declares(&[kind]))
    }

    /// Whether it fills in forms: it says so, or says nothing of the modes (MCP elicitation, capabilities).
    pub(in crate::remote) fn elicits_by_form(&self) -> bool {
        self.declares(&["elicitation", "form"])
            || (self.declares(&["elicitation"]) && !self.elicits_by_url())
    }

    pub(in crate::remote) fn elicits_by_url(&self) -> bool {
        self.declares(&["elicitation", "url"])
    }

    pub(in crate::remote) fn samples(&self) -> bool {
        self.declares(&["sampling"])
    }

    pub(in crate::remote) fn samples_with_tools(&self) -> bool {
        self.declares(&["sampling", "tools"])
    }

    pub(in crate::remote) fn lists_roots(&self) -> bool {
        self.declares(&["roots"])
    }
}

/// What a client can do, in the words of the modern era: no tasks, and roots of which it tells no changes.
fn capabilities(declared: &str) -> String {
    let kept = entries(declared).into_iter().filter(|(key, value)| {
        // Some clients write `null` for what they can't do.
        key != "tasks" && *value != "null"
    });
    let members = kept.map(|(key, value)| {
        let value = match &*key {
            "roots" => without(value, &["listChanged"]).unwrap_or_else(|| value.to_owned()),
            _ => value.to_owned(),
        };
        format!("{}:{value}", json!(key))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// What a server offers, in the words of the legacy era: no extension of which the messages are others.
fn offered(declared: &str) -> String {
    let kept = entries(declared).into_iter().filter(|(_, value)| *value != "null");
    let members = kept.filter_map(|(key, value)| {
        let value = match &*key {
            "extensions" => {
                let value = without(value, &[TASKS]).unwrap_or_else(|| value.to_owned());
                (!crate::jsonrpc::object::is_empty(&value)).then_some(value)?
            }
            _ => value.to_owned(),
        };
        Some(format!("{}:{value}", json!(key)))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Whether a text is what the specification calls an implementation: named, with a version.
fn is_implementation(text: &str) -> bool {
    ["name", "version"].iter().all(|key| member(text, key).is_some_and(|v| v.starts_with('"')))
}

/// The result of `initialize`, from that of `server/discover`.
pub(in crate::remote) fn result(hello: &Hello, discovered: &str, host: &str) -> String {
    let info =
        member_at(discovered, &["_meta", SERVER_INFO]).filter(|info| is_implementation(info));
    let own = || json!({ "name": host, "version": "unknown" }).to_string();
    let info = info.map_or_else(own, str::to_owned);
    let instructions = member(discovered, "instructions").filter(|text| text.starts_with('"'));
    let instructions = instructions.map(|text| format!(",\"instructions\":{text}"));
    format!(
        "{{\"protocolVersion\":\"{}\",\"capabilities\":{},\"serverInfo\":{info}{}}}",
        hello.revision,
        offered(member(discovered, "capabilities").unwrap_or_default()),
        instructions.unwrap_or_default()
    )
}

/// What a server tells of unasked, if it is asked to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::remote) struct Offers {
    pub(in crate::remote) tools: bool,
    pub(in crate::remote) prompts: bool,
    pub(in crate::remote) resources: bool,
    /// Changes of resources that the client names.
    pub(in crate::remote) subscribe: bool,
}

impl Offers {
    /// Reads the result of `server/discover`.
    pub(in crate::remote) fn of(discovered: &str) -> Self {
        let says = |kind, what| {
            member_at(discovered, &["capabilities", kind, what]).is_some_and(|v| v == "true")
        };
        Self {
            tools: says("tools", "listChanged"),
            prompts: says("prompts", "listChanged"),
            resources: says("resources", "listChanged"),
            subscribe: says("resources", "subscribe"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn hello(params: &str) -> Hello {
        let text = format!("{{\"id\":0,\"method\":\"initialize\",\"params\":{params}}}");
        Hello::of(&Message::parse(Bytes::from(text)).unwrap())
    }

    #[test]
    fn what_a_client_declares_is_said_in_the_words_of_the_modern_era() {
        let declared = r#"{ "roots":{"listChanged":true}, "sampling":{"tools":{}},"elicitation":{"form":{},"url":{}},"tasks":{"list":{}},"experimental":{"x":{"n":1.0}},"extensions":{"io.modelcontextprotocol/ui":{}},"odd":null}"#;
        assert_eq!(
            capabilities(declared),
            r#"{"roots":{},"sampling":{"tools":{}},"elicitation":{"form":{},"url":{}},"experimental":{"x":{"n":1.0}},"extensions":{"io.modelcontextprotocol/ui":{}}}"#
        );
        for none in ["", "null", "[]", "{}"] {
            assert_eq!(capabilities(none), "{}", "{none}");
        }
    }

    #[test]
    fn a_mode_of_elicitation_is_declared_or_it_is_the_form() {
        let modes = |capabilities: &str| {
            let hello = hello(&format!("{{\"capabilities\":{{\"elicitation\":{capabilities}}}}}"));
            (hello.elicits_by_form(), hello.elicits_by_url())
        };
        assert_eq!(modes("{}"), (true, false));
        assert_eq!(modes(r#"{"form":{}}"#), (true, false));
        assert_eq!(modes(r#"{"url":{}}"#), (false, true));
        assert_eq!(modes(r#"{"form":{},"url":{}}"#), (true, true));
        assert_eq!(modes("null"), (false, false));
        assert!(!hello(r#"{"capabilities":{"experimental":{}}}"#).answers_questions());
        assert!(hello(r#"{"capabilities":{"roots":{}}}"#).answers_questions());
    }

    #[test]
    fn a_client_without_a_name_and_a_version_is_asked_for_without_them() {
        let named = hello(r#"{"clientInfo":{"name":"c","version":"1"}}"#);
        assert_eq!(named.asker().info, Some(r#"{"name":"c","version":"1"}"#));
        assert_eq!(hello(r#"{"clientInfo":{"name":"c"}}"#).asker().info, None);
        assert_eq!(hello("[]").asker().info, None);
    }

    #[test]
    fn a_discovery_is_the_result_of_initialize() {
        let discovered = r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"ttlMs":5,"cacheScope":"public","instructions":"be \u00e4","capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"extensions":{"io.modelcontextprotocol/tasks":{}},"logging":null,"odd":{"n":1.0}},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"2","title":"S"}}}"#;
        assert_eq!(
            result(&hello(r#"{"protocolVersion":"2025-06-18"}"#), discovered, "h"),
            r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},"odd":{"n":1.0}},"serverInfo":{"name":"s","version":"2","title":"S"},"instructions":"be \u00e4"}"#
        );
        let offers = Offers { tools: true, subscribe: true, ..Offers::default() };
        assert_eq!(Offers::of(discovered), offers);
    }

    #[test]
    fn a_server_that_says_nothing_of_itself_has_the_name_of_its_host() {
        assert_eq!(
            result(&hello(r#"{"protocolVersion":"1999-01-01"}"#), "{}", "h.example"),
            r#"{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"h.example","version":"unknown"}}"#
        );
    }
}
