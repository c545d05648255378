//! The real binary, in a private home, with a client's end of its pipes in the test's hand.
//!
//! ```ignore
//! let mut bridge = BridgeProcess::to(server.url()).spawn();
//! bridge.initialize();
//! assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
//! ```
//!
//! Every line on stdout is checked: a JSON-RPC message, and a response only to a request that is
//! owed one. What fails that check fails the test, and so does a secret that was written down
//! ([`super::canary`]).

mod dialogue;
mod exit;
mod inbox;
mod pipes;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::inbox::{Inbox, Line};
use self::pipes::{Stdin, Stdout};
use super::canary::Watch;
use super::watched::Watched;
use super::{DEADLINE, Gate, McpServer, Timeline, program};

pub use self::pipes::Streams;

/// The key of the stored sign-ins.
const STORE_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The process that is not running yet.
pub struct Builder {
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    home: Option<Arc<TempDir>>,
    streams: Streams,
    xdg: bool,
    hold_stdout: bool,
    check: bool,
    deadline: Duration,
}

impl Builder {
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub fn args<A: Into<String>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        let value = value.as_ref().to_str().expect("a readable value");
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The home of another process, so that both share what is kept there.
    #[must_use]
    pub fn home_of(mut self, other: &BridgeProcess) -> Self {
        self.home = Some(Arc::clone(&other.home));
        self
    }

    /// Pipes are the default.
    #[must_use]
    pub fn streams(mut self, streams: Streams) -> Self {
        self.streams = streams;
        self
    }

    /// Exactly the six variables that the official SDKs hand to a server, and what was added.
    #[must_use]
    pub fn six_variables_only(mut self) -> Self {
        self.xdg = false;
        self
    }

    /// Nobody reads stdout until `read_stdout`.
    #[must_use]
    pub fn hold_stdout(mut self) -> Self {
        self.hold_stdout = true;
        self
    }

    /// Takes any line on stdout: for servers whose odd messages are passed through.
    #[must_use]
    pub fn unchecked(mut self) -> Self {
        self.check = false;
        self
    }

    /// How long its lines are waited for, where the bridge itself is patient for longer.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Another program in place of the bridge, to test this fixture.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = program.into();
        self
    }

    /// Whoever writes a file that is larger than this is killed in the middle of it.
    #[cfg(unix)]
    #[must_use]
    pub fn largest_file(mut self, kibibytes: usize) -> Self {
        let program = std::mem::replace(&mut self.program, "/bin/sh".into());
        let program = program.to_str().expect("a readable path").to_owned();
        // Counted in blocks of 512 bytes, as POSIX has it.
        let script = format!("ulimit -c 0; ulimit -f {}; exec \"$0\" \"$@\"", kibibytes * 2);
        self.args.splice(0..0, ["-c".to_owned(), script, program]);
        self
    }

    /// What is too large for [`BridgeProcess::set_room`] is refused like on a full disk, and kills nobody.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn survives_large_files(mut self) -> Self {
        let program = std::mem::replace(&mut self.program, "/bin/sh".into());
        let program = program.to_str().expect("a readable path").to_owned();
        let script = "trap '' XFSZ; exec \"$0\" \"$@\"".to_owned();
        self.args.splice(0..0, ["-c".to_owned(), script, program]);
        self
    }

    #[track_caller]
    pub fn spawn(self) -> BridgeProcess {
        let home = self.home.unwrap_or_else(|| Arc::new(TempDir::new().expect("a home")));
        let (ends, ours) = pipes::open(self.streams);
        let mut command = Command::new(&self.program);
        command.args(&self.args).env_clear().envs(six_variables(home.path()));
        if self.xdg {
            command.envs(xdg_variables(home.path()));
        }
        let watch = Watch::over(&self.args, &self.env, self.xdg);
        // No test touches the keychain of whoever runs it.
        command.env("BRIDGE_STORE_KEY", STORE_KEY);
        command.envs(watch.log().map(|path| ("BRIDGE_LOG", path)));
        command.envs(self.env).stdin(ends.stdin).stdout(ends.stdout);
        command.stderr(std::process::Stdio::piped()).current_dir(home.path());
        let program = self.program.display();
        let mut child = command.spawn().unwrap_or_else(|why| panic!("can't run {program}: {why}"));
        drop(command);
        let timeline = Timeline::of_this_test();
        timeline.log("client", format!("runs {program} {}", self.args.join(" ")));
        let inbox = Arc::new(Watched::new(Inbox::new(self.check)));
        let stdout = Stdout::read(ours.stdout, &inbox, !self.hold_stdout, &timeline);
        let stderr = collect_stderr(&mut child, &timeline);
        BridgeProcess {
            stdin: Some(Stdin::write(ours.stdin)),
            child,
            home,
            inbox,
            stdout: Some(stdout),
            stderr,
            timeline,
            deadline: self.deadline,
            watch,
        }
    }
}

