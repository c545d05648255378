//! What `bridge import` does with secrets and variables: where they go, what stays, and that nothing is half done.

use std::fs;

use serde_json::{Value, json};

use crate::install::home::{Home, ended};

const CURSOR: &str = ".cursor/mcp.json";
const CLAUDE_CODE: &str = ".claude.json";
const CONFIG: &str = ".config/mcp-bridge/config.toml";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const URL: &str = "https://mcp.example.com/mcp";

/// A home with entries of mcp-remote, each with these arguments behind the address, and these variables.
fn home(file: &str, entries: &[(&str, &[&str], Value)]) -> Home {
    let home = Home::new();
    let entry = |(name, args, env): &(&str, &[&str], Value)| {
        let args = [&["-y", "mcp-remote", URL], *args].concat();
        ((*name).to_owned(), json!({"command": "npx", "args": args, "env": env}))
    };
    let entries: serde_json::Map<_, _> = entries.iter().map(entry).collect();
    home.write(file, json!({"mcpServers": entries}).to_string().as_bytes());
    home
}

/// Runs it where nothing speaks to a keychain.
fn run(home: &Home, args: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = home.command(args);
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere").envs(variables.iter().copied());
    ended(&command.output().unwrap())
}

fn args(home: &Home, file: &str, name: &str) -> Value {
    let text: Value = serde_json::from_str(&home.text(file)).unwrap();
    text["mcpServers"][name]["args"].clone()
}

/// The files with sealed headers, and the saved servers.
fn kept(home: &Home) -> (usize, Vec<String>) {
    let files = home.files();
    let sealed = files.iter().filter(|file| file.contains("headers-")).count();
    let config = files.iter().any(|file| file == CONFIG).then(|| home.text(CONFIG));
    let config = config.unwrap_or_default();
    let tables = config.lines().filter(|line| line.starts_with("[servers."));
    let names = tables.filter(|line| !line.ends_with(".headers]")).map(str::to_owned);
    (sealed, names.collect())
}

#[test]
fn an_entry_stays_whose_variable_its_client_will_not_have_and_the_others_go_on() {
    let team = ["--header", "X-Team: ${TEAM}"];
    let both = ["--header", "X-Team: ${TEAM}", "--header", "X-Api-Key: canary"];
    let entries: [(&str, &[&str], Value); 5] = [
        ("both", &both, json!({})),
        ("named", &team, json!({"TEAM": "red"})),
        ("plain", &[], json!({})),
        ("secret", &["--header", "X-Api-Key: canary"], json!({})),
        ("team", &team, json!({})),
    ];
    let home = home(CURSOR, &entries);
    let before = home.text(CURSOR);
    for args in [&["import", "--dry-run"][..], &["import", "--yes"]] {
        // That it is set in this shell is no help to a client.
        let (code, told) = run(&home, args, &[("BRIDGE_STORE_KEY", KEY), ("TEAM", "red")]);
        assert_eq!(code, 0, "{told}");
        for name in ["both", "team"] {
            let stays = format!(
                "{name}: mcp-remote\n    stays as it is: `--header` number 1 can't be used as a header\n      \
                 because: the variable `TEAM` is not set, or empty, in the value of `X-Team`\n      \
                 hint: set `TEAM` in the client's entry"
            );
            assert!(told.contains(&stays), "{told}");
        }
        assert!(told.contains("becomes: bridge secret\n") && !told.contains("canary"), "{told}");
        if args.contains(&"--dry-run") {
            assert_eq!((home.text(CURSOR), kept(&home)), (before.clone(), (0, Vec::new())));
        }
    }
    assert_eq!(kept(&home), (1, vec!["[servers.secret]".to_owned()]));
    let after = |name: &str| args(&home, CURSOR, name);
    assert_eq!(after("secret"), json!(["secret"]));
    assert_eq!(after("named"), json!([URL, "--header", "X-Team=red"]));
    assert_eq!(after("plain"), json!([URL]));
    let theirs = |args: &[&str]| json!([&["-y", "mcp-remote", URL], args].concat());
    assert_eq!((after("team"), after("both")), (theirs(&team), theirs(&both)));
}

#[test]
fn a_variable_that_the_client_itself_puts_in_is_left_to_it() {
    let team: [(&str, &[&str], Value); 1] = [("team", &["--header", "X-Team: ${TEAM}"], json!({}))];
    let home = home(CLAUDE_CODE, &team);
    home.ok(&["import", "--yes"]);
    assert_eq!(args(&home, CLAUDE_CODE, "team"), json!([URL, "--header", "X-Team=${TEAM}"]));
}

