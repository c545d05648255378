//! The user's headers: from arguments, files and the environment into what `remote` sends.

use std::path::{Path, PathBuf};

use super::expand::{Environment, Unexpanded, expand, unexpanded};
use crate::cli::{HeaderArgs, SavedHeader, SavedServer};
use crate::error::Error;
use crate::os;
use crate::paths;
use crate::printable::printable;
use crate::remote::{Header, HeaderCommand, HeaderError, Headers, Source, is_secret_name};
use crate::secret::Secret;

/// What begins the names of variables that are headers.
const PREFIX: &str = "BRIDGE_HEADER_";
/// Options that have variables of their own with that beginning.
const OPTIONS: [&str; 3] = ["FILE", "COMMAND", "COMMAND_TIMEOUT"];
/// Variables that no option has, for they hold secrets.
const SECRETS: [&str; 2] = ["BRIDGE_STORE_KEY", "BRIDGE_CLIENT_SECRET"];

/// The headers, and whether a secret was typed.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) headers: Headers,
    pub(super) kept: Vec<KeptHeader>,
    pub(super) secret_in_arguments: Option<String>,
}

/// Where a text was written, as an error names it.
struct Place<'a> {
    what: String,
    source: Source,
    environment: &'a Environment,
}

/// What stands in the file of saved servers for a value that is kept behind the keychain.
pub(super) const KEPT: &str = "${keychain}";

/// A header whose value is kept with what sign-ins earn.
#[derive(Debug, Clone)]
pub struct KeptHeader {
    name: String,
    /// What stands before, between and after what is kept. Variables may have given it.
    around: Secret<Vec<String>>,
    /// The line of the file that names it.
    pub line: usize,
}

impl KeptHeader {
    /// Its name, as it is written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The header, with what is kept.
    ///
    /// # Errors
    /// It can't be sent.
    pub fn with(&self, kept: &Secret<String>, source: Source) -> Result<Header, HeaderError> {
        let value = self.around.expose().join(kept.expose());
        Header::new(&self.name, &value, source)
    }
}

/// Resolves all headers: a flag counts before a file, a file before the environment, and that before what is
/// saved.
pub(super) fn headers(
    args: &HeaderArgs,
    saved: Option<&SavedServer>,
    environment: &Environment,
) -> Result<Given, Error> {
    let (mut fixed, mut kept) = (Vec::new(), Vec::new());
    let files_are_saved =
        |saved: &SavedServer| saved.options.iter().any(|o| o.key == "header-file");
    let (saved_files, files) = match saved.is_some_and(files_are_saved) {
        true => (&args.header_file[..], &[][..]),
        false => (&[][..], &args.header_file[..]),
    };
    for path in saved_files {
        fixed.extend(from_file(path, environment)?);
    }
    for header in saved.into_iter().flat_map(|saved| &saved.headers) {
        let file = saved.map(|saved| saved.file.clone()).unwrap_or_default();
        // One that is about to be saved stands in no file yet.
        let is_new = file.as_os_str().is_empty();
        let what = match is_new {
            true => format!("`{}`", printable(&header.name, 64)),
            false => format!("line {} of {}", header.line, file.display()),
        };
        let source = if is_new { Source::Argument } else { Source::File(file.clone()) };
        let place = Place { what, source, environment };
        if header.value.contains(KEPT) {
            kept.push(place.kept(header)?);
        } else {
            fixed.push(place.header(&header.name, &header.value)?);
        }
    }
    let saved_end = fixed.len();
    fixed.extend(from_environment(environment)?);
    for path in files {
        fixed.extend(from_file(path, environment)?);
    }
    let mut secret_in_arguments = None;
    for (number, text) in args.header.iter().enumerate() {
        let what = format!("`--header` number {}", number + 1);
        let place = Place { what, source: Source::Argument, environment };
        let header = place.line(text.expose())?;
        if !text.expose().contains("${") && is_secret_name(header.name()) {
            let name = text.expose().split([':', '=']).next().unwrap_or_default();
            secret_in_arguments = Some(name.trim().to_owned());
        }
        fixed.push(header);
    }
    // Given otherwise, it need not be asked for.
    let is_given =
        |name: &str| fixed[saved_end..].iter().any(|h| h.name().eq_ignore_ascii_case(name));
    kept.retain(|header| !is_given(&header.name));
    let command = command(args, environment)?;
    Ok(Given { headers: Headers { fixed, command }, kept, secret_in_arguments })
}

