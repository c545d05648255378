//! Which proxy stands between us and a server, if any.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hyper::header::HeaderValue;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use url::Url;

use super::Origin;

/// A proxy: where it is, what it speaks, and who we are to it.
#[derive(Clone)]
pub struct Proxy {
    protocol: Protocol,
    host: Box<str>,
    port: u16,
    login: Option<Login>,
}

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// HTTP, over TLS or not.
    Http { tls: bool },
    /// SOCKS 5; names are looked up here (`socks5:`) or there (`socks5h:`).
    Socks5 { remote_names: bool },
}

#[derive(Clone)]
enum Login {
    Basic(HeaderValue),
    Socks(String, String),
}

/// Why a text is no proxy. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Not a URL with a host.
    #[error("it is not a URL with a host")]
    NotAUrl,
    /// Another scheme.
    #[error(
        "`{0}:` is not supported; it may begin with http://, https://, socks5:// or socks5h://"
    )]
    Scheme(String),
}

impl Proxy {
    /// Reads a proxy's URL; without a scheme it is an http proxy.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).map_err(|_| ProxyError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
            return Err(ProxyError::Scheme(url.scheme().to_owned()));
        }
        let matcher = Matcher::builder().all(url.as_str()).build();
        let any = "http://any.invalid".parse().map_err(|_| ProxyError::NotAUrl)?;
        matcher.intercept(&any).and_then(|found| Self::of(&found)).ok_or(ProxyError::NotAUrl)
    }

    fn of(found: &Intercept) -> Option<Self> {
        let (protocol, usual) = match found.uri().scheme_str()? {
            "http" => (Protocol::Http { tls: false }, 80),
            "https" => (Protocol::Http { tls: true }, 443),
            "socks5" => (Protocol::Socks5 { remote_names: false }, 1080),
            "socks5h" => (Protocol::Socks5 { remote_names: true }, 1080),
            _ => return None,
        };
        let host = found.uri().host().filter(|host| !host.is_empty())?.into();
        let port = found.uri().port_u16().unwrap_or(usual);
        let socks = || {
            let (user, password) = found.raw_auth()?;
            Some(Login::Socks(user.to_owned(), password.to_owned()))
        };
        let login = found.basic_auth().cloned().map(Login::Basic).or_else(socks);
        Some(Self { protocol, host, port, login })
    }

    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The way to it.
    pub(super) fn origin(&self) -> Origin {
        let tls = self.protocol == Protocol::Http { tls: true };
        Origin { tls, host: self.host.clone(), port: self.port }
    }

    /// Host and port, for people.
    pub fn shown(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// `Proxy-Authorization`, where there is a login.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        match &self.login {
            Some(Login::Basic(value)) => Some(value),
            _ => None,
        }
    }

    /// User name and password of a SOCKS proxy.
    pub(super) fn user(&self) -> Option<(&str, &str)> {
        match &self.login {
            Some(Login::Socks(user, password)) => Some((user, password)),
            _ => None,
        }
    }

    pub(super) fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// Whether requests to this origin are handed to the proxy whole, in place of a tunnel.
    pub(super) fn forwards(&self, origin: &Origin) -> bool {
        matches!(self.protocol, Protocol::Http { .. }) && !origin.tls
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// How a proxy is chosen.
#[derive(Debug, Clone, Default)]
pub enum Proxies {
    /// There is none.
    #[default]
    Never,
    /// This one, but for servers on this machine.
    Always(Box<Proxy>),
    /// What the environment says, else the system's settings.
    AsSet(Box<Variables>),
}

/// What the environment says about proxies.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    http: Option<Named>,
    https: Option<Named>,
    no: String,
}

/// A proxy, and the variable that names it.
type Named = (String, Proxy);

/// Why a proxy is on the way to a server, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The server is on this machine.
    ThisMachine,
    /// The user wants none.
    Off,
    /// The user named it.
    Named,
    /// This variable names it.
    Variable(String),
    /// `NO_PROXY` names the server.
    Excepted,
    /// It stands in the system's settings.
    System,
    /// Nothing names one.
    Unset,
}

