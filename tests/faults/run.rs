//! One run: a client that keeps many requests in flight until all are answered.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::answer::{self, Told};
use super::bridge::Bridge;
use super::call;
use super::fault::Fault;
use super::schedule::Schedule;
use super::server::Server;
use super::verdict::Verdict;
use super::world::World;

/// Requests in flight.
const IN_FLIGHT: usize = 64;
/// A notification of the client comes with every so many requests.
const NOTIFICATION_EVERY: u64 = 50;
/// Ids of the requests before and after the run, which are no keys.
const HELLO: &str = "hello";
const LIST: &str = "list";
const LAST: &str = "last";

/// What a run came to.
pub struct Run {
    pub server: Server,
    pub verdict: Verdict,
    pub took: Duration,
    pub notifications: usize,
    /// Resident memory after a tenth of the run, at its end, and at its peak, in kilobytes.
    pub memory: Option<[usize; 3]>,
    pub exit: Option<ExitStatus>,
    pub stderr: String,
}

struct Client {
    world: Arc<World>,
    bridge: Bridge,
    verdict: Verdict,
    notifications: Vec<Value>,
}

impl Run {
    /// Makes so many calls under the faults of a seed.
    pub fn with(seed: u64, calls: usize, of_each_kind: usize) -> Self {
        let server = Server::start(Schedule::new(seed, calls, of_each_kind));
        let (bridge, verdict) = (Bridge::start(&server.url()), Verdict::default());
        let (world, notifications) = (Arc::clone(&server.world), Vec::new());
        let mut client = Client { world, bridge, verdict, notifications };
        client.open();
        let since = Instant::now();
        let early = client.call_all(calls);
        let took = since.elapsed();
        client.hears_news_in_a_new_session();
        let late = client.bridge.memory();
        let memory = early.zip(late).map(|((early, _), (late, peak))| [early, late, peak]);
        let Client { bridge, mut verdict, notifications, .. } = client;
        let (exit, rest, stderr) = bridge.end();
        for line in rest {
            verdict.violation(format!("said at the end: {line}"));
        }
        verdict.compare(&server.world.state().ledger);
        let notifications = notifications.len();
        Self { server, verdict, took, notifications, memory, exit, stderr }
    }
}

impl Client {
    fn open(&mut self) {
        let hello = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "faults", "version": "1" },
        });
        self.ask(HELLO, "initialize", &hello).expect("a session");
        self.notify("notifications/initialized");
        // From here on the bridge knows which tool may be executed twice.
        self.ask(LIST, "tools/list", &json!({})).expect("the tools");
    }

    /// A request outside the run, which meets no fault.
    fn ask(&mut self, id: &str, method: &str, params: &Value) -> Result<(), String> {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.bridge.write(&request.to_string());
        loop {
            let line = self.bridge.line().ok_or_else(|| format!("`{id}` is not answered"))?;
            let message: Value = serde_json::from_str(&line).unwrap_or_default();
            if message["id"] == id {
                let succeeded = message.get("result").is_some();
                return succeeded.then_some(()).ok_or_else(|| format!("`{id}` failed: {line}"));
            }
            self.hear(&line);
        }
    }

    fn notify(&mut self, method: &str) {
        let notification = json!({ "jsonrpc": "2.0", "method": method });
        self.bridge.write(&notification.to_string());
    }

    /// Calls and waits until all is answered. Gives the memory after a tenth of it.
    fn call_all(&mut self, calls: usize) -> Option<(usize, usize)> {
        let mut early = None;
        loop {
            let answered = self.verdict.count();
            while self.verdict.asked() < calls && self.verdict.asked() - answered < IN_FLIGHT {
                self.call();
            }
            if early.is_none() && answered >= calls / 10 {
                early = self.bridge.memory();
            }
            if answered == calls {
                return early;
            }
            let Some(line) = self.bridge.line() else {
                self.verdict.violation(format!("silent with {answered} of {calls} answered"));
                return early;
            };
            self.hear(&line);
        }
    }

    fn call(&mut self) {
        let key = self.verdict.ask();
        self.bridge.write(&call::line(key));
        if key.is_multiple_of(NOTIFICATION_EVERY) {
            self.notify("notifications/roots/list_changed");
        }
    }

    fn hear(&mut self, line: &str) {
        match answer::read(line) {
            Ok(Told::Answer(key, answer)) => {
                let disturbed = self.world.state().disturbed;
                self.verdict.answered(key, answer, disturbed);
            }
            Ok(Told::Notification(data)) => self.notifications.push(data),
            Err(odd) => self.verdict.violation(odd),
        }
    }

    /// After all that, a lost session is opened again, and the bridge listens in it.
    fn hears_news_in_a_new_session(&mut self) {
        self.world.lose_sessions(Fault::Lost404);
        if let Err(failed) = self.ask(LAST, "tools/list", &json!({})) {
            return self.verdict.violation(failed);
        }
        let data = "the news";
        let news = json!({
            "jsonrpc": "2.0",
            "method": "notifications/message",
            "params": { "level": "info", "data": data },
        });
        self.world.news.send_replace(Some(news.to_string()));
        while self.notifications.last() != Some(&json!(data)) {
            let Some(line) = self.bridge.line() else {
                self.verdict.violation("the bridge does not listen any more".into());
                return;
            };
            self.hear(&line);
        }
    }
}
