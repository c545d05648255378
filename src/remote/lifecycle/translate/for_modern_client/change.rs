//! What a `subscriptions/listen` hears: changes of lists and resources (MCP 2026-07-28, subscriptions).

use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::{Id, Message, object, read};
use crate::remote::lifecycle::modern::{LIST_KINDS, SUBSCRIPTION_ID};

/// Resources of one subscription.
const MAX_RESOURCES: usize = 1_000;
const UPDATED: &str = "notifications/resources/updated";

/// Whether this is a notification that only a subscription hears.
pub(in crate::remote::lifecycle) fn is_change(method: &str) -> bool {
    method == UPDATED || LIST_KINDS.iter().any(|kind| kind.changed == method)
}

/// What a subscription asks to hear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::remote::lifecycle) struct Filter {
    lists: [bool; 3],
    /// Resources, by their URIs.
    pub(in crate::remote::lifecycle) resources: Vec<String>,
}

impl Filter {
    /// Reads that of a request.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub(in crate::remote::lifecycle) fn of(request: &Message) -> Result<Self, String> {
        let filter = read::params(request).and_then(|params| member(params, "notifications"));
        let filter = filter.filter(|filter| filter.starts_with('{'));
        let Some(filter) = filter else {
            return Err("`subscriptions/listen` needs an object `notifications`".to_owned());
        };
        let mut resources: Vec<String> = match member(filter, "resourceSubscriptions") {
            Some(listed) => serde_json::from_str(listed)
                .map_err(|_| "`resourceSubscriptions` is no list of strings".to_owned())?,
            None => Vec::new(),
        };
        if resources.len() > MAX_RESOURCES {
            return Err(format!("a subscription names more than {MAX_RESOURCES} resources"));
        }
        resources.sort_unstable();
        resources.dedup();
        let lists = LIST_KINDS.map(|kind| member(filter, kind.filter) == Some("true"));
        Ok(Self { lists, resources })
    }

    /// What of it a server tells that offers these capabilities.
    #[must_use]
    pub(in crate::remote::lifecycle) fn offered(self, capabilities: &str) -> Self {
        let offers = |list, what| member_at(capabilities, &[list, what]) == Some("true");
        let mut lists = self.lists;
        for (wanted, kind) in lists.iter_mut().zip(LIST_KINDS) {
            *wanted &= offers(kind.capability, "listChanged");
        }
        let resources = if offers("resources", "subscribe") { self.resources } else { Vec::new() };
        Self { lists, resources }
    }

    /// Whether a notification is one of those that it asks for.
    pub(in crate::remote::lifecycle) fn wants(&self, notification: &Message) -> bool {
        let method = notification.method().unwrap_or_default();
        if method == UPDATED {
            let uri = read::resource_uri(notification);
            return uri.is_some_and(|uri| self.resources.iter().any(|each| covers(each, &uri)));
        }
        self.lists.iter().zip(LIST_KINDS).any(|(wanted, kind)| *wanted && kind.changed == method)
    }

    /// The first message of the subscription with this id.
    pub(in crate::remote::lifecycle) fn acknowledged(&self, id: &Id) -> Message {
        let mut told: Vec<String> = Vec::new();
        for (wanted, kind) in self.lists.iter().zip(LIST_KINDS) {
            if *wanted {
                told.push(format!("\"{}\":true", kind.filter));
            }
        }
        if !self.resources.is_empty() {
            told.push(format!("\"resourceSubscriptions\":{}", serde_json::json!(self.resources)));
        }
        let params = format!(
            "{{\"_meta\":{{\"{SUBSCRIPTION_ID}\":{id}}},\"notifications\":{{{}}}}}",
            told.join(",")
        );
        Message::notification("notifications/subscriptions/acknowledged", Some(&params))
    }

    /// What may have been missed: each list and each resource may be another.
    pub(in crate::remote::lifecycle) fn everything(&self) -> Vec<Message> {
        let lists = self.lists.iter().zip(LIST_KINDS).filter(|(wanted, _)| **wanted);
        let lists = lists.map(|(_, kind)| Message::notification(kind.changed, None));
        let resources = self.resources.iter().map(|uri| {
            let params = format!("{{\"uri\":{}}}", serde_json::json!(uri));
            Message::notification(UPDATED, Some(&params))
        });
        lists.chain(resources).collect()
    }
}

