//! The requests of the run.

use serde_json::json;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A tool that must not be executed twice.
    Charge,
    /// A tool that says of itself that it may be.
    Lookup,
    List,
    Read,
}

impl Kind {
    /// Six of ten requests charge, three look up, the rest lists and reads.
    pub fn of(key: u64) -> Self {
        match key % 20 {
            0..12 => Self::Charge,
            12..18 => Self::Lookup,
            18 => Self::List,
            _ => Self::Read,
        }
    }

    /// Whether it may be executed twice.
    pub fn is_repeatable(self) -> bool {
        self != Self::Charge
    }
}

/// The line of a request; its id is its key.
pub fn line(key: u64) -> String {
    let (method, params) = match Kind::of(key) {
        Kind::Charge => ("tools/call", json!({ "name": "charge", "arguments": { "key": key } })),
        Kind::Lookup => ("tools/call", json!({ "name": "lookup", "arguments": { "key": key } })),
        Kind::List => ("tools/list", json!({ "_meta": { "key": key } })),
        Kind::Read => ("resources/read", json!({ "uri": format!("fault:{key}") })),
    };
    json!({ "jsonrpc": "2.0", "id": key, "method": method, "params": params }).to_string()
}
