//! How mcp-remote is started by an entry of a client's configuration, and what that means here. Pure: it reads
//! words and gives words.

mod kept;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::order;

/// Our option for one of mcp-remote's, and whether a value follows it.
const OPTIONS: [(&str, &str, bool); 33] = [
    ("header", "header", true),
    ("header-file", "header-file", true),
    ("ignore-tool", "deny-tool", true),
    ("allow-http", "allow-http", false),
    ("debug", "debug", false),
    ("silent", "silent", false),
    ("transport", "transport", true),
    ("disable-cookies", "disable-cookies", false),
    ("enable-proxy", "enable-proxy", false),
    ("connect-timeout", "connect-timeout", true),
    ("headers-timeout", "headers-timeout", true),
    ("body-timeout", "body-timeout", true),
    ("keep-alive", "keep-alive", false),
    ("ping-interval", "ping-interval", true),
    ("ipv4", "ipv4", false),
    ("protocol", "protocol", true),
    ("host", "host", true),
    ("callback-path", "callback-path", true),
    ("auth-timeout", "auth-timeout", true),
    ("auth-success-url", "auth-success-url", true),
    ("resource", "resource", true),
    ("disable-resource-parameter", "disable-resource-parameter", false),
    ("authorize-param", "authorize-param", true),
    ("static-oauth-client-metadata", "static-oauth-client-metadata", true),
    ("static-oauth-client-info", "static-oauth-client-info", true),
    ("client-metadata-url", "client-metadata-url", true),
    ("client-credentials", "client-credentials", false),
    ("token-endpoint", "token-endpoint", true),
    ("device-code", "device-code", false),
    ("use-id-token", "use-id-token", false),
    // Of forks and of earlier versions.
    ("ipv6", "ipv6", false),
    ("scope", "scope", true),
    ("client-id", "client-id", true),
];
/// Options of it that may be given several times; of others the first counts.
const REPEATED: [&str; 4] = ["header", "header-file", "deny-tool", "authorize-param"];
/// Variables that only Node and mcp-remote have use for.
const OF_NODE: [&str; 6] =
    ["PATH", "NODE_OPTIONS", "NODE_PATH", "NVM_DIR", "NPM_CONFIG_REGISTRY", "npm_config_registry"];

/// What an invocation of mcp-remote becomes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Becomes {
    /// The version that was pinned: `0.1.29`, `latest`.
    pub version: Option<String>,
    /// The server's address; empty where none was given.
    pub url: String,
    /// The port of a sign-in.
    pub port: Option<String>,
    /// Our options by their long names, with their values; none for a switch. No headers.
    pub options: Vec<(String, Vec<String>)>,
    /// Headers, as they are written; a variable of the entry is replaced by its value.
    pub headers: Vec<(String, String)>,
    /// What the environment still has to give.
    pub env: Vec<(String, String)>,
    /// Its own arguments, by which it tells invocations apart.
    arguments: Vec<String>,
    /// Where it keeps things, if the entry says so.
    folder: Option<String>,
    /// What could not be taken over, in sentences. No values.
    pub left: Vec<String>,
}

/// What the command of an entry becomes, if it starts mcp-remote.
pub fn becomes(command: &str, args: &[String], env: &[(String, String)]) -> Option<Becomes> {
    let words: Vec<String> =
        std::iter::once(command.to_owned()).chain(args.iter().cloned()).collect();
    let mut env = order::map(env.iter().cloned());
    let (version, rest) = started(&words, &mut env)?;
    let mut becomes = Becomes { version, ..Becomes::default() };
    becomes.read(&rest);
    becomes.arguments = rest;
    becomes.environment(env);
    Some(becomes)
}

