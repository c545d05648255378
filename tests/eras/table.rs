//! `docs/eras.md` and the code say the same.

use std::collections::BTreeSet;

use crate::support::schema::{Revision, Schema, Side};

/// One row of a translated pair.
#[derive(Debug)]
pub struct Row {
    pub message: String,
    pub from: String,
    pub back: String,
}

/// Messages of an extension, which neither schema has.
const OF_EXTENSIONS: [&str; 1] = ["tasks/update"];

/// The rows of a section of the document.
pub fn rows(section: &str) -> Vec<Row> {
    let document = include_str!("../../docs/eras.md");
    let begin = document.find(&format!("\n## {section}\n")).expect("the section");
    let text = &document[begin + 4..];
    let text = text.split("\n## ").next().expect("the section's text");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| message"));
    rows.map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split(" |").map(str::trim).collect();
    assert_eq!(cells.len(), 4, "message, from, what becomes of it, and back: {line}");
    Row {
        message: cells[0].trim_matches('`').to_owned(),
        from: cells[1].to_owned(),
        back: cells[3].to_owned(),
    }
}

/// All methods that a side says, requests and notifications.
fn methods(revision: Revision, side: Side) -> BTreeSet<String> {
    let schema = Schema::of(revision);
    let kinds = ["Request", "Notification"];
    kinds.into_iter().flat_map(|kind| schema.methods(side, kind)).collect()
}

/// A section with the revisions of its client and its server.
const PAIRS: [(&str, Revision, Revision); 2] = [
    ("A legacy client and a modern server", Revision::Legacy, Revision::Modern),
    ("A modern client and a legacy server", Revision::Modern, Revision::Legacy),
];

#[test]
fn every_message_of_both_eras_has_a_row() {
    let mut missing = Vec::new();
    for (section, client, server) in PAIRS {
        let rows = rows(section);
        for (from, revision, side) in
            [("client", client, Side::Client), ("server", server, Side::Server)]
        {
            let all = methods(revision, side);
            assert!(all.len() > 3, "the schema's methods of the {from}: {all:?}");
            for method in all {
                let listed = rows.iter().filter(|row| row.message == method && row.from == from);
                if listed.count() != 1 {
                    missing.push(format!("{section}: `{method}` from the {from}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "not one row each:\n{}", missing.join("\n"));
}

#[test]
fn every_row_is_about_a_message_that_exists() {
    let mut unknown = Vec::new();
    for (section, client, server) in PAIRS {
        for row in rows(section) {
            let (revision, side) = match &*row.from {
                "client" => (client, Side::Client),
                "server" => (server, Side::Server),
                from => panic!("a row from the {from}"),
            };
            assert!(["", "yes"].contains(&&*row.back), "{row:?}");
            // A method has a slash, but for the one that has none and the handshake.
            let named =
                row.message.contains('/') || ["ping", "initialize"].contains(&&*row.message);
            let known = methods(revision, side).contains(&row.message);
            // Tasks left the modern era's core and are an extension there.
            let extension = OF_EXTENSIONS.contains(&&*row.message)
                || methods(Revision::Legacy, side).contains(&row.message);
            if named && !known && !extension {
                unknown.push(format!("{section}: `{}` from the {}", row.message, row.from));
            }
        }
    }
    assert!(unknown.is_empty(), "no such message:\n{}", unknown.join("\n"));
}
