//! A strict authorization server, and the metadata of the MCP server that trusts it, on one origin.
//!
//! It records each request before it judges it. What no client of the specification would send is a
//! fault, and a fault fails the test when the server is dropped, unless the test expects refusals. Each
//! misbehaviour is set by name in the [`Plan`]; any answer can be replaced by a rule.

mod authorize;
mod connection;
mod metadata;
mod register;
mod token;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use authorize::visit;
pub use connection::{Answer, Asked};

pub type Rule = Box<dyn Fn(&Asked) -> Option<Answer> + Send + Sync>;
pub type After = Box<dyn Fn(&Asked) + Send + Sync>;
pub type Edit = Box<dyn Fn(&mut Value) + Send + Sync>;
pub type Gives = Box<dyn Fn(&mut Grant) + Send + Sync>;

/// How it behaves.
pub struct Plan {
    /// Where it is found, if something stands before it (HTTPS).
    pub origin: Option<String>,
    /// Path of the issuer: empty, or `/tenant`.
    pub issuer_path: &'static str,
    /// Paths at which the metadata of the resource lies.
    pub resource_at: Vec<&'static str>,
    /// Paths at which the metadata of the authorization server lies.
    pub metadata_at: Vec<&'static str>,
    /// Whether answers to the browser name the issuer, and the metadata says so.
    pub iss: bool,
    /// Ways to prove who a client is.
    pub methods: Vec<&'static str>,
    /// The one that works, whatever is advertised.
    pub only_method: Option<&'static str>,
    /// Whether a refresh gives a new refresh token and ends the old one.
    pub rotates: bool,
    /// Lifetime of access tokens, in seconds.
    pub lifetime: u64,
    /// Whether scopes outside the registered ones are refused.
    pub scopes_are_bound: bool,
    /// What the person at the device does, poll by poll.
    pub device: Vec<&'static str>,
    /// Whether the parameter `resource` has to be there; if not, it must not be.
    pub wants_resource: bool,
    pub edit_resource: Vec<Edit>,
    pub edit_metadata: Vec<Edit>,
    pub edit_token: Vec<Edit>,
    pub edit_registration: Vec<Edit>,
    pub gives: Vec<Gives>,
    pub rules: Vec<(&'static str, Rule)>,
    /// What happens between an answer's making and its sending.
    pub after: Vec<(&'static str, After)>,
    pub refusals: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            origin: None,
            issuer_path: "",
            resource_at: vec!["/.well-known/oauth-protected-resource/mcp"],
            metadata_at: vec!["/.well-known/oauth-authorization-server"],
            iss: true,
            methods: vec!["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
            only_method: None,
            rotates: true,
            lifetime: 3600,
            scopes_are_bound: true,
            device: vec!["approve"],
            wants_resource: true,
            edit_resource: Vec::new(),
            edit_metadata: Vec::new(),
            edit_token: Vec::new(),
            edit_registration: Vec::new(),
            gives: Vec::new(),
            rules: Vec::new(),
            after: Vec::new(),
            refusals: false,
        }
    }
}

impl Plan {
    /// Changes the protected resource metadata.
    pub fn resource(mut self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.edit_resource.push(Box::new(edit));
        self
    }

    /// Changes the authorization server metadata.
    pub fn metadata(mut self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.edit_metadata.push(Box::new(edit));
        self
    }

    /// Decides what is granted, before anybody knows of it.
    pub fn gives(mut self, decide: impl Fn(&mut Grant) + Send + Sync + 'static) -> Self {
        self.gives.push(Box::new(decide));
        self
    }

    /// Changes the answer to every grant, and not what was granted.
    pub fn grants(mut self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.edit_token.push(Box::new(edit));
        self
    }

    /// Changes every registration.
    pub fn registers(mut self, edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.edit_registration.push(Box::new(edit));
        self
    }

    /// Answers a path by a rule of the test's own; `None` leaves it to the server.
    pub fn rule(
        mut self,
        path: &'static str,
        rule: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        self.rules.push((path, Box::new(rule)));
        self
    }

    /// Answers a path always so.
    pub fn always(self, path: &'static str, answer: Answer) -> Self {
        self.rule(path, move |_| Some(answer.clone()))
    }

    /// Does this once an answer of a path is made, and before it is sent.
    pub fn after(
        mut self,
        path: &'static str,
        act: impl Fn(&Asked) + Send + Sync + 'static,
    ) -> Self {
        self.after.push((path, Box::new(act)));
        self
    }

    /// Refusals are what this test is about.
    pub fn expects_refusals(mut self) -> Self {
        self.refusals = true;
        self
    }

