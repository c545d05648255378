//! What can be typed. What it means stands in [`crate::config`].

mod credentials;
mod desktop;
mod filters;
mod headers;
mod log;
mod logs;
pub mod mistaken;
mod network;
mod parse;
mod purge;
mod relay;
mod saved;
mod servers;
mod sign_in;
mod transport;
mod using;
mod values;

pub use credentials::{CredentialArgs, CredentialStore};
pub use desktop::{
    ImportArgs, InstallArgs, ServerOptions, TargetArgs, UninstallArgs, takes_value, variable_of,
};
pub use filters::FilterArgs;
pub use headers::HeaderArgs;
pub use log::LogArgs;
pub use logs::{Gravity, LogsArgs};
pub use network::NetworkArgs;
pub use parse::{Refused, is_serving, parse, variables};
pub use purge::PurgeArgs;
pub use relay::RelayArgs;
pub use saved::{
    Key, PORT, SavedHeader, SavedOption, SavedServer, Takes, URL, keys, parse_for, server_word,
};
pub use servers::{AddArgs, ListArgs, RemoveArgs, ShowArgs};
pub use sign_in::SignInArgs;
pub use transport::{ClientProtocol, Protocol, Transport, TransportArgs};
pub use using::{CallArgs, PromptArgs, PromptsArgs, ReadArgs, ResourcesArgs, ToolsArgs};

use clap::{Arg, Args, Parser, Subcommand, ValueEnum};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "bridge",
    version,
    about = "Connects an MCP client that speaks stdio to a hosted MCP server",
    long_about = "Connects an MCP client that speaks stdio to a hosted MCP server.\n\n\
        The client launches `bridge` and writes JSON-RPC messages to its stdin, one a line; `bridge` \
        forwards each to the server over HTTP and writes what comes back to stdout.",
    after_help = "`bridge --help` lists all options, with examples.",
    after_long_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    max_term_width = 100
)]
pub struct Cli {
    /// The command; without one, `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The default command's arguments.
    #[command(flatten)]
    pub serve: ServeArgs,
}

