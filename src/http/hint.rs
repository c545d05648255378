//! What to do about a connection that can't be made, in the words of every error that tells of one.

use super::fault::{FaultKind, ProxyReason, TlsReason};

/// What to do next, in one clause, where more is known than that there is no connection. `host` and `url` are the
/// server's, without secrets.
pub fn hint(kind: FaultKind, host: &str, url: &str) -> Option<String> {
    match kind {
        FaultKind::Dns => Some(format!("check the spelling of {host} and the network")),
        FaultKind::Tls(reason) => Some(tls(reason, host, url)),
        FaultKind::Proxy(reason) => Some(proxy(reason, host)),
        _ => None,
    }
}

fn tls(reason: TlsReason, host: &str, url: &str) -> String {
    match reason {
        TlsReason::UnknownIssuer => "add its issuer's certificate to the system's trust store, \
             or name the file with `--ca-cert FILE`"
            .into(),
        TlsReason::Expired => {
            format!("tell whoever runs {host}, and check the clock of this machine")
        }
        TlsReason::NotYetValid => {
            format!("check the clock of this machine; if it is right, tell whoever runs {host}")
        }
        TlsReason::WrongName => {
            format!("check the spelling of {url}; if it is right, tell whoever runs {host}")
        }
        TlsReason::Authority => format!(
            "renew the certificate of {host} with `basicConstraints=CA:FALSE`, and name its issuer \
             with `--ca-cert FILE`"
        ),
        TlsReason::Revoked | TlsReason::Certificate | TlsReason::Other => {
            format!("tell whoever runs {host}, and whoever looks after this network")
        }
        TlsReason::ClientCertificateWanted | TlsReason::ClientCertificateMissed => {
            "name it with `--client-cert FILE`, and its key \
             with `--client-key FILE`"
                .into()
        }
        TlsReason::ClientCertificateRefused => format!(
            "check that the file of `--client-cert` holds the certificate that {host} knows, \
             those that lead to its issuer, and that it has not expired"
        ),
        TlsReason::NotTls => {
            format!("check the port of {url}; a server without TLS has an http:// address")
        }
        TlsReason::Setup => "install the system's certificates (on Debian the package \
             `ca-certificates`), or name a file with `--ca-cert FILE`"
            .into(),
    }
}

fn proxy(reason: ProxyReason, host: &str) -> String {
    match reason {
        ProxyReason::Unreachable => "check the proxy's address in `--proxy`, `HTTPS_PROXY`, \
             `HTTP_PROXY`, `ALL_PROXY` or the system's settings; `--proxy none` does without"
            .into(),
        ProxyReason::LoginWanted => "put them into the proxy's address, as in \
             `HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT`"
            .into(),
        ProxyReason::LoginRefused => "check them in the proxy's address; there @ is written %40, \
             : is %3A, / is %2F and % is %25"
            .into(),
        ProxyReason::LoginUnknown => "let a proxy on this machine that knows it stand in between, \
             such as cntlm or px, and name that with `--proxy`"
            .into(),
        ProxyReason::Denied => format!(
            "ask whoever runs the proxy to allow {host}; if it can be reached without, add it to \
             `NO_PROXY`"
        ),
        ProxyReason::TargetUnreachable => format!(
            "check that {host} is running; if it is inside your own network, add it to `NO_PROXY`"
        ),
        ProxyReason::NotAProxy => "check the proxy's address: its port, and whether it begins \
             with http://, https:// or socks5://"
            .into(),
    }
}
