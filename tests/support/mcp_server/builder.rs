//! How a server is set up before it runs: what it answers, what it takes, how it is reached.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use super::conduct::Legacy;
use super::listener::{self, Connecting};
use super::script::Source;
use super::world::{Settings, State, World};
use super::{Answer, Conduct, Matcher, McpServer, Request, legacy};
use crate::support::certificates::{
    Certificate, ClientCertificate, PrivateAuthority, Protocols, Tls,
};
use crate::support::watched::Watched;
use crate::support::{ClosedPort, Timeline};

/// A server that is not running yet.
pub struct Builder {
    settings: Settings,
    state: State,
    connecting: Connecting,
    tls: Option<Tls>,
    authority: Option<Arc<PrivateAuthority>>,
    port: Option<ClosedPort>,
}

impl Builder {
    /// A server of the era with an `initialize` handshake.
    pub(super) fn legacy() -> Self {
        Self {
            settings: Settings {
                conduct: Arc::new(Legacy),
                paths: Vec::new(),
                version: None,
                sessions: true,
                event_ids: false,
                tools: legacy::tools(),
                strict_script: true,
                keeps_requests: true,
                validates: true,
            },
            state: State::default(),
            connecting: Connecting::default(),
            tls: None,
            authority: None,
            port: None,
        }
    }

    // --- what it answers ---

    /// The next request that matches gets this answer; several wait in their order.
    #[must_use]
    pub fn once(mut self, matcher: impl Into<Matcher>, answer: Answer) -> Self {
        self.state.script.once(matcher.into(), Source::Given(answer.into()));
        self
    }

    #[must_use]
    pub fn times(self, count: usize, matcher: impl Into<Matcher>, answer: Answer) -> Self {
        let matcher = matcher.into();
        (0..count).fold(self, |this, _| this.once(matcher.clone(), answer.clone()))
    }

    /// All requests that match get this answer, once nothing is left in the queue for them.
    #[must_use]
    pub fn always(mut self, matcher: impl Into<Matcher>, answer: Answer) -> Self {
        self.state.script.always(matcher.into(), Source::Given(answer.into()));
        self
    }

    /// As `always`, with an answer that is made when the request is there.
    #[must_use]
    pub fn always_with<F>(
        mut self,
        matcher: impl Into<Matcher>,
        make: impl Fn(Request) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        self.state.script.always(matcher.into(), Source::made(make));
        self
    }

    /// The version that `initialize` answers whatever the client asks for.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.settings.version = Some(version.to_owned());
        self
    }

    /// The tools of the list, in place of the default ones.
    #[must_use]
    pub fn tools(mut self, tools: Value) -> Self {
        self.settings.tools = tools;
        self
    }

    /// What it takes and answers, in place of what a legacy server does.
    #[must_use]
    pub fn conduct(mut self, conduct: Arc<dyn Conduct>) -> Self {
        self.settings.conduct = conduct;
        self
    }

    #[must_use]
    pub fn without_sessions(mut self) -> Self {
        self.settings.sessions = false;
        self
    }

    #[must_use]
    pub fn with_sessions(mut self) -> Self {
        self.settings.sessions = true;
        self
    }

    /// What is pushed to the GET stream carries event ids and can be asked for again.
    #[must_use]
    pub fn with_event_ids(mut self) -> Self {
        self.settings.event_ids = true;
        self
    }

    /// The endpoint's path, in place of `/mcp`; the second time, one more path.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.settings.paths.push(path.to_owned());
        self
    }

    // --- what it takes ---

    /// What matches is no fault, whatever is wrong with it.
    #[must_use]
    pub fn allow(mut self, matcher: impl Into<Matcher>) -> Self {
        self.state.allowed.push(matcher.into());
        self
    }

    /// A `once` that nobody asked for is no fault.
    #[must_use]
    pub fn allow_unused_script(mut self) -> Self {
        self.settings.strict_script = false;
        self
    }

    /// Messages need not be what the schema of their revision says.
    #[must_use]
    pub fn unvalidated(mut self) -> Self {
        self.settings.validates = false;
        self
    }

    /// For runs of many thousand calls: keeps no requests and logs none. Faults, executions and
    /// sessions are still noted.
    #[must_use]
    pub fn without_records(mut self) -> Self {
        self.settings.keeps_requests = false;
        self
    }

    // --- how it is reached ---

    #[must_use]
    pub fn close_idle_after(mut self, time: Duration) -> Self {
        self.connecting.close_idle_after = Some(time);
        self
    }

    /// The first connections are reset before a byte of them is read.
    #[must_use]
    pub fn reset_first_connections(mut self, count: usize) -> Self {
        self.state.resets_at_accept = count;
        self
    }

    /// HTTPS with HTTP/2 and HTTP/1.1, by a private authority; see `Server::ca_file`.
    #[must_use]
    pub fn https(self) -> Self {
        self.tls(Certificate::Good, Protocols::Http2AndHttp1)
    }

    /// As `https`, by an authority that has more than one server.
    #[must_use]
    #[cfg(target_os = "linux")]
    pub fn https_by(mut self, authority: &Arc<PrivateAuthority>) -> Self {
        self.authority = Some(Arc::clone(authority));
        self.https()
    }

    #[must_use]
    pub fn tls(mut self, certificate: Certificate, protocols: Protocols) -> Self {
        let client = ClientCertificate::NotAsked;
        self.tls = Some(Tls { shown: certificate, offered: protocols, client });
        self
    }

    /// HTTPS for those who show a certificate of the same private authority.
    #[must_use]
    pub fn mutual_tls(mut self, client: ClientCertificate, protocols: Protocols) -> Self {
        self.tls = Some(Tls { shown: Certificate::Good, offered: protocols, client });
        self
    }

    /// Listens on this address of the machine, in place of 127.0.0.1.
    #[must_use]
    pub fn at(self, address: IpAddr) -> Self {
        self.on(ClosedPort::hold((address, 0).into()))
    }

    /// Listens on this port, in place of any of 127.0.0.1.
    #[must_use]
    pub fn on(mut self, port: ClosedPort) -> Self {
        self.port = Some(port);
        self
    }

    /// What the server's HTTP/2 settings announce.
    #[must_use]
    pub fn max_concurrent_streams(mut self, streams: u32) -> Self {
        self.connecting.max_concurrent_streams = Some(streams);
        self
    }

    // --- run ---

    pub fn run(self) -> McpServer {
        let server = self.run_stopped();
        server.start();
        server
    }

    /// Has its port, but refuses connections until it is started.
    pub fn run_stopped(mut self) -> McpServer {
        if self.settings.paths.is_empty() {
            self = self.path("/mcp");
        }
        self.settings.paths.dedup();
        let port = self.port.take().unwrap_or_else(ClosedPort::reserve);
        self.run_on(port)
    }

    fn run_on(mut self, port: ClosedPort) -> McpServer {
        let address = port.address();
        let authority = self.tls.map(|tls| {
            let authority = self.authority.take();
            let authority = authority.unwrap_or_else(|| Arc::new(PrivateAuthority::found()));
            self.connecting.tls = Some(authority.server_config(tls, address.ip()));
            authority
        });
        let world = Arc::new(World {
            settings: self.settings,
            timeline: Timeline::of_this_test(),
            state: Watched::new(self.state),
        });
        let (orders, received) = mpsc::unbounded_channel();
        let run = listener::run(Arc::clone(&world), port, self.connecting, received);
        let thread = std::thread::Builder::new().name("mcp-server".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(run);
        });
        McpServer { world, address, orders, thread: Some(thread.expect("a thread")), authority }
    }
}
