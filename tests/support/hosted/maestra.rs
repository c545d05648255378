//! Maestra: OAuth through the staff login; a feature of the account, and a permission of its user.
//!
//! The account's system name stands in the URL. With a token that is good: HTTP 404 while the feature is off for
//! the account, 403 while the user lacks the permission "MCP Access". Two tools give reports of many megabytes,
//! and a new tool appears without a reconnect.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{Front, Record};
use crate::support::auth_server::{AuthServer, Plan};
use crate::support::certificates::PrivateAuthority;
use crate::support::guarded::guard;
use crate::support::mcp_server::{Request, matcher};
use crate::support::{Answer, McpServer};

/// The system name of the account.
const ACCOUNT: &str = "acme";
/// The endpoint.
const ENDPOINT: &str = "/acme/mcp";
/// Where an administrator of the account changes its settings.
const SETTINGS: &str = "/acme/settings/";
/// What a report is at least, in bytes.
const LARGE: usize = 20_000_000;

/// A large report: a summary, a timeline, a row for each campaign.
pub static CAMPAIGN_REPORT: LazyLock<Value> = LazyLock::new(|| {
    let words =
        "A campaign of many words, as people write them: „Größe“, naïve, 100 %. ".repeat(30);
    let row = |number: usize| {
        let variants = json!([{"name": "A", "sent": number}, {"name": "B", "sent": number * 2}]);
        json!({
            "campaign": format!("c-{number:05}"),
            "notes": words,
            "steps": {"emails": variants, "sms": {"sent": number, "cost": 0.07}},
        })
    };
    let day = |day: usize| json!({"day": day, "sent": day * 1000, "opened": day * 400});
    let rows = LARGE / words.len() + 1;
    json!({
        "summary": {"account": ACCOUNT, "campaigns": rows, "openRate": 0.41},
        "timeline": (1..=365).map(day).collect::<Vec<_>>(),
        "campaigns": (0..rows).map(row).collect::<Vec<_>>(),
    })
});

/// The result that carries it, as it goes over the wire.
pub static LARGE_RESULT: LazyLock<String> = LazyLock::new(|| {
    let content = json!([{"type": "text", "text": "The report is in the structured content."}]);
    json!({"content": content, "structuredContent": &*CAMPAIGN_REPORT}).to_string()
});

/// What an administrator of the account decides.
struct Account {
    has_feature: bool,
    user_has_permission: bool,
    tools: Vec<&'static str>,
}

/// The running product; the feature is off, and the user has no permission.
pub struct Maestra {
    pub mcp: McpServer,
    pub auth: AuthServer,
    authority: Arc<PrivateAuthority>,
    account: Arc<Mutex<Account>>,
}

impl Maestra {
    pub fn run() -> Self {
        let authority = Arc::new(PrivateAuthority::found());
        let tools = vec!["campaign_report", "flow_report"];
        let account = Account { has_feature: false, user_has_permission: false, tools };
        let account = Arc::new(Mutex::new(account));
        let listed = Arc::clone(&account);
        let front = Front::reserve(&authority);
        let mcp = McpServer::legacy()
            .path(ENDPOINT)
            .https_by(&authority)
            .always_with("initialize", {
                let sessions = AtomicUsize::new(0);
                move |request| {
                    let number = sessions.fetch_add(1, Ordering::Relaxed) + 1;
                    let answer = initialize(&request);
                    let id = format!("canary-maestra-{number}");
                    std::future::ready(answer.header("mcp-session-id", &id))
                }
            })
            .always_with("tools/list", move |_| {
                let tools: Vec<_> = lock(&listed).tools.iter().map(|name| tool(name)).collect();
                std::future::ready(Answer::result(json!({"tools": tools})))
            })
            .always_with("tools/call", |request| std::future::ready(call(&request)))
            .allow(matcher::when("settings", is_of_settings))
            // What is asked of an address at which nothing seems to be.
            .allow("server/discover")
            .allow(matcher::get())
            .run();
        let auth = guard(Plan { origin: Some(front.origin()), ..Plan::default() }, &mcp);
        front.lead_to(auth.address());
        let this = Self { mcp, auth, authority, account };
        this.refuses_whom_it_does_not_serve();
        this.has_settings();
        this
    }