/// Whether a resource is the one subscribed to, or a part of it (MCP 2026-07-28, resources).
fn covers(subscribed: &str, uri: &str) -> bool {
    uri.strip_prefix(subscribed).is_some_and(|rest| {
        rest.is_empty() || rest.starts_with(['/', '#', '?']) || subscribed.ends_with('/')
    })
}

/// A notification for the subscription with this id.
pub(in crate::remote::lifecycle) fn tagged(notification: &Message, id: &Id) -> Message {
    let text = std::str::from_utf8(notification.bytes()).unwrap_or_default();
    let id = id.to_string();
    let meta = format!("{{\"{SUBSCRIPTION_ID}\":{id}}}");
    let tagged = match read::params(notification) {
        None => object::with_first(text, "params", &format!("{{\"_meta\":{meta}}}")),
        Some(params) if member(params, "_meta").is_some() => {
            object::changed_at(text, &["params", "_meta"], |own| {
                let own =
                    object::without(own, &[SUBSCRIPTION_ID]).unwrap_or_else(|| own.to_owned());
                object::with_first(&own, SUBSCRIPTION_ID, &id).or(Some(meta))
            })
        }
        Some(_) => object::changed_at(text, &["params"], |params| {
            object::with_first(params, "_meta", &meta)
        }),
    };
    tagged.map_or_else(|| notification.clone(), |text| notification.with_bytes(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn filter(notifications: &str) -> Result<Filter, String> {
        let text = format!(
            r#"{{"id":1,"method":"subscriptions/listen","params":{{"notifications":{notifications}}}}}"#
        );
        Filter::of(&Message::parse(Bytes::from(text)).unwrap())
    }

    fn id() -> Id {
        Id::from_json("1.0").unwrap()
    }

    const ALL: &str = r#"{"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["a:b","a:b","a:c"]}"#;

    #[test]
    fn what_the_server_offers_is_acknowledged() {
        let offers =
            r#"{"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true}}"#;
        let agreed = filter(ALL).unwrap().offered(offers);
        assert_eq!(
            read::params(&agreed.acknowledged(&id())),
            Some(
                r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":1.0},"notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:b","a:c"]}}"#
            )
        );
        let nothing = filter("{}").unwrap().offered(offers).acknowledged(&id());
        assert!(read::params(&nothing).unwrap().ends_with(r#""notifications":{}}"#));
    }

    #[test]
    fn only_what_was_asked_for_is_heard() {
        let agreed = filter(r#"{"toolsListChanged":true,"promptsListChanged":false,"resourceSubscriptions":["a:/b"]}"#).unwrap();
        let heard = |method: &str, params| agreed.wants(&Message::notification(method, params));
        assert!(heard("notifications/tools/list_changed", None));
        assert!(!heard("notifications/prompts/list_changed", None));
        assert!(!heard("notifications/message", None));
        assert!(heard("notifications/resources/updated", Some(r#"{"uri":"a:/b"}"#)));
        assert!(heard("notifications/resources/updated", Some(r#"{"uri":"a:/b/c"}"#)));
        assert!(!heard("notifications/resources/updated", Some(r#"{"uri":"a:/bc"}"#)));
        assert_eq!(agreed.everything().len(), 2);
    }

    #[test]
    fn what_is_no_filter_is_told() {
        assert!(filter("5").is_err());
        assert!(filter(r#"{"resourceSubscriptions":[1]}"#).is_err());
        let many = serde_json::json!({ "resourceSubscriptions": vec!["a"; MAX_RESOURCES + 1] });
        assert!(filter(&many.to_string()).is_err());
    }

    #[test]
    fn each_notification_names_its_subscription() {
        let tag = r#""_meta":{"io.modelcontextprotocol/subscriptionId":1.0"#;
        for (params, told) in [
            (None, format!("{{{tag}}}}}")),
            (Some("{}"), format!("{{{tag}}}}}")),
            (Some(r#"{"uri":"a"}"#), format!("{{{tag}}},\"uri\":\"a\"}}")),
            (Some(r#"{"_meta":{"x":1.0}}"#), format!("{{{tag},\"x\":1.0}}}}")),
            (Some(r#"{"_meta":null}"#), format!("{{{tag}}}}}")),
        ] {
            let tagged = tagged(&Message::notification("notifications/x", params), &id());
            assert_eq!(read::params(&tagged), Some(&*told), "{params:?}");
            Message::parse(tagged.bytes().clone()).unwrap();
        }
    }
}
