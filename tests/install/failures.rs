//! What can't be done: the file is as it was, and the person knows why and what to paste.

use super::home::{Home, URL, ended};

const FILE: &str = ".cursor/mcp.json";

/// Fails, and leaves the file and the folder as they were.
#[track_caller]
fn refused(home: &Home, content: &[u8], args: &[&str]) -> String {
    home.write(FILE, content);
    let told = home.fails(1, &[args, &["--client", "cursor"]].concat());
    assert_eq!(home.read(FILE), content, "{told}");
    assert_eq!(home.files(), [FILE], "{told}");
    told
}

#[test]
fn a_broken_file_is_told_by_its_line_and_the_entry_printed() {
    let home = Home::new();
    let told = refused(
        &home,
        b"{\n  \"mcpServers\": {\n    \"a\": {}\n    \"b\": {}\n  }\n}\n",
        &["install", URL],
    );
    assert!(told.contains("because: line 4: a comma is missing before this"), "{told}");
    assert!(told.contains("\"example\": {") && told.contains(URL), "{told}");
    let told = refused(&home, b"{\n  \"mcpServers\": []\n}\n", &["install", URL]);
    assert!(told.contains("line 2: an object is expected"), "{told}");
    let told = refused(&home, b"{\"a\": \"\xff\"}", &["install", URL]);
    assert!(told.contains("not written in UTF-8"), "{told}");
    let told = refused(&home, b"{\"mcpServers\": {", &["uninstall", "example"]);
    assert!(told.contains("line 1: `}` is missing"), "{told}");
}

#[test]
fn a_broken_toml_file_is_left_as_it_is() {
    let home = Home::new();
    let file = ".codex/config.toml";
    for (content, line) in
        [("a = 1\nb = \n", 2), ("[mcp_servers\n", 1), ("x = 1\nmcp_servers = 3\n", 2)]
    {
        home.write(file, content.as_bytes());
        let told = home.fails(1, &["install", URL, "--client", "codex"]);
        assert!(told.contains(&format!("because: line {line}: ")), "{content}: {told}");
        assert!(told.contains("[mcp_servers.example]"), "{told}");
        assert_eq!(home.text(file), content);
    }
}

#[test]
fn a_read_only_file_is_not_replaced() {
    let home = Home::new();
    home.write(FILE, b"{}\n");
    let mut permissions = home.path(FILE).metadata().unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(home.path(FILE), permissions).unwrap();
    let told = home.fails(1, &["install", URL, "--client", "cursor"]);
    assert!(told.contains("it is read-only") && told.contains("\"example\": {"), "{told}");
    assert_eq!((home.text(FILE).as_str(), home.files().len()), ("{}\n", 1));
}

#[test]
fn one_client_that_fails_does_not_stop_the_others() {
    let home = Home::new();
    home.write(FILE, b"[");
    home.fails(1, &["install", URL, "--client", "cursor,windsurf"]);
    assert!(home.text(".codeium/windsurf/mcp_config.json").contains(URL));
}

#[test]
fn an_entry_of_another_program_or_server_is_not_replaced_unawares() {
    let home = Home::new();
    let npx =
        br#"{"mcpServers": {"example": {"command": "npx", "args": ["-y", "x"], "url": "y"}}}"#;
    let told = refused(&home, npx, &["install", URL]);
    assert!(told.contains("is none of bridge's") && told.contains("`--name NAME`"), "{told}");
    let told = refused(&home, npx, &["uninstall", "example"]);
    assert!(told.contains("is none of bridge's") && told.contains("`--force`"), "{told}");
    let other =
        br#"{"mcpServers": {"example": {"command": "/x/bridge", "args": ["https://h/mcp"]}}}"#;
    let told = refused(&home, other, &["install", URL]);
    assert!(told.contains("is for another server"), "{told}");
    home.ok(&["install", URL, "--client", "cursor", "--force"]);
    assert!(home.text(FILE).contains(URL));
}

#[test]
fn no_secret_is_written_into_a_file() {
    let home = Home::new();
    for (args, hint) in [
        (&[URL, "--header", "Authorization: Bearer canary"][..], "--secret-header"),
        (&[URL, "--header=X-Api-Key=canary"], "--secret-header"),
        (&["https://h/mcp?token=canary"], "${VAR}"),
        (&[URL, "--proxy", "http://me:canary@proxy:1"], "BRIDGE_PROXY"),
        (
            &[URL, "--static-oauth-client-info", r#"{"client_id":"i","client_secret":"canary"}"#],
            "@FILE",
        ),
    ] {
        let told = home.fails(2, &[&["install", "--client", "cursor"], args].concat());
        assert!(told.contains("is a secret, and is not written") && told.contains(hint), "{told}");
        assert!(!told.contains("canary"), "{told}");
    }
    assert!(home.files().is_empty());
}

#[test]
fn what_would_not_serve_is_not_written() {
    let home = Home::new();
    for (args, why) in [
        (&["mcp.example.com/mcp"][..], "not a URL"),
        (&["http://10.0.0.1/mcp"], "without encryption"),
        (&[URL, "--transport", "smoke"], "--transport"),
        (&[URL, "--name", "a b"], "can't be the name"),
        (&[URL, "https://example.com/other"], "two entries would be called `example`"),
        (&[URL, "https://h/mcp", "--name", "x"], "one server only"),
        (&[URL, "--workspace", "not/there"], "there is no folder "),
        (&[], "no server is named"),
    ] {
        let told = home.fails(2, &[&["install", "--client", "cursor"], args].concat());
        assert!(told.contains(why), "{args:?}: {told}");
    }
    assert!(home.files().is_empty());
}

#[test]
fn a_program_that_will_not_last_is_not_written() {
    let home = Home::new();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_bridge"));
    let mut command = home.command(&["install", URL, "--client", "cursor"]);
    command.env("TMPDIR", program.parent().unwrap());
    let (code, told) = ended(&command.output().unwrap());
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("will not last") && told.contains("--command PATH"), "{told}");
    home.ok(&["install", URL, "--client", "cursor", "--command", "/opt/bridge"]);
    assert!(home.text(FILE).contains("\"/opt/bridge\""));
}
