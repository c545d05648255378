//! The token that there is, renewed as serving would renew it.

use serde_json::json;

use super::endpoint::Door;
use super::report::{Check, Report};
use super::sign_in::{of_failure, why_open};
use super::{Subject, store};
use crate::auth::{Authorizer, Grant, Lack, Record, TokenSet};
use crate::clock::{Moment, span};
use crate::error::Exit;

/// Looks at what is kept of the sign-in. Whether there is something to go on with.
pub(super) async fn examine(subject: &Subject, door: &Door, report: &mut Report) -> bool {
    let authorizer = match (door, &subject.authorizer) {
        (Door::Own, _) | (_, None) => {
            skip(report, "your own header stands in for a sign-in");
            return true;
        }
        (_, Some(authorizer)) => authorizer,
    };
    if subject.sign_in.settings.grant == Grant::ClientCredentials {
        skip(report, "the client gets one by itself when it is wanted, and keeps it nowhere");
        return true;
    }
    let is_open = matches!(door, Door::Open);
    let record = match subject.sign_in.vault.load().await {
        Ok(None) if is_open => {
            skip(report, why_open(report));
            return true;
        }
        Ok(record) => record.unwrap_or_else(none),
        Err(failure) => {
            store::examine(&subject.store, report).await;
            report.add(of_failure("token", &failure, subject));
            report.stop("the stored sign-in can't be used");
            return false;
        }
    };
    store::examine(&subject.store, report).await;
    let now = Moment::from(subject.clock.wall());
    match &record.tokens {
        Some(tokens) if tokens.is_due(now) => renewed(subject, authorizer, report).await,
        Some(tokens) => {
            report.add(good(&record, tokens, now));
            true
        }
        None if is_open => {
            report.add(Check::skip("token", why_open(report)));
            true
        }
        None => {
            report.add(nobody(subject, &record).await);
            report.stop("nobody is signed in");
            false
        }
    }
}

/// What is kept of nobody.
fn none() -> Record {
    Record::new("", "")
}

fn skip(report: &mut Report, why: &str) {
    ["store", "token"].into_iter().for_each(|step| report.add(Check::skip(step, why)));
}

/// A token that can be sent.
fn good(record: &Record, tokens: &TokenSet, now: Moment) -> Check {
    let renews = tokens.refresh_token.is_some();
    let then = if renews { "renewed by itself" } else { "then you sign in again" };
    let left = tokens.expires.map(|end| end.since(now));
    let detail = match left {
        _ if record.given => "given by `--with-token`".to_owned(),
        Some(left) => format!("good for {}, {then}", span(left)),
        None => format!("it does not say how long it is good, {then}"),
    };
    Check::pass("token", detail).with_data(json!({
        "expiresInSeconds": left.map(|left| left.as_secs()),
        "renewable": renews,
        "scopes": record.scopes.iter().collect::<Vec<_>>(),
    }))
}

/// A token that is over, or nearly: the door renews it.
async fn renewed(subject: &Subject, authorizer: &Authorizer, report: &mut Report) -> bool {
    let lack = match authorizer.bearer().await {
        Ok(Some(_)) => {
            let record = subject.sign_in.vault.load().await.ok().flatten().unwrap_or_else(none);
            let now = Moment::from(subject.clock.wall());
            let check = record.tokens.as_ref().map(|tokens| good(&record, tokens, now));
            let mut check = check.unwrap_or_else(|| Check::pass("token", "good"));
            check.detail.insert_str(0, "renewed just now; ");
            report.add(check);
            return true;
        }
        Ok(None) | Err(Lack::Person) => None,
        Err(Lack::Failed(failure)) => Some(failure),
    };
    // Why it is over says more than that somebody has to sign in.
    let check = match (authorizer.over_because(), lack) {
        (None, Some(failure)) => of_failure("token", &failure, subject),
        (because, _) => {
            let because = because.unwrap_or_else(|| "the token has expired".to_owned());
            over(subject, &because)
        }
    };
    report.add(check);
    report.stop("there is no token");
    false
}

/// A person has to sign in.
pub(super) fn over(subject: &Subject, because: &str) -> Check {
    let hint = format!("run `{}` in a terminal", subject.name.login);
    Check::fail("token", because, hint).ending(Exit::SignInNeeded)
}

/// Nobody is signed in, and why not.
async fn nobody(subject: &Subject, record: &Record) -> Check {
    let last = record.last_failure.as_ref().map(|last| format!(": {}", last.reason));
    let detail = format!("nobody is signed in{}", last.unwrap_or_default());
    let check = over(subject, &detail);
    let beside = subject.sign_in.beside().await;
    Check { hint: beside.or(check.hint), ..check }
}
