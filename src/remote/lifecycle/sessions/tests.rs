//! What happens in sessions that the client does not see, with a server of which every answer is given here.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::held::HELD_FOR;
use crate::jsonrpc::edit::member_at;
use crate::jsonrpc::{Id, Message, read};
use crate::remote::lifecycle::stage::{Asked, Client, Stage, StillClock, message, post, text};
use crate::remote::lifecycle::{Protocol, sessions};
use crate::remote::{Fate, Outcome, Remote, Settings};
use std::sync::Arc;

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}}}"#;

/// A client before a legacy server, whose handshakes are answered.
struct Play {
    clock: StillClock,
    remote: Arc<Remote>,
    requests: mpsc::UnboundedReceiver<Asked>,
    client: Client,
}

impl Play {
    async fn begin() -> Self {
        let (clock, stage, client) = (StillClock::new(), Stage::open().await, Client::new());
        let settings = Settings { protocol: Protocol::Legacy, ..Settings::default() };
        let remote = stage.remote_with(settings);
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(serve(stage, sender));
        Self { clock, remote, requests, client }
    }

    /// A request of the client.
    fn request(&self, id: u32, method: &str, params: &str) -> JoinHandle<Outcome> {
        let text = format!("{{\"id\":{id},\"method\":\"{method}\",\"params\":{{{META}{params}}}}}");
        let (remote, receive) = (Arc::clone(&self.remote), self.client.recipient.clone());
        tokio::spawn(async move { sessions::exchange(&remote, &post(&text, None), &receive).await })
    }

    fn call(&self, id: u32, more: &str) -> JoinHandle<Outcome> {
        self.request(id, "tools/call", &format!(",\"name\":\"t\"{more}"))
    }

    /// The next request of the server, beside handshakes.
    async fn asked(&mut self, method: &str) -> Asked {
        let asked = self.clock.now(method, self.requests.recv()).await.unwrap();
        assert_eq!(asked.method(), method);
        asked
    }

    async fn told(&mut self) -> Message {
        self.clock.now("a message for the client", self.client.next()).await
    }

    /// A call that waits for the client: its stream, and the state that it waits under (JSON text).
    async fn held(&mut self, id: u32) -> (Asked, String) {
        self.call(id, "");
        let mut call = self.asked("tools/call").await.stream().await;
        call.event(&message(r#"{"id":"q","method":"roots/list"}"#)).await;
        let asked = self.told().await;
        assert!(text(&asked).contains("input_required"), "{asked:?}");
        let state = member_at(read::result(&asked).unwrap(), &["requestState"]).unwrap().to_owned();
        self.clock.settle().await;
        (call, state)
    }

    fn retry(&self, id: u32, state: &str) -> JoinHandle<Outcome> {
        self.call(
            id,
            &format!(
                ",\"requestState\":{state},\"inputResponses\":{{\"question-1\":{{\"roots\":[]}}}}"
            ),
        )
    }
}

/// Opens every session that is asked for; what else comes is the test's.
async fn serve(stage: Stage, others: mpsc::UnboundedSender<Asked>) {
    let mut sessions = 0;
    loop {
        let asked = stage.next().await;
        match asked.method() {
            "initialize" => {
                sessions += 1;
                let result = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true}},"serverInfo":{"name":"s","version":"1"}}"#;
                let body = text(&Message::result(&asked.id(), result));
                let headers = format!(
                    "content-type: application/json\r\nmcp-session-id: session-{sessions}\r\n"
                );
                asked.answer("200 OK", &headers, &body).await;
            }
            "notifications/initialized" => asked.accept().await,
            "GET" => asked.answer("405 Method Not Allowed", "", "").await,
            _ => drop(others.send(asked)),
        }
    }
}

