//! What a person typed → the arguments of a tool, as JSON text: numbers and the order of names as they were typed.

use serde_json::Value;
use serde_json::value::RawValue;

use super::schema::{Fault, Root, What, typed};
use crate::error::Error;
use crate::jsonrpc::edit::into_line;
use crate::printable::{one_line, printable};

/// Characters of a name that are shown.
const MAX_NAME: usize = 100;

/// Whose arguments they are.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The tool, as it is told: "the tool `echo`".
    pub name: &'a str,
    /// The command that shows what it takes.
    pub command: &'a str,
}

/// `key=value` or `key:=JSON`.
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
    is_json: bool,
}

/// A value under way.
enum Node {
    Json(String),
    List(Vec<String>),
    Object(Vec<(String, Self)>),
}

/// The arguments that were typed as `key=value`, by the tool's schema.
///
/// # Errors
/// A word that is no `key=value`, an argument that the tool does not have, that has another type, or is missing.
pub fn from_pairs(words: &[String], schema: &Value, target: Target<'_>) -> Result<String, Error> {
    let root = Root(schema);
    let mut members = Vec::new();
    for word in words {
        let pair = pair(word)?;
        insert(&mut members, pair.key, &pair, schema, (root, target))?;
    }
    let mut text = String::new();
    write_object(&members, &mut text);
    checked(text, schema, target)
}

/// The arguments that were given as JSON text, which stay as they are but for line breaks.
///
/// # Errors
/// They are no JSON object, or do not fit the tool.
pub fn from_json(text: &str, schema: &Value, target: Target<'_>) -> Result<String, Error> {
    let unusable = |why: String| {
        Error::usage("the arguments can't be used")
            .because(why)
            .hint("write a JSON object: `--args '{\"key\": \"value\"}'`")
    };
    let raw = serde_json::from_str::<&RawValue>(text)
        .map_err(|why| unusable(format!("they are no JSON: {why}")))?;
    if !raw.get().starts_with('{') {
        return Err(unusable("they are JSON, but no object".to_owned()));
    }
    checked(raw.get().to_owned(), schema, target)
}

/// A message is one line: breaks between the words of JSON become spaces.
fn on_one_line(json: String) -> String {
    if !json.contains(['\n', '\r']) {
        return json;
    }
    String::from_utf8_lossy(&into_line(json.into_bytes())).into_owned()
}

/// The arguments of a prompt, which are texts.
///
/// # Errors
/// A word that is no `key=value`, or a key that is given twice.
pub fn texts(words: &[String]) -> Result<Vec<(&str, &str)>, Error> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for word in words {
        let (key, value) =
            word.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| no_pair(word))?;
        if pairs.iter().any(|(present, _)| *present == key) {
            return Err(twice(key));
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

fn pair(word: &str) -> Result<Pair<'_>, Error> {
    let (key, value) = word.split_once('=').ok_or_else(|| no_pair(word))?;
    let (key, is_json) = match key.strip_suffix(':') {
        Some(key) => (key, true),
        None => (key, false),
    };
    if key.is_empty() {
        return Err(no_pair(word));
    }
    if is_json && let Err(why) = serde_json::from_str::<&RawValue>(value) {
        return Err(Error::usage(format!(
            "the argument `{}` can't be used",
            printable(key, MAX_NAME)
        ))
        .because(format!("what stands behind `:=` is no JSON: {why}"))
        .hint(format!("write `{}=…` for a text", printable(key, MAX_NAME))));
    }
    Ok(Pair { key, value, is_json })
}

/// The word is not shown if it has no key: it may be a part of a secret that was split.
fn no_pair(word: &str) -> Error {
    let name = word.split('=').next().unwrap_or_default();
    let is_name = !name.is_empty()
        && name.len() < 40
        && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    let what = if is_name {
        format!("`{name}` has no value")
    } else {
        "an argument is no `key=value`".to_owned()
    };
    Error::usage(what)
        .hint("write `key=value`, with quotes around what has spaces in it: `'key=two words'`")
}

fn twice(key: &str) -> Error {
    Error::usage(format!("the argument `{}` is given twice", printable(key, MAX_NAME)))
        .hint("take one away; only a list takes several values")
}

fn insert<'s>(
    members: &mut Vec<(String, Node)>,
    key: &str,
    pair: &Pair<'_>,
    schema: &'s Value,
    of: (Root<'s>, Target<'_>),
) -> Result<(), Error> {
    let (root, target) = of;
    if let Some(property) = root.property(schema, key) {
        return put(
            members,
            key,
            value_of(pair, property, of)?,
            root.types(property).contains(&"array"),
        );
    }
    // `a.b=1` is the member `b` of `a`, unless a property has that name.
    if let Some((head, rest)) =
        key.split_once('.').filter(|(head, rest)| !head.is_empty() && !rest.is_empty())
        && let Some(property) = root.property(schema, head)
    {
        if !members.iter().any(|(name, _)| name == head) {
            members.push((head.to_owned(), Node::Object(Vec::new())));
        }
        let place = members.iter_mut().find(|(name, _)| name == head).map(|(_, node)| node);
        return match place {
            Some(Node::Object(inner)) => insert(inner, rest, pair, property, of),
            _ => Err(twice(head)),
        };
    }
    if !root.is_open(schema) {
        return Err(unknown(key, pair.key, &root.names(schema), target));
    }
    put(members, key, value_of(pair, &Value::Null, of)?, false)
}

