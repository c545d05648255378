//! Tools that the user hides: they leave lists and calls, and nothing else of any message changes.

use serde_json::{Value, json};

use crate::support::mcp_server::matcher::when;
use crate::support::mcp_server::{Matcher, text};
use crate::support::sse_server::SseServer;
use crate::support::{Answer, BridgeProcess, Lost, McpServer, Step};

/// A page of a list as no serializer would write it, with an id that stays.
const PAGE: &str = r#"{ "jsonrpc":"2.0","x":[1E400], "id":1 ,"result" :{"nextCursor":"p2\u0041","tools": [ {"name":"get_a","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object","n":1.0}} , {"name":"delete_a","z":"\ud800"},{"title":"no name"} ,{"name":"Delete_B", "annotations":{"readOnlyHint":true}} ],"_meta":{"tools":[{"name":"delete_a"}]}}}"#;
const GET_A: &str = r#"{"name":"get_a","annotations":{"readOnlyHint":true},"inputSchema":{"type":"object","n":1.0}}"#;
const NO_NAME: &str = r#"{"title":"no name"}"#;

fn before(server: &McpServer, args: &[&str]) -> BridgeProcess {
    let mut bridge = BridgeProcess::to(server.url()).args(args.iter().copied()).spawn();
    bridge.initialize();
    bridge
}

fn page(cursor: Option<&'static str>) -> Matcher {
    when("a page", move |request| {
        request.rpc_method() == Some("tools/list") && request.params()["cursor"].as_str() == cursor
    })
}

#[test]
fn what_is_hidden_is_cut_out_of_a_page_and_every_other_byte_stays() {
    let tools = |inside: &str| {
        let (start, rest) = PAGE.split_once("[ {\"name\":\"get_a\"").unwrap();
        let (_, end) = rest.split_once("} ],").unwrap();
        format!("{start}[ {inside} ],{end}")
    };
    let read_only =
        format!(r#"{GET_A} ,{{"name":"Delete_B", "annotations":{{"readOnlyHint":true}}}}"#);
    for (args, expected) in [
        (&[][..], PAGE.to_owned()),
        (&["--deny-tool", "other*"], PAGE.to_owned()),
        (&["--ignore-tool", "delete*"], tools(&format!("{GET_A},{NO_NAME}"))),
        (&["--deny-tool", "delete_?,get*"], tools(NO_NAME)),
        (&["--allow-tool", "get_*"], tools(GET_A)),
        (&["--allow-tool", "*", "--deny-tool", "*"], tools("")),
        (&["--read-only"], tools(&read_only)),
    ] {
        for answer in [Answer::json(PAGE), Answer::stream([Step::event(PAGE)])] {
            let server = McpServer::legacy().once("tools/list", answer).run();
            let mut bridge = before(&server, args);
            bridge.request(1, "tools/list", json!({"cursor": "p1"}));
            assert_eq!(bridge.expect_response_line(1), expected, "{args:?}");
            assert_eq!(server.wait_for("tools/list").params(), json!({"cursor": "p1"}));
            bridge.finish();
        }
    }
}

#[test]
fn a_list_that_can_not_be_read_is_an_error_and_odd_ones_pass() {
    for odd in [
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":{"name":"delete_a"}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":["delete_a"]}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no","data":{"tools":[{"name":"delete_a"}]}}}"#,
    ] {
        let server = McpServer::legacy().once("tools/list", Answer::json(odd)).run();
        let mut bridge = before(&server, &["--deny-tool", "delete*"]);
        bridge.allow_invalid();
        bridge.request(1, "tools/list", json!({}));
        assert_eq!(bridge.expect_response_line(1), odd);
        bridge.finish();
    }
    let hidden = r#"{"jsonrpc":"2.0","id":1,"result":{"\ud800":1,"tools":[{"name":"delete_a"}]}}"#;
    let server = McpServer::legacy().once("tools/list", Answer::json(hidden)).run();
    let mut bridge = before(&server, &["--deny-tool", "delete*"]);
    let error = bridge.call(1, "tools/list", json!({}))["error"].take();
    assert_eq!(error["data"]["kind"], "blocked", "{error}");
    bridge.finish();
}

