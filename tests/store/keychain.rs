//! What is shown, one scene after the other: they share the place of the bus.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use super::Scene;
use super::home::line_of;
use super::session::Session;

/// While serving a keychain may take 2 seconds; with this nobody waits longer for the process either.
const PATIENCE: Duration = Duration::from_secs(4);
/// What every error says that a user without a keychain meets.
const WAYS_OUT: [&str; 2] = ["BRIDGE_STORE_KEY", "--credential-store"];

pub const SCENES: [Scene; 10] = [
    ("what one process saves the next one reads", saved_and_read),
    ("an entry that other programs read and write", of_other_programs),
    ("eight first starts make one key", first_starts),
    ("no bus", no_bus),
    ("a bus without a keychain", no_service),
    ("a keychain that is locked", locked),
    ("a keychain that nobody has set up", not_set_up),
    ("a dialog that nobody answers", unanswered_dialog),
    ("a bus and a keychain that never answer", hanging),
    ("a keychain that was emptied", emptied),
];

fn saved_and_read() {
    let session = Session::with_keychain();
    session.run(&["load", "a"]).is("nothing");
    assert_eq!(session.entries(), 0, "nothing is made before it is needed");
    session.run(&["prepare"]).is("ok");
    session.run(&["save", "a", "canary-token"]).is("ok");
    session.run(&["load", "a"]).is("ok canary-token");
    session.run(&["load", "b"]).is("nothing");
    session.run(&["save", "b", "canary-other"]).is("ok");
    assert_eq!(session.entries(), 1);
    let bytes = session.user.all_bytes();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("canary") && !text.contains("a.example"), "{text}");
    session.run(&["delete", "a"]).is("ok true");
    session.run(&["load", "a"]).is("nothing");
}

fn of_other_programs() {
    let session = Session::with_keychain();
    session.run(&["save", "a", "1"]).is("ok");
    let key = session.kept();
    assert_eq!(key.len(), 44, "32 bytes in base64");
    session.empty();
    session.keep(&key);
    session.run(&["load", "a"]).is("ok 1");
    session.run(&["save", "a", "2"]).is("ok");
    assert_eq!((session.kept(), session.entries()), (key, 1));
}

fn first_starts() {
    let session = Session::with_keychain();
    let servers: Vec<_> = (0..8).map(|n| format!("h{n}")).collect();
    let started = servers.iter().map(|server| session.user.process(&["save", server, "x"]).spawn());
    let started: Vec<_> = started.map(Result::unwrap).collect();
    for process in started {
        assert_eq!(line_of(&process.wait_with_output().unwrap()), "ok");
    }
    assert_eq!(session.entries(), 1);
    for server in &servers {
        session.run(&["load", server]).is("ok x");
    }
}

fn no_bus() {
    let session = Session::new();
    session.run(&["load", "a"]).is("nothing");
    for act in [&["prepare"][..], &["save", "a", "canary-token"]] {
        let said = session.run(act);
        said.tells(&["no keychain answers"]);
        said.tells(&WAYS_OUT);
        assert!(said.took < PATIENCE);
    }
    assert!(!String::from_utf8_lossy(&session.user.all_bytes()).contains("canary"));
}

fn no_service() {
    let mut session = Session::new();
    session.start_bus();
    let said = session.run(&["prepare"]);
    said.tells(&["no keychain answers"]);
    said.tells(&WAYS_OUT);
}

fn locked() {
    let mut session = Session::with_keychain();
    session.run(&["save", "a", "1"]).is("ok");
    session.lock();
    for act in [&["load", "a"][..], &["save", "a", "2"], &["prepare"], &["start-over"]] {
        let said = session.run(act);
        said.tells(&["error: the keychain is locked", "unlock the keychain"]);
        said.tells(&WAYS_OUT);
        assert!(said.took < PATIENCE);
    }
    session.log_in_again();
    session.run(&["load", "a"]).is("ok 1");
    assert_eq!(session.entries(), 1);
}

fn not_set_up() {
    let mut session = Session::with_keychain();
    session.run(&["save", "a", "1"]).is("ok");
    session.stop_bus();
    // A keychain that was never logged in to says that it has no such entry.
    session.forget_keychain();
    session.start_bus();
    session.start_locked();
    for act in [&["load", "a"][..], &["save", "a", "2"], &["save", "b", "2"], &["prepare"]] {
        session.run(act).tells(&["no key to the stored sign-ins", "bridge login"]);
    }
    session.run(&["start-over"]).tells(&["error: the keychain is locked, or has no place"]);
    let records = std::fs::read_dir(session.user.records()).unwrap();
    let names: Vec<_> = records.map(|record| record.unwrap().file_name()).collect();
    let kept = names.iter().filter(|name| name.to_string_lossy().ends_with(".keychain"));
    assert_eq!(kept.count(), 1, "{names:?}");
}

fn unanswered_dialog() {
    let mut session = Session::new();
    session.add_hanging_service("org.gnome.keyring.SystemPrompter");
    session.start_bus();
    session.unlock();
    session.run(&["save", "a", "1"]).is("ok");
    session.lock();
    let said = session.run(&["load", "a"]);
    said.tells(&["did not answer within 2 seconds"]);
    said.tells(&WAYS_OUT);
    assert!(said.took < PATIENCE, "{:?}", said.took);
}

fn hanging() {
    let mut session = Session::new();
    session.add_hanging_service("org.freedesktop.secrets");
    session.start_bus();
    let said = session.run(&["prepare"]);
    said.tells(&["did not answer within 2 seconds"]);
    said.tells(&WAYS_OUT);
    assert!(said.took < PATIENCE, "{:?}", said.took);
    session.stop_bus();

    // One that takes every connection and says nothing.
    let silent = UnixListener::bind(Session::bus_path()).unwrap();
    let said = session.run(&["prepare"]);
    said.tells(&["did not answer within 2 seconds"]);
    assert!(said.took < PATIENCE, "{:?}", said.took);
    drop(silent);
}

fn emptied() {
    let session = Session::with_keychain();
    session.run(&["save", "a", "1"]).is("ok");
    session.empty();
    for act in [&["load", "a"][..], &["save", "a", "2"], &["save", "b", "2"], &["prepare"]] {
        session.run(act).tells(&["no key to the stored sign-ins", "bridge login"]);
    }
    assert_eq!(session.entries(), 0, "no key is made");
    session.run(&["start-over"]).is("ok 1");
    session.run(&["load", "a"]).is("nothing");
    session.run(&["save", "a", "2"]).is("ok");
    session.run(&["load", "a"]).is("ok 2");
    assert_eq!(session.entries(), 1);
}
