use serde_json::json;

use super::client_of;
use crate::support::{Lost, McpServer};

#[test]
fn every_way_to_lose_a_session_says_so_in_its_own_words() {
    let said = Lost::ALL.map(|how| {
        let server = McpServer::legacy().run();
        let mut client = client_of(&server);
        server.lose_sessions(how);
        let reply = client.call_tool(7, "echo", json!({})).expect("an answer");
        let said = (reply.status, reply.text());
        client.forget_session();
        client.initialize();
        assert_eq!(client.call_tool(8, "echo", json!({})).expect("an answer").status, 200);
        assert_eq!((server.sessions(), server.executions("echo")), (2, 1));
        said
    });
    let error = |id: &str, code: i64, message: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#)
    };
    let null_id = |code: i64, message: &str| {
        json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}})
            .to_string()
    };
    assert_eq!(
        said,
        [
            (404, String::new()),
            (404, null_id(-32001, "Session not found")),
            (400, "Bad Request: no valid session ID provided".to_owned()),
            (400, null_id(-32000, "Bad Request: Server not initialized")),
            (401, json!({"error": "unknown session"}).to_string()),
            (200, error("7", -32600, "Invalid session ID")),
            (200, error("7", -32001, "Session expired")),
            (200, null_id(-32001, "Session not found")),
        ]
    );
}

#[test]
fn a_lost_session_ends_its_get_stream() {
    let server = McpServer::legacy().run();
    let mut stream = client_of(&server).get(None).expect("an answer");
    server.wait_for_get_stream();
    server.lose_sessions(Lost::NotFound);
    assert_eq!(stream.next().expect("an end"), None);
}

#[test]
fn a_server_can_do_without_sessions() {
    let server = McpServer::legacy().without_sessions().run();
    let mut client = crate::support::http_client::HttpClient::to(&server);
    client.initialize();
    assert_eq!(server.wait_for("notifications/initialized").session(), None);
    client.call(1, "ping", json!({})).expect("an answer");
    // The plain client names the version only together with a session.
    assert_eq!(server.forgive().len(), 2);
}
