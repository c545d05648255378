use std::time::{Duration, Instant};

use serde_json::json;

use super::client_of;
use crate::support::http_client::Reply;
use crate::support::mcp_server::matcher::{get, resumption};
use crate::support::{Answer, Gate, McpServer, Step};

/// What a client gets when `ping` is answered with these steps.
fn reply_in_steps(steps: impl IntoIterator<Item = Step>) -> Reply {
    let server = McpServer::legacy().once("ping", Answer::stream(steps)).run();
    client_of(&server).call(5, "ping", json!({})).expect("an answer").keep(server)
}

#[test]
fn every_kind_of_event_stands_on_the_wire() {
    let reply = reply_in_steps([
        Step::comment("hello"),
        Step::priming("s:0"),
        Step::retry(50),
        Step::notification("n", json!({})).with_id("s:1").named("message"),
        Step::bytes("data: half"),
        Step::bytes(" an event\r\n\r\n"),
        Step::result(json!(1)).with_id("s:2").with_retry(7),
    ]);
    assert_eq!(
        reply.text(),
        ": hello\n\n\
         id: s:0\ndata: \n\n\
         retry: 50\n\n\
         event: message\nid: s:1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"n\",\"params\":{}}\n\n\
         data: half an event\r\n\r\n\
         id: s:2\nretry: 7\ndata: {\"jsonrpc\":\"2.0\",\"id\":5,\"result\":1}\n\n"
    );
}

#[test]
fn a_step_can_take_time() {
    let start = Instant::now();
    reply_in_steps([Step::Pause(Duration::from_millis(100)), Step::comment("late")]).text();
    assert!(start.elapsed() >= Duration::from_millis(100));
}

#[test]
fn a_stream_can_end_well_without_the_answer() {
    let reply =
        reply_in_steps([Step::notification("n", json!({})), Step::End, Step::result(json!(1))]);
    let (bytes, end) = reply.read();
    assert!(end.is_ok() && bytes.ends_with(b"}\n\n") && !bytes.ends_with(b"1}\n\n"));
}

#[test]
fn a_stream_can_be_cut_in_the_middle_of_an_event() {
    let (bytes, end) = reply_in_steps([Step::bytes("data: {\"json"), Step::Cut]).read();
    assert_eq!(bytes, b"data: {\"json");
    assert!(format!("{:?}", end.expect_err("a cut")).contains("ConnectionReset"));
}

#[test]
fn a_stream_can_be_closed_in_the_middle_of_its_body() {
    let (bytes, end) = reply_in_steps([Step::comment("hi"), Step::Close]).read();
    assert_eq!(bytes, b": hi\n\n");
    let end = format!("{:?}", end.expect_err("an early end"));
    assert!(!end.contains("ConnectionReset"), "{end}");
}

#[test]
fn a_large_piece_is_out_before_the_cut() {
    let (bytes, end) = reply_in_steps([Step::bytes(vec![b'x'; 100_000]), Step::Close]).read();
    assert_eq!((bytes.len(), end.is_err()), (100_000, true));
}

#[test]
fn a_test_knows_how_far_a_stream_is() {
    let (sent, go_on) = (Gate::named("sent"), Gate::named("go on"));
    let mut reply = reply_in_steps([
        Step::comment("one"),
        Step::Open(sent.clone()),
        Step::Wait(go_on.clone()),
        Step::error(-1, "no"),
    ]);
    sent.wait();
    assert_eq!(reply.next().expect("a piece").expect("more"), ": one\n\n");
    go_on.open();
    assert!(reply.text().contains(r#""error":{"code":-1,"message":"no"}"#));
}

#[test]
fn a_cut_stream_is_resumed_after_any_of_its_events() {
    let more = Gate::named("more");
    let steps = [
        Step::priming("s:0"),
        Step::comment("no event of its own"),
        Step::event("1").with_id("s:1"),
        Step::Cut,
        Step::event("2").with_id("s:2"),
        Step::Wait(more.clone()),
        Step::result(json!({})).with_id("s:3"),
    ];
    let server = McpServer::legacy().once("ping", Answer::resumable_stream(steps)).run();
    let mut client = client_of(&server);
    let (_, end) = client.call(5, "ping", json!({})).expect("an answer").read();
    assert!(end.is_err());
    let resume = |after: &str| {
        let mut client = crate::support::http_client::HttpClient::to(&server);
        client.adopt_session("canary-session-1");
        client.get(Some(after)).expect("an answer")
    };
    let mut first = resume("s:1");
    assert_eq!(first.next().expect("a piece").expect("more"), "id: s:2\ndata: 2\n\n");
    more.open();
    let result = "id: s:3\ndata: {\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}\n\n";
    assert_eq!(first.text(), result);
    assert_eq!(
        resume("s:0").text(),
        format!(": no event of its own\n\nid: s:1\ndata: 1\n\nid: s:2\ndata: 2\n\n{result}")
    );
    assert_eq!(resume("s:3").text(), "");
    assert_eq!(resume("never").status, 400);
    assert_eq!(server.count(resumption()), 4);
}

#[test]
fn the_get_stream_is_resumed_where_it_was_cut() {
    let server = McpServer::legacy().with_event_ids().run();
    let mut client = client_of(&server);
    let mut stream = client.get(None).expect("an answer");
    server.push(&json!(1));
    assert_eq!(stream.next().expect("a piece").expect("more"), "id: get:1\ndata: 1\n\n");
    server.cut_get_stream();
    assert!(stream.next().is_err());
    server.push(&json!(2));
    let mut client = crate::support::http_client::HttpClient::to(&server);
    client.adopt_session("canary-session-1");
    let mut stream = client.get(Some("get:1")).expect("an answer");
    let text = String::from_utf8(stream.next().expect("a piece").expect("more").to_vec());
    assert!(text.expect("text").ends_with("data: 2\n\n"));
    assert_eq!(server.count(get()), 2);
}

#[test]
fn a_get_stream_is_accepted_and_dropped() {
    let server = McpServer::legacy().once(get(), Answer::stream([Step::Close])).run();
    let (bytes, end) = client_of(&server).get(None).expect("an answer").read();
    assert!(bytes.is_empty() && end.is_err());
}

#[test]
fn the_server_notices_that_a_stream_was_left() {
    let server =
        McpServer::legacy().once("ping", Answer::stream([Step::comment("hi"), Step::Never])).run();
    let reply = client_of(&server).call(5, "ping", json!({})).expect("an answer");
    drop(reply);
    server.wait_until_abandoned("ping");
    server.wait_until_left();
}
