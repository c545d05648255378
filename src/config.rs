//! What was typed, resolved into what each module needs.

mod credentials;
mod expand;
mod headers;
mod network;
mod sign_in;

use std::path::PathBuf;

pub use expand::Environment;

use crate::cli::{FilterArgs, LogArgs, RelayArgs, ServeArgs, Transport};
use crate::error::Error;
use crate::remote::{Endpoint, EndpointError, Strategy, without_secrets};
use crate::{auth, logging, paths, relay, remote};

/// Everything that `serve` needs.
#[derive(Debug)]
pub struct Serve {
    /// The server.
    pub endpoint: Endpoint,
    /// How it is spoken to.
    pub remote: remote::Settings,
    /// How the two sides are joined.
    pub relay: relay::Settings,
    /// How what a sign-in earns is kept.
    pub credentials: crate::credentials::Settings,
    /// Where earlier answers are remembered.
    pub memory: Option<PathBuf>,
    /// How it is signed in.
    pub auth: auth::Settings,
    /// How a sign-in's page is opened.
    pub browser: auth::Browser,
    /// The header whose value stands in the arguments, where it looks like a secret.
    pub secret_in_arguments: Option<String>,
}

/// Resolves the arguments of `serve`.
///
/// # Errors
/// A server or a header that can't be used, an option that is not there yet.
pub fn serve(args: &ServeArgs, environment: &Environment) -> Result<Serve, Error> {
    if let Some(option) = args.later.first() {
        return Err(not_yet(option));
    }
    let port = args.port.as_deref().map(port).transpose()?;
    let server = args.server.as_deref().unwrap_or_default();
    let endpoint = endpoint(server, &args.relay, environment)?;
    let given = headers::headers(&args.headers, environment)?;
    let signed_in = sign_in::sign_in(&args.sign_in, port, args.relay.allow_http, environment)?;
    let cached = paths::cache_folder().map(|folder| folder.join(memory_file(&endpoint)));
    Ok(Serve {
        // What was got with credentials belongs to whoever has them: it is kept nowhere.
        memory: cached.clone().filter(|_| given.headers.is_empty()),
        secret_in_arguments: given.secret_in_arguments,
        auth: signed_in.settings,
        browser: signed_in.browser,
        remote: remote::Settings {
            max_message_size: args.relay.max_message_size,
            http: network::network(&args.network, &endpoint, environment)?,
            strategy: strategy(args.transport.transport),
            facts: cached.map(|file| file.with_extension("transport")),
            headers: given.headers,
            cookies: !args.headers.disable_cookies,
            ..remote::Settings::default()
        },
        relay: relay::Settings {
            max_message_size: args.relay.max_message_size,
            tool_timeout: args.relay.tool_timeout,
            drain: args.relay.drain,
            ping_every: network::ping_interval(&args.network),
            filter: filter(&args.filters),
            ..relay::Settings::default()
        },
        credentials: credentials::credentials(&args.credentials, environment)?,
        endpoint,
    })
}

/// Resolves the arguments of the log.
pub fn log(args: &LogArgs) -> logging::Settings {
    let stderr = match (args.debug, args.silent) {
        (true, _) => logging::Level::Everything,
        (_, true) => logging::Level::Nothing,
        _ => logging::Level::Problems,
    };
    logging::Settings { stderr, file: args.log.clone() }
}

fn strategy(transport: Transport) -> Strategy {
    match transport {
        Transport::HttpFirst => Strategy::HttpFirst,
        Transport::SseFirst => Strategy::SseFirst,
        Transport::HttpOnly => Strategy::HttpOnly,
        Transport::SseOnly => Strategy::SseOnly,
    }
}

/// The port behind the server.
fn port(text: &str) -> Result<u16, Error> {
    match text.parse() {
        Ok(0) => Err(Error::usage("the port 0 can't be used")
            .because("a browser could not find it")
            .hint("leave it out: then one is chosen that is always the same for the server")),
        Ok(port) => Ok(port),
        Err(_) => Err(too_many_arguments()),
    }
}

/// An option of mcp-remote that has to wait for a later version.
fn not_yet(option: &str) -> Error {
    Error::usage(format!("`--{option}` is not there yet in this version of bridge"))
        .hint(format!("leave it out, or write `--{option} legacy`: that is what there is"))
}

/// More arguments than there are places for. They are not shown: a part of a secret may be among them.
pub fn too_many_arguments() -> Error {
    Error::usage("there are more arguments than `bridge SERVER` takes")
        .because("a value with a space in it was split, or a `--` is missing")
        .hint("write values without spaces: `--header Name=value`, `--header Name=${VAR}`")
}

