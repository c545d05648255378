//! The requests of signing in: bounded in size, time and redirects, within one origin, never with the
//! user's own headers or cookies.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER, USER_AGENT,
};
use hyper::{Method, Request};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::callback::cleaned;
use super::failure::{Failure, FailureKind};
use super::settings::Settings;
use super::token::members;
use crate::clock::{Clock, SystemClock};
use crate::http::{
    AGENT, Body, Client, Delivery, Fault, FaultKind, Origin, Reuse, hint, retry_after,
};
use crate::secret::Secret;

/// Largest body that is read. Metadata documents have a few kilobytes.
const MAX_BODY: usize = 256 * 1024;
/// Bound on one exchange, redirects and body included.
const TIME: Duration = Duration::from_secs(15);
/// Redirects that one request may take.
const MAX_HOPS: usize = 3;
const JSON: &str = "application/json";
/// Asked for by the revision of 2025-03-26, "Server Metadata Discovery Headers". Documents do not depend on
/// it, so that the version that a client will negotiate need not be known.
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const REVISION: &str = "2025-11-25";
/// Longest URL that is taken from a server.
const MAX_URL: usize = 4096;

/// Sends requests to whom a sign-in has to do with.
#[derive(Clone)]
pub struct Fetch {
    http: Arc<Client>,
    /// Hosts that may be spoken to without TLS, beside this machine itself.
    plain: Vec<String>,
    /// Whether plain http on this machine may be spoken to: a server elsewhere must not lead us there.
    loopback: bool,
    time: Duration,
}

/// What came back, whatever its status.
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The URL that answered.
    pub url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    /// False if the body was larger than the bound, or broke off.
    whole: bool,
}

impl Fetch {
    /// For signing in to this MCP server. Plain http is spoken only with its own host, and with this
    /// machine only if the server is on it too.
    pub fn new(http: Arc<Client>, server: &Url) -> Self {
        let this = Self { http, plain: Vec::new(), loopback: is_loopback(server), time: TIME };
        if server.scheme() == "http" { this.allowing(server) } else { this }
    }

    /// Lets a URL that the user named be plain http.
    #[must_use]
    pub fn allowing(mut self, url: &Url) -> Self {
        self.loopback |= is_loopback(url);
        self.plain.extend(url.host_str().map(str::to_owned));
        self
    }

    /// Lets all URLs that the user fixed be plain http.
    #[must_use]
    pub fn allowing_named(self, settings: &Settings) -> Self {
        let issuer = settings.trust_issuer.as_deref().and_then(|issuer| Url::parse(issuer).ok());
        let named = [&settings.auth_server_metadata_url, &settings.token_endpoint, &issuer];
        let plain = named.into_iter().flatten().filter(|url| url.scheme() == "http");
        plain.fold(self, Self::allowing)
    }

