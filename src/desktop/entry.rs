//! An entry of a server, as it is written into a client's configuration and read from it.

use std::path::Path;

use serde_json::Value;

use super::client::Shape;
use super::item::Item;

/// What a client starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The variables that it gets besides the client's own.
    pub environment: Vec<(String, String)>,
}

impl Entry {
    /// As a client of this shape wants it.
    pub fn item(&self, shape: Shape) -> Item {
        let text = |text: &str| Item::Text(text.to_owned());
        let mut members = Vec::new();
        let mut member = |name: &str, item| members.push((name.to_owned(), item));
        if shape == Shape::Local {
            let command = std::iter::once(&self.command).chain(&self.arguments);
            member("type", text("local"));
            member("command", Item::List(command.cloned().collect()));
            member("enabled", Item::Flag(true));
        } else {
            if shape == Shape::Typed {
                member("type", text("stdio"));
            }
            member("command", text(&self.command));
            member("args", Item::List(self.arguments.clone()));
        }
        if !self.environment.is_empty() {
            let variables =
                self.environment.iter().map(|(name, value)| (name.clone(), text(value)));
            member(environment(shape), Item::Object(variables.collect()));
        }
        Item::Object(members)
    }

    /// What stands in a configuration, if it starts a program.
    pub fn read(value: &Value, shape: Shape) -> Option<Self> {
        let texts = |value: &Value| -> Option<Vec<String>> {
            value.as_array()?.iter().map(|text| Some(text.as_str()?.to_owned())).collect()
        };
        let mut arguments = value.get("args").and_then(texts).unwrap_or_default();
        let command = match value.get("command")? {
            Value::Array(_) => {
                let mut words = texts(&value["command"])?.into_iter();
                let program = words.next()?;
                arguments = words.collect();
                program
            }
            // Zed once had an object there.
            Value::Object(command) => {
                arguments = command.get("args").and_then(texts).unwrap_or_default();
                command.get("path")?.as_str()?.to_owned()
            }
            command => command.as_str()?.to_owned(),
        };
        let variables = value.get(environment(shape)).and_then(Value::as_object);
        let variable =
            |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.into()));
        let environment = variables.into_iter().flatten().filter_map(variable).collect();
        Some(Self { command, arguments, environment })
    }

    /// Whether it starts this program, wherever that lay.
    pub fn is_bridge(&self) -> bool {
        // Also a path of another system.
        let file = self.command.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        ["bridge", "mcp-bridge"].iter().any(|name| stem.eq_ignore_ascii_case(name))
    }
}

/// The member that holds the variables.
pub(super) fn environment(shape: Shape) -> &'static str {
    if shape == Shape::Local { "environment" } else { "env" }
}

/// The name of an entry for a server that has none: from its address, `https://mcp.linear.app/mcp` is `linear`.
pub fn name_for(host: &str) -> String {
    const EVERYBODYS: [&str; 4] = ["mcp", "api", "www", "server"];
    const REGISTRIES: [&str; 6] = ["co", "com", "org", "net", "gov", "ac"];
    let is_address = host.parse::<std::net::IpAddr>().is_ok() || host.contains(['[', ':']);
    let mut labels: Vec<_> = if is_address { vec!["server"] } else { host.split('.').collect() };
    if labels.len() > 1 {
        labels.pop();
    }
    while labels.len() > 1 && labels.last().is_some_and(|last| REGISTRIES.contains(last)) {
        labels.pop();
    }
    let label = labels.iter().rev().find(|label| !EVERYBODYS.contains(label)).or(labels.last());
    let fits = |c: char| if is_of_name(c) { c } else { '-' };
    label.copied().unwrap_or("server").chars().map(fits).collect()
}

/// Whether every client takes this as the name of a server.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.chars().all(is_of_name)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let entry = Entry {
            command: "/usr/bin/bridge".into(),
            arguments: vec!["https://h/mcp".into(), "--debug".into()],
            environment: vec![("A".into(), "1".into())],
        };
        for shape in [Shape::Plain, Shape::Typed, Shape::Local] {
            assert_eq!(Entry::read(&entry.item(shape).to_value(), shape), Some(entry.clone()));
        }
    }

    #[test]
    fn this_program_is_known_by_its_name_on_every_system() {
        let is_bridge =
            |command: &str| Entry { command: command.into(), ..Entry::default() }.is_bridge();
        assert!(is_bridge("/opt/homebrew/bin/mcp-bridge") && is_bridge("C:\\Tools\\Bridge.exe"));
        assert!(!is_bridge("npx") && !is_bridge("/usr/bin/bridge-utils"));
    }

    #[test]
    fn a_server_without_a_name_gets_one_from_its_host() {
        for (host, name) in [
            ("mcp.linear.app", "linear"),
            ("mcp.example.co.uk", "example"),
            ("docs.stripe.com", "stripe"),
            ("localhost", "localhost"),
            ("127.0.0.1", "server"),
            ("[::1]", "server"),
            ("mcp.com", "mcp"),
        ] {
            assert_eq!(name_for(host), name, "{host}");
            assert!(is_name(name));
        }
        assert!(!is_name("a b") && !is_name("") && !is_name("a.b"));
    }
}
