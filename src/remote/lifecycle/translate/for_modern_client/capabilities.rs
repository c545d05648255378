//! What each side says that it can do, in the words of the other's era.

use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::object;

/// Tasks are another thing in each era.
const TASKS: &str = "io.modelcontextprotocol/tasks";

/// A modern client's capabilities for a legacy server, as JSON text: without tasks.
pub(in crate::remote::lifecycle) fn of_client(modern: &str) -> String {
    without_tasks(modern)
}

/// A legacy server's capabilities for a modern client, as JSON text: without tasks.
pub(in crate::remote::lifecycle) fn of_server(legacy: &str) -> String {
    without_tasks(legacy)
}

fn without_tasks(capabilities: &str) -> String {
    let without = object::without(capabilities, &["tasks"]);
    let rest = without.as_deref().unwrap_or(capabilities);
    object::changed_at(rest, &["extensions"], |extensions| object::without(extensions, &[TASKS]))
        .unwrap_or_else(|| rest.to_owned())
}

/// The same capabilities in the same spelling, whatever their order: what tells one session from another.
pub(in crate::remote::lifecycle) fn key(capabilities: &str) -> String {
    let sorted = serde_json::from_str::<serde_json::Value>(capabilities);
    sorted.map_or_else(|_| capabilities.to_owned(), |sorted| sorted.to_string())
}

/// Whether something is declared: by an object, whatever is in it.
pub(in crate::remote::lifecycle) fn declares(capabilities: &str, path: &[&str]) -> bool {
    member_at(capabilities, path).is_some_and(|value| value.starts_with('{'))
}

/// Whether a client fills in forms: it says so, or declares elicitation and says nothing of its modes (MCP
/// 2026-07-28, elicitation capabilities).
pub(in crate::remote::lifecycle) fn elicits_by_form(capabilities: &str) -> bool {
    let Some(elicitation) = member(capabilities, "elicitation") else { return false };
    elicitation.starts_with('{')
        && (member(elicitation, "form").is_some() || member(elicitation, "url").is_none())
}

/// Whether a client opens pages.
pub(in crate::remote::lifecycle) fn elicits_by_url(capabilities: &str) -> bool {
    declares(capabilities, &["elicitation", "url"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_not_carried_over_and_everything_else_is() {
        for (from, to) in [
            (
                r#"{"tools":{"listChanged":true},"tasks":{"list":{}},"x":1.0}"#,
                r#"{"tools":{"listChanged":true},"x":1.0}"#,
            ),
            (
                r#"{"roots":{},"extensions":{"io.modelcontextprotocol/tasks":{},"io.modelcontextprotocol/ui":{"a":[]}}}"#,
                r#"{"roots":{},"extensions":{"io.modelcontextprotocol/ui":{"a":[]}}}"#,
            ),
            ("{}", "{}"),
        ] {
            assert_eq!(of_client(from), to);
            assert_eq!(of_server(from), to);
        }
    }

    #[test]
    fn elicitation_without_a_mode_means_forms() {
        assert!(
            elicits_by_form(r#"{"elicitation":{}}"#) && !elicits_by_url(r#"{"elicitation":{}}"#)
        );
        let both = r#"{"elicitation":{"form":{},"url":{}}}"#;
        assert!(elicits_by_form(both) && elicits_by_url(both));
        let url = r#"{"elicitation":{"url":{}}}"#;
        assert!(!elicits_by_form(url) && elicits_by_url(url));
        assert!(!elicits_by_form("{}") && !elicits_by_form(r#"{"elicitation":null}"#));
    }

    #[test]
    fn the_order_of_capabilities_makes_no_other_session() {
        assert_eq!(key(r#"{"a":{}, "b":{"c":1}}"#), key(r#"{"b":{"c":1},"a":{}}"#));
        assert_ne!(key(r#"{"a":{}}"#), key(r#"{"b":{}}"#));
    }
}
