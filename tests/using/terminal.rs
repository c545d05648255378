//! In a terminal: questions of the server, progress, Ctrl-C, a sign-in in the middle of it.

use serde_json::{Value, json};

use crate::support::auth_server::{Plan, visit};
use crate::support::mcp_server::matcher::tool;
use crate::support::modern_server::questions;
use crate::support::terminal::{CTRL_C, Terminal, page};
use crate::support::{Answer, BridgeProcess, Guarded, McpServer, ModernServer};

/// A process that did nothing, for its home.
fn home() -> BridgeProcess {
    let mut idle = BridgeProcess::with_args(["--version"]).unchecked().spawn();
    idle.wait_exit();
    idle
}

fn call(url: &str, tool: &str, arguments: &Value) -> (BridgeProcess, Terminal) {
    let home = home();
    let args = ["call", url, tool, "--browser", "never", "--args", &arguments.to_string()];
    let terminal = Terminal::run(&home, &args);
    (home, terminal)
}

/// A form with a field of each kind.
fn form() -> Value {
    json!({"mode": "form", "message": "Who\u{1b}[2J are you?", "requestedSchema": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "title": "Your name"},
            "years": {"type": "integer", "minimum": 0},
            "color": {"type": "string", "enum": ["red", "green"]},
            "note": {"type": "string"},
        },
        "required": ["name", "years", "color"],
    }})
}

/// Types the answers to that form; they are asked for in its order.
fn fill(terminal: &mut Terminal) {
    // The fixture's JSON has the names in the order of the alphabet.
    terminal.shows(" asks: Who\\u{1b}[2J are you?\r\nAnswer it? [Y/n] ");
    terminal.types("\r");
    terminal.shows("color (one of these)\r\n  1  red\r\n  2  green\r\n> ");
    terminal.types("blue\r");
    terminal.shows("That can't be used: it is none of these.\r\n> ");
    terminal.types("2\r");
    terminal.shows("Your name (a text)\r\n> ");
    terminal.types("\r");
    terminal.shows("It has to be there.\r\n> ");
    terminal.types("Zoë 7\r");
    terminal.shows("note (a text, or nothing)\r\n> ");
    terminal.types("\r");
    terminal.shows("years (a whole number)\r\n> ");
    terminal.types("many\r");
    terminal.shows("That can't be used: it is not a whole number.\r\n> ");
    terminal.types("42\r");
}

const FILLED: &str = r#"{"action":"accept","content":{"color":"green","name":"Zoë 7","years":42}}"#;

#[test]
fn a_form_of_a_legacy_server_is_asked_and_its_answer_typed() {
    let server = McpServer::legacy().run();
    let arguments = json!({"method": "elicitation/create", "params": form()});
    let (_home, mut terminal) = call(&server.url(), "ask", &arguments);
    fill(&mut terminal);
    assert!(terminal.ends().success());
    assert_eq!(server.answer_to("ask-1")["result"].to_string(), FILLED);
}

#[test]
fn a_form_of_a_modern_server_is_asked_in_the_same_way() {
    let server = ModernServer::run();
    let rounds = json!([{"who": {"method": "elicitation/create", "params": form()}}]);
    let (_home, mut terminal) = call(&server.url(), "ask", &json!({"rounds": rounds}));
    fill(&mut terminal);
    assert!(terminal.ends().success());
    terminal.shows("green");
    let calls = server.requests_of(tool("ask"));
    assert_eq!(calls[1].params()["inputResponses"]["who"].to_string(), FILLED);
}

