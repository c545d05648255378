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
    let user = rustix::process::geteuid().as_raw();
    let bus = PathBuf::from(format!("/run/user/{user}/bus"));
    if is_own_socket(&bus, user) && is_the_only_thread() {
        // SAFETY: no other thread is there that could read the environment meanwhile.
        #[expect(unsafe_code, reason = "libdbus has no other way to be told")]
        unsafe {
            std::env::set_var(ADDRESS, format!("unix:path={}", bus.display()));
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

fn is_own_socket(path: &Path, user: u32) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket() && file.uid() == user)
}

fn is_the_only_thread() -> bool {
    fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}
