//! A store over a keychain that fails on demand.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tempfile::TempDir;

use super::item::Item;
use super::*;
use crate::secret::Secret;

/// An item that every connection to its keychain gets at.
#[derive(Default, Clone)]
struct FakeItem(Arc<Mutex<Content>>);

/// What is in it, and what the next call meets.
#[derive(Default)]
struct Content {
    text: Option<String>,
    fails: Option<KeychainError>,
}

impl FakeItem {
    fn with<T>(&self, act: impl FnOnce(&mut Option<String>) -> T) -> Result<T, KeychainError> {
        let mut content = self.0.lock().unwrap();
        content.fails.take().map_or_else(|| Ok(act(&mut content.text)), Err)
    }
}

impl Item for FakeItem {
    fn read(&mut self) -> Result<Option<Secret<String>>, KeychainError> {
        self.with(|text| text.clone().map(Secret::new))
    }

    fn write(&mut self, new: &str) -> Result<(), KeychainError> {
        self.with(|text| *text = Some(new.to_owned()))
    }

    fn delete(&mut self) -> Result<(), KeychainError> {
        self.with(|text| *text = None)
    }
}

/// A keychain, and how often it was connected to.
#[derive(Default)]
struct FakeKeychain {
    item: FakeItem,
    connected: Arc<AtomicUsize>,
}

/// What the next connection meets.
type Meets = Box<dyn Fn() -> Result<(), KeychainError> + Send + Sync>;

impl FakeKeychain {
    fn new() -> Self {
        Self::default()
    }

    fn reads(&self) -> usize {
        self.connected.load(Ordering::SeqCst)
    }

    /// The store of a process that speaks to this keychain.
    fn process(&self, home: &TempDir) -> Store {
        self.meeting(home, Box::new(|| Ok(())))
    }

    fn meeting(&self, home: &TempDir, meets: Meets) -> Store {
        let (item, connected) = (self.item.clone(), self.connected.clone());
        let connect = move || {
            connected.fetch_add(1, Ordering::SeqCst);
            meets().map(|()| Box::new(item.clone()) as Box<dyn Item>)
        };
        Store::connecting(&settings(Keep::Keychain, home), Patience::Serving, Box::new(connect))
    }

    fn holds(&self, text: Option<&str>) {
        self.item.0.lock().unwrap().text = text.map(str::to_owned);
    }

    fn text(&self) -> Option<String> {
        self.item.0.lock().unwrap().text.clone()
    }

    /// The next call meets this.
    fn fail_once(&self, error: KeychainError) {
        self.item.0.lock().unwrap().fails = Some(error);
    }
}

fn settings(keep: Keep, home: &TempDir) -> Settings {
    let folder = Some(home.path().join("data/credentials"));
    Settings { keep, folder, profile: Profile::default() }
}

fn opened(keep: Keep, home: &TempDir) -> Store {
    Store::open(&settings(keep, home), Patience::Serving)
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn login_of(server: &str) -> Login {
    Login::new(Profile::default(), &url::Url::parse(server).unwrap(), Fixed::default())
}

fn login() -> Login {
    login_of("https://mcp.example.com/mcp?key=canary-url")
}

fn content(store: &Store, login: &Login) -> Option<Vec<u8>> {
    store.load(login).unwrap().map(|content| content.expose().clone())
}

fn key() -> Key {
    Key::random().unwrap()
}

fn record(home: &TempDir, kind: &str) -> std::path::PathBuf {
    home.path().join(format!("data/credentials/{}.{kind}", login().id()))
}

fn names(home: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(home.path().join("data/credentials")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn all_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(path.to_string_lossy().bytes());
        bytes.extend(if path.is_dir() { all_bytes(&path) } else { std::fs::read(&path).unwrap() });
    }
    bytes
}

#[test]
fn every_store_gives_back_what_was_saved() {
    let keychain = FakeKeychain::new();
    let big: Vec<u8> = (0..64 * 1024).map(|n: u32| n.to_le_bytes()[0]).collect();
    for keep in ["keychain", "env", "plaintext", "memory"] {
        let home = home();
        let store = match keep {
            "keychain" => keychain.process(&home),
            "env" => opened(Keep::Key(key()), &home),
            "plaintext" => opened(Keep::Plaintext, &home),
            _ => opened(Keep::Memory, &home),
        };
        assert_eq!(store.name(), keep);
        assert_eq!((content(&store, &login()), store.version(&login().id())), (None, None));
        store.prepare().unwrap();
        store.save(&login(), &big).unwrap();
        let first = store.version(&login().id());
        assert_eq!(content(&store, &login()).as_ref(), Some(&big), "{keep}");
        assert_eq!(content(&store, &login_of("https://mcp.example.com/other")), None);
        assert!(first.is_some() && first == store.version(&login().id()));
        store.save(&login(), b"second").unwrap();
        assert_ne!(store.version(&login().id()), first, "{keep}");
        let listed = store.list().unwrap();
        let (whose, what) = listed[0].content.as_ref().unwrap();
        assert_eq!((whose, what.expose().as_slice()), (&login(), &b"second"[..]));
        assert_eq!((listed.len(), listed[0].store), (1, keep));
        assert!(store.delete(&login()).unwrap() && !store.delete(&login()).unwrap());
        assert_eq!((content(&store, &login()), store.list().unwrap().len()), (None, 0));
    }
}

#[test]
fn nothing_of_a_sealed_record_can_be_read_in_the_home() {
    let home = home();
    for store in [FakeKeychain::new().process(&home), opened(Keep::Key(key()), &home)] {
        store.prepare().unwrap();
        store.save(&login(), b"canary-token").unwrap();
    }
    let bytes = all_bytes(home.path());
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("canary") && !text.contains("mcp.example.com"), "{text}");
}

