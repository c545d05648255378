//! Who holds a port, and who is at the other end of a connection.

use std::net::SocketAddr;

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

/// Whether the other end of a connection on this machine belongs to another user, neither this one nor root.
/// Where that can't be told, as of a browser in another network namespace, it does not count as one.
#[cfg(target_os = "linux")]
pub fn is_of_another_user(peer: SocketAddr, here: SocketAddr) -> bool {
    // A table that others change while it is read may lack a line.
    const LOOKS: usize = 3;
    let looks = (0..LOOKS).find_map(|_| {
        ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
            let table = std::io::BufReader::new(std::fs::File::open(table).ok()?);
            let mut lines = std::io::BufRead::lines(table).map_while(Result::ok);
            lines.find_map(|line| user_of_connection(&line, peer, here))
        })
    });
    let own = rustix::process::geteuid().as_raw();
    looks.is_some_and(|user| user != 0 && user != own && !is_nobodys_number(user))
}

/// Other systems do not tell.
#[cfg(not(target_os = "linux"))]
pub fn is_of_another_user(_peer: SocketAddr, _here: SocketAddr) -> bool {
    false
}

/// The user in a line of the kernel's table, if it is of the socket of this connection's peer (proc(5)).
#[cfg(target_os = "linux")]
fn user_of_connection(line: &str, peer: SocketAddr, here: SocketAddr) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(1);
    let (local, remote) = (address(fields.next()?)?, address(fields.next()?)?);
    let plain = |address: SocketAddr| (address.ip().to_canonical(), address.port());
    let same = plain(local) == plain(peer) && plain(remote) == plain(here);
    same.then(|| fields.nth(4)?.parse().ok()).flatten()
}

/// An address as the kernel's table has it: words in the byte order of the machine.
#[cfg(target_os = "linux")]
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| {
        let digits = ip.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let ip: std::net::IpAddr = match ip.len() {
        8 => word(0)?.into(),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            <[u8; 16]>::try_from(words.as_flattened()).ok()?.into()
        }
        _ => return None,
    };
    Some((ip, u16::from_str_radix(port, 16).ok()?).into())
}

/// Whether a number stands for all users that this user namespace does not know (user_namespaces(7)).
#[cfg(target_os = "linux")]
fn is_nobodys_number(user: u32) -> bool {
    let said = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let overflow = said("/proc/sys/kernel/overflowuid").trim().parse() == Ok(user);
    overflow && !knows_all_users(&said("/proc/self/uid_map"))
}

#[cfg(target_os = "linux")]
fn knows_all_users(map: &str) -> bool {
    let counts = map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    counts.sum::<u64>() >= u64::from(u32::MAX)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_user_at_the_other_end_of_a_connection_is_read_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
             0: 0100007F:5033 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0\n   \
             1: 0100007F:5033 0100007F:A2B4 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 20 4 30 10 -1\n   \
             2: 0100007F:A2B4 0100007F:5033 01 00000000:00000000 00:00000000 00000000  1001        0 333 1 0 20 4 30 10 -1\n";
        let six = "   0: 0000000000000000FFFF00000100007F:A2B5 0000000000000000FFFF00000100007F:5033 01 00000000:00000000 \
             00:00000000 00000000  1002        0 444 1 0 20 4 30 10 -1\n   \
             1: 00000000000000000000000001000000:A2B6 00000000000000000000000001000000:5033 01 00000000:00000000 \
             00:00000000 00000000  1003        0 555 1 0 20 4 30 10 -1\n";
        let at = |text: &str| text.parse().unwrap();
        let user = |table: &str, peer, here| {
            table.lines().find_map(|line| user_of_connection(line, at(peer), at(here)))
        };
        if cfg!(target_endian = "big") {
            return;
        }
        assert_eq!(user(table, "127.0.0.1:41652", "127.0.0.1:20531"), Some(1001));
        assert_eq!(user(table, "127.0.0.1:41653", "127.0.0.1:20531"), None);
        assert_eq!(user(six, "127.0.0.1:41653", "127.0.0.1:20531"), Some(1002), "a mapped one");
        assert_eq!(user(six, "[::1]:41654", "[::1]:20531"), Some(1003));
        assert_eq!(user("2: junk 0100007F:5033 01", "127.0.0.1:1", "127.0.0.1:2"), None);
    }

    #[test]
    fn a_connection_of_our_own_is_nobody_elses() {
        for here in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(socket) = std::net::TcpListener::bind(here) else { continue };
            let here = socket.local_addr().unwrap();
            let stream = std::net::TcpStream::connect(here).unwrap();
            let peer = stream.local_addr().unwrap();
            assert!(!is_of_another_user(peer, here));
            let table = if here.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
            let table = std::fs::read_to_string(table).unwrap();
            let user = table.lines().find_map(|line| user_of_connection(line, peer, here));
            assert_eq!(user, Some(rustix::process::geteuid().as_raw()));
        }
    }

    #[test]
    fn a_number_that_stands_for_many_users_is_known_by_the_namespace() {
        assert!(knows_all_users("         0          0 4294967295\n"));
        assert!(!knows_all_users("0 1000 1\n1 100000 65536\n") && !knows_all_users(""));
    }

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
