//! A user's session: a home, a bus where systems put it, a keychain. All of it ends with its value.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::home::{Home, Said};

/// What our entry is found by.
const NAMES: [&str; 4] = ["service", "mcp-bridge", "username", "store-key"];

/// A session.
pub struct Session {
    /// The home of the bridge's processes.
    pub user: Home,
    home: TempDir,
    bus: Option<Child>,
}

impl Session {
    /// One without a bus.
    pub fn new() -> Self {
        let session = Self { user: Home::new(), home: tempfile::tempdir().unwrap(), bus: None };
        fs::create_dir(session.home.path().join("services")).unwrap();
        let _ = fs::remove_file(Self::bus_path());
        session
    }

    /// One with a bus and an unlocked keychain.
    pub fn with_keychain() -> Self {
        let mut session = Self::new();
        session.start_bus();
        session.unlock();
        session
    }

    /// `/run/user/UID/bus`, as systemd has it.
    pub fn bus_path() -> PathBuf {
        let user = fs::metadata("/proc/self").unwrap().uid();
        PathBuf::from(format!("/run/user/{user}/bus"))
    }

    pub fn start_bus(&mut self) {
        let config = self.home.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen>\
             <servicedir>{}</servicedir><policy context=\"default\"><allow send_destination=\"*\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            Self::bus_path().display(),
            self.home.path().join("services").display()
        );
        fs::write(&config, text).unwrap();
        let mut bus = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address=1", "--config-file"])
            .arg(&config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // It is written once somebody can connect.
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:"), "{address}");
        self.bus = Some(bus);
    }

    pub fn stop_bus(&mut self) {
        if let Some(mut bus) = self.bus.take() {
            let _ = bus.kill();
            let _ = bus.wait();
        }
        let _ = fs::remove_file(Self::bus_path());
    }

    /// The user leaves the desktop and comes back.
    pub fn log_in_again(&mut self) {
        self.stop_bus();
        self.start_bus();
        self.unlock();
    }

    /// The keychain of a user who never logged in with a password.
    pub fn forget_keychain(&self) {
        fs::remove_dir_all(self.home.path().join("keyring")).unwrap();
    }

    /// A service that the bus starts on demand and that never comes up.
    pub fn add_hanging_service(&self, name: &str) {
        let file = self.home.path().join(format!("services/{name}.service"));
        let text = format!("[D-BUS Service]\nName={name}\nExec=/bin/sleep 1000\n");
        fs::write(file, text).unwrap();
    }

    /// Starts the keychain as a login to the desktop does.
    pub fn unlock(&self) {
        let mut daemon = self.program("gnome-keyring-daemon");
        daemon.args(["--unlock", "--components=secrets"]).stdin(Stdio::piped());
        let mut daemon = daemon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        daemon.stdin.take().unwrap().write_all(b"password").unwrap();
        assert!(daemon.wait().unwrap().success());
        self.wait_for_the_keychain();
    }

    /// Starts the keychain as it is where nobody has logged in with a password.
    pub fn start_locked(&self) {
        let mut daemon = self.program("gnome-keyring-daemon");
        daemon.args(["--daemonize", "--components=secrets"]).stdin(Stdio::null());
        let started = daemon.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(started.success());
        self.wait_for_the_keychain();
    }

    pub fn lock(&self) {
        self.dbus("Lock", "array:objpath:/org/freedesktop/secrets/collection/login");
    }

    /// How many entries of ours there are.
    pub fn entries(&self) -> usize {
        let found = self.output("secret-tool", &["search", "--all", "service", "mcp-bridge"]);
        String::from_utf8_lossy(&found.stdout).matches("secret = ").count()
    }

    /// What is in our entry, as libsecret reads it.
    pub fn kept(&self) -> String {
        let found = self.output("secret-tool", &[&["lookup"], &NAMES[..]].concat());
        String::from_utf8(found.stdout).unwrap()
    }

    /// Makes our entry as libsecret does.
    pub fn keep(&self, text: &str) {
        let mut tool = self.program("secret-tool");
        tool.args(["store", "--label=another program's"]).args(NAMES);
        let mut tool = tool.stdin(Stdio::piped()).spawn().unwrap();
        tool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(tool.wait().unwrap().success());
    }

    pub fn empty(&self) {
        assert!(self.output("secret-tool", &["clear", "service", "mcp-bridge"]).status.success());
        assert_eq!(self.entries(), 0);
    }

    /// How often secrets are read from the keychain until this is done.
    pub fn reads_during(&self, act: impl FnOnce()) -> usize {
        let calls = "type=method_call,path_namespace=/org/freedesktop/secrets";
        let mut monitor = self.program("dbus-monitor");
        monitor.args(["--session", calls]).stdout(Stdio::piped());
        let mut monitor = monitor.stderr(Stdio::null()).spawn().unwrap();
        let mut seen = BufReader::new(monitor.stdout.take().unwrap()).lines().map(Result::unwrap);
        // What it is told first: it sees all from now on.
        seen.find(|line| line.contains("NameLost")).unwrap();
        act();
        self.dbus("ReadAlias", "string:the-end-of-it");
        let until = |line: &String| !line.contains("the-end-of-it");
        let reads = seen.take_while(until).filter(|line| line.contains("member=GetSecret")).count();
        let _ = monitor.kill();
        let _ = monitor.wait();
        reads
    }

    /// What a process of the user's says.
    pub fn run(&self, args: &[&str]) -> Said {
        self.user.run(args)
    }

    fn program(&self, name: &str) -> Command {
        let runtime = self.home.path().join("runtime");
        fs::create_dir_all(&runtime).unwrap();
        let mut command = Command::new(name);
        command.env("HOME", self.home.path().join("keyring")).env_remove("DISPLAY");
        command.env("XDG_RUNTIME_DIR", runtime).env_remove("XDG_DATA_HOME");
        let address = format!("unix:path={}", Self::bus_path().display());
        command.env("DBUS_SESSION_BUS_ADDRESS", address);
        command
    }

    fn output(&self, name: &str, args: &[&str]) -> Output {
        self.program(name).args(args).output().unwrap()
    }

    fn dbus(&self, method: &str, argument: &str) {
        let method = format!("org.freedesktop.Secret.Service.{method}");
        let to = ["--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"];
        let output = self.output("dbus-send", &[&to[..], &[&method, argument]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn wait_for_the_keychain(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        let owner = "org.freedesktop.DBus.GetNameOwner";
        let asked = [
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            owner,
            "string:org.freedesktop.secrets",
        ];
        while !self.output("dbus-send", &asked).status.success() {
            assert!(Instant::now() < until, "no keychain came up");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop_bus();
    }
}
