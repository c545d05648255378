//! `bridge add`: save a server under a name.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

use crate::cli::AddArgs;
use crate::config::saved::{self, Config, NewServer, is_name};
use crate::config::{self, Environment};
use crate::credentials::Patience;
use crate::error::{Error, Exit};
use crate::order;
use crate::printable::printable;
use crate::remote::{Entry, HELLO, Knock, without_secrets};
use crate::secret::Secret;
use crate::{os, ui};

use super::check::Check;
use super::kept::{CLIENT_SECRET, Kept, Values};
use super::login::{place, typed};
use super::parts::Parts;
use super::session::Use;
use super::snippet::{self, Snippet, placeholder};

/// Longest snippet or secret that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;
/// How long a server may take to say whether it wants a token.
const KNOCK_TIME: Duration = Duration::from_secs(10);
/// What stands in the file for a value that is kept elsewhere.
pub(super) const KEPT: &str = "${keychain}";

/// Saves what was given.
///
/// # Errors
/// It is not saved: it can't be used, or the server can't be reached.
pub fn run(args: &AddArgs) -> Result<(), Error> {
    let config = Config::read()?;
    let snippets = match &args.from_json {
        Some(file) => of_json(args, file)?,
        None => vec![Snippet { server: given(args, &config)?, left: Vec::new() }],
    };
    for snippet in &snippets {
        may_be_saved(&snippet.server, args, &config)?;
    }
    for Snippet { server, left } in snippets {
        let is_new = !config.servers.iter().any(|found| found.saved.name == server.name);
        add(server, args, is_new)?;
        for what in left {
            ui::say(&format!("  not taken over: {what}"));
        }
    }
    Ok(())
}

/// The servers of a snippet, with what was typed beside it.
fn of_json(args: &AddArgs, file: &str) -> Result<Vec<Snippet>, Error> {
    let unreadable = |why: std::io::Error| {
        Error::usage("the JSON can't be read").because(why).hint("name a file, or `-` for stdin")
    };
    if file == "-" && std::io::stdin().is_terminal() {
        ui::say("Paste the JSON, then press Ctrl-D on an empty line:");
    }
    let text = match file {
        "-" => limited(std::io::stdin()),
        path => std::fs::File::open(path).and_then(limited),
    };
    let mut snippets = snippet::read(&text.map_err(unreadable)?)?;
    if let Some(name) = &args.name {
        let [snippet] = &mut snippets[..] else {
            let names = snippets.iter().map(|snippet| snippet.server.name.as_str());
            return Err(Error::usage("the JSON holds several servers")
                .because(names.collect::<Vec<_>>().join(", "))
                .hint("leave the name out: each is saved by its own"));
        };
        snippet.server.name.clone_from(name);
    }
    for snippet in &mut snippets {
        if snippet.server.name.is_empty() {
            return Err(Error::usage("the server has no name")
                .hint("name it: `bridge add NAME --from-json -`"));
        }
        with_typed(&mut snippet.server, args)?;
    }
    Ok(snippets)
}

