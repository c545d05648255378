//! The graphical session of the user, found also by a process that was told nothing of it: the official SDKs
//! hand a server HOME, LOGNAME, PATH, SHELL, TERM and USER only.

use std::path::Path;

/// What the environment says of the session, as far as it says anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// `DISPLAY`, the X server.
    pub display: Option<String>,
    /// `WAYLAND_DISPLAY`.
    pub wayland: Option<String>,
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub bus: Option<String>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime: Option<String>,
    /// Whether somebody came in by SSH (`SSH_CONNECTION`, `SSH_TTY`).
    pub ssh: bool,
    /// Names of the variables that no program is given which is started for it: secrets of ours are in them.
    pub hidden: Vec<String>,
}

/// Where a page can be opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desktop {
    /// Variables that a program needs to reach it, besides those of this process.
    pub variables: Vec<(String, String)>,
    /// Whether only the desktop portal leads there.
    pub portal_only: bool,
}

/// Why no page can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDesktop {
    /// Whoever sits before the screen of this machine, if anybody, is not who came in.
    #[error("this is an SSH session")]
    Ssh,
    /// A container has no screen.
    #[error("this is a container without a screen")]
    Container,
    /// No graphical session was found.
    #[error("no graphical session was found")]
    NoSession,
}

#[cfg(not(any(target_os = "macos", windows)))]
pub use freedesktop::find_desktop;

/// The systems with one desktop for everybody who did not come in by SSH.
#[cfg(any(target_os = "macos", windows))]
pub async fn find_desktop(told: &Told) -> Result<Desktop, NoDesktop> {
    if told.ssh { Err(NoDesktop::Ssh) } else { Ok(Desktop::default()) }
}

/// Whether Windows is around this Linux, so that its browser can be used.
pub fn is_wsl() -> bool {
    cfg!(target_os = "linux")
        && ["WSLInterop", "WSLInterop-late"]
            .iter()
            .any(|name| Path::new("/proc/sys/fs/binfmt_misc").join(name).exists())
}

