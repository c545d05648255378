//! `bridge tools`: what a server's tools are, and what one takes.

use serde_json::Value;

use super::answer::print_pages;
use super::parts::quoted;
use super::session::Server;
use super::table::{indented, table};
use crate::client::{Client, Failed, Root, elements, in_words};
use crate::error::Error;
use crate::jsonrpc::{edit, object};
use crate::order;
use crate::printable::{escaped, one_line, printable};
use crate::spelling::nearest;
use crate::ui;

/// Characters of a name that are shown.
const MAX_NAME: usize = 100;
/// Arguments of a tool that are shown.
const MAX_ARGUMENTS: usize = 500;

/// What is shown of a server's tools.
#[derive(Debug)]
pub struct Tools {
    /// This one alone.
    pub tool: Option<String>,
    /// The server's own JSON.
    pub json: bool,
}

impl Tools {
    pub(super) async fn done(
        &self,
        client: &mut Client<'_>,
        server: &Server<'_>,
    ) -> Result<(), Failed> {
        let pages = client.list("tools/list").await?;
        let Some(name) = &self.tool else {
            return Ok(list(&pages, self.json, server)?);
        };
        let tool = find(&pages, name, server)?;
        if self.json {
            return Ok(ui::print_json(tool)?);
        }
        Ok(ui::print(described(tool, server).as_bytes())?)
    }
}

fn list(pages: &[String], json: bool, server: &Server<'_>) -> Result<(), Error> {
    if json {
        return print_pages(pages);
    }
    let rows: Vec<_> = pages
        .iter()
        .flat_map(|page| elements(page, "tools"))
        .filter_map(|tool| serde_json::from_str::<Value>(tool).ok())
        .map(|tool| (text(&tool, "name"), summary(&tool)))
        .collect();
    if rows.is_empty() {
        server.person.say("The server has no tools.");
    }
    ui::print(table(&rows, ui::columns()).as_bytes())
}

/// The tool of that name, as JSON text.
pub(super) fn find<'a>(
    pages: &'a [String],
    name: &str,
    server: &Server<'_>,
) -> Result<&'a str, Error> {
    let tools: Vec<&str> = pages.iter().flat_map(|page| elements(page, "tools")).collect();
    let name_of = |tool: &str| {
        let name = edit::member(tool, "name")?;
        serde_json::from_str::<String>(name).ok()
    };
    if let Some(tool) = tools.iter().find(|tool| name_of(tool).as_deref() == Some(name)) {
        return Ok(tool);
    }
    let names: Vec<String> = tools.iter().filter_map(|tool| name_of(tool)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let error = Error::usage(format!("the server has no tool `{}`", printable(name, MAX_NAME)));
    let listed = format!("`bridge tools {}` lists what there is", server.typed);
    Err(match nearest(name, names.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{}`? {listed}", printable(near, MAX_NAME))),
        None if names.is_empty() => error.because("it has none at all"),
        None => error.hint(listed),
    })
}

pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// What something is, in a line: its description, else its title.
pub(super) fn summary(value: &Value) -> String {
    let first = |name| Some(text(value, name)).filter(|text| !text.trim().is_empty());
    first("description").or_else(|| first("title")).unwrap_or_default()
}

/// All that is known of a tool.
fn described(raw: &str, server: &Server<'_>) -> String {
    let tool: Value = serde_json::from_str(raw).unwrap_or_default();
    let name = one_line(&text(&tool, "name"), MAX_NAME);
    let title = tool["title"].as_str().or(tool["annotations"]["title"].as_str());
    let mut shown = match title.map(|title| one_line(title, MAX_NAME)) {
        Some(title) if !title.is_empty() && title != name => format!("{name}  {title}\n"),
        _ => format!("{name}\n"),
    };
    let description = text(&tool, "description");
    if !description.trim().is_empty() {
        shown.push_str(&format!("\n{}\n", ui::fit(&escaped(description.trim()))));
    }
    let hints = hints(&tool["annotations"]);
    if !hints.is_empty() {
        shown.push_str(&format!("\nThe server says that it {}.\n", hints.join(", ")));
    }
    let schema = &tool["inputSchema"];
    let rows = arguments(schema, raw);
    if rows.is_empty() {
        shown.push_str("\nIt names no arguments.\n");
    } else {
        shown.push_str(&format!("\nArguments:\n{}", indented(&rows, ui::columns())));
    }
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    // To be copied: a server's word must not be a command of the shell.
    let pairs: String =
        required.take(8).map(|name| format!(" {}=…", quoted(&one_line(name, MAX_NAME)))).collect();
    let name = quoted(&name);
    shown.push_str(&format!("\nCall it:\n  bridge call {} {name}{pairs}\n", server.typed));
    shown
}

/// What the tool's annotations say. Nobody vouches for them.
fn hints(annotations: &Value) -> Vec<&'static str> {
    let said = |name: &str| annotations[name].as_bool();
    [
        (said("readOnlyHint") == Some(true), "only reads"),
        (said("destructiveHint") == Some(true), "may destroy something"),
        (said("idempotentHint") == Some(true), "may be repeated"),
    ]
    .into_iter()
    .filter_map(|(holds, words)| holds.then_some(words))
    .collect()
}

/// The arguments, in the order of the server: names, and what each is.
fn arguments(schema: &Value, raw: &str) -> Vec<(String, String)> {
    let root = Root(schema);
    let written = edit::member_at(raw, &["inputSchema", "properties"]).map(object::entries);
    let written = written.unwrap_or_default();
    let place = |name: &str| written.iter().take(MAX_ARGUMENTS).position(|(each, _)| each == name);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut names = root.names(schema);
    let more = names.len().saturating_sub(MAX_ARGUMENTS);
    names.truncate(MAX_ARGUMENTS);
    let names = order::by_key(names, |name| place(name).unwrap_or(usize::MAX));
    let (needed, others): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| required.contains(name));
    let row = |name: &str| {
        let property = root.property(schema, name).unwrap_or(&Value::Null);
        let types = root.types(property);
        let mut words = match root.choices(property) {
            Some(choices) => choices,
            None if types.is_empty() => "anything".to_owned(),
            None => in_words(&types),
        };
        if required.contains(&name) {
            words.push_str(", required");
        }
        if let Some(default) = property.get("default").filter(|default| !default.is_null()) {
            words.push_str(&format!(", else {default}"));
        }
        let description = summary(property);
        let between = if description.is_empty() { "" } else { ": " };
        (name.to_owned(), format!("{words}{between}{description}"))
    };
    let rest = (more > 0).then(|| ("…".to_owned(), format!("{more} more, which `--json` shows")));
    needed.into_iter().chain(others).map(row).chain(rest).collect()
}
