//! Canary headers: only the origin that the user named sees them, whatever else a server names, and
//! nothing that is written down holds one (each [`BridgeProcess`] looks for that at its end).

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use tempfile::TempDir;

use crate::support::bridge_process::{Builder, initialize_params};
use crate::support::mcp_server::matcher::{anything, delete, get, tool};
use crate::support::mcp_server::{Request, text};
use crate::support::sse_server::SseServer;
use crate::support::tab::{self, Browser};
use crate::support::{Answer, BridgeProcess, Guarded, McpServer, Step};

const CANARY: &str = "canary-4f1d";
const NAME: &str = "x-api-key";

/// Every way to give a header, with a folder for its files.
fn each_way(folder: &TempDir) -> [fn(Builder, &TempDir) -> Builder; 4] {
    let line = format!("{NAME}: {CANARY}\n");
    std::fs::write(folder.path().join("headers.txt"), line).unwrap();
    let program = folder.path().join("headers.sh");
    std::fs::write(&program, format!("#!/bin/sh\necho '{{\"{NAME}\": \"{CANARY}\"}}'\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    [
        |bridge, _| bridge.args(["--header", "X-Api-Key=${KEY}"]).env("KEY", CANARY),
        |bridge, folder| bridge.arg("--header-file").arg(below(folder, "headers.txt")),
        |bridge, _| bridge.env("BRIDGE_HEADER_X_API_KEY", CANARY),
        |bridge, folder| bridge.arg("--header-command").arg(below(folder, "headers.sh")),
    ]
}

fn below(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

fn with_canary(url: &str, args: &[&str]) -> Builder {
    let bridge = BridgeProcess::to(url).args(args.iter().copied());
    bridge.env("BRIDGE_HEADER_X_API_KEY", CANARY)
}

#[track_caller]
fn assert_everywhere(server: &SseServer) {
    for request in server.seen() {
        assert_eq!(request.header(NAME), Some(CANARY), "{request:?}");
    }
}

#[test]
fn each_way_reaches_every_request_of_both_transports() {
    let folder = TempDir::new().unwrap();
    for way in each_way(&folder) {
        let server = McpServer::legacy().run();
        let mut bridge = way(BridgeProcess::to(server.url()), &folder).spawn();
        bridge.initialize();
        server.wait_for_get_stream();
        bridge.call_tool(1, "echo", json!({"text": "hi"}));
        bridge.finish();
        server.wait_for(delete());
        for request in server.requests_of(anything()) {
            assert_eq!(request.header(NAME), Some(CANARY), "{}", request.method);
        }

        let server = SseServer::builder().run();
        let mut bridge = way(BridgeProcess::to(server.url()), &folder).spawn();
        bridge.initialize();
        bridge.call_tool(1, "x", json!({}));
        server.cut_streams();
        bridge.call_tool(2, "x", json!({}));
        bridge.finish();
        assert_eq!(server.requests()[..3], ["POST /sse", "POST /sse", "GET /sse"]);
        assert!(server.requests().contains(&"POST /messages?session=canary-2".to_owned()));
        assert_everywhere(&server);
    }
}

#[test]
fn no_redirect_of_the_older_transport_leads_to_another_origin() {
    for status in [301, 302, 303, 307, 308] {
        for method in ["GET", "POST"] {
            let elsewhere = McpServer::legacy().run();
            let server = SseServer::builder().moving(method, status, &elsewhere.url()).run();
            let mut bridge = with_canary(&server.url(), &["--transport", "sse-only"]).spawn();
            let answer = bridge.call(0, "initialize", initialize_params(json!({})));
            assert_eq!(answer["error"]["data"]["kind"], "redirected", "{method} {answer}");
            bridge.finish();
            assert_eq!(elsewhere.connections(), 0, "{method} by {status}");
            assert_everywhere(&server);
        }
    }
}

#[test]
fn no_endpoint_that_an_older_server_names_leads_to_another_origin() {
    let spellings = [
        "http://ELSEWHERE/mcp",
        "//ELSEWHERE/mcp",
        "\\\\ELSEWHERE\\mcp",
        "/\\ELSEWHERE/mcp",
        "/\t/ELSEWHERE/mcp",
        "http:\\\\ELSEWHERE\\mcp",
        "http:///ELSEWHERE/mcp",
        "HTTP://ELSEWHERE/mcp",
        "http://OWN@ELSEWHERE/mcp",
        "http://OWN:80@ELSEWHERE/mcp",
        "http://me:canary-password@OWN/messages?session=canary-1",
        "http://OWN%2F@ELSEWHERE/mcp",
        "http://2130706433:PORT/mcp",
        "http://0x7f.1:PORT/mcp",
        "http://localhost:PORT/mcp",
        "https://ELSEWHERE/mcp",
        "https://OWN/messages?session=canary-1",
        "ws://OWN/messages?session=canary-1",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,canary-1",
    ];
    for spelling in spellings {
        let elsewhere = McpServer::legacy().run();
        let server = SseServer::builder();
        // The server's own address is not known before it runs, so that it is named by its placeholder.
        let named = spelling
            .replace("ELSEWHERE", &elsewhere.host())
            .replace("PORT", &elsewhere.address().port().to_string());
        let server = server.naming(named.replace("OWN", "{own}")).run();
        let mut bridge = with_canary(&server.url(), &["--transport", "sse-only"]).spawn();
        let answer = bridge.call(0, "initialize", initialize_params(json!({})));
        assert!(answer["error"]["message"].is_string(), "{spelling}: {answer}");
        bridge.finish();
        assert_eq!(elsewhere.connections(), 0, "{spelling}");
        let posts = server.requests().into_iter().filter(|line| line.starts_with("POST"));
        assert_eq!(posts.count(), 0, "{spelling}");
        assert_everywhere(&server);
    }
}

#[test]
fn an_endpoint_of_the_servers_own_is_understood_however_it_is_spelled() {
    for spelling in
        ["messages?session=canary-1", "http://OWN/m?session=canary-1", "?session=canary-1"]
    {
        let server = SseServer::builder().naming(spelling.replace("OWN", "{own}")).run();
        let mut bridge = with_canary(&server.url(), &["--transport", "sse-only"]).spawn();
        bridge.initialize();
        bridge.finish();
        assert_everywhere(&server);
    }
}

#[test]
fn a_session_that_an_older_server_repeats_stays_secret() {
    let server = SseServer::builder().run();
    let mut bridge = with_canary(&server.url(), &["--transport", "sse-only"]).spawn();
    bridge.initialize();
    let answer = bridge.call_tool(1, "refused", json!({}));
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("not by [secret]"), "{answer}");
    bridge.finish();
}

/// What a server may name in an answer besides the answer itself.
#[test]
fn no_address_in_an_answer_is_sent_a_header() {
    let elsewhere = SseServer::builder().run();
    let there = format!("http://{}/there", elsewhere.host());
    let challenge = format!("Bearer resource_metadata=\"{there}\", error=\"invalid_token\"");
    let named = |answer: Answer| {
        answer
            .header("link", &format!("<{there}>; rel=\"preload\", <{there}>; rel=\"next\""))
            .header("location", &there)
            .header("content-location", &there)
            .header("refresh", &format!("0; url={there}"))
            .header("alt-svc", &format!("h2=\"{}\"", elsewhere.host()))
            .header("x-accel-redirect", &there)
            .header("www-authenticate", &challenge)
    };
    let event = Step::event(&there).named("endpoint");
    let server = McpServer::legacy()
        .once("initialize", named(Answer::well_behaved()))
        .once(tool("a"), named(Answer::status(401)))
        .once(tool("b"), named(Answer::status(403)))
        .once(tool("c"), named(Answer::stream([event, Step::result(text("c"))])))
        .once(tool("d"), named(Answer::status(201)))
        .once(tool("e"), named(Answer::text("gone").with_status(410)))
        .once("ping", named(Answer::status(300)))
        .always(get(), named(Answer::status(405)))
        .always(delete(), named(Answer::status(405)))
        .run();
    let mut bridge = with_canary(&server.url(), &[]).env("CI", "1").spawn();
    bridge.initialize();
    bridge.call(9, "ping", json!({}));
    // The 401 comes last: nothing is sent after it without a sign-in.
    for (id, name) in ["b", "c", "d", "e", "a"].into_iter().enumerate() {
        bridge.call_tool(id, name, json!({}));
    }
    bridge.finish();
    for request in elsewhere.seen() {
        let told = request.headers.iter().find(|(_, value)| value.contains(CANARY));
        assert_eq!(told, None, "{request:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_environment_of_the_bridge_itself_and_its_arguments_hold_what_the_user_gave_and_no_more() {
    let folder = TempDir::new().unwrap();
    for way in each_way(&folder) {
        let server = McpServer::legacy().run();
        let mut bridge = way(BridgeProcess::to(server.url()), &folder).spawn();
        bridge.initialize();
        let arguments = std::fs::read(format!("/proc/{}/cmdline", bridge.pid())).unwrap();
        assert!(!String::from_utf8_lossy(&arguments).contains(CANARY));
        let children = format!("/proc/{0}/task/{0}/children", bridge.pid());
        assert_eq!(std::fs::read_to_string(children).unwrap(), "", "no program stays");
        bridge.finish();
    }
}

/// What a program that we start can see of us: its own environment, ours, and our arguments.
#[cfg(target_os = "linux")]
#[test]
fn a_program_that_we_start_sees_no_header_of_a_file() {
    let folder = TempDir::new().unwrap();
    std::fs::write(below(&folder, "headers.txt"), format!("{NAME}: {CANARY}\n")).unwrap();
    let program = below(&folder, "token.sh");
    let script = "#!/bin/sh\n\
         cat /proc/self/environ /proc/$PPID/environ /proc/$PPID/cmdline > \"$0.seen\"\n\
         readlink /proc/self/fd/* >> \"$0.seen\"\n\
         echo a-token\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let server = McpServer::legacy().run();
    let mut bridge = BridgeProcess::to(server.url())
        .arg("--header-file")
        .arg(below(&folder, "headers.txt"))
        .args(["--header-command", &program])
        .env("MARK", "handed-on")
        .spawn();
    bridge.initialize();
    bridge.finish();
    for request in server.requests_of(anything()) {
        assert_eq!(request.header(NAME), Some(CANARY), "{}", request.method);
        assert_eq!(request.header("authorization"), Some("Bearer a-token"), "{}", request.method);
    }
    let seen = std::fs::read(below(&folder, "token.sh.seen")).unwrap();
    let seen = String::from_utf8_lossy(&seen);
    assert_eq!(seen.matches("MARK=handed-on").count(), 2, "both environments are in it: {seen}");
    assert!(seen.contains("--header-file"), "the arguments are in it: {seen}");
    assert!(!seen.contains(CANARY), "{seen}");
    assert!(!seen.contains("socket:"), "no connection is handed on: {seen}");
}

/// A web page in place of an answer, whose title is what the request says under this name.
fn repeating(name: &'static str, status: u16) -> Answer {
    let page = move |request: &Request| {
        let said = request.header(name).unwrap_or_default();
        format!("<title>who is {said}</title>")
    };
    Answer::response(page).content_type("text/html").with_status(status)
}

#[test]
fn what_a_web_page_repeats_of_a_request_stays_secret() {
    // One that fits into an error, and one that is cut in it.
    for (name, key) in [("short", CANARY.to_owned()), ("long", format!("{CANARY}{:x>300}", ""))] {
        let (server, browser) = (Guarded::run(), Browser::recording());
        let mut bridge = signed_in_with(&server, &browser, &key);
        for status in [200, 403, 500] {
            for header in ["authorization", NAME, "mcp-session-id", "cookie"] {
                server.mcp.once(tool("repeats"), repeating(header, status));
                let id = format!("{status} {header}");
                let answer = bridge.call_tool(id, "repeats", json!({}));
                let message = answer["error"]["message"].as_str().unwrap_or_default();
                let is_hidden = message.contains("[secret]") && !message.contains(CANARY);
                assert!(is_hidden, "{name} {header} {status}: {answer}");
            }
        }
        bridge.finish();
    }
}

/// A bridge whose person has signed in, with a key and a cookie beside the token.
fn signed_in_with(server: &Guarded, browser: &Browser, key: &str) -> BridgeProcess {
    let cookie = Answer::well_behaved().header("set-cookie", "lb=canary-cookie-of-this-machine");
    server.mcp.once("tools/list", cookie);
    let args = ["--browser".to_owned(), browser.command()];
    let bridge = server.bridge().args(args).env("BRIDGE_HEADER_X_API_KEY", key);
    let mut bridge = bridge.spawn();
    bridge.initialize();
    bridge.request("first", "tools/list", json!({}));
    tab::sign_in(&browser.page(1));
    bridge.expect_response("first");
    bridge
}
