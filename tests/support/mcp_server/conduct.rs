//! What differs between the servers of the two eras: what they take, and what they answer.

use super::answer::Answer;
use super::request::Request;
use super::world::{Settings, State, World};
use super::{judge, legacy};

/// A kind of server: all that it does without a script.
pub trait Conduct: Send + Sync {
    /// Every fault of the request; an empty list if it is as it should be.
    fn faults(&self, request: &Request, settings: &Settings, state: &mut State) -> Vec<String>;

    /// The answer, and all that it does to the server's state.
    fn answer(&self, request: &Request, world: &World) -> Answer;
}

/// A server of the era with an `initialize` handshake.
pub struct Legacy;

impl Conduct for Legacy {
    fn faults(&self, request: &Request, settings: &Settings, state: &mut State) -> Vec<String> {
        judge::faults(request, settings, state)
    }

    fn answer(&self, request: &Request, world: &World) -> Answer {
        legacy::answer(request, world)
    }
}