#[test]
fn all_other_messages_pass_as_they_are() {
    let list = r#"{"jsonrpc":"2.0","id":1,"result":{"prompts":[{"name":"delete_a"}],"tools":[{"name":"delete_a"}]}}"#;
    let result =
        r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"delete_a"}],"content":[]}}"#;
    let notification =
        r#"{"jsonrpc":"2.0","method":"notifications/x","params":{"tools":[{"name":"delete_a"}]}}"#;
    let server = McpServer::legacy()
        .once("prompts/list", Answer::json(list))
        .once("tools/call", Answer::stream([Step::event(notification), Step::event(result)]))
        .run();
    let mut bridge = before(&server, &["--deny-tool", "delete*", "--allow-tool", "echo"]);
    bridge.request(1, "prompts/list", json!({"name": "delete_a"}));
    assert_eq!(bridge.expect_line(), list);
    let call = r#"{"id" : 2,"params":{ "name":"echo","arguments":{"name":"delete_a"}},"method":"tools\/call","jsonrpc":"2.0"}"#;
    bridge.send(call);
    assert_eq!(bridge.expect_line(), notification);
    assert_eq!(bridge.expect_line(), result);
    assert_eq!(server.wait_for("tools/call").body, call);
    server.push_raw(notification);
    assert_eq!(bridge.expect_line(), notification);
    bridge.finish();
}

#[track_caller]
fn assert_blocked(response: &Value, option: &str) {
    let error = &response["error"];
    assert_eq!(
        (&error["code"], &error["data"]["kind"]),
        (&json!(-31014), &json!("blocked")),
        "{response}"
    );
    assert!(error["message"].as_str().unwrap().contains(option), "{response}");
}

#[test]
fn a_blocked_call_is_an_error_of_ours_and_nothing_is_sent() {
    let server = McpServer::legacy().run();
    let mut bridge = before(&server, &["--deny-tool", "delete_*", "--allow-tool", "*_note"]);
    for (id, name) in ["delete_note", "DELETE_NOTE", "delete_"].into_iter().enumerate() {
        assert_blocked(&bridge.call_tool(id, name, json!({})), "`--deny-tool delete_*`");
    }
    assert_blocked(&bridge.call_tool(4, "echo", json!({})), "`--allow-tool`");
    for (id, params) in [(5, json!({})), (6, json!({"name": 7})), (7, json!(["echo"]))] {
        assert_blocked(&bridge.call(id, "tools/call", params), "names no tool");
    }
    // Whichever of two names the server would take.
    bridge.send(r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"delete_note","name":"set_note"}}"#);
    assert_blocked(&bridge.expect_response(8), "`--deny-tool delete_*`");
    assert_eq!(server.count("tools/call"), 0);
    assert_eq!(bridge.call_tool(9, "set_note", json!({}))["result"], text("done"));
    bridge.finish();
}

#[test]
fn a_call_of_a_tool_that_no_list_named_is_preceded_by_one_list() {
    let server = McpServer::legacy().run();
    let mut bridge = before(&server, &["--read-only"]);
    for id in 0..10 {
        bridge.request(id, "tools/call", json!({"name": "read_note"}));
    }
    bridge.request(10, "tools/call", json!({"name": "set_note"}));
    bridge.wait_until_all_are_answered();
    for id in 0..10 {
        assert_eq!(bridge.expect_response(id)["result"], text("done"));
    }
    assert_blocked(&bridge.expect_response(10), "`--read-only`");
    assert_eq!((server.count("tools/list"), server.count("tools/call")), (1, 10));
    assert_blocked(&bridge.call_tool(11, "echo", json!({})), "`--read-only`");
    assert_eq!(server.count("tools/list"), 1, "the list named it");
    assert!(bridge.unread().is_empty(), "the list is not the client's");
    bridge.finish();
}

#[test]
fn a_list_of_the_clients_own_is_enough() {
    let server = McpServer::legacy().run();
    let mut bridge = before(&server, &["--read-only"]);
    let listed = bridge.call(1, "tools/list", json!({}))["result"]["tools"].take();
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, ["read_note"]);
    assert_eq!(bridge.call_tool(2, "read_note", json!({}))["result"], text("done"));
    assert_blocked(&bridge.call_tool(3, "set_note", json!({})), "`--read-only`");
    assert_eq!(server.count("tools/list"), 1);
    server.push(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    bridge.expect_method("notifications/tools/list_changed");
    assert_eq!(bridge.call_tool(4, "read_note", json!({}))["result"], text("done"));
    assert_eq!(server.count("tools/list"), 2, "what was known counts no more");
    bridge.finish();
}

