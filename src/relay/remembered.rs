//! Earlier answers of a server, for the next start that does not reach it: `initialize` and `server/discover`
//! by the client's capabilities, and the first page of each list, for each era apart. What was got without a
//! token lies in a cache file; what was got with one lies in the login's record, where it is sealed and goes
//! with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// The result of an earlier request.
    fn recall(&mut self, place: Place, key: &str) -> Option<String>;
    /// Keeps the result of one.
    fn keep(&mut self, place: Place, key: &str, result: &str);
}

/// Kinds of answers. Those to modern clients have other members than those to legacy ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Of `initialize`, by the client's capabilities.
    Initialize,
    /// The first page of a list for a legacy client, by its method.
    List,
    /// Of `server/discover`, by the client's capabilities.
    Discover,
    /// The first page of a list for a modern client, by its method.
    ModernList,
}

/// All that is remembered of one server.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Answers {
    layout: u32,
    initialize: BTreeMap<String, Box<RawValue>>,
    lists: BTreeMap<String, Box<RawValue>>,
    #[serde(default)]
    discover: BTreeMap<String, Box<RawValue>>,
    #[serde(default)]
    modern_lists: BTreeMap<String, Box<RawValue>>,
}

impl Answers {
    /// Reads what was kept; what can't be read is nothing.
    fn parse(text: &[u8]) -> Self {
        let read: Option<Self> = serde_json::from_slice(text).ok();
        read.filter(|answers| answers.layout == LAYOUT)
            .unwrap_or_else(|| Self { layout: LAYOUT, ..Self::default() })
    }

    /// Takes changes; the text to keep, if they were any.
    fn merged(mut self, changes: &[Change]) -> Option<String> {
        let changed = changes.iter().filter(|change| self.take(change)).count();
        if changed == 0 {
            return None;
        }
        serde_json::to_string(&self).ok()
    }

    fn of(&self, place: Place) -> &BTreeMap<String, Box<RawValue>> {
        match place {
            Place::Initialize => &self.initialize,
            Place::List => &self.lists,
            Place::Discover => &self.discover,
            Place::ModernList => &self.modern_lists,
        }
    }

    fn read(path: &Path) -> Self {
        Self::parse(&crate::paths::read_private(path, MAX_FILE).unwrap_or_default())
    }

    /// Takes a change; whether it was one.
    fn take(&mut self, change: &Change) -> bool {
        let Ok(value) = RawValue::from_string(change.result.clone()) else { return false };
        let map = match change.place {
            Place::Initialize => &mut self.initialize,
            Place::List => &mut self.lists,
            Place::Discover => &mut self.discover,
            Place::ModernList => &mut self.modern_lists,
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

/// The record of a login, as far as answers are kept in it.
pub trait LoginMemory: Send + Sync {
    /// Which sign-in the token is of that requests carry, so that answers belong to it; none without a token.
    fn present(&self) -> Option<u64>;
    /// What is kept.
    fn kept(&self) -> Option<String>;
    /// Keeps something else in its place, unless that sign-in is over. It may block.
    fn keep(&self, sign_in: u64, answers: String);
}

/// A cache file and a login's record, read when first asked, written by [`FileMemory::take_changes`].
/// Losing them costs nothing but a slower start, so that no failure is more than a line in the log.
pub struct FileMemory {
    path: Option<PathBuf>,
    login: Option<Arc<dyn LoginMemory>>,
    /// What was read, and of which sign-in it is.
    read: Option<(Option<u64>, Answers)>,
    changes: Vec<Change>,
    /// Which sign-in the changes are of.
    changes_of: Option<u64>,
}

/// Where changes are written.
enum Target {
    File(PathBuf),
    Login(Arc<dyn LoginMemory>, u64),
}

impl FileMemory {
    /// Remembers in this file; without one, nothing.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, login: None, read: None, changes: Vec::new(), changes_of: None }
    }

    /// What is got with a token is remembered in the login's record.
    #[must_use]
    pub fn of_login(self, login: Option<Arc<dyn LoginMemory>>) -> Self {
        Self { login, ..self }
    }

    /// The login that answers belong to now.
    fn present_login(&self) -> Option<(&Arc<dyn LoginMemory>, u64)> {
        let login = self.login.as_ref()?;
        Some((login, login.present()?))
    }

    fn answers(&mut self) -> &Answers {
        let present = self.sign_in();
        if self.read.as_ref().is_none_or(|(of, _)| *of != present) {
            let answers = match self.present_login() {
                Some((login, _)) => Answers::parse(login.kept().unwrap_or_default().as_bytes()),
                None => self.path.as_deref().map(Answers::read).unwrap_or_default(),
            };
            self.read = Some((present, answers));
        }
        &self.read.get_or_insert_with(Default::default).1
    }

    fn sign_in(&self) -> Option<u64> {
        self.present_login().map(|(_, sign_in)| sign_in)
    }

    fn target(&self) -> Option<Target> {
        match self.present_login() {
            Some((login, sign_in)) => Some(Target::Login(Arc::clone(login), sign_in)),
            None => self.path.clone().map(Target::File),
        }
    }

    /// What one sign-in was answered is no business of another's.
    fn drop_changes_of_others(&mut self) {
        let present = self.sign_in();
        if std::mem::replace(&mut self.changes_of, present) != present {
            self.changes.clear();
        }
    }

    /// The work of writing what has changed, for a thread that may block.
    pub fn take_changes(&mut self) -> Option<impl FnOnce() + Send + 'static> {
        if self.changes.is_empty() {
            return None;
        }
        self.drop_changes_of_others();
        if self.changes.is_empty() {
            return None;
        }
        let target = self.target()?;
        let changes = std::mem::take(&mut self.changes);
        Some(move || match target {
            Target::File(path) => write(&path, &changes),
            Target::Login(login, sign_in) => {
                let kept = login.kept().unwrap_or_default();
                if let Some(text) = Answers::parse(kept.as_bytes()).merged(&changes) {
                    login.keep(sign_in, text);
                }
            }
        })
    }
}

impl Memory for FileMemory {
    fn recall(&mut self, place: Place, key: &str) -> Option<String> {
        self.answers().of(place).get(key).map(|result| one_line(result))
    }

