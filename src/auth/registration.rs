//! How the authorization server knows this client: registered beforehand, by the URL of a document, or
//! dynamically (specification, "Client Registration"; RFC 7591).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::client_assertion::ClientKey;
use super::failure::{Failure, FailureKind};
use super::fetch::Fetch;
use super::metadata::text;
use super::oauth_error::{names_dead_client, refused};
use super::provider::{Provider, Trust};
use super::scopes::Scopes;
use super::settings::{ClientSecret, Settings};
use crate::clock::Moment;
use crate::secret::Secret;

/// Where the project publishes `docs/client-metadata.json`; empty as long as it has no home.
pub const CLIENT_METADATA_URL: &str = "";

/// A person waits for the page meanwhile.
const STANDING_TIME: Duration = Duration::from_secs(5);
/// Longest client id or secret that is kept.
const MAX_ID: usize = 4096;

/// A client as one authorization server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Who we are to it.
    pub client_id: String,
    /// How that came about.
    pub origin: Origin,
    /// The issuer that this holds for: it is never shown to another.
    pub issuer: String,
    /// A shared secret.
    #[serde(
        with = "crate::secret::exposed_option",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub secret: Option<Secret<String>>,
    /// A private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ClientKey>,
    /// When the secret ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moment>,
    /// How we prove who we are.
    pub method: AuthMethod,
    /// The redirect URIs that were registered; empty: whichever the user registered.
    pub redirect_uris: Vec<String>,
    /// The scopes that were registered; empty: no bound is known.
    #[serde(default)]
    pub scopes: Scopes,
}

/// How a client came to its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The user gave it.
    PreRegistered,
    /// It is the URL of a client ID metadata document.
    MetadataDocument,
    /// The authorization server gave it (RFC 7591).
    Dynamic,
}

/// How a client proves who it is at the token endpoint (RFC 7591 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AuthMethod {
    /// Not at all: a public client.
    #[serde(rename = "none")]
    None,
    /// Its secret in the `Authorization` header.
    #[serde(rename = "client_secret_basic")]
    Basic,
    /// Its secret in the form.
    #[serde(rename = "client_secret_post")]
    Post,
    /// A signed assertion.
    #[serde(rename = "private_key_jwt")]
    PrivateKeyJwt,
}

impl AuthMethod {
    /// The other way to send a secret.
    pub(super) fn other(self) -> Option<Self> {
        match self {
            Self::Basic => Some(Self::Post),
            Self::Post => Some(Self::Basic),
            Self::None | Self::PrivateKeyJwt => None,
        }
    }

    fn of_secret(provider: &Provider) -> Self {
        let listed = provider.metadata.token_endpoint_auth_methods_supported.as_deref();
        let has = |method: &str| listed.is_some_and(|list| list.iter().any(|each| each == method));
        // What is not said is basic (RFC 8414 §2).
        if has("client_secret_post") && !has("client_secret_basic") {
            Self::Post
        } else {
            Self::Basic
        }
    }
}

/// What a sign-in needs of its client.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Redirect URIs that answers may come to; the first is the one that is used.
    pub redirect_uris: &'a [String],
    /// Scopes that will be asked for now.
    pub scopes: &'a Scopes,
    /// The machine that this runs on: whoever approves it should know.
    pub machine: Option<&'a str>,
}

impl Registration {
    /// Whether it is the same at every authorization server.
    pub fn is_portable(&self) -> bool {
        self.origin == Origin::MetadataDocument
    }

    /// Whether it can still be used for a sign-in: at this issuer, for this redirect URI, in time.
    pub fn fits(&self, provider: &Provider, redirect_uri: Option<&str>, now: Moment) -> bool {
        let of_issuer = self.is_portable() || self.issuer == provider.issuer;
        let known = |uri| self.redirect_uris.iter().any(|each| each == uri);
        let for_uri = self.origin != Origin::Dynamic || redirect_uri.is_none_or(known);
        of_issuer && for_uri && self.expires.is_none_or(|end| end > now)
    }
}

