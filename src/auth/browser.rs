//! Opening a page in the user's browser: only of the web, never through a shell, with nothing of our stdio
//! and none of our secrets.
//!
//! That a page can't be opened ends no sign-in: its address is told as well, by whoever calls.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use url::Url;

use crate::os::{self, Desktop, NoDesktop, Told};

/// How long an opener is watched. One that runs on is taken for the browser itself.
const WATCHED: Duration = Duration::from_secs(3);

/// What the user says about opening pages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Policy {
    /// Where a page can be opened.
    #[default]
    Auto,
    /// Not at all.
    Never,
    /// With these programs, the first that works: each is a program and its arguments, of which `%s` is
    /// replaced by the address; without one, the address comes last.
    Programs(Vec<Vec<String>>),
}

/// How pages are opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Browser {
    /// What the user says.
    pub policy: Policy,
    /// What the environment says.
    pub told: Told,
}

/// Why no page was opened.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// The user does not want it.
    #[error("opening a browser is turned off")]
    Never,
    /// It is no page of the web, or has a user's name in it.
    #[error("its address is not one of a web page")]
    NotWeb,
    /// There is no screen.
    #[error(transparent)]
    NoDesktop(#[from] NoDesktop),
    /// No program did it.
    #[error("{}", tried(.0))]
    Failed(Vec<(String, String)>),
}

fn tried(programs: &[(String, String)]) -> String {
    let tried: Vec<_> = programs.iter().map(|(name, why)| format!("`{name}` {why}")).collect();
    format!("no program opened it: {}", tried.join(", "))
}

impl Browser {
    /// Whether a page can be opened here, as far as can be told without opening one.
    ///
    /// # Errors
    /// It can't, and why.
    pub async fn can_open(&self) -> Result<(), NotOpened> {
        match self.policy {
            Policy::Never => Err(NotOpened::Never),
            Policy::Programs(_) => Ok(()),
            Policy::Auto => Ok(os::find_desktop(&self.told).await.map(drop)?),
        }
    }

    /// Whether a browser can be on this machine, whoever opens the page.
    pub async fn has_screen(&self) -> bool {
        os::find_desktop(&self.told).await.is_ok()
    }

    /// Opens a page; says with which program.
    ///
    /// # Errors
    /// None was opened, and why.
    pub async fn open(&self, page: &Url) -> Result<String, NotOpened> {
        if !is_web(page) {
            return Err(NotOpened::NotWeb);
        }
        let commands = match &self.policy {
            Policy::Never => return Err(NotOpened::Never),
            Policy::Programs(programs) => {
                programs.iter().filter_map(|program| filled(program, page)).collect()
            }
            Policy::Auto => openers(&os::find_desktop(&self.told).await?, page),
        };
        let mut failed = Vec::new();
        for command in commands {
            let name = command.get_program().to_string_lossy().into_owned();
            match run(command, &self.told.hidden).await {
                Ok(()) => return Ok(name),
                Err(why) => failed.push((name, why)),
            }
        }
        Err(NotOpened::Failed(failed))
    }
}

/// Whether an address may be handed to a browser. A [`Url`] has no control characters.
fn is_web(page: &Url) -> bool {
    matches!(page.scheme(), "http" | "https")
        && page.has_host()
        && page.username().is_empty()
        && page.password().is_none()
}

/// A command with the address in its place.
fn filled(program: &[String], page: &Url) -> Option<Command> {
    let (name, arguments) = program.split_first()?;
    let mut command = Command::new(name);
    if arguments.iter().any(|argument| argument.contains("%s")) {
        command.args(arguments.iter().map(|argument| argument.replace("%s", page.as_str())));
    } else {
        command.args(arguments).arg(page.as_str());
    }
    Some(command)
}

fn openers(desktop: &Desktop, page: &Url) -> Vec<Command> {
    let mut commands =
        if desktop.portal_only { vec![portal(page)] } else { open::commands(page.as_str()) };
    for command in &mut commands {
        command.envs(desktop.variables.iter().cloned());
    }
    commands
}

/// Asks the desktop portal, which needs no screen of its caller's.
fn portal(page: &Url) -> Command {
    let mut command = Command::new("gdbus");
    command.args(["call", "--session", "--timeout", "5"]);
    command.args(["--dest", "org.freedesktop.portal.Desktop"]);
    command.args(["--object-path", "/org/freedesktop/portal/desktop"]);
    command.args(["--method", "org.freedesktop.portal.OpenURI.OpenURI", "", page.as_str(), "{}"]);
    command
}

/// Runs an opener until it ends or proves to be the browser; it outlives us.
async fn run(mut command: Command, hidden: &[String]) -> Result<(), String> {
    for name in hidden {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut command = tokio::process::Command::from(command);
    os::run_hidden(&mut command);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "is not there".to_owned(),
        _ => format!("can't be started ({error})"),
    })?;
    match tokio::time::timeout(WATCHED, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("failed ({status})")),
        Ok(Err(error)) => Err(format!("can't be watched ({error})")),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_pages_of_the_web_are_opened() {
        for (address, expected) in [
            ("https://as.example/authorize?x=$(id)&y=`id`;|", true),
            ("http://127.0.0.1:1234/sign-in/x", true),
            ("https://me@as.example/", false),
            ("https://:secret@as.example/", false),
            ("file:///etc/passwd", false),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("ms-settings:x", false),
            ("vscode://x/y", false),
            ("ftp://as.example/", false),
        ] {
            assert_eq!(is_web(&url(address)), expected, "{address}");
        }
    }

    fn arguments(program: &[&str]) -> Vec<String> {
        let program: Vec<_> = program.iter().map(|&part| part.to_owned()).collect();
        let command = filled(&program, &url("https://h/?a=%s")).unwrap();
        command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn the_address_is_one_argument_in_its_place() {
        assert_eq!(arguments(&["x"]), ["https://h/?a=%s"]);
        assert_eq!(arguments(&["x", "-a", "b c"]), ["-a", "b c", "https://h/?a=%s"]);
        assert_eq!(arguments(&["x", "--url=%s", "-b"]), ["--url=https://h/?a=%s", "-b"]);
        assert!(filled(&[], &url("https://h/")).is_none());
    }

    #[tokio::test]
    async fn what_is_turned_off_is_not_opened() {
        let browser = Browser { policy: Policy::Never, ..Browser::default() };
        assert!(matches!(browser.can_open().await, Err(NotOpened::Never)));
        assert!(matches!(browser.open(&url("https://h/")).await, Err(NotOpened::Never)));
    }
}
