//! Edits JSON in place, also with comments and trailing commas: what is not changed stays byte for byte.

use std::ops::Range;

use serde_json::Value;

use super::item::Item;
use super::jsonc::{Broken, Kind, Member, Node, line_of, read};
use crate::order;

/// The indentation of a file that shows none.
const INDENT: &str = "  ";
/// How long a list may be that stands on one line.
const WIDEST: usize = 80;

/// Writes an item to the place that the names lead to. What stands there besides its members stays, and so does
/// what is the same already.
///
/// # Errors
/// The text is no JSON object, or something else than an object stands in the way.
pub fn merge(text: &str, path: &[&str], item: &Item) -> Result<String, Broken> {
    let names = path.iter().rev();
    let wanted = names.fold(item.clone(), |item, name| Item::Object(vec![((*name).into(), item)]));
    let mut text = text.to_owned();
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        text = format!("{}{{}}\n", if text.starts_with('\u{feff}') { "\u{feff}" } else { "" });
    }
    // One change at a time, each found in the text that the last one made.
    while let Some(changes) = {
        let document = Document::parse(&text)?;
        document.difference(&document.root, &wanted)?
    } {
        text = spliced(&text, changes);
    }
    Ok(text)
}

/// Takes the member out that the names lead to, if it is there.
///
/// # Errors
/// The text is no JSON object.
pub fn remove(text: &str, path: &[&str]) -> Result<String, Broken> {
    let document = Document::parse(text)?;
    let Some((name, above)) = path.split_last() else { return Ok(text.to_owned()) };
    let Some(object) = document.at(above) else { return Ok(text.to_owned()) };
    let Kind::Object(members) = &object.kind else { return Ok(text.to_owned()) };
    let Some(index) = members.iter().rposition(|member| member.name == *name) else {
        return Ok(text.to_owned());
    };
    let whole = spliced(text, document.removal(object, members, index, true));
    // A comment that ends with its line may have taken in what follows.
    let intact = Document::parse(&whole).is_ok_and(|left| {
        let count = |node: Option<&Node>| match node.map(|node| &node.kind) {
            Some(Kind::Object(members)) => members.len(),
            _ => 0,
        };
        count(left.at(above)) + 1 == members.len()
    });
    Ok(if intact { whole } else { spliced(text, document.removal(object, members, index, false)) })
}

/// The members of the object that the names lead to, in its order.
///
/// # Errors
/// The text is no JSON object.
pub fn members(text: &str, path: &[&str]) -> Result<Vec<(String, Value)>, Broken> {
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Ok(Vec::new());
    }
    let document = Document::parse(text)?;
    let Some(Node { kind: Kind::Object(members), .. }) = document.at(path) else {
        return Ok(Vec::new());
    };
    Ok(members.iter().map(|each| (each.name.clone(), document.value(&each.value))).collect())
}

/// An item as it is written on lines of its own.
pub fn pretty(item: &Item) -> String {
    Style { indent: INDENT, line_end: "\n" }.lines(item, "")
}

/// What stands in place of which pieces of a text.
type Changes = Vec<(Range<usize>, String)>;

/// Replaces pieces of a text.
fn spliced(text: &str, changes: Changes) -> String {
    let changes = order::by_key(changes, |(range, _)| range.start);
    let mut spliced = String::with_capacity(text.len() + 256);
    let mut done = 0;
    for (range, with) in changes {
        spliced.push_str(&text[done..range.start]);
        spliced.push_str(&with);
        done = range.end;
    }
    spliced + &text[done..]
}

struct Document<'a> {
    text: &'a str,
    root: Node,
}

impl<'a> Document<'a> {
    fn parse(text: &'a str) -> Result<Self, Broken> {
        Ok(Self { text, root: read(text)? })
    }

    fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, name| match &node.kind {
            // Of members with one name readers take the last.
            Kind::Object(members) => {
                members.iter().rfind(|each| each.name == *name).map(|member| &member.value)
            }
            _ => None,
        })
    }

    fn value(&self, node: &Node) -> Value {
        match &node.kind {
            Kind::Object(members) => {
                let mut object = serde_json::Map::new();
                object.extend(members.iter().map(|m| (m.name.clone(), self.value(&m.value))));
                Value::Object(object)
            }
            Kind::List(nodes) => nodes.iter().map(|node| self.value(node)).collect(),
            Kind::Single(value) => value.clone(),
        }
    }

    /// The first change on the way to what is wanted.
    fn difference(&self, node: &Node, wanted: &Item) -> Result<Option<Changes>, Broken> {
        let Item::Object(wanted) = wanted else {
            if wanted.to_value() == self.value(node) {
                return Ok(None);
            }
            let indent = self.indent_of(node.range.start);
            let text = self.style().lines(wanted, indent);
            return Ok(Some(vec![(node.range.clone(), text)]));
        };
        let Kind::Object(members) = &node.kind else {
            if matches!(node.kind, Kind::Single(Value::Null)) {
                return Ok(Some(vec![(node.range.clone(), "{}".to_owned())]));
            }
            let line = line_of(self.text, node.range.start);
            return Err(Broken { line, what: "an object is expected, `{`".to_owned() });
        };
        for (name, item) in wanted {
            let change = match members.iter().rfind(|member| member.name == *name) {
                Some(member) => self.difference(&member.value, item)?,
                None => Some(self.insertion(node, members, name, item)),
            };
            if change.is_some() {
                return Ok(change);
            }
        }
        Ok(None)
    }

    /// A new last member.
    fn insertion(&self, object: &Node, members: &[Member], name: &str, item: &Item) -> Changes {
        let style = self.style();
        let (open, close) = (object.range.start + 1, object.range.end - 1);
        let name = Value::from(name);
        let Some(last) = members.last() else {
            let indent = self.indent_of(object.range.start);
            let inner = format!("{indent}{}", style.indent);
            let end = open + self.text[open..close].trim_end().len();
            let line_end = style.line_end;
            let text = style.lines(item, &inner);
            let member = format!("{line_end}{inner}{name}: {text}{line_end}{indent}");
            return vec![(end..close, member)];
        };
        let lead = &self.text[open..members[0].start];
        let inner = self.indent_of(last.start);
        let (separator, text) = if lead.contains('\n') {
            (format!("{}{inner}", style.line_end), style.lines(item, inner))
        } else {
            let lead = if lead.trim().is_empty() { lead } else { " " };
            (lead.to_owned(), style.line(item))
        };
        let end = last.end() + self.text[last.end()..close].trim_end().len();
        let mut changes = Vec::new();
        if last.comma.is_none() {
            changes.push((last.value.range.end..last.value.range.end, ",".to_owned()));
        }
        // Who writes a comma behind the last member has one there afterwards too.
        let comma = if last.comma.is_some() { "," } else { "" };
        changes.push((end..end, format!("{separator}{name}: {text}{comma}")));
        changes
    }

    /// Without a member, and `with_line`: without what is white before it.
    fn removal(&self, object: &Node, members: &[Member], index: usize, with_line: bool) -> Changes {
        let (open, close) = (object.range.start + 1, object.range.end - 1);
        let member = &members[index];
        let before = if index == 0 { open } else { members[index - 1].end() };
        let mut start = member.start;
        if with_line {
            start = before + self.text[before..start].trim_end().len();
        }
        let mut end = member.end();
        if members.len() == 1 && start == open && self.text[end..close].trim().is_empty() {
            end = close;
        }
        let mut changes = vec![(start..end, String::new())];
        let is_last = index + 1 == members.len();
        if let Some(comma) = index.checked_sub(1).and_then(|index| members[index].comma)
            && is_last
            && member.comma.is_none()
        {
            changes.push((comma..comma + 1, String::new()));
        }
        changes
    }

    /// The white space that the line begins with in which this stands.
    fn indent_of(&self, at: usize) -> &'a str {
        let start = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = self.text[start..at].trim_start_matches('\u{feff}');
        &line[..line.len() - line.trim_start().len()]
    }

    fn style(&self) -> Style<'a> {
        let line_end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let first = match &self.root.kind {
            Kind::Object(members) => members.first().map(|member| member.start),
            _ => None,
        };
        let outer = self.indent_of(self.root.range.start);
        let indent = first.map(|first| self.indent_of(first));
        let indent = indent.and_then(|indent| indent.strip_prefix(outer));
        Style { indent: indent.filter(|indent| !indent.is_empty()).unwrap_or(INDENT), line_end }
    }
}

