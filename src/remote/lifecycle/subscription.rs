//! `subscriptions/listen`: the stream of what changes at a modern server, kept up for as long as whoever asked
//! for it wants it (MCP 2026-07-28, subscriptions).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::modern::{self, LIST_KINDS, SUBSCRIPTION_ID};
use super::modern_exchange::send;
use crate::jsonrpc::edit::{member, replace_at};
use crate::jsonrpc::{Id, Kind, Message, read};
use crate::remote::exchange::{Outcome, Post};
use crate::remote::failure::FailureKind;
use crate::remote::retry::{FIRST_STREAM_WAIT, STOOD, stream_wait};
use crate::remote::{Backoff, Failure, Fate, Pass, Patience, Recipient, Remote};

/// How long the response is waited for after the server took the subscription back.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Longest filter that is remembered, in bytes; of a longer one nothing is told after a gap.
const MAX_FILTER: usize = 1024 * 1024;

/// Listens until the server ends it, and opens the stream again when it breaks off.
pub(super) async fn keep_up(remote: &Remote, post: &Post, receive: &Recipient) -> Outcome {
    let Some(own) = post.message.id() else { return Outcome::Accepted };
    let subscription = Arc::new(Subscription::new(own.clone()));
    let headers = remote.mirrored(&post.message);
    let mut backoff = Backoff::of_stream();
    let began = Instant::now();
    // Only what was not executed is sent again under the same id.
    let mut sent = Post { repeatable: false, ..post.clone() };
    loop {
        let since = Instant::now();
        let by = receive.through(subscription.pass(sent.message.id().unwrap_or(own).clone()));
        let outcome = tokio::select! {
            biased;
            // Whatever it waits for, nothing more will come of it: the connection is dead.
            () = remote.woken.notified() => None,
            () = subscription.taken_back() => None,
            outcome = send(remote, &sent, Arc::clone(&headers), &by) => Some(outcome),
        };
        let so_far = subscription.end_of_stream();
        if so_far.taken_back && !matches!(outcome, Some(Outcome::Answered)) {
            receive.receive(modern::end_of_subscription(own)).await;
            return Outcome::Answered;
        }
        let was_good = so_far.brought || since.elapsed() > STOOD;
        if was_good || outcome.is_none() {
            backoff = Backoff::of_stream();
        }
        match outcome {
            None => {}
            Some(Outcome::Failed(failure)) => {
                let first = so_far.acknowledged.is_none();
                // Whoever asks once tries again by itself, until the server has taken it.
                let once = post.patience == Patience::Once && failure.fate != Fate::Unknown;
                let late = once || began.elapsed() >= remote.settings.retry_for;
                if (first && late) || !may_pass(&failure, first) {
                    return Outcome::Failed(failure);
                }
                tracing::debug!(what = failure.what, "a subscription broke off; opening it again");
                pause(remote, &failure, backoff.wait(), was_good).await;
            }
            Some(outcome) => return outcome,
        }
        if so_far.acknowledged.is_some_and(|filter| asks_for(&filter, LIST_KINDS[0].filter)) {
            remote.modern.tools.forget();
        }
        sent.message = post.message.with_id(&remote.own_id());
        sent.patience = Patience::Once;
    }
}

/// Whether opening it again may help. Before the server ever acknowledged it, a person and an odd answer are
/// the business of whoever asked.
fn may_pass(failure: &Failure, first: bool) -> bool {
    let person = failure.wants_person() || failure.wants_store();
    let status = failure.status.unwrap_or_default();
    match failure.fate {
        _ if person => !first,
        Fate::Settled => status >= 500 || status == 429 || status == 408,
        Fate::NotExecuted => true,
        Fate::Unknown => !first || failure.kind != FailureKind::BadAnswer,
    }
}

/// Waits before the next attempt: for as long as the server asks, and no longer than until a sign-in changes
/// something or the machine wakes up. `was_good` says whether the stream that broke off was of use.
async fn pause(remote: &Remote, failure: &Failure, own: Duration, was_good: bool) {
    let signed_in = async {
        match remote.sign_in_phases().filter(|_| failure.wants_person()) {
            Some(mut phases) => {
                sleep(own.min(FIRST_STREAM_WAIT)).await;
                let _ = phases.changed().await;
            }
            None => std::future::pending().await,
        }
    };
    // A stream that broke off may have said when to come back (`retry`), as a refusal may (`Retry-After`).
    let wait = stream_wait(own, was_good, failure.retry_after, None);
    tokio::select! {
        () = remote.woken.notified() => {}
        () = sleep(wait) => {}
        () = signed_in => {}
    }
}