#[test]
fn the_keychain_is_read_once_and_only_for_a_record() {
    let (home, keychain) = (home(), FakeKeychain::new());
    let first = keychain.process(&home);
    assert_eq!((content(&first, &login()), keychain.reads()), (None, 0));
    assert!(first.list().unwrap().is_empty() && !first.delete(&login()).unwrap());
    assert_eq!(keychain.reads(), 0, "there is no record");
    first.save(&login(), b"1").unwrap();
    let made = keychain.reads();
    let second = keychain.process(&home);
    for _ in 0..3 {
        assert_eq!(content(&second, &login()).unwrap(), b"1");
        second.save(&login(), b"1").unwrap();
    }
    assert_eq!(keychain.reads(), made + 1);
}

#[test]
fn a_key_is_made_once_however_many_ask_for_the_first() {
    let (home, keychain) = (home(), FakeKeychain::new());
    let stores: Vec<_> = (0..8).map(|_| keychain.process(&home)).collect();
    std::thread::scope(|scope| {
        for (n, store) in stores.iter().enumerate() {
            let login = login_of(&format!("https://h/{n}"));
            scope.spawn(move || store.save(&login, b"x").unwrap());
        }
    });
    let listed = keychain.process(&home).list().unwrap();
    assert_eq!(listed.iter().filter(|entry| entry.content.is_ok()).count(), 8);
}

#[test]
fn an_emptied_keychain_loses_nothing_until_the_user_begins_anew() {
    let (home, keychain) = (home(), FakeKeychain::new());
    keychain.process(&home).save(&login(), b"1").unwrap();
    keychain.holds(None);

    let store = keychain.process(&home);
    let before = names(&home);
    assert_eq!(store.load(&login()).unwrap_err(), StoreError::KeyMissing);
    assert_eq!(store.save(&login(), b"2").unwrap_err(), StoreError::KeyMissing);
    assert_eq!(store.prepare().unwrap_err(), StoreError::KeyMissing);
    let other = login_of("https://h/other");
    assert_eq!(store.save(&other, b"2").unwrap_err(), StoreError::KeyMissing);
    assert_eq!(store.list().unwrap()[0].content, Err(StoreError::KeyMissing));
    assert_eq!(names(&home), before, "nothing made, nothing deleted");
    assert_eq!(keychain.text(), None);

    let aside = store.start_over().unwrap();
    assert_eq!(aside, [record(&home, "keychain.unreadable-1")]);
    assert!(aside[0].exists());
    assert_eq!(content(&store, &login()), None);
    store.save(&login(), b"2").unwrap();
    assert_eq!(content(&keychain.process(&home), &login()).unwrap(), b"2");
    assert_eq!(store.start_over().unwrap(), [""; 0].map(std::path::PathBuf::from));
    assert_eq!(content(&store, &login()).unwrap(), b"2", "what can be read stays");
}