/// The six variables and a key to the store: what a person's process finds in a private home.
#[cfg(target_os = "linux")]
pub fn environment(home: &Path) -> Vec<(String, PathBuf)> {
    let six = six_variables(home).into_iter();
    let six = six.map(|(name, value)| (name.to_owned(), PathBuf::from(value)));
    let key = ("BRIDGE_STORE_KEY".to_owned(), PathBuf::from(STORE_KEY));
    six.chain([key]).collect()
}

fn six_variables(home: &Path) -> [(&'static str, String); 6] {
    [
        ("HOME", home.display().to_string()),
        ("LOGNAME", "tester".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ("SHELL", "/bin/sh".to_owned()),
        ("TERM", "dumb".to_owned()),
        ("USER", "tester".to_owned()),
    ]
}

fn xdg_variables(home: &Path) -> Vec<(String, PathBuf)> {
    ["CONFIG_HOME", "CACHE_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR"]
        .into_iter()
        .map(|name| {
            let folder = home.join("xdg").join(name.to_lowercase());
            std::fs::create_dir_all(&folder).expect("a folder in the private home");
            (format!("XDG_{name}"), folder)
        })
        .collect()
}

#[derive(Default)]
struct Stderr {
    bytes: Vec<u8>,
    ended: bool,
}

fn collect_stderr(child: &mut Child, timeline: &Timeline) -> Arc<Watched<Stderr>> {
    let mut stderr = child.stderr.take().expect("stderr is piped");
    let collected = Arc::<Watched<Stderr>>::default();
    let (into, timeline) = (Arc::clone(&collected), timeline.clone());
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut buffer) {
            timeline.log("stderr", String::from_utf8_lossy(&buffer[..count]));
            into.update(|stderr| stderr.bytes.extend_from_slice(&buffer[..count]));
        }
        into.update(|stderr| stderr.ended = true);
    });
    collected
}

/// The running process; killed when this is dropped.
pub struct BridgeProcess {
    child: Child,
    home: Arc<TempDir>,
    stdin: Option<Stdin>,
    stdout: Option<Stdout>,
    inbox: Arc<Watched<Inbox>>,
    stderr: Arc<Watched<Stderr>>,
    timeline: Timeline,
    deadline: Duration,
    watch: Watch,
}

impl BridgeProcess {
    /// The bridge before this server.
    pub fn to(url: impl Into<String>) -> Builder {
        Self::with_args([url.into()])
    }

    /// The bridge before this server, after the handshake of a client with no capabilities.
    #[track_caller]
    pub fn before(server: &McpServer) -> Self {
        let mut bridge = Self::to(server.url()).spawn();
        bridge.initialize();
        bridge
    }

    /// The bridge with any arguments.
    pub fn with_args<A: Into<String>>(args: impl IntoIterator<Item = A>) -> Builder {
        let builder = Builder {
            program: program(),
            args: Vec::new(),
            env: Vec::new(),
            home: None,
            streams: Streams::Pipes,
            xdg: true,
            hold_stdout: false,
            check: true,
            deadline: DEADLINE,
        };
        builder.args(args)
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    // --- to the bridge: nothing here blocks ---

    /// One line.
    #[track_caller]
    pub fn send(&mut self, message: impl AsRef<str>) {
        self.send_raw(format!("{}\n", message.as_ref()));
    }

    /// Any bytes; the newline is the test's own.
    #[track_caller]
    pub fn send_raw(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.timeline.log("client", format!("sends {}", String::from_utf8_lossy(bytes).trim_end()));
        self.inbox.update(|inbox| inbox.note_sent(bytes));
        self.stdin.as_ref().expect("stdin is open").send(bytes);
    }

    #[track_caller]
    pub fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let id: Value = id.into();
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(message.to_string());
    }

