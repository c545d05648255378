//! The commands, one file each: gather, call one module, print.

pub mod completions;
pub mod serve;
