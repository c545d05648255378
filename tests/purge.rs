//! `purge` leaves nothing.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::tab::{self, Browser};
use crate::support::{BridgeProcess, Guarded};

/// All files below a folder, but the pages that the test's own browser noted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

fn purge(home: &BridgeProcess, args: &[&str]) -> (Option<i32>, String, String) {
    let args = ["purge"].iter().chain(args).copied();
    let mut process = BridgeProcess::with_args(args).unchecked().home_of(home).spawn();
    process.close_stdin();
    let printed = process.rest_of_stdout();
    (process.wait_exit().code(), printed, process.stderr_text())
}

#[test]
fn after_a_purge_nothing_of_the_program_is_in_the_home_and_the_tokens_are_revoked() {
    let (server, browser) = (Guarded::run(), Browser::recording());
    let args = ["--browser".to_owned(), browser.command()];
    let mut bridge = server.bridge().args(args).spawn();
    bridge.initialize();
    bridge.request(1, "tools/call", json!({"name": "echo", "arguments": {"text": "hi"}}));
    tab::sign_in(&browser.page(1));
    bridge.expect_response(1);
    bridge.close_stdin();
    bridge.wait_exit();
    let before = files(&bridge.home().join("xdg"));
    assert!(before.len() > 3, "a record, locks, events, what is remembered: {before:?}");

    let (code, _, told) = purge(&bridge, &[]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("add `--yes`"), "{told}");
    let (code, list, _) = purge(&bridge, &["--dry-run"]);
    assert_eq!(code, Some(0));
    for folder in ["cache_home", "data_home", "state_home"] {
        assert!(list.contains(&format!("xdg/{folder}/mcp-bridge\n")), "{list}");
    }
    assert_eq!(files(&bridge.home().join("xdg")), before, "nothing was removed");

    let (code, _, told) = purge(&bridge, &["--yes"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("You are signed out of"), "{told}");
    assert_eq!(server.asked("/revoke"), 2, "both tokens");
    assert_eq!(files(&bridge.home().join("xdg")), Vec::<PathBuf>::new());
    let (code, _, told) = purge(&bridge, &["--yes"]);
    assert_eq!((code, &*told), (Some(0), "Nothing is stored.\n"));
}

#[cfg(unix)]
#[test]
fn a_purge_leaves_what_is_not_of_the_program() {
    let mut home = BridgeProcess::with_args(["--version"]).unchecked().spawn();
    home.wait_exit();
    let below = |path: &str| home.home().join("xdg").join(path);
    let write = |path: &str| {
        std::fs::create_dir_all(below(path).parent().unwrap()).unwrap();
        std::fs::write(below(path), "x").unwrap();
    };
    // Beside the configuration; in a folder of that name that is another program's; behind a link.
    let others = [
        "config_home/mcp-bridge/ca.pem",
        "cache_home/mcp-bridge/src/main.rs",
        "cache_home/mcp-bridge/servers/README.md",
        "precious/a.log",
    ];
    let own = [
        "config_home/mcp-bridge/config.toml",
        "cache_home/mcp-bridge/servers/0a.json",
        "cache_home/mcp-bridge/warned-of-arguments",
        "data_home/mcp-bridge/config.lock",
        "data_home/mcp-bridge/credentials/0a.env.unreadable-1",
    ];
    others.iter().chain(&own).for_each(|path| write(path));
    std::fs::create_dir_all(below("state_home/mcp-bridge")).unwrap();
    std::os::unix::fs::symlink(below("precious"), below("state_home/mcp-bridge/events")).unwrap();

    let (code, _, told) = purge(&home, &["--yes"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("config_home/mcp-bridge stays: not all in it is of bridge."), "{told}");
    assert!(others.iter().all(|path| below(path).is_file()), "{told}");
    assert!(own.iter().all(|path| !below(path).exists()), "{told}");
    assert!(!below("data_home/mcp-bridge").exists());
    let (code, _, told) = purge(&home, &["--yes"]);
    assert_eq!((code, &*told), (Some(0), "Nothing is stored.\n"));
}
