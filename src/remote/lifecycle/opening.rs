//! Which era a server is of, found out by the client's own `initialize`: it is sent as it is, and only an
//! answer that leaves it open leads to a question of ours (`docs/eras.md`).

use std::sync::Arc;
use std::time::Duration;

use super::eras::{Fact, Facts, Legacy};
use super::modern::{self, is_modern_error};
use super::probe::Probed;
use super::stateless::Stateless;
use super::translate::for_legacy_client::handshake::{Hello, Offers, result};
use super::{Carrier, Protocol, legacy, mirrored};
use crate::jsonrpc::edit::member;
use crate::jsonrpc::{Kind, Message, read};
use crate::remote::aside::Aside;
use crate::remote::exchange::{Attempt, Outcome, Post};
use crate::remote::failure::{Failure, FailureKind};
use crate::remote::transport::{self, Strategy, Transport};
use crate::remote::{Pass, Recipient, Remote};

/// How long a server is asked that answered `initialize`: the client waits, and has its answer already.
const BESIDE_TIME: Duration = Duration::from_secs(2);
/// The same of one that did not, so that nothing is lost by waiting.
const INSTEAD_TIME: Duration = Duration::from_secs(10);

/// A session that is being opened.
struct Opening<'a> {
    remote: &'a Remote,
    post: &'a Post,
    receive: &'a Recipient,
    hello: Hello,
    /// What to say if nothing comes of it, where more is known than that `initialize` was refused.
    told: Option<Failure>,
}

impl Remote {
    /// Opens a session with a server of either era, by the transports that the strategy allows.
    pub(in crate::remote) async fn open(&self, post: &Post, receive: &Recipient) -> Attempt {
        let hello = Hello::of(&post.message);
        let mut opening = Opening { remote: self, post, receive, hello, told: None };
        match self.settings.protocol {
            Protocol::Legacy => opening.by_transports().await,
            Protocol::Modern => opening.modern_only().await,
            Protocol::Auto => opening.as_it_turns_out().await,
        }
    }
}

