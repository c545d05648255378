//! A question of the server (`elicitation/create`), asked at the terminal: a form by its schema, or a page.

use serde_json::Value;
use url::Url;

use super::person::Person;
use crate::auth::NotOpened;
use crate::client::{Root, in_words, typed};
use crate::jsonrpc::{edit, object};
use crate::printable::{escaped, one_line};

/// Characters of the server's words, and questions of one form, that are shown.
const MAX_WORDS: usize = 2_000;
const MAX_WORD: usize = 200;
const MAX_FIELDS: usize = 100;

const CANCEL: &str = "{\"action\":\"cancel\"}";
const DECLINE: &str = "{\"action\":\"decline\"}";

/// Asks what the parameters of the request say; the result, as JSON text.
pub(super) async fn ask(person: &Person<'_>, params: &str) -> String {
    let _asking = person.begins_to_ask();
    let value: Value = serde_json::from_str(params).unwrap_or_default();
    let answer = if value["mode"] == "url" {
        visit(person, &value).await
    } else {
        form(person, params, &value).await
    };
    // The input is at its end.
    answer.unwrap_or_else(|| CANCEL.to_owned())
}

fn message(value: &Value) -> String {
    let words: String =
        value["message"].as_str().unwrap_or_default().chars().take(MAX_WORDS).collect();
    escaped(words.trim())
}

/// A form. `None` at the end of the input.
async fn form(person: &Person<'_>, params: &str, value: &Value) -> Option<String> {
    person.say(&format!("{} asks: {}", person.host(), message(value)));
    if !yes(person, "Answer it? [Y/n] ", true).await? {
        return Some(DECLINE.to_owned());
    }
    let properties =
        edit::member_at(params, &["requestedSchema", "properties"]).unwrap_or_default();
    let required = &value["requestedSchema"]["required"];
    let mut members = Vec::new();
    for (name, schema) in object::entries(properties).into_iter().take(MAX_FIELDS) {
        let required = required.as_array().is_some_and(|all| all.iter().any(|it| *it == *name));
        let field = Field::read(&name, schema, required);
        if let Some(json) = field.ask(person).await? {
            members.push(format!("{}:{json}", Value::from(name)));
        }
    }
    Some(format!("{{\"action\":\"accept\",\"content\":{{{}}}}}", members.join(",")))
}

async fn yes(person: &Person<'_>, question: &str, usual: bool) -> Option<bool> {
    loop {
        match person.line(question).await?.trim().to_ascii_lowercase().as_str() {
            "" => return Some(usual),
            "y" | "yes" => return Some(true),
            "n" | "no" => return Some(false),
            _ => {}
        }
    }
}

/// A value that the server asks for.
struct Field<'a> {
    name: &'a str,
    schema: Value,
    /// What it is where nothing is typed, as JSON text.
    default: Option<&'a str>,
    required: bool,
    /// The values among which is chosen, each with what it is called.
    choices: Vec<(Value, String)>,
    several: bool,
}

impl<'a> Field<'a> {
    fn read(name: &'a str, raw: &'a str, required: bool) -> Self {
        let schema: Value = serde_json::from_str(raw).unwrap_or_default();
        let several = schema["type"] == "array";
        let choices = choices(if several { &schema["items"] } else { &schema });
        let default = edit::member(raw, "default").filter(|default| *default != "null");
        Self { name, schema, default, required, choices, several }
    }

    /// The value as JSON text; nothing where it is left out. `None` at the end of the input.
    async fn ask(&self, person: &Person<'_>) -> Option<Option<String>> {
        person.say(&self.question());
        loop {
            let text = person.line("> ").await?;
            let text = text.trim();
            if text.is_empty() {
                if let Some(default) = self.default {
                    return Some(Some(default.to_owned()));
                }
                if !self.required {
                    return Some(None);
                }
                person.say("It has to be there.");
                continue;
            }
            match self.read_answer(text) {
                Ok(json) => return Some(Some(json)),
                Err(why) => person.say(&format!("That can't be used: {why}.")),
            }
        }
    }

    fn question(&self) -> String {
        let word = |text: &str| one_line(text, MAX_WORD);
        let title = self.schema["title"].as_str().unwrap_or(self.name);
        let mut question = word(title);
        if let Some(description) = self.schema["description"].as_str() {
            question.push_str(&format!(": {}", word(description)));
        }
        let kind = match (self.choices.is_empty(), self.several) {
            (true, _) => in_words(&Root(&self.schema).types(&self.schema)),
            (false, false) => "one of these".to_owned(),
            (false, true) => "some of these, with commas between".to_owned(),
        };
        let usual = match self.default {
            Some(default) => format!(", else {}", word(default)),
            None if self.required => String::new(),
            None => ", or nothing".to_owned(),
        };
        question.push_str(&format!(" ({kind}{usual})"));
        for (number, (_, called)) in self.choices.iter().enumerate() {
            question.push_str(&format!("\n  {}  {called}", number + 1));
        }
        question
    }

    fn read_answer(&self, text: &str) -> Result<String, String> {
        if self.several && !self.choices.is_empty() {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            let chosen: Result<Vec<_>, _> = words.map(|word| self.chosen(word)).collect();
            let json = format!("[{}]", chosen?.join(","));
            return typed(&json, &self.schema, Root(&self.schema));
        }
        if !self.choices.is_empty() {
            return self.chosen(text);
        }
        let text = match (self.schema["type"].as_str(), text.to_ascii_lowercase().as_str()) {
            (Some("boolean"), "y" | "yes") => "true",
            (Some("boolean"), "n" | "no") => "false",
            _ => text,
        };
        typed(text, &self.schema, Root(&self.schema))
    }

