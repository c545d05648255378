//! Who uses a hosted product: a private home, a system that trusts the private authority, and commands as
//! they are typed.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use super::{Clients, Entry};
use crate::support::bridge_process::environment;
use crate::support::canary::{self, MARK};
use crate::support::certificates::PrivateAuthority;
use crate::support::tab::Browser;
use crate::support::terminal::Terminal;
use crate::support::{Timeline, program};

/// Where Claude Desktop's entries are.
const CLIENT_FILE: &str = ".config/Claude/claude_desktop_config.json";

/// A person with a home of their own. When they leave, no secret of a fixture stands in any of their files.
pub struct User {
    home: TempDir,
    logs: TempDir,
    processes: Arc<AtomicUsize>,
    variables: BTreeMap<String, String>,
    may_keep_secrets: bool,
}

/// What a command said, and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Said {
    /// The command succeeded.
    #[track_caller]
    pub fn ok(&self) -> &Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// It said this, on either output.
    #[track_caller]
    pub fn says(&self, texts: &[&str]) -> &Self {
        let all = format!("{}{}", self.stdout, self.stderr);
        for text in texts {
            assert!(all.contains(text), "no {text:?} in {all}");
        }
        self
    }

    /// It failed with this exit code.
    #[track_caller]
    pub fn fails(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

impl User {
    /// One whose system trusts this authority, as it trusts those of the products' own certificates.
    pub fn trusting(authority: &PrivateAuthority) -> Self {
        let home = TempDir::new().expect("a home");
        let ca = authority.pem_file().display().to_string();
        let variables = [("SSL_CERT_FILE".to_owned(), ca)].into();
        let logs = TempDir::new().expect("a folder for logs");
        let processes = Arc::default();
        Self { home, logs, processes, variables, may_keep_secrets: false }
    }

    /// Whose pages open in this browser.
    #[must_use]
    pub fn with_browser(self, browser: &Browser) -> Self {
        self.with("BRIDGE_BROWSER", &browser.command())
    }

    /// With a variable in every environment.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Writes a secret into a file of their own; that it stands there is what the story shows.
    pub fn writes_down_a_secret(&mut self) {
        self.may_keep_secrets = true;
    }

    // --- commands ---

    /// Types `bridge …` where nobody can be asked: stdin is empty.
    #[track_caller]
    pub fn types(&self, line: &str) -> Said {
        self.pipes("", line)
    }

    /// `printf %s INPUT | bridge …`
    #[track_caller]
    pub fn pipes(&self, input: &str, line: &str) -> Said {
        let mut running = self.begins(line);
        let mut stdin = running.child.stdin.take().expect("stdin is piped");
        stdin.write_all(input.as_bytes()).expect("it reads what it is given");
        drop(stdin);
        running.ends()
    }

    /// Types `bridge …` and does something else while it runs.
    #[track_caller]
    pub fn begins(&self, line: &str) -> Running {
        let mut command = self.command(&words(line));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Timeline::of_this_test().log("user", format!("types {line}"));
        Running { child: command.spawn().unwrap_or_else(|why| panic!("{line}: {why}")) }
    }

    /// Pastes lines into a shell that has `bridge`, and types this where they ask; the first that fails ends it.
    #[track_caller]
    pub fn runs(&self, lines: &str, typed: &str) -> Said {
        let folder = program();
        let folder = folder.parent().expect("a program lies in a folder").display();
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", lines]).env_clear().envs(self.environment());
        shell.env("PATH", format!("{folder}:/usr/bin:/bin")).current_dir(self.home.path());
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = Running { child: shell.spawn().expect("a shell") };
        let mut stdin = running.child.stdin.take().expect("stdin is piped");
        // Whoever asks nothing reads nothing.
        let _ = stdin.write_all(typed.as_bytes());
        drop(stdin);
        running.ends()
    }

    /// Types `bridge …` in a terminal.
    #[track_caller]
    pub fn in_terminal(&self, line: &str) -> Terminal {
        let words = words(line);
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        Terminal::at(self.home.path(), &words, self.environment())
    }

    fn command(&self, args: &[String]) -> Command {
        let mut command = Command::new(program());
        command.args(args).env_clear().envs(self.environment()).current_dir(self.home.path());
        command
    }

    /// What a process of theirs finds in its environment.
    fn environment(&self) -> Vec<(String, PathBuf)> {
        let mut all = environment(self.home.path());
        if let Some(bus) = keychain() {
            all.retain(|(name, _)| name != "BRIDGE_STORE_KEY");
            all.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus));
        }
        let own = self.variables.iter().map(|(name, value)| (name.clone(), PathBuf::from(value)));
        all.extend(own);
        // The program under test may lie in the system's folder for temporary files.
        all.push(("TMPDIR".to_owned(), self.logs.path().to_owned()));
        all
    }

    /// Types lines into a shell in a terminal, as somebody does whose own environment is full of settings; the
    /// first that fails ends it.
    #[cfg_attr(not(test), expect(dead_code, reason = "for tests"))]
    #[track_caller]
    pub fn in_a_shell(&self, bridge: &Path, lines: &str) -> Terminal {
        let settings = self.shell_settings(bridge).expect("a file for the shell");
        let lines = format!("set -euo pipefail\n. {}\ncd\n{lines}", settings.display());
        let elsewhere = ["CURL_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE", "XDG_CONFIG_HOME"];
        let elsewhere = elsewhere.map(|name| (name.to_owned(), PathBuf::from("/nowhere")));
        let proxy = ("https_proxy".to_owned(), PathBuf::from("http://127.0.0.1:9"));
        let own = [("TERM", "xterm"), ("PATH", "/usr/bin:/bin"), ("HOME", "/nowhere")];
        let own = own.map(|(name, value)| (name.to_owned(), PathBuf::from(value)));
        let temporary = ("TMPDIR".to_owned(), self.logs.path().to_owned());
        let all = elsewhere.into_iter().chain(own).chain([proxy, temporary]);
        Terminal::bash(self.home.path(), &lines, all)
    }

    /// A file for a shell to read: from then on it is this user's, and has `bridge`.
    pub fn shell_settings(&self, bridge: &Path) -> std::io::Result<PathBuf> {
        // A screen stays theirs, to show a browser on; what leads elsewhere is taken away.
        let mut text = "\
            export XAUTHORITY=\"${XAUTHORITY:-$HOME/.Xauthority}\"\n\
            unset SSL_CERT_DIR XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME\n\
            export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost\n"
            .to_owned();
        for (name, value) in environment(self.home.path()) {
            if name == "HOME" || name == "BRIDGE_STORE_KEY" {
                text.push_str(&format!("export {name}={}\n", quoted(&value)));
            }
        }
        for (name, value) in &self.variables {
            text.push_str(&format!("export {name}={}\n", quoted(Path::new(value))));
        }
        // It reads the other only if this is not set.
        text.push_str("export CURL_CA_BUNDLE=\"$SSL_CERT_FILE\"\n");
        let folder = bridge.parent().expect("a program lies in a folder");
        text.push_str(&format!("export PATH={}:\"$PATH\"\n", quoted(folder)));
        let path = self.home.path().join("settings.sh");
        std::fs::write(&path, text)?;
        Ok(path)
    }

    // --- the desktop client ---

    /// What `bridge install NAME --client claude-desktop` wrote under this name.
    #[track_caller]
    pub fn entry(&self, name: &str) -> Entry {
        let file: Value = serde_json::from_str(&self.client_file()).expect("JSON");
        Entry::read(&file["mcpServers"][name])
    }

    /// The whole file of the client.
    #[track_caller]
    pub fn client_file(&self) -> String {
        self.read(CLIENT_FILE)
    }

    /// Puts a pasted configuration there.
    pub fn pastes(&mut self, config: &Value) {
        self.writes_down_a_secret();
        let path = self.home.path().join(CLIENT_FILE);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the client's folder");
        std::fs::write(path, config.to_string()).expect("the client's file");
    }

    /// As many windows of the client as that, each with a bridge of its own, once the server has answered.
    #[track_caller]
    pub fn opens(&self, windows: usize, entry: &Entry) -> Clients {
        Clients::launch(windows, || {
            let mut command = Command::new(entry.program());
            command.args(&entry.args).env_clear().envs(self.environment());
            command.envs(&entry.env).current_dir(self.home.path());
            // Each at the most verbose level, to look for secrets in it.
            let number = self.processes.fetch_add(1, Ordering::Relaxed);
            command.env("BRIDGE_LOG", self.logs.path().join(format!("{number}.log")));
            command
        })
    }

    // --- what stands on disk ---

    /// A file of the home.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        let path = self.home.path().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
    }

    /// What is saved by names.
    #[track_caller]
    pub fn config(&self) -> String {
        self.read(".config/mcp-bridge/config.toml")
    }

    /// All files that bridge keeps: path from the home, with its mode; a digest in a name is `*`, and `sealed` is
    /// the ending of a record that is sealed with the key of the keychain or, without one, of the environment.
    pub fn files(&self) -> Vec<String> {
        let all = canary::files_below(self.home.path());
        let named = all.iter().map(|path| {
            let mode = std::fs::metadata(path).map_or(0, |data| data.permissions().mode() & 0o777);
            let path = path.strip_prefix(self.home.path()).expect("below it").display().to_string();
            let path = path.replace(kind(), ".sealed");
            format!("{mode:o} {}", without_digests(&path))
        });
        let is_kept = |path: &String| {
            // Two processes do not make the keychain's key at once.
            let of_keychain = keychain().is_some() && path.ends_with("/key.lock");
            path.contains("/mcp-bridge/") && !of_keychain
        };
        let mut named: Vec<_> = named.filter(is_kept).collect();
        named.sort();
        named
    }

    /// The sealed records of sign-ins and kept headers, by the names of their files.
    pub fn records(&self) -> Vec<String> {
        let folder = self.home.path().join(".local/share/mcp-bridge/credentials");
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names =
            names.map(|entry| entry.file_name().to_string_lossy().replace(kind(), ".sealed"));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Where a secret of a fixture stands in plain text.
    #[track_caller]
    pub fn has_no_secret_on_disk(&self) {
        for folder in [self.home.path(), self.logs.path()] {
            for path in canary::files_below(folder) {
                let text = std::fs::read(&path).unwrap_or_default();
                let text = String::from_utf8_lossy(&text);
                let line = text.lines().find(|line| line.contains(MARK));
                assert!(line.is_none(), "a secret in {}: {}", path.display(), line.unwrap_or(""));
            }
        }
    }
}

