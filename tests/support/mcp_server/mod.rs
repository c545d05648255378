//! A scripted, strict, recording MCP server over Streamable HTTP, for the legacy era.
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
mod connection;
mod judge;
mod legacy;
mod listener;
mod lost;
pub mod matcher;
mod request;
mod script;
mod serve;
mod step;
mod stream_log;
mod world;

use std::collections::BTreeSet;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

pub use answer::Answer;
pub use legacy::text;
pub use lost::Lost;
pub use matcher::Matcher;
pub use request::Request;
pub use step::Step;

use self::listener::{Connecting, Order};
use self::script::{Script, Source};
use self::stream_log::{StreamLog, What};
use self::world::{Settings, State, World};
use super::certificates::{Certificate, ClientCertificate, PrivateAuthority, Protocols, Tls};
use super::watched::Watched;
use super::{ClosedPort, DEADLINE, Gate, Timeline};

/// A server that is not running yet.
pub struct Builder {
    settings: Settings,
    state: State,
    connecting: Connecting,
    tls: Option<Tls>,
    address: SocketAddr,
}

impl Builder {
    // --- what it answers ---

    /// The next request that matches gets this answer; several wait in their order.
    #[must_use]
    pub fn once(mut self, matcher: impl Into<Matcher>, answer: Answer) -> Self {
        self.state.script.once(matcher.into(), Source::Given(answer.into()));
        self
    }

    #[must_use]
    pub fn times(self, count: usize, matcher: impl Into<Matcher>, answer: Answer) -> Self {
        let matcher = matcher.into();
        (0..count).fold(self, |this, _| this.once(matcher.clone(), answer.clone()))
    }

    /// All requests that match get this answer, once nothing is left in the queue for them.
    #[must_use]
    pub fn always(mut self, matcher: impl Into<Matcher>, answer: Answer) -> Self {
        self.state.script.always(matcher.into(), Source::Given(answer.into()));
        self
    }

    /// As `always`, with an answer that is made when the request is there.
    #[must_use]
    pub fn always_with<F>(
        mut self,
        matcher: impl Into<Matcher>,
        make: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        self.state.script.always(matcher.into(), Source::made(make));
        self
    }

    /// The version that `initialize` answers whatever the client asks for.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.settings.version = Some(version.to_owned());
        self
    }

    /// The tools of the list, in place of the default ones.
    #[must_use]
    pub fn tools(mut self, tools: Value) -> Self {
        self.settings.tools = tools;
        self
    }

    #[must_use]
    pub fn without_sessions(mut self) -> Self {
        self.settings.sessions = false;
        self
    }

    /// What is pushed to the GET stream carries event ids and can be asked for again.
    #[must_use]
    pub fn with_event_ids(mut self) -> Self {
        self.settings.event_ids = true;
        self
    }

    /// The endpoint's path, in place of `/mcp`; the second time, one more path.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.settings.paths.push(path.to_owned());
        self
    }

    // --- what it takes ---

    /// What matches is no fault, whatever is wrong with it.
    #[must_use]
    pub fn allow(mut self, matcher: impl Into<Matcher>) -> Self {
        self.state.allowed.push(matcher.into());
        self
    }

    /// A `once` that nobody asked for is no fault.
    #[must_use]
    pub fn allow_unused_script(mut self) -> Self {
        self.settings.strict_script = false;
        self
    }

    /// For runs of many thousand calls: keeps no requests and logs none. Faults, executions and
    /// sessions are still noted.
    #[must_use]
    pub fn without_records(mut self) -> Self {
        self.settings.keeps_requests = false;
        self
    }

    // --- how it is reached ---

    #[must_use]
    pub fn close_idle_after(mut self, time: Duration) -> Self {
        self.connecting.close_idle_after = Some(time);
        self
    }

    /// The first connections are reset before a byte of them is read.
    #[must_use]
    pub fn reset_first_connections(mut self, count: usize) -> Self {
        self.state.resets_at_accept = count;
        self
    }

    /// HTTPS with HTTP/2 and HTTP/1.1, by a private authority; see `Server::ca_file`.
    #[must_use]
    pub fn https(self) -> Self {
        self.tls(Certificate::Good, Protocols::Http2AndHttp1)
    }

    #[must_use]
    pub fn tls(mut self, certificate: Certificate, protocols: Protocols) -> Self {
        let client = ClientCertificate::NotAsked;
        self.tls = Some(Tls { shown: certificate, offered: protocols, client });
        self
    }

    /// HTTPS for those who show a certificate of the same private authority.
    #[must_use]
    pub fn mutual_tls(mut self, client: ClientCertificate, protocols: Protocols) -> Self {
        self.tls = Some(Tls { shown: Certificate::Good, offered: protocols, client });
        self
    }

    /// Listens on this address of the machine, in place of 127.0.0.1.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        self.address.set_ip(address);
        self
    }

    /// Listens on this port.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// What the server's HTTP/2 settings announce.
    #[must_use]
    pub fn max_concurrent_streams(mut self, streams: u32) -> Self {
        self.connecting.max_concurrent_streams = Some(streams);
        self
    }

    // --- run ---

    pub fn run(self) -> McpServer {
        let server = self.run_stopped();
        server.start();
        server
    }

    /// Has its port, but refuses connections until it is started.
    pub fn run_stopped(mut self) -> McpServer {
        if self.settings.paths.is_empty() {
            self = self.path("/mcp");
        }
        self.settings.paths.dedup();
        let port = ClosedPort::hold(self.address);
        self.run_on(port)
    }

    fn run_on(mut self, port: ClosedPort) -> McpServer {
        let address = port.address();
        let authority = self.tls.map(|tls| {
            let authority = PrivateAuthority::found();
            self.connecting.tls = Some(authority.server_config(tls, address.ip()));
            authority
        });
        let world = Arc::new(World {
            settings: self.settings,
            timeline: Timeline::of_this_test(),
            state: Watched::new(self.state),
        });
        let (orders, received) = mpsc::unbounded_channel();
        let run = listener::run(Arc::clone(&world), port, self.connecting, received);
        let thread = std::thread::Builder::new().name("mcp-server".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(run);
        });
        McpServer { world, address, orders, thread: Some(thread.expect("a thread")), authority }
    }
}

/// A running server; it ends when this is dropped.
pub struct McpServer {
    world: Arc<World>,
    address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    thread: Option<JoinHandle<()>>,
    authority: Option<PrivateAuthority>,
}

impl McpServer {
    /// A server of the era with an `initialize` handshake.
    pub fn legacy() -> Builder {
        Builder {
            settings: Settings {
                paths: Vec::new(),
                version: None,
                sessions: true,
                event_ids: false,
                tools: legacy::tools(),
                strict_script: true,
                keeps_requests: true,
            },
            state: State::default(),
            connecting: Connecting::default(),
            tls: None,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
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
        self.authority.as_ref().expect("a server with TLS")
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
    fn wait<R>(
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
