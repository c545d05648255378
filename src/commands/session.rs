//! What the commands that use a server have in common: the relay before it, a person who signs in, the end.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::call::Call;
use super::check::Check;
use super::form::visit_all;
use super::login;
use super::parts::{Parts, nobody, quoted};
use super::person::Person;
use super::prompts::{Prompt, Prompts};
use super::resources::{Read, Resources};
use super::saved;
use super::tools::Tools;
use crate::auth::{Authorizer, Cause, Failure, Usher};
use crate::client::{Client, Failed, Refusal, with_client};
use crate::clock::SystemClock;
use crate::credentials::Patience;
use crate::error::{Error, Exit};
use crate::printable::printable;
use crate::relay::{FileMemory, Relay};
use crate::remote::Remote;
use crate::{config, os, relay};

/// Characters of a name that are shown.
const MAX_NAME: usize = 100;
/// Sign-ins of one command: the first, and one for scopes that are missing.
const MAX_SIGN_INS: usize = 2;

/// What is wanted of the server.
#[derive(Debug)]
pub enum Use {
    /// `bridge tools`.
    Tools(Tools),
    /// `bridge call`.
    Call(Call),
    /// `bridge resources`.
    Resources(Resources),
    /// `bridge read`.
    Read(Read),
    /// `bridge prompts`.
    Prompts(Prompts),
    /// `bridge prompt`.
    Prompt(Prompt),
    /// `bridge add`, before it saves the server.
    Check(Check),
}

impl Use {
    /// As the server refused it.
    fn in_words(&self) -> String {
        let named = |verb: &str, name: &str| format!("to {verb} `{}`", printable(name, MAX_NAME));
        match self {
            Self::Tools(_) => "to list its tools".to_owned(),
            Self::Call(call) => named("call", &call.tool),
            Self::Resources(_) => "to list its resources".to_owned(),
            Self::Read(read) => named("read", &read.uri),
            Self::Prompts(_) => "to list its prompts".to_owned(),
            Self::Prompt(prompt) => named("give", &prompt.name),
            Self::Check(_) => "to say what it is".to_owned(),
        }
    }

    /// What would spoil its result, and can be known before it is asked for.
    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Call(Call { output, json: false, .. })
            | Self::Prompt(Prompt { output, json: false, .. }) => saved::check(output.as_deref()),
            _ => Ok(()),
        }
    }

    async fn done(&self, client: &mut Client<'_>, server: &Server<'_>) -> Result<(), Failed> {
        let hello = client.open().await?;
        match self {
            Self::Tools(tools) => tools.done(client, server).await,
            Self::Call(call) => call.done(client, server).await,
            Self::Resources(resources) => resources.done(client, server).await,
            Self::Read(read) => read.done(client, server).await,
            Self::Prompts(prompts) => prompts.done(client, server).await,
            Self::Prompt(prompt) => prompt.done(client, server).await,
            Self::Check(check) => check.done(client, server, &hello).await,
        }
    }
}

/// The server, for whoever prints.
pub(super) struct Server<'a> {
    /// As it was typed, to be typed again.
    pub(super) typed: &'a str,
    /// Who is at the terminal.
    pub(super) person: &'a Person<'a>,
    /// What is known of it.
    pub(super) remote: &'a Remote,
}

/// Times that a request is made again after the person visited the pages that it needs.
const MAX_VISITS: usize = 3;
/// MCP 2025-11-25: pages have to be visited first.
const URL_ELICITATION_REQUIRED: i64 = -32042;

impl Server<'_> {
    /// A request that the server may refuse until the person has visited a page.
    pub(super) async fn request(
        &self,
        client: &mut Client<'_>,
        method: &str,
        params: &str,
    ) -> Result<String, Failed> {
        for _ in 0..MAX_VISITS {
            match client.request_with_progress(method, params).await {
                Err(Failed::Refused(refusal))
                    if refusal.code == URL_ELICITATION_REQUIRED && self.person.is_there() =>
                {
                    let pages = &refusal.data["elicitations"];
                    if !client.until_ended(visit_all(self.person, pages)).await? {
                        return Err(Failed::Refused(refusal));
                    }
                }
                done => return done,
            }
        }
        client.request_with_progress(method, params).await
    }
}

/// Uses a server.
///
/// # Errors
/// Whatever kept it from being done; the exit codes stand in `docs/errors.md`.
pub fn run(config: &config::Serve, wanted: &Use) -> Result<(), Error> {
    let mut signed_in = None;
    let done = used(config, wanted, &mut signed_in);
    if let Some(store) = signed_in {
        login::write_store_down(config, store);
    }
    done
}

