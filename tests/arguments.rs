//! What can be typed: every argument list of mcp-remote's README, and what is wrong with a list that
//! can't be taken.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use clap::{CommandFactory, Parser};
use mcp_bridge::auth::{self, ClientSecret, Grant, Resource};
use mcp_bridge::cli::Cli;
use mcp_bridge::config::{self, Environment, Serve};
use mcp_bridge::http::{Addresses, Proxies};
use mcp_bridge::relay::{Filter, Pattern};
use mcp_bridge::remote::{ClientProtocol, Protocol};
use serde_json::json;

use crate::support::mcp_server::text;
use crate::support::{BridgeProcess, McpServer};

/// What becomes of an argument list of mcp-remote.
enum Becomes {
    /// These settings.
    Settings(fn(&Serve) -> bool),
    /// These settings of signing in.
    SignIn(fn(&auth::Settings) -> bool),
}
use Becomes::{Settings, SignIn};

const SSE: &str = "https://remote.mcp.server/sse";
const MCP: &str = "https://remote.mcp.server/mcp";
const EXAMPLE: &str = "https://example.remote/server";
const DOCUMENT: &str = "https://client.example.com/.well-known/oauth-client-metadata";
const INFO: &str = "{\"client_id\":\"my-client\",\"client_secret\":\"${MCP_CLIENT_SECRET}\"}";

