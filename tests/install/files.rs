//! Where it is written, what is written, and what else happens to the file.

use super::home::{Home, URL, ended};

const FILE: &str = ".cursor/mcp.json";

#[test]
fn a_file_that_is_missing_is_made_with_its_folder() {
    let home = Home::new();
    let told = home.ok(&["install", URL, "--client", "cursor"]);
    assert!(!told.contains("as it was before"), "{told}");
    assert_eq!(home.files(), [FILE]);
    let server = &serde_json::from_str::<serde_json::Value>(&home.text(FILE)).unwrap();
    assert_eq!(server["mcpServers"]["example"]["args"], serde_json::json!([URL]));
}

#[test]
fn a_dry_run_shows_the_change_and_makes_none() {
    let home = Home::new();
    home.write(
        FILE,
        b"{\n  \"mcpServers\": {\n    \"a\": {\"env\": {\"KEY\": \"canary\"}}\n  }\n}\n",
    );
    let before = home.read(FILE);
    let told = home.ok(&["install", URL, "--client", "cursor", "--dry-run"]);
    let program = env!("CARGO_BIN_EXE_bridge");
    let path = home.path(FILE);
    assert_eq!(
        told,
        format!(
            "--- {path}\n+++ {path}\n@@ line 1 @@\n {{\n   \"mcpServers\": {{\n\
             -    \"a\": {{\"env\": {{\"KEY\": …}}}}\n+    \"a\": {{\"env\": {{\"KEY\": …}}}},\n\
             +    \"example\": {{\n+      \"command\": \"{program}\",\n\
             +      \"args\": [\"{URL}\"]\n+    }}\n   }}\n }}\n",
            path = path.display()
        )
    );
    assert_eq!((home.read(FILE), home.files().len()), (before, 1));
}

#[test]
fn a_project_has_its_own_file() {
    let home = Home::new();
    home.make("project");
    for (client, file) in [
        ("vscode", "project/.vscode/mcp.json"),
        ("claude-code", "project/.mcp.json"),
        ("codex", "project/.codex/config.toml"),
    ] {
        home.ok(&["install", URL, "--client", client, "--workspace", "project"]);
        assert!(home.text(file).contains(URL), "{client}");
    }
    let told = home.fails(2, &["install", URL, "--client", "windsurf", "--workspace", "project"]);
    assert!(told.contains("Windsurf has no configuration for a project"), "{told}");
}

