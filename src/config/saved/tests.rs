use super::*;
use crate::config::{self, Environment, Serve};
use std::path::PathBuf;

const FILE: &str = r#"# Mine.
[servers.work]
url = "https://mcp.example.com/mcp"
port = 3334
connect-timeout = "5s"
tool-timeout = 90
deny-tool = ["delete_*", "admin_*"]
read-only = true
keep-alive = false
client-id = "abc"

[servers.work.headers]
X-Team = "${TEAM:-red}"
Authorization = "Bearer ${keychain}"

[servers.other]
url = "https://other.example.com/mcp"
deny-tol = "x"
keep-alive = "yes"
header = ["X-A: 1"]
headers.X-B = 1

[servers.broken]
url = https://broken.example.com

[servers.list]
url = "https://list.example.com"

[server.typo]
url = "https://h"
"#;

fn config(text: &str) -> Config {
    Config::of(PathBuf::from("/c/config.toml"), text.to_owned())
}

fn found(name: &str) -> Found {
    config(FILE).take(name).unwrap_or_else(|| panic!("no {name}"))
}

fn served(name: &str, args: &[&str], variables: &[(&str, &str)]) -> Result<Serve, String> {
    let args: Vec<OsString> = ["bridge", name].iter().chain(args).map(OsString::from).collect();
    let saved = found(name).usable().map_err(|error| error.to_string())?;
    let cli = match cli::parse_for(&args, saved.clone()) {
        Ok(cli) => cli,
        Err(Refused::Wrong(error)) => return Err(told(&saved, error).to_string()),
        Err(Refused::Shown(text)) => panic!("{text}"),
    };
    let environment: Environment =
        variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    config::serve(&cli.serve, &environment).map_err(|error| error.to_string())
}

#[test]
fn a_name_stands_for_all_that_is_saved_by_it() {
    let serve = served("work", &[], &[]).unwrap();
    assert_eq!(serve.endpoint.url().as_str(), "https://mcp.example.com/mcp");
    assert_eq!(serve.auth.redirect.port, Some(3334));
    assert_eq!(serve.remote.http.connect_timeout.map(|time| time.as_secs()), Some(5));
    assert_eq!(serve.relay.tool_timeout.map(|time| time.as_secs()), Some(90));
    assert!(serve.relay.ping_every.is_none(), "a switch that is off");
    assert_eq!(serve.auth.client_id.as_deref(), Some("abc"));
    assert_eq!(serve.remote.headers.fixed.len(), 1);
    assert_eq!(serve.kept.len(), 1);
    assert!(serve.memory.is_none());
    let name = serve.saved.unwrap();
    assert_eq!((name.name.as_str(), name.is_other_login), ("work", false));
}

#[test]
fn an_argument_counts_before_what_is_saved() {
    let args = ["--connect-timeout", "7", "--header", "Authorization=x", "--profile", "b", "4000"];
    let serve = served("work", &args, &[("BRIDGE_HEADER_X_TEAM", "blue")]).unwrap();
    assert_eq!(serve.remote.http.connect_timeout.map(|time| time.as_secs()), Some(7));
    assert_eq!(serve.auth.redirect.port, Some(4000));
    let names: Vec<_> = serve.remote.headers.fixed.iter().map(|header| header.name()).collect();
    assert_eq!(names, ["x-team", "x-team", "authorization"], "the later counts");
    assert!(serve.kept.is_empty(), "it is given otherwise");
    assert!(serve.saved.unwrap().is_other_login);
}

#[test]
fn of_two_options_that_exclude_each_other_the_given_one_counts() {
    let info = r#"{"client_id":"given"}"#;
    let serve = served("work", &["--static-oauth-client-info", info], &[]).unwrap();
    assert_eq!(serve.auth.client_id.as_deref(), Some("given"));
}

#[test]
fn whatever_is_wrong_with_a_server_is_told_with_its_line_and_stops_no_other() {
    assert_eq!(
        served("other", &[], &[]).unwrap_err(),
        "error: the saved server `other` can't be used\n  \
         because: line 18 of /c/config.toml: there is no key `deny-tol`; the nearest one is `deny-tool`\n  \
         because: line 19 of /c/config.toml: `keep-alive` takes `true` or `false`, without quotes\n  \
         because: line 20 of /c/config.toml: headers are a table: `[servers.NAME.headers]`, `X-Name = \"value\"`\n  \
         because: line 21 of /c/config.toml: the value of `X-B` is no text in quotes\n\
         hint: correct the file; its keys are the long options of `bridge --help`"
    );
    let broken = served("broken", &[], &[]).unwrap_err();
    assert!(broken.contains("line 24 of /c/config.toml"), "{broken}");
    let reserved = served("list", &[], &[]).unwrap_err();
    assert!(reserved.contains("it is that of a command"), "{reserved}");
    let problems = config(FILE).problems;
    let told: Vec<_> = problems.iter().map(|p| p.told("/c".as_ref())).collect();
    assert_eq!(told, ["line 29 of /c: there is no `server`; servers stand in `[servers.NAME]`"]);
}

