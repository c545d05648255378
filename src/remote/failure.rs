//! What a message to the server can come to, when not to an answer.

use std::borrow::Cow;
use std::time::Duration;

use crate::auth;
use crate::http::{Fault, FaultKind, ProxyReason, Sent, TlsReason};
use crate::jsonrpc::{Message, read};
use crate::printable::printable;

/// Characters of a server's own words that go into an error.
const MAX_WORDS: usize = 200;

/// A message that got no answer of its own.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What it is, for whoever branches.
    pub kind: FailureKind,
    /// Whether the server acted on the message.
    pub fate: Fate,
    /// The HTTP status, where there was a response.
    pub status: Option<u16>,
    /// What failed, in one clause.
    pub what: String,
    /// Why, where more is known.
    pub cause: Option<String>,
    /// What broke below HTTP, where that is the reason.
    pub fault: Option<FaultKind>,
    /// Whether it is what is written of who signs users in.
    pub of_metadata: bool,
    /// How long the server asks to be left alone.
    pub retry_after: Option<Duration>,
    /// What to do next, where more is known than the kind tells.
    pub hint: Option<Cow<'static, str>>,
    /// The JSON-RPC error that the server sent, with the request's id.
    pub answer: Option<Box<Message>>,
}

/// Kinds of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// No connection: name, network, TLS.
    Unreachable,
    /// The connection was lost after the message was sent.
    Lost,
    /// No answer in the time allowed.
    Timeout,
    /// 401, which a person can cure by signing in.
    SignInNeeded,
    /// No token, and no page that would get one.
    SignInFailed,
    /// 401 to an `Authorization` header that the user gave.
    HeaderRefused,
    /// The header command gave none.
    HeaderCommand,
    /// 403.
    Refused,
    /// 404 and 410.
    NotFound,
    /// 429, or 503 that says when to come back.
    Busy,
    /// Any other status of 400 and more.
    Status,
    /// An answer that is none: a web page, no JSON, another id, nothing.
    BadAnswer,
    /// Larger than allowed.
    TooLarge,
    /// A redirect that is not followed.
    Redirected,
    /// The server lost the session, and it could not be opened again.
    SessionLost,
    /// A filter of the user's stands against it, so that nothing was sent.
    Blocked,
    /// What was typed, saved or set can't be used, so that nothing is served.
    Configuration,
    /// A defect of this program.
    Internal,
    /// The bridge ends.
    Ending,
}

/// Whether the server acted on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It certainly did not: sending again is safe.
    NotExecuted,
    /// It may have.
    Unknown,
    /// It answered: sending again would get the same answer.
    Settled,
}

impl Failure {
    /// A failure that the server's answer settles.
    pub(super) fn settled(kind: FailureKind, status: Option<u16>, what: impl Into<String>) -> Self {
        Self {
            kind,
            fate: Fate::Settled,
            status,
            what: what.into(),
            cause: None,
            fault: None,
            of_metadata: false,
            retry_after: None,
            hint: None,
            answer: None,
        }
    }

    /// A failure below HTTP.
    pub(super) fn from_fault(fault: &Fault, host: &str) -> Self {
        const DAMAGED: &str = "tell whoever runs the server, and whoever looks after this network";
        let fate = match fault.sent {
            Sent::No => Fate::NotExecuted,
            Sent::Maybe => Fate::Unknown,
        };
        let (kind, what) = match (fault.sent, fault.kind) {
            (Sent::No, _) | (_, FaultKind::Tls(_)) => {
                (FailureKind::Unreachable, unreachable(fault, host))
            }
            (Sent::Maybe, FaultKind::Protocol) => {
                (FailureKind::BadAnswer, format!("{host} does not answer in HTTP"))
            }
            (Sent::Maybe, FaultKind::Encoding) => {
                (FailureKind::BadAnswer, format!("the answer of {host} can't be decoded"))
            }
            (Sent::Maybe, FaultKind::Timeout) => {
                (FailureKind::Timeout, format!("{host} did not answer in time"))
            }
            (Sent::Maybe, _) => {
                (FailureKind::Lost, format!("the connection to {host} was lost before the answer"))
            }
        };
        let cause = Some(fault.cause.clone());
        let hint = (fault.kind == FaultKind::Encoding).then(|| DAMAGED.into());
        Self { fate, cause, hint, fault: Some(fault.kind), ..Self::settled(kind, None, what) }
    }