#[test]
fn what_fails_half_way_leaves_nothing_and_a_retry_finds_the_same_name() {
    let entries: [(&str, &[&str], Value); 2] = [
        ("first", &["--header", "X-Api-Key: canary-1"], json!({})),
        ("second", &["--header", "X-Api-Key: canary-2"], json!({})),
    ];
    let home = home(CURSOR, &entries);
    let before = home.files();
    let set = |readonly: bool| {
        let mut mode = fs::metadata(home.path(CURSOR)).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false, reason = "a file of this test alone")]
        mode.set_readonly(readonly);
        fs::set_permissions(home.path(CURSOR), mode).unwrap();
    };
    set(true);
    let (code, told) = run(&home, &["import", "--yes"], &[("BRIDGE_STORE_KEY", KEY)]);
    assert!(code == 1 && told.contains("it is read-only"), "{told}");
    assert_eq!(kept(&home), (0, Vec::new()));
    let mut after = home.files();
    after.retain(|file| !file.ends_with(".lock") && file != CONFIG);
    assert_eq!(after, before);
    set(false);
    let (code, told) = run(&home, &["import", "--yes"], &[("BRIDGE_STORE_KEY", KEY)]);
    assert!(code == 0 && told.contains("saved as `first`, with"), "{told}");
    assert_eq!(kept(&home).1, ["[servers.first]", "[servers.second]"]);
}

#[test]
fn without_a_keychain_the_entries_without_secrets_go_on() {
    let entries: [(&str, &[&str], Value); 2] =
        [("plain", &[], json!({})), ("secret", &["--header", "X-Api-Key: canary"], json!({}))];
    let home = home(CURSOR, &entries);
    for args in [&["import", "--dry-run"][..], &["import", "--yes"]] {
        let (code, told) = run(&home, args, &[]);
        assert_eq!(code, 0, "{told}");
        let (_, stays) = told.split_once("secret: mcp-remote\n    stays as it is: ").unwrap();
        assert!(stays.contains("because: no keychain answers"), "{told}");
        assert!(stays.contains("hint: ") && stays.contains("BRIDGE_STORE_KEY"), "{told}");
    }
    assert_eq!((args(&home, CURSOR, "plain"), kept(&home)), (json!([URL]), (0, Vec::new())));
    assert_eq!(args(&home, CURSOR, "secret")[1], "mcp-remote");
}

#[test]
fn the_store_of_a_secret_is_written_down_and_its_file_goes_without_the_key() {
    let entries: [(&str, &[&str], Value); 1] =
        [("work", &["--header", "X-Api-Key: canary"], json!({}))];
    let home = home(CURSOR, &entries);
    let before = home.text(CURSOR);
    let key = [("BRIDGE_STORE_KEY", KEY)];
    let (_, told) = run(&home, &["import", "--yes"], &key);
    let saved = "saved as `work`, with `X-Api-Key` in a sealed file, its key in BRIDGE_STORE_KEY\n";
    assert!(told.contains(saved), "{told}");
    assert!(home.text(CONFIG).contains("credential-store = \"env\"\n"), "{}", home.text(CONFIG));
    let (code, told) = run(&home, &["work"], &[]);
    assert!(code == 2 && told.contains("`BRIDGE_STORE_KEY` can't be used"), "{told}");

    let (code, told) = run(&home, &["import", "--undo"], &[]);
    assert!(code == 0 && told.contains("`work` is no longer saved"), "{told}");
    assert!(!told.contains("warning"), "{told}");
    assert_eq!((home.text(CURSOR), kept(&home)), (before, (0, Vec::new())));

    run(&home, &["import", "--yes"], &key);
    let (code, told) = run(&home, &["remove", "work", "--yes"], &[]);
    assert_eq!((code, kept(&home)), (0, (0, Vec::new())), "{told}");
    let still = "an entry of Cursor starts it still: `bridge uninstall work --client cursor`";
    assert!(told.contains(still), "{told}");
}

#[test]
fn what_is_kept_for_an_address_that_can_t_be_told_is_named_when_it_stays() {
    let home = Home::new();
    let add = ["add", "api", "https://${HOST}/mcp", "--no-check", "--header", "X-Api-Key: canary"];
    let (code, told) = run(&home, &add, &[("BRIDGE_STORE_KEY", KEY), ("HOST", "h.example")]);
    assert!(code == 0 && kept(&home).0 == 1, "{told}");
    let (code, told) = run(&home, &["remove", "api", "--yes"], &[]);
    assert_eq!((code, kept(&home)), (0, (1, Vec::new())), "{told}");
    assert!(
        told.contains("the headers of `api` stays") && told.contains("the variable `HOST`"),
        "{told}"
    );
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let home = home(CURSOR, &[("plain", &[], json!({}))]);
    let told = home.ok(&["import", "--command", "/opt/nowhere/bridge", "--dry-run"]);
    assert!(told.contains("warning: there is no program /opt/nowhere/bridge"), "{told}");
}
