//! One HTTP request to the server, with what every request carries, following what may be followed.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, SET_COOKIE, USER_AGENT, WWW_AUTHENTICATE,
};
use hyper::{Method, Request, StatusCode};

use super::endpoint::Endpoint;
use super::failure::{Failure, FailureKind};
use super::headers::Injected;
use super::lifecycle::{Carrier, Session, legacy};
use super::redirect::{MAX_HOPS, Redirect, decide, is_of};
use super::{Remote, response};
use crate::auth::Bearer;
use crate::http::{AGENT, Body, Delivery};
use crate::logging;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What is asked of the server.
pub(super) enum Ask<'a> {
    /// A message, and what of it is mirrored in headers.
    Post(&'a Bytes, Option<&'a HeaderMap>),
    /// A message to the endpoint of the HTTP+SSE transport.
    PostTo(&'a Endpoint, &'a Bytes),
    /// The stream of messages that the server sends unasked, or the rest of a stream that broke off.
    Listen {
        /// The last event that was seen of it.
        after: Option<&'a str>,
    },
    /// The end of the session.
    Delete,
}

/// The head of a response and its body, decoded.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    /// What of the user's own was sent, and may be repeated in it.
    pub(super) injected: Arc<Injected>,
}

/// The head of a response.
pub(super) struct AnswerHead {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    injected: Arc<Injected>,
}

impl Answer {
    pub(super) fn into_parts(self) -> (AnswerHead, Body) {
        let Self { status, headers, body, injected } = self;
        (AnswerHead { status, headers, injected }, body)
    }
}

impl Remote {
    /// Sends and gives the final response: redirects are followed where they may be.
    pub(super) async fn ask_carrying(
        &self,
        bearer: Option<&Bearer>,
        ask: &Ask<'_>,
        session: Option<&Session>,
        how: Delivery<'_>,
    ) -> Result<Answer, Failure> {
        let mut injected = self.injector.current().await?;
        let answer = self.ask_with((&injected, bearer), ask, session, how).await;
        if !matches!(&answer, Ok(answer) if answer.status == StatusCode::UNAUTHORIZED)
            || !self.injector.refused(&injected).await
        {
            return answer.map_err(|failure| injected.told(failure));
        }
        // Refused, so not executed: once more with what the command gives now.
        tracing::debug!("the headers were refused; running the header command again");
        injected = self.injector.current().await?;
        let answer = self.ask_with((&injected, bearer), ask, session, how).await;
        answer.map_err(|failure| injected.told(failure))
    }

    /// One round of redirects with these headers.
    async fn ask_with(
        &self,
        credentials: (&Arc<Injected>, Option<&Bearer>),
        ask: &Ask<'_>,
        session: Option<&Session>,
        how: Delivery<'_>,
    ) -> Result<Answer, Failure> {
        let (injected, bearer) = credentials;
        let mut endpoint = match ask {
            Ask::PostTo(endpoint, _) => (*endpoint).clone(),
            _ => self.endpoint(),
        };
        for _ in 0..=MAX_HOPS {
            let mut request = self.compose(&endpoint, injected, ask, session);
            if let Some(bearer) = bearer.filter(|_| is_of(&self.home, &endpoint)) {
                request.headers_mut().insert(AUTHORIZATION, bearer.header.clone());
            }
            if logging::writes_bodies() {
                know_secrets(&endpoint, request.headers(), injected);
            }
            let answer = self.send(&endpoint, request, injected, how).await?;
            if !is_redirect(answer.status) {
                return Ok(answer);
            }
            let to = redirected(&endpoint, &answer)?;
            // The endpoint of a channel belongs to that channel, and is learnt with it.
            if !matches!(ask, Ask::PostTo(..)) {
                self.moved(&endpoint, &to);
            }
            endpoint = to;
        }
        let what = format!("{} redirects in a circle", endpoint.host());
        let hint = Some("check the server's address, or tell whoever runs the server".into());
        Err(Failure { hint, ..Failure::settled(FailureKind::Redirected, None, what) })
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        request: Request<Full<Bytes>>,
        injected: &Arc<Injected>,
        how: Delivery<'_>,
    ) -> Result<Answer, Failure> {
        let method = request.method().clone();
        let host = || endpoint.host();
        let response = self
            .http
            .send(endpoint.origin(), request, how)
            .await
            .map_err(|fault| Failure::from_fault(&fault, &host()))?;
        let (head, body) = response.into_parts();
        if logging::writes_bodies() {
            know_secrets(endpoint, &head.headers, injected);
        }
        tracing::debug!(method = method.as_str(), status = head.status.as_u16(), "answer");
        if self.settings.cookies {
            self.cookies.lock().unwrap_or_else(PoisonError::into_inner).take(&head.headers);
        }
        let body =
            body.decoded(&head.headers).map_err(|fault| Failure::from_fault(&fault, &host()))?;
        let injected = Arc::clone(injected);
        Ok(Answer { status: head.status, headers: head.headers, body, injected })
    }