    /// Bounds one exchange, if it is not bounded more tightly already.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { time: self.time.min(time), ..self }
    }

    /// Reads a URL that a server named.
    ///
    /// # Errors
    /// It is none, or one that must not be used: without TLS, with a password, without end.
    pub fn url(&self, text: &str) -> Result<Url, Failure> {
        let unsafe_url = |why: &str| {
            let what = format!("`{}` can't be used", shown_text(text));
            Err(Failure::new(FailureKind::UnsafeUrl, what).because(why))
        };
        if text.len() > MAX_URL || text.chars().any(char::is_control) {
            return unsafe_url("it is no URL");
        }
        let Ok(url) = Url::parse(text) else { return unsafe_url("it is no URL") };
        match self.why_unsafe(&url) {
            Some(why) => unsafe_url(why),
            None => Ok(url),
        }
    }

    fn why_unsafe(&self, url: &Url) -> Option<&'static str> {
        if !url.username().is_empty() || url.password().is_some() {
            return Some("it holds a name or password");
        }
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            _ if host.is_empty() => Some("it names no host"),
            "https" => None,
            "http" if self.plain.iter().any(|plain| plain == host) => None,
            "http" if self.loopback && is_loopback(url) => None,
            "http" => Some("it is not https"),
            _ => Some("it is neither https nor http"),
        }
    }

    /// Gets a document, following redirects within the origin.
    ///
    /// # Errors
    /// No answer, or a redirect that is not followed. A status of any kind is an answer.
    pub async fn get(&self, url: &Url) -> Result<Reply, Failure> {
        self.send(&Outgoing::get(), url).await
    }

    /// Asks for a page as a browser would and does not follow where it leads.
    ///
    /// # Errors
    /// No answer.
    pub async fn peek(&self, url: &Url) -> Result<Reply, Failure> {
        let page = Outgoing { accept: "text/html,application/xhtml+xml", ..Outgoing::get() };
        self.within_time(url, self.once(&page, url)).await
    }

    /// Posts a form.
    ///
    /// # Errors
    /// No answer, or a redirect that is not followed.
    pub async fn post_form(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        authorization: Option<&Secret<String>>,
    ) -> Result<Reply, Failure> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let media_type = "application/x-www-form-urlencoded";
        self.send(&Outgoing::post(media_type, form, authorization), url).await
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// No answer, or a redirect that is not followed.
    pub async fn post_json(&self, url: &Url, body: &Value) -> Result<Reply, Failure> {
        self.send(&Outgoing::post("application/json", body.to_string(), None), url).await
    }

    async fn send(&self, outgoing: &Outgoing<'_>, url: &Url) -> Result<Reply, Failure> {
        self.within_time(url, self.follow(outgoing, url.clone())).await
    }

    async fn within_time(
        &self,
        url: &Url,
        exchange: impl Future<Output = Result<Reply, Failure>>,
    ) -> Result<Reply, Failure> {
        if let Some(why) = self.why_unsafe(url) {
            let what = format!("`{}` can't be used", shown(url));
            return Err(Failure::new(FailureKind::UnsafeUrl, what).because(why));
        }
        tokio::time::timeout(self.time, exchange).await.unwrap_or_else(|_| {
            let what = format!("{} did not answer within {:?}", host(url), self.time);
            Err(Failure::new(FailureKind::Unreachable, what))
        })
    }

    async fn follow(&self, outgoing: &Outgoing<'_>, mut url: Url) -> Result<Reply, Failure> {
        for _ in 0..=MAX_HOPS {
            let reply = self.once(outgoing, &url).await?;
            match reply.redirect(&outgoing.method) {
                None => return Ok(reply),
                Some(Ok(next)) => url = next,
                Some(Err(why)) => {
                    let what = format!("{} redirects (HTTP {})", shown(&url), reply.status);
                    return Err(Failure::new(FailureKind::Redirected, what).because(why));
                }
            }
        }
        let what = format!("{} redirects in a circle", host(&url));
        Err(Failure::new(FailureKind::Redirected, what))
    }

    async fn once(&self, outgoing: &Outgoing<'_>, url: &Url) -> Result<Reply, Failure> {
        let origin = Origin::of(url).ok_or_else(|| unusable(url))?;
        let request = outgoing.request(url).ok_or_else(|| unusable(url))?;
        // A code or a refresh token must not be sent twice.
        let how = Delivery { reuse: Reuse::Recent, handed_over: None };
        let broken = |fault: &Fault| {
            let what = format!("{} can't be reached", host(url));
            let failure =
                Failure::new(FailureKind::Unreachable, what).because(cleaned(&fault.cause));
            // Where nobody answers it is just tried again.
            let known = matches!(fault.kind, FaultKind::Tls(_) | FaultKind::Proxy(_));
            let told = known.then(|| hint(fault.kind, &host(url), &shown(url))).flatten();
            Failure { hint: told, ..failure }
        };
        let again = (outgoing.method == Method::GET).then(|| request.clone());
        let response = match (self.http.send(&origin, request, how).await, again) {
            // The connection may have been on its way out; a GET can be asked again.
            (Err(fault), Some(again)) if fault.kind == FaultKind::Cut => {
                self.http.send(&origin, again, how).await
            }
            (answer, _) => answer,
        };
        let response = response.map_err(|fault| broken(&fault))?;
        let (head, body) = response.into_parts();
        tracing::debug!(
            host = host(url),
            path = url.path(),
            status = head.status.as_u16(),
            "answer"
        );
        let (body, whole) = match body.decoded(&head.headers) {
            Ok(body) => collect(body).await,
            Err(_) => (Vec::new(), Ok(false)),
        };
        let whole = match whole {
            Err(fault) if head.status.is_success() => return Err(broken(&fault)),
            whole => whole.unwrap_or(false),
        };
        let (status, url) = (head.status.as_u16(), url.clone());
        Ok(Reply { status, url, headers: head.headers, body, whole })
    }
}

