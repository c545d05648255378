//! Where a bus is, as `DBUS_SESSION_BUS_ADDRESS` says it: `unix:path=/run/user/1000/bus;unix:abstract=…`
//! (D-Bus specification, "Server Addresses").

use rustix::net::SocketAddrUnix;

/// The places that an address names, in the order in which they are tried, each with how it is written; or
/// why bridge can't try one.
pub(super) fn places(
    address: &str,
) -> impl Iterator<Item = (&str, Result<SocketAddrUnix, &'static str>)> {
    address.split(';').filter(|one| !one.is_empty()).map(|one| (one, place(one)))
}

fn place(address: &str) -> Result<SocketAddrUnix, &'static str> {
    const NO_PLACE: &str = "it names no socket";
    let (transport, values) = address.split_once(':').ok_or(NO_PLACE)?;
    if transport != "unix" {
        return Err("only sockets of this machine (`unix:`) are used");
    }
    let mut values = values.split(',').filter_map(|pair| pair.split_once('='));
    // What else may stand there (`guid=`) is not about the place.
    let (kind, value) =
        values.find(|(key, _)| matches!(*key, "path" | "abstract")).ok_or(NO_PLACE)?;
    let name = unescaped(value).ok_or("its escapes (`%2f`) are not whole")?;
    let place = match kind {
        "path" => SocketAddrUnix::new(name),
        _ => SocketAddrUnix::new_abstract_name(&name),
    };
    place.map_err(|_| "it is too long, or has a byte that a path can't have")
}

/// The bytes of a value: `%` and two digits stand for one.
fn unescaped(value: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => u8::try_from(digit(rest.next()?)? * 16 + digit(rest.next()?)?).ok()?,
            byte => byte,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(address: &str) -> Vec<Result<SocketAddrUnix, &'static str>> {
        places(address).map(|(_, place)| place).collect()
    }

    #[test]
    fn paths_and_abstract_names_are_places_in_their_order() {
        let path = |path: &str| Ok(SocketAddrUnix::new(path).unwrap());
        let name = |name: &[u8]| Ok(SocketAddrUnix::new_abstract_name(name).unwrap());
        assert_eq!(named("unix:path=/run/user/1000/bus"), [path("/run/user/1000/bus")]);
        assert_eq!(
            named("unix:abstract=/tmp/dbus-x,guid=0123;;unix:guid=4,path=/b;"),
            [name(b"/tmp/dbus-x"), path("/b")]
        );
        assert_eq!(named("unix:path=/a%20b%2Cc%3bd%25"), [path("/a b,c;d%")]);
    }

    /// Why the first place can't be tried.
    fn refused(address: &str) -> &'static str {
        places(address).next().unwrap().1.unwrap_err()
    }

    #[test]
    fn what_is_no_socket_of_this_machine_is_refused_with_its_reason() {
        for other in ["tcp:host=localhost,port=1", "autolaunch:", "unixexec:path=/bin/sh"] {
            assert!(refused(other).contains("`unix:`"), "{other}");
        }
        for nowhere in ["unix:", "unix:dir=/tmp", "unix:runtime=yes", "nonsense", "unix:path"] {
            assert_eq!(refused(nowhere), "it names no socket", "{nowhere}");
        }
        for cut in ["unix:path=/a%2", "unix:path=/a%", "unix:path=/a%zz", "unix:path=/%+1"] {
            assert!(refused(cut).contains("escapes"), "{cut}");
        }
        let long = format!("unix:path=/{}", "a".repeat(200));
        assert!(refused(&long).contains("too long"));
        assert!(refused("unix:path=/a%00b").contains("a path can't have"));
        assert!(named("").is_empty());
    }
}
