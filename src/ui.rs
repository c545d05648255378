//! What a person in a terminal sees. Only commands and `main` use it.

use std::io::Write;

use crate::error::{Error, Exit};

/// Draws an error on stderr; gives the exit code.
pub fn report(error: &Error) -> Exit {
    // Where nobody reads stderr there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{error}");
    error.exit
}

/// Prints help or version on stdout.
pub fn show(text: &clap::Error) -> Exit {
    let _ = text.print();
    Exit::Ok
}
