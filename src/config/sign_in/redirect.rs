//! Where the browser comes back to, and where it goes after a success.

use url::{Host, Url};

use crate::auth::RedirectAddress;
use crate::cli::SignInArgs;
use crate::error::Error;

/// Whether an address stays on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

pub(super) fn redirect(args: &SignInArgs, port: Option<u16>) -> Result<RedirectAddress, Error> {
    let default = RedirectAddress::default();
    if let Some(uri) = &args.redirect_uri {
        if port.is_some() {
            return Err(Error::usage("a port and `--redirect-uri` can't go together")
                .hint("write the port into the redirect URI"));
        }
        return Ok(RedirectAddress { uri: Some(whole(uri)?), ..default });
    }
    let host = match &args.host {
        Some(host) => Some(self::host(host)?),
        None if is_like_mcp_remote(args, port) => Some("localhost".to_owned()),
        None => None,
    };
    let path = args.callback_path.as_deref().map_or(Ok(default.path), path)?;
    Ok(RedirectAddress { uri: None, host, port, path })
}

/// Whether the redirect URI may have been given to an authorization server that mcp-remote was used with:
/// then it is `localhost`, but on Windows.
fn is_like_mcp_remote(args: &SignInArgs, port: Option<u16>) -> bool {
    let fixed = port.is_some()
        || args.static_oauth_client_info.is_some()
        || args.client_metadata_url.is_some();
    fixed && !cfg!(windows)
}

/// A redirect URI is kept as it is written: providers compare it as text.
fn whole(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let refused = |reason: &str| {
        Error::usage("the redirect URI can't be used")
            .because(reason)
            .hint("write it as the authorization server knows it: `http://127.0.0.1:3334/callback`")
    };
    let url = Url::parse(text).map_err(|_| refused("it is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("it is neither http nor https"));
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it has a fragment or a password in it"));
    }
    Ok(text.to_owned())
}

fn host(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let bracketed = if text == "::1" { "[::1]" } else { text };
    // A name may be made to lead here; a foreign number never does.
    let fine = match Host::parse(bracketed) {
        Ok(Host::Domain(name)) => !name.is_empty(),
        Ok(Host::Ipv4(ip)) => ip.is_loopback(),
        Ok(Host::Ipv6(ip)) => ip.is_loopback(),
        Err(_) => false,
    };
    if fine {
        return Ok(bracketed.to_owned());
    }
    Err(Error::usage("the host of the redirect URI can't be used")
        .because(format!("`{text}` is no name, and no address of this machine's loopback"))
        .hint("write `--host localhost`, `--host 127.0.0.1` or `--host [::1]`"))
}

fn path(text: &str) -> Result<String, Error> {
    if !text.starts_with('/') || text.contains(['?', '#']) || text.contains(char::is_whitespace) {
        return Err(Error::usage("the path of the redirect URI can't be used")
            .because(format!("`{text}` does not begin with `/`, or has `?`, `#` or a space in it"))
            .hint("write `--callback-path /oauth/callback`"));
    }
    // As a browser writes it.
    let url = Url::parse(&format!("http://localhost{text}"));
    Ok(url.map_or_else(|_| text.to_owned(), |url| url.path().to_owned()))
}

/// As with mcp-remote: nothing is added to it, so that there is nothing to take apart there.
pub(super) fn success_url(text: &str, allow_http: bool) -> Result<Url, Error> {
    let refused = |reason: &str| {
        Error::usage("the address of `--auth-success-url` can't be used")
            .because(reason)
            .hint("write an https address without a query: `https://app.example.com/done`")
    };
    let url = Url::parse(text.trim()).map_err(|_| refused("it is not a URL"))?;
    let http = url.scheme() == "http" && (allow_http || is_loopback(&url));
    if url.scheme() != "https" && !http {
        return Err(refused("it is neither https nor on this machine"));
    }
    if !url.username().is_empty() || url.password().is_some() || text.contains(['?', '#']) {
        return Err(refused("it has a password, a query or a fragment in it"));
    }
    Ok(url)
}
