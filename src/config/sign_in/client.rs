//! The client that signs in: one that is registered already, or what it shall be registered with.

use serde_json::{Map, Value};

use super::super::Environment;
use super::super::expand::expand;
use super::super::headers::KEPT;
use crate::auth::ClientSecret;
use crate::cli::SignInArgs;
use crate::error::Error;
use crate::secret::Secret;

/// Longest file of a client's, in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// What is known of the client.
pub(super) struct Client {
    pub(super) id: Option<String>,
    pub(super) secret: Option<ClientSecret>,
    /// Its secret is kept with what sign-ins earn.
    pub(super) is_kept: bool,
    pub(super) metadata: Map<String, Value>,
}

pub(super) fn client(args: &SignInArgs, environment: &Environment) -> Result<Client, Error> {
    if args.client_secret.is_some() {
        return Err(Error::usage("`--client-secret` is not taken")
            .because("every user of this machine can read arguments")
            .hint("put it into a file and write `--client-secret-file FILE`, or set BRIDGE_CLIENT_SECRET"));
    }
    let mut metadata = match &args.static_oauth_client_metadata {
        Some(text) => Json("--static-oauth-client-metadata").object(text, None)?,
        None => Map::new(),
    };
    let given = secret(args, environment)?;
    let Some(info) = &args.static_oauth_client_info else {
        return Ok(Client { id: args.client_id.clone(), secret: given, is_kept: false, metadata });
    };
    if args.client_id.is_some() {
        return Err(Error::usage(
            "`--client-id` and `--static-oauth-client-info` can't go together",
        )
        .because("each names a client")
        .hint("leave one of them out"));
    }
    let json = Json("--static-oauth-client-info");
    let info = json.object(info.expose(), Some(environment))?;
    let id = json.text(&info, "client_id")?.ok_or_else(|| json.refused("it has no `client_id`"))?;
    if let Some(method) = json.text(&info, "token_endpoint_auth_method")? {
        metadata.entry("token_endpoint_auth_method").or_insert(Value::String(method));
    }
    let secret = json.text(&info, "client_secret")?;
    let is_kept = secret.as_deref() == Some(KEPT);
    let of_info = secret.filter(|_| !is_kept).map(|secret| proof(&secret));
    Ok(Client { id: Some(id), secret: of_info.or(given), is_kept, metadata })
}

/// The secret of a client: from the file, else from the environment.
fn secret(args: &SignInArgs, environment: &Environment) -> Result<Option<ClientSecret>, Error> {
    let Some(path) = &args.client_secret_file else {
        return Ok(environment.get("BRIDGE_CLIENT_SECRET").map(proof));
    };
    let shown = path.display();
    let refused = |reason: &dyn std::fmt::Display| {
        Error::usage(format!("the file {shown} of `--client-secret-file` can't be used"))
            .because(reason)
            .hint("write the whole path of a file with the secret and nothing else in it")
    };
    let text = read(path).map_err(|error| refused(&error))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(refused(&"it is empty"));
    }
    Ok(Some(proof(text)))
}

/// A private key is told from a shared secret by its first line.
pub(super) fn proof(text: &str) -> ClientSecret {
    let text = text.trim();
    if text.starts_with("-----BEGIN ") {
        ClientSecret::PrivateKey { pem: Secret::new(format!("{text}\n")), algorithm: None }
    } else {
        ClientSecret::Shared(Secret::new(text.to_owned()))
    }
}

fn read(path: &std::path::Path) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

/// A value that is JSON, or `@` and the path of a file of it. What is in it is never shown.
struct Json(&'static str);

impl Json {
    /// Reads an object; `${VAR}` in it is expanded where an environment is given.
    fn object(
        &self,
        text: &str,
        environment: Option<&Environment>,
    ) -> Result<Map<String, Value>, Error> {
        let text = match text.trim().strip_prefix('@') {
            Some(path) => read(path.as_ref()).map_err(|error| {
                self.unusable(&format!("the file {path} can't be read: {error}")).hint(
                    "check the path; write the whole one, since the client may start bridge in any folder",
                )
            })?,
            None => text.to_owned(),
        };
        let mut value = self.parsed(&text, environment)?;
        if let Some(environment) = environment {
            expand_texts(&mut value, environment).map_err(|why| self.refused(&why))?;
        }
        match value {
            Value::Object(object) => Ok(object),
            _ => Err(self.refused("it is no JSON object")),
        }
    }

    /// As it is, so that a variable's value needs no escapes; else with the variables put in first, which
    /// may stand for a number or a whole object.
    fn parsed(&self, text: &str, environment: Option<&Environment>) -> Result<Value, Error> {
        if let Ok(value) = serde_json::from_str(text) {
            return Ok(value);
        }
        let expanded = match environment {
            Some(environment) => {
                expand(text, environment).map_err(|error| self.refused(&error.to_string()))?
            }
            None => text.to_owned(),
        };
        serde_json::from_str(&expanded).map_err(|error| {
            let at = format!("line {}, column {}", error.line(), error.column());
            self.refused(&format!("it is no JSON ({at})"))
        })
    }

    /// A member that is a text; an empty one is none.
    fn text(&self, object: &Map<String, Value>, name: &str) -> Result<Option<String>, Error> {
        match object.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.refused(&format!("its `{name}` is no text"))),
        }
    }

    fn refused(&self, reason: &str) -> Error {
        let option = self.0;
        self.unusable(reason).hint(format!(
            "put the JSON into a file and write `{option} @FILE`: shells and clients change quotes"
        ))
    }

    fn unusable(&self, reason: &str) -> Error {
        Error::usage(format!("the value of `{}` can't be used", self.0)).because(reason)
    }
}

fn expand_texts(value: &mut Value, environment: &Environment) -> Result<(), String> {
    match value {
        // Not a variable: what is kept is put in later.
        Value::String(text) if text == KEPT => {}
        Value::String(text) => {
            *text = expand(text, environment).map_err(|error| error.to_string())?;
        }
        Value::Array(values) => {
            for value in values {
                expand_texts(value, environment)?;
            }
        }
        Value::Object(members) => {
            for value in members.values_mut() {
                expand_texts(value, environment)?;
            }
        }
        _ => {}
    }
    Ok(())
}
