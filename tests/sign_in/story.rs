//! A sign-in from its beginning to its end.

use mcp_bridge::auth::registration::{Standing, standing};
use mcp_bridge::auth::{
    Answer, Callback, Challenge, FailureKind, Record, Revoked, Scopes, Settings, scopes,
};
use url::Url;

use super::{Login, now, run, unchanged};
use crate::support::auth_server::{Plan, visit};

#[test]
fn a_sign_in_is_discovery_registration_authorization_and_one_exchange() {
    let server = Plan::default().run();
    let login = Login::to(&server);
    let signed_in = run(login.sign_in(None, unchanged)).unwrap();
    assert!(server.accepts(signed_in.access_token()));
    assert_eq!(signed_in.scopes.to_string(), "read write offline_access");
    assert_eq!(
        server.paths(),
        [
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-authorization-server",
            "/register",
            "/authorize",
            "/token",
        ]
    );
    let registered = server.asked("/register")[0].json();
    assert_eq!(registered["client_name"], "bridge on box");
    assert_eq!(registered["scope"], "read write offline_access");
    assert_eq!(registered["token_endpoint_auth_method"], "none");
    let exchange = &server.asked("/token")[0];
    assert_eq!(exchange.header("authorization"), None);
    assert_eq!(exchange.field("resource"), Some(server.mcp_url()));
}

#[test]
fn a_refresh_rotates_and_an_old_token_is_known_as_over() {
    let server = Plan::default().expects_refusals().run();
    let login = Login::to(&server);
    run(async {
        let signed_in = login.sign_in(None, unchanged).await.unwrap();
        let endpoint = login.endpoint(&signed_in.provider, &signed_in.client);
        let first = &signed_in.granted.tokens;
        let second = endpoint.refresh(first, &signed_in.scopes).await.unwrap().tokens;
        assert_ne!(first.refresh_token, second.refresh_token);
        assert!(server.accepts(second.access_token.expose()));
        let failure = endpoint.refresh(first, &signed_in.scopes).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidGrant);
        assert!(!failure.is_transient());
        assert!(!format!("{failure:?}").contains("canary"), "{failure:?}");
    });
    let refresh = &server.asked("/token")[1];
    assert_eq!(refresh.field("resource"), Some(server.mcp_url()));
    assert_eq!(refresh.field("scope"), None);
}

#[test]
fn a_start_with_a_record_discovers_nothing() {
    let server = Plan::default().run();
    let login = Login::to(&server);
    let signed_in = run(login.sign_in(None, unchanged)).unwrap();
    let mut record = Record::new(server.mcp_url(), "default");
    record.set_provider(signed_in.provider);
    record.registration = Some(signed_in.client);
    record.grant(signed_in.granted, &signed_in.scopes);
    let before = server.paths().len();

    let again = Record::from_bytes(record.to_bytes().expose()).unwrap();
    let (provider, client) =
        (again.provider.as_ref().unwrap(), again.registration.as_ref().unwrap());
    let tokens = again.tokens.as_ref().unwrap();
    run(async {
        let endpoint = login.endpoint(provider, client);
        let tokens = endpoint.refresh(tokens, &again.scopes).await.unwrap().tokens;
        assert_eq!(endpoint.revoke(&tokens).await, Ok(Revoked::Done));
        assert!(!server.accepts(tokens.access_token.expose()));
    });
    assert_eq!(server.paths()[before..], ["/token", "/revoke", "/revoke"]);
}

#[test]
fn a_step_up_asks_for_the_union_with_the_client_that_was_registered_wide_enough() {
    let server = Plan::default().run();
    let login = Login::to(&server);
    run(async {
        let narrow = Challenge { scope: Some("read".into()), ..Challenge::default() };
        let first = login.sign_in(Some(&narrow), unchanged).await.unwrap();
        assert_eq!(first.scopes.to_string(), "read offline_access");
        let listed = first.provider.metadata.scopes_supported.clone();
        let more = scopes::step_up(&first.scopes, "write", listed.as_ref());
        let second = login.authorize(first.provider, first.client, more, unchanged).await.unwrap();
        assert!(second.granted.tokens.scopes.unwrap().has("write"));
    });
    assert_eq!(server.asked("/register").len(), 1);
}

