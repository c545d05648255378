//! What keeps a server from being reached, signed in to or used: each step that serving takes, taken by the same
//! code, and looked at. It opens no page and changes nothing, but for a token that is renewed as serving would.

mod certificate;
mod endpoint;
mod lists;
mod machine;
mod network;
mod report;
mod session;
mod sign_in;
mod store;
mod token;

pub use machine::{Machine, configuration, misconfigured, program};
pub use report::{Check, Drawn, Report, Status};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::auth::{Authorizer, SignIn};
use crate::clock::Clock;
use crate::credentials::Store;
use crate::http::Trace;
use crate::remote::{Endpoint, Remote, ServerName, Settings};

/// Bound on all of it. Each step has one of its own.
const TIME: Duration = Duration::from_secs(150);

/// The checks that need no server, in order. The names are a promise (`docs/doctor.md`).
pub const OF_MACHINE: [&str; 4] = ["program", "configuration", "store", "sign-ins"];
/// The checks of a server, in order. The names are a promise (`docs/doctor.md`).
pub const OF_SERVER: [&str; 20] = [
    "program",
    "configuration",
    "proxy",
    "dns",
    "tcp",
    "tls",
    "endpoint",
    "protocol",
    "challenge",
    "discovery",
    "issuer",
    "registration",
    "pkce",
    "clock",
    "store",
    "token",
    "initialize",
    "tools",
    "prompts",
    "resources",
];

/// The server that is looked at, and all that serving it would need.
pub struct Subject {
    /// Its address.
    pub endpoint: Endpoint,
    /// How it is named in errors.
    pub name: ServerName,
    /// How it is spoken to.
    pub settings: Settings,
    /// Where it is remembered what it is.
    pub remembered: Option<PathBuf>,
    /// What is seen of connections.
    pub trace: Trace,
    /// The server as somebody without a token meets it.
    pub stranger: Remote,
    /// The server as whoever is served meets it.
    pub remote: Arc<Remote>,
    /// The sign-in there.
    pub sign_in: SignIn,
    /// The door to it; none where the user's own header stands in for a token.
    pub authorizer: Option<Arc<Authorizer>>,
    /// Where sign-ins are kept.
    pub store: Arc<Store>,
    /// What time it is.
    pub clock: &'static dyn Clock,
}

/// Takes each step that serving this server would take, and adds what came of it.
pub async fn examine(subject: &Subject, report: &mut Report) {
    let examined = tokio::time::timeout(TIME, steps(subject, report)).await;
    if examined.is_err() {
        report.stop(format!("{} s were over", TIME.as_secs()));
    }
    report.finish(&OF_SERVER);
}

async fn steps(subject: &Subject, report: &mut Report) {
    let Some(knock) = network::reach(subject, report).await else { return };
    let door = endpoint::answer(subject, &knock, report);
    if report.is_stopped() {
        return;
    }
    sign_in::examine(subject, &door, report).await;
    if !token::examine(subject, &door, report).await {
        return;
    }
    if let Some(session) = session::open(subject, &knock, report).await {
        lists::count(subject, &session, report).await;
        session.end(&subject.remote).await;
    }
    subject.remote.finish().await;
}

/// Looks at what is kept here, whatever the server.
pub async fn examine_machine(store: &Arc<Store>, clock: &dyn Clock, report: &mut Report) {
    store::examine(store, report).await;
    store::sign_ins(store, clock, report).await;
    report.finish(&OF_MACHINE);
}
