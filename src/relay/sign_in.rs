//! A sign-in that the server asks for, as the client sees it: nobody waits for a browser longer than
//! clients wait, no page opens that nobody asked for, and every request is answered (ADR 13).

use std::time::{Duration, Instant};

use serde_json::json;

use super::deadlines::Due;
use super::failure;
use super::handshake::{Client, Server};
use super::in_flight::{Call, CallState};
use super::machine::{Command, ExchangeId, Machine};
use super::modern;
use super::remembered::{Memory, is_list};
use crate::auth::{Invitation, Phase};
use crate::jsonrpc::read::{self, ClientHello};
use crate::jsonrpc::{Id, Message};
use crate::remote::Failure;

/// The tool by which a model can ask for the sign-in.
pub(super) const TOOL: &str = "bridge_sign_in";
/// How long a page waits for the client to be more than a health check.
const PAGE_WAIT: Duration = Duration::from_secs(2);
/// Sign-ins that one request waits for: the server may turn to another authorization server after the first.
/// Whether another one would end is known where tokens are.
const MAX_SIGN_INS: u8 = 2;
/// How long a request waits for a sign-in; clients give up after 60 s.
const CALL_PATIENCE: Duration = Duration::from_secs(45);
/// How long a call of our own tool waits for the address, and a later one for the sign-in.
const ADDRESS_PATIENCE: Duration = Duration::from_secs(10);
const TOOL_PATIENCE: Duration = Duration::from_secs(50);
/// Clients that give a list less time than others, by the beginning of their name.
const IMPATIENT: [(&str, Duration); 1] = [("codex", Duration::from_secs(5))];
/// How often a waiting call says that it waits, where it was asked to.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);
/// Error code of MCP 2025-11-25: the request needs a page to be visited first.
const URL_ELICITATION_REQUIRED: i32 = -32042;
/// Elicitations of which the client is told the end.
const MAX_ELICITATIONS: usize = 64;

/// What the machine knows of the sign-in.
#[derive(Debug)]
pub(super) struct SigningIn {
    phase: Phase,
    /// A page was asked for since the sign-in was found to be needed.
    asked: bool,
    /// When the page opens by itself.
    page_at: Option<Instant>,
    /// Our tool was called before, so that the next call waits.
    tool_called: bool,
    /// Calls of our tool that wait for the address only.
    want_address: Vec<ExchangeId>,
    /// Ids of elicitations that the client was told of.
    elicitations: Vec<String>,
    /// The client may have been offered our tool, which it can call from then on.
    offered: bool,
}

impl Default for SigningIn {
    fn default() -> Self {
        Self {
            phase: Phase::BEFORE,
            asked: false,
            page_at: None,
            tool_called: false,
            want_address: Vec::new(),
            elicitations: Vec::new(),
            offered: false,
        }
    }
}

impl SigningIn {
    /// Whether the server waits for a person.
    pub(super) fn is_open(&self) -> bool {
        !self.phase.is_settled()
    }

    fn invitation(&self) -> Option<&Invitation> {
        match &self.phase {
            Phase::Pending(invitation) => Some(invitation),
            _ => None,
        }
    }
}

/// Requests that a person waits for: they open the page at once.
pub(super) fn is_asked_for(method: &str) -> bool {
    matches!(method, "tools/call" | "prompts/get" | "resources/read")
}

/// Messages by which a client only looks whether a server is there.
fn is_probe(method: Option<&str>) -> bool {
    const PROBES: [&str; 5] = [
        "initialize",
        "server/discover",
        "notifications/initialized",
        "ping",
        // The stream that a client has in the background.
        "subscriptions/listen",
    ];
    method.is_some_and(|method| PROBES.contains(&method))
}

impl<M: Memory> Machine<M> {
    // ---- what is asked of the client's messages

