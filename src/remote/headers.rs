//! Headers of the user's own, which go with every request to the server's origin and nowhere else.
//!
//! A value is secret from the moment it is read: it is marked sensitive, and what a server echoes of it
//! is taken out of our errors.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::Mutex;

use super::failure::{Failure, FailureKind};
use super::header_command::HeaderCommand;
use crate::clock::{Clock, SystemClock};
use crate::logging;
use crate::secret::know_credential;

/// Names that are the bridge's own business: the connection, the body, and the protocol.
const RESERVED: [&str; 21] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// The prefix of a whole family of reserved names (MCP 2026-07-28).
const RESERVED_PREFIX: &str = "mcp-param-";
/// Longest value, in bytes; servers refuse heads of more than 8 or 16 KiB.
const MAX_VALUE: usize = 16 * 1024;
/// Names with one of these in them carry secrets.
const SECRET_NAMES: [&str; 9] =
    ["auth", "key", "token", "secret", "cookie", "passw", "credential", "session", "signature"];
/// A shorter value is not looked for in what a server says: it would be found in ordinary words.
const SHORTEST_ECHO: usize = 6;

/// What is wrong with a header. The value is never part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not a name by RFC 9110 §5.1.
    #[error("`{0}` is not the name of a header")]
    Name(String),
    /// One that the bridge sets itself.
    #[error("`{0}` is set by bridge itself, because the connection or the protocol depends on it")]
    Reserved(String),
    /// Nothing to send.
    #[error("the value of `{0}` is empty")]
    Empty(String),
    /// Control characters could add headers of their own.
    #[error("the value of `{0}` holds a line break or another control character")]
    Control(String),
    /// More than servers take.
    #[error("the value of `{0}` is longer than {MAX_VALUE} bytes")]
    TooLong(String),
}

/// Where a header was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `--header`.
    Argument,
    /// `--header-file`.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
    /// `--header-command`.
    Command,
    /// Kept for a saved server; this command takes another value.
    Kept(String),
    /// To be kept for a server that is about to be saved.
    New,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => f.write_str("`--header`"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Variable(name) => write!(f, "the variable `{name}`"),
            Self::Command => f.write_str("`--header-command`"),
            Self::Kept(command) => write!(f, "what is kept: `{command}` takes another"),
            Self::New => f.write_str("what was given to be kept"),
        }
    }
}

/// One header: a name that may be set and a value that can be sent, which does not print itself.
#[derive(Debug, Clone)]
pub struct Header {
    name: HeaderName,
    value: HeaderValue,
    source: Source,
}

impl Header {
    /// Checks a header.
    ///
    /// # Errors
    /// [`HeaderError`] says what is wrong with it.
    pub fn new(name: &str, value: &str, source: Source) -> Result<Self, HeaderError> {
        let name = name.trim();
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let parsed = parsed.map_err(|_| HeaderError::Name(shortened(name)))?;
        if RESERVED.contains(&parsed.as_str()) || parsed.as_str().starts_with(RESERVED_PREFIX) {
            return Err(HeaderError::Reserved(name.to_owned()));
        }
        let value = value.trim_matches([' ', '\t']);
        if value.is_empty() {
            return Err(HeaderError::Empty(name.to_owned()));
        }
        if value.len() > MAX_VALUE {
            return Err(HeaderError::TooLong(name.to_owned()));
        }
        // Tabs are allowed in a value, and no credential has one.
        let control = || HeaderError::Control(name.to_owned());
        if value.chars().any(char::is_control) {
            return Err(control());
        }
        let mut value = HeaderValue::from_str(value)
            .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
            .map_err(|_| control())?;
        value.set_sensitive(true);
        Ok(Self { name: parsed, value, source })
    }

    /// The name, in lower case.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }
}

/// Whether the name of a header or parameter, in small letters, is one of those that carry secrets.
pub fn is_secret_name(name: &str) -> bool {
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// A name as it may be shown: what was meant as a value may stand in its place.
fn shortened(name: &str) -> String {
    const SHOWN: usize = 24;
    let clean: String = name.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if name.chars().count() > SHOWN { format!("{clean}…") } else { clean }
}

/// All that the user gave, and where more comes from.
#[derive(Debug, Clone, Default)]
pub struct Headers {
    /// Fixed ones; of two with the same name the later counts.
    pub fixed: Vec<Header>,
    /// The program that gives the rest; its headers count before the fixed ones.
    pub command: Option<HeaderCommand>,
}

impl Headers {
    /// Whether they stand in for a token: then there is no sign-in.
    pub fn authorize(&self) -> bool {
        self.command.is_some() || self.fixed.iter().any(|header| header.name == AUTHORIZATION)
    }

    /// Whether there is nothing to add.
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.command.is_none()
    }
}