    /// A defect of this program, which has to answer all the same.
    pub fn internal(what: &str) -> Self {
        Self::settled(FailureKind::Internal, None, what)
    }

    /// A request that waited for a person to sign in as long as its client waits.
    pub fn sign_in_pending(host: &str, page: Option<&str>) -> Self {
        let what = format!("{host} wants you to sign in, and the request was not sent");
        let hint = page.map_or_else(
            || "run `bridge login` in a terminal".to_owned(),
            |page| format!("open {page} in a browser on this machine, sign in, and try again"),
        );
        let failure = Self::settled(FailureKind::SignInNeeded, Some(401), what);
        Self { fate: Fate::NotExecuted, hint: Some(hint.into()), ..failure }
    }

    /// A request that can't be served since there is no token, and no page that would get one.
    pub fn of_sign_in(reason: &auth::Failure) -> Self {
        let failure = match reason.kind {
            auth::FailureKind::Unattended => {
                Self::settled(FailureKind::SignInNeeded, Some(401), &*reason.what)
            }
            // Who signs users in is down, and nothing was asked of the server itself.
            _ if reason.is_transient() => {
                let down = Self::settled(FailureKind::Unreachable, None, &*reason.what);
                Self { fate: Fate::NotExecuted, ..down }
            }
            // The store, and nothing was asked of the server itself.
            auth::FailureKind::Store => {
                let closed = Self::settled(FailureKind::SignInFailed, None, &*reason.what);
                Self { fate: Fate::NotExecuted, ..closed }
            }
            _ => Self::settled(FailureKind::SignInFailed, None, &*reason.what),
        };
        let hint = reason.hint.clone().map(Cow::Owned);
        let (cause, retry_after) = (reason.cause.clone(), reason.retry_after);
        Self { cause, hint, retry_after, of_metadata: reason.is_of_metadata(), ..failure }
    }

    /// Whether a person can cure it by signing in.
    pub fn wants_person(&self) -> bool {
        self.kind == FailureKind::SignInNeeded && self.fate == Fate::NotExecuted
    }

    /// Whether the credential store has to be opened: somebody unlocks a keychain, or signs in anew.
    pub fn wants_store(&self) -> bool {
        self.kind == FailureKind::SignInFailed && self.fate == Fate::NotExecuted
    }

