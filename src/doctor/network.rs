//! The way to the server: proxy, name, connection, TLS. One request is sent, and what is seen of it on the way is
//! told step by step.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::Subject;
use super::certificate::Certificate;
use super::report::{Check, Report};
use crate::error::Exit;
use crate::http::{FaultKind, Proxy, Seen, TlsReason, Why};
use crate::remote::{Failure, HELLO, Knock, hint};

/// How long the server may take to answer, connecting included.
const TIME: Duration = Duration::from_secs(30);
/// The steps of a connection, in order.
const STEPS: [&str; 4] = ["proxy", "dns", "tcp", "tls"];

/// Knocks at the server as somebody without a token. None where it can't be reached.
pub(super) async fn reach(subject: &Subject, report: &mut Report) -> Option<Knock> {
    subject.trace.take();
    let knocked = subject.stranger.knock(None, Bytes::from_static(HELLO.as_bytes()), TIME).await;
    let seen = subject.trace.take();
    let (proxy, why) = subject.settings.http.proxies.choose(subject.endpoint.origin());
    let way = Way { subject, seen, proxy };
    let failure = knocked.as_ref().err();
    let failed = failure.and_then(|failure| way.step_of(failure));
    for step in STEPS {
        if failed == Some(step) {
            break;
        }
        report.add(way.passed(step, &why));
    }
    match (knocked, failed) {
        (Ok(knock), _) => Some(knock),
        (Err(failure), Some(step)) => {
            report.add(way.failed(step, &failure));
            report.stop("there is no connection");
            None
        }
        (Err(failure), None) => {
            report.add(of_failure("endpoint", &failure, subject));
            report.stop("the server does not answer as one");
            None
        }
    }
}

/// A check that failed, in the words that a request would be told.
pub(super) fn of_failure(name: &'static str, failure: &Failure, subject: &Subject) -> Check {
    let advice = hint(failure, &subject.name, true);
    Check::fail(name, failure.reason(), advice).ending(exit_of(failure))
}

/// How a command ends by a failure.
fn exit_of(failure: &Failure) -> Exit {
    use crate::remote::FailureKind as F;
    match failure.kind {
        F::Unreachable | F::Lost | F::Timeout | F::Busy => Exit::Unreachable,
        F::SignInNeeded => Exit::SignInNeeded,
        F::SignInFailed | F::HeaderRefused | F::Refused => Exit::Refused,
        _ => Exit::Failed,
    }
}

/// The way that the request took.
struct Way<'a> {
    subject: &'a Subject,
    seen: Seen,
    proxy: Option<Proxy>,
}

