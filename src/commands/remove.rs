//! `bridge remove`: forget a saved server.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use crate::auth::Vault;
use crate::cli::RemoveArgs;
use crate::config::saved::{self, Config, Found};
use crate::config::{self, Environment};
use crate::credentials::{Patience, Store};
use crate::error::Error;
use crate::ui;

use super::kept::Kept;
use super::parts::login;

/// Forgets it, with what is kept for its headers. A sign-in stays.
///
/// # Errors
/// There is none of that name, nobody said yes, or the file can't be changed.
pub fn run(args: &RemoveArgs) -> Result<(), Error> {
    let name = &args.name;
    let Some(found) = Config::read()?.take(name) else {
        return Err(saved::unknown("remove", name));
    };
    if !args.yes && !is_wanted(name)? {
        return Err(Error::failed("nothing was removed"));
    }
    let environment = Environment::of_process();
    let (config, file) = forget(&found, &environment)?;
    ui::say(&format!("Removed `{name}` from {}.", file.display()));
    for client in super::clients::starting(name, &environment) {
        ui::say(&format!(
            "warning: an entry of {} starts it still: `bridge uninstall {name} --client {}`",
            client.title, client.name
        ));
    }
    if let Some(config) = config {
        tell_of_sign_in(config);
    }
    Ok(())
}

/// Removes it, and what is kept for it. Gives what it meant, and the file.
pub(super) fn forget(
    found: &Found,
    environment: &Environment,
) -> Result<(Option<config::Serve>, PathBuf), Error> {
    let name = &found.saved.name;
    // Before the file: what nothing names any more would never be found.
    let config = saved::serve(name, environment);
    let is_kept = |value: &String| value.contains("${keychain}");
    let kept_headers = found.saved.headers.iter().any(|header| is_kept(&header.value))
        || found.saved.options.iter().any(|option| option.values.iter().any(is_kept));
    if kept_headers {
        // No key is needed for it.
        match saved::place(name, environment) {
            Ok((settings, endpoint)) => Kept::at(&settings, &endpoint, name).delete_everywhere()?,
            Err(why) => ui::say(&format!(
                "warning: what is kept for the headers of `{name}` stays, and nothing uses it any more: {}",
                why.reason()
            )),
        }
    }
    Ok((config.ok(), saved::remove(name)?))
}

fn is_wanted(name: &str) -> Result<bool, Error> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Error::usage(format!("nobody can be asked whether `{name}` is to be removed"))
            .hint(format!("write `bridge remove {name} --yes`")));
    }
    let typed = ui::ask(&format!("Remove `{name}`? [y/N] "))
        .map_err(|why| Error::failed("nothing was removed").because(why))?;
    Ok(typed.is_some_and(|typed| matches!(&*typed.to_ascii_lowercase(), "y" | "yes")))
}

/// A sign-in belongs to the address, and may be used without a name.
fn tell_of_sign_in(mut config: config::Serve) {
    let store = Arc::new(Store::open(&config.credentials, Patience::Interactive));
    if Vault::new(store, login(&config)).version().is_some() {
        config.saved = None;
        let command = super::parts::login_command_of(&config).replacen("login", "logout", 1);
        ui::say(&format!(
            "  the sign-in to {} stays: `{command}` forgets it",
            config.endpoint.host()
        ));
    }
}
