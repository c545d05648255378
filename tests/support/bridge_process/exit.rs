//! The end of a process.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// How often is looked. The standard library has no wait with a deadline.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Waits for the end; `None` when the time is over.
pub fn wait(child: &mut Child, time: Duration) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        match child.try_wait().expect("a child of ours") {
            Some(status) => return Some(status),
            None if start.elapsed() >= time => return None,
            None => std::thread::sleep(LOOK_EVERY),
        }
    }
}

#[cfg(unix)]
#[track_caller]
pub fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a child's id"), signal).expect("a running child");
}

#[cfg(target_os = "linux")]
#[track_caller]
pub fn memory(child: &Child) -> (u64, u64) {
    let path = format!("/proc/{}/status", child.id());
    let status = std::fs::read_to_string(path).expect("a running child");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a known field");
        let number = line.trim().trim_end_matches(" kB").parse();
        number.expect("a number of KiB")
    };
    (field("VmRSS:"), field("VmHWM:"))
}

#[cfg(target_os = "linux")]
pub fn peak_memory(child: &Child) -> Option<u64> {
    let of = |name: &str| format!("/proc/{}/{name}", child.id());
    // For a moment after its start it is still this process by another number, with this one's memory.
    if std::fs::read_link(of("exe")).ok()? == std::env::current_exe().ok()? {
        return None;
    }
    let status = std::fs::read_to_string(of("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}
