//! What a legacy client is told unasked, from the `subscriptions/listen` of a modern server (MCP 2026-07-28,
//! subscriptions): opened again when the server ends it, and when the client wants to hear of other resources.
//! Within one request [`super::subscription`] keeps the stream up.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::modern::{LIST_KINDS, ListKind};
use super::modern_exchange::modern_exchange;
use super::stateless::Stateless;
use super::translate::for_legacy_client::{notification, request, response};
use crate::jsonrpc::{Kind, METHOD_NOT_FOUND, Message, read};
use crate::remote::aside::Aside;
use crate::remote::exchange::{Outcome, Post};
use crate::remote::failure::{Failure, FailureKind};
use crate::remote::listen::ListenEnd;
use crate::remote::retry::{Backoff, Patience, STOOD};
use crate::remote::{Pass, Recipient, Remote};

/// What is listened to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Wanted {
    lists: Vec<ListKind>,
    resources: Vec<String>,
}

impl Wanted {
    fn of(session: &Stateless) -> Self {
        let offers = session.offers;
        let offered = [offers.tools, offers.prompts, offers.resources];
        let lists = LIST_KINDS.into_iter().zip(offered).filter(|(_, offered)| *offered);
        let lists = lists.map(|(kind, _)| kind);
        Self { lists: lists.collect(), resources: session.resources() }
    }

    fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.resources.is_empty()
    }

    fn filter(&self) -> String {
        let keys: Vec<_> = self.lists.iter().map(|kind| kind.filter).collect();
        request::filter(&keys, &self.resources)
    }

    /// What the client may have missed, of what the server has agreed to tell.
    fn missed(&self, acknowledged: &Message) -> Vec<Message> {
        let (kinds, uris) = request::granted(acknowledged);
        let lists = self.lists.iter().filter(|kind| kinds.iter().any(|each| each == kind.filter));
        let lists = lists.map(|kind| Message::notification(kind.changed, None));
        let resources = self.resources.iter().filter(|uri| uris.contains(uri));
        let resources = resources.map(|uri| notification::updated(uri));
        lists.chain(resources).collect()
    }
}

/// How a stream ended.
enum Ended {
    /// It will do no better: the server has no such thing.
    Refused(Failure),
    /// The server is not modern any more.
    NotModern,
    /// It broke off, or was closed; it is opened again after a while.
    Broke,
}

/// A stream that is open, or being opened.
struct Stream<'a> {
    wanted: Wanted,
    since: Instant,
    acknowledged: Arc<Notify>,
    reading: Pin<Box<dyn Future<Output = Ended> + Send + 'a>>,
}

/// Listens until the server refuses.
pub(in crate::remote) async fn listen(
    remote: &Remote,
    session: &Arc<Stateless>,
    receive: &Recipient,
) -> ListenEnd {
    let mut listening = Listening {
        remote,
        session,
        receive,
        present: None,
        next: None,
        missed: false,
        waits: Backoff::of_stream(),
    };
    loop {
        if let Some(end) = listening.turn().await {
            return end;
        }
    }
}

/// What stays from one stream to the next.
struct Listening<'a> {
    remote: &'a Remote,
    session: &'a Arc<Stateless>,
    receive: &'a Recipient,
    present: Option<Stream<'a>>,
    /// The one that takes its place as soon as the server acknowledges it, so that nothing is missed.
    next: Option<Stream<'a>>,
    /// Nothing was listened to for a while.
    missed: bool,
    waits: Backoff,
}

impl Listening<'_> {
    /// Until something changes.
    async fn turn(&mut self) -> Option<ListenEnd> {
        if self.present.is_none() && self.next.is_none() {
            let wanted = Wanted::of(self.session);
            if wanted.is_empty() {
                self.session.resources_changed.notified().await;
                return None;
            }
            self.present = Some(self.open(wanted));
        }
        let next = self.next.as_ref().map(|stream| Arc::clone(&stream.acknowledged));
        tokio::select! {
            biased;
            () = acknowledged(next) => self.present = self.next.take(),
            () = self.session.resources_changed.notified() => self.change(),
            ended = ended(&mut self.next) => return self.ended(ended).await,
            ended = ended(&mut self.present) => return self.ended(ended).await,
        }
        None
    }

    /// The client wants to hear of other resources.
    fn change(&mut self) {
        let wanted = Wanted::of(self.session);
        let latest = self.next.as_ref().or(self.present.as_ref());
        if latest.is_some_and(|stream| stream.wanted == wanted) {
            return;
        }
        if wanted.is_empty() {
            (self.present, self.next) = (None, None);
        } else {
            self.next = Some(self.open(wanted));
        }
    }

    async fn ended(&mut self, ended: Ended) -> Option<ListenEnd> {
        match ended {
            Ended::Refused(failure) => return Some(ListenEnd::Refused(failure)),
            Ended::NotModern => return Some(ListenEnd::SessionLost),
            Ended::Broke => {}
        }
        let since = self.present.as_ref().map(|stream| stream.since);
        if since.is_some_and(|since| since.elapsed() > STOOD) {
            self.waits = Backoff::of_stream();
        }
        self.broke_off();
        let wait = self.waits.wait();
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.remote.woken.notified() => {}
        }
        None
    }

    fn broke_off(&mut self) {
        (self.present, self.next, self.missed) = (None, None, true);
    }
}

