//! Without a browser here: on another device, and clients that act for themselves.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_bridge::auth::client_credentials::named_provider;
use mcp_bridge::auth::device::Poll;
use mcp_bridge::auth::{AuthMethod, ClientSecret, FailureKind, Scopes, Settings};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use url::Url;

use super::{Login, run, secret};
use crate::support::auth_server::{AuthServer, Client, Plan};

#[test]
fn a_device_waits_as_it_is_told_until_the_person_approves() {
    let server = Plan {
        device: vec!["authorization_pending", "slow_down", "broken", "approve"],
        ..Plan::default()
    }
    .run();
    let login = Login::to(&server);
    run(async {
        let provider = login.discover(None).await.found.unwrap();
        let scopes = Scopes::parse("read");
        let client = login.register(&provider, &scopes).await.unwrap();
        let endpoint = login.endpoint(&provider, &client);
        let mut sign_in = endpoint.begin_device(&scopes).await.unwrap();
        assert_eq!(sign_in.user_code, "WDJB-MJHT");
        assert_eq!(sign_in.verification_uri, server.at("/activate"));
        let seconds = Duration::from_secs;
        for pause in [seconds(1), seconds(6), seconds(12)] {
            assert_eq!(endpoint.poll_device(&mut sign_in).await, Ok(Poll::Wait(pause)));
        }
        let Ok(Poll::Granted(granted)) = endpoint.poll_device(&mut sign_in).await else {
            panic!("the person approved");
        };
        assert!(server.accepts(granted.tokens.access_token.expose()));
    });
}

#[test]
fn a_device_learns_that_the_person_said_no_or_was_too_late() {
    for (answer, kind) in
        [("access_denied", FailureKind::Denied), ("expired_token", FailureKind::Expired)]
    {
        let server = Plan { device: vec![answer], ..Plan::default() }.run();
        let login = Login::to(&server);
        run(async {
            let provider = login.discover(None).await.found.unwrap();
            let client = login.register(&provider, &Scopes::default()).await.unwrap();
            let endpoint = login.endpoint(&provider, &client);
            let mut sign_in = endpoint.begin_device(&Scopes::default()).await.unwrap();
            let failure = endpoint.poll_device(&mut sign_in).await.unwrap_err();
            assert_eq!(failure.kind, kind);
            sign_in.deadline = super::now();
            let late = endpoint.poll_device(&mut sign_in).await.unwrap_err();
            assert_eq!(late.kind, FailureKind::Expired);
        });
        assert_eq!(server.asked("/token").len(), 1, "a code that is over is not asked about");
    }
}

/// A client that acts for itself, by the document or by the endpoint alone.
fn mint(server: &AuthServer, settings: Settings) -> Result<AuthMethod, FailureKind> {
    let login = Login::with(server, settings);
    run(async {
        let provider = match named_provider(&login.settings, &login.server) {
            Some(provider) => provider,
            None => login.discover(None).await.found.map_err(|failure| failure.kind)?,
        };
        let scopes = login.scopes(None, &provider);
        let client = login.register(&provider, &scopes).await.map_err(|failure| failure.kind)?;
        let endpoint = login.endpoint(&provider, &client);
        let granted = endpoint.client_credentials(&scopes).await.map_err(|failure| failure.kind)?;
        assert!(server.accepts(granted.tokens.access_token.expose()));
        assert_eq!(granted.tokens.refresh_token, None);
        Ok(granted.method)
    })
}

fn settings(client_secret: Option<ClientSecret>) -> Settings {
    Settings { client_id: Some("me".into()), client_secret, ..Settings::default() }
}

fn known(secret: Option<&str>) -> Client {
    Client {
        secret: secret.map(str::to_owned),
        redirect_uris: Vec::new(),
        scope: None,
        method: "client_secret_basic".into(),
    }
}

#[test]
fn a_client_mints_tokens_with_its_secret_in_header_or_form() {
    for (methods, expected) in [
        (vec!["client_secret_basic"], AuthMethod::Basic),
        (vec!["client_secret_post"], AuthMethod::Post),
    ] {
        let server = Plan { methods, ..Plan::default() }.run();
        server.register("me", known(Some("canary")));
        let shared = Some(ClientSecret::Shared(secret("canary")));
        assert_eq!(mint(&server, settings(shared.clone())), Ok(expected));
        assert_eq!(
            server.asked("/token")[0].field("scope").as_deref(),
            Some("read write offline_access")
        );
    }
}

#[test]
fn a_named_token_endpoint_needs_no_discovery() {
    let server = Plan::default().run();
    server.register("me", known(Some("canary")));
    let settings = Settings {
        token_endpoint: Url::parse(&server.at("/token")).ok(),
        ..settings(Some(ClientSecret::Shared(secret("canary"))))
    };
    assert_eq!(mint(&server, settings), Ok(AuthMethod::Basic));
    assert_eq!(server.paths(), ["/token"]);
}

#[test]
fn a_client_signs_for_the_issuer_and_names_itself_in_the_assertion_alone() {
    let server = Plan { methods: vec!["private_key_jwt"], ..Plan::default() }.run();
    server.register("me", known(None));
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .unwrap();
    let body = STANDARD.encode(der.as_ref());
    let pem = secret(&format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"));
    let key = ClientSecret::PrivateKey { pem, algorithm: Some("ES256".into()) };
    assert_eq!(mint(&server, settings(Some(key))), Ok(AuthMethod::PrivateKeyJwt));
    let asked = &server.asked("/token")[0];
    assert_eq!(asked.field("client_id"), None);
    assert_eq!(
        asked.field("client_assertion_type").as_deref(),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
}

#[test]
fn a_client_without_a_proof_is_not_asked_about() {
    let server = Plan::default().run();
    assert_eq!(mint(&server, settings(None)), Err(FailureKind::Settings));
    assert!(server.asked("/token").is_empty());
}
