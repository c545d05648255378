//! The loop that joins the two sides. It does what the `machine` decides and decides nothing itself.

#[cfg(test)]
mod bench;
mod changes;
mod deadlines;
mod due;
mod ends;
pub mod failure;
mod filter;
mod from_client;
mod from_server;
mod guard;
mod handshake;
#[cfg(test)]
mod handshake_tests;
#[cfg(test)]
mod hostile_tests;
mod in_flight;
mod inbox;
mod machine;
mod modern;
#[cfg(test)]
mod modern_tests;
mod page_question;
mod ping;
mod provisional;
mod questions;
mod refused;
mod remembered;
mod restore;
mod sign_in;
#[cfg(test)]
mod sign_in_tests;
#[cfg(test)]
mod tests;
mod unconnected;
#[cfg(test)]
mod world;

pub use failure::ServerName;
pub use filter::{Filter, Pattern};
pub use machine::Settings;
pub use remembered::{FileMemory, LoginMemory};

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;

use crate::auth::Phase;
use crate::clock::{Clock, SleepDetector};
use crate::jsonrpc::scan::Glimpse;
use crate::jsonrpc::{INVALID_REQUEST, Kind, Malformed, Message, PARSE_ERROR, split_batch};
use crate::logging;
use crate::remote::{
    Failure, ListenEnd, Outcome, Patience, Post, Recipient, Remote, Session, exchange, listen,
};
use crate::stdio::{Frame, Line, Writer};
use ends::Ends;
use inbox::{Arrival, Inbox};
use machine::{Command, ExchangeId, Machine, Outgoing};

/// Arrivals that wait for the loop before their streams are left unread.
const ARRIVALS: usize = 1_024;
/// Answers of the client under way at once.
const ANSWERS: usize = 64;
/// Exchanges under way, up to which somebody waits for each answer.
const FEW: usize = 2;
/// Arrivals taken at once: as many as a task hands over before the runtime lets others go on.
const BATCH: usize = 128;
/// How long the end of a session may take, and the last writing.
const CLOSING: Duration = Duration::from_millis(500);

/// How long a client waits for what may take longer.
const A_MOMENT: Duration = Duration::from_millis(50);
/// How long a token that is being renewed is waited for, which nobody sees any more.
const RENEWING: Duration = Duration::from_secs(10);

/// What a relay joins.
pub struct Relay<'a> {
    /// The hosted server.
    pub remote: Arc<Remote>,
    /// What the user set.
    pub settings: Settings,
    /// Earlier answers.
    pub memory: FileMemory,
    /// Time.
    pub clock: &'a dyn Clock,
}

/// The client's side, as the process sees it.
pub struct ClientSide {
    /// Lines of stdin.
    pub lines: mpsc::Receiver<Vec<Line>>,
    /// stdout.
    pub writer: Writer,
    /// Resolves when the process is told to end.
    pub told_to_end: BoxFuture<'static, ()>,
    /// Resolves when the process that launched us is gone.
    pub parent_gone: BoxFuture<'static, ()>,
}

impl Relay<'_> {
    /// Relays until the client is gone, then ends the session.
    pub async fn run(self, client: ClientSide) {
        let endpoint = self.remote.endpoint();
        let name = ServerName {
            host: endpoint.host(),
            url: endpoint.shown(),
            login: self.remote.login_command(),
        };
        let (arrivals, inbox) = mpsc::channel(ARRIVALS);
        let machine = Machine::new(self.settings, name, self.memory);
        let mut running = Running {
            machine,
            remote: self.remote,
            writer: client.writer.clone(),
            arrivals,
            exchanges: HashMap::new(),
            answers: Arc::new(Semaphore::new(ANSWERS)),
            listening: None,
            ending: None,
            remembering: None,
            cancelling: Vec::new(),
            finished: false,
        };
        let turning = running.turn(client, inbox, SleepDetector::new(self.clock));
        if AssertUnwindSafe(turning).catch_unwind().await.is_err() {
            // All that can be done is to leave no request without its answer.
            running.machine.finish_anyhow();
            running.obey();
        }
        running.close().await;
    }
}

/// An exchange under way.
struct Exchange {
    task: AbortHandle,
    handed_over: Arc<AtomicBool>,
    session: Option<Arc<Session>>,
    /// Whether closing it is all that cancels it.
    cancelled_by_closing: bool,
}