/// What is sent; the same again after a redirect.
struct Outgoing<'a> {
    method: Method,
    accept: &'static str,
    media_type: Option<&'static str>,
    body: Bytes,
    authorization: Option<&'a Secret<String>>,
}

impl<'a> Outgoing<'a> {
    fn get() -> Self {
        Self {
            method: Method::GET,
            accept: JSON,
            media_type: None,
            body: Bytes::new(),
            authorization: None,
        }
    }

    fn post(
        media_type: &'static str,
        body: String,
        authorization: Option<&'a Secret<String>>,
    ) -> Self {
        Self {
            method: Method::POST,
            media_type: Some(media_type),
            body: body.into(),
            authorization,
            ..Self::get()
        }
    }

    fn request(&self, url: &Url) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() =
            url[url::Position::BeforePath..url::Position::AfterQuery].parse().ok()?;
        let headers = request.headers_mut();
        headers.insert(HOST, HeaderValue::from_str(&host(url)).ok()?);
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT, HeaderValue::from_static(self.accept));
        if self.method == Method::GET && self.accept == JSON {
            headers.insert(PROTOCOL_VERSION, HeaderValue::from_static(REVISION));
        }
        if let Some(media_type) = self.media_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        }
        if let Some(authorization) = self.authorization {
            let mut value = HeaderValue::from_str(authorization.expose()).ok()?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Some(request)
    }
}

/// Reads up to the bound; says whether that was all.
async fn collect(mut body: Body) -> (Vec<u8>, Result<bool, Fault>) {
    let mut whole = Vec::new();
    loop {
        match body.chunk().await {
            Ok(Some(chunk)) => {
                let room = MAX_BODY - whole.len();
                whole.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return (whole, Ok(false));
                }
            }
            Ok(None) => return (whole, Ok(true)),
            Err(fault) => return (whole, Err(fault)),
        }
    }
}

impl Reply {
    /// Whether the status is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The members of the JSON object that the body is, whatever media type it has.
    ///
    /// # Errors
    /// It is none: what it is instead.
    pub fn json(&self) -> Result<Map<String, Value>, Failure> {
        if !self.whole {
            return Err(self.bad(&format!("it is larger than {} KiB", MAX_BODY / 1024)));
        }
        if self.is_bot_protection() {
            return Err(self.protected());
        }
        members(&self.body).ok_or_else(|| match self.is_page() {
            true => self.bad("it is a web page"),
            false => self.bad("it is no JSON object"),
        })
    }

    /// The body, if it came whole.
    pub fn body(&self) -> Option<&[u8]> {
        self.whole.then_some(&*self.body)
    }

    /// The text of the body as far as it came.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Where a redirect leads, as sent.
    pub fn location(&self) -> Option<&str> {
        self.headers.get(LOCATION)?.to_str().ok()
    }