fn value_of<'s>(
    pair: &Pair<'_>,
    property: &'s Value,
    (root, target): (Root<'s>, Target<'_>),
) -> Result<String, Error> {
    if pair.is_json {
        return Ok(pair.value.trim().to_owned());
    }
    typed(pair.value, property, root).map_err(|why| wrong(pair.key, &why, target))
}

/// A value for a key, or one more for a list.
fn put(
    members: &mut Vec<(String, Node)>,
    key: &str,
    value: String,
    is_list: bool,
) -> Result<(), Error> {
    let Some((_, present)) = members.iter_mut().find(|(name, _)| name == key) else {
        members.push((key.to_owned(), Node::Json(value)));
        return Ok(());
    };
    let elements = |value: &str| -> Option<Vec<String>> {
        let raw: Vec<&RawValue> = serde_json::from_str(value).ok()?;
        Some(raw.into_iter().map(|each| each.get().to_owned()).collect())
    };
    let more = elements(&value).filter(|_| is_list).ok_or_else(|| twice(key))?;
    match present {
        Node::Json(first) => {
            let mut list = elements(first).ok_or_else(|| twice(key))?;
            list.extend(more);
            *present = Node::List(list);
        }
        Node::List(list) => list.extend(more),
        Node::Object(_) => return Err(twice(key)),
    }
    Ok(())
}

fn write_object(members: &[(String, Node)], text: &mut String) {
    text.push('{');
    for (number, (name, node)) in members.iter().enumerate() {
        if number > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(&**name).to_string());
        text.push(':');
        match node {
            Node::Json(json) => text.push_str(json),
            Node::List(elements) => {
                text.push('[');
                text.push_str(&elements.join(","));
                text.push(']');
            }
            Node::Object(inner) => write_object(inner, text),
        }
    }
    text.push('}');
}

/// The arguments, unless the schema rules them out.
fn checked(text: String, schema: &Value, target: Target<'_>) -> Result<String, Error> {
    let text = on_one_line(text);
    // What can't be read here, as a number beyond all bounds, is left to the server.
    let Ok(value) = serde_json::from_str::<Value>(&text) else { return Ok(text) };
    let root = Root(schema);
    match root.check(&value, schema) {
        None => Ok(text),
        Some(Fault { path, what: What::Missing }) => Err(missing(&path, root, target)),
        Some(Fault { path, what: What::Unknown }) => {
            Err(unknown(&path, &path, &root.names(schema), target))
        }
        Some(Fault { path, what: What::Wrong(why) }) => Err(wrong(&path, &why, target)),
    }
}

fn wrong(path: &str, why: &str, target: Target<'_>) -> Error {
    let what = match path {
        "" => format!("the arguments of {} can't be used", target.name),
        path => format!("the argument `{}` can't be used", printable(path, MAX_NAME)),
    };
    Error::usage(what).because(why).hint(shows(target))
}

fn missing(path: &str, root: Root<'_>, target: Target<'_>) -> Error {
    let error = Error::usage(format!("the argument `{}` is missing", printable(path, MAX_NAME)));
    let described = root.property(root.0, path).and_then(|it| it["description"].as_str());
    let error = match described.map(|text| one_line(text, 200)).filter(|text| !text.is_empty()) {
        Some(text) => error.because(format!("{} needs it: {text}", target.name)),
        None => error.because(format!("{} needs it", target.name)),
    };
    error.hint(format!("add `{}=…`; {}", printable(path, MAX_NAME), shows(target)))
}

fn unknown(key: &str, typed_as: &str, names: &[&str], target: Target<'_>) -> Error {
    let error = Error::usage(format!(
        "{} has no argument `{}`",
        target.name,
        printable(typed_as, MAX_NAME)
    ));
    match crate::spelling::nearest(key, names.iter().copied()) {
        Some(near) => {
            error.hint(format!("did you mean `{}`? {}", printable(near, MAX_NAME), shows(target)))
        }
        None if names.is_empty() => error.hint(format!("it takes none; {}", shows(target))),
        None => {
            let told: Vec<_> =
                names.iter().take(20).map(|name| printable(name, MAX_NAME)).collect();
            error.because(format!("it has: {}", told.join(", "))).hint(shows(target))
        }
    }
}

