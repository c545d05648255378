//! What a server says to whoever has no token yet, or a new one: asked by the commands that sign in, before and
//! after, and by the one that looks for what is wrong.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CONTENT_TYPE, DATE, HeaderValue, WWW_AUTHENTICATE};

use super::exchange::ANYHOW;
use super::failure::{Failure, FailureKind};
use super::hint::{ServerName, hint};
use super::lifecycle::{Carrier, Session, legacy};
use super::request::{Answer, Ask, Refusal};
use super::{Remote, response};
use crate::auth::{Bearer, Challenge};
use crate::secret::Secret;

/// How long the server may take to answer.
const TIME: Duration = Duration::from_secs(10);
/// And to end a session.
const LEAVING: Duration = Duration::from_secs(2);
/// The revision that a session is left in, which no server looks at.
const REVISION: &str = "2025-11-25";
/// A message that is harmless in every revision, and needs no session to be refused for want of a token.
const PING: &[u8] = br#"{"jsonrpc":"2.0","id":"bridge-entry","method":"ping"}"#;

/// What a client says first, which every server knows what to make of.
pub const HELLO: &str = concat!(
    r#"{"jsonrpc":"2.0","id":"bridge-entry","method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"bridge","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}}}"#
);

/// What came of asking for entry.
#[derive(Debug)]
pub enum Entry {
    /// The server took the request, or spoke JSON to it.
    Open,
    /// It was refused for something else.
    Unclear,
    /// HTTP 401, and what it says of how to get in.
    Closed(Option<Challenge>),
}

/// What the server says to one message that belongs to no session.
#[derive(Debug)]
pub struct Knock {
    /// HTTP status.
    pub status: u16,
    /// Whether it lets us in.
    pub entry: Entry,
    /// The server's clock (RFC 9110 §6.6.1).
    pub date: Option<SystemTime>,
    /// Where it is no success, or a web page: what a request is told that gets it.
    pub refusal: Option<Failure>,
}

impl Knock {
    /// What is to be told of a refusal that no sign-in cures: of the user's own header, or of who they are.
    pub fn warning(&self, server: &ServerName) -> Option<String> {
        let refusal = self.refusal.as_ref()?;
        let reason = refusal.reason();
        if self.is_refused_to_user() {
            return Some(format!("warning: {reason}; {}", hint(refusal, server, true)));
        }
        (refusal.kind == FailureKind::HeaderRefused).then(|| format!("warning: {reason}"))
    }

    /// Whether it is refused for who asks. A 404 of JSON-RPC is about the message, and what is not found by a web
    /// page may be found by the older transport.
    fn is_refused_to_user(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| match refusal.kind {
            FailureKind::Refused => true,
            FailureKind::NotFound => matches!(self.entry, Entry::Open) && refusal.answer.is_none(),
            _ => false,
        })
    }

    /// Why nobody would get in here, where it is not for want of a token: a wrong path, a web page, a server that
    /// is broken or lets nobody in.
    pub fn closed_to_all(&self) -> Option<&Failure> {
        let refusal = self.refusal.as_ref().filter(|refusal| refusal.answer.is_none())?;
        let is_closed = match refusal.kind {
            FailureKind::HeaderRefused
            | FailureKind::Refused
            | FailureKind::NotFound
            | FailureKind::BadAnswer => true,
            FailureKind::Status => self.status >= 500,
            _ => false,
        };
        is_closed.then_some(refusal)
    }
}

impl Remote {
    /// Asks whether this token is taken, or whether it goes without one.
    ///
    /// # Errors
    /// There was no answer in 10 s.
    pub async fn first_knock(&self, bearer: Option<&Bearer>) -> Result<Knock, Failure> {
        let knock = self.knock(bearer, Bytes::from_static(PING), TIME).await?;
        if !knock.is_refused_to_user() {
            return Ok(knock);
        }
        // Some refuse so what belongs to no session.
        self.knock(bearer, Bytes::from_static(HELLO.as_bytes()), TIME).await
    }

    /// Sends one message and looks at the head of what comes back. A session that is begun by it is ended.
    ///
    /// # Errors
    /// There was no answer in this time.
    pub async fn knock(
        &self,
        bearer: Option<&Bearer>,
        message: Bytes,
        within: Duration,
    ) -> Result<Knock, Failure> {
        let ask = Ask::Post(&message, None);
        let asking = self.ask_carrying(bearer, &ask, None, ANYHOW);
        let answer = tokio::time::timeout(within, asking)
            .await
            .map_err(|_| Failure::timeout(&self.endpoint().host(), within))??;
        let header = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let json = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
        let date = header(DATE).and_then(|date| httpdate::parse_http_date(date).ok());
        let (status, success) = (answer.status, answer.status.is_success());
        let page = header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"));
        let entry = if status == StatusCode::UNAUTHORIZED {
            let lines = answer.headers.get_all(WWW_AUTHENTICATE).iter();
            Entry::Closed(Challenge::from_headers(lines.map(HeaderValue::as_bytes)))
        } else if (success && !page) || (json && status.is_client_error()) {
            Entry::Open
        } else {
            Entry::Unclear
        };
        let refusal = if success && page {
            Some(self.web_page(answer).await)
        } else if success {
            self.leave(legacy::given_id(&answer.headers)).await;
            None
        } else {
            let Refusal { failure, body, .. } = self.refusal(answer, None).await;
            let own = matches!(failure.kind, FailureKind::HeaderRefused | FailureKind::Refused);
            let answer = response::jsonrpc_error(body).filter(|_| !own).map(Box::new);
            Some(Failure { answer, ..failure })
        };
        Ok(Knock { status: status.as_u16(), entry, date, refusal })
    }

    /// What a request is told that gets a web page.
    async fn web_page(&self, answer: Answer) -> Failure {
        let Answer { status, headers, body, injected } = answer;
        let line = response::first_line(&response::collect_some(body).await);
        injected.told(response::not_an_answer(status, &headers, line, &self.endpoint().host()))
    }

    /// Ends a session that nobody wants.
    async fn leave(&self, id: Option<Secret<Box<str>>>) {
        if id.is_none() {
            return;
        }
        let (version, carrier) = (REVISION.into(), Carrier::default());
        let session = Session { generation: 0, id, version, carrier };
        let _ = tokio::time::timeout(LEAVING, self.end_session(&session)).await;
    }
}
