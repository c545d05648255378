//! Whether two hosts are of one site, without a list of public suffixes.

use url::{Host, Url};

/// Whether both hosts belong to the same owner, as far as their names tell: the same host, or two names below one
/// domain that can be bought. Where several owners share such a domain, this says so of strangers too.
pub(super) fn is_same(a: &Url, b: &Url) -> bool {
    match (a.host(), b.host()) {
        (Some(Host::Domain(a)), Some(Host::Domain(b))) => a == b || owned(a) == owned(b),
        (a, b) => a == b,
    }
}

/// The domain that was bought: two labels, or three where the second is one of a country's (`co.uk`, `com.au`).
fn owned(host: &str) -> &str {
    let host = host.trim_end_matches('.');
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return host };
    let of_country = host.len() - last - 1 == 2 && last - second - 1 <= 3;
    match (of_country, dots.next()) {
        (false, _) => &host[second + 1..],
        (true, Some(third)) => &host[third + 1..],
        (true, None) => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_owner_are_told_from_those_of_two() {
        let same = |a: &str, b: &str| {
            let url = |host: &str| Url::parse(&format!("https://{host}/x")).unwrap();
            is_same(&url(a), &url(b))
        };
        for (a, b) in [
            ("as.example", "as.example"),
            ("as.example.com", "login.example.com"),
            ("example.com", "a.b.example.com:8443"),
            ("as.example.co.uk", "example.co.uk"),
            ("127.0.0.1:1", "127.0.0.1:2"),
            ("localhost:1", "localhost:2"),
        ] {
            assert!(same(a, b) && same(b, a), "{a} {b}");
        }
        for (a, b) in [
            ("as.example", "bs.example"),
            ("evil.com", "example.com"),
            ("evil.co.uk", "example.co.uk"),
            ("notexample.com", "example.com"),
            ("127.0.0.1", "localhost"),
            ("127.0.0.1", "128.0.0.1"),
            ("example.com.evil.net", "example.com"),
        ] {
            assert!(!same(a, b) && !same(b, a), "{a} {b}");
        }
    }
}