    /// A choice by its value, by what it is called, or by its number.
    fn chosen(&self, word: &str) -> Result<String, String> {
        let is_it =
            |(value, called): &&(Value, String)| value.as_str() == Some(word) || called == word;
        let by_number = || self.choices.get(word.parse::<usize>().ok()?.checked_sub(1)?);
        let chosen = self.choices.iter().find(is_it).or_else(by_number);
        chosen.map(|(value, _)| value.to_string()).ok_or_else(|| "it is none of these".to_owned())
    }
}

/// `enum`, with or without `enumNames`, or `oneOf` and `anyOf` of constants with titles.
fn choices(schema: &Value) -> Vec<(Value, String)> {
    let called = |value: &Value, title: Option<&str>| {
        let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        one_line(title.unwrap_or(&plain), MAX_WORD)
    };
    if let Some(values) = schema["enum"].as_array() {
        let title = |at: usize| schema["enumNames"][at].as_str();
        let each = values.iter().enumerate();
        return each.map(|(at, value)| (value.clone(), called(value, title(at)))).collect();
    }
    let titled = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    let constant = |each: &Value| {
        let value = each.get("const")?;
        Some((value.clone(), called(value, each["title"].as_str())))
    };
    titled.into_iter().flatten().filter_map(constant).collect()
}

/// A page that the person is to visit. `None` at the end of the input.
async fn visit(person: &Person<'_>, value: &Value) -> Option<String> {
    let address = value["url"].as_str().unwrap_or_default();
    let Some(url) = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
    else {
        person.say(&format!(
            "{} asks you to open a page whose address can't be used.",
            person.host()
        ));
        return Some(DECLINE.to_owned());
    };
    person.say(&format!(
        "{} asks you to open a page of {}: {}\n\n  {url}\n",
        person.host(),
        url.host_str().unwrap_or_default(),
        message(value)
    ));
    if !yes(person, "Open it? [y/N] ", false).await? {
        return Some(DECLINE.to_owned());
    }
    match person.config.browser.open(&url).await {
        Ok(program) => person.say(&format!("It was opened with {program}.")),
        Err(NotOpened::Never) => {}
        Err(why) => person.say(&format!("It was not opened here: {why}. Open it yourself.")),
    }
    Some("{\"action\":\"accept\"}".to_owned())
}

/// Asks to visit the pages without which a request is not carried out (-32042); whether that was done.
pub(super) async fn visit_all(person: &Person<'_>, elicitations: &Value) -> bool {
    let _asking = person.begins_to_ask();
    let asked = elicitations.as_array().map(Vec::as_slice).unwrap_or_default();
    for each in asked {
        let accepted = visit(person, each).await.is_some_and(|answer| answer.contains("accept"));
        if !accepted || person.line("Press Enter when you are done there. ").await.is_none() {
            return false;
        }
    }
    !asked.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(schema: &str, required: bool) -> Field<'_> {
        Field::read("f", schema, required)
    }

    #[test]
    fn a_question_says_what_may_be_typed() {
        for (schema, required, question) in [
            (r#"{"type":"string"}"#, true, "f (a text)"),
            (
                r#"{"type":"integer","title":"Age","description":"In\nyears.","default":3}"#,
                false,
                "Age: In years. (a whole number, else 3)",
            ),
            (r#"{"type":"boolean"}"#, false, "f (`true` or `false`, or nothing)"),
            (
                r#"{"type":"string","enum":["a","b"],"enumNames":["A\u001b[2J","B"]}"#,
                true,
                "f (one of these)\n  1  A[2J\n  2  B",
            ),
            (
                r#"{"type":"array","items":{"anyOf":[{"const":"x","title":"X"}]}}"#,
                true,
                "f (some of these, with commas between)\n  1  X",
            ),
        ] {
            assert_eq!(field(schema, required).question(), question);
        }
    }

    #[test]
    fn an_answer_is_read_by_the_schema() {
        let choice = r#"{"type":"string","oneOf":[{"const":"r","title":"Red"},{"const":"2"}]}"#;
        let several = r#"{"type":"array","items":{"enum":["a","b","c"]},"maxItems":2}"#;
        for (schema, text, json) in [
            (r#"{"type":"string"}"#, "7", Ok("\"7\"")),
            (r#"{"type":"number"}"#, "1.50", Ok("1.50")),
            (r#"{"type":"boolean"}"#, "Yes", Ok("true")),
            (r#"{"type":"boolean"}"#, "x", Err("it is not `true` or `false`")),
            (r#"{"type":"integer","maximum":9}"#, "10", Err("it is more than 9")),
            (choice, "Red", Ok("\"r\"")),
            (choice, "1", Ok("\"r\"")),
            (choice, "2", Ok("\"2\"")),
            (choice, "blue", Err("it is none of these")),
            (several, "a, 3", Ok("[\"a\",\"c\"]")),
            (several, "a,b,c", Err("it has more than 2 elements")),
        ] {
            let read = field(schema, true).read_answer(text);
            assert_eq!(read.as_deref().map_err(String::as_str), json, "{text} by {schema}");
        }
    }
}
