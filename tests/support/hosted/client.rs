//! A desktop client: what its configuration says is launched by the official SDK, which sees what any client sees.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};

use rmcp::model::{ClientConfig, ClientRequest};
use rmcp::service::{NotificationContext, RunningService, ServiceError};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ClientHandler, RoleClient, ServiceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio::runtime::Runtime;

use crate::support::watched::Watched;
use crate::support::{DEADLINE, program};

/// Of all clients: the SDK has tasks of its own.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let builder = &mut tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
});

/// The longest line that is read; the SDK's own limit is 16 MiB.
const LONGEST: usize = 64 * 1024 * 1024;

/// An entry of a client's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub command: String,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
}

impl Entry {
    #[track_caller]
    pub fn read(entry: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let args = entry["args"].as_array().expect("arguments").iter().map(text).collect();
        let env = entry["env"].as_object().into_iter().flatten();
        let env = env.map(|(name, value)| (name.clone(), text(value))).collect();
        Self { command: text(&entry["command"]), args, env }
    }

    /// `bridge` is the program under test.
    pub fn program(&self) -> PathBuf {
        if self.command == "bridge" { program() } else { PathBuf::from(&self.command) }
    }
}

/// What the client answered or was answered: a result, or an error as `{code, message, data}`.
pub type Outcome = Result<Value, Value>;

/// One window of the client, and the bridge that it launched.
pub struct Client {
    service: RunningService<RoleClient, Handler>,
    bridge: Child,
    heard: Arc<Watched<Heard>>,
}

#[derive(Default)]
struct Heard {
    stderr: String,
    tools_changed: usize,
}

#[derive(Clone)]
struct Handler(Arc<Watched<Heard>>);

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        of(json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "desktop", "version": "1.0.0"},
        }))
    }

    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.0.update(|heard| heard.tools_changed += 1);
    }
}

