//! What happened to connections is written down and can be read.

use serde_json::json;

use crate::support::{BridgeProcess, ClosedPort, McpServer};

/// What a command prints in the home of another process.
fn printed<'a>(home: &BridgeProcess, args: impl IntoIterator<Item = &'a str>) -> String {
    let mut process = BridgeProcess::with_args(args).unchecked().home_of(home).spawn();
    let text = process.rest_of_stdout();
    assert!(process.wait_exit().success());
    text
}

/// Lines without time and number of the process.
fn events(text: &str) -> Vec<String> {
    let of = |line: &str| {
        let (before, event) = line.split_once(']').expect("a line of ours");
        assert!(before.contains("Z "), "{line}");
        event.trim().split(" server=").next().unwrap().to_owned()
    };
    text.lines().map(of).collect()
}

#[test]
fn a_start_a_connection_and_an_end_are_written_down_without_being_asked_for() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.initialize();
    bridge.call_tool(1, "echo", json!({"text": "canary-of-a-call"}));
    bridge.close_stdin();
    bridge.wait_exit();
    let text = printed(&bridge, ["logs", &server.url()]);
    let events = events(&text);
    assert!(events[0].starts_with("info: started"), "{text}");
    assert!(events.iter().any(|event| event.starts_with("info: connected")), "{text}");
    assert_eq!(events.last().unwrap(), "info: ended", "{text}");
    assert!(!text.contains("canary-of-a-call"), "{text}");
    let all = printed(&bridge, ["logs"]);
    assert!(all.contains(&format!("Z {} [", server.host())), "{all}");
    assert_eq!(printed(&bridge, ["logs", &server.url(), "-n", "1"]).lines().count(), 1);
    assert_eq!(printed(&bridge, ["logs", "https://other.example/mcp"]), "");
}

#[test]
fn problems_can_be_had_alone() {
    let closed = ClosedPort::reserve();
    let url = format!("http://{}/mcp", closed.address());
    let mut bridge = BridgeProcess::to(&*url).spawn();
    bridge.initialize();
    bridge.wait_for_stderr("can't be reached");
    bridge.close_stdin();
    bridge.wait_exit();
    let problems = printed(&bridge, ["logs", &url, "--problems", "--since", "1h"]);
    assert!(problems.contains("can't be reached"), "{problems}");
    assert!(!problems.contains("info:"), "{problems}");
}

#[test]
fn what_happens_is_followed() {
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::before(&server);
    bridge.initialize();
    let follow = BridgeProcess::with_args(["logs", "--follow"]).unchecked().home_of(&bridge);
    let mut follower = follow.spawn();
    while !follower.expect_line().contains("info: connected") {}
    bridge.close_stdin();
    bridge.wait_exit();
    while !follower.expect_line().ends_with("info: ended") {}
    follower.kill();
}
