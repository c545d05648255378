//! Notifications of the server, as a client of the legacy era knows them.

use bytes::Bytes;

use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::object::{changed_at, is_empty, without};
use crate::jsonrpc::{Message, read};
use crate::remote::lifecycle::modern::SUBSCRIPTION_ID;

/// Without the subscription that it came by, and without a `_meta` that held nothing else.
pub(in crate::remote) fn legacy(notification: Message) -> Message {
    let text = std::str::from_utf8(notification.bytes()).unwrap_or_default();
    let changed = changed_at(text, &["params"], |params| {
        let meta = without(member(params, "_meta")?, &[SUBSCRIPTION_ID])?;
        if is_empty(&meta) {
            return without(params, &["_meta"]);
        }
        changed_at(params, &["_meta"], |_| Some(meta))
    });
    changed.map_or(notification.clone(), |text| notification.with_bytes(Bytes::from(text)))
}

/// How far a `notifications/progress` says that it is.
pub(in crate::remote) fn progress(notification: &Message) -> Option<f64> {
    if notification.method() != Some("notifications/progress") {
        return None;
    }
    member_at(read::params(notification)?, &["progress"])?.parse().ok()
}

/// That a resource changed.
pub(in crate::remote) fn updated(uri: &str) -> Message {
    let params = serde_json::json!({ "uri": uri }).to_string();
    Message::notification("notifications/resources/updated", Some(&params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_notification_loses_its_subscription_and_nothing_else() {
        for (from, to) in [
            (
                r#"{"method":"m","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":1},"uri":"a\u0062"}}"#,
                r#"{"method":"m","params":{"uri":"a\u0062"}}"#,
            ),
            (
                r#"{"method":"m","params":{"_meta":{"x":1.0,"io.modelcontextprotocol/subscriptionId":"s"}}}"#,
                r#"{"method":"m","params":{"_meta":{"x":1.0}}}"#,
            ),
            (
                r#"{"method":"m","params":{"_meta":{ }}}"#,
                r#"{"method":"m","params":{"_meta":{ }}}"#,
            ),
            (r#"{"method":"m"}"#, r#"{"method":"m"}"#),
        ] {
            assert_eq!(&legacy(message(from)).bytes()[..], to.as_bytes());
        }
    }

    #[test]
    fn progress_is_a_number() {
        let progress = |params: &str| {
            progress(&message(&format!(
                r#"{{"method":"notifications/progress","params":{params}}}"#
            )))
        };
        assert_eq!(progress(r#"{"progress":0.5}"#), Some(0.5));
        assert_eq!(progress(r#"{"progress":"1"}"#), None);
        assert_eq!(progress("{}"), None);
    }
}
