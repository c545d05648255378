//! The real binary, between pipes, in a home of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long the bridge may be silent: longer than it tries anything again.
const SILENCE: Duration = Duration::from_secs(60);
/// How long it may take to end.
const ENDING: Duration = Duration::from_secs(5);

/// A running bridge. It is killed when this is dropped.
pub struct Bridge {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
    _home: TempDir,
}

impl Bridge {
    /// Starts the bridge for a server.
    pub fn start(url: &str) -> Self {
        let home = tempfile::tempdir().expect("a home");
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        command.arg(url).env_clear().env("HOME", home.path());
        for folder in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
            command.env(folder, home.path().join(folder));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the bridge starts");
        let stdout = child.stdout.take().expect("a pipe");
        let mut stderr = child.stderr.take().expect("a pipe");
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let line = line.unwrap_or_else(|error| format!("unreadable: {error}"));
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        let stderr = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, stderr: Some(stderr), _home: home }
    }

    /// Writes a line.
    pub fn write(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("its stdin is open");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("the bridge reads");
    }

    /// The next line; `None` if it is silent for too long or gone.
    pub fn line(&self) -> Option<String> {
        self.lines.recv_timeout(SILENCE).ok()
    }

    /// Resident memory now and at its peak, in kilobytes; `None` where the system does not tell.
    pub fn memory(&self) -> Option<(usize, usize)> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let value = |name: &str| -> Option<usize> {
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split_whitespace().nth(1)?.parse().ok()
        };
        Some((value("VmRSS:")?, value("VmHWM:")?))
    }

    /// Closes its stdin and waits for its end: how it ended, what it still said, and what it said on
    /// stderr.
    pub fn end(mut self) -> (Option<ExitStatus>, Vec<String>, String) {
        drop(self.stdin.take());
        let since = Instant::now();
        let mut status = None;
        while status.is_none() && since.elapsed() < ENDING {
            status = self.child.try_wait().expect("the bridge is a child of this process");
            std::thread::sleep(Duration::from_millis(5));
        }
        // Whatever hangs must not hang the test.
        let _ = self.child.kill();
        let rest = self.lines.iter().collect();
        let stderr = self.stderr.take().and_then(|thread| thread.join().ok());
        (status, rest, stderr.unwrap_or_default())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
