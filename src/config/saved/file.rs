//! The file of saved servers, and what is wrong in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::{self, Key, PORT, SavedHeader, SavedOption, SavedServer, Takes, URL, mistaken};
use crate::error::Error;
use crate::order;
use crate::paths;
use crate::printable::printable;
use crate::spelling;
use crate::toml::{Document, Entry, Value};

/// Its name, in the folder of what the user writes.
const NAME: &str = "config.toml";
/// The table of the servers.
pub(super) const SERVERS: &str = "servers";
/// The table of a server's headers, in the server's own.
pub(super) const HEADERS: &str = "headers";
/// Longest file, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// Longest name of a server, in bytes.
pub(super) const LONGEST_NAME: usize = 64;

/// Whether a server can be saved by this name: no address, no command.
pub fn is_name(word: &str) -> bool {
    word.len() <= LONGEST_NAME
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && word != "localhost"
        && !mistaken::is_reserved(word)
}

/// Something in the file that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl Problem {
    /// With its place.
    pub fn told(&self, file: &Path) -> String {
        format!("line {} of {}: {}", self.line, file.display(), self.what)
    }
}

/// A server that was found, and what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// What can be read of it.
    pub saved: SavedServer,
    /// The line that it begins in.
    pub line: usize,
    /// What can't.
    pub problems: Vec<Problem>,
}

impl Found {
    /// The server, if nothing is wrong with it.
    ///
    /// # Errors
    /// All that is.
    pub fn usable(self) -> Result<SavedServer, Error> {
        if self.problems.is_empty() {
            return Ok(self.saved);
        }
        let name = &self.saved.name;
        let failed = Error::usage(format!("the saved server `{name}` can't be used"));
        let failed = self
            .problems
            .iter()
            .fold(failed, |failed, problem| failed.because(problem.told(&self.saved.file)));
        Err(failed.hint("correct the file; its keys are the long options of `bridge --help`"))
    }
}

/// The whole file.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where it is, or would be.
    pub file: PathBuf,
    /// What is in it; nothing where there is none.
    pub text: String,
    /// The servers, in its order.
    pub servers: Vec<Found>,
    /// What is wrong with no server in particular.
    pub problems: Vec<Problem>,
    /// The first place that can't be read at all: what follows may be hidden by it.
    pub unreadable: Option<Problem>,
}

impl Config {
    /// Where the file is, or would be.
    ///
    /// # Errors
    /// The system names no home folder.
    pub fn path() -> Result<PathBuf, Error> {
        paths::config_folder().map(|folder| folder.join(NAME)).ok_or_else(|| {
            Error::failed("there is no place for saved servers")
                .because("this system names no home folder")
                .hint("set HOME")
        })
    }

    /// Reads the file; one that is not there is empty.
    ///
    /// # Errors
    /// It is there, and can't be read.
    pub fn read() -> Result<Self, Error> {
        let file = Self::path()?;
        let text = read(&file).map_err(|why| {
            Error::failed(format!("{} can't be read", file.display()))
                .because(why)
                .hint("check who may read it; it is a text file in UTF-8")
        })?;
        Ok(Self::of(file, text))
    }

    /// What a file with this text says.
    pub fn of(file: PathBuf, text: String) -> Self {
        let mut reader = Reader { config: Self { file, ..Self::default() }, keys: cli::keys() };
        reader.document(&Document::parse(&text));
        Self { text, ..reader.config }
    }

    /// The server of this name, taken out.
    pub fn take(mut self, name: &str) -> Option<Found> {
        let at = self.servers.iter().position(|found| found.saved.name == name)?;
        Some(self.servers.swap_remove(at))
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    match paths::read_at_most(path, LONGEST) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => String::from_utf8(read?).map_err(std::io::Error::other),
    }
}

struct Reader {
    config: Config,
    keys: Vec<Key>,
}

impl Reader {
    fn document(&mut self, document: &Document<'_>) {
        let mut unknown = BTreeMap::new();
        for table in document.tables.iter().skip(1) {
            let line = document.line(table.header.start);
            let parts: Vec<_> = table.path.iter().map(String::as_str).collect();
            match parts[..] {
                [SERVERS] => {}
                [SERVERS, name] | [SERVERS, name, HEADERS] => drop(self.server(name, line)),
                [SERVERS, name, key, ..] => {
                    let what = self.no_key(key);
                    self.server(name, line).problems.push(Problem { line, what });
                }
                _ => {
                    unknown.entry(parts.first().copied().unwrap_or_default()).or_insert(line);
                }
            }
        }
        for entry in &document.entries {
            let line = document.line(entry.key.start);
            match entry.path.first().map(String::as_str) {
                Some(SERVERS) => self.entry(entry, line),
                other => {
                    unknown.entry(other.unwrap_or_default()).or_insert(line);
                }
            }
        }
        for (name, line) in unknown {
            let what =
                format!("there is no `{}`; servers stand in `[servers.NAME]`", printable(name, 64));
            self.config.problems.push(Problem { line, what });
        }
        self.unreadable(document);
        self.without_address();
        by_line(&mut self.config.problems);
    }

    /// What is no TOML is a matter of the server in whose table it stands.
    fn unreadable(&mut self, document: &Document<'_>) {
        for wrong in &document.wrong {
            let problem = Problem { line: document.line(wrong.at), what: wrong.why.clone() };
            self.config.unreadable.get_or_insert_with(|| problem.clone());
            let table = document.table_at(wrong.at);
            match table.path.get(1).filter(|_| table.path[0] == SERVERS) {
                Some(name) => self.server(name, problem.line).problems.push(problem),
                None => self.config.problems.push(problem),
            }
        }
    }