/// The client that needs no request: registered beforehand, or known by a document.
pub fn without_request(settings: &Settings, provider: &Provider) -> Option<Registration> {
    let blank = |client_id: &str, origin| Registration {
        client_id: client_id.to_owned(),
        origin,
        issuer: provider.issuer.clone(),
        secret: None,
        key: None,
        expires: None,
        method: AuthMethod::None,
        redirect_uris: Vec::new(),
        scopes: Scopes::default(),
    };
    if let Some(client_id) = &settings.client_id {
        let client = blank(client_id, Origin::PreRegistered);
        return Some(match settings.client_secret.clone() {
            None => client,
            Some(ClientSecret::Shared(secret)) => Registration {
                secret: Some(secret),
                method: AuthMethod::of_secret(provider),
                ..client
            },
            Some(ClientSecret::PrivateKey { pem, algorithm }) => Registration {
                key: Some(ClientKey { pem, algorithm }),
                method: AuthMethod::PrivateKeyJwt,
                ..client
            },
        });
    }
    let own = settings.client_metadata_url.as_ref().map(Url::as_str);
    let url = own.unwrap_or(CLIENT_METADATA_URL);
    let supported = provider.metadata.client_id_metadata_document_supported;
    (supported && !url.is_empty()).then(|| blank(url, Origin::MetadataDocument))
}

/// The client to go on with, if none has to be registered: the one that the user fixed, with what was
/// learnt about its proof; else the one that is remembered, if it still fits.
pub fn known(
    settings: &Settings,
    provider: &Provider,
    remembered: Option<&Registration>,
    redirect_uri: Option<&str>,
    now: Moment,
) -> Option<Registration> {
    let remembered = remembered.filter(|client| client.fits(provider, redirect_uri, now));
    let Some(fixed) = without_request(settings, provider) else {
        return remembered.filter(|client| client.origin == Origin::Dynamic).cloned();
    };
    let same = |client: &&Registration| {
        client.client_id == fixed.client_id
            && client.secret == fixed.secret
            && client.key == fixed.key
            && client.issuer == fixed.issuer
    };
    Some(remembered.filter(same).cloned().unwrap_or(fixed))
}

/// Registers a client (RFC 7591 §3). A server that refuses the scopes is asked once more without them.
///
/// # Errors
/// There is no way to register, or the server refused.
pub async fn register(
    fetch: &Fetch,
    provider: &Provider,
    settings: &Settings,
    wanted: &Wanted<'_>,
    now: Moment,
) -> Result<Registration, Failure> {
    let Some(endpoint) = &provider.metadata.registration_endpoint else {
        return Err(no_registration(provider, wanted));
    };
    let mut request = request(provider, settings, wanted);
    let mut reply = fetch.post_json(endpoint, &Value::Object(request.clone())).await?;
    if reply.status == 400 && request.contains_key("scope") && settings.scope.is_none() {
        let refusal = refused(&reply, &[]);
        let cause = refusal.cause.as_deref().unwrap_or_default();
        if refusal.kind == FailureKind::InvalidScope || cause.contains("scope") {
            request.remove("scope");
            reply = fetch.post_json(endpoint, &Value::Object(request.clone())).await?;
        }
    }
    if !reply.is_success() {
        return Err(registration_refused(refused(&reply, &[]), provider, wanted));
    }
    from_answer(&reply.json()?, &request, provider, now).map_err(|why| reply.bad(why))
}