struct Running {
    machine: Machine<FileMemory>,
    remote: Arc<Remote>,
    writer: Writer,
    arrivals: mpsc::Sender<Arrival>,
    exchanges: HashMap<ExchangeId, Exchange>,
    /// Turns of the client's answers, of which nothing else bounds the number.
    answers: Arc<Semaphore>,
    listening: Option<JoinHandle<()>>,
    ending: Option<Arc<Session>>,
    /// The writing of what is remembered.
    remembering: Option<JoinHandle<()>>,
    /// Cancellations on their way to the server.
    cancelling: Vec<JoinHandle<()>>,
    finished: bool,
}

impl Running {
    async fn turn(
        &mut self,
        client: ClientSide,
        mut inbox: mpsc::Receiver<Arrival>,
        mut sleep: SleepDetector<'_>,
    ) {
        let ClientSide { mut lines, writer, told_to_end, parent_gone } = client;
        let mut ends = Ends::new(told_to_end, parent_gone);
        let mut batch = Vec::with_capacity(BATCH);
        let mut reading = true;
        let mut phases = self.remote.sign_in_phases();
        while !self.finished {
            let due = self.machine.next_deadline();
            let pressed = writer.is_pressed();
            tokio::select! {
                biased;
                () = writer.closed() => return,
                taken = inbox.recv_many(&mut batch, BATCH) => {
                    debug_assert!(taken > 0, "this loop holds a sender");
                    gather(&mut inbox, &mut batch).await;
                    self.arrived(&mut batch);
                }
                read = lines.recv(), if reading && !pressed => {
                    self.woke_up(&mut sleep);
                    ends.client_spoke();
                    reading = self.read(read);
                }
                () = writer.relieved(), if pressed => {}
                phase = next_phase(&mut phases) => {
                    self.machine.take_phase(phase, Instant::now());
                }
                () = at(due) => {
                    self.woke_up(&mut sleep);
                    self.machine.take_time(Instant::now());
                }
                () = ends.next() => {
                    reading = false;
                    self.machine.end(Instant::now());
                }
            }
            self.obey();
        }
    }

    /// Lines of the client; `false` at the end of its input.
    fn read(&mut self, lines: Option<Vec<Line>>) -> bool {
        let now = Instant::now();
        let Some(lines) = lines else {
            self.machine.end(now);
            return false;
        };
        for line in lines {
            match line {
                Line::Text(text) => self.read_text(text, now),
                Line::TooLong { glimpse, length } => {
                    let why = format!(
                        "a message of {length} bytes is larger than allowed; raise `--max-message-size`"
                    );
                    let Glimpse { id, is_response } = glimpse;
                    let bad = Malformed { id, is_response, code: INVALID_REQUEST, why };
                    self.machine.client_sent_malformed(&bad, now);
                }
            }
        }
        true
    }

    fn read_text(&mut self, text: bytes::Bytes, now: Instant) {
        let parts = match split_batch(text) {
            Ok(parts) => parts,
            Err(bad) => return self.machine.client_sent_malformed(&bad, now),
        };
        for part in parts {
            match Message::parse(part) {
                Ok(message) => {
                    tracing::debug!(
                        method = message.method(),
                        id = message.id().map(display),
                        "client→remote"
                    );
                    write_down("client→remote", &message);
                    self.machine.take_from_client(message, now);
                }
                Err(bad) => {
                    let wanted =
                        if bad.code == PARSE_ERROR { "JSON" } else { "a JSON-RPC message" };
                    let why = format!("the line is not {wanted}: {}", bad.why);
                    self.machine.client_sent_malformed(&Malformed { why, ..bad }, now);
                }
            }
        }
    }

    fn arrived(&mut self, batch: &mut Vec<Arrival>) {
        let now = Instant::now();
        self.machine.set_capacity(self.remote.max_requests());
        for arrival in batch.drain(..) {
            match arrival {
                Arrival::Message(sent) => {
                    let message = &sent.message;
                    tracing::debug!(
                        method = message.method(),
                        id = message.id().map(display),
                        "remote→client"
                    );
                    write_down("remote→client", message);
                    self.machine.take_from_server(sent, now);
                }
                Arrival::Session { exchange, id } => self.machine.session_given(exchange, id),
                Arrival::Carrier { exchange, carrier } => {
                    self.machine.carried_by(exchange, carrier);
                }
                Arrival::Ended { exchange, outcome } => {
                    self.exchanges.remove(&exchange);
                    self.machine.take_end(exchange, outcome, now);
                }
                Arrival::ListeningEnded { generation, end } => {
                    self.machine.listening_ended(generation, end, now);
                }
            }
        }
    }

    /// After the machine slept, connections are most likely dead, and nobody told us.
    fn woke_up(&mut self, sleep: &mut SleepDetector<'_>) {
        if !sleep.slept() {
            return;
        }
        tracing::info!("the machine slept; connecting anew");
        self.remote.woke_up();
    }