    /// Whether it is about who asks, be it that somebody can cure it or not.
    pub fn is_of_sign_in(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::SignInNeeded
                | FailureKind::SignInFailed
                | FailureKind::HeaderRefused
                | FailureKind::HeaderCommand
        )
    }

    /// Whether the credential store refused. It is left alone until somebody asks: to try it may show a dialog.
    pub fn is_of_closed_store(&self) -> bool {
        self.wants_store() && self.retry_after.is_none()
    }

    /// Whether it is worth trying again without anybody's asking.
    pub fn is_tried_again(&self) -> bool {
        self.may_pass() && !self.wants_person() && !self.is_of_closed_store()
    }

    /// A tool call that the user's filters do not let through.
    pub fn blocked(what: impl Into<String>) -> Self {
        Self { fate: Fate::NotExecuted, ..Self::settled(FailureKind::Blocked, None, what) }
    }

    /// The bridge can't be started as it was configured.
    pub fn of_configuration(what: &str, cause: &str, hint: Option<&str>) -> Self {
        let cause = Some(cause.to_owned()).filter(|cause| !cause.is_empty());
        let hint = hint.map(|hint| hint.to_owned().into());
        let failure = Self::settled(FailureKind::Configuration, None, what);
        Self { fate: Fate::NotExecuted, cause, hint, ..failure }
    }

    /// The bridge ends before the answer came.
    pub fn ending() -> Self {
        let what = "the bridge is ending and the answer did not come in time";
        Self { fate: Fate::Unknown, ..Self::settled(FailureKind::Ending, None, what) }
    }

    /// The server answered with a JSON-RPC error.
    pub fn refused_by(error: Message, host: &str) -> Self {
        let words = printable(&read::error_message(&error), MAX_WORDS);
        let what = format!("{host} refused to open a session: {words}");
        let failure = Self::settled(FailureKind::Status, None, what);
        Self { answer: Some(Box::new(error)), ..failure }
    }

    /// There is no connection yet, and a request waited long enough for one.
    pub fn not_connected(host: &str) -> Self {
        let what = format!("there is no connection to {host} yet");
        let failure = Self::settled(FailureKind::Unreachable, None, what);
        Self { fate: Fate::NotExecuted, ..failure }
    }

    /// More requests wait than are kept.
    pub fn too_many(host: &str) -> Self {
        let what = format!("too many requests wait for {host} already");
        Self { fate: Fate::NotExecuted, ..Self::settled(FailureKind::Busy, None, what) }
    }

    /// The bridge ends before the message was sent.
    pub fn ending_unsent() -> Self {
        let what = "the bridge is ending and the request was not sent";
        let failure = Self::settled(FailureKind::Ending, None, what);
        Self { fate: Fate::NotExecuted, ..failure }
    }

    /// What failed and why, in one line that says nothing twice.
    pub fn reason(&self) -> String {
        match self.cause.as_deref().filter(|cause| self.tells_more(cause)) {
            Some(cause) => format!("{}: {}", self.what, in_short(cause, self.fault)),
            None => self.what.clone(),
        }
    }

    /// Whether the cause says something that stands neither in what failed nor in the hint.
    fn tells_more(&self, cause: &str) -> bool {
        let in_words = match self.fault {
            Some(FaultKind::Tls(reason)) => {
                !matches!(reason, TlsReason::Certificate | TlsReason::Setup | TlsReason::Other)
            }
            // No name, no connection: the library's words for it are only these.
            Some(FaultKind::Proxy(reason)) => reason != ProxyReason::Unreachable,
            Some(FaultKind::Cut) => ENDED_EARLY.iter().any(|words| cause.contains(words)),
            _ => self.kind == FailureKind::HeaderRefused || cause == super::response::WEB_PAGE,
        };
        !in_words && !self.what.contains(cause)
    }

    /// No answer in the time that is allowed for it.
    pub fn timeout(host: &str, after: Duration) -> Self {
        let what = format!("no answer from {host} within {} s", after.as_secs_f64());
        Self { fate: Fate::Unknown, ..Self::settled(FailureKind::Timeout, None, what) }
    }

    /// Whether the reason may pass by itself, so that a connection that is not there yet may come
    /// (refusals among them, since someone may grant what is missing).
    pub fn may_pass(&self) -> bool {
        match self.kind {
            FailureKind::SignInNeeded => self.wants_person(),
            FailureKind::SignInFailed => self.wants_store(),
            FailureKind::Unreachable
            | FailureKind::Lost
            | FailureKind::Timeout
            | FailureKind::Refused
            | FailureKind::NotFound
            | FailureKind::Busy
            | FailureKind::SessionLost => true,
            FailureKind::Status => self.status.is_some_and(|status| status >= 500),
            // A web page in place of an answer is what a captive portal or a gateway's error page is.
            FailureKind::BadAnswer => self.cause.as_deref() == Some(super::response::WEB_PAGE),
            _ => false,
        }
    }
}

/// What the libraries say of a connection that ended: no more than that it did.
const ENDED_EARLY: [&str; 4] = [
    "connection closed before message completed",
    "peer closed connection without sending TLS close_notify",
    "unexpected EOF",
    "end of file before message length reached",
];

/// The words of a cause for a person: of a connection that was not made or broke only the innermost, and no
/// number of the system.
fn in_short(cause: &str, fault: Option<FaultKind>) -> String {
    let broken = matches!(
        fault,
        Some(
            FaultKind::Dns
                | FaultKind::Connect
                | FaultKind::Cut
                | FaultKind::Proxy(ProxyReason::Unreachable)
        )
    );
    let innermost = if broken { cause.rsplit(": ").next().unwrap_or(cause) } else { cause };
    let words = innermost.split(" (os error ").next().unwrap_or(innermost);
    let mut letters = words.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() && broken => {
            format!("{}{}", first.to_lowercase(), &words[first.len_utf8()..])
        }
        _ => words.to_owned(),
    }
}

