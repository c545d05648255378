//! `bridge call`: call a tool.

use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;

use super::answer::Answer;
use super::parts::quoted;
use super::saved::Place;
use super::session::Server;
use super::tools::find;
use crate::client::{Client, Failed, Target, from_json, from_pairs};
use crate::error::{Error, Exit};
use crate::jsonrpc::edit;
use crate::printable::printable;

/// Longest arguments that are read from stdin, in bytes: what a message may hold.
const MAX_STDIN: u64 = 64 * 1024 * 1024;
/// Characters of a name that are shown.
const MAX_NAME: usize = 100;

/// A call of a tool.
#[derive(Debug)]
pub struct Call {
    /// Its name.
    pub tool: String,
    /// Its arguments.
    pub arguments: Arguments,
    /// Where what is no text goes.
    pub output: Option<PathBuf>,
    /// The server's own JSON.
    pub json: bool,
}

/// The arguments of a call.
#[derive(Debug)]
pub enum Arguments {
    /// `key=value`.
    Pairs(Vec<String>),
    /// JSON text.
    Json(String),
}

impl Arguments {
    /// What was typed; `-` is read from stdin.
    ///
    /// # Errors
    /// stdin can't be read, or is no text.
    pub fn of(pairs: Vec<String>, json: Option<String>) -> Result<Self, Error> {
        match (json.as_deref(), &pairs[..]) {
            (Some("-"), _) => from_stdin().map(Self::Json),
            (None, [one]) if one == "-" => from_stdin().map(Self::Json),
            (Some(_), _) => Ok(Self::Json(json.unwrap_or_default())),
            (None, _) => Ok(Self::Pairs(pairs)),
        }
    }
}

fn from_stdin() -> Result<String, Error> {
    let unusable = |why: String| {
        Error::usage("the arguments can't be read from stdin")
            .because(why)
            .hint("write a JSON object to it: `jq -n '{key: \"value\"}' | bridge call … -`")
    };
    let mut text = String::new();
    let count = std::io::stdin().take(MAX_STDIN + 1).read_to_string(&mut text);
    match count.map_err(|why| unusable(why.to_string()))? {
        count if count as u64 > MAX_STDIN => Err(unusable("they are longer than 64 MB".to_owned())),
        _ => Ok(text),
    }
}

impl Call {
    pub(super) async fn done(
        &self,
        client: &mut Client<'_>,
        server: &Server<'_>,
    ) -> Result<(), Failed> {
        let pages = client.list("tools/list").await?;
        let arguments = self.arguments(find(&pages, &self.tool, server)?, server)?;
        drop(pages);
        let name = Value::from(&*self.tool);
        let params = format!("{{\"name\":{name},\"arguments\":{arguments}}}");
        let result = server.request(client, "tools/call", &params).await?;
        let place = Place::new(self.output.as_deref(), &self.tool);
        let answer = Answer::new(&result, server.person, place);
        if self.json {
            answer.print_json()?
        } else {
            answer.print_content()?
        }
        if edit::member(&result, "isError") == Some("true") {
            let what =
                format!("the tool `{}` says that it failed", printable(&self.tool, MAX_NAME));
            return Err(Error { exit: Exit::ToolFailed, ..Error::failed(what) }.into());
        }
        Ok(())
    }

    fn arguments(&self, tool: &str, server: &Server<'_>) -> Result<String, Error> {
        let schema = edit::member(tool, "inputSchema").unwrap_or_default();
        let schema: Value = serde_json::from_str(schema).unwrap_or_default();
        let shown = printable(&self.tool, MAX_NAME);
        let target = Target {
            name: &format!("the tool `{shown}`"),
            command: &format!("bridge tools {} {}", server.typed, quoted(&shown)),
        };
        match &self.arguments {
            Arguments::Pairs(pairs) => from_pairs(pairs, &schema, target),
            Arguments::Json(json) => from_json(json, &schema, target),
        }
    }
}
