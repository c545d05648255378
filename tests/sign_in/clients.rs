//! How an authorization server comes to know us, and how we prove it.

use mcp_bridge::auth::registration::{CLIENT_METADATA_URL, known as known_client};
use mcp_bridge::auth::{AuthMethod, ClientSecret, FailureKind, Registration, Scopes, Settings};
use serde_json::json;
use url::Url;

use super::{Login, REDIRECT, now, run, secret, unchanged};
use crate::support::auth_server::{Answer, Client, Plan};

fn known(secret: Option<&str>) -> Client {
    Client {
        secret: secret.map(str::to_owned),
        redirect_uris: vec![REDIRECT.to_owned()],
        scope: Some("read write offline_access".into()),
        method: "client_secret_basic".into(),
    }
}

fn pre_registered(secret_text: &str) -> Settings {
    Settings {
        client_id: Some("me".into()),
        client_secret: Some(ClientSecret::Shared(secret(secret_text))),
        ..Settings::default()
    }
}

#[test]
fn a_secret_goes_as_the_metadata_says_else_in_the_header() {
    for (methods, expected) in [
        (vec!["client_secret_basic", "client_secret_post"], AuthMethod::Basic),
        (vec!["client_secret_post"], AuthMethod::Post),
        (vec![], AuthMethod::Basic),
    ] {
        let server = Plan { methods, ..Plan::default() }.run();
        server.register("me", known(Some("s/e c+ret")));
        let login = Login::with(&server, pre_registered("s/e c+ret"));
        let signed_in = run(login.sign_in(None, unchanged)).unwrap();
        assert_eq!(signed_in.granted.method, expected);
        assert_eq!(server.asked("/token").len(), 1);
        assert!(server.asked("/register").is_empty());
    }
}

#[test]
fn a_proof_that_is_refused_goes_once_the_other_way_and_that_is_remembered() {
    for (only, remembered) in
        [("client_secret_post", AuthMethod::Post), ("client_secret_basic", AuthMethod::Basic)]
    {
        let advertised =
            if only == "client_secret_post" { "client_secret_basic" } else { "client_secret_post" };
        let server = Plan { methods: vec![advertised], only_method: Some(only), ..Plan::default() }
            .expects_refusals()
            .run();
        server.register("me", known(Some("secret-canary")));
        let login = Login::with(&server, pre_registered("secret-canary"));
        let signed_in = run(login.sign_in(None, unchanged)).unwrap();
        assert_eq!(signed_in.granted.method, remembered);
        assert_eq!(server.faults().len(), 1);
    }
}

#[test]
fn a_refusal_without_words_is_about_the_proof_and_names_no_client() {
    let server = Plan::default()
        .rule("/token", |asked| asked.header("authorization").map(|_| Answer::http(401, &[], "")))
        .run();
    server.register("me", known(Some("secret")));
    let login = Login::with(&server, pre_registered("secret"));
    let signed_in = run(login.sign_in(None, unchanged)).unwrap();
    assert_eq!(signed_in.granted.method, AuthMethod::Post);

    let server = Plan::default().always("/token", Answer::http(401, &[], "")).run();
    let failure = run(Login::to(&server).sign_in(None, unchanged)).unwrap_err();
    assert_eq!((failure.kind, failure.status), (FailureKind::BadAnswer, Some(401)));
    assert_eq!(server.asked("/token").len(), 1);
}

#[test]
fn a_registration_that_works_is_used_again_and_what_was_learnt_of_a_proof_is_kept() {
    let server = Plan::default().run();
    let login = Login::to(&server);
    let first = run(login.sign_in(None, unchanged)).unwrap();
    let (provider, mut client) = (first.provider, first.client);
    let known_again = |client: &Registration, uri| {
        known_client(&login.settings, &provider, Some(client), Some(uri), now())
    };
    assert_eq!(known_again(&client, REDIRECT), Some(client.clone()));
    assert_eq!(known_again(&client, "http://127.0.0.1:2/oauth/callback"), None);
    client.issuer = "https://other.example".into();
    assert_eq!(known_again(&client, REDIRECT), None);

    let settings = pre_registered("s");
    let fixed = known_client(&settings, &provider, None, None, now()).unwrap();
    let learnt = Registration { method: AuthMethod::Post, ..fixed.clone() };
    let remembered = |settings: &Settings| {
        known_client(settings, &provider, Some(&learnt), None, now()).unwrap().method
    };
    assert_eq!(remembered(&settings), AuthMethod::Post);
    assert_eq!(remembered(&pre_registered("another")), fixed.method);
}

