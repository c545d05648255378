//! A server whose secrets move out of another program's file: saved, with its secrets where sign-ins are kept.

use std::collections::BTreeMap;

use crate::config::saved::{self, NewServer};
use crate::config::{Environment, Serve};
use crate::credentials::{Keep, Patience, StoreError};
use crate::error::Error;
use crate::secret::Secret;

use super::add::{apart, client_secret, values};
use super::kept::{Kept, Values};

/// A server that can be saved, and what is kept for it.
pub(super) struct Moved {
    pub(super) new: NewServer,
    kept: Kept,
    values: Values,
}

impl Moved {
    /// Takes the secrets of its headers and its client out. Nothing is saved yet. `environment` is that of whoever
    /// starts it.
    ///
    /// # Errors
    /// It would not work.
    pub(super) fn of(mut new: NewServer, environment: &Environment) -> Result<Self, Error> {
        let mut secrets = BTreeMap::new();
        for (name, value) in &mut new.headers {
            if saved::is_secret_header(name, value) {
                let (template, secret) = apart(name, &Secret::new(value.clone()));
                *value = template;
                secrets.insert(name.to_ascii_lowercase(), secret);
            }
        }
        client_secret(&mut new, &mut secrets);
        let config: Serve = saved::serve_new(&new, true, environment)?;
        let store = config.credentials.keep.name();
        // Whatever starts it later looks there too.
        if store != Keep::Keychain.name() {
            new.options.push((saved::STORE.to_owned(), vec![store.to_owned()]));
        }
        let kept = Kept::of(&config, &new.name, Patience::Interactive);
        let values = values(&new, &secrets, &Values::new());
        Ok(Self { new, kept, values })
    }

    /// Whether its secrets can be kept. `checked` is what was found out of the store before.
    ///
    /// # Errors
    /// They can't.
    pub(super) fn check(&self, checked: &mut Option<Result<(), StoreError>>) -> Result<(), Error> {
        let checked = checked.get_or_insert_with(|| self.kept.check());
        checked.as_ref().map_err(|why| self.kept.unusable("kept", why)).copied()
    }

    /// Saves it in place of one of the same name.
    ///
    /// # Errors
    /// It is not saved, and nothing is kept for it.
    pub(super) fn save(&self) -> Result<(), Error> {
        self.kept.save(&self.values, false)?;
        saved::save(&self.new).map(drop).inspect_err(|_| self.take_back())
    }

    /// Forgets what was saved and kept, as far as it can be.
    pub(super) fn take_back(&self) {
        let _ = (self.kept.delete(), saved::remove(&self.new.name));
    }

    /// Where its secrets are kept, for a person.
    pub(super) fn place(&self) -> &'static str {
        super::login::place(self.kept.place())
    }

    /// The headers that hold secrets, and the client's secret, for a person.
    pub(super) fn names(&self) -> String {
        let is_kept = |text: &str| text.contains(super::add::KEPT);
        let headers = self.new.headers.iter().filter(|(_, value)| is_kept(value));
        let names = headers.map(|(name, _)| format!("`{}`", super::clients::shown(name)));
        let mut options = self.new.options.iter().flat_map(|(_, values)| values);
        let client = options.any(|value| is_kept(value)).then(|| "the client's secret".to_owned());
        names.chain(client).collect::<Vec<_>>().join(" and ")
    }
}
