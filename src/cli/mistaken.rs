//! Words that people type and that can't be meant as they are: what to type in their place.

use crate::error::Error;
use crate::printable::one_line;
use crate::spelling;

/// Characters of a word that can't be meant that are shown.
pub(super) const LONGEST: usize = 100;

/// The commands of the `bridge` that belongs to iproute2.
const OF_IPROUTE2: [&str; 7] = ["link", "fdb", "mdb", "vlan", "vni", "monitor", "mst"];
/// The commands that there are.
const VERBS: &[&str] = &[
    "serve",
    "login",
    "logout",
    "status",
    "add",
    "list",
    "show",
    "remove",
    "doctor",
    "install",
    "uninstall",
    "import",
    "tools",
    "call",
    "resources",
    "read",
    "prompts",
    "prompt",
    "logs",
    "purge",
    "completions",
];
/// Verbs that are kept for later versions.
const LATER: &[&str] = &["config", "update"];
/// Options of other programs, and what does here what they do there.
const ELSEWHERE: [(&[&str], &str); 15] = [
    (&["-v"], "`bridge --version` prints the version, `--debug` says what happens"),
    (&["--verbose", "--trace"], "`--debug` says what happens, `--log FILE` writes it to a file"),
    (&["--log-file", "--logfile"], "`--log FILE` writes what happens to a file"),
    (&["--quiet", "-q"], "`--silent` says nothing on stderr"),
    (
        &["--timeout", "--request-timeout"],
        "`--tool-timeout TIME` bounds a tool call, `--connect-timeout TIME` making the connection",
    ),
    (&["-H"], "write `--header 'Name=value'`"),
    (
        &["--token", "--bearer", "--bearer-token", "--auth", "--api-key", "--key"],
        "write `--header 'Authorization=Bearer ${TOKEN}'`, with TOKEN in the environment",
    ),
    (&["--url", "--server", "--endpoint"], "write the address by itself: `bridge https://…`"),
    (&["--no-proxy"], "write `--proxy none`"),
    (
        &["--insecure", "-k", "--no-verify", "--skip-verify"],
        "name the server's certificate with `--ca-cert FILE`; it can't be left unverified",
    ),
    (&["--cert", "--cert-file"], "write `--client-cert FILE` (yours) or `--ca-cert FILE` (theirs)"),
    (&["--cacert", "--ca", "--cafile"], "write `--ca-cert FILE`"),
    (
        &["--port", "-p"],
        "write the port of the sign-in behind the address: `bridge https://mcp.example.com/mcp 3334`",
    ),
    (
        &["--oauth", "--login", "--sign-in", "--signin"],
        "leave it out: bridge signs in when the server asks for it; `bridge login URL` does it now",
    ),
    (&["--env", "-e"], "set variables in the client's entry for this server (`env`)"),
];

/// What is wrong with a word in the place of the server, if it is one of those that are known.
pub fn server(word: &str) -> Option<Error> {
    let name = word.split('@').next().unwrap_or_default();
    match name {
        "" if word.is_empty() => Some(
            Error::usage("the server's address is empty")
                .because("the first argument is empty, as when a variable in a script is not set")
                .hint("write the address: `bridge https://mcp.example.com/mcp`"),
        ),
        _ if VERBS.contains(&name) => Some(
            Error::usage(format!("there is an option before `{name}`"))
                .hint(format!("write the command first: `bridge {name} …`")),
        ),
        "npx" | "mcp-remote" | "bunx" | "pnpx" => Some(mcp_remote()),
        "completion" => Some(
            Error::usage("there is no command `completion`")
                .hint("write `bridge completions SHELL`, with bash, zsh, fish or powershell"),
        ),
        _ if OF_IPROUTE2.contains(&name) => Some(
            Error::usage(format!("there is no command `{name}`"))
                .because("this is `bridge` for MCP servers; that of iproute2 has the same name")
                .hint(format!("write `/usr/sbin/bridge {name} …` for network bridges")),
        ),
        _ if LATER.contains(&word) => Some(
            Error::usage(format!("`{word}` is not there yet in this version of bridge"))
                .hint("`bridge --help` lists what there is"),
        ),
        _ => near(name).map(|verb| {
            Error::usage(format!("there is no command `{name}`"))
                .hint(format!("did you mean `bridge {verb}`?"))
        }),
    }
}

