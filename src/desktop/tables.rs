//! The same edits as [`super::json`] for TOML, where a server is a table.

use serde_json::{Map, Value};

use super::item::Item;
use super::jsonc::Broken;
use crate::toml::{self, Document, Entry};

/// Writes an item as the table that the path leads to. What stands there besides its members stays.
pub(super) fn merge(text: &str, path: [&str; 2], item: &Item) -> Result<String, Broken> {
    let document = parsed(text, path[0])?;
    let wanted = leaves(item);
    let there = under(&document, &path);
    let is_same = |(name, value): &(Vec<String>, Value)| {
        there.iter().any(|entry| entry.path[2..] == name[..] && json(&entry.value) == *value)
    };
    if wanted.iter().all(is_same) {
        return Ok(text.to_owned());
    }
    let has_header = document.tables.iter().any(|table| table.path == path);
    let merged = if there.is_empty() && !has_header {
        document.with_appended(&table(path, item))
    } else if has_header {
        in_table(text, path, item)?
    } else {
        // Keys within a line can't be added to one by one: the table is written anew, with all that was in it.
        let kept = there
            .iter()
            .filter(|entry| !wanted.iter().any(|(name, _)| entry.path[2..] == name[..]));
        let kept =
            kept.map(|entry| (entry.path[2..].to_vec(), text[entry.span.clone()].to_owned()));
        let new = wanted.iter().map(|(name, value)| (name.clone(), written(value)));
        let lines = new.chain(kept).map(|(name, value)| format!("{} = {value}\n", dotted(&name)));
        let lines = format!("{}{}", header(path), lines.collect::<String>());
        Document::parse(&document.without(&path)).with_appended(&lines)
    };
    parsed(&merged, path[0])?;
    Ok(merged)
}

/// Writes the members into a table that has a header.
fn in_table(text: &str, path: [&str; 2], item: &Item) -> Result<String, Broken> {
    let mut text = text.to_owned();
    let Item::Object(members) = item else { return Ok(text) };
    for (name, member) in members {
        let document = parsed(&text, path[0])?;
        let inner = [path[0], path[1], name];
        let of_inner = |entry: &&Entry| entry.path.len() == 4 && entry.path[..3] == inner;
        let has_table = document.tables.iter().any(|table| table.path == inner);
        let next = match member {
            Item::Object(variables) => {
                let there: Vec<_> = document.entries.iter().filter(of_inner).collect();
                let kept = there
                    .iter()
                    .filter(|entry| !variables.iter().any(|(name, _)| *name == entry.path[3]));
                let kept =
                    kept.map(|entry| (entry.path[3].clone(), text[entry.span.clone()].to_owned()));
                let new =
                    variables.iter().map(|(name, item)| (name.clone(), written(&item.to_value())));
                if has_table {
                    new.fold(text.clone(), |text, (name, value)| {
                        Document::parse(&text).with_value(&inner, &name, &value)
                    })
                } else {
                    let all = kept
                        .chain(new)
                        .map(|(name, value)| format!("{} = {value}", toml::key(&name)));
                    let all: Vec<_> = all.collect();
                    let without = document.without(&inner);
                    let value = format!("{{ {} }}", all.join(", "));
                    Document::parse(&without).with_value(&path, name, &value)
                }
            }
            single => {
                let value = single.to_value();
                let is_it = |entry: &&Entry| entry.path == inner;
                let there = document.entries.iter().find(is_it);
                if there.is_some_and(|entry| json(&entry.value) == value) {
                    continue;
                }
                document.with_value(&path, name, &written(&value))
            }
        };
        text = next;
    }
    Ok(text)
}

/// Takes the table out that the path leads to, with what is below it.
pub(super) fn remove(text: &str, path: &[&str]) -> Result<String, Broken> {
    Ok(parsed(text, path[0])?.without(path))
}

/// The tables below one, as JSON.
pub(super) fn tables(text: &str, key: &str) -> Result<Vec<(String, Value)>, Broken> {
    let document = parsed(text, key)?;
    let mut found: Vec<(String, Value)> = Vec::new();
    let mut at = |name: &str| {
        found.iter().position(|(each, _)| each == name).unwrap_or_else(|| {
            found.push((name.to_owned(), Value::Object(Map::new())));
            found.len() - 1
        })
    };
    let mut values = Vec::new();
    for table in document.tables.iter().filter(|table| table.path.len() > 1 && table.path[0] == key)
    {
        at(&table.path[1]);
    }
    for entry in
        document.entries.iter().filter(|entry| entry.path.len() > 2 && entry.path[0] == key)
    {
        values.push((at(&entry.path[1]), &entry.path[2..], json(&entry.value)));
    }
    for (index, path, value) in values {
        let mut place = &mut found[index].1;
        for name in path {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[name.as_str()];
        }
        *place = value;
    }
    Ok(found)
}

/// A table as it is written at the end of a file.
pub(super) fn table(path: [&str; 2], item: &Item) -> String {
    let Item::Object(members) = item else { return String::new() };
    let line = |(name, item): &(String, Item)| {
        let value = match item {
            Item::Object(members) => {
                let member = |(name, item): &(String, Item)| {
                    format!("{} = {}", toml::key(name), written(&item.to_value()))
                };
                format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
            }
            single => written(&single.to_value()),
        };
        format!("{} = {value}\n", toml::key(name))
    };
    header(path) + &members.iter().map(line).collect::<String>()
}

