//! What the environment says to the commands that edit the configurations of desktop clients.

use std::path::PathBuf;

use super::Environment;
use super::headers::{self, is_secret_variable};
use super::saved;
use crate::desktop::{Started, Surroundings, System, variables};
use crate::error::Error;
use crate::order;

/// Variables besides our own that change what a serving process does, and that clients do not pass on.
const OF_EVERYBODY: [&str; 14] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
];

/// Variables of its own that a client passes on to what it starts, as the official SDKs have it; the last says how to
/// draw.
const PASSED_ON: [&str; 17] = [
    "HOME",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "USER",
    "APPDATA",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PROCESSOR_ARCHITECTURE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "USERNAME",
    "USERPROFILE",
    "NO_COLOR",
];

/// Where the clients' configurations are looked for.
///
/// # Errors
/// The user has no home folder.
pub fn surroundings(environment: &Environment) -> Result<Surroundings, Error> {
    let home = directories::BaseDirs::new().map(|folders| folders.home_dir().to_owned());
    let home = home.ok_or_else(|| {
        Error::failed("the clients' configurations can't be found")
            .because("nothing says where your home folder is")
            .hint("set HOME")
    })?;
    let system = match std::env::consts::OS {
        "macos" => System::MacOs,
        "windows" => System::Windows,
        _ => System::Linux,
    };
    let set = variables().filter_map(|name| Some((name, PathBuf::from(environment.get(name)?))));
    // As XDG wants it: a relative one is none.
    let set = order::map(set.filter(|(_, path)| path.is_absolute()));
    Ok(Surroundings { system, home, variables: set })
}

/// How this process was started.
///
/// # Errors
/// The system does not say where the program is.
pub fn started() -> std::io::Result<Started> {
    let name = std::env::args_os().next().unwrap_or_default();
    let search = std::env::var_os("PATH").unwrap_or_default();
    Ok(Started {
        name: name.into(),
        search: std::env::split_paths(&search).collect(),
        folder: std::env::current_dir()?,
        file: std::env::current_exe()?,
        temporary: std::env::temp_dir(),
    })
}

/// What an entry needs of the environment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needed {
    /// Variables, with their values.
    pub set: Vec<(String, String)>,
    /// The names of those that hold secrets, which are written nowhere.
    pub secret: Vec<String>,
}

/// What of the environment of this process a serving one has to have too.
pub fn needed(environment: &Environment) -> Needed {
    let mut needed = Needed::default();
    let ours = headers::ours(environment);
    for name in OF_EVERYBODY.into_iter().chain(ours.iter().map(String::as_str)) {
        let Some(value) = environment.get(name) else { continue };
        let has_password = value.split_once("://").is_some_and(|(_, rest)| rest.contains('@'));
        if has_password || is_secret_variable(name) {
            needed.secret.push(name.to_owned());
        } else {
            needed.set.push((name.to_owned(), value.to_owned()));
        }
    }
    needed
}

/// The environment that an entry with these variables is started in: they, what a client passes on, and what of ours is
/// set where it starts.
pub fn of_entry(
    variables: &[(String, String)],
    needed: &Needed,
    environment: &Environment,
) -> Environment {
    let ours = needed.set.iter().map(|(name, _)| name).chain(&needed.secret).map(String::as_str);
    let names = PASSED_ON.into_iter().chain(ours);
    let passed =
        names.filter_map(|name| Some((name.to_owned(), environment.get(name)?.to_owned())));
    passed.chain(variables.iter().cloned()).collect()
}

/// The same environment with something for each `${VAR}` of these words that is not set: whoever starts the entry
/// may have it. Gives the names of all that the words hold.
pub fn with_placeholders(
    words: &[String],
    environment: &Environment,
) -> (Environment, Vec<String>) {
    let names = words.iter().flat_map(|word| super::expand::names(word));
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.dedup();
    (environment.with_defaults(&names), names)
}

