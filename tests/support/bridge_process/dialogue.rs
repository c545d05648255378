//! What was said between client and bridge, as far as the schemas need to know it.

use std::collections::HashMap;

use serde_json::Value;

use crate::support::schema::{self, Revision, Side};

/// So many lines of a process are checked: those after them repeat themselves.
const MOST: usize = 500;

#[derive(Default)]
pub struct Dialogue {
    /// Of the client, by id as it was sent.
    requests: HashMap<String, (Revision, Value)>,
    /// Of what the server says unasked.
    revision: Option<Revision>,
    lines: usize,
}

impl Dialogue {
    /// A message of the client.
    pub fn note_sent(&mut self, message: &[u8]) {
        if self.lines >= MOST {
            return;
        }
        let Some(message) = schema::read(message) else { return };
        let (method, params) = (&message["method"], &message["params"]);
        let declared = &params["_meta"]["io.modelcontextprotocol/protocolVersion"];
        let own = match method.as_str() {
            Some("initialize") => {
                self.revision = revision_of(&params["protocolVersion"]);
                self.revision
            }
            _ if declared.is_string() => revision_of(declared),
            _ => self.revision,
        };
        self.revision = self.revision.or(own);
        if let (Some(id), Some(revision)) = (message.get("id"), own) {
            self.requests.insert(id.to_string(), (revision, message));
        }
    }

    /// What is wrong with a line of the bridge.
    pub fn receive(&mut self, line: &str) -> Option<String> {
        self.lines += 1;
        if self.lines > MOST {
            return None;
        }
        let message = schema::read(line.as_bytes())?;
        if message.get("method").is_some() {
            let revision = self.revision?;
            if revision == Revision::Modern && message.get("id").is_some() {
                return Some("a request to a modern client".to_owned());
            }
            return schema::fault(revision, Side::Server, &message);
        }
        let (revision, request) = self.requests.get(&message["id"].to_string())?;
        let fault = schema::response_fault(*revision, Side::Server, request, &message);
        if request["method"] == "initialize" {
            let agreed = &message["result"]["protocolVersion"];
            self.revision = revision_of(agreed).filter(|_| agreed.is_string());
        }
        fault
    }
}

fn revision_of(version: &Value) -> Option<Revision> {
    match version.as_str()? {
        "2025-11-25" => Some(Revision::Legacy),
        "2026-07-28" => Some(Revision::Modern),
        _ => None,
    }
}
