//! The relay inside this process, for what only an injected clock or an injected fault can show: the
//! machine's sleep, and a panic in the middle of an exchange.

use std::io::{BufRead, BufReader, PipeReader};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures_util::FutureExt;
use mcp_bridge::clock::Clock;
use mcp_bridge::relay::{self, ClientSide, FileMemory, Relay};
use mcp_bridge::remote::{self, Endpoint, Remote};
use mcp_bridge::stdio::{Line, Writer};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::support::McpServer;
use crate::support::bridge_process::initialize_params;
use crate::support::mcp_server::matcher::{delete, get, resumption, tool};
use crate::support::mcp_server::text;

/// Clocks that the test sets: they stand still but for sleep.
struct Hands(Instant, Mutex<SystemTime>);

impl Hands {
    fn sleep(&self, time: Duration) {
        *self.1.lock().expect("no panic with it held") += time;
    }
}

impl Clock for Hands {
    fn monotonic(&self) -> Instant {
        self.0
    }
    fn wall(&self) -> SystemTime {
        *self.1.lock().expect("no panic with it held")
    }
}

/// Panics, once armed, when the head of an answer to a POST arrives: in the task that carries it.
struct Fault(Arc<AtomicBool>);

impl<S: tracing::Subscriber> Layer<S> for Fault {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct IsPost(bool);
        impl Visit for IsPost {
            fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
            fn record_str(&mut self, field: &Field, value: &str) {
                self.0 |= field.name() == "method" && value == "POST";
            }
        }
        let mut post = IsPost(false);
        event.record(&mut post);
        let head = event.metadata().target() == "mcp_bridge::remote::request";
        assert!(!(head && post.0 && self.0.swap(false, Ordering::Relaxed)), "an injected fault");
    }
}

/// A relay on a thread of its own, and the client's ends of it.
struct InProcess {
    lines: Option<mpsc::Sender<Vec<Line>>>,
    stdout: BufReader<PipeReader>,
    clock: Arc<Hands>,
    fault: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl InProcess {
    fn before(server: &McpServer) -> Self {
        let (lines, received) = mpsc::channel(8);
        let (stdout, theirs) = std::io::pipe().expect("a pipe");
        let clock = Arc::new(Hands(Instant::now(), Mutex::new(SystemTime::UNIX_EPOCH)));
        let fault = Arc::new(AtomicBool::new(false));
        let (url, hands, armed) = (server.url(), Arc::clone(&clock), Arc::clone(&fault));
        let thread = std::thread::spawn(move || {
            let subscriber = tracing_subscriber::registry().with(Fault(armed));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let endpoint = Endpoint::parse(&url).expect("a URL");
            let relay = Relay {
                remote: Arc::new(Remote::new(endpoint, remote::Settings::default())),
                settings: relay::Settings::default(),
                memory: FileMemory::new(None),
                clock: &*hands,
            };
            let client = ClientSide {
                lines: received,
                writer: Writer::spawn(theirs).expect("a thread"),
                told_to_end: std::future::pending().boxed(),
                parent_gone: std::future::pending().boxed(),
            };
            tracing::subscriber::with_default(subscriber, || {
                runtime.expect("a runtime").block_on(relay.run(client));
            });
        });
        let mut this = Self {
            lines: Some(lines),
            stdout: BufReader::new(stdout),
            clock,
            fault,
            thread: Some(thread),
        };
        this.call(0, "initialize", initialize_params(json!({})));
        this.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        server.wait_for_get_stream();
        this
    }

    fn send(&self, message: &Value) {
        let line = Line::Text(Bytes::from(message.to_string()));
        let lines = self.lines.as_ref().expect("an open input");
        lines.blocking_send(vec![line]).expect("a relay that reads");
    }

    /// The next line, which is a message, as all of them are.
    fn expect_message(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a line");
        let message: Value = serde_json::from_str(&line).expect("a message");
        assert_eq!(message["jsonrpc"], "2.0", "{line}");
        message
    }

    fn call(&mut self, id: u32, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let answer = self.expect_message();
        assert_eq!(answer["id"], id);
        answer
    }

    fn echo(&mut self, id: u32) -> Value {
        self.call(id, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}))
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.lines = None;
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the relay panicked");
    }
}

#[test]
fn after_a_sleep_nothing_of_the_old_connections_is_used() {
    let server = McpServer::legacy().with_event_ids().run();
    let mut bridge = InProcess::before(&server);
    server.push(&json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"n": 1}}));
    assert_eq!(bridge.expect_message()["params"]["n"], 1);
    for id in 1..3 {
        assert_eq!(bridge.echo(id)["result"], text("hi"));
    }
    let awake = server.connections();

    bridge.clock.sleep(Duration::from_secs(600));
    assert_eq!(bridge.echo(3)["result"], text("hi"));
    let call = server.wait_for_nth(3, tool("echo"));
    assert!(call.connection > awake, "on connection {} of {awake}", call.connection);
    let resumed = server.wait_for(resumption());
    assert_eq!(resumed.last_event_id(), Some("get:1"));
    assert!(resumed.connection > awake);

    // What the server sends now arrives, and one sleep is one sleep.
    server.push(&json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"n": 2}}));
    assert_eq!(bridge.expect_message()["params"]["n"], 2);
    assert_eq!(bridge.echo(4)["result"], text("hi"));
    assert_eq!((server.count(get()), server.sessions()), (2, 1));
}

#[test]
fn a_panic_in_an_exchange_is_an_error_to_its_request_and_nothing_else() {
    let server = McpServer::legacy().run();
    let mut bridge = InProcess::before(&server);
    bridge.fault.store(true, Ordering::Relaxed);
    let error = bridge.echo(1)["error"].take();
    assert!(!bridge.fault.load(Ordering::Relaxed), "the fault happened");
    assert_eq!((&error["code"], &error["data"]["kind"]), (&json!(-31000), &json!("internal")));
    assert!(error["message"].as_str().expect("a message").contains("report"), "{error}");
    assert_eq!(bridge.echo(2)["result"], text("hi"));
    drop(bridge);
    assert_eq!(server.count(delete()), 1, "its session ends as ever");
}
