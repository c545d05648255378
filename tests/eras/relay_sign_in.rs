//! What the bridge says itself to a modern client while a sign-in waits.

use serde_json::{Value, json};

use super::relay_side::modern;
use crate::support::auth_server::{AuthServer, Plan};
use crate::support::guarded::guard;
use crate::support::mcp_server::text;
use crate::support::modern_server::questions;
use crate::support::tab::{self, Browser};
use crate::support::{Answer, BridgeProcess, ModernServer};

/// The key of the bridge's own question.
const KEY: &str = "mcp-bridge/sign-in";

struct Desk {
    server: ModernServer,
    auth: AuthServer,
    browser: Browser,
}

impl Desk {
    fn new() -> Self {
        let server = ModernServer::run();
        let auth = guard(Plan::default(), &server);
        Self { server, auth, browser: Browser::recording() }
    }

    fn bridge(&self) -> BridgeProcess {
        let browser = ["--browser".to_owned(), self.browser.command()];
        BridgeProcess::to(self.server.url()).args(browser).spawn()
    }
}

/// Parameters of a client of this name, with these capabilities.
fn of(client: &str, capabilities: Value, params: Value) -> Value {
    let mut params = modern(params);
    params["_meta"]["io.modelcontextprotocol/clientInfo"]["name"] = json!(client);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    params
}

fn echo() -> Value {
    json!({"name": "echo", "arguments": {"text": "hi"}})
}

/// Parameters of a client that opens pages itself.
fn with_pages(params: Value) -> Value {
    of("test", json!({"elicitation": {"url": {}}}), params)
}

#[test]
fn a_client_that_opens_pages_is_asked_and_its_next_attempt_is_executed_once() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    let answer = bridge.call(1, "server/discover", with_pages(json!({})));
    assert_eq!(answer["error"]["code"], -32601);
    let result = bridge.call(2, "tools/call", with_pages(echo()))["result"].take();
    assert_eq!(result["resultType"], "input_required", "{result}");
    let question = &result["inputRequests"][KEY];
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["mode"], "url");
    let page = question["params"]["url"].as_str().expect("a page").to_owned();
    assert_eq!(desk.browser.page(1), page);
    let mut again = with_pages(echo());
    again["inputResponses"] = json!({KEY: {"action": "accept"}});
    bridge.request(3, "tools/call", again);
    tab::sign_in(&page);
    let answer = bridge.expect_response(3);
    assert_eq!(answer["result"]["content"], text("hi")["content"], "{answer}");
    assert_eq!((desk.server.executions("echo"), desk.browser.pages().len()), (1, 1));
    let asked: Vec<_> = desk.server.requests_of("tools/call");
    assert!(asked.iter().all(|request| request.params().get("inputResponses").is_none()));
    bridge.finish();
}

#[test]
fn who_declines_the_page_gets_the_error_that_names_it() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    bridge.call(1, "tools/call", with_pages(echo()));
    let mut again = with_pages(echo());
    again["inputResponses"] = json!({KEY: {"action": "decline"}});
    let error = bridge.call(2, "tools/call", again)["error"].take();
    assert_eq!(error["data"]["kind"], "sign_in_needed");
    assert!(error["message"].as_str().unwrap().contains(&desk.browser.page(1)), "{error}");
    assert_eq!(desk.server.executions("echo"), 0);
    bridge.finish();
}

#[test]
fn lists_and_streams_wait_for_the_sign_in_and_the_client_hears_what_changed() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    let stream = json!({"notifications": {"toolsListChanged": true}});
    bridge.request("s", "subscriptions/listen", modern(stream));
    bridge.request(1, "tools/list", modern(json!({})));
    bridge.request(2, "tools/call", modern(echo()));
    tab::sign_in(&desk.browser.page(1));
    let list = bridge.expect_response(1)["result"].take();
    assert_eq!(list["ttlMs"], 60_000, "the server's own");
    assert!(bridge.expect_response(2)["result"]["content"].is_array());
    bridge.expect_method("notifications/subscriptions/acknowledged");
    bridge.expect_method("notifications/tools/list_changed");
    assert_eq!((desk.browser.pages().len(), desk.auth.asked("/token").len()), (1, 1));
    bridge.close_stdin();
    assert_eq!(bridge.expect_response("s")["result"]["resultType"], "complete");
}