/// Why there is no connection, in one clause.
fn unreachable(fault: &Fault, host: &str) -> String {
    let proxy = fault.proxy.as_deref();
    let peer = proxy.map_or_else(|| host.to_owned(), |proxy| format!("the proxy {proxy}"));
    match (fault.kind, proxy) {
        (FaultKind::Dns, _) => format!("the name of {host} can't be looked up"),
        (FaultKind::Tls(reason), _) => format!("no secure connection to {peer}: {}", tls(reason)),
        (FaultKind::Proxy(reason), _) => proxied(reason, &peer, host, &fault.cause),
        (FaultKind::Timeout, Some(_)) => {
            format!("{host} can't be reached in time through {peer}")
        }
        (FaultKind::Timeout, None) => format!("{host} can't be reached in time"),
        _ => format!("{host} can't be reached"),
    }
}

fn tls(reason: TlsReason) -> &'static str {
    match reason {
        TlsReason::UnknownIssuer => "its certificate is not trusted (unknown issuer)",
        TlsReason::Expired => "its certificate has expired",
        TlsReason::NotYetValid => "its certificate is not valid yet",
        TlsReason::WrongName => "its certificate is for another name",
        TlsReason::Revoked => "its certificate was revoked",
        TlsReason::Authority => "its certificate is that of an authority, not of a server",
        TlsReason::Certificate => "its certificate can't be verified",
        TlsReason::ClientCertificateWanted | TlsReason::ClientCertificateMissed => {
            "it asks for a client certificate"
        }
        TlsReason::ClientCertificateRefused => "it refuses the client certificate",
        TlsReason::NotTls => "it does not speak TLS",
        TlsReason::Setup => "this system has no usable trust store",
        TlsReason::Other => "the TLS handshake failed",
    }
}

fn proxied(reason: ProxyReason, proxy: &str, host: &str, cause: &str) -> String {
    match reason {
        ProxyReason::Unreachable => format!("{proxy} can't be reached"),
        ProxyReason::LoginWanted => {
            format!("{proxy} wants a user name and password ({cause})")
        }
        ProxyReason::LoginRefused => {
            format!("{proxy} refuses the user name or password ({cause})")
        }
        ProxyReason::LoginUnknown => {
            format!("{proxy} wants a login of a kind that bridge does not have ({cause})")
        }
        ProxyReason::Denied => format!("{proxy} refuses to connect to {host} ({cause})"),
        ProxyReason::TargetUnreachable => format!("{proxy} can't connect to {host} ({cause})"),
        ProxyReason::NotAProxy => format!("{proxy} does not answer as a proxy"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(kind: FaultKind, sent: Sent, cause: &str) -> String {
        Failure::from_fault(&Fault { kind, sent, cause: cause.into(), proxy: None }, "h").reason()
    }

    #[test]
    fn a_time_of_less_than_a_second_is_told_as_it_is() {
        let what = |millis| Failure::timeout("h", Duration::from_millis(millis)).what;
        assert_eq!(what(500), "no answer from h within 0.5 s");
        assert_eq!(what(120_000), "no answer from h within 120 s");
    }

    #[test]
    fn a_reason_holds_the_cause_in_short_and_nothing_twice() {
        let refused = "tcp connect error: Connection refused (os error 111)";
        assert_eq!(
            reason(FaultKind::Connect, Sent::No, refused),
            "h can't be reached: connection refused"
        );
        let unknown = "dns error: failed to lookup address information: Name or service not known";
        assert_eq!(
            reason(FaultKind::Dns, Sent::No, unknown),
            "the name of h can't be looked up: name or service not known"
        );
        let issuer = FaultKind::Tls(TlsReason::UnknownIssuer);
        assert_eq!(
            reason(issuer, Sent::No, "invalid peer certificate: UnknownIssuer"),
            "no secure connection to h: its certificate is not trusted (unknown issuer)"
        );
        assert_eq!(
            reason(FaultKind::Cut, Sent::Maybe, "x: Connection reset by peer (os error 104)"),
            "the connection to h was lost before the answer: connection reset by peer"
        );
        assert_eq!(
            reason(FaultKind::Cut, Sent::Maybe, "connection closed before message completed"),
            "the connection to h was lost before the answer"
        );
        let closed = "connection error: peer closed connection without sending TLS close_notify";
        assert_eq!(
            reason(FaultKind::Cut, Sent::Maybe, closed),
            "the connection to h was lost before the answer"
        );
        let said_already =
            Failure { cause: Some("no".into()), ..Failure::internal("no: it is late") };
        assert_eq!(said_already.reason(), "no: it is late");
    }
}
