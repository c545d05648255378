//! What is wrong with a list that can't be taken, and what is said to whoever typed it.

use clap::Parser;
use mcp_bridge::cli::Cli;
use mcp_bridge::config;
use mcp_bridge::remote::{ClientProtocol, Protocol};

use super::{bridge, run};

#[test]
fn an_era_can_be_forced_on_either_side() {
    let resolved = |args: &[&str], variables: &[(&str, &str)]| {
        let cli = Cli::try_parse_from([&["bridge", "https://h/mcp"], args].concat()).unwrap();
        let environment = variables.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        let remote = config::serve(&cli.serve, &environment).unwrap().remote;
        (remote.protocol, remote.client_protocol)
    };
    assert_eq!(resolved(&[], &[]), (Protocol::Auto, ClientProtocol::Auto));
    let forced = resolved(&["--protocol", "modern", "--client-protocol", "modern"], &[]);
    assert_eq!(forced, (Protocol::Modern, ClientProtocol::Modern));
    let (code, said) = run(&["https://h/mcp", "--protocol", "canary"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("auto, legacy, modern"), "{said}");
}

#[test]
fn a_wrong_list_is_told_with_the_nearest_right_one() {
    for (args, parts) in [
        (&["https://h/mcp", "--allow-htp"][..], &["--allow-htp", "`--allow-http`"][..]),
        (&["https://h/mcp", "--ignore-tools", "x"], &["`--ignore-tool`"]),
        (&["https://h/mcp", "--headers", "X=1"], &["`--header`"]),
        (&["https://h/mcp", "--header-command-arg", "x"], &["--header-command <COMMAND>"]),
        (&["https://h/mcp", "--header-command", "'x"], &["a quote is not closed"]),
        (&["https://h/mcp", "--header-command", " "], &["names no program"]),
        (&["https://h/mcp", "--transport", "sse"], &["sse-only", "sse-first"]),
        (&["https://h/mcp", "canary"], &["the PORT", "1 to 65535"]),
        (&["https://h/mcp", "99999"], &["the PORT", "1 to 65535"]),
        (&["login", "https://h/mcp", "x"], &["the PORT"]),
        (&["https://h/mcp", "3334", "3335"], &["more arguments"]),
        (&["remove", "work", "canary"], &["than `bridge remove` takes", "`bridge remove --help`"]),
        (&["work", "tools"], &["`tools` stands behind the server", "`bridge tools SERVER`"]),
        (&["work", "call", "echo"], &["`call` stands behind the server"]),
        (&["stauts"], &["no command `stauts`", "did you mean `bridge status`?"]),
        (&["logn", "https://h/mcp"], &["did you mean `bridge login`?"]),
        (&["Login", "https://h/mcp", "--force"], &["did you mean `bridge login`?"]),
        (&["lgoout", "https://h/mcp", "1", "2"], &["did you mean `bridge logout`?"]),
        (&["server", "https://h/mcp"], &["did you mean `bridge serve`?"]),
        (&["help", "sttaus"], &["did you mean `bridge status`?"]),
        (&["help", "frobnicate"], &["there is no command `frobnicate`"]),
        (&["connect", "https://h/mcp"], &["there is no command `connect`"]),
        (&["host"], &["`bridge https://host`"]),
        (&["login", "h.example"], &["`bridge login https://h.example`"]),
        (&["https://h/mcp --allow-http"], &["there is a space in it", "each argument by itself"]),
        (&["-y", "https://h/mcp"], &["`npx`"]),
        (&["https://h/mcp", "--port", "3334"], &["behind the address"]),
        (&["https://h/mcp", "--oauth"], &["bridge signs in when the server asks"]),
        (&["https://h/mcp", "--read-only=maybe"], &["`--read-only` takes no value"]),
        (&["https://h/mcp", "--ignore-tool", ""], &["the value of `--ignore-tool`"]),
        (&["https://h/mcp", "--static-oauth-client-info", "@/missing"], &["check the path"]),
        (&["call"], &["the server's address", "`bridge call https://mcp.example.com/mcp TOOL key"]),
        (&["read"], &["the server's address", "`bridge read https://mcp.example.com/mcp URI`"]),
        (&["show"], &["the name of a saved server", "`bridge show NAME`"]),
        (&["remove"], &["the name of a saved server", "`bridge remove NAME`"]),
        (&["logs", "-n", "x"], &["it is not a whole number", "`bridge logs --help`"]),
        (&["tools", "https://h/mcp", "--colour"], &["`bridge tools --help` lists"]),
        (
            &["install", "nosuch", "--client", "zed", "--command", "/bin/sh"],
            &["`bridge install https://nosuch`"],
        ),
        (
            &["install", "https://h/mcp", "--client", "cursr", "--command", "/bin/sh"],
            &["did you mean `cursor`?"],
        ),
        (&["https://h/mcp", "0"], &["the port 0 can't be used"]),
        (&["https://h/mcp", "--auth-timout", "1"], &["`--auth-timeout`"]),
        (&["https://h/mcp", "--client-secret", "canary"], &["--client-secret-file FILE"]),
        (&["https://h/mcp", "--token-endpoint", "https://h/t"], &["--client-credentials"]),
        (&["h.example/mcp"], &["https://h.example/mcp"]),
        (&[], &["the server's address is missing"]),
    ] {
        let (code, said) = run(args);
        assert_eq!(code, 2, "{args:?}: {said}");
        assert!(!said.contains("canary"), "{said}");
        for part in parts {
            assert!(said.contains(part), "{args:?}: no {part} in {said}");
        }
    }
}

/// What is said of a server, or of an option or variable, that can't be meant as it is.
const MISTAKES: [(&[&str], &str); 27] = [
    (
        &["login"],
        "the server's address is missing\nhint: write its address: `bridge login https://mcp.example.com/mcp`",
    ),
    (
        &[],
        "the server's address is missing\nhint: write its address: `bridge https://mcp.example.com/mcp`, usually in \
         the configuration of an MCP client; `bridge --help` shows how",
    ),
    (
        &[""],
        "the server's address is empty\n  because: the first argument is empty, as when a variable in \
         a script is not set\nhint: write the address: `bridge https://mcp.example.com/mcp`",
    ),
    (&["-y", "mcp-remote"], NPX),
    (&["mcp-remote", "--debug", "https://h/mcp"], NPX),
    (&["npx", "-y", "mcp-remote@latest", "https://h/mcp"], NPX),
    (
        &["completion", "bash"],
        "there is no command `completion`\nhint: write `bridge completions SHELL`, with bash, zsh, fish or \
         powershell",
    ),
    (
        &["link", "show", "dev", "eth0"],
        "there is no command `link`\n  because: this is `bridge` for MCP servers; that of iproute2 has \
         the same name\nhint: write `/usr/sbin/bridge link …` for network bridges",
    ),
    (
        &["--debug", "serve", "https://h/mcp"],
        "there is an option before `serve`\nhint: write the command first: `bridge serve …`",
    ),
    (
        &["localhost:3000/mcp"],
        "the server can't be used\n  because: `localhost:3000/mcp` is not a URL\nhint: write the whole \
         address: `bridge http://localhost:3000/mcp`",
    ),
    (
        &["mcp.example.com:8443"],
        "the server can't be used\n  because: `mcp.example.com:8443` is not a URL\nhint: write the \
         whole address: `bridge https://mcp.example.com:8443`",
    ),
    (
        &["'https://h/mcp'"],
        "the server can't be used\n  because: `'https://h/mcp'` is not a URL\nhint: take the quotes \
         away, or use plain double quotes: cmd.exe passes single ones on, and a list of arguments in \
         JSON needs none inside",
    ),
    (
        &["https://%HOST%/mcp"],
        "the server can't be used\n  because: it holds the name of a variable that was not replaced\nhint: write `${VAR}`; bridge replaces it by the variable of its environment",
    ),
    (
        &["http://h.example/mcp"],
        "http://h.example/mcp would be reached without encryption\n  because: others on the network \
         could read and change every message\nhint: use its https:// address, or add `--allow-http` \
         if you trust the network",
    ),
    (
        &["https://h/mcp", "--header", "Authorization=Bearer $TOKEN"],
        "`--header` number 1 can't be used as a header\n  because: its value holds the name of a \
         variable that was not replaced\nhint: write `${VAR}`; if the value really looks like this, put \
         it into a variable",
    ),
    (
        &["https://h/mcp", "--header", "Authorization=Bearer ${NO_SUCH}"],
        "`--header` number 1 can't be used as a header\n  because: the variable `NO_SUCH` is not set, \
         or empty, in the value of `Authorization`\nhint: set `NO_SUCH` in the client's entry for this \
         server (`env`), or give a default: `${NO_SUCH:-default}`",
    ),
    (
        &["https://h/mcp", "--header", "'X=1'"],
        "`--header` number 1 can't be used as a header\n  because: it begins with a quote\nhint: take \
         the quotes away, or use double ones: cmd.exe passes single ones on",
    ),
    (
        &["https://h/mcp", "--header", "abc"],
        "`--header` number 1 can't be used as a header\n  because: there is no `=` or `:` between a \
         name and a value\nhint: write `Name=value`; no spaces are needed",
    ),
    (
        &["https://h/mcp", "--header-file", "/no/such"],
        "the header file /no/such can't be read\n  because: No such file or directory (os error 2)\n\
         hint: check the path; write the whole one, since the client may start bridge in any folder",
    ),
    (
        &["http://localhost/mcp", "--ca-cert", "/no/such"],
        "a certificate can't be used\n  because: /no/such, named by `--ca-cert`, can't be read: No such \
         file or directory (os error 2)\nhint: check the path that `--ca-cert` gives",
    ),
    (
        &["https://h/mcp", "--timeout", "5"],
        "there is no option `--timeout`\nhint: `--tool-timeout TIME` bounds a tool call, \
         `--connect-timeout TIME` making the connection",
    ),
    (
        &["-v"],
        "there is no option `-v`\nhint: `bridge --version` prints the version, `--debug` says what \
         happens",
    ),
    (
        &["https://h/mcp", "--allow-htp"],
        "there is no option `--allow-htp`\nhint: the nearest one is `--allow-http`; `bridge --help` \
         lists the options and what they take",
    ),
    (
        &["https://h/mcp", "--transport", "sse"],
        "the value of `--transport` can't be used\n  because: `sse` is not one of: http-first, \
         sse-first, http-only, sse-only\nhint: the nearest one is `sse-only`",
    ),
    (
        &["https://h/mcp", "--deny-tool", ""],
        "the value of `--deny-tool` can't be used\n  because: it is empty; a pattern is a tool's name, \
         with `*` for any text\nhint: `bridge --help` lists the options and what they take",
    ),
    (
        &["https://h/mcp", "--transport", "http-only", "--transport", "sse-only"],
        "`--transport <STRATEGY>` is given twice\nhint: take one away",
    ),
    (
        &["https://h/mcp", "a", "b"],
        "there are more arguments than `bridge SERVER` takes\n  because: a value with a space in it was \
         split, or a `--` is missing\nhint: write values without spaces: `--header Name=value`, \
         `--header Name=${VAR}`",
    ),
];

const NPX: &str = "`npx` and `mcp-remote` can't be started by bridge\n  because: bridge takes their \
     place\nhint: take `npx`, `-y` and `mcp-remote` out of the arguments: \
     `bridge https://mcp.example.com/mcp`";

#[test]
fn each_usual_mistake_is_told_in_these_words() {
    for (args, said) in MISTAKES {
        assert_eq!(run(args), (2, format!("error: {said}\n")), "{args:?}");
    }
}

#[test]
fn a_variable_that_can_not_be_used_is_named_and_an_empty_one_is_not_set() {
    let with = |name: &str, value: &str| {
        let run = bridge(&["http://127.0.0.1:9/mcp"]).env(name, value).output().unwrap();
        (run.status.code().unwrap(), String::from_utf8(run.stderr).unwrap())
    };
    let hint = |name: &str| {
        format!(
            "hint: set `{name}` to another value, or do not set it; `bridge --help` lists the options \
             and what they take\n"
        )
    };
    for (name, value, because) in [
        ("BRIDGE_READ_ONLY", "maybe", "it is neither 1, true, yes or on nor 0, false, no or off"),
        ("BRIDGE_TOOL_TIMEOUT", "soon", "it is not a number with a unit, such as 500ms, 30s or 5m"),
        (
            "BRIDGE_ALLOW_TOOL",
            "a,,b",
            "it is empty; a pattern is a tool's name, with `*` for any text",
        ),
    ] {
        let said = format!("error: the value of `{name}` can't be used\n  because: {because}\n");
        assert_eq!(with(name, value), (2, said + &hint(name)));
        assert_eq!(with(name, ""), (0, String::new()), "{name}");
    }
    for (name, value) in
        [("BRIDGE_READ_ONLY", "on"), ("BRIDGE_READ_ONLY", "0"), ("BRIDGE_TRANSPORT", "")]
    {
        assert_eq!(with(name, value), (0, String::new()), "{name}={value}");
    }
}

#[test]
fn a_log_is_made_with_its_folder_in_the_home_folder_too() {
    let home = tempfile::tempdir().unwrap();
    let run = bridge(&["http://127.0.0.1:9/mcp", "--log", "~/a/b.log"])
        .env("HOME", home.path())
        .env("USERPROFILE", home.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(run.stderr).unwrap(), "");
    let log = std::fs::read_to_string(home.path().join("a/b.log")).unwrap();
    assert!(log.contains("started"), "{log}");
}

#[test]
fn a_word_in_the_place_of_a_server_is_shown_in_short_and_steers_no_terminal() {
    let long = "x\u{1b}[2J".repeat(2_000);
    let (address, option) = (format!("https://{long}"), format!("--{long}"));
    for args in [
        &[&*long][..],
        &["tools", &long],
        &["show", &long],
        &["add", "b", &long],
        &["help", &long],
        &[&address],
        &[&long, "https://h/mcp"],
        &["https://h/mcp", &option],
    ] {
        let (code, said) = run(args);
        assert_eq!(code, 2, "{said}");
        assert!(said.len() < 700 && !said.contains('\u{1b}'), "{} bytes: {said}", said.len());
    }
}
