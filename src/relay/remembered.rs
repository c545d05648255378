//! Earlier answers of a server, for the next start that does not reach it: `initialize` by the client's
//! capabilities, and the first page of each list. Only what was got without a token stands here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Longest answer that is kept, in bytes, and the most of them.
const MAX_ANSWER: usize = 1024 * 1024;
const MAX_HANDSHAKES: usize = 8;
/// Changes that wait to be written.
const MAX_CHANGES: usize = 2 * MAX_HANDSHAKES;
/// Longest file that is read: what is in it can't be more.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// Version of the file's layout; a file of another is not read.
const LAYOUT: u32 = 1;

/// Whether a method gives a list that is remembered.
pub(super) fn is_list(method: &str) -> bool {
    super::provisional::empty_list(method).is_some()
}

/// What the machine remembers by.
pub trait Memory {
    /// The result of an earlier `initialize` with these client capabilities.
    fn initialize(&mut self, capabilities: &str) -> Option<String>;
    /// The first page of a list.
    fn list(&mut self, method: &str) -> Option<String>;
    /// Keeps the result of an `initialize`.
    fn keep_initialize(&mut self, capabilities: &str, result: &str);
    /// Keeps the first page of a list.
    fn keep_list(&mut self, method: &str, result: &str);
}

/// All that is remembered of one server.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Answers {
    layout: u32,
    initialize: BTreeMap<String, Box<RawValue>>,
    lists: BTreeMap<String, Box<RawValue>>,
}

impl Answers {
    fn read(path: &Path) -> Self {
        let sound = |file: &std::fs::Metadata| file.is_file() && file.len() <= MAX_FILE;
        let is_sound = std::fs::symlink_metadata(path).is_ok_and(|file| sound(&file));
        let text = if is_sound { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
        let read: Option<Self> = serde_json::from_slice(&text).ok();
        read.filter(|answers| answers.layout == LAYOUT)
            .unwrap_or_else(|| Self { layout: LAYOUT, ..Self::default() })
    }

    /// Takes a change; whether it was one.
    fn take(&mut self, change: &Change) -> bool {
        let Ok(value) = RawValue::from_string(change.result.clone()) else { return false };
        let map = match change.place {
            Place::Initialize => &mut self.initialize,
            Place::List => &mut self.lists,
        };
        if map.get(&change.key).is_some_and(|known| known.get() == value.get()) {
            return false;
        }
        if map.len() >= MAX_HANDSHAKES && !map.contains_key(&change.key) {
            map.pop_first();
        }
        map.insert(change.key.clone(), value);
        true
    }
}

#[derive(Debug, Clone)]
struct Change {
    place: Place,
    key: String,
    result: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Initialize,
    List,
}

/// A cache file, read when first asked, written by [`FileMemory::take_changes`]. Losing it costs nothing
/// but a slower start, so that no failure of it is more than a line in the log.
#[derive(Debug)]
pub struct FileMemory {
    path: Option<PathBuf>,
    read: Option<Answers>,
    changes: Vec<Change>,
}

impl FileMemory {
    /// Remembers in this file; without one, nothing.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, read: None, changes: Vec::new() }
    }

    fn answers(&mut self) -> &Answers {
        let path = self.path.as_deref();
        let read = || path.map(Answers::read).unwrap_or_default();
        self.read.get_or_insert_with(read)
    }

    fn keep(&mut self, place: Place, key: &str, result: &str) {
        if self.path.is_some() && result.len() + key.len() <= MAX_ANSWER {
            // While a disk hangs, only the latest of each counts.
            self.changes.retain(|each| (each.place, &*each.key) != (place, key));
            if self.changes.len() == MAX_CHANGES {
                self.changes.remove(0);
            }
            let change = Change { place, key: key.to_owned(), result: result.to_owned() };
            self.changes.push(change);
        }
    }

    /// The work of writing what has changed, for a thread that may block.
    pub fn take_changes(&mut self) -> Option<impl FnOnce() + Send + 'static> {
        if self.changes.is_empty() {
            return None;
        }
        let path = self.path.clone()?;
        let changes = std::mem::take(&mut self.changes);
        Some(move || write(&path, &changes))
    }
}

impl Memory for FileMemory {
    fn initialize(&mut self, capabilities: &str) -> Option<String> {
        self.answers().initialize.get(capabilities).map(|result| one_line(result))
    }