    /// A message of the client came. Whether it is a call of our own tool, which is then dealt with.
    pub(super) fn sign_in_sees(&mut self, message: &Message, now: Instant) -> bool {
        let is_ours = message.method() == Some("tools/call")
            && read::tool_name(message).is_some_and(|name| name == TOOL);
        if !self.signing_in.is_open() {
            let late = message.id().filter(|_| is_ours && self.signing_in.offered).cloned();
            let modern = late.is_some() && self.modern(message).is_some();
            let told = |id: &Id| self.write(tool_result(id, SIGNED_IN, false, modern));
            return late.inspect(told).is_some();
        }
        if !is_probe(message.method()) {
            self.client_is_present(now);
        }
        if let Some(id) = message.id().filter(|_| is_ours).cloned() {
            self.tool_called(message.clone(), id, now);
        }
        is_ours
    }

    /// The client is more than a health check: the page opens in a moment.
    fn client_is_present(&mut self, now: Instant) {
        let needed = matches!(self.signing_in.phase, Phase::Needed);
        if needed && !self.signing_in.asked && self.signing_in.page_at.is_none() {
            self.signing_in.page_at = Some(now + PAGE_WAIT);
            self.deadlines.set(Due::Page, now + PAGE_WAIT);
        }
    }

    /// Asks for the page, which opens unless one is open for the same cause.
    pub(super) fn open_page(&mut self) {
        self.forget_page();
        if !std::mem::replace(&mut self.signing_in.asked, true) {
            self.commands.push(Command::SignIn);
        }
    }

    pub(super) fn forget_page(&mut self) {
        if let Some(at) = self.signing_in.page_at.take() {
            self.deadlines.clear(Due::Page, at);
        }
    }

    /// A call of our own tool: the first gets the address at once, a later one waits for the sign-in.
    fn tool_called(&mut self, message: Message, id: Id, now: Instant) {
        let modern = self.modern(&message).is_some();
        if modern {
            self.modern.name = modern::client_name(&message);
        }
        self.ask_again();
        self.open_page();
        let again = std::mem::replace(&mut self.signing_in.tool_called, true);
        if let Some(invitation) = self.signing_in.invitation().filter(|_| !again) {
            let text = invited(invitation);
            self.write(tool_result(&id, &text, false, modern));
            return;
        }
        let exchange = self.insert_call(message, id);
        self.in_flight.park(exchange);
        let patience = if again { TOOL_PATIENCE } else { ADDRESS_PATIENCE };
        if !again {
            self.signing_in.want_address.push(exchange);
        }
        self.set_deadline(exchange, Due::GiveUp(exchange), now + patience);
    }

    /// After a sign-in that came to nothing, a person asks once more.
    fn ask_again(&mut self) {
        if matches!(self.signing_in.phase, Phase::Failed(_)) {
            // So that the next failure is news, even if it is the same.
            self.signing_in.phase = Phase::Needed;
            self.signing_in.asked = false;
        }
    }

    // ---- requests that meet a sign-in

    /// The server wants a sign-in before it serves this request, which was not executed.
    pub(super) fn sign_in_met(&mut self, exchange: ExchangeId, met: &Failure, now: Instant) {
        let Some(call) = self.in_flight.get(exchange) else { return };
        let (waited, asked_for) = (call.sign_ins >= MAX_SIGN_INS, is_asked_for(call.method()));
        let listens = call.listens();
        let name = call.modern.map(|_| modern::client_name(&call.message));
        if waited && !listens {
            self.fail(exchange, met);
            return;
        }
        self.sign_in_is_needed();
        if let Some(name) = name {
            self.modern.name = name;
        }
        if asked_for {
            self.ask_again();
            self.open_page();
        } else if listens {
            // It waits for no person, and opens no page.
        } else if let Phase::Failed(reason) = &self.signing_in.phase {
            let failure = Failure::of_sign_in(reason);
            self.end_without_sign_in(exchange, &failure);
            return;
        } else {
            self.client_is_present(now);
        }
        self.park(exchange, now);
    }

    /// The server wants a sign-in, whatever showed it.
    pub(super) fn sign_in_is_needed(&mut self) {
        if self.signing_in.phase.is_settled() {
            self.signing_in =
                SigningIn { phase: Phase::Needed, offered: true, ..SigningIn::default() };
        }
    }