/// The version and the arguments of mcp-remote, through whatever starts it.
fn started(
    words: &[String],
    env: &mut BTreeMap<String, String>,
) -> Option<(Option<String>, Vec<String>)> {
    let (program, args) = words.split_first()?;
    match &*name_of(program) {
        "npx" | "pnpx" | "bunx" => package(args),
        "npm" => package(after(args, &["exec", "x"])?),
        "bun" => package(after(args, &["x"])?),
        "pnpm" | "yarn" => package(after(args, &["dlx", "exec"])?),
        "deno" => package(after(args, &["run"])?),
        "node" | "nodejs" => script(args),
        "mcp-remote" => Some((None, args.to_vec())),
        "env" => {
            let is_pair = |word: &&String| word.contains('=') || word.starts_with('-');
            let count = args.iter().take_while(is_pair).count();
            let pairs = args[..count].iter().filter_map(|word| word.split_once('='));
            env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
            started(&args[count..], env)
        }
        "cmd" => {
            let run = args.iter().position(|word| word.eq_ignore_ascii_case("/c"))?;
            line(&args[run + 1..], env)
        }
        "sh" | "bash" | "zsh" => {
            let run = args.iter().position(|word| word.starts_with('-') && word.ends_with('c'))?;
            line(&args[run + 1..], env)
        }
        _ => None,
    }
}

/// What a shell is to run: its words, or one line of them. A line that needs a shell is nobody's.
fn line(
    words: &[String],
    env: &mut BTreeMap<String, String>,
) -> Option<(Option<String>, Vec<String>)> {
    let [line] = words else { return started(words, env) };
    if line.contains(['|', '&', ';', '<', '>', '`', '(']) && !line.contains("://") {
        return None;
    }
    let words = shlex::split(line)?;
    let words = if words.first().is_some_and(|word| word == "exec") { &words[1..] } else { &words };
    if words.iter().any(|word| matches!(&**word, "&&" | "||" | "|" | ";" | "&")) {
        return None;
    }
    started(words, env)
}

/// The name of a program, without folders and endings.
fn name_of(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let endings = [".exe", ".cmd", ".bat", ".ps1"];
    let bare = endings.iter().find_map(|ending| name.strip_suffix(ending));
    bare.unwrap_or(&name).to_owned()
}

fn after<'a>(args: &'a [String], verbs: &[&str]) -> Option<&'a [String]> {
    let (verb, rest) = args.split_first()?;
    verbs.contains(&verb.as_str()).then_some(rest)
}

/// The package that a runner is to run, behind the runner's own options.
fn package(args: &[String]) -> Option<(Option<String>, Vec<String>)> {
    const WITH_VALUE: [&str; 5] = ["-p", "--package", "--registry", "--cache", "--userconfig"];
    let (mut at, mut pinned) = (0, None);
    while let Some(option) = args.get(at).filter(|word| word.starts_with('-')) {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (option.as_str(), None),
        };
        let follows = WITH_VALUE.contains(&name) && value.is_none();
        if matches!(name, "-p" | "--package") {
            let value = value.or(args.get(at + 1).map(String::as_str));
            pinned = value.and_then(version).or(pinned);
        }
        at += 1 + usize::from(follows);
    }
    let of_name = version(args.get(at)?)?;
    Some((of_name.or(pinned.flatten()), args[at + 1..].to_vec()))
}

/// The version in the name of the package, if it is that of mcp-remote.
fn version(package: &str) -> Option<Option<String>> {
    let package = package.strip_prefix("npm:").unwrap_or(package);
    let (name, version) = match package.split_once('@') {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (package, None),
    };
    (name == "mcp-remote").then_some(version)
}

/// A script of the package, behind the options of Node.
fn script(args: &[String]) -> Option<(Option<String>, Vec<String>)> {
    const WITH_VALUE: [&str; 5] = ["-r", "--require", "--import", "--loader", "--env-file"];
    let mut at = 0;
    while let Some(option) = args.get(at).filter(|word| word.starts_with('-')) {
        at += 1 + usize::from(WITH_VALUE.contains(&option.as_str()));
    }
    let script = args.get(at)?;
    let is_it = script.split(['/', '\\']).any(|part| part == "mcp-remote")
        && !script.ends_with("client.js");
    is_it.then(|| (None, args[at + 1..].to_vec()))
}