    #[track_caller]
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string());
    }

    /// Answers a request of the server.
    #[track_caller]
    pub fn respond(&mut self, id: impl Into<Value>, result: Value) {
        let id: Value = id.into();
        self.send(json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string());
    }

    /// Everything that was sent so far is still written.
    pub fn close_stdin(&mut self) {
        self.timeline.log("client", "closes stdin");
        self.stdin = None;
    }

    // --- from the bridge ---

    /// The next line, without its newline.
    #[track_caller]
    pub fn expect_line(&mut self) -> String {
        self.take(|_| true, || "a line".to_owned())
    }

    /// All lines that were not taken, once there are no more.
    pub fn rest_of_stdout(&mut self) -> String {
        let mut text = String::new();
        while let Some(Some(line)) = self.inbox.wait(self.deadline, |inbox| inbox.take(|_| true)) {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    #[track_caller]
    pub fn expect_message(&mut self) -> Value {
        read(&self.expect_line())
    }

    /// The response to this id; what came before it stays to be taken.
    #[track_caller]
    pub fn expect_response(&mut self, id: impl Into<Value>) -> Value {
        read(&self.expect_response_line(id))
    }

    /// As `expect_response`, byte for byte.
    #[track_caller]
    pub fn expect_response_line(&mut self, id: impl Into<Value>) -> String {
        let id: Value = id.into();
        let id = id.to_string();
        self.take(
            |line| line.response_id.as_ref() == Some(&id),
            || format!("the response to request {id}"),
        )
    }

    /// The next notification or request with this method.
    #[track_caller]
    pub fn expect_method(&mut self, method: &str) -> Value {
        let line = self.take(|line| line.method.as_deref() == Some(method), || method.to_owned());
        read(&line)
    }

    /// The first message that passes; the others stay to be taken.
    #[track_caller]
    pub fn next_message_where(&mut self, what: &str, passes: impl Fn(&Value) -> bool) -> Value {
        let line = self.take(
            |line| serde_json::from_str(&line.text).is_ok_and(|message| passes(&message)),
            || what.to_owned(),
        );
        read(&line)
    }

    /// What came and was not taken yet.
    pub fn unread(&self) -> Vec<String> {
        self.inbox.read().lines.iter().map(|line| line.text.clone()).collect()
    }

    /// Nothing leaves the bridge until the gate opens.
    #[track_caller]
    pub fn expect_silence_until(&mut self, gate: &Gate) {
        let before = self.unread();
        gate.wait();
        assert_eq!(self.unread(), before, "the bridge was to be silent until {gate:?}");
    }

    /// Waits until each request that was sent has its response; they stay to be taken.
    #[track_caller]
    pub fn wait_until_all_are_answered(&mut self) {
        let owed = |inbox: &mut Inbox| inbox.owed().is_empty().then_some(());
        let answered = self.inbox.wait(self.deadline, owed).is_some();
        self.check();
        assert!(answered, "no answer to {:?}", self.inbox.read().owed());
    }

    #[track_caller]
    fn take(&mut self, passes: impl Fn(&Line) -> bool, what: impl FnOnce() -> String) -> String {
        let deadline = self.deadline;
        let taken = self.inbox.wait(deadline, |inbox| inbox.take(&passes));
        self.check();
        match taken {
            Some(Some(line)) => line,
            Some(None) => panic!("stdout ended before {}", what()),
            None => panic!("waited {deadline:?} in vain for {}", what()),
        }
    }

    /// Panics if stdout carried what it must not carry.
    #[track_caller]
    fn check(&self) {
        let faults = self.inbox.update(|inbox| std::mem::take(&mut inbox.faults));
        assert!(faults.is_empty(), "on stdout:\n{}", faults.join("\n"));
    }

    /// Panics if a secret was written down anywhere.
    #[track_caller]
    fn check_secrets(&self) {
        let _ = self.stderr.wait(DEADLINE, |stderr| stderr.ended.then_some(()));
        let written = self.watch.written(self.home.path(), &self.stderr.read().bytes);
        assert!(written.is_empty(), "a secret was written down:\n{}", written.join("\n"));
    }

    /// From now on messages need not be what the schema of their revision says: the server, or
    /// the client, says odd things on purpose.
    pub fn allow_invalid(&self) {
        self.inbox.update(Inbox::allow_invalid);
    }

    // --- both ways ---

    /// A request and its response.
    #[track_caller]
    pub fn call(&mut self, id: impl Into<Value>, method: &str, params: Value) -> Value {
        let id: Value = id.into();
        self.request(id.clone(), method, params);
        self.expect_response(id)
    }

    #[track_caller]
    pub fn call_tool(&mut self, id: impl Into<Value>, name: &str, arguments: Value) -> Value {
        self.call(id, "tools/call", json!({"name": name, "arguments": arguments}))
    }

    /// The legacy handshake of a client with no capabilities; gives the `initialize` result.
    #[track_caller]
    pub fn initialize(&mut self) -> Value {
        self.initialize_with(json!({}))
    }

    /// The legacy handshake of a client with these capabilities.
    #[track_caller]
    pub fn initialize_with(&mut self, capabilities: Value) -> Value {
        let mut response = self.call("initialize", "initialize", initialize_params(capabilities));
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assert!(response["result"].is_object(), "initialize failed: {response}");
        response["result"].take()
    }

    // --- its life ---

    /// From now on nobody reads stdout: what is ahead in the pipe stays there.
    pub fn hold_stdout(&self) {
        self.stdout.iter().for_each(|stdout| stdout.set_reading(false));
    }

    /// From now on stdout is read.
    pub fn read_stdout(&self) {
        self.stdout.iter().for_each(|stdout| stdout.set_reading(true));
    }

    /// The client stops listening: what the bridge writes now finds a closed pipe.
    pub fn close_stdout(&mut self) {
        self.timeline.log("client", "closes stdout");
        drop(self.stdout.take());
    }

    /// Waits until stdout has ended.
    #[track_caller]
    pub fn wait_for_end_of_stdout(&mut self) {
        let ended = self.inbox.wait(DEADLINE, |inbox| inbox.ended.then_some(())).is_some();
        assert!(ended, "stdout was still open after {DEADLINE:?}");
        self.check();
    }

    /// The client leaves in good form, and all that is left to be said was good too.
    #[track_caller]
    pub fn finish(mut self) {
        self.close_stdin();
        let status = self.wait_exit();
        assert!(status.success(), "the bridge ended with {status}");
        self.wait_for_end_of_stdout();
    }

    /// From now on no file of it becomes larger than this, in bytes.
    #[cfg(target_os = "linux")]
    pub fn set_room(&self, room: Option<u64>) {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let pid = Pid::from_raw(self.pid().cast_signed());
        prlimit(pid, Resource::Fsize, Rlimit { current: room, maximum: None }).expect("a limit");
    }

    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        self.wait_exit_within(DEADLINE)
    }

    #[track_caller]
    pub fn wait_exit_within(&mut self, time: Duration) -> ExitStatus {
        let status = exit::wait(&mut self.child, time);
        let status = status.unwrap_or_else(|| panic!("the bridge still runs after {time:?}"));
        self.timeline.log("bridge", format!("ended: {status}"));
        let ended = self.stderr.wait(DEADLINE, |stderr| stderr.ended.then_some(())).is_some();
        assert!(ended, "somebody still holds the stderr of the bridge");
        self.check();
        status
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    #[cfg(unix)]
    #[track_caller]
    pub fn signal(&self, signal: rustix::process::Signal) {
        self.timeline.log("client", format!("sends {signal:?}"));
        exit::signal(&self.child, signal);
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
    }

    // --- what it says beside ---

    /// What it wrote to stderr so far; all of it after `wait_exit`.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr.read().bytes).into_owned()
    }

    /// Waits until stderr contains this.
    #[track_caller]
    pub fn wait_for_stderr(&self, text: &str) {
        let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(text);
        let said = |stderr: &mut Stderr| says(&stderr.bytes).then_some(());
        let said = self.stderr.wait(DEADLINE, said).is_some();
        assert!(said, "stderr does not say {text:?} but {:?}", self.stderr_text());
    }

    /// Waits until it has written more to stderr than this many bytes, or closed it, but no longer than this.
    pub fn wait_for_more_stderr(&self, than: usize, at_most: Duration) {
        let more = |stderr: &mut Stderr| (stderr.ended || stderr.bytes.len() > than).then_some(());
        self.stderr.wait(at_most, more);
    }

    #[track_caller]
    pub fn assert_stderr_empty(&self) {
        assert_eq!(self.stderr_text(), "", "stderr is silent when all is well");
    }

    /// Resident memory in KiB: now, and at most so far.
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn memory(&self) -> (u64, u64) {
        exit::memory(&self.child)
    }

    /// Resident memory at most so far, in KiB; none of a process that has ended.
    #[cfg(target_os = "linux")]
    pub fn peak_memory(&self) -> Option<u64> {
        exit::peak_memory(&self.child)
    }
}

impl Drop for BridgeProcess {
    fn drop(&mut self) {
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            self.timeline.print_if_failing();
        } else {
            self.check();
            self.check_secrets();
        }
    }
}

/// The parameters of an ordinary client's `initialize`.
pub fn initialize_params(capabilities: Value) -> Value {
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": capabilities,
        "clientInfo": {"name": "scripted-client", "version": "1.0.0"},
    })
}

#[track_caller]
fn read(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|why| panic!("no JSON ({why}): {line}"))
}