#[test]
fn a_process_with_an_old_key_notices_the_new_one() {
    let (home, keychain) = (home(), FakeKeychain::new());
    let running = keychain.process(&home);
    running.save(&login(), b"1").unwrap();
    keychain.holds(None);
    let other = keychain.process(&home);
    other.start_over().unwrap();
    other.save(&login(), b"2").unwrap();
    assert_eq!(content(&running, &login()).unwrap(), b"2");

    // Likewise where it saves first.
    let saving = keychain.process(&home);
    assert_eq!(content(&saving, &login()).unwrap(), b"2");
    keychain.holds(None);
    keychain.process(&home).start_over().unwrap();
    saving.save(&login(), b"3").unwrap();
    assert_eq!(content(&keychain.process(&home), &login()).unwrap(), b"3");
}

#[test]
fn a_keychain_that_fails_is_told_as_it_failed_and_asked_again() {
    let (home, keychain) = (home(), FakeKeychain::new());
    keychain.process(&home).save(&login(), b"1").unwrap();
    let store = keychain.process(&home);
    let system = || "canary of the system".to_owned();
    keychain.fail_once(KeychainError::Locked(system()));
    let locked = store.load(&login()).unwrap_err();
    assert_eq!(locked, StoreError::Keychain(KeychainError::Locked(system())));
    assert!(locked.hint().contains("bridge login") && locked.hint().contains("BRIDGE_STORE_KEY"));
    keychain.fail_once(KeychainError::Failed(system()));
    assert!(matches!(
        store.load(&login()).unwrap_err(),
        StoreError::Keychain(KeychainError::Failed(_))
    ));
    assert_eq!(content(&store, &login()).unwrap(), b"1");

    let no_bus = || KeychainError::Absent("no bus".to_owned());
    let absent = keychain.meeting(&home, Box::new(move || Err(no_bus())));
    let told = absent.prepare().unwrap_err();
    assert_eq!(told, StoreError::Keychain(no_bus()));
    assert!(told.hint().contains("--credential-store"), "{}", told.hint());
    assert!(!told.is_unreadable());
}

#[test]
fn a_keychain_whose_entry_is_no_key_is_not_overwritten_unasked() {
    let (home, keychain) = (home(), FakeKeychain::new());
    keychain.holds(Some("hello"));
    let store = keychain.process(&home);
    assert_eq!(store.prepare().unwrap_err(), StoreError::KeyUnusable);
    assert_eq!(keychain.text().as_deref(), Some("hello"));
    store.start_over().unwrap();
    store.prepare().unwrap();
}

#[test]
fn a_keychain_that_forgets_at_once_is_found_out() {
    let home = home();
    // Every connection finds an empty one.
    let connect = || Ok(Box::new(FakeItem::default()) as Box<dyn Item>);
    let settings = settings(Keep::Keychain, &home);
    let store = Store::connecting(&settings, Patience::Serving, Box::new(connect));
    let told = store.save(&login(), b"1").unwrap_err();
    assert!(told.to_string().contains("did not keep"), "{told}");
    assert!(!record(&home, "keychain").exists());
}

