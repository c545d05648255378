//! Header values that are kept with what sign-ins earn, and sealed as that is.

use std::collections::BTreeMap;

use crate::credentials::{Login, Patience, Settings, Store, StoreError};
use crate::error::Error;
use crate::remote::{Endpoint, Source};
use crate::secret::Secret;
use crate::{config, ui};

use super::login::set_aside;

/// The values by the names of their headers, in small letters.
pub(super) type Values = BTreeMap<String, String>;

/// Stands among the names of headers for the secret of a client that is registered already; no header has it.
pub(super) const CLIENT_SECRET: &str = "client secret";

/// What is kept for the headers of one saved server.
pub(super) struct Kept {
    store: Store,
    login: Login,
    name: String,
    /// What a person types to give all of it anew.
    anew: String,
}

impl Kept {
    pub(super) fn of(config: &config::Serve, name: &str, patience: Patience) -> Self {
        let settings = &config.credentials;
        let login = Login::for_headers(settings.profile.clone(), config.endpoint.url(), name);
        let anew = anew(config, name);
        Self { store: Store::open(settings, patience), login, name: name.to_owned(), anew }
    }

    /// What is kept for this name at an address, to be deleted: with no key nothing else can be done.
    pub(super) fn at(settings: &Settings, endpoint: &Endpoint, name: &str) -> Self {
        let login = Login::for_headers(settings.profile.clone(), endpoint.url(), name);
        let (name, anew) = (name.to_owned(), String::new());
        Self { store: Store::open(settings, Patience::Interactive), login, name, anew }
    }

    /// Whether something can be kept. Keeps nothing.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.store.check()
    }

    /// The values; none where nothing is kept.
    ///
    /// # Errors
    /// They can't be read, or are in another store.
    pub(super) fn load(&self) -> Result<Values, Error> {
        let unusable = |why| self.unusable("read", &why);
        let Some(json) = self.store.load(&self.login).map_err(unusable)? else {
            let beside = self.store.beside(&self.login).unwrap_or_default();
            let elsewhere =
                beside.first().map(|entry| StoreError::Elsewhere { store: entry.store });
            return elsewhere.map_or_else(|| Ok(Values::new()), |why| Err(unusable(why)));
        };
        Ok(serde_json::from_slice(json.expose()).unwrap_or_default())
    }

    /// Keeps the values. Where the person gave them `anew`, what can't be read any more is set aside for them.
    pub(super) fn save(&self, values: &Values, anew: bool) -> Result<(), Error> {
        let json = serde_json::to_vec(values).unwrap_or_default();
        let saved = || self.store.prepare().and_then(|()| self.store.save(&self.login, &json));
        let unusable = |why| self.unusable("kept", &why);
        match saved() {
            Err(why) if anew && why.is_unreadable() => {
                let aside = self.store.start_over().map_err(unusable)?;
                ui::say(&format!("{why}; {}", set_aside(aside.len())));
                saved().map_err(unusable)
            }
            saved => saved.map_err(unusable),
        }
    }

    /// Whether there was something.
    pub(super) fn delete(&self) -> Result<bool, Error> {
        self.store.delete(&self.login).map_err(|why| self.unusable("deleted", &why))
    }

    /// Deletes it in whichever store of the same folder it is.
    pub(super) fn delete_everywhere(&self) -> Result<(), Error> {
        let all = || {
            self.store.delete(&self.login)?;
            self.store
                .beside(&self.login)?
                .iter()
                .try_for_each(|it| self.store.remove(it).map(drop))
        };
        all().map_err(|why| self.unusable("deleted", &why))
    }

    pub(super) fn unusable(&self, done: &str, why: &StoreError) -> Error {
        Error::failed(format!("the secrets of `{}` can't be {done}", self.name))
            .because(why)
            .hint(why.hint_of_secrets(&self.anew))
    }

    /// Where it is, as `--credential-store` names it.
    pub(super) fn place(&self) -> &'static str {
        self.store.name()
    }
}

/// What a person types to give anew all that is kept for a saved server.
fn anew(config: &config::Serve, name: &str) -> String {
    let headers = config.kept.iter().map(|header| format!(" --secret-header {}", header.name()));
    let client = config.is_secret_kept.then(|| " --static-oauth-client-info '{…}'".to_owned());
    let options: String = headers.chain(client).collect();
    format!("bridge add {name} --force{options}")
}

/// Puts the values that are kept into the headers that name them, and the client's secret into its settings. Nothing is
/// read where nothing names them.
///
/// # Errors
/// One is not there, or can't be read.
pub fn fill(config: &mut config::Serve, patience: Patience) -> Result<(), Error> {
    let is_any = !config.kept.is_empty() || config.is_secret_kept;
    let Some(saved) = config.saved.as_ref().filter(|_| is_any) else { return Ok(()) };
    let values = Kept::of(config, &saved.name, patience).load()?;
    put(config, &values)
}

/// Puts in these values.
pub(super) fn put(config: &mut config::Serve, values: &Values) -> Result<(), Error> {
    let saved = config.saved.as_ref();
    let name = saved.map(|saved| saved.name.clone()).unwrap_or_default();
    let is_new = saved.is_some_and(|saved| saved.is_new);
    for header in std::mem::take(&mut config.kept) {
        let header_name = header.name();
        let renew = format!("bridge add {name} --force --secret-header {header_name}");
        let refused = |why: String| {
            Error::usage(format!("the header `{header_name}` of `{name}` can't be sent"))
                .because(why)
                .hint(format!("run `{renew}`"))
        };
        let value = values
            .get(&header_name.to_ascii_lowercase())
            .ok_or_else(|| refused(NOTHING.to_owned()))?;
        let value = Secret::new(value.clone());
        let source = if is_new { Source::New } else { Source::Kept(renew.clone()) };
        let sent = header.with(&value, source).map_err(|why| refused(why.to_string()))?;
        config.remote.headers.fixed.push(sent);
    }
    if config.is_secret_kept {
        let secret = values.get(CLIENT_SECRET).ok_or_else(|| {
            Error::usage(format!("the client of `{name}` can't be used"))
                .because(NOTHING.replace("it at", "its secret at"))
                .hint(format!(
                    "give it anew: `bridge add {name} --force --static-oauth-client-info '{{…}}'`"
                ))
        })?;
        config.set_client_secret(&Secret::new(secret.clone()));
    }
    Ok(())
}

const NOTHING: &str = "no value is kept for it at this address and in this profile and store";
