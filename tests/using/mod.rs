//! `tools`, `call`, `resources`, `read`, `prompts` and `prompt`: what they print, what stands on disk, what went
//! over the wire, and how they end.

mod calls;
#[cfg(unix)]
mod ci;
mod errors;
mod lists;
#[cfg(unix)]
mod terminal;

use serde_json::{Value, json};

use crate::support::bridge_process::Builder;
use crate::support::mcp_server::matcher::tool;
use crate::support::{BridgeProcess, McpServer, ModernServer};

/// How a command ended.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    process: BridgeProcess,
}

impl Run {
    /// A command of this server with these words behind it.
    #[track_caller]
    fn of(verb: &str, url: &str, words: &[&str]) -> Self {
        Self::to_end(command(verb, url, words))
    }

    #[track_caller]
    fn to_end(command: Builder) -> Self {
        let mut process = command.unchecked().spawn();
        process.close_stdin();
        let code = process.wait_exit().code();
        let stdout = process.rest_of_stdout();
        Self { code, stdout, stderr: process.stderr_text(), process }
    }

    /// What it printed, of a command that succeeded and said nothing.
    #[track_caller]
    fn printed(self) -> String {
        assert_eq!((self.code, &*self.stderr), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    /// What it said, of a command that ended with this code and printed nothing.
    #[track_caller]
    fn failed(self, code: i32) -> String {
        assert_eq!((self.code, &*self.stdout), (Some(code), ""), "{}", self.stderr);
        self.stderr
    }

    /// The text of a file in the folder in which it ran.
    #[track_caller]
    fn file(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.process.home().join(name)).expect(name)
    }
}

fn command(verb: &str, url: &str, words: &[&str]) -> Builder {
    BridgeProcess::with_args([verb, url]).args(words.iter().copied())
}

/// The tools of a server that has something to type.
fn typed_tools() -> Value {
    json!([
        {"name": "echo", "description": "Says it again.", "inputSchema": {
            "type": "object",
            "required": ["text"],
            "properties": {
                "text": {"type": "string", "description": "What to say."},
                "times": {"type": "integer", "minimum": 1, "default": 1},
                "loud": {"type": "boolean"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "at": {"type": "object", "properties": {"zone": {"type": "integer"}}},
                "level": {"enum": ["low", "high"]},
                "ratio": {"type": ["number", "null"]},
            },
        }},
        {"name": "fail", "description": "Is an error.", "inputSchema": {"type": "object"}},
        {"name": "wait", "description": "Until a gate of the handle opens.", "inputSchema": {"type": "object"}},
    ])
}

/// Both eras, each with these tools.
fn each_era(tools: &Value, test: impl Fn(&McpServer)) {
    test(&McpServer::legacy().tools(tools.clone()).run());
    test(&ModernServer::builder().tools(tools.clone()).run());
}

/// The arguments of the only call of a tool, letter by letter as they were sent.
#[track_caller]
fn sent(server: &McpServer, name: &str) -> String {
    let calls = server.requests_of(tool(name));
    assert_eq!(calls.len(), 1, "one call of {name}");
    let body = std::str::from_utf8(&calls[0].body).expect("text");
    let (_, rest) = body.split_once("\"arguments\":").expect("arguments");
    let mut arguments = serde_json::Deserializer::from_str(rest);
    let raw: Box<serde_json::value::RawValue> =
        serde::Deserialize::deserialize(&mut arguments).expect("JSON");
    raw.get().to_owned()
}
