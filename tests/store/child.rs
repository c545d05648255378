//! What one process does with the store.

use clap::Parser;
use mcp_bridge::cli::Cli;
use mcp_bridge::config::{self, Environment};
use mcp_bridge::credentials::{Fixed, Lock, LockKind, Login, Patience, Profile, Store, StoreError};

/// The first argument of such a process.
pub const NAME: &str = "child";

/// Does it, and says how it went in one line.
pub fn run(args: &[String]) {
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    let store = store();
    let done = match args[..] {
        ["prepare"] => store.prepare().map(|()| "ok".to_owned()),
        ["save", server, content] => {
            store.save(&login(server), content.as_bytes()).map(|()| "ok".to_owned())
        }
        ["load", server] => store.load(&login(server)).map(|content| match content {
            Some(content) => format!("ok {}", String::from_utf8_lossy(content.expose())),
            None => "nothing".to_owned(),
        }),
        ["delete", server] => store.delete(&login(server)).map(|was| format!("ok {was}")),
        ["hold", server] => store.lock(&login(server).id(), LockKind::Refresh).map(hold),
        ["try-lock", server] => store
            .try_lock(&login(server).id(), LockKind::Refresh)
            .map(|lock| lock.map_or("somebody holds it", |_| "held").to_owned()),
        ["count", server, times] => count(&store, &login(server), times.parse().unwrap()),
        ["save-for-ever", server] => save_for_ever(&store, &login(server)),
        ["load-whole", server] => load_whole(&store, &login(server)),
        ["start-over"] => store.start_over().map(|aside| format!("ok {}", aside.len())),
        _ => panic!("what is {args:?}?"),
    };
    println!("{}", done.unwrap_or_else(|error| shown(&error)));
}

/// Until it is killed, or whoever started it is.
fn hold(_lock: Lock) -> String {
    println!("held");
    let _ = std::io::stdin().read_line(&mut String::new());
    "released".to_owned()
}

/// Adds to the record under its lock, as a refresh does.
fn count(store: &Store, login: &Login, times: u32) -> Result<String, StoreError> {
    for _ in 0..times {
        let _lock = store.lock(&login.id(), LockKind::Refresh)?;
        let content = store.load(login)?.unwrap();
        let number: u32 = String::from_utf8_lossy(content.expose()).parse().unwrap();
        store.save(login, (number + 1).to_string().as_bytes())?;
    }
    Ok("ok".to_owned())
}

/// Contents of one letter each.
fn save_for_ever(store: &Store, login: &Login) -> Result<String, StoreError> {
    for letter in (b'a'..=b'z').cycle() {
        store.save(login, &vec![letter; 64 * 1024])?;
        println!("saved");
    }
    Ok("tired".to_owned())
}

fn load_whole(store: &Store, login: &Login) -> Result<String, StoreError> {
    let content = store.load(login)?.unwrap();
    let content = content.expose();
    let is_whole = content.len() == 64 * 1024 && content.iter().all(|byte| *byte == content[0]);
    Ok(if is_whole { "whole" } else { "torn" }.to_owned())
}

fn shown(error: &StoreError) -> String {
    format!("error: {error}; hint: {}", error.hint())
}

/// As the program resolves it.
fn store() -> Store {
    let cli = Cli::try_parse_from(["bridge", "https://h.example/mcp"]).unwrap();
    let settings = config::serve(&cli.serve, &Environment::of_process()).unwrap().credentials;
    Store::open(&settings, Patience::Serving)
}

fn login(server: &str) -> Login {
    let server = url::Url::parse(&format!("https://{server}.example/mcp")).unwrap();
    Login::new(Profile::default(), &server, Fixed::default())
}
