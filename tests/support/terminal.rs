//! The binary in a real terminal, with its keyboard and screen in the test's hand.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, Winsize};

use super::watched::Watched;
use super::{BridgeProcess, DEADLINE, program};

/// The key of the stored sign-ins.
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// The keys that interrupt.
pub const CTRL_C: &str = "\u{3}";

/// A process in a terminal of its own.
pub struct Terminal {
    child: Child,
    keyboard: File,
    /// The end that the process has, to ask how it is set.
    line: File,
    pub screen: Arc<Watched<String>>,
}

impl Terminal {
    pub fn run(home: &BridgeProcess, args: &[&str]) -> Self {
        Self::with(home, args, [("BRIDGE_STORE_KEY", KEY)])
    }

    pub fn with(home: &BridgeProcess, args: &[&str], env: [(&str, &str); 1]) -> Self {
        let home = home.home();
        let own =
            [("HOME", home), ("TERM", Path::new("xterm")), ("PATH", Path::new("/usr/bin:/bin"))];
        let env = env.map(|(name, value)| (name, Path::new(value)));
        Self::at(home, args, own.into_iter().chain(env))
    }

    /// In this home, with all of this environment; so wide that no line has to be broken.
    pub fn at<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        home: &Path,
        args: &[&str],
        env: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self::of_width(home, args, env, 500)
    }

    /// A line that a shell runs, with the program as `$BRIDGE`.
    pub fn shell(home: &Path, line: &str) -> Self {
        let program = program();
        let env = [("HOME", home), ("BRIDGE", &*program), ("BRIDGE_STORE_KEY", Path::new(KEY))];
        let path = ("PATH", Path::new("/usr/bin:/bin"));
        Self::of("/bin/sh".as_ref(), home, &["-c", line], env.into_iter().chain([path]), 500)
    }

    /// Lines that `bash` runs, with all of this environment.
    pub fn bash<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        home: &Path,
        lines: &str,
        env: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        Self::of("bash".as_ref(), home, &["-c", lines], env, 500)
    }

    /// The same as [`Terminal::at`] in a terminal of so many columns.
    pub fn of_width<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        home: &Path,
        args: &[&str],
        env: impl IntoIterator<Item = (N, V)>,
        columns: u16,
    ) -> Self {
        Self::of(program().as_ref(), home, args, env, columns)
    }

    fn of<N: AsRef<OsStr>, V: AsRef<OsStr>>(
        program: &OsStr,
        home: &Path,
        args: &[&str],
        env: impl IntoIterator<Item = (N, V)>,
        columns: u16,
    ) -> Self {
        let keyboard = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&keyboard).unwrap();
        rustix::pty::unlockpt(&keyboard).unwrap();
        let name = rustix::pty::ptsname(&keyboard, Vec::new()).unwrap();
        let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let line = File::from(rustix::fs::open(path, flags, Mode::empty()).unwrap());
        let keyboard = File::from(keyboard);
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&keyboard, size).unwrap();
        // Ctrl-C reaches whoever has the terminal for its own.
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program).args(args);
        command.env_clear().envs(env).current_dir(home);
        let end = || line.try_clone().unwrap();
        command.stdin(end()).stdout(end()).stderr(end());
        let child = command.spawn().unwrap();
        let screen = Arc::<Watched<String>>::default();
        let (mut shown, into) = (keyboard.try_clone().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = shown.read(&mut buffer) {
                into.update(|screen| screen.push_str(&String::from_utf8_lossy(&buffer[..count])));
            }
        });
        Self { child, keyboard, line, screen }
    }

    /// All that was shown, once this is among it.
    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        let shown = |screen: &mut String| screen.contains(text).then(|| screen.clone());
        let shown = self.screen.wait(DEADLINE, shown);
        shown.unwrap_or_else(|| panic!("no {text:?} in {:?}", self.screen.read()))
    }

    /// All that was shown, once this is among it so many times.
    #[track_caller]
    pub fn shows_times(&self, text: &str, times: usize) -> String {
        let shown =
            |screen: &mut String| (screen.matches(text).count() >= times).then(|| screen.clone());
        let shown = self.screen.wait(DEADLINE, shown);
        shown.unwrap_or_else(|| panic!("no {times} {text:?} in {:?}", self.screen.read()))
    }

    pub fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    pub fn shows_what_is_typed(&self) -> bool {
        let set = rustix::termios::tcgetattr(&self.line).unwrap();
        set.local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the question, and for what comes right after it: nothing that is typed is shown.
    #[track_caller]
    pub fn asks_hidden(&self, question: &str) {
        self.shows(question);
        let until = Instant::now() + DEADLINE;
        while self.shows_what_is_typed() {
            assert!(Instant::now() < until, "what is typed is shown");
            std::thread::yield_now();
        }
    }

    /// The same for a question that was asked before.
    #[track_caller]
    pub fn asks_again(&self, question: &str, times: usize) {
        let asked = |screen: &mut String| (screen.matches(question).count() == times).then_some(());
        assert!(self.screen.wait(DEADLINE, asked).is_some(), "{:?}", self.screen.read());
        self.asks_hidden(question);
    }

    /// All that was shown by a process that has ended.
    #[track_caller]
    pub fn all(&mut self) -> String {
        const END: &str = "that was all";
        self.ends();
        self.line.write_all(END.as_bytes()).unwrap();
        let all = self.shows(END);
        all.trim_end_matches(END).to_owned()
    }

    #[track_caller]
    pub fn ends(&mut self) -> ExitStatus {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it still runs: {:?}", self.screen.read());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address that a person is told to open.
pub fn page(screen: &str) -> String {
    let (_, rest) = screen.split_once("Open this page to sign in:").expect("a page");
    rest.split_whitespace().next().expect("an address").to_owned()
}