#[test]
fn a_person_may_say_no_to_a_question_and_to_a_page() {
    let server = ModernServer::run();
    let rounds = json!([questions::form("name"), questions::url("page")]);
    let (_home, mut terminal) = call(&server.url(), "ask", &json!({"rounds": rounds}));
    terminal.shows("Answer it? [Y/n] ");
    terminal.types("n\r");
    terminal.shows("asks you to open a page of example.com: Please visit the page.\r\n\r\n  https://example.com/visit?a=1\r\n\r\nOpen it? [y/N] ");
    terminal.types("\r");
    assert!(terminal.ends().success());
    let calls = server.requests_of(tool("ask"));
    let actions = [
        &calls[1].params()["inputResponses"]["name"],
        &calls[2].params()["inputResponses"]["page"],
    ]
    .map(Value::to_string);
    assert_eq!(actions, [r#"{"action":"decline"}"#, r#"{"action":"decline"}"#]);
}

#[test]
fn a_page_that_has_to_be_visited_first_is_asked_for_and_the_call_made_again() {
    let data = json!({"elicitations": [{
        "mode": "url", "elicitationId": "e-1", "url": "https://example.com/pay", "message": "Pay first."
    }]});
    let refusal = Answer::error_with(-32042, "Visit a page", &data).not_executed();
    let server = McpServer::legacy().once(tool("echo"), refusal.clone()).run();
    let (_home, mut terminal) = call(&server.url(), "echo", &json!({"text": "paid"}));
    terminal.shows("Open it? [y/N] ");
    terminal.types("y\r");
    terminal.shows("Press Enter when you are done there. ");
    terminal.types("\r");
    terminal.shows("paid\r\n");
    assert!(terminal.ends().success());
    assert_eq!(server.count(tool("echo")), 2);

    let server = McpServer::legacy().once(tool("echo"), refusal).run();
    let told = super::Run::of("call", &server.url(), &["echo", "text=x"]).failed(4);
    assert!(
        told.ends_with("hint: open https://example.com/pay in a browser, and try again\n"),
        "{told}"
    );
}

#[test]
fn progress_is_a_line_that_is_taken_away() {
    for url in [McpServer::legacy().run(), McpServer::legacy().run()].iter().map(McpServer::url) {
        let (_home, mut terminal) = call(&url, "progress", &json!({"steps": 3}));
        let screen = terminal.shows("done\r\n");
        assert!(terminal.ends().success());
        assert!(screen.contains("\r\u{1b}[K1/3") && screen.contains("\r\u{1b}[K3/3"), "{screen:?}");
        assert!(screen.ends_with("\r\u{1b}[K3/3\r\u{1b}[Kdone\r\n"), "{screen:?}");
    }
}

#[test]
fn ctrl_c_reaches_the_server_as_a_cancellation() {
    let server = McpServer::legacy().run();
    let gate = server.gate("never");
    let (_home, mut terminal) = call(&server.url(), "wait", &json!({"gate": "never"}));
    let waiting = server.wait_for(tool("wait"));
    terminal.types(CTRL_C);
    assert_eq!(terminal.ends().code(), Some(130));
    terminal.shows("error: it was ended before it was done\r\n");
    let cancelled = server.wait_for("notifications/cancelled");
    assert_eq!(cancelled.params()["requestId"], waiting.json()["id"]);
    assert_eq!(server.count(crate::support::mcp_server::matcher::delete()), 1);
    gate.open();
}

#[test]
fn ctrl_c_leaves_the_call_of_a_modern_server() {
    let server = ModernServer::run();
    let gate = server.gate("never");
    let (_home, mut terminal) = call(&server.url(), "wait", &json!({"gate": "never"}));
    server.wait_for(tool("wait"));
    terminal.types(CTRL_C);
    assert_eq!(terminal.ends().code(), Some(130));
    server.wait_until_abandoned(tool("wait"));
    gate.open();
}

#[test]
fn whoever_has_to_sign_in_does_so_and_the_call_is_made() {
    let (server, home) = (Guarded::run(), home());
    server.needs_scope("echo", "write");
    let args = ["call", &server.mcp.url(), "echo", "text=hi", "--browser", "never"];
    let mut terminal = Terminal::run(&home, &args);
    let screen = terminal.shows("/ Waiting for the browser");
    assert!(screen.contains("wants you to sign in."), "{screen}");
    let back = |screen: &str| visit(&page(screen)).expect("the way back");
    terminal.types(&format!("{}\r", back(&screen)));
    // What the token lacks is asked for in the same way.
    let screen = terminal.shows_times("paste that address here", 2);
    let (_, second) = screen.split_once("You are signed in to").expect("the first sign-in");
    assert!(second.contains("sign in once more, with these permissions: "), "{second}");
    terminal.types(&format!("{}\r", back(second)));
    terminal.shows("\r\nhi\r\n");
    assert!(terminal.ends().success());
    assert_eq!((server.grants("authorization_code"), server.mcp.executions("echo")), (2, 1));
}

#[test]
fn what_is_not_granted_is_asked_for_once() {
    let plan = Plan::default().gives(|grant| "read".clone_into(&mut grant.scope));
    let (server, home) = (Guarded::with(plan, McpServer::legacy()), home());
    server.needs_scope("echo", "write");
    let args = ["call", &server.mcp.url(), "echo", "text=hi", "--browser", "never"];
    let mut terminal = Terminal::run(&home, &args);
    let screen = terminal.shows("/ Waiting for the browser");
    let back = |screen: &str| visit(&page(screen)).expect("the way back");
    terminal.types(&format!("{}\r", back(&screen)));
    let screen = terminal.shows_times("paste that address here", 2);
    let (_, second) = screen.split_once("You are signed in to").expect("the first sign-in");
    terminal.types(&format!("{}\r", back(second)));
    terminal.shows("did not grant `write` when asked for it");
    assert!(!terminal.ends().success());
    assert_eq!(server.grants("authorization_code"), 2);
}

#[test]
fn ctrl_c_at_a_question_ends_the_call_too() {
    let server = McpServer::legacy().run();
    let arguments = json!({"method": "elicitation/create", "params": form()});
    let (_home, mut terminal) = call(&server.url(), "ask", &arguments);
    terminal.shows("Answer it? [Y/n] ");
    terminal.types(CTRL_C);
    assert_eq!(terminal.ends().code(), Some(130));
    let cancelled = server.wait_for("notifications/cancelled");
    assert_eq!(cancelled.params()["requestId"], server.wait_for(tool("ask")).json()["id"]);
}

#[test]
fn a_file_does_not_go_to_a_terminal() {
    let server = ModernServer::run();
    for words in [
        &["call", &server.url(), "echo", "text=x", "--output", "-"][..],
        &["read", &server.url(), "memo:///blob", "--output", "-"],
    ] {
        let mut terminal = Terminal::run(&home(), words);
        terminal.shows("`… --output - | PROGRAM`");
        assert_eq!(terminal.ends().code(), Some(2));
    }
    // What was done could not be done again.
    assert_eq!(server.executions("echo"), 0);
    let words = ["read", &server.url(), "memo:///1", "--output", "-"];
    let home = home();
    let mut terminal = Terminal::run(&home, &words);
    terminal.shows("a memo");
    assert!(terminal.ends().success());
}

#[test]
fn what_would_steer_the_terminal_is_written_out() {
    let server = McpServer::legacy().run();
    let (_home, mut terminal) =
        call(&server.url(), "echo", &json!({"text": "a\u{1b}[2Jb\r\nc\td"}));
    let screen = terminal.shows("a\\u{1b}[2Jb\r\nc\td");
    assert!(terminal.ends().success());
    assert!(!screen.contains("\u{1b}[2J"), "{screen:?}");
    let piped =
        super::Run::of("call", &server.url(), &["echo", "--args", r#"{"text":"a\u001b[2J"}"#]);
    assert_eq!(piped.printed(), "a\u{1b}[2J\n");
}

#[test]
fn json_on_a_terminal_is_the_same_json_and_does_not_steer_it() {
    let odd = "a\u{9b}31m\u{202e}b\u{7f}";
    let tools = json!([{"name": "echo", "description": odd, "inputSchema": {"type": "object"}}]);
    let server = McpServer::legacy().tools(tools).run();
    let url = server.url();
    let text = format!("text={odd}");
    for words in [
        &["tools", &url, "--json"][..],
        &["tools", &url, "echo", "--json"],
        &["call", &url, "echo", &text, "--json"],
    ] {
        let mut terminal = Terminal::run(&home(), words);
        let screen = terminal.shows("a\\u009b31m\\u202eb\\u007f");
        assert!(terminal.ends().success(), "{screen}");
        assert!(!screen.contains(['\u{9b}', '\u{202e}', '\u{7f}']), "{screen:?}");
    }
    let piped = super::Run::of("call", &url, &["echo", &text, "--json"]).printed();
    assert!(piped.contains(odd), "{piped:?}");
}
