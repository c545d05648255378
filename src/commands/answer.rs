//! What a server answered, for a person or as it came.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::person::Person;
use super::saved::{Place, Went};
use crate::client::{elements, pretty};
use crate::error::Error;
use crate::jsonrpc::edit;
use crate::printable::{escaped, one_line};
use crate::ui;

/// Characters of a server's name or address that are shown.
const MAX_LINE: usize = 500;

/// Servers leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A result.
pub(super) struct Answer<'a> {
    /// As the relay delivered it.
    result: &'a str,
    person: &'a Person<'a>,
    /// Where what is no text goes.
    place: Place<'a>,
    /// stdout is for a file that is in it.
    is_apart: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(result: &'a str, person: &'a Person<'a>, place: Place<'a>) -> Self {
        Self { result, person, place, is_apart: false }
    }

    /// Prints the server's own JSON, on one line.
    pub(super) fn print_json(&self) -> Result<(), Error> {
        self.person.status.clear();
        ui::print_json(self.result)
    }

    /// Prints the blocks of a tool's result, and what is structured in it unless a block says the same.
    pub(super) fn print_content(mut self) -> Result<(), Error> {
        self.person.status.clear();
        let structured = edit::member(self.result, "structuredContent").filter(|it| *it != "null");
        let value = structured.and_then(|it| serde_json::from_str::<Value>(it).ok());
        let blocks: Vec<_> =
            elements(self.result, "content").into_iter().map(Block::read).collect();
        self.is_apart = self.place.is_stdout() && blocks.iter().any(Block::is_file);
        for block in blocks {
            let says_the_same = || {
                let text = block.value["text"].as_str()?;
                Some(serde_json::from_str::<Value>(text).ok()? == *value.as_ref()?)
            };
            if block.kind() == "text" && says_the_same() == Some(true) {
                continue;
            }
            self.print_block(&block)?;
        }
        if let Some(structured) = structured {
            self.print_text(&pretty(structured))?;
        }
        if structured.is_none() && edit::member(self.result, "content").is_none() {
            self.print_text(&pretty(self.result))?;
        }
        Ok(())
    }

    /// Prints or saves the contents of a resource.
    pub(super) fn print_resource(mut self) -> Result<(), Error> {
        self.person.status.clear();
        let is_named = self.place.is_named();
        for contents in elements(self.result, "contents") {
            let contents: Value = serde_json::from_str(contents).unwrap_or_default();
            match contents["text"].as_str().filter(|_| is_named) {
                Some(text) => self.keep(text.as_bytes(), &contents["mimeType"])?,
                None => self.print_contents(&contents)?,
            }
        }
        Ok(())
    }

    /// Prints the messages of a prompt, each with who says it.
    pub(super) fn print_messages(mut self) -> Result<(), Error> {
        self.person.status.clear();
        let read = |message| Some(Block::read(edit::member(message, "content")?));
        self.is_apart = self.place.is_stdout()
            && elements(self.result, "messages")
                .into_iter()
                .filter_map(read)
                .any(|it| it.is_file());
        for message in elements(self.result, "messages") {
            let role = edit::member(message, "role").and_then(|raw| serde_json::from_str(raw).ok());
            let role: String = role.unwrap_or_default();
            self.print_text(&format!("{}:", one_line(&role, MAX_LINE)))?;
            if let Some(block) = read(message) {
                self.print_block(&block)?;
            }
        }
        Ok(())
    }

    /// Prints a text; on stderr, where stdout is for a file.
    fn print_text(&self, text: &str) -> Result<(), Error> {
        if self.is_apart {
            self.person.say(escaped(text).trim_end());
            return Ok(());
        }
        print_text(text)
    }

    /// Prints or saves one block of content.
    fn print_block(&mut self, block: &Block<'_>) -> Result<(), Error> {
        let value = &block.value;
        match block.kind() {
            "text" => self.print_text(value["text"].as_str().unwrap_or_default()),
            "image" | "audio" => self.save(&value["data"], &value["mimeType"], block.kind()),
            "resource" => self.print_contents(&value["resource"]),
            "resource_link" => self.print_text(&link(value)),
            // What a later revision has is shown as it is.
            _ => self.print_text(&pretty(block.raw)),
        }
    }

    /// Prints a text of a resource, and saves anything else.
    fn print_contents(&mut self, contents: &Value) -> Result<(), Error> {
        match contents["text"].as_str() {
            Some(text) => self.print_text(text),
            None => self.save(&contents["blob"], &contents["mimeType"], "file"),
        }
    }

    fn save(&mut self, data: &Value, kind: &Value, what: &str) -> Result<(), Error> {
        let data = data.as_str().unwrap_or_default();
        let broken = |_| {
            Error::failed(format!("the server's {what} can't be saved"))
                .because("it is not written as Base64")
                .hint("`--json` prints what the server sent; tell whoever runs it")
        };
        let bytes = BASE64.decode(without_spaces(data).as_bytes()).map_err(broken)?;
        self.keep(&bytes, kind)
    }

    fn keep(&mut self, bytes: &[u8], kind: &Value) -> Result<(), Error> {
        let kind = kind.as_str().unwrap_or("application/octet-stream");
        if let Went::ToFile(path) = self.place.save(bytes, kind)? {
            let size = size(bytes.len());
            let kind = one_line(kind, MAX_LINE);
            self.person.say(&format!("saved {} ({kind}, {size})", path.display()));
        }
        Ok(())
    }
}

/// A block of content.
struct Block<'a> {
    raw: &'a str,
    value: Value,
}

impl<'a> Block<'a> {
    fn read(raw: &'a str) -> Self {
        Self { raw, value: serde_json::from_str(raw).unwrap_or_default() }
    }

    fn kind(&self) -> &str {
        self.value["type"].as_str().unwrap_or_default()
    }

    /// Whether it is saved, and not printed.
    fn is_file(&self) -> bool {
        match self.kind() {
            "image" | "audio" => true,
            "resource" => !self.value["resource"]["text"].is_string(),
            _ => false,
        }
    }
}

/// Prints the pages of a list as they came.
pub(super) fn print_pages(pages: &[String]) -> Result<(), Error> {
    pages.iter().try_for_each(|page| ui::print_json(page))
}

/// Prints a text: to a terminal without what would steer it, to anything else as it is.
pub(super) fn print_text(text: &str) -> Result<(), Error> {
    let mut shown = match ui::columns() {
        Some(_) => Cow::Owned(escaped(text)),
        None => Cow::Borrowed(text),
    };
    if !shown.ends_with('\n') {
        shown.to_mut().push('\n');
    }
    ui::print(shown.as_bytes())
}

/// A link to a resource, in a line.
fn link(value: &Value) -> String {
    let word = |name: &str| one_line(value[name].as_str().unwrap_or_default(), MAX_LINE);
    let words = [word("uri"), word("title"), word("name"), word("mimeType"), word("description")];
    let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join("  ")
}

fn without_spaces(data: &str) -> Cow<'_, str> {
    if data.contains(|c: char| c.is_ascii_whitespace()) {
        data.split_ascii_whitespace().collect::<String>().into()
    } else {
        data.into()
    }
}

/// A number of bytes for a person.
fn size(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{} MB", bytes.div_ceil(1_000_000)),
    }
}
