//! Who signs users in for a server: protected resource metadata, then authorization server metadata,
//! in the specification's order ("Authorization Server Discovery"; for servers of 2025-03-26 "Server
//! Metadata Discovery"). Each probe stands for itself: what one of them answers ends no other.

use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use super::challenge::Challenge;
use super::failure::{Failure, FailureKind};
use super::fetch::{Fetch, host, shown, shown_text};
use super::metadata::{ResourceMetadata, ServerMetadata, text};
use super::provider::{Provider, Trust, is_same_issuer};
use super::settings::{Resource, Settings};

/// Bound on all probes together.
const TIME: Duration = Duration::from_secs(40);
/// Bound on one: a server that answers a GET with an open stream must not eat the time of the rest.
const PROBE_TIME: Duration = Duration::from_secs(10);
/// Authorization servers that are tried of one document.
const MAX_ISSUERS: usize = 4;

/// One URL that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// It, without its query.
    pub url: String,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What came of it, in words.
    pub outcome: String,
}

/// What came of a discovery.
#[derive(Debug)]
pub struct Discovery {
    /// Whom it found.
    pub found: Result<Provider, Failure>,
    /// All that was tried, in order.
    pub tried: Vec<Attempt>,
}

/// Finds out who signs users in for a server. Nothing is asked of the MCP endpoint itself.
pub async fn discover(
    fetch: &Fetch,
    server: &Url,
    challenge: Option<&Challenge>,
    settings: &Settings,
) -> Discovery {
    let mut search = Search {
        fetch: fetch.clone().within(PROBE_TIME),
        server,
        settings,
        tried: Vec::new(),
        deadline: Instant::now() + TIME,
        mismatch: None,
        trouble: None,
    };
    let named = challenge.and_then(|challenge| challenge.resource_metadata.as_deref());
    let found = search.run(named).await;
    Discovery { found, tried: search.tried }
}

struct Search<'a> {
    fetch: Fetch,
    server: &'a Url,
    settings: &'a Settings,
    tried: Vec<Attempt>,
    deadline: Instant,
    /// The first document that is about somebody else: worth more to a person than that others are
    /// missing.
    mismatch: Option<Failure>,
    /// The first probe that got no answer, or one that may pass.
    trouble: Option<Failure>,
}

