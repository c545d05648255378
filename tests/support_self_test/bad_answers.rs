use std::io::Read;
use std::time::{Duration, SystemTime};

use flate2::read::GzDecoder;
use serde_json::json;

use super::client_of;
use crate::support::http_client::{HttpClient, Reply};
use crate::support::{Answer, Gate, McpServer, RawServer, Step};

/// What a client gets when `ping` is answered this way.
fn reply_to_ping(answer: Answer) -> Reply {
    let server = McpServer::legacy().once("ping", answer).run();
    client_of(&server).call(5, "ping", json!({})).expect("an answer").keep(server)
}

/// Why it gets nothing.
fn failure_of_ping(answer: Answer) -> String {
    let server = McpServer::legacy().once("ping", answer).run();
    match client_of(&server).call(5, "ping", json!({})) {
        Ok(reply) => panic!("an answer came: {}", reply.status),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn a_body_comes_byte_for_byte() {
    let reply = reply_to_ping(Answer::json("{ \"id\" :5,\"x\": 1E400 }").header("x-odd", "1"));
    assert_eq!((reply.status, reply.header("x-odd")), (200, "1"));
    assert_eq!(reply.text(), "{ \"id\" :5,\"x\": 1E400 }");
}

#[test]
fn an_error_can_leave_out_the_id() {
    let reply = reply_to_ping(Answer::error_with_null_id(-32001, "gone").with_status(404));
    assert_eq!(reply.status, 404);
    assert_eq!(
        reply.json(),
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32001, "message": "gone"}})
    );
}

#[test]
fn every_status_can_have_every_body() {
    for status in [400, 401, 403, 404, 405, 406, 413, 415, 421, 429, 500, 502, 503, 504] {
        let reply = reply_to_ping(Answer::html("<h1>no</h1>").with_status(status));
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (status, "text/html; charset=utf-8")
        );
        assert_eq!(reply.text(), "<h1>no</h1>");
    }
}

#[test]
fn a_retry_after_is_seconds_or_a_date() {
    assert_eq!(reply_to_ping(Answer::status(429).retry_after(3)).header("retry-after"), "3");
    let date = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let reply = reply_to_ping(Answer::status(503).retry_after_date(date));
    assert_eq!(reply.header("retry-after"), "Sun, 06 Nov 1994 08:49:37 GMT");
}

