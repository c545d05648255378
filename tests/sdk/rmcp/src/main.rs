//! A client and a server of the official Rust SDK, for the matrix of `scripts/sdk`.
//!
//! usage: `bridge-rmcp client auto|legacy|modern COMMAND...` (or a URL alone: straight to the server), played over
//! stdin and stdout by `../matrix/driver.mjs`; `bridge-rmcp server modern|stateless|sessions`, which prints its URL

// Sampling, roots and logging are deprecated since 2026-07-28, and still part of what is tested.
#![allow(deprecated)]

mod client;
mod offer;
mod server;

use std::error::Error;

use serde::de::DeserializeOwned;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["client", mode, ref target @ ..] => client::play(mode, target).await,
        ["server", posture] => server::serve(posture).await,
        _ => Err("usage: bridge-rmcp client MODE COMMAND... | server POSTURE".into()),
    }
}

/// A result as a modern server has to answer; the SDK takes `resultType` out for a legacy client.
fn result<T: DeserializeOwned>(mut value: Value) -> T {
    value["resultType"] = "complete".into();
    of(value)
}

/// A type of the SDK from JSON that this program made.
fn of<T: DeserializeOwned>(value: Value) -> T {
    let described = value.to_string();
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{described}: {error}"))
}
