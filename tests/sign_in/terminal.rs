//! `bridge login` in a real terminal: what a person sees, pastes and types.

use serde_json::json;

use super::whole::home;
use crate::support::auth_server::{Answer, Plan, visit};
use crate::support::terminal::{CTRL_C, KEY, Terminal, page};
use crate::support::{DEADLINE, Guarded, McpServer};

#[test]
fn what_the_browser_ended_at_is_pasted_into_the_terminal() {
    let (server, home) = (Guarded::run(), home());
    let mut terminal = Terminal::run(&home, &["login", &server.mcp.url(), "--no-browser"]);
    let screen = terminal.shows("/ Waiting for the browser");
    assert!(screen.contains("paste that address here"), "{screen}");
    let query = visit(&page(&screen)).expect("the way back");
    // As terminals paste, with what they put around it.
    terminal.types(&format!("\u{1b}[200~http://127.0.0.1/oauth/callback?{query}\u{1b}[201~\r"));
    terminal.shows("You are signed in to 127.0.0.1");
    assert!(terminal.ends().success());
    assert!(terminal.shows_what_is_typed());
    assert_eq!(server.grants("authorization_code"), 1);
}

#[test]
fn what_is_no_answer_of_the_browser_is_told_so_and_the_sign_in_goes_on() {
    let plan = Plan::default().expects_refusals();
    let (server, home) = (Guarded::with(plan, McpServer::legacy()), home());
    let mut terminal = Terminal::run(&home, &["login", &server.mcp.url(), "--no-browser"]);
    let page = page(&terminal.shows("/ Waiting for the browser"));
    terminal.types("two words\r");
    terminal.shows("\r\u{1b}[KThat can't be used: this is neither an address nor a code");
    terminal.types("yes\r");
    terminal.shows(
        "it is too short.\r\nPaste the whole address that the browser ends at, or the code in it.",
    );
    terminal.types("one-word\r");
    terminal.shows("invalid_grant: the code is unknown, or was used).");
    terminal.types("http://127.0.0.1/oauth/callback?code=c&state=another\r");
    terminal.shows("That can't be used: it belongs to another sign-in");
    terminal.types(&format!("{}\r", visit(&page).expect("the way back")));
    terminal.shows("You are signed in to 127.0.0.1");
    assert!(terminal.ends().success());
}

#[test]
fn a_word_that_is_no_code_ends_no_sign_in_whatever_the_server_says_and_five_do() {
    let plan = Plan::default()
        .rule("/token", |_| Some(Answer::json(400, &json!({"error": "invalid_request"}))));
    let (server, home) = (Guarded::with(plan, McpServer::legacy()), home());
    let mut terminal = Terminal::run(&home, &["login", &server.mcp.url(), "--no-browser"]);
    terminal.shows("/ Waiting for the browser");
    for word in ["password", "username", "sign-me-in", "help-me"] {
        let before = terminal.screen.read().matches("That can't be used").count();
        terminal.types(&format!("{word}\r"));
        let told = |screen: &mut String| {
            (screen.matches("That can't be used").count() > before).then_some(())
        };
        assert!(terminal.screen.wait(DEADLINE, told).is_some(), "{:?}", terminal.screen.read());
    }
    terminal.types("really\r");
    let screen = terminal.shows("and paste the whole address that the browser ends at");
    assert!(screen.contains("of 5 lines that were pasted, none was its answer"), "{screen}");
    assert_eq!((terminal.ends().code(), server.asked("/token")), (Some(1), 5));
}

#[test]
fn ctrl_c_ends_the_wait_for_the_browser() {
    let (server, home) = (Guarded::run(), home());
    let mut terminal = Terminal::run(&home, &["login", &server.mcp.url(), "--no-browser"]);
    terminal.shows("Waiting for the browser");
    terminal.types(CTRL_C);
    let screen = terminal.shows("error: the sign-in was ended before it was done");
    let (_, after) = screen.rsplit_once("Waiting for the browser").unwrap();
    assert!(after.contains("\r\u{1b}[K"), "the moving line is taken away: {after:?}");
    assert_eq!(terminal.ends().code(), Some(4));
    assert!(terminal.shows_what_is_typed());
}

#[test]
fn a_key_that_is_typed_where_there_is_no_keychain_seals_the_sign_in() {
    let (server, home) = (Guarded::run(), home());
    let args = ["login", &server.mcp.url(), "--with-token"];
    let mut terminal =
        Terminal::with(&home, &args, [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")]);
    terminal.shows("Where to keep it (1, 2 or 3)? ");
    terminal.types("1\r");
    terminal.asks_hidden("Key (it is not shown): ");
    terminal.types("no-key\r");
    terminal.shows("That can't be used: a key is 32 random bytes");
    terminal.asks_again("Key (it is not shown): ", 2);
    terminal.types(&format!("{KEY}\r"));
    terminal.asks_hidden("Token: ");
    server.auth.knows("canary-typed");
    terminal.types("canary-typed\r");
    let screen = terminal.shows("The token is kept: env");
    assert!(screen.contains("set BRIDGE_STORE_KEY") && !screen.contains(KEY), "{screen}");
    assert!(terminal.ends().success());
}

#[test]
fn ctrl_c_at_the_hidden_question_gives_the_terminal_back_as_it_was() {
    let (server, home) = (Guarded::run(), home());
    let mut terminal = Terminal::run(&home, &["login", &server.mcp.url(), "--with-token"]);
    terminal.asks_hidden("Token: ");
    terminal.types(CTRL_C);
    terminal.shows("no token was given");
    assert_eq!(terminal.ends().code(), Some(1));
    assert!(terminal.shows_what_is_typed());
}

#[test]
fn a_token_that_is_typed_is_not_shown() {
    let (server, home) = (Guarded::run(), home());
    let mut terminal = Terminal::run(&home, &["login", &server.mcp.url(), "--with-token"]);
    terminal.asks_hidden("Token: ");
    server.auth.knows("canary-typed");
    terminal.types("canary-typed\r");
    let screen = terminal.shows("The token is kept");
    assert!(!screen.contains("canary"), "{screen}");
    assert!(terminal.ends().success() && terminal.shows_what_is_typed());
}