/// How a file is laid out.
#[derive(Clone, Copy)]
struct Style<'a> {
    indent: &'a str,
    line_end: &'a str,
}

impl Style<'_> {
    fn line(self, item: &Item) -> String {
        let joined = |parts: Vec<String>| parts.join(", ");
        match item {
            Item::Object(members) => {
                let member = |(name, item): &(String, Item)| {
                    format!("{}: {}", Value::from(name.as_str()), self.line(item))
                };
                format!("{{{}}}", joined(members.iter().map(member).collect()))
            }
            Item::List(texts) => {
                let text = |text: &String| Value::from(text.as_str()).to_string();
                format!("[{}]", joined(texts.iter().map(text).collect()))
            }
            single => single.to_value().to_string(),
        }
    }

    fn lines(self, item: &Item, indent: &str) -> String {
        let line = self.line(item);
        let inner = format!("{indent}{}", self.indent);
        let parts: Vec<_> = match item {
            Item::Object(members) if !members.is_empty() => {
                let member = |(name, item): &(String, Item)| {
                    format!("{}: {}", Value::from(name.as_str()), self.lines(item, &inner))
                };
                members.iter().map(member).collect()
            }
            Item::List(texts) if line.chars().count() > WIDEST => {
                texts.iter().map(|text| Value::from(text.as_str()).to_string()).collect()
            }
            _ => return line,
        };
        let line_end = self.line_end;
        let between = format!(",{line_end}{inner}");
        let (open, close) = line.split_at(1);
        let close = &close[close.len() - 1..];
        format!("{open}{line_end}{inner}{}{line_end}{indent}{close}", parts.join(&between))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(command: &str) -> Item {
        Item::Object(vec![
            ("command".into(), Item::Text(command.into())),
            ("args".into(), Item::List(vec!["a".into(), "b".into()])),
        ])
    }

    fn merged(text: &str) -> String {
        let once = merge(text, &["servers", "x"], &entry("/b")).unwrap();
        assert_eq!(merge(&once, &["servers", "x"], &entry("/b")).unwrap(), once, "a second time");
        once
    }

    #[test]
    fn nothing_becomes_a_whole_file() {
        let whole = "{\n  \"servers\": {\n    \"x\": {\n      \"command\": \"/b\",\n      \
                     \"args\": [\"a\", \"b\"]\n    }\n  }\n}\n";
        assert_eq!(merged(""), whole);
        assert_eq!(merged("{}\n"), whole);
        assert_eq!(merged("\u{feff}"), format!("\u{feff}{whole}"));
    }

    #[test]
    fn a_member_comes_behind_the_last_and_goes_again() {
        let new = "\"x\": {\n\t\t\t\"command\": \"/b\",\n\t\t\t\"args\": [\"a\", \"b\"]\n\t\t}";
        for (before, after) in [
            (
                "{\n\t\"servers\": {\n\t\t\"a\": {}\n\t}\n}",
                "{\n\t\"servers\": {\n\t\t\"a\": {},\n\t\tNEW\n\t}\n}",
            ),
            (
                "{\n\t\"servers\": {\n\t\t\"a\": {}, // one, two\n\t\t// }\n\t},\n\t\"z\": 1.50\n}",
                "{\n\t\"servers\": {\n\t\t\"a\": {}, // one, two\n\t\t// }\n\t\tNEW,\n\t},\n\t\"z\": 1.50\n}",
            ),
            (
                "{\n\t\"servers\": {\n\t\t\"a\": {} /* , */\n\t}\n}",
                "{\n\t\"servers\": {\n\t\t\"a\": {}, /* , */\n\t\tNEW\n\t}\n}",
            ),
        ] {
            assert_eq!(merged(before), after.replace("NEW", new));
            assert_eq!(remove(&merged(before), &["servers", "x"]).unwrap(), before);
        }
    }

    #[test]
    fn what_stands_on_one_line_stays_there() {
        let before = "{\"servers\":{\"a\":{}}}";
        let after =
            "{\"servers\":{\"a\":{},\"x\": {\"command\": \"/b\", \"args\": [\"a\", \"b\"]}}}";
        assert_eq!(merged(before), after);
        assert_eq!(remove(after, &["servers", "x"]).unwrap(), before);
        assert_eq!(
            merged("{ \"a\": 1 }"),
            "{ \"a\": 1, \"servers\": {\"x\": {\"command\": \"/b\", \"args\": [\"a\", \"b\"]}} }"
        );
    }

    #[test]
    fn an_entry_that_is_there_keeps_what_is_not_ours() {
        let before = "{\r\n  \"servers\": {\r\n    \"x\": { \"command\": \"npx\", // old\r\n      \
                      \"disabled\": true, \"args\": [] },\r\n    \"x2\": null\r\n  }\r\n}";
        let after = before.replace("\"npx\"", "\"/b\"").replace("[]", "[\"a\", \"b\"]");
        assert_eq!(merged(before), after);
    }

    #[test]
    fn a_member_is_taken_out_wherever_it_stands() {
        let removed = |text: &str| remove(text, &["s", "x"]).unwrap();
        assert_eq!(removed("{\"s\": {\n  \"x\": 1,\n  \"y\": 2\n}}"), "{\"s\": {\n  \"y\": 2\n}}");
        assert_eq!(removed("{\"s\": {\n  \"x\": 1\n}}"), "{\"s\": {}}");
        assert_eq!(removed("{\"s\": {\n  // note\n  \"x\": 1\n}}"), "{\"s\": {\n  // note\n}}");
        let odd = "{\"s\": {\"y\": 1, // note\n  \"x\": 1, \"z\": 2}}";
        assert_eq!(removed(odd), "{\"s\": {\"y\": 1, // note\n   \"z\": 2}}");
        assert_eq!(removed("{\"s\": []}"), "{\"s\": []}");
        assert_eq!(removed("{}"), "{}");
    }

    #[test]
    fn what_is_broken_is_told_by_its_line() {
        for (text, line, what) in [
            ("[]", 1, "an object"),
            ("{\n\"a\": 1\n\"b\": 2}", 3, "a comma is missing"),
            ("{\n\n\"a\" 1}", 3, "a colon"),
            ("{\"a\": tru}", 1, "can't be read"),
            ("{\"a\": \"x\n\"}", 1, "not closed"),
            ("{\"a\": 1", 1, "`}` is missing"),
            ("{} {}", 1, "behind the end"),
            ("{\"a\": 1 /* ", 1, "a comment"),
            ("{'a': 1}", 1, "double quotes"),
            ("{\n\"servers\": [1]}", 2, "an object"),
            ("<<<<<<< HEAD\n{}", 1, "an object"),
        ] {
            let broken = merge(text, &["servers", "x"], &entry("/b")).unwrap_err();
            assert!(broken.line == line && broken.what.contains(what), "{text}: {broken}");
        }
        assert!(members(&"[".repeat(1000), &[]).is_err());
        let deep = format!("{{\"a\": {}", "[".repeat(100_000));
        assert!(members(&deep, &[]).unwrap_err().what.contains("deeply"));
    }

    #[test]
    fn values_are_read_through_comments() {
        let text =
            "{ // one\n \"s\": 1, \"s\": {\"y\": [\"a\\u0062\", /* 2 */ null,], \"b\": {}, } }";
        let members = |path: &[&str]| members(text, path).unwrap();
        let found: Vec<_> = members(&["s"]).into_iter().map(|(n, v)| format!("{n} {v}")).collect();
        assert_eq!(found, ["y [\"ab\",null]", "b {}"], "the last counts");
        assert!(members(&["t"]).is_empty() && super::members(" \n", &["t"]).unwrap().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_the_scanner(text in "[\\[\\]{}\":, a/*\\n0\\\\]{0,40}") {
            let _ = members(&text, &[]);
            let _ = merge(&text, &["a", "b"], &entry("/b"));
            let _ = remove(&text, &["a"]);
        }

        #[test]
        fn what_was_merged_can_be_taken_out(
            names in proptest::collection::btree_set("[a-w]{1,3}", 1..5),
            between in "(  |\t)?\n(  |\t){1,3}(// x\n)?",
            trailing in proptest::bool::ANY,
        ) {
            let members: Vec<_> = names.iter().map(|name| format!("{between}\"{name}\": [1, 2]")).collect();
            let comma = if trailing { "," } else { "" };
            let text = format!("{{\n \"servers\": {{{}{comma}\n }}\n}}", members.join(","));
            proptest::prop_assert_eq!(remove(&merged(&text), &["servers", "x"]).unwrap(), text);
        }
    }
}
