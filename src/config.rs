//! What was typed, resolved into what each module needs.

mod credentials;
pub mod desktop;
mod expand;
mod headers;
mod network;
pub mod saved;
mod server;
mod sign_in;

use std::path::{Path, PathBuf};

pub use expand::Environment;
pub use headers::KeptHeader;

use crate::cli::{ClientProtocol, FilterArgs, LogArgs, Protocol, ServeArgs, Transport, mistaken};
use crate::error::Error;
use crate::remote::{Endpoint, Strategy};
use crate::{auth, doctor, logging, paths, relay, remote};

/// Everything that `serve` needs.
#[derive(Debug)]
pub struct Serve {
    /// The server.
    pub endpoint: Endpoint,
    /// The saved server that it is, if its name was typed.
    pub saved: Option<SavedName>,
    /// Headers whose values are kept with what sign-ins earn: whoever sends them gets them first.
    pub kept: Vec<KeptHeader>,
    /// The client's secret is kept likewise.
    pub is_secret_kept: bool,
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
    /// Nothing on a terminal may move or steer it: `NO_COLOR` is set, or it is a dumb one.
    pub still: bool,
    /// Nobody is there to sign in, as far as the environment says.
    pub unattended: bool,
    /// The header whose value stands in the arguments, where it looks like a secret.
    pub secret_in_arguments: Option<String>,
}

/// The name of a saved server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedName {
    /// The name.
    pub name: String,
    /// Something beside the name says that another login is meant than the name alone stands for.
    pub is_other_login: bool,
    /// It is about to be saved: until then no command knows the name.
    pub is_new: bool,
}

/// Resolves the arguments of `serve`.
///
/// # Errors
/// A server, a header or another value that can't be used.
pub fn serve(args: &ServeArgs, environment: &Environment) -> Result<Serve, Error> {
    resolved(args, environment).map_err(|error| match &args.saved {
        Some(saved) => saved::told(saved, error),
        None => error,
    })
}