/// Whether a word is that of a command.
pub(super) fn is_verb(word: &str) -> bool {
    VERBS.contains(&word)
}

/// Whether a word is that of a command, of one in later versions, or of a program of that name.
pub fn is_reserved(word: &str) -> bool {
    const PROGRAMS: [&str; 7] =
        ["npx", "mcp-remote", "bunx", "pnpx", "completion", "help", "sign-in-helper"];
    let word = word.to_ascii_lowercase();
    [VERBS, LATER, &OF_IPROUTE2, &PROGRAMS].concat().contains(&&*word)
}

/// The command that is a slip of the finger away. An address has a dot, a colon or a slash in it.
fn near(word: &str) -> Option<&'static str> {
    if !word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return None;
    }
    let typed = word.to_ascii_lowercase();
    match typed.as_str() {
        "signin" | "sign-in" | "auth" => return Some("login"),
        "signout" | "sign-out" => return Some("logout"),
        _ => {}
    }
    VERBS
        .iter()
        .copied()
        .find(|verb| spelling::is_near(typed.as_bytes(), verb.as_bytes(), verb.len() / 4))
}

/// What `npx` needs was left in the arguments.
pub(super) fn mcp_remote() -> Error {
    Error::usage("`npx` and `mcp-remote` can't be started by bridge")
        .because("bridge takes their place")
        .hint(
            "take `npx`, `-y` and `mcp-remote` out of the arguments: \
             `bridge https://mcp.example.com/mcp`",
        )
}

/// What does here what this option does elsewhere.
pub(super) fn option(name: &str) -> Option<&'static str> {
    ELSEWHERE.into_iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| hint)
}

/// What stands in the place of the port can't be one. It is not shown: it may be a part of a secret.
pub fn port(server_word: &str, text: &str) -> Error {
    if let Some(mistaken) = server(server_word) {
        return mistaken;
    }
    if text.contains("://") && !server_word.contains(['.', ':', '/']) {
        let word = one_line(server_word, LONGEST);
        return Error::usage(format!("there is no command `{word}`"))
            .hint("`bridge --help` lists what there is");
    }
    if is_verb(text) {
        return behind(text);
    }
    Error::usage("the PORT behind the server's address can't be used")
        .because("it is not a number from 1 to 65535")
        .hint(
            "leave it out; if it is a part of a value that was split, write values without spaces: \
             `--header Name=value`, `--header Name=${VAR}`",
        )
}

/// A command in the place behind the server. The server is not shown: a secret may stand in its address.
fn behind(verb: &str) -> Error {
    Error::usage(format!("the command `{verb}` stands behind the server"))
        .hint(format!("write the command first: `bridge {verb} SERVER`"))
}

/// More arguments than there are places for; `words` are what was typed first. The others are not shown: a part of a
/// secret may be among them.
pub(super) fn too_many(words: [&str; 2]) -> Error {
    match words {
        [verb, _] if verb != "serve" && is_verb(verb) => {
            return Error::usage(format!("there are more arguments than `bridge {verb}` takes"))
                .because("there is one too many, or a value with a space in it was split")
                .hint(format!("`bridge {verb} --help` shows what stands where"));
        }
        [_, verb] if is_verb(verb) => return behind(verb),
        _ => {}
    }
    Error::usage("there are more arguments than `bridge SERVER` takes")
        .because("a value with a space in it was split, or a `--` is missing")
        .hint("write values without spaces: `--header Name=value`, `--header Name=${VAR}`")
}