/// The bus of the keychain that holds the key, where there is one (`scripts/keychain`).
fn keychain() -> Option<PathBuf> {
    std::env::var_os("BRIDGE_TEST_BUS").map(PathBuf::from)
}

/// The ending of a sealed record.
fn kind() -> &'static str {
    if keychain().is_some() { ".keychain" } else { ".env" }
}

impl Drop for User {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.may_keep_secrets {
            self.has_no_secret_on_disk();
        }
    }
}

/// A command that runs.
pub struct Running {
    child: Child,
}

impl Running {
    #[track_caller]
    pub fn ends(mut self) -> Said {
        drop(self.child.stdin.take());
        let done = self.child.wait_with_output().expect("a child of ours");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let code = done.status.code().unwrap_or(-1);
        let said = Said { code, stdout: text(done.stdout), stderr: text(done.stderr) };
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(!all.contains(MARK), "a secret was shown: {all}");
        said
    }
}

/// The words of a command after `bridge`, as a shell reads them.
#[track_caller]
fn words(line: &str) -> Vec<String> {
    let rest = line.strip_prefix("bridge ").unwrap_or_else(|| panic!("not ours: {line}"));
    shlex::split(rest).unwrap_or_else(|| panic!("no command line: {line}"))
}

fn quoted(path: &Path) -> String {
    shlex::try_quote(&path.display().to_string()).expect("no NUL in it").into_owned()
}

/// What a server is called in the names of files has a digest of its address, and its port.
fn without_digests(path: &str) -> String {
    let differs = |word: &str| word.len() >= 5 && word.chars().all(|char| char.is_ascii_hexdigit());
    let parts = path.split_inclusive(|char: char| !char.is_ascii_alphanumeric());
    let plain = parts.map(|part| {
        let word = part.trim_end_matches(|char: char| !char.is_ascii_alphanumeric());
        if differs(word) { format!("*{}", &part[word.len()..]) } else { part.to_owned() }
    });
    plain.collect()
}
