use std::time::Duration;

use serde_json::json;

use super::client_of;
use crate::support::certificates::{Certificate, Protocols};
use crate::support::http_client::HttpClient;
use crate::support::{Answer, Gate, McpServer, Step};

#[test]
fn a_stopped_server_refuses_and_comes_back_on_its_port() {
    let server = McpServer::legacy().run();
    let mut client = client_of(&server);
    server.stop();
    assert!(client.call(1, "ping", json!({})).is_err());
    let refused = format!("{:?}", HttpClient::try_to(&server.host()).err().expect("no connection"));
    assert!(refused.contains("ConnectionRefused"), "{refused}");
    server.start();
    let mut client = HttpClient::to(&server);
    client.adopt_session("canary-session-1");
    assert_eq!(client.call(2, "ping", json!({})).expect("an answer").status, 200);
    server.restart();
    let mut client = HttpClient::to(&server);
    client.adopt_session("canary-session-1");
    assert_eq!(client.call(3, "ping", json!({})).expect("an answer").status, 404);
}

#[test]
fn a_server_can_be_down_at_first() {
    let server = McpServer::legacy().run_stopped();
    assert!(HttpClient::try_to(&server.host()).is_err());
    server.start();
    client_of(&server);
    assert_eq!(server.connections(), 1);
}

#[test]
fn the_first_connections_are_reset() {
    let server = McpServer::legacy().reset_first_connections(1).run();
    let first =
        HttpClient::try_to(&server.host()).and_then(|mut first| first.call(1, "ping", json!({})));
    assert!(first.is_err());
    client_of(&server);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let gate = Gate::named("the answer");
    let server = McpServer::legacy()
        .close_idle_after(Duration::from_millis(50))
        .once("ping", Answer::well_behaved().after(&gate))
        .run();
    let mut client = client_of(&server);
    std::thread::scope(|scope| {
        let ping = scope.spawn(|| client.call(1, "ping", json!({})).expect("an answer").status);
        server.wait_for("ping");
        assert!(!gate.wait_at_most(Duration::from_millis(200)), "time passes");
        gate.open();
        assert_eq!(ping.join().expect("no panic"), 200);
    });
    server.wait_until_left();
}

#[test]
fn connections_can_be_reset_or_asked_to_leave() {
    let server = McpServer::legacy().run();
    let mut client = client_of(&server);
    server.say_goodbye();
    server.wait_until_left();
    assert!(client.call(1, "ping", json!({})).is_err());
    client_of(&server);
    let _staying = client_of(&server);
    assert!(server.open_connections() >= 1);
    server.reset_connections();
    server.wait_until_left();
}

#[test]
fn a_private_authority_vouches_for_http2() {
    let server = McpServer::legacy().https().run();
    let mut client = HttpClient::with_tls(&server, &server.ca_file()).expect("a connection");
    assert!(client.is_http2());
    client.initialize();
    server.once("ping", Answer::refuse_stream());
    let refused = client.call(1, "ping", json!({})).err().expect("no answer");
    assert!(format!("{refused:?}").contains("REFUSED_STREAM"), "{refused:?}");
    assert_eq!(client.call(1, "ping", json!({})).expect("an answer").status, 200);
    assert!(server.bytes_written() > 1000);
}

#[test]
fn http2_streams_can_be_limited() {
    let end = Gate::named("the end of the first stream");
    let first = Answer::stream([Step::comment("hi"), Step::Wait(end.clone())]);
    let server = McpServer::legacy().https().max_concurrent_streams(1).once("ping", first).run();
    let mut client = HttpClient::with_tls(&server, &server.ca_file()).expect("a connection");
    client.initialize();
    let mut other = client.on_the_same_connection();
    let first = client.call(1, "ping", json!({})).expect("an answer");
    std::thread::scope(|scope| {
        let second = scope.spawn(|| other.call(2, "ping", json!({})).expect("an answer").status);
        assert!(!end.wait_at_most(Duration::from_millis(200)), "time passes");
        assert_eq!(server.count("ping"), 1);
        end.open();
        assert_eq!(second.join().expect("no panic"), 200);
    });
    assert_eq!(first.text(), ": hi\n\n");
}

#[test]
fn http1_alone_can_be_offered() {
    let server = McpServer::legacy().tls(Certificate::Good, Protocols::Http1).run();
    let mut client = HttpClient::with_tls(&server, &server.ca_file()).expect("a connection");
    assert!(!client.is_http2());
    client.initialize();
}

#[test]
fn certificates_can_be_wrong() {
    let shown =
        [Certificate::WrongName, Certificate::Expired, Certificate::SelfSigned].map(|shown| {
            let server = McpServer::legacy().tls(shown, Protocols::Http2AndHttp1).run();
            let failure =
                HttpClient::with_tls(&server, &server.ca_file()).err().expect("no connection");
            let failure = format!("{failure:?}");
            failure
        });
    for (failure, word) in shown.iter().zip(["NotValidForName", "Expired", "UnknownIssuer"]) {
        assert!(failure.contains(word), "{failure}");
    }
}
