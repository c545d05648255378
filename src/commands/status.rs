//! `bridge status`: who is signed in where.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::auth::{self, Record};
use crate::clock::{Clock, Moment, SystemClock, span};
use crate::config;
use crate::credentials::{Entry, Keep, Login, Patience, Store};
use crate::error::{Error, Exit};
use crate::order;
use crate::remote::Facts;
use crate::ui;

use super::login::{UNSEALED, kept};
use super::parts::error;

/// Shows the sign-ins of the store, or the one at this server.
///
/// # Errors
/// The store can't be read; for one server: nobody is signed in there.
pub fn run(config: &config::SignIns, only: Option<&One>, as_json: bool) -> Result<(), Error> {
    let store = Store::open(&config.credentials, Patience::Interactive);
    let entries = store.list().map_err(|why| error(&auth::of_store(&why)))?;
    let id = only.map(|one| one.login.id());
    let shown: Vec<_> =
        entries.iter().filter(|entry| id.as_ref().is_none_or(|id| *id == entry.id)).collect();
    let now = SystemClock.wall();
    let described = shown.iter().map(|entry| described(entry, store.name(), now)).collect();
    let mut described: Vec<Value> =
        order::by(described, |one, other| place(one).cmp(&place(other)));
    if let Some(One { login, .. }) = only {
        described.iter_mut().for_each(|described| name(described, login));
        described.extend(shown.is_empty().then(|| known(login)));
    }
    if as_json {
        ui::print_json(&Value::from(described.clone()).to_string())?;
    } else if described.is_empty() && only.is_none() {
        ui::print(b"Nobody is signed in anywhere.\n")?;
    } else {
        let texts: Vec<_> = described.iter().map(text).collect();
        ui::print(ui::fit(&texts.join("\n")).as_bytes())?;
    }
    match only {
        Some(one) if !described.iter().any(holds) => Err(nobody(one, &described)),
        _ => Ok(()),
    }
}

/// Whether there is something to sign requests with.
fn holds(described: &Value) -> bool {
    described["state"] == SIGNED_IN || described["state"] == GIVEN
}

/// The error of a server that nobody is signed in to.
fn nobody(One { login, command }: &One, described: &[Value]) -> Error {
    let server = crate::remote::without_secrets(login.server());
    let text = |name: &str| described.iter().find_map(|described| described[name].as_str());
    let error = Error::failed(format!("nobody is signed in to {server}"));
    let error = Error { exit: Exit::SignInNeeded, ..error };
    match (text("why"), text("lastFailure")) {
        (Some(why), _) => {
            let hint = text("hint").unwrap_or("`bridge login` says what can be done");
            error.because(why).hint(auth::for_login(hint, command))
        }
        (None, Some(why)) => error.because(why).hint(format!("run `{command}`")),
        (None, None) => error.hint(format!("run `{command}`")),
    }
}

/// By what they are sorted: those that name no server are the last.
fn place(described: &Value) -> (bool, &str, &str) {
    let member = |name: &str| described[name].as_str().unwrap_or_default();
    (described["server"].is_null(), member("server"), member("profile"))
}

/// Names what its own record does not, since it can't be read.
fn name(described: &mut Value, login: &Login) {
    if described["server"].is_null() {
        described["server"] = crate::remote::without_secrets(login.server()).into();
        described["profile"] = login.profile().name().into();
    }
}

/// One server, and what a person types to sign in to it.
#[derive(Debug)]
pub struct One {
    login: Login,
    command: String,
}

/// The login of one server.
pub fn one(config: &config::Serve) -> One {
    One { login: super::parts::login(config), command: super::parts::login_command_of(config) }
}

/// What is known of a server that nobody is signed in to.
fn known(login: &Login) -> Value {
    let facts = facts(login);
    let (server, profile) =
        (crate::remote::without_secrets(login.server()), login.profile().name());
    json!({
        "server": server, "profile": profile, "state": "nobody is signed in",
        "era": facts.era(), "transport": facts.transport_name(),
    })
}

/// What a serving process found out in the last day.
fn facts(login: &Login) -> Facts {
    let file = config::facts(login.server(), login.profile().name());
    file.map(|file| Facts::read(&file)).unwrap_or_default()
}

const SIGNED_IN: &str = "signed in";
const GIVEN: &str = "token given";

