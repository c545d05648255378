//! Changes of the file of saved servers: what is not meant stays as it is.

use std::fmt::Write;
use std::fs::File;
use std::path::PathBuf;

use super::Config;
use super::file::{HEADERS, SERVERS};
use crate::cli::{self, SavedHeader, SavedOption, SavedServer, Takes};
use crate::error::Error;
use crate::toml::{self, Document};
use crate::{os, paths};

/// The option that says where what is kept for a server lies.
pub const STORE: &str = "credential-store";

/// A server that is to be saved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewServer {
    /// Its name.
    pub name: String,
    /// Its address.
    pub url: String,
    /// The port of its sign-in.
    pub port: Option<String>,
    /// Its options by their long names; without values for a switch that is on.
    pub options: Vec<(String, Vec<String>)>,
    /// Its headers. No value is a secret: `${keychain}` stands for it.
    pub headers: Vec<(String, String)>,
}

impl NewServer {
    /// Gives an option, in place of what it was.
    pub fn set(&mut self, key: &str, values: Vec<String>) {
        self.options.retain(|(name, _)| name != key);
        self.options.push((key.to_owned(), values));
    }

    /// Gives a header, in place of what it was.
    pub fn set_header(&mut self, name: &str, value: String) {
        self.headers.retain(|(each, _)| !each.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value));
    }

    /// As it is when it is saved.
    pub fn saved(&self) -> SavedServer {
        let option = |(key, values): &(String, Vec<String>)| SavedOption {
            key: key.clone(),
            values: values.clone(),
            line: 0,
        };
        let header = |(name, value): &(String, String)| SavedHeader {
            name: name.clone(),
            value: value.clone(),
            line: 0,
        };
        SavedServer {
            name: self.name.clone(),
            url: self.url.clone(),
            port: self.port.clone(),
            options: self.options.iter().map(option).collect(),
            headers: self.headers.iter().map(header).collect(),
            ..SavedServer::default()
        }
    }

    /// Its tables.
    fn lines(&self) -> String {
        let mut lines = format!("[{SERVERS}.{}]\nurl = {}\n", self.name, toml::text(&self.url));
        if let Some(port) = &self.port {
            let _ = writeln!(lines, "port = {port}");
        }
        let keys = cli::keys();
        for (name, values) in &self.options {
            let takes = keys.iter().find(|key| key.name == *name).map(|key| key.takes);
            let texts: Vec<_> = values.iter().map(|value| toml::text(value)).collect();
            let value = match takes {
                Some(Takes::List) => format!("[{}]", texts.join(", ")),
                Some(Takes::Switch) => "true".to_owned(),
                _ => texts.concat(),
            };
            let _ = writeln!(lines, "{name} = {value}");
        }
        if !self.headers.is_empty() {
            let _ = write!(lines, "\n[{SERVERS}.{}.{HEADERS}]\n", self.name);
        }
        for (name, value) in &self.headers {
            let _ = writeln!(lines, "{} = {}", toml::key(name), toml::text(value));
        }
        lines
    }
}

impl From<&SavedServer> for NewServer {
    fn from(saved: &SavedServer) -> Self {
        Self {
            name: saved.name.clone(),
            url: saved.url.clone(),
            port: saved.port.clone(),
            options: saved.options.iter().map(|o| (o.key.clone(), o.values.clone())).collect(),
            headers: saved.headers.iter().map(|h| (h.name.clone(), h.value.clone())).collect(),
        }
    }
}

/// Saves a server, in place of one of the same name. Gives the file.
///
/// # Errors
/// The file can't be read or written; it is as it was.
pub fn save(new: &NewServer) -> Result<PathBuf, Error> {
    change(|text| {
        let without = Document::parse(text).without(&[SERVERS, &new.name]);
        Document::parse(&without).with_appended(&new.lines())
    })
}

/// Takes a server out. Gives the file.
///
/// # Errors
/// The file can't be read or written; it is as it was.
pub fn remove(name: &str) -> Result<PathBuf, Error> {
    change(|text| Document::parse(text).without(&[SERVERS, name]))
}

/// Gives a saved server an option with one text for its value.
///
/// # Errors
/// The file can't be read or written; it is as it was.
pub fn set(name: &str, key: &str, value: &str) -> Result<PathBuf, Error> {
    change(|text| Document::parse(text).with_value(&[SERVERS, name], key, &toml::text(value)))
}

/// Writes down where the sign-ins of a saved server are kept, if the file does not say so yet and the server is of this
/// profile. Gives the file that was changed.
///
/// # Errors
/// The file can't be read or written; it is as it was.
pub fn set_store(name: &str, profile: &str, store: &str) -> Result<Option<PathBuf>, Error> {
    let Some(found) = Config::read()?.take(name) else { return Ok(None) };
    let options = &found.saved.options;
    let saved = |key: &str, default: &'static str| {
        let option = options.iter().find(|option| option.key == key);
        option.and_then(|option| option.values.first()).map_or(default, String::as_str).to_owned()
    };
    // What a start looks for that is told nothing.
    if saved(STORE, "keychain").replace("auto", "keychain") == store
        || saved("profile", "default") != profile
    {
        return Ok(None);
    }
    set(name, STORE, store).map(Some)
}

/// Replaces the file by what becomes of it, while no other process does.
fn change(edit: impl Fn(&str) -> String) -> Result<PathBuf, Error> {
    let _lock = lock();
    let Config { file, text, unreadable, .. } = Config::read()?;
    if let Some(problem) = unreadable {
        return Err(Error::failed("the saved servers can't be changed")
            .because(problem.told(&file))
            .hint("correct that line first: nothing was changed"));
    }
    let edited = edit(&text);
    if edited != text {
        paths::replace_as_it_was(&file, edited.as_bytes()).map_err(|why| {
            Error::failed(format!("{} can't be written", file.display()))
                .because(why)
                .hint("check who may write to it and to its folder: nothing was changed")
        })?;
    }
    Ok(file)
}

/// Held while the file is changed. It lies elsewhere, where nobody keeps files under version control; without
/// such a place there is none.
fn lock() -> Option<File> {
    let folder = paths::data_folder()?;
    os::own_folder(&folder).ok()?;
    let file = os::open_lock_file(&folder.join("config.lock")).ok()?;
    file.lock().ok()?;
    Some(file)
}
