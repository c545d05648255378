//! What is on this machine, whatever the server: the program that a shell finds, and the configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::report::{Check, Report};
use crate::error::Error;
use crate::os;
use crate::printable::one_line;

/// How long another program of the same name may take to say which one it is.
const TIME: Duration = Duration::from_secs(2);
/// Longest words of it that are shown.
const MAX_WORDS: usize = 60;
/// Problems of the file that are shown.
const MAX_PROBLEMS: usize = 20;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the environment says.
#[derive(Debug, Default)]
pub struct Machine {
    /// This program; none where the system does not say.
    pub program: Option<PathBuf>,
    /// Where a shell looks for programs.
    pub folders: Vec<PathBuf>,
    /// Variables that begin as ours do and that nothing reads, with what was probably meant.
    pub unread_variables: Vec<(String, Option<String>)>,
    /// The file of saved servers, if there is one.
    pub file: Option<PathBuf>,
    /// How many are saved in it.
    pub servers: usize,
    /// What is wrong in it, each with its line.
    pub problems: Vec<String>,
    /// What works, and should not stand there: secrets that were written by hand, each with what to do.
    pub warnings: Vec<String>,
}

/// Which `bridge` a shell finds: there is another program of that name (iproute2).
pub async fn program(machine: &Machine, report: &mut Report) {
    let Some(own) = &machine.program else {
        return report.add(Check::skip("program", "the system does not say where it is"));
    };
    let whole = own.display();
    let name = if cfg!(windows) { "bridge.exe" } else { "bridge" };
    let files = machine.folders.iter().map(|folder| folder.join(name));
    let check = match files.into_iter().find(|file| os::is_program(file)) {
        None => {
            let why = format!("version {VERSION}; a shell finds none, so write {whole}");
            Check::skip("program", why)
        }
        Some(found) if is_same(&found, own) => {
            Check::pass("program", format!("version {VERSION}, {}", found.display()))
        }
        Some(found) => other(&found, own).await,
    };
    report.add(check.with_data(json!({ "version": VERSION, "path": whole.to_string() })));
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// A shell finds another one: an older one of ours, or somebody else's.
async fn other(found: &Path, own: &Path) -> Check {
    let mut command = tokio::process::Command::new(found);
    command.arg("--version").stdin(std::process::Stdio::null()).kill_on_drop(true);
    let said = tokio::time::timeout(TIME, command.output()).await;
    let said = said.ok().and_then(Result::ok).map(|output| output.stdout).unwrap_or_default();
    let said = one_line(&String::from_utf8_lossy(&said), MAX_WORDS);
    let version = said.strip_prefix("bridge ").filter(|rest| {
        let of_ours = rest.split('.').all(|part| part.parse::<u32>().is_ok());
        of_ours && rest.contains('.')
    });
    let (found, whole) = (found.display(), own.display());
    match version {
        Some(VERSION) => Check::pass("program", format!("version {VERSION}, {found}")),
        Some(version) => Check::fail(
            "program",
            format!("a shell finds version {version} at {found}; this is {VERSION}"),
            format!("delete one of them, or write {whole}"),
        ),
        // Clients start this one by its whole path: nothing fails by it.
        None => Check::pass(
            "program",
            format!(
                "version {VERSION}, {whole}; a shell finds {found}, which is another program \
                 (iproute2 has one of that name)"
            ),
        )
        .with_hint(format!(
            "write {whole} in commands, or put its folder first into PATH; clients' entries have \
             the whole path already"
        )),
    }
}

/// The configuration, as far as it is the same for every server.
pub fn configuration(machine: &Machine, report: &mut Report) {
    let Machine { unread_variables: unread, problems, servers, .. } = machine;
    if let Some(first) = problems.first() {
        let rest = match problems.len() {
            1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        let hint = "correct the file; its keys are the long options of `bridge --help`";
        let check = Check::fail("configuration", format!("{first}{rest}"), hint);
        return report.add(check.with_lines(problems.iter().skip(1).take(MAX_PROBLEMS).cloned()));
    }
    if !unread.is_empty() {
        return report.add(of_unread(unread));
    }
    let found = match &machine.file {
        Some(file) => format!("{servers} saved in {}", file.display()),
        None => "arguments and variables are sound".to_owned(),
    };
    let warnings = machine.warnings.iter().take(MAX_PROBLEMS);
    let warnings = warnings.map(|warning| format!("warning: {warning}"));
    report.add(Check::pass("configuration", found).with_lines(warnings));
}

fn of_unread(unread: &[(String, Option<String>)]) -> Check {
    let names: Vec<_> = unread.iter().map(|(name, _)| name.as_str()).collect();
    let meant: Vec<_> = unread.iter().filter_map(|(_, meant)| meant.as_deref()).collect();
    let hint = match meant.is_empty() {
        true => {
            "correct the name: `bridge --help` lists the variables; or do not set it".to_owned()
        }
        false => format!("set `{}` in its place; `bridge --help` lists them", meant.join("`, `")),
    };
    Check::fail("configuration", format!("nothing reads {}", names.join(", ")), hint)
}

/// The configuration can't be used: nothing else can be looked at.
pub fn misconfigured(error: &Error, report: &mut Report) {
    let because = error.because.join(": ");
    let detail = [error.what.as_str(), &because].join(if because.is_empty() { "" } else { ": " });
    let hint = error.hint.as_deref().unwrap_or("`bridge --help` lists the options");
    report.add(Check::fail("configuration", detail, hint).ending(error.exit));
    report.stop("the configuration can't be used");
}