    fn park(&mut self, exchange: ExchangeId, now: Instant) {
        let patience = self.sign_in_patience(exchange);
        self.in_flight.park(exchange);
        if self.in_flight.get(exchange).is_some_and(Call::listens) {
            self.clear_deadline(exchange);
            return;
        }
        self.set_deadline(exchange, Due::GiveUp(exchange), now + patience);
        self.invite(exchange, now);
    }

    /// How long a request waits for a sign-in.
    fn sign_in_patience(&self, exchange: ExchangeId) -> Duration {
        let lists = self.in_flight.get(exchange).is_some_and(|call| is_list(call.method()));
        let name = self.client_name().map(|name| name.to_lowercase()).unwrap_or_default();
        let known = IMPATIENT.iter().find(|(client, _)| name.starts_with(client));
        known.filter(|_| lists).map_or(CALL_PATIENCE, |(_, patience)| *patience)
    }

    /// What the client calls itself.
    pub(super) fn client_name(&self) -> Option<String> {
        let name = self.hello().map_or(&self.modern.name, |hello| &hello.name);
        Some(name.clone()).filter(|name| !name.is_empty())
    }

    fn hello(&self) -> Option<&ClientHello> {
        match &self.client {
            Client::Opening { hello, .. } | Client::Open { hello, .. } => Some(&hello.read),
            Client::New => None,
        }
    }

    /// Tells a request that waits where the page is, in the way that its client can show.
    fn invite(&mut self, exchange: ExchangeId, now: Instant) {
        let Some(invitation) = self.signing_in.invitation().cloned() else { return };
        let Some(call) = self.in_flight.get(exchange).filter(|call| !call.listens()) else {
            return;
        };
        let (id, method, modern) = (call.id.clone(), call.method(), call.modern);
        if self.signing_in.want_address.contains(&exchange) {
            self.take_call(exchange);
            self.write(tool_result(&id, &invited(&invitation), false, modern.is_some()));
        } else if self.asks_for_page(call) {
            self.ask_for_page_visit(exchange, &invitation);
        } else if is_asked_for(method) && !is_ours(call) && self.shows_pages() {
            self.take_call(exchange);
            self.require_page(&id, &invitation);
        } else if let Some(token) = read::progress_token(&call.message).map(str::to_owned) {
            self.tell_progress(&token, &invitation);
            self.deadlines.set(Due::Progress(exchange), now + PROGRESS_EVERY);
        }
    }

    /// A waiting call says again that it waits.
    pub(super) fn progress_due(&mut self, exchange: ExchangeId, now: Instant) {
        let parked = self.in_flight.get(exchange).filter(|call| call.state == CallState::Parked);
        let token = parked.and_then(|call| read::progress_token(&call.message));
        let (Some(token), Some(invitation)) =
            (token.map(str::to_owned), self.signing_in.invitation().cloned())
        else {
            return;
        };
        self.tell_progress(&token, &invitation);
        self.deadlines.set(Due::Progress(exchange), now + PROGRESS_EVERY);
    }

    fn tell_progress(&mut self, token: &str, invitation: &Invitation) {
        self.progress += 1;
        let message = json!(format!("waiting for the sign-in at {}", invitation.page));
        let params = format!(
            "{{\"progressToken\":{token},\"progress\":{},\"message\":{message}}}",
            self.progress
        );
        self.write(Message::notification("notifications/progress", Some(&params)));
    }

    /// Whether the client opens pages itself (MCP 2025-11-25, URL mode elicitation).
    fn shows_pages(&self) -> bool {
        let offers = self.hello().is_some_and(ClientHello::elicits_by_url);
        let chosen = match &self.server {
            Server::Settling { hello, .. } | Server::Open { hello, .. } => {
                Some(hello.protocol_version.as_str())
            }
            Server::Closed { .. } | Server::Opening { .. } => None,
        };
        let asked = self.hello().map(|hello| hello.protocol_version.as_str());
        offers && chosen.or(asked) == Some("2025-11-25")
    }