/// What is known of one subscription.
struct Subscription {
    /// The id that whoever asked gave it.
    own: Id,
    said: Mutex<Said>,
    over: Notify,
}

/// What the server said.
#[derive(Debug, Clone, Default)]
struct Said {
    /// The filter that it acknowledged, as JSON text.
    acknowledged: Option<String>,
    /// Changes may have been missed, and nobody was told yet.
    gap: bool,
    /// The present stream brought a change.
    brought: bool,
    /// The server ended it without a response, or before it.
    taken_back: bool,
}

impl Subscription {
    fn new(own: Id) -> Self {
        Self { own, said: Mutex::default(), over: Notify::new() }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server took it back, and had its time for the response.
    async fn taken_back(&self) {
        self.over.notified().await;
        sleep(LAST_WORDS).await;
    }

    /// A stream ended; what was said until now.
    fn end_of_stream(&self) -> Said {
        let mut said = self.said();
        let so_far = said.clone();
        said.gap = said.acknowledged.is_some();
        said.brought = false;
        so_far
    }

    /// What the messages of the stream that was asked for under this id pass.
    fn pass(self: &Arc<Self>, id: Id) -> Pass {
        let this = Arc::clone(self);
        Arc::new(move |message| this.passed(&id, message))
    }

    fn passed(&self, id: &Id, message: Message) -> Vec<Message> {
        match message.kind() {
            Kind::Response { .. } if message.answers(id) => {
                let message = if id == &self.own { message } else { message.with_id(&self.own) };
                vec![self.renamed(id, message, &["result", "_meta", SUBSCRIPTION_ID])]
            }
            Kind::Notification { method } => {
                let method = method.clone();
                let message = self.renamed(id, message, &["params", "_meta", SUBSCRIPTION_ID]);
                self.notified(id, &method, message)
            }
            _ => vec![message],
        }
    }

    /// A message with the id that whoever asked knows the subscription by.
    fn renamed(&self, id: &Id, message: Message, path: &[&str]) -> Message {
        if id == &self.own {
            return message;
        }
        let renamed = replace_at(message.bytes(), path, &self.own.to_string());
        renamed.map_or(message.clone(), |bytes| message.with_bytes(bytes))
    }

    fn notified(&self, id: &Id, method: &str, message: Message) -> Vec<Message> {
        let mut said = self.said();
        let mut told = Vec::new();
        if std::mem::take(&mut said.gap) {
            told = self.missed(said.acknowledged.as_deref().unwrap_or_default());
        }
        match method {
            "notifications/subscriptions/acknowledged" => {
                if said.acknowledged.is_none() {
                    said.acknowledged = Some(filter(&message));
                    told.push(message);
                }
            }
            "notifications/cancelled"
                if read::cancelled_request(&message).is_some_and(|named| named == *id) =>
            {
                said.taken_back = true;
                self.over.notify_one();
                told.push(self.renamed(id, message, &["params", "requestId"]));
            }
            _ => {
                said.brought = true;
                told.push(message);
            }
        }
        told
    }

    /// What may have changed while there was no stream: everything that was asked for.
    fn missed(&self, filter: &str) -> Vec<Message> {
        let meta = format!("\"_meta\":{{\"{SUBSCRIPTION_ID}\":{}}}", self.own);
        let lists = LIST_KINDS.iter().filter(|kind| asks_for(filter, kind.filter));
        let lists =
            lists.map(|kind| Message::notification(kind.changed, Some(&format!("{{{meta}}}"))));
        let resources = member(filter, "resourceSubscriptions").unwrap_or_default();
        let resources: Vec<&RawValue> = serde_json::from_str(resources).unwrap_or_default();
        let updates = resources.iter().map(|uri| uri.get()).filter(|uri| uri.starts_with('"'));
        let updates = updates.map(|uri| {
            let params = format!("{{{meta},\"uri\":{uri}}}");
            Message::notification("notifications/resources/updated", Some(&params))
        });
        lists.chain(updates).collect()
    }
}

fn asks_for(filter: &str, kind: &str) -> bool {
    member(filter, kind) == Some("true")
}

/// The filter that an acknowledgement carries.
fn filter(acknowledgement: &Message) -> String {
    let params = read::params(acknowledgement);
    let filter = params.and_then(|params| member(params, "notifications")).unwrap_or_default();
    if filter.len() > MAX_FILTER {
        tracing::warn!("a subscription is too large to be made up for when it breaks off");
        return String::new();
    }
    filter.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::stage::{Client, Stage, StillClock, post};
    use super::*;
    use crate::remote::{Carrier, Endpoint, Receive, Settings};
    use crate::secret::Secret;
    use bytes::Bytes;
    use futures_util::future::BoxFuture;
    use std::future::ready;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    /// Whoever asked, as it is told.
    struct Asker(mpsc::Sender<Message>);

    impl Receive for Asker {
        fn receive(&self, message: Message) -> BoxFuture<'_, ()> {
            Box::pin(async { self.0.send(message).await.unwrap() })
        }

        fn session_given(&self, _: Secret<Box<str>>) -> BoxFuture<'_, ()> {
            Box::pin(ready(()))
        }

