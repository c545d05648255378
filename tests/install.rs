//! `bridge install` and `bridge uninstall`: what becomes of the clients' files, byte for byte.

mod failures;
mod files;
pub mod home;

use serde_json::Value;

use self::home::{Home, URL};
use crate::support::{BridgeProcess, McpServer};

/// Each client with the file that it reads.
const CLIENTS: [(&str, &str); 11] = [
    ("claude-desktop", ".config/Claude/claude_desktop_config.json"),
    ("claude-code", ".claude.json"),
    ("cursor", ".cursor/mcp.json"),
    ("vscode", ".config/Code/User/mcp.json"),
    ("windsurf", ".codeium/windsurf/mcp_config.json"),
    ("zed", ".config/zed/settings.json"),
    ("codex", ".codex/config.toml"),
    ("gemini-cli", ".gemini/settings.json"),
    ("opencode", ".config/opencode/opencode.json"),
    ("cline", ".cline/data/settings/cline_mcp_settings.json"),
    ("lm-studio", ".lmstudio/mcp.json"),
];

#[test]
fn every_client_gets_its_entry_and_keeps_the_rest_of_its_file() {
    for (client, path) in CLIENTS {
        let home = Home::new();
        let before = home::fixture(client, "before");
        home.write(path, &before);
        let install =
            ["install", URL, "--client", client, "--read-only", "--command", home::INSTALLED];
        let told = home.ok(&install);
        assert!(told.contains("`example` is written to"), "{client}: {told}");
        home.assert_is(path, &home::fixture(client, "after"), client);
        assert_eq!(home.read(&format!("{path}.bridge-backup")), before, "{client}: the backup");

        let told = home.ok(&install);
        assert!(told.contains("already, as it should be"), "{client}: {told}");
        home.assert_is(path, &home::fixture(client, "after"), client);
    }
}

#[test]
fn what_was_installed_is_taken_out_again_without_a_trace() {
    for (client, path) in CLIENTS {
        // What was there before is taken out too, or had no list of servers.
        if ["cline", "zed", "lm-studio"].contains(&client) {
            continue;
        }
        let home = Home::new();
        let before = home::fixture(client, "before");
        home.write(path, &before);
        home.ok(&["install", URL, "--client", client]);
        let told = home.ok(&["uninstall", URL, "--client", client]);
        assert!(told.contains("`example` is taken out of"), "{client}: {told}");
        assert_eq!(home.read(path), before, "{client}");
        let told = home.ok(&["uninstall", "example", "--client", client]);
        assert!(told.contains("there is no such entry"), "{client}: {told}");
    }
}

#[test]
fn the_very_command_that_was_written_serves_the_server() {
    for (client, path, key) in [
        ("cursor", ".cursor/mcp.json", "mcpServers"),
        ("opencode", ".config/opencode/opencode.json", "mcp"),
    ] {
        let server = McpServer::legacy().run();
        let home = Home::new();
        home.ok(&["install", &server.url(), "--name", "x", "--client", client]);
        let written: Value = serde_json::from_slice(&home.read(path)).unwrap();
        let entry = &written[key]["x"];
        let words = |value: &Value| -> Vec<String> {
            let words = value.as_array().into_iter().flatten();
            words.map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let command = match &entry["command"] {
            Value::String(command) => [vec![command.clone()], words(&entry["args"])].concat(),
            list => words(list),
        };
        let builder = BridgeProcess::with_args(&command[1..]).program(&command[0]);
        let mut bridge = builder.six_variables_only().spawn();
        bridge.initialize();
    }
}