impl Search<'_> {
    async fn run(&mut self, named: Option<&str>) -> Result<Provider, Failure> {
        let resource = self.resource_metadata(named).await;
        if resource.is_none()
            && let Some(mismatch) = self.mismatch.take()
        {
            return Err(mismatch);
        }
        self.mismatch = None;
        let (issuer, trust, metadata) = self.server_metadata(resource.as_ref()).await?;
        let mut provider = Provider {
            issuer,
            trust,
            metadata,
            resource: None,
            resource_scopes: resource.as_ref().and_then(|found| found.scopes_supported.clone()),
        };
        if let Some(endpoint) = &self.settings.token_endpoint {
            provider.metadata.token_endpoint = Some(endpoint.clone());
        }
        let named = resource.and_then(|found| found.resource);
        provider.resource = resource_parameter(self.settings, self.server, named, &provider);
        Ok(provider)
    }

    /// From the challenge, else at the endpoint's path, else at the root (RFC 9728 §3.1, §5.1).
    async fn resource_metadata(&mut self, named: Option<&str>) -> Option<ResourceMetadata> {
        let mut candidates: Vec<Url> = Vec::new();
        if let Some(named) = named {
            match self.fetch.url(self.server.join(named).as_ref().map_or(named, Url::as_str)) {
                Ok(url) => candidates.push(url),
                Err(failure) => self.note(shown_text(named), None, failure.reason()),
            }
        }
        let path = self.server.path().trim_end_matches('/');
        for path in [path, ""] {
            let url = well_known(self.server, "oauth-protected-resource", path);
            if !candidates.contains(&url) {
                candidates.push(url);
            }
        }
        for url in candidates {
            let Some(document) = self.document(&url).await else { continue };
            let Some(found) = ResourceMetadata::read(&document) else {
                self.judge("it is no protected resource metadata".into());
                continue;
            };
            match self.check_resource(&found) {
                Ok(()) => return Some(found),
                Err(mismatch) => {
                    self.judge(mismatch.reason());
                    self.mismatch.get_or_insert(mismatch);
                }
            }
        }
        None
    }

    /// The document must be about this server, or about what it is a part of (RFC 9728 §3.3).
    fn check_resource(&self, found: &ResourceMetadata) -> Result<(), Failure> {
        let Some(resource) = &found.resource else { return Ok(()) };
        if matches!(&self.settings.resource, Resource::Named(named) if named == resource)
            || Url::parse(resource).is_ok_and(|resource| covers(&resource, self.server))
        {
            return Ok(());
        }
        let what = format!("the metadata of {} is about another server", host(self.server));
        let cause = format!("it names `{}`, not `{}`", shown_text(resource), shown(self.server));
        Err(Failure::new(FailureKind::ResourceMismatch, what)
            .because(cause)
            .hint("if that is right, say so: `--resource URI`"))
    }

    async fn server_metadata(
        &mut self,
        resource: Option<&ResourceMetadata>,
    ) -> Result<(String, Trust, ServerMetadata), Failure> {
        let listed = resource.map(|found| found.authorization_servers.as_slice()).unwrap_or(&[]);
        if let Some(url) = &self.settings.auth_server_metadata_url {
            return self.named_document(url).await;
        }
        for issuer in listed.iter().take(MAX_ISSUERS) {
            let url = match self.fetch.url(issuer) {
                Ok(url) => url,
                Err(failure) => {
                    self.note(shown_text(issuer), None, failure.reason());
                    self.mismatch.get_or_insert(failure);
                    continue;
                }
            };
            if let Some(found) = self.of_issuer(issuer, &url).await {
                return Ok(found);
            }
        }
        if !listed.is_empty() {
            return Err(self.nothing(&listed[0]));
        }
        let base = base_of(self.server);
        let issuer = base.origin().ascii_serialization();
        if let Some(found) = self.of_issuer(&issuer, &base).await {
            return Ok(found);
        }
        match self.mismatch.take().or_else(|| self.trouble.take()) {
            Some(failure) => Err(failure),
            None => Ok((issuer, Trust::Unverified, ServerMetadata::defaults(&base))),
        }
    }

    /// The document of an issuer, wherever it lies.
    async fn of_issuer(
        &mut self,
        issuer: &str,
        url: &Url,
    ) -> Option<(String, Trust, ServerMetadata)> {
        for candidate in metadata_urls(url) {
            let Some(document) = self.document(&candidate).await else { continue };
            match self.read(&document, issuer) {
                Ok(Some(found)) => return Some(found),
                Ok(None) => self.judge("it is no authorization server metadata".into()),
                Err(failure) => {
                    self.judge(failure.reason());
                    self.mismatch.get_or_insert(failure);
                }
            }
        }
        None
    }

    /// Reads a document and checks that it is the issuer's own.
    fn read(
        &self,
        document: &Map<String, Value>,
        expected: &str,
    ) -> Result<Option<(String, Trust, ServerMetadata)>, Failure> {
        let metadata = ServerMetadata::read(document, &self.fetch);
        let Some(found) = text(document, "issuer") else {
            return match metadata {
                Ok(metadata) if metadata.token_endpoint.is_none() => Ok(None),
                _ => Err(mismatch(expected, "no issuer")),
            };
        };
        let trusted = self.settings.trust_issuer.as_deref();
        let trust = if is_same_issuer(expected, &found) {
            Trust::Validated
        } else if trusted.is_some_and(|trusted| is_same_issuer(trusted, &found)) {
            Trust::TrustedByUser
        } else {
            return Err(mismatch(expected, &found));
        };
        Ok(Some((found, trust, metadata?)))
    }

    /// The document that the user named.
    async fn named_document(
        &mut self,
        url: &Url,
    ) -> Result<(String, Trust, ServerMetadata), Failure> {
        let Some(document) = self.document(url).await else {
            return Err(self.nothing(&shown(url)));
        };
        let metadata = ServerMetadata::read(&document, &self.fetch)?;
        let issuer = text(&document, "issuer").ok_or_else(|| self.nothing(&shown(url)))?;
        Ok((issuer, Trust::NamedByUser, metadata))
    }

    /// What is left to say when no document could be used.
    fn nothing(&mut self, issuer: &str) -> Failure {
        self.mismatch.take().or_else(|| self.trouble.take()).unwrap_or_else(|| {
            let what = format!("nothing tells how to sign in at {}", shown_text(issuer));
            Failure::new(FailureKind::NoMetadata, what)
                .because(format!("{} places were asked for its metadata", self.tried.len()))
                .hint("name the document: `--auth-server-metadata-url URL`")
        })
    }

    /// Asks one URL for a JSON object.
    async fn document(&mut self, url: &Url) -> Option<Map<String, Value>> {
        let shown = shown(url);
        let late = || {
            let what = format!("{} did not answer in time", host(url));
            Err(Failure::new(FailureKind::Unreachable, what))
        };
        let answer = tokio::time::timeout_at(self.deadline, self.fetch.get(url)).await;
        let reply = match answer.unwrap_or_else(|_| late()) {
            Ok(reply) => reply,
            Err(failure) => {
                self.note(shown, None, failure.reason());
                self.remember_trouble(failure);
                return None;
            }
        };
        let read = if reply.is_success() { reply.json() } else { Err(reply.refusal()) };
        match read {
            Ok(document) => {
                self.note(shown, Some(reply.status), "a document".into());
                Some(document)
            }
            Err(failure) => {
                let why = failure.cause.clone().unwrap_or_default();
                self.note(shown, Some(reply.status), why);
                self.remember_trouble(failure);
                None
            }
        }
    }

    fn remember_trouble(&mut self, failure: Failure) {
        if failure.is_transient() {
            self.trouble.get_or_insert(failure);
        }
    }

    fn note(&mut self, url: String, status: Option<u16>, outcome: String) {
        tracing::debug!(url, status, outcome, "discovery");
        self.tried.push(Attempt { url, status, outcome });
    }

    /// Says of the last document why it is not used.
    fn judge(&mut self, outcome: String) {
        if let Some(last) = self.tried.last_mut() {
            last.outcome = outcome;
        }
    }
}