    fn compose(
        &self,
        endpoint: &Endpoint,
        injected: &Injected,
        ask: &Ask<'_>,
        session: Option<&Session>,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(ask.body()));
        *request.method_mut() = ask.method();
        *request.uri_mut() = endpoint.target().clone();
        let headers = request.headers_mut();
        headers.reserve(10);
        headers.insert(HOST, endpoint.host_header().clone());
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        ask.add_headers(headers);
        if let Some(session) = session {
            legacy::add_headers(headers, session);
        }
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner).header();
        if let Some(cookies) = cookies {
            headers.insert(COOKIE, cookies);
        }
        if is_of(&self.home, endpoint) {
            injected.add_to(headers);
        }
        // None of the user's own has one of these names (`Header::new`).
        if let Ask::Post(_, Some(mirrored)) = ask {
            headers.extend(mirrored.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        request
    }

    /// Learns where the endpoint moved to.
    fn moved(&self, from: &Endpoint, to: &Endpoint) {
        tracing::debug!(to = to.shown(), "the endpoint moved");
        if to.origin() != from.origin() {
            self.cookies.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
        *self.endpoint.lock().unwrap_or_else(PoisonError::into_inner) = to.clone();
    }

    /// Reads a refusal whole, as far as it says why.
    pub(super) async fn refusal(&self, answer: Answer, session: Option<&Session>) -> Refusal {
        let (head, body) = answer.into_parts();
        let body = response::collect_some(body).await;
        self.refusal_of(head, body, session)
    }

    /// What a refusal says whose body was read.
    pub(super) fn refusal_of(
        &self,
        head: AnswerHead,
        body: Vec<u8>,
        session: Option<&Session>,
    ) -> Refusal {
        let AnswerHead { status, headers, injected } = head;
        let host = self.endpoint().host();
        let lost = legacy::refusal_means_lost(session, status, &String::from_utf8_lossy(&body));
        let mut failure = injected.told(response::refused(status, &headers, &body, &host));
        if !headers.contains_key(WWW_AUTHENTICATE) {
            failure = injected.blamed(failure);
        }
        failure.what = self.without_session(failure.what, session);
        Refusal { failure, body, lost }
    }

    /// A server's words without the session id and the cookies that it may repeat in them.
    fn without_session(&self, text: String, session: Option<&Session>) -> String {
        let text = self.cookies.lock().unwrap_or_else(PoisonError::into_inner).redact(text);
        let Some(session) = session else { return text };
        let text = match &session.id {
            Some(id) => text.replace(&**id.expose(), "[secret]"),
            None => text,
        };
        match &session.carrier {
            Carrier::Channel(channel) => channel.without_secrets(text),
            _ => text,
        }
    }
}

/// A response with a status that is no success.
pub(super) struct Refusal {
    pub(super) failure: Failure,
    pub(super) body: Vec<u8>,
    /// Whether it says that the session is gone.
    pub(super) lost: bool,
}

/// Names what is secret of a request or an answer, before what messages hold is written down.
fn know_secrets(endpoint: &Endpoint, headers: &HeaderMap, injected: &Injected) {
    injected.secrets().for_each(logging::know_secret);
    endpoint.url().query_pairs().for_each(|(_, value)| logging::know_secret(&value));
    let values = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let session = legacy::SESSION_ID;
    for whole in values(&AUTHORIZATION).chain(values(&session)) {
        logging::know_secret(whole.split_once(' ').map_or(whole, |(_, token)| token));
    }
    let given = values(&SET_COOKIE).filter_map(|line| line.split(';').next());
    for pair in values(&COOKIE).flat_map(|line| line.split(';')).chain(given) {
        logging::know_secret(pair.split_once('=').map_or(pair, |(_, value)| value).trim());
    }
}

/// Where a redirect leads, if it may be followed.
fn redirected(from: &Endpoint, answer: &Answer) -> Result<Endpoint, Failure> {
    let location = answer.headers.get(LOCATION).and_then(|value| value.to_str().ok());
    match decide(from, answer.status, location) {
        Redirect::Follow(to) => Ok(*to),
        Redirect::Refuse { to, why, hint } => {
            let status = answer.status.as_u16();
            let what = format!("{} redirects (HTTP {status}) to {to}", from.host());
            let cause = Some(why.to_owned());
            let failure = Failure::settled(FailureKind::Redirected, Some(status), what);
            Err(Failure { cause, hint: Some(hint.into()), ..failure })
        }
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

impl Ask<'_> {
    fn method(&self) -> Method {
        match self {
            Self::Post(..) | Self::PostTo(..) => Method::POST,
            Self::Listen { .. } => Method::GET,
            Self::Delete => Method::DELETE,
        }
    }

    fn body(&self) -> Bytes {
        match self {
            Self::Post(body, _) | Self::PostTo(_, body) => (*body).clone(),
            _ => Bytes::new(),
        }
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        let fixed = HeaderValue::from_static;
        match self {
            Self::Post(..) | Self::PostTo(..) => {
                headers.insert(CONTENT_TYPE, fixed("application/json"));
                headers.insert(ACCEPT, fixed("application/json, text/event-stream"));
                headers.insert(ACCEPT_ENCODING, fixed("gzip"));
            }
            Self::Listen { after } => {
                headers.insert(ACCEPT, fixed("text/event-stream"));
                headers.insert(ACCEPT_ENCODING, fixed("identity"));
                let after = after.and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok());
                if let Some(after) = after {
                    headers.insert(LAST_EVENT_ID, after);
                }
            }
            Self::Delete => {}
        }
    }
}
