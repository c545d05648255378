//! What a hostile server must not be able to do, by the machine alone.

use bytes::Bytes;
use serde_json::Value;

use super::bench::{Bench, INITIALIZED, everything};
use super::machine::{FromServer, Origin};
use super::questions::MAX_ID;
use crate::jsonrpc::Message;

/// A bench on which both sides have opened.
fn open() -> Bench {
    let mut bench = Bench::opening();
    bench.client(INITIALIZED);
    bench.connect_wholly(everything());
    bench.take_written();
    bench
}

fn ask(bench: &mut Bench, id: &str) {
    let text = format!("{{\"id\":{id},\"method\":\"roots/list\"}}");
    let message = Message::parse(Bytes::from(text)).unwrap();
    let origin = Origin::Stream(1);
    bench.machine.server_sent(FromServer { origin, message, room: None }, bench.now);
    bench.obey();
}

#[test]
fn a_request_with_an_id_that_is_too_long_is_refused_and_not_shown_to_the_client() {
    let mut bench = open();
    bench.sent.clear();
    ask(&mut bench, &format!("\"{}\"", "x".repeat(MAX_ID)));
    assert!(bench.written.is_empty());
    let (_, sent) = bench.sent.last().unwrap();
    let error: Value = serde_json::from_slice(sent.message.bytes()).unwrap();
    assert_eq!((&error["id"], &error["error"]["code"]), (&Value::Null, &(-32600).into()));
    // However many come, no more are told than are soon over.
    for _ in 0..1_000 {
        ask(&mut bench, &format!("\"{}\"", "x".repeat(MAX_ID)));
    }
    assert!(bench.sent.len() <= 64, "{}", bench.sent.len());
    ask(&mut bench, "\"short\"");
    assert_eq!(bench.take_written().len(), 1);
}
