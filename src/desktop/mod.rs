//! The configurations of desktop clients: where they are, what an entry of ours looks like in each, and edits that
//! leave everything else in a file as it is. Nothing here prints or asks.

mod client;
mod diff;
mod entry;
mod file;
mod item;
mod json;
mod jsonc;
pub mod mcp_remote;
mod program;
mod tables;

pub use client::{CLIENTS, Client, Format, Shape, Surroundings, System, named, variables};
pub use diff::diff;
pub use entry::{Entry, is_name, name_for};
pub use file::{File, FileError};
pub use item::Item;
pub use jsonc::Broken;
pub use program::{NoProgram, Started, path as program};

use serde_json::Value;

impl Client {
    /// The configuration with this entry in it. Members of an entry that is there and are not of ours stay.
    ///
    /// # Errors
    /// The text can't be read as the client reads it.
    pub fn with_entry(&self, text: &str, name: &str, entry: &Entry) -> Result<String, Broken> {
        match self.format {
            Format::Json => json::merge(text, &[self.key, name], &entry.item(self.shape)),
            Format::Toml => tables::merge(text, [self.key, name], &entry.item(self.shape)),
        }
    }

    /// The configuration with this in place of the program, the arguments and the variables of an entry.
    ///
    /// # Errors
    /// The text can't be read as the client reads it.
    pub fn with_other_entry(
        &self,
        text: &str,
        name: &str,
        entry: &Entry,
    ) -> Result<String, Broken> {
        let path = [self.key, name, entry::environment(self.shape)];
        let text = match self.format {
            Format::Json => json::remove(text, &path)?,
            Format::Toml => tables::remove(text, &path)?,
        };
        self.with_entry(&text, name, entry)
    }

    /// The configuration without the entry of this name.
    ///
    /// # Errors
    /// The text can't be read as the client reads it.
    pub fn without_entry(&self, text: &str, name: &str) -> Result<String, Broken> {
        match self.format {
            Format::Json => json::remove(text, &[self.key, name]),
            Format::Toml => tables::remove(text, &[self.key, name]),
        }
    }

    /// The entries of a configuration, as they stand there.
    ///
    /// # Errors
    /// The text can't be read as the client reads it.
    pub fn entries(&self, text: &str) -> Result<Vec<(String, Value)>, Broken> {
        match self.format {
            Format::Json => json::members(text, &[self.key]),
            Format::Toml => tables::tables(text, self.key),
        }
    }

    /// The entries as a person pastes them into an empty configuration.
    pub fn snippet(&self, entries: &[(String, Entry)]) -> String {
        let items = entries.iter().map(|(name, entry)| (name, entry.item(self.shape)));
        match self.format {
            Format::Json => {
                let members = items.map(|(name, item)| (name.clone(), item)).collect();
                let item = Item::Object(vec![(self.key.to_owned(), Item::Object(members))]);
                json::pretty(&item) + "\n"
            }
            Format::Toml => {
                let tables: Vec<_> =
                    items.map(|(name, item)| tables::table([self.key, name], &item)).collect();
                tables.join("\n")
            }
        }
    }
}
