//! The line of the client is the body of the POST.

use super::rows::{Report, Row, large_values, table};
use super::{assert_ends_well, beyond_handshake, session};
use crate::support::Answer;

fn requests() -> Vec<Row> {
    let large = large_values().into_iter().map(|(name, value)| {
        let params = format!(r#"{{"name":"echo","arguments":{value}}}"#);
        Row::new(
            name,
            format!(r#"{{"jsonrpc":"2.0","id":"large","method":"tools/call","params":{params}}}"#),
        )
    });
    table("client_requests").into_iter().chain(large).collect()
}

#[test]
fn the_table_has_at_least_eighty_rows() {
    let rows =
        requests().len() + table("client_notifications").len() + table("client_responses").len();
    assert!(rows >= 80, "{rows}");
}

#[test]
fn requests_arrive_byte_for_byte() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let rows = requests();
    for row in &rows {
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, row.asked());
        let before = server.count(beyond_handshake("POST"));
        server.once(beyond_handshake(&row.name), Answer::json(answer.clone()));
        bridge.send(&row.message);
        let line = bridge.expect_line();
        match &server.requests_of(beyond_handshake("POST"))[before..] {
            [request] => report.compare(&row.name, row.message.as_bytes(), &request.body),
            none_or_many => {
                let count = none_or_many.len();
                report.fault(&row.name, &format!("sent {count} times; the client got {line}"));
            }
        }
        if line != answer {
            report.fault(&row.name, &format!("the client got {line}"));
        }
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn notifications_arrive_byte_for_byte() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let large = large_values().into_iter().map(|(name, value)| {
        Row::new(name, format!(r#"{{"jsonrpc":"2.0","method":"acme/large","params":[{value}]}}"#))
    });
    let rows: Vec<Row> = table("client_notifications").into_iter().chain(large).collect();
    for (number, row) in rows.iter().enumerate() {
        server.once(beyond_handshake(&row.name), Answer::accepted());
        bridge.send(&row.message);
        let request = server.wait_for_nth(number + 1, beyond_handshake(&row.name));
        report.compare(&row.name, row.message.as_bytes(), &request.body);
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn answers_to_questions_of_the_server_arrive_byte_for_byte() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let large = large_values().into_iter().map(|(name, value)| {
        Row::new(name, format!(r#"{{"jsonrpc":"2.0","id":"large","result":{value}}}"#))
    });
    let rows: Vec<Row> = table("client_responses").into_iter().chain(large).collect();
    for (number, row) in rows.iter().enumerate() {
        let id = row.asked();
        let question = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"acme/ask"}}"#);
        server.push_raw(&question);
        assert_eq!(bridge.expect_line(), question, "{}", row.name);
        bridge.send(&row.message);
        let request = server.wait_for_nth(number + 1, beyond_handshake(&row.name));
        report.compare(&row.name, row.message.as_bytes(), &request.body);
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn answers_to_questions_that_nobody_asked_arrive_byte_for_byte() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let mut rows = table("client_responses");
    rows.push(Row::new(
        "id null",
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}"#,
    ));
    rows.push(Row::new("no id", r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":""}}"#));
    for (number, row) in rows.iter().enumerate() {
        server.once(beyond_handshake(&row.name), Answer::accepted());
        bridge.send(&row.message);
        let request = server.wait_for_nth(number + 1, beyond_handshake(&row.name));
        report.compare(&row.name, row.message.as_bytes(), &request.body);
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn a_cancellation_of_a_known_request_arrives_byte_for_byte() {
    let (server, mut bridge) = session();
    server.once("tools/call", Answer::stall());
    bridge.send(r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo"}}"#);
    server.wait_for("tools/call");
    let cancellation = r#"{ "x":1E400, "method":"notifications\/cancelled","params":{"requestId":7.0,"reason":"\ud800"} }"#;
    bridge.send(cancellation);
    assert_eq!(server.wait_for("notifications/cancelled").body, cancellation);
    server.wait_until_abandoned("tools/call");
    assert_ends_well(bridge);
}

#[test]
fn every_method_of_a_client_in_every_revision_is_in_the_tables() {
    // From `ClientRequest` and `ClientNotification` of each schema, 2024-11-05 to 2026-07-28. Not in
    // the tables: `initialize`, `notifications/initialized` (tested beside them), `server/discover`
    // (answered by the bridge).
    let methods = [
        "ping",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/list",
        "prompts/get",
        "tools/list",
        "tools/call",
        "tasks/get",
        "tasks/result",
        "tasks/cancel",
        "tasks/list",
        "logging/setLevel",
        "completion/complete",
        "subscriptions/listen",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/tasks/status",
        "notifications/roots/list_changed",
    ];
    let rows = [table("client_requests"), table("client_notifications")].concat();
    for method in methods {
        assert!(rows.iter().any(|row| row.method().as_deref() == Some(method)), "{method}");
    }
}