/// A value, and of `Bearer xyz` the part after the scheme, which is the secret.
fn parts(value: &HeaderValue) -> impl Iterator<Item = &str> {
    let value = value.to_str().ok();
    let parts = [value, value.and_then(|value| value.split_once(' ')).map(|(_, secret)| secret)];
    parts.into_iter().flatten().filter(|part| part.len() >= SHORTEST_ECHO)
}

/// The headers of one request.
#[derive(Debug, Clone, Default)]
pub(super) struct Injected {
    headers: HeaderMap,
    /// What says who the user is, and where it came from: `Authorization`, else a key.
    credential: Option<(HeaderName, Source)>,
    /// Which run of the command this is of; 0 without one.
    run: u64,
    renew_at: Option<SystemTime>,
}

impl Injected {
    fn with(&self, headers: &[Header]) -> Self {
        let mut with = self.clone();
        for Header { name, value, source } in headers {
            with.headers.insert(name.clone(), value.clone());
            let is_key =
                is_secret_name(name.as_str()) || matches!(source, Source::Kept(_) | Source::New);
            if is_key || *name == AUTHORIZATION {
                parts(value).for_each(know_credential);
            }
            let is_key = is_key && !with.has_authorization();
            if *name == AUTHORIZATION || is_key {
                with.credential = Some((name.clone(), source.clone()));
            }
        }
        with
    }

    fn has_authorization(&self) -> bool {
        self.credential.as_ref().is_some_and(|(name, _)| *name == AUTHORIZATION)
    }

    /// Whether a 401 without a challenge is about one of them.
    pub(super) fn has_credential(&self) -> bool {
        self.credential.is_some()
    }

    /// Adds them to a request, in place of what stands there under the same names.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// The values, and of `Bearer xyz` the part after the scheme, which is the secret.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.headers.values().flat_map(parts)
    }

    /// Takes the values out of a text that may repeat them.
    fn redact(&self, text: &str) -> String {
        self.secrets().fold(text.to_owned(), |text, part| {
            if text.contains(part) { text.replace(part, "[secret]") } else { text }
        })
    }

    /// A failure that holds no value of ours, and a refused `Authorization` told as such.
    pub(super) fn told(&self, mut failure: Failure) -> Failure {
        failure.what = self.redact(&failure.what);
        failure.cause = failure.cause.map(|cause| self.redact(&cause));
        if self.has_authorization() { self.blamed(failure) } else { failure }
    }

    /// The refusal of a server that does not ask for a sign-in: it is about the user's own key, where there is one.
    pub(super) fn blamed(&self, mut failure: Failure) -> Failure {
        if let (FailureKind::SignInNeeded, Some((name, source))) = (failure.kind, &self.credential)
        {
            let name = if *name == AUTHORIZATION { "Authorization" } else { name.as_str() };
            failure.kind = FailureKind::HeaderRefused;
            failure.what = format!("your `{name}` header was refused: {}", failure.what);
            failure.cause = Some(format!("it comes from {source}"));
            // What the server says is part of ours: the reason to act on is the header.
            failure.answer = None;
        }
        failure
    }
}

/// Gives the headers for each request, and runs the command when it has to be.
pub(super) struct Injector {
    fixed: Arc<Injected>,
    command: Option<(HeaderCommand, Mutex<Runs>)>,
}

/// What the command gave last.
#[derive(Default)]
struct Runs {
    count: u64,
    got: Option<Arc<Injected>>,
    failed: Option<(Instant, Failure)>,
}

impl Injector {
    pub(super) fn new(headers: &Headers) -> Self {
        let fixed = Arc::new(Injected::default().with(&headers.fixed));
        if logging::writes_bodies() {
            fixed.secrets().for_each(logging::know_secret);
        }
        let command = headers.command.clone().map(|command| (command, Mutex::default()));
        Self { fixed, command }
    }

    /// The headers to send now. Of many requests that need a run of the command one runs it.
    pub(super) async fn current(&self) -> Result<Arc<Injected>, Failure> {
        if self.command.is_none() {
            return Ok(Arc::clone(&self.fixed));
        }
        Box::pin(self.commanded()).await
    }