/// The argument lists of the README of mcp-remote 0.15.1, in its order.
const README: [(&[&str], Becomes); 46] = [
    (&[SSE], Settings(|serve| serve.endpoint.url().as_str() == SSE)),
    (&[SSE, "--header", "Authorization: Bearer ${AUTH_TOKEN}"], Settings(one_header)),
    (&[SSE, "--header", "Authorization:${AUTH_HEADER}"], Settings(one_header)),
    (&[SSE, "--header-file", "HEADERS.TXT"], Settings(|s| s.remote.headers.fixed.len() == 2)),
    (
        &[SSE, "--resource", "https://tenant1.atlassian.net/"],
        SignIn(|auth| auth.resource == Resource::Named("https://tenant1.atlassian.net/".into())),
    ),
    (
        &[MCP, "--authorize-param", "access_type=offline", "--authorize-param", "prompt=consent"],
        SignIn(|auth| {
            auth.authorize_params == pairs(&[("access_type", "offline"), ("prompt", "consent")])
        }),
    ),
    (&[MCP, "--disable-resource-parameter"], SignIn(|auth| auth.resource == Resource::Omitted)),
    (&[SSE, "9696"], SignIn(|auth| auth.redirect.port == Some(9696))),
    (&[SSE, "--host", "127.0.0.1"], SignIn(|auth| auth.redirect.host == "127.0.0.1")),
    (
        &[SSE, "--callback-path", "/custom/callback"],
        SignIn(|auth| auth.redirect.path == "/custom/callback"),
    ),
    (
        &[SSE, "--auth-success-url", "https://app.example.com/cli-connected"],
        SignIn(|a| shown(a.success_url.as_ref()) == "https://app.example.com/cli-connected"),
    ),
    (
        &["http://internal-service.vpc/sse", "--allow-http"],
        Settings(|serve| !serve.endpoint.origin().tls),
    ),
    (&[SSE, "--debug"], Settings(nothing_special)),
    (&[SSE, "--silent"], Settings(nothing_special)),
    (&[SSE, "--silent", "--debug"], Settings(nothing_special)),
    (&[SSE, "--enable-proxy"], Settings(|s| matches!(s.remote.http.proxies, Proxies::AsSet(_)))),
    (&[SSE, "--ignore-tool", "delete*", "--ignore-tool", "remove*"], Settings(two_ignored)),
    (&[SSE, "--ignore-tool", "*account"], Settings(ignores_account)),
    (&[SSE, "--ignore-tool", "exactTool"], Settings(ignores_exact)),
    (&[SSE, "--auth-timeout", "60"], SignIn(|auth| auth.timeout == seconds(60))),
    (
        &[SSE, "--connect-timeout", "30", "--body-timeout", "0"],
        Settings(|serve| {
            let http = &serve.remote.http;
            http.connect_timeout == seconds(30) && http.body_timeout.is_none()
        }),
    ),
    (
        &[SSE, "--headers-timeout", "300"],
        Settings(|serve| serve.remote.http.headers_timeout == seconds(300)),
    ),
    (
        &[SSE, "--keep-alive", "--ping-interval", "60"],
        Settings(|serve| serve.relay.ping_every == seconds(60)),
    ),
    (&[SSE, "--ipv4"], Settings(|serve| serve.remote.http.addresses == Addresses::V4Only)),
    (&[EXAMPLE, "--transport", "sse-only"], Settings(nothing_special)),
    (&[EXAMPLE, "--transport", "http-first"], Settings(nothing_special)),
    (&[EXAMPLE, "--transport", "sse-first"], Settings(nothing_special)),
    (&[EXAMPLE, "--transport", "http-only"], Settings(nothing_special)),
    (&[MCP, "--protocol", "auto"], Settings(|s| s.remote.protocol == Protocol::Auto)),
    (&[MCP, "--protocol", "legacy"], Settings(|s| s.remote.protocol == Protocol::Legacy)),
    (
        &[EXAMPLE, "--static-oauth-client-metadata", "{ \"scope\": \"space separated scopes\" }"],
        SignIn(|auth| auth.scope.as_deref() == Some("space separated scopes")),
    ),
    (
        &[EXAMPLE, "--static-oauth-client-metadata", "@METADATA.JSON"],
        SignIn(|auth| auth.client_metadata["software_id"] == "of-a-file"),
    ),
    (
        &[
            EXAMPLE,
            "--static-oauth-client-metadata",
            "{ \"token_endpoint_auth_method\": \"client_secret_post\" }",
        ],
        SignIn(|auth| auth.client_metadata["token_endpoint_auth_method"] == "client_secret_post"),
    ),
    (
        &[
            EXAMPLE,
            "--static-oauth-client-info",
            "{ \"client_id\": \"xxx\", \"client_secret\": \"yyy\" }",
        ],
        SignIn(|auth| is_client(auth, "xxx", "yyy")),
    ),
    (
        &[EXAMPLE, "--static-oauth-client-info", "@INFO.JSON"],
        SignIn(|auth| is_client(auth, "of-a-file", "zzz")),
    ),
    (
        &[EXAMPLE, "--client-metadata-url", DOCUMENT],
        SignIn(|auth| shown(auth.client_metadata_url.as_ref()) == DOCUMENT),
    ),
    (
        &[EXAMPLE, "3334", "--client-metadata-url", DOCUMENT],
        SignIn(|auth| auth.redirect.port == Some(3334) && auth.client_metadata_url.is_some()),
    ),
    (
        &[MCP, "--client-credentials", "--static-oauth-client-info", INFO],
        SignIn(|auth| {
            auth.grant == Grant::ClientCredentials
                && is_client(auth, "my-client", "from-a-variable")
        }),
    ),
    (
        &[
            MCP,
            "--client-credentials",
            "--token-endpoint",
            "https://auth.example.com/oauth/token",
            "--static-oauth-client-info",
            INFO,
            "--static-oauth-client-metadata",
            "{\"scope\":\"mcp.read mcp.write\",\"token_endpoint_auth_method\":\"client_secret_basic\"}",
        ],
        SignIn(|auth| {
            shown(auth.token_endpoint.as_ref()) == "https://auth.example.com/oauth/token"
                && auth.scope.as_deref() == Some("mcp.read mcp.write")
        }),
    ),
    (&[EXAMPLE, "--device-code"], SignIn(|auth| auth.grant == Grant::DeviceCode)),
    (&[EXAMPLE, "--disable-cookies"], Settings(|serve| !serve.remote.cookies)),
    (&[EXAMPLE, "--use-id-token"], SignIn(|auth| auth.use_id_token)),
    (
        &[
            EXAMPLE,
            "--use-id-token",
            "--static-oauth-client-metadata",
            "{ \"scope\": \"openid email\" }",
        ],
        SignIn(|auth| auth.use_id_token && auth.scope.as_deref() == Some("openid email")),
    ),
    // Not in the README, and all over the web: more than one header, a port, and options in any order.
    (
        &[SSE, "3334", "--header", "X-A:1", "--allow-http", "--header", "X-B: 2"],
        Settings(|serve| serve.remote.headers.fixed.len() == 2),
    ),
    (&["--header", "Authorization:${AUTH_HEADER}", SSE], Settings(one_header)),
    (&[SSE, "--transport", "http-only", "--allow-http", "--debug"], Settings(nothing_special)),
];

fn one_header(serve: &Serve) -> bool {
    let names: Vec<_> = serve.remote.headers.fixed.iter().map(|header| header.name()).collect();
    names == ["authorization"] && serve.memory.is_none()
}

fn nothing_special(serve: &Serve) -> bool {
    serve.remote.headers.is_empty() && serve.remote.cookies && serve.relay.filter.is_empty()
}

fn ignored(serve: &Serve, patterns: &[&str]) -> bool {
    let deny = patterns.iter().map(|pattern| Pattern::new(pattern)).collect();
    serve.relay.filter == Filter { deny, ..Filter::default() }
}

fn two_ignored(serve: &Serve) -> bool {
    ignored(serve, &["delete*", "remove*"])
}

fn ignores_account(serve: &Serve) -> bool {
    ignored(serve, &["*account"])
}

