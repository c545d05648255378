//! Streams of changes, and requests that are left.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;

use super::{Client, next_message};
use crate::support::ModernServer;
use crate::support::http_client::HttpClient;
use crate::support::mcp_server::matcher::tool;

#[test]
fn who_listens_is_told_what_it_asked_for_and_nothing_else() {
    let server = ModernServer::run();
    let (mut tools, acknowledged) = Client::of(&server).listen(json!({"toolsListChanged": true}));
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({"toolsListChanged": true}));
    let wanted = json!({"resourceSubscriptions": ["memo:///1"], "promptsListChanged": true});
    let mut other = Client::of(&server);
    other.next_id = 40;
    let (mut memos, _) = other.listen(wanted.clone());
    assert_eq!((server.listens(), server.listen(2).asked), (2, wanted));
    server.update_resource("memo:///2");
    server.update_resource("memo:///1");
    server.change_tools(json!([]));
    server.tell("notifications/prompts/list_changed", json!({}));
    let changed = next_message(&mut tools);
    assert_eq!(changed["method"], "notifications/tools/list_changed");
    assert_eq!(changed["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 2);
    let rest = [next_message(&mut memos), next_message(&mut memos)];
    assert_eq!(rest[0]["params"]["uri"], "memo:///1");
    assert_eq!(rest[1]["method"], "notifications/prompts/list_changed");
    other.next_id = 80;
    drop(memos);
    other.http = HttpClient::to(&server);
    assert_eq!(other.call("tools/list", json!({}))["result"]["tools"], json!([]));
}

#[test]
fn a_stream_of_changes_ends_in_each_of_its_ways() {
    let server = ModernServer::run();
    let filter = json!({"toolsListChanged": true});
    let (mut ended, _) = Client::of(&server).listen(filter.clone());
    server.listen(1).end();
    let response = next_message(&mut ended);
    assert_eq!(response["id"], 2);
    assert_eq!(response["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 2);
    assert!(ended.next().expect("a good end").is_none());
    let (mut cancelled, _) = Client::of(&server).listen(filter.clone());
    server.listen(2).cancel();
    assert_eq!(next_message(&mut cancelled)["params"]["requestId"], 2);
    assert!(cancelled.next().expect("a good end").is_none());
    let (hung_up, _) = Client::of(&server).listen(filter.clone());
    server.listen(3).hang_up();
    assert_eq!(hung_up.bytes(), b"");
    let (cut, _) = Client::of(&server).listen(filter.clone());
    server.listen(4).break_off();
    cut.read().1.expect_err("a cut");
    let mut client = Client::of(&server);
    let (left, _) = client.listen(filter);
    let listen = server.wait_for_listener("toolsListChanged");
    assert!(listen.is_open());
    drop((left, client));
    server.wait_until_over(&listen);
}

#[test]
fn a_client_that_leaves_cancels_its_request() {
    for headless in [true, false] {
        let server = ModernServer::run();
        let arguments = json!({"gate": "never", "headless": headless});
        let params = json!({"name": "wait", "arguments": arguments});
        let body = Client::of(&server).body("tools/call", params).to_string();
        let mut socket = TcpStream::connect(server.address()).expect("a connection");
        let head = "POST /mcp HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n\
                    accept: application/json, text/event-stream\r\nmcp-method: tools/call\r\n\
                    mcp-protocol-version: 2026-07-28\r\nmcp-name: wait\r\n";
        write!(socket, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("written");
        server.wait_for(tool("wait"));
        drop(socket);
        server.wait_until_abandoned(tool("wait"));
        assert_eq!(server.executions("wait"), 1);
    }
}