#[test]
fn the_pages_of_the_list_are_followed_up_to_a_bound() {
    let tool = json!([{"name": "read_note", "annotations": {"readOnlyHint": true}}]);
    let server = McpServer::legacy()
        .always(page(None), Answer::result(json!({"tools": [], "nextCursor": "a\"\\b"})))
        .always(page(Some("a\"\\b")), Answer::result(json!({"tools": tool})))
        .run();
    let mut bridge = before(&server, &["--read-only"]);
    assert_eq!(bridge.call_tool(1, "read_note", json!({}))["result"], text("done"));
    assert_eq!(server.count("tools/list"), 2);
    bridge.finish();

    let endless = Answer::result(json!({"tools": [], "nextCursor": "again"}));
    let server = McpServer::legacy().always("tools/list", endless).run();
    let mut bridge = before(&server, &["--read-only"]);
    assert_blocked(&bridge.call_tool(1, "read_note", json!({})), "`--read-only`");
    assert_eq!(server.count("tools/list"), 50);
    bridge.finish();
}

#[test]
fn a_call_is_not_sent_when_the_list_can_not_be_had() {
    for answer in [
        Answer::error(-32603, "no list today"),
        Answer::text("no list today").with_status(400),
        Answer::result(json!({"odd": true})),
    ] {
        let server = McpServer::legacy().always("tools/list", answer).run();
        let mut bridge = before(&server, &["--read-only"]);
        assert_blocked(&bridge.call_tool(1, "read_note", json!({})), "`--read-only`");
        assert_eq!(server.count("tools/call"), 0);
        bridge.finish();
    }
}

#[test]
fn a_session_that_is_lost_under_the_list_is_opened_again() {
    let server = McpServer::legacy().run();
    let mut bridge = before(&server, &["--read-only"]);
    server.wait_for_get_stream();
    server.lose_sessions(Lost::NotFound);
    assert_eq!(bridge.call_tool(1, "read_note", json!({}))["result"], text("done"));
    assert_eq!((server.sessions(), server.executions("read_note")), (2, 1));
    bridge.finish();
}

#[test]
fn a_call_that_is_cancelled_while_it_waits_for_the_list_is_not_sent() {
    let server = McpServer::legacy().run();
    let mut bridge = before(&server, &["--read-only"]);
    let gate = server.gate("list");
    server.once("tools/list", Answer::well_behaved().after(&gate));
    bridge.request(1, "tools/call", json!({"name": "read_note"}));
    server.wait_for("tools/list");
    bridge.notify("notifications/cancelled", json!({"requestId": 1}));
    bridge.call(2, "ping", json!({}));
    gate.open();
    assert_eq!(bridge.call_tool(3, "read_note", json!({}))["result"], text("done"));
    assert_eq!(server.count("tools/call"), 1);
    bridge.finish();
}

#[test]
fn a_list_from_memory_is_filtered_too() {
    let server = McpServer::legacy().run();
    let mut first = before(&server, &[]);
    first.call(1, "tools/list", json!({}));
    first.close_stdin();
    first.wait_exit();
    server.stop();
    for (args, expected) in [
        (&["--deny-tool", "*e*,*a*,progress"][..], vec!["fill"]),
        (&["--allow-tool", "*_note", "--deny-tool", "delete*"], vec!["read_note", "set_note"]),
        (&["--read-only"], vec!["read_note"]),
    ] {
        let bridge = BridgeProcess::to(server.url()).home_of(&first);
        let mut bridge = bridge.args(args.iter().copied()).spawn();
        bridge.initialize();
        let listed = bridge.call(1, "tools/list", json!({}))["result"]["tools"].take();
        let names: Vec<_> = listed.as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names, expected, "{args:?}");
        bridge.kill();
    }
}

#[test]
fn a_long_list_keeps_every_byte_but_what_is_hidden() {
    let tool = |kind: &str, n: usize| {
        format!("{{\"name\": \"{kind}_{n}\",\"annotations\":{{\"readOnlyHint\":true}} }}")
    };
    let list = |kinds: &[&str]| {
        let tools = (0..10_000).filter_map(|n| {
            let kind = ["get", "delete"][n % 2];
            kinds.contains(&kind).then(|| tool(kind, n))
        });
        let tools: Vec<_> = tools.collect();
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{}],"x":[1e1]}}}}"#,
            tools.join(",")
        )
    };
    for args in [&["--deny-tool", "delete_*"][..], &["--allow-tool", "get_*", "--read-only"]] {
        let whole = Answer::json(list(&["get", "delete"]));
        let server = McpServer::legacy().once("tools/list", whole).run();
        let mut bridge = before(&server, args);
        bridge.request(1, "tools/list", json!({}));
        assert!(bridge.expect_response_line(1) == list(&["get"]), "{args:?}");
        assert_blocked(&bridge.call_tool(2, "delete_9999", json!({})), "`-");
        bridge.call_tool(3, "get_9998", json!({}));
        assert_eq!((server.count("tools/list"), server.count("tools/call")), (1, 1));
        bridge.finish();
    }
}