impl Opening<'_> {
    async fn as_it_turns_out(&mut self) -> Attempt {
        if self.is_known_modern() {
            match self.remote.probe(self.hello.asker(), INSTEAD_TIME, self.receive).await {
                Probed::Modern(answer) => return self.opened(&answer).await,
                Probed::Refusing(failure) | Probed::Failed(failure) => return failure.into(),
                Probed::NotModern => {
                    self.remote.known.doubt();
                    self.remote.known.learn(Fact::Modern(false));
                }
            }
        }
        self.by_transports().await
    }

    async fn modern_only(&mut self) -> Attempt {
        match self.remote.probe(self.hello.asker(), INSTEAD_TIME, self.receive).await {
            Probed::Modern(answer) => self.opened(&answer).await,
            Probed::Refusing(failure) | Probed::Failed(failure) => failure.into(),
            Probed::NotModern => {
                let host = self.remote.endpoint().host();
                let what = format!("{host} does not speak MCP 2026-07-28");
                let hint = Some("leave out `--protocol modern`".into());
                let failure = Failure::settled(FailureKind::Status, None, what);
                Failure { hint, ..failure }.into()
            }
        }
    }

    /// Whether the modern era is what this client would come to anyway.
    fn is_known_modern(&self) -> bool {
        let facts = self.remote.known.facts();
        let by_streamable =
            matches!(self.remote.settings.strategy, Strategy::HttpFirst | Strategy::HttpOnly);
        let leads_there = match facts.legacy {
            Some(Legacy::Refused) => true,
            Some(Legacy::NoSession) => self.hello.answers_questions(),
            Some(Legacy::Session) | None => false,
        };
        facts.modern == Some(true) && by_streamable && leads_there
    }

    /// The client's own `initialize`, by one transport after the other.
    async fn by_transports(&mut self) -> Attempt {
        let known = &self.remote.known;
        let mut first = None;
        for transport in transport::order(self.remote.settings.strategy, known.facts().transport) {
            let attempt = match transport {
                Transport::Streamable => self.by_streamable().await,
                Transport::Sse => self.by_stream().await,
            };
            let Attempt::Failed(failure) = attempt else {
                known.learn(Fact::Transport(transport));
                return attempt;
            };
            let other_may_do = transport::other_may_do(transport, &failure);
            // Where both fail, the first one's reason is the one that tells.
            let failure = first.get_or_insert(failure);
            if !other_may_do {
                return self.told.take().unwrap_or_else(|| failure.clone()).into();
            }
        }
        let failure = self.told.take().or(first);
        failure.unwrap_or_else(|| Failure::internal("no transport was tried")).into()
    }

    async fn by_stream(&self) -> Attempt {
        let attempt = self.remote.attempt_sse(self.post, self.receive).await;
        if matches!(attempt, Attempt::Done(Outcome::Answered)) {
            self.remote.known.saw_legacy(Legacy::Session);
        }
        attempt
    }

    async fn by_streamable(&mut self) -> Attempt {
        let Self { remote, post, receive, .. } = *self;
        let facts = remote.known.facts();
        let is_asked = remote.settings.protocol == Protocol::Auto;
        let mirrored = is_asked.then(mirrored::initialize);
        let answer = match remote.posted(&Post { mirrored, ..post.clone() }).await {
            Ok(answer) => answer,
            Err(failure) => return failure.into(),
        };
        let session = legacy::gives_session(&answer.headers);
        let is_open =
            is_asked && !session && self.hello.answers_questions() && facts.modern != Some(false);
        let held = Aside::default();
        let taken =
            remote.taken(post, answer, &receive.through(holding(&held, is_asked, is_open))).await;
        match (taken, held.take()) {
            (Attempt::Done(Outcome::Answered), None) => {
                self.is_legacy(session);
                Attempt::Done(Outcome::Answered)
            }
            (Attempt::Done(Outcome::Answered), Some(answer)) => {
                self.held(answer, is_asked, session).await
            }
            (Attempt::Failed(failure), _) if is_asked && is_word_of_server(&failure) => {
                match self.asked_instead(&failure, facts).await {
                    Some(attempt) => attempt,
                    None => failure.into(),
                }
            }
            (attempt, _) => attempt,
        }
    }

    fn is_legacy(&self, session: bool) {
        let legacy = if session { Legacy::Session } else { Legacy::NoSession };
        self.remote.known.saw_legacy(legacy);
    }

    /// An answer to `initialize` that leaves it open what the server is.
    async fn held(&mut self, answer: Message, is_asked: bool, session: bool) -> Attempt {
        let refused = matches!(answer.kind(), Kind::Response { failed: true, .. });
        let attempt = match (refused, is_asked) {
            (true, true) => {
                let host = self.remote.endpoint().host();
                let failure = Failure::refused_by(answer.clone(), &host);
                self.asked_instead(&failure, self.remote.known.facts()).await
            }
            (true, false) => None,
            (false, true) if is_of_modern_revision(&answer) => {
                self.asked_beside(Legacy::Refused).await
            }
            (false, _) => self.asked_beside(Legacy::NoSession).await,
        };
        if let Some(attempt) = attempt {
            return attempt;
        }
        if !refused {
            self.is_legacy(session);
        }
        self.receive.receive(answer).await;
        Attempt::Done(Outcome::Answered)
    }

    /// `initialize` was answered without a session, to a client that a server may want to ask something: one
    /// that speaks both eras can do so in the modern one only. Or it was answered with a revision that has no
    /// handshake. `legacy` is what the server is in its legacy era, if it is a modern one.
    async fn asked_beside(&self, legacy: Legacy) -> Option<Attempt> {
        match self.remote.probe_in_passing(self.hello.asker(), BESIDE_TIME, self.receive).await {
            Probed::Modern(answer) => {
                self.remote.known.saw_legacy(legacy);
                Some(self.opened(&answer).await)
            }
            Probed::Refusing(_) | Probed::NotModern | Probed::Failed(_) => None,
        }
    }

    /// `initialize` was refused: the server may be a modern one.
    async fn asked_instead(&mut self, refusal: &Failure, facts: Facts) -> Option<Attempt> {
        let says_modern = refusal.answer.as_deref().is_some_and(is_modern_error);
        // A session is opened again, which may be refused as any other; or it was asked about before, and not
        // in another life of this program's: a server may become another in between.
        let known = &self.remote.known;
        let was_asked = facts.legacy.is_none() && facts.modern == Some(false);
        let is_settled = known.has_seen_legacy() || (was_asked && known.has_heard_era());
        if is_settled && !says_modern {
            return None;
        }
        if facts.legacy.is_some() || was_asked {
            known.doubt();
        }
        match self.remote.probe(self.hello.asker(), INSTEAD_TIME, self.receive).await {
            Probed::Modern(answer) => {
                self.remote.known.learn(Fact::Legacy(Legacy::Refused));
                Some(self.opened(&answer).await)
            }
            Probed::Refusing(failure) => Some(failure.into()),
            // No word about eras.
            Probed::Failed(failure) if failure.is_of_sign_in() => Some(failure.into()),
            Probed::Failed(failure) => {
                self.told = Some(failure).filter(Failure::may_pass);
                None
            }
            Probed::NotModern => None,
        }
    }

    /// The client gets the answer to its `initialize`, and a session that the server knows nothing of.
    async fn opened(&self, discovered: &Message) -> Attempt {
        let Some(id) = self.post.message.id() else {
            return Failure::internal("`initialize` has no id").into();
        };
        let discovered = read::result(discovered).unwrap_or("{}");
        let answer = result(&self.hello, discovered, &self.remote.endpoint().host());
        let session = Stateless::new(self.hello.clone(), Offers::of(discovered));
        self.remote.known.learn(Fact::Transport(Transport::Streamable));
        self.receive.carried_by(Carrier::Stateless(Arc::new(session))).await;
        self.receive.receive(Message::result(id, &answer)).await;
        Attempt::Done(Outcome::Answered)
    }
}