    /// A failure for a status, or an answer, that can't be used.
    pub fn bad(&self, why: &str) -> Failure {
        let what = format!("the answer of {} can't be used", shown(&self.url));
        let cause = format!("HTTP {}, {why}", self.status);
        Failure { status: Some(self.status), ..Failure::new(FailureKind::BadAnswer, what) }
            .because(cause)
    }

    /// What a status of no success comes to, where its body says nothing of OAuth.
    pub fn refusal(&self) -> Failure {
        if self.is_bot_protection() {
            return self.protected();
        }
        let busy = matches!(self.status, 408 | 425 | 429) || self.status >= 500;
        if !busy {
            return self.bad(if self.is_page() { "a web page" } else { "no reason given" });
        }
        let what = format!("{} is busy or broken", host(&self.url));
        let failure =
            Failure::new(FailureKind::Busy, what).because(format!("HTTP {}", self.status));
        Failure { status: Some(self.status), retry_after: self.retry_after(), ..failure }
    }

    /// How long the server asks to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(self.headers.get(RETRY_AFTER)?.to_str().ok()?, SystemClock.wall())
    }

    fn protected(&self) -> Failure {
        let what = format!("a page that wants to see a browser stands before {}", host(&self.url));
        Failure { status: Some(self.status), ..Failure::new(FailureKind::BotProtection, what) }
            .because(format!("HTTP {}, a challenge of a bot protection", self.status))
            .hint("ask who runs the server to let programs reach its sign-in endpoints")
    }

    /// Whether the body is a web page.
    pub fn is_page(&self) -> bool {
        let html = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        html.is_some_and(|value| value.to_ascii_lowercase().contains("html"))
            || self.body.trim_ascii_start().starts_with(b"<")
    }

    /// Whether it comes from what stands before servers to keep programs out, and not from the server.
    pub fn is_bot_protection(&self) -> bool {
        const HEADERS: [&str; 3] = ["cf-mitigated", "x-amzn-waf-action", "x-datadome"];
        const PHRASES: [&str; 8] = [
            "challenge-platform",
            "cf-chl",
            "just a moment...",
            "px-captcha",
            "_incapsula_resource",
            "g-recaptcha",
            "awswafcaptcha",
            "errors.edgesuite.net",
        ];
        if HEADERS.iter().any(|name| self.headers.contains_key(*name)) {
            return true;
        }
        let text = if self.is_page() { self.text().to_ascii_lowercase() } else { String::new() };
        PHRASES.iter().any(|phrase| text.contains(phrase))
    }

    /// Where the request goes on, if the answer is a redirect.
    fn redirect(&self, method: &Method) -> Option<Result<Url, &'static str>> {
        if !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let Some(next) = self.location().and_then(|location| self.url.join(location).ok()) else {
            return Some(Err("it names no URL"));
        };
        Some(match () {
            () if Origin::of(&next) != Origin::of(&self.url) => Err("it leads to another origin"),
            () if !next.username().is_empty() || next.password().is_some() => {
                Err("it leads to a URL with a name or password")
            }
            () if *method != Method::GET && !matches!(self.status, 307 | 308) => {
                Err("it would turn the POST into a GET")
            }
            () => Ok(next),
        })
    }
}

fn unusable(url: &Url) -> Failure {
    Failure::new(FailureKind::UnsafeUrl, format!("`{}` can't be used", shown(url)))
}

/// Host, and port where it is not the scheme's own.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A URL for people: without its query.
pub(super) fn shown(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), host(url), url.path())
}

/// A server's text that may be a URL, for people: without a query, a name or a password.
pub(super) fn shown_text(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match text.rsplit_once('@') {
        Some((before, after)) => {
            let scheme = before.split_once("://").map(|(scheme, _)| format!("{scheme}://"));
            cleaned(&format!("{}…@{after}", scheme.unwrap_or_default()))
        }
        None => cleaned(text),
    }
}

