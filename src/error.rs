//! Errors for a person: what failed, why, what to do next. And the exit codes.

use std::fmt;
use std::process::ExitCode;

use crate::printable::escaped;

/// Characters of a part of an error that are shown.
const LONGEST: usize = 2_000;

/// How the process ends. The numbers are a promise (`docs/errors.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// It failed, for a reason that has no code of its own.
    Failed = 1,
    /// What was typed can't be done.
    Usage = 2,
    /// A person has to sign in first.
    SignInNeeded = 3,
    /// The server, or who signs users in for it, said no.
    Refused = 4,
    /// No connection.
    Unreachable = 5,
    /// The server carried the tool out, and the tool says that it failed (`isError`).
    ToolFailed = 6,
    /// The person ended it with Ctrl-C; as a shell says it of a signal.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends a command.
#[derive(Debug, Clone)]
pub struct Error {
    /// How the process ends.
    pub exit: Exit,
    /// What failed.
    pub what: String,
    /// Why, the outermost reason first.
    pub because: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

impl Error {
    /// What was typed can't be done.
    pub fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, what: what.into(), because: Vec::new(), hint: None }
    }

    /// It failed.
    pub fn failed(what: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, ..Self::usage(what) }
    }

    /// Adds a reason.
    #[must_use]
    pub fn because(mut self, reason: impl fmt::Display) -> Self {
        self.because.push(reason.to_string());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What failed and why, in one line.
    #[must_use]
    pub fn reason(&self) -> String {
        std::iter::once(&self.what)
            .chain(&self.because)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(": ")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", shown(&self.what))?;
        for reason in &self.because {
            write!(f, "\n  because: {}", shown(reason))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {}", shown(hint))?;
        }
        Ok(())
    }
}

/// What was typed, or what a server said, may be among it.
fn shown(part: &str) -> String {
    match part.char_indices().nth(LONGEST) {
        Some((end, _)) => escaped(&part[..end]) + "…",
        None => escaped(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_drawn_in_three_parts() {
        let error = Error::usage("x").because("y").because("z").hint("do w");
        assert_eq!(error.to_string(), "error: x\n  because: y\n  because: z\nhint: do w");
    }

    #[test]
    fn no_part_steers_the_terminal_or_fills_it() {
        let error = Error::usage("x\u{1b}[2J").hint("y".repeat(LONGEST + 1));
        let end = format!("y{}…", "y".repeat(LONGEST - 1));
        assert_eq!(error.to_string(), format!("error: x\\u{{1b}}[2J\nhint: {end}"));
    }

    #[test]
    fn exit_codes_are_what_the_documentation_says() {
        let page = include_str!("../docs/errors.md");
        for (exit, word) in [
            (Exit::Ok, "ok"),
            (Exit::Failed, "failed"),
            (Exit::Usage, "usage"),
            (Exit::SignInNeeded, "sign-in needed"),
            (Exit::Refused, "refused"),
            (Exit::Unreachable, "unreachable"),
            (Exit::ToolFailed, "tool failed"),
            (Exit::Interrupted, "interrupted"),
        ] {
            assert!(page.contains(&format!("| {} | {word} |", exit as u8)), "{word}");
        }
    }
}