impl Client {
    /// Launches it, and waits for the handshake.
    pub fn launch(command: Command) -> Result<Self, String> {
        let heard = Arc::<Watched<Heard>>::default();
        RUNTIME.block_on(async {
            let mut command = tokio::process::Command::from(command);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut bridge = command.kill_on_drop(true).spawn().map_err(|why| why.to_string())?;
            let (stdin, stdout) = (bridge.stdin.take(), bridge.stdout.take());
            let (stdin, stdout) = (stdin.expect("a pipe"), stdout.expect("a pipe"));
            let stderr = bridge.stderr.take();
            let into = Arc::clone(&heard);
            tokio::spawn(async move {
                let mut stderr = stderr.expect("stderr is piped");
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
                    let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                    into.update(|heard| heard.stderr.push_str(&text));
                }
            });
            let pipes = AsyncRwTransport::new(stdout, stdin).with_max_line_length(LONGEST);
            let handshake = Handler(Arc::clone(&heard)).serve(pipes);
            let service = tokio::time::timeout(DEADLINE, handshake).await;
            let service = service.map_err(|_| "no handshake in time".to_owned())?;
            Ok(Self { service: service.map_err(|why| why.to_string())?, bridge, heard })
        })
    }

    /// The server's own name, as its handshake says.
    pub fn server(&self) -> Value {
        self.service.peer_info().map_or(Value::Null, |info| plain(&info.server_info)["name"].take())
    }

    /// One request of the protocol by its name; the result is what the SDK made of it.
    pub fn asks(&self, method: &str, params: Value) -> Outcome {
        let mut request = json!({"method": method});
        if !params.is_null() {
            request["params"] = params;
        }
        let request: ClientRequest = of(request);
        let asked =
            async { tokio::time::timeout(DEADLINE, self.service.send_request(request)).await };
        match RUNTIME.block_on(asked) {
            Ok(Ok(result)) => Ok(plain(result)),
            Ok(Err(ServiceError::McpError(error))) => Err(plain(error)),
            Ok(Err(error)) => Err(json!({"message": error.to_string()})),
            Err(_) => Err(json!({"message": format!("no answer to {method} within {DEADLINE:?}")})),
        }
    }

    pub fn calls(&self, tool: &str, arguments: &Value) -> Outcome {
        self.asks("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// A call of a tool whose result is one text.
    pub fn calls_for_text(&self, tool: &str, arguments: &Value) -> Result<String, Value> {
        let result = self.calls(tool, arguments)?;
        Ok(result["content"][0]["text"].as_str().unwrap_or_default().to_owned())
    }

    /// The names of the tools.
    pub fn tools(&self) -> Result<Vec<String>, Value> {
        Ok(names(&self.asks("tools/list", json!({}))?["tools"], "name"))
    }

    pub fn resources(&self) -> Result<Vec<String>, Value> {
        Ok(names(&self.asks("resources/list", json!({}))?["resources"], "uri"))
    }

    pub fn templates(&self) -> Result<Vec<String>, Value> {
        let result = self.asks("resources/templates/list", json!({}))?;
        Ok(names(&result["resourceTemplates"], "uriTemplate"))
    }

    /// The text of a resource.
    pub fn reads(&self, uri: &str) -> Result<String, Value> {
        let result = self.asks("resources/read", json!({"uri": uri}))?;
        Ok(result["contents"][0]["text"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the client was told so often that the list of tools changed.
    #[track_caller]
    pub fn is_told_of_new_tools(&self, times: usize) {
        let told = |heard: &mut Heard| (heard.tools_changed >= times).then_some(());
        assert!(self.heard.wait(DEADLINE, told).is_some(), "tools/list_changed did not come");
    }

    /// How often the client was told so far that the list of tools changed.
    pub fn times_told_of_new_tools(&self) -> usize {
        self.heard.read().tools_changed
    }

    /// Waits until the client's log contains this.
    #[track_caller]
    pub fn logs(&self, text: &str) {
        let says = |heard: &mut Heard| heard.stderr.contains(text).then_some(());
        let said = self.heard.wait(DEADLINE, says).is_some();
        assert!(said, "no {text:?} in {:?}", self.heard.read().stderr);
    }

    /// Closes the window, and waits for the end of the bridge.
    pub fn closes(mut self) {
        let closing = async {
            self.service.cancel().await.expect("a good end");
            self.bridge.wait().await.expect("a child of ours")
        };
        let ended = RUNTIME.block_on(async { tokio::time::timeout(DEADLINE, closing).await });
        let ended = ended.expect("the bridge ends in time");
        assert!(ended.success(), "{ended}");
    }
}

/// The windows of a client: one, or three that do the same at the same time.
pub struct Clients(pub Vec<Client>);

impl Clients {
    #[track_caller]
    pub fn launch(windows: usize, command: impl Fn() -> Command) -> Self {
        let commands: Vec<_> = (0..windows).map(|_| command()).collect();
        let launched = at_once(commands, Client::launch);
        Self(launched.into_iter().map(|client| client.expect("the server answers")).collect())
    }

    /// Does it in every window at once; all see the same, which this gives.
    #[track_caller]
    pub fn all<R: PartialEq + std::fmt::Debug + Send>(
        &self,
        act: impl Fn(&Client) -> R + Sync,
    ) -> R {
        let mut seen = self.each(act);
        let first = seen.remove(0);
        seen.iter().for_each(|other| assert_eq!(*other, first, "two windows see different things"));
        first
    }

    /// Does it in every window at once.
    #[track_caller]
    pub fn each<R: Send>(&self, act: impl Fn(&Client) -> R + Sync) -> Vec<R> {
        at_once(self.0.iter().collect(), act)
    }

    #[track_caller]
    pub fn close(self) {
        at_once(self.0, Client::closes);
    }
}

#[track_caller]
fn at_once<T: Send, R: Send>(all: Vec<T>, act: impl Fn(T) -> R + Sync) -> Vec<R> {
    let act = &act;
    std::thread::scope(|scope| {
        let running: Vec<_> = all.into_iter().map(|one| scope.spawn(move || act(one))).collect();
        let done = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        done.map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

fn names(list: &Value, member: &str) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.map(|one| one[member].as_str().unwrap_or_default().to_owned()).collect()
}

fn of<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("what the SDK knows")
}

fn plain(value: impl Serialize) -> Value {
    serde_json::to_value(value).expect("results are JSON")
}
