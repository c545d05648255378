//! A client as small as one can be: it launches a program and speaks JSON-RPC over its pipes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::Result;

/// A running `bridge` and the client's ends of its pipes.
pub struct Client {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    last_id: u64,
    notifications: usize,
}

impl Client {
    pub fn launch(program: &Path, url: &str) -> Result<Self> {
        let mut process = Command::new(program)
            .arg(url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{} can't be launched: {error}", program.display()))?;
        let stdin = process.stdin.take().ok_or("no stdin")?;
        let stdout = BufReader::new(process.stdout.take().ok_or("no stdout")?);
        Ok(Self { process, stdin, stdout, last_id: 0, notifications: 0 })
    }

    /// Asks and waits for the answer; what comes before it is shown.
    pub fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        loop {
            let message = self.read()?;
            if message["id"] == id && message.get("method").is_none() {
                return Ok(message);
            }
            self.notifications += 1;
        }
    }

    pub fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value> {
        let meta = json!({ "progressToken": tool });
        self.notifications = 0;
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        self.request("tools/call", &params)
    }

    pub fn notify(&mut self, method: &str) -> Result<()> {
        self.write(&json!({ "jsonrpc": "2.0", "method": method }))
    }

    /// Notifications that came with the last call.
    pub fn notifications_seen(&self) -> usize {
        self.notifications
    }

    /// Closes the pipes and waits for the process.
    pub fn leave(self) -> Result<()> {
        let Self { mut process, stdin, stdout, .. } = self;
        drop(stdin);
        let status = process.wait()?;
        drop(stdout);
        if status.success() { Ok(()) } else { Err(format!("bridge ended with {status}").into()) }
    }

    fn write(&mut self, message: &Value) -> Result<()> {
        println!("   client → {message}");
        writeln!(self.stdin, "{message}")?;
        Ok(self.stdin.flush()?)
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err("bridge closed its stdout".into());
        }
        println!("   client ← {}", line.trim_end());
        Ok(serde_json::from_str(&line)?)
    }
}
