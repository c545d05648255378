//! Locks and files between processes, and what is left of a process that is killed.

use std::process::Command;

use super::Scene;
use super::home::{Home, Running, Said, finish, line_of};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub const SCENES: [Scene; 4] = [
    ("a lock goes with the process that held it", locks_of_the_killed),
    ("eight processes that take turns lose nothing", turns),
    ("a writer that is killed leaves a whole record", killed_writers),
    ("the environment's key opens what it sealed, in another home too", carried_over),
];

/// With the key of a CI job.
fn process(home: &Home, args: &[&str]) -> Command {
    let mut process = home.process(args);
    process.env("BRIDGE_STORE_KEY", KEY);
    process
}

fn run(home: &Home, args: &[&str]) -> Said {
    finish(process(home, args))
}

fn locks_of_the_killed() {
    let home = Home::new();
    let mut holder = Running::start(process(&home, &["hold", "a"]));
    assert_eq!(holder.next_line(), "held");
    run(&home, &["try-lock", "a"]).is("somebody holds it");
    run(&home, &["try-lock", "b"]).is("held");
    let mut waiter = Running::start(process(&home, &["hold", "a"]));
    drop(holder);
    assert_eq!(waiter.next_line(), "held");
    drop(waiter);
    run(&home, &["try-lock", "a"]).is("held");
}

fn turns() {
    let home = Home::new();
    run(&home, &["save", "a", "0"]).is("ok");
    let started: Vec<_> =
        (0..8).map(|_| process(&home, &["count", "a", "25"]).spawn().unwrap()).collect();
    for process in started {
        assert_eq!(line_of(&process.wait_with_output().unwrap()), "ok");
    }
    run(&home, &["load", "a"]).is("ok 200");
}

fn killed_writers() {
    let home = Home::new();
    for store in ["env", "plaintext"] {
        for lines in 1..=20 {
            let mut writer = process(&home, &["save-for-ever", "a"]);
            let mut writer = Running::start(match store {
                "plaintext" => {
                    writer.env("BRIDGE_CREDENTIAL_STORE", store);
                    writer
                }
                _ => writer,
            });
            (0..lines).for_each(|_| assert_eq!(writer.next_line(), "saved"));
            drop(writer);
            let mut reader = process(&home, &["load-whole", "a"]);
            reader.env("BRIDGE_CREDENTIAL_STORE", store);
            finish(reader).is("whole");
        }
    }
    run(&home, &["prepare"]).is("ok");
    let names = std::fs::read_dir(home.records()).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let records: Vec<_> = names.filter(|name| !name.ends_with(".lock")).collect();
    assert_eq!(records.len(), 2, "what killed writers left is swept: {records:?}");
}

fn carried_over() {
    let (home, other) = (Home::new(), Home::new());
    run(&home, &["save", "a", "canary-token"]).is("ok");
    assert!(!String::from_utf8_lossy(&home.all_bytes()).contains("canary"));
    copy(&home, &other);
    run(&other, &["load", "a"]).is("ok canary-token");
    let mut foreign = process(&other, &["load", "a"]);
    foreign.env("BRIDGE_STORE_KEY", KEY.replace('A', "B"));
    finish(foreign).tells(&["error: what is stored was sealed with another key"]);
}

fn copy(home: &Home, other: &Home) {
    std::fs::create_dir_all(other.records()).unwrap();
    for entry in std::fs::read_dir(home.records()).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, other.records().join(from.file_name().unwrap())).unwrap();
    }
}
