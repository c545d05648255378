//! For unit tests: a server whose every answer the test gives itself, a client that notes what it hears, and a
//! clock that stands still until the test moves it.

use std::future::ready;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::Carrier;
use crate::jsonrpc::{Id, Message, read};
use crate::remote::{Endpoint, Patience, Post, Receive, Recipient, Remote, Session, Settings};
use crate::secret::Secret;

/// Real time after which a test that waits for something has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Real time in which everybody does what there is to do, before the clock is moved.
const MOMENT: Duration = Duration::from_millis(2);

/// A clock that stands still: as long as a blocking task runs, tokio does not move a paused one by itself.
pub(super) struct StillClock {
    overdue: Arc<Notify>,
    _end: Sender<()>,
}

impl StillClock {
    pub(super) fn new() -> Self {
        tokio::time::pause();
        let ((_end, ended), overdue) = (channel::<()>(), Arc::new(Notify::new()));
        let late = Arc::clone(&overdue);
        tokio::task::spawn_blocking(move || {
            if ended.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                late.notify_one();
            }
        });
        Self { overdue, _end }
    }

    /// Lets everybody do what there is to do, without time.
    pub(super) async fn settle(&self) {
        for _ in 0..10 {
            tokio::task::spawn_blocking(|| std::thread::sleep(MOMENT)).await.unwrap();
        }
    }

    /// Lets some time pass, so slowly that everybody keeps up.
    pub(super) async fn pass(&self, time: Duration, step: Duration) {
        let since = Instant::now();
        while since.elapsed() < time {
            tokio::time::advance(step).await;
            self.settle().await;
        }
    }

    /// Lets everybody do a little.
    pub(super) async fn breathe(&self) {
        tokio::task::spawn_blocking(|| std::thread::sleep(MOMENT / 4)).await.unwrap();
    }

    /// Waits for something, for which no time has to pass.
    pub(super) async fn now<T>(&self, what: &str, it: impl Future<Output = T>) -> T {
        tokio::select! {
            it = it => it,
            () = self.overdue.notified() => panic!("waited in vain for {what}"),
        }
    }

    /// Waits for something while time passes in such steps; gives how much did.
    pub(super) async fn in_time<T>(
        &self,
        what: &str,
        step: Duration,
        it: impl Future<Output = T>,
    ) -> (Duration, T) {
        let since = Instant::now();
        tokio::pin!(it);
        loop {
            let moment = tokio::task::spawn_blocking(|| std::thread::sleep(MOMENT));
            tokio::select! {
                biased;
                it = &mut it => return (since.elapsed(), it),
                () = self.overdue.notified() => panic!("waited in vain for {what}"),
                _ = moment => tokio::time::advance(step).await,
            }
        }
    }
}

/// The server.
pub(super) struct Stage {
    url: String,
    requests: tokio::sync::Mutex<mpsc::UnboundedReceiver<Asked>>,
}

impl Stage {
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (sender, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move {
                    if let Some(asked) = Asked::read(connection).await {
                        let _ = sender.send(asked);
                    }
                });
            }
        });
        Self { url, requests: tokio::sync::Mutex::new(requests) }
    }

    pub(super) fn remote(&self) -> Arc<Remote> {
        self.remote_with(Settings::default())
    }

    pub(super) fn remote_with(&self, settings: Settings) -> Arc<Remote> {
        Arc::new(Remote::new(Endpoint::parse(&self.url).unwrap(), settings))
    }

    /// The next request.
    pub(super) async fn next(&self) -> Asked {
        self.requests.lock().await.recv().await.expect("a runtime that runs")
    }

    /// The next request, which is of this method.
    pub(super) async fn next_of(&self, method: &str) -> Asked {
        let asked = self.next().await;
        assert_eq!(asked.method(), method);
        asked
    }
}

/// Where the head of a request ends, and where its body does, once all of it is there.
fn end_of_request(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    (bytes.len() >= head + length).then_some((head, head + length))
}

