//! Options of mcp-remote that this version knows by name only, so that it can say so.

use clap::error::Error;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// The options: name, and what its value is called where it has one.
pub const LATER: [(&str, Option<&str>); 15] = [
    ("host", Some("HOST")),
    ("callback-path", Some("PATH")),
    ("auth-timeout", Some("SECONDS")),
    ("auth-success-url", Some("URL")),
    ("resource", Some("URI")),
    ("disable-resource-parameter", None),
    ("authorize-param", Some("KEY=VALUE")),
    ("static-oauth-client-metadata", Some("JSON")),
    ("static-oauth-client-info", Some("JSON")),
    ("client-metadata-url", Some("URL")),
    ("client-credentials", None),
    ("token-endpoint", Some("URL")),
    ("device-code", None),
    ("use-id-token", None),
    // `legacy` is what there is; see `first`.
    ("protocol", Some("MODE")),
];

/// Those of them that were typed.
#[derive(Debug, Default)]
pub struct LaterArgs {
    /// The first one, without its dashes.
    pub first: Option<&'static str>,
}

impl FromArgMatches for LaterArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let typed =
            |name: &str| matches.value_source(name).is_some_and(|s| s == ValueSource::CommandLine);
        let is_here = |name: &str| {
            let values = matches.try_get_many::<String>(name).ok().flatten();
            name == "protocol" && values.into_iter().flatten().all(|mode| mode == "legacy")
        };
        let mut names = LATER.into_iter().map(|(name, _)| name);
        Ok(Self { first: names.find(|name| typed(name) && !is_here(name)) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for LaterArgs {
    fn augment_args(command: Command) -> Command {
        LATER.into_iter().fold(command, |command, (name, value)| {
            let arg = Arg::new(name).long(name).hide(true);
            command.arg(match value {
                Some(value) => arg.value_name(value).action(ArgAction::Append),
                None => arg.action(ArgAction::SetTrue),
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