    pub fn run(self) -> AuthServer {
        AuthServer::start(self)
    }
}

/// A client that registered.
#[derive(Clone)]
pub struct Client {
    pub secret: Option<String>,
    pub redirect_uris: Vec<String>,
    pub scope: Option<String>,
    pub method: String,
}

/// What is about to be granted.
pub struct Grant {
    /// Who gets it.
    pub client_id: String,
    /// Counts the grants, from 1.
    pub number: usize,
    pub access_token: String,
    pub scope: String,
    /// Whether a refresh token comes with it.
    pub is_renewable: bool,
    /// What the authorization asked for; a refresh has that of the first grant.
    pub asked: Vec<(String, String)>,
}

/// An authorization that waits to be redeemed.
struct Code {
    client_id: String,
    redirect_uri: String,
    challenge: String,
    scope: String,
    asked: Vec<(String, String)>,
    is_over: bool,
}

/// A refresh token, and the family that dies with its reuse.
#[derive(Clone)]
struct Refresh {
    client_id: String,
    family: usize,
    scope: String,
    asked: Vec<(String, String)>,
    used: bool,
}

/// An access token.
struct Access {
    family: usize,
    scope: String,
    until: Instant,
}

#[derive(Default)]
struct State {
    /// The MCP endpoint elsewhere that the tokens are for.
    resource: Option<String>,
    asked: Vec<Asked>,
    faults: Vec<String>,
    clients: HashMap<String, Client>,
    codes: HashMap<String, Code>,
    refresh: HashMap<String, Refresh>,
    access: HashMap<String, Access>,
    dead_families: Vec<usize>,
    polls: usize,
}

struct World {
    plan: Plan,
    address: SocketAddr,
    state: Mutex<State>,
    count: AtomicUsize,
    /// Bytes of bodies without end that were written.
    poured: AtomicUsize,
    is_away: AtomicBool,
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic with it held")
    }

    fn base(&self) -> String {
        self.plan.origin.clone().unwrap_or_else(|| format!("http://{}", self.address))
    }

    fn issuer(&self) -> String {
        format!("{}{}", self.base(), self.plan.issuer_path)
    }

    fn resource(&self) -> String {
        let elsewhere = self.state().resource.clone();
        elsewhere.unwrap_or_else(|| format!("{}/mcp", self.base()))
    }

