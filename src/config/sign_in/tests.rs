use clap::Parser;
use serde_json::json;

use super::*;
use crate::auth::{ClientSecret, RedirectAddress};
use crate::cli::Cli;

const VARIABLES: [(&str, &str); 3] =
    [("SECRET", "can\"ary"), ("INFO", "{\"client_id\":\"i\"}"), ("SSH_TTY", "/dev/pts/0")];

fn resolved_with(args: &[&str], variables: &[(&str, &str)]) -> Result<SignIn, String> {
    let typed = [&["bridge", "https://h/mcp"], args].concat();
    let cli = Cli::try_parse_from(typed).map_err(|error| error.to_string())?.serve;
    let port = cli.port.as_deref().map(|port| port.parse().unwrap());
    let environment = Environment::of(variables);
    sign_in(&cli.sign_in, port, cli.network.allow_http, &environment).map_err(|e| e.to_string())
}

fn resolved(args: &[&str]) -> Result<SignIn, String> {
    resolved_with(args, &VARIABLES)
}

fn settings(args: &[&str]) -> auth::Settings {
    resolved(args).unwrap_or_else(|error| panic!("{args:?}: {error}")).settings
}

fn shared(settings: &auth::Settings) -> Option<&str> {
    match settings.client_secret.as_ref()? {
        ClientSecret::Shared(secret) => Some(secret.expose()),
        ClientSecret::PrivateKey { .. } => None,
    }
}

#[test]
fn the_redirect_address_is_what_the_user_fixed() {
    let default = RedirectAddress::default();
    let localhost = if cfg!(windows) { "127.0.0.1" } else { "localhost" };
    let at = |host: &str, port, path: &str| RedirectAddress {
        host: Some(host.into()),
        port,
        path: path.into(),
        uri: None,
    };
    let whole = |uri: &str| RedirectAddress { uri: Some(uri.into()), ..default.clone() };
    for (args, expected) in [
        (&[][..], default.clone()),
        (&["9696"], at(localhost, Some(9696), "/oauth/callback")),
        (&["9696", "--host", "127.0.0.1"], at("127.0.0.1", Some(9696), "/oauth/callback")),
        (&["--host", "localhost"], at("localhost", None, "/oauth/callback")),
        (&["--host", "::1"], at("[::1]", None, "/oauth/callback")),
        (&["--host", "dev.example"], at("dev.example", None, "/oauth/callback")),
        (&["--callback-path", "/c"], RedirectAddress { path: "/c".into(), ..default.clone() }),
        (&["--callback-path", "/ä"], RedirectAddress { path: "/%C3%A4".into(), ..default.clone() }),
        (
            &["--static-oauth-client-info", "{\"client_id\":\"i\"}"],
            at(localhost, None, "/oauth/callback"),
        ),
        (&["--redirect-uri", "http://LOCALHOST:1"], whole("http://LOCALHOST:1")),
        (&["--redirect-uri", "https://h/cb?x=1"], whole("https://h/cb?x=1")),
    ] {
        assert_eq!(settings(args).redirect, expected, "{args:?}");
    }
}

#[test]
fn the_resource_is_named_left_out_or_found() {
    let named = |uri: &str| Resource::Named(uri.into());
    for (args, expected) in [
        (&[][..], Resource::Discovered),
        (&["--resource", "https://r/"], named("https://r/")),
        (&["--resource", " https://r "], named("https://r")),
        (&["--resource", "api://app"], named("api://app")),
        (&["--resource", "none"], Resource::Omitted),
        (&["--resource", ""], Resource::Omitted),
        (&["--disable-resource-parameter"], Resource::Omitted),
        (&["--disable-resource-parameter", "--resource", "https://r"], Resource::Omitted),
        (&["--authorize-param", "resource=https://r"], named("https://r")),
    ] {
        let settings = settings(args);
        assert_eq!(settings.resource, expected, "{args:?}");
        assert!(settings.authorize_params.is_empty(), "{args:?}");
    }
}