fn ignores_exact(serve: &Serve) -> bool {
    ignored(serve, &["exactTool"])
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn shown(url: Option<&url::Url>) -> &str {
    url.map_or("", url::Url::as_str)
}

fn is_client(auth: &auth::Settings, id: &str, expected: &str) -> bool {
    let shared = matches!(&auth.client_secret, Some(ClientSecret::Shared(secret)) if secret.expose() == expected);
    auth.client_id.as_deref() == Some(id) && shared
}

/// The lists with files that are there.
fn readme() -> (tempfile::TempDir, Vec<(Vec<String>, &'static Becomes)>) {
    const FILES: [(&str, &str); 3] = [
        (
            "HEADERS.TXT",
            "# credentials for the example server\nAuthorization: Bearer my-token\n\
             X-Custom-Header: custom-value\n",
        ),
        ("METADATA.JSON", "{ \"software_id\": \"of-a-file\" }"),
        ("INFO.JSON", "{ \"client_id\": \"of-a-file\", \"client_secret\": \"zzz\" }"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, text) in FILES {
        std::fs::write(path(name), text).unwrap();
    }
    let real =
        |arg: &str| FILES.iter().fold(arg.to_owned(), |arg, (n, _)| arg.replace(n, &path(n)));
    let lists =
        README.iter().map(|(args, becomes)| (args.iter().map(|arg| real(arg)).collect(), becomes));
    let lists = lists.collect();
    (folder, lists)
}

fn seconds(count: u64) -> Option<Duration> {
    Some(Duration::from_secs(count))
}

#[test]
fn every_argument_list_of_mcp_remote_means_the_right_thing() {
    let (_folder, lists) = readme();
    let variables = [
        ("AUTH_TOKEN", "x"),
        ("AUTH_HEADER", "Bearer x"),
        ("MCP_CLIENT_SECRET", "from-a-variable"),
    ];
    for (args, becomes) in lists {
        let typed = ["bridge".to_owned()].into_iter().chain(args.clone());
        let parsed = Cli::try_parse_from(typed);
        let cli = parsed.unwrap_or_else(|error| panic!("{args:?}: {error}"));
        let environment: Environment =
            variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let resolved = config::serve(&cli.serve, &environment);
        match (becomes, resolved) {
            (Settings(right), Ok(serve)) => assert!(right(&serve), "{args:?}: {serve:?}"),
            (SignIn(right), Ok(serve)) => assert!(right(&serve.auth), "{args:?}: {:?}", serve.auth),
            (_, resolved) => panic!("{args:?}: {resolved:?}"),
        }
    }
}

#[test]
fn those_that_can_do_their_part_here_run() {
    let (_folder, lists) = readme();
    for (args, _) in lists {
        if args.iter().any(|arg| arg.starts_with("sse-")) {
            continue;
        }
        let server = McpServer::legacy().run();
        let address = args.iter().position(|arg| arg.starts_with("http")).unwrap();
        let mut args = args;
        args[address] = server.url();
        let mut bridge = BridgeProcess::with_args(args.clone())
            .env("AUTH_TOKEN", "x")
            .env("AUTH_HEADER", "Bearer x")
            .env("MCP_CLIENT_SECRET", "x")
            .spawn();
        bridge.initialize();
        assert_eq!(
            bridge.call_tool(1, "echo", json!({"text": "a"}))["result"],
            text("a"),
            "{args:?}"
        );
        bridge.finish();
    }
}

fn bridge(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.args(args).env_remove("COLUMNS").stdin(std::process::Stdio::null());
    command
}

fn run(args: &[&str]) -> (i32, String) {
    let run = bridge(args).output().unwrap();
    let Output { status, stdout, stderr } = run;
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
}

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
    (&["-y", "mcp-remote", "https://h/mcp"], NPX),
    (&["mcp-remote", "https://h/mcp"], NPX),
    (&["npx", "-y", "mcp-remote@latest", "https://h/mcp"], NPX),
    (
        &["completion", "bash"],
        "there is no command `completion`\nhint: write `bridge completions SHELL`, with bash, zsh, fish, \
         powershell or elvish",
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
    assert!(short.lines().count() <= 34, "one screen: {short}");
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

/// A row of the page: the option of mcp-remote, and what the page says of it.
fn rows() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/from-mcp-remote.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `--")?.split('|');
        let option = cells.next()?.split(['`', ' ']).next()?.to_owned();
        Some((option, cells.next_back().and(cells.next_back())?.trim().to_owned()))
    });
    rows.collect()
}

#[test]
fn the_page_for_users_of_mcp_remote_says_what_is_there() {
    let command = Cli::command();
    let arg = |name: &str| {
        let is = |arg: &&clap::Arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some(name) || aliases.contains(&name)
        };
        command.get_arguments().find(is)
    };
    let rows = rows();
    for (option, state) in &rows {
        let expected = match arg(option) {
            Some(arg) if arg.is_hide_set() => "later",
            Some(_) => "yes",
            None => "not there",
        };
        assert!(state.starts_with(expected), "--{option} is {expected}, and the page says {state}");
    }
    let told: BTreeSet<_> = rows.iter().map(|(option, _)| option.as_str()).collect();
    let typed = README.iter().flat_map(|(args, _)| *args).filter_map(|arg| arg.strip_prefix("--"));
    let missing: Vec<_> = typed.filter(|option| !told.contains(option)).collect();
    assert!(missing.is_empty(), "the page does not name {missing:?}");
}