fn limited(input: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    input.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

/// The server that was typed; in a terminal, what is missing is asked for.
fn given(args: &AddArgs, config: &Config) -> Result<NewServer, Error> {
    let missing = |what: &str| {
        Error::usage(format!("{what} is missing"))
            .hint("write `bridge add NAME https://mcp.example.com/mcp`")
    };
    let name = match &args.name {
        Some(name) => name.clone(),
        None => asked("Name: ")?.ok_or_else(|| missing("the name"))?,
    };
    if name.contains("://") {
        return Err(missing("the name"));
    }
    let old = config.servers.iter().find(|found| found.saved.name == name && args.force);
    let mut new = match (&args.server.server, old) {
        (Some(url), _) => NewServer { name, url: url.clone(), ..NewServer::default() },
        (None, Some(old)) => NewServer::from(&old.saved),
        (None, None) => {
            let url = asked("URL: ")?.ok_or_else(|| missing("the server's address"))?;
            NewServer { name, url, ..NewServer::default() }
        }
    };
    with_typed(&mut new, args)?;
    Ok(new)
}

fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Whether somebody is at a terminal, although stdin may be something else.
fn has_terminal() -> bool {
    std::io::stderr().is_terminal() && os::Terminal::of_process().is_some()
}

/// What a person types; nothing where nobody can.
fn asked(question: &str) -> Result<Option<String>, Error> {
    if !is_terminal() {
        return Ok(None);
    }
    let typed = ui::ask(question).map_err(|why| Error::failed("nothing was typed").because(why))?;
    Ok(typed.filter(|typed| !typed.is_empty()))
}

/// Options that were typed count before those of a snippet, or of what was saved.
fn with_typed(new: &mut NewServer, args: &AddArgs) -> Result<(), Error> {
    for (key, values) in &args.typed {
        new.set(key, values.clone());
    }
    new.port = args.server.port.clone().or(new.port.take());
    for header in &args.server.headers.header {
        let (name, value) = header.expose().split_once([':', '=']).ok_or_else(|| {
            Error::usage("`--header` can't be used as a header").hint("write `Name=value`")
        })?;
        new.set_header(name.trim(), value.trim().to_owned());
    }
    for name in &args.secret_header {
        new.set_header(name.trim(), KEPT.to_owned());
    }
    Ok(())
}

/// What is refused before anything is asked, sent or written.
fn may_be_saved(new: &NewServer, args: &AddArgs, config: &Config) -> Result<(), Error> {
    let name = &new.name;
    if !is_name(name) {
        return Err(Error::usage("the server can't be saved by that name")
            .because(
                "a name has letters, digits, `-` and `_`, begins with a letter, and is no command",
            )
            .hint("choose another: `bridge add NAME …`"));
    }
    if !args.force && config.servers.iter().any(|found| found.saved.name == *name) {
        return Err(Error::usage(format!("there is a saved server `{name}` already"))
            .hint("`--force` saves this one in its place; `bridge show` shows the other"));
    }
    if let Some(part) = saved::secret_in_url(&new.url) {
        return Err(Error::usage("the address holds what looks like a secret")
            .because(format!("{part}, which would stand in {}", config.file.display()))
            .hint("write `${VAR}` in its place, and set that variable where bridge is started"));
    }
    let is_secret = |(key, values): &&(String, Vec<String>)| {
        key != saved::CLIENT_INFO && values.iter().any(|value| saved::is_secret_option(key, value))
    };
    match new.options.iter().find(is_secret) {
        Some((key, _)) => Err(Error::usage(format!("`--{key}` holds a secret"))
            .because(format!("it would stand in {}", config.file.display()))
            .hint("name a file or a variable in its place; `docs/configuration.md` says how")),
        None => Ok(()),
    }
}

/// Takes the secrets out of the headers: those that were named, that look like one, or that are missing.
fn secrets(new: &mut NewServer, args: &AddArgs) -> Result<BTreeMap<String, Secret<String>>, Error> {
    let mut secrets = BTreeMap::new();
    let is_named =
        |name: &str| args.secret_header.iter().any(|n| n.trim().eq_ignore_ascii_case(name));
    for (name, value) in &mut new.headers {
        let secret = if is_named(name) {
            asked_secret(name, None, args)?
        } else if let Some(at) = placeholder(value) {
            let typed = asked_secret(name, Some(&value[at..]), args)?;
            let before = value[..at].trim();
            // Who pastes the whole value has typed what stands before too.
            let begins =
                typed.expose().get(..at).is_some_and(|it| it.eq_ignore_ascii_case(&value[..at]));
            let whole =
                if begins || before.is_empty() { String::new() } else { format!("{before} ") };
            Secret::new(whole + typed.expose())
        } else if saved::is_secret_header(name, value) {
            Secret::new(value.clone())
        } else {
            continue;
        };
        let (template, secret) = apart(name, &secret);
        *value = template;
        secrets.insert(name.to_ascii_lowercase(), secret);
    }
    client_secret(new, &mut secrets);
    Ok(secrets)
}

/// Takes the secret out of a client that is registered already.
pub(super) fn client_secret(new: &mut NewServer, secrets: &mut BTreeMap<String, Secret<String>>) {
    let info = new.options.iter_mut().find(|(key, _)| key == saved::CLIENT_INFO);
    let info = info.and_then(|(_, values)| values.first_mut());
    if let Some((info, (template, secret))) =
        info.and_then(|info| Some(saved::client_secret_apart(info)).flatten().map(|it| (info, it)))
    {
        *info = template;
        secrets.insert(CLIENT_SECRET.to_owned(), secret);
    }
}

/// The scheme of an `Authorization` stays readable; without one it is that of a token.
pub(super) fn apart(name: &str, value: &Secret<String>) -> (String, Secret<String>) {
    let text = value.expose().trim();
    if !name.eq_ignore_ascii_case("authorization") {
        return (KEPT.to_owned(), Secret::new(text.to_owned()));
    }
    let (scheme, secret) = text.split_once(' ').unwrap_or(("Bearer", text));
    (format!("{scheme} {KEPT}"), Secret::new(secret.trim().to_owned()))
}

/// The value of a header, or what stands in the place that a vendor's page left open in it.
fn asked_secret(name: &str, place: Option<&str>, args: &AddArgs) -> Result<Secret<String>, Error> {
    let missing = || {
        Error::usage(format!("the value of `{name}` is missing")).hint(format!(
            "write it to stdin: `printf %s \"$KEY\" | bridge add {} … --secret-header {name}`; or name a variable: \
             `--header '{name}=${{KEY}}'`",
            args.name.as_deref().unwrap_or("NAME")
        ))
    };
    // What is asked is typed at the terminal, also where stdin is the snippet.
    let is_snippet = args.from_json.as_deref() == Some("-");
    let secret = if is_terminal() || (is_snippet && has_terminal()) {
        let question = match place {
            Some(place) => format!(
                "What belongs in the place of `{}` in `{name}` (it is not shown): ",
                printable(place, 40)
            ),
            None => format!("Value of `{name}` (it is not shown): "),
        };
        let asked = super::runtime()?.block_on(typed(question, "no value was given"))?;
        asked.map_err(|why| missing().because(why))?
    } else if args.secret_header.len() == 1 && !is_snippet {
        Secret::new(limited(std::io::stdin()).map_err(|why| missing().because(why))?)
    } else {
        let why = "there is no terminal to ask at, and stdin can give one value only";
        return Err(missing().because(why));
    };
    if secret.expose().trim().is_empty() {
        return Err(missing().because("nothing was given"));
    }
    Ok(secret)
}

/// Asks the server, keeps the secrets, writes the file.
fn add(mut new: NewServer, args: &AddArgs, is_new: bool) -> Result<(), Error> {
    let environment = Environment::of_process();
    let secrets = secrets(&mut new, args)?;
    let unset = saved::unset_variables(&new, &environment);
    if !unset.is_empty() {
        return add_unchecked(&new, &secrets, &unset);
    }
    let mut config = saved::serve_new(&new, is_new, &environment)?;
    let headers = Kept::of(&config, &new.name, Patience::Interactive);
    let old = headers.load().unwrap_or_default();
    let values = values(&new, &secrets, &old);
    super::kept::put(&mut config, &values)?;
    let (said, store) = match args.no_check {
        true => (Vec::new(), None),
        false => checked(&config, &new)?,
    };
    if !values.is_empty() {
        headers.save(&values, args.force)?;
    }
    let file = saved::save(&new).inspect_err(|_| {
        // Nothing names them.
        if old.is_empty() && !values.is_empty() {
            let _ = headers.delete();
        }
    })?;
    if values.is_empty() && !old.is_empty() {
        headers.delete()?;
    }
    let kept_as = (!values.is_empty()).then(|| {
        let names: Vec<_> = values.keys().map(String::as_str).collect();
        format!("{}: kept in {}", names.join(", "), place(headers.place()))
    });
    tell(&new, &file, kept_as.into_iter().chain(said));
    if let Some(store) = store {
        super::login::write_store_down(&config, store);
    }
    Ok(())
}

/// Saves what can't be tried here, since its variables are set elsewhere.
fn add_unchecked(
    new: &NewServer,
    secrets: &BTreeMap<String, Secret<String>>,
    unset: &[String],
) -> Result<(), Error> {
    if !secrets.is_empty() {
        return Err(Error::usage(format!("{} not set here", named(unset)))
            .because("what is kept for headers is bound to the server, which can't be told without")
            .hint("set it, and run the command again"));
    }
    let file = saved::save(new)?;
    tell(new, &file, [format!("not tried: {} not set here", named(unset))].into_iter());
    Ok(())
}

fn tell(new: &NewServer, file: &Path, lines: impl Iterator<Item = String>) {
    ui::say(&format!("Saved `{}` in {}: {}", new.name, file.display(), without_secrets(&new.url)));
    lines.for_each(|line| ui::say(&format!("  {line}")));
}

fn named(variables: &[String]) -> String {
    let is = if variables.len() == 1 { "is" } else { "are" };
    format!("`{}` {is}", variables.join("`, `"))
}

/// What is to be kept: the secrets, and what was kept before and is still named.
pub(super) fn values(
    new: &NewServer,
    secrets: &BTreeMap<String, Secret<String>>,
    old: &Values,
) -> Values {
    let is_named = |name: &str| {
        let mut headers = new.headers.iter();
        let is_client = |(key, values): &(String, Vec<String>)| {
            key == saved::CLIENT_INFO && values.iter().any(|value| value.contains(KEPT))
        };
        headers.any(|(each, value)| each.eq_ignore_ascii_case(name) && value.contains(KEPT))
            || (name == CLIENT_SECRET && new.options.iter().any(is_client))
    };
    let old = old.iter().filter(|(name, _)| is_named(name));
    let mut values = order::map(old.map(|(name, value)| (name.clone(), value.clone())));
    values.extend(secrets.iter().map(|(name, value)| (name.clone(), value.expose().clone())));
    values
}

/// Has a session with the server. Gives what is to be said of it, and the store of a sign-in that was needed for it.
fn checked(
    config: &config::Serve,
    new: &NewServer,
) -> Result<(Vec<String>, Option<&'static str>), Error> {
    if is_terminal() && new.headers.is_empty() && wants_token(config) {
        return Ok((vec![wants_sign_in(config, new)?], None));
    }
    let wanted = Use::Check(Check::default());
    let mut signed_in = None;
    let done = super::session::used(config, &wanted, &mut signed_in);
    let Use::Check(check) = wanted else { return Ok((Vec::new(), None)) };
    let refused_sign_in = check.refused_sign_in.get();
    let said: Vec<_> =
        check.found.into_inner().map(|found| format!("it is {found}")).into_iter().collect();
    match done {
        Ok(()) => Ok((said, signed_in)),
        Err(error) if error.exit == Exit::SignInNeeded => {
            Ok((vec![wants_sign_in(config, new)?], signed_in))
        }
        // The address is right, and they need not sign in again.
        Err(error) if signed_in.is_some() && error.exit != Exit::Interrupted => {
            Ok((vec![format!("warning: {}", in_lines(&error))], signed_in))
        }
        // The new options may be what a new sign-in needs.
        Err(error) if refused_sign_in && is_signed_in(config)? => {
            let why = error.reason();
            let hint =
                error.hint.unwrap_or_else(|| format!("run `bridge login {} --force`", new.name));
            Ok((vec![format!("it refuses the sign-in that is kept: {why}"), hint], None))
        }
        Err(error) => Err(not_saved(error)),
    }
}

/// Whether a token is kept for it.
fn is_signed_in(config: &config::Serve) -> Result<bool, Error> {
    let sign_in = Parts::new(config, Patience::Interactive).sign_in(config, None);
    let record = super::runtime()?.block_on(sign_in.vault.load());
    Ok(record.is_ok_and(|record| record.is_some_and(|record| record.tokens.is_some())))
}

/// An error that does not end the command.
fn in_lines(error: &Error) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("\n  hint: {hint}"));
    error.reason() + &hint.unwrap_or_default()
}

