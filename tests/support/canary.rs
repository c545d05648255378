//! Secrets that must not be written down: every black-box test looks for them when its process has ended.
//!
//! A canary is each word that begins with [`MARK`], wherever a test lets it loose (arguments, environment,
//! files, what a server repeats), and each value of a header that a test gives to the bridge. The
//! process writes its log at the most verbose level, and then none may stand in stderr, in that log, in any
//! file of the home, or in an error of the bridge's own.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How a canary begins.
pub const MARK: &str = "canary-";
/// Values of headers that are shorter are words that may stand anywhere.
const SHORTEST: usize = 8;

/// What is looked for, and the log that is looked through.
pub struct Watch {
    canaries: Vec<String>,
    folder: Option<TempDir>,
}

impl Watch {
    /// For a process with these arguments and variables. It gets a log unless the test has its own.
    pub fn over(args: &[String], env: &[(String, String)], logged: bool) -> Self {
        let own = args.iter().any(|arg| arg.starts_with("--log"))
            || env.iter().any(|(name, _)| name == "BRIDGE_LOG");
        let folder = (logged && !own).then(|| TempDir::new().expect("a folder for the log"));
        Self { canaries: canaries(args, env), folder }
    }

    /// Where the process is told to write its log.
    pub fn log(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.path().join("bridge.log"))
    }

    /// Where the process wrote down a canary; a record in the plain store holds one by the user's choice.
    pub fn written(&self, home: &Path, stderr: &[u8]) -> Vec<String> {
        let files = [Some(home), self.folder.as_ref().map(TempDir::path)];
        let is_plain = |path: &PathBuf| path.extension().is_some_and(|end| end == "plaintext");
        let files = files.into_iter().flatten().flat_map(files_below);
        let files = files.filter(|path| !is_plain(path)).map(|path| {
            let content = fs::read(&path).unwrap_or_default();
            (path.display().to_string(), content)
        });
        let all = files.chain([("stderr".to_owned(), stderr.to_owned())]);
        all.filter_map(|(place, text)| {
            let line = self.line_with_canary(&String::from_utf8_lossy(&text))?;
            Some(format!("in {place}: {line}"))
        })
        .collect()
    }

    fn line_with_canary(&self, text: &str) -> Option<String> {
        if !self.sings(text) {
            return None;
        }
        text.lines().find(|line| self.sings(line)).map(str::to_owned)
    }

    fn sings(&self, text: &str) -> bool {
        self.canaries.iter().any(|canary| text.contains(canary))
    }
}

/// Whether a line of stdout is an error of the bridge's own and holds a canary.
pub fn is_in_own_error(line: &str) -> bool {
    line.contains(MARK) && line.contains(r#""error""#) && line.contains("\"code\":-310")
}

/// All files below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path()).filter(|path| !path.is_symlink());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn canaries(args: &[String], env: &[(String, String)]) -> Vec<String> {
    let flags = args.iter().zip(args.iter().skip(1));
    let apart = flags.filter(|(flag, _)| *flag == "--header").map(|(_, value)| value.as_str());
    let joined = args.iter().filter_map(|arg| arg.strip_prefix("--header="));
    let headers: Vec<_> = apart.chain(joined).collect();
    let named = |name: &str| {
        let uses = [format!("${{{name}"), format!("${{env:{name}")];
        name.starts_with("BRIDGE_HEADER_")
            || headers.iter().any(|header| uses.iter().any(|used| header.contains(used)))
    };
    let given = headers.iter().filter_map(|header| Some(header.split_once([':', '='])?.1));
    let variables = env.iter().filter(|(name, _)| named(name)).map(|(_, value)| value.as_str());
    let values = given.chain(variables).filter(|value| !value.contains("${")).map(|value| {
        let value = value.trim();
        value.strip_prefix("Bearer ").unwrap_or(value).to_owned()
    });
    values.filter(|value| value.len() >= SHORTEST).chain([MARK.to_owned()]).collect()
}