    /// What the command gives, run where that is not fresh any more.
    async fn commanded(&self) -> Result<Arc<Injected>, Failure> {
        let Some((command, runs)) = &self.command else { return Ok(Arc::clone(&self.fixed)) };
        let asked = Instant::now();
        let mut runs = runs.lock().await;
        let now = SystemClock.wall();
        let fresh = |got: &Arc<Injected>| got.renew_at.is_none_or(|at| now < at);
        if let Some(got) = runs.got.as_ref().filter(|got| fresh(got)) {
            return Ok(Arc::clone(got));
        }
        // Whoever waited for a run that failed gets its failure, and not a run of its own.
        if let Some((_, failure)) = runs.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(failure.clone());
        }
        runs.got = None;
        match command.run().await {
            Ok(output) => {
                runs.count += 1;
                let got = Injected {
                    run: runs.count,
                    renew_at: output.renew_at(SystemClock.wall()),
                    ..self.fixed.with(&output.headers)
                };
                let got = Arc::new(got);
                runs.got = Some(Arc::clone(&got));
                Ok(got)
            }
            Err(failure) => {
                runs.failed = Some((Instant::now(), failure.clone()));
                Err(failure)
            }
        }
    }

    /// The server refused these: whether others can be had, by running the command again.
    pub(super) async fn refused(&self, sent: &Injected) -> bool {
        let Some((_, runs)) = &self.command else { return false };
        let mut runs = runs.lock().await;
        if runs.got.as_ref().is_some_and(|got| got.run == sent.run) {
            runs.got = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, value: &str) -> Result<Header, HeaderError> {
        Header::new(name, value, Source::Argument)
    }

    #[test]
    fn reserved_and_malformed_headers_are_refused_with_the_reason() {
        for name in RESERVED.into_iter().chain(["Host", "MCP-Session-Id", "Mcp-Param-Region"]) {
            let error = header(name, "canary").unwrap_err();
            assert_eq!(error, HeaderError::Reserved(name.to_owned()));
        }
        for name in ["", "a b", "a:b", "ä", "x\r\ny", "(x)"] {
            assert!(matches!(header(name, "canary"), Err(HeaderError::Name(_))), "{name:?}");
        }
        for value in ["a\r\nX: b", "a\nb", "a\0b", "a\tb", "a\u{7f}b", "\u{85}x"] {
            assert_eq!(header("X", value).unwrap_err(), HeaderError::Control("X".into()));
        }
        assert_eq!(header("X", " \t").unwrap_err(), HeaderError::Empty("X".into()));
        let long = "x".repeat(MAX_VALUE + 1);
        assert_eq!(header("X", &long).unwrap_err(), HeaderError::TooLong("X".into()));
    }

    #[test]
    fn any_other_header_is_taken_trimmed_and_can_not_print_its_value() {
        for name in ["Authorization", "Cookie", "User-Agent", "X-Api-Key", "x_y.z"] {
            let header = header(name, "  canary ü ").unwrap();
            assert_eq!(header.value.as_bytes(), "canary ü".as_bytes());
            assert!(!format!("{header:?}").contains("canary"));
        }
    }

    #[test]
    fn an_echo_of_a_value_is_taken_out_of_an_error() {
        let headers =
            [header("Authorization", "Bearer canary-1").unwrap(), header("X", "5").unwrap()];
        let injected = Injected::default().with(&headers);
        let what = "HTTP 500 from h: canary-1 of Bearer canary-1 at 15:55";
        let failure = injected.told(Failure::settled(FailureKind::Status, Some(500), what));
        assert_eq!(failure.what, "HTTP 500 from h: [secret] of [secret] at 15:55");
        assert_eq!(failure.kind, FailureKind::Status);
    }

    #[test]
    fn a_401_is_the_headers_fault_only_where_one_was_given() {
        let refused = || Failure::settled(FailureKind::SignInNeeded, Some(401), "HTTP 401 from h");
        let own = Injected::default().with(&[header("authorization", "x").unwrap()]);
        let told = own.told(refused());
        assert_eq!(told.kind, FailureKind::HeaderRefused);
        assert_eq!(told.what, "your `Authorization` header was refused: HTTP 401 from h");
        assert_eq!(told.cause.as_deref(), Some("it comes from `--header`"));
        let other = Injected::default().with(&[header("X-Tenant", "x").unwrap()]);
        assert_eq!(other.blamed(refused()).kind, FailureKind::SignInNeeded);
        let renew = "bridge add work --force --secret-header X-API-Key";
        let key = Header::new("X-API-Key", "x", Source::Kept(renew.to_owned())).unwrap();
        let key = other.with(&[key]);
        assert_eq!(key.told(refused()).kind, FailureKind::SignInNeeded, "it may be challenged");
        let told = key.blamed(refused());
        assert_eq!(told.what, "your `x-api-key` header was refused: HTTP 401 from h");
        let cause = format!("it comes from what is kept: `{renew}` takes another");
        assert_eq!(told.cause, Some(cause));
        let both = key.with(&[header("Authorization", "x").unwrap()]);
        assert!(both.told(refused()).what.starts_with("your `Authorization` header"));
    }
}