/// Takes a refusal of `initialize` aside, and, where it `is_open` what the server is, any answer; where it `is_asked`
/// for its era, one of a modern revision too.
fn holding(held: &Aside, is_asked: bool, is_open: bool) -> Pass {
    held.taking(move |answer| {
        let failed = matches!(answer.kind(), Kind::Response { failed: true, .. });
        failed || is_open || (is_asked && is_of_modern_revision(answer))
    })
}

/// Whether an `initialize` was answered with a revision that knows none: the server is a modern one, whatever
/// else it answers.
fn is_of_modern_revision(answer: &Message) -> bool {
    let version = read::result(answer).and_then(|result| member(result, "protocolVersion"));
    version.is_some_and(|version| version.trim_matches('"') >= modern::VERSION)
}

/// Whether a refusal of `initialize` may be that of a modern server: by a status that says that this is not
/// how it is spoken to, or by an error of JSON-RPC. A sign-in, a refusal of the person, and a server that is
/// busy are none.
fn is_word_of_server(refusal: &Failure) -> bool {
    match refusal.status {
        Some(401 | 403 | 407 | 429) => false,
        Some(400 | 404 | 405 | 406 | 411 | 415) => true,
        _ => refusal.answer.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_of_the_server_leads_to_a_question() {
        let refusal = |status: u16, error: bool| {
            let failure = Failure::settled(FailureKind::Status, Some(status), "x");
            let answer = Message::error(None, "{\"code\":-32601,\"message\":\"\"}");
            is_word_of_server(&Failure { answer: error.then(|| Box::new(answer)), ..failure })
        };
        for status in [400, 404, 405, 406, 411, 415] {
            assert!(refusal(status, false), "{status}");
        }
        for status in [402, 410, 500, 503] {
            assert!(refusal(status, true) && !refusal(status, false), "{status}");
        }
        for status in [401, 403, 407, 429] {
            assert!(!refusal(status, true), "{status}");
        }
        assert!(!is_word_of_server(&Failure::timeout("h", BESIDE_TIME)));
    }
}
