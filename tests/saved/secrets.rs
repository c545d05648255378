//! The secrets of a saved server where they can't be kept or read: what is told, to a person and to a client.

use std::process::Output;

use serde_json::Value;

use super::verbs::{Home, KEY};

const OTHER_KEY: &str = "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18",
    "capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

/// The same home with this key to the store, or none and no keychain either.
fn with_key(home: &Home, key: Option<&str>, args: &[&str], input: &str) -> Output {
    let mut command = home.command(args);
    command.env_remove("BRIDGE_STORE_KEY");
    command.envs(key.map(|key| ("BRIDGE_STORE_KEY", key)));
    let mut child = command.spawn().unwrap();
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
    child.wait_with_output().unwrap()
}

fn told(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// What a client is answered, and how the process ends.
fn served(home: &Home, args: &[&str]) -> (Value, Option<i32>) {
    let line = INITIALIZE.replace("\n    ", "") + "\n";
    let done = with_key(home, None, args, &line);
    let answer = serde_json::from_slice(&done.stdout);
    (answer.unwrap_or_else(|why| panic!("{why}: {}", told(&done))), done.status.code())
}

#[test]
fn without_a_keychain_the_hint_is_what_keeps_a_secret() {
    let home = Home::new();
    let add = ["add", "api", "https://h/mcp", "--no-check"];
    let (secret, kept) = (["--header", "X-Api-Key=canary-123456"], ["--secret-header", "X-Key"]);
    for more in [secret, kept] {
        let done = with_key(&home, None, &[&add[..], &more].concat(), "canary-1");
        let told = told(&done);
        assert_eq!(done.status.code(), Some(1), "{told}");
        assert!(told.contains("the secrets of `api` can't be kept"), "{told}");
        assert!(told.contains("hint: set BRIDGE_STORE_KEY (`openssl rand"), "{told}");
        assert!(!told.contains("bridge login"), "{told}");
    }
    assert_eq!(home.config(), "");
}

#[test]
fn an_empty_value_is_told_with_the_command_that_gives_one() {
    let home = Home::new();
    let (code, said) = home.run(&["add", "api", "https://h/mcp", "--secret-header", "X-Key"], "");
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("because: nothing was given\nhint: write it to stdin: `printf"),
        "{said}"
    );
    assert!(said.contains("bridge add api … --secret-header X-Key`"), "{said}");
}

#[test]
fn secrets_that_can_t_be_read_any_more_are_given_anew_by_the_command_that_is_named() {
    let home = Home::new();
    let add = ["add", "api", "https://h/mcp", "--no-check", "--secret-header", "X-Key"];
    home.says(&add, "canary-1");
    let done = with_key(&home, Some(OTHER_KEY), &["tools", "api"], "");
    let (told_first, anew) = (told(&done), "bridge add api --force --secret-header X-Key");
    assert!(told_first.contains("what is stored was sealed with another key"), "{told_first}");
    assert!(told_first.contains(&format!("or them anew: `{anew}`")), "{told_first}");

    let anew: Vec<_> = anew.split(' ').skip(1).chain(["--no-check"]).collect();
    let done = with_key(&home, Some(OTHER_KEY), &anew, "canary-2");
    assert!(told(&done).contains("1 record was set aside"), "{}", told(&done));
    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    assert!(home.config().contains("url = \"https://h/mcp\""), "{}", home.config());
    let done = with_key(&home, Some(OTHER_KEY), &["tools", "api"], "");
    assert!(!told(&done).contains("X-Key"), "{}", told(&done));
    let done = with_key(&home, Some(KEY), &["tools", "api"], "");
    assert!(told(&done).contains("sealed with another key"), "{}", told(&done));
}

#[test]
fn a_client_without_the_key_is_answered_that_it_has_to_be_set_where_it_starts_bridge() {
    let home = Home::new();
    home.says(
        &["add", "api", "https://h/mcp", "--no-check", "--secret-header", "X-Key"],
        "canary-1",
    );
    home.says(&["add", "work", "https://h/mcp", "--no-check", "--credential-store", "env"], "");
    for (name, code, what) in
        [("api", 1, "the secrets of `api`"), ("work", 2, "`BRIDGE_STORE_KEY`")]
    {
        let (answer, ended) = served(&home, &[name]);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.starts_with(what), "{answer}");
        assert!(message.contains("also where the client starts bridge"), "{answer}");
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&1.into(), &(-31018).into()));
        assert_eq!(answer["error"]["data"]["kind"], "configuration");
        assert_eq!(ended, Some(code), "{answer}");
    }
}

#[test]
fn a_client_is_answered_what_is_wrong_with_the_arguments() {
    let (answer, ended) = served(&Home::new(), &["https://h/mcp", "--allow-htp"]);
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("`--allow-htp`; the nearest one is `--allow-http`"), "{answer}");
    assert_eq!(ended, Some(2));
}
