//! What a vendor's page shows for `mcpServers`: servers by name, with an address and headers, or the arguments
//! of mcp-remote.

use serde_json::{Map, Value};

use crate::config::saved::NewServer;
use crate::desktop::mcp_remote;
use crate::error::Error;
use crate::printable::printable;

/// A server of a snippet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Snippet {
    /// What can be saved of it. The name may be none that a server can have.
    pub(super) server: NewServer,
    /// What was not taken over, in sentences.
    pub(super) left: Vec<String>,
}

/// The members that hold servers by name.
const SERVERS: [&str; 4] = ["mcpServers", "servers", "context_servers", "mcp"];
/// The members that hold an address.
const URLS: [&str; 4] = ["url", "serverUrl", "httpUrl", "uri"];

/// Reads a snippet: whole, without its outer braces, or a single server without a name.
pub(super) fn read(text: &str) -> Result<Vec<Snippet>, Error> {
    let text = text.trim_start_matches('\u{feff}').trim();
    let whole = serde_json::from_str(text);
    let parsed: Value = whole.or_else(|why| {
        let open = format!("{{{}}}", text.trim_end_matches(','));
        serde_json::from_str(&open)
            .map_err(|_| unusable().because(format!("it is not JSON: {why}")))
    })?;
    let Value::Object(mut members) = parsed else {
        return Err(unusable().because("it is no object"));
    };
    while let Some(inner) = SERVERS.iter().find_map(|name| members.remove(*name)) {
        let Value::Object(inner) = inner else {
            return Err(unusable().because("it holds no servers"));
        };
        members = inner;
    }
    if is_server(&members) {
        return Ok(vec![server("", &members)?]);
    }
    let servers = members.iter().map(|(name, value)| match value {
        Value::Object(members) if is_server(members) => server(name, members),
        _ => Err(unusable()
            .because(format!("`{}` has neither `url` nor `command`", printable(name, 40)))),
    });
    let servers: Vec<_> = servers.collect::<Result<_, _>>()?;
    if servers.is_empty() {
        Err(unusable().because("there is no server in it"))
    } else {
        Ok(servers)
    }
}

fn unusable() -> Error {
    Error::usage("the JSON can't be used").hint(
        "it looks like {\"mcpServers\": {\"NAME\": {\"url\": \"https://…\"}}}, or has a `command` that starts \
         mcp-remote",
    )
}

fn is_server(members: &Map<String, Value>) -> bool {
    URLS.iter().chain(&["command"]).any(|name| members.get(*name).is_some_and(Value::is_string))
}

fn server(name: &str, members: &Map<String, Value>) -> Result<Snippet, Error> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let mut snippet = match URLS.iter().find_map(|name| text(name)) {
        Some(url) => Snippet {
            server: NewServer { url: url.to_owned(), ..NewServer::default() },
            left: Vec::new(),
        },
        None => started(name, text("command").unwrap_or_default(), members)?,
    };
    let headers = members.get("headers").and_then(Value::as_object);
    for (header, value) in headers.into_iter().flatten() {
        match value.as_str() {
            Some(value) => snippet.server.set_header(header, value.to_owned()),
            None => snippet.left.push(format!("the header `{}`: no text", printable(header, 40))),
        }
    }
    snippet.server.name = name.to_owned();
    Ok(snippet)
}

/// A server that a command starts, which has to be mcp-remote.
fn started(name: &str, command: &str, members: &Map<String, Value>) -> Result<Snippet, Error> {
    let args = members.get("args").and_then(Value::as_array).into_iter().flatten();
    let args: Vec<_> = args.filter_map(Value::as_str).map(str::to_owned).collect();
    let env = members.get("env").and_then(Value::as_object).into_iter().flatten();
    let env: Vec<_> =
        env.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    let becomes = mcp_remote::becomes(command, &args, &env).ok_or_else(|| {
        unusable().because(format!(
            "`{}` is started by a command that is not mcp-remote: no hosted server",
            printable(name, 40)
        ))
    })?;
    let needed = becomes.env.iter().map(|(name, _)| {
        format!("the variable `{}`: set it where bridge is started", printable(name, 40))
    });
    let left = becomes.left.into_iter().chain(needed).collect();
    let (url, port) = (becomes.url, becomes.port);
    let (options, headers) = (becomes.options, becomes.headers);
    Ok(Snippet { server: NewServer { name: String::new(), url, port, options, headers }, left })
}