impl Variables {
    /// Reads the variables, in both cases; the lower one goes first, as in curl and Node.
    /// `http_for_all`: `HTTP_PROXY` is for https too where nothing else is set, as in mcp-remote.
    ///
    /// # Errors
    /// The name of a variable that holds no proxy, and why.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        http_for_all: bool,
    ) -> Result<Self, (String, ProxyError)> {
        let find = |name: &str| {
            [name.to_lowercase(), name.to_owned()].into_iter().find_map(|name| {
                let value = variable(&name)?;
                (!value.trim().is_empty()).then_some((name, value))
            })
        };
        let proxy = |name: &str| {
            find(name)
                .map(|(name, value)| match Proxy::parse(&value) {
                    Ok(proxy) => Ok((name, proxy)),
                    Err(error) => Err((name, error)),
                })
                .transpose()
        };
        let all = proxy("ALL_PROXY")?;
        let http = proxy("HTTP_PROXY")?.or_else(|| all.clone());
        let fallback = if http_for_all { http.clone() } else { None };
        let https = proxy("HTTPS_PROXY")?.or(all).or(fallback);
        let no = find("NO_PROXY").map(|(_, value)| value).unwrap_or_default();
        Ok(Self { http, https, no })
    }

    fn choose(&self, origin: &Origin) -> (Option<Proxy>, Why) {
        if self.excepts(origin) {
            return (None, Why::Excepted);
        }
        let set = if origin.tls { &self.https } else { &self.http };
        if let Some((name, proxy)) = set {
            return (Some(proxy.clone()), Why::Variable(name.clone()));
        }
        match of_system(origin) {
            Some(proxy) => (Some(proxy), Why::System),
            None => (None, Why::Unset),
        }
    }

    /// Whether `NO_PROXY` names the origin: `host`, `.domain`, `*.domain`, `10.0.0.0/8`, `*`, each also
    /// with a port.
    fn excepts(&self, origin: &Origin) -> bool {
        let entries = self.no.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty());
        let entries: Vec<_> =
            entries.filter_map(|entry| exception_at(entry, origin.port)).collect();
        if entries.is_empty() {
            return false;
        }
        // hyper-util knows the rules for names and networks, but neither ports nor `*.`.
        let matcher = Matcher::builder().all("http://proxy.invalid").no(entries.join(",")).build();
        url_of(origin).is_some_and(|url| matcher.intercept(&url).is_none())
    }
}

/// An entry of `NO_PROXY` in the form that hyper-util knows, if it holds for this port.
fn exception_at(entry: &str, port: u16) -> Option<&str> {
    let host = match entry.rsplit_once(':') {
        // An IPv6 address has more colons, unless it stands in brackets.
        Some((host, number)) if !host.contains(':') || host.ends_with(']') => {
            if number.parse() != Ok(port) {
                return None;
            }
            host
        }
        _ => entry,
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some(host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host))
}

fn url_of(origin: &Origin) -> Option<hyper::Uri> {
    let scheme = if origin.tls { "https" } else { "http" };
    format!("{scheme}://{}:{}/", origin.host, origin.port).parse().ok()
}

/// The system's settings. They are asked for each new server, since a laptop changes its network.
#[cfg(any(windows, target_os = "macos"))]
fn of_system(origin: &Origin) -> Option<Proxy> {
    Matcher::from_system().intercept(&url_of(origin)?).and_then(|found| Proxy::of(&found))
}

#[cfg(not(any(windows, target_os = "macos")))]
fn of_system(_: &Origin) -> Option<Proxy> {
    None
}

