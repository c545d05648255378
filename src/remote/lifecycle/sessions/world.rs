//! A world around the hidden sessions for their property test: a client that calls, comes back, gives up and
//! listens, and a server that answers, asks, breaks off and forgets, in any order. Nobody is answered twice and
//! nothing is carried out twice, and in the end nothing is left.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use proptest::prelude::*;
use tokio::task::JoinHandle;

use super::held::HELD_FOR;
use crate::jsonrpc::edit::{member, member_at};
use crate::jsonrpc::{Id, Kind, Message, object, read};
use crate::remote::lifecycle::stage::{Asked, Client, Stage, StillClock, message, post, text};
use crate::remote::lifecycle::{Protocol, sessions};
use crate::remote::{Outcome, Remote, Settings};

/// What can happen. The numbers pick among what is there when it does.
#[derive(Debug, Clone)]
enum Step {
    Call(u8),
    Listen(u8),
    Retry(usize),
    /// With a state that was used before.
    RetryAgain(usize),
    Cancel(usize),
    Answer(usize),
    Ask(usize),
    Notify(usize),
    Refuse(usize),
    Cut(usize),
    LoseSessions,
    Time(u16),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    let some = any::<usize>;
    // Mostly a few sets of capabilities, and now and then more than there are sessions for.
    let capabilities = || prop_oneof![3 => 0..2u8, 1 => 0..7u8];
    prop_oneof![
        8 => capabilities().prop_map(Step::Call),
        2 => capabilities().prop_map(Step::Listen),
        8 => some().prop_map(Step::Retry),
        2 => some().prop_map(Step::RetryAgain),
        3 => some().prop_map(Step::Cancel),
        8 => some().prop_map(Step::Answer),
        10 => some().prop_map(Step::Ask),
        3 => some().prop_map(Step::Notify),
        2 => some().prop_map(Step::Refuse),
        3 => some().prop_map(Step::Cut),
        1 => Just(Step::LoseSessions),
        3 => (0..1_000u16).prop_map(Step::Time),
        30 => Just(Step::Settle),
    ]
}

/// What the server knows.
#[derive(Default)]
struct Server {
    sessions: usize,
    /// Those up to this one are forgotten.
    forgotten: usize,
    /// Calls under way, and whether the answer is a stream already.
    open: Vec<(Asked, bool)>,
    /// By the key of a call.
    executions: HashMap<String, usize>,
    /// Calls that the client took back, by session and id.
    cancelled: Vec<(String, Id)>,
    questions: usize,
}

/// A request of the client, under way or over.
struct Request {
    task: Option<JoinHandle<Outcome>>,
    cancelled: bool,
    listens: bool,
    answers: usize,
}

/// A call that waits for the client.
struct Waiting {
    key: u32,
    capabilities: u8,
    state: String,
    questions: Vec<String>,
}

struct World {
    clock: StillClock,
    remote: Arc<Remote>,
    server: Arc<Mutex<Server>>,
    client: Client,
    requests: BTreeMap<u32, Request>,
    /// Key and capabilities of the call that a request is for.
    calls: HashMap<u32, (u32, u8)>,
    waiting: Vec<Waiting>,
    used: Vec<Waiting>,
    last: u32,
}

fn lock(server: &Mutex<Server>) -> MutexGuard<'_, Server> {
    server.lock().unwrap()
}

/// What a request says of its session.
fn session_of(asked: &Asked) -> Option<String> {
    let head = asked.head.to_ascii_lowercase();
    head.lines().find_map(|line| Some(line.strip_prefix("mcp-session-id: ")?.to_owned()))
}

/// Answers what is answered at once, and keeps the calls.
async fn serve(stage: Stage, server: Arc<Mutex<Server>>) {
    loop {
        let asked = stage.next().await;
        let session = session_of(&asked);
        let number = session.as_deref().and_then(|id| id.strip_prefix("s-")?.parse().ok());
        let is_known = number.is_some_and(|number: usize| number > lock(&server).forgotten);
        match asked.method() {
            "initialize" => open(asked, &server).await,
            "DELETE" => asked.answer("200 OK", "", "").await,
            _ if !is_known => asked.answer("404 Not Found", "", "").await,
            "GET" => asked.answer("405 Method Not Allowed", "", "").await,
            "resources/subscribe" | "resources/unsubscribe" => asked.result("{}").await,
            "tools/call" => {
                let key = member_at(asked.params(), &["arguments", "key"]).unwrap().to_owned();
                let mut server = lock(&server);
                *server.executions.entry(key).or_default() += 1;
                server.open.push((asked, false));
            }
            _ => {
                let taken_back = asked.message.as_ref().and_then(read::cancelled_request);
                lock(&server).cancelled.extend(session.zip(taken_back));
                asked.accept().await;
            }
        }
    }
}