impl<'a> Listening<'a> {
    fn open(&mut self, wanted: Wanted) -> Stream<'a> {
        let acknowledged = Arc::new(Notify::new());
        let refusal = Aside::default();
        let missed = std::mem::take(&mut self.missed);
        let pass = pass(wanted.clone(), missed, &acknowledged, &refusal);
        let (remote, receive) = (self.remote, self.receive.through(pass));
        let post = subscription(remote, self.session, &wanted);
        let reading = Box::pin(async move {
            let outcome = modern_exchange(remote, &post, &receive).await;
            came_to(remote, outcome, refusal.take())
        });
        Stream { wanted, since: Instant::now(), acknowledged, reading }
    }
}

async fn acknowledged(stream: Option<Arc<Notify>>) {
    match stream {
        Some(acknowledged) => acknowledged.notified().await,
        None => std::future::pending().await,
    }
}

async fn ended(stream: &mut Option<Stream<'_>>) -> Ended {
    match stream {
        Some(stream) => (&mut stream.reading).await,
        None => std::future::pending().await,
    }
}

/// The request.
fn subscription(remote: &Remote, session: &Stateless, wanted: &Wanted) -> Post {
    let params = format!(
        "{{\"_meta\":{{{}}},\"notifications\":{}}}",
        session.declaration(),
        wanted.filter()
    );
    Post {
        message: Message::request(&remote.own_id(), "subscriptions/listen", &params),
        session: None,
        repeatable: true,
        patience: Patience::Once,
        handed_over: Arc::default(),
        mirrored: None,
    }
}

/// What each message of a stream passes on its way to the client.
fn pass(wanted: Wanted, missed: bool, acknowledged: &Arc<Notify>, refusal: &Aside) -> Pass {
    let (acknowledged, refusal) = (Arc::clone(acknowledged), refusal.clone());
    Arc::new(move |message| match message.kind() {
        Kind::Notification { method }
            if &**method == "notifications/subscriptions/acknowledged" =>
        {
            acknowledged.notify_one();
            if missed { wanted.missed(&message) } else { Vec::new() }
        }
        // The stream ended by the server's own wish, which its end says too.
        Kind::Notification { method } if &**method == "notifications/cancelled" => Vec::new(),
        Kind::Notification { .. } => vec![notification::legacy(message)],
        Kind::Response { failed: true, .. } => {
            refusal.put(message);
            Vec::new()
        }
        Kind::Response { .. } | Kind::Request { .. } => Vec::new(),
    })
}

fn came_to(remote: &Remote, outcome: Outcome, refusal: Option<Message>) -> Ended {
    let host = remote.endpoint().host();
    if let Some(refusal) = refusal {
        tracing::debug!(why = read::error_message(&refusal), "the server tells of no changes");
        if response::is_of_legacy_server(&refusal) {
            remote.known.doubt();
            return Ended::NotModern;
        }
        if read::error_code(&refusal) == Some(METHOD_NOT_FOUND) {
            let what = format!("{host} tells of no changes");
            // The status of a method that is not there (MCP 2026-07-28, Streamable HTTP).
            return Ended::Refused(Failure::settled(FailureKind::NotFound, Some(404), what));
        }
        return Ended::Broke;
    }
    match outcome {
        Outcome::Failed(failure) if is_final(&failure) => {
            Ended::Refused(Failure { status: Some(404), ..failure })
        }
        Outcome::Failed(failure) | Outcome::SessionLost(failure) => {
            tracing::debug!(what = failure.what, "the stream of changes broke off");
            Ended::Broke
        }
        Outcome::Answered | Outcome::Accepted => Ended::Broke,
    }
}