/// The variables that look like ours and mean nothing.
pub(super) fn unknown_variables(environment: &Environment) -> Vec<String> {
    let ours = environment.with_prefix("BRIDGE_").map(|(name, _)| format!("BRIDGE_{name}"));
    let mut names: Vec<_> = ours.filter(|name| !name.starts_with(PREFIX)).collect();
    names.retain(|name| !SECRETS.contains(&name.as_str()));
    if !names.is_empty() {
        let known = crate::cli::variables();
        names.retain(|name| !known.contains(name));
    }
    names
}

/// The variables that are ours, with a meaning.
pub(super) fn ours(environment: &Environment) -> Vec<String> {
    let ours = environment.with_prefix("BRIDGE_").map(|(name, _)| format!("BRIDGE_{name}"));
    let unknown = unknown_variables(environment);
    ours.filter(|name| !unknown.contains(name)).collect()
}

/// The variable that stands for a header, with its value, where one can.
pub(super) fn variable_of(header: &str) -> Option<(String, String)> {
    let (name, value) = header.split_once('=')?;
    let name = name.to_ascii_uppercase().replace('-', "_");
    let fits = !header.split_once('=')?.0.contains('_') && !OPTIONS.contains(&name.as_str());
    fits.then(|| (format!("{PREFIX}{name}"), value.to_owned()))
}

/// Whether a variable of ours holds a secret.
pub(super) fn is_secret_variable(name: &str) -> bool {
    let header = name.strip_prefix(PREFIX).is_some_and(|rest| !OPTIONS.contains(&rest));
    header || SECRETS.contains(&name)
}

/// The variables that only bridge has business with, and that hold secrets.
fn secret_variables(environment: &Environment) -> Vec<String> {
    let headers = environment.with_prefix(PREFIX).map(|(name, _)| name);
    let headers =
        headers.filter(|name| !OPTIONS.contains(name)).map(|name| format!("{PREFIX}{name}"));
    SECRETS.map(str::to_owned).into_iter().chain(headers).collect()
}

/// Of the variables that the user named by `${VAR}`, those that look like secrets; and all of ours.
pub(super) fn variables_for_nobody(environment: &Environment) -> Vec<String> {
    let ours = environment.with_prefix("BRIDGE_").map(|(name, _)| format!("BRIDGE_{name}"));
    let named = environment.expanded().into_iter();
    ours.chain(named.filter(|name| is_secret_name(&name.to_ascii_lowercase()))).collect()
}

fn from_environment(environment: &Environment) -> Result<Vec<Header>, Error> {
    let variables = environment.with_prefix(PREFIX).filter(|(name, _)| !OPTIONS.contains(name));
    variables
        .map(|(name, value)| {
            let variable = format!("{PREFIX}{name}");
            let what = format!("the variable `{variable}`");
            let place = Place { what, source: Source::Variable(variable), environment };
            place.header(&name.replace('_', "-"), value)
        })
        .collect()
}

/// Longest header file, in bytes.
const LONGEST: u64 = 1024 * 1024;

fn from_file(path: &Path, environment: &Environment) -> Result<Vec<Header>, Error> {
    let shown = path.display();
    let read = paths::read_at_most(path, LONGEST)
        .and_then(|text| String::from_utf8(text).map_err(std::io::Error::other));
    let text = read.map_err(|error| {
        Error::usage(format!("the header file {shown} can't be read")).because(error).hint(
            "check the path; write the whole one, since the client may start bridge in any folder",
        )
    })?;
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    lines
        .map(|(number, line)| (number + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let what = format!("line {number} of {shown}");
            Place { what, source: Source::File(PathBuf::from(path)), environment }.line(line)
        })
        .collect()
}