    /// Rules for tokens that are good, after the one for those that are not.
    fn refuses_whom_it_does_not_serve(&self) {
        let barred = |name, is: fn(&Account) -> bool| {
            let (door, account) = (self.auth.door(), Arc::clone(&self.account));
            matcher::when(name, move |request| {
                let token = request.header("authorization").and_then(|v| v.strip_prefix("Bearer "));
                let good = token.is_some_and(|token| door.scope_of(token).is_some());
                good && request.path == ENDPOINT && is(&lock(&account))
            })
        };
        let permission = barred("no permission", |account| !account.user_has_permission);
        self.mcp.always(permission, error(403, "The permission \"MCP Access\" is missing"));
        let feature = barred("the feature is off", |account| !account.has_feature);
        self.mcp.always(feature, error(404, "MCP is not enabled for the account acme"));
    }

    /// An administrator's page; it wants no token, which the rule for those has to leave alone.
    fn has_settings(&self) {
        let account = Arc::clone(&self.account);
        let answer =
            Answer::response(move |request| change(&mut lock(&account), &request.path).to_owned());
        let settings = matcher::when("settings", is_of_settings);
        self.mcp.always(settings, answer.content_type("text/plain"));
    }

    /// The feature is on for the account from now on.
    pub fn turns_the_feature_on(&self) {
        lock(&self.account).has_feature = true;
    }

    /// An administrator gives the user the permission.
    pub fn grants_the_permission(&self) {
        lock(&self.account).user_has_permission = true;
    }

    /// And takes it away.
    pub fn takes_the_permission_away(&self) {
        lock(&self.account).user_has_permission = false;
    }

    /// There is one more tool, and whoever is connected is told so.
    pub fn adds_a_tool(&self, name: &'static str) {
        lock(&self.account).tools.push(name);
        let method = "notifications/tools/list_changed";
        self.mcp.push_to_all(&json!({"jsonrpc": "2.0", "method": method}));
    }

    pub fn url(&self) -> String {
        self.mcp.url()
    }

    pub fn authority(&self) -> &PrivateAuthority {
        &self.authority
    }

    /// The address that does this to the account's settings.
    pub fn setting(&self, verb: &str) -> String {
        self.mcp.url_of(&format!("{SETTINGS}{verb}"))
    }

    pub fn records(&self) -> [Record; 2] {
        let (mcp, auth) = (self.mcp.host(), self.auth.origin());
        [
            Record::of_mcp(&self.mcp).hide(&auth, "AUTH"),
            Record::of_auth(&self.auth, "auth").hide(&mcp, "SERVER"),
        ]
    }
}

fn lock(account: &Mutex<Account>) -> MutexGuard<'_, Account> {
    account.lock().unwrap_or_else(PoisonError::into_inner)
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(json!({"error": message}).to_string()).with_status(status)
}

fn tool(name: &str) -> Value {
    let about = name.replace('_', " ");
    json!({"name": name, "description": about, "inputSchema": {"type": "object"}})
}

fn initialize(request: &Request) -> Answer {
    Answer::result(json!({
        "protocolVersion": request.params()["protocolVersion"],
        "capabilities": {"tools": {"listChanged": true}},
        "serverInfo": {"name": "maestra", "version": "7.1.0"},
    }))
}

fn call(request: &Request) -> Answer {
    match request.tool().unwrap_or_default().as_str() {
        "campaign_report" => Answer::response(|request| {
            let id = request.rpc_id().unwrap_or("null");
            format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{}}}"#, *LARGE_RESULT)
        }),
        "flow_report" => Answer::result(json!({
            "content": [{"type": "text", "text": "One flow."}],
            "structuredContent": {"summary": {"flows": 1}, "timeline": [], "flows": []},
        })),
        "segment_report" => Answer::result(json!({"content": [{"type": "text", "text": "New."}]})),
        name => Answer::error(-32602, &format!("Unknown tool: {name}")),
    }
}

fn is_of_settings(request: &Request) -> bool {
    request.path.starts_with(SETTINGS)
}

/// An administrator changes the account; for whoever tries the product.
fn change(account: &mut Account, path: &str) -> &'static str {
    match path.strip_prefix(SETTINGS).unwrap_or_default() {
        "turn-on" => {
            account.has_feature = true;
            "MCP is on for the account.\n"
        }
        "grant" => {
            account.user_has_permission = true;
            "The user has the permission.\n"
        }
        "take-away" => {
            account.user_has_permission = false;
            "The user has the permission no longer.\n"
        }
        _ => "There is no such setting.\n",
    }
}