/// Why a word must not be written into a file that others read: what it holds, and what to do in its place.
pub fn secret_in(words: &[String]) -> Option<(String, &'static str)> {
    const KEPT: &str =
        "`bridge add NAME URL --secret-header HEADER` asks for it and keeps it; then install NAME";
    let of_url = words.first().and_then(|server| saved::secret_in_url(server));
    if let Some(part) = of_url {
        let what = format!("{part} in the address");
        return Some((what, "write `${VAR}` in its place, and set VAR where the client starts"));
    }
    let pairs = words.iter().zip(words.iter().skip(1));
    let mut options = pairs.filter_map(|(option, value)| Some((option.strip_prefix("--")?, value)));
    options.find_map(|(option, value)| {
        let (name, rest) = value.split_once([':', '=']).unwrap_or((value, ""));
        let pair_is_secret = || saved::is_secret_header(name.trim(), rest.trim());
        match option {
            "header" if pair_is_secret() => Some((format!("the header `{}`", name.trim()), KEPT)),
            "authorize-param" | "token-param" if pair_is_secret() => {
                Some((format!("`--{option} {name}`"), "leave it out, or write `${VAR}`"))
            }
            _ if saved::is_secret_option(option, value) => {
                let hint = match option {
                    "proxy" => "set BRIDGE_PROXY where the client starts, in place of the option",
                    "client-secret" => {
                        "put it into a file that only you can read: `--client-secret-file FILE`"
                    }
                    _ => "put the JSON into a file that only you can read: `@FILE`",
                };
                Some((format!("what `--{option}` holds"), hint))
            }
            _ => None,
        }
    })
}

/// The words as a client can pass them on: files by their whole paths, and values with a space in them as variables,
/// since some clients split an argument there.
pub fn portable(words: &[String]) -> (Vec<String>, Vec<(String, String)>) {
    const FILES: [&str; 6] = [
        "--header-file",
        "--ca-cert",
        "--client-cert",
        "--client-key",
        "--client-secret-file",
        "--log",
    ];
    let (mut portable, mut variables) = (Vec::new(), Vec::new());
    let mut rest = words.iter().peekable();
    while let Some(word) = rest.next() {
        let has_value = !portable.is_empty() && crate::cli::takes_value(word);
        let Some(value) = rest.next_if(|_| has_value) else {
            portable.push(word.clone());
            continue;
        };
        let whole = |path: &str| {
            let whole = std::path::absolute(path).unwrap_or_else(|_| path.into());
            whole.display().to_string()
        };
        let value = match word.as_str() {
            option if FILES.contains(&option) && !value.starts_with('~') => whole(value),
            "--static-oauth-client-info" | "--static-oauth-client-metadata" => {
                let file = value.strip_prefix('@').filter(|path| !path.starts_with('~'));
                file.map_or(value.clone(), |path| format!("@{}", whole(path)))
            }
            "--header" => header_without_space(value),
            _ => value.clone(),
        };
        let given_once = words.iter().filter(|each| *each == word).count() == 1;
        let variable = if word == "--header" {
            headers::variable_of(&value)
        } else {
            crate::cli::variable_of(word).map(|name| (name, value.clone())).filter(|_| given_once)
        };
        match variable.filter(|_| value.contains(char::is_whitespace)) {
            Some(variable) => variables.push(variable),
            None => portable.extend([word.clone(), value]),
        }
    }
    (portable, variables)
}

/// `Name: value` as `Name=value`.
fn header_without_space(header: &str) -> String {
    match header.split_once([':', '=']) {
        Some((name, value)) => format!("{}={}", name.trim(), value.trim()),
        None => header.to_owned(),
    }
}

/// Whether a diff is drawn without colours.
pub fn is_plain(environment: &Environment) -> bool {
    environment.get("NO_COLOR").is_some() || environment.get("TERM") == Some("dumb")
}