/// Whether a refusal without words of JSON-RPC says that there is no such thing.
fn is_final(failure: &Failure) -> bool {
    matches!(failure.status, Some(404 | 405 | 501))
}

#[cfg(test)]
mod tests {
    use super::super::modern::{SUBSCRIPTION_ID, end_of_subscription};
    use super::super::stage::{Asked, Client, Stage, StillClock, message, text};
    use super::super::translate::for_legacy_client::handshake::{Hello, Offers};
    use super::*;
    use crate::jsonrpc::edit::member_at;
    use std::time::Duration;

    /// A client that hears of changes, and the server that tells it.
    struct Play {
        clock: StillClock,
        stage: Stage,
        session: Arc<Stateless>,
        client: Client,
        end: tokio::task::JoinHandle<ListenEnd>,
    }

    impl Play {
        async fn begin(offers: Offers, resources: &[&str]) -> Self {
            let (clock, stage, client) = (StillClock::new(), Stage::open().await, Client::new());
            let hello = Hello::of(&message(r#"{"id":0,"method":"initialize"}"#));
            let session = Arc::new(Stateless::new(hello, offers));
            for uri in resources {
                session.listen_to(uri);
            }
            let (remote, of, receive) =
                (stage.remote(), Arc::clone(&session), client.recipient.clone());
            let end = tokio::spawn(async move { listen(&remote, &of, &receive).await });
            Self { clock, stage, session, client, end }
        }

        /// The request of a stream, which comes without time passing.
        async fn asked(&self) -> Asked {
            self.clock.now("a stream", self.stage.next_of("subscriptions/listen")).await
        }

        /// The request of a stream, and after which time it came.
        async fn asked_again(&self) -> (Duration, Asked) {
            let step = Duration::from_millis(100);
            self.clock.in_time("a stream", step, self.stage.next_of("subscriptions/listen")).await
        }

        async fn heard(&mut self, count: usize) -> Vec<String> {
            let mut heard = Vec::new();
            for _ in 0..count {
                heard.push(text(&self.clock.now("a change", self.client.next()).await));
            }
            self.clock.settle().await;
            assert_eq!(self.client.there(), Vec::<String>::new());
            heard
        }
    }

    fn all() -> Offers {
        Offers { tools: true, prompts: true, resources: true, subscribe: true }
    }

    fn told(method: &str, more: &str, asked: &Asked) -> Message {
        let id = asked.id();
        let params = format!("{{\"_meta\":{{\"{SUBSCRIPTION_ID}\":{id}}}{more}}}");
        Message::notification(&format!("notifications/{method}"), Some(&params))
    }

    /// Acknowledges all that a stream was asked for, or this filter.
    async fn acknowledge(asked: Asked, filter: Option<&str>) -> Asked {
        let own = member_at(asked.params(), &["notifications"]).unwrap_or("{}").to_owned();
        let more = format!(",\"notifications\":{}", filter.unwrap_or(&own));
        let mut asked = asked.stream().await;
        let message = told("subscriptions/acknowledged", &more, &asked);
        asked.event(&message).await;
        asked
    }

    /// The server ends a stream in good form, after a while.
    async fn end_after(play: &Play, asked: Asked, stood: Duration) {
        let end = end_of_subscription(&asked.id());
        let mut acknowledged = acknowledge(asked, None).await;
        play.clock.settle().await;
        tokio::time::advance(stood).await;
        play.clock.settle().await;
        acknowledged.event(&end).await;
    }

    fn changed(kind: &str) -> String {
        format!("{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/{kind}/list_changed\"}}")
    }

    fn updated(uri: &str) -> String {
        text(&notification::updated(uri))
    }

    #[tokio::test]
    async fn after_a_gap_each_kind_and_each_resource_that_was_acknowledged_is_told_once() {
        let mut play = Play::begin(all(), &["a:1", "a:2"]).await;
        let first = play.asked().await;
        end_after(&play, first, Duration::ZERO).await;
        play.heard(0).await;
        let (waited, second) = play.asked_again().await;
        assert!(waited >= Duration::from_millis(400), "{waited:?}");
        let filter = r#"{"toolsListChanged":true,"promptsListChanged":false,"resourceSubscriptions":["a:2","a:9"]}"#;
        let mut second = acknowledge(second, Some(filter)).await;
        assert_eq!(play.heard(2).await, [changed("tools"), updated("a:2")]);
        let change = told("tools/list_changed", "", &second);
        second.event(&change).await;
        assert_eq!(play.heard(1).await.len(), 1);
    }

    #[tokio::test]
    async fn a_stream_that_breaks_off_is_a_gap_too_and_is_told_once() {
        let mut play = Play::begin(all(), &["a:1"]).await;
        let first = acknowledge(play.asked().await, None).await;
        play.clock.settle().await;
        drop(first);
        let (_, second) = play.asked_again().await;
        let _second = acknowledge(second, None).await;
        let all = [changed("tools"), changed("prompts"), changed("resources"), updated("a:1")];
        let heard = play.heard(4).await;
        for each in all {
            let method = each.split("notifications/").nth(1).unwrap().split('"').next().unwrap();
            let times = heard.iter().filter(|heard| heard.contains(method)).count();
            assert_eq!(times, 1, "{method} in {heard:?}");
        }
        assert!(heard.iter().all(|heard| !heard.contains("subscriptionId")), "{heard:?}");
    }

    #[tokio::test]
    async fn a_server_that_ends_each_stream_at_once_is_asked_more_and_more_rarely() {
        let play = Play::begin(all(), &[]).await;
        let mut asked = play.asked().await;
        let mut least = Duration::from_millis(500);
        for _ in 0..6 {
            end_after(&play, asked, Duration::ZERO).await;
            let waited;
            (waited, asked) = play.asked_again().await;
            assert!(waited >= least, "{waited:?}, and {least:?} is the least");
            least *= 2;
        }
    }

    #[tokio::test]
    async fn a_stream_that_stood_begins_anew_with_short_waits() {
        let play = Play::begin(all(), &[]).await;
        let mut asked = play.asked().await;
        for _ in 0..3 {
            end_after(&play, asked, Duration::ZERO).await;
            (_, asked) = play.asked_again().await;
        }
        end_after(&play, asked, STOOD + Duration::from_secs(1)).await;
        // The next of the longer waits would be four seconds at the least.
        play.clock.pass(Duration::from_secs(3), Duration::from_millis(100)).await;
        play.asked().await;
    }

    #[tokio::test]
    async fn other_resources_are_listened_to_without_a_gap() {
        let mut play = Play::begin(all(), &["a:1"]).await;
        let mut first = acknowledge(play.asked().await, None).await;
        play.heard(0).await;
        play.session.listen_to("a:2");
        let second = play.asked().await;
        assert!(second.params().contains(r#""resourceSubscriptions":["a:1","a:2"]"#));
        // Until the new one stands the old one is heard.
        let change = told("resources/updated", ",\"uri\":\"a:1\"", &first);
        first.event(&change).await;
        assert_eq!(play.heard(1).await.len(), 1);
        let _second = acknowledge(second, None).await;
        play.clock.now("the end of the first", first.left()).await;
        play.heard(0).await;
    }

    #[tokio::test]
    async fn where_nothing_is_wanted_nothing_is_asked() {
        let play = Play::begin(Offers { subscribe: true, ..Offers::default() }, &[]).await;
        play.clock.settle().await;
        play.session.listen_to("a:1");
        let first = acknowledge(play.asked().await, None).await;
        assert!(first.params().contains(r#""notifications":{"resourceSubscriptions":["a:1"]}"#));
    }

    #[tokio::test]
    async fn a_server_without_such_a_thing_is_not_asked_again() {
        let play = Play::begin(all(), &[]).await;
        let asked = play.asked().await;
        let refusal = Message::error(Some(&asked.id()), r#"{"code":-32601,"message":"no"}"#);
        let body = text(&refusal);
        asked.answer("404 Not Found", "content-type: application/json\r\n", &body).await;
        let Play { clock, end, .. } = play;
        let end = clock.now("the end", end).await.unwrap();
        assert!(matches!(end, ListenEnd::Refused(_)), "{end:?}");
    }

    #[tokio::test]
    async fn a_server_that_turned_legacy_is_a_lost_session() {
        let play = Play::begin(all(), &[]).await;
        let asked = play.asked().await;
        let error = r#"{"code":-32000,"message":"Bad Request: Unsupported protocol version"}"#;
        let body = text(&Message::error(Some(&asked.id()), error));
        asked.answer("400 Bad Request", "content-type: application/json\r\n", &body).await;
        let Play { clock, end, .. } = play;
        let end = clock.now("the end", end).await.unwrap();
        assert!(matches!(end, ListenEnd::SessionLost), "{end:?}");
    }
}
