//! Saved servers: what a name stands for, what the commands leave on disk and behind the store, what is told of a
//! file that can't be used.

mod names;
#[cfg(target_os = "linux")]
mod secrets;
#[cfg(target_os = "linux")]
mod verbs;
