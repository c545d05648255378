//! Options of signing in, resolved.

mod client;
mod redirect;

use std::time::Duration;

use url::Url;

use super::Environment;
use crate::auth::{self, Browser, Grant, Policy, Resource};
use crate::cli::SignInArgs;
use crate::error::Error;
use crate::os::{self, Told};

/// Parameters that are made anew for each authorization request.
const OF_THE_FLOW: [&str; 8] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "response_mode",
    "response_type",
    "state",
];
/// Likewise for token requests.
const OF_TOKEN_REQUESTS: [&str; 10] = [
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "device_code",
    "grant_type",
    "redirect_uri",
    "refresh_token",
];

/// What the options of signing in come to.
#[derive(Debug, Default)]
pub(super) struct SignIn {
    pub(super) settings: auth::Settings,
    pub(super) browser: Browser,
    /// The secret of the client is kept with what sign-ins earn.
    pub(super) is_secret_kept: bool,
}

/// A secret of a client, as its settings take it.
pub(super) fn client_secret(text: &str) -> auth::ClientSecret {
    client::proof(text)
}

/// Resolves them; `port` is what stands behind the server.
pub(super) fn sign_in(
    args: &SignInArgs,
    port: Option<u16>,
    allow_http: bool,
    environment: &Environment,
) -> Result<SignIn, Error> {
    if args.client_credentials && args.device_code {
        return Err(Error::usage("`--client-credentials` and `--device-code` can't go together")
            .because("the one signs a program in, the other a person")
            .hint("leave one of them out"));
    }
    let client = client::client(args, environment)?;
    let added = parameters("--authorize-param", &args.authorize_param, &OF_THE_FLOW)?;
    let (authorize_params, asked) = without_resource(added);
    let success_url = args.auth_success_url.as_deref();
    let is_secret_kept = client.is_kept;
    let settings = auth::Settings {
        grant: grant(args),
        scope: scope(args, &client),
        client_id: client.id,
        client_secret: client.secret,
        client_metadata: client.metadata,
        client_metadata_url: document(args.client_metadata_url.as_deref())?,
        resource: resource(args, asked)?,
        authorize_params,
        token_params: parameters("--token-param", &args.token_param, &OF_TOKEN_REQUESTS)?,
        trust_issuer: issuer(args.trust_issuer.as_deref())?,
        auth_server_metadata_url: endpoint(
            "--auth-server-metadata-url",
            args.auth_server_metadata_url.as_deref(),
        )?,
        token_endpoint: endpoint("--token-endpoint", args.token_endpoint.as_deref())?,
        use_id_token: args.use_id_token,
        redirect: redirect::redirect(args, port)?,
        success_url: success_url.map(|url| redirect::success_url(url, allow_http)).transpose()?,
        timeout: timeout(args.auth_timeout)?,
    };
    Ok(SignIn { settings, browser: browser(args, environment)?, is_secret_kept })
}

fn grant(args: &SignInArgs) -> Grant {
    match (args.client_credentials, args.device_code) {
        (true, _) => Grant::ClientCredentials,
        (_, true) => Grant::DeviceCode,
        _ => Grant::AuthorizationCode,
    }
}

/// The flag counts before the `scope` of a client's metadata, where mcp-remote has it.
fn scope(args: &SignInArgs, client: &client::Client) -> Option<String> {
    let of_metadata = || client.metadata.get("scope")?.as_str().map(str::to_owned);
    args.scope.clone().or_else(of_metadata).filter(|scope| !scope.trim().is_empty())
}

fn timeout(given: Option<Duration>) -> Result<Option<Duration>, Error> {
    if given.is_some_and(|time| time.is_zero()) {
        return Err(Error::usage("`--auth-timeout` is no time")
            .because("nobody could sign in within it")
            .hint("leave it out for 15 minutes, or write `--auth-timeout 5m`"));
    }
    Ok(given)
}

/// `KEY=VALUE`; of one key the last counts, as with mcp-remote.
fn parameters(
    option: &str,
    given: &[String],
    reserved: &[&str],
) -> Result<Vec<(String, String)>, Error> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for text in given {
        let (key, value) =
            text.split_once('=').map_or(("", ""), |(key, value)| (key.trim(), value));
        if key.is_empty() {
            return Err(Error::usage(format!("one `{option}` can't be used"))
                .because("it has no `=` with a name before it")
                .hint(format!("write `{option} KEY=VALUE`")));
        }
        if reserved.contains(&key) {
            return Err(Error::usage(format!("`{option} {key}=…` can't be used"))
                .because("bridge sets that parameter anew for each request")
                .hint("leave it out"));
        }
        parameters.retain(|(known, _)| known != key);
        parameters.push((key.to_owned(), value.to_owned()));
    }
    Ok(parameters)
}

