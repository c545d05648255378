//! A server of the HTTP+SSE transport (MCP 2024-11-05), a thread for each connection. It records what it
//! is sent and counts what it executes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};

use super::watched::Watched;
use super::{DEADLINE, Timeline};

/// How the server behaves.
#[derive(Clone)]
pub struct Builder {
    /// What it answers to a POST on the stream's URL.
    refusal: (u16, String),
    /// The endpoint that it names; `{session}` and `{own}`, the server's address, are replaced.
    endpoint: String,
    /// Whether a GET opens a stream at all.
    streams: bool,
    /// Methods or paths whose requests are sent elsewhere: by which status, and where to.
    moved: HashMap<&'static str, (u16, String)>,
}

/// What happened so far.
#[derive(Default)]
struct World {
    /// Method and path of each request, in order.
    requests: Vec<Seen>,
    sessions: usize,
    executions: usize,
    streams: HashMap<usize, TcpStream>,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Method and path.
    pub line: String,
    /// Names are in lower case.
    pub headers: Vec<(String, String)>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub struct SseServer {
    address: SocketAddr,
    world: Arc<Watched<World>>,
}

impl Builder {
    #[must_use]
    pub fn refusing_posts_with(mut self, status: u16, body: &str) -> Self {
        self.refusal = (status, body.to_owned());
        self
    }

    #[must_use]
    pub fn naming(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = endpoint.into();
        self
    }

    #[must_use]
    pub fn without_streams(mut self) -> Self {
        self.streams = false;
        self
    }

    /// Requests with this method, or for this path, are sent elsewhere.
    #[must_use]
    pub fn moving(mut self, what: &'static str, status: u16, to: &str) -> Self {
        self.moved.insert(what, (status, to.to_owned()));
        self
    }

    pub fn run(self) -> SseServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound address");
        let world = Arc::new(Watched::new(World::default()));
        let timeline = Timeline::of_this_test();
        let server = Arc::new(Serving { how: self, world: Arc::clone(&world), timeline });
        // The thread ends with the process, and holds nothing but the port.
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let server = Arc::clone(&server);
                std::thread::spawn(move || server.serve(socket));
            }
        });
        SseServer { address, world }
    }
}

