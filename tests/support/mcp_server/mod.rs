//! A scripted, strict, recording MCP server over Streamable HTTP, for the legacy era. Its parts
//! carry the server of the modern era too ([`super::modern_server`]), which is another [`Conduct`].
//!
//! ```ignore
//! let server = McpServer::legacy()
//!     .once("tools/call", Answer::status(503).retry_after(1))   // the first call, then the default
//!     .always(get(), Answer::status(405))
//!     .run();
//! // … the client talks to `server.url()` …
//! assert_eq!(server.executions("echo"), 1);
//! ```
//!
//! Without a script it is a good server: sessions, a few tools (`echo`, `read_note`, `set_note`,
//! `delete_note`, `fail`, `wait`, `ask`, `progress`, `fill`), resources, prompts, completion,
//! logging, a GET stream. It runs on a thread of its own, so tests need not be async.
//!
//! What it did not expect fails the test when the handle is dropped, and so does a `once` that
//! nobody asked for; `allow` and `allow_unused_script` are for tests that provoke that.

mod answer;
mod builder;
mod conduct;
mod connection;
pub(super) mod judge;
pub(super) mod legacy;
mod listener;
mod lost;
pub mod matcher;
pub(super) mod request;
mod script;
mod serve;
mod step;
pub(super) mod stream_log;
pub(super) mod world;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tokio::sync::mpsc;

pub use answer::Answer;
pub use builder::Builder;
pub use conduct::{Conduct, Legacy};
pub use legacy::text;
pub use lost::Lost;
pub use matcher::Matcher;
pub use request::Request;
pub use step::Step;

use self::listener::Order;
use self::script::{Script, Source};
use self::stream_log::{StreamLog, What};
use self::world::{Session, State, World};
use super::certificates::PrivateAuthority;
use super::{DEADLINE, Gate};

/// A running server; it ends when this is dropped.
pub struct McpServer {
    world: Arc<World>,
    address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
    authority: Option<Arc<PrivateAuthority>>,
}

impl McpServer {
    /// A server of the era with an `initialize` handshake.
    pub fn legacy() -> Builder {
        Builder::legacy()
    }

    // --- where it is ---

    /// The URL of the endpoint.
    pub fn url(&self) -> String {
        self.url_of(&self.world.settings.paths[0])
    }

