//! What differs by system.

mod desktop;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod memory;
mod ports;
#[cfg(target_os = "linux")]
mod ready_stdin;
#[cfg(not(any(target_os = "macos", windows)))]
mod session_bus;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

pub use desktop::{Desktop, NoDesktop, Told, find_desktop, is_wsl};
pub use ports::{holder_of_port, is_of_another_user};
#[cfg(not(any(target_os = "macos", windows)))]
pub use session_bus::session_bus;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub use memory::give_memory_back;

/// Other systems count what a process uses in ways that this would not change.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub fn give_memory_back() {}

#[cfg(target_os = "linux")]
pub use ready_stdin::{Ready, ReadyStdin, ready_stdin};

/// Writes as much as an output takes without waiting, and says how much that was.
pub type WriteNow = Box<dyn Fn(&[u8]) -> std::io::Result<usize> + Send + Sync>;

pub use system::{
    Terminal, allow_many_files, file_number, is_program, kill_group, leave_session, leave_stdio,
    machine_name, open_lock_file, open_own_file, own_folder, parent_gone, run_detached, run_hidden,
    split_command, stdin, stdout, stdout_at_once, stdout_hung_up, told_to_end,
};
