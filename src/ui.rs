//! What a person in a terminal sees. Only commands and `main` use it.

use std::io::Write;

use crate::error::{Error, Exit};

/// Draws an error on stderr; gives the exit code.
pub fn report(error: &Error) -> Exit {
    // Where nobody reads stderr there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{error}");
    error.exit
}

/// Draws what the command line parser has to say: help and version on stdout, the rest on stderr.
pub fn usage(error: &clap::Error) -> Exit {
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Ok }
}
