//! Who may use whom. What is absent is the design: `docs/architecture.md` says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What every module may use: they use nothing of ours but each other.
const LEAVES: [&str; 12] = [
    "clock",
    "error",
    "http",
    "logging",
    "order",
    "os",
    "paths",
    "printable",
    "secret",
    "spelling",
    "task",
    "toml",
];

/// Module → the modules that it may use besides the leaves.
const ARROWS: [(&str, &[&str]); 20] = [
    (
        "commands",
        &[
            "auth",
            "cli",
            "client",
            "config",
            "credentials",
            "desktop",
            "doctor",
            "jsonrpc",
            "relay",
            "remote",
            "stdio",
            "ui",
        ],
    ),
    ("client", &["jsonrpc", "relay", "stdio"]),
    // Settings types only.
    ("config", &["auth", "cli", "credentials", "desktop", "doctor", "relay", "remote"]),
    ("doctor", &["auth", "credentials", "jsonrpc", "remote"]),
    ("cli", &[]),
    ("ui", &[]),
    ("relay", &["auth", "jsonrpc", "remote", "stdio"]),
    ("remote", &["auth", "jsonrpc"]),
    ("auth", &["credentials"]),
    ("credentials", &[]),
    ("desktop", &[]),
    ("stdio", &["jsonrpc"]),
    ("jsonrpc", &[]),
    ("clock", &[]),
    ("error", &[]),
    ("http", &[]),
    ("logging", &[]),
    ("os", &[]),
    ("paths", &[]),
    ("toml", &[]),
];

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = module_of(&path);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
            assert!(
                matches!(
                    &*module,
                    "lib" | "main" | "order" | "printable" | "secret" | "spelling" | "task"
                ),
                "`{module}` is in no row"
            );
            continue;
        };
        for used in used_modules(&code(&text)) {
            let fine = used == module || allowed.contains(&&*used) || LEAVES.contains(&&*used);
            if !fine {
                wrong.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_command_line_and_the_configuration_read_the_environment() {
    // And what finds the keychain's bus, which is a matter of the system.
    offenders("std::env::", &["cli/", "config.rs", "config/", "os/session_bus.rs"]);
}

#[test]
fn only_os_may_be_unsafe() {
    offenders("unsafe ", &["os/"]);
}

#[test]
fn stdout_has_one_owner_while_serving() {
    offenders(
        "io::stdout()",
        &[
            "os/",
            "commands/clients.rs",
            "ui.rs",
            "commands/doctor.rs",
            "commands/list.rs",
            "commands/show.rs",
            "commands/sign_in_helper.rs",
            "commands/status.rs",
        ],
    );
}

#[test]
fn stdio_knows_no_http_and_http_knows_no_json_rpc() {
    for (path, text) in sources() {
        let path = path.display().to_string();
        if path.starts_with("stdio/") {
            assert!(!text.contains("hyper") && !text.contains("crate::http"), "{path}");
        }
        if path.starts_with("http/") {
            assert!(!text.contains("crate::jsonrpc") && !text.contains("mcp-session"), "{path}");
        }
    }
}

#[test]
fn the_secret_service_is_known_by_the_item_alone() {
    for (path, source) in sources() {
        let path = path.display().to_string();
        let knows = code(&source).contains("secret_service::");
        assert!(!knows || path == "credentials/item.rs", "{path} uses the Secret Service");
    }
}

/// Fails for every file with this text in it that is not among those that may have it.
fn offenders(text: &str, allowed: &[&str]) {
    for (path, source) in sources() {
        let path = path.display().to_string();
        let found = code(&source).lines().filter(|line| line.contains(text)).count();
        let may = allowed.iter().any(|each| path.starts_with(each));
        assert!(found == 0 || may, "{path} has `{text}`");
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 20, "the sources were found");
    found
}

/// A source without its comments.
fn code(source: &str) -> String {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn module_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The top-level modules that a text names: `crate::x` and `use crate::{x, y}`.
fn used_modules(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for piece in text.split("crate::").skip(1) {
        let names = match piece.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![piece],
        };
        for name in names {
            let name: String =
                name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if !name.is_empty() {
                used.insert(name);
            }
        }
    }
    used
}
