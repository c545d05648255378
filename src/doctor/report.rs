//! What the checks came to, for a person and for a program.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::error::Exit;
use crate::order;
use crate::printable::{one_line, wrapped};

/// Longest detail or hint, in characters.
const MAX_WORDS: usize = 1_000;
/// Columns of a name, with the space after it.
const NAMES: usize = 15;

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is as it should be.
    Pass,
    /// It is not.
    Fail,
    /// It was not looked at: it does not apply, or what it needs has failed.
    Skip,
}

/// One step, and what came of it.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What became of it.
    pub status: Status,
    /// What was found, in a clause.
    pub detail: String,
    /// More of it, a line each.
    pub lines: Vec<String>,
    /// What to do next: about what failed, or what is better known of what passed.
    pub hint: Option<String>,
    /// How the command ends where this is what is wrong.
    pub exit: Exit,
    /// The same for a program; null where the detail is all.
    pub data: Value,
}

impl Check {
    fn new(name: &'static str, status: Status, detail: impl AsRef<str>) -> Self {
        // Some of these words are the server's.
        let detail = one_line(detail.as_ref(), MAX_WORDS);
        let (lines, hint, data) = (Vec::new(), None, Value::Null);
        Self { name, status, detail, lines, hint, exit: Exit::Ok, data }
    }

    /// It is as it should be.
    pub fn pass(name: &'static str, detail: impl AsRef<str>) -> Self {
        Self::new(name, Status::Pass, detail)
    }

    /// It was not looked at, and why.
    pub fn skip(name: &'static str, why: impl AsRef<str>) -> Self {
        Self::new(name, Status::Skip, why)
    }

    /// Something is wrong: what, and what to do next.
    pub fn fail(name: &'static str, detail: impl AsRef<str>, hint: impl AsRef<str>) -> Self {
        let failed = Self { exit: Exit::Failed, ..Self::new(name, Status::Fail, detail) };
        failed.with_hint(hint)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn with_hint(self, hint: impl AsRef<str>) -> Self {
        Self { hint: Some(one_line(hint.as_ref(), MAX_WORDS)), ..self }
    }

    /// How the command ends where this is what is wrong.
    #[must_use]
    pub fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Adds lines below the detail.
    #[must_use]
    pub fn with_lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines = lines.into_iter().map(|line| one_line(&line, MAX_WORDS)).collect();
        self
    }

    /// Adds what a program can read.
    #[must_use]
    pub fn with_data(self, data: Value) -> Self {
        Self { data, ..self }
    }

    /// Whether neither was looked at, for the same reason.
    fn is_skipped_like(&self, other: &Self) -> bool {
        (self.status, other.status) == (Status::Skip, Status::Skip) && self.detail == other.detail
    }

    fn json(&self) -> Value {
        let word = self.status.word();
        let mut check = json!({ "name": self.name, "status": word, "detail": self.detail });
        if let Some(hint) = &self.hint {
            check["hint"] = hint.as_str().into();
        }
        if !self.data.is_null() {
            check["data"] = self.data.clone();
        }
        check
    }
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }
}

/// How a report is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    /// On a terminal: by marks, in place of words.
    pub marks: bool,
    /// With colours.
    pub colours: bool,
    /// Columns of a line.
    pub columns: usize,
}

impl Drawn {
    /// Columns before a detail.
    fn width(self) -> usize {
        NAMES + if self.marks { 2 } else { 6 }
    }

    fn add_line(self, text: &mut String, status: Status, name: &str, detail: &str) {
        let (mark, width) = (self.mark(status), self.width());
        let gap = if self.marks { " " } else { "  " };
        let detail = wrapped(detail, width, width, self.columns);
        let _ = writeln!(text, "{mark}{gap}{name:<NAMES$}{detail}");
    }

    fn mark(self, status: Status) -> String {
        let (mark, colour) = match status {
            Status::Pass => ("✓", 32),
            Status::Fail => ("✗", 31),
            Status::Skip => ("–", 2),
        };
        match (self.marks, self.colours) {
            (false, _) => format!("{:<4}", status.word()),
            (true, false) => mark.to_owned(),
            (true, true) => format!("\x1b[{colour}m{mark}\x1b[0m"),
        }
    }
}

/// All checks.
#[derive(Debug, Default)]
pub struct Report {
    /// The server that was looked at; none where it was the machine alone.
    pub server: Option<String>,
    checks: Vec<Check>,
    stopped: Option<String>,
}

impl Report {
    /// Without a check yet.
    pub fn of(server: Option<String>) -> Self {
        Self { server, ..Self::default() }
    }

    /// Adds a check; one of the same name, which knew less, is replaced.
    pub fn add(&mut self, check: Check) {
        self.checks.retain(|other| other.name != check.name);
        self.checks.push(check);
    }

    /// Why the checks that are not there yet were not made.
    pub fn stop(&mut self, why: impl Into<String>) {
        self.stopped.get_or_insert(why.into());
    }

    /// Whether the checks that are not there yet can't be made.
    pub fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// What became of a check, if it was made.
    pub fn status(&self, name: &str) -> Option<Status> {
        self.checks.iter().find(|check| check.name == name).map(|check| check.status)
    }

