//! Call Camp Studio: a bearer token from a profile page, a real session, no OAuth.
//!
//! `/mcp` hands out `Mcp-Session-Id` and refuses what comes without it. A token that is not good any more is 401
//! without a challenge, one whose user has no client 403; what is wrong with a call is a result with `isError`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::Record;
use crate::support::certificates::PrivateAuthority;
use crate::support::mcp_server::{Request, matcher};
use crate::support::{Answer, McpServer};

/// A record that exists.
pub const RECORD: &str = "6e1f2d3c-0000-4000-8000-000000000001";
/// A campaign that exists.
pub const CAMPAIGN: &str = "c0ffee00-0000-4000-8000-000000000001";
/// What a right token is; a user generates them in the profile page.
const TOKEN: &str = "cc_canary-live";

/// The tools, and what each is about.
pub const TOOLS: [(&str, &str); 12] = [
    ("list_campaigns", "Campaigns of your client"),
    ("get_campaign", "One campaign"),
    ("create_campaign", "A new campaign"),
    ("update_campaign", "Changes a campaign"),
    ("start_campaign", "Begins to call"),
    ("pause_campaign", "Stops calling"),
    ("list_records", "Calls of a campaign"),
    ("get_record", "One call"),
    ("update_record", "Changes the notes of a call"),
    ("search_transcripts", "Finds words in calls"),
    ("get_costs", "What was spent"),
    ("export_report", "A report of a campaign"),
];

pub const RESOURCES: [&str; 2] = ["studio://campaigns", "studio://costs/total"];

pub const TEMPLATES: [&str; 5] = [
    "studio://campaigns/{uuid}",
    "studio://campaigns/{uuid}/stats",
    "studio://campaigns/{uuid}/records",
    "studio://records/{uuid}",
    "studio://records/{uuid}/transcript",
];

#[derive(Default)]
struct Tokens {
    given: usize,
    good: Vec<String>,
    without_client: Vec<String>,
}

/// The running product.
pub struct CallCamp {
    pub mcp: McpServer,
    tokens: Arc<Mutex<Tokens>>,
}

impl CallCamp {
    pub fn run() -> Self {
        let tokens = Arc::<Mutex<Tokens>>::default();
        let (known, clientless) = (Arc::clone(&tokens), Arc::clone(&tokens));
        let mcp = McpServer::legacy()
            .https()
            .tools(TOOLS.iter().map(|(name, about)| tool(name, about)).collect())
            .always_with("initialize", {
                let sessions = Arc::<AtomicUsize>::default();
                move |request| {
                    let number = sessions.fetch_add(1, Ordering::Relaxed) + 1;
                    let answer = initialize(&request);
                    let answer = answer.header("mcp-session-id", &format!("canary-cc-{number}"));
                    std::future::ready(answer)
                }
            })
            .always("resources/list", Answer::result(json!({"resources": RESOURCES.map(resource)})))
            .always(
                "resources/templates/list",
                Answer::result(json!({"resourceTemplates": TEMPLATES.map(template)})),
            )
            .always_with("resources/read", |request| std::future::ready(read(&request)))
            .always_with("tools/call", |request| std::future::ready(call(&request)))
            .always(
                matcher::when("no client", move |request| {
                    lock(&clientless).without_client.iter().any(|token| carries(request, token))
                }),
                error(403, "Your user has no client assigned"),
            )
            .always(
                matcher::when("no good token", move |request| {
                    let tokens = lock(&known);
                    !tokens.good.iter().any(|token| carries(request, token))
                        && !tokens.without_client.iter().any(|token| carries(request, token))
                }),
                error(401, "Invalid or expired token"),
            )
            // What a sign-in asks before there is a session.
            .allow(matcher::id("\"bridge-entry\""))
            .run();
        Self { mcp, tokens }
    }

    /// A user generates a token in the profile page.
    pub fn generates_a_token(&self) -> String {
        let mut tokens = lock(&self.tokens);
        tokens.given += 1;
        let token = format!("{TOKEN}-{}", tokens.given);
        tokens.good.push(token.clone());
        token
    }

    /// As a user to whom no client is assigned.
    pub fn generates_a_token_without_client(&self) -> String {
        let token = self.generates_a_token();
        let mut tokens = lock(&self.tokens);
        tokens.good.retain(|good| *good != token);
        tokens.without_client.push(token.clone());
        token
    }

    /// No token is good any more.
    pub fn revokes_all(&self) {
        lock(&self.tokens).good.clear();
    }

    pub fn url(&self) -> String {
        self.mcp.url()
    }

    pub fn authority(&self) -> &PrivateAuthority {
        self.mcp.authority()
    }

    pub fn record(&self) -> Record {
        Record::of_mcp(&self.mcp)
    }
}

fn lock(tokens: &Mutex<Tokens>) -> MutexGuard<'_, Tokens> {
    tokens.lock().unwrap_or_else(PoisonError::into_inner)
}

fn carries(request: &Request, token: &str) -> bool {
    request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) == Some(token)
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(json!({"error": message}).to_string()).with_status(status)
}

fn tool(name: &str, about: &str) -> Value {
    json!({"name": name, "description": about, "inputSchema": {"type": "object"}})
}

fn resource(uri: &str) -> Value {
    json!({"uri": uri, "name": uri, "mimeType": "application/json"})
}

fn template(uri: &str) -> Value {
    json!({"uriTemplate": uri, "name": uri, "mimeType": "application/json"})
}

fn initialize(request: &Request) -> Answer {
    Answer::result(json!({
        "protocolVersion": request.params()["protocolVersion"],
        "capabilities": {"tools": {}, "resources": {}},
        "serverInfo": {"name": "call-camp-studio", "version": "2.4.0"},
    }))
}

fn call(request: &Request) -> Answer {
    let params = request.params();
    let arguments = &params["arguments"];
    match params["name"].as_str().unwrap_or_default() {
        "list_campaigns" => said(&json!({"campaigns": [{"uuid": CAMPAIGN, "name": "Spring"}]})),
        "get_record" if arguments["uuid"] == RECORD => said(&one_record()),
        "get_record" | "update_record" => failed("Record not found"),
        "get_costs" => said(&costs()),
        "start_campaign" => failed("You need the permission campaigns.start"),
        name if TOOLS.iter().any(|(known, _)| *known == name) => said(&json!({"done": true})),
        name => Answer::error(-32602, &format!("Unknown tool: {name}")),
    }
}

fn read(request: &Request) -> Answer {
    let params = request.params();
    let uri = params["uri"].as_str().unwrap_or_default();
    let stats = format!("studio://campaigns/{CAMPAIGN}/stats");
    let record = format!("studio://records/{RECORD}");
    let content = match uri {
        "studio://costs/total" => costs(),
        _ if uri == stats => json!({"calls": 120, "answered": 88}),
        _ if uri == record => one_record(),
        _ => return Answer::error(-32002, "Resource not found"),
    };
    let content = json!({"uri": uri, "mimeType": "application/json", "text": content.to_string()});
    Answer::result(json!({"contents": [content]}))
}

fn one_record() -> Value {
    json!({"uuid": RECORD, "duration": 73, "outcome": "answered"})
}

fn costs() -> Value {
    json!({"currency": "EUR", "total": "412.50"})
}

fn said(value: &Value) -> Answer {
    Answer::result(json!({"content": [{"type": "text", "text": value.to_string()}]}))
}

fn failed(why: &str) -> Answer {
    Answer::result(json!({"content": [{"type": "text", "text": why}], "isError": true}))
}
