//! `bridge import`: what becomes of mcp-remote's entries, and how it is undone.

mod adoption;
mod secrets;

use serde_json::{Value, json};

use crate::install::home::Home;
use crate::support::{BridgeProcess, McpServer};

const CURSOR: &str = ".cursor/mcp.json";
const CODEX: &str = ".codex/config.toml";
const URL: &str = "https://mcp.example.com/mcp";

/// Two of mcp-remote, one of somebody else, and comments.
const BEFORE: &str = r#"{
	// mine
	"mcpServers": {
		"linear": { "command": "npx", "args": ["-y", "mcp-remote@0.1.29", "https://mcp.linear.app/sse", "3334"], "disabled": false },
		"time": { "command": "uvx", "args": ["mcp-server-time"] }, // stays
		"example": {
			"command": "cmd",
			"args": ["/c", "npx", "mcp-remote", "https://mcp.example.com/mcp", "--header", "X-Team: ${TEAM}", "--allow-http"],
			"env": { "TEAM": "red", "PATH": "/usr/bin" },
		},
	},
}
"#;

fn entry(home: &Home, name: &str) -> Value {
    let text = home.text(CURSOR);
    let lines: Vec<_> = text.lines().map(|line| line.split(" //").next().unwrap()).collect();
    let bare = lines.join("\n").replace("// mine", "").replace(",\n\t}", "\n\t}");
    let bare = bare.replace(",\n}", "\n}").replace(",\n\t\t}", "\n\t\t}");
    serde_json::from_str::<Value>(&bare).unwrap_or_else(|why| panic!("{why}: {bare}"))["mcpServers"]
        [name]
        .clone()
}

