//! The commands, one file each: gather, call one module, print.

pub mod add;
mod adopt;
mod answer;
pub mod call;
mod check;
mod clients;
pub mod completions;
pub mod doctor;
mod form;
mod given;
pub mod import;
pub mod install;
pub mod kept;
mod keyboard;
pub mod list;
pub mod login;
pub mod logout;
pub mod logs;
mod moved;
mod parts;
mod person;
pub mod prompts;
pub mod purge;
pub mod remove;
pub mod resources;
mod saved;
pub mod serve;
mod session;
pub mod show;
pub mod sign_in_helper;
mod snippet;
pub mod status;
mod table;
pub mod tools;
mod unanswered;
pub mod uninstall;
pub mod unserved;
mod usher;

pub use session::{Use, run as use_server};

use crate::error::Error;

/// The runtime of a command: one thread.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(std::time::Duration::from_secs(1))
        .build()
        .map_err(|error| Error::failed("bridge can't start").because(error))
}