async fn open(asked: Asked, server: &Mutex<Server>) {
    let number = {
        let mut server = lock(server);
        server.sessions += 1;
        server.sessions
    };
    let result = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true}},"serverInfo":{"name":"s","version":"1"}}"#;
    let body = text(&Message::result(&asked.id(), result));
    let headers = format!("content-type: application/json\r\nmcp-session-id: s-{number}\r\n");
    asked.answer("200 OK", &headers, &body).await;
}

impl World {
    async fn new() -> Self {
        let (clock, stage, client) = (StillClock::new(), Stage::open().await, Client::new());
        let settings = Settings { protocol: Protocol::Legacy, ..Settings::default() };
        let (remote, server) = (stage.remote_with(settings), Arc::default());
        tokio::spawn(serve(stage, Arc::clone(&server)));
        Self {
            clock,
            remote,
            server,
            client,
            requests: BTreeMap::new(),
            calls: HashMap::new(),
            waiting: Vec::new(),
            used: Vec::new(),
            last: 0,
        }
    }

    fn request(&mut self, method: &str, capabilities: u8, params: &str) -> u32 {
        self.last += 1;
        let id = self.last;
        let text = format!(
            r#"{{"id":{id},"method":"{method}","params":{{"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{"roots":{{}},"experimental":{{"x{capabilities}":{{}}}}}}}}{params}}}}}"#
        );
        let (remote, receive) = (Arc::clone(&self.remote), self.client.recipient.clone());
        let post = post(&text, None);
        let task =
            Some(tokio::spawn(async move { sessions::exchange(&remote, &post, &receive).await }));
        let listens = method == "subscriptions/listen";
        self.requests.insert(id, Request { task, cancelled: false, listens, answers: 0 });
        id
    }

    fn call(&mut self, key: u32, capabilities: u8, more: &str) {
        let params = format!(r#","name":"t","arguments":{{"key":"{key}"}}{more}"#);
        let id = self.request("tools/call", capabilities, &params);
        self.calls.insert(id, (key, capabilities));
    }

    fn retry(&mut self, waiting: &Waiting) {
        let answers = waiting.questions.iter().map(|key| format!("\"{key}\":{{\"roots\":[]}}"));
        let answers = answers.collect::<Vec<_>>().join(",");
        let more = format!(",\"requestState\":{},\"inputResponses\":{{{answers}}}", waiting.state);
        self.call(waiting.key, waiting.capabilities, &more);
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Call(capabilities) => self.call(self.last + 1, capabilities, ""),
            Step::Listen(capabilities) => {
                let filter =
                    r#","notifications":{"toolsListChanged":true,"resourceSubscriptions":["a:1"]}"#;
                self.request("subscriptions/listen", capabilities, filter);
            }
            Step::Retry(n) if !self.waiting.is_empty() => {
                let waiting = self.waiting.remove(n % self.waiting.len());
                self.retry(&waiting);
                self.used.push(waiting);
            }
            Step::RetryAgain(n) if !self.used.is_empty() => {
                let used = self.used.remove(n % self.used.len());
                self.retry(&used);
                self.used.push(used);
            }
            Step::Cancel(n) => {
                let open = self.requests.values_mut().filter(|request| request.task.is_some());
                let mut open: Vec<_> = open.collect();
                let count = open.len().max(1);
                if let Some(request) = open.get_mut(n % count) {
                    request.cancelled = true;
                    request.task.take().expect("filtered").abort();
                }
            }
            Step::Answer(n) | Step::Ask(n) | Step::Notify(n) | Step::Refuse(n) | Step::Cut(n) => {
                self.server_step(&step, n).await;
            }
            Step::LoseSessions => {
                let mut server = lock(&self.server);
                server.forgotten = server.sessions;
            }
            Step::Time(millis) => {
                // What is on its way to the server gets there: a time-out is not what is tried here.
                self.clock.breathe().await;
                self.clock.breathe().await;
                tokio::time::advance(Duration::from_millis(millis.into())).await;
            }
            Step::Settle => self.clock.breathe().await,
            Step::Retry(_) | Step::RetryAgain(_) => {}
        }
        self.listen();
    }