    fn keep(&mut self, place: Place, key: &str, result: &str) {
        if self.target().is_some() && result.len() + key.len() <= MAX_ANSWER {
            self.drop_changes_of_others();
            // While a disk hangs, only the latest of each counts.
            self.changes.retain(|each| (each.place, &*each.key) != (place, key));
            if self.changes.len() == MAX_CHANGES {
                self.changes.remove(0);
            }
            let change = Change { place, key: key.to_owned(), result: result.to_owned() };
            self.changes.push(change);
        }
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
    let Some(text) = Answers::read(path).merged(changes) else { return };
    let written = crate::paths::replace_private(path, text.as_bytes());
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
        memory.keep(Place::Initialize, r#"{"roots":{}}"#, r#"{"a": 1.0}"#);
        memory.keep(Place::List, "tools/list", r#"{"tools":[{"n":20.00}]}"#);
        memory.take_changes().unwrap()();
        assert!(memory.take_changes().is_none());

        let mut other = FileMemory::new(Some(path));
        assert_eq!(
            other.recall(Place::Initialize, r#"{"roots":{}}"#).as_deref(),
            Some(r#"{"a": 1.0}"#)
        );
        assert_eq!(other.recall(Place::Initialize, "{}"), None);
        assert_eq!(
            other.recall(Place::List, "tools/list").as_deref(),
            Some(r#"{"tools":[{"n":20.00}]}"#)
        );
    }

    #[test]
    fn each_era_has_its_own_answers_and_a_file_from_before_there_were_two_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let text = r#"{"layout":1,"initialize":{"{}":{}},"lists":{"tools/list":{"tools":[]}}}"#;
        crate::paths::replace_private(&path, text.as_ref()).unwrap();
        let mut memory = FileMemory::new(Some(path.clone()));
        assert!(memory.recall(Place::List, "tools/list").is_some());
        assert_eq!(memory.recall(Place::ModernList, "tools/list"), None);
        memory.keep(Place::ModernList, "tools/list", r#"{"tools":["modern"]}"#);
        memory.keep(Place::Discover, "{}", r#"{"supportedVersions":[]}"#);
        memory.take_changes().unwrap()();
        let mut other = FileMemory::new(Some(path));
        assert_eq!(other.recall(Place::List, "tools/list").as_deref(), Some(r#"{"tools":[]}"#));
        assert!(other.recall(Place::ModernList, "tools/list").unwrap().contains("modern"));
        assert!(other.recall(Place::Discover, "{}").is_some());
        assert_eq!(other.recall(Place::Initialize, "{}").as_deref(), Some("{}"));
    }

    #[derive(Default)]
    struct Record {
        sign_in: std::sync::atomic::AtomicU64,
        kept: std::sync::Mutex<Option<(u64, String)>>,
    }

    impl Record {
        fn set(&self, sign_in: u64) {
            self.sign_in.store(sign_in, std::sync::atomic::Ordering::Relaxed);
        }
    }

    impl LoginMemory for Record {
        fn present(&self) -> Option<u64> {
            Some(self.sign_in.load(std::sync::atomic::Ordering::Relaxed)).filter(|it| *it > 0)
        }
        fn kept(&self) -> Option<String> {
            let kept = self.kept.lock().unwrap().clone();
            kept.filter(|(of, _)| Some(*of) == self.present()).map(|(_, answers)| answers)
        }
        fn keep(&self, sign_in: u64, answers: String) {
            *self.kept.lock().unwrap() = Some((sign_in, answers));
        }
    }

    #[test]
    fn what_one_sign_in_was_answered_is_neither_shown_to_the_next_nor_kept_for_it() {
        let record = Arc::new(Record::default());
        let mut memory = FileMemory::new(None).of_login(Some(record.clone()));
        record.set(1);
        memory.keep(Place::List, "tools/list", r#"{"tools":["of the first"]}"#);
        memory.take_changes().unwrap()();
        let mut memory = FileMemory::new(None).of_login(Some(record.clone()));
        assert!(memory.recall(Place::List, "tools/list").is_some());
        memory.keep(Place::List, "prompts/list", r#"{"prompts":["of the first"]}"#);
        record.set(2);
        assert!(memory.recall(Place::List, "tools/list").is_none());
        assert!(memory.take_changes().is_none());
        memory.keep(Place::List, "prompts/list", r#"{"prompts":["of the second"]}"#);
        memory.take_changes().unwrap()();
        assert_eq!(record.kept.lock().unwrap().as_ref().unwrap().0, 2);
        assert!(record.kept().unwrap().contains("of the second"));
    }

    #[test]
    fn what_is_got_with_a_token_is_kept_with_the_login_and_in_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let record = Arc::new(Record::default());
        let of_login = || FileMemory::new(Some(path.clone())).of_login(Some(record.clone()));
        let mut memory = of_login();
        memory.keep(Place::List, "prompts/list", r#"{"prompts":["open"]}"#);
        memory.take_changes().unwrap()();
        record.set(1);
        assert_eq!(
            memory.recall(Place::List, "prompts/list"),
            None,
            "another login is another server"
        );
        memory.keep(Place::List, "tools/list", r#"{"tools":["mine"]}"#);
        memory.take_changes().unwrap()();
        assert!(of_login().recall(Place::List, "tools/list").unwrap().contains("mine"));
        assert!(!std::fs::read_to_string(&path).unwrap().contains("mine"));
        record.set(0);
        assert_eq!(of_login().recall(Place::List, "tools/list"), None);
        assert!(of_login().recall(Place::List, "prompts/list").is_some());
    }

    #[test]
    fn two_processes_do_not_lose_each_others_answers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let mut first = FileMemory::new(Some(path.clone()));
        let mut second = FileMemory::new(Some(path.clone()));
        first.keep(Place::List, "tools/list", "{\"tools\":[]}");
        second.keep(Place::List, "prompts/list", "{\"prompts\":[]}");
        first.take_changes().unwrap()();
        second.take_changes().unwrap()();
        let mut third = FileMemory::new(Some(path));
        assert!(
            third.recall(Place::List, "tools/list").is_some()
                && third.recall(Place::List, "prompts/list").is_some()
        );
    }

    #[test]
    fn a_broken_file_is_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        for text in ["", "{", "[]", r#"{"layout":99,"initialize":{},"lists":{"tools/list":1}}"#] {
            crate::paths::replace_private(&path, text.as_ref()).unwrap();
            assert_eq!(
                FileMemory::new(Some(path.clone())).recall(Place::List, "tools/list"),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn while_the_disk_hangs_the_latest_answers_wait_and_no_others() {
        let mut memory = FileMemory::new(Some("/nowhere".into()));
        for n in 0..100 {
            memory.keep(Place::List, "tools/list", &n.to_string());
            memory.keep(Place::Initialize, &n.to_string(), "{}");
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
        crate::paths::replace_private(&path, text.as_ref()).unwrap();
        let list = FileMemory::new(Some(path)).recall(Place::List, "tools/list").unwrap();
        assert_eq!(list, "{   \"tools\": []  }");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_none_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert_eq!(FileMemory::new(Some(path)).recall(Place::List, "tools/list"), None);
    }

    #[test]
    fn the_file_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.json");
        let mut memory = FileMemory::new(Some(path.clone()));
        memory.keep(Place::List, "tools/list", &format!("\"{}\"", "x".repeat(MAX_ANSWER)));
        assert!(memory.take_changes().is_none());
        for n in 0..100 {
            memory.keep(Place::Initialize, &format!("{{\"n\":{n}}}"), "{}");
        }
        memory.take_changes().unwrap()();
        assert_eq!(Answers::read(&path).initialize.len(), MAX_HANDSHAKES);
    }
}