#[test]
fn an_entry_has_what_the_client_does_not_pass_on_and_no_secret() {
    let home = Home::new();
    let mut command = home.command(&[
        "install",
        URL,
        "--client",
        "cursor",
        "--header",
        "Authorization: Bearer ${TOKEN}",
        "--header",
        "X-Team: ${TEAM}",
        "--log",
        "bridge.log",
    ]);
    command.env("HTTPS_PROXY", "http://proxy:3128").env("ALL_PROXY", "http://me:canary@proxy:1");
    command.env("BRIDGE_STORE_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    command.env("TOKEN", "canary").env("BRIDGE_PROFILE", "work").env("UNRELATED", "canary");
    let (code, told) = ended(&command.output().unwrap());
    assert_eq!(code, 0, "{told}");
    let written: serde_json::Value = serde_json::from_str(&home.text(FILE)).unwrap();
    let entry = &written["mcpServers"]["example"];
    let log = home.path("bridge.log").canonicalize().unwrap_or(home.path("bridge.log"));
    assert_eq!(
        entry["args"],
        serde_json::json!([URL, "--header", "X-Team=${TEAM}", "--log", log]),
        "a value with a space is a variable, a file has its whole path"
    );
    assert_eq!(
        entry["env"],
        serde_json::json!({
            "BRIDGE_HEADER_AUTHORIZATION": "Bearer ${TOKEN}",
            "BRIDGE_PROFILE": "work",
            "HTTPS_PROXY": "http://proxy:3128",
        })
    );
    for name in ["TOKEN", "TEAM", "ALL_PROXY", "BRIDGE_STORE_KEY"] {
        assert!(told.contains(name), "{name}: {told}");
    }
    assert!(!told.contains("canary") && !home.text(FILE).contains("canary"), "{told}");
}

#[test]
fn several_servers_go_into_several_clients() {
    let home = Home::new();
    let other = "https://mcp.linear.app/mcp";
    home.ok(&["install", URL, other, "3334", "--client", "cursor,windsurf"]);
    for file in [FILE, ".codeium/windsurf/mcp_config.json"] {
        let written: serde_json::Value = serde_json::from_str(&home.text(file)).unwrap();
        assert_eq!(written["mcpServers"]["example"]["args"], serde_json::json!([URL]));
        assert_eq!(written["mcpServers"]["linear"]["args"], serde_json::json!([other, "3334"]));
    }
}

#[test]
fn an_entry_can_be_printed() {
    let home = Home::new();
    let told = home.ok(&["install", URL, "--client", "codex,opencode", "--print", "--name", "x"]);
    let program = env!("CARGO_BIN_EXE_bridge");
    assert!(told.starts_with(&format!("[mcp_servers.x]\ncommand = \"{program}\"\n")), "{told}");
    assert!(told.contains("\"type\": \"local\""), "{told}");
    assert!(home.files().is_empty());
}

#[test]
fn a_client_is_found_or_named_by_the_error() {
    let home = Home::new();
    home.make(".cursor");
    let told = home.fails(2, &["install", URL]);
    assert!(told.contains("these were found: cursor\n"), "{told}");
    assert!(told.contains("hint: write `--client cursor`"), "{told}");
    let told = home.fails(2, &["install", URL, "--client", "emacs"]);
    assert!(told.contains("it knows claude-desktop, claude-code, cursor"), "{told}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_stays_one_and_the_file_behind_it_is_changed() {
        let home = Home::new();
        home.write("dotfiles/mcp.json", b"{}\n");
        home.make(".cursor");
        symlink("../dotfiles/mcp.json", home.path(FILE)).unwrap();
        home.ok(&["install", URL, "--client", "cursor"]);
        assert!(home.path(FILE).symlink_metadata().unwrap().is_symlink());
        assert!(home.text("dotfiles/mcp.json").contains(URL));
        assert_eq!(home.read("dotfiles/mcp.json.bridge-backup"), b"{}\n");

        std::fs::remove_file(home.path("dotfiles/mcp.json")).unwrap();
        home.ok(&["install", URL, "--client", "cursor"]);
        assert!(home.text("dotfiles/mcp.json").contains(URL), "a link to nothing yet");
    }

    #[test]
    fn the_file_and_its_backup_have_the_mode_that_it_had() {
        let home = Home::new();
        let mode = |path: &str| home.path(path).metadata().unwrap().permissions().mode() & 0o777;
        home.write(FILE, b"{}");
        std::fs::set_permissions(home.path(FILE), PermissionsExt::from_mode(0o640)).unwrap();
        home.ok(&["install", URL, "--client", "cursor"]);
        assert_eq!((mode(FILE), mode(".cursor/mcp.json.bridge-backup")), (0o640, 0o640));
    }

    #[test]
    fn the_program_is_written_by_the_path_that_a_shell_finds() {
        let home = Home::new();
        home.make("bin");
        symlink(env!("CARGO_BIN_EXE_bridge"), home.path("bin/mcp-bridge")).unwrap();
        let shell = "exec mcp-bridge install https://mcp.example.com/mcp --client cursor";
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", shell]).env_clear().env("HOME", home.path(""));
        command.env("TMPDIR", home.path("tmp")).env("PATH", home.path("bin"));
        let (code, told) = ended(&command.output().unwrap());
        assert_eq!(code, 0, "{told}");
        let link = home.path("bin/mcp-bridge");
        assert!(home.text(FILE).contains(link.to_str().unwrap()), "{}", home.text(FILE));
    }
}

// Elsewhere a folder can't be locked.
#[cfg(unix)]
#[test]
fn of_commands_at_the_same_time_none_undoes_another() {
    use std::process::Stdio;

    let home = Home::new();
    home.write(FILE, b"{\"mcpServers\": {\"keep\": {\"command\": \"a\"}}}\n");
    let urls: Vec<_> = (0..8).map(|number| format!("https://s{number}.example.com/mcp")).collect();
    let start = |(number, url): (usize, &String)| {
        let name = format!("s{number}");
        let mut command = home.command(&["install", url, "--name", &name, "--client", "cursor"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let started: Vec<_> = urls.iter().enumerate().map(start).collect();
    for command in started {
        let (code, told) = ended(&command.wait_with_output().unwrap());
        assert_eq!(code, 0, "{told}");
    }
    let text = home.text(FILE);
    assert!(text.contains("\"keep\"") && urls.iter().all(|url| text.contains(url)), "{text}");
}

#[cfg(unix)]
#[test]
fn a_link_in_a_project_leads_to_no_file_of_the_user() {
    use std::os::unix::fs::symlink;

    let home = Home::new();
    home.write("mine.json", b"{}");
    home.make("linked/.cursor");
    home.make("dangling/.cursor");
    home.make("folder");
    home.make("within/.cursor");
    symlink("../../mine.json", home.path("linked").join(FILE)).unwrap();
    symlink("../../.bashrc", home.path("dangling").join(FILE)).unwrap();
    symlink("..", home.path("folder/.cursor")).unwrap();
    symlink("../shared.json", home.path("within").join(FILE)).unwrap();
    home.write("within/shared.json", b"{}");
    let before = home.files();
    for project in ["linked", "dangling", "folder"] {
        let args = ["install", URL, "--client", "cursor", "--workspace", project];
        let told = home.fails(2, &args);
        assert!(told.contains("it is a link that leads out of the project"), "{told}");
    }
    assert_eq!((home.files(), home.text("mine.json")), (before, "{}".to_owned()));
    home.ok(&["install", URL, "--client", "cursor", "--workspace", "within"]);
    assert!(home.text("within/shared.json").contains(URL));
}
