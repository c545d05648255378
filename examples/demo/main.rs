//! The main job in half a minute: an MCP server on this machine, `bridge` before it, and a client that
//! launches `bridge` as a desktop client would.
//!
//! `cargo run --release --example demo` builds the program, plays the story, and prints what went over
//! the wire. It ends with exit code 0 only if every step came out as told.
//!
//! With `-- all` it plays the stories of five hosted products (`tests/hosted`) and prints a table; with the
//! name of one (`-- callcamp`) it starts that product on this machine, for you to try.

#![expect(clippy::print_stdout, reason = "the demo's whole purpose is to be read")]
#![expect(clippy::print_stderr, reason = "what went wrong is said where errors are")]

mod client;
#[cfg(target_os = "linux")]
#[path = "../../tests/hosted/mod.rs"]
mod hosted;
mod server;
#[cfg(target_os = "linux")]
#[path = "../../tests/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests' own; not all of it is used here")]
#[expect(clippy::unwrap_used, reason = "a failure ends a step, as in any test")]
mod support;
#[cfg(target_os = "linux")]
mod tour;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc;
use std::time::Instant;

use serde_json::{Value, json};

use client::Client;
use server::Server;

const USAGE: &str = "\
It builds bridge, puts it before a server on this machine, and shows what goes over the wire:

    cargo run --release --example demo              a small server, every message shown
    cargo run --release --example demo -- all       the stories of five hosted products (Linux)
    cargo run --release --example demo -- callcamp  one of them, for you to try (Linux)";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let demo: fn(&str) -> Result<()> = match args.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        [] => |_| play(),
        #[cfg(target_os = "linux")]
        [name] if !name.starts_with('-') => tour,
        _ => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
    };
    let name = args.first().cloned().unwrap_or_default();
    match unless_interrupted(move || demo(&name)) {
        Ok(End::Played) => ExitCode::SUCCESS,
        Ok(End::Interrupted) => ExitCode::from(130),
        Err(error) => {
            eprintln!("\nthe demo failed: {error}");
            ExitCode::FAILURE
        }
    }
}

enum End {
    Played,
    Interrupted,
}

/// However it ends, nothing of it is left on disk: all its files are in one folder, which goes last.
fn unless_interrupted(demo: impl FnOnce() -> Result<()> + Send + 'static) -> Result<End> {
    let folder = tempfile::Builder::new().prefix("bridge-demo-").tempdir()?;
    tempfile::env::override_temp_dir(folder.path()).map_err(|_| "there is another folder")?;
    let (ended, end) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let interrupted = ended.clone();
    std::thread::spawn(move || {
        if runtime.block_on(interruption()).is_ok() {
            let _ = interrupted.send(Ok(End::Interrupted));
        }
    });
    std::thread::spawn(move || {
        let done = demo().map_err(|error| error.to_string());
        let _ = ended.send(done.map(|()| End::Played));
    });
    // Who panicked has said why.
    Ok(end.recv().map_err(|_| "it did not come to its end")??)
}

#[cfg(unix)]
async fn interruption() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
        _ = hung_up.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn interruption() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(target_os = "linux")]
fn tour(name: &str) -> Result<()> {
    let bridge = build()?;
    match name {
        "all" if tour::tell_all() => Ok(()),
        "all" => Err("not every step came out as told".into()),
        name => tour::open(name, &bridge),
    }
}

fn play() -> Result<()> {
    let bridge = build()?;
    let mut server = Server::start(None)?;
    println!("\nA hosted server (in this process) listens at {}", server.url());
    println!("The client launches:  {} {}\n", bridge.display(), server.url());

    let started = Instant::now();
    let mut client = Client::launch(&bridge, &server.url())?;
    let hello = client.request("initialize", &initialize())?;
    println!("   (answered {:.1} ms after the process was started)\n", millis(started));
    expect(&hello["result"]["serverInfo"]["name"], &json!("demo"))?;
    client.notify("notifications/initialized")?;

    step("The tools of the server, as it sent them");
    let tools = client.request("tools/list", &json!({}))?;
    expect(&tools["result"]["tools"][0]["name"], &json!("echo"))?;

    step("A call");
    let answer = client.call("echo", &json!({ "text": "hello", "price": 20.5 }))?;
    expect(&answer["result"]["content"][0]["text"], &json!("hello"))?;

    step("A long call: its progress arrives while it runs");
    let answer = client.call("countdown", &json!({ "from": 3 }))?;
    expect(&answer["result"]["content"][0]["text"], &json!("lift-off"))?;
    expect(&json!(client.notifications_seen()), &json!(3))?;

    step("The server restarts and forgets its sessions; the next call just works");
    server = server.restart()?;
    let answer = client.call("echo", &json!({ "text": "still here" }))?;
    expect(&answer["result"]["content"][0]["text"], &json!("still here"))?;
    expect(&json!(server.handshakes()), &json!(2))?;

    step("The server is broken; the error says what failed and what to do");
    let answer = client.call("broken", &json!({}))?;
    expect(&answer["error"]["data"]["status"], &json!(500))?;

    step("The client leaves; bridge ends the session and is gone");
    let leaving = Instant::now();
    client.leave()?;
    println!("   (gone after {:.1} ms)", millis(leaving));
    expect(&json!(server.sessions_ended()), &json!(1))?;
    println!("\nAll steps came out as told.");
    Ok(())
}

fn initialize() -> Value {
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "demo-client", "version": "1.0.0" },
    })
}

fn step(title: &str) {
    println!("\n── {title}");
}

fn millis(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn expect(seen: &Value, told: &Value) -> Result<()> {
    if seen == told { Ok(()) } else { Err(format!("expected {told}, saw {seen}").into()) }
}

/// Builds the program with the profile that the demo itself was built with.
fn build() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root).args(["build", "--bin", "bridge"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    println!("Building bridge, which takes minutes in a release; cargo says how far it is …");
    if !cargo.status()?.success() {
        return Err("bridge could not be built".into());
    }
    // This example lies in <target>/<profile>/examples.
    let demo = std::env::current_exe()?;
    let profile =
        demo.parent().and_then(Path::parent).ok_or("the demo lies in no target folder")?;
    Ok(profile.join("bridge").with_extension(std::env::consts::EXE_EXTENSION))
}
