//! `bridge`: MCP over stdio on one side, a hosted MCP server over HTTP on the other.
//!
//! ```text
//! client ── stdin ─▶ stdio::reader ─▶ relay ─▶ remote::request ── POST ─▶ hosted server
//! client ◀─ stdout ─ stdio::writer ◀─ relay ◀─ remote::{response, sse} ◀─ JSON | event stream
//! ```
//!
//! The library is the program's inside, in the order of the flow, and makes no promise to other crates.
//! Which module may use which stands in `docs/architecture.md` and is checked by a test.

pub mod cli;
pub mod config;

pub mod commands;
pub mod ui;

pub mod client;

pub mod stdio;

pub mod jsonrpc;

pub mod relay;

pub mod doctor;

pub mod remote;

pub mod auth;

pub mod credentials;

pub mod desktop;

pub mod clock;
pub mod error;
pub mod http;
pub mod logging;
pub mod order;
pub mod os;
pub mod paths;
pub mod printable;
pub mod secret;
pub mod spelling;
pub mod task;
pub mod toml;
