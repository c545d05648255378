//! What is offered and shown to whoever looks for what can be typed.

use clap::CommandFactory;
use mcp_bridge::cli::Cli;

use super::{bridge, run};

#[test]
fn completions_offer_nothing_that_is_not_there_yet() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let (code, script) = run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(script.contains("header-command-arg"), "{shell}");
        let command = Cli::command();
        let hidden = command.get_arguments().filter(|arg| arg.is_hide_set());
        for name in hidden.filter_map(clap::Arg::get_long) {
            // As an option of its own, not as the beginning of another's name.
            let offered = script.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
            let is_it = |word: &str| word.trim_start_matches('-') == name && word != name;
            assert!(!offered.into_iter().any(is_it), "{shell} offers --{name}");
        }
    }
}

#[test]
fn help_is_short_or_long_and_has_examples() {
    let ((_, short), (_, long)) = (run(&["-h"]), run(&["--help"]));
    assert!(short.lines().count() <= 54, "one screen: {short}");
    assert!(short.lines().count() * 2 < long.lines().count());
    assert!([short.as_str(), &long].concat().lines().all(|line| line.chars().count() <= 80));
    assert!(long.contains("Examples:") && long.contains("--header-command-arg"));
    assert!(!short.contains("--header-command-arg"));
}

#[test]
fn help_is_the_same_on_every_machine_and_its_examples_are_whole() {
    let help = bridge(&["--help"]).env("BRIDGE_CA_CERT", "/canary").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(!help.contains("canary") && !help.contains("=]"), "{help}");
    assert!(help.contains("[env: BRIDGE_CA_CERT]"), "{help}");
    assert!(
        help.contains("\n  bridge https://mcp.example.com/mcp --header-command 'gh auth token'\n")
    );
    assert!(!help.contains("\"command\": \"bridge\""), "clients do not know the PATH of a shell");
}

#[test]
fn what_only_serving_needs_is_taken_by_other_commands_and_not_shown() {
    for command in ["status", "logout"] {
        let (_, help) = run(&[command, "--help"]);
        for option in ["--deny-tool", "--header", "--transport", "--ping-interval", "--browser"] {
            assert!(!help.contains(&format!("{option} ")), "{command}: {option}");
        }
        for option in ["--profile", "--client-id", "--proxy", "--credential-store", "--debug"] {
            assert!(help.contains(option), "{command}: {option}");
        }
        let (_, said) = run(&[command, "nowhere.example", "--deny-tool", "x"]);
        assert!(said.contains(&format!("`bridge {command} https://nowhere.example`")), "{said}");
    }
}

#[test]
fn a_variable_that_nothing_reads_is_told_to_whoever_looks() {
    let with = |args: &[&str]| {
        let run = bridge(&[&["http://127.0.0.1:9/mcp"], args].concat())
            .envs([("BRIDGE_TOOL_TIMOUT", "canary"), ("BRIDGE_HEADER_X_A", "1")])
            .env("BRIDGE_STORE_KEY", "")
            .output()
            .unwrap();
        String::from_utf8(run.stderr).unwrap()
    };
    assert_eq!(with(&[]), "");
    let said = with(&["--debug"]);
    assert!(said.contains("nothing reads BRIDGE_TOOL_TIMOUT:"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_leaves_is_no_failure_and_a_full_disk_is_one() {
    for args in [&["--help"][..], &["--version"], &["completions", "bash"], &["list"], &["status"]]
    {
        let full = std::fs::File::create("/dev/full").unwrap();
        let run = bridge(args).stdout(full).output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert_eq!(run.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("stdout can't be written to"), "{args:?}: {said}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = bridge(args).stdout(writer).output().unwrap();
        assert_eq!((run.status.code(), run.stderr), (Some(0), Vec::new()), "{args:?}");
    }
}

#[test]
fn the_help_of_the_commands_that_use_a_server_has_examples_and_fits() {
    for verb in ["tools", "call", "resources", "read", "prompts", "prompt"] {
        let (_, help) = run(&[verb, "--help"]);
        assert!(help.contains(&format!("Examples:\n  bridge {verb} https://")), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        let (_, short) = run(&[verb, "-h"]);
        assert!(short.lines().count() < 48, "one screen: {short}");
        assert!(help.contains("--callback-port") && !help.contains("--drain"), "{help}");
    }
}