    /// Answers that a page has to be visited first.
    fn require_page(&mut self, id: &Id, invitation: &Invitation) {
        let elicitation = format!("bridge-{:016x}", fastrand::u64(..));
        let message = format!("{} wants you to sign in", self.name.host);
        let error = json!({
            "code": URL_ELICITATION_REQUIRED,
            "message": format!("{message}; open {} and try again", invitation.page),
            "data": { "elicitations": [{
                "mode": "url",
                "elicitationId": elicitation,
                "url": invitation.page,
                "message": message,
            }] },
        });
        if self.signing_in.elicitations.len() < MAX_ELICITATIONS {
            self.signing_in.elicitations.push(elicitation);
        }
        self.write(Message::error(Some(id), &error.to_string()));
    }

    /// A request waited for the sign-in as long as its client does.
    pub(super) fn sign_in_gave_up(&mut self, exchange: ExchangeId) {
        let failure = self.sign_in_failure();
        self.end_without_sign_in(exchange, &failure);
    }

    /// The error of a request that would have to wait longer for a person.
    pub(super) fn sign_in_failure(&self) -> Failure {
        match &self.signing_in.phase {
            Phase::Failed(reason) => Failure::of_sign_in(reason),
            Phase::Pending(invitation) => {
                let pending = Failure::sign_in_pending(&self.name.host, Some(&invitation.page));
                Failure { cause: invitation.why.clone(), ..pending }
            }
            Phase::Needed | Phase::Settled { .. } => {
                Failure::sign_in_pending(&self.name.host, None)
            }
        }
    }

    /// Answers a request without a token: a list with what is known, our own tool with the address, any
    /// other with the error.
    fn end_without_sign_in(&mut self, exchange: ExchangeId, failure: &Failure) {
        let Some(call) = self.in_flight.get(exchange).filter(|call| !call.listens()) else {
            return;
        };
        let (id, modern) = (call.id.clone(), call.modern.is_some());
        if is_ours(call) {
            let text = failure::sentence(failure, &self.name, true);
            let failed = !matches!(self.signing_in.phase, Phase::Pending(_) | Phase::Needed);
            self.take_call(exchange);
            self.write(tool_result(&id, &text, failed, modern));
        } else if !self.was_open && self.give_list(exchange) {
            self.owe_list_changed();
        } else {
            self.fail(exchange, failure);
        }
    }

    // ---- the sign-in goes on

    /// The sign-in took a step.
    pub(super) fn sign_in_changed(&mut self, phase: Phase, now: Instant) {
        if self.signing_in.phase == phase {
            return;
        }
        let was_settled = std::mem::replace(&mut self.signing_in.phase, phase).is_settled();
        match self.signing_in.phase.clone() {
            Phase::Settled { grant, .. } => {
                self.is_granted(grant);
                if !was_settled {
                    self.signed_in(now);
                } else if matches!(self.server, Server::Closed { .. }) {
                    // Another process renewed the tokens, which a first connection waits for.
                    self.connect_with_token(now);
                } else {
                    self.tell_owed_list_changed();
                }
            }
            Phase::Needed => {
                if was_settled {
                    self.signing_in.asked = false;
                } else if self.in_flight.is_anybody_parked() {
                    // What was under way is not any more.
                    self.client_is_present(now);
                }
            }
            Phase::Pending(invitation) => {
                self.forget_page();
                self.tell_log(&invitation);
                for exchange in self.in_flight.parked() {
                    self.invite(exchange, now);
                }
            }
            Phase::Failed(reason) => {
                let failure = Failure::of_sign_in(&reason);
                tracing::warn!("nobody is signed in to {}: {}", self.name.host, failure.reason());
                self.forget_page();
                for exchange in self.in_flight.parked() {
                    self.end_without_sign_in(exchange, &failure);
                }
            }
        }
        self.pump(now);
    }

    /// With another account or other scopes the server may offer something else than before, and may not know
    /// that this client has seen that.
    fn is_granted(&mut self, grant: u64) {
        let before = std::mem::replace(&mut self.granted, grant);
        if before != 0 && before != grant {
            self.owe_list_changed();
        }
    }