#[test]
fn an_impatient_client_is_offered_the_tool_that_signs_in() {
    let desk = Desk::new();
    let mut bridge = desk.bridge();
    let codex = |params| of("codex-mcp-client", json!({}), params);
    let list = bridge.call(1, "tools/list", codex(json!({})))["result"].take();
    assert_eq!(list["tools"][0]["name"], "bridge_sign_in");
    assert_eq!((&list["ttlMs"], &list["cacheScope"]), (&json!(0), &json!("private")));
    let tool = || codex(json!({"name": "bridge_sign_in", "arguments": {}}));
    let told = bridge.call(2, "tools/call", tool())["result"].take();
    assert_eq!(told["resultType"], "complete");
    let page = desk.browser.page(1);
    assert!(told["content"][0]["text"].as_str().unwrap().contains(&page), "{told}");
    bridge.request(3, "tools/call", tool());
    tab::sign_in(&page);
    assert_eq!(bridge.expect_response(3)["result"]["isError"], false);
    let list = bridge.call(4, "tools/list", codex(json!({})))["result"].take();
    assert_eq!(list["ttlMs"], 60_000, "the server's own");
    bridge.finish();
}

#[test]
fn who_answered_before_a_sign_in_is_not_asked_again() {
    let (server, browser) = (ModernServer::run(), Browser::recording());
    let by = ["--browser".to_owned(), browser.command()];
    let mut bridge = BridgeProcess::to(server.url()).args(by).spawn();
    bridge.initialize_with(json!({"elicitation": {"form": {}}}));
    let rounds = json!([questions::form("a"), questions::form("b")]);
    let call = json!({"name": "ask", "arguments": {"rounds": rounds}});
    bridge.request(1, "tools/call", call);
    let first = bridge.expect_method("elicitation/create");
    let _auth = guard(Plan::default(), &server);
    bridge.respond(first["id"].clone(), json!({"action": "decline"}));
    tab::sign_in(&browser.page(1));
    let second = bridge.expect_method("elicitation/create");
    bridge.respond(second["id"].clone(), json!({"action": "cancel"}));
    let answer = bridge.expect_response(1);
    let answers = answer["result"]["content"][0]["text"].as_str().expect("a text");
    let answers: Value = serde_json::from_str(answers).expect("the answers");
    assert_eq!(answers, json!([{"a": {"action": "decline"}}, {"b": {"action": "cancel"}}]));
    let begun = server.requests_of("tools/call").into_iter();
    let begun = begun.filter(|request| request.params().get("requestState").is_none());
    assert_eq!(begun.count(), 1);
    bridge.finish();
}

#[test]
fn where_nobody_watches_a_discover_fails_and_says_what_gives_credentials() {
    let desk = Desk::new();
    let mut bridge = BridgeProcess::to(desk.server.url()).args(["--browser", "never"]).spawn();
    let error = bridge.call(1, "server/discover", modern(json!({})))["error"].take();
    assert_eq!(error["data"]["kind"], "sign_in_needed");
    assert!(error["message"].as_str().unwrap().contains("bridge login"), "{error}");
    bridge.finish();
}

#[test]
fn scopes_that_a_discovery_is_never_granted_are_what_a_legacy_client_is_told() {
    let server = ModernServer::builder().answers_initialize(Answer::status(400)).run();
    let _auth = guard(Plan::default().grants(|grant| grant["scope"] = json!("read")), &server);
    let challenge = "Bearer error=\"insufficient_scope\", scope=\"write\"";
    let refusal = Answer::status(403).header("www-authenticate", challenge);
    server.always("server/discover", refusal);
    let browser = Browser::recording();
    let by = ["--browser".to_owned(), browser.command()];
    let mut bridge = BridgeProcess::to(server.url()).args(by).spawn();
    bridge.initialize();
    bridge.request(1, "tools/call", echo());
    tab::sign_in(&browser.page(1));
    tab::sign_in(&browser.page(2));
    let answer = bridge.expect_response(1);
    assert!(answer["error"].to_string().contains("`write`"), "{answer}");
    assert_eq!(browser.pages().len(), 2);
    server.forgive();
    bridge.finish();
}