fn shows(target: Target<'_>) -> String {
    format!("`{}` shows what it takes", target.command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TARGET: Target<'static> = Target { name: "the tool `t`", command: "bridge tools S t" };

    fn sent(words: &[&str], schema: Value) -> String {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        from_pairs(&words, &schema, TARGET).unwrap_or_else(|error| error.to_string())
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["text"],
            "properties": {
                "text": {"type": "string", "description": "What to say."},
                "count": {"type": "integer", "minimum": 1},
                "tags": {"type": "array", "items": {"type": "string"}},
                "where": {"type": "object", "properties": {"zone": {"type": "integer"}, "name": {"type": "string"}}},
                "a.b": {"type": "string"},
                "any": {},
            },
        })
    }

    #[test]
    fn what_is_typed_keeps_its_order_and_spelling() {
        for (words, expected) in [
            (vec!["text=a=b"], r#"{"text":"a=b"}"#),
            (vec!["text="], r#"{"text":""}"#),
            (vec!["count=1.0", "text=7"], r#"{"count":1.0,"text":"7"}"#),
            (vec!["text=x", "tags=a", "tags=b,c"], r#"{"text":"x","tags":["a","b,c"]}"#),
            (vec!["text=x", r#"tags=["a", "b"]"#], r#"{"text":"x","tags":["a", "b"]}"#),
            (
                vec!["text=x", "where.zone=1e2", "where.name=5"],
                r#"{"text":"x","where":{"zone":1e2,"name":"5"}}"#,
            ),
            (vec!["text=x", "a.b=c"], r#"{"text":"x","a.b":"c"}"#),
            (vec!["text=x", "any:=[1.50, null]"], r#"{"text":"x","any":[1.50, null]}"#),
            (vec!["text:=\"q\""], r#"{"text":"q"}"#),
            (vec!["text=say \"hi\"\n"], r#"{"text":"say \"hi\"\n"}"#),
        ] {
            assert_eq!(sent(&words, schema()), expected);
        }
        assert_eq!(sent(&["a=1", "b=x"], json!({"type": "object"})), r#"{"a":1,"b":"x"}"#);
        assert_eq!(sent(&[], json!({"type": "object"})), "{}");
    }

    #[test]
    fn mistakes_are_told_before_anything_is_sent() {
        for (words, told) in [
            (
                vec!["txt=x"],
                "error: the tool `t` has no argument `txt`\nhint: did you mean `text`? `bridge tools S t` shows what it takes",
            ),
            (
                vec!["zzzzzz=x"],
                "error: the tool `t` has no argument `zzzzzz`\n  because: it has: a.b, any, count, tags, text, where\nhint: `bridge tools S t` shows what it takes",
            ),
            (
                vec!["count=1"],
                "error: the argument `text` is missing\n  because: the tool `t` needs it: What to say.\nhint: add `text=…`; `bridge tools S t` shows what it takes",
            ),
            (
                vec!["text=x", "count=many"],
                "error: the argument `count` can't be used\n  because: it is not a whole number\nhint: `bridge tools S t` shows what it takes",
            ),
            (
                vec!["text=x", "count=0"],
                "error: the argument `count` can't be used\n  because: it is less than 1\nhint: `bridge tools S t` shows what it takes",
            ),
            (
                vec!["text=x", "text=y"],
                "error: the argument `text` is given twice\nhint: take one away; only a list takes several values",
            ),
            (
                vec!["text=x", "where.zon=1"],
                "error: the tool `t` has no argument `where.zon`\nhint: did you mean `zone`? `bridge tools S t` shows what it takes",
            ),
            (
                vec!["text=x", "tags:=[1]"],
                "error: the argument `tags[0]` can't be used\n  because: it is not a text\nhint: `bridge tools S t` shows what it takes",
            ),
            (
                vec!["text"],
                "error: `text` has no value\nhint: write `key=value`, with quotes around what has spaces in it: `'key=two words'`",
            ),
            (
                vec!["two words"],
                "error: an argument is no `key=value`\nhint: write `key=value`, with quotes around what has spaces in it: `'key=two words'`",
            ),
            (
                vec!["any:={"],
                "error: the argument `any` can't be used\n  because: what stands behind `:=` is no JSON: EOF while parsing an object at line 1 column 1\nhint: write `any=…` for a text",
            ),
        ] {
            assert_eq!(sent(&words, schema()), told);
        }
    }

    #[test]
    fn arguments_given_as_json_stay_as_they_are() {
        let given = |text: &str| {
            from_json(text, &schema(), TARGET).unwrap_or_else(|error| error.to_string())
        };
        let odd = "{ \"text\": \"x\",\n \"count\": 1.0, \"more\": 1e400 }";
        assert_eq!(given(odd), odd.replace('\n', " "), "a message is one line");
        assert!(given("[1]").contains("no object"));
        assert!(given("{").contains("no JSON"));
        assert!(given("{}").contains("`text` is missing"));
    }
}