fn header(path: [&str; 2]) -> String {
    format!("[{}.{}]\n", toml::key(path[0]), toml::key(path[1]))
}

fn dotted(path: &[String]) -> String {
    path.iter().map(|part| toml::key(part)).collect::<Vec<_>>().join(".")
}

fn parsed<'a>(text: &'a str, key: &str) -> Result<Document<'a>, Broken> {
    let document = Document::parse(text);
    if let Some(wrong) = document.wrong.first() {
        return Err(Broken { line: document.line(wrong.at), what: wrong.why.clone() });
    }
    if let Some(entry) = document.entries.iter().find(|entry| entry.path == [key]) {
        let what = format!("a table is expected, `[{key}.NAME]`");
        return Err(Broken { line: document.line(entry.span.start), what });
    }
    Ok(document)
}

fn under<'a>(document: &'a Document<'_>, path: &[&str; 2]) -> Vec<&'a Entry> {
    document
        .entries
        .iter()
        .filter(|entry| entry.path.len() > 2 && entry.path[..2] == path[..])
        .collect()
}

/// The values of an item that are no objects, with their paths.
fn leaves(item: &Item) -> Vec<(Vec<String>, Value)> {
    let Item::Object(members) = item else { return vec![(Vec::new(), item.to_value())] };
    let below = |(name, item): &(String, Item)| {
        let name = name.clone();
        let leaf = move |(path, value)| ([vec![name.clone()], path].concat(), value);
        leaves(item).into_iter().map(leaf)
    };
    members.iter().flat_map(below).collect()
}

fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::Text(text) => text.as_str().into(),
        toml::Value::Number(number) => serde_json::from_str(number).unwrap_or(Value::Null),
        toml::Value::Switch(on) => (*on).into(),
        toml::Value::List(values) => values.iter().map(json).collect(),
        toml::Value::Other => Value::Null,
    }
}

/// A value that [`Item`] has, as TOML.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => toml::text(text),
        Value::Array(values) => {
            format!("[{}]", values.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        let text = |text: &str| Item::Text(text.to_owned());
        Item::Object(vec![
            ("command".into(), text("/b")),
            ("args".into(), Item::List(vec!["a".into(), "b \"c\"".into()])),
            ("env".into(), Item::Object(vec![("P".into(), text("1"))])),
        ])
    }

    fn merged(text: &str) -> String {
        let once = merge(text, ["s", "x"], &item()).unwrap();
        assert_eq!(merge(&once, ["s", "x"], &item()).unwrap(), once, "a second time");
        let tables = tables(&once, "s").unwrap();
        let (_, found) = tables.into_iter().find(|(name, _)| name == "x").unwrap();
        for (path, value) in leaves(&item()) {
            let pointer = format!("/{}", path.join("/"));
            assert_eq!(found.pointer(&pointer), Some(&value), "{once}");
        }
        once
    }

    const NEW: &str =
        "[s.x]\ncommand = \"/b\"\nargs = [\"a\", \"b \\\"c\\\"\"]\nenv = { P = \"1\" }\n";

    #[test]
    fn a_table_comes_to_the_end_and_goes_again() {
        assert_eq!(merged(""), NEW);
        let before = "# mine\r\na = 1\r\n[s.y] # other\r\ncommand = 'c'\r\n";
        assert_eq!(merged(before), format!("{before}\r\n{}", NEW.replace('\n', "\r\n")));
        assert_eq!(remove(&merged(before), &["s", "x"]).unwrap(), before);
    }

    #[test]
    fn a_table_that_is_there_keeps_what_is_not_ours() {
        let before = "[s.x]\n# note\ncommand = \"npx\" # old\ntimeout = 20\n\n[s.x.env]\nKEY = \"1\"\n\n[z]\n";
        assert_eq!(
            merged(before),
            "[s.x]\n# note\ncommand = \"/b\" # old\ntimeout = 20\nargs = [\"a\", \"b \\\"c\\\"\"]\n\n\
             [s.x.env]\nKEY = \"1\"\nP = \"1\"\n\n[z]\n"
        );
        let inline = merged("[s.x]\nenv = { \"A B\" = '1', P = \"0\" }\n[z]\n");
        assert!(inline.contains("env = { \"A B\" = '1', P = \"1\" }\n"), "{inline}");
    }

    #[test]
    fn a_table_within_a_line_is_written_anew() {
        for before in ["[s]\nx = { command = \"c\", timeout = 2 }\ny = 1\n", "s.x.timeout = 2\n"] {
            let after = merged(before);
            assert!(after.contains("timeout = 2\n"), "{after}");
            assert_eq!(after.matches("command").count(), 1, "{after}");
        }
    }

    #[test]
    fn what_is_broken_is_told_by_its_line() {
        for (text, line) in [("a = 1\nb = \n", 2), ("[s\n", 1), ("a = 1\n\ns = 2\n", 3)] {
            assert_eq!(merge(text, ["s", "x"], &item()).unwrap_err().line, line, "{text}");
        }
    }
}