#[test]
fn a_name_is_the_same_however_it_is_spelled() {
    let list =
        |tools: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{tools}]}}}}"#);
    let shown = r#"{"name":"Ünï\u006dod"}"#;
    let hidden = [
        r#"{"name":"\u0061dmin"}"#,
        r#"{"n\u0061me":"admin"}"#,
        r#"{"name":"ADMIN"}"#,
        r#"{"name":"ok","name":"adm\u0069n"}"#,
        r#"{"name":"a\/b\u0000c"}"#,
        r#"{"name":"\ud83e\udd80"}"#,
        r#"{"name":"ÉTÉ"}"#,
    ];
    let answer = list(&format!("{},{shown},{}", hidden[..3].join(","), hidden[3..].join(",")));
    let server = McpServer::legacy().once("tools/list", Answer::json(answer)).run();
    let mut bridge = before(&server, &["--deny-tool", "admin,a/b*,🦀", "--deny-tool", "été"]);
    bridge.allow_invalid();
    bridge.request(1, "tools/list", json!({}));
    assert_eq!(bridge.expect_response_line(1), list(shown));
    for (id, tool) in hidden.into_iter().enumerate() {
        let call = r#"{"jsonrpc":"2.0","id":ID,"method":"tools/c\u0061ll","par\u0061ms":TOOL}"#;
        bridge.send(call.replace("ID", &id.to_string()).replace("TOOL", tool));
        assert_blocked(&bridge.expect_response(id), "`--deny-tool ");
    }
    assert_eq!(server.count("tools/call"), 0);
    bridge.finish();
}

#[test]
fn only_a_hint_that_is_true_is_believed() {
    let tools = [
        r#"{"name":"a"}"#,
        r#"{"name":"b","annotations":null}"#,
        r#"{"name":"c","annotations":{}}"#,
        r#"{"name":"d","annotations":{"readOnlyHint":"true"}}"#,
        r#"{"name":"e","annotations":{"readOnlyHint":1}}"#,
        r#"{"name":"f","annotations":{"readOnlyHint":true,"readOnlyHint":false}}"#,
        r#"{"name":"g","annotations":{"readOnlyHint":true},"annotations":{}}"#,
        r#"{"name":"h","readOnlyHint":true}"#,
        r#"{"name":"i","annotations":[{"readOnlyHint":true}]}"#,
        r#"{"name":"twice","annotations":{"readOnlyHint":false}}"#,
        r#"{"name":"twice","annotations":{"readOnlyHint":true}}"#,
        r#"{"name":"reads","annotations":{"read\u004fnlyHint":true }}"#,
    ];
    let list = |tools: &[&str]| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{}]}}}}"#, tools.join(", "))
    };
    let server = McpServer::legacy().once("tools/list", Answer::json(list(&tools))).run();
    let mut bridge = before(&server, &["--read-only"]);
    bridge.allow_invalid();
    bridge.request(1, "tools/list", json!({}));
    assert_eq!(bridge.expect_response_line(1), list(&tools[10..]));
    for (id, name) in "abcdefghi".chars().map(String::from).chain(["twice".into()]).enumerate() {
        assert_blocked(&bridge.call_tool(id, &name, json!({})), "`--read-only`");
    }
    bridge.call_tool(99, "reads", json!({}));
    assert_eq!((server.count("tools/list"), server.count("tools/call")), (1, 1));
    bridge.finish();
}

#[test]
fn a_list_that_arrives_after_a_cut_is_filtered_too() {
    let server = McpServer::legacy()
        .once(
            "tools/list",
            Answer::resumable_stream([
                Step::priming("before").with_retry(10),
                Step::Close,
                Step::event(PAGE).with_id("after"),
            ]),
        )
        .run();
    let mut bridge = before(&server, &["--deny-tool", "delete*"]);
    bridge.request(1, "tools/list", json!({}));
    let line = bridge.expect_response_line(1);
    assert!(line.contains(GET_A) && !line.contains("\"Delete_B"), "{line}");
    bridge.finish();
}

#[test]
fn the_older_transport_is_filtered_too() {
    let server = SseServer::builder().run();
    let mut bridge = BridgeProcess::to(server.url()).arg("--read-only").spawn();
    bridge.initialize();
    assert_blocked(&bridge.call_tool(1, "set_x", json!({})), "`--read-only`");
    assert!(bridge.call_tool(2, "read_x", json!({}))["result"].is_object());
    let listed = bridge.call(3, "tools/list", json!({}))["result"]["tools"].take();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["name"], "read_x");
    assert_eq!(server.executions(), 1);
    bridge.finish();
}
