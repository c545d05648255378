//! A token that a person has already: read, tried, and kept.

use std::io::{IsTerminal, Read};

use crate::auth::{Bearer, Challenge, SignIn, TokenSet};
use crate::clock::{Clock, Moment, SystemClock};
use crate::config;
use crate::error::{Error, Exit};
use crate::printable::printable;
use crate::remote::{Entry, Knock, Remote};
use crate::secret::Secret;
use crate::ui;

use super::login::{kept, typed};
use super::parts::error;
use super::unanswered::untried;

/// Longest token that is read, in bytes.
const MAX_TOKEN: u64 = 64 * 1024;
/// Longest words of a server that are shown, in characters.
const MAX_WORDS: usize = 300;

/// Keeps a token that the person has, unless the server refuses it. No page is ever opened for it.
pub(super) async fn keep_given(
    sign_in: &SignIn,
    config: &config::Serve,
    remote: &Remote,
) -> Result<(), Error> {
    let token = given_token().await?;
    let bearer = Bearer::of(&token, 0);
    sign_in.vault.prepare().await.map_err(|failure| error(&failure))?;
    let warning = match remote.first_knock(bearer.as_ref()).await {
        Ok(Knock { entry: Entry::Closed(challenge), .. }) => {
            return Err(refused(sign_in, challenge.as_ref()));
        }
        Ok(knock) => knock.closed_to_all().map(|refusal| untried(config, refusal)),
        Err(failure) => Some(untried(config, &failure)),
    };
    let now = Moment::from(SystemClock.wall());
    let tokens = TokenSet::given(token, now);
    let given = sign_in.vault.change(move |record| record.give(tokens));
    given.await.map_err(|failure| error(&failure))?;
    ui::say(&format!("The token is kept: {}.", kept(sign_in.vault.store_name())));
    warning.inspect(|warning| ui::say(warning));
    Ok(())
}

/// A token that the server refuses takes the place of no other.
fn refused(sign_in: &SignIn, challenge: Option<&Challenge>) -> Error {
    let said = challenge.and_then(|challenge| challenge.error_description.as_deref());
    let said = said.map(|said| format!(": {}", printable(said, MAX_WORDS))).unwrap_or_default();
    let server = &sign_in.names.server;
    let error = Error::failed(format!("{server} refuses this token{said}"));
    Error { exit: Exit::Refused, ..error }
        .hint("it is not kept: check that it is whole, of this server, and not expired, and give it again")
}

async fn given_token() -> Result<Secret<String>, Error> {
    let unusable = |why: &str| {
        Error::usage("the token can't be used")
            .because(why)
            .hint("write it to stdin: `printf %s \"$TOKEN\" | bridge login SERVER --with-token`")
    };
    let text = if std::io::stdin().is_terminal() {
        let typed = typed("Token: ", "no token was given")
            .await?
            .map_err(|error| unusable(&error.to_string()))?;
        typed.expose().clone()
    } else {
        let mut text = String::new();
        let read = std::io::stdin().take(MAX_TOKEN + 1).read_to_string(&mut text);
        read.map_err(|_| unusable("stdin is not text"))?;
        text
    };
    let token = text.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
    if token.is_empty() {
        return Err(unusable("nothing was given"));
    }
    let visible = token.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if !visible || token.len() as u64 > MAX_TOKEN {
        return Err(unusable("it holds spaces or control characters, or is longer than 64 KiB"));
    }
    Ok(Secret::new(token.to_owned()))
}
