//! `bridge doctor`: what is wrong, and what to do.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::auth::{self, Authorizer, Cause, Usher};
use crate::clock::SystemClock;
use crate::config;
use crate::credentials::{Patience, Store};
use crate::doctor::{self, Drawn, Machine, Report, Subject};
use crate::error::{Error, Exit};
use crate::http::{self, Trace};
use crate::remote::{self, Remote};
use crate::ui;

use super::parts::{Parts, server_name};

/// Bound on connecting, where the user gave no tighter one: somebody waits.
const CONNECTING: Duration = Duration::from_secs(10);
/// The same for the head of an answer.
const ANSWERING: Duration = Duration::from_secs(15);

/// What to look at.
pub enum Patient<'a> {
    /// A server.
    Server(&'a config::Serve),
    /// The machine alone.
    Machine(&'a config::SignIns),
    /// Why the configuration can't be used, and the server that was named.
    Misconfigured(Error, Option<&'a str>),
}

/// How to show it.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// For a program.
    pub json: bool,
    /// `NO_COLOR` is set, or the terminal is a dumb one.
    pub still: bool,
}

/// Looks, and prints what was found. How the command ends.
///
/// # Errors
/// It can't be printed.
pub fn run(machine: &Machine, patient: Patient<'_>, how: How) -> Result<Exit, Error> {
    let named = match &patient {
        Patient::Server(config) => Some(config.endpoint.shown()),
        Patient::Misconfigured(_, named) => named.map(remote::without_secrets),
        Patient::Machine(_) => None,
    };
    let mut report = Report::of(named);
    let motion = if how.still { ui::Motion::Still } else { ui::Motion::Moving };
    let spinner = ui::Spinner::start("Checking", motion);
    let runtime = super::runtime()?;
    runtime.block_on(look(machine, patient, &mut report));
    // What hangs in the system, such as the lookup of a name, is left behind.
    runtime.shutdown_background();
    drop(spinner);
    if how.json {
        ui::print_json(&report.json().to_string())?;
    } else {
        ui::print(report.text(drawn(how)).as_bytes())?;
    }
    Ok(report.exit())
}

fn drawn(how: How) -> Drawn {
    let marks = std::io::stdout().is_terminal();
    let columns = ui::columns().map_or(80, |columns| columns.min(100));
    Drawn { marks, colours: marks && !how.still, columns }
}

async fn look(machine: &Machine, patient: Patient<'_>, report: &mut Report) {
    doctor::program(machine, report).await;
    match patient {
        Patient::Server(config) => {
            doctor::configuration(machine, report);
            doctor::examine(&subject(config), report).await;
        }
        Patient::Misconfigured(error, named) => {
            doctor::misconfigured(&error, report);
            match named {
                Some(_) => report.finish(&doctor::OF_SERVER),
                None => report.finish(&doctor::OF_MACHINE),
            }
        }
        Patient::Machine(config) => {
            doctor::configuration(machine, report);
            let store = Arc::new(Store::open(&config.credentials, Patience::Serving));
            doctor::examine_machine(&store, &SystemClock, report).await;
        }
    }
}

/// The parts that serving this server would be made of, with somebody who looks at connections, and nobody who
/// opens a page.
fn subject(config: &config::Serve) -> Subject {
    let trace = Trace::default();
    let given = &config.remote.http;
    let http = http::Settings {
        connect_timeout: Some(given.connect_timeout.unwrap_or(CONNECTING).min(CONNECTING)),
        headers_timeout: given.headers_timeout.or(Some(ANSWERING)),
        trace: Some(trace.clone()),
        ..given.clone()
    };
    let settings = remote::Settings { facts: None, http, ..config.remote.clone() };
    let keep = config.credentials.keep.clone();
    let parts = Parts::over(config, &settings.http, keep, Patience::Serving);
    let usher = Nobody { host: config.endpoint.host() };
    let own = config.remote.headers.authorize();
    let authorizer = (!own).then(|| Authorizer::new(parts.sign_in(config, None), Arc::new(usher)));
    let remote = |authorizer| {
        let http = Arc::clone(&parts.http);
        Remote::with(config.endpoint.clone(), settings.clone(), http, authorizer)
    };
    Subject {
        name: server_name(config),
        remembered: config.remote.facts.clone(),
        trace,
        stranger: remote(None),
        remote: Arc::new(remote(authorizer.clone())),
        sign_in: parts.sign_in(config, None),
        authorizer,
        store: parts.store,
        clock: &SystemClock,
        endpoint: config.endpoint.clone(),
        settings,
    }
}

/// Asks nobody to sign in.
struct Nobody {
    host: String,
}

impl Usher for Nobody {
    fn ask(&self, _: Cause) -> BoxFuture<'static, Result<(), auth::Failure>> {
        std::future::ready(Ok(())).boxed()
    }

    fn attended(&self) -> BoxFuture<'static, Result<(), auth::Failure>> {
        let what = format!("{} wants a sign-in", self.host);
        let failure = auth::Failure::new(auth::FailureKind::Unattended, what);
        std::future::ready(Err(failure.hint("run `bridge login` in a terminal"))).boxed()
    }
}