    fn without_address(&mut self) {
        for found in &mut self.config.servers {
            if found.saved.url_line == 0 && found.problems.is_empty() {
                let what = "the server has no `url`".to_owned();
                found.problems.push(Problem { line: found.line, what });
            }
            by_line(&mut found.problems);
        }
    }

    /// The server of this name, which begins in this line if it is met for the first time.
    fn server(&mut self, name: &str, line: usize) -> &mut Found {
        let servers = &mut self.config.servers;
        let at = servers.iter().position(|found| found.saved.name == name).unwrap_or_else(|| {
            let (name, file) = (name.to_owned(), self.config.file.clone());
            let mut found = Found {
                saved: SavedServer { name, file, ..SavedServer::default() },
                line,
                problems: Vec::new(),
            };
            if !is_name(&found.saved.name) {
                found.problems.push(Problem { line, what: no_name(&found.saved.name) });
            }
            servers.push(found);
            servers.len() - 1
        });
        &mut servers[at]
    }

    fn entry(&mut self, entry: &Entry, line: usize) {
        let parts: Vec<_> = entry.path.iter().map(String::as_str).collect();
        let (name, outcome) = match parts[..] {
            [SERVERS, name, HEADERS, header] => {
                let outcome = self.header(name, header, &entry.value, line);
                (name, outcome)
            }
            [SERVERS, name, HEADERS, ..] => (
                name,
                Err("headers are a table: `[servers.NAME.headers]`, `X-Name = \"value\"`"
                    .to_owned()),
            ),
            [SERVERS, name, key] => (name, self.option(name, key, &entry.value, line)),
            [SERVERS, name, key, ..] => (name, Err(self.no_key(key))),
            _ => {
                let what = "a server is a table: `[servers.NAME]`".to_owned();
                return self.config.problems.push(Problem { line, what });
            }
        };
        let found = self.server(name, line);
        found.problems.extend(outcome.err().map(|what| Problem { line, what }));
    }

    fn header(
        &mut self,
        name: &str,
        header: &str,
        value: &Value,
        line: usize,
    ) -> Result<(), String> {
        let Value::Text(value) = value else {
            return Err(format!("the value of `{}` is no text in quotes", printable(header, 64)));
        };
        let header = SavedHeader { name: header.to_owned(), value: value.clone(), line };
        self.server(name, line).saved.headers.push(header);
        Ok(())
    }

    fn option(&mut self, name: &str, key: &str, value: &Value, line: usize) -> Result<(), String> {
        let Some(known) = self.keys.iter().find(|known| known.name == key) else {
            return Err(self.no_key(key));
        };
        let values = values(known.takes, value).ok_or_else(|| match known.takes {
            Takes::Text => format!("`{key}` takes a text in quotes"),
            Takes::List => format!("`{key}` takes a list of texts: `[\"…\", \"…\"]`"),
            Takes::Switch => format!("`{key}` takes `true` or `false`, without quotes"),
        })?;
        let saved = &mut self.server(name, line).saved;
        match (key, values) {
            (_, None) => {}
            (URL, Some(values)) => {
                saved.url = values.concat();
                saved.url_line = line;
            }
            (PORT, Some(values)) => saved.port = Some(values.concat()),
            (_, Some(values)) => {
                saved.options.push(SavedOption { key: key.to_owned(), values, line });
            }
        }
        Ok(())
    }

    fn no_key(&self, key: &str) -> String {
        let shown = printable(key, 64);
        if key == "header" {
            return "headers are a table: `[servers.NAME.headers]`, `X-Name = \"value\"`"
                .to_owned();
        }
        let names = self.keys.iter().map(|key| key.name.as_str()).chain([HEADERS]);
        let dashed = key.replace('_', "-");
        match spelling::nearest(&dashed, names) {
            Some(near) if near == key => format!("`{shown}` is no table"),
            Some(near) => format!("there is no key `{shown}`; the nearest one is `{near}`"),
            None => format!("there is no key `{shown}`"),
        }
    }
}

fn by_line(problems: &mut Vec<Problem>) {
    *problems = order::by_key(std::mem::take(problems), |problem| problem.line);
}

fn no_name(name: &str) -> String {
    let shown = printable(name, LONGEST_NAME);
    if mistaken::is_reserved(name) {
        return format!("`{shown}` can't be the name of a server: it is that of a command");
    }
    format!(
        "`{shown}` can't be the name of a server: one has letters, digits, `-` and `_`, begins with a letter, \
         and is no address"
    )
}

/// What a value comes to: nothing for a switch that is off, no texts for one that is on. None where the key
/// does not take it.
#[expect(clippy::option_option, reason = "not taken, taken and off, taken")]
fn values(takes: Takes, value: &Value) -> Option<Option<Vec<String>>> {
    let text = |value: &Value| match value {
        Value::Text(text) | Value::Number(text) => Some(text.clone()),
        _ => None,
    };
    match (takes, value) {
        (Takes::Switch, Value::Switch(on)) => Some(on.then(Vec::new)),
        (Takes::Text, value) => text(value).map(|text| Some(vec![text])),
        (Takes::List, Value::List(values)) => {
            let texts: Option<Vec<_>> = values.iter().map(text).collect();
            texts.map(|texts| Some(texts).filter(|texts| !texts.is_empty()))
        }
        (Takes::List, value) => text(value).map(|text| Some(vec![text])),
        _ => None,
    }
}
