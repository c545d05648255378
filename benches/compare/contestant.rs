//! Who is compared, and how each is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command_line::Run;

/// The part that a contestant has in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The yardstick.
    Floor,
    /// The one that is judged.
    Bridge,
    /// What it replaces.
    McpRemote,
}

impl Part {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Bridge => "bridge",
            Self::McpRemote => "mcp-remote",
        }
    }
}

/// A relay that can be started.
#[derive(Debug)]
pub struct Contestant {
    pub part: Part,
    program: OsString,
    script: Option<PathBuf>,
}

/// All that the command line names, the floor first.
pub fn all(options: &Run) -> Vec<Contestant> {
    let binary = |part, path: &Path| Contestant { part, program: path.into(), script: None };
    let mut all = vec![binary(Part::Floor, &options.floor), binary(Part::Bridge, &options.bridge)];
    all.extend(options.mcp_remote.as_deref().map(|script| Contestant {
        part: Part::McpRemote,
        program: "node".into(),
        script: Some(script.into()),
    }));
    all
}

impl Contestant {
    /// The command for one server.
    ///
    /// The environment is what the official SDKs give to a server and no more; `home` is empty at
    /// first and kept for the whole run, so the server is a known one after the first start.
    pub fn command(&self, url: &str, home: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.script).arg(url).env_clear();
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env("PATH", path).env("HOME", home).env("TERM", "dumb");
        command.env("USER", "bench").env("LOGNAME", "bench").env("SHELL", "/bin/sh");
        command
    }

    /// Where its stderr goes.
    pub fn log(&self, home: &Path) -> PathBuf {
        home.join(format!("{}.log", self.part.name()))
    }

    /// The end of what it wrote there.
    pub fn last_words(&self, home: &Path) -> String {
        let log = std::fs::read_to_string(self.log(home)).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }

    /// The binary, if it is one that we built.
    pub fn binary(&self) -> Option<&Path> {
        self.script.is_none().then(|| Path::new(&self.program))
    }
}