/// What is asked for. Members that the user named replace ours, but for the redirect URIs, which are
/// where the answer is waited for.
fn request(provider: &Provider, settings: &Settings, wanted: &Wanted<'_>) -> Map<String, Value> {
    let metadata = &provider.metadata;
    let mut grants = vec!["authorization_code", "refresh_token"];
    if metadata.device_authorization_endpoint.is_some() {
        grants.push("urn:ietf:params:oauth:grant-type:device_code");
    }
    let listed = metadata.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
    let public = listed.is_empty() || listed.iter().any(|method| method == "none");
    let method = if public { AuthMethod::None } else { AuthMethod::of_secret(provider) };
    let name =
        wanted.machine.map_or_else(|| "bridge".to_owned(), |name| format!("bridge on {name}"));
    let mut request = json!({
        "client_name": name,
        "application_type": "native",
        "redirect_uris": wanted.redirect_uris,
        "grant_types": grants,
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
    });
    let scopes = wide(provider, wanted.scopes);
    if !scopes.is_empty() {
        request["scope"] = scopes.to_string().into();
    }
    let mut request = match request {
        Value::Object(request) => request,
        _ => Map::new(),
    };
    for (name, value) in &settings.client_metadata {
        if name != "redirect_uris" {
            request.insert(name.clone(), value.clone());
        }
    }
    request
}

/// Scopes wide enough for a later step-up: a server may refuse those outside the registered ones.
fn wide(provider: &Provider, now: &Scopes) -> Scopes {
    let lists = [&provider.resource_scopes, &provider.metadata.scopes_supported];
    let listed = lists.into_iter().flatten();
    listed.fold(now.clone(), Scopes::union)
}

/// What an answer to a registration says (RFC 7591 §3.2.1), where it does not say all that was asked for.
pub(super) fn from_answer(
    answer: &Map<String, Value>,
    request: &Map<String, Value>,
    provider: &Provider,
    now: Moment,
) -> Result<Registration, &'static str> {
    let usable =
        |text: &String| text.len() <= MAX_ID && text.bytes().all(|b| (0x20..0x7f).contains(&b));
    let client_id = text(answer, "client_id").ok_or("it holds no client_id")?;
    let secret = text(answer, "client_secret");
    if !usable(&client_id) || !secret.as_ref().is_none_or(usable) {
        return Err("it holds a client id or secret with characters that none has");
    }
    let expires = answer.get("client_secret_expires_at").and_then(Value::as_u64);
    let expires = expires.filter(|at| *at != 0).map(Moment::from_unix_seconds);
    if secret.is_some() && expires.is_some_and(|end| end <= now) {
        return Err("its client secret is over before it began");
    }
    // A secret that comes unnamed is for the header (RFC 7591 §2); without one, what was asked for holds.
    let asked = || request.get("token_endpoint_auth_method").filter(|_| secret.is_none()).cloned();
    let method = answer.get("token_endpoint_auth_method").cloned().or_else(asked);
    let method = method.and_then(|method| serde_json::from_value(method).ok());
    let method = match (method, &secret) {
        (Some(AuthMethod::None) | None, None) => AuthMethod::None,
        (Some(AuthMethod::Basic | AuthMethod::Post), None) => {
            return Err("it holds no client secret");
        }
        (Some(AuthMethod::PrivateKeyJwt), _) => return Err("it wants a key that was not offered"),
        (Some(AuthMethod::Post), Some(_)) => AuthMethod::Post,
        (Some(AuthMethod::None), Some(_)) => AuthMethod::None,
        (Some(AuthMethod::Basic) | None, Some(_)) => AuthMethod::of_secret(provider),
    };
    let uris = request.get("redirect_uris").cloned().unwrap_or_default();
    let scopes = text(answer, "scope").or_else(|| text(request, "scope")).unwrap_or_default();
    Ok(Registration {
        client_id,
        origin: Origin::Dynamic,
        issuer: provider.issuer.clone(),
        expires: expires.filter(|_| secret.is_some()),
        secret: secret.map(Secret::new),
        key: None,
        method,
        redirect_uris: serde_json::from_value(uris).unwrap_or_default(),
        scopes: Scopes::parse(&scopes),
    })
}

/// Whether the authorization server still knows a client, as far as its authorization page tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It names the client as unknown: register again.
    Dead,
    /// It may not ask for these scopes: register again for them.
    Narrow,
    /// Nothing is said against it.
    Alive,
}