#[test]
fn entries_become_ours_and_all_else_stays() {
    let home = Home::new();
    home.write(CURSOR, BEFORE.as_bytes());
    let told = home.ok(&["import", "--yes"]);
    for part in [
        "linear: mcp-remote@0.1.29\n    becomes: bridge https://mcp.linear.app/sse 3334\n",
        "example: mcp-remote\n    becomes: bridge https://mcp.example.com/mcp --allow-http --header 'X-Team=red'\n",
        "asks once more",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let program = env!("CARGO_BIN_EXE_bridge");
    assert_eq!(
        entry(&home, "linear"),
        json!({"command": program, "args": ["https://mcp.linear.app/sse", "3334"], "disabled": false})
    );
    assert_eq!(
        entry(&home, "example"),
        json!({"command": program, "args": [URL, "--allow-http", "--header", "X-Team=red"]})
    );
    let kept =
        "\t\t\"time\": { \"command\": \"uvx\", \"args\": [\"mcp-server-time\"] }, // stays\n";
    assert!(home.text(CURSOR).contains(kept), "{}", home.text(CURSOR));
    let told = home.ok(&["import", "--yes"]);
    assert!(told.contains("no entry of mcp-remote"), "{told}");
}

#[test]
fn an_import_is_undone_byte_for_byte() {
    let home = Home::new();
    let codex = "model = 'x' # mine\n\n[mcp_servers.a]\ncommand = \"bunx\"\nargs = [\"mcp-remote\", \"https://h/mcp\"]\n\
                 [mcp_servers.a.env]\nNODE_OPTIONS = \"1\"\n\n[tui]\nnotifications = true\n";
    home.write(CURSOR, BEFORE.as_bytes());
    home.write(CODEX, codex.as_bytes());
    home.ok(&["import", "--yes"]);
    let after = home.text(CODEX);
    assert!(
        after.contains("args = [\"https://h/mcp\"]") && !after.contains("NODE_OPTIONS"),
        "{after}"
    );
    assert!(after.starts_with("model = 'x' # mine\n\n[mcp_servers.a]\n"), "{after}");

    let told = home.ok(&["import", "--undo"]);
    assert!(told.contains("Cursor") && told.contains("Codex"), "{told}");
    assert_eq!((home.text(CURSOR).as_str(), home.text(CODEX).as_str()), (BEFORE, codex));
    let told = home.ok(&["import", "--undo"]);
    assert!(told.contains("nothing to put back"), "{told}");
}

#[test]
fn what_was_changed_since_is_not_undone() {
    let home = Home::new();
    home.write(CURSOR, BEFORE.as_bytes());
    home.ok(&["import", "--yes"]);
    let changed = home.text(CURSOR).replace("// mine", "// ours");
    home.write(CURSOR, changed.as_bytes());
    let told = home.fails(1, &["import", "--undo"]);
    assert!(told.contains("changed since the import") && told.contains(".before-import"), "{told}");
    assert_eq!(home.text(CURSOR), changed);
}

#[test]
fn nothing_is_rewritten_unless_somebody_says_so() {
    let home = Home::new();
    home.write(CURSOR, BEFORE.as_bytes());
    let told = home.fails(2, &["import"]);
    assert!(told.contains("becomes: bridge https://mcp.linear.app/sse 3334"), "{told}");
    assert!(
        told.contains("nobody can be asked") && told.contains("`bridge import --yes`"),
        "{told}"
    );
    let told = home.ok(&["import", "--dry-run"]);
    assert!(told.contains("+++ ") && told.contains("\n+"), "{told}");
    assert!(!told.contains("mcp-server-time"), "the words of others: {told}");
    assert_eq!((home.text(CURSOR).as_str(), home.files().len()), (BEFORE, 1));
}

#[test]
fn what_would_not_serve_stays_as_it_is() {
    let home = Home::new();
    let before = json!({"mcpServers": {
        "none": {"command": "npx", "args": ["mcp-remote"]},
        "plain": {"command": "npx", "args": ["mcp-remote", "http://10.0.0.1/mcp"]},
        "token": {"command": "npx", "args": ["mcp-remote", "https://h/mcp?token=canary"]},
        "good": {"command": "npx", "args": ["mcp-remote", URL, "--unheard-of", "canary"]},
    }});
    home.write(CURSOR, before.to_string().as_bytes());
    let told = home.ok(&["import", "--yes"]);
    for part in [
        "none: mcp-remote\n    stays as it is: it names no server\n",
        "plain: mcp-remote\n    stays as it is: http://10.0.0.1/mcp would be reached without encryption",
        "token: mcp-remote\n    stays as it is: `token` in the address is a secret",
        "not taken over: there is no option `--unheard-of` here",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("canary"), "{told}");
    let after: Value = serde_json::from_str(&home.text(CURSOR)).unwrap();
    for name in ["none", "plain", "token"] {
        assert_eq!(after["mcpServers"][name], before["mcpServers"][name]);
    }
    assert_eq!(after["mcpServers"]["good"]["args"], json!([URL]));
}

#[test]
fn what_was_imported_serves() {
    let server = McpServer::legacy().run();
    let home = Home::new();
    let before = json!({"mcpServers": {"x": {"command": "npx", "args": ["mcp-remote", server.url(), "--silent"]}}});
    home.write(CURSOR, before.to_string().as_bytes());
    home.ok(&["import", "--client", "cursor", "--yes"]);
    let after: Value = serde_json::from_str(&home.text(CURSOR)).unwrap();
    let entry = &after["mcpServers"]["x"];
    let args = entry["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    let builder = BridgeProcess::with_args(args).program(entry["command"].as_str().unwrap());
    builder.six_variables_only().spawn().initialize();
}

#[test]
fn a_secret_in_a_header_moves_out_of_the_file_and_is_sent() {
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let server = McpServer::legacy().run();
    let home = Home::new();
    let args = json!([
        "-y",
        "mcp-remote",
        server.url(),
        "--header",
        "Authorization:${AUTH}",
        "--header",
        "X-Team: red"
    ]);
    let env = json!({"AUTH": "Bearer moved", "HTTPS_PROXY": "http://proxy:1"});
    let before = json!({"mcpServers": {"work": {"command": "npx", "args": args, "env": env}}});
    home.write(CURSOR, before.to_string().as_bytes());
    let mut import = home.command(&["import", "--yes"]);
    let (code, told) =
        crate::install::home::ended(&import.env("BRIDGE_STORE_KEY", KEY).output().unwrap());
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("becomes: bridge work\n    saved as `work`, with `Authorization` in a sealed file, its key in BRIDGE_STORE_KEY\n"), "{told}");
    assert!(
        told.contains("BRIDGE_STORE_KEY is set here and holds a secret, so it is not in the entry"),
        "{told}"
    );
    assert!(told.contains("still holds the secrets") && !told.contains("moved"), "{told}");
    let holding: Vec<_> = home
        .files()
        .into_iter()
        .filter(|file| String::from_utf8_lossy(&home.read(file)).contains("moved"))
        .collect();
    assert_eq!(holding, [format!("{CURSOR}.before-import")], "{told}");

    let after: Value = serde_json::from_str(&home.text(CURSOR)).unwrap();
    let entry = &after["mcpServers"]["work"];
    assert_eq!(entry["args"], json!(["work"]));
    assert_eq!(entry["env"], json!({"HTTPS_PROXY": "http://proxy:1"}));
    let mut command = home.command(&["work"]);
    let mut bridge = command
        .env("BRIDGE_STORE_KEY", KEY)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    std::io::Write::write_all(bridge.stdin.as_mut().unwrap(), format!("{initialize}\n").as_bytes())
        .unwrap();
    let mut answer = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(bridge.stdout.take().unwrap()),
        &mut answer,
    )
    .unwrap();
    drop(bridge.stdin.take());
    bridge.wait().unwrap();
    let sent = server.requests();
    assert_eq!(sent[0].header("authorization"), Some("Bearer moved"), "{answer}");
    assert_eq!(sent[0].header("x-team"), Some("red"));
}