#[test]
fn a_keychain_that_hangs_is_given_up_and_its_late_answer_used() {
    let (home, keychain) = (home(), FakeKeychain::new());
    keychain.process(&home).save(&login(), b"1").unwrap();
    let asked = keychain.reads();
    let (open, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let store = keychain.meeting(
        &home,
        Box::new(move || {
            let _ = gate.lock().unwrap().recv();
            Ok(())
        }),
    );
    let timed_out = StoreError::from(KeychainError::TimedOut(Duration::from_secs(2)));
    let since = std::time::Instant::now();
    assert_eq!(store.load(&login()).unwrap_err(), timed_out);
    assert!(since.elapsed() >= Duration::from_secs(2));
    assert_eq!(store.load(&login()).unwrap_err(), timed_out, "and no second question");
    assert_eq!(keychain.reads(), asked + 1);
    drop(open);
    assert_eq!(content(&store, &login()).unwrap(), b"1");
    assert_eq!(keychain.reads(), asked + 1);
}

#[test]
fn a_foreign_key_is_told_and_the_record_left() {
    let home = home();
    opened(Keep::Key(key()), &home).save(&login(), b"1").unwrap();
    let before = std::fs::read(record(&home, "env")).unwrap();
    let store = opened(Keep::Key(key()), &home);
    assert_eq!(store.load(&login()).unwrap_err(), StoreError::OtherKey);
    assert_eq!(store.save(&login(), b"2").unwrap_err(), StoreError::OtherKey);
    assert_eq!(store.list().unwrap()[0].content, Err(StoreError::OtherKey));
    assert_eq!(std::fs::read(record(&home, "env")).unwrap(), before);
    assert_eq!(store.start_over().unwrap().len(), 1);
    store.save(&login(), b"2").unwrap();
}

#[test]
fn a_tampered_truncated_or_swapped_record_is_refused() {
    let home = home();
    let store = opened(Keep::Key(key()), &home);
    store.save(&login(), b"1").unwrap();
    let path = record(&home, "env");
    let good = std::fs::read(&path).unwrap();
    let other = login_of("https://h/other");
    store.save(&other, b"2").unwrap();
    let foreign =
        std::fs::read(home.path().join(format!("data/credentials/{}.env", other.id()))).unwrap();
    let mut tampered = good.clone();
    *tampered.last_mut().unwrap() ^= 1;
    for bad in [&tampered, &good[..good.len() - 1].to_vec(), &foreign, &vec![]] {
        std::fs::write(&path, bad).unwrap();
        let told = store.load(&login()).unwrap_err();
        assert!(matches!(told, StoreError::Damaged { .. }) && told.is_unreadable(), "{told}");
        assert!(told.to_string().contains(&path.display().to_string()));
    }
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(store.load(&login()).unwrap_err().to_string().contains("too large"));
    assert_eq!(store.start_over().unwrap().len(), 1);
}

#[test]
fn what_was_set_aside_is_discarded_for_one_login_or_for_all() {
    let home = home();
    let other = login_of("https://h/other");
    let set_aside_and_begin_anew = || {
        let store = opened(Keep::Key(key()), &home);
        store.start_over().unwrap();
        store.save(&login(), b"1").unwrap();
        store.save(&other, b"1").unwrap();
    };
    set_aside_and_begin_anew();
    let store = opened(Keep::Plaintext, &home);
    assert_eq!(store.discard_aside(None).unwrap(), 0);
    set_aside_and_begin_anew();
    let before = names(&home).len();
    assert_eq!(store.discard_aside(Some(&login().id())).unwrap(), 1);
    assert_eq!(names(&home).len(), before - 1);
    set_aside_and_begin_anew();
    assert_eq!(store.discard_aside(None).unwrap(), 3);
    assert_eq!(store.list().unwrap().len(), 2, "records are no concern of it");
    assert!(names(&home).iter().all(|name| !name.contains("unreadable")));
}

#[test]
fn nothing_is_left_of_the_proof_that_something_can_be_saved() {
    let home = home();
    for store in [opened(Keep::Key(key()), &home), opened(Keep::Plaintext, &home)] {
        store.prepare().unwrap();
        store.prepare_for(1 << 20).unwrap();
        assert_eq!(names(&home), Vec::<String>::new());
    }
}

#[test]
fn a_record_of_a_later_version_is_never_touched() {
    let home = home();
    let store = opened(Keep::Key(key()), &home);
    store.save(&login(), b"1").unwrap();
    let path = record(&home, "env");
    std::fs::write(&path, "{\"schema\":2}\nfuture").unwrap();
    let newer = StoreError::Newer { path: path.clone() };
    assert_eq!(store.load(&login()).unwrap_err(), newer);
    assert_eq!(store.save(&login(), b"2").unwrap_err(), newer);
    assert!(!newer.is_unreadable() && store.start_over().unwrap().is_empty());
    assert_eq!(std::fs::read(&path).unwrap(), b"{\"schema\":2}\nfuture");
}

#[test]
fn the_list_shows_what_other_stores_keep() {
    let (home, keychain) = (home(), FakeKeychain::new());
    keychain.process(&home).save(&login(), b"1").unwrap();
    opened(Keep::Plaintext, &home).save(&login(), b"2").unwrap();
    let store = opened(Keep::Key(key()), &home);
    let listed = store.list().unwrap();
    let shown: Vec<_> = listed.iter().map(|entry| (entry.store, entry.content.is_ok())).collect();
    assert_eq!(shown, [("keychain", false), ("plaintext", true)]);
    let elsewhere = StoreError::Elsewhere { store: "keychain" };
    assert_eq!(listed[0].content, Err(elsewhere));
    assert_eq!(content(&store, &login()), None, "but each store has its own");
    assert!(listed.iter().all(|entry| store.remove(entry).unwrap()));
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn where_there_is_no_home_only_memory_keeps_something() {
    let settings = Settings { keep: Keep::Plaintext, ..Settings::default() };
    let store = Store::open(&settings, Patience::Serving);
    assert_eq!(store.prepare().unwrap_err(), StoreError::NoFolder);
    assert_eq!(store.save(&login(), b"1").unwrap_err(), StoreError::NoFolder);
    assert_eq!(store.load(&login()).unwrap_err(), StoreError::NoFolder);
    let settings = Settings { keep: Keep::Memory, ..Settings::default() };
    let store = Store::open(&settings, Patience::Serving);
    store.prepare().unwrap();
    store.save(&login(), b"1").unwrap();
}

#[test]
fn locks_are_taken_once_and_released_at_their_end() {
    let home = home();
    let memory = Arc::new(opened(Keep::Memory, &home));
    let files = || Arc::new(opened(Keep::Plaintext, &home));
    for (one, two) in [(files(), files()), (memory.clone(), memory)] {
        let held = one.lock(&login().id(), LockKind::Refresh).unwrap();
        assert!(two.try_lock(&login().id(), LockKind::Refresh).unwrap().is_none());
        assert!(two.try_lock(&login().id(), LockKind::SignIn).unwrap().is_some(), "its own");
        assert!(two.try_lock(&login_of("https://h").id(), LockKind::Refresh).unwrap().is_some());
        let (sender, receiver) = mpsc::channel();
        let waiter = std::thread::spawn(move || {
            let lock = two.lock(&login().id(), LockKind::Refresh).unwrap();
            sender.send(()).unwrap();
            drop(lock);
        });
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
        drop(held);
        receiver.recv().unwrap();
        waiter.join().unwrap();
        assert!(one.try_lock(&login().id(), LockKind::Refresh).unwrap().is_some());
    }
}

#[cfg(unix)]
mod files {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn records_locks_and_folder_are_the_users_alone() {
        let home = home();
        let folder = home.path().join("data/credentials");
        std::fs::create_dir_all(&folder).unwrap();
        set_mode(&folder, 0o755);
        let store = opened(Keep::Plaintext, &home);
        store.save(&login(), b"1").unwrap();
        drop(store.lock(&login().id(), LockKind::SignIn).unwrap());
        assert_eq!(mode(&folder), 0o700);
        let entries = std::fs::read_dir(&folder).unwrap();
        let modes: Vec<_> = entries.map(|entry| mode(&entry.unwrap().path())).collect();
        assert_eq!(modes, [0o600; 2]);
    }

    #[test]
    fn a_record_that_others_can_reach_is_refused() {
        let home = home();
        let store = opened(Keep::Plaintext, &home);
        store.save(&login(), b"1").unwrap();
        let path = record(&home, "plaintext");
        for bad in [0o640, 0o604, 0o620] {
            set_mode(&path, bad);
            let told = store.load(&login()).unwrap_err();
            assert!(told.to_string().ends_with("others may read or write it"), "{told}");
            assert!(told.hint().contains("chmod 600"));
        }
        set_mode(&path, 0o600);
        assert_eq!(content(&store, &login()).unwrap(), b"1");
    }

    #[test]
    fn links_pipes_and_folders_in_place_of_files_are_refused() {
        let home = home();
        let store = opened(Keep::Plaintext, &home);
        store.save(&login(), b"1").unwrap();
        let path = record(&home, "plaintext");
        let moved = home.path().join("moved");
        std::fs::rename(&path, &moved).unwrap();
        symlink(&moved, &path).unwrap();
        assert!(store.load(&login()).unwrap_err().to_string().ends_with("it is a link"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(store.load(&login()).unwrap_err().to_string().ends_with("it is not a file"));
        std::fs::remove_dir(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(store.load(&login()).unwrap_err().to_string().ends_with("it is not a file"));
    }

    #[test]
    fn a_folder_that_is_a_link_is_refused() {
        let home = home();
        std::fs::create_dir(home.path().join("data")).unwrap();
        std::fs::create_dir(home.path().join("elsewhere")).unwrap();
        symlink("../elsewhere", home.path().join("data/credentials")).unwrap();
        let told = opened(Keep::Plaintext, &home).save(&login(), b"1").unwrap_err();
        assert!(told.to_string().contains("link"), "{told}");
        assert_eq!(std::fs::read_dir(home.path().join("elsewhere")).unwrap().count(), 0);
    }

    #[test]
    fn a_save_that_fails_is_told_and_leaves_the_old_record() {
        let home = home();
        let store = opened(Keep::Plaintext, &home);
        store.save(&login(), b"1").unwrap();
        let path = record(&home, "plaintext");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(matches!(store.save(&login(), b"2"), Err(StoreError::File { .. })));
        assert!(path.is_dir());
    }
}
