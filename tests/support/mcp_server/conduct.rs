//! What differs between the servers of the two eras: what they take, and what they answer.

use super::answer::Answer;
use super::request::Request;
use super::world::{Settings, State, World};
use super::{judge, legacy};
use crate::support::schema::Revision;

/// A kind of server: all that it does without a script.
pub trait Conduct: Send + Sync {
    /// Every fault of the request; an empty list if it is as it should be.
    fn faults(&self, request: &Request, settings: &Settings, state: &mut State) -> Vec<String>;

    /// Whose schema the request has to match, if it is known.
    fn revision(&self, request: &Request, state: &mut State) -> Option<Revision>;

    /// The answer, and all that it does to the server's state.
    fn answer(&self, request: &Request, world: &World) -> Answer;
}

/// A server of the era with an `initialize` handshake.
pub struct Legacy;

impl Conduct for Legacy {
    fn faults(&self, request: &Request, settings: &Settings, state: &mut State) -> Vec<String> {
        judge::faults(request, settings, state)
    }

    fn revision(&self, request: &Request, state: &mut State) -> Option<Revision> {
        let version = match request.rpc_method() {
            Some("initialize") => request.params()["protocolVersion"].as_str().map(str::to_owned),
            _ => state.session_of(request).map(|session| session.version.clone()),
        };
        version.filter(|version| version == "2025-11-25").map(|_| Revision::Legacy)
    }

    fn answer(&self, request: &Request, world: &World) -> Answer {
        legacy::answer(request, world)
    }
}
