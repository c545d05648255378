//! What a server is, found out before it is saved: a session with it, as a client would have one.

use std::cell::{Cell, OnceCell};

use super::session::Server;
use crate::client::{Client, Failed, elements};
use crate::jsonrpc::edit::member_at;
use crate::printable::one_line;

/// Characters of a server's name and version that are shown.
const MAX_NAME: usize = 60;

/// A server that is tried.
#[derive(Debug, Default)]
pub struct Check {
    /// What it is, in words; set where it answered as an MCP server does.
    pub(super) found: OnceCell<String>,
    /// Whether it can't be used by the sign-in that there is.
    pub(super) refused_sign_in: Cell<bool>,
}

impl Check {
    pub(super) async fn done(
        &self,
        client: &mut Client<'_>,
        server: &Server<'_>,
        hello: &str,
    ) -> Result<(), Failed> {
        let has_tools = member_at(hello, &["capabilities", "tools"]).is_some();
        let tools = match has_tools {
            true => match client.list("tools/list").await {
                Ok(pages) => counted(pages.iter().map(|page| elements(page, "tools").len()).sum()),
                Err(Failed::Refused(refusal)) if !refusal.wants_sign_in() => {
                    format!("its tools can't be listed: {}", refusal.message)
                }
                Err(failed) => return Err(failed),
            },
            false => "no tools".to_owned(),
        };
        let words = [named(hello), server.remote.facts().spoken(), tools];
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let _ = self.found.set(words.join("; "));
        Ok(())
    }
}

/// The name that it gives itself, and its version.
fn named(hello: &str) -> String {
    let word = |name| {
        let text = member_at(hello, &["serverInfo", name])?;
        let text = serde_json::from_str::<String>(text).ok()?;
        Some(one_line(text.trim(), MAX_NAME)).filter(|text| !text.is_empty())
    };
    let words: Vec<_> = ["name", "version"].into_iter().filter_map(word).collect();
    words.join(" ")
}

fn counted(tools: usize) -> String {
    match tools {
        1 => "1 tool".to_owned(),
        count => format!("{count} tools"),
    }
}