/// Asks for the authorization page as the browser will, before a person sees it: what says there that
/// the client is unknown never comes back to us otherwise. What can't be told counts as alive.
pub async fn standing(fetch: &Fetch, authorization_url: &Url) -> Standing {
    let fetch = fetch.clone().within(STANDING_TIME);
    let Ok(reply) = fetch.peek(authorization_url).await else { return Standing::Alive };
    match reply.status {
        _ if reply.is_bot_protection() => Standing::Alive,
        400 | 401 | 403 | 404 | 422 if names_dead_client(&reply.text()) => Standing::Dead,
        300..400 => reply.location().map_or(Standing::Alive, told_by_redirect),
        _ => Standing::Alive,
    }
}

/// What an authorization server says of a client by sending the browser back at once.
fn told_by_redirect(location: &str) -> Standing {
    let location = location.split('#').next().unwrap_or_default();
    let query = location.split_once('?').map_or("", |(_, query)| query);
    let mut params = url::form_urlencoded::parse(query.as_bytes());
    match params.find(|(name, _)| name == "error").as_ref().map(|(_, value)| &**value) {
        Some("invalid_client" | "unauthorized_client") => Standing::Dead,
        Some("invalid_scope") => Standing::Narrow,
        _ => Standing::Alive,
    }
}

/// What to do when nobody registers clients here (PKCE and redirect are ours, the id is not).
/// The ways in which a client can become known to it, the one that is taken first.
///
/// # Errors
/// There is none.
pub(super) fn ways(
    settings: &Settings,
    provider: &Provider,
    remembered: Option<&Registration>,
    redirect_uri: &str,
    now: Moment,
) -> Result<Vec<&'static str>, Failure> {
    let registered =
        known(settings, provider, remembered, None, now).map(|client| match client.origin {
            Origin::PreRegistered => "the client id that you gave",
            Origin::MetadataDocument => "a client ID metadata document",
            Origin::Dynamic => "registered already",
        });
    let dynamic = provider.metadata.registration_endpoint.as_ref().map(|_| "dynamic registration");
    let ways: Vec<_> = registered.into_iter().chain(dynamic).collect();
    if ways.is_empty() {
        let redirect_uris = [redirect_uri.to_owned()];
        let wanted =
            Wanted { redirect_uris: &redirect_uris, scopes: &Scopes::default(), machine: None };
        return Err(no_registration(provider, &wanted));
    }
    Ok(ways)
}

fn no_registration(provider: &Provider, wanted: &Wanted<'_>) -> Failure {
    let what = format!("{} registers no clients by itself", provider.shown());
    Failure::new(FailureKind::NoRegistration, what)
        .because("its metadata has no `registration_endpoint`")
        .hint(register_by_hand(wanted))
}

fn register_by_hand(wanted: &Wanted<'_>) -> String {
    let uris = wanted.redirect_uris.join("` and `");
    format!(
        "register an application there with the redirect URI `{uris}`, and give its id with \
         `--client-id` (a secret, if it gets one, in BRIDGE_CLIENT_SECRET)"
    )
}

/// Nobody says how to sign in.
pub fn undocumented(provider: &Provider) -> Failure {
    let what = format!("{} does not say how to sign in", provider.shown());
    Failure::new(FailureKind::NoMetadata, what)
        .because("it has no metadata")
        .hint("if it wants a token or a key of yours: `bridge login --with-token`, or `--header`")
}

fn registration_refused(cause: Failure, provider: &Provider, wanted: &Wanted<'_>) -> Failure {
    if cause.is_transient() {
        return cause;
    }
    // At an address that nobody named: it may be one that wants a token for everything.
    let is_none = cause.kind == FailureKind::BadAnswer || cause.status == Some(401);
    if provider.trust == Trust::Unverified && is_none {
        return undocumented(provider)
            .because("it has no metadata, and nothing at the default endpoints");
    }
    let what = format!("{} did not register this client", provider.shown());
    let because = cause.reason();
    Failure::new(FailureKind::RegistrationRefused, what)
        .because(because)
        .hint(register_by_hand(wanted))
}
