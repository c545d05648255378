//! `subscriptions/listen`, fed by the stream of a session.

use serde_json::{Value, json};

use super::{META, bridge, params, server};
use crate::support::Lost;
use crate::support::mcp_server::matcher::get;

fn listening(notifications: Value) -> Value {
    params(json!({}), json!({ "notifications": notifications }))
}

#[test]
fn changes_are_told_to_each_subscription_that_asked_for_them() {
    let server = server();
    let mut bridge = bridge(&server);
    let listen = "subscriptions/listen";
    bridge.request(
        "a",
        listen,
        listening(json!({"toolsListChanged": true, "resourceSubscriptions": ["memo:///1"]})),
    );
    let acknowledged = "notifications/subscriptions/acknowledged";
    let first = bridge.expect_method(acknowledged)["params"].take();
    assert_eq!(first["_meta"][format!("{META}/subscriptionId")], "a");
    let agreed = json!({"toolsListChanged": true, "resourceSubscriptions": ["memo:///1"]});
    assert_eq!(first["notifications"], agreed);
    bridge.request(
        7,
        listen,
        listening(json!({"resourceSubscriptions": ["memo:///1", "memo:///2"]})),
    );
    let second = bridge.expect_method(acknowledged)["params"].take();
    assert_eq!(second["_meta"][format!("{META}/subscriptionId")], 7);
    assert_eq!(server.count("resources/subscribe"), 2);
    let changed = "notifications/tools/list_changed";
    server.push(&json!({"jsonrpc": "2.0", "method": changed}));
    let told = bridge.expect_method(changed)["params"].take();
    assert_eq!(told, json!({"_meta": {format!("{META}/subscriptionId"): "a"}}));
    let updated = "notifications/resources/updated";
    server.push(&json!({"jsonrpc": "2.0", "method": updated, "params": {"uri": "memo:///1"}}));
    let ids: Vec<Value> = (0..2)
        .map(|_| {
            bridge.expect_method(updated)["params"]["_meta"][format!("{META}/subscriptionId")]
                .take()
        })
        .collect();
    assert!(ids.contains(&json!("a")) && ids.contains(&json!(7)), "{ids:?}");
    bridge.notify("notifications/cancelled", json!({"requestId": 7}));
    let left = server.wait_for("resources/unsubscribe").params();
    assert_eq!(left, json!({"uri": "memo:///2"}));
    bridge.finish();
    assert_eq!(server.count("resources/unsubscribe"), 1);
}

#[test]
fn after_a_lost_session_each_subscription_is_told_that_all_may_have_changed() {
    let server = server();
    let mut bridge = bridge(&server);
    let filter = json!({"toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["memo:///1"]});
    bridge.request(1, "subscriptions/listen", listening(filter));
    bridge.expect_method("notifications/subscriptions/acknowledged");
    server.wait_for_get_stream();
    server.lose_sessions(Lost::NotFound);
    bridge.expect_method("notifications/tools/list_changed");
    bridge.expect_method("notifications/prompts/list_changed");
    let updated = bridge.expect_method("notifications/resources/updated");
    assert_eq!(updated["params"]["uri"], "memo:///1");
    server.wait_for_nth(2, get());
    assert_eq!((server.sessions(), server.count("resources/subscribe")), (2, 2));
    bridge.finish();
}

#[test]
fn a_stream_of_the_session_that_was_cut_is_a_gap_for_each_subscription() {
    let server = server();
    let mut bridge = bridge(&server);
    let filter = json!({"toolsListChanged": true});
    bridge.request(1, "subscriptions/listen", listening(filter));
    bridge.expect_method("notifications/subscriptions/acknowledged");
    server.cut_get_stream();
    let told = bridge.expect_method("notifications/tools/list_changed");
    assert_eq!(told["params"]["_meta"][format!("{META}/subscriptionId")], 1);
    assert_eq!(server.sessions(), 1);
    bridge.finish();
}