impl Proxies {
    /// The proxy on the way to this origin, and why it or none is.
    pub fn choose(&self, origin: &Origin) -> (Option<Proxy>, Why) {
        if is_this_machine(&origin.host) {
            return (None, Why::ThisMachine);
        }
        match self {
            Self::Never => (None, Why::Off),
            Self::Always(proxy) => (Some((**proxy).clone()), Why::Named),
            Self::AsSet(variables) => variables.choose(origin),
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => is_loopback(address),
        Err(_) => {
            let name = bare.trim_end_matches('.').to_ascii_lowercase();
            name == "localhost" || name.ends_with(".localhost")
        }
    }
}

fn is_loopback(address: IpAddr) -> bool {
    let v4 = |address: Ipv4Addr| address.is_loopback() || address.is_unspecified();
    let v6 = |address: Ipv6Addr| address.is_loopback() || address.is_unspecified();
    match address.to_canonical() {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::of(&Url::parse(url).unwrap()).unwrap()
    }

    fn chosen(variables: &[(&str, &str)], http_for_all: bool, url: &str) -> Option<String> {
        let find = |name: &str| {
            variables.iter().find(|(each, _)| *each == name).map(|(_, value)| (*value).to_owned())
        };
        let variables = Variables::read(find, http_for_all).unwrap();
        Proxies::AsSet(Box::new(variables)).choose(&origin(url)).0.map(|proxy| proxy.shown())
    }

    /// On macOS and Windows the settings of the machine that runs the tests would answer too.
    #[cfg(not(any(windows, target_os = "macos")))]
    #[test]
    fn the_environment_chooses_the_proxy() {
        const HTTP: &str = "http://api.example/mcp";
        const HTTPS: &str = "https://api.example/mcp";
        type Row<'a> = (&'a [(&'a str, &'a str)], &'a str, Option<&'a str>);
        let table: &[Row<'_>] = &[
            (&[], HTTP, None),
            (&[], HTTPS, None),
            (&[("HTTP_PROXY", "http://p:1")], HTTP, Some("p:1")),
            (&[("HTTP_PROXY", "http://p:1")], HTTPS, None),
            (&[("http_proxy", "p:1")], HTTP, Some("p:1")),
            (&[("HTTPS_PROXY", "http://p:1")], HTTPS, Some("p:1")),
            (&[("HTTPS_PROXY", "http://p:1")], HTTP, None),
            (
                &[("https_proxy", "http://low:1"), ("HTTPS_PROXY", "http://up:1")],
                HTTPS,
                Some("low:1"),
            ),
            (&[("https_proxy", " "), ("HTTPS_PROXY", "http://up:1")], HTTPS, Some("up:1")),
            (&[("ALL_PROXY", "socks5://s")], HTTP, Some("s:1080")),
            (&[("all_proxy", "socks5h://s:9")], HTTPS, Some("s:9")),
            (&[("ALL_PROXY", "http://all"), ("HTTPS_PROXY", "http://own")], HTTPS, Some("own:80")),
            (&[("HTTPS_PROXY", "https://p")], HTTPS, Some("p:443")),
            (&[("HTTPS_PROXY", "http://me:secret@p:1")], HTTPS, Some("p:1")),
            (&[("HTTPS_PROXY", "http://[fd00::7]:1")], HTTPS, Some("[fd00::7]:1")),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "api.example")], HTTPS, None),
            (&[("ALL_PROXY", "http://p:1"), ("no_proxy", ".example")], HTTPS, None),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "*.example")], HTTPS, None),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "example")], HTTPS, None),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "*")], HTTPS, None),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "ample")], HTTPS, Some("p:1")),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "a b,API.example c")], HTTPS, None),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "api.example:443")], HTTPS, None),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "api.example:443")], HTTP, Some("p:1")),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "10.0.0.0/8")], "http://10.1.2.3/", None),
            (&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "fd00::/8")], "http://[fd00::1]/", None),
            (
                &[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "[fd00::1]:80")],
                "http://[fd00::1]/",
                None,
            ),
            (
                &[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "fd00::1")],
                "http://[fd00::2]/",
                Some("p:1"),
            ),
            (&[("ALL_PROXY", "http://p:1")], "http://localhost:3000/", None),
            (&[("ALL_PROXY", "http://p:1")], "http://mcp.localhost/", None),
            (&[("ALL_PROXY", "http://p:1")], "https://127.8.9.1/", None),
            (&[("ALL_PROXY", "http://p:1")], "https://[::1]:3/", None),
            (&[("ALL_PROXY", "http://p:1")], "https://[::ffff:127.0.0.1]/", None),
            (&[("ALL_PROXY", "http://p:1")], "https://localhost.example/", Some("p:1")),
        ];
        for (variables, url, expected) in table {
            assert_eq!(chosen(variables, false, url).as_deref(), *expected, "{variables:?} {url}");
        }
    }

    #[test]
    fn with_enable_proxy_http_proxy_is_for_https_too() {
        let variables = [("HTTP_PROXY", "http://p:1")];
        assert_eq!(chosen(&variables, true, "https://h.example/").as_deref(), Some("p:1"));
    }

    #[test]
    fn a_proxy_that_was_named_is_for_all_but_this_machine() {
        let proxies = Proxies::Always(Box::new(Proxy::parse("p:1").unwrap()));
        assert!(proxies.choose(&origin("https://h.example/")).0.is_some());
        assert!(proxies.choose(&origin("http://localhost/")).0.is_none());
        assert!(Proxies::Never.choose(&origin("https://h.example/")).0.is_none());
    }

    #[test]
    fn a_login_is_decoded_and_never_shown() {
        let proxy = Proxy::parse("http://me:p%40ss@p.example:3128").unwrap();
        assert_eq!(proxy.authorization().unwrap(), "Basic bWU6cEBzcw==");
        assert_eq!(format!("{proxy:?}"), "p.example:3128");
        assert!(proxy.authorization().unwrap().is_sensitive());
        let proxy = Proxy::parse("socks5://me:p%40ss@p.example").unwrap();
        assert_eq!(proxy.user(), Some(("me", "p@ss")));
        assert_eq!(format!("{proxy:?}"), "p.example:1080");
        let odd = Proxy::parse("http://do\\main^me:p#w@p.example:3128");
        assert!(odd.is_err() || !format!("{odd:?}").contains("main"), "{odd:?}");
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_it() {
        let error = |text| Proxy::parse(text).unwrap_err().to_string();
        assert_eq!(error("http://"), "it is not a URL with a host");
        assert_eq!(error("http://me:canary@"), "it is not a URL with a host");
        assert_eq!(
            error("socks4://me:canary@p"),
            "`socks4:` is not supported; it may begin with http://, https://, socks5:// or socks5h://"
        );
        let broken = [("HTTPS_PROXY", "ftp://me:canary@p")];
        let find = |name: &str| {
            broken.iter().find(|(each, _)| *each == name).map(|(_, value)| (*value).to_owned())
        };
        let (name, error) = Variables::read(find, false).unwrap_err();
        assert_eq!((name.as_str(), error), ("HTTPS_PROXY", ProxyError::Scheme("ftp".into())));
    }
}