#[test]
fn a_registered_client_is_read_from_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let info = file("info", "\u{feff}{\"client_id\": \"i\", \"client_secret\": \"${SECRET}\"}\n");
    let secret = file("secret", " can\"ary\n");
    for args in [
        &["--static-oauth-client-info", &format!("@{info}")][..],
        &["--static-oauth-client-info", "{\"client_id\":\"i\",\"client_secret\":\"${SECRET}\"}"],
        &["--client-id", "i", "--client-secret-file", &secret],
    ] {
        let settings = settings(args);
        assert_eq!(settings.client_id.as_deref(), Some("i"), "{args:?}");
        assert_eq!(shared(&settings), Some("can\"ary"), "{args:?}");
        assert!(!format!("{settings:?}").contains("ary"), "{args:?}");
    }
    let settings = settings(&["--static-oauth-client-info", "${INFO}"]);
    assert_eq!(settings.client_id.as_deref(), Some("i"));

    let variables = [("BRIDGE_CLIENT_SECRET", "canary")];
    let settings = resolved_with(&["--client-id", "i"], &variables).unwrap().settings;
    assert_eq!(shared(&settings), Some("canary"));
    let key = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----";
    let settings = resolved_with(&[], &[("BRIDGE_CLIENT_SECRET", key)]).unwrap().settings;
    assert!(matches!(settings.client_secret, Some(ClientSecret::PrivateKey { .. })));
}

#[test]
fn a_client_is_registered_with_what_the_user_wants() {
    let text = "{ \"scope\": \"a b\", \"token_endpoint_auth_method\": \"client_secret_post\" }";
    let with = settings(&["--static-oauth-client-metadata", text]);
    assert_eq!(with.scope.as_deref(), Some("a b"));
    assert_eq!(with.client_metadata["token_endpoint_auth_method"], json!("client_secret_post"));
    let args = ["--static-oauth-client-metadata", text, "--scope", "c"];
    assert_eq!(settings(&args).scope.as_deref(), Some("c"));
    let info = "{\"client_id\":\"i\",\"token_endpoint_auth_method\":\"none\"}";
    let with = settings(&["--static-oauth-client-info", info]);
    assert_eq!(with.client_metadata["token_endpoint_auth_method"], json!("none"));
}

#[test]
fn parameters_are_kept_in_order_and_the_last_of_a_name_counts() {
    let args =
        ["--authorize-param", "a=1=2", "--authorize-param", "b=", "--authorize-param", "a=3"];
    let expected = [("b".to_owned(), String::new()), ("a".to_owned(), "3".to_owned())];
    assert_eq!(settings(&args).authorize_params, expected);
    let args = ["--token-param", "audience=x y"];
    assert_eq!(settings(&args).token_params, [("audience".to_owned(), "x y".to_owned())]);
}

#[test]
fn pages_are_opened_as_the_user_says() {
    let programs = |all: &[&[&str]]| {
        let owned = |parts: &&[&str]| parts.iter().map(|&part| part.to_owned()).collect();
        Policy::Programs(all.iter().map(owned).collect())
    };
    for (args, variables, expected) in [
        (&[][..], &[][..], Policy::Auto),
        (&["--browser", "auto"], &[], Policy::Auto),
        (&["--browser", "never"], &[("BROWSER", "x")], Policy::Never),
        (&["--no-browser"], &[("BROWSER", "x")], Policy::Never),
        (&["--browser", "x -a 'b c' %s"], &[], programs(&[&["x", "-a", "b c", "%s"]])),
        (&["--browser", "y"], &[("BROWSER", "x")], programs(&[&["y"]])),
        (&[], &[("BROWSER", "x:y -n %s::'")], programs(&[&["x"], &["y", "-n", "%s"]])),
        (&["--browser", "auto"], &[("BROWSER", "x")], programs(&[&["x"]])),
        (&[], &[("BROWSER", "")], Policy::Auto),
    ] {
        if cfg!(windows) && variables.iter().any(|(_, value)| value.contains(':')) {
            continue;
        }
        let browser = resolved_with(args, variables).unwrap().browser;
        assert_eq!(browser.policy, expected, "{args:?} {variables:?}");
        assert!(!browser.told.ssh);
    }
    assert!(resolved(&[]).unwrap().browser.told.ssh);
}

