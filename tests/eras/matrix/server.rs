//! A server of either era, with the same things to offer.

use std::ops::Deref;

use serde_json::{Value, json};

use super::Era;
use crate::support::mcp_server::matcher::{tool, when};
use crate::support::mcp_server::{Builder, text};
use crate::support::modern_server::LEVELS;
use crate::support::{Answer, McpServer, ModernServer, Step};

pub enum Server {
    Legacy(McpServer),
    Modern(ModernServer),
}

impl Deref for Server {
    type Target = McpServer;

    fn deref(&self) -> &McpServer {
        match self {
            Self::Legacy(server) => server,
            Self::Modern(server) => server,
        }
    }
}

impl Server {
    pub fn run(era: Era) -> Self {
        match era {
            Era::Legacy => Self::Legacy(legacy().run()),
            Era::Modern => Self::Modern(ModernServer::run()),
        }
    }

    /// A server whose tools come in pages of three.
    pub fn in_pages(era: Era) -> Self {
        match era {
            Era::Modern => Self::Modern(ModernServer::builder().page_size(3).run()),
            Era::Legacy => {
                let first = when("the first page", |request| {
                    request.rpc_method() == Some("tools/list")
                        && request.params()["cursor"].is_null()
                });
                let plain = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
                let rest = json!({"tools": [plain("echo"), plain("last")]});
                let page = json!({"tools": [plain("first"), plain("second")], "nextCursor": ""});
                let server = legacy().always("tools/list", Answer::result(rest));
                Self::Legacy(server.always(first, Answer::result(page)).run())
            }
        }
    }

    /// The arguments of the tool `ask` for this question, under the key `q` where there is one.
    pub fn question(&self, method: &str, mut params: Value) -> Value {
        match self {
            Self::Legacy(_) => {
                if params["mode"] == "url" {
                    params["elicitationId"] = json!("e-1");
                }
                json!({"method": method, "params": params})
            }
            Self::Modern(_) => {
                json!({"rounds": [{"q": {"method": method, "params": params}}]})
            }
        }
    }

    /// What the server heard, from the result of the tool `ask`.
    pub fn heard(&self, result: &Value) -> Value {
        let said = result["content"][0]["text"].as_str().expect("a text");
        let mut said: Value = serde_json::from_str(said).expect("JSON");
        match self {
            Self::Legacy(_) => said["result"].take(),
            Self::Modern(_) => said[0]["q"].take(),
        }
    }

    /// Waits until somebody listens for this: a member of the filter, or a resource.
    #[track_caller]
    pub fn wait_for_listener(&self, of: &str) {
        match self {
            Self::Legacy(server) => drop(server.wait_for_get_stream()),
            Self::Modern(server) => drop(server.wait_for_listener(of)),
        }
    }

    #[track_caller]
    pub fn tell(&self, method: &str, params: Value) {
        match self {
            Self::Legacy(server) => {
                server.push(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
            }
            Self::Modern(server) => server.tell(method, params),
        }
    }
}

/// A modern client's first request is preceded by the question which era the server is of.
fn legacy() -> Builder {
    McpServer::legacy().always(tool("log"), log()).allow("server/discover")
}

/// A legacy server's messages of every level; it leaves the choice to the client's side.
fn log() -> Answer {
    let message = |level: &str| {
        let params = json!({"level": level, "logger": "log", "data": {"text": level}});
        Step::notification("notifications/message", params)
    };
    Answer::stream(LEVELS.iter().map(|level| message(level)).chain([Step::result(text("logged"))]))
}
