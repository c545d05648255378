//! The authorization server refuses what no good client sends, and says why.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::auth_server::{AuthServer, Client, Plan, visit};

const REDIRECT: &str = "http://127.0.0.1:1/cb";
/// A verifier and its challenge (RFC 7636 Appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

type Pairs<'a> = Vec<(&'a str, String)>;

fn server() -> AuthServer {
    let server = Plan::default().expects_refusals().run();
    let client = Client {
        secret: None,
        redirect_uris: vec![REDIRECT.to_owned()],
        scope: Some("read".into()),
        method: "none".into(),
    };
    server.register("me", client);
    server
}

/// Good parameters, with one of them changed, or left out.
fn with<'a>(mut pairs: Pairs<'a>, name: &'a str, value: Option<&str>) -> Pairs<'a> {
    pairs.retain(|(given, _)| *given != name);
    pairs.extend(value.map(|value| (name, value.to_owned())));
    pairs
}

fn encoded(pairs: &Pairs<'_>) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn authorization(server: &AuthServer) -> Pairs<'static> {
    let pairs = [
        ("response_type", "code"),
        ("client_id", "me"),
        ("redirect_uri", REDIRECT),
        ("state", "twenty-characters-and-more"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", "read"),
        ("resource", &server.mcp_url()),
    ];
    pairs.map(|(name, value)| (name, value.to_owned())).into()
}

fn authorize(server: &AuthServer, pairs: &Pairs<'_>) -> Result<String, u16> {
    visit(&server.at(&format!("/authorize?{}", encoded(pairs))))
}

fn code(server: &AuthServer) -> String {
    let query = authorize(server, &authorization(server)).expect("a redirect");
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "code").expect("a code").1.into_owned()
}

fn redemption(server: &AuthServer) -> Pairs<'static> {
    vec![
        ("grant_type", "authorization_code".into()),
        ("code", code(server)),
        ("redirect_uri", REDIRECT.into()),
        ("code_verifier", VERIFIER.into()),
        ("client_id", "me".into()),
        ("resource", server.mcp_url()),
    ]
}

/// The whole answer of the token endpoint.
fn redeem(server: &AuthServer, pairs: &Pairs<'_>) -> String {
    let body = encoded(pairs);
    let address = server.at("").replace("http://", "");
    let mut socket = TcpStream::connect(address).expect("a server");
    let head = "content-type: application/x-www-form-urlencoded";
    let length = body.len();
    write!(socket, "POST /token HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}")
        .expect("a request");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_authorization_page_takes_only_what_is_right_in_every_parameter() {
    let server = server();
    assert!(authorize(&server, &authorization(&server)).unwrap().starts_with("code="));
    for (name, value) in [("client_id", "you"), ("redirect_uri", "http://127.0.0.1:2/cb")] {
        let wrong = with(authorization(&server), name, Some(value));
        assert_eq!(authorize(&server, &wrong), Err(400), "{name}: nobody is sent there");
    }
    for (name, value, error) in [
        ("response_type", Some("token"), "invalid_request"),
        ("state", None, "invalid_request"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("resource", None, "invalid_target"),
        ("resource", Some("https://other.example"), "invalid_target"),
        ("scope", Some("read admin"), "invalid_scope"),
    ] {
        let query = authorize(&server, &with(authorization(&server), name, value)).unwrap();
        assert!(query.starts_with(&format!("error={error}")), "{name}: {query}");
    }
}

#[test]
fn a_code_is_redeemed_once_by_who_asked_for_it() {
    let server = server();
    let good = redemption(&server);
    assert!(redeem(&server, &good).starts_with("HTTP/1.1 200"));
    assert!(redeem(&server, &good).contains("invalid_grant"), "it was used");
    for (name, value, error) in [
        ("code", Some("x"), "invalid_grant"),
        ("code_verifier", Some("x"), "invalid_grant"),
        ("code_verifier", None, "invalid_grant"),
        ("redirect_uri", Some("http://127.0.0.1:2/cb"), "invalid_grant"),
        ("client_id", Some("you"), "invalid_client"),
        ("client_secret", Some("x"), "invalid_client"),
        ("resource", None, "invalid_target"),
        ("grant_type", Some("password"), "unsupported_grant_type"),
    ] {
        let answer = redeem(&server, &with(redemption(&server), name, value));
        assert!(answer.contains(error), "{name}: {answer}");
    }
}

#[test]
#[should_panic(expected = "the authorization server refused")]
fn a_refusal_that_no_test_expects_fails_it() {
    let server = Plan::default().run();
    let _ = authorize(&server, &authorization(&server));
}