/// A word of a server's in a command that somebody may paste into a shell.
fn quoted(word: &str) -> std::borrow::Cow<'_, str> {
    shlex::try_quote(word).unwrap_or_default()
}

fn mismatch(expected: &str, found: &str) -> Failure {
    let (expected, found) = (shown_text(expected), shown_text(found));
    let what = format!("the metadata of `{expected}` names another issuer");
    Failure::new(FailureKind::IssuerMismatch, what).because(format!("it names `{found}`")).hint(
        format!("if you trust that issuer for this server: `--trust-issuer {}`", quoted(&found)),
    )
}

/// Whether one resource is the other, or contains it.
fn covers(resource: &Url, server: &Url) -> bool {
    let (outer, inner) = (resource.path().trim_end_matches('/'), server.path());
    let rest = inner.strip_prefix(outer);
    resource.origin() == server.origin()
        && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What `resource` is sent (RFC 8707): the user's, else none where the provider refuses it, else the
/// metadata's own spelling, else the server's canonical URI.
fn resource_parameter(
    settings: &Settings,
    server: &Url,
    named: Option<String>,
    provider: &Provider,
) -> Option<String> {
    match &settings.resource {
        Resource::Named(resource) => Some(resource.clone()),
        Resource::Omitted => None,
        Resource::Discovered if provider.exception().is_some_and(|each| each.omits_resource) => {
            None
        }
        Resource::Discovered => Some(named.unwrap_or_else(|| canonical(server))),
    }
}

/// The canonical URI of a server: without a query, which may hold a key, and without the slash of a root.
pub fn canonical(server: &Url) -> String {
    let mut url = server.clone();
    url.set_query(None);
    url.set_fragment(None);
    let text = url.to_string();
    if url.path() == "/" { text.trim_end_matches('/').to_owned() } else { text }
}

fn base_of(server: &Url) -> Url {
    let mut base = server.clone();
    base.set_path("/");
    base.set_query(None);
    base.set_fragment(None);
    base
}

/// Inserts a well-known name between origin and path (RFC 8615, RFC 8414 §3.1).
fn well_known(of: &Url, name: &str, path: &str) -> Url {
    let mut url = base_of(of);
    url.set_path(&format!("/.well-known/{name}{path}"));
    url
}

/// Where an issuer's document may lie, in the specification's order; last, for an issuer with a path,
/// the root, where some publish it all the same.
fn metadata_urls(issuer: &Url) -> Vec<Url> {
    const OAUTH: &str = "oauth-authorization-server";
    const OPENID: &str = "openid-configuration";
    let path = issuer.path().trim_end_matches('/');
    if path.is_empty() {
        return vec![well_known(issuer, OAUTH, ""), well_known(issuer, OPENID, "")];
    }
    let mut appended = base_of(issuer);
    appended.set_path(&format!("{path}/.well-known/{OPENID}"));
    vec![
        well_known(issuer, OAUTH, path),
        well_known(issuer, OPENID, path),
        appended,
        well_known(issuer, OAUTH, ""),
        well_known(issuer, OPENID, ""),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_places_of_a_document_are_asked_in_the_specifications_order() {
        let places = |issuer: &str| {
            metadata_urls(&url(issuer)).into_iter().map(|url| url.path().to_owned()).collect()
        };
        let with_path: Vec<String> = places("https://as.example/tenant1/");
        assert_eq!(
            with_path,
            [
                "/.well-known/oauth-authorization-server/tenant1",
                "/.well-known/openid-configuration/tenant1",
                "/tenant1/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server",
                "/.well-known/openid-configuration",
            ]
        );
        let at_root: Vec<String> = places("https://as.example");
        assert_eq!(
            at_root,
            ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
        );
    }

    #[test]
    fn a_resource_is_the_server_or_contains_it() {
        for (resource, server, covered) in [
            ("https://h/mcp", "https://h/mcp", true),
            ("https://h/", "https://h/mcp", true),
            ("https://h", "https://h/mcp?key=1", true),
            ("https://H:443/mcp/", "https://h/mcp", true),
            ("https://h/mcp", "https://h/mcp/v1", true),
            ("https://h/mcp", "https://h/mcpx", false),
            ("https://h/mcp/v1", "https://h/mcp", false),
            ("https://evil/mcp", "https://h/mcp", false),
            ("http://h/mcp", "https://h/mcp", false),
            ("api://guid", "https://h/mcp", false),
        ] {
            assert_eq!(covers(&url(resource), &url(server)), covered, "{resource} {server}");
        }
    }

    #[test]
    fn the_canonical_uri_has_no_query_and_no_root_slash() {
        for (server, expected) in [
            ("https://H.example:443/", "https://h.example"),
            ("https://h.example/mcp?key=canary#x", "https://h.example/mcp"),
            ("https://h.example:8443/mcp/", "https://h.example:8443/mcp/"),
        ] {
            assert_eq!(canonical(&url(server)), expected);
        }
    }
}
