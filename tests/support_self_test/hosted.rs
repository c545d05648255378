//! What the stories of hosted products stand on.

use std::sync::Arc;

use serde_json::json;

use crate::support::McpServer;
use crate::support::auth_server::Plan;
use crate::support::certificates::PrivateAuthority;
use crate::support::guarded::guard;
use crate::support::hosted::{Entry, Front, Record, User};
use crate::support::tab::{self, Browser};

#[test]
fn a_user_signs_in_over_https_and_opens_a_client() {
    let authority = Arc::new(PrivateAuthority::found());
    let front = Front::reserve(&authority);
    let mcp = McpServer::legacy().https_by(&authority).run();
    let auth = guard(Plan { origin: Some(front.origin()), ..Plan::default() }, &mcp);
    front.lead_to(auth.address());
    let mut seen = Record::of_auth(&auth, "auth").hide(&mcp.host(), "SERVER");
    let browser = Browser::recording();
    let user = User::trusting(&authority).with_browser(&browser);

    user.types("bridge add work nonsense --no-check").fails(2);
    user.types(&format!("bridge add work {}", mcp.url())).ok().says(&["Saved `work`"]);
    let login = user.begins("bridge login work");
    tab::sign_in(&browser.page(1));
    login.ends().ok();
    let seen = seen.take();
    assert!(seen.iter().any(|line| line.starts_with("auth: POST /register · ")), "{seen:#?}");
    assert!(seen.iter().all(|line| !line.contains("canary")), "{seen:#?}");
    assert!(seen.iter().any(|line| line.contains("resource=https://SERVER/mcp")), "{seen:#?}");
    let kept = user.records();
    assert_eq!(kept.iter().filter(|name| name.ends_with(".sealed")).count(), 1, "{kept:?}");

    let entry = Entry::read(&json!({"command": "bridge", "args": ["work"]}));
    let clients = user.opens(3, &entry);
    let text = clients.all(|client| client.calls_for_text("echo", &json!({"text": "hello"})));
    assert_eq!(text, Ok("hello".to_owned()));
    assert_eq!(mcp.sessions(), 3);
    clients.close();

    let clients = user.opens(1, &entry);
    mcp.push(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    clients.0[0].is_told_of_new_tools(1);
    assert_eq!(clients.each(|client| client.asks("prompts/list", json!({})).is_ok()), [true]);
    clients.close();
}