/// Whether it refuses whoever has no token, and does not say how one would sign in: no page would get one.
fn wants_token(config: &config::Serve) -> bool {
    let remote = Parts::new(config, Patience::Interactive).remote(config);
    let runtime = super::runtime();
    let hello = HELLO.as_bytes().into();
    let knock = runtime.map(|runtime| runtime.block_on(remote.knock(None, hello, KNOCK_TIME)));
    matches!(knock, Ok(Ok(Knock { entry: Entry::Closed(None), .. })))
}

/// How to sign in, by what the server says to whoever has no token.
fn wants_sign_in(config: &config::Serve, new: &NewServer) -> Result<String, Error> {
    let remote = Parts::new(config, Patience::Interactive).remote(config);
    let entry = super::runtime()?.block_on(remote.first_knock(None));
    let name = &new.name;
    Ok(match entry {
        // It does not say how.
        Ok(Knock { entry: Entry::Closed(None), .. }) => format!(
            "it wants a sign-in: `bridge login {name}`, or `bridge login {name} --with-token` with a token of yours;\n  \
             for a key in a header of its own, `bridge add {name} --force --secret-header HEADER`"
        ),
        _ => format!("it wants a sign-in: `bridge login {name}`, or when a client first uses it"),
    })
}

fn not_saved(error: Error) -> Error {
    let because = [vec![error.what], error.because].concat();
    let anyway = "`--no-check` saves it all the same";
    let hint = match error.hint {
        Some(hint) => format!("{hint}; {anyway}"),
        None => format!("check the address; {anyway}"),
    };
    Error { what: "the server is not saved".to_owned(), because, hint: Some(hint), ..error }
}
