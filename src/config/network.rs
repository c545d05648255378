//! What was typed and what the environment says about the network.

use std::sync::Arc;
use std::time::Duration;

use url::Host;

use super::expand::Environment;
use crate::cli::NetworkArgs;
use crate::error::Error;
use crate::http::{
    Addresses, CertificateError, Certificates, ClientFiles, PemFile, Proxies, Proxy, Settings,
    Variables,
};
use crate::remote::Endpoint;

/// As in mcp-remote.
const PING_INTERVAL: Duration = Duration::from_secs(30);
/// Where the platform's own trust store does not read `SSL_CERT_FILE`, it is added to it.
const IGNORES_SSL_CERT_FILE: bool = cfg!(any(windows, target_vendor = "apple"));

/// Resolves the arguments, for all servers that will be spoken to; `endpoint` is the first of them.
///
/// # Errors
/// A file, proxy or address that can't be used.
pub(super) fn network(
    args: &NetworkArgs,
    endpoint: &Endpoint,
    environment: &Environment,
) -> Result<Settings, Error> {
    Ok(Settings {
        connect_timeout: limit(Some(args.connect_timeout)),
        headers_timeout: limit(args.headers_timeout),
        body_timeout: limit(args.body_timeout),
        addresses: addresses(args, endpoint)?,
        proxies: proxies(args, environment)?,
        certificates: Arc::new(certificates(args, environment)?),
        trace: None,
    })
}

/// The time between two pings, if there are any.
pub(super) fn ping_interval(args: &NetworkArgs) -> Option<Duration> {
    args.ping_interval.or_else(|| args.keep_alive.then_some(PING_INTERVAL))
}

fn limit(time: Option<Duration>) -> Option<Duration> {
    time.filter(|time| !time.is_zero())
}

fn addresses(args: &NetworkArgs, endpoint: &Endpoint) -> Result<Addresses, Error> {
    let contradicts = |flag: &str, kind: &str| {
        Err(Error::usage(format!("{} can't be reached with `{flag}`", endpoint.shown()))
            .because(format!("its address is one of {kind}"))
            .hint(format!("take `{flag}` away, or write the server's name")))
    };
    match (args.ipv4, args.ipv6, endpoint.url().host()) {
        (true, true, _) => Err(Error::usage("`--ipv4` contradicts `--ipv6`")
            .hint("take one of them away, also of `BRIDGE_IPV4` and `BRIDGE_IPV6`")),
        (true, _, Some(Host::Ipv6(_))) => contradicts("--ipv4", "IPv6"),
        (_, true, Some(Host::Ipv4(_))) => contradicts("--ipv6", "IPv4"),
        (true, ..) => Ok(Addresses::V4Only),
        (_, true, _) => Ok(Addresses::V6Only),
        _ => Ok(Addresses::Any),
    }
}

fn proxies(args: &NetworkArgs, environment: &Environment) -> Result<Proxies, Error> {
    let unusable = |named_by: &str, error: &dyn std::fmt::Display| {
        Error::usage(format!("the proxy in `{named_by}` can't be used")).because(error).hint(
            "a proxy is written http://HOST:PORT, with USER:PASSWORD@ before HOST if it wants one",
        )
    };
    match args.proxy.as_ref().map(|proxy| proxy.expose().trim()) {
        Some("none") if args.enable_proxy => {
            Err(Error::usage("`--enable-proxy` contradicts `--proxy none`")
                .hint("take one of them away"))
        }
        Some("none") => Ok(Proxies::Never),
        Some(url) => {
            let of_variable = environment.get("BRIDGE_PROXY").map(str::trim) == Some(url);
            let named_by = if of_variable { "BRIDGE_PROXY" } else { "--proxy" };
            if is_bare_word(url) {
                let why = "it has no scheme, no port and no dot, as no proxy's address is";
                return Err(unusable(named_by, &why));
            }
            Proxy::parse(url)
                .map(|proxy| Proxies::Always(Box::new(proxy)))
                .map_err(|error| unusable(named_by, &error))
        }
        None => Variables::read(|name| environment.get(name).map(str::to_owned), args.enable_proxy)
            .map(|variables| Proxies::AsSet(Box::new(variables)))
            .map_err(|(name, error)| unusable(&name, &error)),
    }
}

/// `yes`, `auto`, a slip of `none`: it would be taken for a host, with port 80.
fn is_bare_word(url: &str) -> bool {
    !url.contains(['.', ':', '/', '@']) && !url.eq_ignore_ascii_case("localhost")
}

fn certificates(args: &NetworkArgs, environment: &Environment) -> Result<Certificates, Error> {
    let of_variable = |named_by: &'static str| {
        let path = environment.get(named_by)?;
        Some(PemFile { path: path.into(), named_by })
    };
    let file = |path: &std::path::PathBuf, named_by| PemFile { path: path.clone(), named_by };
    let ssl_cert_file = of_variable("SSL_CERT_FILE");
    let mut authorities: Vec<_> = args.ca_cert.iter().map(|path| file(path, "--ca-cert")).collect();
    authorities.extend(of_variable("NODE_EXTRA_CA_CERTS"));
    authorities.extend(ssl_cert_file.clone().filter(|_| IGNORES_SSL_CERT_FILE));
    let client = args.client_cert.as_ref().map(|path| ClientFiles {
        certificate: file(path, "--client-cert"),
        key: match &args.client_key {
            Some(key) => file(key, "--client-key"),
            None => file(path, "--client-cert"),
        },
    });
    let certificates = Certificates::new(authorities, client);
    // Also for a server without TLS: it may redirect to one with it.
    if let Some(file) = ssl_cert_file {
        file.check().map_err(|error| unusable(&error))?;
    }
    certificates.check().map_err(unusable)?;
    Ok(certificates)
}

