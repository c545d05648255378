//! A client that another program on this machine has registered for the same server: it goes on being used, where the
//! same authorization server signs users in, and what comes back from the browser still finds us.

use serde_json::{Map, Value, json};
use url::Url;

use super::challenge::Challenge;
use super::failure::Failure;
use super::metadata::text;
use super::provider::{Provider, is_same_issuer};
use super::registration::{AuthMethod, Origin, Registration, from_answer, without_request};
use super::settings::RedirectAddress;
use super::sign_in::{Cause, SignIn, now};

/// Redirect URIs of one client that are looked at, and the longest.
const MAX_URIS: usize = 8;
const MAX_URI: usize = 256;

/// What another program keeps of its registration (RFC 7591 §3.2.1), with the `issuer` that it was made at, where it
/// noted that.
#[derive(Debug, Clone, Default)]
pub struct Offered(pub Map<String, Value>);

/// A client that can be adopted, and who knows it.
#[derive(Debug, Clone)]
pub struct Adoptable {
    provider: Provider,
    client: Registration,
}

/// Why a client is not adopted.
#[derive(Debug, thiserror::Error)]
pub enum NotAdopted {
    /// Who signs users in can't be found out.
    #[error("it can't be found out who signs users in: {}", .0.reason())]
    Unknown(Failure),
    /// It can't be kept here.
    #[error("{0}")]
    Unkept(Failure),
    /// Something else, in words.
    #[error("{0}")]
    Because(String),
}

impl Adoptable {
    /// The issuer that knows the client, for people.
    pub fn issuer(&self) -> String {
        self.provider.shown()
    }

    /// Where the browser comes back to.
    pub fn redirect_uri(&self) -> &str {
        self.client.redirect_uris.first().map_or("", String::as_str)
    }

    /// Whether it has a secret, which is kept as tokens are.
    pub fn has_secret(&self) -> bool {
        self.client.secret.is_some()
    }
}

impl SignIn {
    /// Whether this client can be adopted: asks who signs users in now, and changes nothing.
    ///
    /// # Errors
    /// It can't, and why.
    pub async fn adoptable(
        &self,
        challenge: Option<Challenge>,
        offered: &Offered,
    ) -> Result<Adoptable, NotAdopted> {
        let record = self.vault.load().await.map_err(NotAdopted::Unkept)?;
        if record.is_some_and(|it| it.tokens.is_some() || it.registration.is_some()) {
            return Err(because("bridge has a client of its own there already"));
        }
        let cause = Cause { challenge, ..Cause::default() };
        let provider = self.discovered(&cause).await.map_err(NotAdopted::Unknown)?;
        if without_request(&self.settings, &provider).is_some() {
            return Err(because("another client is named in its place"));
        }
        let client = client(&offered.0, &provider, &self.settings.redirect)?;
        Ok(Adoptable { provider, client })
    }

    /// Keeps it for the next sign-in, unless there is a sign-in or a client meanwhile.
    ///
    /// # Errors
    /// It can't be kept.
    pub async fn adopt(&self, adoptable: Adoptable) -> Result<(), NotAdopted> {
        self.vault.prepare().await.map_err(NotAdopted::Unkept)?;
        let Adoptable { provider, client } = adoptable;
        let kept = self.vault.change(move |record| {
            if record.tokens.is_none() && record.registration.is_none() {
                record.set_provider(provider);
                record.registration = Some(client);
            }
        });
        kept.await.map_err(NotAdopted::Unkept)
    }

    /// Forgets a client that was adopted, if nobody has signed in with it since. Says whether it did.
    ///
    /// # Errors
    /// What is kept can't be read or changed.
    pub async fn disown(&self, client_id: &str) -> Result<bool, Failure> {
        let Some(record) = self.vault.load().await? else { return Ok(false) };
        let is_it = record.registration.as_ref().is_some_and(|client| {
            client.origin == Origin::Dynamic && client.client_id == client_id
        });
        if !is_it || record.tokens.is_some() || record.pending.is_some() {
            return Ok(false);
        }
        self.vault.take().await.map(|_| true)
    }
}

fn because(why: impl Into<String>) -> NotAdopted {
    NotAdopted::Because(why.into())
}

/// The client as this authorization server knows it.
fn client(
    members: &Map<String, Value>,
    provider: &Provider,
    redirect: &RedirectAddress,
) -> Result<Registration, NotAdopted> {
    let issuer = text(members, "issuer");
    if let Some(issuer) = &issuer
        && !is_same_issuer(&provider.issuer, issuer)
    {
        let issuer = super::callback::cleaned(issuer);
        let now = provider.shown();
        return Err(because(format!(
            "it was registered at {issuer}, and {now} signs users in now"
        )));
    }
    let uris = redirect_uris(members, redirect);
    if uris.is_empty() {
        return Err(because("none of its redirect URIs leads to where this entry waits"));
    }
    let mut request = Map::new();
    request.insert("redirect_uris".to_owned(), json!(uris));
    let mut members = members.clone();
    if text(&members, "token_endpoint_auth_method").as_deref() == Some("none") {
        // A public client needs none, whatever it was given.
        members.remove("client_secret");
    }
    let client = from_answer(&members, &request, provider, now()).map_err(because)?;
    if client.method != AuthMethod::None && issuer.is_none() {
        return Err(because(
            "it has a secret, and nothing says which authorization server gave it",
        ));
    }
    Ok(client)
}

