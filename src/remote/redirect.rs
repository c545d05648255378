//! Where a redirect may lead: nothing of the user's ever crosses an origin.

use hyper::StatusCode;
use url::Url;

use super::endpoint::Endpoint;

/// Hops that one request may take.
pub(super) const MAX_HOPS: usize = 3;

/// What a redirect comes to.
#[derive(Debug)]
pub(super) enum Redirect {
    /// The same request goes there.
    Follow(Box<Endpoint>),
    /// It stays unfollowed, for this reason; the URL is shown without its query.
    Refuse {
        /// Where it would have led.
        to: String,
        /// Why not.
        why: &'static str,
        /// What to do next.
        hint: &'static str,
    },
}

/// Decides on a redirect of a POST (RFC 9110 §15.4). 307 and 308 keep the method. 301 and 302 would make
/// it a GET, so that they are followed, as a POST, only where they do no more than raise the scheme or
/// mend a slash. 303 says that the POST was carried out, so that it must not be sent again.
pub(super) fn decide(from: &Endpoint, status: StatusCode, location: Option<&str>) -> Redirect {
    let target = location.and_then(|location| from.url().join(location).ok());
    let Some(to) = target.and_then(|url| Endpoint::try_from(url).ok()) else {
        return Redirect::Refuse {
            to: "an address that can't be used".into(),
            why: "it is not an http(s) URL",
            hint: "check the server's address, or tell whoever runs the server",
        };
    };
    let refuse = |why, hint| Redirect::Refuse { to: to.shown(), why, hint };
    let upgraded = raises_scheme(from.url(), to.url());
    if from.origin() != to.origin() && !upgraded {
        return refuse(
            "it leads to another origin, to which nothing of yours is sent",
            "if you trust that address, use it in the configuration",
        );
    }
    if status == StatusCode::SEE_OTHER {
        return refuse(
            "it says that the request was processed, and where to look",
            "check what it did before you try again",
        );
    }
    let keeps_method =
        matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let mends = from.url() != to.url() && same_but_for_slash(from.url(), to.url());
    if !keeps_method && !mends {
        return refuse(
            "it would turn the POST into a GET",
            "check the path of the server's address: it may be that of a web page",
        );
    }
    Redirect::Follow(Box::new(to))
}

/// Whether an endpoint is of the origin that the user named, or of the same with its scheme raised.
pub(super) fn is_of(home: &Endpoint, endpoint: &Endpoint) -> bool {
    home.origin() == endpoint.origin() || raises_scheme(home.url(), endpoint.url())
}

/// http to https on the same host, each on its own port.
fn raises_scheme(from: &Url, to: &Url) -> bool {
    from.scheme() == "http"
        && to.scheme() == "https"
        && from.host() == to.host()
        && from.port_or_known_default() == Some(80)
        && to.port_or_known_default() == Some(443)
}

fn same_but_for_slash(from: &Url, to: &Url) -> bool {
    from.path().trim_end_matches('/') == to.path().trim_end_matches('/')
        && from.query() == to.query()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(status: u16, from: &str, location: &str) -> Result<String, &'static str> {
        let from = Endpoint::parse(from).unwrap();
        match decide(&from, StatusCode::from_u16(status).unwrap(), Some(location)) {
            Redirect::Follow(to) => Ok(to.url().to_string()),
            Redirect::Refuse { why, .. } => Err(why),
        }
    }

    #[test]
    fn a_redirect_within_the_origin_keeps_the_request() {
        for status in [307, 308] {
            assert_eq!(
                decided(status, "https://h/mcp", "/doc/7/mcp").as_deref(),
                Ok("https://h/doc/7/mcp")
            );
        }
        for status in [301, 302] {
            assert_eq!(decided(status, "https://h/mcp", "/mcp/").as_deref(), Ok("https://h/mcp/"));
            assert!(decided(status, "https://h/mcp", "/login").is_err());
        }
    }

    #[test]
    fn the_scheme_may_be_raised_and_never_lowered() {
        for status in [301, 308] {
            assert!(decided(status, "http://h/mcp", "https://h/mcp").is_ok());
            assert!(decided(status, "https://h/mcp", "http://h/mcp").is_err());
            assert!(decided(status, "http://h:8080/mcp", "https://h/mcp").is_err());
        }
    }

    #[test]
    fn headers_of_the_user_go_to_the_origin_that_was_named() {
        let endpoint = |url| Endpoint::parse(url).unwrap();
        let of = |home, url| is_of(&endpoint(home), &endpoint(url));
        assert!(of("https://h/mcp", "https://h:443/other"));
        assert!(of("http://h/mcp", "https://h/mcp"));
        for other in ["http://h/mcp", "https://h:8443/mcp", "https://x.h/mcp", "https://h./mcp"] {
            assert!(!of("https://h/mcp", other), "{other}");
        }
    }

    #[test]
    fn another_origin_gets_nothing() {
        for to in
            ["https://evil.example/mcp", "https://h:444/mcp", "//evil.example/mcp", "ftp://h/"]
        {
            assert!(decided(307, "https://h/mcp", to).is_err(), "{to}");
        }
        assert!(decided(307, "https://h/mcp", "https://u:p@h/mcp").is_err());
    }
}
