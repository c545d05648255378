//! What was typed, resolved into what each module needs.

mod network;

use std::path::PathBuf;

use crate::cli::{LogArgs, RelayArgs, ServeArgs, Transport};
use crate::error::Error;
use crate::remote::{Endpoint, EndpointError, Strategy};
use crate::{logging, paths, relay, remote};

/// Everything that `serve` needs.
#[derive(Debug)]
pub struct Serve {
    /// The server.
    pub endpoint: Endpoint,
    /// How it is spoken to.
    pub remote: remote::Settings,
    /// How the two sides are joined.
    pub relay: relay::Settings,
    /// Where earlier answers are remembered.
    pub memory: Option<PathBuf>,
}

/// Resolves the arguments of `serve`.
///
/// # Errors
/// A server that can't be used.
pub fn serve(args: &ServeArgs) -> Result<Serve, Error> {
    let server = args.server.as_deref().unwrap_or_default();
    let endpoint = endpoint(server, &args.relay)?;
    let cached = paths::cache_folder().map(|folder| folder.join(memory_file(&endpoint)));
    Ok(Serve {
        memory: cached.clone(),
        remote: remote::Settings {
            max_message_size: args.relay.max_message_size,
            http: network::network(&args.network, &endpoint)?,
            strategy: strategy(args.transport.transport),
            facts: cached.map(|file| file.with_extension("transport")),
            ..remote::Settings::default()
        },
        relay: relay::Settings {
            max_message_size: args.relay.max_message_size,
            tool_timeout: args.relay.tool_timeout,
            drain: args.relay.drain,
            ping_every: network::ping_interval(&args.network),
            ..relay::Settings::default()
        },
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

fn endpoint(server: &str, args: &RelayArgs) -> Result<Endpoint, Error> {
    let endpoint = Endpoint::parse(server).map_err(|error| unusable(server, &error))?;
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
        EndpointError::NotAUrl(_) if !server.contains("://") => {
            failed.hint(format!("write the whole address: `bridge https://{server}`"))
        }
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
        serve(&cli.serve).map_err(|error| error.to_string())
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
    fn the_memory_of_a_server_does_not_show_its_address() {
        let serve = resolved(&["https://h.example/mcp?key=canary"]).unwrap();
        let path = serve.memory.map(|path| path.display().to_string()).unwrap_or_default();
        assert!(!path.contains("canary") && !path.contains("h.example"), "{path}");
    }
}