#[test]
fn a_sign_in_may_be_finished_by_another_process() {
    let server = Plan::default().run();
    let login = Login::to(&server);
    run(async {
        let provider = login.discover(None).await.found.unwrap();
        let scopes = Scopes::parse("read");
        let client = login.register(&provider, &scopes).await.unwrap();
        let mut record = Record::new(server.mcp_url(), "default");
        record.pending = Some(login.begin(&provider, &client, &scopes).unwrap());
        (record.provider, record.registration) = (Some(provider), Some(client));

        let record = Record::from_bytes(record.to_bytes().expose()).unwrap();
        let pending = record.pending.unwrap();
        assert!(!pending.is_over(now()) && pending.is_over(pending.deadline));
        let query = visit(pending.url.expose()).unwrap();
        let Answer::Code(code) = pending.read(&Callback::parse(&query).unwrap()) else {
            panic!("a code");
        };
        let (provider, client) = (record.provider.unwrap(), record.registration.unwrap());
        let endpoint = login.endpoint(&provider, &client);
        let granted = endpoint.redeem(&pending, &code).await.unwrap();
        assert!(server.accepts(granted.tokens.access_token.expose()));
    });
}

#[test]
fn the_users_own_parameters_replace_ours_but_for_those_that_safety_rests_on() {
    let server = Plan { wants_resource: false, ..Plan::default() }.run();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let settings = |params| Settings {
        authorize_params: params,
        token_params: vec![pair("audience", "x")],
        resource: mcp_bridge::auth::Resource::Omitted,
        ..Settings::default()
    };
    let login = Login::with(&server, settings(vec![pair("prompt", "consent"), pair("a", "b")]));
    run(login.sign_in(None, unchanged)).unwrap();
    let asked = &server.asked("/authorize")[0];
    assert_eq!((asked.param("a").as_deref(), asked.param("resource")), (Some("b"), None));
    assert_eq!(server.asked("/token")[0].field("audience").as_deref(), Some("x"));

    let login = Login::with(&server, settings(vec![pair("code_challenge", "x")]));
    let failure = run(login.sign_in(None, unchanged)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Settings);
}

#[test]
fn a_client_that_died_is_noticed_before_a_person_sees_it() {
    let server = Plan::default().expects_refusals().run();
    let login = Login::to(&server);
    run(async {
        let provider = login.discover(None).await.found.unwrap();
        let scopes = Scopes::parse("read");
        let client = login.register(&provider, &scopes).await.unwrap();
        let url = |pending: mcp_bridge::auth::Pending| Url::parse(pending.url.expose()).unwrap();
        let page = url(login.begin(&provider, &client, &scopes).unwrap());
        assert_eq!(standing(&login.fetch, &page).await, Standing::Alive);
        server.forget_clients();
        assert_eq!(standing(&login.fetch, &page).await, Standing::Dead);
        assert!(client.fits(&provider, Some(super::REDIRECT), now()));
        assert!(!client.fits(&provider, Some("http://127.0.0.1:2/oauth/callback"), now()));
    });
}

#[test]
fn a_client_that_was_registered_for_less_is_noticed_before_a_person_sees_it() {
    let server = Plan { scopes_are_bound: true, ..Plan::default() }.expects_refusals().run();
    let login = Login::to(&server);
    run(async {
        let provider = login.discover(None).await.found.unwrap();
        let read = Scopes::parse("read");
        let client = login.register(&provider, &read).await.unwrap();
        let asks = |scopes: &str| {
            let pending = login.begin(&provider, &client, &Scopes::parse(scopes)).unwrap();
            Url::parse(pending.url.expose()).unwrap()
        };
        assert_eq!(standing(&login.fetch, &asks("read")).await, Standing::Alive);
        assert_eq!(standing(&login.fetch, &asks("read nobody-knows")).await, Standing::Narrow);
    });
}

#[test]
fn a_resource_that_the_provider_refuses_is_left_out_of_every_request_from_then_on() {
    let server = Plan { wants_resource: false, ..Plan::default() }.expects_refusals().run();
    let login = Login::to(&server);
    run(async {
        let refused = login.sign_in(None, unchanged).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::InvalidTarget);
        let mut record = Record::new(server.mcp_url(), "default");
        record.set_provider(login.discover(None).await.found.unwrap());
        record.refuse_resource();
        let provider = record.provider.clone().unwrap();
        let scopes = Scopes::parse("read");
        let client = login.register(&provider, &scopes).await.unwrap();
        let signed_in =
            login.authorize(provider.clone(), client.clone(), scopes, unchanged).await.unwrap();
        let endpoint = login.endpoint(&provider, &client);
        let tokens = &signed_in.granted.tokens;
        endpoint.refresh(tokens, &signed_in.scopes).await.unwrap();
        let more = scopes::step_up(&signed_in.scopes, "write", None);
        let client = login.register(&provider, &more).await.unwrap();
        login.authorize(provider, client, more, unchanged).await.unwrap();
    });
    let all = [server.asked("/authorize"), server.asked("/token")].concat();
    let with = |asked: &crate::support::auth_server::Asked| {
        asked.param("resource").or_else(|| asked.field("resource")).is_some()
    };
    assert_eq!(all.iter().filter(|asked| with(asked)).count(), 1, "the first alone");
    assert_eq!(all.len(), 6);
}