    /// Does what the machine decided.
    fn obey(&mut self) {
        let (mut frames, mut awaited) = (Vec::new(), true);
        for command in self.machine.take_commands() {
            match command {
                Command::Write(message, room) => {
                    awaited &= !matches!(message.kind(), Kind::Notification { .. });
                    frames.push(Frame::with_room(message.into_bytes(), room));
                }
                Command::Send(exchange, outgoing) => self.send(exchange, outgoing),
                Command::Stop(exchange) => self.stop(exchange),
                Command::Cancel(exchange, notification) => self.cancel(exchange, notification),
                Command::Listen(session) => self.listen(session),
                Command::StopListening => self.stop_listening(),
                Command::SignIn => self.remote.sign_in(self.machine.client_name()),
                Command::EndSession(session) => self.ending = Some(session),
                Command::Finish => self.finished = true,
            }
        }
        match frames.len() {
            0 => {}
            _ if awaited && self.exchanges.len() <= FEW => self.writer.write_now(frames),
            // Under load, and for what nobody waits for, the thread is better: it gathers, and this loop goes on
            // meanwhile.
            _ => self.writer.write(frames),
        }
        self.remember();
        if !self.finished
            && let Some(session) = self.ending.take()
        {
            // The client opened again: the old session ends beside the new one.
            let remote = Arc::clone(&self.remote);
            tokio::spawn(async move { remote.end_session(&session).await });
        }
    }

    /// Writes what is to be remembered, one write after the other: what comes meanwhile waits for the
    /// next turn, or for the end.
    fn remember(&mut self) {
        if self.remembering.as_ref().is_none_or(JoinHandle::is_finished) {
            self.remembering = self.machine.memory.take_changes().map(tokio::task::spawn_blocking);
        }
    }

    async fn remember_the_rest(&mut self) {
        self.remember();
        while let Some(writing) = self.remembering.take() {
            let _ = writing.await;
            self.remember();
        }
    }

    fn send(&mut self, exchange: ExchangeId, outgoing: Outgoing) {
        let Outgoing { message, session, repeatable, patience } = outgoing;
        let is_answer = matches!(message.kind(), Kind::Response { .. });
        let handed_over = Arc::new(AtomicBool::new(false));
        let cancelled_by_closing = self.remote.cancelled_by_closing(session.as_deref(), &message);
        let post = Post {
            message,
            session: session.clone(),
            repeatable,
            patience,
            handed_over: Arc::clone(&handed_over),
            mirrored: None,
        };
        let turn = is_answer.then(|| Arc::clone(&self.answers));
        let task = tokio::spawn(carry(
            Arc::clone(&self.remote),
            post,
            Inbox::of_exchange(exchange, self.arrivals.clone(), self.writer.clone()),
            turn,
        ));
        let task = task.abort_handle();
        let under_way = Exchange { task, handed_over, session, cancelled_by_closing };
        self.exchanges.insert(exchange, under_way);
    }

    fn stop(&mut self, exchange: ExchangeId) {
        if let Some(exchange) = self.exchanges.remove(&exchange) {
            exchange.task.abort();
        }
    }

    /// Tells the server, if it may have seen the request, and only then gives the answer up: with a session,
    /// closing the connection is no cancellation (MCP transports, to 2025-11-25).
    fn cancel(&mut self, exchange: ExchangeId, notification: Message) {
        let Some(exchange) = self.exchanges.remove(&exchange) else { return };
        if exchange.cancelled_by_closing || !exchange.handed_over.load(Ordering::Relaxed) {
            exchange.task.abort();
            return;
        }
        let post = Post {
            message: notification,
            session: exchange.session,
            repeatable: true,
            patience: Patience::Once,
            handed_over: Arc::default(),
            mirrored: None,
        };
        let remote = Arc::clone(&self.remote);
        let inbox = Inbox::of_stream(0, self.arrivals.clone(), self.writer.clone());
        self.cancelling.retain(|task| !task.is_finished());
        self.cancelling.push(tokio::spawn(async move {
            const TIME: Duration = Duration::from_secs(5);
            let recipient = Recipient::new(inbox);
            let _ = timeout(TIME, crate::remote::exchange(&remote, &post, &recipient)).await;
            exchange.task.abort();
        }));
    }

    fn listen(&mut self, session: Arc<Session>) {
        self.stop_listening();
        let remote = Arc::clone(&self.remote);
        let generation = session.generation;
        let arrivals = self.arrivals.clone();
        let inbox = Inbox::of_stream(generation, arrivals.clone(), self.writer.clone());
        let task = tokio::spawn(async move {
            let recipient = Recipient::new(inbox);
            let end = kept_up(|| listen(&remote, &session, &recipient)).await;
            let _ = arrivals.send(Arrival::ListeningEnded { generation, end }).await;
        });
        self.listening = Some(task);
    }