/// The same; where a person signed in meanwhile, gives the store that it is kept in, which they may have chosen.
pub(super) fn used(
    config: &config::Serve,
    wanted: &Use,
    signed_in: &mut Option<&'static str>,
) -> Result<(), Error> {
    wanted.check()?;
    let runtime = super::runtime()?;
    let person = Person::new(config);
    let patience = if person.is_there() { Patience::Interactive } else { Patience::Serving };
    let mut parts = Parts::new(config, patience);
    let mut sign_ins = 0;
    let done = loop {
        let (done, cause) = runtime.block_on(once(config, &parts, &person, wanted))?;
        let Err(failed) = done else { break Ok(()) };
        let wants_person = |it: &Refusal| {
            it.wants_sign_in() || (cause.step_up && it.kind() == Some("sign_in_failed"))
        };
        let wants_person = matches!(&failed, Failed::Refused(it) if wants_person(it));
        if !wants_person || !person.is_there() || sign_ins == MAX_SIGN_INS {
            break Err(ended(config, wanted, failed));
        }
        sign_ins += 1;
        let mut keyboard = runtime.block_on(person.keyboard());
        parts = login::for_command(config, cause, &mut keyboard, &runtime)?;
        *signed_in = Some(parts.store.name());
    };
    // A name that is being looked up can't be interrupted, and nobody waits for it any more.
    runtime.shutdown_background();
    done
}

/// One attempt, and why a person has to sign in, where it is that.
async fn once(
    config: &config::Serve,
    parts: &Parts,
    person: &Person<'_>,
    wanted: &Use,
) -> Result<(Result<(), Failed>, Cause), Error> {
    let authorizer = (!config.remote.headers.authorize()).then(|| {
        let usher = Nobody(why_nobody(config));
        Authorizer::new(parts.sign_in(config, None), Arc::new(usher))
    });
    let remote = Remote::with(
        config.endpoint.clone(),
        config.remote.clone(),
        Arc::clone(&parts.http),
        authorizer.clone(),
    );
    let remote = Arc::new(remote);
    let relay = Relay {
        remote: Arc::clone(&remote),
        settings: relay::Settings { one_off: true, ..config.relay.clone() },
        memory: FileMemory::new(None),
        clock: &SystemClock,
    };
    let told_to_end = os::told_to_end().boxed();
    let typed = typed(config);
    let server = Server { typed: &typed, person, remote: &remote };
    let errand = async |client: &mut Client<'_>| wanted.done(client, &server).await;
    let done = with_client(relay, person, told_to_end, errand)
        .await
        .map_err(|why| Error::failed("bridge can't start").because(why))?;
    Ok((done, authorizer.map(|authorizer| authorizer.last_cause()).unwrap_or_default()))
}

/// The server as it is typed, to be typed again.
fn typed(config: &config::Serve) -> String {
    match &config.saved {
        Some(saved) if !saved.is_other_login && !saved.is_new => saved.name.clone(),
        _ => quoted(&config.endpoint.shown()).into_owned(),
    }
}

/// While the relay runs nobody is asked: where somebody can be, that is done before the next attempt.
struct Nobody(Failure);

impl Usher for Nobody {
    fn ask(&self, _: Cause) -> BoxFuture<'static, Result<(), Failure>> {
        let failure = self.0.clone();
        async move { Err(failure) }.boxed()
    }

    fn attended(&self) -> BoxFuture<'static, Result<(), Failure>> {
        let failure = self.0.clone();
        async move { Err(failure) }.boxed()
    }
}

fn why_nobody(config: &config::Serve) -> Failure {
    let why = if config.unattended {
        "`CI` is set, so that nobody is asked"
    } else {
        "there is no terminal to ask anybody at"
    };
    nobody(&config.endpoint.host(), why)
}

/// Why it was not done, as the command ends by it.
fn ended(config: &config::Serve, wanted: &Use, failed: Failed) -> Error {
    let host = config.endpoint.host();
    match failed {
        Failed::Told(error) => error,
        Failed::Refused(refusal) => {
            if let Use::Check(check) = wanted {
                check.refused_sign_in.set(refusal.kind() == Some("sign_in_failed"));
            }
            refusal.into_error(&format!("{host} refused {}", wanted.in_words()))
        }
        Failed::Interrupted => {
            let error = Error::failed("it was ended before it was done");
            Error { exit: Exit::Interrupted, ..error }
        }
        Failed::Endless => Error::failed(format!("a list of {host} has no end"))
            .because("each page names another one")
            .hint("tell whoever runs the server"),
        Failed::Gone => Error::failed("bridge broke down")
            .hint("this is a defect of bridge; run with `--debug` and report what it says"),
    }
}
