//! The server's address: what was typed, and what to type if it can't be used.

use super::expand::{Environment, expand, unexpanded};
use super::saved;
use crate::cli::mistaken;
use crate::error::Error;
use crate::printable::one_line;
use crate::remote::{Endpoint, EndpointError, without_secrets};

/// What is typed before the address of a server that is to be saved.
pub(super) const ADD: &str = "add NAME";
/// Characters of an address that can't be used that are shown.
const LONGEST: usize = 100;

/// Resolves the server of a command.
///
/// # Errors
/// An address that can't be used, or that would be reached without encryption.
pub(super) fn endpoint(
    command: &str,
    server: &str,
    allow_http: bool,
    environment: &Environment,
) -> Result<Endpoint, Error> {
    // Behind a name no word is a command.
    if let Some(mistaken) = mistaken::server(server).filter(|_| command != ADD) {
        return Err(mistaken);
    }
    if server.trim().contains(char::is_whitespace) && !server.contains("${") {
        return Err(Error::usage("the server can't be used")
            .because("there is a space in it, as where several arguments are written as one")
            .hint(
                "write each argument by itself: `\"args\": [\"https://mcp.example.com/mcp\", \
                 \"--debug\"]`; a space that belongs to the address is `%20`",
            ));
    }
    if unexpanded(server) {
        return Err(Error::usage("the server can't be used")
            .because("it holds the name of a variable that was not replaced")
            .hint("write `${VAR}`; bridge replaces it by the variable of its environment"));
    }
    let expanded = expand(server, environment).map_err(|error| {
        Error::usage("the server can't be used")
            .because(error)
            .hint("set the variable in the client's entry for this server (`env`)")
    })?;
    let endpoint = Endpoint::parse(&expanded).map_err(|error| match error {
        // What a variable held is not shown.
        EndpointError::NotAUrl(_) => {
            unusable(command, server, &EndpointError::NotAUrl(shown(server)))
        }
        // `localhost:3000` reads as a scheme.
        EndpointError::Scheme(_) if !expanded.contains("://") => {
            unusable(command, server, &EndpointError::NotAUrl(shown(server)))
        }
        other => unusable(command, server, &other),
    })?;
    if !endpoint.origin().tls && !endpoint.is_loopback() && !allow_http {
        let what = format!("{} would be reached without encryption", endpoint.shown());
        return Err(Error::usage(what)
            .because("others on the network could read and change every message")
            .hint("use its https:// address, or add `--allow-http` if you trust the network"));
    }
    Ok(endpoint)
}

fn unusable(command: &str, server: &str, error: &EndpointError) -> Error {
    let failed = Error::usage("the server can't be used").because(error);
    let shown = shown(server);
    match error {
        EndpointError::NotAUrl(_) if command != ADD && saved::is_name(server) => {
            saved::unknown(command, server)
        }
        _ if server.starts_with(['\'', '"', '\u{201c}', '\u{2018}']) => failed.hint(
            "take the quotes away, or use plain double quotes: cmd.exe passes single ones on, and a \
             list of arguments in JSON needs none inside",
        ),
        EndpointError::NotAUrl(_) if !server.contains("://") => {
            let scheme = if is_local(server) { "http" } else { "https" };
            let space = if command.is_empty() { "" } else { " " };
            failed.hint(format!(
                "write the whole address: `bridge {command}{space}{scheme}://{shown}`"
            ))
        }
        EndpointError::NotAUrl(_) => failed.hint("an address looks like https://host/path"),
        EndpointError::Scheme(_) => failed.hint("an address begins with https://"),
        EndpointError::Credentials => failed.hint(
            "take the part before the @ out of the address; if the server wants it, send it with \
             `--header 'Authorization=Basic ${LOGIN}'`",
        ),
    }
}

fn shown(server: &str) -> String {
    one_line(&without_secrets(server), LONGEST)
}

fn is_local(server: &str) -> bool {
    let host = server.split(['/', ':']).next().unwrap_or_default();
    host == "localhost" || host.starts_with("127.") || server.starts_with("[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(server: &str) -> Result<Endpoint, String> {
        endpoint("", server, false, &Environment::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_without_encryption_has_to_be_on_this_machine_or_allowed() {
        assert!(resolved("http://localhost:3000/mcp").is_ok());
        assert!(resolved("http://[::1]:3000/mcp").is_ok());
        assert!(endpoint("", "http://10.0.0.7/mcp", true, &Environment::default()).is_ok());
        let error = resolved("http://10.0.0.7/mcp").unwrap_err();
        assert!(error.contains("`--allow-http`"), "{error}");
    }

    #[test]
    fn a_server_that_is_no_address_is_told_how_to_write_one() {
        let error = resolved("mcp.example.com/mcp").unwrap_err();
        assert_eq!(
            error,
            "error: the server can't be used\n  because: `mcp.example.com/mcp` is not a URL\n\
             hint: write the whole address: `bridge https://mcp.example.com/mcp`"
        );
        assert!(resolved("https://me:secret@h/").unwrap_err().contains("before the @"));
    }

    #[test]
    fn a_variable_in_the_address_is_not_shown() {
        let environment = Environment::of(&[("KEY", "canary")]);
        let parsed = |url: &str| {
            let endpoint =
                endpoint("", url, false, &environment).map_err(|error| error.to_string());
            endpoint.map(|endpoint| endpoint.url().to_string())
        };
        assert_eq!(parsed("https://h/mcp?key=${KEY}").unwrap(), "https://h/mcp?key=canary");
        assert!(!parsed("h ${KEY}").unwrap_err().contains("canary"));
        assert!(parsed("https://h/${OTHER}").unwrap_err().contains("`OTHER` is not set"));
    }
}
