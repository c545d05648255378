//! What a login says where no MCP server answers, or one that has no sign-in.

use super::parts::{error, server_name};
use crate::auth::{Failure, FailureKind};
use crate::config;
use crate::error::{Error, Exit};
use crate::remote::{self, Entry, Knock};

/// Why nobody was signed in. Where nothing says how, what answers at the address says more.
pub(super) fn explained(config: &config::Serve, knock: Option<&Knock>, failure: &Failure) -> Error {
    use FailureKind::{BadAnswer, Busy, NoMetadata, RegistrationRefused};
    let unknown = failure.kind == NoMetadata;
    // The same answer, met where a document or a registration should be.
    let same = matches!(failure.kind, BadAnswer | Busy | RegistrationRefused);
    match (knock.and_then(Knock::closed_to_all), knock.map(|knock| &knock.entry)) {
        (Some(refusal), _) if unknown => barred_by(config, refusal, failure),
        (Some(refusal), _) if same && refusal.kind != remote::FailureKind::Refused => {
            barred_by(config, refusal, failure)
        }
        (None, Some(Entry::Open)) if unknown => wants_nobody(config, failure),
        _ => error(failure),
    }
}

/// Nobody can sign in there, whoever they are.
fn barred_by(config: &config::Serve, refusal: &remote::Failure, failure: &Failure) -> Error {
    let refused = refusal.kind == remote::FailureKind::Refused;
    let exit = match failure.is_transient() {
        _ if refused => Exit::Refused,
        true => Exit::Unreachable,
        false => Exit::Failed,
    };
    // A key of the user's own may open what no sign-in does.
    let own = failure.hint.clone().filter(|_| refused);
    let hint = own.unwrap_or_else(|| remote::advice(refusal, &server_name(config), true));
    let error = Error { exit, ..Error::failed(refusal.what.clone()) };
    error.because(failure.reason()).hint(hint)
}

/// The server lets requests without a token in, and nothing says how one would sign in.
fn wants_nobody(config: &config::Serve, failure: &Failure) -> Error {
    let what = format!("{} asks nobody to sign in", config.endpoint.host());
    Error::failed(what).because(failure.reason()).hint(
        "use it without; if single tools want a token or a key: `bridge login --with-token`, or `--header`",
    )
}

/// Whether the token is of any use is not known.
pub(super) fn untried(config: &config::Serve, failure: &remote::Failure) -> String {
    let hint = remote::advice(failure, &server_name(config), true);
    format!("warning: it could not be tried: {}\nhint: {hint}", failure.reason())
}