#[test]
fn what_can_not_be_used_is_told_with_what_can() {
    let long = "{\"client_id\": canary}";
    for (args, part) in [
        (&["--client-secret", "canary"][..], "BRIDGE_CLIENT_SECRET"),
        (&["--client-secret-file", "/no/such/file"], "/no/such/file"),
        (&["--client-credentials", "--device-code"], "leave one of them out"),
        (&["--token-endpoint", "https://h/token"], "--client-credentials"),
        (&["--client-credentials", "--token-endpoint", "http://h/token"], "neither https"),
        (&["--client-credentials", "--token-endpoint", "https://a:b@h/"], "a password"),
        (&["--client-id", "i", "--static-oauth-client-info", "{\"client_id\":\"i\"}"], "can't go"),
        (&["--static-oauth-client-info", long], "it is no JSON (line 1, column 15)"),
        (&["--static-oauth-client-info", "[]"], "it is no JSON object"),
        (&["--static-oauth-client-info", "{}"], "it has no `client_id`"),
        (&["--static-oauth-client-info", "{\"client_id\":1}"], "`client_id` is no text"),
        (&["--static-oauth-client-info", "{\"client_id\":\"${NO}\"}"], "`NO` is not set"),
        (&["--static-oauth-client-info", "@/no/such/file"], "/no/such/file"),
        (&["--static-oauth-client-metadata", "x"], "write `--static-oauth-client-metadata @FILE`"),
        (&["--client-metadata-url", "https://h"], "no https address with a path"),
        (&["--client-metadata-url", "http://localhost/x"], "no https address with a path"),
        (&["--auth-server-metadata-url", "h/x"], "--auth-server-metadata-url https://host/path"),
        (&["--trust-issuer", "ftp://h"], "neither https"),
        (&["--resource", "mcp"], "absolute URI"),
        (&["--resource", "https://h/#x"], "absolute URI"),
        (&["--authorize-param", "x"], "KEY=VALUE"),
        (&["--authorize-param", "=x"], "KEY=VALUE"),
        (&["--authorize-param", " state =x"], "`--authorize-param state=…`"),
        (&["--token-param", "client_secret=canary"], "`--token-param client_secret=…`"),
        (&["--redirect-uri", "cursor://x"], "neither http nor https"),
        (&["--redirect-uri", "http://h/#x"], "a fragment"),
        (&["3334", "--redirect-uri", "http://h/"], "write the port into"),
        (&["--redirect-uri", "http://h/", "--host", "x"], "cannot be used with"),
        (&["--host", "192.168.1.7"], "--host localhost"),
        (&["--host", "a b"], "--host localhost"),
        (&["--host", "localhost:80"], "--host localhost"),
        (&["--host", "a/b"], "--host localhost"),
        (&["--callback-path", "cb"], "does not begin with `/`"),
        (&["--callback-path", "/a?b"], "does not begin with `/`"),
        (&["--auth-timeout", "0"], "nobody could sign in"),
        (&["--auth-success-url", "http://app.example.com/"], "neither https"),
        (&["--auth-success-url", "https://app.example.com/?x"], "a query"),
        (&["--auth-success-url", "https://a:b@app.example.com/"], "a password"),
        (&["--browser", "'x"], "a quote is not closed"),
        (&["--browser", "x", "--no-browser"], "cannot be used with"),
    ] {
        let Err(error) = resolved(args) else { panic!("{args:?} is taken") };
        assert!(error.contains(part), "{args:?}: no {part} in {error}");
        assert!(!error.contains("canary"), "{args:?}: {error}");
    }
    assert!(resolved(&["--auth-success-url", "http://app.example/", "--allow-http"]).is_ok());
    assert!(resolved(&["--auth-success-url", "http://[::1]:9/done"]).is_ok());
}
