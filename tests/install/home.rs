//! A private home with clients' files in it, and the program run there as a person runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub const URL: &str = "https://mcp.example.com/mcp";
/// What stands in a fixture for the path of the program.
const PROGRAM: &str = "@BRIDGE@";
/// A path that is as long on every machine: how a list is laid out depends on it.
pub const INSTALLED: &str = "/opt/bridge";

pub struct Home {
    folder: TempDir,
}

impl Home {
    pub fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        // The program under test may lie in the system's own folder for temporary files.
        home.make("tmp");
        home
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn make(&self, folder: &str) {
        std::fs::create_dir_all(self.path(folder)).unwrap();
    }

    pub fn write(&self, path: &str, content: &[u8]) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn read(&self, path: &str) -> Vec<u8> {
        let path = self.path(path);
        std::fs::read(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
    }

    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.read(path)).unwrap()
    }

    /// All files that are there, by their paths from here.
    pub fn files(&self) -> Vec<String> {
        let (mut files, mut folders) = (Vec::new(), vec![self.folder.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let path = path.strip_prefix(self.folder.path()).unwrap();
                    files.push(path.display().to_string());
                }
            }
        }
        files.sort();
        files
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        command.args(args).env_clear().current_dir(self.folder.path());
        command.env("HOME", self.folder.path()).env("TMPDIR", self.path("tmp"));
        command.stdin(std::process::Stdio::null());
        command
    }

    /// What it says on both outputs, and how it ends.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> (i32, String) {
        ended(&self.command(args).output().unwrap())
    }

    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        let (code, told) = self.run(args);
        assert_eq!(code, 0, "{args:?}: {told}");
        told
    }

    #[track_caller]
    pub fn fails(&self, code: i32, args: &[&str]) -> String {
        let (ended, told) = self.run(args);
        assert_eq!(ended, code, "{args:?}: {told}");
        told
    }

    /// Compares a file with a fixture. `UPDATE_FIXTURES=1` writes the fixture: look at what changed.
    #[track_caller]
    pub fn assert_is(&self, path: &str, expected: &[u8], fixture: &str) {
        let found = String::from_utf8(self.read(path)).unwrap();
        let found =
            found.replace(env!("CARGO_BIN_EXE_bridge"), PROGRAM).replace(INSTALLED, PROGRAM);
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(fixture_path(fixture, "after"), &found).unwrap();
            return;
        }
        assert_eq!(found, String::from_utf8_lossy(expected), "{fixture}: {path}");
    }
}

pub fn ended(output: &Output) -> (i32, String) {
    let told = [&output.stdout[..], &output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8(told).unwrap())
}

pub fn fixture_path(client: &str, name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/desktop").join(client);
    let ending = if client == "codex" { "toml" } else { "json" };
    folder.join(format!("{name}.{ending}"))
}

pub fn fixture(client: &str, name: &str) -> Vec<u8> {
    std::fs::read(fixture_path(client, name)).unwrap_or_default()
}
