//! What was typed and what the environment says about keeping what a sign-in earns.

use super::expand::Environment;
use crate::cli::{CredentialArgs, CredentialStore};
use crate::credentials::{Keep, Key, Profile, Settings};
use crate::error::Error;
use crate::paths;

/// Holds the key of the store `env`. It is read from nowhere else: arguments can be read by others.
const STORE_KEY: &str = "BRIDGE_STORE_KEY";
/// The folder of the records, in the program's own.
const FOLDER: &str = "credentials";

/// Resolves the arguments.
///
/// # Errors
/// The profile's name or the key can't be used.
pub(super) fn credentials(
    args: &CredentialArgs,
    environment: &Environment,
) -> Result<Settings, Error> {
    let settings = without_key(args)?;
    Ok(Settings { keep: keep(args.credential_store, environment)?, ..settings })
}

/// What is known without the store: the folder, and the account.
///
/// # Errors
/// The profile's name can't be used.
pub(super) fn without_key(args: &CredentialArgs) -> Result<Settings, Error> {
    let profile = Profile::parse(&args.profile).map_err(|error| {
        Error::usage("the profile can't be used")
            .because(error)
            .hint("choose a plain name: `--profile work`")
    })?;
    let folder = paths::data_folder().map(|folder| folder.join(FOLDER));
    Ok(Settings { keep: Keep::default(), folder, profile })
}

fn keep(store: CredentialStore, environment: &Environment) -> Result<Keep, Error> {
    let key = || {
        let parsed = environment.get(STORE_KEY).map(Key::parse).transpose();
        parsed.map_err(|error| unusable_key().because(error))
    };
    Ok(match store {
        CredentialStore::Auto => key()?.map_or(Keep::Keychain, Keep::Key),
        CredentialStore::Keychain => Keep::Keychain,
        CredentialStore::Env => {
            Keep::Key(key()?.ok_or_else(|| {
                unusable_key().because("it is not set, or empty").hint(
                    "set it to the key that sign-ins were sealed with, also where the client starts bridge; \
                     `openssl rand -base64 32` makes a first one",
                )
            })?)
        }
        CredentialStore::Plaintext => Keep::Plaintext,
        CredentialStore::Memory => Keep::Memory,
    })
}

fn unusable_key() -> Error {
    Error::usage(format!("`{STORE_KEY}` can't be used"))
        .hint("make a key with `openssl rand -base64 32`, and keep it where your other secrets are")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn resolved(args: &[&str], variables: &[(&str, &str)]) -> Result<Settings, String> {
        let args = [&["bridge", "https://h/mcp"], args].concat();
        let cli = Cli::try_parse_from(args).map_err(|error| error.to_string())?;
        let environment = Environment::of(variables);
        credentials(&cli.serve.credentials, &environment).map_err(|error| error.to_string())
    }

    fn kept(args: &[&str], variables: &[(&str, &str)]) -> &'static str {
        resolved(args, variables).unwrap().keep.name()
    }

    #[test]
    fn the_keychain_keeps_the_key_unless_the_environment_holds_one() {
        assert_eq!(kept(&[], &[]), "keychain");
        assert_eq!(kept(&[], &[("BRIDGE_STORE_KEY", KEY)]), "env");
        assert_eq!(kept(&[], &[("BRIDGE_STORE_KEY", "")]), "keychain");
        for store in ["keychain", "env", "plaintext", "memory"] {
            let args = ["--credential-store", store];
            assert_eq!(kept(&args, &[("BRIDGE_STORE_KEY", KEY)]), store);
        }
        let folder = resolved(&[], &[]).unwrap().folder.unwrap();
        assert!(folder.ends_with("credentials"), "{}", folder.display());
    }

    #[test]
    fn a_key_that_is_none_is_told_and_not_shown() {
        let missing = "error: `BRIDGE_STORE_KEY` can't be used\n  because: it is not set, or empty\n\
            hint: set it to the key that sign-ins were sealed with, also where the client starts bridge; \
            `openssl rand -base64 32` makes a first one";
        assert_eq!(resolved(&["--credential-store", "env"], &[]).unwrap_err(), missing);
        for store in ["auto", "env"] {
            let given = [("BRIDGE_STORE_KEY", "canary")];
            let told = resolved(&["--credential-store", store], &given).unwrap_err();
            assert!(told.contains("32 random bytes") && !told.contains("canary"), "{told}");
        }
        let unused = resolved(&["--credential-store", "memory"], &[("BRIDGE_STORE_KEY", "canary")]);
        assert!(unused.is_ok());
        let shown = format!("{:?}", resolved(&[], &[("BRIDGE_STORE_KEY", KEY)]).unwrap());
        assert!(!shown.contains(KEY), "{shown}");
    }

    #[test]
    fn a_profile_is_a_plain_name() {
        assert_eq!(resolved(&["--profile", "work"], &[]).unwrap().profile.name(), "work");
        let told = resolved(&["--profile", "../x"], &[]).unwrap_err();
        assert!(told.contains("`--profile work`"), "{told}");
    }
}
