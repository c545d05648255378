//! What a client set up in a session, to be set up again in the next one.

use std::collections::{BTreeSet, VecDeque};

use crate::jsonrpc::{Id, Message, read};

/// Subscriptions that are kept; a client with more is told of changes in these.
const MAX_SUBSCRIPTIONS: usize = 1_000;
/// Requests of these that are under way at once.
const AT_ONCE: usize = 8;

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
    /// What is still to be sent in the present session, in order.
    queue: VecDeque<(Id, Message)>,
    /// How much of it is under way.
    sent: usize,
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

    /// A new session is set up as the client set up the last one, a few requests at a time.
    pub(super) fn begin(&mut self, logging: bool) {
        self.queue = self.requests(logging).into();
        self.sent = 0;
    }

    /// The next request, unless enough are under way.
    pub(super) fn next(&mut self) -> Option<(Id, Message)> {
        if self.sent == AT_ONCE {
            return None;
        }
        let next = self.queue.pop_front();
        self.sent += usize::from(next.is_some());
        next
    }

    /// One of them came to its end.
    pub(super) fn ended(&mut self) {
        self.sent = self.sent.saturating_sub(1);
    }

    /// The session is gone, and what was to be set up in it.
    pub(super) fn stop(&mut self) {
        self.queue.clear();
    }

    fn requests(&mut self, logging: bool) -> Vec<(Id, Message)> {
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
        let message = Message::request(&id, method, params);
        (id, message)
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
    fn many_subscriptions_are_set_up_a_few_at_a_time() {
        let mut restore = Restore::default();
        for n in 0..100 {
            restore.note(&request("resources/subscribe", &format!("{{\"uri\":\"a:{n}\"}}")));
        }
        restore.begin(true);
        let mut sent = 0;
        while restore.next().is_some() {
            sent += 1;
        }
        assert_eq!(sent, AT_ONCE);
        restore.ended();
        assert!(restore.next().is_some() && restore.next().is_none());
        restore.ended();
        restore.stop();
        assert!(restore.next().is_none());
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