const EXAMPLES: &str = "Examples:
  bridge https://mcp.example.com/mcp
      Serve that server on stdin and stdout. In a client's configuration, with
      the whole path of the program:
      { \"command\": \"/home/you/.cargo/bin/bridge\",
        \"args\": [\"https://mcp.example.com/mcp\"] }

  bridge https://mcp.example.com/mcp --header 'Authorization=Bearer ${TOKEN}'
      With a token from the environment. Without a space in the arguments:
      { \"command\": \"/home/you/.cargo/bin/bridge\",
        \"args\": [\"https://mcp.example.com/mcp\",
                 \"--header\", \"Authorization=${AUTH}\"],
        \"env\": { \"AUTH\": \"Bearer …\" } }

  bridge https://mcp.example.com/mcp --header-command 'gh auth token'
      With a token that a program prints, whenever one is needed.

  bridge https://mcp.example.com/mcp --read-only --deny-tool 'admin_*'
      Only tools that read, and none of those.

  bridge https://mcp.example.com/mcp --debug --log /tmp/bridge.log
      The same, and write down what happens.

  bridge http://localhost:3000/mcp --tool-timeout 2m
      A server on this machine; a tool call that takes longer is an error.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a server on stdin and stdout (as `bridge SERVER` does)
    Serve(Box<ServeArgs>),
    /// Sign in to a server now
    #[command(after_long_help = LOGIN_EXAMPLES)]
    Login(Box<LoginArgs>),
    /// Forget a sign-in, and have its tokens revoked
    #[command(mut_arg("server", |arg| arg.required(false)), mut_args(of_records))]
    Logout(Box<LogoutArgs>),
    /// Show who is signed in where
    #[command(mut_arg("server", |arg| arg.required(false)), mut_args(of_records))]
    Status(Box<StatusArgs>),
    /// Save a server under a name
    #[command(
        after_long_help = servers::ADD_EXAMPLES,
        mut_arg("server", |arg| arg.required(false).value_name("URL").index(2).help("URL of the server's MCP endpoint")),
        mut_arg("port", |arg| arg.index(3))
    )]
    Add(Box<AddArgs>),
    /// List the saved servers
    #[command(after_long_help = servers::LIST_EXAMPLES)]
    List(ListArgs),
    /// Show what is saved under a name, without secrets
    #[command(after_long_help = servers::SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Forget a saved server
    #[command(after_long_help = servers::REMOVE_EXAMPLES)]
    Remove(RemoveArgs),
    /// Write a server into the configuration of a desktop client
    #[command(after_long_help = INSTALL_EXAMPLES, mut_args(desktop::own_only))]
    Install(Box<InstallArgs>),
    /// Take a server out of the configuration of a desktop client
    #[command(after_long_help = UNINSTALL_EXAMPLES)]
    Uninstall(Box<UninstallArgs>),
    /// List a server's tools, or show one
    #[command(after_long_help = using::TOOLS_EXAMPLES, mut_args(using::of_use))]
    Tools(Box<ToolsArgs>),
    /// Call a tool
    #[command(after_long_help = using::CALL_EXAMPLES, mut_args(using::of_use))]
    Call(Box<CallArgs>),
    /// List a server's resources
    #[command(after_long_help = using::RESOURCES_EXAMPLES, mut_args(using::of_use))]
    Resources(Box<ResourcesArgs>),
    /// Read a resource
    #[command(after_long_help = using::READ_EXAMPLES, mut_args(using::of_use))]
    Read(Box<ReadArgs>),
    /// List a server's prompts
    #[command(after_long_help = using::PROMPTS_EXAMPLES, mut_args(using::of_use))]
    Prompts(Box<PromptsArgs>),
    /// Get a prompt
    #[command(after_long_help = using::PROMPT_EXAMPLES, mut_args(using::of_use))]
    Prompt(Box<PromptArgs>),
    /// Turn the entries of mcp-remote in desktop clients' configurations into bridge's
    #[command(after_long_help = IMPORT_EXAMPLES, mut_arg("client", |arg| {
        arg.help("Only this client's configuration; several with commas between. Without it, all that are found")
    }))]
    Import(Box<ImportArgs>),
    /// Check each step to a server, and say what is wrong and what to do
    #[command(
        mut_arg("server", |arg| arg.required(false)),
        after_long_help = DOCTOR_EXAMPLES
    )]
    Doctor(Box<DoctorArgs>),
    /// Show what happened to the connections with servers
    #[command(
        after_long_help = logs::EXAMPLES,
        mut_arg("server", |arg| arg.required(false)),
        mut_args(logs::of_logs)
    )]
    Logs(Box<LogsArgs>),
    /// Remove all that this program ever stored
    #[command(
        after_long_help = purge::EXAMPLES,
        mut_arg("server", |arg| arg.required(false)),
        mut_args(purge::of_purge)
    )]
    Purge(Box<PurgeArgs>),
    /// What a serving process starts to wait for a person; its settings come by stdin
    #[command(hide = true)]
    SignInHelper,
    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  bridge completions bash > ~/.local/share/bash-completion/completions/bridge
  bridge completions zsh > ~/.zfunc/_bridge
      With `fpath+=(~/.zfunc)` before `compinit` in ~/.zshrc.
  bridge completions fish > ~/.config/fish/completions/bridge.fish
  bridge completions powershell | Out-String | Invoke-Expression
      In the file that `$PROFILE` names.")]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// The shells whose command line is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash, from 3.2 on
    Bash,
    /// Zsh
    Zsh,
    /// fish
    Fish,
    /// PowerShell, from 5.1 on
    Powershell,
}

/// What matters to a command that looks at sign-ins and does not serve; the others are taken all the same, so
/// that an entry's arguments can be given as they are.
const OF_RECORDS: [&str; 23] = [
    "server",
    "all",
    "json",
    "client_id",
    "resource",
    "disable_resource_parameter",
    "static_oauth_client_info",
    "trust_issuer",
    "allow_http",
    "ca_cert",
    "client_cert",
    "client_key",
    "proxy",
    "enable_proxy",
    "ipv4",
    "ipv6",
    "connect_timeout",
    "headers_timeout",
    "credential_store",
    "profile",
    "debug",
    "silent",
    "log",
];

fn of_records(arg: Arg) -> Arg {
    let hidden = arg.is_hide_set() || !OF_RECORDS.contains(&arg.get_id().as_str());
    arg.hide(hidden)
}

const LOGIN_EXAMPLES: &str = "Examples:
  bridge login https://mcp.example.com/mcp
      Sign in with the browser.

  bridge login https://mcp.example.com/mcp --no-browser
      Print the address; paste back what the browser of another machine ends at.

  bridge login https://mcp.example.com/mcp --device
      Sign in on another device, with a code.

  pass show mcp-token | bridge login https://mcp.example.com/mcp --with-token
      Keep a token that you have.";

