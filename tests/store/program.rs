//! The program itself in the home of a session: commands in a terminal's place, and a client's server.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

use super::home::Home;

/// How long an answer is waited for; the bridge's own bounds lie far below.
const DEADLINE: Duration = Duration::from_secs(100);

/// What a command said.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    #[track_caller]
    pub fn tells(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.stderr.contains(part), "`{part}` is not in: {}", self.stderr);
        }
    }
}

/// The program, with the six variables and a browser that approves.
fn program(home: &Home, args: &[&str]) -> Command {
    let mut command = home.bare(env!("CARGO_BIN_EXE_bridge"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A browser as `--browser` takes it.
pub fn browser(home: &Home) -> String {
    let this = std::env::current_exe().unwrap();
    format!("'{}' {} '{}' %s", this.display(), super::browser::NAME, home.visits().display())
}

/// Runs a command to its end.
pub fn command(home: &Home, args: &[&str]) -> Done {
    let output = program(home, args).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Done { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// Runs a command until it says something, and then types Ctrl-C; its exit code and all that it said.
pub fn interrupted(home: &Home, args: &[&str], when: &str) -> (Option<i32>, String) {
    let mut child = program(home, args).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(when) {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "it ended: {said}");
    }
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::INT,
    )
    .unwrap();
    stderr.read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

/// The program beside a client; killed when this is dropped.
pub struct Served {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    passed: Vec<Value>,
}

impl Served {
    pub fn start(home: &Home, args: &[&str]) -> Self {
        let mut command = program(home, args);
        let mut child = command.stdin(Stdio::piped()).stderr(home.log_file()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { stdin: child.stdin.take(), lines, child, passed: Vec::new() }
    }

    /// The handshake of a client that knows nothing of elicitation.
    pub fn initialize(&mut self) -> Value {
        let params = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "tester", "version": "1"},
        });
        let answer = self.request(1, "initialize", params);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer
    }

    pub fn call(&mut self, id: u64) -> Value {
        self.request(id, "tools/call", json!({"name": "echo", "arguments": {}}))
    }

    pub fn request(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.ask(id, method, params);
        self.answer(id)
    }

    pub fn ask(&mut self, id: u64, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// The answer to a request; what comes before it is kept apart.
    pub fn answer(&mut self, id: u64) -> Value {
        if let Some(at) = self.passed.iter().position(|passed| passed["id"] == id) {
            return self.passed.remove(at);
        }
        loop {
            let line = self.lines.recv_timeout(DEADLINE).expect("an answer in time");
            let message: Value = serde_json::from_str(&line).expect("a JSON-RPC message");
            if message["id"] == id {
                return message;
            }
            self.passed.push(message);
        }
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.stdin.as_ref().unwrap(), "{message}").unwrap();
    }

    /// The client goes.
    pub fn end(mut self) {
        self.stdin = None;
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