impl Place<'_> {
    /// `Name: value`, `Name:value` or `Name=value`.
    fn line(&self, line: &str) -> Result<Header, Error> {
        let Some(at) = line.find([':', '=']) else {
            return Err(self
                .refused()
                .because("there is no `=` or `:` between a name and a value")
                .hint("write `Name=value`; no spaces are needed"));
        };
        self.header(&line[..at], &line[at + 1..])
    }

    /// A header whose value is kept elsewhere; that of a value is tried that can be sent.
    fn kept(&self, header: &SavedHeader) -> Result<KeptHeader, Error> {
        let SavedHeader { name, value, line } = header;
        self.header(name, &value.replace(KEPT, "x"))?;
        let expanded =
            |piece| expand(piece, self.environment).map_err(|why| self.unexpanded(name, &why));
        let around = value.split(KEPT).map(expanded).collect::<Result<_, _>>()?;
        Ok(KeptHeader { name: name.clone(), around: Secret::new(around), line: *line })
    }

    fn header(&self, name: &str, value: &str) -> Result<Header, Error> {
        if name.starts_with(['\'', '"']) {
            return Err(self
                .refused()
                .because("it begins with a quote")
                .hint("take the quotes away, or use double ones: cmd.exe passes single ones on"));
        }
        if unexpanded(value) && !matches!(self.source, Source::Variable(_)) {
            return Err(self
                .refused()
                .because("its value holds the name of a variable that was not replaced")
                .hint(
                    "write `${VAR}`; if the value really looks like this, put it into a variable",
                ));
        }
        let value =
            expand(value, self.environment).map_err(|error| self.unexpanded(name, &error))?;
        Header::new(name, &value, self.source.clone()).map_err(|error| {
            let refused = self.refused().because(&error);
            match error {
                HeaderError::Reserved(_) => refused.hint("leave it out"),
                HeaderError::Empty(_) => refused.hint(
                    "if the client split the value at a space, write it without: `Name=value`, or \
                     `Name=${VAR}` with the value in the environment",
                ),
                HeaderError::Name(_) => refused.hint("write `Name=value`"),
                HeaderError::Control(_) | HeaderError::TooLong(_) => {
                    refused.hint("check where the value was copied from")
                }
            }
        })
    }

    fn unexpanded(&self, name: &str, error: &Unexpanded) -> Error {
        let refused = self.refused().because(format!("{error}, in the value of `{}`", name.trim()));
        match error {
            Unexpanded::Unset(variable) => refused.hint(format!(
                "set `{variable}` in the client's entry for this server (`env`), or give a default: \
                 `${{{variable}:-default}}`"
            )),
            Unexpanded::Malformed => {
                refused.hint("write `${VAR}`, or `$${` for a `${` that is meant as it is")
            }
        }
    }

    fn refused(&self) -> Error {
        Error::usage(format!("{} can't be used as a header", self.what))
    }
}

fn command(args: &HeaderArgs, environment: &Environment) -> Result<Option<HeaderCommand>, Error> {
    let Some(line) = &args.header_command else { return Ok(None) };
    let unusable = |why: &str| {
        Error::usage("`--header-command` can't be run")
            .because(why)
            .hint("write `program argument …`, or each argument with `--header-command-arg`")
    };
    let (program, arguments) = if args.header_command_arg.is_empty() {
        let parts = os::split_command(line).ok_or_else(|| unusable("a quote is not closed"))?;
        let mut parts = parts.into_iter();
        (parts.next().unwrap_or_default(), parts.collect())
    } else {
        (line.clone(), args.header_command_arg.clone())
    };
    if program.trim().is_empty() {
        return Err(unusable("it names no program"));
    }
    Ok(Some(HeaderCommand {
        program,
        arguments,
        time_limit: args.header_command_timeout,
        hidden: secret_variables(environment),
    }))
}