    fn stop_listening(&mut self) {
        if let Some(task) = self.listening.take() {
            task.abort();
        }
    }

    /// Ends the session and writes what is left, each within its bound.
    async fn close(mut self) {
        self.stop_listening();
        for exchange in self.exchanges.values() {
            exchange.task.abort();
        }
        let session = self.ending.take().or_else(|| self.machine.session());
        let (remote, writer) = (Arc::clone(&self.remote), self.writer.clone());
        let cancelling = std::mem::take(&mut self.cancelling);
        let end = async {
            // Of a session that has ended nothing could be cancelled any more.
            for cancelled in cancelling {
                let _ = cancelled.await;
            }
            let own = async {
                if let Some(session) = session {
                    remote.end_session(&session).await;
                }
            };
            tokio::join!(own, remote.end_own_sessions());
        };
        let written = writer.finish();
        // A write that is cut off would leave a temporary file.
        let remembered = self.remember_the_rest();
        let _ = tokio::join!(
            timeout(CLOSING, end),
            timeout(CLOSING, written),
            timeout(CLOSING, remembered)
        );
        // A token that was renewed and not saved would be lost. The client need not wait for that.
        let mut finish = pin!(self.remote.finish());
        if timeout(A_MOMENT, &mut finish).await.is_err() {
            if !self.machine.settings.one_off {
                crate::os::leave_stdio();
            }
            let _ = timeout(RENEWING, finish).await;
        }
    }
}

/// Carries one exchange to its end, also where its code panics: the request is owed an answer.
async fn carry(remote: Arc<Remote>, post: Post, inbox: Inbox, turn: Option<Arc<Semaphore>>) {
    let _turn = match turn {
        Some(turns) => turns.acquire_owned().await.ok(),
        None => None,
    };
    let recipient = Recipient::new(inbox.clone());
    let carried = AssertUnwindSafe(exchange(&remote, &post, &recipient)).catch_unwind().await;
    let outcome = carried.unwrap_or_else(|_| {
        Outcome::Failed(Failure::internal("an exchange with the server broke down"))
    });
    inbox.ended(outcome).await;
}

/// Listens, again after a pause where the code of it panics.
async fn kept_up<F: Future<Output = ListenEnd>>(mut begin: impl FnMut() -> F) -> ListenEnd {
    let mut backoff = handshake::backoff();
    loop {
        match AssertUnwindSafe(begin()).catch_unwind().await {
            Ok(end) => return end,
            Err(_) => tokio::time::sleep(backoff.wait()).await,
        }
    }
}

/// Takes what else is about to come, for as long as it comes and nobody waits for it: of many notifications in a
/// row each would wake the thread that writes.
async fn gather(inbox: &mut mpsc::Receiver<Arrival>, batch: &mut Vec<Arrival>) {
    let mut told = 0;
    while batch.len() < BATCH && batch.len() > told && batch[told..].iter().all(Arrival::is_told) {
        told = batch.len();
        tokio::task::yield_now().await;
        while batch.len() < BATCH
            && let Ok(arrival) = inbox.try_recv()
        {
            batch.push(arrival);
        }
    }
}

/// The sign-in's next step; never, where there is none.
async fn next_phase(phases: &mut Option<watch::Receiver<Phase>>) -> Phase {
    if let Some(phases) = phases
        && phases.changed().await.is_ok()
    {
        return phases.borrow_and_update().clone();
    }
    std::future::pending().await
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Writes down what a message holds, where the user asked for it.
fn write_down(way: &'static str, message: &Message) {
    if logging::writes_bodies() {
        tracing::debug!(
            target: logging::BODIES,
            method = message.method(),
            id = message.id().map(display),
            bytes = message.bytes().len(),
            body = %logging::body(message.bytes()),
            "{way}"
        );
    }
}

#[cfg(test)]
mod listening_tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn listening_that_breaks_down_begins_again_after_a_pause() {
        let began = std::cell::Cell::new(0);
        let since = tokio::time::Instant::now();
        let end = kept_up(|| {
            began.set(began.get() + 1);
            let broken = began.get() < 3;
            async move {
                if broken {
                    std::panic::resume_unwind(Box::new("a defect"));
                }
                ListenEnd::SessionLost
            }
        });
        assert!(matches!(end.await, ListenEnd::SessionLost));
        assert!(began.get() == 3 && since.elapsed() >= Duration::from_secs(1));
    }
}
