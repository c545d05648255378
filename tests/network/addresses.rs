//! Addresses, time-outs and pings.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{assert_messages, works};
use crate::support::mcp_server::matcher::tool;
use crate::support::mcp_server::text;
use crate::support::{Answer, BlackHole, BridgeProcess, ClosedPort, Gate, McpServer, Step};

/// `localhost` has two addresses, and the first of them swallows what is sent to it.
#[test]
fn a_black_hole_behind_one_address_costs_a_moment() {
    let (v4, v6) = ClosedPort::reserve_both();
    let (server, hole) = (McpServer::legacy().on(v4).run(), BlackHole::dig_at(v6));
    let url = server.url_at(&format!("localhost:{}", hole.address().port()));
    let start = Instant::now();
    works(BridgeProcess::to(&url), &server);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    works(BridgeProcess::to(&url).arg("--ipv4"), &server);
}

#[test]
fn one_kind_of_address_can_be_forbidden() {
    // Nobody listens on the IPv4 address of its port.
    let (nobody, v6) = ClosedPort::reserve_both();
    let server = McpServer::legacy().on(v6).run();
    works(BridgeProcess::to(server.url()).arg("--ipv6"), &server);
    let before = server.count("tools/call");
    let closed = ClosedPort::reserve();
    let localhost = format!("localhost:{}", nobody.address().port());
    let v4 = format!("localhost:{}", closed.address().port());
    let hint = |host: &str| format!("check the network, and that {host} is running");
    assert_messages(vec![
        (
            BridgeProcess::to(server.url_at(&localhost)).arg("--ipv4"),
            format!("{localhost} can't be reached: connection refused; {}", hint(&localhost)),
        ),
        (
            BridgeProcess::to(format!("http://{v4}/mcp")).arg("--ipv4"),
            format!("{v4} can't be reached: connection refused; {}", hint(&v4)),
        ),
    ]);
    assert_eq!(server.count("tools/call"), before);
}

#[test]
fn each_time_out_is_an_error_that_says_so() {
    let never = Gate::named("never");
    let silent = McpServer::legacy().always(tool("echo"), Answer::stall()).run();
    let stuck = McpServer::legacy()
        .always(tool("echo"), Answer::stream([Step::comment("soon"), Step::Wait(never)]))
        .run();
    let cases = [
        (&silent, "--headers-timeout", "no answer began within 1 s (`--headers-timeout`)"),
        (&stuck, "--body-timeout", "nothing more came within 1 s (`--body-timeout`)"),
    ];
    for (server, flag, cause) in cases {
        let mut bridge = BridgeProcess::to(server.url()).args([flag, "1"]).spawn();
        bridge.initialize();
        let error = bridge.call_tool(7, "echo", json!({}))["error"].take();
        assert_eq!(error["data"]["kind"], "timeout", "{error}");
        assert_eq!(error["data"]["cause"], cause, "{error}");
        let host = server.host();
        assert_eq!(
            error["message"],
            format!(
                "{host} did not answer in time: {cause}; the outcome is unknown: the server may have \
                 carried it out; check what it did before you try again"
            )
        );
        assert_eq!(server.executions("echo"), 1, "not called again");
        bridge.finish();
    }
}

#[test]
fn connecting_takes_no_longer_than_allowed() {
    let hole = BlackHole::dig();
    let host = hole.address();
    let bridge = BridgeProcess::to(hole.url()).args(["--connect-timeout", "1"]);
    let message = format!(
        "{host} can't be reached in time: no connection within 1 s; check the network, and that {host} is running"
    );
    assert_messages(vec![(bridge, message)]);
}

#[test]
fn pings_are_sent_only_when_they_are_asked_for() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--ping-interval", "1"]).spawn();
    bridge.initialize();
    server.wait_for_nth(2, "ping");
    bridge.finish();
    // The pings' answers are nobody's business but ours: `finish` saw that none came out.
    let server = McpServer::legacy().run();
    works(BridgeProcess::to(server.url()), &server);
    assert_eq!(server.count("ping"), 0);
}

#[test]
fn a_ping_finds_out_that_the_session_was_lost() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url()).args(["--ping-interval", "1"]).spawn();
    bridge.initialize();
    server.wait_for("notifications/initialized");
    server.lose_sessions(crate::support::Lost::NotFound);
    server.wait_for_nth(2, "initialize");
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
    bridge.finish();
}
