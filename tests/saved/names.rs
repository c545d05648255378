//! A name in the place of the server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::mcp_server::text;
use crate::support::{BridgeProcess, McpServer};

/// A folder for configurations with this file in it.
fn configured(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("mcp-bridge")).unwrap();
    std::fs::write(file(folder.path()), text).unwrap();
    folder
}

fn file(folder: &Path) -> PathBuf {
    folder.join("mcp-bridge/config.toml")
}

/// Runs it with that folder; what it says has `FILE` for the path of the file.
fn run(folder: &TempDir, args: &[&str]) -> (i32, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_bridge"))
        .args(args)
        .env("XDG_CONFIG_HOME", folder.path())
        .env("HOME", folder.path())
        .env_remove("COLUMNS")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8([done.stdout, done.stderr].concat()).unwrap();
    let path = file(folder.path()).display().to_string();
    (done.status.code().unwrap(), said.replace(&path, "FILE"))
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_serves_what_is_saved_by_it() {
    let server = McpServer::legacy().run();
    let folder = configured(&format!(
        "[servers.work]\nurl = \"{}\"\ndeny-tool = [\"nothing*\"]\n[servers.work.headers]\nX-Team = \"${{TEAM}}\"\n",
        server.url()
    ));
    for args in [vec!["work"], vec!["serve", "work", "--silent"]] {
        let mut bridge = BridgeProcess::with_args(args)
            .env("XDG_CONFIG_HOME", folder.path())
            .env("TEAM", "red")
            .spawn();
        bridge.initialize();
        assert_eq!(bridge.call_tool(1, "echo", json!({"text": "a"}))["result"], text("a"));
        bridge.finish();
    }
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.header("x-team") == Some("red")), "{requests:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_is_served_whatever_the_file_looks_like() {
    let server = McpServer::legacy().run();
    let folder = configured("[servers\n\"\"\" = nonsense");
    let mut bridge = BridgeProcess::to(server.url()).env("XDG_CONFIG_HOME", folder.path()).spawn();
    bridge.initialize();
    bridge.finish();
}

#[cfg(target_os = "linux")]
#[test]
fn what_can_t_be_served_is_told_with_what_would_help() {
    let folder = configured("[servers.work]\nurl = \"https://h/mcp\"\ntool-timout = 1\n");
    assert_eq!(
        run(&folder, &["work"]),
        (
            2,
            "error: the saved server `work` can't be used\n  because: line 3 of FILE: there is no key `tool-timout`; \
             the nearest one is `tool-timeout`\nhint: correct the file; its keys are the long options of `bridge --help`\n"
                .to_owned()
        )
    );
    let (code, said) = run(&folder, &["status", "wrok"]);
    assert_eq!(
        (code, &*said),
        (
            2,
            "error: there is no saved server `wrok`\nhint: did you mean `bridge status work`? `bridge list` lists them \
             all\n"
        )
    );
    let (code, said) = run(&folder, &["elsewhere"]);
    assert_eq!(
        (code, &*said),
        (
            2,
            "error: there is no saved server `elsewhere`\nhint: `bridge add elsewhere URL` saves one, `bridge list` \
             lists them; an address is written whole: `bridge https://elsewhere`\n"
        )
    );
    let broken =
        configured("[servers.a]\nurl = \"\"\"https://h\n[servers.b]\nurl = \"https://b\"\n");
    let (code, said) = run(&broken, &["b"]);
    assert!(code == 2 && said.contains("no saved server `b`"), "{said}");
    assert!(said.contains("line 2 of FILE: invalid multi-line"), "it hides what follows: {said}");
    let (_, said) = run(&broken, &["a"]);
    assert!(said.contains("line 2 of FILE"), "{said}");
}

/// The rows of the page: key, what it takes, default, variable.
fn rows() -> Vec<[String; 4]> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, table) = page.split_once("## Keys").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().replace('`', ""));
        std::array::from_fn(|_| cells.next().unwrap())
    })
    .collect()
}

#[test]
fn the_page_names_every_key_as_it_is() {
    let keys = mcp_bridge::cli::keys().into_iter().map(|key| {
        let takes = format!("{:?}", key.takes).to_lowercase();
        [key.name, takes, key.default.unwrap_or_default(), key.variable.unwrap_or_default()]
    });
    assert_eq!(rows(), keys.collect::<Vec<_>>());
}