fn unusable(error: &CertificateError) -> Error {
    Error::usage("a certificate can't be used").because(error).hint(error.hint())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn resolved(args: &[&str], variables: &[(&str, &str)]) -> Result<Settings, String> {
        let cli = Cli::try_parse_from([&["bridge"], args].concat()).map_err(|e| e.to_string())?;
        let endpoint = Endpoint::parse(cli.serve.server.as_deref().unwrap_or_default()).unwrap();
        let environment = Environment::of(variables);
        network(&cli.serve.network, &endpoint, &environment).map_err(|error| error.to_string())
    }

    fn pings(args: &[&str]) -> Option<Duration> {
        let cli = Cli::try_parse_from([&["bridge", "https://h.example"], args].concat()).unwrap();
        ping_interval(&cli.serve.network)
    }

    #[test]
    fn times_are_seconds_as_in_mcp_remote_and_nothing_is_no_limit() {
        let args = ["https://h.example", "--connect-timeout", "30", "--body-timeout", "0"];
        let settings = resolved(&args, &[]).unwrap();
        assert_eq!(settings.connect_timeout, Some(Duration::from_secs(30)));
        assert_eq!((settings.headers_timeout, settings.body_timeout), (None, None));
        let args = ["https://h.example", "--headers-timeout", "300", "--body-timeout", "5m"];
        let settings = resolved(&args, &[]).unwrap();
        assert_eq!(settings.connect_timeout, Some(Duration::from_secs(20)));
        assert_eq!(settings.headers_timeout, Some(Duration::from_secs(300)));
        assert_eq!(settings.body_timeout, Some(Duration::from_secs(300)));
    }

    #[test]
    fn pings_are_sent_when_they_are_asked_for() {
        assert_eq!(pings(&[]), None);
        assert_eq!(pings(&["--keep-alive"]), Some(Duration::from_secs(30)));
        assert_eq!(pings(&["--ping-interval", "60"]), Some(Duration::from_secs(60)));
    }

    #[test]
    fn what_contradicts_is_told() {
        assert!(resolved(&["https://h.example", "--ipv4", "--ipv6"], &[]).is_err());
        assert_eq!(
            resolved(&["https://[fd00::1]/mcp", "--ipv4"], &[]).unwrap_err(),
            "error: https://[fd00::1]/mcp can't be reached with `--ipv4`\n  \
             because: its address is one of IPv6\n\
             hint: take `--ipv4` away, or write the server's name"
        );
        assert_eq!(
            resolved(&["https://h.example", "--proxy", "none", "--enable-proxy"], &[]).unwrap_err(),
            "error: `--enable-proxy` contradicts `--proxy none`\nhint: take one of them away"
        );
    }

    #[test]
    fn a_proxy_that_is_none_is_told_without_its_password() {
        let expected = |named_by: &str| {
            format!(
                "error: the proxy in `{named_by}` can't be used\n  because: `ftp:` is not supported; \
                 it may begin with http://, https://, socks5:// or socks5h://\n\
                 hint: a proxy is written http://HOST:PORT, with USER:PASSWORD@ before HOST if it wants one"
            )
        };
        let bad = "ftp://me:canary@p";
        let args = ["https://h.example", "--proxy", bad];
        assert_eq!(resolved(&args, &[]).unwrap_err(), expected("--proxy"));
        let error = resolved(&["https://h.example"], &[("HTTPS_PROXY", bad)]).unwrap_err();
        assert_eq!(error, expected("HTTPS_PROXY"));
        assert!(
            resolved(&["https://h.example", "--proxy", "none"], &[("HTTPS_PROXY", bad)]).is_ok()
        );
    }

    #[test]
    fn a_word_is_no_proxy_and_the_variable_is_named_that_gave_it() {
        let args = ["https://h.example", "--proxy", "canary"];
        let error = resolved(&args, &[]).unwrap_err();
        assert!(error.contains("`--proxy`") && error.contains("no port"), "{error}");
        assert!(!error.contains("canary"), "{error}");
        let error = resolved(&args, &[("BRIDGE_PROXY", "canary")]).unwrap_err();
        assert!(error.contains("`BRIDGE_PROXY`"), "{error}");
        for proxy in ["localhost", "proxy:8080", "http://proxy", "proxy.example", "[::1]"] {
            assert!(resolved(&["https://h.example", "--proxy", proxy], &[]).is_ok(), "{proxy}");
        }
    }

    #[test]
    fn a_certificate_that_is_missing_is_told_before_anything_is_sent() {
        let args = ["https://h.example", "--ca-cert", "/nowhere/ca.pem"];
        assert_eq!(
            resolved(&args, &[]).unwrap_err(),
            "error: a certificate can't be used\n  because: /nowhere/ca.pem, named by `--ca-cert`, \
             can't be read: No such file or directory (os error 2)\n\
             hint: check the path that `--ca-cert` gives"
        );
        for variable in ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"] {
            let error = resolved(&["https://h.example"], &[(variable, "/nowhere")]).unwrap_err();
            assert!(error.contains(&format!("/nowhere, named by `{variable}`")), "{error}");
        }
        let plain = ["http://localhost/mcp", "--ca-cert", "/nowhere/ca.pem"];
        assert!(resolved(&plain, &[]).is_err(), "a wrong path is told wherever it is given");
    }
}
