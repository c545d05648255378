//! Where the bus of the user's session is: the keychain is on it.
//!
//! MCP clients start a server with six variables (HOME, LOGNAME, PATH, SHELL, TERM, USER), which do not
//! say. Systems have it at one place.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use tokio::process::Command;

/// What names it, and the folder that it is in otherwise.
const ADDRESS: &str = "DBUS_SESSION_BUS_ADDRESS";
const RUNTIME_FOLDER: &str = "XDG_RUNTIME_DIR";

/// The address of the session's bus: what the environment names, else the socket at its usual place, if that
/// is the user's own.
pub fn session_bus() -> Option<String> {
    set(ADDRESS).map(|address| address.to_string_lossy().into_owned()).or_else(unnamed)
}

/// Tells a program where it is that may ask a keychain, and would not know.
pub(super) fn tell(command: &mut Command) {
    if set(ADDRESS).is_none()
        && let Some(address) = unnamed()
    {
        command.env(ADDRESS, address);
    }
}

fn unnamed() -> Option<String> {
    let user = user();
    let folder =
        set(RUNTIME_FOLDER).map_or_else(|| format!("/run/user/{user}").into(), PathBuf::from);
    bus_in(&folder)
}

fn set(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The address of the bus whose socket is in this folder, if there is one that is the user's own.
pub(super) fn bus_in(runtime: &Path) -> Option<String> {
    let socket = runtime.join("bus");
    is_own_socket(&socket).then(|| format!("unix:path={}", escaped(&socket)))
}

/// A path in an address, where `,` and `;` mean something.
fn escaped(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/.".contains(&byte);
    let bytes = path.as_os_str().as_bytes().iter();
    bytes
        .map(|&byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02x}"),
        })
        .collect()
}

pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

pub(super) fn is_own_socket(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.file_type().is_socket() && file.uid() == user())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_folder_is_its_socket_with_odd_bytes_escaped() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a;b,c%é");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(bus_in(&folder), None);
        let _listener = std::os::unix::net::UnixListener::bind(folder.join("bus")).unwrap();
        let address = bus_in(&folder).unwrap();
        assert!(address.ends_with("/a%3bb%2cc%25%c3%a9/bus"), "{address}");
    }
}
