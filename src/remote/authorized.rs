//! Requests that carry a token, and what becomes of those that are refused for it.

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::WWW_AUTHENTICATE;

use super::failure::{Failure, FailureKind, Fate};
use super::lifecycle::{Session, legacy};
use super::request::{Answer, Ask};
use super::{Remote, response};
use crate::auth::{Lack, Verdict};
use crate::http::{Body, Delivery};
use crate::jsonrpc::{Message, read};

/// Times that one request is sent with another token.
const MAX_TOKENS: usize = 2;

impl Remote {
    /// Sends and gives the final response. A refusal that another token cures is cured; one that a person
    /// cures is told as such.
    pub(super) async fn ask(
        &self,
        ask: &Ask<'_>,
        session: Option<&Session>,
        how: Delivery<'_>,
    ) -> Result<Answer, Failure> {
        let Some(authorizer) = &self.authorizer else {
            return self.ask_carrying(None, ask, session, how).await;
        };
        let mut tokens = 0;
        loop {
            let bearer = authorizer.bearer().await.map_err(|lack| {
                if matches!(lack, Lack::Person) {
                    authorizer.waits(operation(ask));
                }
                self.lacking(lack)
            })?;
            let answer = self.ask_carrying(bearer.as_ref(), ask, session, how).await?;
            if !matches!(answer.status.as_u16(), 401 | 403) {
                if let Some(bearer) = &bearer {
                    authorizer.taken(bearer, || operation(ask));
                }
                return Ok(answer);
            }
            // Boxed, as is all that hardly ever happens: the future of a request is moved about.
            let answer = Box::pin(Refused::of(answer)).await;
            if self.means_lost(&answer, session) {
                return Ok(answer.into());
            }
            if bearer.is_none() && answer.is_of_own_key() {
                return Ok(answer.into());
            }
            let status = answer.head.status.as_u16();
            let headers = &answer.head.headers;
            match Box::pin(authorizer.refused(status, headers, bearer.as_ref())).await {
                Verdict::Again if tokens < MAX_TOKENS => tokens += 1,
                Verdict::Again | Verdict::NotOurs => return Ok(answer.into()),
                Verdict::SignIn(cause) => {
                    authorizer.waits(operation(ask));
                    return Err(Failure { cause, ..self.person_needed(status) });
                }
                Verdict::Refused(failure) => return Err(Failure::of_sign_in(&failure)),
            }
            if let Some(noted) = how.handed_over {
                noted.store(false, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    /// Whether it is about the session and not about the token.
    fn means_lost(&self, answer: &Refused, session: Option<&Session>) -> bool {
        let text = String::from_utf8_lossy(&answer.content);
        let lost = legacy::refusal_means_lost(session, answer.head.status, &text);
        let challenged = answer.head.headers.contains_key(WWW_AUTHENTICATE);
        !challenged
            && (lost
                || response::jsonrpc_error(answer.content.clone())
                    .is_some_and(|error| legacy::error_means_lost(session, &error)))
    }

    fn lacking(&self, lack: Lack) -> Failure {
        match lack {
            Lack::Person => self.person_needed(401),
            Lack::Failed(failure) => Failure::of_sign_in(&failure),
        }
    }

    fn person_needed(&self, status: u16) -> Failure {
        let what = format!("{} wants you to sign in", self.endpoint().host());
        let failure = Failure::settled(FailureKind::SignInNeeded, Some(status), what);
        Failure { fate: Fate::NotExecuted, ..failure }
    }
}

/// What a request asks for, whoever sends it: its method, and the tool, prompt or resource.
fn operation(ask: &Ask<'_>) -> Option<String> {
    let (Ask::Post(bytes, _) | Ask::PostTo(_, bytes)) = ask else { return None };
    let message = Message::parse(Bytes::clone(bytes)).ok()?;
    message.id()?;
    let named = read::tool_name(&message).or_else(|| read::resource_uri(&message));
    Some(format!("{} {}", message.method()?, named.unwrap_or_default()))
}

/// An answer whose body was read.
struct Refused {
    head: Answer,
    content: Vec<u8>,
}

impl Refused {
    async fn of(answer: Answer) -> Self {
        let Answer { status, headers, body, injected } = answer;
        let content = response::collect_some(body).await;
        let head = Answer { status, headers, body: Body::whole(Vec::new()), injected };
        Self { head, content }
    }

    /// Whether it is about a key of the user's own: nobody is asked to sign in.
    fn is_of_own_key(&self) -> bool {
        let Answer { status, headers, injected, .. } = &self.head;
        *status == StatusCode::UNAUTHORIZED
            && !headers.contains_key(WWW_AUTHENTICATE)
            && injected.has_credential()
    }
}

impl From<Refused> for Answer {
    fn from(refused: Refused) -> Self {
        Self { body: Body::whole(refused.content), ..refused.head }
    }
}
