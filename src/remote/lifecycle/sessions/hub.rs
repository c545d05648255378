//! Who listens to changes, and which resources the server has to tell of.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::jsonrpc::Message;
use crate::remote::lifecycle::translate::for_modern_client::change::Filter;

/// Notifications that wait for one listener. What is left out is made up for when it has taken them.
const WAITING: usize = 256;

/// All listeners of one set of capabilities; it outlives the session with the server.
#[derive(Debug, Default)]
pub(super) struct Hub(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    listeners: HashMap<u64, Listener>,
    resources: HashMap<String, Resource>,
}

/// A resource that somebody listens to.
#[derive(Debug, Default)]
struct Resource {
    listeners: usize,
    /// The server said that it tells of it.
    granted: bool,
}

#[derive(Debug)]
struct Listener {
    filter: Filter,
    sender: mpsc::Sender<Message>,
    missed: Arc<AtomicBool>,
}

/// What one listener hears.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) number: u64,
    filter: Filter,
    receiver: mpsc::Receiver<Message>,
    missed: Arc<AtomicBool>,
}

impl Inner {
    /// Somebody listens to a resource no longer; whether nobody does.
    fn is_left_by_last(&mut self, uri: &str) -> bool {
        let Some(resource) = self.resources.get_mut(uri) else { return false };
        resource.listeners -= 1;
        let is_left = resource.listeners == 0;
        if is_left {
            self.resources.remove(uri);
        }
        is_left
    }
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to listen. Also given: the resources that the server is to be asked for. Where another is still
    /// waiting for its word, it is asked twice: what is acknowledged has to be true.
    pub(super) fn join(&self, filter: &Filter) -> (Heard, Vec<String>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let missed = Arc::<AtomicBool>::default();
        let mut inner = self.lock();
        inner.last += 1;
        let number = inner.last;
        let listener = Listener { filter: filter.clone(), sender, missed: Arc::clone(&missed) };
        inner.listeners.insert(number, listener);
        let mut unsure = Vec::new();
        for uri in &filter.resources {
            let resource = inner.resources.entry(uri.clone()).or_default();
            resource.listeners += 1;
            if !resource.granted {
                unsure.push(uri.clone());
            }
        }
        (Heard { number, filter: filter.clone(), receiver, missed }, unsure)
    }

    /// Ends it. Given: the resources that nobody listens to any more.
    pub(super) fn leave(&self, number: u64) -> Vec<String> {
        let mut inner = self.lock();
        let Some(listener) = inner.listeners.remove(&number) else { return Vec::new() };
        let gone = listener.filter.resources.into_iter();
        gone.filter(|uri| inner.is_left_by_last(uri)).collect()
    }

    /// What the server said of the resources that it was asked for: of these it does not tell, which whoever
    /// listens was going to hear of.
    pub(super) fn settle(&self, heard: &mut Heard, asked: &[String], refused: &[String]) {
        heard.filter.resources.retain(|uri| !refused.contains(uri));
        let mut inner = self.lock();
        for uri in asked.iter().filter(|uri| !refused.contains(uri)) {
            inner.resources.entry(uri.clone()).and_modify(|resource| resource.granted = true);
        }
        if let Some(listener) = inner.listeners.get_mut(&heard.number) {
            listener.filter = heard.filter.clone();
            for uri in refused {
                inner.is_left_by_last(uri);
            }
        }
    }

    /// The resources that somebody listens to.
    pub(super) fn resources(&self) -> Vec<String> {
        self.lock().resources.keys().cloned().collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().listeners.is_empty()
    }

    /// Tells a change to those who want to hear it.
    pub(super) fn tell(&self, change: &Message) {
        for listener in self.lock().listeners.values() {
            if listener.filter.wants(change) && listener.sender.try_send(change.clone()).is_err() {
                listener.missed.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Changes may have been missed: each listener is told of everything that it listens to.
    pub(super) fn gap(&self) {
        for listener in self.lock().listeners.values() {
            for change in listener.filter.everything() {
                if listener.sender.try_send(change).is_err() {
                    listener.missed.store(true, Ordering::Relaxed);
                    break;
                }
            }
        }
    }
}

impl Heard {
    /// The next changes; none when nothing will come any more.
    pub(super) async fn next(&mut self) -> Vec<Message> {
        if self.receiver.is_empty() && self.missed.swap(false, Ordering::Relaxed) {
            return self.filter.everything();
        }
        self.receiver.recv().await.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn filter(notifications: &str) -> Filter {
        let text = format!(
            r#"{{"id":1,"method":"subscriptions/listen","params":{{"notifications":{notifications}}}}}"#
        );
        Filter::of(&Message::parse(Bytes::from(text)).unwrap()).unwrap()
    }

    #[test]
    fn a_resource_is_subscribed_to_by_the_first_and_left_by_the_last() {
        let hub = Hub::default();
        let (mut first, new) = hub.join(&filter(r#"{"resourceSubscriptions":["a","b"]}"#));
        assert_eq!(new, ["a", "b"]);
        hub.settle(&mut first, &new, &[]);
        let (second, new) = hub.join(&filter(r#"{"resourceSubscriptions":["b","c"]}"#));
        assert_eq!(new, ["c"]);
        assert_eq!(hub.leave(first.number), ["a"]);
        assert_eq!(hub.leave(first.number), [""; 0]);
        assert_eq!(hub.leave(second.number), ["b", "c"]);
        assert!(hub.is_empty() && hub.resources().is_empty());
    }

    #[test]
    fn until_the_server_has_answered_the_next_one_asks_too() {
        let hub = Hub::default();
        let (mut first, asked) = hub.join(&filter(r#"{"resourceSubscriptions":["a","b"]}"#));
        let (mut second, again) = hub.join(&filter(r#"{"resourceSubscriptions":["a","b"]}"#));
        assert_eq!(again, ["a", "b"]);
        hub.settle(&mut first, &asked, &["a".to_owned()]);
        hub.settle(&mut second, &again, &["a".to_owned()]);
        assert_eq!(hub.resources(), ["b"]);
        let (_, new) = hub.join(&filter(r#"{"resourceSubscriptions":["b"]}"#));
        assert_eq!(new, [""; 0]);
    }

    #[tokio::test]
    async fn what_the_server_refuses_is_not_heard_of_and_the_next_one_asks_for_it_again() {
        let hub = Hub::default();
        let (mut first, asked) = hub.join(&filter(r#"{"resourceSubscriptions":["a","b"]}"#));
        hub.settle(&mut first, &asked, &["a".to_owned()]);
        assert_eq!(hub.resources(), ["b"]);
        hub.gap();
        assert_eq!(first.next().await.len(), 1);
        assert!(futures_util::FutureExt::now_or_never(first.next()).is_none());
        let (second, new) = hub.join(&filter(r#"{"resourceSubscriptions":["a","b"]}"#));
        assert_eq!(new, ["a"]);
        assert_eq!(hub.leave(first.number), [""; 0]);
        assert_eq!(hub.leave(second.number), ["a", "b"]);
    }

    #[tokio::test]
    async fn what_a_slow_listener_missed_is_made_up_for() {
        let hub = Hub::default();
        let (mut heard, _) = hub.join(&filter(r#"{"toolsListChanged":true}"#));
        let change = Message::notification("notifications/tools/list_changed", None);
        for _ in 0..WAITING + 10 {
            hub.tell(&change);
        }
        for _ in 0..WAITING {
            assert_eq!(heard.next().await.len(), 1);
        }
        assert_eq!(heard.next().await.len(), 1);
        assert!(futures_util::FutureExt::now_or_never(heard.next()).is_none());
    }
}