fn resolved(args: &ServeArgs, environment: &Environment) -> Result<Serve, Error> {
    let port = args.port.as_deref().map(|text| port(text, args)).transpose()?;
    let server = args.server.as_deref().unwrap_or_default();
    let endpoint = server::endpoint(args.command, server, args.network.allow_http, environment)?;
    let given = headers::headers(&args.headers, args.saved.as_deref(), environment)?;
    let signed_in = sign_in::sign_in(&args.sign_in, port, args.network.allow_http, environment)?;
    let credentials = credentials::credentials(&args.credentials, environment)?;
    if signed_in.is_secret_kept && args.saved.is_none() {
        return Err(Error::usage(
            "`${keychain}` can't be used in `--static-oauth-client-info` here",
        )
        .because("what is kept belongs to a saved server")
        .hint("save the server with the secret, which is then kept: `bridge add NAME URL …`"));
    }
    let cached =
        paths::cache_folder().map(|folder| folder.join(memory_file(endpoint.url().as_str())));
    Ok(Serve {
        // What was got with credentials belongs to whoever has them: it is kept nowhere.
        memory: cached.clone().filter(|_| given.headers.is_empty() && given.kept.is_empty()),
        saved: args.saved.as_deref().map(|saved| SavedName {
            name: saved.name.clone(),
            is_other_login: saved.is_other_login,
            is_new: false,
        }),
        kept: given.kept,
        is_secret_kept: signed_in.is_secret_kept,
        secret_in_arguments: given.secret_in_arguments,
        still: still(environment),
        unattended: environment.get("CI").is_some(),
        auth: signed_in.settings,
        browser: signed_in.browser,
        remote: remote::Settings {
            max_message_size: args.relay.max_message_size,
            http: network::network(&args.network, &endpoint, environment)?,
            strategy: strategy(args.transport.transport),
            protocol: protocol(args.transport.protocol),
            client_protocol: client_protocol(args.transport.client_protocol),
            facts: cached.map(|file| facts_file(&file, credentials.profile.name())),
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
        credentials,
        endpoint,
    })
}

impl Serve {
    /// Puts in the client's secret, which was kept.
    pub fn set_client_secret(&mut self, secret: &crate::secret::Secret<String>) {
        self.auth.client_secret = Some(sign_in::client_secret(secret.expose()));
        self.is_secret_kept = false;
    }
}

/// What commands need that look at all sign-ins.
#[derive(Debug)]
pub struct SignIns {
    /// How they are kept.
    pub credentials: crate::credentials::Settings,
    /// How connections are made.
    pub http: crate::http::Settings,
}

/// Resolves what concerns all sign-ins of the arguments of a command.
///
/// # Errors
/// The profile or the key can't be used, or what connections are made with.
pub fn sign_ins(args: &ServeArgs, environment: &Environment) -> Result<SignIns, Error> {
    let anywhere = server::endpoint("", "https://localhost/", true, environment)?;
    Ok(SignIns {
        credentials: credentials::credentials(&args.credentials, environment)?,
        http: network::network(&args.network, &anywhere, environment)?,
    })
}

/// How this program was started, to be started once more.
#[derive(Debug, Clone)]
pub struct Relaunch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl Relaunch {
    /// This program as it was started, but for arguments that are no text.
    ///
    /// # Errors
    /// The system does not say where the program is.
    pub fn of_process() -> std::io::Result<Self> {
        let arguments = std::env::args_os().skip(1).filter_map(|each| each.into_string().ok());
        Ok(Self { program: std::env::current_exe()?, arguments: arguments.collect() })
    }
}

/// Whether nothing on a terminal may move, steer it or be coloured.
fn still(environment: &Environment) -> bool {
    environment.get("NO_COLOR").is_some() || environment.get("TERM") == Some("dumb")
}

/// What is to be known of this machine where something is wrong, and whether nothing on a terminal may be coloured.
pub fn machine(environment: &Environment) -> (doctor::Machine, bool) {
    let path = environment.get("PATH").unwrap_or_default();
    let (config, unreadable) = match saved::Config::read() {
        Ok(config) => (config.tried(environment), None),
        Err(error) => (saved::Config::default(), Some(error)),
    };
    let of_servers = config.servers.iter().flat_map(|found| &found.problems);
    let problems = config.unreadable.iter().chain(&config.problems).chain(of_servers);
    let problems = problems.map(|problem| problem.told(&config.file));
    let problems = unreadable.map(|error| error.what).into_iter().chain(problems).collect();
    let written = config.servers.iter().flat_map(|found| saved::written_secrets(&found.saved));
    let warnings = written.map(|secret| secret.told(&config.file)).collect();
    let file = Some(config.file).filter(|file| file.is_file());
    let machine = doctor::Machine {
        program: std::env::current_exe().ok(),
        folders: std::env::split_paths(path).collect(),
        unread_variables: unread_variables(environment),
        file,
        servers: config.servers.len(),
        problems,
        warnings,
    };
    (machine, still(environment))
}

/// Variables that begin as ours do and that nothing reads: misspelt, or of another version. With what was probably
/// meant.
pub fn unread_variables(environment: &Environment) -> Vec<(String, Option<String>)> {
    let unread = headers::unknown_variables(environment);
    if unread.is_empty() {
        return Vec::new();
    }
    let known = crate::cli::variables();
    let of = |name: String| {
        let known = known.iter().map(String::as_str);
        let meant = crate::spelling::nearest(&name, known).map(str::to_owned);
        (name, meant)
    };
    unread.into_iter().map(of).collect()
}

/// Where it is written down what happens to the connection with a server, if its address can be read.
pub fn events(args: &ServeArgs, environment: &Environment) -> Option<PathBuf> {
    let server = args.server.as_deref()?;
    let endpoint = server::endpoint("", server, true, environment).ok()?;
    Some(events_folder()?.join(events_file(&endpoint)))
}

/// The folder of these files.
pub fn events_folder() -> Option<PathBuf> {
    paths::state_folder().map(|folder| folder.join("events"))
}

/// A name that says which server it is, and tells two on one host apart.
fn events_file(endpoint: &Endpoint) -> String {
    let host: String = endpoint.host().chars().map(|c| if c == ':' { '_' } else { c }).collect();
    format!("{host}-{}.log", &digest(endpoint.url().as_str())[..8])
}

/// Whether it is the variable that names this file for the log.
pub fn is_log_of(file: &Path, environment: &Environment) -> bool {
    environment.get("BRIDGE_LOG").is_some_and(|named| Path::new(named) == file)
}

/// Resolves the arguments of the log.
pub fn log(args: &LogArgs) -> logging::Settings {
    let stderr = match (args.debug, args.silent) {
        (true, _) => logging::Level::Everything,
        (_, true) => logging::Level::Nothing,
        _ => logging::Level::Problems,
    };
    let bodies = args.debug && args.log.is_some();
    logging::Settings { stderr, file: args.log.clone(), bodies, events: None }
}

fn strategy(transport: Transport) -> Strategy {
    match transport {
        Transport::HttpFirst => Strategy::HttpFirst,
        Transport::SseFirst => Strategy::SseFirst,
        Transport::HttpOnly => Strategy::HttpOnly,
        Transport::SseOnly => Strategy::SseOnly,
    }
}

fn protocol(protocol: Protocol) -> remote::Protocol {
    match protocol {
        Protocol::Auto => remote::Protocol::Auto,
        Protocol::Legacy => remote::Protocol::Legacy,
        Protocol::Modern => remote::Protocol::Modern,
    }
}

fn client_protocol(protocol: ClientProtocol) -> remote::ClientProtocol {
    match protocol {
        ClientProtocol::Auto => remote::ClientProtocol::Auto,
        ClientProtocol::Modern => remote::ClientProtocol::Modern,
    }
}

/// The port behind the server.
fn port(text: &str, args: &ServeArgs) -> Result<u16, Error> {
    match text.parse() {
        Ok(0) => Err(Error::usage("the port 0 can't be used")
            .because("a browser could not find it")
            .hint("leave it out: then one is chosen that is always the same for the server")),
        Ok(port) => Ok(port),
        Err(_) => Err(mistaken::port(args.server.as_deref().unwrap_or_default(), text)),
    }
}

fn filter(args: &FilterArgs) -> relay::Filter {
    let patterns = |texts: &[String]| texts.iter().map(|text| relay::Pattern::new(text)).collect();
    relay::Filter {
        deny: patterns(&args.deny_tool),
        allow: patterns(&args.allow_tool),
        read_only: args.read_only,
    }
}

/// One file for each endpoint. The URL may hold a key, so that the name is a digest of it.
fn memory_file(server: &str) -> String {
    format!("servers/{}.json", digest(server))
}

fn digest(server: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, server.as_bytes());
    digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where it is noted what the server at this address is, as this profile meets it.
pub fn facts(server: &str, profile: &str) -> Option<PathBuf> {
    paths::cache_folder().map(|folder| facts_file(&folder.join(memory_file(server)), profile))
}

/// Where it is noted what the server is, beside what it answered: each profile may meet another one behind
/// the same address.
fn facts_file(memory: &Path, profile: &str) -> PathBuf {
    let extension = if profile == "default" { "facts".into() } else { format!("{profile}.facts") };
    memory.with_extension(extension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn serve_of(args: &[&str]) -> Result<Serve, String> {
        let cli = Cli::try_parse_from([&["bridge"], args].concat()).map_err(|e| e.to_string())?;
        serve(&cli.serve, &Environment::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn answers_got_with_headers_are_not_kept() {
        assert!(serve_of(&["https://h/mcp"]).unwrap().memory.is_some());
        assert!(serve_of(&["https://h/mcp", "--header", "X=1"]).unwrap().memory.is_none());
        assert!(serve_of(&["https://h/mcp", "--header-command", "x"]).unwrap().memory.is_none());
    }

    #[test]
    fn a_secret_in_the_arguments_is_told_by_the_name_that_was_typed() {
        let named = |header| serve_of(&["https://h/mcp", "--header", header]).unwrap();
        let name = named("Authorization: Bearer x").secret_in_arguments;
        assert_eq!(name.as_deref(), Some("Authorization"));
        assert_eq!(named("X-Trace=1").secret_in_arguments, None);
    }

    #[test]
    fn the_memory_of_a_server_does_not_show_its_address() {
        let serve = serve_of(&["https://h.example/mcp?key=canary"]).unwrap();
        let path = serve.memory.map(|path| path.display().to_string()).unwrap_or_default();
        assert!(!path.contains("canary") && !path.contains("h.example"), "{path}");
    }
}
