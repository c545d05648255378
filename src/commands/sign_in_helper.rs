//! The process that waits for a person on behalf of those that serve. It inherits nothing of theirs but
//! the environment, and leaves what came of it in the record. A failure it tells whoever started it too: a
//! store that can't be used keeps no reason.

use std::io::{Read, Write};

use crate::config;
use crate::credentials::Patience;
use crate::error::Error;

use super::parts::Parts;
use super::usher::{Errand, by_page};

/// Longest errand, in bytes.
const MAX_ERRAND: u64 = 4 * 1024 * 1024;

/// What the helper was told: the arguments of the process that serves, and why a person is asked.
///
/// # Errors
/// stdin holds no errand.
pub fn errand() -> Result<(Vec<String>, crate::auth::Cause), Error> {
    let mut text = Vec::new();
    let read = std::io::stdin().take(MAX_ERRAND).read_to_end(&mut text);
    let errand = read.ok().and_then(|_| serde_json::from_slice::<Errand>(&text).ok());
    let errand = errand.ok_or_else(|| {
        Error::usage("`bridge sign-in-helper` is started by bridge itself")
            .hint("run `bridge login SERVER`")
    })?;
    Ok((errand.arguments, errand.cause))
}

/// Waits for the person.
///
/// # Errors
/// The sign-in came to nothing.
pub fn run(config: &config::Serve, cause: &crate::auth::Cause) -> Result<(), Error> {
    crate::os::leave_session();
    let parts = Parts::new(config, Patience::Interactive);
    let sign_in = parts.sign_in(config, cause.client.clone());
    let done = super::runtime()?.block_on(by_page(&sign_in, &config.browser, cause));
    done.map_err(|failure| {
        // Nobody may be there any more to read it.
        let _ = serde_json::to_writer(std::io::stdout(), &failure);
        let _ = std::io::stdout().flush();
        super::parts::error(&failure)
    })
}