impl Way<'_> {
    /// The step at which it came to an end; none where the server was reached.
    fn step_of(&self, failure: &Failure) -> Option<&'static str> {
        let at_proxy = self.proxy.is_some() && !self.seen.is_through;
        match failure.fault? {
            FaultKind::Proxy(_) => Some("proxy"),
            FaultKind::Dns | FaultKind::Connect | FaultKind::Tls(_) | FaultKind::Timeout
                if at_proxy =>
            {
                Some("proxy")
            }
            FaultKind::Dns => Some("dns"),
            FaultKind::Connect => Some("tcp"),
            FaultKind::Tls(_) => Some("tls"),
            FaultKind::Timeout if self.seen.peer.is_none() => {
                let is_known = self.is_address() || self.seen.name.is_some();
                Some(if is_known { "tcp" } else { "dns" })
            }
            FaultKind::Timeout if self.seen.session.is_none() => {
                self.subject.endpoint.origin().tls.then_some("tls")
            }
            _ => None,
        }
    }

    fn is_address(&self) -> bool {
        self.subject.endpoint.url().domain().is_none()
    }

    fn passed(&self, step: &'static str, why: &Why) -> Check {
        match step {
            "proxy" => self.chosen(why),
            "dns" => self.looked_up(),
            "tcp" => self.connected(),
            _ => self.encrypted(),
        }
    }

    fn chosen(&self, why: &Why) -> Check {
        let shown = self.proxy.as_ref().map(Proxy::shown);
        let because = match why {
            Why::ThisMachine => "the server is on this machine".to_owned(),
            Why::Off => "`--proxy none` is set".to_owned(),
            Why::Named => "`--proxy` or `BRIDGE_PROXY` names it".to_owned(),
            Why::Variable(name) => format!("`{name}` names it"),
            Why::Excepted => "`NO_PROXY` names the server".to_owned(),
            Why::System => "the system's settings name it".to_owned(),
            Why::Unset => "nothing names one".to_owned(),
        };
        let shown_or_none = shown.as_deref().unwrap_or("none");
        let check = Check::pass("proxy", format!("{shown_or_none}: {because}"));
        check.with_data(json!({ "proxy": shown, "because": because }))
    }

    fn looked_up(&self) -> Check {
        match &self.seen.name {
            _ if self.proxy.is_some() => Check::skip("dns", "the proxy looks the name up"),
            None if self.is_address() => Check::skip("dns", "the host is an address"),
            None => Check::skip("dns", "the name was not looked up"),
            Some(name) => {
                let addresses: Vec<_> =
                    self.seen.addresses.iter().map(ToString::to_string).collect();
                let check = Check::pass("dns", format!("{name} is {}", addresses.join(", ")));
                check.with_data(json!({ "name": name, "addresses": addresses }))
            }
        }
    }

    fn connected(&self) -> Check {
        match (self.seen.peer, &self.proxy) {
            (None, _) => Check::skip("tcp", "no connection was made"),
            (Some(peer), None) => Check::pass("tcp", format!("connected to {peer}"))
                .with_data(json!({ "peer": peer.to_string() })),
            (Some(peer), Some(_)) => Check::pass("tcp", format!("through the proxy at {peer}"))
                .with_data(json!({ "peer": peer.to_string() })),
        }
    }

    fn encrypted(&self) -> Check {
        if !self.subject.endpoint.origin().tls {
            let safe = self.subject.endpoint.is_loopback();
            let why = if safe { "on this machine" } else { "`--allow-http` is set" };
            return Check::skip("tls", format!("the address is http:// ({why})"));
        }
        let Some(session) = self.seen.session else {
            return Check::skip("tls", "no session was made");
        };
        let chain = self.chain();
        let protocol = if session.h2 { "HTTP/2" } else { "HTTP/1.1" };
        let mut detail = format!("{}, {protocol}", session.version);
        if let Some(product) = chain.iter().find_map(Certificate::interceptor) {
            detail.push_str(&format!(", intercepted by {product}, which this machine trusts"));
        }
        with_chain(Check::pass("tls", detail), &chain)
    }

    fn chain(&self) -> Vec<Certificate> {
        self.seen.chain.iter().filter_map(|der| Certificate::read(der)).collect()
    }

    fn failed(&self, step: &'static str, failure: &Failure) -> Check {
        let mut check = of_failure(step, failure, self.subject);
        let chain = self.chain();
        let unknown = failure.fault == Some(FaultKind::Tls(TlsReason::UnknownIssuer));
        if let (true, Some(last)) = (unknown, chain.last()) {
            let product = chain.iter().find_map(Certificate::interceptor);
            let by = product.map_or_else(String::new, |name| {
                format!("; {name} stands between this machine and the server")
            });
            check.detail.push_str(&format!("; its issuer is {}{by}", last.issuer));
        }
        with_chain(check, &chain)
    }
}

/// Adds a line a certificate.
fn with_chain(check: Check, chain: &[Certificate]) -> Check {
    if chain.is_empty() {
        return check;
    }
    let data = chain.iter().map(|certificate| {
        let Certificate { subject, issuer, until } = certificate;
        json!({ "subject": subject, "issuer": issuer, "until": until })
    });
    let data = json!({ "chain": data.collect::<Vec<_>>() });
    check.with_lines(chain.iter().map(Certificate::shown)).with_data(data)
}