const INSTALL_EXAMPLES: &str =
    "The options of a server, as in `bridge --help`, are written into the entry.

Examples:
  bridge install https://mcp.example.com/mcp --client claude-desktop
      Write an entry `example`; a backup of the file is kept beside it.

  bridge install work home --client cursor,vscode
      Two saved servers, into two clients.

  bridge install https://mcp.example.com/mcp --client vscode --workspace .
      Into the configuration of the project in this folder.

  bridge install https://mcp.example.com/mcp --client zed --read-only --dry-run
      Show what would change.";

const UNINSTALL_EXAMPLES: &str = "Examples:
  bridge uninstall example --client claude-desktop
      Take the entry `example` out; a backup of the file is kept beside it.

  bridge uninstall https://mcp.example.com/mcp --client cursor
      Take out the entries for that server, whatever their names.";

const IMPORT_EXAMPLES: &str =
    "Secrets move behind the keychain, and clients that mcp-remote registered are
used on; its tokens are not taken, so that each server wants one sign-in.

Examples:
  bridge import --dry-run
      Show what each entry of mcp-remote would become.

  bridge import --client cursor
      Show it, ask, and rewrite those of Cursor; a backup is kept beside it.

  bridge import --undo
      Put the files back as they were before, and forget what was kept for them.";

const DOCTOR_EXAMPLES: &str = "Examples:
  bridge doctor https://mcp.example.com/mcp
      Check each step from this machine to the server's lists of tools. Give the
      options of the client's entry, too, so that the same is checked.

  bridge doctor
      Check this machine and the sign-ins that are kept on it.

  bridge doctor https://mcp.example.com/mcp --json | jq '.checks[].status'
      The same for a program; the exit code says what is wrong.";

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The server and its options; without one, the machine alone
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `login`.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Sign in on another device, with a code: the same as `--device-code`
    #[arg(long, conflicts_with = "with_token")]
    pub device: bool,
    /// Keep a token that you have: it is read from stdin, or asked for without being shown
    #[arg(long)]
    pub with_token: bool,
    /// Sign in anew, also where there is a sign-in
    #[arg(long)]
    pub force: bool,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `logout`.
#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// Forget all sign-ins
    #[arg(long)]
    pub all: bool,
    /// The server and its options
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The server and its options; without one, all
    #[command(flatten)]
    pub server: ServeArgs,
}

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The command that they belong to, as it is typed; nothing where none is.
    #[arg(skip)]
    pub command: &'static str,
    /// The saved server whose name was typed; its options are among the others here.
    #[arg(skip)]
    pub saved: Option<Box<SavedServer>>,
    /// URL of the server's MCP endpoint, or the name of a saved server
    // The places are said: where a command makes it optional, it would come last.
    #[arg(value_name = "SERVER", index = 1, required = true)]
    pub server: Option<String>,
    /// Port that a sign-in's browser comes back to; without it, one that is always the same for the server
    #[arg(value_name = "PORT", index = 2, hide_short_help = true)]
    pub port: Option<String>,
    /// How it is signed in
    #[command(flatten)]
    pub sign_in: SignInArgs,
    /// What goes with every request
    #[command(flatten)]
    pub headers: HeaderArgs,
    /// Which tools are there
    #[command(flatten)]
    pub filters: FilterArgs,
    /// What happens between the two sides
    #[command(flatten)]
    pub relay: RelayArgs,
    /// What lies between here and the server
    #[command(flatten)]
    pub network: NetworkArgs,
    /// What a sign-in leaves
    #[command(flatten)]
    pub credentials: CredentialArgs,
    /// How the server is spoken to
    #[command(flatten)]
    pub transport: TransportArgs,
    /// What is written down
    #[command(flatten)]
    pub log: LogArgs,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_first_word_behind_a_command_is_the_server() {
        for command in ["login", "logout", "status", "doctor", "serve"] {
            let words = ["bridge", command, "https://h/mcp", "9696"];
            let args = match Cli::parse_from(words).command {
                Some(Command::Login(args)) => args.server,
                Some(Command::Logout(args)) => args.server,
                Some(Command::Status(args)) => args.server,
                Some(Command::Doctor(args)) => args.server,
                Some(Command::Serve(args)) => *args,
                other => panic!("{command}: {other:?}"),
            };
            assert_eq!(args.server.as_deref(), Some("https://h/mcp"), "{command}");
            assert_eq!(args.port.as_deref(), Some("9696"), "{command}");
        }
    }
}
