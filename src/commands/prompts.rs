//! `bridge prompts` and `bridge prompt`: what prompts a server has, and one of them.

use std::path::PathBuf;

use serde_json::Value;

use super::answer::{Answer, print_pages};
use super::saved::Place;
use super::session::Server;
use super::table::table;
use super::tools::{summary, text};
use crate::client::{Client, Failed, elements, texts};
use crate::error::Error;
use crate::printable::printable;
use crate::spelling::nearest;
use crate::ui;

/// Characters of a name that are shown.
const MAX_NAME: usize = 100;

/// What is shown of a server's prompts.
#[derive(Debug)]
pub struct Prompts {
    /// The server's own JSON.
    pub json: bool,
}

impl Prompts {
    pub(super) async fn done(
        &self,
        client: &mut Client<'_>,
        server: &Server<'_>,
    ) -> Result<(), Failed> {
        let pages = client.list("prompts/list").await?;
        if self.json {
            return Ok(print_pages(&pages)?);
        }
        let rows: Vec<_> = listed(&pages)
            .iter()
            .map(|prompt| {
                let arguments = arguments(prompt);
                let pairs = arguments.iter().map(|it| match it.required {
                    true => format!(" {}=…", it.name),
                    false => format!(" [{}=…]", it.name),
                });
                (text(prompt, "name") + &pairs.collect::<String>(), summary(prompt))
            })
            .collect();
        if rows.is_empty() {
            server.person.say("The server has no prompts.");
        }
        Ok(ui::print(table(&rows, ui::columns()).as_bytes())?)
    }
}

fn listed(pages: &[String]) -> Vec<Value> {
    let each = pages.iter().flat_map(|page| elements(page, "prompts"));
    each.filter_map(|raw| serde_json::from_str(raw).ok()).collect()
}

/// An argument of a prompt.
struct Argument {
    name: String,
    required: bool,
    description: String,
}

fn arguments(prompt: &Value) -> Vec<Argument> {
    let each = prompt["arguments"].as_array().into_iter().flatten();
    each.map(|it| Argument {
        name: text(it, "name"),
        required: it["required"] == true,
        description: summary(it),
    })
    .collect()
}

/// A prompt to be got.
#[derive(Debug)]
pub struct Prompt {
    /// Its name.
    pub name: String,
    /// `key=value`.
    pub pairs: Vec<String>,
    /// Where what is no text goes.
    pub output: Option<PathBuf>,
    /// The server's own JSON.
    pub json: bool,
}

impl Prompt {
    pub(super) async fn done(
        &self,
        client: &mut Client<'_>,
        server: &Server<'_>,
    ) -> Result<(), Failed> {
        let pairs = texts(&self.pairs)?;
        let prompts = listed(&client.list("prompts/list").await?);
        self.check(&pairs, &prompts, server)?;
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| format!("{}:{}", Value::from(*key), Value::from(*value)))
            .collect();
        let name = Value::from(&*self.name);
        let params = format!("{{\"name\":{name},\"arguments\":{{{}}}}}", pairs.join(","));
        let result = server.request(client, "prompts/get", &params).await?;
        let place = Place::new(self.output.as_deref(), &self.name);
        let answer = Answer::new(&result, server.person, place);
        if self.json {
            answer.print_json()?
        } else {
            answer.print_messages()?
        }
        Ok(())
    }

    /// Whether the prompt is there, and has these arguments.
    fn check(
        &self,
        pairs: &[(&str, &str)],
        prompts: &[Value],
        server: &Server<'_>,
    ) -> Result<(), Error> {
        let name = printable(&self.name, MAX_NAME);
        let lists = format!("`bridge prompts {}` lists what there is", server.typed);
        let meant = |near: &str| format!("did you mean `{}`? {lists}", printable(near, MAX_NAME));
        let Some(prompt) = prompts.iter().find(|prompt| prompt["name"] == *self.name) else {
            let names: Vec<_> = prompts.iter().filter_map(|it| it["name"].as_str()).collect();
            let error = Error::usage(format!("the server has no prompt `{name}`"));
            return Err(
                error.hint(nearest(&self.name, names.iter().copied()).map_or(lists.clone(), meant))
            );
        };
        let known = arguments(prompt);
        let names: Vec<&str> = known.iter().map(|it| &*it.name).collect();
        if let Some((key, _)) = pairs.iter().find(|(key, _)| !names.contains(key)) {
            let key = printable(key, MAX_NAME);
            let error = Error::usage(format!("the prompt `{name}` has no argument `{key}`"));
            return Err(
                error.hint(nearest(&key, names.iter().copied()).map_or(lists.clone(), meant))
            );
        }
        let given = |name: &str| pairs.iter().any(|(key, _)| *key == name);
        let Some(missing) = known.iter().find(|it| it.required && !given(&it.name)) else {
            return Ok(());
        };
        let key = printable(&missing.name, MAX_NAME);
        let error = Error::usage(format!("the argument `{key}` is missing"));
        let described = crate::printable::one_line(&missing.description, 200);
        let needs = format!("the prompt `{name}` needs it");
        let why = if described.is_empty() { needs } else { format!("{needs}: {described}") };
        Err(error.because(why).hint(format!("add `{key}=…`; {lists}")))
    }
}