    /// The URL of any path on this server.
    pub fn url_of(&self, path: &str) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.host())
    }

    /// Address and port, as they stand in its URL.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the endpoint under another name, which a proxy has to know.
    pub fn url_at(&self, host: &str) -> String {
        self.url().replacen(&self.host(), host, 1)
    }

    /// The certificate of its private authority, for `SSL_CERT_FILE`.
    #[track_caller]
    pub fn ca_file(&self) -> PathBuf {
        self.authority().pem_file()
    }

    #[track_caller]
    pub fn authority(&self) -> &PrivateAuthority {
        self.authority.as_deref().expect("a server with TLS")
    }

    // --- what it does next ---

    pub fn once(&self, matcher: impl Into<Matcher>, answer: Answer) {
        self.script(|script| script.once(matcher.into(), Source::Given(answer.into())));
    }

    pub fn always(&self, matcher: impl Into<Matcher>, answer: Answer) {
        self.script(|script| script.always(matcher.into(), Source::Given(answer.into())));
    }

    fn script(&self, change: impl FnOnce(&mut Script)) {
        self.world.state.update(|state| change(&mut state.script));
    }

    /// From now on what matches is no fault.
    pub fn allow(&self, matcher: impl Into<Matcher>) {
        self.world.state.update(|state| state.allowed.push(matcher.into()));
    }

    /// The gate that the tool `wait` waits for, by the name in its arguments.
    pub fn gate(&self, name: &str) -> Gate {
        self.world.state.update(|state| state.gate(name))
    }

    /// Forgets all sessions and says so in this way; a new `initialize` is welcome.
    pub fn lose_sessions(&self, how: Lost) {
        self.log(&format!("loses its sessions: {how:?}"));
        self.world.state.update(|state| {
            for session in state.sessions.iter_mut().filter(|session| session.lost.is_none()) {
                session.lost = Some(how);
                session.unasked.iter().for_each(|log| log.finish());
            }
        });
    }

    // --- the connections ---

    /// Closes the listener and resets all connections. The port stays ours, and refuses.
    #[track_caller]
    pub fn stop(&self) {
        self.order(Order::Stop);
        self.log("stopped");
    }

    /// Listens, on the same port as ever.
    #[track_caller]
    pub fn start(&self) {
        self.order(Order::Start);
        self.log("listens");
    }

    /// Stops, forgets all sessions, and listens again.
    #[track_caller]
    pub fn restart(&self) {
        self.stop();
        self.lose_sessions(Lost::NotFound);
        self.start();
    }

    #[track_caller]
    fn order(&self, order: impl FnOnce(SyncSender<()>) -> Order) {
        let (done, confirmed) = sync_channel(1);
        self.orders.send(order(done)).expect("the server's thread lives");
        confirmed.recv_timeout(DEADLINE).expect("the server does what it is told in time");
    }

    pub fn reset_connections(&self) {
        self.log("resets its connections");
        self.world.state.read().connections.iter().for_each(|connection| connection.reset());
    }

    /// Closes all connections in good form.
    pub fn close_connections(&self) {
        self.log("closes its connections");
        self.world.state.read().connections.iter().for_each(|connection| connection.close());
    }

    /// Takes nothing new on the present connections: GOAWAY, or `connection: close`.
    pub fn say_goodbye(&self) {
        self.log("says goodbye");
        self.world.state.read().connections.iter().for_each(|connection| connection.say_goodbye());
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.world.state.read().connections.len()
    }

    /// How many of them went on with a TLS session of an earlier one.
    pub fn resumed(&self) -> usize {
        self.world.state.read().resumed
    }

    pub fn open_connections(&self) -> usize {
        self.world.state.read().open_connections
    }

    /// Waits until no connection is open.
    #[track_caller]
    pub fn wait_until_left(&self) {
        self.wait(
            |state| (state.open_connections == 0).then_some(()),
            || "all connections to be closed".to_owned(),
        );
    }

    /// How many bytes all clients have taken, with headers and TLS.
    pub fn bytes_written(&self) -> u64 {
        self.world.state.read().connections.iter().map(|connection| connection.written()).sum()
    }

    // --- the GET stream ---

    /// Sends a message on the GET stream of the latest session as soon as there is one.
    #[track_caller]
    pub fn push(&self, message: &Value) {
        self.push_raw(&message.to_string());
    }

    /// Sends a message on the GET stream of every session that stands, as soon as it has one.
    #[track_caller]
    pub fn push_to_all(&self, message: &Value) {
        let logs = self.wait(
            |state| {
                let standing = |session: &&Session| session.lost.is_none() && !session.deleted;
                let log =
                    |session: &Session| session.unasked.clone().filter(|log| log.is_connected());
                state.sessions.iter().filter(standing).map(log).collect::<Option<Vec<_>>>()
            },
            || "a GET stream in each session".to_owned(),
        );
        let Step::Event(event) = Step::event(message.to_string()) else { unreachable!("an event") };
        self.log(&format!("pushes {message} to {} sessions", logs.len()));
        logs.iter().for_each(|log| log.push(None, What::Bytes(event.write_plain().into())));
    }

    /// As `push`, byte for byte; each line becomes a `data` line.
    #[track_caller]
    pub fn push_raw(&self, message: &str) {
        let log = self.wait_for_get_stream();
        let event_id = self.world.settings.event_ids.then(|| {
            let number = self.world.state.read().streams.iter().map(|log| log.len()).sum::<usize>();
            format!("get:{}", number + 1)
        });
        let step = match &event_id {
            Some(id) => Step::event(message).with_id(id),
            None => Step::event(message),
        };
        let Step::Event(event) = step else { unreachable!("made above") };
        let text = event.write_plain();
        self.world.note_asked(&text);
        self.log(&format!("pushes {message}"));
        log.push(event_id, What::Bytes(text.into()));
    }

    /// Bytes on the GET stream that need not be an event.
    #[track_caller]
    pub fn push_bytes(&self, bytes: &str) {
        self.wait_for_get_stream().push(None, What::Bytes(bytes.to_owned().into()));
    }

    /// Sends a request on the GET stream; its answer is awaited by `answer_to`.
    #[track_caller]
    pub fn ask(&self, id: impl Into<Value>, method: &str, params: Value) {
        let id: Value = id.into();
        self.push(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// Waits for the client's response to a request of the server; the whole message.
    #[track_caller]
    pub fn answer_to(&self, id: impl Into<Value>) -> Value {
        let id: Value = id.into();
        let id = id.to_string();
        self.wait(
            |state| state.answers.contains_key(&id).then(|| state.answer(&id)),
            || format!("an answer to the server's request {id}"),
        )
    }

    /// Waits until the latest session has an open GET stream; with event ids one that was open
    /// and is cut is good enough.
    #[track_caller]
    pub fn wait_for_get_stream(&self) -> Arc<StreamLog> {
        let cut_will_do = self.world.settings.event_ids;
        self.wait(
            |state| {
                let log = state.sessions.last()?.unasked.as_ref()?;
                (cut_will_do || log.is_connected()).then(|| Arc::clone(log))
            },
            || "a GET stream".to_owned(),
        )
    }

    /// Resets the connection of the GET stream and waits until it is gone.
    #[track_caller]
    pub fn cut_get_stream(&self) {
        self.end_get_stream_by(|log| log.push(None, What::Cut));
    }

    /// Ends the GET stream in good form.
    #[track_caller]
    pub fn end_get_stream(&self) {
        self.end_get_stream_by(StreamLog::finish);
    }

    #[track_caller]
    fn end_get_stream_by(&self, end: impl FnOnce(&StreamLog)) {
        let log = self.wait_for_get_stream();
        end(&log);
        self.wait(|_| (!log.is_connected()).then_some(()), || "the GET stream to end".to_owned());
    }

    // --- what it saw ---

    pub fn requests(&self) -> Vec<Request> {
        self.world.state.read().requests.clone()
    }

    /// Gives all requests so far, also when the server is gone.
    #[cfg(target_os = "linux")]
    pub fn recorder(&self) -> impl Fn() -> Vec<Request> + Send + use<> {
        let world = Arc::clone(&self.world);
        move || world.state.read().requests.clone()
    }

    pub fn requests_of(&self, matcher: impl Into<Matcher>) -> Vec<Request> {
        let matcher = matcher.into();
        let state = self.world.state.read();
        state.requests.iter().filter(|request| matcher.matches(request)).cloned().collect()
    }

    pub fn count(&self, matcher: impl Into<Matcher>) -> usize {
        self.requests_of(matcher).len()
    }

    /// The first request that matches, as soon as it has come.
    #[track_caller]
    pub fn wait_for(&self, matcher: impl Into<Matcher>) -> Request {
        self.wait_for_nth(1, matcher)
    }

    /// As `wait_for`; counts from 1.
    #[track_caller]
    pub fn wait_for_nth(&self, nth: usize, matcher: impl Into<Matcher>) -> Request {
        let matcher = matcher.into();
        self.wait(
            |state| {
                let mut matching = state.requests.iter().filter(|it| matcher.matches(it));
                matching.nth(nth - 1).cloned()
            },
            || format!("request {nth} of {}", matcher.name()),
        )
    }

    /// How often a tool was executed, or a call with this `key` in its arguments.
    pub fn executions(&self, tool_or_key: &str) -> usize {
        self.world.state.read().executions.get(tool_or_key).copied().unwrap_or_default()
    }

    /// Waits until a tool, or a call with this `key`, was executed so often.
    #[track_caller]
    pub fn wait_for_executions(&self, tool_or_key: &str, count: usize) {
        self.wait(
            |state| (*state.executions.get(tool_or_key)? >= count).then_some(()),
            || format!("{count} executions of {tool_or_key}"),
        );
    }

    /// The most executions that any tool or key had, among those that pass.
    pub fn most_executions(&self, passes: impl Fn(&str) -> bool) -> usize {
        let state = self.world.state.read();
        let counts = state.executions.iter().filter(|(key, _)| passes(key));
        counts.map(|(_, count)| *count).max().unwrap_or_default()
    }

    /// Waits until the client has left a request that matches before its answer was complete.
    #[track_caller]
    pub fn wait_until_abandoned(&self, matcher: impl Into<Matcher>) {
        let matcher = matcher.into();
        self.wait(
            |state| {
                let mut left =
                    state.abandoned.iter().filter_map(|order| state.requests.get(*order));
                left.any(|request| matcher.matches(request)).then_some(())
            },
            || format!("{} to be abandoned", matcher.name()),
        );
    }

    /// How many handshakes were answered.
    pub fn sessions(&self) -> usize {
        self.world.state.read().sessions.len()
    }

    /// What the latest session is subscribed to.
    pub fn subscriptions(&self) -> BTreeSet<String> {
        let state = self.world.state.read();
        state.sessions.last().map(|session| session.subscriptions.clone()).unwrap_or_default()
    }

    /// The log level of the latest session.
    pub fn log_level(&self) -> Option<String> {
        self.world.state.read().sessions.last()?.log_level.clone()
    }

    // --- whether all was well ---

    /// What must not have happened, so far.
    pub fn violations(&self) -> Vec<String> {
        self.world.state.read().violations.clone()
    }

    /// Takes the violations, so that they no longer fail the test.
    pub fn forgive(&self) -> Vec<String> {
        self.world.state.update(|state| std::mem::take(&mut state.violations))
    }

    /// Panics if something came that must not have come, or something did not that must have.
    #[track_caller]
    pub fn verify(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "the server did not expect:\n{}", violations.join("\n"));
        let unused = self.world.state.read().script.unused();
        let strict = self.world.settings.strict_script;
        assert!(!strict || unused.is_empty(), "nobody asked for: {}", unused.join(", "));
    }

    fn log(&self, what: &str) {
        self.world.timeline.log("server", what);
    }

    #[track_caller]
    pub(super) fn wait<R>(
        &self,
        ask: impl FnMut(&mut State) -> Option<R>,
        what: impl FnOnce() -> String,
    ) -> R {
        let answer = self.world.state.wait(DEADLINE, ask);
        answer.unwrap_or_else(|| panic!("waited {DEADLINE:?} in vain for {}", what()))
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::End);
        let ended = self.thread.take().map(JoinHandle::join);
        if std::thread::panicking() {
            let violations = self.violations();
            if !violations.is_empty() {
                eprintln!("the server did not expect:\n{}", violations.join("\n"));
            }
            return self.world.timeline.print_if_failing();
        }
        assert!(!matches!(ended, Some(Err(_))), "the server's thread panicked");
        self.verify();
    }
}
