//! The tables, and what is said of a row that did not arrive as it was sent.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::support::BridgeProcess;

/// How much is shown of two messages around the first byte in which they differ.
const SHOWN: usize = 40;

/// One message of a table.
#[derive(Clone)]
pub struct Row {
    pub name: String,
    pub message: String,
    asked: Option<String>,
}

impl Row {
    pub fn new(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), message: message.into(), asked: None }
    }

    /// The id in the message, spelled as it is.
    pub fn id(&self) -> Option<String> {
        member(&self.message, "id")
    }

    /// The id under which the client asked for this response.
    #[track_caller]
    pub fn asked(&self) -> String {
        let asked = self.asked.clone().or_else(|| self.id());
        asked.unwrap_or_else(|| panic!("{}: no id", self.name))
    }

    pub fn method(&self) -> Option<String> {
        serde_json::from_str(&member(&self.message, "method")?).ok()
    }
}

/// The last member of this name at the top level.
pub fn member(message: &str, name: &str) -> Option<String> {
    let members: Members<'_> = serde_json::from_str(message).ok()?;
    let named =
        |key: &RawValue| serde_json::from_str::<String>(key.get()).is_ok_and(|it| it == name);
    let (_, value) = members.0.iter().rev().find(|(key, _)| named(key))?;
    Some(value.get().to_owned())
}

/// Keys and values as they stand: a key may be half a character.
struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[derive(Deserialize)]
struct Written<'a> {
    name: String,
    #[serde(borrow)]
    message: &'a RawValue,
    #[serde(borrow)]
    asked: Option<&'a RawValue>,
}

/// The rows of a file in `tests/fixtures/fidelity/`.
#[track_caller]
pub fn table(file: &str) -> Vec<Row> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fidelity");
    let path = format!("{folder}/{file}.jsonl");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
    let row = |(number, line): (usize, &str)| {
        let row: Written<'_> = serde_json::from_str(line)
            .unwrap_or_else(|why| panic!("{path}, line {}: {why}", number + 1));
        Row {
            name: format!("{file}: {}", row.name),
            message: row.message.get().to_owned(),
            asked: row.asked.map(|asked| asked.get().to_owned()),
        }
    };
    text.split_terminator('\n').enumerate().map(row).collect()
}

/// JSON values that are too large for a table.
pub fn large_values() -> Vec<(&'static str, String)> {
    let nested =
        |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
    let long = "0123456789abcdef".repeat(1 << 16);
    vec![
        ("10,000 lists in each other", nested("[", "]")),
        ("10,000 objects in each other", nested("{\"a\":", "}")),
        ("a text of 1 MiB", format!("\"{long}\"")),
        ("a text of 1 MiB in escapes", format!("\"{}\"", "\\u0061\\/".repeat(1 << 17))),
        ("a text of 1 MiB in crabs", format!("\"{}\"", "🦀".repeat(1 << 18))),
        ("a key of 1 MiB", format!("{{\"{long}\":0}}")),
        ("a number of 100,000 digits", "7".repeat(100_000)),
        ("1 MiB of white space", format!("[{}]", " \t".repeat(1 << 19))),
        ("50,000 keys", format!("{{{}\"z\":0}}", "\"k\":1.0,".repeat(50_000))),
    ]
}

/// What became of the rows; fails the test with the name of each that did not arrive as it was sent.
#[derive(Default)]
pub struct Report {
    rows: usize,
    faults: Vec<String>,
}

impl Report {
    /// The next line of the bridge has to be this row. `false`: there was none, and the session is of
    /// no more use.
    pub fn expect_line(&mut self, bridge: &mut BridgeProcess, name: &str, message: &str) -> bool {
        match catch_unwind(AssertUnwindSafe(|| bridge.expect_line())) {
            Ok(line) => {
                self.compare(name, message.as_bytes(), line.as_bytes());
                true
            }
            Err(_) => {
                self.fault(name, "nothing came");
                false
            }
        }
    }

    /// What came has to be what was sent.
    pub fn compare(&mut self, name: &str, sent: &[u8], came: &[u8]) {
        self.rows += 1;
        if sent == came {
            return;
        }
        let at = sent.iter().zip(came).take_while(|(a, b)| a == b).count();
        let around = |bytes: &[u8]| {
            let end = bytes.len().min(at + SHOWN);
            String::from_utf8_lossy(&bytes[at.saturating_sub(SHOWN).min(end)..end]).into_owned()
        };
        let (sent, came) = (around(sent), around(came));
        self.faults.push(format!("{name}: byte {at} differs\n  sent …{sent}…\n  came …{came}…"));
    }

    pub fn fault(&mut self, name: &str, what: &str) {
        self.rows += 1;
        self.faults.push(format!("{name}: {what}"));
    }

    /// All rows arrived, and there were so many.
    #[track_caller]
    pub fn assert_all_arrived(self, rows: usize) {
        let Self { rows: counted, faults } = self;
        assert!(faults.is_empty(), "{} of {counted} rows:\n{}", faults.len(), faults.join("\n"));
        assert_eq!(counted, rows, "rows were left out");
    }
}