fn filter(args: &FilterArgs) -> relay::Filter {
    let patterns = |texts: &[String]| texts.iter().map(|text| relay::Pattern::new(text)).collect();
    relay::Filter {
        deny: patterns(&args.deny_tool),
        allow: patterns(&args.allow_tool),
        read_only: args.read_only,
    }
}

fn endpoint(server: &str, args: &RelayArgs, environment: &Environment) -> Result<Endpoint, Error> {
    let expanded = expand::expand(server, environment).map_err(|error| {
        Error::usage("the server can't be used")
            .because(error)
            .hint("set the variable in the client's entry for this server (`env`)")
    })?;
    let endpoint = Endpoint::parse(&expanded).map_err(|error| match error {
        // What a variable held is not shown.
        EndpointError::NotAUrl(_) => unusable(server, &EndpointError::NotAUrl(server.to_owned())),
        other => unusable(server, &other),
    })?;
    if !endpoint.origin().tls && !endpoint.is_loopback() && !args.allow_http {
        let what = format!("{} is reached without encryption", endpoint.shown());
        return Err(Error::usage(what)
            .because("whoever is on the way could read and change every message")
            .hint("use its https:// address, or add `--allow-http` if you trust the network"));
    }
    Ok(endpoint)
}

fn unusable(server: &str, error: &EndpointError) -> Error {
    let failed = Error::usage("the server can't be used").because(error);
    match error {
        EndpointError::NotAUrl(_) if !server.contains("://") => failed
            .hint(format!("write the whole address: `bridge https://{}`", without_secrets(server))),
        EndpointError::NotAUrl(_) => failed.hint("an address looks like https://host/path"),
        EndpointError::Scheme(_) => failed.hint("an address begins with https://"),
        EndpointError::Credentials => failed.hint("take the part before the @ out of the address"),
    }
}

/// One file for each endpoint. The URL may hold a key, so that the name is a digest of it.
fn memory_file(endpoint: &Endpoint) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, endpoint.url().as_str().as_bytes());
    let hex: String = digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("servers/{hex}.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn resolved(args: &[&str]) -> Result<Serve, String> {
        let cli = Cli::try_parse_from([&["bridge"], args].concat()).map_err(|e| e.to_string())?;
        serve(&cli.serve, &Environment::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_without_encryption_has_to_be_on_this_machine_or_allowed() {
        assert!(resolved(&["http://localhost:3000/mcp"]).is_ok());
        assert!(resolved(&["http://[::1]:3000/mcp"]).is_ok());
        assert!(resolved(&["http://10.0.0.7/mcp", "--allow-http"]).is_ok());
        let error = resolved(&["http://10.0.0.7/mcp"]).unwrap_err();
        assert!(error.contains("`--allow-http`"), "{error}");
    }

    #[test]
    fn a_server_that_is_no_address_is_told_how_to_write_one() {
        let error = resolved(&["mcp.example.com/mcp"]).unwrap_err();
        assert_eq!(
            error,
            "error: the server can't be used\n  because: `mcp.example.com/mcp` is not a URL\n\
             hint: write the whole address: `bridge https://mcp.example.com/mcp`"
        );
        assert!(resolved(&["https://me:secret@h/"]).unwrap_err().contains("before the @"));
    }

    #[test]
    fn a_variable_in_the_address_is_not_shown() {
        let environment = Environment::of(&[("KEY", "canary")]);
        let parsed = |url: &str| {
            let cli = Cli::try_parse_from(["bridge", url]).unwrap();
            let served = serve(&cli.serve, &environment).map_err(|error| error.to_string());
            served.map(|serve| serve.endpoint.url().to_string())
        };
        assert_eq!(parsed("https://h/mcp?key=${KEY}").unwrap(), "https://h/mcp?key=canary");
        assert!(!parsed("h ${KEY}").unwrap_err().contains("canary"));
        assert!(parsed("https://h/${OTHER}").unwrap_err().contains("`OTHER` is not set"));
    }

    #[test]
    fn answers_got_with_headers_are_not_kept() {
        assert!(resolved(&["https://h/mcp"]).unwrap().memory.is_some());
        assert!(resolved(&["https://h/mcp", "--header", "X=1"]).unwrap().memory.is_none());
        assert!(resolved(&["https://h/mcp", "--header-command", "x"]).unwrap().memory.is_none());
    }

    #[test]
    fn the_memory_of_a_server_does_not_show_its_address() {
        let serve = resolved(&["https://h.example/mcp?key=canary"]).unwrap();
        let path = serve.memory.map(|path| path.display().to_string()).unwrap_or_default();
        assert!(!path.contains("canary") && !path.contains("h.example"), "{path}");
    }
}