/// Where in a value there is only the place of a secret: `<YOUR_TOKEN>`, `${input:token}`.
pub(super) fn placeholder(value: &str) -> Option<usize> {
    let bracket = value.rfind('<').filter(|_| value.ends_with('>'));
    let at = bracket.unwrap_or(value.rfind(' ').map_or(0, |space| space + 1));
    let word = &value[at..];
    let upper = word.to_ascii_uppercase();
    let is_place = bracket.is_some()
        || word.contains("${input:")
        || upper.starts_with("YOUR_")
        || upper.starts_with("YOUR-")
        || (word.chars().count() >= 3
            && word.chars().all(|c| matches!(c, '.' | '…' | '*' | 'x' | 'X')));
    is_place.then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Snippet {
        let mut snippets = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(snippets.len(), 1, "{text}");
        snippets.remove(0)
    }

    #[test]
    fn a_server_is_found_however_much_stands_around_it() {
        let inner = r#""git": {"type": "http", "url": "https://h/mcp", "headers": {"X-A": "1"}}"#;
        for text in [
            format!("{{\"mcpServers\": {{{inner}}}}}"),
            format!("{{\"mcp\": {{\"servers\": {{{inner}}}}}, \"inputs\": []}}"),
            format!("{{{inner}}}"),
            format!("\u{feff} {inner},\n"),
        ] {
            let Snippet { server, left } = one(&text);
            assert_eq!((server.name.as_str(), server.url.as_str()), ("git", "https://h/mcp"));
            assert_eq!(server.headers, [("X-A".to_owned(), "1".to_owned())]);
            assert!(left.is_empty());
        }
        let nameless = one(r#"{"serverUrl": "https://h/mcp"}"#);
        assert_eq!(
            (nameless.server.name, nameless.server.url),
            (String::new(), "https://h/mcp".to_owned())
        );
        let two = r#"{"mcpServers": {"a": {"url": "https://a"}, "b": {"httpUrl": "https://b"}}}"#;
        assert_eq!(read(two).unwrap().len(), 2);
    }

    #[test]
    fn arguments_of_mcp_remote_become_options() {
        let Snippet { server, left } = one(
            r#"{"x": {"command": "npx", "args": ["-y", "mcp-remote", "https://h/mcp", "3334", "--allow-http",
                "--header", "Authorization:${AUTH}"], "env": {"AUTH": "Bearer t", "OTHER": "1"}}}"#,
        );
        assert_eq!(server.port.as_deref(), Some("3334"));
        assert_eq!(server.options, [("allow-http".to_owned(), Vec::new())]);
        assert_eq!(server.headers, [("Authorization".to_owned(), "Bearer t".to_owned())]);
        assert_eq!(left, ["the variable `OTHER`: set it where bridge is started"]);
    }

    #[test]
    fn what_is_no_hosted_server_is_told() {
        for (text, part) in [
            ("nonsense", "it is not JSON"),
            ("[]", "it is no object"),
            ("{}", "no server in it"),
            (r#"{"a": {"command": "uvx", "args": ["x"]}}"#, "not mcp-remote"),
            (r#"{"a": {"name": "x"}}"#, "neither `url` nor `command`"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn what_only_shows_where_a_secret_goes_is_none() {
        for (value, at) in [
            ("<YOUR_TOKEN>", 0),
            ("Bearer <your token>", 7),
            ("Bearer YOUR_API_KEY", 7),
            ("Bearer ${input:token}", 7),
            ("xxxx", 0),
            ("...", 0),
        ] {
            assert_eq!(placeholder(value), Some(at), "{value}");
        }
        for value in ["Bearer abc", "${TOKEN}", "", "Bearer ", "a > b", "a>"] {
            assert_eq!(placeholder(value), None, "{value}");
        }
    }
}
