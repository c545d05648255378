//! What a client set up in a session, to be set up again in the next one.

use std::collections::BTreeSet;

use crate::jsonrpc::{Id, Kind, Message, read};

/// Subscriptions that are kept; a client with more is told of changes in these.
const MAX_SUBSCRIPTIONS: usize = 1_000;

/// Subscriptions and log level.
#[derive(Debug, Default)]
pub(super) struct Restore {
    /// Parameters of `resources/subscribe` by resource.
    subscriptions: BTreeSet<String>,
    /// Parameters of the last `logging/setLevel`, as JSON text.
    log_level: Option<String>,
    /// The next notification was sent before, in a session that was lost.
    pub(super) resend_next: bool,
    requests: u64,
}

impl Restore {
    /// Takes note of a request that succeeded.
    pub(super) fn note(&mut self, request: &Message) {
        match request.method() {
            Some("logging/setLevel") => self.log_level = read::params(request).map(str::to_owned),
            Some("resources/subscribe") => {
                if let Some(uri) = read::resource_uri(request)
                    && self.subscriptions.len() < MAX_SUBSCRIPTIONS
                {
                    self.subscriptions.insert(uri.into_owned());
                }
            }
            Some("resources/unsubscribe") => {
                if let Some(uri) = read::resource_uri(request) {
                    self.subscriptions.remove(&*uri);
                }
            }
            _ => {}
        }
    }

    /// The requests that set a new session up as the client set up the last one.
    pub(super) fn requests(&mut self, logging: bool) -> Vec<(Id, Message)> {
        let level = self.log_level.clone().filter(|_| logging);
        let level = level.map(|params| ("logging/setLevel", params));
        let subscriptions = self.subscriptions.iter().map(|uri| {
            let params = serde_json::json!({ "uri": uri }).to_string();
            ("resources/subscribe", params)
        });
        let wanted: Vec<_> = level.into_iter().chain(subscriptions).collect();
        wanted.into_iter().map(|(method, params)| self.request(method, &params)).collect()
    }

    /// A request of this program's own, with its id.
    pub(super) fn request(&mut self, method: &str, params: &str) -> (Id, Message) {
        self.requests += 1;
        let id = Id::own_request(self.requests);
        let text = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}"
        );
        let kind = Kind::Request { id: id.clone(), method: method.into() };
        (id, Message::composed(text, kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(method: &str, params: &str) -> Message {
        let text = format!("{{\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
        Message::parse(Bytes::from(text)).unwrap()
    }

    #[test]
    fn a_new_session_is_set_up_as_the_last_one_was() {
        let mut restore = Restore::default();
        restore.note(&request("resources/subscribe", r#"{"uri":"a:\"1"}"#));
        restore.note(&request("resources/subscribe", r#"{"uri":"a:2"}"#));
        restore.note(&request("resources/unsubscribe", r#"{"uri":"a:2"}"#));
        restore.note(&request("logging/setLevel", r#"{"level":"debug"}"#));
        let sent: Vec<_> = restore
            .requests(true)
            .into_iter()
            .map(|(_, m)| (m.method().unwrap().to_owned(), read::params(&m).unwrap().to_owned()))
            .collect();
        assert_eq!(
            sent,
            [
                ("logging/setLevel".to_owned(), r#"{"level":"debug"}"#.to_owned()),
                ("resources/subscribe".to_owned(), r#"{"uri":"a:\"1"}"#.to_owned()),
            ]
        );
        assert_eq!(restore.requests(false).len(), 1);
    }
}