        fn carried_by(&self, _: Carrier) -> BoxFuture<'_, ()> {
            Box::pin(ready(()))
        }
    }

    fn message(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn id(raw: &str) -> Id {
        Id::from_json(raw).unwrap()
    }

    fn notification(method: &str, id: &str, rest: &str) -> String {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/{method}\",\"params\":{{\"_meta\":{{\"{SUBSCRIPTION_ID}\":{id}}}{rest}}}}}"
        )
    }

    fn shown(subscription: &Subscription, by: &Id, text: &str) -> Vec<String> {
        let passed = subscription.passed(by, message(text));
        passed.iter().map(|m| String::from_utf8(m.bytes().to_vec()).unwrap()).collect()
    }

    const FILTER: &str = r#","notifications":{"toolsListChanged":true,"promptsListChanged":false,"resourceSubscriptions":["a:\"1","b:2"]}"#;

    #[test]
    fn what_the_first_stream_brings_is_passed_as_it_came() {
        let subscription = Subscription::new(id("\"s\""));
        let own = subscription.own.clone();
        for text in [
            notification("subscriptions/acknowledged", "\"s\"", FILTER),
            notification("tools/list_changed", "\"\\u0073\"", ""),
            format!("{{\"id\":\"s\",\"result\":{{\"_meta\":{{\"{SUBSCRIPTION_ID}\":\"s\"}}}}}}"),
        ] {
            assert_eq!(shown(&subscription, &own, &text), [text]);
        }
    }

    #[test]
    fn after_a_gap_each_kind_and_each_resource_is_told_once_and_ids_are_the_own() {
        let subscription = Subscription::new(id("7"));
        let acknowledged = |id: &str| notification("subscriptions/acknowledged", id, FILTER);
        let again = id("\"bridge-exchange-1\"");
        shown(&subscription, &id("7"), &acknowledged("7"));
        subscription.end_of_stream();
        assert_eq!(
            shown(&subscription, &again, &acknowledged("\"bridge-exchange-1\"")),
            [
                notification("tools/list_changed", "7", ""),
                notification("resources/updated", "7", r#","uri":"a:\"1""#),
                notification("resources/updated", "7", r#","uri":"b:2""#),
            ]
        );
        assert_eq!(shown(&subscription, &again, &acknowledged("1")), Vec::<String>::new());
        let changed = |id| notification("tools/list_changed", id, ",\"x\":1.0");
        assert_eq!(shown(&subscription, &again, &changed("\"bridge-exchange-1\"")), [changed("7")]);
        let ended = |of: &str| {
            format!("{{\"id\":{of},\"result\":{{\"_meta\":{{\"{SUBSCRIPTION_ID}\":{of}}}}}}}")
        };
        assert_eq!(shown(&subscription, &again, &ended("\"bridge-exchange-1\"")), [ended("7")]);
    }

    #[test]
    fn a_subscription_that_was_never_acknowledged_missed_nothing() {
        let subscription = Subscription::new(id("7"));
        subscription.end_of_stream();
        let again = id("\"x\"");
        let acknowledged = notification("subscriptions/acknowledged", "\"x\"", FILTER);
        let expected = notification("subscriptions/acknowledged", "7", FILTER);
        assert_eq!(shown(&subscription, &again, &acknowledged), [expected]);
    }

    #[test]
    fn what_the_server_takes_back_is_told_under_the_own_id() {
        let subscription = Subscription::new(id("7"));
        let again = id("\"x\"");
        let cancelled = |of: &str| notification("cancelled", of, &format!(",\"requestId\":{of}"));
        assert_eq!(shown(&subscription, &again, &cancelled("8")).len(), 1);
        assert!(!subscription.end_of_stream().taken_back);
        assert_eq!(shown(&subscription, &again, &cancelled("\"x\"")), [cancelled("7")]);
        assert!(subscription.end_of_stream().taken_back);
    }

    #[test]
    fn a_filter_that_is_very_long_is_not_remembered() {
        let long = format!("{{\"x\":\"{}\"}}", "y".repeat(MAX_FILTER));
        let text =
            notification("subscriptions/acknowledged", "1", &format!(",\"notifications\":{long}"));
        assert_eq!(filter(&message(&text)), "");
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        let failure =
            |fate, status| Failure { fate, ..Failure::settled(FailureKind::Status, status, "x") };
        assert!(may_pass(&failure(Fate::Unknown, None), true));
        assert!(may_pass(&failure(Fate::Settled, Some(500)), true));
        assert!(!may_pass(&failure(Fate::Settled, Some(404)), false));
        let person = Failure::sign_in_pending("h", None);
        assert!(may_pass(&person, false) && !may_pass(&person, true));
    }

    /// Takes a request, acknowledges it as a subscription, and leaves the stream open; the connection, and
    /// the id of the request.
    async fn acknowledged_by(server: &TcpListener) -> (TcpStream, String) {
        let (mut connection, _) = server.accept().await.unwrap();
        let mut request = String::new();
        while !request.ends_with("}}}") {
            let mut buffer = [0; 4096];
            let count = connection.read(&mut buffer).await.unwrap();
            request.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
        let body = request.split("\r\n\r\n").last().unwrap();
        let of = message(body).id().unwrap().to_string();
        let told = notification("subscriptions/acknowledged", &of, FILTER);
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {told}\n\n");
        connection.write_all(answer.as_bytes()).await.unwrap();
        (connection, of)
    }

    #[tokio::test]
    async fn after_the_machine_slept_the_stream_is_opened_again_at_once() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", server.local_addr().unwrap());
        let remote = Remote::new(Endpoint::parse(&url).unwrap(), Settings::default());
        let request = format!(
            "{{\"id\":7,\"method\":\"subscriptions/listen\",\"params\":{{\"_meta\":{{\"{}\":\"2026-07-28\"}}}}}}",
            modern::PROTOCOL_VERSION
        );
        let post = Post {
            message: message(&request),
            session: None,
            repeatable: false,
            patience: Patience::Once,
            handed_over: Arc::default(),
            mirrored: None,
        };
        let (sender, mut told) = mpsc::channel(8);
        let asker = Recipient::new(Asker(sender));
        let play = async {
            let (_first, id) = acknowledged_by(&server).await;
            assert_eq!(id, "7");
            assert!(told.recv().await.is_some(), "the acknowledgement");
            remote.woke_up();
            let (_second, id) = acknowledged_by(&server).await;
            assert_ne!(id, "7");
            for _ in ["a kind", "a resource", "another"] {
                let told = told.recv().await.unwrap();
                assert!(
                    std::str::from_utf8(told.bytes())
                        .unwrap()
                        .contains("{\"io.modelcontextprotocol/subscriptionId\":7}")
                );
            }
        };
        tokio::select! {
            outcome = keep_up(&remote, &post, &asker) => panic!("it ended: {outcome:?}"),
            () = play => {}
        }
    }

    /// A stream of which these bytes come before it breaks off, and the server that is asked for the next one.
    async fn broken_after(bytes: &str) -> (StillClock, Stage) {
        let (clock, stage, client) = (StillClock::new(), Stage::open().await, Client::new());
        let (remote, receive) = (stage.remote(), client.recipient.clone());
        let post = post("{\"id\":7,\"method\":\"subscriptions/listen\",\"params\":{}}", None);
        tokio::spawn(async move { keep_up(&remote, &post, &receive).await });
        let asked = clock.now("a stream", stage.next_of("subscriptions/listen")).await;
        let mut asked = asked.stream().await;
        let told = notification("subscriptions/acknowledged", "7", FILTER);
        asked.write(&format!("data: {told}\n\n{bytes}")).await;
        clock.settle().await;
        (clock, stage)
    }

    #[tokio::test]
    async fn a_stream_is_opened_again_no_earlier_than_the_server_asks() {
        let (clock, stage) = broken_after("retry: 7000\n\n").await;
        let step = Duration::from_millis(100);
        let (waited, _) = clock.in_time("a stream", step, stage.next()).await;
        assert!(waited >= Duration::from_millis(6_500), "{waited:?}");
    }

    #[tokio::test]
    async fn a_stream_that_was_of_use_is_opened_again_as_soon_as_the_server_asks() {
        let told = notification("tools/list_changed", "7", "");
        let (clock, stage) = broken_after(&format!("retry: 50\ndata: {told}\n\n")).await;
        // Our own wait is half a second at the least.
        clock.pass(Duration::from_millis(400), Duration::from_millis(20)).await;
        clock.now("a stream", stage.next()).await;
    }
}