/// Those that lead to this machine and agree with what the user fixed.
fn redirect_uris(members: &Map<String, Value>, redirect: &RedirectAddress) -> Vec<String> {
    let listed = members.get("redirect_uris").and_then(Value::as_array).into_iter().flatten();
    let texts = listed.filter_map(Value::as_str).take(MAX_URIS);
    let fits = |uri: &&str| uri.len() <= MAX_URI && is_for(redirect, uri);
    texts.filter(fits).map(str::to_owned).collect()
}

/// Whether a redirect URI leads to this machine, and to where the user's settings let a browser come back.
pub(super) fn is_for(redirect: &RedirectAddress, uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let host = url.host_str().unwrap_or_default();
    let here = url.scheme() == "http"
        && matches!(host, "localhost" | "127.0.0.1" | "[::1]")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let port = url.port().filter(|port| *port != 0);
    match &redirect.uri {
        Some(whole) => whole == uri,
        None => {
            here && port.is_some_and(|port| redirect.port.is_none_or(|fixed| fixed == port))
                && redirect.host.as_ref().is_none_or(|fixed| fixed == host)
                && redirect.path == url.path()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::metadata::ServerMetadata;
    use super::super::provider::Trust;
    use super::*;

    fn provider() -> Provider {
        Provider {
            issuer: "https://as.example".into(),
            trust: Trust::Validated,
            metadata: ServerMetadata::default(),
            resource: None,
            resource_scopes: None,
        }
    }

    fn adopted(members: Value, redirect: &RedirectAddress) -> Result<Registration, String> {
        let Value::Object(members) = members else { panic!("no object") };
        client(&members, &provider(), redirect).map_err(|why| why.to_string())
    }

    #[test]
    fn a_client_of_the_same_issuer_is_adopted_with_the_redirect_uris_that_lead_here() {
        let uri = "http://localhost:9696/oauth/callback";
        let found = adopted(
            json!({
                "client_id": "theirs", "issuer": "https://as.example/", "scope": "a b",
                "redirect_uris": [uri, "https://elsewhere.example/cb", 7],
                "token_endpoint_auth_method": "none", "client_secret": "canary",
            }),
            &RedirectAddress::default(),
        )
        .unwrap();
        assert_eq!((found.client_id.as_str(), found.method), ("theirs", AuthMethod::None));
        assert_eq!((found.redirect_uris, found.origin), (vec![uri.to_owned()], Origin::Dynamic));
        assert!(found.secret.is_none(), "a public client has none to show");
        assert_eq!(found.scopes.to_string(), "a b");
    }

    #[test]
    fn what_another_server_or_another_address_is_meant_for_is_not_adopted() {
        let uri = "http://localhost:9696/oauth/callback";
        let default = RedirectAddress::default();
        let port = RedirectAddress { port: Some(1234), ..default.clone() };
        let host = RedirectAddress { host: Some("127.0.0.1".into()), ..default.clone() };
        let path = RedirectAddress { path: "/cb".into(), ..default.clone() };
        let one = json!({"client_id": "x", "redirect_uris": [uri]});
        assert!(adopted(one.clone(), &default).is_ok(), "no issuer, and nothing to give away");
        for redirect in [&port, &host, &path] {
            let why = adopted(one.clone(), redirect).unwrap_err();
            assert!(why.contains("none of its redirect URIs"), "{why}");
        }
        for (members, part) in [
            (
                json!({"client_id": "x", "redirect_uris": [uri], "issuer": "https://other"}),
                "https://other",
            ),
            (
                json!({"client_id": "x", "redirect_uris": [uri], "client_secret": "canary"}),
                "it has a secret",
            ),
            (
                json!({"client_id": "x", "redirect_uris": ["http://10.0.0.1:1/oauth/callback"]}),
                "redirect URIs",
            ),
            (
                json!({"client_id": "x", "redirect_uris": ["http://localhost/oauth/callback"]}),
                "redirect URIs",
            ),
            (json!({"client_id": "x"}), "redirect URIs"),
            (
                json!({"client_id": "a\u{1b}[2J", "redirect_uris": [uri]}),
                "characters that none has",
            ),
            (json!({"redirect_uris": [uri]}), "it holds no client_id"),
        ] {
            let why = adopted(members, &default).unwrap_err();
            assert!(why.contains(part) && !why.contains("canary"), "{part}: {why}");
        }
    }
}