#[test]
fn a_value_that_an_option_refuses_is_told_with_its_line() {
    let refused = |line: &str| {
        let text = format!("[servers.a]\nurl = \"https://h/mcp\"\n{line}\n");
        let saved = config(&text).take("a").unwrap().usable().unwrap();
        let args = ["bridge", "a"].map(OsString::from);
        let error = match cli::parse_for(&args, saved.clone()) {
            Err(Refused::Wrong(error)) => told(&saved, error),
            Ok(cli) => config::serve(&cli.serve, &Environment::default()).unwrap_err(),
            Err(Refused::Shown(text)) => panic!("{text}"),
        };
        error.to_string()
    };
    for (line, part) in [
        (
            "connect-timeout = \"soon\"",
            "line 3 of /c/config.toml: the value of `--connect-timeout`",
        ),
        ("transport = \"sse\"", "`sse` is not one of: http-first"),
        ("auth-timeout = 0", "line 3 of /c/config.toml: `--auth-timeout` is no time"),
        (
            "token-endpoint = \"https://h/t\"",
            "line 3 of /c/config.toml: `--client-credentials` is missing",
        ),
        ("trust-issuer = \"x\"", "line 3 of /c/config.toml"),
        ("ipv4 = true\nipv6 = true", "line 3 of /c/config.toml"),
        ("host = \"localhost\"\nredirect-uri = \"http://localhost/x\"", "line 3 of /c/config.toml"),
        ("port = 0", "the port 0"),
        ("headers.Host = \"x\"", "line 3 of /c/config.toml can't be used as a header"),
    ] {
        let error = refused(line);
        assert!(error.contains(part), "{line}: {error}");
    }
    let saved = config("[servers.a]\nurl = \"h.example\"\n").take("a").unwrap().usable().unwrap();
    let cli = cli::parse_for(&["bridge", "a"].map(OsString::from), saved).unwrap();
    let error = config::serve(&cli.serve, &Environment::default()).unwrap_err().to_string();
    assert!(error.contains("line 2 of /c/config.toml"), "{error}");
}

#[test]
fn a_name_is_neither_an_address_nor_a_command() {
    for name in ["a", "Work-2", "my_server"] {
        assert!(is_name(name), "{name}");
    }
    let long = "a".repeat(65);
    for word in
        ["", "1", "a.b", "https://h", "localhost", "serve", "Add", "npx", "link", "-a", "ä", &long]
    {
        assert!(!is_name(word), "{word}");
    }
}

#[test]
fn every_option_is_a_key_once() {
    let keys = cli::keys();
    let names: std::collections::BTreeSet<_> = keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names.len(), keys.len());
    for name in ["url", "port", "profile", "log", "deny-tool", "header-command-arg", "no-browser"] {
        assert!(names.contains(name), "{name}");
    }
    for name in ["header", "help", "version", "client-secret", "server"] {
        assert!(!names.contains(name), "{name}");
    }
}

#[test]
fn the_secret_of_a_client_may_be_kept_for_a_saved_server_only() {
    let info = r#"{"client_id":"x","client_secret":"${keychain}"}"#;
    let new = NewServer {
        name: "work".to_owned(),
        url: "https://h/mcp".to_owned(),
        options: vec![(CLIENT_INFO.to_owned(), vec![info.to_owned()])],
        ..NewServer::default()
    };
    let mut serve = serve_new(&new, true, &Environment::default()).unwrap();
    assert!(serve.is_secret_kept && serve.auth.client_secret.is_none());
    assert_eq!(unset_variables(&new, &Environment::default()), Vec::<String>::new());
    serve.set_client_secret(&crate::secret::Secret::new("canary".to_owned()));
    assert!(!serve.is_secret_kept && serve.auth.client_secret.is_some());
    let args = ["bridge", "https://h/mcp", "--static-oauth-client-info", info];
    let cli = cli::parse(&args.map(OsString::from)).unwrap();
    let error = config::serve(&cli.serve, &Environment::default()).unwrap_err().to_string();
    assert!(error.contains("`bridge add NAME URL …`"), "{error}");
}
