//! The store in processes of their own, which get the six variables that MCP clients pass on.
//!
//! | module      | what its scenes show                                                       |
//! |-------------|----------------------------------------------------------------------------|
//! | `processes` | locks and files, whatever becomes of a process                             |
//! | `keychain`  | a real keychain: there, absent, locked, hanging, emptied                   |
//! | `signed_in` | the program beside a client, with each of these keychains                  |
//! | `child`     | what one process does                                                      |
//! | `program`   | the program itself, beside a client or in a terminal's place               |
//! | `hosted`    | the server that wants a sign-in, and every secret that there was           |
//! | `browser`   | who approves                                                               |
//! | `home`      | its home                                                                   |
//! | `session`   | a session with a bus and a keychain                                        |
//!
//! A program without a test harness, since it is started as those processes too. The scenes of `keychain` are
//! played by `scripts/keychain`, where `/run/user/UID` is private.

#![expect(clippy::print_stdout, reason = "it says what it shows")]
#![expect(clippy::unwrap_used, reason = "a failure ends it, as in any test")]

#[cfg(target_os = "linux")]
mod browser;
#[cfg(unix)]
mod child;
#[cfg(unix)]
mod home;
#[cfg(target_os = "linux")]
mod hosted;
#[cfg(target_os = "linux")]
mod keychain;
#[cfg(unix)]
mod processes;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod session;
#[cfg(target_os = "linux")]
mod signed_in;

#[cfg(target_os = "linux")]
#[path = "../support/auth_server/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "shared with `tests/main.rs`; not all of it is used here"
)]
mod auth_server;

/// What that fixture stands on.
#[cfg(target_os = "linux")]
mod support {
    /// How long a fixture waits for what must happen.
    pub const DEADLINE: std::time::Duration = std::time::Duration::from_secs(20);
}

/// A name and what is played.
#[cfg(unix)]
type Scene = (&'static str, fn());

#[cfg(unix)]
fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = &args[..]
        && first == child::NAME
    {
        return child::run(rest);
    }
    #[cfg(target_os = "linux")]
    if let [first, rest @ ..] = &args[..]
        && first == browser::NAME
    {
        return browser::run(rest);
    }
    #[cfg(target_os = "linux")]
    if std::env::var_os("BRIDGE_TEST_KEYCHAIN").is_some() {
        play(&keychain::SCENES);
        return play(&signed_in::SCENES);
    }
    play(&processes::SCENES);
}

#[cfg(unix)]
fn play(scenes: &[Scene]) {
    for (name, scene) in scenes {
        println!("{name}");
        scene();
    }
}

#[cfg(not(unix))]
fn main() {
    println!("these tests need the six variables of Unix");
}
