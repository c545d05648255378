//! `bridge resources` and `bridge read`: what a server has to read, and one of it.

use std::path::PathBuf;

use serde_json::Value;

use super::answer::{Answer, print_pages};
use super::saved::Place;
use super::session::Server;
use super::table::table;
use super::tools::{summary, text};
use crate::client::{Client, Failed, elements};
use crate::ui;

/// What is shown of a server's resources.
#[derive(Debug)]
pub struct Resources {
    /// The server's own JSON.
    pub json: bool,
}

impl Resources {
    pub(super) async fn done(
        &self,
        client: &mut Client<'_>,
        server: &Server<'_>,
    ) -> Result<(), Failed> {
        let mut pages = client.list("resources/list").await?;
        pages.extend(client.list("resources/templates/list").await?);
        if self.json {
            return Ok(print_pages(&pages)?);
        }
        let of = |list: &str, address: &str| -> Vec<(String, String)> {
            let each = pages.iter().flat_map(|page| elements(page, list));
            let values = each.filter_map(|raw| serde_json::from_str::<Value>(raw).ok());
            values.map(|value| (text(&value, address), about(&value))).collect()
        };
        let (resources, templates) =
            (of("resources", "uri"), of("resourceTemplates", "uriTemplate"));
        if resources.is_empty() && templates.is_empty() {
            server.person.say("The server has no resources.");
        }
        let mut shown = table(&resources, ui::columns());
        if !templates.is_empty() {
            let gap = if resources.is_empty() { "" } else { "\n" };
            let templates = table(&templates, ui::columns());
            shown.push_str(&format!(
                "{gap}Templates, with what stands in braces filled in:\n{templates}"
            ));
        }
        Ok(ui::print(shown.as_bytes())?)
    }
}

/// What a resource is, in a line.
fn about(value: &Value) -> String {
    let title = [text(value, "title"), text(value, "name")].into_iter().find(|it| !it.is_empty());
    let words = [title.unwrap_or_default(), text(value, "mimeType"), summary_of(value)];
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(", ")
}

fn summary_of(value: &Value) -> String {
    if value["description"].is_string() { summary(value) } else { String::new() }
}

/// A resource to be read.
#[derive(Debug)]
pub struct Read {
    /// Its address.
    pub uri: String,
    /// Where it goes.
    pub output: Option<PathBuf>,
    /// The server's own JSON.
    pub json: bool,
}

impl Read {
    pub(super) async fn done(
        &self,
        client: &mut Client<'_>,
        server: &Server<'_>,
    ) -> Result<(), Failed> {
        let params = format!("{{\"uri\":{}}}", Value::from(&*self.uri));
        let result = server.request(client, "resources/read", &params).await?;
        let place = Place::new(self.output.as_deref(), &self.uri);
        let answer = Answer::new(&result, server.person, place);
        if self.json {
            answer.print_json()?
        } else {
            answer.print_resource()?
        }
        Ok(())
    }
}