fn described(entry: &Entry, chosen: &'static str, now: SystemTime) -> Value {
    let (login, content) = match &entry.content {
        Ok(content) => content,
        Err(why) => {
            return json!({
                "id": entry.id, "store": entry.store, "state": "unreadable",
                "ageInSeconds": age(entry, now), "why": why.to_string(), "hint": why.hint(),
            });
        }
    };
    let server = crate::remote::without_secrets(login.server());
    let profile = login.profile().name();
    let Ok(record) = Record::from_bytes(content.expose()) else {
        return json!({
            "id": entry.id, "server": server, "profile": profile, "store": entry.store,
            "state": "unreadable", "why": "a later version of bridge wrote it",
        });
    };
    let now = Moment::from(now);
    let facts = facts(login);
    let tokens = record.tokens.as_ref();
    let expires = tokens.and_then(|tokens| tokens.expires);
    json!({
        "server": server,
        "profile": profile,
        "store": entry.store,
        "state": state(&record, now),
        "era": facts.era(),
        "transport": facts.transport_name(),
        "issuer": record.provider.as_ref().map(|provider| &provider.issuer),
        "resource": record.provider.as_ref().and_then(|provider| provider.resource.as_ref()),
        "trust": record.provider.as_ref().map(|provider| provider.trust),
        "exception": record.provider.as_ref()
            .and_then(|provider| provider.exception()).map(|exception| exception.name),
        "clientId": record.registration.as_ref().map(|client| &client.client_id),
        "scopes": record.scopes.iter().collect::<Vec<_>>(),
        "expiresInSeconds": expires.map(|end| end.since(now).as_secs()),
        "renewable": tokens.is_some_and(|tokens| tokens.refresh_token.is_some()),
        "askedBecause": record.asked_because,
        "lastFailure": record.last_failure.as_ref().map(|last| &last.reason),
        "hint": (entry.store != chosen).then(|| format!(
            "a bridge that is to use it needs `--credential-store {}`; without that it looks in the store `{chosen}`",
            entry.store
        )),
    })
}

/// How long ago it was saved, in seconds.
fn age(entry: &Entry, now: SystemTime) -> Option<u64> {
    Some(now.duration_since(entry.saved?).ok()?.as_secs())
}

fn state(record: &Record, now: Moment) -> &'static str {
    match &record.tokens {
        Some(_) if record.given => GIVEN,
        Some(tokens) if tokens.is_over(now) && tokens.refresh_token.is_none() => "expired",
        Some(_) => SIGNED_IN,
        None if record.waits_for_person(now) => "waiting for the person",
        None => "signed out",
    }
}

/// One sign-in for a person.
fn text(described: &Value) -> String {
    let member = |name: &str| described.get(name).and_then(Value::as_str).unwrap_or_default();
    let server = Some(member("server")).filter(|server| !server.is_empty());
    let mut lines = vec![format!("{}  {}", server.unwrap_or("a record"), member("state"))];
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {name:<9} {value}"));
        }
    };
    line("record", member("id").to_owned());
    let age = described.get("ageInSeconds").and_then(Value::as_u64).map(Duration::from_secs);
    line("saved", age.map(|age| format!("{} ago", span(age))).unwrap_or_default());
    if member("profile") != "default" {
        line("profile", member("profile").to_owned());
    }
    line("server", Facts::spoken_of(member("era"), member("transport")));
    line("issuer", member("issuer").to_owned());
    if member("trust") == "unverified" {
        line("", "unverified: the server has no metadata".to_owned());
    }
    line("exception", member("exception").to_owned());
    let scopes = described.get("scopes").and_then(Value::as_array);
    let scopes: Vec<_> = scopes.into_iter().flatten().filter_map(Value::as_str).collect();
    line("scopes", scopes.join(" "));
    let left = described.get("expiresInSeconds").and_then(Value::as_u64);
    let renewable = described.get("renewable").and_then(Value::as_bool).unwrap_or_default();
    if let Some(left) = left {
        let then = if renewable { "renewed by itself" } else { "not renewable" };
        line("token", format!("good for {}, {then}", span(Duration::from_secs(left))));
    }
    line("kept", if member("store").is_empty() { String::new() } else { kept(member("store")) });
    line("because", member("askedBecause").to_owned());
    if member("store") == Keep::Plaintext.name() {
        line("warning", UNSEALED.to_owned());
    }
    line("failed", member("lastFailure").to_owned());
    line("why", member("why").to_owned());
    line("hint", member("hint").to_owned());
    lines.join("\n") + "\n"
}
