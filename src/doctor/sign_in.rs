//! Who signs users in for the server, found out as a sign-in would.

use serde_json::{Value, json};
use url::Url;

use super::Subject;
use super::endpoint::{self, Door};
use super::report::{Check, Report, Status};
use crate::auth::{
    Attempt, Challenge, Failure, FailureKind, Grant, Pkce, Provider, Trust, discovery, for_login,
};
use crate::error::Exit;

/// The steps that lead to a sign-in.
const STEPS: [&str; 5] = ["challenge", "discovery", "issuer", "registration", "pkce"];

/// Looks at each step that leads to a sign-in, where the server wants one.
pub(super) async fn examine(subject: &Subject, door: &Door, report: &mut Report) {
    let challenge = match door {
        Door::Closed(challenge) => challenge.as_ref(),
        Door::Open => return skip(report, why_open(report)),
        Door::Own => return skip(report, "your own header stands in for a sign-in"),
    };
    report.add(endpoint::challenge(challenge));
    if let Some(provider) = discovered(subject, challenge, report).await {
        report.add(registration(subject, &provider).await);
        report.add(pkce(&provider));
    }
    skip(report, "nobody is known who signs users in");
}

/// Why nothing of a sign-in is looked at.
pub(super) fn why_open(report: &Report) -> &'static str {
    match report.status("endpoint") {
        Some(Status::Fail) => "no sign-in was asked for",
        _ => "the server asks for no sign-in",
    }
}

/// Skips what was not looked at.
fn skip(report: &mut Report, why: &str) {
    for step in STEPS {
        if report.status(step).is_none() {
            report.add(Check::skip(step, why));
        }
    }
}

/// Whom discovery finds; each address that was asked is told.
async fn discovered(
    subject: &Subject,
    challenge: Option<&Challenge>,
    report: &mut Report,
) -> Option<Provider> {
    let sign_in = &subject.sign_in;
    let settings = &sign_in.settings;
    let by_client = settings.grant == Grant::ClientCredentials;
    if let Some(endpoint) = settings.token_endpoint.as_ref().filter(|_| by_client) {
        skip(report, &format!("`--token-endpoint {}` is given", shown(endpoint)));
        return None;
    }
    let found = discovery::discover(&sign_in.fetch, &sign_in.server, challenge, settings).await;
    let tried = found.tried;
    let told = |check: Check| {
        check.with_lines(tried.iter().map(line)).with_data(tried.iter().map(data).collect())
    };
    match found.found {
        Ok(provider) => {
            let check = match provider.trust {
                Trust::Unverified => undocumented(subject).await,
                _ => Check::pass("discovery", "the metadata is found"),
            };
            report.add(told(check));
            report.add(issuer(&provider));
            Some(provider)
        }
        Err(failure) if failure.kind == FailureKind::IssuerMismatch => {
            report.add(told(Check::pass("discovery", "the metadata is found")));
            report.add(of_failure("issuer", &failure, subject));
            None
        }
        Err(failure) => {
            report.add(told(of_failure("discovery", &failure, subject)));
            None
        }
    }
}

/// No document is there: what is left are the addresses of 2025-03-26, which few servers have. It is no fault where
/// a sign-in came of them.
async fn undocumented(subject: &Subject) -> Check {
    let record = subject.sign_in.vault.load().await.ok().flatten();
    if record.is_some_and(|record| record.tokens.is_some()) {
        return Check::pass("discovery", "no document: the addresses of 2025-03-26 are used");
    }
    let login = &subject.name.login;
    Check::fail(
        "discovery",
        "nothing tells who signs users in: no address has metadata",
        format!(
            "name the document with `--auth-server-metadata-url URL`; or, if the server wants a token or a key \
             of yours, `{login} --with-token` or `--header`"
        ),
    )
}

fn line(attempt: &Attempt) -> String {
    let status = attempt.status.map_or("no answer".to_owned(), |status| format!("HTTP {status}"));
    format!("{} {status}: {}", attempt.url, attempt.outcome)
}

fn data(attempt: &Attempt) -> Value {
    json!({ "url": attempt.url, "status": attempt.status, "outcome": attempt.outcome })
}

fn shown(url: &Url) -> String {
    crate::remote::without_secrets(url.as_str())
}

fn issuer(provider: &Provider) -> Check {
    let how = match provider.trust {
        Trust::Validated => "as its metadata says",
        Trust::TrustedByUser => "which `--trust-issuer` trusts",
        Trust::NamedByUser => "which you named",
        Trust::Unverified => "which nothing confirms",
    };
    let exception = provider.exception().map(|exception| exception.name);
    let note = exception.map(|name| format!("; as an exception: {name}")).unwrap_or_default();
    Check::pass("issuer", format!("{}, {how}{note}", provider.issuer)).with_data(json!({
        "issuer": provider.issuer, "trust": provider.trust, "resource": provider.resource,
    }))
}

async fn registration(subject: &Subject, provider: &Provider) -> Check {
    match subject.sign_in.ways_to_register(provider).await {
        Ok(ways) => Check::pass("registration", ways.join(", ")).with_data(json!({ "ways": ways })),
        Err(failure) => of_failure("registration", &failure, subject),
    }
}

fn pkce(provider: &Provider) -> Check {
    match provider.pkce() {
        Ok(Pkce::Listed) => Check::pass("pkce", "S256"),
        Ok(Pkce::Exempt(name)) => Check::pass("pkce", format!("S256, unlisted (exception {name})")),
        Ok(Pkce::Unverified) => Check::pass("pkce", "S256 is sent; nobody promised to check it"),
        Err(failure) => Check::fail("pkce", failure.reason(), failure.hint.unwrap_or_default())
            .ending(Exit::Refused),
    }
}

/// A check of the sign-in that failed, in the words that a login would be told.
pub(super) fn of_failure(name: &'static str, failure: &Failure, subject: &Subject) -> Check {
    let login = &subject.name.login;
    let hint = failure.hint.as_deref().map(|hint| for_login(hint, login));
    let hint = hint.unwrap_or_else(|| match failure.is_transient() {
        true => "check the address and the network, then try again".to_owned(),
        false => format!("run `{login} --force` in a terminal"),
    });
    let exit = match failure.kind {
        FailureKind::Unreachable | FailureKind::Busy => Exit::Unreachable,
        FailureKind::Unattended | FailureKind::Expired | FailureKind::InvalidGrant => {
            Exit::SignInNeeded
        }
        FailureKind::Refused
        | FailureKind::Denied
        | FailureKind::Loop
        | FailureKind::InvalidClient
        | FailureKind::InvalidScope
        | FailureKind::InvalidTarget
        | FailureKind::RegistrationRefused => Exit::Refused,
        _ => Exit::Failed,
    };
    Check::fail(name, failure.reason(), hint).ending(exit)
}
