//! TOML with the place of everything in it, and edits that leave the rest of a file as it was. What a file
//! means is its reader's business.

mod edit;
mod read;

use std::ops::Range;

pub use edit::{key, text};

/// A file as it is written. What is wrong in one place does not hide the rest.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    /// In the order of the file. The first is what stands before all headers.
    pub tables: Vec<Table>,
    /// Every key with a value, in the order of the file.
    pub entries: Vec<Entry>,
    /// What can't be read, or is there twice, in the order of the file.
    pub wrong: Vec<Wrong>,
}

/// A header and what follows it. The tables of an array have their number as the last part of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its whole path; empty for what stands before all headers.
    pub path: Vec<String>,
    /// Where the header stands.
    pub header: Range<usize>,
    /// Where its last key and value end, or the header where it has none.
    end: usize,
}

/// A key with a value that is no table: those of tables within a line have entries of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The whole path, that of its table included.
    pub path: Vec<String>,
    /// Where the last part of its key stands.
    pub key: Range<usize>,
    /// What is given.
    pub value: Value,
    /// Where the value stands.
    pub span: Range<usize>,
    /// The outermost key and its value, which may be a table within a line.
    statement: Range<usize>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer or a float, as it is written.
    Number(String),
    /// A boolean.
    Switch(bool),
    /// An array.
    List(Vec<Value>),
    /// A date, or a table within an array.
    Other,
}

/// Something that can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where, in bytes.
    pub at: usize,
    /// Why.
    pub why: String,
}

impl<'a> Document<'a> {
    /// Reads a file.
    pub fn parse(text: &'a str) -> Self {
        read::document(text)
    }

    /// The line of a place, the first being 1.
    pub fn line(&self, at: usize) -> usize {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The table that a place belongs to.
    pub fn table_at(&self, at: usize) -> &Table {
        let after = self.tables.partition_point(|table| table.header.start <= at);
        &self.tables[after.saturating_sub(1)]
    }
}

#[cfg(test)]
mod tests;
