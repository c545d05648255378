//! What can be typed: every argument list of mcp-remote's README, and what is wrong with a list that
//! can't be taken.

mod help;
mod mistakes;

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
use mcp_bridge::remote::Protocol;
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
    (
        &[SSE, "--host", "127.0.0.1"],
        SignIn(|auth| auth.redirect.host.as_deref() == Some("127.0.0.1")),
    ),
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
    command.env("HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

fn run(args: &[&str]) -> (i32, String) {
    let run = bridge(args).output().unwrap();
    let Output { status, stdout, stderr } = run;
    let said = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(said).unwrap())
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