#[test]
fn cookies_and_locations_are_headers() {
    let cookies = Answer::well_behaved().header("set-cookie", "a=1").header("set-cookie", "b=2");
    let reply = reply_to_ping(cookies);
    assert_eq!(reply.headers.get_all("set-cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
    for status in [301, 302, 303, 307, 308] {
        let reply = reply_to_ping(Answer::redirect(status, "/elsewhere"));
        assert_eq!((reply.status, reply.header("location")), (status, "/elsewhere"));
    }
}

#[test]
fn an_answer_can_be_nothing_at_all() {
    assert_eq!(reply_to_ping(Answer::accepted()).status, 202);
    assert_eq!(reply_to_ping(Answer::status(204)).status, 204);
    let reply = reply_to_ping(Answer::status(200).content_type("application/json"));
    assert_eq!((reply.status, reply.text()), (200, String::new()));
    let reply = reply_to_ping(Answer::well_behaved().without_content_type());
    assert_eq!(reply.header("content-type"), "application/json", "only what it had itself");
    assert_eq!(reply_to_ping(Answer::text("hm").without_content_type()).header("content-type"), "");
}

#[test]
fn truncated_json_promises_more_than_it_gives() {
    let reply = reply_to_ping(Answer::truncated_json("{\"jsonrpc\":\"2.0\"}", 9));
    assert_eq!(reply.header("content-length"), "17");
    let (bytes, end) = reply.read();
    assert_eq!(bytes, b"{\"jsonrpc");
    assert!(end.is_err());
}

#[test]
fn pieces_come_one_by_one() {
    let gate = Gate::named("the second half");
    let steps = [Step::bytes("{\"a\""), Step::Wait(gate.clone()), Step::bytes(":1}")];
    let mut reply = reply_to_ping(Answer::pieces("application/json", steps));
    assert_eq!(reply.header("transfer-encoding"), "chunked");
    assert_eq!(reply.next().expect("a piece").expect("more"), "{\"a\"");
    gate.open();
    assert_eq!(reply.text(), ":1}");
}

#[test]
fn gzip_is_labelled_or_not() {
    let unpack = |reply: Reply| {
        let mut text = String::new();
        GzDecoder::new(&reply.bytes()[..]).read_to_string(&mut text).map(|_| text)
    };
    let reply = reply_to_ping(Answer::json("{}").gzip());
    assert_eq!(reply.header("content-encoding"), "gzip");
    assert_eq!(unpack(reply).expect("gzip"), "{}");
    let reply = reply_to_ping(Answer::json("{}").gzip_unlabelled());
    assert_eq!(reply.header("content-encoding"), "");
    assert_eq!(unpack(reply).expect("gzip"), "{}");
    let reply = reply_to_ping(Answer::gzip_bomb(3_000_001));
    assert_eq!(unpack(reply).expect("gzip").len(), 3_000_001);
    assert!(unpack(reply_to_ping(Answer::broken_gzip("{\"jsonrpc\":\"2.0\"}"))).is_err());
}

#[test]
fn an_executed_call_can_lose_its_answer() {
    for (answer, error) in
        [(Answer::close(), "IncompleteMessage"), (Answer::reset(), "ConnectionReset")]
    {
        let server = McpServer::legacy().once("tools/call", answer).run();
        let lost = client_of(&server).call_tool(1, "echo", json!({}));
        let lost = format!("{:?}", lost.err().expect("no answer"));
        assert!(lost.contains(error), "{lost}");
        assert_eq!(server.executions("echo"), 1);
    }
}

#[test]
fn a_server_can_stay_silent() {
    let server = McpServer::legacy().once("ping", Answer::stall()).run();
    let mut client = client_of(&server);
    std::thread::scope(|scope| {
        let ping = scope.spawn(|| client.call(5, "ping", json!({})).is_err());
        server.wait_for("ping");
        server.close_connections();
        assert!(ping.join().expect("no panic"));
    });
    server.wait_until_left();
}

#[test]
fn an_answer_waits_for_its_gate() {
    let gate = Gate::named("the answer");
    let server = McpServer::legacy().once("ping", Answer::well_behaved().after(&gate)).run();
    let mut client = client_of(&server);
    std::thread::scope(|scope| {
        let ping = scope.spawn(|| client.call(5, "ping", json!({})).expect("an answer").status);
        server.wait_for("ping");
        gate.open();
        assert_eq!(ping.join().expect("no panic"), 200);
    });
}

#[test]
fn a_reset_is_not_a_close() {
    assert!(failure_of_ping(Answer::reset()).contains("ConnectionReset"));
    assert!(!failure_of_ping(Answer::close()).contains("ConnectionReset"));
}

#[test]
fn a_raw_server_says_anything() {
    let server = RawServer::always("SMTP 220 hello\r\n");
    let mut client = HttpClient::try_to(&server.host()).expect("a connection");
    let failure = client.call(1, "ping", json!({})).err().expect("garbage is no answer");
    assert!(format!("{failure:?}").contains("Parse"), "{failure:?}");
}

#[test]
fn a_raw_server_is_driven_by_hand() {
    let server = RawServer::listen();
    let mut client = HttpClient::try_to(&server.host()).expect("a connection");
    std::thread::scope(|scope| {
        let ping = scope.spawn(|| client.call(1, "ping", json!({})).expect("an answer").text());
        let mut connection = server.accept();
        assert!(connection.read_request().ends_with(r#""method":"ping","params":{}}"#));
        connection.write_json("[]");
        assert_eq!(ping.join().expect("no panic"), "[]");
        connection.close();
    });
    drop(client);
    drop(HttpClient::try_to(&server.host()));
    let mut left = server.accept();
    assert!(left.wait_until_closed());
    left.reset();
    assert!(server.accept_within(Duration::from_millis(10)).is_none());
}
