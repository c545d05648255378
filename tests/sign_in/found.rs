//! Who signs users in, wherever the documents lie (PAINS: discovery location).

use mcp_bridge::auth::{Challenge, FailureKind, Settings, Trust};
use url::Url;

use super::{Login, run};
use crate::support::auth_server::{Answer, Plan};

const PATH: &str = "/.well-known/oauth-protected-resource/mcp";
const ROOT: &str = "/.well-known/oauth-protected-resource";
const NAMED: &str = "/somewhere/.well-known/resource";

#[test]
fn every_place_of_each_document_is_found_in_the_specifications_order() {
    let resources = [Some(NAMED), Some(PATH), Some(ROOT), None];
    let at_root = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
    let at_path = [
        "/.well-known/oauth-authorization-server/tenant",
        "/.well-known/openid-configuration/tenant",
        "/tenant/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
    ];
    for resource in resources {
        for (issuer_path, places) in [("", &at_root[..]), ("/tenant", &at_path[..])] {
            for (index, place) in places.iter().enumerate() {
                // Without metadata of the resource nobody names an issuer with a path.
                if resource.is_none() && !issuer_path.is_empty() {
                    continue;
                }
                let server = Plan {
                    issuer_path,
                    resource_at: resource.into_iter().collect(),
                    metadata_at: vec![place],
                    ..Plan::default()
                }
                .run();
                let challenge = Challenge {
                    resource_metadata: Some(server.at(NAMED)).filter(|_| resource == Some(NAMED)),
                    ..Challenge::default()
                };
                let found = run(Login::to(&server).discover(Some(&challenge)));
                let provider = found.found.unwrap_or_else(|why| panic!("{why}: {place}"));
                assert_eq!(provider.issuer, server.issuer());
                assert_eq!(provider.trust, Trust::Validated);
                assert_eq!(provider.resource, Some(server.mcp_url()));
                let mut expected: Vec<&str> = match resource {
                    Some(NAMED) => vec![NAMED],
                    Some(PATH) => vec![PATH],
                    _ => vec![PATH, ROOT],
                };
                expected.extend(&places[..=index]);
                assert_eq!(server.paths(), expected);
                assert_eq!(found.tried.len(), expected.len());
                assert_eq!(found.tried.last().unwrap().status, Some(200));
            }
        }
    }
}

#[test]
fn a_server_of_2025_03_26_without_documents_has_default_endpoints() {
    let server =
        Plan { resource_at: vec![], metadata_at: vec![], iss: false, ..Plan::default() }.run();
    let signed_in = run(Login::to(&server).sign_in(None, super::unchanged)).unwrap();
    assert_eq!(signed_in.provider.trust, Trust::Unverified);
    assert_eq!(signed_in.scopes.to_string(), "");
    assert_eq!(server.asked("/authorize")[0].param("scope"), None);
    assert!(server.accepts(signed_in.access_token()));
}

#[test]
fn odd_answers_of_one_place_end_no_other() {
    let html = || Answer::page(200, "<html>the single page app</html>");
    for odd in [
        Answer::page(500, "<h1>Oops</h1>"),
        Answer::http(429, &[("retry-after", "9")], ""),
        Answer::http(204, &[], ""),
        html(),
        Answer::json(200, &serde_json::json!([])),
        Answer::json(200, &serde_json::json!({"error": "no"})),
        Answer::redirect(302, "https://elsewhere.example/"),
        Answer::Raw(b"nonsense".to_vec()),
        Answer::Raw(Vec::new()),
    ] {
        let server = Plan {
            resource_at: vec![ROOT],
            metadata_at: vec!["/.well-known/openid-configuration"],
            ..Plan::default()
        }
        .always(PATH, odd.clone())
        .always("/.well-known/oauth-authorization-server", odd)
        .run();
        let found = run(Login::to(&server).discover(None));
        assert!(found.found.is_ok(), "{:#?}", found.tried);
        assert_eq!(found.tried.len(), 4);
    }
}

#[test]
fn a_server_in_trouble_is_not_taken_for_one_without_documents() {
    for trouble in [Answer::page(503, "<h1>Down</h1>"), Answer::Raw(Vec::new())] {
        let server = Plan::default().always("*", trouble).run();
        let failure = run(Login::to(&server).discover(None)).found.unwrap_err();
        assert!(failure.is_transient(), "{failure}");
    }
}

#[test]
fn another_issuer_is_trusted_only_by_name() {
    let plan =
        || Plan::default().metadata(|document| document["issuer"] = "https://other.example".into());
    let server = plan().run();
    let failure = run(Login::to(&server).discover(None)).found.unwrap_err();
    assert_eq!(failure.kind, FailureKind::IssuerMismatch);
    let told = format!("{failure} {}", failure.hint.as_deref().unwrap());
    assert!(told.contains("https://other.example") && told.contains(&server.issuer()), "{told}");
    assert!(told.contains("--trust-issuer https://other.example"), "{told}");

    let trusting =
        |issuer: &str| Settings { trust_issuer: Some(issuer.to_owned()), ..Settings::default() };
    let login = Login::with(&server, trusting("https://other.example"));
    let provider = run(login.discover(None)).found.unwrap();
    assert_eq!(
        (provider.trust, &*provider.issuer),
        (Trust::TrustedByUser, "https://other.example")
    );
    let login = Login::with(&server, trusting("https://third.example"));
    assert!(run(login.discover(None)).found.is_err());
}

#[test]
fn a_document_that_the_user_names_is_the_one_that_is_read() {
    let server = Plan { metadata_at: vec!["/elsewhere/.well-known/as"], ..Plan::default() }.run();
    let settings = Settings {
        auth_server_metadata_url: Url::parse(&server.at("/elsewhere/.well-known/as")).ok(),
        ..Settings::default()
    };
    let provider = run(Login::with(&server, settings).discover(None)).found.unwrap();
    assert_eq!(provider.trust, Trust::NamedByUser);
    assert_eq!(server.paths(), [PATH, "/elsewhere/.well-known/as"]);
}

#[test]
fn a_second_authorization_server_is_tried_when_the_first_says_nothing() {
    let server = Plan::default()
        .resource(|document| {
            let real = document["authorization_servers"][0].clone();
            let nobody = format!("{}/nobody", real.as_str().unwrap());
            document["authorization_servers"] = serde_json::json!([nobody, real]);
        })
        .metadata(|_| {})
        .rule("/.well-known/oauth-authorization-server", {
            let first = std::sync::atomic::AtomicBool::new(true);
            move |_| {
                let first = first.swap(false, std::sync::atomic::Ordering::Relaxed);
                first.then(|| Answer::page(404, "<h1>Not Found</h1>"))
            }
        })
        .run();
    let provider = run(Login::to(&server).discover(None)).found.unwrap();
    assert_eq!(provider.issuer, server.issuer());
}
