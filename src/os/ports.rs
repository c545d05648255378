//! Who holds a port.

/// The program that listens on this port, as `firefox (process 4711)`, where the system tells.
#[cfg(target_os = "linux")]
pub fn holder_of_port(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = std::fs::read_to_string(table).ok()?;
        table.lines().find_map(|line| listening_inode(line, port).map(str::to_owned))
    })?;
    let socket = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let has = |process: &std::path::Path| {
        let open = std::fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        open.flat_map(|entry| std::fs::read_link(entry.path())).any(|target| target == *socket)
    };
    processes.map(|entry| entry.path()).find_map(|process| {
        let id: u32 = process.file_name()?.to_str()?.parse().ok()?;
        if !has(&process) {
            return None;
        }
        let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
        Some(format!("{} (process {id})", name.trim()))
    })
}

/// The program that listens on this port: other systems do not tell without a program of theirs.
#[cfg(not(target_os = "linux"))]
pub fn holder_of_port(_port: u16) -> Option<String> {
    None
}

/// The inode of the socket in a line of the kernel's table, if it listens on this port (proc(5)).
#[cfg(target_os = "linux")]
fn listening_inode(line: &str, port: u16) -> Option<&str> {
    const LISTEN: &str = "0A";
    let fields: Vec<&str> = line.split_whitespace().collect();
    let here = fields.get(1)?.rsplit_once(':')?.1;
    let same = u16::from_str_radix(here, 16) == Ok(port) && fields.get(3) == Some(&LISTEN);
    same.then(|| fields.get(9).copied()).flatten()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_port_is_named() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let holder = holder_of_port(port).unwrap();
        assert!(holder.ends_with(&format!("(process {})", std::process::id())), "{holder}");
        drop(socket);
        assert_eq!(holder_of_port(port), None);
    }
}
