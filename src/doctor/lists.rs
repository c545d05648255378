//! What the server offers, counted.

use serde::de::IgnoredAny;
use serde_json::json;

use super::Subject;
use super::network::of_failure;
use super::report::{Check, Report};
use super::session::Session;
use crate::jsonrpc::edit::member;
use crate::jsonrpc::read;
use crate::remote::Failure;

/// Pages of a list that are counted.
const MAX_PAGES: usize = 20;

/// Counts tools, prompts and resources.
pub(super) async fn count(subject: &Subject, session: &Session, report: &mut Report) {
    let offers = session.offers;
    let lists =
        [("tools", offers.tools), ("prompts", offers.prompts), ("resources", offers.resources)];
    for (name, is_offered) in lists {
        if !is_offered {
            report.add(Check::skip(name, "the server offers none"));
            continue;
        }
        report.add(match counted(subject, session, name).await {
            Ok((count, whole)) => {
                let more = if whole { "" } else { ", and more" };
                Check::pass(name, format!("{count}{more}")).with_data(json!({ "count": count }))
            }
            Err(failure) => of_failure(name, &failure, subject),
        });
    }
}

/// How many there are, and whether that is all.
async fn counted(
    subject: &Subject,
    session: &Session,
    name: &str,
) -> Result<(usize, bool), Failure> {
    let mut count = 0;
    let mut params = "{}".to_owned();
    for _ in 0..MAX_PAGES {
        let method = format!("{name}/list");
        let answer = session.request(&subject.remote, &method, &params).await?;
        let result = read::result(&answer).unwrap_or("{}");
        count += length(member(result, name).unwrap_or_default());
        let Some(cursor) = read::next_cursor(result) else { return Ok((count, true)) };
        params = format!("{{\"cursor\":{cursor}}}");
    }
    Ok((count, false))
}

/// How many elements an array has; none where it is no array.
fn length(array: &str) -> usize {
    serde_json::from_str::<Vec<IgnoredAny>>(array).map_or(0, |elements| elements.len())
}