    /// Whoever looks at the client's log finds the page there, whatever became of the browser.
    fn tell_log(&self, invitation: &Invitation) {
        let Invitation { page, why, .. } = invitation;
        let why = why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
        tracing::warn!("{} wants you to sign in{why}: open {page}", self.name.host);
    }

    /// There is a token: what waited goes on, and the client learns that its lists are out of date.
    fn signed_in(&mut self, now: Instant) {
        tracing::info!("signed in to {}", self.name.host);
        self.forget_page();
        let elicitations = std::mem::take(&mut self.signing_in.elicitations);
        for id in elicitations {
            let params = json!({ "elicitationId": id }).to_string();
            self.write(Message::notification("notifications/elicitation/complete", Some(&params)));
        }
        let phase = self.signing_in.phase.clone();
        self.signing_in = SigningIn { phase, offered: true, ..SigningIn::default() };
        for exchange in self.in_flight.parked() {
            let Some(call) = self.in_flight.get_mut(exchange) else { continue };
            if is_ours(call) {
                let (id, modern) = (call.id.clone(), call.modern.is_some());
                self.take_call(exchange);
                self.write(tool_result(&id, SIGNED_IN, false, modern));
                continue;
            }
            call.sign_ins += 1;
            if let Some(modern) = &mut call.modern {
                modern.until = None;
            }
            self.clear_deadline(exchange);
            self.in_flight.wait_again(exchange);
        }
        self.connect_with_token(now);
    }

    fn connect_with_token(&mut self, now: Instant) {
        if matches!(self.client, Client::New) {
            self.server = Server::default();
            self.try_again();
            self.tell_owed_list_changed();
            return;
        }
        match &self.server {
            Server::Closed { .. } => {
                self.backoff = super::handshake::backoff();
                self.begin_handshake(now);
                for exchange in self.in_flight.waiting() {
                    self.wait_for_connection(exchange, now);
                }
            }
            Server::Open { session, .. } => {
                // The stream was refused for the same reason as the requests.
                let session = std::sync::Arc::clone(session);
                self.no_stream = false;
                if self.listening != Some(session.generation) {
                    self.listen(session);
                }
                self.tell_owed_list_changed();
            }
            Server::Opening { .. } | Server::Settling { .. } => {}
        }
    }
}

const SIGNED_IN: &str =
    "You are signed in. If this server's tools are missing, restart the client.";

fn invited(invitation: &Invitation) -> String {
    format!(
        "Open this page in a browser on this machine to sign in:\n{}\n\nThe same at the provider: {}\n\
         Without a browser on this machine, run `bridge login` with `--no-browser` in a terminal.\n\
         Then call `{TOOL}` again: it waits until the sign-in is done.",
        invitation.page, invitation.provider
    )
}

pub(super) fn is_ours(call: &Call) -> bool {
    call.method() == "tools/call" && read::tool_name(&call.message).is_some_and(|n| n == TOOL)
}

fn tool_result(id: &Id, text: &str, failed: bool, modern: bool) -> Message {
    let content = json!({ "content": [{ "type": "text", "text": text }], "isError": failed });
    let content = content.to_string();
    Message::result(id, &if modern { modern::completed(&content) } else { content })
}

/// A list of tools with the one that asks for the sign-in as its first.
pub(super) fn offering_tool(result: &str) -> String {
    with_tool(
        result,
        &json!({
            "name": TOOL,
            "title": "Sign in",
            "description": "This server wants its user to sign in first. Returns the address of the page; \
                            call it again to wait until the sign-in is done.",
            "inputSchema": { "type": "object", "properties": {} },
            "annotations": { "readOnlyHint": true, "idempotentHint": true, "openWorldHint": true },
        }),
    )
}

/// A list of tools with one of ours as its first.
pub(super) fn with_tool(result: &str, tool: &serde_json::Value) -> String {
    crate::jsonrpc::edit::with_first_element(result, &["tools"], &tool.to_string())
        .unwrap_or_else(|| json!({ "tools": [tool] }).to_string())
}
