//! Commands that use a server from a shell.

use std::path::PathBuf;

use clap::{Arg, Args};

use super::ServeArgs;
use super::values::file;

/// What `-h` shows; `--help` shows all.
const USUAL: [&str; 13] = [
    "args",
    "output",
    "json",
    "device_code",
    "client_credentials",
    "header",
    "header_command",
    "allow_http",
    "ca_cert",
    "proxy",
    "credential_store",
    "profile",
    "debug",
];

/// These commands have words behind the server, so that its port is an option.
pub(super) fn of_use(arg: Arg) -> Arg {
    let unusual = !arg.is_positional() && !USUAL.contains(&arg.get_id().as_str());
    let arg = if unusual { arg.hide_short_help(true) } else { arg };
    match arg.get_id().as_str() {
        "port" => arg.index(None).long("callback-port"),
        // They are of a client that lives for long.
        "drain" | "keep_alive" | "ping_interval" | "client_protocol" => arg.hide(true),
        _ => arg,
    }
}

/// Arguments of `tools`.
#[derive(Debug, Args)]
pub struct ToolsArgs {
    /// Show this tool alone, with all that it takes
    #[arg(value_name = "TOOL", index = 2)]
    pub tool: Option<String>,
    /// Print the server's own JSON, a line for each page of the list
    #[arg(long)]
    pub json: bool,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `call`.
#[derive(Debug, Args)]
pub struct CallArgs {
    /// The tool
    #[arg(value_name = "TOOL", index = 2, required = true)]
    pub tool: Option<String>,
    /// Its arguments, typed by its schema; `key:=JSON` is taken as it is, `-` reads a JSON object from stdin
    #[arg(value_name = "KEY=VALUE", index = 3, num_args = 0..)]
    pub pairs: Vec<String>,
    /// All its arguments as one JSON object (`-`: read from stdin)
    #[arg(long, value_name = "JSON", conflicts_with = "pairs", allow_hyphen_values = true)]
    pub args: Option<String>,
    /// Where images, audio and other files go: a file, a folder that is there, or `-` for stdout
    ///
    /// Without it, each is saved in the current folder, beside what is there. With `-` what is text goes to stderr,
    /// where there is a file.
    #[arg(long, short, value_name = "PATH", value_parser = file())]
    pub output: Option<PathBuf>,
    /// Print the server's own JSON, on one line
    #[arg(long)]
    pub json: bool,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `resources`.
#[derive(Debug, Args)]
pub struct ResourcesArgs {
    /// Print the server's own JSON, a line for each page of a list
    #[arg(long)]
    pub json: bool,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `read`.
#[derive(Debug, Args)]
pub struct ReadArgs {
    /// The resource
    #[arg(value_name = "URI", index = 2, required = true)]
    pub uri: Option<String>,
    /// Where it goes: a file, a folder that is there, or `-` for stdout
    ///
    /// Without it, text is printed, and anything else saved in the current folder, beside what is there.
    #[arg(long, short, value_name = "PATH", value_parser = file())]
    pub output: Option<PathBuf>,
    /// Print the server's own JSON, on one line
    #[arg(long)]
    pub json: bool,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `prompts`.
#[derive(Debug, Args)]
pub struct PromptsArgs {
    /// Print the server's own JSON, a line for each page of the list
    #[arg(long)]
    pub json: bool,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `prompt`.
#[derive(Debug, Args)]
pub struct PromptArgs {
    /// The prompt
    #[arg(value_name = "NAME", index = 2, required = true)]
    pub name: Option<String>,
    /// Its arguments, which are texts
    #[arg(value_name = "KEY=VALUE", index = 3, num_args = 0..)]
    pub pairs: Vec<String>,
    /// Where images and audio go: a file, a folder that is there, or `-` for stdout
    #[arg(long, short, value_name = "PATH", value_parser = file())]
    pub output: Option<PathBuf>,
    /// Print the server's own JSON, on one line
    #[arg(long)]
    pub json: bool,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

pub(super) const TOOLS_EXAMPLES: &str = "Examples:
  bridge tools https://mcp.example.com/mcp
      What there is.

  bridge tools https://mcp.example.com/mcp search
      What the tool `search` takes.

  bridge tools https://mcp.example.com/mcp --json | jq -r '.tools[].name'
      The names alone.";

pub(super) const CALL_EXAMPLES: &str = "Examples:
  bridge call https://mcp.example.com/mcp search query='two words' limit=5
      Arguments by name; the tool's schema says which is a number.

  bridge call https://mcp.example.com/mcp tag id=7 tags=a tags=b at.zone=3
      A list by repetition, a member of an object with a dot.

  bridge call https://mcp.example.com/mcp add 'values:=[1, 2.50]'
      A value as JSON, sent as it is typed.

  bridge call https://mcp.example.com/mcp search --args '{\"query\": \"x\"}'
  jq -n '{query: \"x\"}' | bridge call https://mcp.example.com/mcp search -
      All of them as JSON.

  bridge call https://mcp.example.com/mcp chart --output chart.png
      What is no text goes to a file; with `--output -` to stdout.

  bridge call https://mcp.example.com/mcp search query=x --json | jq .content
      The server's own bytes. Exit code 6: the tool says that it failed.";

pub(super) const RESOURCES_EXAMPLES: &str = "Examples:
  bridge resources https://mcp.example.com/mcp
      What there is, and the templates by which more can be read.

  bridge resources https://mcp.example.com/mcp --json | jq '.resources[]?.uri'
      The addresses alone.";

pub(super) const READ_EXAMPLES: &str = "Examples:
  bridge read https://mcp.example.com/mcp memo://today
      Print a text.

  bridge read https://mcp.example.com/mcp photo://7 --output photo.jpg
      Save what is no text.

  bridge read https://mcp.example.com/mcp dump://7 --output - | gunzip
      Pass on the bytes.";

pub(super) const PROMPTS_EXAMPLES: &str = "Examples:
  bridge prompts https://mcp.example.com/mcp
      What there is, and what each takes.

  bridge prompts https://mcp.example.com/mcp --json | jq -r '.prompts[].name'
      The names alone.";

pub(super) const PROMPT_EXAMPLES: &str = "Examples:
  bridge prompt https://mcp.example.com/mcp review language=rust
      Print what it says.

  bridge prompt https://mcp.example.com/mcp review language=rust --json
      The server's own bytes.";
