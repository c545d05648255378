//! What a person in a terminal sees. Only commands and `main` use it.

use std::io::Write;

use crate::error::{Error, Exit};

/// Draws an error on stderr; gives the exit code.
pub fn report(error: &Error) -> Exit {
    // Where nobody reads stderr there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{error}");
    error.exit
}

/// Whether the parser's words would show an argument that is no option: it may be a part of a secret.
pub fn names_a_value(error: &clap::Error) -> bool {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let shown = match error.kind() {
        ErrorKind::UnknownArgument => error.get(ContextKind::InvalidArg),
        ErrorKind::ArgumentConflict => error.get(ContextKind::InvalidSubcommand),
        _ => None,
    };
    matches!(shown, Some(ContextValue::String(text)) if !text.starts_with('-'))
}

/// Draws what the command line parser has to say: help and version on stdout, the rest on stderr.
pub fn usage(error: &clap::Error) -> Exit {
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}