#[cfg(not(any(target_os = "macos", windows)))]
mod freedesktop {
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};
    use std::process::Stdio;
    use std::time::Duration;

    use tokio::process::Command;

    use super::super::session_bus::{bus_in, is_own_socket, user};
    use super::{Desktop, NoDesktop, Told, is_wsl};

    /// How long a program that is asked about the session may take.
    const PATIENCE: Duration = Duration::from_secs(2);
    /// What is taken from the user manager's environment.
    const NAMES: [&str; 6] = [
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XAUTHORITY",
        "XDG_CURRENT_DESKTOP",
        "XDG_SESSION_TYPE",
        "DESKTOP_SESSION",
    ];

    /// Looks for the session: the environment, then the user manager's, then sockets of the user's own, then
    /// the desktop portal.
    ///
    /// # Errors
    /// There is none that is this user's.
    pub async fn find_desktop(told: &Told) -> Result<Desktop, NoDesktop> {
        let runtime = runtime(told);
        let mut variables = Vec::new();
        let mut add = |name: &str, value: &str| variables.push((name.to_owned(), value.to_owned()));
        if let (None, Some(folder)) = (&told.runtime, &runtime) {
            add("XDG_RUNTIME_DIR", folder.to_str().unwrap_or_default());
        }
        let bus = told.bus.clone().or_else(|| bus_in(runtime.as_deref()?));
        if let (None, Some(bus)) = (&told.bus, &bus) {
            add("DBUS_SESSION_BUS_ADDRESS", bus);
        }
        // A forwarded display leads to the screen of whoever came in.
        if told.display.is_some() || told.wayland.is_some() || is_wsl() {
            return Ok(Desktop { variables, portal_only: false });
        }
        if told.ssh {
            return Err(NoDesktop::Ssh);
        }
        let known = from_user_manager(&variables, &told.hidden).await;
        if !known.is_empty() {
            variables.extend(known);
            return Ok(Desktop { variables, portal_only: false });
        }
        if let Some(socket) = own_display(runtime.as_deref()) {
            variables.push(socket);
            return Ok(Desktop { variables, portal_only: false });
        }
        if bus.is_some() && has_portal(&variables, &told.hidden).await {
            return Ok(Desktop { variables, portal_only: true });
        }
        Err(if is_container() { NoDesktop::Container } else { NoDesktop::NoSession })
    }

    /// The user's runtime folder, if it is the user's own.
    fn runtime(told: &Told) -> Option<PathBuf> {
        let folder = told
            .runtime
            .as_ref()
            .map_or_else(|| Path::new("/run/user").join(user().to_string()), PathBuf::from);
        folder
            .metadata()
            .is_ok_and(|found| found.is_dir() && found.uid() == user())
            .then_some(folder)
    }

    fn is_container() -> bool {
        ["/.dockerenv", "/run/.containerenv"].iter().any(|marker| Path::new(marker).exists())
    }

    /// Sessions tell the user manager where their screen is.
    async fn from_user_manager(
        variables: &[(String, String)],
        hidden: &[String],
    ) -> Vec<(String, String)> {
        let said = said("systemctl", &["--user", "show-environment"], variables, hidden).await;
        let found = displays(&said.unwrap_or_default());
        let screen = |(name, _): &(String, String)| name.ends_with("DISPLAY");
        if found.iter().any(screen) { found } else { Vec::new() }
    }

    pub(super) fn displays(environment: &str) -> Vec<(String, String)> {
        let pairs = environment.lines().filter_map(|line| line.split_once('='));
        // A value with odd characters is quoted as `$'…'`; a display has none.
        let plain = |value: &str| !value.is_empty() && !value.contains(['\'', '"', '$', '\\']);
        let wanted = pairs.filter(|(name, value)| NAMES.contains(name) && plain(value));
        wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// A compositor's or X server's socket that is the user's own.
    fn own_display(runtime: Option<&Path>) -> Option<(String, String)> {
        let wayland = runtime.and_then(|folder| own_socket(folder, "wayland-"));
        let x = || own_socket(Path::new("/tmp/.X11-unix"), "X");
        wayland
            .map(|name| ("WAYLAND_DISPLAY".to_owned(), name))
            .or_else(|| x().map(|name| ("DISPLAY".to_owned(), format!(":{}", &name[1..]))))
    }

    /// The name of the user's first socket whose name is this and a number.
    pub(super) fn own_socket(folder: &Path, prefix: &str) -> Option<String> {
        let entries = std::fs::read_dir(folder).ok()?.flatten().take(1000);
        let numbered = |name: &str| {
            let number = name.strip_prefix(prefix).unwrap_or_default();
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        };
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| numbered(name) && is_own_socket(&folder.join(name))).min()
    }

    /// Whether the portal runs, as it does with a graphical session.
    async fn has_portal(variables: &[(String, String)], hidden: &[String]) -> bool {
        const ASK: [&str; 11] = [
            "call",
            "--session",
            "--timeout",
            "2",
            "--dest",
            "org.freedesktop.DBus",
            "--object-path",
            "/org/freedesktop/DBus",
            "--method",
            "org.freedesktop.DBus.NameHasOwner",
            "org.freedesktop.portal.Desktop",
        ];
        said("gdbus", &ASK, variables, hidden).await.is_some_and(|said| said.contains("true"))
    }

    /// What a program says, if it ends well and in time.
    async fn said(
        program: &str,
        arguments: &[&str],
        variables: &[(String, String)],
        hidden: &[String],
    ) -> Option<String> {
        let mut command = Command::new(program);
        command.args(arguments).envs(variables.iter().cloned());
        for name in hidden {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_user_managers_environment_is_read_for_its_displays_alone() {
        let text = "HOME=/home/a\nDISPLAY=:0\nXAUTHORITY=/run/user/1/x\nWAYLAND_DISPLAY=$'a\\'b'\n\
                    LD_PRELOAD=/tmp/evil.so\nnonsense\nXDG_SESSION_TYPE=\n";
        let expected = [("DISPLAY", ":0"), ("XAUTHORITY", "/run/user/1/x")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(freedesktop::displays(text), expected);
    }

    #[test]
    fn a_socket_of_the_users_own_is_found_and_a_file_is_not_one() {
        let folder = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("wayland-1"));
        std::fs::write(folder.path().join("wayland-0"), "").unwrap();
        std::fs::write(folder.path().join("wayland-1.lock"), "").unwrap();
        let found = freedesktop::own_socket(folder.path(), "wayland-");
        assert_eq!(found.as_deref(), Some("wayland-1"));
        assert_eq!(freedesktop::own_socket(&folder.path().join("none"), "X"), None);
    }

    #[tokio::test]
    async fn a_session_that_the_environment_names_is_taken() {
        let told = Told { display: Some(":7".into()), ssh: true, ..Told::default() };
        assert_eq!(find_desktop(&told).await.map(|desktop| desktop.portal_only), Ok(false));
        let told = Told { ssh: true, ..Told::default() };
        assert_eq!(find_desktop(&told).await, Err(NoDesktop::Ssh));
    }
}
