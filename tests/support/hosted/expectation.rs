//! What the servers of a story have to see, step by step: `tests/fixtures/hosted/PRODUCT/WAY.txt`.
//!
//! ```text
//! ## The tools are listed
//! 1 × POST /mcp tools/list · in a session · 2025-11-25 · authorization: Bearer …
//! 1..3 × GET /mcp …
//! ```
//!
//! The order within a step is free: the bridge sends what it may at once. `UPDATE_FIXTURES=1` writes the
//! file: look at what changed. A range (`1..3 ×`) is written by hand, and stays, where copies of the bridge may or may
//! not share their work; the step has to end when all of it is over.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Record;
use super::tale::Way;
use crate::support::DEADLINE;

/// When it is written, a step is over once nothing came for this long.
const QUIET: Duration = Duration::from_millis(400);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// How often a line comes: at least, at most.
type Times = (usize, usize);
type Lines = BTreeMap<String, Times>;

pub struct Expectation {
    path: PathBuf,
    steps: HashMap<String, Lines>,
    heard: HashSet<String>,
    /// The new text, while the file is written.
    written: Option<String>,
    /// How often each step's sentence was used so far.
    used: HashMap<String, usize>,
}

impl Expectation {
    pub fn of(product: &str, way: Way) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hosted");
        let path = folder.join(product).join(format!("{}.txt", way.name().replace(' ', "-")));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let written = std::env::var_os("UPDATE_FIXTURES").map(|_| String::new());
        let steps = read(&text);
        Self { path, steps, heard: HashSet::new(), written, used: HashMap::new() }
    }

    /// Waits until the servers saw what the step expects, and panics if they saw anything else.
    #[track_caller]
    pub fn compare(&mut self, sentence: &str, records: &mut [Record]) {
        let times = self.used.entry(sentence.to_owned()).or_default();
        *times += 1;
        let heading =
            if *times == 1 { sentence.to_owned() } else { format!("{sentence} ({times})") };
        if self.written.is_some() {
            return self.write(&heading, records);
        }
        let expected = self.steps.get(&heading).cloned().unwrap_or_default();
        self.heard.insert(heading.clone());
        let until = Instant::now() + DEADLINE;
        let mut seen = Lines::new();
        loop {
            records.iter_mut().flat_map(Record::take).for_each(|line| add(&mut seen, line));
            let too_few = expected.iter().any(|(line, (least, _))| count(&seen, line) < *least);
            let too_many = seen
                .iter()
                .any(|(line, (times, _))| expected.get(line).is_none_or(|(_, most)| times > most));
            if !too_few && !too_many {
                return;
            }
            if too_many || Instant::now() > until {
                panic!("{}", self.difference(&heading, &expected, &seen));
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn difference(&self, heading: &str, expected: &Lines, seen: &Lines) -> String {
        let mut text = format!("in the step {heading:?} the servers saw something else than\n");
        let _ = writeln!(text, "{} says (UPDATE_FIXTURES=1 writes it):", self.path.display());
        for (line, (least, most)) in expected {
            let seen = count(seen, line);
            if !(*least..=*most).contains(&seen) {
                let _ = writeln!(text, "  expected {least}..{most}, seen {seen}: {line}");
            }
        }
        for (line, (times, _)) in seen.iter().filter(|(line, _)| !expected.contains_key(*line)) {
            let _ = writeln!(text, "  not expected, seen {times}: {line}");
        }
        text
    }

    fn write(&mut self, heading: &str, records: &mut [Record]) {
        let mut seen = Lines::new();
        let mut quiet_since = Instant::now();
        while quiet_since.elapsed() < QUIET {
            for line in records.iter_mut().flat_map(Record::take) {
                add(&mut seen, line);
                quiet_since = Instant::now();
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let Some(written) = self.written.as_mut().filter(|_| !seen.is_empty()) else { return };
        let _ = writeln!(written, "## {heading}");
        let before = self.steps.get(heading);
        for (line, (times, _)) in &seen {
            let range = before.and_then(|lines| lines.get(line));
            let _ = match range
                .filter(|(least, most)| least < most && (least..=most).contains(&times))
            {
                Some((least, most)) => writeln!(written, "{least}..{most} × {line}"),
                None => writeln!(written, "{times} × {line}"),
            };
        }
        written.push('\n');
    }

    /// Each step of the file was told.
    #[track_caller]
    pub fn ends(self) {
        if let Some(written) = self.written {
            let folder = self.path.parent().expect("a folder");
            std::fs::create_dir_all(folder).expect("a folder for expectations");
            return std::fs::write(&self.path, written).expect("writing an expectation");
        }
        let untold: Vec<_> = self.steps.keys().filter(|step| !self.heard.contains(*step)).collect();
        assert!(
            untold.is_empty(),
            "{} has steps that were not told: {untold:?}",
            self.path.display()
        );
    }
}

fn add(lines: &mut Lines, line: String) {
    lines.entry(line).or_default().0 += 1;
}

fn count(lines: &Lines, line: &str) -> usize {
    lines.get(line).map_or(0, |(times, _)| *times)
}

fn read(text: &str) -> HashMap<String, Lines> {
    let mut steps: HashMap<String, Lines> = HashMap::new();
    let mut heading = "";
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(next) = line.strip_prefix("## ") {
            heading = next;
            steps.entry(heading.to_owned()).or_default();
            continue;
        }
        let (times, what) = line.split_once(" × ").unwrap_or_else(|| panic!("no times: {line}"));
        let (least, most) = times.split_once("..").unwrap_or((times, times));
        let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("no number: {line}"));
        let times = (number(least), number(most));
        steps.entry(heading.to_owned()).or_default().insert(what.to_owned(), times);
    }
    steps
}