/// Whether requests to it stay on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(server: &str) -> Fetch {
        let http = Arc::new(Client::new(&crate::http::Settings::default()));
        Fetch::new(http, &Url::parse(server).unwrap())
    }

    fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        let headers = headers.iter().map(|(name, value)| {
            (hyper::header::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        });
        Reply {
            status,
            url: Url::parse("https://as.example/token?key=canary").unwrap(),
            headers: headers.collect(),
            body: body.into(),
            whole: true,
        }
    }

    #[test]
    fn a_url_is_https_or_where_the_server_itself_is() {
        for (server, url, fine) in [
            ("https://mcp.example/mcp", "https://as.example/token", true),
            ("https://mcp.example/mcp", "http://as.example/token", false),
            ("https://mcp.example/mcp", "http://127.0.0.1:9/token", false),
            ("https://mcp.example/mcp", "http://localhost:9/token", false),
            ("http://127.0.0.1:1/mcp", "http://[::1]:9/token", true),
            ("http://mcp.internal/mcp", "http://mcp.internal:9/token", true),
            ("http://mcp.internal/mcp", "http://as.internal/token", false),
            ("https://mcp.example/mcp", "https://me:pw@as.example/", false),
            ("https://mcp.example/mcp", "file:///etc/passwd", false),
            ("https://mcp.example/mcp", "javascript:alert(1)", false),
            ("https://mcp.example/mcp", "https://as.example/a\nb", false),
            ("https://mcp.example/mcp", "/token", false),
        ] {
            assert_eq!(fetch(server).url(url).is_ok(), fine, "{url} of {server}");
        }
        let settings = Settings {
            token_endpoint: Url::parse("http://as.internal/token").ok(),
            ..Settings::default()
        };
        let fetch = fetch("https://mcp.example/mcp").allowing_named(&settings);
        assert!(fetch.url("http://as.internal/revoke").is_ok());
        assert!(fetch.url("http://127.0.0.1/").is_err());
    }

    #[test]
    fn redirects_stay_within_the_origin_and_keep_the_method() {
        for (method, status, to, fine) in [
            (Method::GET, 302, "/there", true),
            (Method::GET, 303, "https://as.example:443/there", true),
            (Method::POST, 308, "/there", true),
            (Method::POST, 302, "/there", false),
            (Method::GET, 302, "https://evil.example/there", false),
            (Method::GET, 302, "http://as.example/there", false),
            (Method::GET, 302, "https://me@as.example/there", false),
            (Method::GET, 302, "https://[", false),
        ] {
            let redirect = reply(status, &[("location", to)], "").redirect(&method);
            assert_eq!(redirect.unwrap().is_ok(), fine, "{method} {status} {to}");
        }
        assert!(reply(200, &[("location", "/x")], "").redirect(&Method::GET).is_none());
    }

    #[test]
    fn a_page_of_a_bot_protection_is_told_from_an_answer_of_the_server() {
        let html = ("content-type", "text/html");
        for (reply, kind) in [
            (reply(403, &[("cf-mitigated", "challenge")], ""), FailureKind::BotProtection),
            (reply(503, &[html], "<title>Just a moment...</title>"), FailureKind::BotProtection),
            (reply(403, &[html], "<h1>Forbidden</h1>"), FailureKind::BadAnswer),
            (reply(503, &[html], "<h1>Down</h1>"), FailureKind::Busy),
            (reply(429, &[("retry-after", "7")], ""), FailureKind::Busy),
            (reply(404, &[], "no"), FailureKind::BadAnswer),
        ] {
            let failure = reply.refusal();
            assert_eq!(failure.kind, kind, "{failure}");
            assert!(!failure.to_string().contains("canary"), "{failure}");
        }
        let busy = reply(429, &[("retry-after", "7")], "").refusal();
        assert_eq!(busy.retry_after, Some(Duration::from_secs(7)));
        assert!(reply(200, &[html], "<html>").json().unwrap_err().to_string().contains("web page"));
    }
}
