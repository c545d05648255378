//! A private home, and processes in it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A home, and a place beside it.
pub struct Home(TempDir);

/// What a process said, and how long it took to end.
pub struct Said {
    pub line: String,
    pub took: Duration,
}

/// A process that is told line by line to go on; killed when this is dropped.
pub struct Running {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
    _stdin: ChildStdin,
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("home")
    }

    /// The folder of the records.
    pub fn records(&self) -> PathBuf {
        let data =
            if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
        self.path().join(data).join("mcp-bridge/credentials")
    }

    /// Every byte of every file and name.
    pub fn all_bytes(&self) -> Vec<u8> {
        all_bytes(&self.path())
    }

    /// Where the browser notes the pages that it opened; not in the home, which is searched.
    #[cfg(target_os = "linux")]
    pub fn visits(&self) -> PathBuf {
        self.0.path().join("visits")
    }

    /// The pages that were opened.
    #[cfg(target_os = "linux")]
    pub fn pages(&self) -> Vec<String> {
        let visits = fs::read_to_string(self.visits()).unwrap_or_default();
        visits.lines().map(str::to_owned).collect()
    }

    /// Where the processes that serve write what they log.
    #[cfg(target_os = "linux")]
    pub fn log_file(&self) -> fs::File {
        let path = self.0.path().join("log");
        fs::OpenOptions::new().create(true).append(true).open(path).unwrap()
    }

    /// What they wrote.
    #[cfg(target_os = "linux")]
    pub fn log(&self) -> String {
        fs::read_to_string(self.0.path().join("log")).unwrap_or_default()
    }

    /// A program that gets the six variables.
    pub fn bare(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut child = Command::new(program);
        child.env_clear();
        child.env("HOME", self.path()).env("LOGNAME", "tester").env("USER", "tester");
        child.env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh").env("TERM", "dumb");
        child
    }

    /// A process that uses the store.
    pub fn process(&self, args: &[&str]) -> Command {
        let mut child = self.bare(std::env::current_exe().unwrap());
        child.arg(super::child::NAME).args(args);
        child.stdin(Stdio::null()).stdout(Stdio::piped());
        child
    }

    /// What such a process says.
    pub fn run(&self, args: &[&str]) -> Said {
        finish(self.process(args))
    }
}

/// Runs it to its end.
pub fn finish(mut process: Command) -> Said {
    let since = Instant::now();
    let output = process.output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    Said { line: line_of(&output), took: since.elapsed() }
}

/// The one line.
pub fn line_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

impl Said {
    #[track_caller]
    pub fn is(&self, expected: &str) {
        assert_eq!(self.line, expected);
    }

    #[track_caller]
    pub fn tells(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.line.contains(part), "`{part}` is not in: {}", self.line);
        }
    }
}

impl Running {
    pub fn start(mut process: Command) -> Self {
        let mut child = process.stdin(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { _stdin: child.stdin.take().unwrap(), said, child }
    }

    /// Waits for its next line.
    pub fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL: nothing of its own runs any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(path.to_string_lossy().bytes());
        if path.is_dir() {
            bytes.extend(all_bytes(&path));
        } else {
            bytes.extend(fs::read(&path).unwrap());
        }
    }
    bytes
}