/// A request, on a connection of its own.
pub(super) struct Asked {
    pub(super) head: String,
    /// None of a GET or DELETE.
    pub(super) message: Option<Message>,
    connection: TcpStream,
}

impl Asked {
    /// Reads it; none of a connection by which nothing whole comes.
    async fn read(mut connection: TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let (head, end) = loop {
            if let Some(ends) = end_of_request(&bytes) {
                break ends;
            }
            let mut buffer = [0; 8192];
            let count = connection.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
            bytes.extend_from_slice(&buffer[..count]);
        };
        let body = Bytes::copy_from_slice(&bytes[head..end]);
        bytes.truncate(head);
        let head = String::from_utf8(bytes).ok()?;
        Some(Self { head, message: Message::parse(body).ok(), connection })
    }

    pub(super) fn method(&self) -> &str {
        match &self.message {
            Some(message) => message.method().unwrap_or("a response"),
            None => self.head.split(' ').next().unwrap_or_default(),
        }
    }

    pub(super) fn params(&self) -> &str {
        read::params(self.message.as_ref().expect("a message")).unwrap_or("{}")
    }

    pub(super) fn id(&self) -> Id {
        self.message.as_ref().and_then(Message::id).expect("a request").clone()
    }

    /// A whole answer.
    pub(super) async fn answer(mut self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        self.write(&format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        ))
        .await;
    }

    pub(super) async fn json(self, message: &Message) {
        let body = String::from_utf8(message.bytes().to_vec()).unwrap();
        self.answer("200 OK", "content-type: application/json\r\n", &body).await;
    }

    pub(super) async fn result(self, result: &str) {
        let message = Message::result(&self.id(), result);
        self.json(&message).await;
    }

    pub(super) async fn accept(self) {
        self.answer("202 Accepted", "", "").await;
    }

    /// Begins an event stream.
    pub(super) async fn stream(mut self) -> Self {
        self.write(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n",
        )
        .await;
        self
    }

    pub(super) async fn event(&mut self, message: &Message) {
        let text = std::str::from_utf8(message.bytes()).unwrap();
        self.write(&format!("data: {text}\n\n")).await;
    }

    pub(super) async fn write(&mut self, text: &str) {
        // A client that has gone is no fault of the server's.
        let _ = self.connection.write_all(text.as_bytes()).await;
    }

    /// Until the client closes the connection.
    pub(super) async fn left(&mut self) {
        let mut buffer = [0; 64];
        while self.connection.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    }
}

/// The client's end: what it is told.
pub(super) struct Client {
    pub(super) recipient: Recipient,
    heard: mpsc::UnboundedReceiver<Message>,
}

struct Ears(mpsc::UnboundedSender<Message>);

impl Receive for Ears {
    fn receive(&self, message: Message) -> BoxFuture<'_, ()> {
        let _ = self.0.send(message);
        Box::pin(ready(()))
    }

    fn session_given(&self, _: Secret<Box<str>>) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    fn carried_by(&self, _: Carrier) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }
}

impl Client {
    pub(super) fn new() -> Self {
        let (sender, heard) = mpsc::unbounded_channel();
        Self { recipient: Recipient::new(Ears(sender)), heard }
    }

    /// The next message.
    pub(super) async fn next(&mut self) -> Message {
        self.heard.recv().await.expect("somebody who talks")
    }

    /// Those that are there already.
    pub(super) fn there(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.heard.try_recv().ok()).map(|message| text(&message)).collect()
    }
}

pub(super) fn text(message: &Message) -> String {
    String::from_utf8(message.bytes().to_vec()).unwrap()
}

pub(super) fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

/// A message on its way to the server.
pub(super) fn post(text: &str, session: Option<Session>) -> Post {
    Post {
        message: message(text),
        session: session.map(Arc::new),
        repeatable: false,
        patience: Patience::Persistent,
        handed_over: Arc::default(),
        mirrored: None,
    }
}
