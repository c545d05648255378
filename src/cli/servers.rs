//! Arguments of the commands that save servers.

use clap::Args;

use super::ServeArgs;

pub(super) const ADD_EXAMPLES: &str = "Examples:
  bridge add work https://mcp.example.com/mcp
      From now on `bridge work` serves it, and `bridge login work` signs in.

  bridge add work https://mcp.example.com/mcp --profile work --read-only
      With options, which are saved too.

  bridge add api https://mcp.example.com/mcp --secret-header X-Api-Key
      With a key, which is asked for and kept behind the keychain.

  bridge add api https://mcp.example.com/mcp --header 'X-Api-Key=${API_KEY}'
      With a key from the environment.

  wl-paste | bridge add --from-json -
      What a vendor's page shows for `mcpServers`.";

pub(super) const LIST_EXAMPLES: &str = "Examples:
  bridge list
  bridge list --json | jq -r '.[].name'";

pub(super) const SHOW_EXAMPLES: &str = "Examples:
  bridge show work
  bridge show work --json";

pub(super) const REMOVE_EXAMPLES: &str = "Examples:
  bridge remove work
  bridge remove work --yes";

/// Arguments of `add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Its name: letters, digits, `-` and `_`
    #[arg(value_name = "NAME", index = 1)]
    pub name: Option<String>,
    /// Keep the value of this header behind the keychain (repeatable)
    ///
    /// It is asked for without being shown, or read from stdin where there is no terminal.
    #[arg(long, value_name = "NAME")]
    pub secret_header: Vec<String>,
    /// Take what a vendor shows for `mcpServers`, from a file or from stdin
    #[arg(long, value_name = "FILE|-")]
    pub from_json: Option<String>,
    /// Save it without asking the server
    #[arg(long)]
    pub no_check: bool,
    /// Save it in place of another of that name
    ///
    /// Without a URL, what is saved stays, but for what is given.
    #[arg(long)]
    pub force: bool,
    /// The options that were typed, by their long names, to be saved.
    #[arg(skip)]
    pub typed: Vec<(String, Vec<String>)>,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print names alone, one a line
    #[arg(long, hide = true)]
    pub names: bool,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The name of a saved server
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The name of a saved server
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}