#[test]
fn a_wrong_secret_is_asked_about_twice_and_no_more() {
    let server = Plan::default().expects_refusals().run();
    server.register("me", known(Some("right")));
    let login = Login::with(&server, pre_registered("wrong-canary"));
    let failure = run(login.sign_in(None, unchanged)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidClient);
    assert_eq!(server.asked("/token").len(), 2);
    assert!(!format!("{failure:?}").contains("canary"));
}

#[test]
fn a_server_without_public_clients_gives_a_secret_that_is_used() {
    for method in ["client_secret_basic", "client_secret_post"] {
        let server = Plan { methods: vec![method], ..Plan::default() }.run();
        let signed_in = run(Login::to(&server).sign_in(None, unchanged)).unwrap();
        assert!(signed_in.client.secret.is_some());
        assert!(server.accepts(signed_in.access_token()));
    }
}

#[test]
fn the_document_of_a_client_is_its_id_where_the_server_takes_it() {
    let url = "https://client.example/bridge.json";
    let settings = || Settings { client_metadata_url: Url::parse(url).ok(), ..Settings::default() };
    let server = Plan::default()
        .metadata(|document| document["client_id_metadata_document_supported"] = true.into())
        .run();
    server.register(url, Client { method: "none".into(), ..known(None) });
    let signed_in = run(Login::with(&server, settings()).sign_in(None, unchanged)).unwrap();
    assert_eq!(signed_in.client.client_id, url);
    assert!(server.asked("/register").is_empty());

    let server = Plan::default().run();
    let signed_in = run(Login::with(&server, settings()).sign_in(None, unchanged)).unwrap();
    assert_ne!(signed_in.client.client_id, url, "it is registered where the server takes none");
}

#[test]
fn the_published_document_names_the_client_by_its_own_address() {
    let page: serde_json::Value =
        serde_json::from_str(include_str!("../../docs/client-metadata.json")).unwrap();
    assert_eq!(page["client_id"], CLIENT_METADATA_URL);
    assert_eq!(page["token_endpoint_auth_method"], "none");
}

#[test]
fn scopes_that_no_client_may_have_are_left_out_of_a_second_registration() {
    let server = Plan { scopes_are_bound: false, ..Plan::default() }
        .rule("/register", |asked| {
            let refused = json!({"error": "invalid_client_metadata",
                "error_description": "scope offline_access is not allowed"});
            asked.json().get("scope").map(|_| Answer::json(400, &refused))
        })
        .run();
    run(Login::to(&server).sign_in(None, unchanged)).unwrap();
    assert_eq!(server.asked("/register").len(), 2);
}

#[test]
fn without_any_way_to_register_the_error_says_what_to_register_by_hand() {
    let server =
        Plan::default().metadata(|document| document["registration_endpoint"] = json!(null)).run();
    let failure = run(Login::to(&server).sign_in(None, unchanged)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NoRegistration);
    let hint = failure.hint.unwrap();
    assert!(hint.contains(REDIRECT) && hint.contains("--client-id"), "{hint}");
}

#[test]
fn a_dynamic_client_that_the_token_endpoint_does_not_know_is_told_as_dead() {
    let server = Plan::default().expects_refusals().run();
    let login = Login::to(&server);
    run(async {
        let signed_in = login.sign_in(None, unchanged).await.unwrap();
        server.forget_clients();
        let endpoint = login.endpoint(&signed_in.provider, &signed_in.client);
        let scopes = Scopes::default();
        let failure = endpoint.refresh(&signed_in.granted.tokens, &scopes).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidClient);
    });
}

#[test]
fn a_secret_that_is_over_is_not_used() {
    let server = Plan { methods: vec!["client_secret_basic"], ..Plan::default() }
        .registers(|answer| answer["client_secret_expires_at"] = json!(4_000_000_000_u64))
        .run();
    let signed_in = run(Login::to(&server).sign_in(None, unchanged)).unwrap();
    let at = mcp_bridge::clock::Moment::from_unix_seconds;
    assert!(signed_in.client.fits(&signed_in.provider, None, at(3_999_999_999)));
    assert!(!signed_in.client.fits(&signed_in.provider, None, at(4_000_000_000)));
}
