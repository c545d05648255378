//! The commands, one file each: gather, call one module, print.

mod clients;
pub mod completions;
pub mod install;
pub mod login;
pub mod logout;
mod parts;
pub mod serve;
pub mod sign_in_helper;
pub mod status;
pub mod uninstall;
mod usher;

use crate::error::Error;

/// The runtime of a command: one thread.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(std::time::Duration::from_secs(1))
        .build()
        .map_err(|error| Error::failed("bridge can't start").because(error))
}
