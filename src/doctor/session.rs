//! A session with the server, opened by the engine that serves: what it is, and what it says of itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::network::of_failure;
use super::report::{Check, Report, Status};
use super::{Subject, token};
use crate::jsonrpc::read::{self, ServerCapabilities};
use crate::jsonrpc::{Id, Kind, Message};
use crate::remote::{
    Carrier, Facts, Failure, FailureKind, Knock, Outcome, Patience, Post, Receive, Recipient,
    Remote, Session as Opened, exchange,
};
use crate::secret::Secret;

/// How long the server may take to answer one request.
const TIME: Duration = Duration::from_secs(20);
/// How long a session may take to end.
const LEAVING: Duration = Duration::from_secs(2);
/// Who asks.
const HELLO: &str = concat!(
    "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":",
    "{\"name\":\"bridge-doctor\",\"version\":\"",
    env!("CARGO_PKG_VERSION"),
    "\"}}"
);

/// An open session.
pub(super) struct Session {
    opened: Arc<Opened>,
    pub(super) offers: ServerCapabilities,
    /// Of the last request.
    number: AtomicU64,
    /// Where what comes back is heard; by the older transport all of it comes where the session was opened.
    ear: Ear,
}

/// Opens a session as whoever is served. None where that fails.
pub(super) async fn open(subject: &Subject, knock: &Knock, report: &mut Report) -> Option<Session> {
    let ear = Ear::default();
    let hello = Message::request(&Id::own_exchange(0), "initialize", HELLO);
    let answer = ask(&subject.remote, hello, None, &ear).await;
    let heard = std::mem::take(&mut *ear.lock());
    let hello = answer.and_then(|answer| match read::server_hello(&answer) {
        Some(hello) => Ok(hello),
        None => Err(Failure::refused_by(answer, &subject.name.host)),
    });
    let remembered = subject.remembered.as_deref().map(Facts::read).unwrap_or_default();
    let hello = match hello {
        Ok(hello) => hello,
        Err(failure) => {
            report.add(Check::skip("protocol", format!("not known{}", before(remembered))));
            failed(subject, &failure, report);
            return None;
        }
    };
    let carrier = heard.carrier.unwrap_or_default();
    if report.status("endpoint") == Some(Status::Fail) {
        let detail = format!("HTTP {} to a POST; the older transport answers", knock.status);
        report.add(Check::pass("endpoint", detail));
    }
    report.add(protocol(subject, remembered));
    let version = crate::printable::one_line(&hello.protocol_version, 40);
    report.add(
        Check::pass("initialize", format!("MCP {version}"))
            .with_data(json!({ "version": version })),
    );
    let opened = Opened {
        generation: 1,
        id: heard.id,
        version: hello.protocol_version.as_str().into(),
        carrier,
    };
    let session = Session {
        opened: Arc::new(opened),
        offers: hello.capabilities,
        number: AtomicU64::new(0),
        ear,
    };
    let initialized = Message::notification("notifications/initialized", None);
    let _ = session.ask(&subject.remote, initialized).await;
    Some(session)
}

/// Of which era the server is and how it is spoken to, as found and as remembered.
fn protocol(subject: &Subject, remembered: Facts) -> Check {
    let found = subject.remote.facts();
    let differs = remembered.spoken() != found.spoken();
    let note = if differs { before(remembered) } else { ", as remembered".to_owned() };
    Check::pass("protocol", format!("{}{note}", found.spoken())).with_data(json!({
        "era": found.era(),
        "transport": found.transport_name(),
        "remembered": { "era": remembered.era(), "transport": remembered.transport_name() },
    }))
}

fn before(remembered: Facts) -> String {
    let spoken = remembered.spoken();
    if spoken.is_empty() { String::new() } else { format!("; remembered: {spoken}") }
}

/// Says of the step that has failed why there is no session.
fn failed(subject: &Subject, failure: &Failure, report: &mut Report) {
    let has_token = report.status("token") == Some(Status::Pass);
    let check = match failure.kind {
        _ if report.status("endpoint") == Some(Status::Fail) => {
            return report.stop("the endpoint does not answer as one");
        }
        FailureKind::NotFound | FailureKind::BadAnswer | FailureKind::Redirected => {
            of_failure("endpoint", failure, subject)
        }
        FailureKind::SignInNeeded | FailureKind::SignInFailed if has_token => {
            refused(subject, failure)
        }
        _ => of_failure("initialize", failure, subject),
    };
    report.add(check);
    report.stop("there is no session");
}

/// The token was refused, and could not be renewed.
fn refused(subject: &Subject, failure: &Failure) -> Check {
    let because = subject.authorizer.as_ref().and_then(|authorizer| authorizer.over_because());
    match because {
        Some(because) => token::over(subject, &because),
        None => of_failure("token", failure, subject),
    }
}

impl Session {
    /// Asks for something; `params` is JSON text.
    pub(super) async fn request(
        &self,
        remote: &Arc<Remote>,
        method: &str,
        params: &str,
    ) -> Result<Message, Failure> {
        let number = self.number.fetch_add(1, Ordering::Relaxed) + 1;
        self.ask(remote, Message::request(&Id::own_exchange(number), method, params)).await
    }

    async fn ask(&self, remote: &Arc<Remote>, message: Message) -> Result<Message, Failure> {
        ask(remote, message, Some(Arc::clone(&self.opened)), &self.ear).await
    }

    /// Ends it.
    pub(super) async fn end(&self, remote: &Arc<Remote>) {
        let _ = tokio::time::timeout(LEAVING, remote.end_session(&self.opened)).await;
    }
}

async fn ask(
    remote: &Arc<Remote>,
    message: Message,
    session: Option<Arc<Opened>>,
    ear: &Ear,
) -> Result<Message, Failure> {
    let host = remote.endpoint().host();
    let post = Post {
        message,
        session,
        repeatable: true,
        patience: Patience::Once,
        handed_over: Arc::default(),
        mirrored: None,
    };
    let recipient = Recipient::new(ear.clone());
    let outcome = tokio::time::timeout(TIME, exchange(remote, &post, &recipient)).await;
    let answer = ear.lock().answer.take().filter(|answer| post.message.id() == answer.id());
    match (outcome, answer) {
        (Err(_), _) => Err(Failure::timeout(&host, TIME)),
        (Ok(Outcome::Failed(failure) | Outcome::SessionLost(failure)), _) => Err(failure),
        (Ok(_), Some(answer)) if read::result(&answer).is_none() => {
            Err(Failure::refused_by(answer, &host))
        }
        (Ok(_), Some(answer)) => Ok(answer),
        (Ok(Outcome::Accepted), None) => Ok(post.message),
        (Ok(Outcome::Answered), None) => Err(Failure::internal("an answer was not kept")),
    }
}

/// What came back.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    answer: Option<Message>,
    id: Option<Secret<Box<str>>>,
    carrier: Option<Carrier>,
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receive for Ear {
    fn receive(&self, message: Message) -> BoxFuture<'_, ()> {
        if matches!(message.kind(), Kind::Response { .. }) {
            self.lock().answer = Some(message);
        }
        Box::pin(std::future::ready(()))
    }

    fn session_given(&self, id: Secret<Box<str>>) -> BoxFuture<'_, ()> {
        self.lock().id = Some(id);
        Box::pin(std::future::ready(()))
    }

    fn carried_by(&self, carrier: Carrier) -> BoxFuture<'_, ()> {
        self.lock().carrier = Some(carrier);
        Box::pin(std::future::ready(()))
    }
}