    /// Brings the checks into this order; those that were not made are skipped.
    pub fn finish(&mut self, names: &[&'static str]) {
        let why = self.stopped.clone().unwrap_or_default();
        for name in names {
            if self.status(name).is_none() {
                self.add(Check::skip(name, &why));
            }
        }
        let place = |check: &Check| names.iter().position(|name| *name == check.name);
        self.checks = order::by_key(std::mem::take(&mut self.checks), place);
    }

    fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.status == Status::Fail)
    }

    /// How the command ends: by the first failure that has a code of its own, since later ones may follow from it.
    pub fn exit(&self) -> Exit {
        let mut exits = self.failures().map(|check| check.exit);
        let first = self.failures().next().map_or(Exit::Ok, |check| check.exit);
        exits.find(|exit| *exit != Exit::Failed).unwrap_or(first)
    }

    /// For a program.
    pub fn json(&self) -> Value {
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "server": self.server,
            "exitCode": self.exit() as u8,
            "checks": self.checks.iter().map(Check::json).collect::<Vec<_>>(),
        })
    }

    /// For a person: a line for each check, what to do, and the sum. What was skipped for one reason shares a line.
    pub fn text(&self, drawn: Drawn) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let alike = self.checks.iter().filter(|other| check.is_skipped_like(other));
            let alike: Vec<_> = alike.map(|other| other.name).collect();
            match alike[..] {
                [.., _, last] if last != check.name => {}
                [_, _, ..] => {
                    let name = format!("{} checks", alike.len());
                    let detail = format!("{}: {}", check.detail, alike.join(", "));
                    drawn.add_line(&mut text, check.status, &name, &detail);
                }
                _ => drawn.add_line(&mut text, check.status, check.name, &check.detail),
            }
            let width = drawn.width();
            for line in &check.lines {
                let line = wrapped(line, width, width + 2, drawn.columns);
                let _ = writeln!(text, "{:width$}{line}", "");
            }
        }
        let mut advice = self.checks.iter().filter(|check| check.hint.is_some()).peekable();
        if advice.peek().is_some() {
            text.push_str("\nWhat to do:\n");
        }
        for check in advice {
            let line = format!("{}: {}", check.name, check.hint.as_deref().unwrap_or_default());
            let _ = writeln!(text, "  {}", wrapped(&line, 2, 4, drawn.columns));
        }
        let _ = writeln!(text, "\n{}", self.sum());
        text
    }

    /// The last line.
    fn sum(&self) -> String {
        let count = |status| self.checks.iter().filter(|check| check.status == status).count();
        let (passed, skipped) = (count(Status::Pass), count(Status::Skip));
        match self.failures().count() {
            0 => format!("All is well: {passed} passed, {skipped} skipped."),
            1 => {
                let name = self.failures().next().map_or("", |check| check.name);
                format!("`{name}` failed; {passed} passed, {skipped} skipped.")
            }
            failed => format!("{failed} failed; {passed} passed, {skipped} skipped."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::of(Some("https://h/mcp".into()));
        report.add(Check::fail("tls", "it is not trusted", "add it").ending(Exit::Unreachable));
        report.add(Check::pass("dns", "h is 10.0.0.7"));
        report.stop("there is no connection");
        report.finish(&["dns", "tls", "endpoint"]);
        report
    }

    #[test]
    fn a_report_has_a_line_a_check_in_order_then_advice_then_the_sum() {
        let drawn = Drawn { marks: false, colours: false, columns: 80 };
        assert_eq!(
            report().text(drawn),
            "pass  dns            h is 10.0.0.7\n\
             fail  tls            it is not trusted\n\
             skip  endpoint       there is no connection\n\n\
             What to do:\n  tls: add it\n\n`tls` failed; 1 passed, 1 skipped.\n"
        );
        let marks = report().text(Drawn { marks: true, ..drawn });
        assert!(marks.starts_with("✓ dns            h is"), "{marks}");
    }

    #[test]
    fn what_was_skipped_for_one_reason_shares_a_line_and_has_its_own_for_a_program() {
        let mut report = report();
        report.add(Check::skip("tcp", "the proxy connects"));
        report.finish(&["dns", "tcp", "tls", "endpoint", "protocol", "challenge", "discovery"]);
        let text = report.text(Drawn { marks: true, colours: false, columns: 60 });
        let lines = "– tcp            the proxy connects\n\
                     ✗ tls            it is not trusted\n\
                     – 4 checks       there is no connection: endpoint, protocol,\n\
                     \x20                challenge, discovery\n\n";
        assert!(text.contains(lines), "{text}");
        let json = report.json();
        let of = |name: &str| {
            let mut checks = json["checks"].as_array().unwrap().iter();
            checks.find(|check| check["name"] == name).unwrap().clone()
        };
        for name in ["endpoint", "protocol", "challenge", "discovery"] {
            let (status, why) = (&of(name)["status"], &of(name)["detail"]);
            assert_eq!((status, why), (&json!("skip"), &json!("there is no connection")));
        }
    }

    #[test]
    fn it_ends_by_the_first_failure_with_a_code_of_its_own() {
        let mut report = report();
        assert_eq!(report.exit(), Exit::Unreachable);
        report.add(Check::fail("program", "another one", "x"));
        report.finish(&["program", "dns", "tls", "endpoint"]);
        assert_eq!(report.exit(), Exit::Unreachable);
        assert_eq!(Report::default().exit(), Exit::Ok);
    }

    #[test]
    fn what_passed_may_come_with_advice() {
        let mut report = Report::default();
        report.add(Check::pass("program", "another one").with_hint("write its path"));
        assert_eq!(report.exit(), Exit::Ok);
        let text = report.text(Drawn { marks: false, colours: false, columns: 80 });
        let end = "What to do:\n  program: write its path\n\nAll is well: 1 passed, 0 skipped.\n";
        assert!(text.ends_with(end), "{text}");
    }

    #[test]
    fn what_a_server_says_moves_nothing_on_the_terminal() {
        let check = Check::pass("dns", "a\x1b[31m\nb");
        assert_eq!(check.detail, "a[31m b");
    }
}
