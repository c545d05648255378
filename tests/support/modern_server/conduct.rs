//! What the server takes and answers.

use std::collections::{BTreeSet, HashMap};

use hyper::Method;
use serde_json::{Value, json};

use super::builder::Quirk;
use super::{REVISION, judge, listening::Listen, offers};
use crate::support::mcp_server::judge as legacy_judge;
use crate::support::mcp_server::request::{Message, Request};
use crate::support::mcp_server::world::{Settings, State, World};
use crate::support::mcp_server::{Answer, Conduct, Legacy, legacy};
use crate::support::schema::Revision;
use crate::support::watched::Watched;

pub struct Modern {
    pub versions: Vec<String>,
    pub quirks: BTreeSet<Quirk>,
    pub page_size: Option<usize>,
    /// Whether it is a legacy server too.
    pub legacy_too: bool,
    pub initialize: Option<Answer>,
    pub shared: Watched<Shared>,
}

/// What changes while it runs.
#[derive(Default)]
pub struct Shared {
    pub tools: Value,
    /// The tools as a client was told last.
    pub listed: Option<Value>,
    /// All that were acknowledged, in their order.
    pub listens: Vec<Listen>,
    /// By `requestState`: the request that got it.
    pub states: HashMap<String, Asked>,
    /// It is a legacy server for now, and nothing else.
    pub as_legacy: bool,
}

/// A request that was answered with a question.
pub struct Asked {
    pub id: String,
    /// Its parameters, without what may differ in the retry.
    pub params: Value,
}

impl Modern {
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }

    /// Whether a legacy server, or one of both eras, serves this request as a legacy one.
    fn is_legacy(&self, request: &Request) -> bool {
        if self.shared.read().as_legacy {
            return true;
        }
        if !self.legacy_too {
            return false;
        }
        let declared = request.params()["_meta"][meta::VERSION].is_string();
        let header = request.header("mcp-protocol-version");
        !declared && header.is_none_or(|version| version < REVISION)
    }
}

/// The members of `_meta` that the specification defines.
pub mod meta {
    pub const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    pub const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    pub const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
}

impl Conduct for Modern {
    fn faults(&self, request: &Request, settings: &Settings, state: &mut State) -> Vec<String> {
        if self.is_legacy(request) {
            return legacy_judge::faults(request, settings, state);
        }
        judge::faults(self, request, settings, state)
    }

    fn revision(&self, request: &Request, state: &mut State) -> Option<Revision> {
        // A legacy client's first message is valid in its own era.
        if self.is_legacy(request) || request.rpc_method() == Some("initialize") {
            return Legacy.revision(request, state);
        }
        Some(Revision::Modern)
    }

    fn answer(&self, request: &Request, world: &World) -> Answer {
        if self.is_legacy(request) {
            return legacy::answer(request, world);
        }
        if let Some(refusal) = judge::refusal(self, request, &world.settings) {
            return refusal.answer.not_executed();
        }
        match (&request.method, &request.message) {
            (&Method::POST, Message::Request { method, .. }) => {
                offers::call(self, method, request, world)
            }
            _ => Answer::accepted(),
        }
    }
}

/// A result as the modern era wants it.
pub fn complete(mut result: Value) -> Value {
    result["resultType"] = json!("complete");
    identified(result)
}

/// A result that a client may keep for a while.
pub fn cached(result: Value) -> Value {
    let mut result = complete(result);
    result["ttlMs"] = json!(60_000);
    result["cacheScope"] = json!("private");
    result
}

/// With the server's name in `_meta`.
pub fn identified(mut result: Value) -> Value {
    result["_meta"][meta::SERVER_INFO] =
        json!({"name": "modern", "title": "A modern server", "version": "2.0.0"});
    result
}
