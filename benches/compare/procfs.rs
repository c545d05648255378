//! What Linux says about a process.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::Result;

/// Resident memory in bytes, exactly: `VmRSS` may be off by some dozen pages.
pub fn resident(pid: u32) -> Result<f64> {
    kilobytes(&format!("/proc/{pid}/smaps_rollup"), "Rss:")
}

/// The most that was ever resident, in bytes.
pub fn peak(pid: u32) -> Result<f64> {
    kilobytes(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// Time on a processor, user and system, of all threads that live.
pub fn processor_time(pid: u32) -> Result<Duration> {
    let mut total = 0;
    for thread in threads(pid)? {
        let schedule = fs::read_to_string(thread.join("schedstat"))?;
        let running = schedule.split_whitespace().next().ok_or("schedstat is empty")?;
        total += running.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}

/// How often all threads together have gone to sleep, and so were woken.
pub fn sleeps(pid: u32) -> Result<u64> {
    let mut total = 0;
    for thread in threads(pid)? {
        let status = fs::read_to_string(thread.join("status"))?;
        total += field(&status, "voluntary_ctxt_switches:").ok_or("no count of switches")?;
    }
    Ok(total)
}

fn threads(pid: u32) -> Result<Vec<std::path::PathBuf>> {
    let tasks = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task"))?;
    Ok(tasks.map(|task| task.map(|task| task.path())).collect::<std::io::Result<_>>()?)
}

fn kilobytes(file: &str, name: &str) -> Result<f64> {
    let text = fs::read_to_string(file)?;
    let value = field(&text, name).ok_or_else(|| format!("{file} has no {name}"))?;
    Ok(value as f64 * 1024.0)
}

fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}
