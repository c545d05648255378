//! Progress of a call, told by the token of the attempt that stands now.

use crate::jsonrpc::{Message, object, read};

/// The token that a `notifications/progress` names, as JSON text.
pub(in crate::remote::lifecycle) fn token(notification: &Message) -> Option<&str> {
    let params = read::params(notification)?;
    crate::jsonrpc::edit::member(params, "progressToken")
}

/// The notification under another token.
pub(in crate::remote::lifecycle) fn with_token(notification: &Message, token: &str) -> Message {
    let text = std::str::from_utf8(notification.bytes()).unwrap_or_default();
    object::changed_at(text, &["params", "progressToken"], |_| Some(token.to_owned()))
        .map_or_else(|| notification.clone(), |text| notification.with_bytes(text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_by_the_token_of_the_present_attempt() {
        let told = Message::notification(
            "notifications/progress",
            Some(r#"{"progressToken":"a","progress":0.50}"#),
        );
        assert_eq!(token(&told), Some("\"a\""));
        let renamed = with_token(&told, "7");
        assert_eq!(read::params(&renamed), Some(r#"{"progressToken":7,"progress":0.50}"#));
    }
}