/// A `resource` among the parameters is meant for the token request too (RFC 8707 §2.2).
fn without_resource(mut all: Vec<(String, String)>) -> (Vec<(String, String)>, Option<String>) {
    let at = all.iter().position(|(key, _)| key == "resource");
    let resource = at.map(|at| all.remove(at).1);
    (all, resource)
}

/// An empty one is none, and `--disable-resource-parameter` counts before `--resource`, both as with
/// mcp-remote.
fn resource(args: &SignInArgs, asked: Option<String>) -> Result<Resource, Error> {
    let given = args.resource.clone().or(asked);
    let given = given.as_deref().map(str::trim);
    match given {
        _ if args.disable_resource_parameter => Ok(Resource::Omitted),
        None => Ok(Resource::Discovered),
        Some("" | "none") => Ok(Resource::Omitted),
        Some(uri) if Url::parse(uri).is_ok_and(|url| url.fragment().is_none()) => {
            Ok(Resource::Named(uri.to_owned()))
        }
        Some(uri) => Err(Error::usage("the resource can't be used")
            .because(format!("`{uri}` is not an absolute URI without a fragment (RFC 8707)"))
            .hint("write `--resource https://mcp.example.com/mcp`, or `--resource none`")),
    }
}

/// An address of the authorization server: https, or on this machine.
fn endpoint(option: &str, given: Option<&str>) -> Result<Option<Url>, Error> {
    let Some(text) = given else { return Ok(None) };
    let url = Url::parse(text.trim()).map_err(|error| unusable(option, error))?;
    let safe = url.scheme() == "https" || (url.scheme() == "http" && redirect::is_loopback(&url));
    if !safe {
        return Err(unusable(option, "it is neither https nor on this machine"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(unusable(option, "it has a password or a fragment in it"));
    }
    Ok(Some(url))
}

/// A client ID metadata document has an https address with a path (its draft, §3).
fn document(given: Option<&str>) -> Result<Option<Url>, Error> {
    const OPTION: &str = "--client-metadata-url";
    let url = endpoint(OPTION, given)?;
    if url.as_ref().is_some_and(|url| url.scheme() != "https" || url.path() == "/") {
        return Err(unusable(OPTION, "it is no https address with a path"));
    }
    Ok(url)
}

/// An issuer is compared as text, so that it is kept as it is written.
fn issuer(given: Option<&str>) -> Result<Option<String>, Error> {
    endpoint("--trust-issuer", given)?;
    Ok(given.map(|text| text.trim().to_owned()))
}

fn unusable(option: &str, reason: impl std::fmt::Display) -> Error {
    Error::usage(format!("the address of `{option}` can't be used"))
        .because(reason)
        .hint(format!("write `{option} https://host/path`"))
}

fn browser(args: &SignInArgs, environment: &Environment) -> Result<Browser, Error> {
    let policy = match args.browser.as_deref().map(str::trim) {
        _ if args.no_browser => Policy::Never,
        None | Some("" | "auto") => of_variable(environment),
        Some("never") => Policy::Never,
        Some(command) => Policy::Programs(vec![program(command)?]),
    };
    let get = |name: &str| environment.get(name).map(str::to_owned);
    let told = Told {
        display: get("DISPLAY"),
        wayland: get("WAYLAND_DISPLAY"),
        bus: get("DBUS_SESSION_BUS_ADDRESS"),
        runtime: get("XDG_RUNTIME_DIR"),
        ssh: ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].iter().any(|name| get(name).is_some()),
        hidden: super::headers::variables_for_nobody(environment),
    };
    Ok(Browser { policy, told })
}

fn program(command: &str) -> Result<Vec<String>, Error> {
    let parts = os::split_command(command).filter(|parts| !parts.is_empty());
    parts.ok_or_else(|| {
        Error::usage("the program of `--browser` can't be run")
            .because("a quote is not closed")
            .hint("write `auto`, `never`, or a program and its arguments")
    })
}

/// `BROWSER` names programs, with colons between; one that can't be read is passed over.
fn of_variable(environment: &Environment) -> Policy {
    let value = environment.get("BROWSER").unwrap_or_default();
    // A path on Windows has a colon in it.
    let commands: Vec<&str> = if cfg!(windows) { vec![value] } else { value.split(':').collect() };
    let programs = commands.into_iter().filter_map(os::split_command);
    let programs: Vec<_> = programs.filter(|parts| !parts.is_empty()).collect();
    if programs.is_empty() { Policy::Auto } else { Policy::Programs(programs) }
}

#[cfg(test)]
mod tests;