impl Becomes {
    /// The client that it registered for these arguments, as it keeps it. `folder` is what `MCP_REMOTE_CONFIG_DIR` names
    /// here; the entry's own counts before it.
    pub fn client(&self, folder: Option<&str>, home: &Path) -> Option<Map<String, Value>> {
        let folder = self.folder.as_deref().or(folder).map(Path::new);
        kept::client(&self.arguments, self.version.as_deref(), folder, home)
    }

    /// The port that it derived, where a client that is registered elsewhere was told of it.
    pub fn derived_port(&self) -> Option<u16> {
        let by_hand = ["static-oauth-client-info", "client-metadata-url"];
        let is_known = by_hand.iter().any(|option| self.has(option));
        let is_used = !self.has("client-credentials") && !self.has("device-code");
        (self.port.is_none() && is_known && is_used).then(|| kept::port(&self.arguments))
    }

    fn read(&mut self, args: &[String]) {
        let mut args = args.iter();
        while let Some(word) = args.next() {
            let Some(option) = word.strip_prefix("--") else {
                self.positional(word);
                continue;
            };
            let (name, glued) = match option.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (option, None),
            };
            match OPTIONS.iter().find(|(theirs, _, _)| *theirs == name) {
                Some((_, ours, true)) => match glued.or_else(|| args.next().cloned()) {
                    Some(value) => self.option(ours, value),
                    None => self.left.push(format!("`--{name}` has no value")),
                },
                Some((_, ours, false)) if !self.has(ours) => {
                    self.options.push(((*ours).to_owned(), Vec::new()));
                }
                Some(_) => {}
                None => self.left.push(format!("there is no option `--{}` here", shown(name))),
            }
        }
        if self.url.is_empty() {
            self.left.push("it names no server".to_owned());
        }
    }

    fn positional(&mut self, word: &str) {
        let is_port = word.len() <= 5 && word.bytes().all(|c| c.is_ascii_digit());
        if self.url.is_empty() {
            word.clone_into(&mut self.url);
        } else if is_port && !word.is_empty() && self.port.is_none() {
            self.port = Some(word.to_owned());
        } else {
            // It may be a part of a secret that was split at a space.
            self.left.push("an argument that is no option and no port".to_owned());
        }
    }

    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|(name, _)| name == option)
    }

    fn option(&mut self, ours: &str, value: String) {
        if ours == "header" {
            match value.split_once(':').or_else(|| value.split_once('=')) {
                Some((name, value)) => {
                    self.headers.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                None => self.left.push("a `--header` without a colon".to_owned()),
            }
            return;
        }
        match self.options.iter_mut().find(|(name, _)| name == ours) {
            Some((_, values)) if REPEATED.contains(&ours) => values.push(value),
            Some(_) => self.left.push(format!("`--{ours}` is given twice: the first counts")),
            None => self.options.push((ours.to_owned(), vec![value])),
        }
    }

    /// The entry's own variables in the client that is registered already: one of them may be its secret.
    fn client_info(&mut self, env: &mut BTreeMap<String, String>) {
        const INFO: &str = "static-oauth-client-info";
        let others = self.options.iter().filter(|(name, _)| name != INFO);
        let others = others.flat_map(|(_, values)| values).chain([&self.url]);
        let others = others.cloned().collect::<Vec<_>>().join(" ");
        let info = self.options.iter_mut().find(|(name, _)| name == INFO);
        let Some(text) = info.and_then(|(_, values)| values.first_mut()) else { return };
        let Ok(Value::Object(mut members)) = serde_json::from_str(text) else { return };
        let set = env.clone().into_iter().filter(|(_, value)| !value.contains("${"));
        for (name, value) in set {
            let place = format!("${{{name}}}");
            for member in members.values_mut() {
                if let Value::String(text) = member
                    && text.contains(&place)
                {
                    *text = text.replace(&place, &value);
                    if !others.contains(&place) {
                        env.remove(&name);
                    }
                }
            }
        }
        *text = Value::Object(members).to_string();
    }

    /// What the entry's own variables come to.
    fn environment(&mut self, mut env: BTreeMap<String, String>) {
        let values = |this: &Self| -> String {
            let values = this.options.iter().flat_map(|(_, values)| values);
            values.chain([&this.url]).cloned().collect::<Vec<_>>().join(" ")
        };
        let elsewhere = values(self);
        // A value that names another variable is left to whoever starts it.
        for (name, value) in env.clone().into_iter().filter(|(_, value)| !value.contains("${")) {
            let place = format!("${{{name}}}");
            for (_, header) in self.headers.iter_mut().filter(|(_, header)| header.contains(&place))
            {
                *header = header.replace(&place, &value);
                if !elsewhere.contains(&place) {
                    env.remove(&name);
                }
            }
        }
        self.client_info(&mut env);
        self.folder = env.remove("MCP_REMOTE_CONFIG_DIR").filter(|path| !path.contains("${"));
        if let Some(file) = env.remove("NODE_EXTRA_CA_CERTS") {
            self.options.push(("ca-cert".to_owned(), vec![file]));
        }
        if env.remove("NODE_TLS_REJECT_UNAUTHORIZED").is_some_and(|value| value == "0") {
            self.left.push(
                "certificates are checked here: name the server's with `--ca-cert FILE`".to_owned(),
            );
        }
        env.retain(|name, _| !OF_NODE.contains(&name.as_str()));
        self.env = env.into_iter().collect();
    }
}