    fn list(&mut self, method: &str) -> Option<String> {
        self.answers().lists.get(method).map(|result| one_line(result))
    }

    fn keep_initialize(&mut self, capabilities: &str, result: &str) {
        self.keep(Place::Initialize, capabilities, result);
    }

    fn keep_list(&mut self, method: &str, result: &str) {
        self.keep(Place::List, method, result);
    }
}

/// An answer as it may stand in a message, also where somebody has indented the file.
fn one_line(result: &RawValue) -> String {
    result.get().replace(['\n', '\r'], " ")
}

/// Merges changes into the file as it is now: another process may have written it meanwhile.
fn write(path: &Path, changes: &[Change]) {
    if let Some(folder) = path.parent() {
        crate::paths::sweep(folder);
    }
    let mut answers = Answers::read(path);
    let changed = changes.iter().filter(|change| answers.take(change)).count();
    if changed == 0 {
        return;
    }
    let written = serde_json::to_vec(&answers)
        .map_err(std::io::Error::from)
        .and_then(|text| crate::paths::replace_private(path, &text));
    if let Err(error) = written {
        tracing::debug!(%error, "answers were not remembered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_again_byte_for_byte_by_another_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/server.json");
        let mut memory = FileMemory::new(Some(path.clone()));
        memory.keep_initialize(r#"{"roots":{}}"#, r#"{"a": 1.0}"#);
        memory.keep_list("tools/list", r#"{"tools":[{"n":20.00}]}"#);
        memory.take_changes().unwrap()();
        assert!(memory.take_changes().is_none());

        let mut other = FileMemory::new(Some(path));
        assert_eq!(other.initialize(r#"{"roots":{}}"#).as_deref(), Some(r#"{"a": 1.0}"#));
        assert_eq!(other.initialize("{}"), None);
        assert_eq!(other.list("tools/list").as_deref(), Some(r#"{"tools":[{"n":20.00}]}"#));
    }

    #[test]
    fn two_processes_do_not_lose_each_others_answers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let mut first = FileMemory::new(Some(path.clone()));
        let mut second = FileMemory::new(Some(path.clone()));
        first.keep_list("tools/list", "{\"tools\":[]}");
        second.keep_list("prompts/list", "{\"prompts\":[]}");
        first.take_changes().unwrap()();
        second.take_changes().unwrap()();
        let mut third = FileMemory::new(Some(path));
        assert!(third.list("tools/list").is_some() && third.list("prompts/list").is_some());
    }

    #[test]
    fn a_broken_file_is_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        for text in ["", "{", "[]", r#"{"layout":99,"initialize":{},"lists":{"tools/list":1}}"#] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(FileMemory::new(Some(path.clone())).list("tools/list"), None, "{text}");
        }
    }

    #[test]
    fn while_the_disk_hangs_the_latest_answers_wait_and_no_others() {
        let mut memory = FileMemory::new(Some("/nowhere".into()));
        for n in 0..100 {
            memory.keep_list("tools/list", &n.to_string());
            memory.keep_initialize(&n.to_string(), "{}");
        }
        assert_eq!(memory.changes.len(), MAX_CHANGES);
        let lists: Vec<_> = memory.changes.iter().filter(|c| c.place == Place::List).collect();
        assert_eq!(lists.iter().map(|change| &*change.result).collect::<Vec<_>>(), ["99"]);
    }

    #[test]
    fn a_file_that_somebody_indented_is_read_as_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let text = "{\"layout\":1,\"initialize\":{},\n \"lists\":{\"tools/list\":{\n  \"tools\": []\r\n}}}";
        std::fs::write(&path, text).unwrap();
        let list = FileMemory::new(Some(path)).list("tools/list").unwrap();
        assert_eq!(list, "{   \"tools\": []  }");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_none_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert_eq!(FileMemory::new(Some(path)).list("tools/list"), None);
    }

    #[test]
    fn the_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let mut memory = FileMemory::new(Some(path.clone()));
        memory.keep_list("tools/list", &format!("\"{}\"", "x".repeat(MAX_ANSWER)));
        assert!(memory.take_changes().is_none());
        for n in 0..100 {
            memory.keep_initialize(&format!("{{\"n\":{n}}}"), "{}");
        }
        memory.take_changes().unwrap()();
        assert_eq!(Answers::read(&path).initialize.len(), MAX_HANDSHAKES);
    }
}
