//! The message of the server is the line on stdout, whichever way it came.

use super::rows::{Report, Row, large_values, table};
use super::{assert_ends_well, beyond_handshake, session, session_with};
use crate::support::mcp_server::matcher::get;
use crate::support::{Answer, McpServer, Step};

/// How a response comes.
type Way = (&'static str, fn(&str) -> Answer);

const WAYS: [Way; 10] = [
    ("a JSON body", |message| Answer::json(message.to_owned())),
    ("a JSON body with status 201", |message| Answer::json(message.to_owned()).with_status(201)),
    ("a JSON body in pieces", |message| Answer::pieces("application/json", pieces(message))),
    ("a JSON body, packed", |message| Answer::json(message.to_owned()).gzip()),
    ("a JSON body, packed and not labelled", |message| {
        Answer::json(message.to_owned()).gzip_unlabelled()
    }),
    ("a JSON body of another type", |message| Answer::text(message)),
    ("an event stream", |message| Answer::stream([Step::event(message)])),
    ("an event stream in pieces, with CRLF", |message| {
        Answer::pieces(
            "text/event-stream",
            pieces(&format!(": hi\r\n\r\nid: 1\r\ndata:{message}\r\n\r\n")),
        )
    }),
    ("an event stream that ends without a blank line", |message| {
        Answer::pieces(
            "Text/Event-Stream; charset=utf-8",
            [Step::bytes(format!("event: message\ndata: {message}"))],
        )
    }),
    ("an event stream with CR and a byte order mark", |message| {
        Answer::pieces(
            "text/event-stream",
            pieces(&format!("\u{feff}data: {message}\rretry: 5\r\r")),
        )
    }),
];

/// Cut anywhere, characters in two.
fn pieces(text: &str) -> Vec<Step> {
    let size = (text.len() / 200).max(7);
    text.as_bytes().chunks(size).map(|piece| Step::bytes(piece.to_vec())).collect()
}

fn responses() -> Vec<Row> {
    let large = large_values().into_iter().map(|(name, value)| {
        Row::new(name, format!(r#"{{"jsonrpc":"2.0","id":"large","result":{value}}}"#))
    });
    [table("server_results"), table("server_errors"), large.collect()].concat()
}

fn messages() -> Vec<Row> {
    let large = large_values().into_iter().map(|(name, value)| {
        Row::new(name, format!(r#"{{"jsonrpc":"2.0","method":"acme/large","params":[{value}]}}"#))
    });
    [table("server_requests"), table("server_notifications"), large.collect()].concat()
}

fn question(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"acme/do"}}"#)
}

#[test]
fn the_tables_have_at_least_eighty_rows() {
    assert!(responses().len() + messages().len() >= 80);
}

#[test]
fn responses_arrive_byte_for_byte_in_every_kind_of_answer() {
    for (way, answer) in WAYS {
        let (server, mut bridge) = session();
        let mut report = Report::default();
        let rows = responses();
        for row in &rows {
            let name = format!("{} in {way}", row.name);
            server.once(beyond_handshake(&name), answer(&row.message));
            bridge.send(question(&row.asked()));
            if !report.expect_line(&mut bridge, &name, &row.message) {
                break;
            }
        }
        report.assert_all_arrived(rows.len());
        assert_ends_well(bridge);
    }
}

#[test]
fn responses_arrive_byte_for_byte_on_the_get_stream() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let rows = responses();
    for (number, row) in rows.iter().enumerate() {
        server.once(beyond_handshake(&row.name), Answer::stream([Step::Never]));
        bridge.send(question(&row.asked()));
        server.wait_for_nth(number + 1, beyond_handshake(&row.name));
        server.push_raw(&row.message);
        if !report.expect_line(&mut bridge, &row.name, &row.message) {
            break;
        }
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn errors_arrive_byte_for_byte_on_every_status() {
    // Not 401, 407 and 429, which say something of their own.
    let statuses = [
        200, 400, 402, 403, 404, 405, 406, 409, 410, 413, 415, 418, 422, 451, 500, 501, 502, 503,
        504,
    ];
    let (server, mut bridge) = session_with(McpServer::legacy().without_sessions());
    let mut report = Report::default();
    let rows = table("server_errors");
    for (status, row) in
        statuses.into_iter().flat_map(|status| rows.iter().map(move |row| (status, row)))
    {
        let name = format!("{} with status {status}", row.name);
        server.once(beyond_handshake(&name), Answer::json(row.message.clone()).with_status(status));
        bridge.send(question(&row.asked()));
        if !report.expect_line(&mut bridge, &name, &row.message) {
            break;
        }
    }
    report.assert_all_arrived(rows.len() * statuses.len());
    assert_ends_well(bridge);
}

#[test]
fn an_error_that_is_labelled_as_something_else_arrives_byte_for_byte() {
    let (server, mut bridge) = session_with(McpServer::legacy().without_sessions());
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32050,"message":"no"}}"#;
    for answer in [
        Answer::text(error).with_status(403),
        Answer::html(error).with_status(500),
        Answer::json(error).without_content_type().with_status(400),
        Answer::json(error).content_type("application/problem+json").with_status(422),
        Answer::json(error).gzip().with_status(500),
    ] {
        server.once(beyond_handshake("odd label"), answer);
        bridge.send(question("1"));
        assert_eq!(bridge.expect_line(), error);
    }
    assert_ends_well(bridge);
}

#[test]
fn requests_and_notifications_arrive_byte_for_byte_on_a_posts_stream() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let rows = messages();
    let answer = r#"{"jsonrpc":"2.0","id":"p","result":{}}"#;
    for row in &rows {
        let steps = [Step::event(row.message.as_str()), Step::event(answer)];
        server.once(beyond_handshake(&row.name), Answer::stream(steps));
        bridge.send(question("\"p\""));
        if !report.expect_line(&mut bridge, &row.name, &row.message) {
            break;
        }
        assert_eq!(bridge.expect_line(), answer, "{}", row.name);
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn requests_and_notifications_arrive_byte_for_byte_on_the_get_stream() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let rows = messages();
    for row in &rows {
        server.push_raw(&row.message);
        if !report.expect_line(&mut bridge, &row.name, &row.message) {
            break;
        }
    }
    report.assert_all_arrived(rows.len());
    assert_eq!(server.count(get()), 1);
    assert_ends_well(bridge);
}

#[test]
fn requests_and_notifications_arrive_byte_for_byte_in_a_batch() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let rows = messages();
    let answer = r#"{"jsonrpc":"2.0","id":"p","result":{}}"#;
    for row in &rows {
        let batch = format!("[ {} , {answer} ]", row.message);
        server.once(beyond_handshake(&row.name), Answer::json(batch));
        bridge.send(question("\"p\""));
        if !report.expect_line(&mut bridge, &row.name, &row.message) {
            break;
        }
        assert_eq!(bridge.expect_line(), answer, "{}", row.name);
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn what_a_server_sends_in_answer_to_a_notification_arrives_byte_for_byte() {
    let (server, mut bridge) = session();
    let mut report = Report::default();
    let rows = table("server_notifications");
    let steps: Vec<Step> = rows.iter().map(|row| Step::event(row.message.as_str())).collect();
    server.once(beyond_handshake("all"), Answer::stream(steps));
    bridge.send(r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#);
    for row in &rows {
        if !report.expect_line(&mut bridge, &row.name, &row.message) {
            break;
        }
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn what_a_server_sends_after_its_answer_arrives_byte_for_byte() {
    let (server, mut bridge) = session();
    let rows = table("server_notifications");
    let answer = r#"{"jsonrpc":"2.0","id":"p","result":{}}"#;
    let late = rows.iter().map(|row| Step::event(row.message.as_str()));
    server.once(
        beyond_handshake("late"),
        Answer::stream([Step::event(answer)].into_iter().chain(late)),
    );
    bridge.send(question("\"p\""));
    assert_eq!(bridge.expect_line(), answer);
    let mut report = Report::default();
    for row in &rows {
        if !report.expect_line(&mut bridge, &row.name, &row.message) {
            break;
        }
    }
    report.assert_all_arrived(rows.len());
    assert_ends_well(bridge);
}

#[test]
fn every_method_of_a_server_in_every_revision_is_in_the_tables() {
    // From `ServerRequest` and `ServerNotification` of each schema, 2024-11-05 to 2026-07-28.
    let methods = [
        "ping",
        "sampling/createMessage",
        "roots/list",
        "elicitation/create",
        "tasks/get",
        "tasks/result",
        "tasks/cancel",
        "tasks/list",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
        "notifications/prompts/list_changed",
        "notifications/tools/list_changed",
        "notifications/tasks/status",
        "notifications/message",
        "notifications/elicitation/complete",
        "notifications/subscriptions/acknowledged",
    ];
    let rows = [table("server_requests"), table("server_notifications")].concat();
    for method in methods {
        assert!(rows.iter().any(|row| row.method().as_deref() == Some(method)), "{method}");
    }
}
