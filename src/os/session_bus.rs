//! Where the bus of the user's session is: the keychain is on it.
//!
//! MCP clients start a server with six variables (HOME, LOGNAME, PATH, SHELL, TERM, USER), which do not
//! say. libdbus takes it from the environment and nowhere else, so that it is put there.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What libdbus reads, in this order.
const ADDRESS: &str = "DBUS_SESSION_BUS_ADDRESS";
const RUNTIME_FOLDER: &str = "XDG_RUNTIME_DIR";

/// Names the session's bus in the process's environment, where that names none and there is one; programs
/// that are started later see it too. Does nothing once there is a second thread.
#[expect(clippy::disallowed_methods, reason = "for a C library that reads the environment")]
pub fn find_session_bus() {
    if has_session_bus() {
        return;
    }
    let user = user();
    let Some(bus) = bus_in(&PathBuf::from(format!("/run/user/{user}"))) else { return };
    if is_the_only_thread() {
        // SAFETY: no other thread is there that could read the environment meanwhile.
        #[expect(unsafe_code, reason = "libdbus has no other way to be told")]
        unsafe {
            std::env::set_var(ADDRESS, bus);
        }
    }
}

/// Whether the environment says where a bus is, or in which folder one would be.
pub fn has_session_bus() -> bool {
    is_set(ADDRESS) || is_set(RUNTIME_FOLDER)
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// The address of the bus whose socket is in this folder, if there is one that is the user's own.
pub(super) fn bus_in(runtime: &Path) -> Option<String> {
    let socket = runtime.join("bus");
    is_own_socket(&socket).then(|| format!("unix:path={}", socket.display()))
}

pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(super) fn is_own_socket(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.file_type().is_socket() && file.uid() == user())
}

fn is_the_only_thread() -> bool {
    fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