/// A word of a client's file, as it may be shown.
fn shown(word: &str) -> String {
    crate::printable::printable(word, 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &[&str], env: &[(&str, &str)]) -> Option<Becomes> {
        let args: Vec<_> = line[1..].iter().map(|word| (*word).to_owned()).collect();
        let env: Vec<_> = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        becomes(line[0], &args, &env)
    }

    const URL: &str = "https://h/mcp";

    #[test]
    fn every_way_to_start_it_is_known() {
        for line in [
            &["npx", "mcp-remote", URL][..],
            &["npx", "-y", "mcp-remote", URL],
            &["/opt/homebrew/bin/npx", "--yes", "--quiet", "mcp-remote", URL],
            &["npx", "-p", "mcp-remote@latest", "mcp-remote", URL],
            &["npx", "--package=mcp-remote", "--", "mcp-remote", URL],
            &["C:\\Program Files\\nodejs\\npx.cmd", "-y", "mcp-remote", URL],
            &["npm", "exec", "--", "mcp-remote", URL],
            &["bunx", "mcp-remote", URL],
            &["bun", "x", "mcp-remote", URL],
            &["pnpm", "dlx", "mcp-remote", URL],
            &["pnpx", "mcp-remote", URL],
            &["yarn", "dlx", "-q", "mcp-remote", URL],
            &["deno", "run", "-A", "npm:mcp-remote", URL],
            &["node", "/usr/lib/node_modules/mcp-remote/dist/proxy.js", URL],
            &["node", "--no-warnings", "-r", "x", "C:\\npm\\mcp-remote\\dist\\proxy.js", URL],
            &["/usr/local/bin/mcp-remote", URL],
            &["cmd", "/c", "npx", "-y", "mcp-remote", URL],
            &["cmd.exe", "/d", "/s", "/C", "npx -y mcp-remote https://h/mcp"],
            &["sh", "-c", "exec npx -y mcp-remote https://h/mcp"],
            &["/bin/bash", "-lc", "npx -y mcp-remote 'https://h/mcp'"],
            &["/usr/bin/env", "-S", "FOO=1", "npx", "mcp-remote", URL],
        ] {
            let becomes = of(line, &[]).unwrap_or_else(|| panic!("{line:?}"));
            assert_eq!((becomes.url.as_str(), becomes.left.len()), (URL, 0), "{line:?}");
        }
        for other in [
            &["npx", "-y", "other", URL][..],
            &["npx", "-y", "mcp-remote-2", URL],
            &["npx"],
            &["node", "/usr/lib/node_modules/mcp-remote/dist/client.js", URL],
            &["node", "server.js"],
            &["uvx", "mcp-remote", URL],
            &["cmd", "/k", "npx"],
            &["sh", "-c", "npx mcp-remote https://h/mcp && rm x"],
            &["sh", "-c", "'"],
            &["bridge", URL],
            &[""],
        ] {
            assert_eq!(of(other, &[]), None, "{other:?}");
        }
    }

    #[test]
    fn all_that_it_was_told_is_taken_over() {
        let line = [
            "npx",
            "-y",
            "mcp-remote@0.1.29",
            URL,
            "3334",
            "--header",
            "X-A: 1",
            "--header=X-B:2",
            "--ignore-tool",
            "a*",
            "--ignore-tool",
            "b",
            "--transport",
            "sse-only",
            "--debug",
            "--debug",
            "--resource=https://r/",
        ];
        let becomes = of(&line, &[]).unwrap();
        let option = |name: &str, values: &[&str]| {
            (name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(becomes.version.as_deref(), Some("0.1.29"));
        assert_eq!(becomes.port.as_deref(), Some("3334"));
        assert_eq!(
            becomes.options,
            [
                option("deny-tool", &["a*", "b"]),
                option("transport", &["sse-only"]),
                option("debug", &[]),
                option("resource", &["https://r/"]),
            ]
        );
        let headers = [("X-A", "1"), ("X-B", "2")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!((becomes.headers, becomes.left), (headers.to_vec(), Vec::new()));
    }

    #[test]
    fn variables_of_the_entry_go_where_they_were_used() {
        let env = [
            ("AUTH", "Bearer sk-1"),
            ("SECRET", "s"),
            ("HTTPS_PROXY", "http://proxy:3128"),
            ("NODE_EXTRA_CA_CERTS", "/ca.pem"),
            ("PATH", "/bin"),
            ("INDIRECT", "${OTHER}"),
        ];
        let info = "{\"client_secret\":\"${SECRET}\"}";
        let line = [
            "npx",
            "mcp-remote",
            URL,
            "--header",
            "Authorization:${AUTH}",
            "--header",
            "X-T: ${TEAM}",
            "--header",
            "X-I: ${INDIRECT}",
            "--header",
            "X-S: ${SECRET}",
            "--static-oauth-client-info",
            info,
        ];
        let becomes = of(&line, &env).unwrap();
        let values: Vec<_> = becomes.headers.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["Bearer sk-1", "${TEAM}", "${INDIRECT}", "s"]);
        let env: Vec<_> = becomes.env.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(env, ["HTTPS_PROXY", "INDIRECT"]);
        let info = "{\"client_secret\":\"s\"}".to_owned();
        assert!(becomes.options.contains(&("static-oauth-client-info".to_owned(), vec![info])));
        assert!(becomes.options.contains(&("ca-cert".to_owned(), vec!["/ca.pem".to_owned()])));
    }

    #[test]
    fn what_can_t_be_taken_over_is_said_without_its_value() {
        let line = [
            "npx",
            "mcp-remote",
            URL,
            "canary",
            "--header",
            "canary",
            "--unheard-of",
            "--host",
            "a",
            "--host",
            "canary",
            "--resource",
        ];
        let left = of(&line, &[("NODE_TLS_REJECT_UNAUTHORIZED", "0")]).unwrap().left;
        assert_eq!(
            left,
            [
                "an argument that is no option and no port",
                "a `--header` without a colon",
                "there is no option `--unheard-of` here",
                "`--host` is given twice: the first counts",
                "`--resource` has no value",
                "certificates are checked here: name the server's with `--ca-cert FILE`",
            ]
        );
        assert_eq!(of(&["npx", "mcp-remote"], &[]).unwrap().left, ["it names no server"]);
    }

    #[test]
    fn the_port_that_it_derived_is_known_where_somebody_was_told_of_it() {
        let info = ["--static-oauth-client-info", "{\"client_id\":\"x\"}"];
        let port = |more: &[&str]| {
            let line = [&["npx", "mcp-remote", "https://mcp.example.com/mcp"], more].concat();
            of(&line, &[]).unwrap().derived_port()
        };
        assert_eq!(port(&info), Some(41_409));
        assert_eq!(port(&[]), None, "nobody was told");
        assert_eq!(port(&[&["9696"], &info[..]].concat()), None, "it was told itself");
        assert_eq!(
            port(&[&info[..], &["--client-credentials"]].concat()),
            None,
            "nobody comes back"
        );
    }
}