    /// A secret that was not given before.
    fn fresh(&self, what: &str) -> String {
        format!("{what}-canary-{}", self.count.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Notes what no good client sends, and refuses it.
    fn refuse(&self, status: u16, code: &str, why: &str) -> Answer {
        self.state().faults.push(format!("{code}: {why}"));
        Answer::json(status, &json!({"error": code, "error_description": why}))
    }

    fn answer(&self, asked: &Asked) -> Answer {
        let answer = self.judged(asked);
        let after = self.plan.after.iter().filter(|(path, _)| *path == asked.path);
        after.for_each(|(_, act)| act(asked));
        answer
    }

    fn judged(&self, asked: &Asked) -> Answer {
        self.state().asked.push(asked.clone());
        for (path, rule) in &self.plan.rules {
            if (*path == asked.path || *path == "*")
                && let Some(answer) = rule(asked)
            {
                return answer;
            }
        }
        match (&*asked.method, &*asked.path) {
            ("GET", path) if path.contains("/.well-known/") => metadata::answer(self, path),
            ("GET", "/authorize") => authorize::answer(self, asked),
            ("POST", "/register") => register::answer(self, asked),
            ("POST", "/token") => token::answer(self, asked),
            ("POST", "/revoke") => token::revoke(self, asked),
            ("POST", "/device") => token::device(self, asked),
            (method, path) => {
                self.state().faults.push(format!("nobody asks for {method} {path}"));
                Answer::page(404, "<h1>Not Found</h1>")
            }
        }
    }
}

/// The running server; its end is that of the test.
pub struct AuthServer {
    world: Arc<World>,
}

impl AuthServer {
    fn start(plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a bound address");
        let world = Arc::new(World {
            plan,
            address,
            state: Mutex::default(),
            count: AtomicUsize::new(0),
            poured: AtomicUsize::new(0),
            is_away: AtomicBool::new(false),
        });
        let server = Self { world };
        server.serve(listener);
        server
    }

    fn serve(&self, listener: TcpListener) {
        let served = Arc::clone(&self.world);
        // The threads end with the process.
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if served.is_away.load(Ordering::Relaxed) {
                    break;
                }
                let world = Arc::clone(&served);
                std::thread::spawn(move || {
                    connection::serve(&socket, |asked| world.answer(asked), &world.poured);
                });
            }
        });
    }

    /// Nobody is at its port any more.
    pub fn leave(&self) {
        self.world.is_away.store(true, Ordering::Relaxed);
        // Whoever waits for a connection hears of it by one.
        while TcpStream::connect(self.world.address).is_ok() {}
    }

    /// It is back, with all that it knew.
    pub fn come_back(&self) {
        self.world.is_away.store(false, Ordering::Relaxed);
        self.serve(TcpListener::bind(self.world.address).expect("its port"));
    }

    /// The MCP endpoint that the metadata is about.
    pub fn mcp_url(&self) -> String {
        self.world.resource()
    }

    pub fn issuer(&self) -> String {
        self.world.issuer()
    }

    /// Where it is found.
    #[cfg(target_os = "linux")]
    pub fn origin(&self) -> String {
        self.world.base()
    }

    /// Where it listens, whatever stands before it.
    #[cfg(target_os = "linux")]
    pub fn address(&self) -> SocketAddr {
        self.world.address
    }

    /// Gives all requests so far.
    #[cfg(target_os = "linux")]
    pub fn recorder(&self) -> impl Fn() -> Vec<Asked> + Send + use<> {
        let world = Arc::clone(&self.world);
        move || world.state().asked.clone()
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.world.base())
    }

    /// A client registered beforehand.
    pub fn register(&self, client_id: &str, client: Client) {
        self.world.state().clients.insert(client_id.to_owned(), client);
    }

    /// Forgets all clients.
    pub fn forget_clients(&self) {
        self.world.state().clients.clear();
    }

    /// The clients that there are may ask for these scopes alone, whatever they were registered for.
    pub fn narrows_clients(&self, scope: &str) {
        let mut state = self.world.state();
        state.clients.values_mut().for_each(|client| client.scope = Some(scope.to_owned()));
    }

    /// The requests to a path so far.
    pub fn asked(&self, path: &str) -> Vec<Asked> {
        self.world.state().asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }

    /// Waits until a path was asked for so often.
    #[track_caller]
    pub fn wait_for(&self, path: &str, times: usize) {
        let until = Instant::now() + crate::support::DEADLINE;
        while self.asked(path).len() < times {
            assert!(Instant::now() < until, "{path} was not asked for {times} times");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// All paths in the order in which they were asked for.
    pub fn paths(&self) -> Vec<String> {
        self.world.state().asked.iter().map(|asked| asked.path.clone()).collect()
    }

    /// Whether an access token opens the MCP server.
    pub fn accepts(&self, token: &str) -> bool {
        self.door().scope_of(token).is_some()
    }

    /// For the MCP server that its tokens open.
    pub fn door(&self) -> Door {
        Door(Arc::clone(&self.world))
    }

    /// The tokens are for this MCP endpoint, on another origin.
    pub fn serves(&self, endpoint: &str) {
        self.world.state().resource = Some(endpoint.to_owned());
    }

    /// A token that somebody got by hand opens the MCP server too, for a day.
    pub fn knows(&self, token: &str) {
        let until = Instant::now() + Duration::from_hours(24);
        let access = Access { family: usize::MAX, scope: String::new(), until };
        self.world.state().access.insert(token.to_owned(), access);
    }

    /// Ends every token that was granted so far.
    pub fn revoke_all(&self) {
        let mut state = self.world.state();
        let families: Vec<_> = state.access.values().map(|access| access.family).collect();
        state.dead_families.extend(families);
    }

    /// Ends the grant that an access token is of.
    pub fn revoke(&self, token: &str) {
        let mut state = self.world.state();
        let family = state.access.get(token).map(|access| access.family);
        state.dead_families.extend(family);
    }

    /// Ends the codes that nobody redeemed yet.
    pub fn end_codes(&self) {
        self.world.state().codes.values_mut().for_each(|code| code.is_over = true);
    }

    /// Makes of the metadata of a resource what the plan says.
    pub fn edit_resource(&self, document: &mut Value) {
        self.world.plan.edit_resource.iter().for_each(|edit| edit(document));
    }

    /// Ends the access tokens that were granted so far; they can be refreshed.
    pub fn expire_all(&self) {
        let now = Instant::now();
        self.world.state().access.values_mut().for_each(|access| access.until = now);
    }

    /// What was refused, in order.
    pub fn faults(&self) -> Vec<String> {
        self.world.state().faults.clone()
    }

    /// Bytes of bodies without end that a client let itself be sent.
    pub fn poured(&self) -> usize {
        self.world.poured.load(Ordering::Relaxed)
    }
}

/// Knows which tokens open the MCP server.
#[derive(Clone)]
pub struct Door(Arc<World>);

impl Door {
    /// The scopes of a token that is good.
    pub fn scope_of(&self, token: &str) -> Option<String> {
        let state = self.0.state();
        let access = state.access.get(token)?;
        let good = !state.dead_families.contains(&access.family) && Instant::now() < access.until;
        good.then(|| access.scope.clone())
    }
}

impl Drop for AuthServer {
    fn drop(&mut self) {
        if !std::thread::panicking() && !self.world.plan.refusals {
            let faults = self.faults();
            assert!(faults.is_empty(), "the authorization server refused: {faults:#?}");
        }
    }
}