#[tokio::test]
async fn a_call_that_nobody_comes_back_to_is_cancelled_after_a_quarter_of_an_hour() {
    let mut play = Play::begin().await;
    let (mut call, state) = play.held(1).await;
    tokio::time::advance(HELD_FOR - Duration::from_secs(1)).await;
    play.clock.settle().await;
    assert!(play.requests.is_empty(), "not yet");
    tokio::time::advance(Duration::from_secs(3)).await;
    let cancelled = play.asked("notifications/cancelled").await;
    assert_eq!(read::cancelled_request(cancelled.message.as_ref().unwrap()), Id::from_json("1"));
    cancelled.accept().await;
    play.clock.now("the end of its stream", call.left()).await;
    let outcome = play.retry(2, &state).await.unwrap();
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!(failure.fate, Fate::Unknown);
    assert!(failure.what.contains("given up after 15 minutes"), "{}", failure.what);
    assert!(play.requests.is_empty(), "nothing is called a second time");
}

#[tokio::test]
async fn a_call_that_somebody_comes_back_to_in_time_goes_on() {
    let mut play = Play::begin().await;
    let (mut call, state) = play.held(1).await;
    tokio::time::advance(HELD_FOR - Duration::from_secs(1)).await;
    let retry = play.retry(2, &state);
    play.asked("a response").await.accept().await;
    // From there on it takes the time that it takes.
    play.clock.settle().await;
    tokio::time::advance(HELD_FOR * 2).await;
    call.event(&message(r#"{"id":1,"result":{"content":[]}}"#)).await;
    let answer = play.told().await;
    assert_eq!(answer.id(), Id::from_json("2").as_ref());
    assert!(matches!(play.clock.now("the end", retry).await, Ok(Outcome::Answered)));
    assert!(play.requests.is_empty());
}

#[tokio::test]
async fn a_server_that_is_silent_on_subscriptions_delays_no_acknowledgement_for_long() {
    let mut play = Play::begin().await;
    let resources: Vec<_> = (0..1_000).map(|number| format!("\"a:{number}\"")).collect();
    let filter = format!(
        ",\"notifications\":{{\"toolsListChanged\":true,\"resourceSubscriptions\":[{}]}}",
        resources.join(",")
    );
    let listening = play.request(1, "subscriptions/listen", &filter);
    for _ in 0..8 {
        // Left open, and no answer comes by it.
        std::mem::forget(play.asked("resources/subscribe").await);
    }
    let step = Duration::from_millis(250);
    let (waited, acknowledged) =
        play.clock.in_time("an acknowledgement", step, play.client.next()).await;
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    let agreed = member_at(read::params(&acknowledged).unwrap(), &["notifications"]);
    assert_eq!(agreed, Some(r#"{"toolsListChanged":true}"#));
    assert!(play.requests.is_empty(), "who is silent is not asked for more");
    listening.abort();
    play.clock.settle().await;
    assert!(play.requests.is_empty(), "what was not subscribed to is not left");
}

#[tokio::test]
async fn a_server_that_is_slow_with_each_subscription_is_asked_for_half_a_minute() {
    let mut play = Play::begin().await;
    let resources: Vec<_> = (0..1_000).map(|number| format!("\"a:{number}\"")).collect();
    let filter =
        format!(",\"notifications\":{{\"resourceSubscriptions\":[{}]}}", resources.join(","));
    play.request(1, "subscriptions/listen", &filter);
    let first = play.asked("resources/subscribe").await;
    let Play { clock, requests, client, .. } = &mut play;
    first.result("{}").await;
    let slowly = async {
        while let Some(asked) = requests.recv().await {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(4)).await;
                asked.result("{}").await;
            });
        }
    };
    let acknowledged = async {
        tokio::select! {
            () = slowly => panic!("the server ended"),
            told = client.next() => told,
        }
    };
    let step = Duration::from_millis(250);
    let (waited, acknowledged) = clock.in_time("an acknowledgement", step, acknowledged).await;
    assert!(waited < Duration::from_secs(35), "{waited:?}");
    let params = read::params(&acknowledged).unwrap();
    let agreed = member_at(params, &["notifications", "resourceSubscriptions"]).unwrap();
    let agreed: Vec<String> = serde_json::from_str(agreed).unwrap();
    assert!((8..100).contains(&agreed.len()), "{}", agreed.len());
}
