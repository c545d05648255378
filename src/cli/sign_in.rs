//! Options of signing in.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{duration, switch};
use crate::secret::Secret;

/// Options of signing in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Signing in")]
pub struct SignInArgs {
    /// How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)
    ///
    /// The address is always told as well. `auto` takes what the variable BROWSER names, else the system's
    /// browser. No shell runs a program: the line is split at spaces, quotes hold a part together.
    #[arg(long, value_name = "auto|never|COMMAND", env = "BRIDGE_BROWSER")]
    pub browser: Option<String>,
    /// Open no page: the same as `--browser never`
    #[arg(long, conflicts_with = "browser", hide_short_help = true)]
    pub no_browser: bool,
    /// Sign in on another device, with a code (RFC 8628)
    #[arg(long, env = "BRIDGE_DEVICE_CODE", value_parser = switch)]
    pub device_code: bool,
    /// Sign in as a program, with a client's own id and secret (RFC 6749, 4.4)
    #[arg(long, env = "BRIDGE_CLIENT_CREDENTIALS", value_parser = switch)]
    pub client_credentials: bool,
    /// Id of a client that is registered at the authorization server
    #[arg(long, value_name = "ID", env = "BRIDGE_CLIENT_ID")]
    pub client_id: Option<String>,
    /// File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET
    #[arg(long, value_name = "FILE", env = "BRIDGE_CLIENT_SECRET_FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// Not taken: every user of the machine can read arguments
    #[arg(long, value_name = "SECRET", hide = true, value_parser = secret)]
    pub client_secret: Option<Secret<String>>,
    /// Scopes to ask for, with spaces between; without it, what the server names
    #[arg(long, value_name = "SCOPES", env = "BRIDGE_SCOPE")]
    pub scope: Option<String>,
    /// Resource to ask a token for (RFC 8707), or `none`; without it, what the server names
    #[arg(long, value_name = "URI|none", env = "BRIDGE_RESOURCE", allow_hyphen_values = true)]
    pub resource: Option<String>,
    /// Send no resource: the same as `--resource none`
    #[arg(long, env = "BRIDGE_DISABLE_RESOURCE_PARAMETER", hide_short_help = true, value_parser = switch)]
    pub disable_resource_parameter: bool,
    /// Add a parameter to the authorization request: `prompt=consent` (repeatable)
    #[arg(long, value_name = "KEY=VALUE", hide_short_help = true)]
    pub authorize_param: Vec<String>,
    /// Add a parameter to token requests (repeatable)
    #[arg(long, value_name = "KEY=VALUE", hide_short_help = true)]
    pub token_param: Vec<String>,
    /// Send the ID token in place of the access token
    #[arg(long, env = "BRIDGE_USE_ID_TOKEN", hide_short_help = true, value_parser = switch)]
    pub use_id_token: bool,
    /// Whole redirect URI, when the authorization server knows a certain one
    #[arg(long, value_name = "URI", env = "BRIDGE_REDIRECT_URI", hide_short_help = true)]
    pub redirect_uri: Option<String>,
    /// Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`
    #[arg(
        long,
        value_name = "HOST",
        env = "BRIDGE_HOST",
        conflicts_with = "redirect_uri",
        hide_short_help = true
    )]
    pub host: Option<String>,
    /// Path of the redirect URI; without it, `/oauth/callback`
    #[arg(
        long,
        value_name = "PATH",
        env = "BRIDGE_CALLBACK_PATH",
        conflicts_with = "redirect_uri",
        hide_short_help = true
    )]
    pub callback_path: Option<String>,
    /// Where the browser goes after a success, in place of our own page
    #[arg(long, value_name = "URL", env = "BRIDGE_AUTH_SUCCESS_URL", hide_short_help = true)]
    pub auth_success_url: Option<String>,
    /// How long a sign-in may take; without it, 15 minutes
    #[arg(long, value_name = "TIME", env = "BRIDGE_AUTH_TIMEOUT", hide_short_help = true, value_parser = duration)]
    pub auth_timeout: Option<Duration>,
    /// Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`
    #[arg(long, value_name = "JSON|@FILE", hide_short_help = true, value_parser = secret)]
    pub static_oauth_client_info: Option<Secret<String>>,
    /// Members of the registration request as JSON, or `@FILE` (RFC 7591)
    #[arg(long, value_name = "JSON|@FILE", hide_short_help = true)]
    pub static_oauth_client_metadata: Option<String>,
    /// Address of your own client ID metadata document
    #[arg(long, value_name = "URL", env = "BRIDGE_CLIENT_METADATA_URL", hide_short_help = true)]
    pub client_metadata_url: Option<String>,
    /// Address of the authorization server's metadata, in place of what the server names
    #[arg(
        long,
        value_name = "URL",
        env = "BRIDGE_AUTH_SERVER_METADATA_URL",
        hide_short_help = true
    )]
    pub auth_server_metadata_url: Option<String>,
    /// Trust this issuer although its metadata names another
    #[arg(long, value_name = "ISSUER", env = "BRIDGE_TRUST_ISSUER", hide_short_help = true)]
    pub trust_issuer: Option<String>,
    /// Token endpoint, in place of looking for it; with `--client-credentials`
    #[arg(
        long,
        value_name = "URL",
        env = "BRIDGE_TOKEN_ENDPOINT",
        requires = "client_credentials",
        hide_short_help = true
    )]
    pub token_endpoint: Option<String>,
}

/// It may hold a secret, so that nothing is said of it here.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a parser")]
fn secret(text: &str) -> Result<Secret<String>, Infallible> {
    Ok(Secret::new(text.to_owned()))
}
