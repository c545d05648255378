//! What lies between the bridge and a server: certificates, proxies, addresses, time-outs.

mod addresses;
mod proxies;
mod real_proxies;
mod trust;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bridge_process::Builder;
use crate::support::certificates::Protocols;
use crate::support::mcp_server::matcher::{get, tool};
use crate::support::mcp_server::text;
use crate::support::{Answer, BridgeProcess, McpServer, Step};

/// Longer than the bridge tries again.
const PATIENCE: Duration = Duration::from_secs(50);
const BOTH: [Protocols; 2] = [Protocols::Http2AndHttp1, Protocols::Http1];

/// A whole session: a call, an event stream, the server's own stream, the end.
#[track_caller]
fn works(bridge: Builder, server: &McpServer) {
    let mut bridge = bridge.spawn();
    bridge.initialize();
    assert_eq!(bridge.call_tool(1, "echo", json!({"text": "hi"}))["result"], text("hi"));
    server.once(tool("echo"), Answer::stream([Step::comment("a stream"), Step::result(text("s"))]));
    assert_eq!(bridge.call_tool(2, "echo", json!({"text": "s"}))["result"], text("s"));
    let news = json!({"jsonrpc": "2.0", "method": "notifications/resources/list_changed"});
    server.push(&news);
    assert_eq!(bridge.expect_method("notifications/resources/list_changed"), news);
    bridge.finish();
    assert!(server.count(get()) > 0);
}

fn https() -> McpServer {
    McpServer::legacy().https().run()
}

/// The errors of calls that are tried again for half a minute, side by side.
fn errors(bridges: Vec<Builder>) -> Vec<Value> {
    let mut calls: Vec<_> = bridges
        .into_iter()
        .map(|bridge| {
            let mut bridge = bridge.deadline(PATIENCE).spawn();
            bridge.request(7, "tools/call", json!({"name": "echo", "arguments": {}}));
            bridge
        })
        .collect();
    calls.iter_mut().map(|bridge| bridge.expect_response(7)["error"].take()).collect()
}

#[track_caller]
fn assert_messages(cases: Vec<(Builder, String)>) {
    let (bridges, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let errors = errors(bridges);
    // What a system without a name server says in place of "name or service not known".
    let said = |error: &Value| {
        let message = error["message"].as_str().expect("a message");
        message.replace("temporary failure in name resolution", "name or service not known")
    };
    let said: Vec<_> = errors.iter().map(said).collect();
    let with_doctor = |(words, error): (&String, &Value)| {
        format!("{words}; {}", doctor(error["data"]["server"].as_str().expect("a server")))
    };
    let expected: Vec<_> = expected.iter().zip(&errors).map(with_doctor).collect();
    assert_eq!(said, expected, "{errors:#?}");
    for error in &errors {
        assert_eq!(error["data"]["kind"], "unreachable", "{error}");
        assert!(error["data"]["cause"].as_str().is_some_and(|cause| !cause.is_empty()), "{error}");
        assert!(!error.to_string().contains("p@ss") && !error.to_string().contains("p%40ss"));
    }
}

/// Where whoever reads an error of the way to a server finds out more.
fn doctor(url: &str) -> String {
    let plain = url.starts_with("http:") && url.contains("mcp.test");
    let option = if plain { " --allow-http" } else { "" };
    format!("`bridge doctor {url}{option}` looks at each step")
}

/// What the bridge trusts beside the system.
fn trusting(server: &McpServer, file: &Path) -> Builder {
    BridgeProcess::to(server.url()).env("NODE_EXTRA_CA_CERTS", file)
}

/// `HOST` and `URL` in the hint are the server's.
fn no_tls(server: &McpServer, what: &str, hint: &str) -> String {
    let hint = hint.replace("HOST", &server.host()).replace("URL", &server.url());
    format!("no secure connection to {}: {what}; {hint}", server.host())
}
