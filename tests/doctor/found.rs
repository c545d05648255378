//! What leads to a sign-in.

use super::{Seen, doctor, seen};
use crate::support::auth_server::Plan;
use crate::support::{Guarded, McpServer};

/// What `bridge doctor` says of a server before anybody signs in: there is no token, and beside that only this.
#[track_caller]
fn found(plan: Plan, options: &[&str]) -> (Guarded, Seen) {
    let server = Guarded::with(plan.expects_refusals(), McpServer::legacy());
    let told = seen(doctor([server.mcp.url()]).args(options.iter().copied()));
    (server, told)
}

#[test]
fn what_leads_to_a_sign_in_is_told_step_by_step() {
    let (server, told) = found(Plan::default(), &[]);
    assert_eq!((told.failed(), told.code), (vec!["token"], 3), "{told:?}");
    assert!(told.text("issuer", "detail").starts_with(&server.auth.issuer()), "{told:?}");
    assert_eq!(told.text("registration", "detail"), "dynamic registration");
    assert_eq!(told.text("pkce", "detail"), "S256");
    let tried = told.check("discovery")["data"].as_array().unwrap();
    assert!(tried.iter().all(|tried| tried["status"] == 200), "{told:?}");
    assert_eq!(server.asked("/register") + server.asked("/authorize") + server.asked("/token"), 0);
}

#[test]
fn a_provider_that_can_not_be_used_is_found() {
    let without = |member: &'static str| {
        Plan::default().metadata(move |document| {
            document.as_object_mut().unwrap().remove(member);
        })
    };
    let (_server, told) = found(without("registration_endpoint"), &[]);
    assert_eq!(told.failed(), ["registration", "token"], "{told:?}");
    assert!(told.text("registration", "hint").contains("`--client-id`"), "{told:?}");
    let (_server, told) = found(without("registration_endpoint"), &["--client-id", "me"]);
    assert_eq!(told.failed(), ["token"], "{told:?}");
    let (_server, told) = found(without("code_challenge_methods_supported"), &[]);
    assert_eq!((told.failed(), told.code), (vec!["pkce", "token"], 4), "{told:?}");
    let other =
        Plan::default().metadata(|document| document["issuer"] = "https://other.example".into());
    let (_server, told) = found(other, &[]);
    assert_eq!(told.failed(), ["issuer", "token"], "{told:?}");
    assert!(
        told.text("issuer", "hint").contains("--trust-issuer https://other.example"),
        "{told:?}"
    );
    let other =
        Plan::default().metadata(|document| document["issuer"] = "https://other.example".into());
    let (_server, told) = found(other, &["--trust-issuer", "https://other.example"]);
    assert_eq!(told.failed(), ["token"], "{told:?}");
    let nowhere = Plan { metadata_at: Vec::new(), ..Plan::default() };
    let (_server, told) = found(nowhere, &[]);
    assert_eq!(told.failed(), ["discovery", "token"], "{told:?}");
    assert!(told.text("discovery", "hint").contains("--auth-server-metadata-url"), "{told:?}");
}
