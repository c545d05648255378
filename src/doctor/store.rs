//! Where sign-ins are kept, and those that are kept there. Nothing is written to find out.

use std::sync::Arc;

use serde_json::json;

use super::report::{Check, Report};
use crate::auth::{Record, of_store};
use crate::clock::{Clock, Moment};
use crate::credentials::{Entry, Store};

/// Whether the store can be read.
pub(super) async fn examine(store: &Arc<Store>, report: &mut Report) {
    let asked = Arc::clone(store);
    let answered = tokio::task::spawn_blocking(move || asked.check()).await;
    let name = store.name();
    let check = match answered {
        Ok(Ok(())) => Check::pass("store", format!("{name} can be used")),
        Ok(Err(error)) => {
            let failure = of_store(&error);
            Check::fail("store", failure.reason(), error.hint())
        }
        Err(_) => Check::fail("store", "the credential store broke down", "run with `--debug`"),
    };
    report.add(check.with_data(json!({ "store": name })));
}

/// The sign-ins that there are.
pub(super) async fn sign_ins(store: &Arc<Store>, clock: &dyn Clock, report: &mut Report) {
    let asked = Arc::clone(store);
    let listed = tokio::task::spawn_blocking(move || asked.list()).await;
    let entries = match listed {
        Ok(Ok(entries)) => entries,
        Ok(Err(error)) => {
            return report.add(Check::fail("sign-ins", error.to_string(), error.hint()));
        }
        Err(_) => return,
    };
    let now = Moment::from(clock.wall());
    let found: Vec<_> = entries.iter().map(|entry| Found::of(entry, now)).collect();
    let lines = found.iter().map(|found| format!("{}: {}", found.server, found.state));
    let bad = found.iter().find_map(|found| found.hint.clone());
    let check = match (found.len(), bad) {
        (0, _) => Check::pass("sign-ins", "nobody is signed in anywhere"),
        (count, None) => Check::pass("sign-ins", format!("{count} kept")),
        (count, Some(hint)) => {
            Check::fail("sign-ins", format!("{count} kept, not all of which can be used"), hint)
        }
    };
    report.add(check.with_lines(lines));
}

/// One sign-in.
struct Found {
    server: String,
    state: String,
    hint: Option<String>,
}

impl Found {
    fn of(entry: &Entry, now: Moment) -> Self {
        let (login, content) = match &entry.content {
            Ok(content) => content,
            Err(why) => {
                let server = format!("record {}", entry.id);
                return Self { server, state: why.to_string(), hint: Some(why.hint()) };
            }
        };
        let server = crate::remote::without_secrets(login.server());
        let record = Record::from_bytes(content.expose());
        let tokens = record.as_ref().ok().and_then(|record| record.tokens.as_ref());
        let (state, again) = match (&record, tokens) {
            (Err(why), _) => (why.to_string(), false),
            (Ok(_), None) => ("signed out".to_owned(), false),
            (Ok(_), Some(tokens)) if tokens.refresh_token.is_none() && tokens.is_over(now) => {
                ("the token has expired".to_owned(), true)
            }
            _ => ("signed in".to_owned(), false),
        };
        let hint = again.then(|| {
            let profile = login.profile().name();
            let profile = Some(profile).filter(|profile| *profile != "default");
            let option = profile.map(|name| format!(" --profile {name}")).unwrap_or_default();
            format!("run `bridge login {server}{option}` in a terminal")
        });
        Self { server, state, hint }
    }
}