impl SseServer {
    pub fn builder() -> Builder {
        Builder {
            refusal: (405, "Method Not Allowed".into()),
            endpoint: "/messages?session=canary-{session}".into(),
            streams: true,
            moved: HashMap::new(),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/sse", self.address)
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Method and path of each request so far.
    pub fn requests(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }

    /// Each request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.world.update(|world| world.requests.clone())
    }

    /// Streams that were opened.
    pub fn sessions(&self) -> usize {
        self.world.update(|world| world.sessions)
    }

    /// Tool calls that were executed.
    pub fn executions(&self) -> usize {
        self.world.update(|world| world.executions)
    }

    /// Cuts all streams.
    pub fn cut_streams(&self) {
        self.world.update(|world| {
            for (_, stream) in world.streams.drain() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    /// Waits until that many streams were opened.
    #[track_caller]
    pub fn wait_for_sessions(&self, sessions: usize) {
        self.wait_for("streams", sessions, |world| world.sessions);
    }

    /// Waits until that many tool calls were executed.
    #[track_caller]
    pub fn wait_for_executions(&self, executions: usize) {
        self.wait_for("executions", executions, |world| world.executions);
    }

    #[track_caller]
    fn wait_for(&self, what: &str, count: usize, counted: impl Fn(&World) -> usize) {
        let enough = self.world.wait(DEADLINE, |world| (counted(world) >= count).then_some(()));
        assert!(enough.is_some(), "waited in vain for {count} {what}");
    }
}

struct Serving {
    how: Builder,
    world: Arc<Watched<World>>,
    timeline: Timeline,
}

impl Serving {
    fn serve(&self, socket: TcpStream) {
        let mut reader = BufReader::new(socket.try_clone().expect("a socket"));
        while let Some((method, path, headers, body)) = read_request(&mut reader) {
            self.timeline.log("server", format!("received {method} {path} {body}"));
            self.world.update(|world| {
                world.requests.push(Seen { line: format!("{method} {path}"), headers })
            });
            if let Some((status, location)) =
                self.how.moved.get(&*method).or(self.how.moved.get(&*path))
            {
                answer_with(&socket, *status, &format!("Location: {location}\r\n"), "");
                continue;
            }
            match (&*method, path.contains("session")) {
                ("GET", _) if self.how.streams => return self.open(socket, reader),
                ("POST", true) => self.take(&socket, &path, &body),
                _ => {
                    let (status, text) = &self.how.refusal;
                    answer(&socket, *status, text);
                }
            }
        }
    }

    fn open(&self, mut socket: TcpStream, mut reader: BufReader<TcpStream>) {
        let session = self.world.update(|world| {
            world.sessions += 1;
            let stream = socket.try_clone().expect("a socket");
            world.streams.insert(world.sessions, stream);
            world.sessions
        });
        let endpoint = self.how.endpoint.replace("{session}", &session.to_string());
        let own = socket.local_addr().expect("an address").to_string();
        let endpoint = endpoint.replace("{own}", &own);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        let _ = write!(socket, "{head}event: endpoint\ndata: {endpoint}\n\n");
        // Until the client leaves.
        let _ = reader.read(&mut [0]);
        self.timeline.log("server", format!("stream {session} was left"));
        self.world.update(|world| world.streams.remove(&session));
    }

    fn take(&self, socket: &TcpStream, path: &str, body: &str) {
        let session = path.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let known = self.world.update(|world| world.streams.contains_key(&session));
        if !known {
            return answer(socket, 404, "Could not find session");
        }
        let message: Value = serde_json::from_str(body).expect("JSON");
        if message["params"]["name"] == "refused" {
            let id = path.rsplit('=').next().unwrap_or_default();
            return answer(socket, 403, &format!("not by {id}"));
        }
        answer(socket, 202, "Accepted");
        if message.get("id").is_some() && message.get("method").is_some() {
            self.respond(session, &message);
        }
    }

    fn respond(&self, session: usize, message: &Value) {
        let name = &message["params"]["name"];
        let result = match message["method"].as_str() {
            Some("initialize") => json!({
                "protocolVersion": "2024-11-05",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "old", "version": "1"},
            }),
            Some("tools/list") => json!({"tools": [
                {"name": "read_x", "annotations": {"readOnlyHint": true}}, {"name": "set_x"},
            ]}),
            Some("tools/call") => {
                self.world.update(|world| world.executions += 1);
                if name == "never" {
                    return;
                }
                self.progress(session, message);
                json!({"content": [{"type": "text", "text": "done"}]})
            }
            _ => json!({}),
        };
        self.say(session, &json!({"jsonrpc": "2.0", "id": message["id"], "result": result}));
    }

    fn progress(&self, session: usize, message: &Value) {
        for step in 1..=3 {
            let params = json!({"progressToken": message["id"], "progress": step});
            let method = "notifications/progress";
            self.say(session, &json!({"jsonrpc": "2.0", "method": method, "params": params}));
        }
    }

    fn say(&self, session: usize, message: &Value) {
        self.world.update(|world| {
            if let Some(stream) = world.streams.get_mut(&session) {
                let _ = stream.write_all(format!("event: message\ndata: {message}\n\n").as_bytes());
            }
        });
    }
}

/// Method, path, headers, body.
type Parts = (String, String, Vec<(String, String)>, String);

fn read_request(reader: &mut impl BufRead) -> Option<Parts> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((method, path, headers, String::from_utf8(body).ok()?))
}

fn answer(socket: &TcpStream, status: u16, text: &str) {
    answer_with(socket, status, "", text);
}

/// Each of the headers ends with its line break.
fn answer_with(mut socket: &TcpStream, status: u16, headers: &str, text: &str) {
    let length = text.len();
    let answer = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n\r\n{text}");
    let _ = socket.write_all(answer.as_bytes());
}