    async fn server_step(&self, step: &Step, n: usize) {
        let (mut asked, mut streams, number) = {
            let mut server = lock(&self.server);
            if server.open.is_empty() {
                return;
            }
            server.questions += 1;
            let at = n % server.open.len();
            let (asked, streams) = server.open.remove(at);
            (asked, streams, server.questions)
        };
        if !streams && matches!(step, Step::Ask(_) | Step::Notify(_)) {
            asked = asked.stream().await;
            streams = true;
        }
        match step {
            Step::Answer(_) if streams => {
                let answer = Message::result(&asked.id(), r#"{"content":[]}"#);
                return asked.event(&answer).await;
            }
            Step::Answer(_) => return asked.result(r#"{"content":[]}"#).await,
            Step::Refuse(_) if !streams => return asked.answer("500 Oops", "", "").await,
            Step::Ask(_) => {
                let question = format!(r#"{{"id":"q-{number}","method":"roots/list"}}"#);
                asked.event(&message(&question)).await;
            }
            Step::Notify(_) => {
                let told = Message::notification("notifications/tools/list_changed", None);
                asked.event(&told).await;
            }
            _ => return,
        }
        lock(&self.server).open.push((asked, streams));
    }

    /// Takes what the client was told.
    fn listen(&mut self) {
        for told in self.client.there() {
            let told = message(&told);
            let Kind::Response { id: Some(id), .. } = told.kind() else {
                assert!(!matches!(told.kind(), Kind::Request { .. }), "{told:?}");
                continue;
            };
            let id: u32 = id.to_string().parse().expect("an id of ours");
            self.requests.get_mut(&id).expect("a request of ours").answers += 1;
            let result = read::result(&told).unwrap_or_default();
            let Some(state) = member(result, "requestState") else { continue };
            let questions = member(result, "inputRequests").map(object::entries);
            let (key, capabilities) = self.calls[&id];
            self.waiting.push(Waiting {
                key,
                capabilities,
                state: state.to_owned(),
                questions: questions.unwrap_or_default().into_iter().map(|(key, _)| key).collect(),
            });
        }
    }

    /// The client goes, after or before the server has answered everything; what is left of anybody is a defect.
    async fn conclude(mut self, answered: bool) {
        if answered {
            while !lock(&self.server).open.is_empty() {
                self.server_step(&Step::Answer(0), 0).await;
                self.clock.breathe().await;
            }
        }
        for request in self.requests.values_mut().filter(|request| !answered || request.listens) {
            if let Some(task) = request.task.take() {
                request.cancelled = true;
                task.abort();
            }
        }
        self.clock.settle().await;
        let mut ends = Vec::new();
        for (id, request) in &mut self.requests {
            ends.extend(request.task.take().map(|task| (*id, task)));
        }
        for (id, task) in ends {
            let what = format!("the end of request {id}");
            // A question that nobody waits for any more is asked when its turn comes.
            let (server, step) = (Arc::clone(&self.server), Duration::from_millis(100));
            let answering = async {
                loop {
                    let open = lock(&server).open.pop();
                    match open {
                        Some((mut asked, true)) => {
                            let answer = Message::result(&asked.id(), r#"{"content":[]}"#);
                            asked.event(&answer).await;
                        }
                        Some((asked, false)) => asked.result(r#"{"content":[]}"#).await,
                        None => tokio::task::yield_now().await,
                    }
                }
            };
            let ended = async {
                tokio::select! {
                    outcome = task => outcome.expect("no panic"),
                    () = answering => unreachable!("it has no end"),
                }
            };
            let (_, outcome) = self.clock.in_time(&what, step, ended).await;
            self.listen();
            let answers = self.requests[&id].answers;
            let is_answered = matches!(outcome, Outcome::Answered);
            assert_eq!(answers, usize::from(is_answered), "request {id}: {outcome:?}");
        }
        self.nothing_is_left().await;
    }

    async fn nothing_is_left(mut self) {
        self.clock.settle().await;
        tokio::time::advance(HELD_FOR + Duration::from_secs(2)).await;
        let mut patience = 0;
        while let Some(left) = self.left() {
            patience += 1;
            assert!(patience < 3_000, "{left}");
            self.clock.breathe().await;
            if patience % 100 == 0 {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        }
        self.listen();
        for (id, request) in &self.requests {
            assert!(request.answers <= 1, "request {id} was answered {} times", request.answers);
            assert!(request.answers == 1 || request.task.is_none(), "request {id} was forgotten");
        }
        for (key, times) in &lock(&self.server).executions {
            assert_eq!(*times, 1, "call {key} was carried out {times} times");
        }
        assert!(self.remote.sessions.lock().len() <= super::MAX_SESSIONS);
    }

    /// What is left of anybody.
    fn left(&self) -> Option<String> {
        for entry in self.remote.sessions.lock().iter() {
            if !entry.hub.is_empty() || !entry.hub.resources().is_empty() {
                return Some("somebody listens".to_owned());
            }
            if entry.current().is_some_and(|live| !live.is_idle()) {
                return Some("a call is not forgotten".to_owned());
            }
            if Arc::strong_count(entry) > 1 {
                return Some("somebody works in a session".to_owned());
            }
        }
        let server = lock(&self.server);
        let is_over = |asked: &Asked| {
            let session = session_of(asked).expect("a session");
            let number: usize = session[2..].parse().unwrap();
            number <= server.forgotten || server.cancelled.contains(&(session, asked.id()))
        };
        let open = server.open.iter().find(|(asked, _)| !is_over(asked));
        open.map(|(asked, _)| format!("nobody took back {:?}", asked.message))
    }
}

fn play(steps: Vec<Step>, answered: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new().await;
        for step in steps {
            world.step(step).await;
        }
        world.conclude(answered).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_each_request_is_answered_once_and_no_call_is_carried_out_twice(
        steps in prop::collection::vec(step(), 1..100),
        answered in any::<bool>(),
    ) {
        play(steps, answered);
    }
}
